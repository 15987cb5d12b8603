"""Finds requests by what people type: an id, or the name of a customer or a requester.

However many requests are on file, little is read: each way to find them follows an index in its
order, a page at a time as the hits are looked at, and the middle of a name is sought among the
newest requests only.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from heapq import merge
from itertools import chain, islice
from typing import Any

from sqlalchemy import Column, Connection, Row, Select, bindparam, or_, select

from storage.moments import request_key, search_key
from storage.stored import Stored
from storage.tables import requests
from workflows.model import Request

_RECENT = 2000  # requests in which the middle of a name is found too
_PAGE = 20
_LAST = "\U0010ffff"  # comes after every name that goes on

_REQUEST = Stored(Request)
_Hit = Row[*tuple[Any, ...]]

_NAMES = (requests.c.subject_name, requests.c.requester_name)
_HIT = select(requests.c.created_at, requests.c.id, requests.c.body)
_NEWEST_FIRST = (requests.c.created_at.desc(), requests.c.id)
_BY_ID = _HIT.where(requests.c.id == bindparam("wanted"))


def _paged(statement: Select[Any]) -> Select[Any]:
    return statement.limit(bindparam("limit")).offset(bindparam("offset"))


def _called(column: Column[str]) -> Select[Any]:
    return _paged(_HIT.where(column == bindparam("name")).order_by(*_NEWEST_FIRST))


def _beginning_with(column: Column[str]) -> Select[Any]:
    """Not the newest of all: they would have to be sorted out of everybody called Wang."""
    goes_on = _HIT.where(column > bindparam("name"), column < bindparam("beyond"))
    return _paged(goes_on.order_by(column.desc(), requests.c.created_at.desc()))


def _containing() -> Select[Any]:
    newest = select(requests.c.id, requests.c.created_at, *_NAMES)
    recent = newest.order_by(requests.c.created_at.desc()).limit(_RECENT).subquery()
    names = (recent.c.subject_name, recent.c.requester_name)
    part = or_(*(name.contains(bindparam("part"), escape="/") for name in names))
    hits = _HIT.join(recent, recent.c.id == requests.c.id).where(part)
    return _paged(hits.order_by(recent.c.created_at.desc(), recent.c.id))


_CALLED = tuple(map(_called, _NAMES))
_BEGINNING = tuple(map(_beginning_with, _NAMES))
_CONTAINING = _containing()


def search(connection: Connection, words: str, limit: int) -> Iterator[Request]:
    """Yield the request of this id, or else requests of a customer or by a requester so called.

    First come those who are called just this, the newest first; then the newest requests with a
    name that has this in it; then those with a name that begins with it.
    """
    name = search_key(words)
    if not name:
        return
    wanted = {"wanted": request_key(words.replace("\x00", ""))}
    exact = connection.execute(_BY_ID, wanted).first()
    hits = [exact] if exact else _named(connection, name)
    yield from (_REQUEST.load(hit.body) for hit in islice(_once(hits), limit))


def _named(connection: Connection, name: str) -> Iterator[_Hit]:
    values = {"name": name, "beyond": name + _LAST, "part": _escaped(name)}
    called = (_pages(connection, statement, values) for statement in _CALLED)
    yield from merge(*called, key=lambda hit: hit.created_at, reverse=True)
    yield from _pages(connection, _CONTAINING, values)
    yield from chain.from_iterable(_pages(connection, each, values) for each in _BEGINNING)


def _pages(
    connection: Connection, statement: Select[Any], values: dict[str, str]
) -> Iterator[_Hit]:
    offset, size = 0, _PAGE
    while True:
        page = connection.execute(statement, values | {"limit": size, "offset": offset}).all()
        yield from page
        if len(page) < size:
            return
        offset, size = offset + size, 2 * size


def _once(hits: Iterable[_Hit]) -> Iterator[_Hit]:
    seen: set[str] = set()
    for hit in hits:
        if hit.id not in seen:
            seen.add(hit.id)
            yield hit


def _escaped(part: str) -> str:
    return part.replace("/", "//").replace("%", "/%").replace("_", "/_")
