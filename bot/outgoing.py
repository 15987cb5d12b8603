"""What Menwei has yet to do in WeCom: one small type per kind of call, as kept in the outbox.

Each is written in the transaction that caused it and carried out by `bot.delivery`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, assert_never, get_args

from pydantic import TypeAdapter

from bot.wecom import Article
from storage.work import Claimed, Filed, Job, Queue
from workflows.model import Containment


@dataclass(frozen=True, slots=True)
class SendText:
    """Say something to a member in the app's chat."""

    userid: str
    content: str


@dataclass(frozen=True, slots=True)
class SendNews:
    """Send a link with a picture: the QR code of a ticket."""

    userid: str
    title: str
    description: str
    url: str
    picture: str
    more: tuple[Article, ...] = ()  # at most seven, of which WeCom shows title and picture


@dataclass(frozen=True, slots=True)
class SendCard:
    """Send an approval card; its code is kept with the card row of the same task id."""

    userid: str
    task_id: str
    card: dict[str, Any]
    text: str  # what is sent instead should WeCom refuse the card


@dataclass(frozen=True, slots=True)
class UpdateCard:
    """Replace a card by one that shows the outcome."""

    userid: str
    task_id: str
    card: dict[str, Any]


@dataclass(frozen=True, slots=True)
class IssueTicket:
    """Make the contact way of a ticket and hand its QR code to the member."""

    state_key: str
    userid: str


@dataclass(frozen=True, slots=True)
class CloseTicket:
    """Delete the contact way of a ticket that was used, revoked or has run out."""

    state_key: str


@dataclass(frozen=True, slots=True)
class MarkRelation:
    """Put a relation's tags and remark as they should be. `remark` None leaves it alone.

    Where a request asks for it, the request is done with it; tags of ours come into being if they
    are missing, tags that people ask for do not. `held` is how the relation was held when this was
    ordered; None where a request asks for it.
    """

    userid: str
    external_userid: str
    add_tags: tuple[str, ...] = ()
    remove_tags: tuple[str, ...] = ()
    remark: str | None = None
    request_id: str = ""
    held: Containment | None = None


@dataclass(frozen=True, slots=True)
class Transfer:
    """Hand a customer over to another member; WeCom carries it out after 24 h (document 92125)."""

    request_id: str
    userid: str
    external_userid: str
    to: str


@dataclass(frozen=True, slots=True)
class TransferAll:
    """Hand over the customers of an approved request, all in one call (document 92125)."""

    request_id: str


@dataclass(frozen=True, slots=True)
class TakeOverPart:
    """Hand over the next customers of somebody who has left, at most 100 (document 94081)."""

    request_id: str
    part: int


@dataclass(frozen=True, slots=True)
class TakeGroups:
    """Give the next groups of somebody who has left to a new owner (document 92127)."""

    request_id: str
    turn: int


@dataclass(frozen=True, slots=True)
class SendExport:
    """Make the file of an approved request and send it. What is in it is kept nowhere."""

    request_id: str
    userid: str


@dataclass(frozen=True, slots=True)
class SendWelcome:
    """Greet a new customer within 20 seconds of the event, when this row was made (doc 92137)."""

    code: str
    userid: str
    external_userid: str
    text: str | None = None  # None: nobody has decided in time, the neutral text is used


Outgoing = (
    SendText
    | SendNews
    | SendCard
    | UpdateCard
    | IssueTicket
    | CloseTicket
    | MarkRelation
    | Transfer
    | TransferAll
    | TakeOverPart
    | TakeGroups
    | SendExport
)

_ADAPTERS: dict[type, TypeAdapter[Any]] = {
    kind: TypeAdapter(kind) for kind in (*get_args(Outgoing), SendWelcome)
}
KINDS: dict[str, type] = {kind.__name__: kind for kind in _ADAPTERS}


def body(what: Outgoing | SendWelcome) -> str:
    """Return the JSON kept in the outbox."""
    return _ADAPTERS[type(what)].dump_json(what).decode()


def lane(what: Outgoing) -> str:
    """Return what must be done in order: one person's chat, one card, one ticket, one relation."""
    match what:
        case SendText() | SendNews():
            return f"chat:{what.userid.lower()}"
        case TransferAll() | TakeOverPart() | SendExport():
            return f"request:{what.request_id}"
        case TakeGroups():
            return f"groups:{what.request_id}"
        case SendCard() | UpdateCard():
            return f"card:{what.task_id}"
        case IssueTicket() | CloseTicket():
            return f"ticket:{what.state_key}"
        case MarkRelation() | Transfer():
            return lane_of(what.userid, what.external_userid)
        case _:
            assert_never(what)


def lane_of(userid: str, external_userid: str) -> str:
    """Return the lane of what is done to a relation."""
    return f"mark:{userid.lower()}:{external_userid}"


def job(what: Outgoing, key: str | None = None) -> Job:
    """Return the outbox row for `what`; a `key` makes a second one with the same key harmless."""
    return Job(Queue.OUTBOX, type(what).__name__, lane(what), body(what), key)


def read(row: Claimed | Filed) -> Outgoing | SendWelcome:
    """Return what a row of the outbox or the welcome lane asks for."""
    kind = SendWelcome if row.queue is Queue.WELCOME else KINDS[row.kind]
    found: Outgoing | SendWelcome = _ADAPTERS[kind].validate_json(row.body)
    return found
