"""Temporary permissions: what was lent to whom, until when."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, select, update

from storage.moments import request_key, user_key
from storage.rarely import Rarely
from storage.stored import Stored
from storage.tables import GRANT_IS_LIVE, grants
from workflows.grants import Grant

_GRANT = Stored(Grant)

_ADD = insert(grants)
_GET = select(grants.c.body).where(grants.c.id == bindparam("wanted"))
_OF = (
    select(grants.c.body)
    .where(GRANT_IS_LIVE, grants.c.userid == bindparam("userid"))
    .order_by(grants.c.expires_at, grants.c.id)
)
_FOR = _OF.where(grants.c.action == bindparam("action"))
_CHANGE = (
    update(grants)
    .where(grants.c.id == bindparam("wanted"), GRANT_IS_LIVE)
    .values(is_open=bindparam("new_is_open"), body=bindparam("new_body"))
)
_ENDED_FOR = select(grants.c.body).where(
    grants.c.userid == bindparam("userid"),
    grants.c.action == bindparam("action"),
    grants.c.is_open == 0,
    grants.c.expires_at > bindparam("after"),
)
_REOPEN = (
    update(grants)
    .where(grants.c.id == bindparam("wanted"), grants.c.is_open == 0)
    .values(is_open=1, body=bindparam("new_body"))
)


class Grants:
    """The grants within one transaction. Ids are found in any case.

    Lists hold those that have not ended, the soonest to end first; their time may be over, though.
    """

    __slots__ = ("_connection", "_rarely")

    def __init__(self, connection: Connection, rarely: Rarely) -> None:
        self._connection = connection
        self._rarely = rarely

    def add(self, grant: Grant) -> None:
        """Store a new grant; its id must be new."""
        self._rarely.forget()
        self._connection.execute(_ADD, _columns(grant))

    def get(self, grant_id: str) -> Grant | None:
        """Return the grant."""
        found = self._list(_GET, wanted=request_key(grant_id))
        return found[0] if found else None

    def change(self, grant: Grant) -> bool:
        """Write a grant as it is now; False if it has ended before."""
        values = {
            "wanted": request_key(grant.id),
            "new_is_open": int(grant.ended_because is None),
            "new_body": _GRANT.dump(grant),
        }
        return self._connection.execute(_CHANGE, values).rowcount == 1

    def ended_early(self, userid: str, action: str, now: datetime) -> list[Grant]:
        """Return what lent this member one action, has ended, and would not have by itself."""
        return self._list(_ENDED_FOR, userid=user_key(userid), action=action, after=now)

    def reopen(self, grant: Grant) -> bool:
        """Write a grant that counts again; False if it has not ended."""
        self._rarely.forget()
        values = {"wanted": request_key(grant.id), "new_body": _GRANT.dump(grant)}
        return self._connection.execute(_REOPEN, values).rowcount == 1

    def of_member(self, userid: str) -> list[Grant]:
        """Return what is lent to this member."""
        return self._list(_OF, userid=user_key(userid)) if self._rarely.any(grants) else []

    def for_action(self, userid: str, action: str) -> list[Grant]:
        """Return what lends this member one action."""
        return self._list(_FOR, userid=user_key(userid), action=action)

    def _list(self, statement: Select[str], **values: object) -> list[Grant]:
        rows = self._connection.execute(statement, values).scalars()
        return [_GRANT.load(body) for body in rows]


def _columns(grant: Grant) -> dict[str, Any]:
    return {
        "id": request_key(grant.id),
        "userid": user_key(grant.userid),
        "action": grant.action,
        "is_open": int(grant.ended_because is None),
        "expires_at": grant.until,
        "body": _GRANT.dump(grant),
    }
