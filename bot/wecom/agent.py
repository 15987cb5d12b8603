"""Calls about the app itself: whether it is switched on, and the menu under its chat."""

from __future__ import annotations

from collections.abc import Sequence

from bot.wecom import codes
from bot.wecom.answers import Reply, Scope, read
from bot.wecom.caller import Caller
from bot.wecom.errors import WecomError
from bot.wecom.wire import Call

_MOST_BUTTONS = 3
_MOST_BYTES = 16  # of a button's name


class MenuButton(Reply):
    """A button under the chat with the app; one that opens others has no key."""

    name: str = ""
    key: str = ""
    sub_button: tuple[MenuButton, ...] = ()

    @property
    def keys(self) -> frozenset[str]:
        """The keys of the button and of those it opens."""
        own = frozenset({self.key} if self.key else ())
        return own.union(*(each.keys for each in self.sub_button))


class _User(Reply):
    userid: str


class _Users(Reply):
    user: tuple[_User, ...] = ()


class _Parties(Reply):
    partyid: tuple[int, ...] = ()


class _TagIds(Reply):
    tagid: tuple[int, ...] = ()


class AppReply(Reply):
    """The app as WeCom's console shows it, with its visible range (document 90227)."""

    name: str = ""
    close: int = 0
    allow_userinfos: _Users = _Users()
    allow_partys: _Parties = _Parties()
    allow_tags: _TagIds = _TagIds()

    @property
    def is_on(self) -> bool:
        """Whether nobody has switched it off."""
        return self.close == 0

    @property
    def scope(self) -> Scope:
        """Its visible range."""
        return Scope(
            userids=tuple(user.userid for user in self.allow_userinfos.user),
            departments=self.allow_partys.partyid,
            tags=self.allow_tags.tagid,
        )


class _MenuReply(Reply):
    button: tuple[MenuButton, ...] = ()


class AgentCalls(Caller):
    """The app, as it is set up in WeCom's console."""

    async def app(self) -> AppReply:
        """Return the app; 301002 or 40056 if the token is another app's."""
        path = "agent/get"
        return read(AppReply, path, await self._get(path, agentid=self._app.agent_id))

    async def agent(self) -> Scope:
        """Return the app's visible range."""
        return (await self.app()).scope

    async def menu(self) -> tuple[MenuButton, ...]:
        """Return the buttons under the chat, none if no menu was ever set (document 90232)."""
        path = "menu/get"
        try:
            answer = await self._get(path, agentid=self._app.agent_id)
        except WecomError as refused:
            if refused.code == codes.NO_MENU:
                return ()
            raise
        return read(_MenuReply, path, answer).button

    async def set_menu(self, buttons: Sequence[tuple[str, str]]) -> None:
        """Put up to three buttons, each a name and a key, in place of any menu (document 90231).

        Members may see the old one until they open the chat again.
        """
        if not 1 <= len(buttons) <= _MOST_BUTTONS:
            raise ValueError(f"{len(buttons)} buttons; a menu has 1 to {_MOST_BUTTONS}")
        for name, _ in buttons:
            if len(name.encode()) > _MOST_BYTES:
                raise ValueError(f"{name!r} is longer than {_MOST_BYTES} bytes")
        body = {"button": [{"type": "click", "name": n, "key": k} for n, k in buttons]}
        query = {"agentid": str(self._app.agent_id)}
        await self._authorised(lambda token: Call("menu/create", body, query, token))
