"""Sealing and opening callbacks as WeCom does (doc 90968), written apart from the program's own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
import struct
from dataclasses import dataclass

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

_BLOCK = 32  # WeCom pads to 32 bytes although AES blocks have 16


class BadSealError(Exception):
    """What came back cannot be opened, or was not meant for this corporation."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """The parts of an encrypted message as they travel."""

    encrypt: str
    signature: str
    timestamp: str
    nonce: str


class Seal:
    """One pair of Token and EncodingAESKey and the receiver they are for."""

    def __init__(self, token: str, encoding_aes_key: str, receiver: str) -> None:
        self._token = token
        self._key = base64.b64decode(encoding_aes_key + "=")
        if len(encoding_aes_key) != 43 or len(self._key) != 32:
            raise ValueError("an EncodingAESKey has exactly 43 letters and digits")
        self._receiver = receiver.encode()

    def signature(self, timestamp: str, nonce: str, encrypt: str) -> str:
        """SHA-1 over the four sorted values."""
        parts = "".join(sorted((self._token, timestamp, nonce, encrypt)))
        return hashlib.sha1(parts.encode(), usedforsecurity=False).hexdigest()

    def close(self, text: str, timestamp: int) -> Sealed:
        """Encrypt and sign `text` with a fresh nonce."""
        message = text.encode()
        plain = secrets.token_bytes(16) + struct.pack(">I", len(message)) + message + self._receiver
        fill = _BLOCK - len(plain) % _BLOCK
        encryptor = self._cipher().encryptor()
        secret = encryptor.update(plain + bytes([fill]) * fill) + encryptor.finalize()
        encrypt, when, nonce = (
            base64.b64encode(secret).decode(),
            str(timestamp),
            secrets.token_hex(8),
        )
        return Sealed(encrypt, self.signature(when, nonce, encrypt), when, nonce)

    def open(self, sealed: Sealed) -> str:
        """Verify and decrypt a reply. Raises BadSealError."""
        expected = self.signature(sealed.timestamp, sealed.nonce, sealed.encrypt)
        if not hmac.compare_digest(expected, sealed.signature):
            raise BadSealError("wrong signature")
        try:
            secret = base64.b64decode(sealed.encrypt, validate=True)
            decryptor = self._cipher().decryptor()
            plain = decryptor.update(secret) + decryptor.finalize()
        except ValueError as error:
            raise BadSealError("not a whole number of AES blocks in base64") from error
        return self._unpack(plain)

    def _unpack(self, plain: bytes) -> str:
        fill = plain[-1] if plain else 0
        if len(plain) % _BLOCK or not 1 <= fill <= _BLOCK:
            raise BadSealError("wrong padding")
        body = plain[16:-fill]
        (length,) = struct.unpack(">I", body[:4]) if len(body) >= 4 else (1 << 32,)
        if 4 + length > len(body) or body[4 + length :] != self._receiver:
            raise BadSealError("wrong length or receiver")
        return body[4 : 4 + length].decode()

    def _cipher(self) -> Cipher[modes.CBC]:
        return Cipher(algorithms.AES(self._key), modes.CBC(self._key[:16]))
