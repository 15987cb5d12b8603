"""When the people of a stage are reminded, when the next rung of the ladder is called in.

Both are counted from the beginning of the stage in the hours of the chains' clock. They stand still
while the requester is asked something; the time to decide goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from workflows.model import Request
from workflows.policy import Policy
from workflows.schedules import NO_HOLIDAYS, Schedule, Window, parse_duration, windows_of

_ALWAYS = Schedule((Window(0, 24 * 60),), ZoneInfo("UTC"), frozenset(range(7)), NO_HOLIDAYS)


@dataclass(frozen=True, slots=True)
class Timing:
    """How the chains of one version of the rules are timed; None: never."""

    clock: Schedule = _ALWAYS
    remind_after: timedelta | None = None
    escalate_after: timedelta | None = None
    ladder: tuple[str, ...] = ()  # sources; each rung is asked besides those before it


def of(policy: Policy) -> Timing:
    """Return how a policy times its chains."""
    chosen = policy.rulebook.chain_defaults
    return Timing(
        policy.schedules[chosen.clock] if chosen.clock else _ALWAYS,
        parse_duration(chosen.remind_after) if chosen.remind_after else None,
        parse_duration(chosen.escalate_after) if chosen.escalate_after else None,
        chosen.escalate_to,
    )


def remind_at(request: Request, timing: Timing) -> datetime | None:
    """Return when those who have not answered are to be reminded; None for not (any more).

    Once a stage. Where too little is left before the request expires, half-way through what is
    left: nothing expires without a reminder.
    """
    if timing.remind_after is None or request.reminded_at is not None:
        return None
    clock, start = timing.clock, _began(request)
    due = _due(request, clock, start, timing.remind_after)
    if due is None or request.due_at is None or due < request.due_at:
        return due
    start = max([start, *(answered for _, answered in _pauses(request) if answered)])
    due = _within(clock, clock.add(start, clock.between(start, request.due_at) / 2))
    return due if due < request.due_at else None


def escalate_at(request: Request, timing: Timing) -> datetime | None:
    """Return when the next rung is to be called in; None for not at all or not before the end."""
    if timing.escalate_after is None or request.rung >= len(timing.ladder):
        return None
    start = request.called_at or _began(request)
    due = _due(request, timing.clock, start, timing.escalate_after)
    is_late = due is not None and request.due_at is not None and due >= request.due_at
    return None if is_late else due


def is_sent_back(request: Request) -> bool:
    """Whether the requester has yet to answer a question of this stage."""
    return any(q.answered_at is None for q in request.questions if q.stage == request.stage)


def _began(request: Request) -> datetime:
    return request.stage_at or request.created_at


def _due(request: Request, clock: Schedule, start: datetime, left: timedelta) -> datetime | None:
    """Return when so much time of the clock has passed, pauses left out; None while it pauses."""
    for asked, answered in _pauses(request):
        if answered is not None and answered <= start:
            continue
        end = clock.add(start, left)
        if end <= asked:
            return _within(clock, end)
        if answered is None:
            return None
        left -= clock.between(start, asked)
        start = answered
    return _within(clock, clock.add(start, left))


def _within(clock: Schedule, due: datetime) -> datetime:
    """Nobody is called at the very moment in which everybody goes home, but the next morning."""
    return due if clock.is_open(due) else clock.next_open(due)


def _pauses(request: Request) -> Iterator[tuple[datetime, datetime | None]]:
    """Yield from when to when the requester was asked something at this stage, in order."""
    asked: dict[datetime | None, datetime] = {}
    for each in request.questions:
        if each.stage == request.stage and each.text:
            asked.setdefault(each.answered_at, each.at)
    for answered, at in sorted(asked.items(), key=lambda pause: pause[1]):
        yield at, answered


def held_until(policy: Policy, what: str, now: datetime) -> datetime | None:
    """Return when quiet hours end that hold back a 'reminder' or 'digest' now; None to send it."""
    quiet = policy.rulebook.quiet_hours
    if quiet is None or what not in quiet.hold:
        return None
    hours = Schedule(windows_of(quiet.hours), policy.zone, frozenset(range(7)))
    return hours.open_until(now) if hours.is_open(now) else None
