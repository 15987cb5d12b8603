"""What happens while nobody answers: a reminder, then one rung of the ladder after the other."""

from __future__ import annotations

from dataclasses import replace

from workflows import endings, timing, voting
from workflows.approvers import ids_of, people_in
from workflows.effects import AskApprovers, RemindApprovers, TellRequester
from workflows.endings import Moved
from workflows.model import Request, State
from workflows.steps import Escalate, Refused, Remind
from workflows.timing import Timing
from workflows.voting import Here


def call(request: Request, step: Remind | Escalate, here: Here) -> Moved:
    """Return the request after a timer of its stage; the very same if it is not wanted any more.

    Raises Refused: `already_decided`, and `not_due` if it is too early.
    """
    endings.expect(request, State.PENDING)
    if isinstance(step, Remind):
        due = timing.remind_at(request, step.timing)
    else:
        due = timing.escalate_at(request, step.timing)
    if due is None or (request.due_at is not None and here.now >= request.due_at):
        return request, ()
    if here.now < due:
        raise Refused("not_due", id=request.id)
    return _remind(request, here) if isinstance(step, Remind) else _escalate(request, step, here)


def _remind(request: Request, here: Here) -> Moved:
    waiting = voting.waiting_for(request)
    return replace(request, reminded_at=here.now), (RemindApprovers(waiting),)


def _escalate(request: Request, step: Escalate, here: Here) -> Moved:
    """Ask the next rung that names somebody new; the time to decide stays as it is."""
    climbed = request
    while climbed.rung < len(step.timing.ladder):
        climbed = _climb(climbed, step.timing, here)
        seated, effects = voting.seat(climbed, here, "escalated")
        new = tuple(p for e in effects if isinstance(e, AskApprovers) for p in e.approvers)
        if new:
            names = tuple(person.name for person in new)
            told = TellRequester("request.escalated", endings.params(seated) | {"who": names})
            return seated, (*effects, told)
    return climbed, ()


def _climb(request: Request, ladder: Timing, here: Here) -> Request:
    """Return the request with one more rung, whose people are read as of now."""
    source = ladder.ladder[request.rung]
    sources: tuple[str, ...] = (source,)
    if source == "manager_of_approver":  # of those who keep it waiting, not of an earlier stage
        panel = people_in(voting.panel_of(request, here))
        sources = tuple(f"manager_of:{person.userid}" for person in panel)
    called = dict.fromkeys((*request.called, *sources))
    return replace(request, rung=request.rung + 1, called=tuple(called), called_at=here.now)


def is_called(request: Request, userid: str, here: Here) -> bool:
    """Whether somebody may decide only because a rung was called in."""
    own = voting.panel_of(replace(request, called=()), here)
    return bool(request.called) and userid.lower() not in ids_of(people_in(own))
