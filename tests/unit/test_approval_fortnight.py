"""Two and a half weeks over the national holiday of 2026, played with the engine and its timers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot import holidays
from tests.makers_approval import a_request, a_stage, some_sources
from workflows import approval, timing
from workflows.effects import AskApprovers, RemindApprovers
from workflows.model import Request, Stage, State
from workflows.schedules import Schedule, windows_of
from workflows.steps import (
    Approve,
    Deny,
    Escalate,
    Expire,
    Refused,
    Remind,
    SendBack,
    Step,
    Supplement,
)
from workflows.timing import Timing

ZONE = ZoneInfo("Asia/Shanghai")
CLOCK = Schedule(windows_of(("09:00-12:00", "13:30-19:00")), ZONE, holidays=holidays.CHINA)
HOUR = timedelta(hours=1)
TIMING = Timing(CLOCK, HOUR / 2, 2 * HOUR, ("manager_of_approver", "role:admin"))
FIRST = datetime(2026, 9, 25, 9, 0, tzinfo=ZONE)
LAST = datetime(2026, 10, 12, 19, 0, tzinfo=ZONE)
CHAINS: tuple[tuple[Stage, ...], ...] = (
    (a_stage("manager_of_sender"),),
    (a_stage("manager_of_sender"), a_stage("role:director")),
)
SOURCES = some_sources()
FALLBACK = ("role:admin",)


@dataclass(slots=True)
class Life:
    """One request, its timers going off at their moments, people answering now and then."""

    request: Request
    dice: random.Random
    fired: list[tuple[str, datetime]] = field(default_factory=list)
    reminded: set[int] = field(default_factory=set)  # stages
    asked_at: list[datetime] = field(default_factory=list)

    def take(self, step: Step, at: datetime) -> None:
        self.request, effects = approval.advance(self.request, step, SOURCES, FALLBACK, at)
        if any(isinstance(each, RemindApprovers) for each in effects):
            self.reminded.add(self.request.stage)
        if any(isinstance(each, AskApprovers) and each.why == "escalated" for each in effects):
            self.fired.append(("asked", at))

    def timers(self) -> Iterator[tuple[datetime, Step]]:
        if (due := timing.remind_at(self.request, TIMING)) is not None:
            yield due, Remind(TIMING)
        if (due := timing.escalate_at(self.request, TIMING)) is not None:
            yield due, Escalate(TIMING)
        if self.request.due_at is not None:
            yield self.request.due_at, Expire()

    def run(self, until: datetime) -> None:
        while self.request.state is State.PENDING:
            at, step = min(self.timers(), key=lambda timer: timer[0])
            someone = self.somebody_acts_before(at)
            if someone is not None:
                continue
            assert at <= until + timedelta(days=30), "it hangs"
            self.take(step, at)
            self.fired.append((type(step).__name__, at))

    def somebody_acts_before(self, at: datetime) -> Step | None:
        """Sometimes somebody answers, asks back or supplements before the next timer."""
        if self.dice.random() > 0.15:
            return None
        since = max([self.request.stage_at or FIRST, *(when for _, when in self.fired)])
        moment = since + (at - since) / 2
        by = self.dice.choice(self.request.approvers).userid
        steps: list[Step] = [
            Approve(by, "card"),
            Deny(by, "card", "no"),
            SendBack(by, "?"),
            Supplement("lin", "!"),
        ]
        step = self.dice.choice(steps)
        try:
            self.take(step, moment)
        except Refused:
            return None
        return step


def lives(count: int, seed: int) -> list[Life]:
    dice = random.Random(seed)
    found: list[Life] = []
    while len(found) < count:
        made = FIRST + (LAST - FIRST) * dice.random()
        draft = replace(a_request(*dice.choice(CHAINS)), created_at=made)
        draft = replace(draft, due_at=CLOCK.add(made, 8 * HOUR))
        request, _ = approval.open_request(draft, SOURCES, FALLBACK, made)
        life = Life(request, dice)
        life.run(LAST)
        found.append(life)
    return found


@pytest.mark.parametrize("seed", range(5))
def test_over_the_national_holiday_nothing_hangs_or_expires_unreminded(seed: int) -> None:
    played = lives(200, seed)

    assert all(life.request.state is not State.PENDING for life in played)
    expired = [life for life in played if life.request.state is State.EXPIRED]
    assert len(expired) > 50
    for life in expired:
        asked_something = any(q.answered_at is None for q in life.request.questions)
        assert life.request.stage in life.reminded or asked_something


@pytest.mark.parametrize("seed", range(5))
def test_no_timer_goes_off_outside_working_hours(seed: int) -> None:
    for life in lives(200, seed):
        for what, at in life.fired:
            # A request may expire with the last moment of a day's work.
            moment = at - timedelta(microseconds=1) if what == "Expire" else at
            assert CLOCK.is_open(moment), (what, at.astimezone(ZONE))
            day = moment.astimezone(ZONE).date()
            assert not (day.month == 10 and day.day <= 7), "the national holiday"


def test_make_up_days_are_working_days_for_the_timers() -> None:
    """A Saturday or Sunday on which the state has everybody work is used."""
    made_up = [day for day in holidays.CHINA.work if day.year == 2026 and day.month in {9, 10}]
    assert made_up, "the calendar of 2026 has make-up days around the holiday"
    for day in made_up:
        begin = datetime(day.year, day.month, day.day, 9, 0, tzinfo=ZONE)
        request = replace(a_request(), created_at=begin, due_at=CLOCK.add(begin, 8 * HOUR))
        request, _ = approval.open_request(request, SOURCES, FALLBACK, begin)
        assert timing.remind_at(request, TIMING) == begin + HOUR / 2
