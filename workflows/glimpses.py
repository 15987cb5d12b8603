"""Parts of the company as WeCom shows them now, put into what is known of the whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

from workflows.directory import Department, Directory, Member

_K = TypeVar("_K")
_V = TypeVar("_V")


@dataclass(frozen=True, slots=True)
class Carriers:
    """Who carries a directory tag: members by lower-case userid, and whole departments."""

    userids: frozenset[str]
    departments: frozenset[int]


@dataclass(frozen=True, slots=True)
class Glimpse:
    """What was looked at. None stands for who or what WeCom shows no more.

    Members come with all their tags.
    """

    members: Mapping[str, Member | None] = field(default_factory=dict)  # by lower-case userid
    departments: Mapping[int, Department | None] = field(default_factory=dict)
    tags: Mapping[str, Carriers] = field(default_factory=dict)


def put_in(seen: Glimpse, known: Directory) -> Directory:
    """Return the directory with what was looked at as it is now."""
    units = _merged(known.departments, seen.departments)
    members = _merged(known.members, seen.members)
    for tag, carriers in seen.tags.items():
        inside = covered(carriers.departments, units.values())
        members = {k: _tagged(m, tag, carriers, inside) for k, m in members.items()}
    return Directory(members, units, known.tag_names)


def covered(roots: Iterable[int], departments: Iterable[Department]) -> frozenset[int]:
    """Return these departments and all below them."""
    parents = {each.id: each.parent for each in departments}
    found, new = frozenset(roots), frozenset(roots)
    while new:
        new = frozenset(unit for unit, above in parents.items() if above in new) - found
        found |= new
    return found


def _tagged(member: Member, tag: str, carriers: Carriers, inside: frozenset[int]) -> Member:
    carries = member.userid.lower() in carriers.userids or bool(inside & {*member.departments})
    if carries == (tag in member.tags):
        return member
    return replace(member, tags=member.tags | {tag} if carries else member.tags - {tag})


def _merged(known: Mapping[_K, _V], seen: Mapping[_K, _V | None]) -> dict[_K, _V]:
    kept = {key: value for key, value in known.items() if key not in seen}
    return kept | {key: value for key, value in seen.items() if value is not None}
