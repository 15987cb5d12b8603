"""A request on its way: opened, voted on, ended, and what follows from each step."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import assert_never

from bot.actions import cards, performing
from bot.actions.scene import Scene
from workflows import approval
from workflows.approvers import Sources, stage_of
from workflows.effects import (
    AskApprovers,
    CloseCards,
    CloseCardsOf,
    Effect,
    JudgeAgain,
    NobodyCanDecide,
    Perform,
    Refuse,
    Tell,
    TellRequester,
)
from workflows.model import Answer, Origin, Person, Request, Stage, State, Verdict
from workflows.steps import (
    Approve,
    Deny,
    Executed,
    ExecutionFailed,
    Expire,
    Reassign,
    Recheck,
    Refused,
    Revoke,
    Step,
    Supersede,
    Withdraw,
)

EXPIRY = "expire"

# What a step is called in the audit; these names never change.
_SAID: Mapping[type, str] = {
    Approve: "vote_approve",
    Deny: "vote_deny",
    Withdraw: "withdrawn",
    Expire: "expired",
    Recheck: "rechecked",
    Supersede: "superseded",
    Reassign: "reassigned",
    Revoke: "revoked",
    Executed: "executed",
    ExecutionFailed: "execution_failed",
}


def open_request(scene: Scene, draft: Request) -> Request:
    """Put a judged request on file and do what its verdict asks for."""
    request, effects = approval.open_request(
        draft, _sources(scene, draft), _fallback(scene), scene.now
    )
    scene.tx.requests.add(request)
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
    )
    if request.state is State.PENDING and request.due_at:
        scene.remind(EXPIRY, request.id, request.due_at)
    follow(scene, request, effects)
    return request


def advance(scene: Scene, request: Request, step: Step) -> Request:
    """Take a step of a request. Raises Refused, with nothing written, when it may not be taken."""
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
    if not scene.tx.requests.move(request, new):
        raise Refused("changed_meanwhile", id=request.id)
    _record(scene, new, step)
    follow(scene, new, effects)
    return new


def _record(scene: Scene, new: Request, step: Step) -> None:
    by = getattr(step, "by", "")
    person = f"user:{scene.person(by).userid}" if by else None
    scene.record(
        f"request.{_SAID[type(step)]}",
        new,
        actor=by if by.startswith("system:") else person,
        state=new.state.value,
        stage=new.stage,
        version=new.version,
        comment=getattr(step, "comment", ""),
        via=getattr(step, "via", ""),
    )


def follow(scene: Scene, request: Request, effects: Iterable[Effect]) -> None:
    """Carry out what the approval engine ordered."""
    for effect in effects:
        match effect:
            case AskApprovers():
                cards.ask(scene, request, effect.approvers)
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
                    advance(scene, request, done)
            case Refuse():
                performing.refuse(scene, request)
            case JudgeAgain():
                performing.judge_again(scene, request)
            case NobodyCanDecide():
                scene.tell(scene.standing.admins, "alarm.nobody_can_decide", id=request.id)
            case _:
                assert_never(effect)


def _tell_requester(scene: Scene, request: Request, effect: TellRequester) -> None:
    """Say it in the words for what was observed, where there are such words."""
    observed = f"{effect.text}_observed"
    said = request.origin is Origin.OBSERVED and observed in scene.company
    text = observed if said else effect.text
    scene.tell_as_core([request.requester.userid], text, effect.params)


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
