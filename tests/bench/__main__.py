"""`make bench`: measure, print a table, and keep the figures as JSON in bench-results/."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from tests.bench import (
    deciding,
    measuring,
    mirroring,
    parts,
    peers,
    places,
    pretend,
    queue,
    soaking,
)
from tests.bench.measuring import Figures
from tests.bench.places import Place
from tests.bench.waits import percentile

RESULTS = Path("bench-results")
_Places = Callable[[Path], AbstractContextManager[Place]]


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is measured. `seconds` is about how long each thing is measured in a round."""

    rounds: int
    seconds: float
    asks: int
    decisions: deciding.Depth
    queue: queue.Size
    customers: mirroring.Size
    soak: soaking.Size
    rate: float = 50.0  # asks, and presses, a second
    nodes: tuple[int, ...] = ()  # how many share a PostgreSQL database, besides one

    def letters(self, floor: float) -> int:
        """Return how many callbacks to send, on a machine with this floor."""
        return max(int(floor * self.seconds), 1_000)

    def adds(self, floor: float) -> int:
        """Return how many adds to send: each costs as much as ten callbacks or more."""
        return max(int(floor * self.seconds / 8), 200)


FULL = Effort(
    5, 1.0, asks=300,
    decisions=deciding.FULL, queue=queue.FULL, customers=mirroring.FULL, soak=soaking.SHORT,
    nodes=(2, 3),
)  # fmt: skip
QUICK = Effort(
    1, 1.0, asks=40,
    decisions=deciding.QUICK, queue=queue.QUICK, customers=mirroring.QUICK, soak=soaking.QUICK,
)  # fmt: skip


@dataclass(slots=True)
class Board:
    """All figures so far, by what was measured; each round's rate also as a ratio to its floor."""

    found: dict[str, list[Figures]] = field(default_factory=dict)
    ratios: dict[str, list[float]] = field(default_factory=dict)
    start: float = field(default_factory=time.perf_counter)

    def note(self, name: str, figures: Figures, floor: float | None = None) -> None:
        """Take figures in."""
        self.found.setdefault(name, []).append(figures)
        sys.stderr.write(f"{time.perf_counter() - self.start:5.0f} s  {name}\n")
        if floor is not None and figures.rate is not None:
            self.ratios.setdefault(name, []).append(figures.rate / floor)

    def rows(self) -> Iterator[dict[str, Any]]:
        """Return one row for each measure: medians of its rounds, and all that went wrong."""
        for name, rounds in self.found.items():
            waits = sorted(wait for each in rounds for wait in each.waits)
            yield {
                "measure": name,
                "rounds": len(rounds),
                "events_per_second": _middle([r.rate for r in rounds], 1),
                "ratio_to_floor": _middle(self.ratios.get(name, ()), 3),
                "ratios": [round(each, 3) for each in self.ratios.get(name, ())],
                "cpu_us_per_event": _middle([r.cpu and r.cpu * 1e6 for r in rounds], 0),
                "p50_ms": percentile(waits, 0.50),
                "p99_ms": percentile(waits, 0.99),
                "lost": sum(each.lost for each in rounds),
                "doubled": sum(each.doubled for each in rounds),
                "megabytes": round(max(each.megabytes for each in rounds)) or None,
            }


async def measure(
    board: Board, effort: Effort, folder: Path, databases: dict[str, _Places]
) -> None:
    """Measure everything, with a floor in each round: what else a machine does comes and goes."""
    known = (await measuring.floor(1_000)).rate or 0.0
    await _peer(board, effort.letters(known) // 2)
    for name, make in databases.items():
        for _ in range(effort.rounds):
            known = await _floor(board, effort.letters(known))
            with make(folder) as place:
                figures = await measuring.door(place, effort.letters(known))
            board.note(f"accepted, {name}", figures, known)
            with make(folder) as place:
                added = await measuring.adds(place, pretend.ordinary, effort.adds(known))
            board.note(f"add judged and allowed, {name}", added, known)
        await _once(board, effort, folder, name, make)


async def _floor(board: Board, letters: int) -> float:
    figures = await measuring.floor(letters)
    board.note("floor: nothing stored", figures)
    return figures.rate or 0.0


async def _peer(board: Board, letters: int) -> None:
    """Another framework, beside a floor of its own: texts, each on a new connection."""
    if not peers.is_there():
        sys.stderr.write(f"        {peers.PACKAGE} is not installed, so it is left out\n")
        return
    floor = await measuring.floor_of_texts(letters)
    board.note("floor of texts, a connection each", floor)
    board.note(f"{peers.PACKAGE}: nothing stored", await measuring.peer(letters), floor.rate)


async def _once(board: Board, effort: Effort, folder: Path, name: str, make: _Places) -> None:
    """What one round is enough for."""
    full = median(each.rate or 0.0 for each in board.found[f"accepted, {name}"])
    with make(folder) as place:
        half = await measuring.half_load(place, full / 2, effort.seconds)
    board.note(f"accepted at half that load, {name}", half)
    if effort.rounds > 1:
        known = await _floor(board, effort.letters(full))
        with make(folder) as place:
            held = await measuring.adds(place, pretend.important, effort.adds(known) // 2)
        board.note(f"add held for approval, {name}", held, known)
    for nodes in effort.nodes if make is places.postgresql else ():
        with make(folder) as place:
            added = await measuring.adds(place, pretend.ordinary, effort.adds(full), nodes)
        board.note(f"add judged and allowed, {name}, {nodes} nodes", added)
    with make(folder) as place:
        shown, updated = await measuring.cards(place, effort.asks, effort.rate)
    board.note(f"ask to card at {effort.rate:.0f}/s, {name}", shown)
    board.note(f"press to updated card at {effort.rate:.0f}/s, {name}", updated)


def _middle(values: Sequence[float | None], digits: int) -> float | None:
    known = [each for each in values if each is not None]
    return round(median(known), digits) if known else None


_COLUMNS = {
    "measure": "",
    "rounds": "rounds",
    "events_per_second": "events/s",
    "ratio_to_floor": "ratio",
    "cpu_us_per_event": "CPU us",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "lost": "lost",
    "doubled": "doubled",
    "megabytes": "MB",
}


def _table(rows: Sequence[dict[str, Any]]) -> str:
    width = max(len(row["measure"]) for row in rows)
    lines = ["".join(title.rjust(9) if title else " " * width for title in _COLUMNS.values())]
    for row in rows:
        cells = ["-" if row[key] is None else str(row[key]) for key in list(_COLUMNS)[1:]]
        lines.append(row["measure"].ljust(width) + "".join(cell.rjust(9) for cell in cells))
    return "\n".join(lines)


@contextmanager
def _folder() -> Iterator[Path]:
    """On the project's own disk: a temporary folder in memory would make every commit free."""
    RESULTS.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir=RESULTS) as name:
        yield Path(name).resolve()


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "system": platform.platform(),
        "python": platform.python_version(),
        "load_before": os.getloadavg()[0],
    }


