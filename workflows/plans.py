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
class BulkAdd:
    """`friend.add_bulk`: a list of customers to add; each is judged by itself when it is done."""

    claims: tuple[Claim, ...]
    kind: Literal["bulk_add"] = "bulk_add"


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


Plan = Annotated[
    Transfer | Tagging | Export | BulkAdd | Granting | Lifting, Field(discriminator="kind")
]
