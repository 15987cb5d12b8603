"""Takes due work from one queue, does it lane by lane, and writes each result in one transaction.

A handler first looks (calls WeCom, reads what it needs) and returns a *step*: what to write. The
step, and the mark that the work is done, are one commit, so that a crash in between repeats the
work instead of losing or doubling its effect.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import groupby
from typing import Protocol

import structlog

from bot.wecom import HeldBack, Kind, WecomError
from storage.database import Database, Unavailable
from storage.transaction import Transaction
from storage.work import Claimed, Queue

Step = Callable[[Transaction], None]
Count = Callable[[str, str], object]  # kind, and done, ignored, failed or set_aside
Handler = Callable[[Claimed], Awaitable[Step]]

_log = structlog.get_logger()

# Parts of a lease: after the first nothing is begun, after both what is under way is broken off.
_LEASE_USED, _GRACE = 0.5, 0.4
_RENEWED_EVERY = 0.3


class Ignore(Exception):
    """The work needs nothing done; the reason is kept with it."""


class Hopeless(Exception):
    """Trying again cannot help: the work goes to the dead-letter desk at once."""


class Postpone(Exception):
    """Not now: look again after `delay`. Does not count as a failure."""

    def __init__(self, delay: timedelta) -> None:
        super().__init__(f"postponed by {delay}")
        self.delay = delay


class SetAside(Protocol):
    """Called in the transaction that gives work up for good, so that somebody is told."""

    def __call__(self, tx: Transaction, work: Claimed, error: str) -> None:
        """Do what giving up asks for."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long failing work is tried again."""

    faults: int = 6  # tries after an error of our own
    outage: int = 150  # tries while WeCom is away: with the longest pause about a day
    longest: timedelta = timedelta(minutes=10)

    def pause(self, tries: int) -> timedelta:
        """Return the wait before the next try: 1 s, 2 s, 4 s, … up to `longest`."""
        return min(timedelta(seconds=2 ** min(tries - 1, 20)), self.longest)


