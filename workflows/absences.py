"""Who is away, until when, and who decides meanwhile."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from workflows.model import Person

# How often an absence is followed to whoever acts: a delegate may be away too.
MOST_HOPS = 3


@dataclass(frozen=True, slots=True)
class Absence:
    """One person's absence: from `since` on, and before `until`."""

    person: Person
    delegate: Person
    since: datetime
    until: datetime


def away_at(absences: Iterable[Absence], now: datetime) -> Mapping[str, str]:
    """Return who is away at a moment, by lower-case userid, with the delegate's userid."""
    return {
        each.person.userid.lower(): each.delegate.userid
        for each in absences
        if each.since <= now < each.until
    }


def chain_from(userid: str, away: Mapping[str, str]) -> tuple[str, ...]:
    """Return whom an absence leads to, one after the other: at most `MOST_HOPS`, nobody twice."""
    found: list[str] = []
    seen = {userid.lower()}
    current = userid
    while len(found) < MOST_HOPS and current.lower() in away:
        current = away[current.lower()]
        if current.lower() in seen:
            break
        seen.add(current.lower())
        found.append(current)
    return tuple(found)


def leads_back(userid: str, delegate: str, away: Mapping[str, str]) -> bool:
    """Whether naming `delegate` would lead from one absent person to the next in a circle."""
    return userid.lower() in {each.lower() for each in (delegate, *chain_from(delegate, away))}
