"""Whom and what events of the directory were about, kept until WeCom has been asked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from storage.tables import directory_news as news

_NEW = insert(news)
_ADD = _NEW.on_conflict_do_update(
    index_elements=[news.c.name],
    set_={"version": news.c.version + 1, "changed_at": _NEW.excluded.changed_at},
)
_ALL = select(news)
_DROP = delete(news).where(
    news.c.name == bindparam("seen"), news.c.version == bindparam("seen_version")
)


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits to be looked at, by name ('user:linmei', 'department:3', 'tag:1'), and since when.

    The numbers grow with every event about the same: what came meanwhile stays.
    """

    versions: Mapping[str, int]
    since: datetime | None = None
    changed_at: datetime | None = None


class News:
    """The news of the directory within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, name: str, now: datetime) -> None:
        """Note that an event was about this."""
        values = {"name": name, "version": 1, "since": now, "changed_at": now}
        self._connection.execute(_ADD, values)

    def waiting(self) -> Waiting:
        """Return what WeCom has not been asked about yet."""
        rows = self._connection.execute(_ALL).all()
        if not rows:
            return Waiting({})
        return Waiting(
            {row.name: row.version for row in rows},
            min(row.since for row in rows),
            max(row.changed_at for row in rows),
        )

    def drop(self, seen: Waiting) -> None:
        """Forget what was looked at, unless another event came about it since."""
        rows = [{"seen": name, "seen_version": v} for name, v in seen.versions.items()]
        if rows:
            self._connection.execute(_DROP, rows)
