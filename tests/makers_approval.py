"""Makes small companies, requests and relations for tests of approvals and containment."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from workflows import approval
from workflows.approvers import Sources
from workflows.claims import Claim
from workflows.directory import Department, Directory, Member
from workflows.effects import Effect
from workflows.model import (
    Facts,
    Group,
    Origin,
    Outcome,
    Person,
    Reason,
    Relation,
    RelationState,
    Request,
    Stage,
    Subject,
    Verdict,
)
from workflows.steps import Step

NOON = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)
DUE = NOON + timedelta(hours=8)
ADMINS = ("role:admin",)


def a_company() -> Directory:
    """lin sells for wang, who reports to li; zhao and chen are admins."""
    return Directory.of(
        [
            Member("lin", "林", (2,), 2, direct_leaders=("wang",)),
            Member("qian", "钱", (2,), 2, tags=frozenset({"法务"})),
            Member("Wang", "王", (2,), 2, leads=(2,), direct_leaders=("li",)),
            Member("li", "李", (1,), 1),
            Member("zhao", "赵", (1,), 1),
            Member("chen", "陈", (1,), 1),
        ],
        [Department(1, "公司", 0), Department(2, "销售部", 1)],
    )


ROLES: Mapping[str, frozenset[str]] = {
    "lead": frozenset({"wang"}),
    "director": frozenset({"li"}),
    "admin": frozenset({"zhao", "chen"}),
}


def some_sources(
    roles: Mapping[str, frozenset[str]] = ROLES,
    directory: Directory | None = None,
    owners: tuple[str, ...] = (),
) -> Sources:
    def holders(role: str) -> frozenset[str]:
        return roles.get(role, frozenset())

    return Sources(directory or a_company(), holders, owners)


def a_group(*sources: str, need: int = 1) -> Group:
    return Group(sources, need)


def a_stage(*sources: str, need: int = 1, deny: int = 1, repeat: bool = False) -> Stage:
    return Stage((Group(sources, need),), deny, repeat)


def a_verdict(
    outcome: Outcome = Outcome.APPROVAL,
    *,
    chain: str | None = "lead",
    policy: str = "p1",
    auto_review: str | None = None,
) -> Verdict:
    return Verdict(outcome, Reason.RULE, chain=chain, policy=policy, auto_review=auto_review)


def a_request(
    *stages: Stage,
    requester: str = "lin",
    verdict: Verdict | None = None,
    facts: Facts | None = None,
    origin: Origin = Origin.ASKED,
    due_at: datetime | None = DUE,
) -> Request:
    """A request not yet opened; without stages wang, the requester's manager, decides."""
    return Request(
        id="A7K2",
        action="friend.add",
        origin=origin,
        requester=Person(requester, "林"),
        subject=Subject("planned:1", "张总"),
        claim=Claim(),
        facts=facts or {},
        verdict=verdict or a_verdict(),
        created_at=NOON,
        due_at=due_at,
        chain=stages or (a_stage("manager_of_sender"),),
    )


def opened(
    request: Request, sources: Sources | None = None, fallback: tuple[str, ...] = ADMINS
) -> Request:
    return approval.open_request(request, sources or some_sources(), fallback, NOON)[0]


def after(
    request: Request,
    *steps: Step,
    sources: Sources | None = None,
    at: datetime = NOON,
    fallback: tuple[str, ...] = ADMINS,
) -> Request:
    """Return the request after the steps; what follows from them is dropped."""
    for step in steps:
        request, _ = moved(request, step, sources=sources, at=at, fallback=fallback)
    return request


def moved(
    request: Request,
    step: Step,
    *,
    sources: Sources | None = None,
    at: datetime = NOON,
    fallback: tuple[str, ...] = ADMINS,
) -> tuple[Request, tuple[Effect, ...]]:
    return approval.advance(request, step, sources or some_sources(), fallback, at)


def ids(people: tuple[Person, ...]) -> set[str]:
    return {person.userid.lower() for person in people}


def kinds(effects: tuple[Effect, ...]) -> list[str]:
    return [type(effect).__name__ for effect in effects]


def an_add(
    *,
    remark: str = "",
    tags: frozenset[str] = frozenset(),
    state: RelationState = RelationState.ADDED,
) -> Relation:
    return Relation("lin", "wmCustomer", state, remark=remark, tags=tags)
