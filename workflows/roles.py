"""Who holds which role, and what level that gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from workflows.directory import ACTIVE, Directory, Member
from workflows.mistakes import near
from workflows.model import same_user
from workflows.sections import Role

Roles = Mapping[str, Role]


@dataclass(frozen=True, slots=True)
class UnknownName:
    """A selector in a role that means nobody, because the directory does not know the name."""

    role: str
    selector: str


def selected(selector: str, directory: Directory) -> Callable[[Member], bool]:
    """Return whether a member is meant by `department:`, `leaders_of:`, `tag:`, `user:` or
    `position:`. A department covers its sub-departments; a name that several departments share
    means nobody, because a guess must not give a level.
    """
    kind, _, name = selector.partition(":")
    match kind:
        case "user":
            return lambda member: same_user(member.userid, name)
        case "tag":
            return lambda member: name in member.tags
        case "position":
            return lambda member: member.position == name
        case "department":
            inside = _with_parts(name, directory)
            return lambda member: not inside.isdisjoint(member.departments)
        case "leaders_of":
            leaders = frozenset(userid.lower() for userid in directory.leaders_of(name))
            return lambda member: member.userid.lower() in leaders
        case _:
            return lambda _: False


def _with_parts(name: str, directory: Directory) -> frozenset[int]:
    """Return the department of that name and everything below it."""
    root = directory.department_named(name)
    new = {root.id} if root else set()
    found = set(new)
    while new:
        new = {d.id for d in directory.departments.values() if d.parent in new} - found
        found |= new
    return frozenset(found)


def roles_of(roles: Roles, member: Member, directory: Directory) -> frozenset[str]:
    """Return the roles of a member; one who is not active holds none."""
    if member.status != ACTIVE:
        return frozenset()
    return frozenset(
        name
        for name, role in roles.items()
        if any(selected(selector, directory)(member) for selector in role.members)
    )


def highest(roles: Roles, held: frozenset[str]) -> int:
    """Return the highest level among the held roles; 0 without any."""
    return max((roles[name].level for name in held if name in roles), default=0)


def level_of(roles: Roles, member: Member, directory: Directory) -> int:
    """Return the level of a member: the highest of their roles, 0 without any."""
    return highest(roles, roles_of(roles, member, directory))


def holders(roles: Roles, role: str, directory: Directory) -> frozenset[str]:
    """Return the userids, as WeCom spells them, of the active members who hold a role."""
    if role not in roles:
        return frozenset()
    tests = [selected(selector, directory) for selector in roles[role].members]
    return frozenset(
        member.userid
        for member in directory.members.values()
        if member.status == ACTIVE and any(test(member) for test in tests)
    )


def table(roles: Roles, directory: Directory) -> Mapping[str, frozenset[str]]:
    """Return the roles of every active member, by userid."""
    found: dict[str, set[str]] = {
        m.userid: set() for m in directory.members.values() if m.status == ACTIVE
    }
    for role in roles:
        for userid in holders(roles, role, directory):
            found[userid].add(role)
    return {userid: frozenset(held) for userid, held in found.items()}


def unknown_names(roles: Roles, directory: Directory) -> tuple[UnknownName, ...]:
    """Return the selectors whose department (one of that name), member, tag or position the
    directory lacks.

    Only members show positions, so one that nobody has counts as unknown.
    """
    return tuple(
        UnknownName(name, selector)
        for name, role in roles.items()
        for selector in role.members
        if not _is_known(selector, directory)
    )


def _is_known(selector: str, directory: Directory) -> bool:
    kind, _, name = selector.partition(":")
    if kind in ("department", "leaders_of"):
        return directory.department_named(name) is not None
    if kind == "tag" and name in directory.tag_names:
        return True
    return any(map(selected(selector, directory), directory.members.values()))


def newly_unknown(roles: Roles, before: Directory, after: Directory) -> tuple[UnknownName, ...]:
    """Return the selectors that meant somebody, or could have, and mean nobody any more."""
    known = set(unknown_names(roles, before))
    return tuple(each for each in unknown_names(roles, after) if each not in known)


def alternative(selector: str, directory: Directory) -> str:
    """Return the selector of the same kind that was probably meant, or an empty text."""
    kind, _, name = selector.partition(":")
    active = [m for m in directory.members.values() if m.status == ACTIVE]
    names: dict[str, str] = {}  # what may have been written → what has to be written
    match kind:
        case "department" | "leaders_of":
            every = (d.name for d in directory.departments.values())
            names = {each: each for each in every if directory.department_named(each)}
        case "tag":
            names = {tag: tag for m in active for tag in m.tags} | {
                tag: tag for tag in directory.tag_names
            }
        case "position":
            names = {m.position: m.position for m in active if m.position}
        case "user":
            names = {m.name: m.userid for m in active} | {m.userid: m.userid for m in active}
    found = near(name, names)
    return f"{kind}:{names[found]}" if found else ""
