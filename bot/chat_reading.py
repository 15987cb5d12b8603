"""Reads customer groups from WeCom: the one an event is about, and now and then all of them.

Events of groups may be lost or come late (document 92130), so they only say where to look.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.actions import chat_mirror, joining, removing
from bot.actions.joining import ChatLook
from bot.actions.scene import Scene
from bot.company import Company
from bot.events import ChatChange, ChatChanged
from bot.wecom import ExternalContact, GroupChat, GroupMember, Kind, Wecom, WecomError
from bot.worker import Ignore, Postpone, Step
from storage.database import Database
from storage.transaction import Transaction
from workflows.chats import Chat, News, Outsider

READ_ON = "read_chats"
_SETTLES = timedelta(seconds=2)  # until WeCom shows what it has told of (document 92130)
_SETTLES_AT_LAST = timedelta(minutes=1)
_EVERY = timedelta(hours=20)  # all groups are read again, whatever events say
_PAGE = 10  # groups written in one transaction
_OWNERS = 100  # members in one call (document 92120)
_OUTSIDE, _BY_CODE = 2, 3  # document 92122

Contact = Callable[[str], Awaitable[ExternalContact | None]]
Know = Callable[[str, datetime], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class ChatReader:
    """Asks WeCom about groups and returns what to write."""

    db: Database
    wecom: Wecom
    company: Company
    contact: Contact  # how a customer is looked up
    know: Know  # makes sure that a member is in the directory, if there is one

    async def changed(self, event: ChatChanged, told_at: datetime) -> Step:
        """Look at the group of an event."""
        if not chat_mirror.is_wanted(self.company.standing.policy):
            return lambda tx: self._note(tx, event)
        if event.change is ChatChange.DISMISS:
            return lambda tx: joining.dissolved(self._scene(tx, "wecom:event"), event.chat_id)
        age = self.company.now() - told_at
        if age < _SETTLES:
            raise Postpone(_SETTLES - age)
        everybody = event.change is ChatChange.CREATE
        look = await self._look(event.chat_id, told_at, event.members, everybody=everybody)
        if look is None:
            return lambda tx: self._note(tx, event)
        was, now = event.last_version, event.current_version
        if was and look.chat.version == was != now and age < _SETTLES_AT_LAST:
            raise Postpone(_SETTLES)
        return lambda tx: joining.changed(self._scene(tx, "wecom:event"), look)

    async def look(self, name: str, told_at: datetime) -> Step:
        """Look at a group once more, for newcomers who were too many at once."""
        look = await self._look(name.partition("|")[0], told_at)
        if look is None:
            raise Ignore("WeCom does not show the group any more")
        return lambda tx: joining.changed(self._scene(tx), look)

    async def check(self, name: str, told_at: datetime) -> Step:
        """Look whether somebody has left who was to be removed."""
        chat_id, _, external = name.partition("|")
        look = await self._look(chat_id, told_at)
        if look is None:
            return lambda tx: removing.overdue(self._scene(tx), chat_id, external, News.NOT_SEEN)

        def step(tx: Transaction) -> None:
            joining.changed(self._scene(tx), look)
            removing.overdue(self._scene(tx), chat_id, external, News.STILL_THERE)

        return step

    async def begin(self) -> Step:
        """Begin to read all groups if the rules want to know of them and it is time."""
        since = await self.db.read(lambda tx: tx.chats.whole_since())
        now = self.company.now()
        if not chat_mirror.is_wanted(self.company.standing.policy):
            raise Ignore("no rule is about groups")
        if since is not None and now - since < _EVERY:
            raise Ignore("all groups were read lately")
        return lambda tx: self._scene(tx).remind(READ_ON, f"{now.isoformat()}|", now)

    async def read_on(self, name: str) -> Step:
        """Read some groups after the one named, and have the clock do the rest."""
        began, _, after = name.partition("|")
        page = [each for each in await self._all() if each > after][:_PAGE]
        since = datetime.fromisoformat(began)
        looks = [look for each in page if (look := await self._look(each, since))]

        def step(tx: Transaction) -> None:
            scene = self._scene(tx)
            for look in looks:
                joining.changed(scene, look)
            if len(page) == _PAGE:
                scene.remind(READ_ON, f"{began}|{page[-1]}", scene.now)
            else:
                _all_read(scene, since)

        return step

    async def _all(self) -> list[str]:
        """Return the ids of all groups of members who may have customers."""
        owners = sorted(await self.wecom.follow_users())
        found: set[str] = set()
        for start in range(0, len(owners), _OWNERS):
            found |= {*await self.wecom.group_chats(owners[start : start + _OWNERS])}
        return sorted(found)

    async def _group(self, chat_id: str) -> GroupChat | None:
        """Return the group as WeCom shows it; None if it shows none of that id."""
        try:
            return await self.wecom.group_chat(chat_id)
        except WecomError as error:
            if error.kind is Kind.PERMANENT:
                return None
            raise

    async def _look(
        self,
        chat_id: str,
        told_at: datetime,
        told: Collection[str] = (),
        *,
        everybody: bool = False,
    ) -> ChatLook | None:
        """Return a group with what WeCom knows of those in it who have to be judged; None if WeCom
        shows no such group.
        """
        began = self.company.now()
        group = await self._group(chat_id)
        if group is None:
            return None
        chat = Chat(group.chat_id, group.name, group.owner, group.member_version, began)
        outsiders = tuple(_outsider(m) for m in group.member_list if m.type == _OUTSIDE)
        told = [each.external_userid for each in outsiders] if everybody else told
        old, before, since = await self.db.read(
            lambda tx: (
                tx.chats.get(chat.chat_id),
                tx.chats.outsiders(chat.chat_id),
                tx.chats.whole_since(),
            )
        )
        new = joining.fresh(old, before, outsiders, told, since)
        if not chat_mirror.judges_joins(self.company.standing.policy):
            new = ()
        for userid in {chat.owner, *(each.invited_by for each in new)} - {""} if new else ():
            await self.know(userid, told_at)  # who answers for it must not be judged as nobody
        names = [each.external_userid for each in new[: joining.AT_ONCE]]
        found = await asyncio.gather(*map(self.contact, names))
        return ChatLook(chat, outsiders, told, dict(zip(names, found, strict=True)))

    def _note(self, tx: Transaction, event: ChatChanged) -> None:
        self._scene(tx, "wecom:event").record("chat.changed", change=event.change.value)

    def _scene(self, tx: Transaction, actor: str = "system:timer") -> Scene:
        return self.company.scene(tx, actor)


def _outsider(member: GroupMember) -> Outsider:
    joined = datetime.fromtimestamp(member.join_time, UTC) if member.join_time else None
    by_code = member.join_scene == _BY_CODE
    return Outsider(member.userid, member.name, joined, member.invitor.userid, by_code)


def _all_read(scene: Scene, began: datetime) -> None:
    """Note that all groups are known, and forget those that WeCom does not show any more."""
    for chat in scene.tx.chats.unseen_since(began):
        joining.vanished(scene, chat.chat_id)
    scene.tx.chats.note_whole(began)
    scene.record("chat.all_read", began=began.isoformat())
