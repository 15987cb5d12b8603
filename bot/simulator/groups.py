"""Customer groups and who is in them (docs 92120, 92122, 92130)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Any

from bot.simulator.errors import ImpossibleError
from bot.simulator.events import Event
from bot.simulator.people import People
from bot.simulator.records import GroupChat, GroupMember

MEMBER, OUTSIDE = 1, 2
JOINED_BY_CODE = 3


class Groups(People):
    """Groups of members and customers; changed by people only, no API can."""

    def create_group(self, owner: str, name: str) -> tuple[GroupChat, Event | None]:
        """A member founds a customer group."""
        member = self.working(owner)
        chat_id = self.fresh("wr", 28)
        founder = GroupMember(member.userid, MEMBER, self.now())
        group = GroupChat(chat_id, name, member.userid, self.now(), [founder], _version())
        self.state.groups[chat_id] = group
        return group, self._tell_group(group, "create", {})

    def join_group(self, chat_id: str, who: str, *, by_code: bool = False) -> Event | None:
        """A member or a customer comes into a group, invited or by its QR code."""
        group = self._group(chat_id)
        outside = who in self.state.customers
        name = who if outside else self.member(who).userid
        if any(one.userid == name for one in group.members):
            raise ImpossibleError(f"{name} is in the group already")
        scene = JOINED_BY_CODE if by_code else 1
        invitor = "" if by_code else group.owner
        newcomer = GroupMember(name, OUTSIDE if outside else MEMBER, self.now(), scene, invitor)
        group.members.append(newcomer)
        more = {"JoinScene": JOINED_BY_CODE if by_code else 0}
        return self._tell_change(group, "add_member", name, more)

    def leave_group(self, chat_id: str, who: str, *, removed: bool = False) -> Event | None:
        """Somebody leaves a group or is removed by its owner."""
        group = self._group(chat_id)
        left = [one for one in group.members if one.userid != who]
        if len(left) == len(group.members):
            raise ImpossibleError(f"{who} is not in the group")
        group.members = left
        return self._tell_change(group, "del_member", who, {"QuitScene": int(removed)})

    def dismiss_group(self, chat_id: str) -> Event | None:
        """The owner dissolves a group."""
        group = self._group(chat_id)
        del self.state.groups[chat_id]
        return self._tell_group(group, "dismiss", {})

    def _group(self, chat_id: str) -> GroupChat:
        if chat_id not in self.state.groups:
            raise ImpossibleError(f"no group {chat_id}")
        return self.state.groups[chat_id]

    def _tell_change(
        self, group: GroupChat, detail: str, who: str, scene: Mapping[str, int]
    ) -> Event | None:
        before, group.member_version = group.member_version, _version()
        more = {
            "UpdateDetail": detail,
            **scene,
            "MemChangeCnt": 1,
            "MemChangeList": {"Item": [who]},
            "LastMemVer": before,
            "CurMemVer": group.member_version,
        }
        return self._tell_group(group, "update", more)

    def _tell_group(self, group: GroupChat, change: str, more: Mapping[str, Any]) -> Event | None:
        if not self.reports(self.member(group.owner)):
            return None
        return self.tell_sys("change_external_chat", change, {"ChatId": group.chat_id, **more})


def _version() -> str:
    return secrets.token_hex(16)
