"""Finds who may decide at a stage, and whether these people are enough for its quorum."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from workflows.absences import chain_from
from workflows.directory import Directory
from workflows.model import Answer, Group, Person, Request, Stage, same_user
from workflows.plans import TakeOver

# The people of each group of a stage, in the order of its groups.
Panel = tuple[tuple[Person, ...], ...]

NO_STAGE = Stage(groups=())


@dataclass(frozen=True, slots=True)
class Sources:
    """Where approvers come from, as things stand now."""

    directory: Directory
    holders: Callable[[str], frozenset[str]]  # userids of a role; empty for an unknown one
    owners: tuple[str, ...] = ()  # members who follow the customer of the request
    away: Callable[[], Mapping[str, str]] = dict  # who is away, lower case, and whom they named


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody who may decide, and the absent approver in whose place."""

    person: Person
    on_behalf: Person | None = None


def stage_of(request: Request) -> Stage:
    """Return the stage the request stands at; a chain that is too short has one without groups."""
    return request.chain[request.stage] if request.stage < len(request.chain) else NO_STAGE


def concerned(request: Request) -> frozenset[str]:
    """Return, in lower case, who may never decide: the requester and whom the request is for."""
    target = request.facts.get("request.target", frozenset())
    targets = {target} if isinstance(target, str) else target
    named = targets if isinstance(targets, (set, frozenset)) else frozenset()
    takers = request.plan.to if isinstance(request.plan, TakeOver) else ()
    return frozenset(userid.lower() for userid in {request.requester.userid, *named, *takers})


def delegates_of_concerned(request: Request, sources: Sources) -> frozenset[str]:
    """Return, in lower case, who acts for the requester or for whom the request is for."""
    away = sources.away()
    acting = (each for userid in concerned(request) for each in chain_from(userid, away))
    return frozenset(each.lower() for each in acting)


def resolve(groups: Iterable[Group], request: Request, sources: Sources) -> Panel:
    """Return who may decide now at the request's present stage, group by group.

    Sources are `manager_of_sender`, `manager_of_approver` (of those who approved the stage before),
    `manager_of:ID` (from within), `leaders_of:DEPARTMENT`, `role:NAME`, `tag:NAME`, `user:ID` and
    `owner_of_customer`; an unknown one names nobody. Only active members count, never those whom
    the request concerns nor who acts for them, and nobody who voted at an earlier stage, in person
    or through somebody else, unless the stage says `repeat`. For who is away stands whom they have
    named, if that one may decide; else they stay asked themselves.
    """
    barred = _barred(request, sources)
    return tuple(
        people_in((tuple(s.person for s in _seats(group, request, sources, barred)),))
        for group in groups
    )


def on_behalf(
    userid: str, groups: Iterable[Group], request: Request, sources: Sources
) -> Person | None:
    """Return in whose place somebody may decide; None for who may in their own right."""
    barred = _barred(request, sources)
    mine = [
        seat.on_behalf
        for group in groups
        for seat in _seats(group, request, sources, barred)
        if same_user(seat.person.userid, userid)
    ]
    return None if None in mine or not mine else mine[0]


def unreachable(people: Iterable[Person], sources: Sources) -> frozenset[str]:
    """Return, in lower case, who of those asked is away with nobody who could act for them."""
    return ids_of(people) & frozenset(sources.away())


def may_take_over(userid: str, request: Request, sources: Sources) -> Person | None:
    """Return a member who could be asked besides those whom the stage names, None if not them."""
    found = sources.directory.active((userid,))
    member = sources.directory.member(found[0]) if found else None
    if member is None or member.userid.lower() in _barred(request, sources):
        return None
    return Person(member.userid, member.name)


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


def with_stand_ins(
    groups: Sequence[Group],
    own: Panel,
    stand_ins: tuple[Person, ...],
    missing: frozenset[str] = frozenset(),
) -> Panel:
    """Return the panel with fallback people added, the quorum unchanged.

    They join the groups that have too few people of their own, the `missing` (lower-case userids)
    left out. If no group is short by itself, or if that does not suffice, they join every group.
    """
    everywhere = tuple(people_in((people, stand_ins)) for people in own)
    short = [
        len(ids_of(people) - missing) < _need(group)
        for group, people in zip(groups, own, strict=True)
    ]
    joined = tuple(
        wide if is_short else people
        for wide, people, is_short in zip(everywhere, own, short, strict=True)
    )
    everybody = ids_of(people_in(joined)) - missing
    return joined if any(short) and can_fill(groups, joined, everybody) else everywhere


def _need(group: Group) -> int:
    return max(1, group.need)


def _barred(request: Request, sources: Sources) -> frozenset[str]:
    others = ids_of(request.barred) | _voted_before(request)
    return concerned(request) | delegates_of_concerned(request, sources) | others


def _voted_before(request: Request) -> frozenset[str]:
    if stage_of(request).repeat:
        return frozenset()
    before = [vote for vote in request.votes if vote.stage < request.stage]
    absent = (vote.on_behalf for vote in before if vote.on_behalf)
    return ids_of(vote.by for vote in before) | ids_of(absent)


def _seats(
    group: Group, request: Request, sources: Sources, barred: frozenset[str]
) -> Iterator[Seat]:
    """Yield who decides for each whom the group names; one person may come more than once."""
    directory = sources.directory
    named = (who for source in group.sources for who in _named_by(source, request, sources))
    for userid in directory.active(named):
        if userid.lower() in barred:
            continue
        asked = _usable(_handed(userid, request), barred, directory) or userid
        acting = _voted_for(asked, request) or _standing_in(asked, barred, sources)
        seated = _usable(acting, barred, directory) or asked
        absent = None if same_user(seated, asked) else _person(asked, directory)
        yield Seat(_person(seated, directory), absent)


def _handed(userid: str, request: Request) -> str:
    """Return who has an approver's place after everything that was handed over at this stage."""
    for each in request.handed:
        if each.stage == request.stage and same_user(each.by.userid, userid):
            userid = each.to.userid
    return userid


def _voted_for(userid: str, request: Request) -> str:
    """Return who has voted at this stage in an absent approver's place: that vote stands."""
    for vote in request.votes:
        absent = vote.on_behalf if vote.stage == request.stage else None
        if absent is not None and same_user(absent.userid, userid):
            return vote.by.userid
    return ""


def _standing_in(userid: str, barred: frozenset[str], sources: Sources) -> str:
    """Return who acts for a member; for nobody usable at the end of the chain, the member."""
    away = sources.away()
    if userid.lower() not in away:
        return userid
    chain = chain_from(userid, away)
    usable = all(_usable(each, barred, sources.directory) for each in chain)
    return chain[-1] if chain and usable and chain[-1].lower() not in away else userid


def _usable(userid: str, barred: frozenset[str], directory: Directory) -> str:
    """Return the userid as the directory spells it, '' for who may not decide."""
    found = directory.active((userid,)) if userid.lower() not in barred else ()
    return found[0] if found else ""


def _person(userid: str, directory: Directory) -> Person:
    member = directory.member(userid)
    return Person(member.userid, member.name) if member else Person(userid, userid)


def _named_by(source: str, request: Request, sources: Sources) -> Iterable[str]:
    kind, _, name = source.partition(":")
    directory = sources.directory
    named: Iterable[str] = ()
    match kind:
        case "manager_of_sender":
            named = directory.manager_of(request.requester.userid)
        case "manager_of_approver":
            named = _managers_of_deciders(request, directory)
        case "manager_of":
            named = directory.manager_of(name)
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
