"""Makes rulebooks and policies for tests: a small company whose sellers may add friends."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from workflows import mistakes, policy, rulebook
from workflows.model import Facts, Verdict
from workflows.policy import Policy
from workflows.schedules import NO_HOLIDAYS, Holidays
from workflows.sections import Rulebook

MORNING = datetime(2026, 1, 7, 2, 0, tzinfo=UTC)  # Wednesday 10:00 in Shanghai

# Every fact that the makers' rules read, known and harmless.
FACTS: Facts = {
    "sender.level": 2,
    "sender.userid": "linmei",
    "customer.corp_name": "甲公司",
    "customer.tags": frozenset(),
    "customer.owner_count": 0,
    "customer.x.deal_amount": 0,
    "contact.way": "qr",
    "today.adds": 3,
}


def policy_data(**sections: Any) -> dict[str, Any]:
    """Return the sections of a small, valid file, with `sections` put in."""
    return {
        "timezone": "Asia/Shanghai",
        "attributes": {"customer.x.deal_amount": {"type": "int"}},
        "defaults": {"chain": "lead"},
        "roles": {
            "seller": {"level": 2, "members": ["department:Sales"]},
            "admin": {"level": 5, "members": ["user:zhaomin"]},
        },
        "permissions": {"friend.add": {"allow": 2, "approval": 1}},
        "chains": {
            "lead": {"stages": [{"from": ["manager_of_sender"]}]},
            "director": {"stages": [{"from": ["role:admin"]}]},
        },
        "chain_defaults": {"strictness": ["lead", "director"]},
        "schedules": {"work_hours": {"hours": "09:00-19:00"}},
        **sections,
    }


def a_rule(rule_id: str, when: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """Return a rule on `friend.add` that denies, unless told otherwise."""
    condition = {} if when is None else {"when": dict(when)}
    return {"id": rule_id, "action": ["friend.add"], "then": "deny", **condition, **more}


def a_review(review_id: str, when: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """Return an auto-review on `friend.add` that approves, unless told otherwise."""
    fixed = {"id": review_id, "action": ["friend.add"], "when": dict(when), "decide": "approve"}
    return {**fixed, "expires": datetime(2027, 3, 31).date(), **more}  # noqa: DTZ001


def a_rulebook(**sections: Any) -> Rulebook:
    """Return the rulebook of `policy_data`; AssertionError names what is wrong with it."""
    book, wrong = rulebook.read(policy_data(**sections))
    assert book is not None, [(m.place, m.code) for m in wrong]
    return book


def a_policy(*rules: Mapping[str, Any], holidays: Holidays = NO_HOLIDAYS, **more: Any) -> Policy:
    """Return a compiled policy with these rules."""
    return policy.compile_policy(a_rulebook(rule=[dict(r) for r in rules], **more), holidays)


def judged(made: Policy, facts: Facts | None = None, **more: Any) -> Verdict:
    """Return the verdict on `friend.add` on a Wednesday morning; FACTS unless others are given."""
    at = more.pop("at", MORNING)
    granted = {"sender.grants": more.pop("granted")} if "granted" in more else {}
    known = {**(FACTS if facts is None else facts), **granted}
    return policy.decide(made, known, "friend.add", at, **more)


def without(*names: str) -> Facts:
    """Return FACTS with some of them unknown."""
    return {name: value for name, value in FACTS.items() if name not in names}


def wrong_in(**sections: Any) -> list[tuple[str, str]]:
    """Return place and code of every mistake in a file with these sections."""
    _, wrong = rulebook.read(policy_data(**sections))
    return [(m.place, m.code) for m in wrong]


def mistakes_in(**sections: Any) -> list[mistakes.Mistake]:
    """Return every mistake in a file with these sections."""
    return rulebook.read(policy_data(**sections))[1]
