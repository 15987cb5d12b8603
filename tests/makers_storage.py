"""Makers of stored values, for the tests of what remembers them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from storage.work import Job, Queue
from workflows.claims import Claim
from workflows.model import (
    AuditRecord,
    Origin,
    Outcome,
    Person,
    Reason,
    Request,
    Stage,
    Subject,
    Verdict,
)

NOON = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)


def a_person(userid: str = "LiNa", name: str = "李娜") -> Person:
    return Person(userid, name)


def a_request(request_id: str = "A7K2", **changes: Any) -> Request:
    external = changes.pop("external_userid", "wm-zhang")
    values: dict[str, Any] = {
        "id": request_id,
        "action": "friend.add",
        "origin": Origin.ASKED,
        "requester": a_person(),
        "subject": Subject(external or "planned:1", "张总", external),
        "claim": Claim(name="张总", company="某某公司", phone="13800001234", signed=None),
        "facts": {"sender.level": 2, "claim.signed": True, "x": 1.5},
        "verdict": Verdict(Outcome.APPROVAL, Reason.RULE, rules=("vip",), chain="lead"),
        "created_at": NOON,
        "chain": (Stage(groups=()),),
        "approvers": (a_person("WangFang", "王芳"), a_person("liqiang", "李强")),
    }
    return Request(**(values | changes))


def a_record(kind: str = "request.created", **changes: Any) -> AuditRecord:
    values: dict[str, Any] = {"at": NOON, "actor": "user:lina", "kind": kind}
    return AuditRecord(**(values | changes))


def a_job(lane: str, body: str = "", **changes: Any) -> Job:
    values: dict[str, Any] = {"queue": Queue.INBOX, "kind": "event", "lane": lane, "body": body}
    return Job(**(values | changes))
