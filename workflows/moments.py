"""Finds a time for everything that schedules and expiry dates can be together, from now on.

Between two marks (midnights, and the ends of open hours) nothing changes, and weeks without a
holiday are alike; so a few days hold every combination there is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from workflows.schedules import Schedule

_DAY = timedelta(days=1)
_DAY_MINUTES = 24 * 60
_WEEK = 7
_YEAR = 370  # days: several zones differ by the season as well


@dataclass(frozen=True, slots=True)
class Deadline:
    """A last day in one time zone."""

    last: date
    zone: ZoneInfo

    def holds(self, at: datetime) -> bool:
        """Whether it has not passed."""
        return at.astimezone(self.zone).date() <= self.last


Question = Schedule | Deadline


@dataclass(frozen=True, slots=True)
class Moment:
    """A time, and the answer to each question then."""

    at: datetime
    answers: tuple[bool, ...]


def moments(questions: Sequence[Question], now: datetime) -> tuple[Moment, ...]:
    """Return the first time from `now` on of each combination of answers, in their order."""
    found: dict[tuple[bool, ...], datetime] = {}
    for at in sorted({now, *_instants(questions, now)}):
        found.setdefault(tuple(_answer(question, at) for question in questions), at)
    return tuple(Moment(at, answers) for answers, at in found.items())


def _answer(question: Question, at: datetime) -> bool:
    return question.is_open(at) if isinstance(question, Schedule) else question.holds(at)


def _instants(questions: Sequence[Question], now: datetime) -> Iterator[datetime]:
    zones = {question.zone for question in questions}
    schedules = [q for q in questions if isinstance(q, Schedule)]
    marks = {0} | {m % _DAY_MINUTES for s in schedules for w in s.hours for m in (w.start, w.end)}
    times = [time(mark // 60, mark % 60) for mark in marks]
    first = min((now.astimezone(zone).date() for zone in zones), default=now.date())
    for day in _days(questions, first, several_zones=len(zones) > 1):
        for zone in zones:
            for mark in times:
                at = datetime.combine(day, mark, tzinfo=zone).astimezone(UTC)
                if at >= now:
                    yield at


def _days(questions: Sequence[Question], first: date, *, several_zones: bool) -> set[date]:
    """Return days from `first` on among which every kind of day is, before and after each end."""
    ends = [q.last for q in questions if isinstance(q, Deadline)]
    starts = [first, *sorted({e + _DAY for e in ends if first <= e and e.year < date.max.year})]
    special = _around(
        day
        for q in questions
        if isinstance(q, Schedule)
        for day in q.holidays.off | q.holidays.work
    )
    found = {day for day in special if day >= first}
    for start, end in zip(starts, [*starts[1:], date.max - _DAY], strict=True):
        plain, day = 0, start
        while day < end and plain < (_YEAR if several_zones else _WEEK):
            plain += day not in special
            found.add(day)
            day += _DAY
        if several_zones:
            found.add(start - _DAY)
    return found


def _around(days: Iterable[date]) -> frozenset[date]:
    return frozenset(day + _DAY * shift for day in days for shift in (-1, 0, 1))
