"""Requests that are alike for whoever decides: of one person, for one action, by the same rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from workflows.model import Request

MOST = 20  # decided at once
_OLD = timedelta(days=1)
Case = tuple[str, str, str, frozenset[str]]


def case_of(request: Request) -> Case:
    """Return what two requests must share to be alike."""
    who, origin = request.requester.userid.lower(), request.origin.value
    return who, request.action, origin, frozenset(request.verdict.rules)


def grouped(requests: Iterable[Request]) -> list[tuple[Request, ...]]:
    """Return those that are alike together, in the order of their first."""
    found: dict[Case, list[Request]] = {}
    for request in requests:
        found.setdefault(case_of(request), []).append(request)
    return [tuple(group) for group in found.values()]


@dataclass(frozen=True, slots=True)
class Outlier:
    """A request that is unlike the others of its batch: 'tier', 'followed', 'signed', 'old'."""

    request: Request
    why: tuple[str, ...]


def outliers(batch: tuple[Request, ...], now: datetime) -> tuple[Outlier, ...]:
    """Return the requests of a batch that deserve a look of their own, and why."""
    tiers = Counter(str(each.facts.get("customer.tier", "")) for each in batch)
    usual = tiers.most_common(1)[0][0] if tiers else ""
    found = ((each, _odd(each, usual, now)) for each in batch)
    return tuple(Outlier(each, why) for each, why in found if why)


def _odd(request: Request, usual_tier: str, now: datetime) -> tuple[str, ...]:
    facts = request.facts
    signs = {
        "tier": str(facts.get("customer.tier", "")) != usual_tier,
        "followed": bool(facts.get("customer.owners")),
        "signed": request.claim.signed is not None,
        "old": now - request.created_at > _OLD,
    }
    return tuple(sign for sign, holds in signs.items() if holds)
