"""A Redis and a PostgreSQL database of the run's own, which it may hurt as it likes."""

from __future__ import annotations

import asyncio
import shutil
from asyncio.subprocess import DEVNULL, Process
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row

_DIES_WITHIN = 10.0

_CUT = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""


@dataclass(slots=True)
class RedisServer:
    """A redis-server that keeps nothing on disk: all it held is gone when it is killed."""

    port: int
    folder: Path
    _process: Process | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    async def start(self) -> None:
        words = (
            "--port",
            str(self.port),
            "--bind",
            "127.0.0.1",
            "--save",
            "",
            "--appendonly",
            "no",
        )
        self._process = await asyncio.create_subprocess_exec(
            "redis-server", *words, "--dir", str(self.folder), stdout=DEVNULL, stderr=DEVNULL
        )

    async def kill(self) -> None:
        """kill -9, if it runs."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await asyncio.wait_for(self._process.wait(), _DIES_WITHIN)

    @staticmethod
    def is_installed() -> bool:
        return shutil.which("redis-server") is not None


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
        with psycopg.connect(self.url) as connection:
            return connection.execute(statement.encode(), values).rowcount

    def cut(self) -> int:
        """Cut every connection to this database but ours; return how many."""
        return int(self.rows(_CUT)[0]["count"])
