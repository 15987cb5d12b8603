"""The queue at size: the same program on a thousand times as many requests, side by side.

Two companies are filled alike; one has a thousand times the requests, the people and the pending of
the other. Everything is done in turns, once there and once here, so that what disturbs one disturbs
the other. All of it is done once before, so that the disk is not measured, and undone.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from storage.transaction import Transaction
from tests.bench import queue_doing as doing
from tests.bench import queue_office, queue_restart, queue_stories
from tests.bench.places import Place
from tests.bench.queue_doing import Draw, Step
from tests.bench.queue_filling import Known
from tests.bench.queue_office import Office
from tests.bench.queue_stories import Story
from tests.bench.queue_templates import Template

Places = Callable[[Path], AbstractContextManager[Place]]
Row = dict[str, Any]
Pair = tuple[list[float], list[float]]  # seconds, at the large one and at the small one

AIM = 2.0


@dataclass(frozen=True, slots=True)
class Size:
    """How many requests are on file in the two, and how often each thing is done.

    `events` wait for a restart of the large one, which then works for some `seconds`.
    """

    large: int
    small: int
    times: int
    events: int
    seconds: float


FULL = Size(1_000_000, 1_000, times=300, events=10_000, seconds=20.0)
QUICK = Size(2_000, 200, times=10, events=100, seconds=0.5)


class _Undone(Exception):
    """Takes the seconds a step took out of its transaction, and undoes it."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.seconds = seconds


async def _looked(office: Office, step: Step) -> float:
    """Return the seconds a step took. It is undone, and nothing is committed."""

    def timed(tx: Transaction) -> None:
        start = time.perf_counter()
        step(tx)
        raise _Undone(time.perf_counter() - start)

    try:
        await office.db.write(timed)
    except _Undone as done:
        return done.seconds
    raise AssertionError("a step was committed")


async def _written(office: Office, step: Step) -> float:
    """Return the seconds until a step was committed."""
    start = time.perf_counter()
    await office.db.write(step)
    return time.perf_counter() - start


async def _looks(offices: tuple[Office, Office], draw: Draw, times: int) -> Pair:
    steps = [[draw(office) for _ in range(times)] for office in offices]
    for office, own in zip(offices, steps, strict=True):
        for step in own:
            await _looked(office, step)
    found: Pair = ([], [])
    for pair in zip(*steps, strict=True):
        for office, step, seconds in zip(offices, pair, found, strict=True):
            seconds.append(await _looked(office, step))
    return found


async def _answers(offices: tuple[Office, Office], times: int) -> tuple[Pair, Pair]:
    """Ask and press in turns, so that as many wait as before."""
    asks = [[doing.ask(office) for _ in range(times)] for office in offices]
    for office, own in zip(offices, asks, strict=True):
        for _, step in own:
            await _looked(office, step)
        for known in office.waiting[-times:]:
            await _looked(office, doing.press(office, known))
    asked: Pair = ([], [])
    pressed: Pair = ([], [])
    for pair in zip(*asks, strict=True):
        for office, (known, step), seconds in zip(offices, pair, asked, strict=True):
            seconds.append(await _written(office, step))
            office.waiting.insert(0, replace(known, id=await _newest_of(office, known.who)))
        for office, seconds in zip(offices, pressed, strict=True):
            known = office.waiting.pop()
            seconds.append(await _written(office, doing.press(office, known)))
            await office.db.write(doing.forget(office, known))
    return asked, pressed


async def _newest_of(office: Office, who: str) -> str:
    [request] = await office.db.read(lambda tx: tx.requests.by_requester(who, 1))
    return request.id


