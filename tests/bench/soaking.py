"""Minutes of full load: whether memory stays flat. And full load while WeCom is away.

The load is as much as the program can take: so many adds are open at any time, and the next ones
come as soon as some of them have been judged and welcomed.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench import letters, measuring, pretend
from tests.bench.places import Place
from tests.bench.pretend import Json, Pretend
from tests.bench.process import Server, server
from tests.bench.sending import send
from tests.bench.waits import percentile

Places = Callable[[Path], AbstractContextManager[Place]]
Row = dict[str, Any]

AIM_MEGABYTES = 300
_AT_ONCE = 50  # adds in one go
_FLOOD = 1_000  # callbacks in one go; they are sealed before
_POLL = 0.02
_WELCOME = "externalcontact/send_welcome_msg"


@dataclass(frozen=True, slots=True)
class Size:
    """How many seconds each of the two takes, and how many adds are open at any time."""

    steady: float
    away: float
    open: int = 400


FULL = Size(steady=600.0, away=60.0)
SHORT = Size(steady=120.0, away=30.0)  # as a part of everything
QUICK = Size(steady=3.0, away=2.0, open=50)


async def measure(size: Size, folder: Path, databases: Mapping[str, Places]) -> list[Row]:
    """Return one row for each database."""
    rows = []
    for name, make in databases.items():
        with make(folder) as place:
            steady = await _steady(place, size)
        _tell(f"{size.steady:.0f} s of full load, {name}")
        with make(folder) as place:
            away = await _away(place, size.away)
        _tell(f"{size.away:.0f} s without WeCom, {name}")
        rows.append({"database": name, "seconds": size.steady, "away_seconds": size.away})
        rows[-1] |= steady | away
    return rows


def is_good(rows: Sequence[Row]) -> bool:
    """Whether nothing was lost or done twice."""
    return not any(row[name] for row in rows for name in ("lost", "doubled", "away_lost"))


def _tell(what: str) -> None:
    sys.stderr.write(f"        {what}\n")


@dataclass(slots=True)
class _Wecom(Pretend):
    """Keeps of what it hears the welcome codes alone."""

    welcomed: Counter[str] = field(default_factory=Counter)

    def answer(self, path: str, query: Mapping[str, str], body: Json) -> Json | None:
        """Return what WeCom would say."""
        if path == _WELCOME:
            self.welcomed[body["welcome_code"]] += 1
        found = super(_Wecom, self).answer(path, query, body)
        self.heard.clear()
        return found


@dataclass(slots=True)
class _Watch:
    """The server's memory, in MB, each second."""

    samples: list[float] = field(default_factory=list)

    async def look(self, pid: int) -> None:
        """Look each second until cancelled."""
        while True:
            self.samples.append(_resident(pid))
            await asyncio.sleep(1.0)

    def around(self, second: int) -> int:
        """Return the middle of the samples around that second; negative ones are the last."""
        start = second - 5 if second >= 0 else len(self.samples) - 10
        start = min(max(start, 0), len(self.samples) - 1)
        return round(median(self.samples[start : start + 10]))

    @property
    def peak(self) -> int:
        """Return the most that was seen."""
        return round(max(self.samples))


@asynccontextmanager
async def _running(place: Place) -> AsyncIterator[tuple[Server, _Wecom, _Watch]]:
    wecom, watch = _Wecom(), _Watch()
    await wecom.start()
    async with server("app", place.url, wecom.url) as running:
        await measuring.directory_read(place)
        looking = asyncio.create_task(watch.look(running.process.pid))
        try:
            yield running, wecom, watch
        finally:
            looking.cancel()
    wecom.stop()


async def _steady(place: Place, size: Size) -> Row:
    async with _running(place) as (running, wecom, watch):
        before, start, sent = await running.used(), time.perf_counter(), 0
        while time.perf_counter() < start + size.steady:
            if sent - len(wecom.welcomed) < size.open:
                await send(running.address, _adds(range(sent, sent + _AT_ONCE)))
                sent += _AT_ONCE
            await asyncio.sleep(_POLL)
        done, took = len(wecom.welcomed), time.perf_counter() - start
        after = await running.used()
        await measuring.until(lambda: len(wecom.welcomed) >= sent)
        await measuring.until(lambda: measuring.settled(place, sent))
    lost, doubled = measuring.effects(place, list(wecom.welcomed.elements()), sent)
    return {
        "adds": sent,
        "adds_per_second": round(done / took),
        "cpu_us": round((after.cpu - before.cpu) / max(done, 1) * 1e6),
        "megabytes_after_a_minute": watch.around(min(60, int(size.steady / 4))),
        "megabytes_at_the_end": watch.around(-1),
        "megabytes": watch.peak,
        "lost": lost,
        "doubled": doubled,
    }


async def _away(place: Place, seconds: float) -> Row:
    async with _running(place) as (running, wecom, watch):
        wecom.is_silent = True
        end, statuses, waits = time.perf_counter() + seconds, Counter[int](), []
        for start in count(0, _FLOOD):
            sent = await send(running.address, _adds(range(start, start + _FLOOD)))
            statuses.update(sent.status)
            waits += sent.waits
            if time.perf_counter() > end:
                break
        running.process.kill()  # what was taken is on disk; and calls under way are not waited for
    kept = place.number("SELECT count(DISTINCT body) FROM work WHERE queue = 0")
    waits.sort()
    return {
        "away_callbacks": len(waits),
        "away_taken": statuses[200],
        "away_refused": statuses[503],
        "away_p50_ms": percentile(waits, 0.50),
        "away_p99_ms": percentile(waits, 0.99),
        "away_megabytes": watch.peak,
        "away_lost": max(statuses[200] - kept, 0)
        + statuses.total()
        - statuses[200]
        - statuses[503],
    }


def _adds(numbers: range) -> list[bytes]:
    return [letters.added(pretend.seller(n), pretend.ordinary(n, n)) for n in numbers]


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text("utf-8")
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


_TITLES = {
    "adds": "adds",
    "adds_per_second": "judged and welcomed a second",
    "cpu_us": "CPU us for each",
    "megabytes_after_a_minute": "server, MB after the first minute",
    "megabytes_at_the_end": "server, MB at the end",
    "megabytes": f"server, most MB (aim {AIM_MEGABYTES})",
    "lost": "lost",
    "doubled": "doubled",
    "away_callbacks": "callbacks while WeCom is away",
    "away_taken": "  answered with 200",
    "away_refused": "  answered with 503",
    "away_p50_ms": "  p50 ms",
    "away_p99_ms": "  p99 ms",
    "away_megabytes": f"  server, most MB (aim {AIM_MEGABYTES})",
    "away_lost": "  taken and lost",
}


def table(rows: Sequence[Row]) -> str:
    """Return the figures side by side."""
    return "\n".join(_lines(rows))


def _lines(rows: Sequence[Row]) -> Iterator[str]:
    yield "full load".ljust(44) + "".join(row["database"].rjust(14) for row in rows)
    for key, title in _TITLES.items():
        yield title.ljust(44) + "".join(f"{row[key]:,}".rjust(14) for row in rows)
    if rows:
        yield (
            f"{rows[0]['seconds']:.0f} s, then {rows[0]['away_seconds']:.0f} s without WeCom, "
            f"{os.cpu_count()} cores"
        )
