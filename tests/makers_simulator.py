"""Makers for tests of the simulator: a box with a movable clock, a receiver and an API caller."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from wechatpy.enterprise.crypto import WeChatCrypto

from bot.simulator import AGENT_ID, CORP_ID, Corp, Simulator, World, demo_world
from bot.simulator.events import Event

SECRET = "the-app-secret"
TOKEN = "fgTok3nA1"
AES_KEY = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA"
NOON = 1_767_230_000.0

Json = dict[str, Any]
Answer = tuple[int, str]


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> float:
        return self.now

    def move(self, *, seconds: float = 0, hours: float = 0, days: float = 0) -> None:
        self.now += seconds + hours * 3600 + days * 86400


def a_world() -> tuple[World, Clock, list[Event]]:
    """The demo corporation, its clock, and the callbacks it raises."""
    world, clock = demo_world(), Clock()
    heard: list[Event] = []
    world.clock = clock
    world.on_event(heard.append)
    return world, clock, heard


def names(events: list[Event]) -> list[str]:
    return [event.name for event in events]


@dataclass
class Receiver:
    """The program's end of the callbacks, opened with wechatpy."""

    crypto: WeChatCrypto = field(default_factory=lambda: WeChatCrypto(TOKEN, AES_KEY, CORP_ID))
    events: list[dict[str, str]] = field(default_factory=list)
    answer: Callable[[dict[str, str]], Answer] = lambda _: (200, "")
    tries: int = 0

    async def post(self, request: web.Request) -> web.Response:
        self.tries += 1
        query = request.query
        plain = self.crypto.decrypt_message(
            await request.text(), query["msg_signature"], query["timestamp"], query["nonce"]
        )
        text = plain if isinstance(plain, str) else plain.decode()
        event = fields_of(text)
        self.events.append(event)
        status, body = self.answer(event)
        return web.Response(status=status, text=body)

    async def get(self, request: web.Request) -> web.Response:
        query = request.query
        echo = self.crypto.check_signature(
            query["msg_signature"], query["timestamp"], query["nonce"], query["echostr"]
        )
        return web.Response(text=echo if isinstance(echo, str) else echo.decode())

    def seal(self, reply: str) -> str:
        return str(self.crypto.encrypt_message(reply, "n0nce", "1767230001"))


def fields_of(xml: str) -> dict[str, str]:
    found = re.findall(r"<(\w+)>(?:<!\[CDATA\[(.*?)\]\]>|([^<>]+))</\1>", xml, re.DOTALL)
    return {name: cdata or plain for name, cdata, plain in found}


@dataclass
class Caller:
    """Calls the pretend API as a program would."""

    session: aiohttp.ClientSession
    base: str
    token: str = ""

    async def login(self) -> None:
        answer = await self.get("gettoken", corpid=CORP_ID, corpsecret=SECRET)
        self.token = answer["access_token"]

    async def get(self, path: str, **params: str) -> Json:
        query = {"access_token": self.token, **params}
        async with self.session.get(f"{self.base}/cgi-bin/{path}", params=query) as answer:
            return dict(await answer.json())

    async def post(self, path: str, body: Any = None) -> Json:
        query = {"access_token": self.token}
        url = f"{self.base}/cgi-bin/{path}"
        async with self.session.post(url, params=query, json=body or {}) as answer:
            return dict(await answer.json())

    async def send(self, to: str = "wangfang", **content: Any) -> Json:
        kind = next(iter(content))
        body = {"touser": to, "msgtype": kind, "agentid": AGENT_ID, **content}
        return await self.post("message/send", body)

    async def code(self, path: str, body: Any = None) -> int:
        return int((await self.post(path, body))["errcode"])


@dataclass
class Box:
    """A running simulator with everything around it."""

    sim: Simulator
    world: World
    clock: Clock
    receiver: Receiver
    api: Caller


@asynccontextmanager
async def a_box(*, listening: bool = True, world: World | None = None) -> AsyncIterator[Box]:
    """A started simulator whose callbacks go to a receiver."""
    receiver, clock, world = Receiver(), Clock(), world or demo_world()
    app = web.Application()
    app.router.add_post("/wecom/callback", receiver.post)
    app.router.add_get("/wecom/callback", receiver.get)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/wecom/callback"
    corp = Corp(CORP_ID, AGENT_ID, SECRET, TOKEN, AES_KEY, url if listening else "")
    sim = Simulator(corp, world, clock)
    sim.callbacks.pause = 0.0
    base = await sim.start()
    try:
        async with aiohttp.ClientSession() as session:
            api = Caller(session, base)
            await api.login()
            yield Box(sim, world, clock, receiver, api)
    finally:
        await sim.stop()
        await runner.cleanup()


def a_card(task_id: str | None = "mw-A17-1", **changes: Any) -> Json:
    """An approval card; a change to None leaves the field out."""
    card: Json = {
        "card_type": "button_interaction",
        "main_title": {"title": "审批 A17", "desc": "添加 张伟"},
        "horizontal_content_list": [{"keyname": "申请人", "value": "周小美"}],
        "task_id": task_id,
        "button_list": [
            {"text": "同意", "style": 1, "key": "A17:approve"},
            {"text": "拒绝", "style": 2, "key": "A17:deny"},
            {"type": 1, "text": "打开", "url": "https://menwei.example/A17"},
        ],
    }
    return {name: value for name, value in {**card, **changes}.items() if value is not None}


def a_selection(**changes: Any) -> Json:
    options = [{"id": "dup", "text": "重复"}, {"id": "rival", "text": "竞品"}]
    return {"question_key": "reason", "title": "原因", "option_list": options, **changes}


def a_way(**changes: Any) -> Json:
    """The body of add_contact_way."""
    way = {"type": 1, "scene": 2, "user": ["zhouxiaomei"], "state": "mw-A17", "remark": "A17"}
    return {**way, **changes}
