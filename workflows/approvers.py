"""Finds who may decide at a stage, and whether these people are enough for its quorum."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from workflows.directory import Directory
from workflows.model import Answer, Group, Person, Request, Stage

# The people of each group of a stage, in the order of its groups.
Panel = tuple[tuple[Person, ...], ...]

NO_STAGE = Stage(groups=())


@dataclass(frozen=True, slots=True)
class Sources:
    """Where approvers come from, as things stand now."""

    directory: Directory
    holders: Callable[[str], frozenset[str]]  # userids of a role; empty for an unknown one
    owners: tuple[str, ...] = ()  # members who follow the customer of the request


def stage_of(request: Request) -> Stage:
    """Return the stage the request stands at; a chain that is too short has one without groups."""
    return request.chain[request.stage] if request.stage < len(request.chain) else NO_STAGE


def concerned(request: Request) -> frozenset[str]:
    """Return, in lower case, who may never decide: the requester and whom the request is for."""
    target = request.facts.get("request.target", frozenset())
    targets = {target} if isinstance(target, str) else target
    named = targets if isinstance(targets, (set, frozenset)) else frozenset()
    return frozenset(userid.lower() for userid in {request.requester.userid, *named})


def resolve(groups: Iterable[Group], request: Request, sources: Sources) -> Panel:
    """Return who may decide now at the request's present stage, group by group.

    Sources are `manager_of_sender`, `manager_of_approver` (of those who approved the stage before),
    `leaders_of:DEPARTMENT`, `role:NAME`, `tag:NAME`, `user:ID` and `owner_of_customer`; an unknown
    one names nobody. Only active members count, never the requester nor the person the request is
    for, and nobody who voted at an earlier stage unless the stage says `repeat`.
    """
    barred = concerned(request) | _voted_before(request)
    return tuple(_people(group, request, sources, barred) for group in groups)


def people_in(panel: Panel) -> tuple[Person, ...]:
    """Return everybody on the panel once."""
    return tuple({person.userid.lower(): person for group in panel for person in group}.values())


def ids_of(people: Iterable[Person]) -> frozenset[str]:
    """Return the userids in lower case, as they are compared."""
    return frozenset(person.userid.lower() for person in people)


def can_fill(groups: Sequence[Group], panel: Panel, willing: Iterable[str]) -> bool:
    """Whether `willing` people (lower-case userids) reach the quorum of every group.

    Nobody counts twice, so people who belong to several groups are given to the one that needs
    them. A stage without groups cannot be filled, and a quorum is at least 1.
    """
    chosen = frozenset(willing)
    pools = [ids_of(people) & chosen for people in panel]
    if not groups or any(_need(g) > len(p) for g, p in zip(groups, pools, strict=True)):
        return False
    seats = [pool for g, pool in zip(groups, pools, strict=True) for _ in range(_need(g))]
    return _seat_all(seats)


def with_stand_ins(groups: Sequence[Group], own: Panel, stand_ins: tuple[Person, ...]) -> Panel:
    """Return the panel with fallback people added, the quorum unchanged.

    They join the groups that have too few people of their own. If no group is short by itself, or
    if that does not suffice, they join every group.
    """
    everywhere = tuple(people_in((people, stand_ins)) for people in own)
    short = [len(people) < _need(group) for group, people in zip(groups, own, strict=True)]
    joined = tuple(
        wide if is_short else people
        for wide, people, is_short in zip(everywhere, own, short, strict=True)
    )
    everybody = ids_of(people_in(joined))
    return joined if any(short) and can_fill(groups, joined, everybody) else everywhere


def _need(group: Group) -> int:
    return max(1, group.need)


def _voted_before(request: Request) -> frozenset[str]:
    if stage_of(request).repeat:
        return frozenset()
    return ids_of(vote.by for vote in request.votes if vote.stage < request.stage)


def _people(
    group: Group, request: Request, sources: Sources, barred: frozenset[str]
) -> tuple[Person, ...]:
    directory = sources.directory
    named = (who for source in group.sources for who in _named_by(source, request, sources))
    members = (directory.member(userid) for userid in directory.active(named))
    return tuple(Person(m.userid, m.name) for m in members if m and m.userid.lower() not in barred)


def _named_by(source: str, request: Request, sources: Sources) -> Iterable[str]:
    kind, _, name = source.partition(":")
    directory = sources.directory
    named: Iterable[str] = ()
    match kind:
        case "manager_of_sender":
            named = directory.manager_of(request.requester.userid)
        case "manager_of_approver":
            named = _managers_of_deciders(request, directory)
        case "leaders_of":
            named = directory.leaders_of(name)
        case "role":
            named = sorted(sources.holders(name))
        case "tag":
            named = directory.tagged(name)
        case "user":
            named = (name,)
        case "owner_of_customer":
            named = sources.owners
    return named


def _managers_of_deciders(request: Request, directory: Directory) -> Iterable[str]:
    for vote in request.votes:
        if vote.stage == request.stage - 1 and vote.answer is Answer.APPROVE:
            yield from directory.manager_of(vote.by.userid)


def _seat_all(seats: list[frozenset[str]]) -> bool:
    """Whether each seat can have a person of its own (bipartite matching by augmenting paths)."""
    taken: dict[str, int] = {}

    def place(seat: int, tried: set[str]) -> bool:
        for person in seats[seat] - tried:
            tried.add(person)
            if person not in taken or place(taken[person], tried):
                taken[person] = seat
                return True
        return False

    return all(place(seat, set()) for seat in range(len(seats)))
