"""Makes recorded decisions, as the requests table has them."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from storage.stored import Stored
from tests.makers_policy import FACTS, MORNING
from tests.makers_storage import a_request
from workflows.directory import Department, Directory, Member
from workflows.model import Facts, Person
from workflows.policy import Policy, decide
from workflows.replaying import Decision, Judged, Replay
from workflows.standing import Standing

LIN = Person("linmei", "林梅")
SALES = Department(2, "Sales")
# Lin Mei sells, as a_policy's roles have it; nobody else is there.
COMPANY = Directory.of([Member("linmei", "林梅", (2,))], [Department(1, "Company"), SALES])
KNOWN: Facts = {**FACTS, "sender.roles": frozenset({"seller"})}


def a_decision(
    policy: Policy, facts: Facts = KNOWN, at: datetime = MORNING, **changes: Any
) -> Decision:
    """Return what is on record of a decision by this policy, read as storage reads it."""
    action = changes.get("action", "friend.add")
    verdict = decide(policy, facts, action, at)
    values = {"requester": LIN, "facts": facts, "verdict": verdict, "created_at": at}
    request = a_request(**{**values, **changes})
    return Stored(Decision).load(Stored(type(request)).dump(request))


def judged_again(
    old: Policy, new: Policy, decision: Decision | None = None, company: Directory = COMPANY
) -> Judged:
    """Return what `new` says of a decision that `old` made."""
    return Replay(Standing(new, company)).judge_again(decision or a_decision(old), old)
