"""Counts what is sent over all nodes: in Redis, or by shares while that is away."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Protocol

from bot.wecom.limits import MessageBudget
from storage.cache import CacheUnavailable, Rate

_MINUTE, _HOUR = timedelta(minutes=1), timedelta(hours=1)
# WeCom bears 30 and 1000 to one member, 10,000 and 150,000 calls of one API (document 90312).
TO_A_MEMBER = (Rate(28, _MINUTE), Rate(960, _HOUR))
OF_AN_API = (Rate(9_500, _MINUTE), Rate(142_500, _HOUR))
_ON_THEIR_WAY = 15.0  # seconds within which what we send is on record


class Ledger(Protocol):
    """What all nodes write into: `storage.cache.RedisCache`. It may raise CacheUnavailable."""

    async def spend(self, key: str, rates: Sequence[Rate]) -> timedelta:
        """Count once and return zero, or how long to wait."""

    async def bar(self, key: str, span: timedelta) -> None:
        """Let nobody spend anything under this key for so long."""


class SharedBudget:
    """Keeps all nodes together below some rates, for each key on its own.

    While there is no ledger, everything this node sends counts once for every node that lives,
    for they may all do the same. `recall` then gives what all nodes have sent lately, as key and
    seconds, the oldest first: the ledger that knew it is gone.
    """

    def __init__(
        self,
        kind: str,
        rates: tuple[Rate, Rate],
        *,
        clock: Callable[[], float],
        ledger: Ledger | None = None,
        nodes: Callable[[], int] = lambda: 1,
        recall: Callable[[], Awaitable[Sequence[tuple[str, float]]]] | None = None,
    ) -> None:
        minute, hour = rates
        self._kind = kind
        self._rates = rates
        self._own = MessageBudget(clock, per_minute=minute.most, per_hour=hour.most)
        self._ledger = ledger
        self._nodes = nodes
        self._recall = recall
        self._is_recalled = False

    async def delay(self, key: str) -> float:
        """Return the seconds to wait before asking again; 0 means send now, it is counted."""
        try:
            wait = await self._by_ledger(key)
        except CacheUnavailable:
            wait = None
        if wait is None:
            await self.recall()
            return await self._own.delay(key, weight=max(1, self._nodes()))
        self._is_recalled = False
        return wait

    async def bar(self, key: str, span: timedelta) -> None:
        """Have all nodes stop for so long."""
        if self._ledger is not None:
            with suppress(CacheUnavailable):
                await self._ledger.bar(f"{self._kind}:{key.lower()}", span)

    async def recall(self) -> None:
        """Count what all nodes have sent lately as if this one had."""
        if self._is_recalled or self._recall is None:
            return
        self._own.recall(await self._recall(), but=_ON_THEIR_WAY)
        self._is_recalled = True

    async def _by_ledger(self, key: str) -> float | None:
        if self._ledger is None:
            return None
        # What was sent while there was no ledger is in nobody's but our own count.
        if wait := self._own.wait(key):
            return wait
        wait = (
            await self._ledger.spend(f"{self._kind}:{key.lower()}", self._rates)
        ).total_seconds()
        return wait or await self._own.delay(key)
