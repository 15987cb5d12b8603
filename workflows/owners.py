"""What one member asks of the colleague who has a customer, or has reported one first."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

ASK_EVERY = timedelta(hours=4)
TELL_EVERY = timedelta(days=1)


class Wish(StrEnum):
    """What is asked for."""

    SHARE = "share"  # the owner's name card of the customer, in WeCom
    HAND_OVER = "hand_over"  # the customer
    YIELD = "yield"  # the place of who reported first


class QuestionState(StrEnum):
    """Whether it is answered."""

    OPEN = "open"
    YES = "yes"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Question:
    """One member's question to one colleague, about what a request is about."""

    request_id: str  # the asker's
    userid: str  # of whom it is asked
    external_userid: str  # '' where so far only a report is on file
    wish: Wish
    state: QuestionState
    asked_at: datetime
    reported: str = ""  # id of the report that is to give way


@dataclass(frozen=True, slots=True)
class Notice:
    """What an owner has heard of others who want their customer."""

    userid: str
    external_userid: str
    told_at: datetime
    last_report: int  # `Report.seq`