def _keep(kept: dict[str, Any]) -> Path:
    """Write everything that was found, and return where to."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    path.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n", "utf-8")
    return path


def _wish() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a minute, SQLite only")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--all", action="store_true", help="the queue and all customers too")
    only.add_argument("--events", action="store_true", help="only callbacks, adds and presses")
    only.add_argument("--parts", action="store_true", help="only the parts of an add, apart")
    only.add_argument("--soak", action="store_true", help="only minutes of full load")
    only.add_argument("--decisions", action="store_true", help="only what one decision costs")
    only.add_argument("--queue", action="store_true", help="only the queue at size")
    only.add_argument("--customers", action="store_true", help="only reading all customers")
    many = "with --customers: so many relations instead, 200 for each member"
    parser.add_argument("--relations", type=int, help=many)
    parser.add_argument("--minutes", type=float, help="with --soak: so long instead of ten")
    return parser.parse_args()


def _effort(wish: argparse.Namespace) -> Effort:
    effort = QUICK if wish.quick else FULL
    if wish.relations:
        own = replace(effort.customers, members=wish.relations // 200, relations=wish.relations)
        effort = replace(effort, customers=own)
    if wish.soak and not wish.quick:
        effort = replace(effort, soak=soaking.FULL)
    if wish.minutes:
        effort = replace(effort, soak=replace(effort.soak, steady=wish.minutes * 60))
    return effort


def _found(wish: argparse.Namespace, board: Board) -> dict[str, Any]:
    """Measure what was wished for, and return all figures."""
    effort = _effort(wish)
    databases: dict[str, _Places] = {"SQLite": places.sqlite}
    if not wish.quick and places.has_postgresql():
        databases["PostgreSQL"] = places.postgresql
    found: dict[str, Any] = {"at": datetime.now(UTC).isoformat(), "machine": _machine()}
    one = wish.events or wish.parts or wish.soak or wish.decisions or wish.queue or wish.customers
    long = wish.all or (wish.quick and not one)
    with _folder() as folder:
        if wish.events or not one:
            asyncio.run(measure(board, effort, folder, databases))
        if wish.parts or not one:
            size = parts.QUICK if wish.quick else parts.FULL
            found["parts"] = asyncio.run(parts.measure(size, folder))
        if wish.soak or not one:
            found["soak"] = asyncio.run(soaking.measure(effort.soak, folder, databases))
        if wish.queue or long:
            found["queue"] = asyncio.run(queue.measure(effort.queue, folder, databases))
        if wish.customers or long:
            read = mirroring.measure(effort.customers, folder, databases)
            found["customers"] = asyncio.run(read)
    found["rows"] = list(board.rows())
    if wish.decisions or not one:
        found["decisions"] = deciding.measure(effort.decisions)
    found["took_seconds"] = round(time.perf_counter() - board.start)
    return found


_TABLES: dict[str, Callable[[Any], str]] = {
    "rows": _table,
    "parts": parts.table,
    "soak": soaking.table,
    "queue": queue.table,
    "customers": mirroring.table,
    "decisions": deciding.table,
}


def main() -> int:
    """Run what the command line asks for; 1 if anything was lost or done twice."""
    found = _found(_wish(), Board())
    for name, table in _TABLES.items():
        if found.get(name):
            sys.stdout.write(f"{table(found[name])}\n\n")
    took = found["took_seconds"]
    sys.stdout.write(f"{took} s, {os.cpu_count()} cores; kept in {_keep(found)}\n")
    is_good = not any(row["lost"] or row["doubled"] for row in found["rows"])
    return 0 if is_good and soaking.is_good(found.get("soak", ())) else 1


if __name__ == "__main__":
    sys.exit(main())
