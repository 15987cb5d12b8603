"""Orders from WeCom what an approved request about a member's customers asks for."""

from __future__ import annotations

from bot import outgoing
from bot.actions.scene import Scene
from bot.outgoing import MarkRelation, SendExport, TakeGroups, TakeOverPart, TransferAll
from workflows.model import Request
from workflows.plans import Export, Tagging, TakeOver, Transfer

ABOUT_CUSTOMERS = (Transfer, TakeOver, Tagging, Export)


def begin(scene: Scene, request: Request, plan: Transfer | TakeOver | Tagging | Export) -> None:
    """Put the call into the outbox; the request is done when WeCom has answered."""
    what: outgoing.Outgoing
    match plan:
        case Transfer():
            what = TransferAll(request.id)
        case TakeOver():
            what = TakeOverPart(request.id, 1)
            if plan.chats:
                scene.send(TakeGroups(request.id, 1), key=f"groups:{request.id}:1")
        case Tagging():
            marks = (plan.add, plan.remove)
            what = MarkRelation(plan.userid, plan.external_userid, *marks, request_id=request.id)
        case Export():
            what = SendExport(request.id, request.requester.userid)
    scene.send(what, key=f"{plan.kind}:{request.id}")
    scene.record(f"{plan.kind}.ordered", request, actor="system:menwei")
