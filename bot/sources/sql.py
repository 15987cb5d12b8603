"""Reads the rows of one query on a database of the company's own."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, Callable, Generator, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.sources import Page, SourceFailed, Stamp
from bot.sources.feeding import fed
from storage.outside import OutsideDatabase, OutsideFailed


@dataclass(frozen=True, slots=True)
class SqlQuery:
    """One query. Its rows are as of when it is asked."""

    database: OutsideDatabase
    now: Callable[[], datetime]

    async def stamp(self) -> Stamp:
        """A database does not say whether anything has changed."""
        return Stamp(self.now())

    def pages(self, columns: Sequence[str]) -> AsyncGenerator[Page, None]:
        """Give every row."""
        return fed(lambda: self._read(columns))

    def _read(self, columns: Sequence[str]) -> Generator[Page, None, None]:
        number = itertools.count(1)
        try:
            for part in self.database.pages(columns):
                yield Page([(next(number), row) for row in part])
        except OutsideFailed as failed:
            raise SourceFailed(failed.code, why=failed.why) from None
