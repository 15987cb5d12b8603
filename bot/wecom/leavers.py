"""Calls about what members who have left leave behind: their customers and their groups."""

from __future__ import annotations

from collections.abc import Sequence

from bot.wecom.answers import GroupChatId, Lists, UnassignedPage, read
from bot.wecom.caller import Caller
from bot.wecom.limits import at_most

_AT = "externalcontact"


class Leavers(Caller):
    """Customers and groups whose member has left."""

    async def unassigned(self, cursor: str = "", size: int = 1000) -> UnassignedPage:
        """Return one page of the customers without a member (document 92124); 50100 is an old
        cursor. `size` is at most 1,000.
        """
        path = f"{_AT}/get_unassigned_list"
        body = {"cursor": cursor, "page_size": size}
        return read(UnassignedPage, path, await self._post(path, body))

    async def groups_of(self, owners: Sequence[str], status: int = 0) -> tuple[GroupChatId, ...]:
        """Return the groups of at most 100 owners, who may have left, of one status (0: any)."""
        at_most(owners)
        path = f"{_AT}/groupchat/list"
        owned = {"userid_list": list(owners)}
        body = {"status_filter": status, "owner_filter": owned, "limit": 1000}
        pages = await self._post_pages(path, body)
        return tuple(each for page in pages for each in read(Lists, path, page).group_chat_list)

    async def transfer_groups(self, chat_ids: Sequence[str], new_owner: str) -> dict[str, int]:
        """Give at most 100 groups whose owner has left to another; return the errcode of those
        that were not taken (document 92127).
        """
        at_most(chat_ids)
        path = f"{_AT}/groupchat/transfer"
        body = {"chat_id_list": list(chat_ids), "new_owner": new_owner}
        reply = read(Lists, path, await self._post(path, body))
        return {each.chat_id: each.errcode for each in reply.failed_chat_list}
