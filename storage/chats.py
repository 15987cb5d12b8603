"""Customer groups as WeCom last showed them, and the outsiders in them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Connection, Select, bindparam, delete, select

from storage.moments import from_milliseconds, to_milliseconds, user_key
from storage.statements import insert_or_replace
from storage.stored import Stored
from storage.tables import chat_members, chats, versions
from workflows.chats import Chat, Outsider

_CHAT = Stored(Chat)
_OUTSIDER = Stored(Outsider)
_WHOLE = "chats"  # the row that says since when all groups are known

_PUT = insert_or_replace(chats)
_GET = select(chats.c.body).where(chats.c.chat_id == bindparam("wanted"))
_DROP = delete(chats).where(chats.c.chat_id == bindparam("wanted"))
_UNSEEN = (
    select(chats.c.body).where(chats.c.seen_at < bindparam("before")).order_by(chats.c.chat_id)
)
_PUT_OUTSIDER = insert_or_replace(chat_members)
_IN_CHAT = chat_members.c.chat_id == bindparam("wanted")
_IS_THIS = chat_members.c.external_userid == bindparam("external")
_OUTSIDERS = select(chat_members.c.body).where(_IN_CHAT).order_by(chat_members.c.external_userid)
_ONE = _OUTSIDERS.where(_IS_THIS)
_DROP_ALL = delete(chat_members).where(_IN_CHAT)
_DROP_ONE = _DROP_ALL.where(_IS_THIS)
_NAMES = (
    select(chats.c.name)
    .join(chat_members, chat_members.c.chat_id == chats.c.chat_id)
    .where(_IS_THIS)
)
_SINCE = select(versions.c.version).where(versions.c.name == _WHOLE)
_NOTE = insert_or_replace(versions)


class Chats:
    """The customer groups within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, chat_id: str) -> Chat | None:
        """Return the group, None if it was never read."""
        body = self._connection.execute(_GET, {"wanted": chat_id}).scalar_one_or_none()
        return None if body is None else _CHAT.load(body)

    def put(self, chat: Chat) -> None:
        """Store the group over what was known of it."""
        name = chat.name.replace("\x00", "")  # PostgreSQL cannot hold it
        values = {"chat_id": chat.chat_id, "name": name, "owner": user_key(chat.owner)}
        seen = {"seen_at": chat.seen_at, "body": _CHAT.dump(chat)}
        self._connection.execute(_PUT, values | seen)

    def drop(self, chat_id: str) -> None:
        """Forget a group that is no more, with everybody in it."""
        self._connection.execute(_DROP_ALL, {"wanted": chat_id})
        self._connection.execute(_DROP, {"wanted": chat_id})

    def unseen_since(self, moment: datetime) -> list[Chat]:
        """Return the groups whose last reading began before then."""
        rows = self._connection.execute(_UNSEEN, {"before": moment}).scalars()
        return [_CHAT.load(body) for body in rows]

    def outsiders(self, chat_id: str) -> list[Outsider]:
        """Return who from outside is in the group."""
        return self._outsiders(_OUTSIDERS, wanted=chat_id)

    def outsider(self, chat_id: str, external_userid: str) -> Outsider | None:
        """Return one of them."""
        found = self._outsiders(_ONE, wanted=chat_id, external=external_userid)
        return found[0] if found else None

    def put_outsider(self, chat_id: str, outsider: Outsider) -> None:
        """Store somebody in the group over what was known of them there."""
        values = {"external_userid": outsider.external_userid, "chat_id": chat_id}
        self._connection.execute(_PUT_OUTSIDER, values | {"body": _OUTSIDER.dump(outsider)})

    def drop_outsider(self, chat_id: str, external_userid: str) -> None:
        """Note that somebody is not in the group any more."""
        values = {"wanted": chat_id, "external": external_userid}
        self._connection.execute(_DROP_ONE, values)

    def names_with(self, external_userid: str) -> frozenset[str]:
        """Return the names of the groups that somebody is in, as far as groups were read."""
        found = self._connection.execute(_NAMES, {"external": external_userid}).scalars()
        return frozenset(found)

    def whole_since(self) -> datetime | None:
        """Return when the last reading of all groups began; None before the first."""
        found = self._connection.execute(_SINCE).scalar_one_or_none()
        return None if found is None else from_milliseconds(found)

    def note_whole(self, began: datetime) -> None:
        """Note that all groups have been read, beginning then."""
        self._connection.execute(_NOTE, {"name": _WHOLE, "version": to_milliseconds(began)})

    def _outsiders(self, statement: Select[str], **values: object) -> list[Outsider]:
        rows = self._connection.execute(statement, values).scalars()
        return [_OUTSIDER.load(body) for body in rows]
