"""Orders from WeCom what an approved request about a member's customers asks for.

WeCom gives none of it back: so what a person has agreed to waits until nobody can take the approval
back any more. It waits as a timer, which leaves the lane of the relation free for everything else.
"""

from __future__ import annotations

from datetime import datetime

from bot import outgoing
from bot.actions.scene import Scene
from bot.outgoing import MarkRelation, SendExport, TakeGroups, TakeOverPart, TransferAll
from storage.work import Job, Queue
from workflows import undoing
from workflows.model import Request
from workflows.plans import Export, Tagging, TakeOver, Transfer
from workflows.schedules import parse_pause

ABOUT_CUSTOMERS = (Transfer, TakeOver, Tagging, Export)
HELD = "carry_out"


def begin(scene: Scene, request: Request, plan: Transfer | TakeOver | Tagging | Export) -> None:
    """Order it at once, or when the approval cannot be taken back any more."""
    window = parse_pause(scene.book.chain_defaults.undo_window)
    due = undoing.until(request, window)
    if due is None:
        order(scene, request, plan)
    else:
        _hold(scene, request, due)


def _hold(scene: Scene, request: Request, due: datetime) -> None:
    key = _held(request)
    job = Job(Queue.TIMERS, HELD, key, request.id, key, due)
    scene.tx.work.add([job], scene.now)
    scene.record("request.held", request, actor="system:menwei", until=due.isoformat())
    words = {"id": request.id, "customer": request.subject.name, "when": due}
    scene.tell([request.requester.userid], "undo.held", **words)


def call_off(scene: Scene, request: Request) -> bool:
    """Keep a held order from being given, for good; False if it has been given.

    The timer gives the order in the transaction that closes its row, so that it is one or the
    other, also when a worker has the row in its hands.
    """
    return scene.tx.work.cancel(_held(request), scene.now)


def _held(request: Request) -> str:
    return f"held:{request.id}"


def order(scene: Scene, request: Request, plan: Transfer | TakeOver | Tagging | Export) -> None:
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
