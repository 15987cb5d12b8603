"""Where facts about customers are read from: one class for each kind of source.

A new kind needs a class with the two methods of `Source`, its settings in `bot.source_settings`,
and a line in `bot.sources.reading.opened`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol


class SourceFailed(Exception):
    """A source cannot be read. `code` is a text `sources.trouble.…`, `details` what it names."""

    def __init__(self, code: str, **details: object) -> None:
        super().__init__(code, details)
        self.code = code
        self.details = {name: str(value) for name, value in details.items()}


@dataclass(frozen=True, slots=True)
class Stamp:
    """As of when the content is, and a mark that changes with it ('' where none is known)."""

    made_at: datetime
    mark: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, each with its place (line or row number, from 1) and the cells asked for."""

    rows: Sequence[tuple[int, Sequence[object]]]


class Source(Protocol):
    """One source. Both methods raise SourceFailed."""

    async def stamp(self) -> Stamp:
        """Say what is there now, without reading it."""

    def pages(self, columns: Sequence[str]) -> AsyncGenerator[Page, None]:
        """Give every row, a page at a time, with these columns in this order.

        It ends only if the content stayed the same while it was read.
        """
