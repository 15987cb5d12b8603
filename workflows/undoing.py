"""An approval is taken back, for a moment, by the one person who gave it.

Nobody can regret what a machine decided or what was approved in advance: there is no moment at
which a person pressed the wrong button. Taking back is no refusal: what was asked for may be asked
for again, and what has happened already is put to a decision anew.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from workflows import endings
from workflows.approvers import people_in
from workflows.effects import CloseCards, Effect, JudgeAgain, Refuse, Tell, TellRequester
from workflows.endings import Moved
from workflows.model import Answer, Origin, Request, State, same_user
from workflows.steps import Refused, TakeBack

_PERSON = "user:"
_ALLOWED = (State.APPROVED, State.EXECUTED, State.EXECUTION_FAILED)


def until(request: Request, window: timedelta) -> datetime | None:
    """Return until when its approval can be taken back; None if nobody can do so at all."""
    by_vote = request.decided_by.startswith(_PERSON)
    if not by_vote or request.state not in _ALLOWED or request.decided_at is None or not window:
        return None
    return request.decided_at + window


def may(request: Request, userid: str, window: timedelta, now: datetime) -> bool:
    """Whether this person can take the approval back at this moment."""
    decided = same_user(request.decided_by, f"{_PERSON}{userid}")
    end = until(request, window)
    return decided and end is not None and now <= end


def check(request: Request, userid: str, window: timedelta, now: datetime) -> None:
    """Raise Refused unless somebody may take back, at this moment, the approval they gave.

    `not_your_decision` (who decided), `not_decided`, `already_decided`, `undo_over` (when it was).
    """
    endings.expect(request, *_ALLOWED)
    if not same_user(request.decided_by, f"{_PERSON}{userid}"):
        raise Refused("not_your_decision", id=request.id, who=endings.who_decided(request))
    if not may(request, userid, window, now):
        decided = request.decided_at or request.created_at
        raise Refused("undo_over", id=request.id, when=decided + window)


def take_back(request: Request, step: TakeBack, now: datetime) -> Moved:
    """Return the request without its approval, and what must follow. Raises Refused as `check`.

    What was asked for is not allowed any more. What has happened lacks a decision, so it is put to
    the rules again; where a refusal had been appealed against, the refusal stands again.
    """
    check(request, step.by, step.window, now)
    stands = request.origin is Origin.OBSERVED and not request.appeal_of
    after: Effect = JudgeAgain() if stands else Refuse()
    text = "request.undone_to_judge" if stands else "request.undone"
    if request.origin is Origin.OBSERVED and request.appeal_of:
        text = "request.undone_refused_again"
    ended = endings.end(request, State.REVOKED, request.decided_by, now)
    params = endings.params(ended)
    agreed = tuple(vote.by for vote in request.votes if vote.answer is Answer.APPROVE)
    others = tuple(p for p in people_in((agreed,)) if not same_user(p.userid, step.by))
    told = (Tell(others, "request.revoked", params),) if others else ()
    return ended, (CloseCards(), TellRequester(text, params), *told, after)
