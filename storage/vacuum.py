"""Gives the room that deleted rows leave in an SQLite file back to the disk, while it is used."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from storage import engines
from storage.database import Unavailable

_PAGES = 256  # freed in one transaction: others wait for no longer
_PAUSE = 0.02  # seconds in which others write
_INCREMENTAL = 2


def vacuum(file: Path) -> int | None:
    """Free what can be freed, a little at a time; return the pages.

    None for a file of an earlier version, whose layout does not allow that: see `rebuild`.
    """
    freed = 0
    with _opened(file) as connection:
        if _number(connection, "auto_vacuum") != _INCREMENTAL:
            return None
        while before := _number(connection, "freelist_count"):
            # As a script: `execute` would free a single page, for the statement has no rows.
            connection.executescript(f"PRAGMA incremental_vacuum({_PAGES})")
            freed += before - _number(connection, "freelist_count")
            time.sleep(_PAUSE)
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
    return freed


def rebuild(file: Path) -> int:
    """Write the file anew, so that `vacuum` works from now on; return the pages freed.

    Raises Unavailable while a Menwei serves it.
    """
    lock = engines.locked(file)
    if lock is None:
        raise Unavailable("a menwei serves this database; stop it first")
    with lock, _opened(file) as connection:
        before = _number(connection, "page_count")
        connection.execute(f"PRAGMA auto_vacuum = {_INCREMENTAL}")
        connection.execute("VACUUM")
        return before - _number(connection, "page_count")


@contextmanager
def _opened(file: Path) -> Iterator[sqlite3.Connection]:
    try:
        with closing(sqlite3.connect(file, timeout=10, isolation_level=None)) as connection:
            yield connection
    except sqlite3.OperationalError as error:
        raise Unavailable(str(error)) from error


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])
