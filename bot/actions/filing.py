"""Puts what a member asks of their customers on file, and answers them."""

from __future__ import annotations

from bot.actions import deciding, reasons
from bot.actions.scene import Scene
from workflows.model import Outcome, Request, State
from workflows.steps import Revoke, Supersede


def file(scene: Scene, draft: Request) -> None:
    """Open a judged request, unless the very same is on its way already."""
    userid = draft.requester.userid
    scene.tx.hold(f"asks:{userid.lower()}")
    earlier = scene.tx.requests.open_by_key(draft.key)
    if earlier is not None and not _gives_way(scene, earlier, draft):
        words = {"id": earlier.id, "customer": earlier.subject.name, "state": earlier.state}
        scene.tell([userid], "ask.joined", **words)
        return
    _answer(scene, deciding.open_request(scene, draft))


def _gives_way(scene: Scene, earlier: Request, draft: Request) -> bool:
    """Whether an earlier request was ended for a new one: not the same, nor one under way."""
    is_same = (earlier.plan, earlier.claim) == (draft.plan, draft.claim)
    match earlier.state:
        case State.PENDING if not is_same:
            deciding.advance(scene, earlier, Supersede())
        case State.EXECUTION_FAILED:
            deciding.advance(scene, earlier, Revoke("system:supersede"))
        case _:
            return False
    return True


def _answer(scene: Scene, request: Request) -> None:
    to = [request.requester.userid]
    words = {"id": request.id, "customer": request.subject.name}
    match request.verdict.outcome:
        case Outcome.ALLOW:
            scene.tell(to, scene.variant("ask.allowed", request), **words)
        case Outcome.DENY:
            why = reasons.why(scene, request)
            scene.tell(to, scene.variant("ask.denied", request), why=why, **words)
        case Outcome.APPROVAL if request.state is State.PENDING:
            scene.tell(
                to,
                scene.variant("ask.pending", request),
                who=tuple(person.name for person in request.approvers),
                due=request.due_at,
                why=reasons.why(scene, request),
                **words,
            )
        case Outcome.APPROVAL:
            pass  # an auto-review or the like has ended it, and that was told
