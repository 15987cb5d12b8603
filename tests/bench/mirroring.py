"""The reading of all customers of a large corporation, against the simulator in its own process.

`menwei serve` reads them on an empty database, is killed with -9 on the way and goes on; then it
reads them once more, with nothing changed. Afterwards what a decision looks up is timed.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import sys
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import aiohttp

from bot import chores, demo
from bot.simulator.faces import Faces
from storage.database import Database
from storage.transaction import Transaction
from storage.work import Job, Queue
from tests.bench.places import Place
from tests.bench.waits import percentile
from workflows.mirror import Reading

Places = Callable[[Path], AbstractContextManager[Place]]
Row = dict[str, Any]

AIM_MEGABYTES, AIM_MS = 300, 1.0
_POLL = 0.2
_AT_EASE = 3.0  # seconds after its start, until the server has done its first chores
_PATIENCE = 1800.0
_IN_HAND = 200  # relations that the killed server may still have written after we looked
_PAGES = "externalcontact/batch/get_by_user"
# Whom the demo's rules name, as there is nobody of that name in the crowd.
_CAST = {
    f"user:{each}": f"user:crowd{number:05}"
    for number, each in enumerate(("zhaomin", "chenyu", "wangfang", "liqiang", "pool"))
}


@dataclass(frozen=True, slots=True)
class Size:
    """How large the corporation is, and how often each thing is looked up."""

    members: int
    relations: int
    looks: int
    seed: int = 1


FULL = Size(5_000, 1_000_000, looks=2_000)
QUICK = Size(60, 6_000, looks=200)


async def measure(size: Size, folder: Path, databases: Mapping[str, Places]) -> list[Row]:
    """Return one row for each database."""
    faces = Faces(size.members, size.relations, size.seed)
    rows = []
    for name, make in databases.items():
        with make(folder) as place:
            bench = _Bench(place, size, folder)
            row = {"database": name, "members": size.members, "relations": size.relations}
            rows.append(row | await bench.read() | await bench.looked_up(faces))
    return rows


@dataclass(slots=True)
class _Bench:
    """One corporation, and one Menwei on one database."""

    place: Place
    size: Size
    folder: Path
    api: str = ""
    megabytes: float = 0.0

    async def read(self) -> Row:
        """Read everything twice: killed on the way, and undisturbed."""
        async with self._corporation() as self.api:
            first = await self._first()
            after_first = await self._traffic()
            second = await self._second()
            after_second = await self._traffic()
        pages = after_second["apis"][_PAGES]
        return {
            **first,
            "read_twice": after_first["listed"] - self.size.relations,
            "pages": pages["calls"],
            "pages_first": after_first["apis"][_PAGES]["calls"],
            "most_calls_in_a_minute": pages["most_in_a_minute"],
            **second,
            "megabytes": round(self.megabytes),
        }

    async def _first(self) -> Row:
        """Kill Menwei somewhere on the way, and have another one finish what it began."""
        share = random.Random(self.size.seed).uniform(0.3, 0.7)
        async with self._menwei() as process:  # at its first start it reads them by itself
            await self._until(lambda: self._relations() >= share * self.size.relations)
            on_file = self._relations()
            process.send_signal(signal.SIGKILL)
        killed = time.perf_counter()
        async with self._menwei() as process:
            await self._until(lambda: self._relations() > on_file + _IN_HAND)
            resumed = time.perf_counter() - killed
            before = await self._used(process.pid)
            await self._until(lambda: self._readings() == 1)
            cpu = _cpu_of_a_page(before, await self._used(process.pid))
        return {
            "first_cpu_ms": cpu,
            "killed_at": on_file,
            "resumed_seconds": round(resumed, 1),
            "first_seconds": _seconds(await self._newest()),
            "relations_on_file": self._relations(),
        }

    async def _second(self) -> Row:
        """Read once more, with nothing changed."""
        async with self._menwei() as process:
            await asyncio.sleep(_AT_EASE)
            before = await self._used(process.pid)
            await self._ask_for_a_reading()
            await self._until(lambda: self._readings() == 2)
            cpu = _cpu_of_a_page(before, await self._used(process.pid))
        last = await self._newest()
        return {
            "second_seconds": _seconds(last),
            "second_written": _written(last),
            "second_cpu_ms": cpu,
        }

    async def looked_up(self, faces: Faces) -> Row:
        """Time what a decision asks the database, each in a transaction of its own."""
        dice = random.Random(self.size.seed)
        db = Database.open(self.place.url)
        found: Row = {}
        for name, draw in _LOOKS.items():
            waits = sorted([await _timed(db, draw(faces, dice)) for _ in range(self.size.looks)])
            found[f"{name}_p50_ms"] = percentile(waits, 0.50, 3)
            found[f"{name}_p99_ms"] = percentile(waits, 0.99, 3)
        await db.aclose()
        return found

    # Processes

    @asynccontextmanager
    async def _corporation(self) -> AsyncIterator[str]:
        port, corp, size = demo.free_port(8900), demo.corp(), self.size
        numbers = {"--members": size.members, "--relations": size.relations, "--seed": size.seed}
        words = [str(word) for pair in numbers.items() for word in pair]
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot.simulator", "--port", str(port), *words,
            "--secret", corp.secret, "--token", corp.token, "--aes-key", corp.encoding_aes_key,
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        assert process.stdout is not None
        try:
            await process.stdout.readline()  # it listens
            yield f"http://{demo.HOST}:{port}"
        finally:
            process.send_signal(signal.SIGTERM)
            await process.wait()

    @asynccontextmanager
    async def _menwei(self) -> AsyncIterator[asyncio.subprocess.Process]:
        config = self.folder / "mirroring.toml"
        config.write_text(_config(self.place.url, self.api, demo.free_port(8123)), "utf-8")
        silent = asyncio.subprocess.DEVNULL
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", "serve", "--config", str(config), "--log-level", "error",
            stdout=silent, stderr=silent,
        )  # fmt: skip
        watching = asyncio.create_task(self._watch(process.pid))
        try:
            yield process
        finally:
            watching.cancel()
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
            await process.wait()

    async def _watch(self, pid: int) -> None:
        """Remember how large the server was at most."""
        while True:
            self.megabytes = max(self.megabytes, _peak(pid))
            await asyncio.sleep(_POLL)

    # What can be seen from outside

    async def _ask_for_a_reading(self) -> None:
        """Put into the timers what `chores` puts there when all customers are to be read now."""
        now, kind = datetime.now(UTC), chores.CUSTOMERS_NOW
        job = Job(Queue.TIMERS, kind, kind, now.isoformat(), f"bench:{now.isoformat()}")
        db = Database.open(self.place.url)
        await db.write(lambda tx: tx.work.add([job], now))
        await db.aclose()

    async def _newest(self) -> Reading:
        db = Database.open(self.place.url)
        [last] = await db.read(lambda tx: tx.readings.newest(1))
        await db.aclose()
        return last

    def _relations(self) -> int:
        return self._number("SELECT count(*) FROM relations")

    def _readings(self) -> int:
        """Return how many readings have come to their end."""
        return self._number("SELECT count(*) FROM readings WHERE is_open = 0")

    def _number(self, query: str) -> int:
        try:
            return self.place.number(query)
        except Exception:
            return 0  # the tables are not there yet

    async def _until(self, there: Callable[[], bool]) -> None:
        end = time.perf_counter() + _PATIENCE
        while not await asyncio.to_thread(there):
            if time.perf_counter() > end:
                raise TimeoutError("the customers are not read")
            await asyncio.sleep(_POLL)

    async def _used(self, pid: int) -> tuple[float, int]:
        """Return the CPU seconds of a process, and the pages that WeCom has shown, so far."""
        return _cpu(pid), (await self._traffic())["apis"].get(_PAGES, {"calls": 0})["calls"]

    async def _traffic(self) -> Row:
        async with (
            aiohttp.ClientSession() as http,
            http.get(f"{self.api}/sim/traffic") as answer,
        ):
            found: Row = await answer.json()
            return found


def _config(url: str, api: str, port: int) -> str:
    """Return the demo's rules for the crowd's company."""
    found = resources.files("bot.demo").joinpath("config.toml").read_text("utf-8")
    places = {"port": str(port), "api_base": f'"{api}"', "url": f'"{url}"'}
    for name, value in places.items():
        found, count = re.subn(rf"^{name} = .*$", f"{name} = {value}", found, flags=re.MULTILINE)
        if not count:
            raise ValueError(f"the demo's config file has no {name} any more")
    for who, other in _CAST.items():
        found = found.replace(who, other)
    return found


def _peak(pid: int) -> float:
    """Return the most memory a process has had so far, in MB; 0 once it is gone."""
    try:
        status = Path(f"/proc/{pid}/status").read_text("utf-8")
    except OSError:
        return 0.0
    peak = re.search(r"VmHWM:\s+(\d+) kB", status)
    return int(peak[1]) / 1024 if peak else 0.0


def _cpu(pid: int) -> float:
    """Return the CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")  # utime, stime


