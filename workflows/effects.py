"""What must follow a step of a request: orders from the approval engine to the actions.

They come in the order in which they should be carried out.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from workflows.model import Person

# What a text needs to be filled in. People are given by name, times as aware UTC.
Params = Mapping[str, str | int | datetime | tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class AskApprovers:
    """Send each of these people a card for the stage; they have not been asked yet."""

    stage: int
    approvers: tuple[Person, ...]
    why: str = ""  # 'escalated', 'handed_over' or 'added' where that is why
    by: str = ""  # the name of who handed over or added


@dataclass(frozen=True, slots=True)
class RemindApprovers:
    """Remind these people, who have not answered for long."""

    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class CloseCards:
    """Take the buttons off every open card of the request; each shows how it stands now."""


@dataclass(frozen=True, slots=True)
class CloseCardsOf:
    """Take the buttons off these people's cards: they have voted or are asked no longer."""

    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class TellRequester:
    """Send the requester a text of the catalogue."""

    text: str
    params: Params = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tell:
    """Send these people a text of the catalogue."""

    to: tuple[Person, ...]
    text: str
    params: Params = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Perform:
    """Carry the request out: issue the ticket, release the relation, make the grant."""


@dataclass(frozen=True, slots=True)
class Refuse:
    """It is not allowed: issue nothing, take back what was issued, contain what has happened."""


@dataclass(frozen=True, slots=True)
class JudgeAgain:
    """What was observed still stands, so put it to the present policy as a new request."""


@dataclass(frozen=True, slots=True)
class NobodyCanDecide:
    """Alarm all admins: the stage cannot pass even with the fallback people; it will expire."""

    stage: int


Effect = (
    AskApprovers
    | RemindApprovers
    | CloseCards
    | CloseCardsOf
    | TellRequester
    | Tell
    | Perform
    | Refuse
    | JudgeAgain
    | NobodyCanDecide
)
