"""WeCom's pen: seals and signs callbacks by the documentation, sharing no code with ours."""

from __future__ import annotations

import base64
import hashlib
from datetime import UTC, datetime
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

TOKEN = "fgTok3nA1"
KEY = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA"
CORP = "ww00gate00demo0001"
NOW = datetime(2026, 1, 1, 9, 0, tzinfo=UTC)
SAMPLES = Path(__file__).parent / "samples" / "callbacks"


def sample(name: str) -> bytes:
    return (SAMPLES / f"{name}.xml").read_bytes()


def encrypt(plain: bytes) -> str:
    """Encrypt exactly these bytes, whatever their layout; their padding is the caller's affair."""
    key = base64.b64decode(KEY + "=")
    encryptor = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
    return base64.b64encode(encryptor.update(plain) + encryptor.finalize()).decode()


def pad(plain: bytes) -> bytes:
    padder = PKCS7(256).padder()
    return padder.update(plain) + padder.finalize()


def seal(message: bytes, corp: str = CORP, random: bytes = b"0123456789abcdef") -> str:
    return encrypt(pad(random + len(message).to_bytes(4, "big") + message + corp.encode()))


def sign(sealed: str, timestamp: str, nonce: str, token: str = TOKEN) -> str:
    text = "".join(sorted([token, timestamp, nonce, sealed]))
    return hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()


def query(sealed: str, at: datetime = NOW, nonce: str = "n0nce77") -> dict[str, str]:
    timestamp = str(int(at.timestamp()))
    signature = sign(sealed, timestamp, nonce)
    return {"msg_signature": signature, "timestamp": timestamp, "nonce": nonce}


def envelope_xml(sealed: str) -> bytes:
    return (
        f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName><AgentID><![CDATA[1000007]]></AgentID>"
        f"<Encrypt><![CDATA[{sealed}]]></Encrypt></xml>"
    ).encode()
