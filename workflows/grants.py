"""Temporary permissions (临时授权): one action lent to one member, with an end.

A grant raises the sender's level for exactly its action until it ends; rules still tighten. What a
decision knew of grants is the fact `sender.grants`, so that replaying it gives the same verdict.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from workflows.attributes import ABOUT_RIGHTS
from workflows.model import Answer, Facts, Group, Outcome, Request, Stage, Verdict, same_user
from workflows.plans import Granting
from workflows.policy import permission
from workflows.sections import Rulebook

ACTION = "permission.grant"
OWN = "own"  # why a verdict was overruled: nobody gives themselves a permission

_DAY = timedelta(days=1)


class Ending(StrEnum):
    """Why a grant is over."""

    EXPIRED = "expired"
    REVOKED = "revoked"
    REPLACED = "replaced"  # a later one for the same action lasts longer
    LEFT = "left"  # the member left the company


@dataclass(frozen=True, slots=True)
class Grant:
    """A permission lent. Its id starts with 'G-', so that it is never taken for a request's."""

    id: str
    userid: str
    action: str
    given_by: str  # userid of whoever gave it, or approved the member's own wish
    request_id: str
    since: datetime
    until: datetime
    reason: str = ""
    name: str = ""  # of the member, as it was then
    ended_because: Ending | None = None
    ended_at: datetime | None = None


def is_live(grant: Grant, now: datetime) -> bool:
    """Whether it counts; its time is looked at here, not only by the timer."""
    return grant.ended_because is None and grant.since <= now < grant.until


def held(grants: Iterable[Grant], now: datetime) -> frozenset[str]:
    """Return the actions that live grants among these lend."""
    return frozenset(grant.action for grant in grants if is_live(grant, now))


def ended(grant: Grant, why: Ending, now: datetime) -> Grant:
    """Return the grant as over."""
    return replace(grant, ended_because=why, ended_at=now)


def resumed(grant: Grant) -> Grant:
    """Return the grant as if it had not ended."""
    return replace(grant, ended_because=None, ended_at=None)


def remind_at(grant: Grant) -> datetime:
    """Return when the member hears that it will end: a day before, or a quarter of a short one."""
    return grant.until - min(_DAY, (grant.until - grant.since) / 4)


def facts_of(plan: Granting, reason: str) -> Facts:
    """Return the `request.*` facts of a permission that is asked for or given."""
    return {
        "request.target": plan.userid,
        "request.right": plan.action,
        "request.days": math.ceil(plan.lasts / _DAY),
        "request.reason": reason,
    }


def can_be_lent(book: Rulebook, action: str) -> bool:
    """Whether an action is in the permission table, and not one that decides about rights."""
    return action in book.permissions and action not in ABOUT_RIGHTS


def may_lend(book: Rulebook, action: str, level: int) -> bool:
    """Whether somebody of this level may do the action, and so may let others do it for a while.

    By level alone: what was lent cannot be lent on.
    """
    return can_be_lent(book, action) and permission(book, action, level) is not Outcome.DENY


def verdict_on(verdict: Verdict, *, own: bool, book: Rulebook) -> Verdict:
    """Return the policy's verdict on a grant; who asks for themselves always asks somebody.

    Where the policy, or an auto-review, would simply allow it, the usual chain is asked instead.
    """
    if not own or verdict.outcome is not Outcome.ALLOW:
        return verdict
    return replace(
        verdict,
        outcome=Outcome.APPROVAL,
        chain=book.defaults.chain,
        auto_review=None,
        overruled=OWN,
    )


def lenders(book: Rulebook, action: str) -> Stage:
    """Return a stage that asks those who may do the action themselves."""
    able = (name for name, role in book.roles.items() if may_lend(book, action, role.level))
    return Stage((Group(tuple(f"role:{name}" for name in able)),))


def giver(request: Request) -> str:
    """Return who gives what an approved request asks for: its requester or, where they asked for
    themselves, whoever agreed last. '' if nobody in person did.
    """
    plan = request.plan
    target = plan.userid if isinstance(plan, Granting) else ""
    if not same_user(request.requester.userid, target):
        return request.requester.userid
    agreed = [v.by.userid for v in request.votes if v.answer is Answer.APPROVE]
    return agreed[-1] if agreed else ""


def grant_of(request: Request, grant_id: str, now: datetime, most: timedelta) -> Grant:
    """Return the grant that an approved request makes: as long as asked for, never longer."""
    plan = request.plan
    if not isinstance(plan, Granting):
        raise TypeError(f"{request.id} asks for no permission")
    until = now + min(plan.lasts, most)
    by, reason = giver(request), request.claim.reason
    return Grant(grant_id, plan.userid, plan.action, by, request.id, now, until, reason)
