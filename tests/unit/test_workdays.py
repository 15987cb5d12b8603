"""Times of day that return on working days."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.makers_policy import a_policy
from workflows.policy import Policy
from workflows.schedules import Holidays
from workflows.workdays import following, latest, works_on

NINE = time(9)
START = datetime(2025, 6, 1, tzinfo=UTC)
CLOCK: dict[str, Any] = {
    "chain_defaults": {"strictness": ["lead", "director"], "clock": "work_hours"}
}
# Thursday 1 and Friday 2 January 2026 are off; Sunday the 4th is worked instead.
NEW_YEAR = Holidays(
    off=frozenset({date(2026, 1, 1), date(2026, 1, 2)}),
    work=frozenset({date(2026, 1, 4)}),
    years=frozenset({2026}),
)
PLAIN = a_policy()
CHINESE = a_policy(
    holidays=NEW_YEAR,
    schedules={"work_hours": {"hours": "09:00-19:00", "holidays": "CN"}},
    **CLOCK,
)
WEEKEND = a_policy(schedules={"work_hours": {"hours": "09:00-19:00", "days": ["sat"]}}, **CLOCK)


def shanghai(day: int, hour: int = 0, minute: int = 0) -> datetime:
    return datetime(2026, 1, day, hour, minute, tzinfo=PLAIN.zone)


@pytest.mark.parametrize(
    ("policy", "after", "found"),
    [
        (PLAIN, shanghai(7, 8, 59), shanghai(7, 9)),
        (PLAIN, shanghai(7, 9), shanghai(8, 9)),
        (PLAIN, shanghai(9, 12), shanghai(12, 9)),  # Friday, then Monday
        (CHINESE, shanghai(1, 8), shanghai(4, 9)),
        (WEEKEND, shanghai(7, 8), shanghai(10, 9)),
    ],
)
def test_the_next_morning_is_that_of_a_working_day(
    policy: Policy, after: datetime, found: datetime
) -> None:
    assert following(policy, after, NINE) == found


@pytest.mark.parametrize(
    ("policy", "before", "found"),
    [
        (PLAIN, shanghai(7, 9), shanghai(7, 9)),
        (PLAIN, shanghai(7, 8, 59), shanghai(6, 9)),
        (PLAIN, shanghai(11, 12), shanghai(9, 9)),
        (CHINESE, shanghai(4, 8), datetime(2025, 12, 31, 9, tzinfo=PLAIN.zone)),
    ],
)
def test_the_last_morning_is_that_of_a_working_day(
    policy: Policy, before: datetime, found: datetime
) -> None:
    assert latest(policy, before, NINE) == found


@given(
    st.sampled_from([PLAIN, CHINESE, WEEKEND]),
    st.integers(0, 730 * 24 * 60).map(lambda minutes: START + timedelta(minutes=minutes)),
    st.times().map(lambda t: t.replace(microsecond=0)),
)
def test_the_next_one_follows_the_last_one_with_none_between(
    policy: Policy, at: datetime, clock: time
) -> None:
    last, then = latest(policy, at, clock), following(policy, at, clock)

    assert last <= at < then
    assert (following(policy, last, clock), latest(policy, then, clock)) == (then, then)
    assert works_on(policy, then.astimezone(policy.zone).date())
