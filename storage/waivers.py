"""Standing approvals: what approvers have approved in advance."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, select, update

from storage.moments import request_key, user_key
from storage.rarely import Rarely
from storage.stored import Stored
from storage.tables import WAIVER_IS_LIVE, waivers
from workflows.waivers import Waiver

_WAIVER = Stored(Waiver)

_ADD = insert(waivers)
_GET = select(waivers.c.body).where(waivers.c.id == bindparam("wanted"))
_OPEN = select(waivers.c.body).where(WAIVER_IS_LIVE).order_by(waivers.c.expires_at, waivers.c.id)
_OF_REQUESTER = _OPEN.where(waivers.c.requester == bindparam("userid"))
_FOR = _OF_REQUESTER.where(waivers.c.action == bindparam("action"))
_OF_APPROVER = _OPEN.where(waivers.c.approver == bindparam("userid"))
_IN_FORCE = _OPEN.limit(bindparam("limit"))
_CHANGE = (
    update(waivers)
    .where(waivers.c.id == bindparam("wanted"), WAIVER_IS_LIVE)
    .values(is_open=bindparam("new_is_open"), body=bindparam("new_body"))
)


class Waivers:
    """The waivers within one transaction. Ids are found in any case.

    Lists hold those that have not ended, the soonest to end first; their time may be over, though.
    """

    __slots__ = ("_connection", "_rarely")

    def __init__(self, connection: Connection, rarely: Rarely) -> None:
        self._connection = connection
        self._rarely = rarely

    def add(self, waiver: Waiver) -> None:
        """Store a new waiver; its id must be new."""
        self._rarely.forget()
        self._connection.execute(_ADD, _columns(waiver))

    def get(self, waiver_id: str) -> Waiver | None:
        """Return the waiver."""
        found = self._list(_GET, wanted=request_key(waiver_id))
        return found[0] if found else None

    def change(self, waiver: Waiver) -> bool:
        """Write a waiver as it is now; False if it has ended before.

        What it was must have been read after `Transaction.hold` of its name, or uses get lost.
        """
        values = {
            "wanted": request_key(waiver.id),
            "new_is_open": int(waiver.ending is None),
            "new_body": _WAIVER.dump(waiver),
        }
        return self._connection.execute(_CHANGE, values).rowcount == 1

    def open_for(self, requester: str, action: str) -> list[Waiver]:
        """Return what may answer for approvers of this person's requests for an action."""
        if not self._rarely.any(waivers):
            return []
        return self._list(_FOR, userid=user_key(requester), action=action)

    def enjoyed_by(self, userid: str) -> list[Waiver]:
        """Return those that are for this person's requests."""
        return self._list(_OF_REQUESTER, userid=user_key(userid))

    def given_by(self, userid: str) -> list[Waiver]:
        """Return those that this person has given."""
        return self._list(_OF_APPROVER, userid=user_key(userid))

    def in_force(self, limit: int) -> list[Waiver]:
        """Return everybody's."""
        return self._list(_IN_FORCE, limit=limit)

    def _list(self, statement: Select[str], **values: object) -> list[Waiver]:
        rows = self._connection.execute(statement, values).scalars()
        return [_WAIVER.load(body) for body in rows]


def _columns(waiver: Waiver) -> dict[str, Any]:
    return {
        "id": request_key(waiver.id),
        "requester": user_key(waiver.requester.userid),
        "action": waiver.case.action,
        "approver": user_key(waiver.approver.userid),
        "is_open": int(waiver.ending is None),
        "expires_at": waiver.expires_at,
        "body": _WAIVER.dump(waiver),
    }
