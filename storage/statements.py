"""Statements that several repositories need.

PostgreSQL's ON CONFLICT compiles for SQLite too, letter by letter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ColumnElement,
    Dialect,
    Table,
    TypeDecorator,
    and_,
    bindparam,
    func,
)
from sqlalchemy.dialects.postgresql import ARRAY, Insert, insert
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.functions import FunctionElement
from sqlalchemy.types import TypeEngine


def insert_or_ignore(table: Table) -> Insert:
    """Return an insert that skips rows which break any unique constraint (see `rowcount`)."""
    return insert(table).on_conflict_do_nothing().execution_options(preserve_rowcount=True)


def insert_or_replace(table: Table) -> Insert:
    """Return an insert that overwrites the row with the same primary key."""
    statement = insert(table)
    keys: list[Column[object]] = list(table.primary_key.columns)
    others = {c.name: statement.excluded[c.name] for c in table.columns if not c.primary_key}
    return statement.on_conflict_do_update(index_elements=keys, set_=others)


def prefix_of(column: Column[str], beginning: str) -> ColumnElement[bool]:
    """Return "the column starts with it" as a range, which an index answers on both databases."""
    return and_(column >= beginning, column < beginning + "\U0010ffff")


def among(column: Column[Any], name: str) -> ColumnElement[bool]:
    """Return "the column is one of the list bound to `name`", a single parameter.

    `in_` writes one for each, so that its text differs with their number: see `storage.link`.
    """
    return _Among(column, bindparam(name, type_=_Listed(column.type)))


def each_of(name: str) -> ColumnElement[str]:
    """Return each text of the list bound to `name` as a row, on PostgreSQL.

    Its driver writes JSON in C, and arrays in Python. Comparing wants an array all the same: of
    JSON nobody knows how long it is, and whoever plans the query would guess too much.
    """
    return func.json_array_elements_text(bindparam(name, type_=JSON())).column_valued("each")


class _Among(FunctionElement[bool]):
    type = Boolean()
    inherit_cache = True
    _is_implicitly_boolean = True  # else it is compared with 1, and no index is used


@compiles(_Among, "sqlite")
def _in_json(element: _Among, compiler: Any, **options: Any) -> str:
    column, listed = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} IN (SELECT value FROM json_each({listed}))"  # noqa: S608 - of our own SQL


@compiles(_Among, "postgresql")
def _in_array(element: _Among, compiler: Any, **options: Any) -> str:
    column, listed = (compiler.process(each, **options) for each in element.clauses)
    return f"{column} = ANY ({listed})"


class _Listed(TypeDecorator[Sequence[Any]]):
    """A list: an array, or the JSON that stands for one."""

    impl = JSON
    cache_ok = False

    def __init__(self, of: TypeEngine[Any]) -> None:
        super().__init__()
        self._of = of

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Return the array, or JSON."""
        return dialect.type_descriptor(ARRAY(self._of) if dialect.name == "postgresql" else JSON())


def add_to(table: Table, number: Column[int]) -> Insert:
    """Return an insert that adds to `number` if the row with the same primary key exists."""
    statement = insert(table)
    keys: list[Column[object]] = list(table.primary_key.columns)
    total = number + statement.excluded[number.name]
    return statement.on_conflict_do_update(index_elements=keys, set_={number.name: total})
