"""Reads rows from a company's own database, with one SELECT and without being able to write.

What fails is told without the address, its password, or any value of a row.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import (
    ArgumentError,
    DBAPIError,
    NoSuchModuleError,
    ProgrammingError,
    SQLAlchemyError,
)
from sqlalchemy.pool import NullPool

_TAKES_AT_MOST = 600  # seconds, where the database can be told
_AT_ONCE = 1000  # rows
_WAIT = 10  # seconds for a connection


class OutsideFailed(Exception):
    """The database cannot be read. `code` says how, `why` adds what may be shown."""

    def __init__(self, code: str, why: str = "") -> None:
        super().__init__(code, why)
        self.code = code
        self.why = why


def is_address(url: str) -> bool:
    """Whether SQLAlchemy can read the text as a database's address."""
    try:
        return bool(make_url(url).drivername)
    except (ArgumentError, ValueError):
        return False


def shown(url: str) -> str:
    """Return an address without password and options, to tell databases apart by."""
    parsed = make_url(url)
    return (
        parsed.set(password=None, query={}).render_as_string() if parsed.password else str(parsed)
    )


# --- one SELECT

_HIDDEN = re.compile(
    r"""
    '(?:[^']|'')*'              # text
    | "(?:[^"]|"")*"            # names in quotes
    | `[^`]*` | \[[^\]]*\]      # of other databases
    | --[^\n]*                  # comments
    | /\*.*?\*/
    """,
    re.VERBOSE | re.DOTALL,
)
_WORD = re.compile(r"[A-Za-z_]\w*")
_WRITING = re.compile(
    "alter|create|delete|drop|exec|execute|grant|insert|into|merge|revoke|truncate|update"
)


def is_one_select(query: str) -> bool:
    """Whether a text is a single statement that begins as a reading one and names nothing else.

    A fence against mistakes, not against malice: functions may do anything. The account that the
    address names should be allowed nothing but reading.
    """
    rest = _HIDDEN.sub(" x ", query).strip().removesuffix(";")
    unclosed = any(sign in rest for sign in ("'", '"', "/*", "$$"))
    if ";" in rest or unclosed or "/*!" in query:  # MySQL runs what is in such a comment
        return False
    words = [word.lower() for word in _WORD.findall(rest)]
    reads = words[:1] in (["select"], ["with"]) and "select" in words
    return reads and not any(map(_WRITING.fullmatch, words))


# --- reading


@dataclass(frozen=True, slots=True)
class OutsideDatabase:
    """One query on one database. Blocks: for a thread of its own."""

    url: str
    query: str

    def pages(self, columns: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
        """Yield rows with these columns, some at a time. Raises OutsideFailed."""
        parsed = make_url(self.url)
        try:
            engine = _engine(parsed)
        except NoSuchModuleError:
            raise OutsideFailed("no_driver", parsed.drivername) from None
        except ImportError as error:
            raise OutsideFailed("no_driver", error.name or parsed.drivername) from None
        except (SQLAlchemyError, TypeError, ValueError):
            raise OutsideFailed("bad_address") from None
        try:
            with closing(_Connected(engine)) as connected:
                yield from _read(connected.connection, self.query, columns)
        except DBAPIError as error:
            raise _told(error, parsed) from None
        except SQLAlchemyError as error:
            raise OutsideFailed("query_failed", type(error).__name__) from None
        finally:
            engine.dispose()


class _Connected:
    """A connection on which nothing is ever committed."""

    def __init__(self, engine: Engine) -> None:
        try:
            self.connection = engine.connect()
        except DBAPIError as error:  # its text names host and user
            raise OutsideFailed("not_connected", _state(error)) from None

    def close(self) -> None:
        self.connection.close()


def _read(
    connection: Connection, query: str, columns: Sequence[str]
) -> Iterator[list[tuple[Any, ...]]]:
    # Without parameters, so that a '%' or ':' in the query is only that.
    options = {"no_parameters": True, "stream_results": True, "max_row_buffer": _AT_ONCE}
    statement = query.strip().removesuffix(";")
    with closing(connection.exec_driver_sql(statement, execution_options=options)) as result:
        names = list(result.keys())
        places = [_place(names, column) for column in columns]
        for part in result.partitions(_AT_ONCE):
            yield [tuple(row[place] for place in places) for row in part]


def _place(names: Sequence[str], wanted: str) -> int:
    """Return where a column is; some databases give names in capitals."""
    found = [at for at, name in enumerate(names) if name == wanted]
    found = found or [at for at, name in enumerate(names) if name.lower() == wanted.lower()]
    if len(found) != 1:
        raise OutsideFailed("no_such_column", f"{wanted} ({', '.join(names)})"[:300])
    return found[0]


def _engine(url: URL) -> Engine:
    kind = url.get_backend_name()
    if url.drivername in {"postgresql", "postgres"}:
        url, kind = url.set(drivername="postgresql+psycopg"), "postgresql"
    common: dict[str, Any] = {"poolclass": NullPool, "hide_parameters": True}
    if url.drivername in {"sqlite", "sqlite+pysqlite"}:
        return _guarded(create_engine(url, creator=lambda: _sqlite(url), **common), _SQLITE)
    if kind == "postgresql":
        return _guarded(create_engine(url, connect_args=_patience(url), **common), _POSTGRESQL)
    if kind in {"mysql", "mariadb"}:
        return _guarded(create_engine(url, **common), _MYSQL)
    return create_engine(url, **common)


_SQLITE = ("PRAGMA query_only = ON",)
_POSTGRESQL = (
    "SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY",
    f"SET statement_timeout = '{_TAKES_AT_MOST}s'",
)
_MYSQL = ("SET SESSION TRANSACTION READ ONLY",)


def _patience(url: URL) -> dict[str, Any]:
    return {} if "connect_timeout" in url.query else {"connect_timeout": _WAIT}


def _sqlite(url: URL) -> sqlite3.Connection:
    """Open a file for reading; without this a missing one would be made."""
    file = Path(url.database or "")
    if not file.is_file():
        raise OutsideFailed("no_file", str(file))
    address = f"file:{quote(str(file))}?mode=ro"
    return sqlite3.connect(address, uri=True, timeout=_WAIT, check_same_thread=False)


def _guarded(engine: Engine, statements: Sequence[str]) -> Engine:
    """Have every connection refuse to write."""

    def prepare(connection: Any, _record: object) -> None:
        with closing(connection.cursor()) as cursor:
            for statement in statements:
                cursor.execute(statement)
        if engine.dialect.name == "postgresql":
            connection.commit()  # else the settings end with this transaction

    event.listen(engine, "connect", prepare)
    return engine


def _told(error: DBAPIError, url: URL) -> OutsideFailed:
    """Return what failed; only mistakes in the query are quoted, and nothing of the address."""
    state = _state(error)
    if error.connection_invalidated or not _is_about_query(error):
        return OutsideFailed("query_failed", state)
    line = str(error.orig).partition("\n")[0]
    for part in (url.password, url.username, url.host, url.database):
        line = line.replace(str(part), "***") if part else line
    return OutsideFailed("query_failed", f"{state}: {line}"[:300])


def _is_about_query(error: DBAPIError) -> bool:
    """Whether names or grammar are wrong: such errors quote the query and never a value."""
    of_sqlite = isinstance(error.orig, sqlite3.OperationalError)
    return of_sqlite or isinstance(error, ProgrammingError)


def _state(error: DBAPIError) -> str:
    code = getattr(error.orig, "sqlstate", None) or ""
    return f"{type(error.orig).__name__} {code}".strip()
