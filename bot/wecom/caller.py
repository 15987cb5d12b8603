"""Makes one authorised call: adds the token, renews it once if refused, follows pages."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from pydantic import SecretStr

from bot.wecom import codes, errors
from bot.wecom.codes import Kind
from bot.wecom.errors import WecomError
from bot.wecom.tokens import App, Tokens
from bot.wecom.wire import Answer, Call, Upload, Wire

MOST_PAGES = 10_000


class Caller:
    """What every group of calls stands on."""

    def __init__(self, wire: Wire, tokens: Tokens, app: App) -> None:
        self._wire = wire
        self._tokens = tokens
        self._app = app

    async def _get(self, path: str, **query: str | int) -> Answer:
        texts = {name: str(value) for name, value in query.items()}
        return await self._authorised(lambda token: Call(path, None, texts, token))

    async def _post(self, path: str, body: Mapping[str, object]) -> Answer:
        return await self._authorised(lambda token: Call(path, body, {}, token))

    async def _upload(self, path: str, upload: Upload, **query: str) -> Answer:
        return await self._authorised(lambda token: Call(path, None, query, token, upload))

    async def _post_pages(self, path: str, body: Mapping[str, object]) -> list[Answer]:
        return await self._pages(path, lambda at: self._post(path, {**body, "cursor": at}))

    async def _pages(self, path: str, page: Callable[[str], Awaitable[Answer]]) -> list[Answer]:
        """Return every page, from cursor '' until an answer has no `next_cursor`."""
        cursor, seen, pages = "", {""}, []
        while True:
            pages.append(await page(cursor))
            cursor = str(pages[-1].get("next_cursor") or "")
            if not cursor:
                return pages
            if cursor in seen or len(pages) >= MOST_PAGES:
                raise errors.odd(path, "pages without end")
            seen.add(cursor)

    async def _authorised(self, call: Callable[[Mapping[str, SecretStr]], Call]) -> Answer:
        token = await self._tokens.current()
        answer = await self._tried(call({"access_token": token}))
        if not isinstance(answer, WecomError):
            return answer
        if answer.kind is Kind.TOKEN:
            token = await self._tokens.instead_of(token)
            return await self._wire.exchange(call({"access_token": token}))
        if answer.code == codes.BAD_SECRET:
            # The secret was reset: this token will not recover, and asking again might block us.
            await self._tokens.discard(token)
        raise answer

    async def _tried(self, call: Call) -> Answer | WecomError:
        try:
            return await self._wire.exchange(call)
        except WecomError as refused:
            return refused
