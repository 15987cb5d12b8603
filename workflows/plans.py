"""What an approved request carries out, beyond adding one customer: one small type for each action.

A plan is copied into its request when it is made, so that what was approved is what is done.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from workflows.claims import Claim


@dataclass(frozen=True, slots=True)
class Transfer:
    """`customer.transfer`: hand customers of one member over to another."""

    of: str  # userid of the member who has them
    to: str  # userid
    customers: tuple[str, ...]  # external_userids
    kind: Literal["transfer"] = "transfer"


@dataclass(frozen=True, slots=True)
class Tagging:
    """`customer.tag`: put corp tags on a customer, or take them off, for one member's relation."""

    userid: str
    external_userid: str
    add: tuple[str, ...] = ()  # names
    remove: tuple[str, ...] = ()
    kind: Literal["tagging"] = "tagging"


@dataclass(frozen=True, slots=True)
class Export:
    """`customer.export`: a file of customers, of the members named."""

    members: tuple[str, ...]  # userids; whose customers
    tier: str = ""  # only this tier; '' is all
    group: str = ""  # only this group
    kind: Literal["export"] = "export"


@dataclass(frozen=True, slots=True)
class Line:
    """One customer of a list, with what was known of them when the list was sent."""

    number: int  # of the line as sent, from 1
    claim: Claim
    external_userid: str = ""  # if a colleague has noted the telephone number
    tier: str = ""  # '' is unknown
    groups: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()  # userids of colleagues who follow them
    missing: tuple[str, ...] = ()  # attributes that were unknown and mattered


@dataclass(frozen=True, slots=True)
class BulkAdd:
    """`friend.add_bulk`: a list of customers to add; each is judged by itself when it is done."""

    lines: tuple[Line, ...]
    done: int = 0  # number of the last line that has been carried out
    kind: Literal["bulk_add"] = "bulk_add"


@dataclass(frozen=True, slots=True)
class Joining:
    """`chat.join`: an outsider who has come into a customer group; nothing is left to be done."""

    chat_id: str
    external_userid: str
    by_code: bool = False  # by the group's QR code, not invited by a member
    kind: Literal["joining"] = "joining"


@dataclass(frozen=True, slots=True)
class Granting:
    """`permission.grant`: let a member do an action for a while."""

    userid: str
    action: str
    lasts: timedelta
    kind: Literal["granting"] = "granting"


@dataclass(frozen=True, slots=True)
class Lifting:
    """`freeze.lift`: end a freeze before its time."""

    freeze: str  # its id
    kind: Literal["lifting"] = "lifting"


@dataclass(frozen=True, slots=True)
class TakeOver:
    """`customer.transfer`: hand over customers of a member who has left.

    Whom it is about, and who takes each, is written down beside them under the request's id: there
    may be twenty thousand.
    """

    of: str  # userid of who has left
    to: tuple[str, ...]  # userids
    count: int = 0  # customers
    chats: int = 0  # groups they own; 0 where only some customers go
    only: str = ""  # a tier or group in the file; '' is all
    kind: Literal["takeover"] = "takeover"


Plan = Annotated[
    Transfer | TakeOver | Tagging | Export | BulkAdd | Joining | Granting | Lifting,
    Field(discriminator="kind"),
]
