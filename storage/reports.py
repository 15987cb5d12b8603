"""Who wanted to add whom, in the order they came."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, select

from storage.moments import request_key, user_key
from storage.tables import reports
from workflows.protection import Report

_ADD = insert(reports)
_ROW = select(reports.c.seq, reports.c.key, reports.c.request_id, reports.c.userid, reports.c.since)
_OF_KEY = _ROW.where(
    reports.c.key == bindparam("wanted"), reports.c.since > bindparam("after")
).order_by(reports.c.since, reports.c.seq)
_OF_REQUEST = _ROW.where(reports.c.request_id == bindparam("wanted")).order_by(reports.c.seq)


class Reports:
    """The reports within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, request_id: str, userid: str, keys: Iterable[str], since: datetime) -> None:
        """Write down that a member wants to add whom these keys name.

        To say who is first, `Transaction.hold` the keys before looking and until this.
        """
        who = {"request_id": request_key(request_id), "userid": user_key(userid), "since": since}
        rows = [{"key": key, **who} for key in sorted(set(keys))]
        if rows:
            self._connection.execute(_ADD, rows)

    def of_key(self, key: str, after: datetime) -> list[Report]:
        """Return who has wanted this one since then, the first one first."""
        return self._list(_OF_KEY, wanted=key, after=after)

    def of_request(self, request_id: str) -> list[Report]:
        """Return by which keys a request is a report."""
        return self._list(_OF_REQUEST, wanted=request_key(request_id))

    def _list(self, statement: Select[Any], **values: object) -> list[Report]:
        rows = self._connection.execute(statement, values)
        return [Report(row.seq, row.key, row.request_id, row.userid, row.since) for row in rows]
