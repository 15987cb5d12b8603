"""Customers on their way between two members: what WeCom shows, when to look, when to give up."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.makers_waivers import the_same
from workflows.transfers import (
    MOST_TIMES,
    WITHIN,
    Passage,
    PassageState,
    Shown,
    free_from,
    is_waiting,
    looked,
    next_look,
    refused,
    settled,
)
from workflows.waivers import may_be_waived

NOON = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


def a_passage(**changes: object) -> Passage:
    made = Passage("A7K2", "wm1", "张伟", "sunlei", "liqiang", PassageState.WAITING, NOON)
    return replace(made, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("status", "state"),
    [(1, PassageState.DONE), (3, PassageState.REFUSED), (4, PassageState.FULL)],
)
def test_what_wecom_shows_settles_a_passage(status: int, state: PassageState) -> None:
    later = NOON + 25 * HOUR

    seen = looked(a_passage(), [Shown("wm1", status, later)], later)

    assert (seen.state, seen.settled_at, seen.is_open) == (state, later, False)


@pytest.mark.parametrize("shown", [[], [Shown("wm1", 2)], [Shown("wm1", 9)], [Shown("wm2", 1)]])
def test_whatever_else_is_shown_leaves_it_waiting(shown: list[Shown]) -> None:
    passage = a_passage()

    assert looked(passage, shown, NOON + 2 * DAY) is passage


def test_a_takeover_before_this_transfer_was_another_one() -> None:
    passage = a_passage()
    earlier = Shown("wm1", 1, NOON - 30 * DAY)

    assert looked(passage, [earlier], NOON + DAY) is passage
    assert looked(passage, [earlier, Shown("wm1", 3)], NOON + DAY).state is PassageState.REFUSED


def test_while_one_is_waiting_what_was_refused_before_does_not_count() -> None:
    passage = a_passage()

    assert looked(passage, [Shown("wm1", 3), Shown("wm1", 2)], NOON + DAY) is passage


def test_after_a_week_without_a_sign_a_human_must_look() -> None:
    assert looked(a_passage(), [], NOON + 7 * DAY - HOUR).is_open
    assert looked(a_passage(), [], NOON + 7 * DAY).state is PassageState.UNSEEN
    assert looked(a_passage(), [Shown("wm1", 1)], NOON + 9 * DAY).state is PassageState.DONE


def test_what_has_ended_stays_as_it_is() -> None:
    over = settled(a_passage(), PassageState.REFUSED, NOON)

    assert settled(over, PassageState.DONE, NOON + DAY) is over
    assert looked(over, [Shown("wm1", 1)], NOON + DAY) is over


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        ("customer_refused", PassageState.REFUSED),
        ("customer_limit_exceed", PassageState.FULL),
        ("something new", PassageState.REFUSED),
    ],
)
def test_the_event_says_why_a_takeover_failed(reason: str, state: PassageState) -> None:
    assert refused(a_passage(), reason, NOON).state is state


def test_the_first_look_is_when_it_takes_effect_and_then_once_a_day() -> None:
    first = next_look([a_passage()], NOON)
    assert first is not None
    assert timedelta(hours=24) < first - NOON < timedelta(hours=25)

    assert next_look([a_passage()], first) == first + DAY
    assert next_look([a_passage(state=PassageState.DONE)], NOON) is None


def test_only_a_waiting_transfer_between_these_two_is_under_way() -> None:
    assert is_waiting([Shown("wm1", 2)], "wm1")
    assert not is_waiting([Shown("wm1", 1), Shown("wm2", 2)], "wm1")
    assert not is_waiting([], "wm1")


def test_two_transfers_in_ninety_days_are_the_most() -> None:
    first, second = a_passage(asked_at=NOON - 80 * DAY), a_passage(asked_at=NOON - 10 * DAY)

    assert free_from([first], NOON) is None
    assert free_from([first, second], NOON) == NOON + 10 * DAY
    assert free_from([first, second], NOON + 10 * DAY) is None


def test_what_was_refused_or_never_taken_does_not_count() -> None:
    states = (PassageState.REFUSED, PassageState.FULL, PassageState.REJECTED, PassageState.UNSEEN)
    failed = [a_passage(state=state) for state in states]

    assert free_from([*failed, a_passage()], NOON) is None


@given(st.lists(st.integers(0, 200), max_size=6), st.integers(0, 100))
def test_whoever_is_free_then_has_fewer_than_two_behind_them(ages: list[int], ahead: int) -> None:
    passages = [a_passage(asked_at=NOON - age * DAY, state=PassageState.DONE) for age in ages]
    at = NOON + ahead * DAY
    recent = [each for each in passages if at - WITHIN < each.asked_at]

    free = free_from(passages, at)

    assert (free is None) == (len(recent) < MOST_TIMES)
    assert free is None or (free > at and free_from(passages, free) is None)


@pytest.mark.parametrize("action", ["customer.transfer", "customer.export"])
def test_nobody_agrees_in_advance_to_customers_being_taken_away(action: str) -> None:
    assert may_be_waived(the_same(action="customer.tag"))
    assert not may_be_waived(the_same(action=action))
