"""Who reported a customer first, and for how long that keeps others away (报备保护期)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import assert_never

from workflows.model import Origin, Request, State, Ticket, TicketState

LONGEST_WAIT = timedelta(days=30)  # a request waits 72 hours of work at most: holidays and all


@dataclass(frozen=True, slots=True)
class Report:
    """One member's wish to add somebody; `seq` says who came first within one millisecond."""

    seq: int
    key: str  # whom: 'planned:…', by what was typed, or an external_userid
    request_id: str
    userid: str
    since: datetime


@dataclass(frozen=True, slots=True)
class Standing:
    """A report that counts: its customer is wanted by this member first."""

    report: Report
    request: Request
    until: datetime | None  # None: as long as the request waits or its ticket can be used

    @property
    def is_protected(self) -> bool:
        """Whether others are kept away, and not only told."""
        return self.until is not None


def standing(
    report: Report, request: Request, ticket: Ticket | None, period: timedelta | None, now: datetime
) -> Standing | None:
    """Return what a report is worth now; None once it is over.

    It counts while it is pending, and from then on until its period ends, its ticket is used or it
    is taken back. Without a period it counts as long as its ticket can be used, and protects
    nothing. What has happened already (an observed add) is no report.
    """
    if request.origin is not Origin.ASKED:
        return None
    until = report.since + period if period is not None else None
    if request.state is State.PENDING:
        return Standing(report, request, until)
    if request.plan is not None or not request.state.is_allowed:
        return None  # the lines of a list are requests of their own once it is approved
    in_time = until is not None and now < until
    match ticket.state if ticket else TicketState.ISSUING:
        case TicketState.USED | TicketState.REVOKED:
            return None
        case TicketState.ISSUING | TicketState.OPEN:
            counts = until is None or in_time
        case TicketState.EXPIRED:
            counts = in_time
        case never:
            assert_never(never)
    return Standing(report, request, until) if counts else None
