"""A PostgreSQL database of the run's own, which it may hurt as it likes."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.errors import DeadlockDetected
from psycopg.rows import dict_row

_ATTEMPTS = 10  # the nodes write to the same rows, and PostgreSQL may give us up

_CUT = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


@dataclass(frozen=True, slots=True)
class Postgres:
    """One database on the server that the tests use."""

    url: str

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        """Return what a query finds, seen from outside the program."""
        with psycopg.connect(self.url, row_factory=dict_row) as connection:
            return connection.execute(query.encode(), values).fetchall()

    def change(self, statement: str, *values: object) -> int:
        """Return how many rows a statement has changed."""
        for _ in range(_ATTEMPTS):
            with suppress(DeadlockDetected), psycopg.connect(self.url) as connection:
                return connection.execute(statement.encode(), values).rowcount
        raise RuntimeError("the nodes always stand in the way")

    def cut(self) -> int:
        """Cut every connection to this database but ours; return how many."""
        return int(self.rows(_CUT)[0]["count"])
