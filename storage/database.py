"""Opens the database and runs steps on it: writes by group commit, reads beside them.

A step is a plain function that gets a `Transaction`. Whatever steps arrive while the last commit
runs are the next batch: one SQL transaction, one COMMIT. So a hundred waiting callbacks cost one
disk flush, and nobody is answered before their write is on disk. If a step of the batch fails, all
is undone and the batch runs once more with a savepoint around each step, so that only that step's
writes are lost. (Savepoints from the start would be two more round trips for every step.)
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import IO, Any, TypeVar

from psycopg.errors import DeadlockDetected, SerializationFailure
from sqlalchemy import Connection, func, select
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError

from storage import audit, engines
from storage.crew import Crew, Done, Failed, Outcome
from storage.engines import DRIVER_ERRORS, Engines
from storage.link import Link
from storage.moments import from_milliseconds
from storage.requests import Overtaken
from storage.schema import upgrade
from storage.transaction import Step, Transaction

T = TypeVar("T")

_BATCH = 16  # steps in one commit, about: who comes first must not wait for many
_ATTEMPTS = 3  # for steps that another node was faster than, or that PostgreSQL stopped for it


def _machine_time() -> datetime:
    return datetime.now(UTC)


class Unavailable(Exception):
    """The database cannot be reached, or cannot store anything now.

    Nothing was written, unless the connection broke during the COMMIT: so do it again, with a key.
    """


class Database:
    """SQLite or PostgreSQL; the caller sees no difference.

    `write` and `read` belong to the event loop; `upgrade` and `close` block.
    """

    def __init__(self, engines: Engines) -> None:
        self._file = engines.file
        self._lock: IO[str] | None = None
        self._writer = engines.writer
        self._reader = engines.reader
        self._writers = Crew("database-write", engines.writers, _BATCH, self._write_batch)
        self._readers = Crew("database-read", engines.readers, 1, self._read_each)

    @classmethod
    def open(cls, url: str) -> Database:
        """Open 'sqlite:///menwei.db' or 'postgresql://…'; raise ValueError for anything else.

        Nothing is connected to before the first use.
        """
        return cls(engines.build(url))

    @property
    def file(self) -> Path | None:
        """The file of an SQLite database; None for PostgreSQL."""
        return self._file

    @property
    def is_shared(self) -> bool:
        """Whether other nodes may work on it at the same time (PostgreSQL)."""
        return self._writer.dialect.name == "postgresql"

    def hold_alone(self) -> None:
        """Keep other programs that serve off an SQLite file; they would do the same work twice.

        Raises Unavailable when one has it. Does nothing on PostgreSQL, which is made for several.
        """
        if self._file is not None and self._lock is None:
            self._lock = engines.locked(self._file)
            if self._lock is None:
                raise Unavailable("another menwei serves this database")

    @property
    def waiting(self) -> int:
        """How many writes wait for a commit."""
        return self._writers.waiting

    async def write(self, step: Step[T]) -> T:
        """Run the step and return its answer once it is committed.

        If it raises, all it wrote is undone and the exception comes here; other steps of the batch
        are untouched. It may run more than once, so it must change nothing but the transaction.
        Raises Unavailable when it cannot be stored.
        """
        return await self._writers.ask(step)

    async def write_first(self, step: Step[T]) -> T:
        """Do the same before all other steps that wait: somebody outside waits for this one."""
        return await self._writers.ask(step, first=True)

    async def read(self, step: Step[T]) -> T:
        """Run the step on an unchanging view of what is committed; it must write nothing."""
        return await self._readers.ask(step)

    def is_there(self) -> bool:
        """Whether an SQLite file exists; PostgreSQL is asked when it is used."""
        return self._file is None or self._file.exists()

    async def is_alive(self, patience: float = 3.0) -> bool:
        """Whether the database answers within `patience` seconds."""
        try:
            async with asyncio.timeout(patience):
                await self.read(lambda tx: tx.people.version())
        except Exception:  # whatever it is, the answer is no
            return False
        return True

    async def clock_ahead(self, own: Callable[[], datetime] = _machine_time) -> timedelta:
        """Return by how much the database's clock is ahead of `own`; zero on SQLite.

        Nodes that share a database agree on `due` by adding it to their own clocks. Raises
        Unavailable when it cannot be asked.
        """
        if not self.is_shared:
            return timedelta(0)
        before = own()
        try:
            there = await asyncio.to_thread(self._clock)
        except Exception as error:
            raise _told(error)  # noqa: B904 - it carries its cause
        return there - (before + (own() - before) / 2)

    def upgrade(self) -> None:
        """Bring the tables to this program's version. Safe when several nodes start at once.

        Raises Unavailable when the database is away, or too busy to be changed now.
        """
        try:
            upgrade(self._writer)
        except Exception as error:
            raise _told(error)  # noqa: B904 - it carries its cause

    def close(self) -> None:
        """Finish the waiting steps, end the threads and let go of the connections."""
        self._writers.close()
        self._readers.close()
        self._writer.dispose()
        self._reader.dispose()
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    async def aclose(self) -> None:
        """Do the same without blocking the event loop."""
        await asyncio.to_thread(self.close)

    def _clock(self) -> datetime:
        seconds = func.extract("epoch", func.clock_timestamp())
        with self._reader.connect() as connection:
            return from_milliseconds(int(connection.execute(select(seconds)).scalar_one() * 1000))

    def _read_each(self, steps: Sequence[Step[Any]]) -> Sequence[Outcome]:
        return [self._read(step) for step in steps]

    def _read(self, step: Step[Any]) -> Outcome:
        try:
            with self._reader.connect() as connection, connection.begin():
                tx = Transaction(Link(connection))
                answer = step(tx)
                tx.write()
                if tx.audit.added:
                    raise TypeError("a read cannot add to the audit; use write")
                return Done(answer)
        except Exception as error:  # it belongs to this step's waiter
            return Failed(_told(error))

    def _write_batch(self, steps: Sequence[Step[Any]]) -> Sequence[Outcome]:
        try:
            try:
                return self._commit(steps, _run_together)
            except _StepFailed:
                return self._commit(steps, _run_apart)
        except Exception as error:
            if not _is_conflict(error):
                return [Failed(_told(error))] * len(steps)
        return [self._write_alone(step) for step in steps]

    def _write_alone(self, step: Step[Any]) -> Outcome:
        """Run a step again that others stood in the way of, alone in its transaction."""
        outcome = Failed(Unavailable("other writers stood in the way"))
        for _ in range(_ATTEMPTS):
            try:
                return self._commit([step], _run_together)[0]
            except Exception as error:  # it belongs to this step's waiter
                outcome = Failed(_told(error))
                if not _is_conflict(error):
                    break
        return outcome

    def _commit(self, steps: Sequence[Step[Any]], run: _Run) -> Sequence[Outcome]:
        """Run the steps in one transaction; raise if none of it could be stored."""
        entries: list[audit.Entry] = []
        with self._writer.connect() as connection, connection.begin():
            outcomes = run(connection, steps, entries)
            audit.append(Link(connection), entries)
            if not engines.is_intact(connection):
                raise Unavailable("a step went on after the database had undone everything")
        return outcomes


class _StepFailed(Exception):
    """One of several steps failed: what the others wrote has to be undone with it."""


_Run = Callable[[Connection, Sequence[Step[Any]], list[audit.Entry]], Sequence[Outcome]]


def _run_together(
    connection: Connection, steps: Sequence[Step[Any]], entries: list[audit.Entry]
) -> Sequence[Outcome]:
    """Run the steps one after the other. Raises _StepFailed if there are others than the failed."""
    link = Link(connection)
    outcomes: list[Outcome] = []
    for step in steps:
        try:
            outcomes.append(_run(link, step, entries))
        except BaseException as error:
            if _is_conflict(error) or len(steps) == 1:
                raise
            raise _StepFailed from error
    if len(steps) > 1 and not engines.is_intact(connection):  # a step has hidden an error
        raise _StepFailed
    return outcomes


def _run_apart(
    connection: Connection, steps: Sequence[Step[Any]], entries: list[audit.Entry]
) -> Sequence[Outcome]:
    """Run the steps so that the failure of one undoes only what that one wrote itself.

    The savepoints go to the driver: SQLAlchemy would compile each of them anew, which takes longer
    than a small step.
    """
    return [_run_in_savepoint(connection, step, entries) for step in steps]


def _run_in_savepoint(
    connection: Connection, step: Step[Any], entries: list[audit.Entry]
) -> Outcome:
    driver: Any = connection.connection.dbapi_connection
    own: list[audit.Entry] = []
    try:
        driver.execute("SAVEPOINT step")
        outcome = _run(Link(connection), step, own)
        driver.execute("RELEASE SAVEPOINT step")
    except BaseException as error:
        if _is_conflict(error) or not _undone(driver):
            raise
        return Failed(_told(error))
    entries += own
    return outcome


def _run(link: Link, step: Step[Any], entries: list[audit.Entry]) -> Outcome:
    tx = Transaction(link)
    answer = step(tx)
    tx.write()
    entries += tx.audit.added
    return Done(answer)


def _undone(driver: Any) -> bool:
    """Undo what the failed step wrote; False if only the whole transaction can be undone."""
    try:
        driver.execute("ROLLBACK TO SAVEPOINT step")
        driver.execute("RELEASE SAVEPOINT step")
    except DRIVER_ERRORS:
        return False
    return True


def _is_conflict(error: BaseException) -> bool:
    """Whether another transaction was faster, so that this one has to be run again."""
    if isinstance(error, Overtaken):
        return True
    return isinstance(error, OperationalError) and isinstance(
        error.orig, (DeadlockDetected, SerializationFailure)
    )


def _told(error: BaseException) -> BaseException:
    """Return what the caller can catch without knowing SQLAlchemy."""
    is_no_database = isinstance(error, DBAPIError) and type(error.orig) is sqlite3.DatabaseError
    if not is_no_database and not isinstance(
        error, (OperationalError, InterfaceError, *DRIVER_ERRORS)
    ):
        return error
    cause = error.orig if isinstance(error, DBAPIError) else error
    unavailable = Unavailable(str(cause).partition("\n")[0])
    unavailable.__cause__ = error
    return unavailable
