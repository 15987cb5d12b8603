"""What may be lost: access tokens and rate counters, in memory or, for several nodes, in Redis."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from redis.asyncio import Redis
from redis.exceptions import RedisError


class CacheUnavailable(Exception):
    """Redis does not answer. What it holds may be lost, so go on without it."""


class Cache(Protocol):
    """A few short texts and counters that end by themselves."""

    async def get(self, key: str) -> str | None:
        """Return the text, None if there is none or it has ended."""

    async def set(self, key: str, value: str, ttl: timedelta) -> None:
        """Keep the text for that long."""

    async def delete(self, key: str) -> None:
        """Forget the text or counter."""

    async def hit(self, key: str, window: timedelta) -> int:
        """Count once and return the count; it starts anew a `window` after its first hit."""

    async def aclose(self) -> None:
        """Let go of any connection."""


class MemoryCache:
    """For one node. `clock` returns seconds that only grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._texts: dict[str, tuple[str, float]] = {}
        self._counts: dict[str, tuple[int, float]] = {}
        self._next_sweep = 0.0

    async def get(self, key: str) -> str | None:
        """Return the text, None if there is none or it has ended."""
        value, end = self._texts.get(key, (None, 0.0))
        return value if end > self._clock() else None

    async def set(self, key: str, value: str, ttl: timedelta) -> None:
        """Keep the text for that long."""
        self._sweep()
        self._texts[key] = (value, self._clock() + ttl.total_seconds())

    async def delete(self, key: str) -> None:
        """Forget the text or counter."""
        self._texts.pop(key, None)
        self._counts.pop(key, None)

    async def hit(self, key: str, window: timedelta) -> int:
        """Count once and return the count; it starts anew a `window` after its first hit."""
        self._sweep()
        now = self._clock()
        count, end = self._counts.get(key, (0, 0.0))
        if end <= now:
            count, end = 0, now + window.total_seconds()
        self._counts[key] = (count + 1, end)
        return count + 1

    async def aclose(self) -> None:
        """Nothing is held."""

    def _sweep(self) -> None:
        """Drop what has ended, once a minute: counters of people come and go."""
        now = self._clock()
        if now < self._next_sweep:
            return
        self._next_sweep = now + 60
        self._texts = {key: kept for key, kept in self._texts.items() if kept[1] > now}
        self._counts = {key: kept for key, kept in self._counts.items() if kept[1] > now}


# One script, so that a counter can never stay without an end.
_HIT = """
local count = redis.call('INCR', KEYS[1])
if count == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return count
"""


class RedisCache:
    """For several nodes. Every call raises CacheUnavailable when Redis does not answer."""

    def __init__(self, url: str, prefix: str = "menwei:") -> None:
        self._redis = Redis.from_url(
            url, decode_responses=True, socket_timeout=2, socket_connect_timeout=2
        )
        self._hit = self._redis.register_script(_HIT)
        self._prefix = prefix

    async def get(self, key: str) -> str | None:
        """Return the text, None if there is none or it has ended."""
        try:
            found = await self._redis.get(self._prefix + key)
        except RedisError as error:
            raise CacheUnavailable(type(error).__name__) from None
        return None if found is None else str(found)

    async def set(self, key: str, value: str, ttl: timedelta) -> None:
        """Keep the text for that long."""
        try:
            await self._redis.set(self._prefix + key, value, px=_milliseconds(ttl))
        except RedisError as error:
            raise CacheUnavailable(type(error).__name__) from None

    async def delete(self, key: str) -> None:
        """Forget the text or counter."""
        try:
            await self._redis.delete(self._prefix + key, self._counter(key))
        except RedisError as error:
            raise CacheUnavailable(type(error).__name__) from None

    async def hit(self, key: str, window: timedelta) -> int:
        """Count once and return the count; it starts anew a `window` after its first hit."""
        try:
            return int(await self._hit([self._counter(key)], [_milliseconds(window)]))
        except RedisError as error:
            raise CacheUnavailable(type(error).__name__) from None

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._redis.aclose()

    def _counter(self, key: str) -> str:
        return f"{self._prefix}count:{key}"


def _milliseconds(span: timedelta) -> int:
    return max(1, span // timedelta(milliseconds=1))
