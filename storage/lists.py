"""Lists of customers to add: which are under way, and the adds that their lines became."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Select, bindparam, func, select

from storage.moments import request_key, user_key
from storage.statements import insert_or_ignore
from storage.stored import Stored
from storage.tables import REQUEST_IS_OPEN, list_parts, requests
from workflows.bulk import BULK
from workflows.model import Request

_REQUEST = Stored(Request)

_ADD_PART = insert_or_ignore(list_parts)
_OF_LIST = list_parts.c.list_id == bindparam("wanted")
_PARTS = (
    select(requests.c.body)
    .join(list_parts, list_parts.c.request_id == requests.c.id)
    .where(_OF_LIST)
    .order_by(requests.c.created_at, requests.c.id)
)
_COUNT_PARTS = select(func.count()).select_from(list_parts).where(_OF_LIST)
_OPEN_OF = (
    select(requests.c.body)
    .where(
        REQUEST_IS_OPEN,
        requests.c.requester == bindparam("userid"),
        requests.c.created_at >= bindparam("since"),
        requests.c.action == BULK,
    )
    .order_by(requests.c.created_at, requests.c.id)
)


class Lists:
    """The lists within one transaction. Ids are found in any case."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add_part(self, part: Request) -> None:
        """Note that a request was a line of the list `part_of`; a second time is harmless."""
        values = {"list_id": request_key(part.part_of), "request_id": request_key(part.id)}
        self._connection.execute(_ADD_PART, values)

    def parts(self, list_id: str) -> list[Request]:
        """Return what became of a list's lines so far, the oldest first."""
        return self._list(_PARTS, wanted=request_key(list_id))

    def count_parts(self, list_id: str) -> int:
        """Return how many there are."""
        values = {"wanted": request_key(list_id)}
        return int(self._connection.execute(_COUNT_PARTS, values).scalar_one())

    def open_of(self, userid: str, since: datetime) -> list[Request]:
        """Return a member's unfinished lists that were sent since then, the oldest first."""
        return self._list(_OPEN_OF, userid=user_key(userid), since=since)

    def _list(self, statement: Select[str], **values: object) -> list[Request]:
        rows = self._connection.execute(statement, values).scalars()
        return [_REQUEST.load(body) for body in rows]
