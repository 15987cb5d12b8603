"""What happened to members between two readings of the directory, and what it gave or took."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import TypeVar

from workflows import permissions, roles
from workflows.directory import ACTIVE, DISABLED, LEFT, Directory, Member
from workflows.permissions import Change, RoleChange
from workflows.standing import Standing

_Any = TypeVar("_Any")
_Differs = TypeVar("_Differs", Change, RoleChange)


class What(StrEnum):
    """What can happen to a member. The words are those of the record and of the texts."""

    JOINED = "joined"
    LEFT = "left"
    GONE = "gone"  # shown no more: left, or out of the app's sight; WeCom does not say which
    DISABLED = "disabled"
    BACK = "back"
    RENAMED = "renamed"  # another userid
    ENTERED = "entered"  # a department
    WITHDREW = "withdrew"
    TAGGED = "tagged"
    UNTAGGED = "untagged"
    POSITION = "position"
    LEADS = "leads"
    LEADS_NO_MORE = "leads_no_more"
    DEPARTMENT_RENAMED = "department_renamed"  # one that they are in, or one above it
    DEPARTMENT_MOVED = "department_moved"
    DIRECTORY = "directory"  # something else, such as a second department of the same name


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened: `name` is the department, tag, position or userid of now."""

    what: What
    name: str = ""
    before: str = ""

    def __str__(self) -> str:
        return " ".join(filter(None, (self.what.value, self.before, self.name)))


@dataclass(frozen=True, slots=True)
class PersonChange:
    """Everything that changed for one member."""

    userid: str
    name: str  # as WeCom showed it last: who is gone is in no directory any more
    facts: tuple[Fact, ...]
    roles: tuple[RoleChange, ...] = ()
    actions: tuple[Change, ...] = ()

    @property
    def counts(self) -> bool:
        """Whether anybody's powers are other than before: to act, or to decide as a leader."""
        leading = any(fact.what in {What.LEADS, What.LEADS_NO_MORE} for fact in self.facts)
        return bool(self.roles or self.actions or leading)

    @property
    def gained(self) -> bool:
        """Whether anything was gained by it."""
        return any(r.gained for r in self.roles) or any(c.gained for c in self.actions)


@dataclass(frozen=True, slots=True)
class Alike:
    """People to whom the very same happened, with the same effect. `one` stands for all."""

    one: PersonChange
    names: tuple[str, ...]


def between(
    before: Standing, after: Standing, renamed: Mapping[str, str] | None = None
) -> tuple[PersonChange, ...]:
    """Return whoever something happened to, or whose permissions are others now, by userid.

    `renamed` names those who kept everything but their userid: old (lower case) → new.
    """
    renamed = renamed or {}
    before, after = _narrowed(before, after)
    was = with_userids(before.directory, renamed)
    what = _Happened(was, after.directory, {new.lower(): u for u, new in renamed.items()})
    actions = _by_person(_action_changes(before, after, renamed))
    moved = _by_person(_role_changes(before, after, renamed))
    found: list[PersonChange] = []
    for key in sorted({*was.members, *after.directory.members}):
        now = after.directory.members.get(key) or was.members[key]
        name = now.name or now.userid
        own = PersonChange(now.userid, name, what.to(key), moved.get(key, ()), actions.get(key, ()))
        if not own.facts and (own.roles or own.actions):
            own = replace(own, facts=what.above(key))
        if own.facts:
            found.append(own)
    return tuple(found)


def _narrowed(before: Standing, after: Standing) -> tuple[Standing, Standing]:
    """Leave out whom nothing can have happened to: most people of a large company, mostly.

    While rules and departments stay the same, what somebody may do hangs on their own record alone.
    """
    old, new = before.directory, after.directory
    if before.policy is not after.policy or old.departments != new.departments:
        return before, after
    keys = [k for k in {*old.members, *new.members} if old.members.get(k) != new.members.get(k)]
    return _only(before, keys), _only(after, keys)


def _only(standing: Standing, keys: Iterable[str]) -> Standing:
    known = standing.directory
    members = {key: known.members[key] for key in keys if key in known.members}
    return Standing(standing.policy, Directory(members, known.departments, known.tag_names))


def with_userids(directory: Directory, renamed: Mapping[str, str]) -> Directory:
    """Return a directory as if some members had always had another userid."""
    if not renamed:
        return directory

    def name(userid: str) -> str:
        return renamed.get(userid.lower(), userid)

    members = (
        replace(m, userid=name(m.userid), direct_leaders=tuple(map(name, m.direct_leaders)))
        for m in directory.members.values()
    )
    units = (
        replace(each, leaders=tuple(map(name, each.leaders)))
        for each in directory.departments.values()
    )
    return Directory.of(members, units, directory.tag_names)


