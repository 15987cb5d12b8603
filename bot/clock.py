"""One time for all nodes: a node's own clock, set right by the database that all of them share.

What is due, how long a lease lasts and how old a welcome code is would otherwise depend on which
node looks: one whose clock is a minute fast takes work out of the hands of the others.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from storage.database import Database

_log = structlog.get_logger()

_AGAIN = 60.0  # seconds until the clocks are compared again


class Clock:
    """Gives the database's time, as far as this node knows it; with SQLite the node's own."""

    def __init__(self, own: Callable[[], datetime]) -> None:
        self._own = own
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        """Return the time that all nodes agree on, to some milliseconds."""
        return self._own() + self._ahead

    async def compare(self, db: Database) -> None:
        """Set it by the database's clock."""
        self._ahead = await db.clock_ahead(self._own)

    async def keep(self, db: Database) -> None:
        """Compare again and again; while the database is away, the last difference stands."""
        while True:
            await asyncio.sleep(_AGAIN)
            try:
                await self.compare(db)
            except Exception as error:
                _log.warning("clocks_not_compared", error=type(error).__name__)
