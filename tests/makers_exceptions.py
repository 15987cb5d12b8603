"""Makers of temporary permissions, freezes, and the requests for them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.makers_approval import NOON, a_request, a_stage, a_verdict
from workflows.claims import Claim
from workflows.freezing import LIFT, Freeze, Scope
from workflows.grants import ACTION, Grant
from workflows.model import Answer, Person, Request, Vote
from workflows.plans import Granting, Lifting

DAY = timedelta(days=1)


def a_grant(**changes: Any) -> Grant:
    """Return what wang gave lin: bulk adds for three days."""
    values: dict[str, Any] = {
        "id": "G-B3M4",
        "userid": "lin",
        "action": "friend.add_bulk",
        "given_by": "Wang",
        "request_id": "Z9Z9",
        "since": NOON,
        "until": NOON + 3 * DAY,
        "reason": "展会",
        "name": "林",
    }
    return Grant(**(values | changes))


def a_freeze(scope: Scope = Scope.EVERYTHING, what: str = "", **changes: Any) -> Freeze:
    """Return a freeze of two hours by zhao."""
    values: dict[str, Any] = {
        "id": "F-B3M4",
        "scope": scope,
        "what": what,
        "name": what,
        "by": "zhao",
        "reason": "账号异常",
        "since": NOON,
        "until": NOON + timedelta(hours=2),
    }
    return Freeze(**(values | changes))


def a_wish(requester: str = "lin", target: str = "lin", **changes: Any) -> Request:
    """Return a request, not yet opened, for bulk adds for three days."""
    plan = Granting(target, "friend.add_bulk", 3 * DAY)
    facts = {"request.target": target}
    request = a_request(a_stage("manager_of_sender"), requester=requester, facts=facts)
    values = {"action": ACTION, "plan": plan, "claim": Claim(reason="展会"), **changes}
    return replace(request, **values)


def a_lifting(requester: str = "zhao", **changes: Any) -> Request:
    """Return a request, not yet opened, to lift zhao's freeze; another admin decides."""
    request = a_request(
        a_stage("role:admin"), requester=requester, verdict=a_verdict(chain="two_keys")
    )
    return replace(request, action=LIFT, plan=Lifting("F-B3M4"), **changes)


def agreed_by(request: Request, *userids: str) -> Request:
    """Return the request with the votes of these people, whether they may vote or not."""
    votes = (Vote(0, Person(u, u), Answer.APPROVE, NOON, "card") for u in userids)
    return replace(request, votes=tuple(votes))
