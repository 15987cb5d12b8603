"""Fresh databases for the servers, and what lies in them afterwards."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql
from sqlalchemy import make_url

from tests.services import POSTGRES

_numbers = count()


class Place:
    """One database."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._kept: Any = None

    def ask(self, query: LiteralString) -> list[tuple[Any, ...]]:
        """Return what a query finds, seen from outside the server."""
        found: list[tuple[Any, ...]] = self._connection.execute(query).fetchall()
        return found

    @property
    def _connection(self) -> Any:
        """One for all: who watches a server would otherwise cost more than what is watched."""
        if self._kept is None:
            self._kept = (
                sqlite3.connect(self.url.removeprefix("sqlite:///"), isolation_level=None)
                if self.url.startswith("sqlite:///")
                else psycopg.connect(self.url, autocommit=True)
            )
        return self._kept

    def close(self) -> None:
        """Let go of the database."""
        if self._kept is not None:
            self._kept.close()

    def number(self, query: LiteralString) -> int:
        """Return the one number a query finds."""
        return int(self.ask(query)[0][0])


@contextmanager
def sqlite(folder: Path) -> Iterator[Place]:
    """A new SQLite file, removed afterwards."""
    path = folder / f"bench-{os.getpid()}-{next(_numbers)}.db"
    try:
        with closing(Place(f"sqlite:///{path}")) as place:
            yield place
    finally:
        for each in folder.glob(f"{path.name}*"):
            each.unlink()


@contextmanager
def postgresql(_folder: Path) -> Iterator[Place]:
    """A new PostgreSQL database, dropped afterwards."""
    name = f"menwei_bench_{os.getpid()}_{next(_numbers)}"
    _execute("CREATE DATABASE {}", name)
    url = make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    try:
        with closing(Place(url)) as place:
            yield place
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
