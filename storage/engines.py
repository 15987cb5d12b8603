"""Builds the SQLAlchemy engines: which drivers, pragmas, time limits and isolation are used."""

from __future__ import annotations

import fcntl
import sqlite3
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psycopg
from psycopg.pq import TransactionStatus
from sqlalchemy import URL, Connection, Dialect, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DisconnectionError

# What the drivers raise, apart from mistakes in the SQL or its values.
DRIVER_ERRORS = (
    sqlite3.OperationalError,
    psycopg.OperationalError,
    psycopg.InterfaceError,
    psycopg.InternalError,
)

_READERS = 3
_POSTGRESQL_WRITERS = 2
_BUSY_MILLISECONDS = 10_000
# A database host that vanished answers nothing; without these a thread waits for it for minutes.
_USED = "used"
_SURE_FOR = 1.0  # seconds in which a connection is taken to live on
_NOTICE_SILENCE = {
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
}


@dataclass(frozen=True, slots=True)
class Engines:
    """One engine that writes, one that reads, and how many threads each is used by."""

    writer: Engine
    reader: Engine
    writers: int
    readers: int
    file: Path | None = None  # of SQLite


def locked(file: Path) -> IO[str] | None:
    """Return an open lock beside the file, freed when it is closed or we die; None if taken."""
    lock = file.with_name(f"{file.name}.lock").open("w")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        return None
    return lock


def is_address(url: str) -> bool:
    """Whether a database may be reached under this: an SQLite file, or 'postgresql://…' whole.

    A password with an '@' in it must be percent-encoded, or half of it is taken for a host.
    """
    try:
        parsed = make_url(url)
        if parsed.drivername == "sqlite":
            return bool(parsed.database) and not Path(str(parsed.database)).is_dir()
        authority = url.partition("://")[2].partition("/")[0]
        if parsed.drivername != "postgresql" or authority.count("@") > 1:
            return False
        return bool(psycopg.conninfo.conninfo_to_dict(url))
    except (ArgumentError, ValueError, psycopg.Error):
        return False


def build(url: str) -> Engines:
    """Return the engines for 'sqlite:///path' or 'postgresql://…'; raise ValueError otherwise."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ValueError("storage.url is not a database URL") from None  # it may hold a password
    match parsed.drivername:
        case "sqlite" if parsed.database and parsed.database != ":memory:":
            return _sqlite(parsed)
        case "sqlite":
            raise ValueError("SQLite needs a file: sqlite:///menwei.db")
        case "postgresql" | "postgres" | "postgresql+psycopg":
            return _postgresql(parsed.set(drivername="postgresql+psycopg"))
        case other:
            raise ValueError(f"storage.url starts with {other!r}; known are sqlite and postgresql")


def _sqlite(url: URL) -> Engines:
    writer = create_engine(url, pool_size=1, max_overflow=1, hide_parameters=True)
    reader = create_engine(url, pool_size=_READERS, max_overflow=0, hide_parameters=True)
    event.listen(writer, "connect", _prepare_sqlite)
    event.listen(reader, "connect", _prepare_sqlite)
    event.listen(reader, "connect", _refuse_writes)
    # The write lock is taken at once: a transaction that has read cannot always get it later.
    event.listen(writer, "begin", _begin_immediate)
    event.listen(reader, "begin", _begin)
    file = Path(url.database) if url.database else None
    return Engines(writer, reader, writers=1, readers=_READERS, file=file)


def _prepare_sqlite(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # transactions begin where we say, not at the first INSERT
    connection.execute(f"PRAGMA busy_timeout = {_BUSY_MILLISECONDS}")
    connection.execute("PRAGMA auto_vacuum = INCREMENTAL")  # of a new file; see storage.vacuum
    _write_ahead(connection)
    connection.execute("PRAGMA synchronous = FULL")  # NORMAL loses acknowledged events
    connection.execute("PRAGMA foreign_keys = ON")


def _write_ahead(connection: Any) -> None:
    """Switch a new file to WAL; the busy timeout does not count here, so others are waited for."""
    until = time.monotonic() + _BUSY_MILLISECONDS / 1000
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError:
            if time.monotonic() > until:
                raise
            time.sleep(0.01)
        else:
            return


def _refuse_writes(connection: Any, _record: object) -> None:
    connection.execute("PRAGMA query_only = ON")


def _begin_immediate(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _begin(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN")


def _postgresql(url: URL) -> Engines:
    writer = create_engine(
        url,
        pool_size=_POSTGRESQL_WRITERS + _READERS,
        max_overflow=2,
        hide_parameters=True,
        isolation_level="READ COMMITTED",
        connect_args={"connect_timeout": 5, "application_name": "menwei", **_NOTICE_SILENCE},
    )
    event.listen(writer, "connect", _prepare_postgresql)
    event.listen(writer, "checkin", _note_use)
    event.listen(writer, "checkout", _expect_life(writer.dialect))
    reader = writer.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
    return Engines(writer, reader, writers=_POSTGRESQL_WRITERS, readers=_READERS)


def _prepare_postgresql(connection: Any, _record: object) -> None:
    connection.execute("SET lock_timeout = '10s'")
    connection.execute("SET statement_timeout = '60s'")
    connection.execute("SET idle_in_transaction_session_timeout = '5min'")
    # What is open fits in memory; the default, made for spinning disks, would rather read it all.
    connection.execute("SET random_page_cost = 1.1")
    connection.commit()


def _note_use(_connection: object, record: Any) -> None:
    record.info[_USED] = time.monotonic()


def _expect_life(dialect: Dialect) -> Callable[[Any, Any, object], None]:
    """Return what has the pool replace a connection that broke while nobody used it.

    Asking each time, as `pool_pre_ping` does, is one more round trip for every transaction. One
    that breaks within a second fails its batch, and whoever waits for that tries again.
    """

    def look(connection: Any, record: Any, _proxy: object) -> None:
        if time.monotonic() - record.info.get(_USED, 0.0) < _SURE_FOR:
            return
        try:
            dialect.do_ping(connection)
        except DRIVER_ERRORS as error:
            raise DisconnectionError from error

    return look


def is_intact(connection: Connection) -> bool:
    """Whether the transaction can still be committed.

    SQLite ends it by itself when the disk is full, and what follows would be stored at once.
    PostgreSQL answers the COMMIT of a failed one with a quiet rollback.
    """
    if connection.invalidated:
        return False
    driver: Any = connection.connection.dbapi_connection
    if connection.dialect.name == "sqlite":
        return bool(driver.in_transaction)
    status = driver.info.transaction_status
    return status in (TransactionStatus.INTRANS, TransactionStatus.IDLE)
