"""The envelope opens what WeCom seals, and nothing else."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from wechatpy.enterprise.crypto import WeChatCrypto

from bot.envelope import Envelope, Unreadable
from tests.makers_door import CORP, KEY, TOKEN, encrypt, pad, seal, sign

OURS = Envelope(TOKEN, KEY, CORP)
HEAD = b"0123456789abcdef"

DIGITS = (
    b"8812345678901234567",
    "Al31VOORMRWx6emIpmL5qjcUY4BMTJb5iCTXwA43o1+lKXEr53zLwpDMMN9F+a1YNA2wXIih15mFQ0kok49xJQ==",
    "7aa7d82ab3be582c76947f312ef3fb8384d8de13",
)
CHINESE = (
    f"<xml><ToUserName><![CDATA[{CORP}]]></ToUserName>"
    "<Content><![CDATA[同意 A17]]></Content></xml>".encode(),
    (
        "Al31VOORMRWx6emIpmL5qo4piLLDtjaXG22xWTukGaH4GcqhmtbSFDxs6Aw3+agHZAL2AyRsiDSDaV30pUUg3lyumd5c"
        "BXmgBLHDfKyq2FU96dWiRHpFw6kawP+hF4VTVtXFtgqkN3Wc4zld6CyQqzcktqTe9K+4lcaLOnL44NvTp1zsYgwDKE+n"
        "e3uAaR2knfXELEPbwzjP1+jiJOpYxQ=="
    ),
    "dfcca72e2fd76e3f88c8db08d476d5fb065aae49",
)
# The sample printed in document 90968.
DOCUMENT_90968 = (
    "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUp"
    "j911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue"
    "06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+"
    "3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH"
    "27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8"
    "R07+qN+E7Q=="
)


@pytest.mark.parametrize(("message", "sealed", "signature"), [DIGITS, CHINESE])
def test_a_known_envelope_is_signed_and_opens(message: bytes, sealed: str, signature: str) -> None:
    assert OURS.check_signature(signature, "1767225600", "n0nce77", sealed)
    assert OURS.open(sealed) == message


def test_the_sample_of_wecoms_own_documentation_opens() -> None:
    theirs = Envelope("QDG6eK", "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C", "wx5823bf96d3bd56c7")
    signature = "477715d11cdb4164915debcba66cb864d751f3e6"
    assert theirs.check_signature(signature, "1409659813", "1372623149", DOCUMENT_90968)
    message = theirs.open(DOCUMENT_90968)
    assert message.startswith(b"<xml><ToUserName><![CDATA[wx5823bf96d3bd56c7]]></ToUserName>")
    assert b"<MsgId>4561255354251345929</MsgId>" in message


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_what_wechatpy_seals_we_open(message: str) -> None:
    envelope = WeChatCrypto(TOKEN, KEY, CORP).encrypt_message(message, "n0nce77", "1767225600")
    sealed = envelope.split("<Encrypt><![CDATA[")[1].split("]]>")[0]
    signature = envelope.split("<MsgSignature><![CDATA[")[1].split("]]>")[0]
    assert OURS.check_signature(signature, "1767225600", "n0nce77", sealed)
    assert OURS.open(sealed) == message.encode()


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"])), st.binary(min_size=16, max_size=16))
def test_what_we_open_wechatpy_opens_too(message: str, random: bytes) -> None:
    sealed = seal(message.encode(), random=random)
    signature = sign(sealed, "1767225600", "n0nce77")
    oracle = WeChatCrypto(TOKEN, KEY, CORP)
    theirs = oracle.check_signature(signature, "1767225600", "n0nce77", sealed)
    assert OURS.open(sealed) == theirs.encode()


def test_every_part_is_signed() -> None:
    sealed, signature = DIGITS[1], DIGITS[2]
    assert not OURS.check_signature(signature, "1767225601", "n0nce77", sealed)
    assert not OURS.check_signature(signature, "1767225600", "n0nce78", sealed)
    assert not OURS.check_signature(signature, "1767225600", "n0nce77", sealed[:-1])
    stranger = Envelope("another", KEY, CORP)
    assert not stranger.check_signature(signature, "1767225600", "n0nce77", sealed)


@pytest.mark.parametrize(
    "signature", ["", "7aa7", DIGITS[2] + "0", DIGITS[2].upper(), "签名", "\udcff", "\0" * 40]
)
def test_a_signature_of_any_shape_is_just_wrong(signature: str) -> None:
    assert not OURS.check_signature(signature, "1767225600", "n0nce77", DIGITS[1])


@settings(deadline=None)
@given(st.text(), st.text(), st.text(), st.text())
def test_checking_a_signature_never_raises(a: str, b: str, c: str, d: str) -> None:
    assert not OURS.check_signature(a, b, c, d)


def plain(message: bytes, *, length: int | None = None, corp: str = CORP) -> bytes:
    told = len(message) if length is None else length
    return HEAD + told.to_bytes(4, "big") + message + corp.encode()


@pytest.mark.parametrize(
    ("sealed", "reason"),
    [
        ("no base64!", "base64"),
        ("签名", "base64"),
        (DIGITS[1][:-1], "base64"),
        (DIGITS[1] + "\n", "base64"),
        ("", "size"),
        (base64.b64encode(b"x" * 31).decode(), "size"),
        (base64.b64encode(b"x" * 48).decode(), "size"),  # AES blocks, but not WeCom's
        (encrypt(plain(b"hi", corp="ww9").ljust(31) + b"\0"), "padding"),
        (encrypt(plain(b"hi", corp="ww9").ljust(31) + b"\x21"), "padding"),
        (encrypt(plain(b"hi", corp="ww9").ljust(28) + b"\1\4\4\4"), "padding"),
        (encrypt(bytes([32]) * 32), "length"),
        (encrypt(pad(HEAD)), "length"),
        (encrypt(pad(plain(b"hi", length=2 + len(CORP) + 1))), "length"),
        (encrypt(pad(plain(b"hi", length=2**32 - 1))), "length"),
        (encrypt(pad(plain(b"hi", length=1))), "receive_id"),
        (encrypt(pad(plain(b"hi", corp="wwforeign"))), "receive_id"),
        (encrypt(pad(plain(b"hi", corp=""))), "receive_id"),
        (encrypt(pad(plain(b"hi", corp=CORP + "x"))), "receive_id"),
    ],
)
def test_a_broken_or_foreign_envelope_is_unreadable(sealed: str, reason: str) -> None:
    with pytest.raises(Unreadable) as caught:
        OURS.open(sealed)
    assert caught.value.reason == reason


@settings(deadline=None)
@given(st.one_of(st.text(), st.binary(max_size=200).map(lambda b: base64.b64encode(b).decode())))
def test_anything_else_is_unreadable_in_one_way(sealed: str) -> None:
    with pytest.raises(Unreadable):
        OURS.open(sealed)


@pytest.mark.parametrize("size", range(33))
def test_messages_of_every_length_survive(size: int) -> None:
    message = b"x" * size  # one of them needs a whole block of padding
    assert OURS.open(seal(message)) == message


@pytest.mark.parametrize("key", ["", KEY[:-1], KEY + "A", KEY[:-1] + "=", KEY[:-1] + "é"])
def test_a_wrong_key_is_refused_without_showing_it(key: str) -> None:
    with pytest.raises(ValueError, match="43 letters") as caught:
        Envelope(TOKEN, key, CORP)
    assert not key or key not in str(caught.value)


def test_a_key_whose_last_character_has_spare_bits_works() -> None:
    spare = Envelope(TOKEN, KEY[:-1] + "B", CORP)  # 'A' and 'B' differ only in bits that are cut
    assert spare.open(DIGITS[1]) == DIGITS[0]


def test_an_envelope_does_not_show_its_secrets() -> None:
    assert TOKEN not in repr(OURS)
    assert KEY not in repr(OURS)


@settings(deadline=None)
@given(st.binary(max_size=200))
def test_what_we_seal_for_our_own_door_is_sealed_as_wecom_does(message: bytes) -> None:
    sealed = OURS.close(message)
    assert OURS.open(sealed) == message
    assert OURS.close(message) != sealed
    assert OURS.check_signature(OURS.signature("1", "n", sealed), "1", "n", sealed)


def test_wechatpy_opens_what_we_seal() -> None:
    sealed = OURS.close(DIGITS[0])
    theirs = WeChatCrypto(TOKEN, KEY, CORP)
    signature = OURS.signature("1767225600", "n0nce77", sealed)

    opened = theirs.check_signature(signature, "1767225600", "n0nce77", sealed)

    assert (opened if isinstance(opened, bytes) else opened.encode()) == DIGITS[0]
