"""What may be lost: access tokens and rate counters, in memory or, for several nodes, in Redis."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeVar

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

T = TypeVar("T")

_PATIENCE = 1.0  # seconds for an answer: people wait behind it
_REST = 5.0  # seconds for which a Redis that failed is left alone
_PARTS = 60  # of a window, by which what is spent in it is counted


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

    async def take(self, key: str, holder: str, ttl: timedelta) -> bool:
        """Keep the holder's name unless another's is kept: a lock that ends by itself."""

    async def give_back(self, key: str, holder: str) -> None:
        """Forget the name if it is still this holder's."""

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

    async def take(self, key: str, holder: str, ttl: timedelta) -> bool:
        """Keep the holder's name unless another's is kept: a lock that ends by itself."""
        if await self.get(key) not in {None, holder}:
            return False
        await self.set(key, holder, ttl)
        return True

    async def give_back(self, key: str, holder: str) -> None:
        """Forget the name if it is still this holder's."""
        if await self.get(key) == holder:
            await self.delete(key)

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


_TAKE = """
local kept = redis.call('GET', KEYS[1])
if kept and kept ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
return 1
"""
_GIVE_BACK = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
"""
# Counts by parts of each window, in Redis' own time. A part counts until all of it is too old, so
# that no stretch as long as the window ever holds more than it may. ARGV: parts, then most and
# milliseconds of each rate. Returns the milliseconds to wait, 0 if it was counted, and the edition.
_SPEND = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('SET', KEYS[3], time[1] .. '.' .. time[2], 'NX')
local edition = redis.call('GET', KEYS[3])
local barred = redis.call('PTTL', KEYS[2])
if barred > 0 then return {barred, edition} end
local kept, parts = redis.call('HGETALL', KEYS[1]), tonumber(ARGV[1])
local spent, wait, longest = {}, 0, 0
for i = 1, #kept, 2 do
  local window, part = string.match(kept[i], '(%d+):(%d+)')
  local free = (part + 1) * window / parts + window
  if free <= now then redis.call('HDEL', KEYS[1], kept[i])
  else
    spent[window] = spent[window] or {}
    table.insert(spent[window], {free, tonumber(kept[i + 1])})
  end
end
for i = 2, #ARGV, 2 do
  local most, window, sum = tonumber(ARGV[i]), tonumber(ARGV[i + 1]), 0
  local own = spent[ARGV[i + 1]] or {}
  table.sort(own, function(a, b) return a[1] > b[1] end)
  for _, each in ipairs(own) do
    sum = sum + each[2]
    if sum >= most then wait = math.max(wait, each[1] - now) break end
  end
  longest = math.max(longest, window)
end
if wait > 0 then return {math.ceil(wait), edition} end
for i = 2, #ARGV, 2 do
  local part = math.floor(now / (ARGV[i + 1] / parts))
  redis.call('HINCRBY', KEYS[1], ARGV[i + 1] .. ':' .. string.format('%.0f', part), 1)
end
redis.call('PEXPIRE', KEYS[1], longest * 2)
return {0, edition}
"""


@dataclass(frozen=True, slots=True)
class Rate:
    """At most so many within any stretch of time as long as the window."""

    most: int
    window: timedelta


@dataclass(frozen=True, slots=True)
class Spent:
    """What came of spending. Another `edition` than before: what was counted is not all there is.

    Redis may have been emptied, or a node went without it for a while.
    """

    wait: timedelta  # zero if it was counted
    edition: str


class RedisCache:
    """For several nodes. Every call raises CacheUnavailable when Redis does not answer.

    After a failure it is left alone for some seconds, in which every call fails at once; then one
    call at a time tries again. `on_change` hears when it goes (False) and when it is back (True).
    """

    def __init__(
        self,
        url: str,
        prefix: str = "menwei:",
        *,
        on_change: Callable[[bool], None] = lambda _: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._redis = Redis.from_url(
            url,
            decode_responses=True,
            socket_timeout=_PATIENCE,
            socket_connect_timeout=_PATIENCE,
            retry=Retry(NoBackoff(), 0),
        )
        self._hit = self._redis.register_script(_HIT)
        self._take = self._redis.register_script(_TAKE)
        self._give_back = self._redis.register_script(_GIVE_BACK)
        self._spend = self._redis.register_script(_SPEND)
        self._prefix = prefix
        self._on_change = on_change
        self._clock = clock
        self._next_try = 0.0
        self.is_up = True  # as far as is known

    async def get(self, key: str) -> str | None:
        """Return the text, None if there is none or it has ended."""
        found = await self._asked(lambda: self._redis.get(self._prefix + key))
        return None if found is None else str(found)

    async def set(self, key: str, value: str, ttl: timedelta) -> None:
        """Keep the text for that long."""
        await self._asked(lambda: self._redis.set(self._prefix + key, value, px=_milliseconds(ttl)))

    async def delete(self, key: str) -> None:
        """Forget the text or counter."""
        await self._asked(lambda: self._redis.delete(self._prefix + key, self._counter(key)))

    async def take(self, key: str, holder: str, ttl: timedelta) -> bool:
        """Keep the holder's name unless another's is kept: a lock that ends by itself."""
        values: list[str | int] = [holder, _milliseconds(ttl)]
        return bool(await self._asked(lambda: self._take([self._prefix + key], values)))

    async def give_back(self, key: str, holder: str) -> None:
        """Forget the name if it is still this holder's."""
        await self._asked(lambda: self._give_back([self._prefix + key], [holder]))

    async def hit(self, key: str, window: timedelta) -> int:
        """Count once and return the count; it starts anew a `window` after its first hit."""
        values = [_milliseconds(window)]
        return int(await self._asked(lambda: self._hit([self._counter(key)], values)))

    async def spend(self, key: str, rates: Sequence[Rate]) -> Spent:
        """Count once, or say how long to wait until one more is allowed."""
        values = [_PARTS]
        for rate in rates:
            values += [rate.most, _milliseconds(rate.window)]
        keys = [f"{self._prefix}spent:{key}", f"{self._prefix}bar:{key}", self._edition]
        wait, edition = await self._asked(lambda: self._spend(keys, values))
        return Spent(timedelta(milliseconds=int(wait)), str(edition))

    async def new_edition(self, name: str) -> None:
        """Say that something was spent which is not counted here."""
        await self._asked(lambda: self._redis.set(self._edition, name))

    @property
    def _edition(self) -> str:
        return f"{self._prefix}edition"

    async def bar(self, key: str, span: timedelta) -> None:
        """Let nobody spend anything under this key for so long."""
        name = f"{self._prefix}bar:{key}"
        await self._asked(lambda: self._redis.set(name, "1", px=_milliseconds(span)))

    async def aclose(self) -> None:
        """Let go of the connections."""
        await self._redis.aclose()

    async def _asked(self, ask: Callable[[], Awaitable[T]]) -> T:
        if not self.is_up:
            if self._clock() < self._next_try:
                raise CacheUnavailable("left alone for some seconds")
            self._next_try = self._clock() + _REST  # whoever comes meanwhile does not wait
        try:
            answer = await ask()
        except RedisError as error:
            self._next_try = self._clock() + _REST
            self._is_now(up=False)
            raise CacheUnavailable(type(error).__name__) from None
        self._is_now(up=True)
        return answer

    def _is_now(self, *, up: bool) -> None:
        if up is not self.is_up:
            self.is_up = up
            self._on_change(up)

    def _counter(self, key: str) -> str:
        return f"{self._prefix}count:{key}"


def _milliseconds(span: timedelta) -> int:
    return max(1, span // timedelta(milliseconds=1))
