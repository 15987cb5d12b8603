"""Copies an SQLite database while programs write to it, by SQLite's own online backup."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path


class Exists(Exception):
    """There is a file already where the copy should go; a backup is never written over."""


def copy(source: Path, target: Path) -> None:
    """Write a whole and consistent copy to `target`, which appears all at once.

    Raises Exists, or OSError and sqlite3.Error when it cannot be read or written.
    """
    if target.exists():
        raise Exists(str(target))
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    part.touch(mode=0o600)  # names and phone numbers are in it
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(part)) as new,
        ):
            # In one step: it begins anew whenever somebody writes between two, so with people at
            # work it might never end. Reading holds up nobody, the log only grows meanwhile.
            old.backup(new)
            new.execute("PRAGMA journal_mode = DELETE")  # one file, with nothing beside it
        _flush(part)
        part.rename(target)
        _flush(target.parent)
    finally:
        part.unlink(missing_ok=True)


def _flush(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