def _cpu_of_a_page(before: tuple[float, int], after: tuple[float, int]) -> float:
    return round((after[0] - before[0]) / max(after[1] - before[1], 1) * 1000, 1)


def _seconds(reading: Reading) -> float:
    assert reading.ended is not None
    return round((reading.ended - reading.began).total_seconds(), 1)


def _written(reading: Reading) -> int:
    """Return how many relations a reading has put on file or changed, late finds included."""
    tally = reading.tally
    return tally.new + tally.changed + reading.late_adds + reading.late_deletions


# Look-ups

_Look = Callable[[Transaction], object]
_Draw = Callable[[Faces, random.Random], _Look]


def _of_customer(faces: Faces, dice: random.Random) -> _Look:
    external = faces.external(dice.randrange(faces.customers))
    return lambda tx: tx.relations.of_customer(external)


def _by_phone(faces: Faces, dice: random.Random) -> _Look:
    phone = faces.customer(dice.randrange(faces.customers)).phone
    return lambda tx: tx.relations.find_by_phone(phone)


def _contact_count(faces: Faces, dice: random.Random) -> _Look:
    userid = faces.userid(dice.randrange(faces.members))
    return lambda tx: tx.mirror.contact_count(userid)


_LOOKS: Mapping[str, _Draw] = {
    "of_customer": _of_customer,
    "by_phone": _by_phone,
    "contact_count": _contact_count,
}


