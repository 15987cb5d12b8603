"""Who may do what by level, and what a change of rules or people gives to whom or takes away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeVar

from workflows import roles
from workflows.attributes import ACTIONS
from workflows.directory import Directory
from workflows.model import Outcome
from workflows.policy import Policy, permission

# What each member may do by level alone, by userid and action.
Table = Mapping[str, Mapping[str, Outcome]]
RoleTable = Mapping[str, frozenset[str]]


@dataclass(frozen=True, slots=True)
class Change:
    """What one person may do differently."""

    userid: str
    action: str
    before: Outcome
    after: Outcome

    @property
    def gained(self) -> bool:
        """Whether it became easier; else it was lost or became harder."""
        return self.after < self.before


@dataclass(frozen=True, slots=True)
class RoleChange:
    """A role that one person was given or lost."""

    userid: str
    role: str
    gained: bool


@dataclass(frozen=True, slots=True)
class Shift:
    """The same change for everybody it happens to: what an admin is told."""

    action: str
    before: Outcome
    after: Outcome
    userids: tuple[str, ...]

    @property
    def gained(self) -> bool:
        """Whether it became easier for them."""
        return self.after < self.before


@dataclass(frozen=True, slots=True)
class RoleShift:
    """Everybody who was given, or lost, one role."""

    role: str
    gained: bool
    userids: tuple[str, ...]


def table(policy: Policy, directory: Directory) -> Table:
    """Return what every active member may do by level alone; rules may tighten it."""
    book = policy.rulebook
    by_level: dict[int, Mapping[str, Outcome]] = {}
    found: dict[str, Mapping[str, Outcome]] = {}
    for userid, held in roles.table(book.roles, directory).items():
        level = roles.highest(book.roles, held)
        if level not in by_level:
            by_level[level] = {action: permission(book, action, level) for action in ACTIONS}
        found[userid] = by_level[level]
    return found


def changes(before: Table, after: Table) -> tuple[Change, ...]:
    """Return what differs, person by person. Who is not in a table may do nothing in it."""
    old, new = _folded(before), _folded(after)
    return tuple(
        Change(userid, action, was, now)
        for key, userid in _people(before, after).items()
        for action in ACTIONS
        if (was := old.get(key, {}).get(action, Outcome.DENY))
        is not (now := new.get(key, {}).get(action, Outcome.DENY))
    )


def role_changes(before: RoleTable, after: RoleTable) -> tuple[RoleChange, ...]:
    """Return who was given or lost which role; tables as `roles.table` makes them."""
    old, new = _folded(before), _folded(after)
    found: list[RoleChange] = []
    for key, userid in _people(before, after).items():
        had, has = old.get(key, frozenset()), new.get(key, frozenset())
        found += [RoleChange(userid, role, gained=True) for role in sorted(has - had)]
        found += [RoleChange(userid, role, gained=False) for role in sorted(had - has)]
    return tuple(found)


def shifts(found: tuple[Change, ...]) -> tuple[Shift, ...]:
    """Group changes by what happened, gains first, in the order of the action list."""
    people: dict[tuple[str, Outcome, Outcome], list[str]] = {}
    for change in found:
        people.setdefault((change.action, change.before, change.after), []).append(change.userid)
    grouped = [Shift(*what, tuple(sorted(userids))) for what, userids in people.items()]
    order = list(ACTIONS)
    return tuple(sorted(grouped, key=lambda s: (not s.gained, order.index(s.action), s.before)))


def role_shifts(found: tuple[RoleChange, ...]) -> tuple[RoleShift, ...]:
    """Group role changes by role, gains first."""
    people: dict[tuple[bool, str], list[str]] = {}
    for change in found:
        people.setdefault((not change.gained, change.role), []).append(change.userid)
    return tuple(
        RoleShift(role, not lost, tuple(sorted(userids)))
        for (lost, role), userids in sorted(people.items())
    )


_T = TypeVar("_T")


def _folded(table_: Mapping[str, _T]) -> dict[str, _T]:
    return {userid.lower(): value for userid, value in table_.items()}


def _people(before: Mapping[str, object], after: Mapping[str, object]) -> dict[str, str]:
    """Everybody in either table by folded userid, in the newer spelling."""
    spelled = {userid.lower(): userid for userid in (*before, *after)}
    return dict(sorted(spelled.items()))
