"""The company's directory as WeCom last described it."""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import Connection, bindparam, delete, insert, select

from storage import renaming
from storage.console_lists import TAGS, ConsoleLists
from storage.moments import user_key
from storage.statements import add_to, insert_or_replace
from storage.stored import Stored
from storage.tables import departments, members, versions
from workflows.directory import Department, Directory, Member

_MEMBER = Stored(Member)
_DEPARTMENT = Stored(Department)
_NAME = "directory"

_VERSION = select(versions.c.version).where(versions.c.name == _NAME)
_GROW = add_to(versions, versions.c.version)
_PUT_MEMBER = insert_or_replace(members)
_DROP_MEMBER = delete(members).where(members.c.userid == bindparam("wanted"))


class People:
    """The directory within one transaction. `forget` lets go of relations that were read."""

    __slots__ = ("_connection", "_forget")

    def __init__(self, connection: Connection, forget: Callable[[], None]) -> None:
        self._connection = connection
        self._forget = forget

    def directory(self) -> Directory:
        """Return the whole company."""
        found = self._connection.execute(select(members.c.body)).scalars()
        units = self._connection.execute(select(departments.c.body)).scalars()
        tags = ConsoleLists(self._connection).get(TAGS) or ()
        return Directory.of(map(_MEMBER.load, found), map(_DEPARTMENT.load, units), tags)

    def version(self) -> int:
        """Return a number that grows with every change; 0 before the first."""
        return self._connection.execute(_VERSION).scalar_one_or_none() or 0

    def replace(self, directory: Directory) -> None:
        """Forget the old directory and store this one."""
        self._grow()
        ConsoleLists(self._connection).put(TAGS, directory.tag_names)
        self._connection.execute(delete(members))
        people = [_columns(member) for member in directory.members.values()]
        if people:
            self._connection.execute(insert(members), people)
        self._put_departments(directory)

    def change(self, before: Directory, after: Directory) -> None:
        """Store `after` where `before` is stored: only what differs is written."""
        self._grow()
        ConsoleLists(self._connection).put(TAGS, after.tag_names)
        gone = [{"wanted": key} for key in before.members if key not in after.members]
        put = [_columns(m) for key, m in after.members.items() if before.members.get(key) != m]
        if gone:
            self._connection.execute(_DROP_MEMBER, gone)
        if put:
            self._connection.execute(_PUT_MEMBER, put)
        if before.departments != after.departments:
            self._put_departments(after)

    def _put_departments(self, directory: Directory) -> None:
        self._connection.execute(delete(departments))
        units = [{"id": d.id, "body": _DEPARTMENT.dump(d)} for d in directory.departments.values()]
        if units:
            self._connection.execute(insert(departments), units)

    def put_member(self, member: Member) -> None:
        """Store a new or changed member."""
        self._grow()
        self._connection.execute(_PUT_MEMBER, _columns(member))

    def rename(self, old: str, new: Member) -> None:
        """Store a member under another userid, with everything that was theirs; it may take long.

        `new` must not be known yet.
        """
        self._forget()
        renaming.rename(self._connection, old, new.userid)
        self.drop_member(old)
        self.put_member(new)

    def drop_member(self, userid: str) -> None:
        """Forget a member who was removed."""
        self._grow()
        self._connection.execute(_DROP_MEMBER, {"wanted": user_key(userid)})

    def _grow(self) -> None:
        """Also makes two writers of the directory wait for each other: it comes first."""
        self._connection.execute(_GROW, {"name": _NAME, "version": 1})


def _columns(member: Member) -> dict[str, str]:
    return {"userid": user_key(member.userid), "body": _MEMBER.dump(member)}
