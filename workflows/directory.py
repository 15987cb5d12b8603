"""The company's members and departments, and who stands above whom."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from workflows.model import same_user

# WeCom's member status; 4 is not activated (document 90970).
ACTIVE, DISABLED, LEFT = 1, 2, 5


@dataclass(frozen=True, slots=True)
class Member:
    """An employee as WeCom last described them (document 90196)."""

    userid: str
    name: str
    departments: tuple[int, ...] = ()
    main_department: int = 0
    leads: tuple[int, ...] = ()  # departments in which `is_leader_in_dept` is 1
    direct_leaders: tuple[str, ...] = ()
    position: str = ""
    tags: frozenset[str] = frozenset()
    status: int = ACTIVE


@dataclass(frozen=True, slots=True)
class Department:
    """A department; the root is 1 and has parent 0."""

    id: int
    name: str
    parent: int = 0
    leaders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Directory:
    """A snapshot of the whole company. Look-ups ignore the case of userids.

    WeCom shows leaders and departments only as far as the app may see them, so any of them can be
    missing; a broken or circular tree is walked as far as it goes, never for ever.
    """

    members: Mapping[str, Member] = field(default_factory=dict)  # by lower-case userid
    departments: Mapping[int, Department] = field(default_factory=dict)
    tag_names: frozenset[str] = frozenset()  # directory tags that exist, also on nobody
    _leaders: Mapping[int, tuple[str, ...]] = field(init=False, repr=False, compare=False)
    _named: Mapping[str, Department | None] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Indexed once: both are asked for on every request, in companies of many thousands.
        object.__setattr__(self, "_leaders", self._all_leaders())
        object.__setattr__(self, "_named", _by_name(self.departments.values()))

    @classmethod
    def of(
        cls,
        members: Iterable[Member],
        departments: Iterable[Department] = (),
        tag_names: Iterable[str] = (),
    ) -> Directory:
        """Return the directory of these members and departments."""
        return cls(
            {m.userid.lower(): m for m in members},
            {d.id: d for d in departments},
            frozenset(tag_names),
        )

    def member(self, userid: str) -> Member | None:
        """Return the member, whatever the spelling of the userid."""
        return self.members.get(userid.lower())

    def active(self, userids: Iterable[str]) -> tuple[str, ...]:
        """Return those who are members in active service, each once, as WeCom spells them."""
        found = (self.member(userid) for userid in userids)
        return tuple(dict.fromkeys(m.userid for m in found if m and m.status == ACTIVE))

    def tagged(self, tag: str) -> tuple[str, ...]:
        """Return the active members who carry a directory tag."""
        return self.active(m.userid for m in self.members.values() if tag in m.tags)

    def departments_of(self, userid: str) -> frozenset[str]:
        """Return the names of the member's departments and of all departments above them."""
        return frozenset(above.name for above in self._all_above(userid))

    def units_of(self, userid: str) -> frozenset[int]:
        """Return the numbers of the member's departments and of all departments above them."""
        return frozenset(above.id for above in self._all_above(userid))

    def department_named(self, name: str) -> Department | None:
        """Return the department of that name; None if there is none, or if several share it.

        WeCom lets departments in different places share a name. Whose leaders are meant is then
        anybody's guess, and a guess must not make approvers.
        """
        return self._named.get(name)

    def leaders_of(self, name: str) -> tuple[str, ...]:
        """Return the active leaders of a department: those it names, then members who lead it."""
        department = self.department_named(name)
        return self._leaders.get(department.id, ()) if department else ()

    def led(self) -> dict[str, frozenset[int]]:
        """Return the departments that each active leader leads, by lower-case userid."""
        found: dict[str, frozenset[int]] = {}
        for unit, leaders in self._leaders.items():
            for userid in leaders:
                found[userid.lower()] = found.get(userid.lower(), frozenset()) | {unit}
        return found

    def manager_of(self, userid: str) -> tuple[str, ...]:
        """Return who stands above a member, () if nobody does.

        That is the direct leader; without one, the leaders of the main department; without any
        besides the member, those of the nearest department above it. Only active people count.
        """
        member = self.member(userid)
        if member is None:
            return ()
        direct = self._others(member, self.active(member.direct_leaders))
        if direct:
            return direct
        for department in self._upwards(_main_department(member)):
            leaders = self._others(member, self._leaders.get(department.id, ()))
            if leaders:
                return leaders
        return ()

    def _others(self, member: Member, userids: Iterable[str]) -> tuple[str, ...]:
        return tuple(userid for userid in userids if not same_user(userid, member.userid))

    def _upwards(self, start: int) -> Iterator[Department]:
        """Walk from a department to the root, visiting each department once."""
        seen: set[int] = set()
        at = self.departments.get(start)
        while at is not None and at.id not in seen:
            seen.add(at.id)
            yield at
            at = self.departments.get(at.parent)

    def _all_above(self, userid: str) -> Iterator[Department]:
        member = self.member(userid)
        for start in member.departments if member else ():
            yield from self._upwards(start)

    def _all_leaders(self) -> dict[int, tuple[str, ...]]:
        named = {d.id: list(d.leaders) for d in self.departments.values()}
        for member in self.members.values():
            for department in member.leads:
                named.setdefault(department, []).append(member.userid)
        return {department: self.active(userids) for department, userids in named.items()}


def _main_department(member: Member) -> int:
    """Return the main department, or the first one where WeCom does not show which is."""
    first = member.departments[0] if member.departments else 0
    return member.main_department or first


def _by_name(departments: Iterable[Department]) -> dict[str, Department | None]:
    named: dict[str, Department | None] = {}
    for department in departments:
        named[department.name] = None if department.name in named else department
    return named
