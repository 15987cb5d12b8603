"""The short way from a repository to the driver, for statements that are executed again and again.

SQLAlchemy spends several times as long around a small query as the database spends on it. So a
statement of SQLAlchemy Core that comes a second time (those that modules keep as constants do; one
that is put together for a single use does not) is compiled once more, remembered as SQL and the
order of its parameters, and from then on handed to the driver on the same connection. What cannot
be remembered that way goes through SQLAlchemy as ever: lists for IN, `text()`, streaming.
"""

from __future__ import annotations

import json
import re
from collections import namedtuple
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import chain
from operator import itemgetter
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy import Connection, Delete, Dialect, Executable, Insert, Select, Update
from sqlalchemy.exc import DBAPIError, MultipleResultsFound, NoResultFound

Values = Mapping[str, Any]
_Make = Callable[[Sequence[Any]], Any]
_Many = Callable[[Sequence[Any]], Iterator[tuple[str, Any]]]


@dataclass(frozen=True, slots=True)
class _Form:
    """A statement as one driver takes it."""

    sql: str
    given: frozenset[str]  # the names of the values it was compiled for
    bind: Callable[[Values], Any]  # values by name, as the driver takes them
    gives_rows: bool
    many: _Many | None  # few executions that write many such rows: SQL and parameters of each
    make: _Make  # a row as the driver gives it, with names and types


# A row of parameters alone. Two rows with one key would make DO UPDATE fail.
_INSERT = re.compile(
    r"(?P<into>INSERT INTO \w+ \([^()]+\)) VALUES \((?P<row>(?:(?:\?|%\(\w+\)s::\w+)(?:, )?)+)\)"
    r"(?P<rest>(?: ON CONFLICT DO NOTHING)?)"
)
_NAMED = re.compile(r"%\((\w+)\)s::(\w+)")
_ROWS = 64  # in one execution on SQLite, which takes 32,766 parameters
_Forms = WeakKeyDictionary[Executable, _Form | None]
_FORMS: dict[str, _Forms] = {}  # by dialect; None where the short way is not possible
_NOT_YET = _Form(
    "", frozenset(), bind=dict, gives_rows=False, many=None, make=tuple
)  # seen once: it may be a constant, or not
_NEW = replace(_NOT_YET)


class Link:
    """Executes statements as `Connection.execute` does, in its transaction and with its errors."""

    __slots__ = ("_connection", "_cursor", "_driver", "_forms", "_overheard", "_put_off", "dialect")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        driver: Any = connection.connection.dbapi_connection
        self._driver = driver
        self.dialect = connection.dialect
        # psycopg has all rows once it has executed, and its cursors are dear; SQLite's read on.
        self._cursor = driver.cursor() if self.dialect.name == "postgresql" else None
        # Whoever listens to SQLAlchemy's events hears of every statement.
        self._overheard = bool(connection.dispatch.before_cursor_execute)
        self._forms = _FORMS.setdefault(self.dialect.name, WeakKeyDictionary())
        self._put_off: Callable[[], None] | None = None

    def put_off(self, write: Callable[[], None]) -> None:
        """Call this before the next statement, whatever that is."""
        self._put_off = write

    def execute(
        self,
        statement: Executable,
        parameters: Values | Sequence[Values] | None = None,
        *,
        execution_options: Mapping[str, Any] | None = None,
    ) -> Any:
        """Return what SQLAlchemy would: a CursorResult, or a `Found` that offers as much of it."""
        if self._put_off is not None:
            write, self._put_off = self._put_off, None
            write()
        if self._overheard or execution_options is not None:
            return self._through(statement, parameters, execution_options)
        many = isinstance(parameters, list | tuple)
        rows: Sequence[Values] = parameters if many else (parameters or {},)  # type: ignore[assignment]
        form = self._form(statement, rows[0])
        if form is None or any(row.keys() != form.given for row in rows):
            return self._through(statement, parameters, None)
        if len(rows) > 1:
            if form.gives_rows:  # drivers differ in what many executions give back
                return self._through(statement, parameters, None)
            return self._run_many(form, list(map(form.bind, rows)))
        return self._run(form, form.bind(rows[0]))

    def _through(self, statement: Executable, parameters: Any, options: Any) -> Any:
        return self._connection.execute(statement, parameters, execution_options=options)

    def _form(self, statement: Executable, values: Values) -> _Form | None:
        form = self._forms.get(statement, _NEW)
        if form is _NEW:
            self._forms[statement] = _NOT_YET
            return None
        if form is _NOT_YET:
            form = self._forms[statement] = _compiled(statement, values, self.dialect)
        return form

    def _run_many(self, form: _Form, bound: Sequence[Any]) -> Found:
        if form.many is None:
            return self._run(form, bound, many=True)
        written = [self._run(form, given, sql).rowcount for sql, given in form.many(bound)]
        return Found((), sum(written), form.make)

    def _run(self, form: _Form, bound: Any, sql: str = "", *, many: bool = False) -> Found:
        try:
            cursor: Any = self._cursor or self._driver.cursor()
            if many:
                cursor.executemany(form.sql, bound)
            else:
                cursor.execute(sql or form.sql, bound)
            if self._cursor is not None:
                found = cursor.fetchall() if form.gives_rows else ()
                return Found(found, cursor.rowcount, form.make)
        except self.dialect.loaded_dbapi.Error as error:
            raise self._told(form.sql, error) from error
        return Found(cursor, cursor.rowcount, form.make)

    def _told(self, sql: str, error: Any) -> BaseException:
        """Return the error as SQLAlchemy would raise it, and let go of a connection that broke."""
        if self.dialect.is_disconnect(error, self._driver, None):
            self._connection.invalidate(error)
        base: Any = self.dialect.loaded_dbapi.Error
        told: BaseException = DBAPIError.instance(
            sql, None, error, base, hide_parameters=True, dialect=self.dialect
        )
        return told


