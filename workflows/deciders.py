"""Who decides on anything by the rules: the admins, and whom chains and remedies name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from pydantic import BaseModel

from workflows import roles
from workflows.directory import ACTIVE
from workflows.standing import Standing

_SECTIONS = ("chains", "chain_defaults", "enforcement")
_SELECTORS = frozenset({"user", "tag", "position", "department", "leaders_of"})


def of(standing: Standing) -> frozenset[str]:
    """Return the userids of all active members who are admins, lead a department, or are named
    where the rules say who is asked.
    """
    found = {*standing.admins, *standing.directory.active(standing.directory.led())}
    for section in _SECTIONS:
        for text in texts(getattr(standing.policy.rulebook, section)):
            found |= _meant(text, standing)
    return frozenset(found)


def _meant(text: str, standing: Standing) -> frozenset[str]:
    kind, _, name = text.partition(":")
    if kind == "role":
        return standing.holders(name)
    if kind not in _SELECTORS:
        return frozenset()
    means = roles.selected(text, standing.directory)
    everybody = standing.directory.members.values()
    return frozenset(m.userid for m in everybody if m.status == ACTIVE and means(m))


def texts(value: object) -> Iterator[str]:
    """Yield every text in a part of the rules, however deep."""
    match value:
        case str():
            yield value
        case BaseModel():
            yield from texts(dict(value))
        case Mapping():
            for each in value.values():
                yield from texts(each)
        case tuple() | list():
            for each in value:
                yield from texts(each)
