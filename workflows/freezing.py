"""Freezes (冻结): for a while nothing in a scope is allowed, whatever the rules say.

What a member asks for is refused. What WeCom reports has happened already: a machine that refused
it in an emergency would lose customers, so it is held and put to a person. A freeze is no part of
the policy: a verdict that it changed says so in `overruled`, and is not replayed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from workflows.attributes import ONLY_OBSERVED
from workflows.changing import TWO_KEYS
from workflows.model import Answer, Origin, Outcome, Reason, Request, Verdict, same_user
from workflows.sections import Rulebook

LIFT = "freeze.lift"
# The ways out of an emergency stay open, and what is only known afterwards cannot be stopped.
NEVER_FROZEN = frozenset({"config.change", "permission.revoke", LIFT}) | ONLY_OBSERVED
_MARK = "freeze:"


class Scope(StrEnum):
    """What a freeze stops."""

    EVERYTHING = "everything"
    MEMBER = "member"
    DEPARTMENT = "department"  # with everything below it
    ACTION = "action"


class Ending(StrEnum):
    """Why a freeze is over."""

    EXPIRED = "expired"
    LIFTED = "lifted"


@dataclass(frozen=True, slots=True)
class Freeze:
    """A freeze, and what the admins concluded from it. Its id starts with 'F-'."""

    id: str
    scope: Scope
    what: str  # userid, number of a department, or action; '' for everything
    name: str  # what `what` was called then
    by: str  # userid
    reason: str
    since: datetime
    until: datetime
    ending: Ending | None = None
    ended_at: datetime | None = None
    reviewed_by: str = ""  # userid; '' while the review is open
    conclusion: str = ""


def is_live(freeze: Freeze, now: datetime) -> bool:
    """Whether it stops anything; its time is looked at here, not only by the timer."""
    return freeze.ending is None and freeze.since <= now < freeze.until


def covers(freeze: Freeze, action: str, userid: str, units: frozenset[int]) -> bool:
    """Whether a freeze is about this action of this member.

    `units` are the numbers of the member's departments with all above them.
    """
    if action in NEVER_FROZEN:
        return False
    match freeze.scope:
        case Scope.EVERYTHING:
            return True
        case Scope.MEMBER:
            return same_user(freeze.what, userid)
        case Scope.DEPARTMENT:
            return freeze.what in {str(unit) for unit in units}
        case Scope.ACTION:
            return freeze.what == action


def verdict_under(
    freezes: Iterable[Freeze], verdict: Verdict, origin: Origin, chain: str
) -> Verdict:
    """Return a verdict under the freezes that cover its request; `chain` is the usual one.

    A refusal stays the policy's own. What is asked for is refused; what has happened needs a
    person, by the chain the policy names. Automatic approvals never count.
    """
    last = max(freezes, key=lambda f: (f.until, f.id), default=None)
    if last is None or verdict.outcome is Outcome.DENY:
        return verdict
    frozen = replace(
        verdict,
        outcome=Outcome.APPROVAL,
        reason=Reason.FROZEN,
        chain=verdict.chain or chain,
        say=(),
        missing=(),
        auto_review=None,
        overruled=f"{_MARK}{last.id}",
    )
    if origin is Origin.OBSERVED:
        return frozen
    return replace(frozen, outcome=Outcome.DENY, chain=None, other_chains=())


def freeze_in(verdict: Verdict) -> str:
    """Return the id of the freeze that changed a verdict; '' if none did."""
    return verdict.overruled.removeprefix(_MARK) if verdict.overruled.startswith(_MARK) else ""


def verdict_on_lifting(verdict: Verdict, *, may_ask: bool, book: Rulebook) -> Verdict:
    """Return the policy's verdict on ending a freeze early: nobody does that alone.

    Where the file says nothing about it, admins and whoever froze `may_ask`. Where no rule names a
    chain, another admin is asked and not the usual chain, whose approvers are supervisors.
    """
    matched = [rule for rule in book.rule if rule.id in verdict.rules]
    settled = LIFT in book.permissions or any(rule.then == "deny" for rule in matched)
    if verdict.outcome is Outcome.DENY and (settled or not may_ask):
        return verdict
    if verdict.outcome is Outcome.APPROVAL and any(rule.chain for rule in matched):
        return verdict
    return replace(
        verdict,
        outcome=Outcome.APPROVAL,
        reason=Reason.LEVEL,
        chain=TWO_KEYS,
        other_chains=(),
        auto_review=None,
        overruled=TWO_KEYS,
    )


def is_agreed_by_two(request: Request) -> bool:
    """Whether somebody else than the requester has agreed: the last look before a freeze ends."""
    agreed = (v.by.userid for v in request.votes if v.answer is Answer.APPROVE)
    return any(not same_user(userid, request.requester.userid) for userid in agreed)
