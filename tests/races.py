"""Two steps at once on two nodes: the second begins while the first is not committed yet."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from contextlib import aclosing
from typing import Any

from storage.database import Database
from storage.transaction import Transaction

Step = Callable[[Transaction], object]


async def overlapped(db: Database, db_url: str, first: Step, second: Step) -> tuple[Any, Any]:
    """Return what both steps gave or raised; the second has read what the first outdates."""
    written, go_on = threading.Event(), threading.Event()

    def held(tx: Transaction) -> None:
        first(tx)
        written.set()
        go_on.wait(5)

    async with aclosing(Database.open(db_url)) as other:
        one = asyncio.create_task(db.write(held))
        assert await asyncio.to_thread(written.wait, 5)
        two = asyncio.create_task(other.write(second))
        await asyncio.sleep(0.2)  # time enough to read what is about to be outdated
        go_on.set()
        gave, got = await asyncio.gather(one, two, return_exceptions=True)
    return gave, got
