"""Fresh databases for the servers, and what lies in them afterwards."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from tests.services import POSTGRES

_numbers = count()


@dataclass(frozen=True, slots=True)
class Place:
    """One database."""

    url: str

    def ask(self, query: LiteralString) -> list[tuple[Any, ...]]:
        """Return what a query finds, seen from outside the server."""
        if self.url.startswith("sqlite:///"):
            with closing(sqlite3.connect(self.url.removeprefix("sqlite:///"))) as connection:
                return connection.execute(query).fetchall()
        with psycopg.connect(self.url) as connection:
            return connection.execute(query).fetchall()

    def number(self, query: LiteralString) -> int:
        """Return the one number a query finds."""
        return int(self.ask(query)[0][0])


@contextmanager
def sqlite(folder: Path) -> Iterator[Place]:
    """A new SQLite file, removed afterwards."""
    path = folder / f"bench-{os.getpid()}-{next(_numbers)}.db"
    try:
        yield Place(f"sqlite:///{path}")
    finally:
        for each in folder.glob(f"{path.name}*"):
            each.unlink()


@contextmanager
def postgresql(_folder: Path) -> Iterator[Place]:
    """A new PostgreSQL database, dropped afterwards."""
    name = f"menwei_bench_{os.getpid()}_{next(_numbers)}"
    _execute("CREATE DATABASE {}", name)
    try:
        yield Place(make_url(POSTGRES).set(database=name).render_as_string(hide_password=False))
    finally:
        _execute("DROP DATABASE {} WITH (FORCE)", name)


def has_postgresql() -> bool:
    """Whether a PostgreSQL server answers at `MENWEI_TEST_POSTGRES`."""
    try:
        psycopg.connect(POSTGRES, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _execute(statement: LiteralString, name: str) -> None:
    with psycopg.connect(POSTGRES, autocommit=True) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))
