"""Handing customers of one member over to another: WeCom's limits, and each customer's way there.

WeCom takes a transfer and carries it out 24 hours later, unless the customer refuses or the taker
is full (documents 92125 and 94088). Its yes is therefore not the end: only what is *seen* is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

MOST_AT_ONCE = 100  # customers in one call
MOST_TIMES, WITHIN = 2, timedelta(days=90)  # transfers of one customer
TAKES = timedelta(hours=24)
FIRST_LOOK = TAKES + timedelta(minutes=10)
LOOK_EVERY = timedelta(days=1)
GIVE_UP_AFTER = timedelta(days=7)
_CLOCKS_DIFFER = timedelta(minutes=5)


class PassageState(StrEnum):
    """Where a customer is between two members."""

    WAITING = "waiting"  # WeCom has taken the transfer
    DONE = "done"  # seen to be with the taker
    REFUSED = "refused"  # by the customer
    FULL = "full"  # the taker has as many customers as WeCom allows
    REJECTED = "rejected"  # WeCom did not take the transfer
    UNSEEN = "unseen"  # nothing was seen of it in a week: a human must look


# What counts towards WeCom's limit for one customer.
_COUNTED = frozenset({PassageState.WAITING, PassageState.DONE})


@dataclass(frozen=True, slots=True)
class Passage:
    """One customer on the way from one member to another."""

    request_id: str
    external_userid: str
    name: str  # the customer's
    userid: str  # who has them
    taker: str  # userid
    state: PassageState
    asked_at: datetime  # when WeCom answered
    code: int = 0  # WeCom's, where it rejected
    settled_at: datetime | None = None
    told: bool = False  # whether those concerned have heard how it ended

    @property
    def is_open(self) -> bool:
        """Whether it can still come to something."""
        return self.state is PassageState.WAITING


@dataclass(frozen=True, slots=True)
class Shown:
    """What WeCom shows of one transfer (document 94088)."""

    external_userid: str
    status: int  # 1 done, 2 waiting, 3 refused, 4 taker full
    taken_over_at: datetime | None = None


_STATES: Mapping[int, PassageState] = {
    1: PassageState.DONE,
    2: PassageState.WAITING,
    3: PassageState.REFUSED,
    4: PassageState.FULL,
}
# Of several transfers of one customer between the same two, what counts first.
_ORDER = (PassageState.WAITING, PassageState.DONE, PassageState.REFUSED, PassageState.FULL)


def is_waiting(shown: Iterable[Shown], external_userid: str) -> bool:
    """Whether WeCom shows that a transfer between these two is under way."""
    found = (each for each in shown if each.external_userid == external_userid)
    return any(_STATES.get(each.status) is PassageState.WAITING for each in found)


def looked(passage: Passage, shown: Iterable[Shown], now: datetime) -> Passage:
    """Return the passage after a look at what WeCom shows; the very same if nothing is settled.

    A takeover that took place before this transfer was asked for is an earlier one.
    """
    if not passage.is_open:
        return passage
    states = {
        _STATES[each.status]
        for each in shown
        if each.external_userid == passage.external_userid
        and each.status in _STATES
        and not _was_before(each, passage)
    }
    state = next((each for each in _ORDER if each in states), PassageState.WAITING)
    if state is PassageState.WAITING and now >= passage.asked_at + GIVE_UP_AFTER:
        state = PassageState.UNSEEN
    return passage if state is PassageState.WAITING else settled(passage, state, now)


def _was_before(shown: Shown, passage: Passage) -> bool:
    at = shown.taken_over_at
    return at is not None and at < passage.asked_at - _CLOCKS_DIFFER


def settled(passage: Passage, state: PassageState, now: datetime) -> Passage:
    """Return the passage at its end; what has ended stays as it is."""
    return replace(passage, state=state, settled_at=now) if passage.is_open else passage


def refused(passage: Passage, reason: str, now: datetime) -> Passage:
    """Return the passage after the event `transfer_fail` (document 92130)."""
    full = reason == "customer_limit_exceed"
    return settled(passage, PassageState.FULL if full else PassageState.REFUSED, now)


def next_look(passages: Iterable[Passage], now: datetime) -> datetime | None:
    """Return when to look again at what is still open; None if nothing is."""
    asked = min((each.asked_at for each in passages if each.is_open), default=None)
    return None if asked is None else max(asked + FIRST_LOOK, now + LOOK_EVERY)


def counted(earlier: Iterable[Passage], now: datetime) -> list[datetime]:
    """Return when a customer was transferred as far as WeCom counts it, the first time first."""
    at = (each.asked_at for each in earlier if each.state in _COUNTED)
    return sorted(each for each in at if each > now - WITHIN)


def free_from(earlier: Iterable[Passage], now: datetime) -> datetime | None:
    """Return from when on a customer may be transferred again; None if they may be now."""
    times = counted(earlier, now)
    return times[-MOST_TIMES] + WITHIN if len(times) >= MOST_TIMES else None
