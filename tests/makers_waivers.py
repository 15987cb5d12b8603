"""Makers of standing approvals and of the requests they are for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from tests.makers_approval import NOON, a_request
from workflows import waivers
from workflows.model import Person, Reason, Request
from workflows.waivers import Waiver

WANG = Person("Wang", "王")


def the_same(**changes: Any) -> Request:
    """Return a request, not yet opened, for which wang's approval may be given in advance."""
    request = a_request()
    of_verdict: dict[str, Any] = {"reason": Reason.LEVEL}
    for name in ("rules", "reason", "missing", "outcome"):
        if name in changes:
            of_verdict[name] = changes.pop(name)
    return replace(request, verdict=replace(request.verdict, **of_verdict), **changes)


def a_waiver(request: Request | None = None, **changes: Any) -> Waiver:
    """Return what wang gave on such a request: seven days, twenty uses."""
    values: dict[str, Any] = {
        "id": "W-B3M4",
        "requester": Person("lin", "林"),
        "approver": WANG,
        "case": waivers.case_of(request or the_same()),
        "request_id": "Z9Z9",
        "given_at": NOON,
        "expires_at": NOON + timedelta(days=7),
        "uses": 20,
    }
    return Waiver(**(values | changes))