def alike(found: tuple[PersonChange, ...]) -> tuple[Alike, ...]:
    """Put together those to whom the same happened: gains first, then the larger groups."""
    groups: dict[object, list[PersonChange]] = {}
    for each in found:
        effect = (
            tuple((r.role, r.gained) for r in each.roles),
            tuple((c.action, c.before, c.after) for c in each.actions),
        )
        groups.setdefault((each.facts, effect), []).append(each)
    together = [Alike(each[0], tuple(p.name for p in each)) for each in groups.values()]
    return tuple(sorted(together, key=lambda a: (not a.one.gained, -len(a.names), a.names)))


def _action_changes(
    before: Standing, after: Standing, renamed: Mapping[str, str]
) -> tuple[Change, ...]:
    was = permissions.table(before.policy, before.directory)
    now = permissions.table(after.policy, after.directory)
    return permissions.changes(_under_new_names(was, renamed), now)


def _role_changes(
    before: Standing, after: Standing, renamed: Mapping[str, str]
) -> tuple[RoleChange, ...]:
    was = roles.table(before.policy.rulebook.roles, before.directory)
    now = roles.table(after.policy.rulebook.roles, after.directory)
    return permissions.role_changes(_under_new_names(was, renamed), now)


def _under_new_names(table: Mapping[str, _Any], renamed: Mapping[str, str]) -> dict[str, _Any]:
    """Return what people had by their old userids: the rules may name them by these."""
    return {renamed.get(userid.lower(), userid): value for userid, value in table.items()}


def _by_person(found: tuple[_Differs, ...]) -> dict[str, tuple[_Differs, ...]]:
    people: dict[str, list[_Differs]] = {}
    for each in found:
        people.setdefault(each.userid.lower(), []).append(each)
    return {key: tuple(each) for key, each in people.items()}


class _Happened:
    """Compares two directories, member by member."""

    def __init__(self, before: Directory, after: Directory, former: Mapping[str, str]) -> None:
        self._before, self._after, self._former = before, after, former
        self._led, self._leads = before.led(), after.led()
        self._units = _unit_facts(before, after)

    def to(self, key: str) -> tuple[Fact, ...]:
        """Return what happened to one member."""
        was, now = self._before.members.get(key), self._after.members.get(key)
        known: tuple[Fact, ...] = ()
        if now is not None and key in self._former:
            known = (Fact(What.RENAMED, now.userid, self._former[key]),)
        came = _active(now) and not _active(was)
        went = _active(was) and not _active(now)
        if now is not None and came:
            back = was is not None and was.status in {DISABLED, LEFT}
            where = ", ".join(self._names(now.departments))
            return (*known, Fact(What.BACK if back else What.JOINED, where))
        if went:
            return (*known, Fact(_ENDS.get(now.status, What.GONE) if now else What.GONE))
        if was is None or now is None or not _active(now):
            return known
        return (*known, *self._moved(was, now), *self._led_by(key))

    def above(self, key: str) -> tuple[Fact, ...]:
        """Return what happened around a member to whom nothing happened."""
        units = self._before.units_of(key) | self._after.units_of(key)
        found = tuple(self._units[unit] for unit in sorted(units) if unit in self._units)
        return found or (Fact(What.DIRECTORY),)

    def _moved(self, was: Member, now: Member) -> Iterator[Fact]:
        old, new = set(was.departments), set(now.departments)
        for name in self._names(sorted(new - old)):
            yield Fact(What.ENTERED, name)
        for name in self._names(sorted(old - new)):
            yield Fact(What.WITHDREW, name)
        for tag in sorted(now.tags - was.tags):
            yield Fact(What.TAGGED, tag)
        for tag in sorted(was.tags - now.tags):
            yield Fact(What.UNTAGGED, tag)
        if was.position != now.position:
            yield Fact(What.POSITION, now.position, was.position)

    def _led_by(self, key: str) -> Iterator[Fact]:
        old, new = self._led.get(key, frozenset()), self._leads.get(key, frozenset())
        for name in self._names(sorted(new - old)):
            yield Fact(What.LEADS, name)
        for name in self._names(sorted(old - new)):
            yield Fact(What.LEADS_NO_MORE, name)

    def _names(self, units: Iterator[int] | tuple[int, ...] | list[int]) -> list[str]:
        every = {**self._before.departments, **self._after.departments}
        return [every[unit].name if unit in every else str(unit) for unit in units]


_ENDS: Mapping[int, What] = {DISABLED: What.DISABLED, LEFT: What.LEFT}


def _active(member: Member | None) -> bool:
    return member is not None and member.status == ACTIVE


def _unit_facts(before: Directory, after: Directory) -> dict[int, Fact]:
    found: dict[int, Fact] = {}
    for unit, now in after.departments.items():
        was = before.departments.get(unit)
        if was is not None and was.name != now.name:
            found[unit] = Fact(What.DEPARTMENT_RENAMED, now.name, was.name)
        elif was is not None and was.parent != now.parent:
            found[unit] = Fact(What.DEPARTMENT_MOVED, now.name)
    return found
