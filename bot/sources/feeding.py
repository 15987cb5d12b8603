"""Runs a reader that blocks in a thread of its own, a few items ahead of whoever asks for them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from contextlib import closing
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

_AHEAD = 2


@dataclass(frozen=True, slots=True)
class _End:
    error: BaseException | None = None


class _Feeder(Generic[T]):
    """The thread is a daemon: a database that does not answer must not keep Menwei from ending."""

    def __init__(self, read: Callable[[], Generator[T, None, None]]) -> None:
        self._read = read
        self._loop = asyncio.get_running_loop()
        self.queue: asyncio.Queue[T | _End] = asyncio.Queue(_AHEAD)
        self._stopped = threading.Event()
        threading.Thread(target=self._work, name="source", daemon=True).start()

    def stop(self) -> None:
        """Want nothing more; a thread that waits to hand something over is let go."""
        self._stopped.set()
        while not self.queue.empty():
            self.queue.get_nowait()

    def _work(self) -> None:
        try:
            with closing(self._read()) as items:
                for item in items:
                    if not self._give(item):
                        return
            self._give(_End())
        except BaseException as error:  # whoever waits shall hear of it
            self._give(_End(error))

    def _give(self, item: T | _End) -> bool:
        if self._stopped.is_set():
            return False
        try:
            asyncio.run_coroutine_threadsafe(self.queue.put(item), self._loop).result()
        except RuntimeError:  # the loop has ended
            return False
        return not self._stopped.is_set()


async def fed(read: Callable[[], Generator[T, None, None]]) -> AsyncGenerator[T, None]:
    """Yield what a generator function gives, each item as soon as it is asked for."""
    feeder = _Feeder(read)
    try:
        while not isinstance(item := await feeder.queue.get(), _End):
            yield item
        if item.error is not None:
            raise item.error
    finally:
        feeder.stop()
