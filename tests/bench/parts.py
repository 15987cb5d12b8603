"""What the parts of a judged add cost apart from one another, in CPU time and beside the floor.

Together they cost more than their sum: this says what is left however they are put together.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import psycopg

from bot.wecom.wire import Call, Wire
from storage.database import Database
from storage.transaction import Step
from tests.bench import measuring, places, pretend
from tests.makers_adding import ALLOWED, add
from tests.makers_approval import NOON

Row = dict[str, Any]

_AT_ONCE = 5  # calls under way, as bot.wecom.traffic allows
_BATCH = 16
_PATH = "externalcontact/get"


@dataclass(frozen=True, slots=True)
class Size:
    """How often each thing is done."""

    letters: int
    calls: int
    steps: int


FULL = Size(letters=8_000, calls=4_000, steps=1_500)
QUICK = Size(letters=1_000, calls=200, steps=320)


async def measure(size: Size, folder: Path) -> list[Row]:
    """Return the CPU time of each part for one add, and how many events of the floor that is."""
    floor = (await measuring.floor(size.letters)).cpu or 0.0
    with places.sqlite(folder) as place:
        door = (await measuring.door(place, size.letters)).cpu or 0.0
    with _wecom() as url:
        bare, ours = await _calls(url, size.calls)
    with places.sqlite(folder) as place:
        step = await _steps(place.url, size.steps)
    parts = {
        "floor": floor,
        "the door, with the commit on SQLite": door,
        "a call to WeCom by aiohttp alone": bare,
        "a call to WeCom": ours,
        f"the step, {_BATCH} to a batch on SQLite": step,
        "the door, two calls and the step": door + 2 * ours + step,
    }
    if places.has_postgresql():
        with places.postgresql(folder) as place:
            parts["a row found by PostgreSQL's driver alone"] = _looked_up(place, size.calls)
            step = await _steps(place.url, size.steps)
            parts[f"the step, {_BATCH} to a batch on PostgreSQL"] = step
    return [
        {"part": name, "cpu_us": round(cpu * 1e6), "floors": round(cpu / floor, 2)}
        for name, cpu in parts.items()
    ]


def table(rows: Sequence[Row]) -> str:
    """Return the rows as lines of text."""
    width = max(len(row["part"]) for row in rows)
    lines = [" " * width + "   CPU us   floors"]
    lines += [f"{row['part']:<{width}}{row['cpu_us']:>9}{row['floors']:>9}" for row in rows]
    return "\n".join(lines)


@contextmanager
def _wecom() -> Iterator[str]:
    """Run the pretend WeCom in a thread: the CPU time of this one is the caller's alone."""
    wecom, ready = pretend.Pretend(), threading.Event()
    loop = asyncio.new_event_loop()

    def serve() -> None:
        loop.run_until_complete(wecom.start())
        ready.set()
        loop.run_forever()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    ready.wait()
    try:
        yield wecom.url
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        wecom.stop()
        loop.close()


async def _calls(url: str, count: int) -> tuple[float, float]:
    async with aiohttp.ClientSession() as http:
        wire = Wire(http, url, clock=time.monotonic, on_call=lambda *_: None)

        async def bare(number: int) -> None:
            async with http.get(f"{url}/cgi-bin/{_PATH}", params=_query(number)) as answer:
                await answer.json()

        async def ours(number: int) -> None:
            await wire.exchange(Call(_PATH, query=_query(number)))

        return await _each(bare, count), await _each(ours, count)


def _looked_up(place: places.Place, count: int) -> float:
    """Ask for one of a thousand rows by two of its columns, as a statement that is prepared."""
    with psycopg.connect(place.url) as connection, connection.cursor() as cursor:
        cursor.execute("CREATE TEMP TABLE row (id integer PRIMARY KEY, name text)")
        cursor.execute("INSERT INTO row SELECT n, 'n' || n FROM generate_series(0, 999) AS n")

        def ask(number: int) -> None:
            values = {"id": number % 1000, "name": f"n{number % 1000}"}
            cursor.execute("SELECT id, name FROM row WHERE id = %(id)s AND name = %(name)s", values)
            cursor.fetchall()

        for number in range(100):
            ask(number)
        before = time.thread_time()
        for number in range(count):
            ask(number)
        return (time.thread_time() - before) / count


def _query(number: int) -> dict[str, str]:
    return {"external_userid": pretend.ordinary(number, number), "access_token": "t0ken"}


async def _each(call: Callable[[int], Awaitable[None]], count: int) -> float:
    async def some(first: int) -> None:
        for number in range(first, count, _AT_ONCE):
            await call(number)

    await call(count)
    before = time.thread_time()
    await asyncio.gather(*map(some, range(_AT_ONCE)))
    return (time.thread_time() - before) / count


async def _steps(url: str, count: int) -> float:
    """Judge adds that the rules allow; each in a week of its own, so that none counts another."""

    def judged(number: int) -> Step[None]:
        at = NOON + timedelta(days=8 * number)
        return lambda tx: add(tx, ALLOWED, f"wm{number}", at, f"c{number}")

    db = Database.open(url)
    try:
        await asyncio.to_thread(db.upgrade)
        await _in_batches(db, [judged(number) for number in range(_BATCH * 10)])
        before = time.process_time()
        await _in_batches(db, [judged(number) for number in range(_BATCH * 10, count)])
        return (time.process_time() - before) / (count - _BATCH * 10)
    finally:
        await db.aclose()


async def _in_batches(db: Database, steps: Sequence[Step[None]]) -> None:
    for start in range(0, len(steps), _BATCH):
        await asyncio.gather(*map(db.write, steps[start : start + _BATCH]))
