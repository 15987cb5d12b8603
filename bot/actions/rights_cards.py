"""What an approver sees who decides on a temporary permission, or on ending a freeze early."""

from __future__ import annotations

from collections.abc import Mapping

from bot.actions import freezes, reasons
from bot.actions.scene import Scene
from bot.cards import Sheet
from workflows.model import Request
from workflows.plans import Granting, Lifting
from workflows.policy import permission


def sheet_of(scene: Scene, request: Request) -> Sheet:
    """Gather what is asked for, what it changes, and why somebody is asked."""
    rows = _grant(scene, request.plan) if isinstance(request.plan, Granting) else {}
    if isinstance(request.plan, Lifting):
        rows = _freeze(scene, request.plan)
    say = scene.theirs
    named = tuple((say(f"card.row.{k}"), str(say.word(value))) for k, value in rows.items())
    return Sheet(
        request_id=request.id,
        stage=request.stage,
        stages=max(1, len(request.chain)),
        requester=request.requester.name,
        customer=request.subject.name,
        action=request.action,
        origin=request.origin,
        requester_id=request.requester.userid,
        level=str(say.word(reasons.level(scene, request))),
        reason=request.claim.reason,
        why="" if request.verdict.say else str(say.word(reasons.why(scene, request))),
        rules=tuple(
            (each.id, reasons.said(each, request.facts))
            for each in scene.book.rule
            if each.id in request.verdict.rules
        ),
        due=str(say.word(request.due_at)) if request.due_at else "",
        reasons=scene.book.chain_defaults.reasons,
        rows=named,
        lines=tuple(say("details.line", label=label, value=value) for label, value in named),
    )


def _grant(scene: Scene, plan: Granting) -> Mapping[str, object]:
    lent = permission(scene.book, plan.action, None, frozenset({plan.action}))
    before = scene.company.outcome(scene.standing.may(plan.userid, plan.action))
    return {
        "member": scene.person(plan.userid).name,
        "right": scene.company.action(plan.action),
        "lasts": scene.company.span(plan.lasts),
        "change": f"{before} → {scene.company.outcome(lent)}",
    }


def _freeze(scene: Scene, plan: Lifting) -> Mapping[str, object]:
    freeze = scene.tx.freezes.get(plan.freeze)
    if freeze is None:
        return {}
    words = freezes.words(scene, freeze)
    return {name: words[name] for name in ("scope", "by", "until", "reason")}
