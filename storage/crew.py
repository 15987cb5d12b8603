"""A few threads that run database steps for the event loop, many steps at a time."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from storage.transaction import Step

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Done:
    """A step's answer."""

    value: Any


@dataclass(frozen=True, slots=True)
class Failed:
    """What a step, or the commit it was part of, raised."""

    error: BaseException


Outcome = Done | Failed
Serve = Callable[[Sequence[Step[Any]]], Sequence[Outcome]]


class Closed(Exception):
    """The database was closed; nothing more can be asked of it."""


@dataclass(frozen=True, slots=True)
class _Call:
    step: Step[Any]
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[Any]


@dataclass(frozen=True, slots=True)
class _Urgent:
    """Stands in the queue for a call that overtakes it; another thread may have it already."""


class Crew:
    """`size` daemon threads; each takes what waits, about `most` steps, and serves it at once.

    `serve` returns one outcome per step. If it raises, every one of the steps failed.
    """

    def __init__(self, name: str, size: int, most: int, serve: Serve) -> None:
        self._serve = serve
        self._most = most
        self._queue: SimpleQueue[_Call | _Urgent | None] = SimpleQueue()
        self._urgent: deque[_Call] = deque()  # for each of them a mark is in the queue
        self._closing = threading.Lock()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True)
            for number in range(size)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """How many steps wait for a thread."""
        return self._queue.qsize()

    async def ask(self, step: Step[T], *, first: bool = False) -> T:
        """Run the step on a thread and return its answer; raise what it raised.

        `first` lets it overtake those that wait, but not those that are being served.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()
        with self._closing:
            if self._closed:
                raise Closed("the database is closed")
            call = _Call(step, loop, future)
            if first:
                self._urgent.append(call)
            self._queue.put(_Urgent() if first else call)
        return await future

    def close(self) -> None:
        """Serve what waits, then end the threads."""
        with self._closing:
            if not self._closed:
                self._closed = True
                for _ in self._threads:
                    self._queue.put(None)
        for thread in self._threads:
            thread.join()

    def _work(self) -> None:
        ending = False
        while not ending:
            batch, ending = self._take()
            calls = [call for call in batch if not call.future.cancelled()]
            if calls:
                _tell(calls, self._outcomes(calls))

    def _take(self) -> tuple[list[_Call], bool]:
        """Return what is to be served next, and whether nothing can come after it."""
        call = self._queue.get()
        batch = self._overtaking()
        while call is not None:
            if isinstance(call, _Urgent):
                batch += self._overtaking()
            else:
                batch.append(call)
            if len(batch) >= self._most:
                return batch, False
            try:
                call = self._queue.get_nowait()
            except Empty:
                return batch, False
        return batch, True

    def _overtaking(self) -> list[_Call]:
        found: list[_Call] = []
        with suppress(IndexError):
            while True:
                found.append(self._urgent.popleft())
        return found

    def _outcomes(self, calls: Sequence[_Call]) -> Sequence[Outcome]:
        try:
            return self._serve([call.step for call in calls])
        except BaseException as error:  # it belongs to those who wait
            return [Failed(error)] * len(calls)


def _tell(calls: Sequence[_Call], outcomes: Sequence[Outcome]) -> None:
    """Wake each event loop once, whatever the number of its steps: waking is the dear part."""
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Outcome]]] = {}
    for call, outcome in zip(calls, outcomes, strict=True):
        by_loop.setdefault(call.loop, []).append((call.future, outcome))
    for loop, answers in by_loop.items():
        try:
            loop.call_soon_threadsafe(_resolve, answers)
        except RuntimeError:  # this loop ended; nobody is left to hear it
            continue


def _resolve(answers: Sequence[tuple[asyncio.Future[Any], Outcome]]) -> None:
    for future, outcome in answers:
        if future.done():  # its waiter was cancelled
            continue
        match outcome:
            case Done(value):
                future.set_result(value)
            case Failed(error) if isinstance(error, Exception) and not isinstance(
                error, StopIteration
            ):
                future.set_exception(error)
            case Failed(error):  # a future cannot carry these
                future.set_exception(RuntimeError(f"a database step raised {error!r}"))
