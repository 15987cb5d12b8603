"""Work that was given up: what it means for the people who wait for it, and who must mend it."""

from __future__ import annotations

from collections.abc import Iterable

from bot import dead_letters, outgoing
from bot.actions import containing, deciding, moving, taking_over, voting
from bot.actions.scene import Scene
from bot.outgoing import (
    IssueTicket,
    MarkRelation,
    SendCard,
    SendExport,
    SendText,
    TakeOverPart,
    Transfer,
    TransferAll,
)
from storage.work import Claimed, Queue
from workflows.containment import TransferRefused
from workflows.model import same_user
from workflows.steps import ExecutionFailed, Refused

_ALARM = "alarm:"


def set_aside(scene: Scene, work: Claimed, error: str) -> None:
    """Tell the admins once that work was given up, and do what its failing asks for."""
    scene.record("work.set_aside", work=work.id, what=work.kind, error=error)
    if work.queue is Queue.WELCOME:
        return  # the 20 seconds are over; nothing can be mended
    if work.kind == containing.CHECK:
        containing.escalate(scene, *work.body.split("|", 1))
    if work.kind == moving.LOOK:
        moving.looked_at(scene, work.body, (), ())  # look again later, for a week
    if work.kind == taking_over.LOOK:
        taking_over.look_later(scene, work.body)
    what = outgoing.read(work) if work.queue is Queue.OUTBOX else None
    match what:
        case IssueTicket():
            _no_ticket(scene, what, error)
        case TransferAll() | TakeOverPart() | SendExport() | MarkRelation():
            _not_carried_out(scene, what.request_id, error)
        case Transfer():
            refused = TransferRefused(error)
            containing.seen(scene, what.userid, what.external_userid, refused)
        case SendCard():
            _no_card(scene, what)
            return  # told already, in the words that fit
    lost = what.userid if isinstance(what, SendText) else ""
    if lost and not scene.directory.active([lost]):
        return  # a leaver reads nothing more; it stays among the dead letters
    to = [admin for admin in scene.standing.admins if not same_user(admin, lost)]
    alarm(scene, work, error, to, "alarm.set_aside")


def alarm(scene: Scene, work: Claimed, error: str, to: Iterable[str], text: str) -> None:
    """Tell admins of a trouble, once an hour for the same cause. No alarm about alarms."""
    if (work.key or "").startswith(_ALARM):
        return
    cause = error.partition(",")[0]  # the rest differs each time
    key = f"{_ALARM}{work.kind}:{cause}:{scene.now:%Y%m%d%H}"
    line = dead_letters.line(work, error, scene.company)
    said = scene.company(text, id=work.id, line=line, error=error)
    for admin in to:
        scene.send(outgoing.SendText(admin, said), key=f"{key}:{admin}")


def misconfigured(scene: Scene, work: Claimed, error: str) -> None:
    """WeCom refuses us for a reason that an admin must mend; the work is tried on meanwhile."""
    scene.record("work.refused", work=work.id, what=work.kind, error=error)
    alarm(scene, work, error, scene.standing.admins, "alarm.misconfigured")


def _no_ticket(scene: Scene, what: IssueTicket, error: str) -> None:
    ticket = scene.tx.tickets.get(what.state_key)
    _not_carried_out(scene, ticket.request_id if ticket else "", error)


def _not_carried_out(scene: Scene, request_id: str, error: str) -> None:
    request = scene.tx.requests.get(request_id) if request_id else None
    if request is None:
        return
    why = dead_letters.cause(error, scene.company)
    try:
        deciding.advance(scene, request, ExecutionFailed(str(why)))
    except Refused:
        return


def _no_card(scene: Scene, what: SendCard) -> None:
    """Nobody may be asked in vain: the admins hear whom the card did not reach."""
    card = scene.tx.cards.get(what.task_id)
    if card is None:
        return
    request = voting.find(scene, card.request_id)
    name = scene.person(what.userid).name
    scene.tell(
        scene.standing.admins, "alarm.card_undelivered",
        id=request.id, who=name, customer=request.subject.name,
    )  # fmt: skip
