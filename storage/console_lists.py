"""Lists in WeCom's console of whose changes no event tells, as they were read last."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, bindparam, delete, insert, select

from storage.tables import console_lists

TAGS = "directory_tags"  # the list of all that exist
_READ = ""  # an item of this name says that the list was read, be it empty
_GET = select(console_lists.c.item).where(console_lists.c.list == bindparam("wanted"))
_ADD = insert(console_lists)
_DROP = delete(console_lists).where(
    console_lists.c.list == bindparam("wanted"), console_lists.c.item == bindparam("gone")
)


class ConsoleLists:
    """The lists within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, name: str) -> frozenset[str] | None:
        """Return what is on a list; None if it was never read."""
        found = frozenset(self._connection.execute(_GET, {"wanted": name}).scalars())
        return found - {_READ} if _READ in found else None

    def put(self, name: str, items: Iterable[str]) -> None:
        """Store what is on a list now."""
        old = frozenset(self._connection.execute(_GET, {"wanted": name}).scalars())
        new = frozenset(items) | {_READ}
        if gone := [{"wanted": name, "gone": each} for each in sorted(old - new)]:
            self._connection.execute(_DROP, gone)
        if come := [{"list": name, "item": each} for each in sorted(new - old)]:
            self._connection.execute(_ADD, come)
