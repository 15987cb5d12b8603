"""What an approved or refused request means in WeCom, by how it came to be."""

from __future__ import annotations

from bot.actions import containing, freezes, grants, tickets, versions
from bot.actions.scene import Scene
from workflows.lockout import CHANGE
from workflows.model import Origin, Request
from workflows.plans import Granting, Lifting
from workflows.steps import Executed, ExecutionFailed

JUDGE_AGAIN = "judge_again"


def perform(scene: Scene, request: Request) -> Executed | ExecutionFailed | None:
    """Carry an approved request out; return the step that says so when it is done at once."""
    if request.action == CHANGE:
        return versions.perform(scene, request)
    if isinstance(request.plan, Granting):
        return grants.perform(scene, request)
    if isinstance(request.plan, Lifting):
        return freezes.perform(scene, request)
    if request.origin is Origin.ASKED:
        tickets.issue(scene, request)
        return None  # done when WeCom has made the contact way
    containing.release(scene, request)
    return Executed()


def refuse(scene: Scene, request: Request) -> None:
    """Undo what a refused request has brought about."""
    if request.action == CHANGE or isinstance(request.plan, Granting | Lifting):
        return  # nothing has happened yet
    if request.origin is Origin.ASKED:
        tickets.revoke(scene, request)
    else:
        if request.decided_by.startswith("policy:"):  # nobody else has told the member
            containing.tell_of(scene, request)
        containing.deny(scene, request)


def judge_again(scene: Scene, request: Request) -> None:
    """Have the relation of a request that became stale judged by the rules of today."""
    scene.remind(JUDGE_AGAIN, request.id, scene.now)
