"""Customer groups and who is in them (docs 92120, 92122, 92130)."""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from bot.simulator.errors import ImpossibleError
from bot.simulator.events import Event
from bot.simulator.people import People
from bot.simulator.records import LEFT, GroupChat, GroupMember, Member

MEMBER, OUTSIDE = 1, 2
INVITED, JOINED_BY_CODE = 1, 3  # join_scene of document 92122
MOST = 500  # people in one customer group
INHERITING, INHERITED = 2, 3  # status of document 92120
DAY = 86400
INHERITED_A_DAY = 300  # groups of one person
TOO_MANY = 45009  # WeCom's page names no code for the limit of a day
_INHERITED = {INHERITING: 90507, INHERITED: 90508}


class Groups(People):
    """Groups of members and customers; changed by people only, no API can.

    `group_lag` is for how many seconds the API goes on showing a group as it was before a change
    that has been told of (document 92130).
    """

    group_lag = 0.0

    def create_group(
        self, owner: str, name: str, others: Iterable[str] = ()
    ) -> tuple[GroupChat, Event | None]:
        """A member founds a customer group, with these people in it from the beginning."""
        member = self.working(owner)
        chat_id = self.fresh("wr", 28)
        founder = GroupMember(member.userid, MEMBER, self.now())
        group = GroupChat(chat_id, name, member.userid, self.now(), [founder], _version())
        group.members += [self._newcomer(group, who, member.userid) for who in others]
        self.state.groups[chat_id] = group
        return group, self._tell_group(group, "create", {})

    def join_group(
        self, chat_id: str, who: str | Sequence[str], *, by_code: bool = False, by: str = ""
    ) -> Event | None:
        """Members or customers come into a group by its QR code, or invited by somebody in it."""
        group = self._group(chat_id)
        inviter = "" if by_code else by or group.owner
        if inviter and all(one.userid != inviter for one in group.members):
            raise ImpossibleError(f"{inviter} is not in the group")
        names = [who] if isinstance(who, str) else list(who)
        newcomers = [self._newcomer(group, name, inviter) for name in names]
        if len(group.members) + len(newcomers) > MOST:
            raise ImpossibleError("the group is full")
        self._about_to_change(group)
        group.members += newcomers
        more = {"JoinScene": JOINED_BY_CODE if by_code else 0}
        return self._tell_change(group, "add_member", [one.userid for one in newcomers], more)

    def leave_group(self, chat_id: str, who: str, *, removed: bool = False) -> Event | None:
        """Somebody leaves a group or is removed by its owner."""
        group = self._group(chat_id)
        left = [one for one in group.members if one.userid != who]
        if len(left) == len(group.members):
            raise ImpossibleError(f"{who} is not in the group")
        self._about_to_change(group)
        group.members = left
        return self._tell_change(group, "del_member", [who], {"QuitScene": int(removed)})

    def rename_group(self, chat_id: str, name: str) -> Event | None:
        """Somebody gives the group another name."""
        group = self._group(chat_id)
        group.name = name
        return self._tell_group(group, "update", {"UpdateDetail": "change_name"})

    def hand_group_over(self, chat_id: str, owner: str) -> Event | None:
        """The owner makes another member of the group its owner."""
        group = self._group(chat_id)
        if all((one.userid, one.type) != (owner, MEMBER) for one in group.members):
            raise ImpossibleError(f"{owner} is no colleague in the group")
        group.owner = owner
        return self._tell_group(group, "update", {"UpdateDetail": "change_owner"})

    def dismiss_group(self, chat_id: str) -> Event | None:
        """The owner dissolves a group."""
        group = self._group(chat_id)
        del self.state.groups[chat_id]
        return self._tell_group(group, "dismiss", {})

    def inherit_code(self, chat_id: str) -> int:
        """Why the group cannot be inherited now, as an errcode; 0 if it can (doc 92127)."""
        self.settle_groups()
        group = self.state.groups.get(chat_id)
        if group is None:
            return 40050
        if group.status in _INHERITED:
            return _INHERITED[group.status]
        if self.member(group.owner).status != LEFT:
            return 90500
        key, since = group.owner.lower(), self.now() - DAY
        today = sum(who == key and at > since for who, at in self.state.inherited_groups)
        return TOO_MANY if today >= INHERITED_A_DAY else 0

    def inherit_group(self, chat_id: str, heir: Member) -> None:
        """Have a group go to another owner; WeCom names no time, here it takes as for customers."""
        group = self._group(chat_id)
        group.status, group.heir = INHERITING, heir.userid
        group.inherited_at = self.now() + DAY
        self.state.inherited_groups.append((group.owner.lower(), self.now()))

    def settle_groups(self) -> None:
        """Give groups to their new owners whose time has come."""
        for group in self.state.groups.values():
            if group.status == INHERITING and group.inherited_at <= self.now():
                self._inherit(group)

    def _inherit(self, group: GroupChat) -> None:
        group.status, group.owner = INHERITED, group.heir
        if all(one.userid != group.heir for one in group.members):
            group.members.append(GroupMember(group.heir, MEMBER, self.now()))
        self._tell_group(group, "update", {"UpdateDetail": "change_owner"})

    def shown_in_group(self, group: GroupChat) -> tuple[list[GroupMember], str]:
        """The members and the version that the API shows: those of before for a moment."""
        if group.former is not None and self.now() < group.settles_at:
            return group.former
        return group.members, group.member_version

    def _newcomer(self, group: GroupChat, who: str, inviter: str) -> GroupMember:
        outside = who in self.state.customers
        name = who if outside else self.member(who).userid
        if any(one.userid == name for one in group.members):
            raise ImpossibleError(f"{name} is in the group already")
        scene = INVITED if inviter else JOINED_BY_CODE
        # `invitor` is given only if an internal member invited (document 92122).
        invitor = inviter if inviter and self.find_member(inviter) else ""
        return GroupMember(name, OUTSIDE if outside else MEMBER, self.now(), scene, invitor)

    def _group(self, chat_id: str) -> GroupChat:
        if chat_id not in self.state.groups:
            raise ImpossibleError(f"no group {chat_id}")
        return self.state.groups[chat_id]

    def _about_to_change(self, group: GroupChat) -> None:
        group.former = list(group.members), group.member_version
        group.settles_at = self.now() + self.group_lag

    def _tell_change(
        self, group: GroupChat, detail: str, who: Sequence[str], scene: Mapping[str, int]
    ) -> Event | None:
        before, group.member_version = group.member_version, _version()
        more = {
            "UpdateDetail": detail,
            **scene,
            "MemChangeCnt": len(who),
            "MemChangeList": {"Item": list(who)},
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