class Found:
    """What a statement found, read once; as much of SQLAlchemy's Result as repositories use."""

    __slots__ = ("_make", "_rows", "rowcount")

    def __init__(self, rows: Iterable[Any], rowcount: int, make: _Make) -> None:
        self._rows = rows
        self._make = make
        self.rowcount = rowcount  # of rows that were written

    def __iter__(self) -> Iterator[Any]:
        return map(self._make, self._rows)

    def all(self) -> list[Any]:
        """Return every row."""
        return list(self)

    def first(self) -> Any:
        """Return the first row, None if there is none."""
        return next(iter(self), None)

    def one(self) -> Any:
        """Return the only row."""
        rows = self.all()
        if not rows:
            raise NoResultFound
        if len(rows) > 1:
            raise MultipleResultsFound
        return rows[0]

    def one_or_none(self) -> Any:
        """Return the only row, None if there is none."""
        try:
            return self.one()
        except NoResultFound:
            return None

    def scalars(self) -> Found:
        """Return the first column of each row."""
        make = self._make
        return Found(self._rows, self.rowcount, lambda row: make(row)[0])

    def scalar(self) -> Any:
        """Return the first column of the first row, None if there is none."""
        return self.scalars().first()

    def scalar_one(self) -> Any:
        """Return the first column of the only row."""
        return self.scalars().one()

    def scalar_one_or_none(self) -> Any:
        """Return the first column of the only row, None if there is none."""
        return self.scalars().one_or_none()


def _compiled(statement: Executable, values: Values, dialect: Dialect) -> _Form | None:
    """Return the statement's form for values of these names, None if it has no fixed SQL."""
    if not isinstance(statement, Select | Insert | Update | Delete):
        return None
    compiled: Any = (statement.inline() if isinstance(statement, Insert) else statement).compile(
        dialect=dialect, column_keys=list(values)
    )
    if compiled.post_compile_params or compiled.literal_execute_params:
        return None  # IN and its like: the text depends on the values
    return _Form(
        sql=str(compiled),
        given=frozenset(values),
        bind=_binder(compiled, dialect, values),
        gives_rows=bool(statement.exported_columns),
        many=_many(str(compiled)),
        make=_maker(statement, dialect),
    )


def _many(sql: str) -> _Many | None:
    """Return what writes many rows with few executions, None where that cannot be said.

    `executemany` is one after the other. On PostgreSQL each is sent for itself; on SQLite each
    gives Python's lock away and has to wait for it again.
    """
    found = _INSERT.fullmatch(sql)
    if found is None:
        return None
    if "?" in found["row"]:
        return partial(_in_blocks, f"{found['into']} VALUES ", f"({found['row']})", found["rest"])
    # One parameter: the driver writes JSON in C, and the elements of an array one by one in Python.
    columns = _NAMED.sub(r'"\1" \2', found["row"])
    rows = f"json_to_recordset(%(rows)s::JSON) AS rows ({columns})"
    return partial(_as_json, f"{found['into']} SELECT * FROM {rows}{found['rest']}")  # noqa: S608 - of our own SQL


def _as_json(sql: str, rows: Sequence[Values]) -> Iterator[tuple[str, Any]]:
    yield sql, {"rows": json.dumps(rows)}


def _in_blocks(
    into: str, row: str, rest: str, rows: Sequence[Sequence[Any]]
) -> Iterator[tuple[str, Any]]:
    """Halve the block at the end: a text for every number of rows would be compiled each time."""
    start, size = 0, _ROWS
    while start < len(rows):
        while size > len(rows) - start:
            size //= 2
        block = rows[start : start + size]
        yield into + ", ".join([row] * size) + rest, list(chain.from_iterable(block))
        start += size


def _binder(compiled: Any, dialect: Dialect, given: Container[str]) -> Callable[[Values], Any]:
    """Return what puts values into the order, or under the names, of the compiled SQL."""
    kinds = {name: bind.type.dialect_impl(dialect) for bind, name in compiled.bind_names.items()}
    plan = [
        (name, kinds[name].bind_processor(dialect))
        for name in compiled.positiontup or compiled.bind_names.values()
    ]
    # Such as the 0 of `values(leased=0)`.
    fixed = {name: value for name, value in compiled.params.items() if name not in given}
    plain = not any(to for _, to in plan)
    if plain and not fixed:
        if compiled.positiontup is None:
            return dict
        return _in_order([name for name, _ in plan])

    def ordered(values: Values) -> list[Any]:
        full = {**fixed, **values} if fixed else values
        return [full[name] if to is None else to(full[name]) for name, to in plan]

    def named(values: Values) -> dict[str, Any]:
        full = {**fixed, **values} if fixed else values
        return {name: full[name] if to is None else to(full[name]) for name, to in plan}

    return named if compiled.positiontup is None else ordered


def _in_order(names: Sequence[str]) -> Callable[[Values], Any]:
    if len(names) > 1:
        return itemgetter(*names)
    return lambda values: [values[name] for name in names]


def _maker(statement: Select[Any] | Insert | Update | Delete, dialect: Dialect) -> _Make:
    """Return what makes a named tuple of a row, with times as times."""
    columns = statement.exported_columns
    names = [str(key) for key, _ in columns.items()]
    row: Any = namedtuple("row", names, rename=True)  # type: ignore[misc]
    readers = [
        column.type.dialect_impl(dialect).result_processor(dialect, None) for column in columns
    ]
    if not any(readers):
        return row._make

    def read(values: Sequence[Any]) -> Any:
        pairs = zip(values, readers, strict=True)
        return row._make(value if to is None else to(value) for value, to in pairs)

    return read
