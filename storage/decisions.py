"""Recorded decisions: of every request what it was judged on, read in pages to be judged again."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, func, select, tuple_

from storage.moments import request_key
from storage.stored import Stored
from storage.tables import requests
from workflows.model import Origin
from workflows.replaying import REPLAYED, Decision

_DECISION = Stored(Decision)
_MILLISECOND = timedelta(milliseconds=1)

_WAS_DECIDED = (
    requests.c.created_at >= bindparam("since"),
    requests.c.created_at < bindparam("until"),
    requests.c.origin != Origin.SYSTEM.value,
    requests.c.action.in_(sorted(REPLAYED)),
)
_COUNT = select(func.count()).select_from(requests).where(*_WAS_DECIDED)
_PAGE = (
    select(requests.c.body)
    .where(*_WAS_DECIDED)
    .order_by(requests.c.created_at.desc(), requests.c.id.desc())
    .limit(bindparam("limit"))
)
_PAGE_BEFORE = _PAGE.where(
    tuple_(requests.c.created_at, requests.c.id)
    < tuple_(bindparam("at", type_=requests.c.created_at.type), bindparam("last"))
)


class Decisions:
    """What was decided for members, within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def page(
        self, since: datetime, until: datetime, limit: int, before: Decision | None = None
    ) -> list[Decision]:
        """Return decisions from `since` to before `until`, the newest first.

        The next page has what is before the last one of this page.
        """
        values: dict[str, object] = {"since": since, "until": until, "limit": limit}
        if before is not None:
            at = before.created_at
            values |= {"at": at, "last": request_key(before.id)}
            values["until"] = at + _MILLISECOND  # else the newer ones are looked at once more
        statement = _PAGE if before is None else _PAGE_BEFORE
        bodies = self._connection.execute(statement, values).scalars()
        return [_DECISION.load(body) for body in bodies]

    def count(self, since: datetime, until: datetime) -> int:
        """Return how many decisions there are from `since` to before `until`."""
        values = {"since": since, "until": until}
        return int(self._connection.execute(_COUNT, values).scalar_one())
