"""Working hours: what is open, and where a duration ends when only open time counts."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.schedules import (
    WEEKDAYS,
    Holidays,
    Schedule,
    Window,
    parse_duration,
    parse_pause,
    parse_window,
    windows_of,
)

SHANGHAI = ZoneInfo("Asia/Shanghai")
HOURS = timedelta(hours=1)
# 1 January 2026 is a Thursday and off; Sunday the 4th is worked instead.
NEW_YEAR = Holidays(
    off=frozenset({date(2026, 1, 1), date(2026, 1, 2)}),
    work=frozenset({date(2026, 1, 4)}),
    years=frozenset({2026}),
)


def at(day: int, hour: int, minute: int = 0, month: int = 1) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=SHANGHAI)


def work(holidays: Holidays = Holidays(), *hours: str) -> Schedule:  # noqa: B008
    return Schedule(windows_of(hours or ("09:00-19:00",)), SHANGHAI, holidays=holidays)


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [
        (at(7, 8, 59), False),
        (at(7, 9), True),
        (at(7, 18, 59), True),
        (at(7, 19), False),
        (at(10, 10), False),  # a Saturday
        (at(1, 10), False),  # New Year
        (at(4, 10), True),  # a Sunday that is worked
    ],
)
def test_open_hours_follow_days_holidays_and_make_up_days(moment: datetime, is_open: bool) -> None:
    assert work(NEW_YEAR).is_open(moment) is is_open
    assert work(NEW_YEAR).is_open(moment.astimezone(UTC)) is is_open


def test_a_year_the_calendar_does_not_know_is_monday_to_friday() -> None:
    assert NEW_YEAR.day_off(date(2027, 1, 1)) is None
    assert work(NEW_YEAR).is_open(datetime(2027, 1, 1, 10, tzinfo=SHANGHAI))
    assert NEW_YEAR.day_off(date(2026, 1, 1)) is True
    assert NEW_YEAR.day_off(date(2026, 1, 4)) is False
    assert NEW_YEAR.day_off(date(2026, 1, 10)) is True


def test_a_shop_open_on_saturdays_stays_open_on_ordinary_ones() -> None:
    shop = Schedule(windows_of(("09:00-19:00",)), SHANGHAI, WEEKDAYS | {5}, NEW_YEAR)
    assert shop.is_open(at(10, 10))


@pytest.mark.parametrize(
    ("start", "hours", "end"),
    [
        (at(7, 10), 2, at(7, 12)),
        (at(7, 18), 2, at(8, 10)),
        (at(7, 11), 8, at(7, 19)),  # ends exactly at closing time
        (at(7, 3), 1, at(7, 10)),
        (at(9, 18), 2, at(12, 10)),  # over a weekend
        (at(5, 9), 25, at(7, 14)),
        (at(7, 3), 0, at(7, 3)),
    ],
)
def test_a_duration_passes_in_open_time_only(start: datetime, hours: int, end: datetime) -> None:
    moved = work(NEW_YEAR).add(start, hours * HOURS)
    assert moved == end
    assert moved.tzinfo is UTC


def test_a_lunch_break_does_not_count() -> None:
    schedule = work(NEW_YEAR, "13:30-18:00", "09:00-12:00")
    assert schedule.add(at(7, 11), 2 * HOURS) == at(7, 14, 30)
    assert not schedule.is_open(at(7, 12, 30))


QUIET = Schedule(windows_of(("21:30-08:30",)), SHANGHAI, frozenset(range(7)))


@pytest.mark.parametrize(
    ("moment", "is_open"),
    [(at(7, 21, 29), False), (at(7, 21, 30), True), (at(8, 3), True), (at(8, 8, 30), False)],
)
def test_quiet_hours_may_span_midnight(moment: datetime, is_open: bool) -> None:
    assert QUIET.is_open(moment) is is_open


def test_the_end_of_quiet_hours_is_known_from_within() -> None:
    assert QUIET.open_until(at(8, 3)) == at(8, 8, 30)
    assert QUIET.open_until(at(7, 23)) == at(8, 8, 30)
    assert QUIET.next_open(at(7, 12)) == at(7, 21, 30)
    assert QUIET.next_open(at(7, 23)) == at(7, 23)


def test_a_night_shift_belongs_to_the_day_it_starts() -> None:
    shift = Schedule(windows_of(("22:00-06:00",)), SHANGHAI)
    assert shift.is_open(at(10, 3))  # Saturday morning, begun on Friday
    assert not shift.is_open(at(12, 3))  # Monday morning, begun on Sunday


def test_round_the_clock_has_an_end_for_arithmetic() -> None:
    always = Schedule((Window(0, 24 * 60),), SHANGHAI, frozenset(range(7)))
    assert always.open_until(at(7, 3)) > at(7, 3) + timedelta(days=300)
    assert always.add(at(7, 3), timedelta(days=3)) == at(10, 3)


def test_a_schedule_that_never_opens_is_an_error_and_not_a_loop() -> None:
    never = Schedule((Window(0, 60),), SHANGHAI, frozenset())
    with pytest.raises(ValueError, match="never opens"):
        never.next_open(at(7, 3))


def test_a_summer_time_night_is_one_hour_short() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    night = Schedule(windows_of(("22:00-06:00",)), berlin, frozenset(range(7)))
    start = datetime(2026, 3, 28, 22, tzinfo=berlin)
    assert night.open_until(start) - start.astimezone(UTC) == 7 * HOURS


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 1)),  # noqa: DTZ001
    st.integers(0, 40 * 60),
    st.integers(0, 40 * 60),
)
def test_two_durations_after_each_other_are_their_sum(start: datetime, a: int, b: int) -> None:
    schedule, begin = work(NEW_YEAR, "09:00-12:00", "13:00-18:00"), start.replace(tzinfo=UTC)
    first, second = timedelta(minutes=a), timedelta(minutes=b)
    together = schedule.add(begin, first + second)
    if first and second:
        assert schedule.add(schedule.add(begin, first), second) == together
    assert together >= begin


@pytest.mark.parametrize(
    ("text", "length"),
    [("60s", 60), ("30m", 1800), ("2h", 7200), ("3d", 259200)],
)
def test_durations_are_read(text: str, length: int) -> None:
    assert parse_duration(text) == timedelta(seconds=length)


@pytest.mark.parametrize(
    "text", ["", "0m", "2", "h", "-2h", "1.5h", "2 h", "2w", "\uff19h", "2h\n"]
)
def test_other_durations_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a duration"):
        parse_duration(text)


def test_hours_are_read() -> None:
    assert parse_window("09:00-19:30") == Window(540, 1170)
    assert parse_window("22:00-06:00") == Window(1320, 1800)
    assert parse_window("00:00-24:00") == Window(0, 1440)


@pytest.mark.parametrize("text", ["9:00-19:00", "09:00-09:00", "24:00-06:00", "09:60-10:00", "x"])
def test_other_hours_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not hours"):
        parse_window(text)


def test_only_a_pause_may_be_none_at_all() -> None:
    assert parse_pause("0s") == timedelta()
    assert parse_pause("2m") == timedelta(minutes=2)
    for text in ("0m", "", "0"):
        with pytest.raises(ValueError, match="not a duration"):
            parse_pause(text)
