"""Long answers: cut between lines, so that WeCom takes every message whole."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from bot.pages import paged
from bot.texts import Text
from bot.wecom.limits import TEXT_BYTES


def test_what_fits_is_one_message() -> None:
    assert paged([Text("一"), Text("二")]) == ["一\n二"]
    assert paged([]) == []


def test_a_message_may_be_exactly_full() -> None:
    half = Text("x" * (TEXT_BYTES // 2))
    rest = Text("y" * (TEXT_BYTES - TEXT_BYTES // 2 - 1))

    assert [len(page) for page in paged([half, rest])] == [TEXT_BYTES]
    assert len(paged([half, rest, Text("")])) == 2


@given(st.lists(st.text(st.sampled_from("字a"), max_size=900), max_size=12))
def test_every_line_comes_once_and_in_order_within_the_limit(lines: list[str]) -> None:
    pages = paged(Text(line) for line in lines)

    assert all(len(page.encode()) <= TEXT_BYTES for page in pages)
    told = "\n".join(pages).split("\n") if lines else []
    assert len(told) == len(lines)
    for line, shown in zip(lines, told, strict=True):
        assert shown == line or (shown.endswith("…") and len(line.encode()) > TEXT_BYTES)
