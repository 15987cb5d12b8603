"""A tiny WeCom for tests of the client: a real server that answers what a test tells it to."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr

from bot.wecom import Wecom
from bot.wecom.wire import TIMEOUT
from storage.cache import CacheUnavailable

SECRET = "s3cret+/of=the_app"
TOKEN = "t0ken+/given=by_wecom"

Reaction = Mapping[str, Any] | web.Response | Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Seen:
    """One request as WeCom saw it."""

    method: str
    path: str
    query: dict[str, str]
    body: Any


class ScriptedWecom:
    """Answers each path with what was put there; the last answer stays."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.tokens = 0
        self._answers: dict[str, deque[Reaction]] = defaultdict(deque)

    def answers(self, path: str, *reactions: Reaction) -> None:
        self._answers[path] = deque(reactions)

    def asked(self, path: str) -> list[Seen]:
        return [each for each in self.seen if each.path == path]

    async def handle(self, request: web.Request) -> web.StreamResponse:
        path = request.path.removeprefix("/cgi-bin/")
        body = await request.json() if request.can_read_body else None
        self.seen.append(Seen(request.method, path, dict(request.query), body))
        waiting = self._answers[path]
        if not waiting and path == "gettoken":
            self.tokens += 1
            return ok(access_token=f"{TOKEN}{self.tokens}", expires_in=7200)
        if not waiting:
            return ok()
        reaction = waiting.popleft() if len(waiting) > 1 else waiting[0]
        if callable(reaction):
            return await reaction(request)
        if isinstance(reaction, web.Response):
            return web.Response(status=reaction.status, body=reaction.body)
        return web.json_response({"errcode": 0, "errmsg": "ok", **reaction})


def ok(**fields: Any) -> web.Response:
    return web.json_response({"errcode": 0, "errmsg": "ok", **fields})


class MemoryStore:
    """A token store that keeps everything, or breaks."""

    def __init__(self, broken: bool = False) -> None:
        self.kept: dict[str, str] = {}
        self.ttls: list[timedelta] = []
        self._broken = broken

    async def get(self, key: str) -> str | None:
        self._break()
        return self.kept.get(key)

    async def set(self, key: str, value: str, ttl: timedelta) -> None:
        self._break()
        self.kept[key] = value
        self.ttls.append(ttl)

    async def delete(self, key: str) -> None:
        self._break()
        self.kept.pop(key, None)

    async def take(self, key: str, holder: str, _: timedelta) -> bool:
        self._break()
        return self.kept.setdefault(key, holder) == holder

    async def give_back(self, key: str, holder: str) -> None:
        self._break()
        if self.kept.get(key) == holder:
            del self.kept[key]

    def _break(self) -> None:
        if self._broken:
            raise CacheUnavailable(f"store of {TOKEN} is down")


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Setup:
    """A client and the WeCom it talks to."""

    wecom: Wecom
    server: ScriptedWecom
    http: aiohttp.ClientSession
    base: str
    clock: Clock
    store: MemoryStore
    calls: list[tuple[str, int, float]] = field(default_factory=list)

    def another(
        self, store: MemoryStore, timeout: aiohttp.ClientTimeout = TIMEOUT, base: str = ""
    ) -> Wecom:
        """A further client, as in another process."""
        return Wecom(
            self.http,
            api_base=base or self.base,
            corp_id="ww00gate00demo0001",
            agent_id=1000007,
            secret=SecretStr(SECRET),
            cache=store,
            clock=self.clock,
            on_call=lambda path, code, seconds: self.calls.append((path, code, seconds)),
            timeout=timeout,
        )


@asynccontextmanager
async def a_wecom(store: MemoryStore | None = None) -> AsyncIterator[Setup]:
    """Start a server and a client for it."""
    scripted = ScriptedWecom()
    app = web.Application()
    app.router.add_route("*", "/cgi-bin/{path:.*}", scripted.handle)
    server = TestServer(app)
    await server.start_server(access_log=None)  # it would log the very URLs the client hides
    async with server, aiohttp.ClientSession() as http:
        kept, clock = store or MemoryStore(), Clock()
        base = str(server.make_url("/"))
        setup = Setup(None, scripted, http, base, clock, kept)  # type: ignore[arg-type]
        setup.wecom = setup.another(kept)
        yield setup
