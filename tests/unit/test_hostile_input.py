"""XML made to hurt is turned away at once."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import events
from bot.events import Malformed, NotXml, TextSaid
from bot.xml_reader import DEEPEST, MOST_ELEMENTS, read
from tests.makers_door import sample

LAUGHS = b"".join(
    b'<!ENTITY l%d "%s">' % (n, b"&l%d;" % (n - 1) * 10 if n else b"ha") for n in range(10)
)
MEGABYTE = 1024 * 1024


@pytest.mark.parametrize(
    ("xml", "reason"),
    [
        (b"<!DOCTYPE xml [" + LAUGHS + b"]><xml>&l9;</xml>", "document type"),
        (b'<!DOCTYPE xml SYSTEM "file:///etc/passwd"><xml/>', "document type"),
        (b'<!DOCTYPE xml [<!ENTITY f SYSTEM "file:///etc/passwd">]><xml>&f;</xml>', "document"),
        (b'<!DOCTYPE xml [<!ENTITY % p SYSTEM "http://127.0.0.1/">%p;]><xml/>', "document type"),
        (b"<!DOCTYPE xml><xml/>", "document type"),
        (b"<xml>&undeclared;</xml>", "not well-formed"),
        (b"<xml>" + b"<a>" * 5_000 + b"</a>" * 5_000 + b"</xml>", "too deep"),
        (b"<xml>" + b"<a>" * 100_000, "too deep"),
        (b"<xml>" + b"<a/>" * (MEGABYTE // 4) + b"</xml>", "too many elements"),
        (b"<xml>" + b" " * MEGABYTE, "not well-formed"),
        (b"<xml><![CDATA[" + b"\n" * MEGABYTE, "not well-formed"),
        (b"<xml " + b" ".join(b'a%d=""' % n for n in range(50_000)), "not well-formed"),
        (b"<xml/><xml/>", "not well-formed"),
        (b"<other/>", "root is not xml"),
        (b"", "not well-formed"),
        (b'{"encrypt": "x"}', "not well-formed"),
        (b"<xml>\0</xml>", "not well-formed"),
        (b"<xml>&#0;</xml>", "not well-formed"),
        (b"<xml>&#xD800;</xml>", "not well-formed"),
        (b"<xml>\xed\xa0\x80</xml>", "not well-formed"),
        (b"<xml>\xff</xml>", "not well-formed"),
        (b'<?xml version="1.0" encoding="ISO-8859-1"?><xml>\xe9</xml>', "not well-formed"),
        ("<xml/>".encode("utf-16"), "not well-formed"),
    ],
    ids=lambda value: value if isinstance(value, str) else value[:24].decode("latin-1"),
)
def test_it_is_no_message_and_that_is_seen_at_once(xml: bytes, reason: str) -> None:
    before = time.thread_time()
    with pytest.raises(NotXml, match=reason):
        read(xml)
    assert time.thread_time() - before < 0.5


def test_the_allowed_depth_and_number_are_allowed() -> None:
    inner = DEEPEST - 1
    read(b"<xml>" + b"<a>" * inner + b"</a>" * inner + b"</xml>")
    tree = read(b"<xml>" + b"<a/>" * (MOST_ELEMENTS - 1) + b"</xml>")
    assert len(tree.all("a")) == MOST_ELEMENTS - 1


def test_a_very_long_text_is_read_whole() -> None:
    text = "门" * 20_000
    event = events.parse(sample("message_text").replace("加 张总".encode(), text.encode()))
    assert isinstance(event, TextSaid)
    assert event.text.startswith(text)


def test_text_that_looks_like_markup_stays_text() -> None:
    for text in ("<!DOCTYPE x>", "&l9;", "<xml><Event>x</Event></xml>", "]]]]><![CDATA[>"):
        event = events.parse(sample("message_text").replace("加 张总".encode(), text.encode()))
        assert isinstance(event, TextSaid)
        assert event.text.startswith(text.replace("]]]]><![CDATA[>", "]]>"))


def test_a_refusal_does_not_repeat_what_was_sent() -> None:
    private = b"13800001234"
    for xml in (b"<xml>" + private, sample("contact_edited").replace(b"1767230042", private * 3)):
        with pytest.raises(Malformed) as caught:
            events.parse(xml)
        assert private.decode() not in str(caught.value)


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=300))
def test_any_bytes_are_an_event_or_malformed(xml: bytes) -> None:
    for message in (xml, b"<xml>" + xml + b"</xml>"):
        with pytest.raises(Malformed):
            events.parse(message)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_damaged_message_is_an_event_or_malformed(data: st.DataObject) -> None:
    xml = bytearray(sample(data.draw(st.sampled_from(["card_pressed", "chat_member_joined"]))))
    for _ in range(data.draw(st.integers(1, 4))):
        xml[data.draw(st.integers(0, len(xml) - 1))] = data.draw(st.integers(0, 255))
    try:
        event = events.parse(bytes(xml))
    except Malformed:
        return
    assert events.kind(event)
    assert events.lane(event)
