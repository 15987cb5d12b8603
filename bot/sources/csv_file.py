"""Reads a CSV file with a header, line by line: its size does not matter, its shape does."""

from __future__ import annotations

import csv
import stat
from collections.abc import AsyncGenerator, Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TextIO

from bot.sources import Page, SourceFailed, Stamp
from bot.sources.feeding import fed

MOST_LINE = 64 * 1024  # characters; a file without line ends is not a table
_AT_ONCE = 1000
_BOM = "\ufeff"


@dataclass(frozen=True, slots=True)
class CsvFile:
    """One file. Its time of change is as of when its rows are."""

    path: Path
    encoding: str = "utf-8"

    async def stamp(self) -> Stamp:
        """Look at size and time of change."""
        return _stamp(self.path)

    def pages(self, columns: Sequence[str]) -> AsyncGenerator[Page, None]:
        """Give every row; a file that somebody writes to meanwhile is refused."""
        return fed(lambda: self._read(columns))

    def _read(self, columns: Sequence[str]) -> Generator[Page, None, None]:
        before = _stamp(self.path)
        try:
            with self.path.open(encoding=self.encoding, newline="") as file:
                yield from _pages(file, columns)
        except OSError as error:
            raise SourceFailed("unreadable", path=self.path, why=error.strerror) from None
        if _stamp(self.path) != before:
            raise SourceFailed("changed_meanwhile", path=self.path)


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError as error:
        raise SourceFailed("unreadable", path=path.absolute(), why=error.strerror) from None
    if not stat.S_ISREG(found.st_mode):
        raise SourceFailed("unreadable", path=path.absolute(), why="not a regular file")
    mark = f"{found.st_mtime_ns}:{found.st_size}:{found.st_ino}"
    return Stamp(datetime.fromtimestamp(found.st_mtime, UTC), mark)


def _pages(file: TextIO, columns: Sequence[str]) -> Iterator[Page]:
    reader = csv.reader(_lines(file), strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        places = [_place(header, column) for column in columns]
        rows: list[tuple[int, Sequence[object]]] = []
        for cells in reader:
            if not cells:  # an empty line
                continue
            if len(cells) != len(header):
                params = {"got": len(cells), "wanted": len(header)}
                raise SourceFailed("wrong_width", line=reader.line_num, **params)
            rows.append((reader.line_num, [cells[place] for place in places]))
            if len(rows) == _AT_ONCE:
                yield Page(rows)
                rows = []
        yield Page(rows)
    except csv.Error:
        raise SourceFailed("malformed", line=reader.line_num) from None


def _lines(file: TextIO) -> Iterator[str]:
    number = 0
    try:
        while line := file.readline(MOST_LINE + 1):
            number += 1
            if len(line) > MOST_LINE:
                raise SourceFailed("line_too_long", line=number, most=MOST_LINE)
            yield line.removeprefix(_BOM) if number == 1 else line
    except UnicodeDecodeError:
        raise SourceFailed("wrong_encoding", line=number + 1, encoding=file.encoding) from None


def _place(header: Sequence[str], wanted: str) -> int:
    if not any(header):
        raise SourceFailed("no_header")
    if header.count(wanted) != 1:
        raise SourceFailed("no_column", column=wanted, columns=", ".join(header)[:300])
    return header.index(wanted)
