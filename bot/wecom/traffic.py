"""Says when a call may leave: not too many at once, not too often, and not into silence."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from bot.wecom.budgets import SharedBudget
from bot.wecom.codes import Kind
from bot.wecom.errors import HeldBack, Unreachable, WecomError

_AT_ONCE = 5  # of one API; WeCom publishes no figure for 45033, so this is a careful guess
_SILENT = 3.0  # seconds without any answer after which nobody queues behind calls under way
_GIVEN_UP_AFTER = 5  # calls without an answer, one after the other
_REST, _LONGEST_REST = 5.0, 60.0  # seconds until one call tries again
_WORTH_WAITING = 2.0  # seconds that a call waits for its turn itself
_LONGEST_BAR = 3600.0  # no window of WeCom's is longer: else the clock was set back


@dataclass(slots=True)
class _Road:
    """What goes on at one API."""

    inside: int = 0  # calls under way
    heard: float = 0.0  # when the last answer came, or a call left an empty road
    silences: int = 0  # calls in a row that had no answer
    next_try: float = 0.0
    barred_until: float = 0.0  # WeCom said so
    waiting: deque[asyncio.Future[None]] = field(default_factory=deque)


class Traffic:
    """Stands before every call; raises WecomError where one had better not be made.

    `budget` counts the calls of all nodes. `nodes` live now and share the ceiling of calls at once.
    A WeCom that is silent is asked by one call now and then; all others fail at once, so that
    whoever needs another API is not stuck behind them.
    """

    def __init__(
        self,
        clock: Callable[[], float],
        *,
        budget: SharedBudget | None = None,
        nodes: Callable[[], int] = lambda: 1,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._budget = budget
        self._nodes = nodes
        self._sleep = sleep
        self._roads: dict[str, _Road] = {}

    @asynccontextmanager
    async def passage(self, path: str) -> AsyncIterator[None]:
        """Let one call of an API pass when its turn has come. Raises HeldBack and Unreachable."""
        road = self._roads.setdefault(path, _Road())
        self._expect_welcome(path, road)
        await self._spend(path)
        await self._enter(path, road)
        try:
            self._expect_voice(path, road)  # it may have fallen silent while we stood there
            yield
        finally:
            self._leave(road)

    async def heard(self, path: str, outcome: WecomError | None) -> None:
        """Learn from how a call went, and tell the other nodes if WeCom wants to hear no more."""
        road, now = self._roads.setdefault(path, _Road()), self._clock()
        if isinstance(outcome, Unreachable) and outcome.is_silence:
            road.silences += 1
            beyond = max(0, road.silences - _GIVEN_UP_AFTER)
            road.next_try = now + min(_REST * 2 ** min(beyond, 10), _LONGEST_REST)
            return
        road.heard, road.silences = now, 0
        if outcome is not None and outcome.kind is Kind.WAIT and outcome.retry_after:
            road.barred_until = now + outcome.retry_after.total_seconds()
            if self._budget is not None:
                await self._budget.bar(path, outcome.retry_after)

    def _expect_welcome(self, path: str, road: _Road) -> None:
        wait = road.barred_until - self._clock()
        if 0 < wait <= _LONGEST_BAR:
            raise HeldBack(path, "WeCom said that it is called too often", wait)

    def _expect_voice(self, path: str, road: _Road) -> None:
        if road.silences < _GIVEN_UP_AFTER:
            return
        now = self._clock()
        if now < road.next_try <= now + _LONGEST_REST:
            raise Unreachable(path, "not asked: it has been silent", maybe_done=False)
        road.next_try = now + _LONGEST_REST  # ours is the call that tries; whoever comes does not

    async def _spend(self, path: str) -> None:
        if self._budget is None:
            return
        wait = await self._budget.delay(path)
        if 0 < wait <= _WORTH_WAITING:
            await self._sleep(wait)
            wait = await self._budget.delay(path)
        if wait > 0:
            raise HeldBack(path, "as many calls as WeCom allows", wait)

    async def _enter(self, path: str, road: _Road) -> None:
        if not road.waiting and road.inside < self._ceiling():
            self._take_place(road)
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        road.waiting.append(turn)
        try:
            while not (await asyncio.wait({turn}, timeout=_SILENT))[0]:
                if self._clock() - road.heard >= _SILENT:
                    turn.cancel()
                    raise Unreachable(path, "not asked: others wait for it", maybe_done=False)
        except asyncio.CancelledError:
            if turn.done():
                self._leave(road)
            turn.cancel()
            raise

    def _leave(self, road: _Road) -> None:
        """Give the place to whoever has waited longest, to more if the ceiling has risen."""
        road.inside -= 1
        while road.waiting and road.inside < self._ceiling():
            turn = road.waiting.popleft()
            if not turn.done():  # else they have given up
                self._take_place(road)
                turn.set_result(None)

    def _take_place(self, road: _Road) -> None:
        if road.inside == 0:
            road.heard = self._clock()
        road.inside += 1

    def _ceiling(self) -> int:
        return max(1, _AT_ONCE // max(1, self._nodes()))
