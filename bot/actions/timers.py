"""Timers of a request that waits for people: reminding them, calling in the next rung."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.actions import digesting
from bot.actions.scene import Scene
from bot.wecom import cut_characters
from workflows import timing
from workflows.model import Person, Request, State
from workflows.timing import Timing

REMIND = "remind_approvers"
ESCALATE = "escalate"
KINDS = frozenset({REMIND, ESCALATE})
_LONGEST_NAME = 20


def arm(scene: Scene, request: Request) -> None:
    """Have the clock call when the people of the present stage have let a request wait."""
    if request.state is not State.PENDING:
        return
    how = timing.of(scene.policy)
    for kind in sorted(KINDS):
        if due := _due(kind, request, how):
            scene.remind(kind, f"{request.id}|{request.stage}", due)


def differs(old: Request, new: Request) -> bool:
    """Whether the timers that were set for a request are not those it needs now."""
    return any(
        getattr(old, each) != getattr(new, each) for each in ("stage_at", "called_at", "questions")
    )


def wanted(scene: Scene, kind: str, name: str) -> tuple[Request, Timing] | None:
    """Return the request of a timer, if its stage still waits for what the timer is for."""
    request_id, _, stage = name.partition("|")
    request = scene.tx.requests.get(request_id)
    if request is None or request.state is not State.PENDING or str(request.stage) != stage:
        return None
    how = timing.of(scene.policy)
    return (request, how) if _due(kind, request, how) else None


def wait(scene: Scene, kind: str, request: Request, how: Timing) -> timedelta | None:
    """Return how long a timer still has to wait; None if its moment has come.

    Nobody is called outside the hours of the chains' clock, even if Menwei was down when it was
    time; and nobody is reminded in quiet hours that hold reminders.
    """
    now, due = scene.now, _due(kind, request, how)
    later: datetime | None = None
    if due is not None and due > now:
        later = due
    elif not how.clock.is_open(now):
        later = how.clock.next_open(now)
    elif kind == REMIND:
        later = timing.held_until(scene.policy, "reminder", now)
    return later - now if later else None


def _due(kind: str, request: Request, how: Timing) -> datetime | None:
    find = timing.remind_at if kind == REMIND else timing.escalate_at
    return find(request, how)


def remind(scene: Scene, request: Request, people: Iterable[Person]) -> None:
    """Say to each of these people that they are waited for; a busy one gets the list instead."""
    since = request.stage_at or request.created_at
    for person in people:
        if digesting.is_busy(scene, person.userid):
            digesting.file(scene, person.userid)
            continue
        scene.tell(
            [person.userid],
            "vote.reminder",
            id=request.id,
            requester=request.requester.name,
            customer=cut_characters(request.subject.name, _LONGEST_NAME),
            since=since,
            due=request.due_at,
        )
