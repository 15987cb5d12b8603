"""Commits what came through the door: whatever arrived during one commit is the next one.

A commit per event spends nearly all its time waiting for the disk. Grouped, the disk is waited for
once, and nobody is told "accepted" before that.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

import structlog

from storage.jobs import Job, Queue
from storage.transaction import Transaction

_log = structlog.get_logger()

WELCOME_PATIENCE = timedelta(seconds=8)  # the code dies at 20 s; a decision usually takes one


class Overloaded(Exception):
    """Too much waits already, or the inbox is stopping; nothing was taken."""


class NotStored(Exception):
    """The commit failed: the sender must not be told that we have it. The cause is attached."""


@dataclass(frozen=True, slots=True)
class Welcome:
    """A welcome code that came with an event, good for one message within 20 seconds."""

    code: str
    userid: str
    external_userid: str


@dataclass(frozen=True, slots=True)
class Arrival:
    """A message from WeCom, checked and decrypted. `key` is the same when it comes again."""

    key: str
    kind: str
    lane: str
    xml: bytes
    at: datetime
    welcome: Welcome | None = None

    def jobs(self) -> list[Job]:
        """Return the rows to store: the event and, with a welcome code, the neutral welcome.

        Whoever judges the event brings that welcome forward with better words; when that is late,
        the customer is greeted all the same before the code dies (document 92137).
        """
        event = Job(
            queue=Queue.INBOX,
            kind=self.kind,
            lane=self.lane,
            body=self.xml.decode(),
            key=self.key,
        )
        return [event] if self.welcome is None else [event, self._fallback(self.welcome)]

    def _fallback(self, welcome: Welcome) -> Job:
        name = f"welcome:{welcome.code}"
        body = {
            "code": welcome.code,
            "userid": welcome.userid,
            "external_userid": welcome.external_userid,
            "arrived": self.at.isoformat(),
        }
        return Job(
            queue=Queue.WELCOME,
            kind="welcome",
            lane=name,
            body=json.dumps(body),
            key=name,
            due=self.at + WELCOME_PATIENCE,
        )


class Store(Protocol):
    """The part of the database that the inbox needs."""

    async def write_first(self, change: Callable[[Transaction], int], /) -> int:
        """Make the change before all others that wait; return its answer when it is on disk."""


@dataclass(frozen=True, slots=True)
class Room:
    """How much the inbox takes: events and bytes waiting in memory, and events in one commit."""

    waiting: int = 10_000
    bytes: int = 64 << 20
    per_commit: int = 256


_Outcome = asyncio.Future[BaseException | None]  # of a commit: what went wrong, if anything


class Inbox:
    """Where the doors put what arrived. `wake` is called after each commit, in the event loop."""

    def __init__(
        self,
        store: Store,
        now: Callable[[], datetime],
        wake: Callable[[], None],
        room: Room | None = None,
    ) -> None:
        self._store = store
        self._now = now
        self._wake = wake
        self._room = room or Room()
        self._waiting: deque[tuple[Arrival, _Outcome]] = deque()
        self._bytes = 0  # of those that wait and of those in the commit under way
        self._arrived = asyncio.Event()
        self._stopping = False
        self._committer: asyncio.Task[None] | None = None

    @property
    def waiting(self) -> int:
        """How many events wait for the next commit."""
        return len(self._waiting)

    async def put(self, arrival: Arrival) -> None:
        """Return once the arrival is committed; raise Overloaded or NotStored when it is not."""
        running = self._committer is not None and not self._committer.done()
        if not running or self._stopping or self._is_full(arrival):
            raise Overloaded
        outcome: _Outcome = asyncio.get_running_loop().create_future()
        self._waiting.append((arrival, outcome))
        self._bytes += len(arrival.xml)
        self._arrived.set()
        error = await outcome
        if error is not None:
            raise NotStored from error

    def _is_full(self, arrival: Arrival) -> bool:
        more = self._bytes + len(arrival.xml)
        return self.waiting >= self._room.waiting or more > self._room.bytes

    async def start(self) -> None:
        """Begin to commit."""
        if self._committer is None:
            self._stopping = False
            self._committer = asyncio.create_task(self._run(), name="inbox")

    async def stop(self) -> None:
        """Take nothing more, commit what waits, and return when that is done."""
        if self._committer is None:
            return
        self._stopping = True
        self._arrived.set()
        committer = self._committer
        await asyncio.wait({committer})
        self._committer = None
        if not committer.cancelled():
            committer.result()  # a bug that ended it early shall be heard of

    async def _run(self) -> None:
        try:
            while not self._stopping or self._waiting:
                await self._arrived.wait()
                self._arrived.clear()
                while self._waiting:
                    await self._commit_some()
        finally:  # only a cancelled committer leaves anybody here
            while self._waiting:
                arrival, outcome = self._waiting.popleft()
                self._bytes -= len(arrival.xml)
                _tell(outcome, asyncio.CancelledError())

    async def _commit_some(self) -> None:
        count = min(len(self._waiting), self._room.per_commit)
        batch = [self._waiting.popleft() for _ in range(count)]
        error: BaseException | None = asyncio.CancelledError()
        try:
            error = await self._attempt([arrival for arrival, _ in batch])
        finally:
            for arrival, outcome in batch:
                self._bytes -= len(arrival.xml)
                _tell(outcome, error)
        if error is None:
            self._wake()

    async def _attempt(self, arrivals: list[Arrival]) -> Exception | None:
        try:
            await self._commit(arrivals)
        except Exception as error:
            # Only its type: the text of a database error shows the values that were written.
            _log.error("inbox_commit_failed", events=len(arrivals), error=type(error).__name__)
            return error
        return None

    async def _commit(self, arrivals: list[Arrival]) -> None:
        jobs = [job for arrival in arrivals for job in arrival.jobs()]
        now = self._now()
        await self._store.write_first(lambda tx: tx.work.add(jobs, now))


def _tell(outcome: _Outcome, error: BaseException | None) -> None:
    if not outcome.done():  # else whoever waited has gone away
        outcome.set_result(error)
