"""A request on its way: opened, voted on, ended, and what follows from each step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any, assert_never

from bot.actions import (
    alarms,
    bulk_orders,
    cards,
    former,
    freezes,
    grants,
    knowing,
    performing,
    resubmitting,
    timers,
    waiving,
)
from bot.actions.scene import Scene
from workflows import approval, bulk, policy
from workflows.approvers import Sources, ids_of, stage_of
from workflows.effects import (
    AskApprovers,
    CloseCards,
    CloseCardsOf,
    Effect,
    JudgeAgain,
    NobodyCanDecide,
    Perform,
    Refuse,
    RemindApprovers,
    Tell,
    TellRequester,
)
from workflows.model import (
    Answer,
    Origin,
    Outcome,
    Person,
    Request,
    Stage,
    State,
    Verdict,
    same_user,
)
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

EXPIRY = "expire"

# What a step is called in the audit; these names never change.
_SAID: Mapping[type, str] = {
    Approve: "vote_approve",
    Deny: "vote_deny",
    Override: "overridden",
    Withdraw: "withdrawn",
    Remind: "reminded",
    Escalate: "escalated",
    HandOver: "handed_over",
    AddApprover: "approver_added",
    SendBack: "sent_back",
    Supplement: "supplemented",
    Appeal: "appealed",
    Expire: "expired",
    Recheck: "rechecked",
    Supersede: "superseded",
    Reassign: "reassigned",
    Revoke: "revoked",
    TakeBack: "undone",
    Executed: "executed",
    ExecutionFailed: "execution_failed",
}


def open_request(scene: Scene, draft: Request, allowed: Override | None = None) -> Request:
    """Put a judged request on file and do what its verdict asks for, unless an admin has allowed
    it in an emergency.

    Its chain and its end follow from the verdict, unless the draft brings a chain of its own.
    """
    if draft.verdict.outcome is Outcome.APPROVAL:
        own = draft.chain or chain(scene, draft.verdict)
        draft = replace(draft, chain=own, due_at=policy.due_at(scene.policy, scene.now))
    sources, fallback = _sources(scene, draft), _fallback(scene)
    request, effects = (
        approval.advance(draft, allowed, sources, fallback, scene.now)
        if allowed
        else approval.open_request(draft, sources, fallback, scene.now)
    )
    scene.tx.requests.add_soon(request)
    verdict = request.verdict
    scene.record(
        "request.opened",
        request,
        action=request.action,
        origin=request.origin.value,
        outcome=verdict.outcome.word,
        reason=verdict.reason.value,
        rules=list(verdict.rules),
        missing=list(verdict.missing),
        chain=verdict.chain,
        other_chains=list(verdict.other_chains),
        shadow=verdict.shadow.word if verdict.shadow is not None else None,
        policy=verdict.policy,
        state=request.state.value,
        overruled=verdict.overruled,
    )
    if allowed:
        _record(scene, request, allowed)
    if request.state is State.PENDING and request.due_at:
        scene.remind(EXPIRY, request.id, request.due_at)
    timers.arm(scene, request)
    return follow(scene, request, effects)


def find(scene: Scene, request_id: str) -> Request:
    """Return the request of an id a person typed or pressed. Raises Refused."""
    request = scene.tx.requests.get(request_id)
    if request is None:
        raise Refused("unknown_request", id=request_id)
    return request


def advance(scene: Scene, request: Request, step: Step) -> Request:
    """Take a step of a request, and return how it stands once all that follows is done.

    Raises Refused, with nothing written, when the step may not be taken; it never will be then.
    """
    by = getattr(step, "by", "")
    if same_user(by, request.requester.userid) and not former.is_own(scene, by, request):
        raise Refused("not_yours", id=request.id)
    if isinstance(step, Approve) and request.state is State.PENDING:
        freezes.expect_thawed(scene, request)
        grants.expect_lender(scene, step.by, request)
    new, effects = approval.advance(
        request,
        step,
        _sources(scene, request),
        _fallback(scene),
        scene.now,
        comment_needed=_comment_needed(scene, request),
    )
    if new is request:
        return request
    if external := request.subject.external_userid:
        knowing.hold(scene, external)  # before the request, as events do: else both may get stuck
    scene.tx.requests.move(request, new)
    _record(scene, new, step)
    if isinstance(step, Approve) and step.waiver is not None:
        waiving.count(scene, step.waiver, new)
    if timers.differs(request, new):
        timers.arm(scene, new)
    bulk_orders.part_moved(scene, new)
    return follow(scene, new, bulk.without_echo(new, effects))


def _record(scene: Scene, new: Request, step: Step) -> None:
    scene.record(
        f"request.{_SAID[type(step)]}",
        new,
        actor=_actor(scene, step),
        state=new.state.value,
        stage=new.stage,
        version=new.version,
        via=new.votes[-1].via if isinstance(step, Approve | Deny) else "",
        **_details(new, step),
    )


def _details(new: Request, step: Step) -> dict[str, Any]:
    """Return what the record says of a step besides: whom it names, what was said."""
    match step:
        case Approve() | Deny():
            absent = new.votes[-1].on_behalf
            out = new.votes[-1].left_out
            behalf = absent.userid if absent else ""
            return {"comment": step.comment, "on_behalf": behalf, "left_out": list(out)}
        case HandOver():
            return {"to": step.to}
        case AddApprover():
            return {"added": step.who}
        case SendBack():
            return {"comment": step.question}
        case Supplement():
            return {"comment": step.text}
        case Escalate():
            return {"rung": new.rung, "asked": [person.userid for person in new.approvers]}
        case Appeal():
            return {"appeal": step.as_id}
        case _:
            return {"comment": getattr(step, "comment", "")}


def _actor(scene: Scene, step: Step) -> str | None:
    """Return who takes a step, a machine as a machine; None for whoever acts in the scene."""
    if isinstance(step, Approve) and step.waiver is not None:
        return f"waiver:{step.waiver.id}"
    by: str = getattr(step, "by", "")
    if by.startswith("system:"):
        return by
    return f"user:{scene.person(by).userid}" if by else None


def follow(scene: Scene, request: Request, effects: Iterable[Effect]) -> Request:
    """Carry out what the approval engine ordered; return the request after all of it."""
    for effect in effects:
        match effect:
            case AskApprovers():
                request = _ask(scene, request, effect)
            case RemindApprovers():
                timers.remind(scene, request, effect.people)
            case CloseCards():
                cards.close(scene, request)
            case CloseCardsOf():
                cards.close(scene, request, effect.people)
            case TellRequester():
                _tell_requester(scene, request, effect)
            case Tell():
                scene.tell_as_core(_ids(effect.to), effect.text, effect.params)
            case Perform():
                if done := performing.perform(scene, request):
                    request = advance(scene, request, done)
            case Refuse():
                performing.refuse(scene, request)
                if request.state is State.DENIED:
                    alarms.refused(scene, request)
            case JudgeAgain():
                performing.judge_again(scene, request)
            case NobodyCanDecide():
                scene.tell(scene.standing.admins, "alarm.nobody_can_decide", id=request.id)
            case _:
                assert_never(effect)
    return request


def _ask(scene: Scene, request: Request, order: AskApprovers) -> Request:
    """Count what these people have approved in advance; who is still waited for gets a card."""
    stage, people = request.stage, order.approvers
    for waiver in waiving.fitting(scene, request, people):
        if request.state is not State.PENDING or request.stage != stage:
            break
        needed = Answer.APPROVE in _comment_needed(scene, request)
        with suppress(Refused):  # whatever is against it: then a person decides
            given = waiving.answer(scene, waiver, with_comment=needed)
            request = advance(scene, request, given)
    waiting = ids_of(approval.waiting_for(request)) if request.stage == stage else frozenset()
    left = [person for person in people if person.userid.lower() in waiting]
    if left:
        cards.ask(scene, request, left, order.why, order.by)
    return request


def _tell_requester(scene: Scene, request: Request, effect: TellRequester) -> None:
    """Say it in the words for such a request; what nobody in person asked for, to the admins."""
    by_nobody = request.origin is Origin.SYSTEM
    to = scene.standing.admins if by_nobody else (request.requester.userid,)
    if resubmitting.is_offered(request, effect.text):
        resubmitting.offer(scene, request, to)
        return
    scene.tell_as_core(to, scene.variant(effect.text, request), effect.params)


def _ids(people: Iterable[Person]) -> list[str]:
    return [person.userid for person in people]


def _sources(scene: Scene, request: Request) -> Sources:
    return scene.sources(request)


def _fallback(scene: Scene) -> tuple[str, ...]:
    return tuple(scene.book.chain_defaults.on_no_approver)


def _comment_needed(scene: Scene, request: Request) -> frozenset[Answer]:
    """Return which answers need a reason: as the request's stage says, or else all chains."""
    own = stage_of(request).comment_needed
    return scene.book.chain_defaults.comment.needed if own is None else own


def chain(scene: Scene, verdict: Verdict) -> tuple[Stage, ...]:
    """Return the stages of the verdict's chain, to be copied into the request."""
    named = scene.book.chains.get(verdict.chain) if verdict.chain else None
    return named.as_stages() if named else ()
