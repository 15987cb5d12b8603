"""What changed in the directory since the admins were last told, as it was before.

Kept as values of before: what is told is then the difference to now, so that nothing is told twice
or left out, however many readings there were, and what came and went in between is not told.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, delete, func, select
from sqlalchemy.dialects.postgresql import insert

from storage.moments import Moment
from storage.stored import Stored
from storage.tables import directory_untold as untold
from workflows.directory import Department, Directory, Member

K = TypeVar("K")
T = TypeVar("T")

_MEMBER, _DEPARTMENT = Stored(Member), Stored(Department)
_USER, _UNIT = "user:", "department:"
_NEW = insert(untold)
_NOTE = _NEW.on_conflict_do_update(
    index_elements=[untold.c.name], set_={"changed_at": _NEW.excluded.changed_at}
)
_ALL = select(untold.c.name, untold.c.body)
_SPAN = select(
    func.min(untold.c.since, type_=Moment()), func.max(untold.c.changed_at, type_=Moment())
)


class Untold:
    """The changes that wait to be told, within one transaction. Hold "directory" before."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def note(self, before: Directory, after: Directory, now: datetime) -> None:
        """Keep what differs; what waits already keeps its first value."""
        rows = [
            *((_USER + key, _MEMBER.dump(was) if was else "")
              for key, was in _differing(before.members, after.members)),
            *((f"{_UNIT}{key}", _DEPARTMENT.dump(was) if was else "")
              for key, was in _differing(before.departments, after.departments)),
        ]  # fmt: skip
        if rows:
            values = [{"name": n, "body": b, "since": now, "changed_at": now} for n, b in rows]
            self._connection.execute(_NOTE, values)

    def earlier(self, now: Directory) -> Directory:
        """Return the directory as it was when the admins were last told."""
        members, units = dict(now.members), dict(now.departments)
        for name, body in self._connection.execute(_ALL):
            kind, _, key = name.partition(":")
            if f"{kind}:" == _USER:
                _put(members, key, _MEMBER.load(body) if body else None)
            else:
                _put(units, int(key), _DEPARTMENT.load(body) if body else None)
        return Directory(members, units, now.tag_names)

    def span(self) -> tuple[datetime, datetime] | None:
        """Return when the first and the last change was noted; None if nothing waits."""
        first, last = self._connection.execute(_SPAN).one()
        return None if first is None else (first, last)

    def clear(self) -> None:
        """Forget everything: it has been told."""
        self._connection.execute(delete(untold))


def _differing(before: Mapping[K, T], after: Mapping[K, T]) -> list[tuple[K, T | None]]:
    """Return what is not the same any more, with what it was."""
    return [
        (key, before.get(key))
        for key in dict.fromkeys((*before, *after))
        if before.get(key) != after.get(key)
    ]


def _put(values: dict[K, T], key: K, value: T | None) -> None:
    if value is None:
        values.pop(key, None)
    else:
        values[key] = value
