"""A bell between nodes: one that has its hands full lets the others know that there is work.

It is a hint and nothing more: who does not hear it looks by itself once a second. A node that can
take its own work rings for nobody, so that an event does not make every node ask the database.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable
from contextlib import suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

_CHANNEL = "bell"
_AT_MOST_EVERY = 0.05  # seconds: many wishes to ring become one
_PATIENCE = 1.0
_PAUSE = 2.0  # seconds until Redis is tried again that does not answer


class Bell:
    """One node's end of it. `ring` and `listen` never fail: Redis may come and go."""

    def __init__(self, url: str, prefix: str = "menwei:") -> None:
        self._redis = Redis.from_url(url, decode_responses=True, socket_connect_timeout=_PATIENCE)
        self._channel = f"{prefix}{_CHANNEL}"
        self._own = secrets.token_hex(8)
        self._next: dict[str, float] = {}
        self._ringing: set[asyncio.Task[None]] = set()

    def ring(self, name: str) -> None:
        """Let the other nodes hear a name. Call from the event loop; it waits for nothing."""
        now = time.monotonic()
        if now < self._next.get(name, 0.0):
            return
        self._next[name] = now + _AT_MOST_EVERY
        task = asyncio.create_task(self._publish(name))
        self._ringing.add(task)
        task.add_done_callback(self._ringing.discard)

    async def listen(self, hear: Callable[[str], None]) -> None:
        """Call `hear` with each name that another node rings, for ever."""
        while True:
            with suppress(RedisError, OSError):
                await self._listen(hear)
            await asyncio.sleep(_PAUSE)

    async def aclose(self) -> None:
        """Let go of the connections."""
        for task in self._ringing:
            task.cancel()
        await self._redis.aclose()

    async def _publish(self, name: str) -> None:
        with suppress(RedisError, OSError, TimeoutError):
            async with asyncio.timeout(_PATIENCE):
                await self._redis.publish(self._channel, f"{self._own} {name}")

    async def _listen(self, hear: Callable[[str], None]) -> None:
        async with self._redis.pubsub() as ear:
            await ear.subscribe(self._channel)
            async for message in ear.listen():
                who, _, name = str(message["data"]).partition(" ")
                if message["type"] == "message" and who != self._own:
                    hear(name)
