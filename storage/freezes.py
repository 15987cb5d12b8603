"""Freezes: what is stopped until when, and what the admins concluded afterwards."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, select, update

from storage.moments import request_key
from storage.rarely import Rarely
from storage.stored import Stored
from storage.tables import FREEZE_IS_LIVE, freezes
from workflows.freezing import Freeze

_FREEZE = Stored(Freeze)

_ADD = insert(freezes)
_GET = select(freezes.c.body).where(freezes.c.id == bindparam("wanted"))
_OPEN = select(freezes.c.body).where(FREEZE_IS_LIVE).order_by(freezes.c.until, freezes.c.id)
_CHANGE = (
    update(freezes)
    .where(freezes.c.id == bindparam("wanted"), FREEZE_IS_LIVE)
    .values(is_open=bindparam("new_is_open"), body=bindparam("new_body"))
)


class Freezes:
    """The freezes within one transaction. Ids are found in any case.

    One is closed, and no longer listed, when it has ended and its review has been written.
    """

    __slots__ = ("_connection", "_rarely")

    def __init__(self, connection: Connection, rarely: Rarely) -> None:
        self._connection = connection
        self._rarely = rarely

    def add(self, freeze: Freeze) -> None:
        """Store a new freeze; its id must be new."""
        self._rarely.forget()
        self._connection.execute(_ADD, _columns(freeze))

    def get(self, freeze_id: str) -> Freeze | None:
        """Return the freeze."""
        found = self._list(_GET, wanted=request_key(freeze_id))
        return found[0] if found else None

    def open(self) -> list[Freeze]:
        """Return those that are in force or wait for their review, the soonest to end first."""
        return self._list(_OPEN) if self._rarely.any(freezes) else []

    def change(self, freeze: Freeze) -> bool:
        """Write a freeze as it is now; False if it is closed.

        What it was must have been read after `Transaction.hold` of its name, or a change gets lost.
        """
        values = {
            "wanted": request_key(freeze.id),
            "new_is_open": _is_open(freeze),
            "new_body": _FREEZE.dump(freeze),
        }
        return self._connection.execute(_CHANGE, values).rowcount == 1

    def _list(self, statement: Select[str], **values: object) -> list[Freeze]:
        rows = self._connection.execute(statement, values).scalars()
        return [_FREEZE.load(body) for body in rows]


def _columns(freeze: Freeze) -> dict[str, Any]:
    return {
        "id": request_key(freeze.id),
        "is_open": _is_open(freeze),
        "until": freeze.until,
        "body": _FREEZE.dump(freeze),
    }


def _is_open(freeze: Freeze) -> int:
    return int(freeze.ending is None or not freeze.reviewed_by)
