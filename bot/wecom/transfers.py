"""Calls that hand customers over: of members who stay, and of those who have left."""

from __future__ import annotations

from collections.abc import Sequence

from bot.wecom import limits
from bot.wecom.answers import Lists, Reply, Transferred, read
from bot.wecom.caller import Caller

_IN_SERVICE, _RESIGNED = "externalcontact", "externalcontact/resigned"


class _Accepted(Reply):
    external_userid: str
    errcode: int


class _TransferReply(Reply):
    customer: tuple[_Accepted, ...] = ()


class Transfers(Caller):
    """WeCom carries a transfer out after 24 h, unless the customer refuses."""

    async def transfer_customer(
        self, handover: str, takeover: str, external_userids: Sequence[str], message: str = ""
    ) -> dict[str, int]:
        """Ask to hand over at most 100 customers; return the errcode of each (document 92125).

        0 means accepted. See `codes.meaning` for the others; DONE is a transfer under way.
        """
        said = limits.cut_characters(message, limits.TRANSFER_CHARACTERS)
        more = {"transfer_success_msg": said}
        return await self._hand_over(_IN_SERVICE, handover, takeover, external_userids, more)

    async def transfer_resigned(
        self, handover: str, takeover: str, external_userids: Sequence[str]
    ) -> dict[str, int]:
        """Ask the same for somebody who has left; 40097 is raised (document 94081) when they have
        not, or more than a year ago.
        """
        return await self._hand_over(_RESIGNED, handover, takeover, external_userids, {})

    async def transfer_result(self, handover: str, takeover: str) -> tuple[Transferred, ...]:
        """Return how every transfer between these two stands (document 94088)."""
        return await self._results(_IN_SERVICE, handover, takeover)

    async def resigned_result(self, handover: str, takeover: str) -> tuple[Transferred, ...]:
        """Return how every transfer from the leaver to this member stands (document 94082)."""
        return await self._results(_RESIGNED, handover, takeover)

    async def _hand_over(
        self,
        at: str,
        handover: str,
        takeover: str,
        external_userids: Sequence[str],
        more: dict[str, str],
    ) -> dict[str, int]:
        limits.at_most(external_userids)
        path = f"{at}/transfer_customer"
        both = {"handover_userid": handover, "takeover_userid": takeover}
        body = {**both, "external_userid": list(external_userids), **more}
        reply = read(_TransferReply, path, await self._post(path, body))
        return {each.external_userid: each.errcode for each in reply.customer}

    async def _results(self, at: str, handover: str, takeover: str) -> tuple[Transferred, ...]:
        path = f"{at}/transfer_result"
        both = {"handover_userid": handover, "takeover_userid": takeover}
        pages = await self._post_pages(path, both)
        return tuple(each for page in pages for each in read(Lists, path, page).customer)
