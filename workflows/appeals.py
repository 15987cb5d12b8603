"""A refusal is looked at once more, by somebody else."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from workflows.endings import Moved
from workflows.lockout import CHANGE
from workflows.model import (
    Answer,
    Group,
    Outcome,
    Person,
    Request,
    Stage,
    State,
    Verdict,
    same_user,
)
from workflows.steps import Appeal, Refused

_PERSON = "user:"


def note(request: Request, step: Appeal) -> Moved:
    """Return a refused request that knows its appeal; it stays refused.

    Raises Refused: `not_yours`, `appeal_not_refused` (state; only a refusal by a person can be
    appealed against), `appeal_of_appeal`, `appealed_already`, `appeal_not_for_this`.
    """
    if not same_user(step.by, request.requester.userid):
        raise Refused("not_yours", id=request.id)
    if request.appeal_of:
        raise Refused("appeal_of_appeal", id=request.id)
    if request.appealed_as:
        raise Refused("appealed_already", id=request.id, appeal=request.appealed_as)
    if request.action == CHANGE:
        raise Refused("appeal_not_for_this", id=request.id)
    by_person = request.decided_by.startswith(_PERSON)
    if request.state is not State.DENIED or not by_person:
        raise Refused("appeal_not_refused", id=request.id, state=request.state.value)
    return replace(request, appealed_as=step.as_id), ()


def refusers(request: Request) -> tuple[Person, ...]:
    """Return who said no, and in whose place; none of them decides on the appeal."""
    refusing = [vote for vote in request.votes if vote.answer is Answer.DENY]
    people = [p for vote in refusing for p in (vote.by, vote.on_behalf) if p is not None]
    return tuple({person.userid.lower(): person for person in people}.values())


def drafted(refused: Request, appeal_id: str, verdict: Verdict, now: datetime) -> Request:
    """Return the request in which a refusal is appealed against, yet to be opened.

    One stage: whoever stands above those who refused. `verdict` is what the rules say now; a
    person decides also where they would by now allow it.
    """
    above = tuple(f"manager_of:{person.userid}" for person in refusers(refused))
    return Request(
        id=appeal_id,
        action=refused.action,
        origin=refused.origin,
        requester=refused.requester,
        subject=refused.subject,
        claim=refused.claim,
        facts=refused.facts,
        verdict=replace(verdict, outcome=Outcome.APPROVAL, auto_review=None),
        created_at=now,
        chain=(Stage((Group(above),)),),
        plan=refused.plan,
        barred=refusers(refused),
        appeal_of=refused.id,
    )
