"""Ends a request, and says to everybody who comes later how it ended."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from workflows.effects import CloseCards, Effect, Refuse, TellRequester
from workflows.model import Reason, Request, State, Verdict, Vote, same_user
from workflows.steps import Refused

Moved = tuple[Request, tuple[Effect, ...]]


def who_decided(request: Request) -> str:
    """Return the decider's name, or the actor ('system:timer') where no person decided."""
    kind, _, userid = request.decided_by.partition(":")
    if kind == "waiver":
        given = (said_by(v) for v in request.votes if v.waiver == userid)
        return next(given, request.decided_by)
    if kind != "user":
        return request.decided_by
    for vote in reversed(request.votes):
        if vote.on_behalf and same_user(vote.by.userid, userid):
            return said_by(vote)
    known = (request.requester, *(vote.by for vote in request.votes), *request.approvers)
    return next((p.name for p in known if same_user(p.userid, userid)), userid)


def said_by(vote: Vote) -> str:
    """Return the voter's name, 'waiver:ID:NAME' for a yes that was given in advance, or
    'delegate:ABSENT:NAME' for an answer in somebody else's place.
    """
    if vote.waiver:
        return f"waiver:{vote.waiver}:{vote.by.name}"
    return f"delegate:{vote.on_behalf.name}:{vote.by.name}" if vote.on_behalf else vote.by.name


def close(request: Request, state: State, by: str, now: datetime, comment: str = "") -> Moved:
    """End a request with a refusal that must be undone and told."""
    ended = end(request, state, by, now, comment)
    told = TellRequester(f"request.{state.value}", params(ended))
    return ended, (CloseCards(), told, Refuse())


def end(request: Request, state: State, by: str, now: datetime, comment: str = "") -> Request:
    """Return the request in its new state, with the actor and the words that brought it there."""
    return replace(request, state=state, decided_by=by, decided_at=now, comment=comment)


def expect(request: Request, *states: State) -> None:
    """Raise `Refused`, saying who decided and when, unless the request is in one of `states`."""
    if request.state in states:
        return
    if request.state is State.PENDING:
        raise Refused("not_decided", id=request.id)
    raise Refused(
        "already_decided",
        id=request.id,
        who=who_decided(request),
        when=request.decided_at or request.created_at,
        state=request.state.value,
    )


def params(request: Request, who: str = "") -> dict[str, str | int | datetime | tuple[str, ...]]:
    """Return what every text about a request may mention; `who` is the decider unless given."""
    return {
        "id": request.id,
        "subject": request.subject.name,
        "who": who or who_decided(request),
        "comment": request.comment,
    }


def machine(verdict: Verdict) -> str:
    """Return the actor of a decision that no person took."""
    if verdict.reason is Reason.FROZEN:
        return verdict.overruled
    return (
        f"auto_review:{verdict.auto_review}" if verdict.auto_review else f"policy:{verdict.policy}"
    )


def is_machine(actor: str) -> bool:
    """Whether an actor is part of Menwei and not a member."""
    return actor.startswith("system:")  # a userid has no colon (document 90195)
