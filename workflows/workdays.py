"""Which days a company works on, and the times of day that return on them."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

from workflows.policy import Policy
from workflows.schedules import Schedule

_DAY = timedelta(days=1)
_HORIZON = 366  # days: no company rests for a year


def works_on(policy: Policy, day: date) -> bool:
    """Whether the chains' clock runs on a day; without one Monday to Friday are worked."""
    clock = policy.rulebook.chain_defaults.clock
    schedule = policy.schedules[clock] if clock else Schedule((), policy.zone)
    return schedule.works_on(day)


def following(policy: Policy, at: datetime, clock: time) -> datetime:
    """Return the first `clock` (company time) of a working day after `at`, in UTC."""
    return _nearest(policy, at, clock, 1)


def latest(policy: Policy, at: datetime, clock: time) -> datetime:
    """Return the last `clock` (company time) of a working day up to `at`, in UTC."""
    return _nearest(policy, at, clock, -1)


def _nearest(policy: Policy, at: datetime, clock: time, step: int) -> datetime:
    today = at.astimezone(policy.zone).date()
    for days in range(_HORIZON):
        day = today + _DAY * days * step
        found = datetime.combine(day, clock, policy.zone).astimezone(UTC)
        if works_on(policy, day) and (found > at) == (step > 0):
            return found
    raise ValueError("the schedule has no working day within a year")