@dataclass(slots=True)
class Worker:
    """Works one queue until stopped. At most `width` lanes at a time."""

    db: Database
    queue: Queue
    handle: Handler
    set_aside: SetAside
    now: Callable[[], datetime]
    width: int = 16
    lease: timedelta = timedelta(seconds=60)
    longest: timedelta | None = None  # how long one row may take, its lease being renewed
    idle: float = 1.0  # polling is the truth, `wake` only a hint
    breath: float = 0.01  # seconds between claims while work is in hand: each one is a query
    patience: Patience = field(default_factory=Patience)
    count: Count = lambda *_: None  # hears what became of each row
    took: Callable[[timedelta], object] = lambda _: None  # from being stored to being done
    misconfigured: SetAside | None = None  # hears the first refusal an admin must mend
    # Called after a step that has made work for that queue.
    wake_others: Mapping[Queue, Callable[[], None]] = field(default_factory=dict)
    when_full: Callable[[], None] = lambda: None  # there may be work, and no hand is free
    _awake: asyncio.Event = field(default_factory=asyncio.Event)
    _running: set[asyncio.Task[None]] = field(default_factory=set)
    _stopping: bool = False

    def wake(self) -> None:
        """Say that there may be work. Call from the event loop."""
        self._awake.set()
        if len(self._running) >= self.width:
            self.when_full()

    def wake_here(self) -> None:
        """Do the same because another node says so, who has its hands full itself."""
        self._awake.set()

    async def run(self) -> None:
        """Work until cancelled; then finish what is in hand, and give back what was not begun."""
        try:
            while True:
                await self._round()
        finally:
            self._stopping = True
            if self._running:
                await asyncio.wait(self._running)

    async def _round(self) -> None:
        self._awake.clear()
        free = self.width - len(self._running)
        claimed = await self._claim(free) if free > 0 else []
        self._begin(claimed)
        if self._running:
            await asyncio.sleep(self.breath)
        if not claimed:
            await self._sleep()

    def _begin(self, claimed: Sequence[Claimed]) -> None:
        until = asyncio.get_running_loop().time() + _LEASE_USED * self.lease.total_seconds()
        for _, lane in groupby(sorted(claimed, key=_lane_then_age), key=_lane):
            task = asyncio.create_task(self._do_lane(list(lane), until))
            self._running.add(task)
            task.add_done_callback(self._lane_done)

    def _lane_done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._awake.set()

    async def _sleep(self) -> None:
        try:
            async with asyncio.timeout(self.idle):
                await self._awake.wait()
        except TimeoutError:
            return

    async def _claim(self, limit: int) -> list[Claimed]:
        claim = asyncio.ensure_future(
            self.db.write(lambda tx: tx.work.claim(self.queue, self.now(), limit, self.lease))
        )
        try:
            return await asyncio.shield(claim)
        except asyncio.CancelledError:
            # What was leased for nobody would wait until the lease runs out.
            self._stopping = True
            with suppress(Exception):
                self._begin(await claim)
            raise
        except Exception as error:
            _log.error("claim_failed", queue=self.queue.name, error=type(error).__name__)
            await asyncio.sleep(self.idle)
            return []

    async def _do_lane(self, lane: Iterable[Claimed], until: float) -> None:
        """Do the rows one after the other, and none of them beyond the lease."""
        blocked = False
        for work in lane:
            late = asyncio.get_running_loop().time() > until
            if blocked or late or self._stopping:  # what follows a failed one stays behind it
                blocked = True
                await self._release(work)
            else:
                blocked = not await self._do(work, until)

    async def _do(self, work: Claimed, until: float) -> bool:
        """Return whether the lane may go on."""
        try:
            # Never in two hands at once: the handler ends before the lease does.
            async with asyncio.timeout_at(until + _GRACE * self.lease.total_seconds()) as end:
                step = await self._handled(work, end)
            stirred = await self.db.write(lambda tx: self._finish(tx, work, step))
            self.count(work.kind, "done")
            self.took(self.now() - work.created_at)
            for queue in stirred & self.wake_others.keys():
                self.wake_others[queue]()
        except Ignore as reason:
            text = str(reason)
            self.count(work.kind, "ignored")
            return await self._write(work, lambda tx: tx.work.ignored(work, text, self.now()))
        except Postpone as wait:
            due = self.now() + wait.delay
            await self._write(work, lambda tx: tx.work.postpone(work, due, "postponed"))
            return False
        except HeldBack as held:  # nothing is wrong with the work
            due, why = self.now() + held.retry_after, str(held)
            await self._write(work, lambda tx: tx.work.postpone(work, due, why))
            return False
        except Exception as error:  # one poisoned event stops nobody
            return await self._failed(work, error)
        return True

    async def _handled(self, work: Claimed, end: asyncio.Timeout) -> Step:
        """Return the step; renew the lease of work that may take longer than one."""
        if self.longest is None:
            return await self.handle(work)
        renewing = asyncio.create_task(self._renew(work, end, self.longest.total_seconds()))
        try:
            return await self.handle(work)
        finally:
            renewing.cancel()
            await asyncio.wait([renewing])

    async def _renew(self, work: Claimed, end: asyncio.Timeout, longest: float) -> None:
        """Put the end of the lease off, and with it the end of the handler.

        A process that stops has no more time than the lease it holds.
        """
        loop, lease = asyncio.get_running_loop(), self.lease.total_seconds()
        last = loop.time() + longest
        while not self._stopping and loop.time() < last:
            await asyncio.sleep(_RENEWED_EVERY * lease)
            at = loop.time()
            kept = await self._kept(work)
            if end.expired():
                return
            if kept is not None:
                end.reschedule(at + (_LEASE_USED + _GRACE) * lease if kept else at)

    async def _kept(self, work: Claimed) -> bool | None:
        """Renew a lease; False if somebody else has the work by now, None if nobody can tell."""
        until = self.now() + self.lease
        try:
            return await self.db.write(lambda tx: tx.work.renew(work, until))
        except Exception as error:
            _log.warning("lease_not_renewed", work=work.id, error=type(error).__name__)
            return None

    def _finish(self, tx: Transaction, work: Claimed, step: Step) -> set[Queue]:
        """Return the queues for which the step has made work."""
        if tx.work.done(work, self.now()):  # else the lease ran out and another claim has it
            step(tx)
        return tx.work.stirred

    async def _release(self, work: Claimed) -> None:
        await self._write(work, lambda tx: tx.work.release(work, self.now()))

    async def _failed(self, work: Claimed, error: Exception) -> bool:
        if self._stopping and isinstance(error, TimeoutError):  # another process has the time
            await self._write(work, lambda tx: self._stopped(tx, work))
            return False
        reason = _describe(error)
        _log.warning("work_failed", kind=work.kind, work=work.id, tries=work.tries, reason=reason)
        pause = self._next_try(work, error)
        self.count(work.kind, "failed" if pause else "set_aside")
        if pause is None:
            return await self._write(work, lambda tx: self._give_up(tx, work, reason)) or (
                # Telling it failed too. Given up all the same, or it would come back for ever.
                await self._write(work, lambda tx: tx.work.dead(work, reason, self.now()))
            )
        due = self.now() + pause
        await self._write(work, lambda tx: self._again(tx, work, due, error))
        return False

    def _again(self, tx: Transaction, work: Claimed, due: datetime, error: Exception) -> None:
        reason = _describe(error)
        ours = tx.work.retry(work, due, reason)
        refused = isinstance(error, WecomError) and error.kind is Kind.CONFIG
        if ours and refused and work.tries == 1 and self.misconfigured is not None:
            self.misconfigured(tx, work, reason)

    def _stopped(self, tx: Transaction, work: Claimed) -> None:
        """Give back what was begun. It counts as a try, for WeCom may have done it; but not what
        takes so long that every stop may meet it.
        """
        if self.longest is None:
            tx.work.retry(work, self.now(), "stopped")
        else:
            tx.work.release(work, self.now())

    def _next_try(self, work: Claimed, error: Exception) -> timedelta | None:
        """Return the wait before the next try, or None when there shall be none."""
        if isinstance(error, Hopeless):
            return None
        if isinstance(error, Unavailable):  # the work is not at fault, and nothing was written
            return self.patience.pause(work.tries)
        if isinstance(error, WecomError):
            if error.kind not in {Kind.RETRY, Kind.WAIT, Kind.TOKEN, Kind.CONFIG}:
                return None
            if work.tries >= self.patience.outage:
                return None
            return error.retry_after or self.patience.pause(work.tries)
        return self.patience.pause(work.tries) if work.tries < self.patience.faults else None

    def _give_up(self, tx: Transaction, work: Claimed, reason: str) -> None:
        if tx.work.dead(work, reason, self.now()):
            self.set_aside(tx, work, reason)

    async def _write(self, work: Claimed, step: Step | Callable[[Transaction], bool]) -> bool:
        try:
            await self.db.write(step)
        except Exception as error:
            # The lease runs out and the work comes again; nothing is lost.
            _log.error("result_not_written", work=work.id, error=type(error).__name__)
            return False
        return True


def _describe(error: Exception) -> str:
    """Name an error without quoting it: its text may hold personal data."""
    if isinstance(error, WecomError | Hopeless):
        return str(error)
    frame = error.__traceback__
    while frame and frame.tb_next:
        frame = frame.tb_next
    place = f" at {frame.tb_frame.f_code.co_name}:{frame.tb_lineno}" if frame else ""
    return f"{type(error).__name__}{place}"


def _lane(work: Claimed) -> str:
    return work.lane


def _lane_then_age(work: Claimed) -> tuple[str, int]:
    return work.lane, work.id
