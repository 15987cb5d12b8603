"""Reads one source into the database: page by page beside the traffic, in force all at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path

from bot.source_settings import Source as Wish
from bot.sources import Page, Source, SourceFailed, Stamp
from bot.sources.csv_file import CsvFile
from bot.sources.sql import SqlQuery
from storage.database import Database
from storage.outside import OutsideDatabase
from storage.transaction import Step, Transaction
from workflows import outside
from workflows.attributes import Kind
from workflows.model import FactValue
from workflows.outside import Doubt, Key, SourceState, Unconvertible

_DROPPED = 1000  # rows of earlier readings that one transaction deletes
_SHRUNK = 2  # a source with fewer rows than one in so many was written by halves, it seems


@dataclass(frozen=True, slots=True)
class Declared:
    """One source as the config file has it, with the types of what it fills."""

    name: str
    wish: Wish
    kinds: Mapping[str, Kind]  # of every declared attribute

    @property
    def blank(self) -> SourceState:
        """How the source stands before anything was read."""
        return SourceState(
            name=self.name,
            key=self.wish.identifies,
            fills=frozenset(self.wish.columns),
            stale_after=self.wish.believed_for,
            declared=self.wish.fingerprint(self.kinds),
        )

    def since(self, before: SourceState | None) -> SourceState:
        """Return how the source stands; what was read by another declaration is not its own."""
        blank = self.blank
        if before is None or before.declared != blank.declared:
            return blank
        return replace(before, stale_after=blank.stale_after)


@dataclass(frozen=True, slots=True)
class Reading:
    """A reading that came to its end, or did not; `generation` is 0 when there are no new rows."""

    state: SourceState
    generation: int = 0

    def settle(self, tx: Transaction) -> bool:
        """Let it count; False if somebody else has begun to read the source since."""
        if self.generation:
            return tx.sources.take_over(self.state, self.generation)
        tx.sources.put(self.state)
        return True


class _Overtaken(Exception):
    """Somebody else reads the same source."""


async def read(
    db: Database, declared: Declared, now: Callable[[], datetime], *, fewer: bool = False
) -> Reading | None:
    """Read a source; the caller settles what comes back. None if another reading is under way.

    `fewer` accepts a source that has lost most of its rows.
    """
    before = declared.since(await db.read(lambda tx: tx.sources.get(declared.name)))
    tried = replace(before, tried_at=now())
    source = opened(declared.wish, now)
    try:
        stamp = await source.stamp()
        if stamp.mark and stamp.mark == before.mark and not before.trouble:
            return Reading(replace(tried, read_at=now()))
        return await _staged(db, declared, (tried, stamp), source, fewer=fewer)
    except SourceFailed as failed:
        return Reading(replace(tried, trouble=failed.code, details=failed.details))
    except _Overtaken:
        return None


def opened(wish: Wish, now: Callable[[], datetime]) -> Source:
    """Return what reads a source of this kind."""
    if wish.type == "csv":
        return CsvFile(Path(wish.path or ""), wish.encoding or "utf-8")
    url = wish.url.get_secret_value() if wish.url else ""
    return SqlQuery(OutsideDatabase(url, wish.query or ""), now)


async def clean_up(db: Database) -> None:
    """Delete the rows of readings that do not count any more, a few at a time."""
    while await db.write(lambda tx: tx.sources.drop_left_over(_DROPPED)):
        continue  # each time behind the writes of others that wait


async def _staged(
    db: Database,
    declared: Declared,
    begun: tuple[SourceState, Stamp],
    source: Source,
    *,
    fewer: bool,
) -> Reading:
    state, stamp = begun
    name, tally = declared.name, Tally(declared)
    generation = await db.write(lambda tx: tx.sources.begin(declared.blank))
    await clean_up(db)  # what an earlier reading may have left half-way
    async with aclosing(source.pages(declared.wish.fields)) as pages:
        async for page in pages:
            rows = await asyncio.to_thread(tally.take, page)
            if not await db.write(_adding(name, generation, rows)):
                raise _Overtaken
    _check_size(state, tally, fewer=fewer)
    doubled = await db.read(lambda tx: tx.sources.count_twice(name, generation))
    done = replace(
        state,
        made_at=min(stamp.made_at, state.tried_at or stamp.made_at),
        read_at=state.tried_at,
        mark=stamp.mark,
        rows=tally.rows,
        doubled=doubled,
        doubts=tally.doubts(),
        trouble="",
        details={},
    )
    return Reading(done, generation)


def _adding(name: str, generation: int, rows: list[tuple[str, str]]) -> Step[bool]:
    return lambda tx: tx.sources.add(name, generation, rows)


def _check_size(before: SourceState, tally: Tally, *, fewer: bool) -> None:
    """Refuse what looks like an export by halves: who is missing would count as having nothing."""
    if tally.rows == 0:
        raise SourceFailed("empty")
    if tally.rows * _SHRUNK < before.rows and not fewer:
        raise SourceFailed("shrunk", before=before.rows, now=tally.rows)


@dataclass(slots=True)
class Tally:
    """Turns cells into keys and facts, and counts what could not be used."""

    declared: Declared
    rows: int = 0
    _doubts: dict[str, Doubt] = field(default_factory=dict)

    def take(self, page: Page) -> list[tuple[str, str]]:
        """Return the keys and bodies of a page's rows."""
        wish = self.declared.wish
        key: Key = wish.identifies
        found: list[tuple[str, str]] = []
        for place, (who, *cells) in page.rows:
            keys = outside.keys_in(key, who)
            if not keys:
                self._doubt(wish.fields[0], place)
                continue
            self.rows += 1
            body = self._body(dict(zip(wish.columns, cells, strict=True)), place)
            found += [(each, body) for each in sorted(keys)]
        return found

    def doubts(self) -> tuple[Doubt, ...]:
        """Return the columns with cells that could not be used."""
        return tuple(self._doubts.values())

    def _body(self, cells: Mapping[str, object], place: int) -> str:
        values: dict[str, FactValue | None] = {}
        for attribute, cell in cells.items():
            try:
                value = outside.converted(self.declared.kinds[attribute], cell)
            except Unconvertible:
                values[attribute] = None
                self._doubt(self.declared.wish.columns[attribute], place)
            else:
                if value is not None:
                    values[attribute] = value
        return outside.body_of(values)

    def _doubt(self, column: str, place: int) -> None:
        seen = self._doubts.get(column)
        first = seen.first if seen else place
        self._doubts[column] = Doubt(column, seen.count + 1 if seen else 1, first)
