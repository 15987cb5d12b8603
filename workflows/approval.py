"""Moves a request from being made to being decided: the pure state machine of approvals.

Nothing here approves by itself. A request leaves PENDING for APPROVED only by an ALLOW of the
policy or by a vote of somebody who may decide at that moment; whatever is missing, late or unknown
leaves it pending or refuses it. The one exception is an admin's emergency allow (`Override`).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import assert_never

from workflows import appeals, asking_back, endings, escalating, handing, undoing, voting
from workflows.approvers import Sources, concerned, ids_of, people_in
from workflows.effects import CloseCards, Effect, JudgeAgain, Perform, Refuse, Tell, TellRequester
from workflows.endings import Moved, who_decided
from workflows.model import Answer, Origin, Outcome, Request, State, Verdict, same_user
from workflows.steps import (
    AddApprover,
    Appeal,
    Approve,
    Deny,
    Escalate,
    Executed,
    ExecutionFailed,
    Expire,
    HandOver,
    Override,
    Reassign,
    Recheck,
    Refused,
    Remind,
    Revoke,
    SendBack,
    Step,
    Supersede,
    Supplement,
    TakeBack,
    Withdraw,
)
from workflows.voting import Here, waiting_for

__all__ = [
    "Approve",
    "Deny",
    "Executed",
    "ExecutionFailed",
    "Expire",
    "Reassign",
    "Recheck",
    "Refused",
    "Revoke",
    "Step",
    "Supersede",
    "Withdraw",
    "advance",
    "open_request",
    "waiting_for",
    "who_decided",
]

DENY_NEEDS_COMMENT = frozenset({Answer.DENY})


def open_request(
    request: Request, approvers: Sources, fallback: tuple[str, ...], now: datetime
) -> Moved:
    """Return a new request as its verdict leaves it: decided at once, or waiting at stage 0.

    A stage that its own people cannot pass is put to the `fallback` sources as well; if that does
    not suffice the request stays pending and the admins are alarmed.
    """
    endings.expect(request, State.PENDING)
    match request.verdict.outcome:
        case Outcome.ALLOW:
            decided = endings.end(request, State.APPROVED, endings.machine(request.verdict), now)
            return _next_version(request, (decided, (Perform(),)))
        case Outcome.DENY:
            decided = endings.end(request, State.DENIED, endings.machine(request.verdict), now)
            return _next_version(request, (decided, (Refuse(),)))
        case Outcome.APPROVAL:
            return _next_version(request, voting.enter(request, 0, Here(approvers, fallback, now)))
        case never:
            assert_never(never)


def advance(
    request: Request,
    step: Step,
    sources: Sources,
    fallback: tuple[str, ...],
    now: datetime,
    *,
    comment_needed: frozenset[Answer] = DENY_NEEDS_COMMENT,
) -> Moved:
    """Return the request after `step` and what must follow; the very same request if nothing did.

    Raises `Refused` when the step may not be taken: `already_decided` (who, when, state),
    `not_decided`, `expired` (when), `not_due`, `own_request`, `acts_for_requester`,
    `decided_before`, `voted_already` (when), `not_an_approver` and `you_are_away` (who is asked),
    `not_yours`, `comment_needed`, and what `handing`, `asking_back`, `appeals` and `undoing` name.
    """
    here = Here(sources, fallback, now)
    match step:
        case Approve() | Deny():
            moved = voting.take_vote(request, step, here, comment_needed)
        case Override():
            moved = _override(request, step, now)
        case Withdraw():
            moved = _withdraw(request, step, now)
        case Remind() | Escalate():
            moved = escalating.call(request, step, here)
        case HandOver() | AddApprover():
            moved = handing.give(request, step, here)
        case SendBack() | Supplement():
            moved = asking_back.ask(request, step, here)
        case Appeal():
            moved = appeals.note(request, step)
        case Expire():
            moved = _expire(request, now)
        case Recheck():
            moved = _recheck(request, step, now)
        case Supersede():
            endings.expect(request, State.PENDING)
            moved = endings.end(request, State.SUPERSEDED, "system:supersede", now), (CloseCards(),)
        case Reassign():
            endings.expect(request, State.PENDING)
            moved = voting.seat(request, here)
        case Revoke():
            moved = _revoke(request, step, here)
        case TakeBack():
            moved = undoing.take_back(request, step, now)
        case Executed() | ExecutionFailed():
            moved = _executed(request, step, here)
        case _:
            assert_never(step)
    return _next_version(request, moved)


def _override(request: Request, step: Override, now: datetime) -> Moved:
    """Allow it without its approvers; never by whom it concerns, and never without a reason."""
    endings.expect(request, State.PENDING)
    if step.by.lower() in concerned(request):
        raise Refused("own_request", id=request.id)
    if not step.comment.strip():
        raise Refused("comment_needed", id=request.id)
    by = f"breakglass:{step.by}"
    decided = endings.end(request, State.APPROVED, by, now, step.comment)
    told = TellRequester("request.approved_in_emergency", endings.params(decided))
    return decided, (CloseCards(), told, Perform())


def _withdraw(request: Request, step: Withdraw, now: datetime) -> Moved:
    endings.expect(request, State.PENDING)
    if not endings.is_machine(step.by) and not same_user(step.by, request.requester.userid):
        raise Refused("not_yours", id=request.id)
    by = step.by if endings.is_machine(step.by) else f"user:{request.requester.userid}"
    ended = endings.end(request, State.WITHDRAWN, by, now, step.comment)
    # Taking back the question does not make an add that has happened allowed.
    undo: tuple[Effect, ...] = (Refuse(),) if request.origin is Origin.OBSERVED else ()
    return ended, (CloseCards(), *undo)


def _expire(request: Request, now: datetime) -> Moved:
    endings.expect(request, State.PENDING)
    if request.due_at is None or now < request.due_at:
        raise Refused("not_due", id=request.id)
    return endings.close(request, State.EXPIRED, "system:timer", now)


def _recheck(request: Request, step: Recheck, now: datetime) -> Moved:
    endings.expect(request, State.PENDING)
    if not is_stricter(step.verdict, request.verdict, step.strictness):
        return request, ()
    stale = endings.end(request, State.STALE, endings.machine(step.verdict), now)
    told = TellRequester("request.stale", endings.params(stale))
    again: tuple[Effect, ...] = (JudgeAgain(),) if request.origin is Origin.OBSERVED else ()
    return stale, (CloseCards(), told, *again)


def is_stricter(new: Verdict, old: Verdict, order: tuple[str, ...]) -> bool:
    """Whether `new` asks for more than `old`; `order` lists the chains, the strictest last.

    Between two chains of which one is not listed the new one counts as stricter.
    """
    if new.outcome != old.outcome:
        return new.outcome > old.outcome
    if new.chain == old.chain:
        return False
    ranks = {chain: rank for rank, chain in enumerate(order)}
    if new.chain not in ranks or old.chain not in ranks:
        return True
    return ranks[new.chain] > ranks[old.chain]


def _revoke(request: Request, step: Revoke, here: Here) -> Moved:
    endings.expect(request, State.APPROVED, State.EXECUTION_FAILED)
    approved = tuple(v.by for v in request.votes if v.answer is Answer.APPROVE)
    by = step.by
    if not endings.is_machine(by):
        may = ids_of(people_in((approved, voting.fallback_people(request, here))))
        active = here.sources.directory.active((by,))
        if by.lower() not in may or not active:
            raise Refused("not_an_approver", id=request.id, who=who_decided(request))
        by = f"user:{active[0]}"
    closed, effects = endings.close(request, State.REVOKED, by, here.now, step.comment)
    others = tuple(p for p in people_in((approved,)) if not same_user(p.userid, step.by))
    key = "request.revoked" if step.comment else "request.revoked_unexplained"
    told = (Tell(others, key, endings.params(closed)),) if others else ()
    return closed, (*effects, *told)


def _executed(request: Request, step: Executed | ExecutionFailed, here: Here) -> Moved:
    endings.expect(request, State.APPROVED, State.EXECUTION_FAILED)
    if isinstance(step, Executed):
        return replace(request, state=State.EXECUTED), ()
    failed = replace(request, state=State.EXECUTION_FAILED)
    params = endings.params(failed) | {"why": step.why}
    if request.state is State.EXECUTION_FAILED:
        if request.plan is not None:
            return request, ()  # of the many calls it takes another one has failed
        return failed, (TellRequester("request.failed_again", params),)
    humans = voting.fallback_people(request, here)
    told = (Tell(humans, "request.execution_failed", params),) if humans else ()
    return failed, (TellRequester("request.execution_failed", params), *told)


def _next_version(old: Request, moved: Moved) -> Moved:
    new, effects = moved
    return moved if new is old else (replace(new, version=old.version + 1), effects)