async def _timed(db: Database, look: _Look) -> float:
    def timed(tx: Transaction) -> float:
        start = time.perf_counter()
        look(tx)
        return time.perf_counter() - start

    return await db.read(timed)


# Shown

_TITLES = {
    "relations_on_file": "relations on file",
    "pages_first": "calls of get_by_user, first reading",
    "most_calls_in_a_minute": "most of them in a minute",
    "first_seconds": "first reading, seconds, the kill included",
    "first_cpu_ms": "  server CPU ms for a call, after the kill (aim 20)",
    "killed_at": "killed with -9 at so many relations",
    "resumed_seconds": "seconds until it went on, the start included",
    "read_twice": "relations read twice for it",
    "second_seconds": "second reading, seconds",
    "second_cpu_ms": "  server CPU ms for a call (aim 10)",
    "second_written": "relations written by it",
    "megabytes": f"server, most MB (aim {AIM_MEGABYTES})",
    "of_customer_p50_ms": "relations of a customer, p50 ms",
    "of_customer_p99_ms": f"  p99 ms (aim {AIM_MS})",
    "by_phone_p50_ms": "find by phone, p50 ms",
    "by_phone_p99_ms": f"  p99 ms (aim {AIM_MS})",
    "contact_count_p50_ms": "customers of a member, counted, p50 ms",
    "contact_count_p99_ms": f"  p99 ms (aim {AIM_MS})",
}


def table(rows: Sequence[Row]) -> str:
    """Return the figures side by side."""
    head = "customers".ljust(50) + "".join(row["database"].rjust(14) for row in rows)
    lines = [
        title.ljust(50) + "".join(f"{row[key]:,}".rjust(14) for row in rows)
        for key, title in _TITLES.items()
    ]
    size = f"{rows[0]['members']:,} members, {rows[0]['relations']:,} relations" if rows else ""
    return "\n".join([head, *lines, f"{size}, {os.cpu_count()} cores"])
