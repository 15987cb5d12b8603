"""What somebody has begun to say in chat: one unfinished thing per person, for a while."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select

from storage.moments import user_key
from storage.statements import insert_or_replace
from storage.tables import drafts


@dataclass(frozen=True, slots=True)
class Draft:
    """`kind` says what is being asked for; `body` is what is known so far."""

    kind: str
    body: str


_GET = select(drafts.c.kind, drafts.c.body).where(
    drafts.c.userid == bindparam("wanted"), drafts.c.expires_at > bindparam("now")
)
_PUT = insert_or_replace(drafts)
_DROP = delete(drafts).where(drafts.c.userid == bindparam("wanted"))
_PRUNE = delete(drafts).where(drafts.c.expires_at <= bindparam("now"))


class Drafts:
    """The drafts within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, userid: str, now: datetime) -> Draft | None:
        """Return the person's draft, unless it is too old."""
        row = self._connection.execute(_GET, {"wanted": user_key(userid), "now": now}).first()
        return None if row is None else Draft(row.kind, row.body)

    def put(self, userid: str, kind: str, body: str, expires_at: datetime) -> None:
        """Store the person's draft in place of any other."""
        values = {"kind": kind, "body": body, "expires_at": expires_at}
        self._connection.execute(_PUT, values | {"userid": user_key(userid)})

    def drop(self, userid: str) -> None:
        """Forget the person's draft."""
        self._connection.execute(_DROP, {"wanted": user_key(userid)})

    def prune(self, now: datetime) -> int:
        """Forget what was begun and never ended."""
        return self._connection.execute(_PRUNE, {"now": now}).rowcount
