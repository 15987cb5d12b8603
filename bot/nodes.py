"""What a running node tells the others of itself, what it knows of them, and their common clock."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import metadata

import structlog

from bot.company import Company
from storage.database import Database
from storage.nodes import Node

_log = structlog.get_logger()

NOTICEABLE = timedelta(seconds=10)  # by which clocks may differ before somebody should look
_EVERY = 5.0  # seconds between signs of life
_NEGLIGIBLE = timedelta(seconds=1)  # a difference that leases forgive


class AgreedClock:
    """The database's time, on which all nodes agree; with SQLite this machine's own.

    Leases, timers and the slots of chores mean the same on every node only by one clock.
    """

    def __init__(self, own: Callable[[], datetime]) -> None:
        self._own = own
        self._added = timedelta(0)
        self.behind = timedelta(0)  # our machine's clock, as last measured

    def now(self) -> datetime:
        """Return the present time."""
        return self._own() + self._added

    async def compare(self, db: Database) -> None:
        """Look at the database's clock and follow it."""
        self.behind = await db.clock_ahead(self._own)
        if abs(self.behind - self._added) > _NEGLIGIBLE:
            _log.info("clock_followed", behind=self.behind.total_seconds())
            self._added = self.behind


@dataclass(slots=True)
class Nodes:
    """This node among those on its database. `living` is as of the last sign of life."""

    db: Database
    company: Company
    clock: AgreedClock
    port: int
    has_cache: Callable[[], bool] = lambda: True
    living: tuple[Node, ...] = ()
    _started_at: datetime | None = None
    _warned: bool = False

    @property
    def name(self) -> str:
        """What this node is called; a process that takes its place is called otherwise."""
        return f"{self._place}#{os.getpid()}"

    @property
    def _place(self) -> str:
        return f"{socket.gethostname()}:{self.port}"

    @property
    def count(self) -> int:
        """How many share the work and WeCom's limits, this one included."""
        return max(1, len(self.living))

    @property
    def all_have_cache(self) -> bool:
        """Whether none of them goes without Redis."""
        return all(each.has_cache for each in self.living)

    @property
    def is_alone(self) -> bool:
        """Whether there cannot be any other: one process alone works on an SQLite file."""
        return not self.db.is_shared

    async def begin(self) -> None:
        """Show up in place of a process that was killed here, or, on SQLite, anywhere."""
        place = f"{self._place}#" if self.db.is_shared and self.port else ""
        if place or not self.db.is_shared:
            await self.db.write(lambda tx: tx.nodes.drop_at(place))
        await self.show()

    async def run(self) -> None:
        """Give signs of life until cancelled."""
        while True:
            await asyncio.sleep(_EVERY)
            try:
                await self.show()
            except Exception as error:  # the others will think us gone; the work goes on
                _log.warning("node_not_shown", error=type(error).__name__)

    async def show(self) -> None:
        """Tell the others that this node lives, and look who else does."""
        await self.clock.compare(self.db)
        now = self.clock.now()
        self._started_at = self._started_at or now
        own = Node(
            self.name,
            metadata.version("menwei"),
            self.company.standing.policy.hash,
            self._started_at,
            now,
            self.clock.behind.total_seconds(),
            self.has_cache(),
        )
        await self.db.write(lambda tx: tx.nodes.put(own))
        self.living = tuple(await self.db.read(lambda tx: tx.nodes.living(now)))
        self._warn()

    async def leave(self) -> None:
        """Tell the others that this node ends."""
        try:
            await self.db.write(lambda tx: tx.nodes.drop(self.name))
        except Exception as error:  # they will notice
            _log.warning("node_not_shown", error=type(error).__name__)

    def told(self) -> str:
        """Say in a few words how the nodes stand; '' for a single one with which all is well."""
        troubles = troubles_of(self.living)
        return "; ".join([f"{self.count} live", *troubles]) if self.count > 1 or troubles else ""

    def _warn(self) -> None:
        """Log once that a clock is wrong, and once that it is right again."""
        is_wrong = abs(self.clock.behind) > NOTICEABLE
        if is_wrong is not self._warned:
            self._warned = is_wrong
            said = "clock_differs" if is_wrong else "clock_agrees"
            _log.warning(said, behind_database=round(self.clock.behind.total_seconds(), 1))


def troubles_of(living: tuple[Node, ...]) -> list[str]:
    """Return what somebody should look at, in a few words each."""
    found = []
    if not all(each.has_cache for each in living):
        found.append("not all have Redis")
    if len({each.policy for each in living}) > 1:
        found.append("policies differ")
    if len({each.version for each in living}) > 1:
        found.append("versions differ")
    wrong = [each for each in living if abs(each.clock_behind) > NOTICEABLE.total_seconds()]
    found += [f"clock of {each.name} {-each.clock_behind:+.0f} s" for each in wrong]
    return found
