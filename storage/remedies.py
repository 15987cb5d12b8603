"""Remedies: what undoes relations that were denied. A request has at most one."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, select, update

from storage.moments import request_key, user_key
from storage.rarely import Rarely
from storage.stored import Stored
from storage.tables import REMEDY_IS_OPEN, remedies
from workflows.model import Remedy, RemedyState

_REMEDY = Stored(Remedy)

_ADD = insert(remedies)
_OF_REQUEST = select(remedies.c.body).where(remedies.c.request_id == bindparam("request_id"))
_OPEN_FOR = (
    select(remedies.c.body)
    .where(
        REMEDY_IS_OPEN,
        remedies.c.external_userid == bindparam("external_userid"),
        remedies.c.userid == bindparam("userid"),
    )
    .order_by(remedies.c.due_at.desc())
)
_MOVE = (
    update(remedies)
    .where(remedies.c.request_id == bindparam("wanted"), remedies.c.state == bindparam("old_state"))
    .values(
        state=bindparam("new_state"),
        is_open=bindparam("new_is_open"),
        due_at=bindparam("new_due_at"),
        body=bindparam("new_body"),
    )
)


class Remedies:
    """The remedies within one transaction."""

    __slots__ = ("_connection", "_rarely")

    def __init__(self, connection: Connection, rarely: Rarely) -> None:
        self._connection = connection
        self._rarely = rarely

    def add(self, remedy: Remedy) -> None:
        """Store the request's remedy; it must not have one yet."""
        self._rarely.forget()
        self._connection.execute(_ADD, _columns(remedy))

    def of_request(self, request_id: str) -> Remedy | None:
        """Return the request's remedy."""
        return self._first(_OF_REQUEST, request_id=request_key(request_id))

    def open_for(self, userid: str, external_userid: str) -> Remedy | None:
        """Return the remedy of this relation that is not closed yet."""
        if not self._rarely.any(remedies):
            return None
        return self._first(_OPEN_FOR, userid=user_key(userid), external_userid=external_userid)

    def move(self, old: Remedy, new: Remedy) -> bool:
        """Write `new` over `old`; False if the remedy is no longer in `old.state`."""
        self._rarely.forget()  # it may be open again
        values = {
            "wanted": request_key(old.request_id),
            "old_state": old.state.value,
            "new_state": new.state.value,
            "new_is_open": int(new.state is not RemedyState.CLOSED),
            "new_due_at": new.due_at,
            "new_body": _REMEDY.dump(new),
        }
        return self._connection.execute(_MOVE, values).rowcount == 1

    def _first(self, statement: Select[str], **values: object) -> Remedy | None:
        body = self._connection.execute(statement, values).scalars().first()
        return None if body is None else _REMEDY.load(body)


def _columns(remedy: Remedy) -> dict[str, Any]:
    return {
        "request_id": request_key(remedy.request_id),
        "userid": user_key(remedy.userid),
        "external_userid": remedy.external_userid,
        "state": remedy.state.value,
        "is_open": int(remedy.state is not RemedyState.CLOSED),
        "due_at": remedy.due_at,
        "body": _REMEDY.dump(remedy),
    }
