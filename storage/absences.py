"""Who is away, and whom they have named to decide meanwhile: one absence per person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select

from storage.moments import user_key
from storage.rarely import Rarely
from storage.statements import insert_or_replace
from storage.stored import Stored
from storage.tables import absences
from workflows.absences import Absence

_ABSENCE = Stored(Absence)

_PUT = insert_or_replace(absences)
_GET = select(absences.c.body).where(absences.c.userid == bindparam("wanted"))
_DROP = delete(absences).where(absences.c.userid == bindparam("wanted"))
_IN_FORCE = (
    select(absences.c.body).where(absences.c.until > bindparam("now")).order_by(absences.c.userid)
)


class Absences:
    """The absences within one transaction."""

    __slots__ = ("_connection", "_rarely")

    def __init__(self, connection: Connection, rarely: Rarely) -> None:
        self._connection = connection
        self._rarely = rarely

    def put(self, absence: Absence) -> None:
        """Store a person's absence in place of any other of theirs."""
        values = {
            "userid": user_key(absence.person.userid),
            "until": absence.until,
            "body": _ABSENCE.dump(absence),
        }
        self._rarely.forget()
        self._connection.execute(_PUT, values)

    def get(self, userid: str) -> Absence | None:
        """Return the person's absence, over or not."""
        body = self._connection.execute(_GET, {"wanted": user_key(userid)}).scalar_one_or_none()
        return None if body is None else _ABSENCE.load(body)

    def drop(self, userid: str) -> bool:
        """Forget the person's absence; False if there was none."""
        return self._connection.execute(_DROP, {"wanted": user_key(userid)}).rowcount == 1

    def in_force(self, now: datetime) -> list[Absence]:
        """Return everybody's absence that is not over."""
        if not self._rarely.any(absences):
            return []
        rows = self._connection.execute(_IN_FORCE, {"now": now}).scalars()
        return [_ABSENCE.load(body) for body in rows]
