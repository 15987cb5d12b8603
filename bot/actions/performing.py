"""What an approved or refused request means in WeCom, by how it came to be."""

from __future__ import annotations

from bot.actions import (
    bulk_orders,
    carrying,
    containing,
    freezes,
    grants,
    removing,
    tickets,
    versions,
)
from bot.actions.scene import Scene
from workflows.lockout import CHANGE
from workflows.model import Origin, Request
from workflows.plans import (
    BulkAdd,
    Export,
    Granting,
    Joining,
    Lifting,
    Tagging,
    TakeOver,
    Transfer,
)
from workflows.steps import Executed, ExecutionFailed

JUDGE_AGAIN = "judge_again"
JUDGE_TOLD_AGAIN = "judge_told_again"
DELETE = "friend.delete"
EDIT = "customer.edit"
ONLY_TOLD = frozenset({DELETE, EDIT})  # observed, and nothing of it can be undone


def perform(scene: Scene, request: Request) -> Executed | ExecutionFailed | None:
    """Carry an approved request out; return the step that says so when it is done at once."""
    if request.action == CHANGE:
        return versions.perform(scene, request)
    if isinstance(request.plan, Granting):
        return grants.perform(scene, request)
    if isinstance(request.plan, Lifting):
        return freezes.perform(scene, request)
    if isinstance(request.plan, Transfer | TakeOver | Tagging | Export):
        carrying.begin(scene, request, request.plan)
        return None  # done when WeCom has answered
    if isinstance(request.plan, BulkAdd):
        bulk_orders.carry_out(scene, request)
        return None  # done when every line has its ticket
    if isinstance(request.plan, Joining):
        return removing.let_stay(scene, request.plan)
    if request.action in ONLY_TOLD:
        return Executed()
    if request.origin is Origin.ASKED:
        tickets.issue(scene, request)
        return None  # done when WeCom has made the contact way
    containing.release(scene, request)
    return Executed()


def refuse(scene: Scene, request: Request) -> None:
    """Undo what a refused request has brought about."""
    if request.action == CHANGE or isinstance(request.plan, Granting | Lifting):
        return  # nothing has happened yet
    if isinstance(request.plan, BulkAdd):
        bulk_orders.refused(scene, request)
    elif isinstance(request.plan, Joining):
        removing.ask(scene, request, request.plan)
    elif request.origin is Origin.ASKED:
        tickets.revoke(scene, request)
    else:
        if request.decided_by.startswith("policy:"):  # nobody else has told the member
            containing.tell_of(scene, request)
        if request.action not in ONLY_TOLD:
            containing.deny(scene, request)


def judge_again(scene: Scene, request: Request) -> None:
    """Have what a stale request was about judged by the rules of today."""
    if isinstance(request.plan, Joining):
        scene.remind(removing.JUDGE_AGAIN, request.id, scene.now)
        return
    kind = JUDGE_TOLD_AGAIN if request.action in ONLY_TOLD else JUDGE_AGAIN
    scene.remind(kind, request.id, scene.now)
