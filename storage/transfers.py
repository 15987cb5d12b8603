"""Customers on their way from one member to another, and those that went."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select, update

from storage.moments import request_key, user_key
from storage.rarely import Rarely
from storage.statements import insert_or_replace
from storage.stored import Stored
from storage.tables import TRANSFER_IS_OPEN, transfers
from workflows.transfers import Passage

_PASSAGE = Stored(Passage)

_PUT = insert_or_replace(transfers)
_OF_REQUEST = (
    select(transfers.c.body)
    .where(transfers.c.request_id == bindparam("request_id"))
    .order_by(transfers.c.external_userid)
)
_GET = _OF_REQUEST.where(transfers.c.external_userid == bindparam("external_userid"))
_OF_CUSTOMER = (
    select(transfers.c.body)
    .where(
        transfers.c.external_userid == bindparam("external_userid"),
        transfers.c.asked_at > bindparam("since"),
    )
    .order_by(transfers.c.asked_at.desc(), transfers.c.request_id)
)
_MOVE = (
    update(transfers)
    .where(
        transfers.c.request_id == bindparam("wanted"),
        transfers.c.external_userid == bindparam("customer"),
        TRANSFER_IS_OPEN,
    )
    .values(is_open=bindparam("new_is_open"), body=bindparam("new_body"))
)
_CHANGE = (
    update(transfers)
    .where(
        transfers.c.request_id == bindparam("wanted"),
        transfers.c.external_userid == bindparam("customer"),
    )
    .values(body=bindparam("new_body"))
)


class Transfers:
    """The passages within one transaction. Request ids and userids are found in any case."""

    __slots__ = ("_connection", "_rarely")

    def __init__(self, connection: Connection, rarely: Rarely) -> None:
        self._connection = connection
        self._rarely = rarely

    def put(self, passages: Iterable[Passage]) -> None:
        """Store passages, over what an earlier try of the same request has left."""
        rows = [_columns(each) for each in passages]
        if rows:
            self._rarely.forget()
            self._connection.execute(_PUT, rows)

    def get(self, request_id: str, external_userid: str) -> Passage | None:
        """Return one customer's passage by one request."""
        values = {"request_id": request_key(request_id), "external_userid": external_userid}
        found = self._list(_GET, **values)
        return found[0] if found else None

    def of_request(self, request_id: str) -> list[Passage]:
        """Return all passages of a request."""
        return self._list(_OF_REQUEST, request_id=request_key(request_id))

    def of_customer(self, external_userid: str, since: datetime) -> list[Passage]:
        """Return a customer's passages that WeCom was asked for after then, the latest first."""
        if not self._rarely.any(transfers):
            return []
        return self._list(_OF_CUSTOMER, external_userid=external_userid, since=since)

    def settle(self, passage: Passage) -> bool:
        """Write how a passage has ended; False if it had ended before."""
        values = {"new_is_open": int(passage.is_open), "new_body": _PASSAGE.dump(passage)}
        return self._connection.execute(_MOVE, values | _key(passage)).rowcount == 1

    def change(self, passage: Passage) -> None:
        """Write what does not touch its state: whether it was told."""
        values = {"new_body": _PASSAGE.dump(passage)}
        self._connection.execute(_CHANGE, values | _key(passage))

    def _list(self, statement: Select[str], **values: object) -> list[Passage]:
        rows = self._connection.execute(statement, values).scalars()
        return [_PASSAGE.load(body) for body in rows]


def _key(passage: Passage) -> dict[str, Any]:
    return {"wanted": request_key(passage.request_id), "customer": passage.external_userid}


def _columns(passage: Passage) -> dict[str, Any]:
    return {
        "request_id": request_key(passage.request_id),
        "external_userid": passage.external_userid,
        "userid": user_key(passage.userid),
        "taker": user_key(passage.taker),
        "is_open": int(passage.is_open),
        "asked_at": passage.asked_at,
        "body": _PASSAGE.dump(passage),
    }
