"""Standing approvals (免批): one approver's yes to the same again, given in advance, with an end.

A waiver is that and nothing more. When the same comes again to a stage that asks its approver, it
counts as their approval at that stage, by the same way as a press on the card (`approval.advance`):
quorums, further stages, needed comments, "never the requester" and "only who may decide right now"
hold as ever. It never touches a refusal, and whatever does not fit exactly goes to a person.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from workflows.attributes import ABOUT_RIGHTS
from workflows.model import Origin, Outcome, Person, Reason, Request, Stage

# What decides who may do what is looked at by a person every time.
NEVER_WAIVED = ABOUT_RIGHTS
# No two of these are alike: each is about other customers, and often about many.
_ABOUT_MANY = frozenset({"customer.transfer", "customer.export", "friend.add_bulk"})
_ORIGINS = frozenset({Origin.ASKED, Origin.OBSERVED})


class Ending(StrEnum):
    """Why a waiver is over."""

    USED_UP = "used_up"
    EXPIRED = "expired"
    REVOKED = "revoked"
    REPLACED = "replaced"  # the approver gave a newer one for the same
    LEFT = "left"  # the approver or the requester left the company


@dataclass(frozen=True, slots=True)
class Case:
    """What must be equal for two requests to be "the same"; whom they are about may differ."""

    requester: str  # userid in lower case
    action: str
    origin: Origin
    rules: frozenset[str]  # ids of the enforced rules that matched: exactly these
    reason: Reason
    chain: str
    stages: tuple[Stage, ...]  # as copied into the request: an edited chain is another one


@dataclass(frozen=True, slots=True)
class Terms:
    """For how many days and how many requests."""

    days: int
    uses: int


@dataclass(frozen=True, slots=True)
class Waiver:
    """A standing approval. Its id starts with 'W-', so that it is never taken for a request's."""

    id: str
    requester: Person
    approver: Person
    case: Case
    request_id: str  # the request it was given on, which does not count as a use
    given_at: datetime
    expires_at: datetime
    uses: int  # at most so many
    used_at: tuple[datetime, ...] = ()  # a use is never given back
    ending: Ending | None = None
    ended_at: datetime | None = None

    @property
    def left(self) -> int:
        """How many requests it still covers, unless it ends before."""
        return max(0, self.uses - len(self.used_at)) if self.ending is None else 0


def may_be_waived(request: Request) -> bool:
    """Whether the like of this request may be approved in advance: nothing unknown, no refusal."""
    verdict = request.verdict
    is_sure = not verdict.missing and verdict.reason not in {Reason.MISSING, Reason.FROZEN}
    is_asked = verdict.outcome is Outcome.APPROVAL and bool(verdict.chain and request.chain)
    is_usual = request.origin in _ORIGINS and not request.appeal_of
    return is_sure and is_asked and is_usual and request.action not in (NEVER_WAIVED | _ABOUT_MANY)


def case_of(request: Request) -> Case:
    """Return what a later request must equal to be the same as this one."""
    verdict = request.verdict
    return Case(
        request.requester.userid.lower(),
        request.action,
        request.origin,
        frozenset(verdict.rules),
        verdict.reason,
        verdict.chain or "",
        request.chain,
    )


def is_live(waiver: Waiver, now: datetime) -> bool:
    """Whether it can still be used; its time is looked at here, not only by the timer."""
    return waiver.ending is None and waiver.left > 0 and now < waiver.expires_at


def covers(waiver: Waiver, request: Request, now: datetime) -> bool:
    """Whether a waiver answers for its approver on this request; once for a request at most."""
    unused = all(vote.waiver != waiver.id for vote in request.votes)
    fits = may_be_waived(request) and case_of(request) == waiver.case
    return unused and fits and is_live(waiver, now)


def used(waiver: Waiver, now: datetime) -> Waiver:
    """Return the waiver after one more use; the last one ends it. ValueError if it is over."""
    if not is_live(waiver, now):
        raise ValueError(f"{waiver.id} is over")
    counted = replace(waiver, used_at=(*waiver.used_at, now))
    return counted if counted.left else ended(counted, Ending.USED_UP, now)


def ended(waiver: Waiver, why: Ending, now: datetime) -> Waiver:
    """Return the waiver as over."""
    return replace(waiver, ending=why, ended_at=now)
