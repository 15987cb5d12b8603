"""Loads rows into a database of either kind: past the program, and indexed only afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Engine, Table, create_engine, make_url, text, update

from storage.audit import Head
from storage.tables import audit_head, metadata
from tests.bench.places import Place
from tests.bench.queue_stories import TABLES
from tests.bench.queue_templates import BETWEEN, NULL

_SQLITE = ("journal_mode = OFF", "synchronous = OFF", "cache_size = -1000000")  # kilobytes
_POSTGRESQL = ("synchronous_commit = off", "maintenance_work_mem = '512MB'")
# As its own housekeeping does in time, which a new database has not had yet.
_TIDY = "VACUUM (ANALYZE)"
_NEXT_JOB = "SELECT setval('work_id_seq', :newest)"


class Loading:
    """One database being filled; `begin`, then `take` what there is, then `end`."""

    def __init__(self, place: Place) -> None:
        url = make_url(place.url)
        self._is_sqlite = url.drivername == "sqlite"
        driver = url if self._is_sqlite else url.set(drivername="postgresql+psycopg")
        self._engine: Engine = create_engine(driver, hide_parameters=True)
        self._connection: Connection = self._engine.connect()

    def begin(self) -> None:
        """Take the indexes away that would have to be kept up with every row."""
        for setting in _SQLITE if self._is_sqlite else _POSTGRESQL:
            prefix = "PRAGMA" if self._is_sqlite else "SET"
            self._connection.exec_driver_sql(f"{prefix} {setting}")
        for table in _tables():
            for index in table.indexes:
                index.drop(self._connection)

    def take(self, lines: Mapping[str, Sequence[str]]) -> None:
        """Store rows, parents before children."""
        for table in _tables():
            if rows := lines.get(table.name):
                (self._insert if self._is_sqlite else self._copy)(table, rows)

    def end(self, head: Head, newest_job: int) -> None:
        """Make the indexes, and say where audit and work go on."""
        for table in _tables():
            for index in table.indexes:
                index.create(self._connection)
        self._connection.execute(update(audit_head).values(seq=head.seq, hash=head.hash))
        if not self._is_sqlite:
            self._connection.execute(text(_NEXT_JOB), {"newest": newest_job})
        self._connection.commit()
        self._connection.close()
        if not self._is_sqlite:
            with self._engine.connect().execution_options(isolation_level="AUTOCOMMIT") as tidying:
                tidying.execute(text(_TIDY))
        self._engine.dispose()

    def _insert(self, table: Table, rows: Iterable[str]) -> None:
        # SQLite makes numbers of digits where the column wants numbers.
        places = ", ".join(
            f"nullif(?, '{NULL}')" if column.nullable else "?" for column in table.columns
        )
        statement = f"INSERT INTO {table.name} VALUES ({places})"  # noqa: S608 - our own table
        values = [tuple(row.split(BETWEEN)) for row in rows]
        self._connection.exec_driver_sql(statement, values)

    def _copy(self, table: Table, rows: Iterable[str]) -> None:
        whole = "\n".join(row.replace("\\", "\\\\").replace("\n", "\\n") for row in rows)
        driver: Any = self._connection.connection.dbapi_connection
        wish = f"COPY {table.name} FROM STDIN (DELIMITER '{BETWEEN}', NULL '{NULL}')"
        with driver.cursor() as cursor, cursor.copy(wish) as copy:
            copy.write(whole)


def _tables() -> list[Table]:
    return [metadata.tables[name] for name in TABLES]
