"""Working hours and quiet hours: whether a time is inside, and moving a duration through them."""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
WEEKDAYS = frozenset(range(5))
_DAY = 24 * 60
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_HORIZON = 3660  # days looked ahead for an open hour: a calendar without one is broken
_LONGEST = timedelta(days=366)  # an always open schedule has no end worth looking for


@dataclass(frozen=True, slots=True)
class Holidays:
    """A country's public holidays and make-up working days, for the years it knows."""

    off: frozenset[date] = frozenset()
    work: frozenset[date] = frozenset()
    years: frozenset[int] = frozenset()

    def day_off(self, day: date) -> bool | None:
        """Whether nobody works on `day` by the calendar; None when its year is not known."""
        if day.year not in self.years:
            return None
        if day in self.off or day in self.work:
            return day in self.off
        return day.weekday() not in WEEKDAYS


NO_HOLIDAYS = Holidays()


@dataclass(frozen=True, slots=True)
class Window:
    """Open hours of a day in minutes since its midnight; `end` may lie in the next day."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """The open hours of a week in one time zone. A window past midnight belongs to its first day.

    Public holidays are closed and make-up working days open, whatever `days` says; in a year the
    calendar does not know, `days` alone counts.
    """

    hours: tuple[Window, ...]
    zone: ZoneInfo
    days: frozenset[int] = field(default=WEEKDAYS)
    holidays: Holidays = NO_HOLIDAYS

    def works_on(self, day: date) -> bool:
        """Whether the windows that start on `day` are open."""
        if day in self.holidays.off:
            return False
        return day in self.holidays.work or day.weekday() in self.days

    def is_open(self, at: datetime) -> bool:
        """Whether `at` (aware) lies within open hours; their end no longer does."""
        local = at.astimezone(self.zone)
        today, minute = local.date(), local.hour * 60 + local.minute
        if any(w.start <= minute < w.end for w in self.hours) and self.works_on(today):
            return True
        late = any(w.start <= minute + _DAY < w.end for w in self.hours)
        return late and today > date.min and self.works_on(today - timedelta(days=1))

    def add(self, start: datetime, duration: timedelta) -> datetime:
        """Return the UTC time at which `duration` of open time has passed since `start`."""
        if duration < timedelta(0):
            raise ValueError("a duration cannot be negative")
        left = duration
        if not left:
            return start.astimezone(UTC)
        for begin, end in self._stretches(start):
            if left <= end - begin:
                return begin + left
            left -= end - begin
        raise ValueError("the schedule has too few open hours")

    def between(self, start: datetime, end: datetime) -> timedelta:
        """Return how much open time lies between two moments; none if `end` is not later."""
        passed = timedelta(0)
        for begin, close in self._stretches(start):
            if begin >= end:
                break
            passed += min(close, end) - begin
        return passed

    def next_open(self, at: datetime) -> datetime:
        """Return the first UTC time from `at` on that is open."""
        return next(self._stretches(at))[0]

    def open_until(self, at: datetime) -> datetime:
        """Return when the open stretch that `at` lies in, or else the next one, ends (UTC)."""
        stretches = self._stretches(at)
        _, end = next(stretches)
        for begin, later in stretches:
            if begin > end or later - at > _LONGEST:
                break
            end = later
        return end

    def _stretches(self, since: datetime) -> Iterator[tuple[datetime, datetime]]:
        """Open stretches in UTC from `since` on, in order and without overlap."""
        cursor = since.astimezone(UTC)
        first = since.astimezone(self.zone).date() - timedelta(days=1)
        for offset in range(_HORIZON):
            day = first + timedelta(days=offset)
            if not self.works_on(day):
                continue
            for window in self.hours:
                begin = max(cursor, self._at(day, window.start))
                end = self._at(day, window.end)
                if begin < end:
                    yield begin, end
                    cursor = end
        raise ValueError("the schedule never opens")

    def _at(self, day: date, minute: int) -> datetime:
        days, rest = divmod(minute, _DAY)
        moment = time(rest // 60, rest % 60)
        local = datetime.combine(day + timedelta(days=days), moment, tzinfo=self.zone)
        return local.astimezone(UTC)


@functools.lru_cache
def parse_duration(text: str) -> timedelta:
    """Read '60s', '30m', '2h' or '3d'; ValueError for anything else, zero included."""
    found = re.fullmatch(r"([1-9][0-9]{0,5})([smhd])", text)
    if not found:
        raise ValueError(f"not a duration: {text!r}")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


def parse_pause(text: str) -> timedelta:
    """Read the same, or '0s' for no time at all."""
    return timedelta() if text == "0s" else parse_duration(text)


def parse_window(text: str) -> Window:
    """Read '09:00-19:00', or '22:00-06:00' past midnight; ValueError for anything else."""
    found = re.fullmatch(r"([0-9]{2}):([0-9]{2})-([0-9]{2}):([0-9]{2})", text)
    if not found:
        raise ValueError(f"not hours: {text!r}")
    start_hour, start_minute, end_hour, end_minute = map(int, found.groups())
    start, end = start_hour * 60 + start_minute, end_hour * 60 + end_minute
    if max(start_minute, end_minute) > 59 or start >= _DAY or end > _DAY or start == end:
        raise ValueError(f"not hours: {text!r}")
    return Window(start, end if end > start else end + _DAY)


def windows_of(texts: tuple[str, ...]) -> tuple[Window, ...]:
    """Read the windows of one day in order; ValueError when two of them overlap."""
    windows = tuple(sorted(map(parse_window, texts), key=lambda w: w.start))
    if any(a.end > b.start for a, b in itertools.pairwise(windows)):
        raise ValueError(f"hours overlap: {', '.join(texts)}")
    return windows
