"""Counts what is sent over all nodes: in Redis, or by shares while that cannot be relied on."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Protocol

from bot.wecom.limits import MessageBudget
from storage.cache import CacheUnavailable, Rate, Spent

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
# WeCom bears 30 and 1000 to one member, 10,000 and 150,000 calls of one API (document 90312).
TO_A_MEMBER = (Rate(28, _MINUTE), Rate(960, _HOUR))
OF_AN_API = (Rate(9_500, _MINUTE), Rate(142_500, _HOUR))
_ON_THEIR_WAY = 3.0  # seconds within which what we send is on record
# Seconds until all that was sent without the ledger is longer ago than a minute; by then every node
# knows, too, that it was away. Earlier, what each node knows of it would be room for each of them.
_DOUBT = 75.0
_LOOK_AGAIN = 15.0  # seconds: in doubt, others may have sent more than we know


class Ledger(Protocol):
    """What all nodes write into: `storage.cache.RedisCache`. It may raise CacheUnavailable."""

    async def spend(self, key: str, rates: Sequence[Rate]) -> Spent:
        """Count once, or say how long to wait."""

    async def new_edition(self, name: str) -> None:
        """Say that something was spent which is not counted here."""

    async def bar(self, key: str, span: timedelta) -> None:
        """Let nobody spend anything under this key for so long."""


class Fellows(Protocol):
    """The nodes that share the rates: `bot.nodes.Nodes`."""

    @property
    def count(self) -> int:
        """How many live, this one included."""

    @property
    def all_have_cache(self) -> bool:
        """Whether none of them goes without the ledger."""

    @property
    def is_alone(self) -> bool:
        """Whether there cannot be any other."""


class SharedBudget:
    """Keeps all nodes together below some rates, for each key on its own.

    While the ledger is away, or is away for another node, everything this node sends counts once
    for every node that lives, for they may all do the same. `recall` gives what all nodes have
    sent lately, as key and seconds: the ledger may have lost it, or never heard of it.
    """

    def __init__(
        self,
        kind: str,
        rates: tuple[Rate, Rate],
        *,
        clock: Callable[[], float],
        fellows: Fellows,
        ledger: Ledger | None = None,
        recall: Callable[[], Awaitable[Sequence[tuple[str, float]]]] | None = None,
    ) -> None:
        minute, hour = rates
        self._kind = kind
        self._rates = rates
        self._clock = clock
        self._own = MessageBudget(clock, per_minute=minute.most, per_hour=hour.most)
        self._fellows = fellows
        self._ledger = ledger
        self._recall = recall
        self._owes_edition = False  # something was sent without the ledger
        self._sight: tuple[str | None, bool] = ("", True)  # edition, and whether all see it
        self._doubted_until = 0.0
        self._was_sure = False
        self._recalled_at = clock() - _DOUBT

    async def delay(self, key: str) -> float:
        """Return the seconds to wait before asking again; 0 means send now, it is counted."""
        if wait := self._own.wait(key):  # right in any case, for it knows too little at worst
            return wait
        spent = await self._spent(key)
        weight = 1 if await self._is_reliable(spent) else max(1, self._fellows.count)
        if spent is not None and spent.wait:
            return spent.wait.total_seconds()
        return await self._own.delay(key, weight)

    async def bar(self, key: str, span: timedelta) -> None:
        """Have all nodes stop for so long."""
        if self._ledger is not None:
            with suppress(CacheUnavailable):
                await self._ledger.bar(f"{self._kind}:{key.lower()}", span)

    async def recall(self) -> None:
        """Count what all nodes have sent lately as if this one had."""
        if self._recall is not None:
            self._own.recall(await self._recall(), but=_ON_THEIR_WAY)
        self._recalled_at = self._clock()

    async def _spent(self, key: str) -> Spent | None:
        if self._ledger is None:
            return None
        try:
            if self._owes_edition:
                await self._ledger.new_edition(secrets.token_hex(8))
                self._owes_edition = False
            return await self._ledger.spend(f"{self._kind}:{key.lower()}", self._rates)
        except CacheUnavailable:
            self._owes_edition = True
            return None

    async def _is_reliable(self, spent: Spent | None) -> bool:
        """Whether the ledger knows all that our own count does not.

        Whenever that changes, what all nodes have sent is looked up; in doubt again and again,
        since others may have reached it in between.
        """
        if self._fellows.is_alone:
            return True  # what this process has sent, and has recalled at its start, is all
        sight = (spent.edition if spent else None, self._fellows.all_have_cache)
        if sight != self._sight:
            await self.recall()
            self._sight, self._doubted_until = sight, self._clock() + _DOUBT
        if spent is None or not self._fellows.all_have_cache:
            self._doubted_until = self._clock() + _DOUBT
        is_sure = self._clock() >= self._doubted_until
        is_behind = not is_sure and self._clock() - self._recalled_at >= _LOOK_AGAIN
        if is_behind or (is_sure and not self._was_sure):
            await self.recall()
        self._was_sure = is_sure
        return is_sure
