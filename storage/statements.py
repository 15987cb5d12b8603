"""Statements that several repositories need.

PostgreSQL's ON CONFLICT compiles for SQLite too, letter by letter.
"""

from __future__ import annotations

from sqlalchemy import Column, ColumnElement, Table, and_
from sqlalchemy.dialects.postgresql import Insert, insert


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


def add_to(table: Table, number: Column[int]) -> Insert:
    """Return an insert that adds to `number` if the row with the same primary key exists."""
    statement = insert(table)
    keys: list[Column[object]] = list(table.primary_key.columns)
    total = number + statement.excluded[number.name]
    return statement.on_conflict_do_update(index_elements=keys, set_={number.name: total})