async def measured(large: Office, small: Office, times: int) -> dict[str, Pair]:
    """Do everything in both."""
    gc.collect()
    gc.freeze()  # what the benchmark itself has in memory would be looked through again and again
    found = {
        name: await _looks((large, small), draw, max(2, times // share))
        for name, (draw, share) in doing.LOOKS.items()
    }
    asked, pressed = await _answers((large, small), times)
    gc.unfreeze()
    return {**found, "asked to add, committed": asked, "pressed, committed": pressed}


def row(database: str, name: str, found: Pair) -> Row:
    """Return the figures of one thing."""
    large, small = map(sorted, found)
    return {
        "measure": name,
        "database": database,
        "times": len(large),
        "small_p50_ms": round(median(small) * 1000, 2),
        "small_p99_ms": round(_late(small) * 1000, 2),
        "large_p50_ms": round(median(large) * 1000, 2),
        "large_p99_ms": round(_late(large) * 1000, 2),
        "ratio": round(median(large) / median(small), 2),
        "p99_ratio": round(_late(large) / _late(small), 2),
    }


def _late(ordered: Sequence[float]) -> float:
    """Return the 99th percentile."""
    return ordered[min(int(len(ordered) * 0.99), len(ordered) - 1)]


@dataclass(frozen=True, slots=True)
class _Filled:
    """One database, how many requests are on file in it, and some of them."""

    place: Place
    requests: int
    known: Sequence[Known]


async def measure(size: Size, folder: Path, databases: Mapping[str, Places]) -> dict[str, Any]:
    """Fill the databases, measure in both of each kind, and start the program on the large ones."""
    told = await queue_stories.told(folder)
    await queue_restart.compiled(folder)
    rows: list[Row] = []
    starts: list[Row] = []
    with ExitStack() as stack:
        start = time.perf_counter()
        filled = _filled(size, folder, databases, stack, told)
        took = round(time.perf_counter() - start)
        sys.stderr.write(f"{took} s to put {size.large:,} requests on file\n")
        for name, (large, small) in filled.items():
            found = await _compared(large, small, folder, size.times)
            rows += [row(name, *each) for each in found.items()]
            for each, events in (
                (small, size.events * size.small // size.large),
                (large, size.events),
            ):
                again = await _restarted(each, told["allowed"], folder, events, size.seconds)
                starts.append({"database": name, "requests": each.requests, **again})
            sys.stderr.write(f"the queue on {name}\n")
    about = {"large": size.large, "small": size.small, "filled_seconds": took}
    return {**about, "rows": rows, "starts": starts}


def _filled(
    size: Size,
    folder: Path,
    databases: Mapping[str, Places],
    stack: ExitStack,
    told: Mapping[str, Story],
) -> dict[str, list[_Filled]]:
    """Return the large and the small database of each kind."""
    templates = {name: Template(story) for name, story in told.items()}
    found: dict[str, list[_Filled]] = {name: [] for name in databases}
    for requests in (size.large, size.small):
        places = {name: stack.enter_context(make(folder)) for name, make in databases.items()}
        known = queue_office.fill(list(places.values()), templates, requests)
        for name, place in places.items():
            found[name].append(_Filled(place, requests, known))
    return found


async def _compared(large: _Filled, small: _Filled, folder: Path, times: int) -> dict[str, Pair]:
    offices = [
        await queue_office.opened(each.place, each.requests, each.known, folder)
        for each in (large, small)
    ]
    found = await measured(offices[0], offices[1], times)
    for office in offices:
        await office.db.aclose()
    return found


async def _restarted(
    filled: _Filled, allowed: Story, folder: Path, events: int, seconds: float
) -> Row:
    await queue_restart.pile_up(filled.place, allowed, filled.requests, events)
    found = await queue_restart.restarted(filled.place, filled.requests, folder, seconds)
    return {"events": events, **found}


def table(found: Mapping[str, Any]) -> str:
    """Return the figures; what is over the aim is marked, where a page is full in both."""
    small, large = f"{found['small']:,}", f"{found['large']:,}"
    head = f"{'the queue, ms':<46}{small:>8}{'p99':>9}{large:>11}{'p99':>9}"
    rows = [_line(each, full=found["small"] >= FULL.small) for each in found["rows"]]
    return "\n".join((f"{head}{'ratio':>8}{'of p99':>8}", *rows, *map(_start, found["starts"])))


def _start(row: Row) -> str:
    return (
        f"started on {row['requests']:,} requests and {row['events']:,} events, {row['database']}:"
        f" ready after {row['ready_seconds']} s with {row['megabytes']} MB,"
        f" {row['megabytes_later']} MB after {row['events_done']:,} events"
    )


def _line(row: Row, *, full: bool) -> str:
    name = f"{row['measure']}, {row['database']}"
    wide = sum(ord(char) > 0x2E80 for char in name)  # takes two columns
    line = f"{name:<{46 - wide}}{row['small_p50_ms']:>8}{row['small_p99_ms']:>9}"
    line += f"{row['large_p50_ms']:>11}{row['large_p99_ms']:>9}"
    line += f"{row['ratio']:>8}{row['p99_ratio']:>8}"
    is_over = max(row["ratio"], row["p99_ratio"]) > AIM
    return line + ("  !" if full and is_over else "")
