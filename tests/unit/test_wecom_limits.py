"""Cutting text by bytes, and the budget of messages per member."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.wecom import MessageBudget, cut, cut_characters
from tests.makers_wecom_client import Clock


@pytest.mark.parametrize(
    ("text", "most", "expected"),
    [
        ("门卫", 6, "门卫"),
        ("门卫机器人", 9, "门卫…"),
        ("门卫机器人", 8, "门…"),
        ("ab😀cd", 8, "ab😀cd"),
        ("ab😀cde", 8, "ab…"),
        ("abcdef", 3, "…"),
        ("abcdef", 2, ""),
        ("👩\u200d👩\u200d👧xxxxxx", 12, "👩…"),
        ("", 0, ""),
    ],
)
def test_text_is_cut_at_a_character_within_its_bytes(text: str, most: int, expected: str) -> None:
    assert cut(text, most) == expected


@given(st.text(), st.integers(0, 60))
def test_cut_text_fits_and_begins_like_the_original(text: str, most: int) -> None:
    short = cut(text, most)
    assert len(short.encode()) <= most
    assert short == text or text.startswith(short.removesuffix("…"))
    if len(text.encode()) <= most:
        assert short == text


@given(st.text(), st.integers(1, 20))
def test_text_cut_by_characters_fits(text: str, most: int) -> None:
    short = cut_characters(text, most)
    assert len(short) <= most
    assert short == text or text.startswith(short.removesuffix("…"))


async def test_a_member_gets_28_messages_at_once_and_the_next_after_a_minute() -> None:
    clock = Clock()
    budget = MessageBudget(clock)
    waits = [await budget.delay("mei") for _ in range(29)]
    assert waits[:28] == [0.0] * 28
    assert waits[28] == pytest.approx(60, abs=0.01)

    clock.now += 59.9
    assert await budget.delay("mei") > 0
    clock.now += 0.2
    assert await budget.delay("mei") == 0.0


async def test_an_hour_has_its_own_limit() -> None:
    clock = Clock()
    budget = MessageBudget(clock)
    for _ in range(960):
        assert await budget.delay("mei") == 0.0
        clock.now += 3
    assert await budget.delay("mei") == pytest.approx(3600 - 960 * 3, abs=0.01)


async def test_members_do_not_use_each_others_budget_and_spelling_makes_no_new_one() -> None:
    budget = MessageBudget(Clock(), per_minute=1)
    assert await budget.delay("mei") == 0.0
    assert await budget.delay("qin") == 0.0
    assert await budget.delay("MEI") > 0


async def test_what_an_earlier_run_has_sent_counts() -> None:
    clock = Clock()
    budget = MessageBudget(clock)
    for number in range(28):
        budget.remember("Mei", 50 - number)

    assert await budget.delay("mei") == pytest.approx(10, abs=0.01)


async def test_members_long_silent_are_forgotten() -> None:
    clock = Clock()
    budget = MessageBudget(clock)
    for number in range(50):
        await budget.delay(f"member{number}")
    clock.now += 3601
    await budget.delay("mei")
    assert set(budget._sent) == {"mei"}


@given(
    st.lists(st.floats(0, 40, allow_nan=False), max_size=80),
    st.integers(1, 5),
    st.integers(5, 12),
)
def test_no_window_ever_holds_more_than_it_may(
    gaps: list[float], per_minute: int, per_hour: int
) -> None:
    clock = Clock()
    budget = MessageBudget(clock, per_minute=per_minute, per_hour=per_hour)
    sent: list[float] = []

    async def play() -> None:
        for gap in gaps:
            clock.now += gap
            wait = await budget.delay("mei")
            if wait == 0.0:
                sent.append(clock.now)

    asyncio.run(play())
    for window, most in ((60.0, per_minute), (3600.0, per_hour)):
        for start in sent:
            assert sum(start <= at < start + window for at in sent) <= most


@given(st.lists(st.floats(0, 100, allow_nan=False), min_size=1, max_size=60), st.integers(1, 5))
def test_who_waits_as_told_may_send(gaps: list[float], per_minute: int) -> None:
    clock = Clock()
    budget = MessageBudget(clock, per_minute=per_minute, per_hour=20)

    async def play() -> None:
        for gap in gaps:
            clock.now += gap
            wait = await budget.delay("mei")
            clock.now += wait
            assert wait == 0.0 or await budget.delay("mei") == 0.0

    asyncio.run(play())
