"""Calls about customers: who follows whom, remarks, corp tags, contact ways, groups."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from pydantic import model_validator

from bot.wecom import codes, errors, limits
from bot.wecom.answers import (
    ContactWay,
    CorpTag,
    ExternalContact,
    FollowedPage,
    FollowUser,
    GroupChat,
    Lists,
    Reply,
    TagGroup,
    read,
)
from bot.wecom.caller import Caller
from bot.wecom.errors import WecomError
from bot.wecom.limits import at_most

AT = "externalcontact"


class _ContactPage(Reply):
    external_contact: dict[str, object] = {}  # noqa: RUF012 - pydantic copies it
    follow_user: tuple[FollowUser, ...] = ()


class _Followed(ExternalContact):
    @model_validator(mode="before")
    @classmethod
    def _in_one(cls, value: Any) -> Any:
        """Put the one follower where the other calls have them all, before anything is read."""
        contact = value.get("external_contact") if isinstance(value, dict) else None
        if not isinstance(contact, dict):
            return value
        return {**contact, "follow_user": [value.get("follow_info")]}


class _BatchReply(Reply):
    external_contact_list: tuple[_Followed, ...] = ()
    next_cursor: str = ""


class Contacts(Caller):
    """Customers of the members whom the app sees. Needs the app under 可调用接口的应用."""

    async def follow_users(self) -> tuple[str, ...]:
        """Return the visible members who may use customer contact (document 92571)."""
        path = f"{AT}/get_follow_user_list"
        return read(Lists, path, await self._get(path)).follow_user

    async def external_contact(self, external_userid: str) -> ExternalContact:
        """Return the customer with all visible followers; 84061 or 40096 if there are none."""
        path = f"{AT}/get"
        answers = await self._pages(
            path, lambda at: self._get(path, external_userid=external_userid, cursor=at)
        )
        pages = [read(_ContactPage, path, answer) for answer in answers]
        contact = read(ExternalContact, path, pages[0].external_contact)
        followers = tuple(each for page in pages for each in page.follow_user)
        return contact.model_copy(update={"follow_user": followers})

    async def external_contact_list(self, userid: str) -> tuple[str, ...]:
        """Return the member's customers, none if WeCom says 84061, as it does for no customers."""
        path = f"{AT}/list"
        try:
            answer = await self._get(path, userid=userid)
        except WecomError as refused:
            if refused.code == codes.NO_RELATION:
                return ()
            raise
        return read(Lists, path, answer).external_userid

    async def batch_by_user(self, userids: Sequence[str], cursor: str = "") -> FollowedPage:
        """Return one page of the customers of at most 100 members (document 92994)."""
        at_most(userids)
        path = f"{AT}/batch/get_by_user"
        body = {"userid_list": list(userids), "cursor": cursor, "limit": 100}
        page = read(_BatchReply, path, await self._post(path, body))
        return FollowedPage(contacts=page.external_contact_list, next_cursor=page.next_cursor)

    async def remark(
        self,
        userid: str,
        external_userid: str,
        *,
        remark: str | None = None,
        description: str | None = None,
        mobiles: Sequence[str] | None = None,
    ) -> None:
        """Set the fields given; None leaves one alone, no mobiles clears them (document 92115).

        The remark is cut to 20 characters, the description to 150.
        """
        fields: dict[str, object] = {}
        if remark is not None:
            fields["remark"] = limits.cut_characters(remark, limits.REMARK_CHARACTERS)
        if description is not None:
            most = limits.REMARK_DESCRIPTION_CHARACTERS
            fields["description"] = limits.cut_characters(description, most)
        if mobiles is not None:
            fields["remark_mobiles"] = list(mobiles) or [""]
        if fields:
            body = {"userid": userid, "external_userid": external_userid, **fields}
            await self._post(f"{AT}/remark", body)

    async def mark_tag(
        self,
        userid: str,
        external_userid: str,
        *,
        add: Sequence[str] = (),
        remove: Sequence[str] = (),
    ) -> None:
        """Put and take off corp tags by id; with neither, nothing is asked (document 92118)."""
        body: dict[str, object] = {"userid": userid, "external_userid": external_userid}
        body |= {"add_tag": list(add)} if add else {}
        body |= {"remove_tag": list(remove)} if remove else {}
        if add or remove:
            await self._post(f"{AT}/mark_tag", body)

    async def corp_tags(self) -> tuple[TagGroup, ...]:
        """Return the corp tags by group, without deleted ones (document 92117)."""
        path = f"{AT}/get_corp_tag_list"
        groups = read(Lists, path, await self._post(path, {})).tag_group
        return tuple(
            group.model_copy(update={"tag": tuple(tag for tag in group.tag if not tag.deleted)})
            for group in groups
            if not group.deleted
        )

    async def add_corp_tag(self, group_name: str, tag_name: str) -> str:
        """Return the id of a new corp tag, or of the one that has this name already."""
        path = f"{AT}/add_corp_tag"
        group = limits.cut_characters(group_name.strip(), limits.TAG_NAME_CHARACTERS)
        name = limits.cut_characters(tag_name.strip(), limits.TAG_NAME_CHARACTERS)
        made: TagGroup | None = None
        try:
            answer = await self._post(path, {"group_name": group, "tag": [{"name": name}]})
            made = read(TagGroup, path, answer.get("tag_group"))
        except WecomError as refused:
            if refused.code != codes.TAG_NAME_EXISTS:
                raise
        groups = (made,) if made else await self.corp_tags()
        found = _named(groups, group, name)
        if found is None:
            raise errors.odd(path, "the tag is not in the answer")
        return found.id

    async def add_contact_way(
        self, userid: str, *, state: str, remark: str = "", skip_verify: bool
    ) -> ContactWay:
        """Make a QR code that adds this member (document 92228).

        `state`, at most 30 characters, comes back with the add event; `skip_verify` False makes
        the member confirm by hand. Not idempotent: after `Unreachable` look for the state.
        """
        if len(state) > limits.CONTACT_WAY_CHARACTERS:
            raise ValueError(f"state has {len(state)} characters, at most 30")
        path = f"{AT}/add_contact_way"
        body = {
            "type": 1,
            "scene": 2,
            "user": [userid],
            "state": state,
            "remark": limits.cut_characters(remark, limits.CONTACT_WAY_CHARACTERS),
            "skip_verify": skip_verify,
        }
        answer = await self._post(path, body)
        sent = {"state": state, "skip_verify": skip_verify, "user": [userid]}
        return read(ContactWay, path, {**answer, **sent})

    async def list_contact_way(self, since: datetime, until: datetime) -> tuple[str, ...]:
        """Return the config_ids of the contact ways made in between; details by `get_`."""
        path = f"{AT}/list_contact_way"
        body = {"start_time": int(since.timestamp()), "end_time": int(until.timestamp())}
        pages = await self._post_pages(path, {**body, "limit": 1000})
        ways = [way for page in pages for way in read(Lists, path, page).contact_way]
        return tuple(way.config_id for way in ways)

    async def get_contact_way(self, config_id: str) -> ContactWay:
        """Return one contact way; 41044 if there is none."""
        path = f"{AT}/get_contact_way"
        answer = await self._post(path, {"config_id": config_id})
        return read(ContactWay, path, answer.get("contact_way"))

    async def del_contact_way(self, config_id: str) -> None:
        """Make a QR code useless; one that is gone already is fine."""
        try:
            await self._post(f"{AT}/del_contact_way", {"config_id": config_id})
        except WecomError as refused:
            if refused.code != codes.UNKNOWN_CONTACT_WAY:
                raise

    async def group_chats(self, owners: Sequence[str]) -> tuple[str, ...]:
        """Return the ids of the customer groups of at most 100 owners (document 92120)."""
        at_most(owners)
        path = f"{AT}/groupchat/list"
        body = {"status_filter": 0, "owner_filter": {"userid_list": list(owners)}, "limit": 1000}
        pages = await self._post_pages(path, body) if owners else []
        return tuple(
            each.chat_id for page in pages for each in read(Lists, path, page).group_chat_list
        )

    async def group_chat(self, chat_id: str) -> GroupChat:
        """Return a customer group with its people (document 92122)."""
        path = f"{AT}/groupchat/get"
        answer = await self._post(path, {"chat_id": chat_id, "need_name": 1})
        return read(GroupChat, path, answer.get("group_chat"))


def _named(groups: Sequence[TagGroup], group: str, name: str) -> CorpTag | None:
    tags = [tag for each in groups if each.group_name == group for tag in each.tag]
    return next((tag for tag in tags if tag.name == name), None)
