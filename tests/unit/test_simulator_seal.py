"""The simulator's own sealing, held against a known vector and wechatpy."""

from __future__ import annotations

import pytest
from wechatpy.enterprise.crypto import WeChatCrypto

from bot.simulator.events import from_xml, to_xml
from bot.simulator.seal import BadSealError, Seal, Sealed
from bot.simulator.seed import CORP_ID
from tests.makers_simulator import AES_KEY, TOKEN

VECTOR = Sealed(
    encrypt="Al31VOORMRWx6emIpmL5qjcUY4BMTJb5iCTXwA43o1+lKXEr53zLwpDMMN9F+a1YNA2wXIih15mFQ0kok49xJQ==",
    signature="7aa7d82ab3be582c76947f312ef3fb8384d8de13",
    timestamp="1767225600",
    nonce="n0nce77",
)


@pytest.fixture
def seal() -> Seal:
    return Seal(TOKEN, AES_KEY, CORP_ID)


def test_the_known_vector_opens(seal: Seal) -> None:
    assert seal.open(VECTOR) == "8812345678901234567"


@pytest.mark.parametrize("length", range(0, 70, 3))
def test_wechatpy_opens_what_the_simulator_seals(seal: Seal, length: int) -> None:
    message = f"<xml><Content><![CDATA[{'门' * length}]]></Content></xml>"
    sealed = seal.close(message, 1767230000)
    envelope = to_xml({"ToUserName": CORP_ID, "Encrypt": sealed.encrypt})
    crypto = WeChatCrypto(TOKEN, AES_KEY, CORP_ID)
    opened = crypto.decrypt_message(envelope, sealed.signature, sealed.timestamp, sealed.nonce)
    assert (opened if isinstance(opened, str) else opened.decode()) == message


def test_a_reply_sealed_with_another_token_is_refused(seal: Seal) -> None:
    other = Seal("anotherToken", AES_KEY, CORP_ID).close("<xml/>", 1767230000)
    with pytest.raises(BadSealError, match="signature"):
        seal.open(other)


def test_a_reply_for_another_corporation_is_refused(seal: Seal) -> None:
    other = Seal(TOKEN, AES_KEY, "ww0000000000000000").close("<xml/>", 1767230000)
    with pytest.raises(BadSealError, match="receiver"):
        seal.open(other)


def test_a_cdata_end_inside_a_text_survives() -> None:
    assert from_xml(to_xml({"Content": "a]]>b"}))["Content"] == ["a]]>b"]


def test_a_reply_with_a_document_type_is_refused() -> None:
    with pytest.raises(ValueError, match="document type"):
        from_xml('<!DOCTYPE x [<!ENTITY e "e">]><xml><A>&e;</A></xml>')
