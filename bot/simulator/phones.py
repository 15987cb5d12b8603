"""What the page with the phones talks to: JSON under /sim and a stream of changes."""

from __future__ import annotations

import asyncio
import io
import json
import secrets
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import segno
from aiohttp import web

from bot.simulator.errors import ImpossibleError
from bot.simulator.ground import Look
from bot.simulator.records import WECHAT, WECOM, Customer, Json
from bot.simulator.views import customer_view, member_view, message_view, way_view
from bot.simulator.world import World

PAGE = Path(__file__).parent / "page"
HEARTBEAT = 15.0
CHAT_LENGTH = 200  # messages of one chat that the page gets
BACKLOG = 1000  # changes a slow page may lag behind before it must fetch everything

Step = Callable[[str, Json], object]


class Phones:
    """Routes of the page. `reset` puts the world back; `journal` is the log of calls."""

    def __init__(
        self, world: World, journal: Callable[[], list[Json]], reset: Callable[[], Awaitable[None]]
    ) -> None:
        self._world, self._journal, self._reset = world, journal, reset
        self._listeners: set[asyncio.Queue[str | None]] = set()
        self._sequence = 0
        self._beginning = secrets.token_hex(4)  # another one tells a page: forget what you know
        self._resetting = False
        world.on_change(self.push)

    def add_routes(self, router: web.UrlDispatcher) -> None:
        """Everything but /cgi-bin."""
        router.add_get("/", self._index)
        router.add_get("/page/{name}", self._asset)
        router.add_get("/sim/state", self._state)
        router.add_get("/sim/events", self._events)
        router.add_get("/sim/qr/{config_id}.svg", self._qr)
        router.add_get("/sim/media/{media_id}", self._media)
        router.add_post("/sim/reset", self._do_reset)
        router.add_post("/sim/customers", self._create_customer)
        router.add_post("/sim/members/{who}/{step}", self._member_step)
        router.add_post("/sim/customers/{who}/{step}", self._customer_step)

    def push(self, kind: str, look: Look) -> None:
        """Tell every open page of a change."""
        self._sequence += 1
        if kind == "reset":
            self._beginning = secrets.token_hex(4)
        if not self._listeners:
            return
        data = json.dumps({"type": kind, **look()}, ensure_ascii=False)
        for queue in self._listeners:
            if queue.qsize() >= BACKLOG:
                while not queue.empty():
                    queue.get_nowait()
                data = json.dumps({"type": "reset"})
            queue.put_nowait(f"id: {self._sequence}\ndata: {data}\n\n")

    def close(self) -> None:
        """End all streams."""
        for queue in self._listeners:
            queue.put_nowait(None)

    # -- reading -------------------------------------------------------------------------------

    def state(self) -> Json:
        """The whole picture."""
        world, state = self._world, self._world.state
        return {
            "corp": {"name": state.corp_name, "id": world.corp_id, "agent_id": world.agent_id},
            "sequence": self._sequence,
            "beginning": self._beginning,
            "resetting": self._resetting,
            "departments": [
                {"id": one.id, "name": one.name, "parentid": one.parentid}
                for one in state.departments.values()
            ],
            "directory_tags": [
                {"id": one.id, "name": one.name} for one in state.directory_tags.values()
            ],
            "members": [member_view(state, one) for one in state.members.values()],
            "customers": [customer_view(state, one) for one in state.customers.values()],
            "chats": {
                world.member(key).userid: [message_view(one) for one in chat[-CHAT_LENGTH:]]
                for key, chat in state.chats.items()
            },
            "customer_chats": {
                key: [message_view(one) for one in chat[-CHAT_LENGTH:]]
                for key, chat in state.customer_chats.items()
            },
            "contact_ways": [way_view(one) for one in state.ways.values()],
            "menu": world.menu,
            "log": self._journal(),
        }

    async def _state(self, _: web.Request) -> web.Response:
        return _json(self.state())

    async def _index(self, _: web.Request) -> web.StreamResponse:
        return _file("index.html")

    async def _asset(self, request: web.Request) -> web.StreamResponse:
        return _file(request.match_info["name"])

    async def _qr(self, request: web.Request) -> web.Response:
        way = self._world.state.ways.get(request.match_info["config_id"])
        if way is None:
            return _json({"error": "this QR code is not valid any more"}, status=404)
        picture = io.BytesIO()
        segno.make(way.qr_code, error="m").save(
            picture, kind="svg", scale=6, border=3, light="#fff"
        )
        return web.Response(
            body=picture.getvalue(),
            content_type="image/svg+xml",
            headers={"Cache-Control": "no-store"},
        )

    async def _media(self, request: web.Request) -> web.Response:
        media = self._world.state.media.get(request.match_info["media_id"])
        if media is None:
            return _json({"error": "this file is not there any more"}, status=404)
        name = quote(media.name)
        return web.Response(
            body=media.content,
            content_type="application/octet-stream",
            headers={
                "Content-Disposition": f"attachment; filename*=UTF-8''{name}",
                "Cache-Control": "no-store",
                "X-Content-Type-Options": "nosniff",
            },
        )

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(
            headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"}
        )
        await response.prepare(request)
        queue: asyncio.Queue[str | None] = asyncio.Queue()
        last = request.headers.get("Last-Event-ID", "")
        if last and last != str(self._sequence):
            queue.put_nowait('data: {"type": "reset"}\n\n')
        self._listeners.add(queue)
        try:
            await response.write(f"retry: 1000\nid: {self._sequence}\n\n".encode())
            await self._stream(queue, response.write)
        except ConnectionResetError:
            pass
        finally:
            self._listeners.discard(queue)
        return response

    async def _stream(
        self, queue: asyncio.Queue[str | None], write: Callable[[bytes], Awaitable[None]]
    ) -> None:
        while True:
            try:
                text = await asyncio.wait_for(queue.get(), HEARTBEAT)
            except TimeoutError:
                text = ": still here\n\n"
            if text is None:
                return
            await write(text.encode())

    # -- doing ---------------------------------------------------------------------------------

    async def _do_reset(self, _: web.Request) -> web.Response:
        self._resetting = True
        try:
            await self._reset()
        finally:
            self._resetting = False
            self.push("reset", dict)
        return _json({})

    async def _create_customer(self, request: web.Request) -> web.Response:
        body = await _body(request)
        kind = WECOM if body.get("type") == "wecom" or body.get("corp_name") else WECHAT
        prefix = "wo" if kind == WECOM else "wm"
        external = f"{prefix}Demo{secrets.token_hex(12)}"
        name, corp = _text(body, "name"), str(body.get("corp_name", ""))
        phone = str(body.get("phone", ""))
        customer = self._world.create_customer(Customer(external, name, kind, corp, phone))
        return _json({"customer": customer_view(self._world.state, customer)})

    async def _member_step(self, request: web.Request) -> web.Response:
        world = self._world
        steps: dict[str, Step] = {
            "say": lambda who, b: world.member_says(who, _text(b, "text")),
            "press": _press(world),
            "menu": _menu(world),
            "enter": lambda who, _: world.member_enters_app(who),
            "add": lambda who, b: world.member_adds_customer(
                who, _text(b, "external_userid"), _number(b, "way", 2)
            ),
            "delete": lambda who, b: world.member_deletes_customer(
                who, _text(b, "external_userid")
            ),
            "confirm": lambda who, b: world.member_confirms(who, _text(b, "external_userid")),
            "move": lambda who, b: world.move_member(who, _number(b, "department_id")),
            "disable": lambda who, _: world.disable_member(who),
            "enable": lambda who, _: world.enable_member(who),
            "contact": lambda who, b: world.set_customer_contact(who, _flag(b, "allowed")),
            "tag": lambda who, b: world.tag_member(who, _number(b, "tag_id")),
            "untag": lambda who, b: world.untag_member(who, _number(b, "tag_id")),
            "leave": lambda who, _: world.member_leaves(who),
            "return": lambda who, _: world.member_returns(who),
            "found": lambda who, b: world.create_group(who, _text(b, "name"), _texts(b, "others")),
        }
        return await _run(request, steps)

    async def _customer_step(self, request: web.Request) -> web.Response:
        world = self._world
        steps: dict[str, Step] = {
            "scan": lambda who, b: world.customer_scans(who, _text(b, "config_id")),
            "add": lambda who, b: world.customer_adds_member(
                who, _text(b, "userid"), _number(b, "way", 2)
            ),
            "delete": lambda who, b: world.customer_deletes_member(who, _text(b, "userid")),
            "say": lambda who, b: world.customer_says(who, _text(b, "userid"), _text(b, "text")),
        }
        return await _run(request, steps)


def _press(world: World) -> Step:
    def press(who: str, body: Json) -> object:
        selected = body.get("selected") or {}
        if not isinstance(selected, dict):
            raise ImpossibleError("selected must be an object")
        task_id, key = _text(body, "task_id"), _text(body, "key")
        return world.member_presses(who, task_id, key, selected)

    return press


def _menu(world: World) -> Step:
    """The menu under the chat; with a task_id the one in that card's corner."""

    def menu(who: str, body: Json) -> object:
        key = _text(body, "key")
        if body.get("task_id"):
            return world.member_menu_presses(who, _text(body, "task_id"), key)
        return world.member_clicks_menu(who, key)

    return menu


async def _run(request: web.Request, steps: dict[str, Step]) -> web.Response:
    step = steps.get(request.match_info["step"])
    if step is None:
        return _json({"error": "unknown step"}, status=404)
    step(request.match_info["who"], await _body(request))
    return _json({})


@web.middleware
async def say_why(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    """Answer a step that is impossible with a sentence the page can show."""
    try:
        return await handler(request)
    except ImpossibleError as error:
        return _json({"error": str(error)}, status=409)


async def _body(request: web.Request) -> Json:
    try:
        body: Any = json.loads(await request.read() or b"{}")
    except ValueError:
        body = None
    if not isinstance(body, dict):
        answer = '{"error": "the body must be a JSON object"}'
        raise web.HTTPBadRequest(text=answer, content_type="application/json")
    return body


def _text(body: Json, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ImpossibleError(f"{name} is missing")
    return value


def _texts(body: Json, name: str) -> list[str]:
    value = body.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise ImpossibleError(f"{name} must be a list of texts")
    return value


def _number(body: Json, name: str, default: int | None = None) -> int:
    value = body.get(name, default)
    if not isinstance(value, int):
        raise ImpossibleError(f"{name} must be a number")
    return value


def _flag(body: Json, name: str) -> bool:
    value = body.get(name)
    if not isinstance(value, bool):
        raise ImpossibleError(f"{name} must be true or false")
    return value


def _json(values: Json, status: int = 200) -> web.Response:
    text = json.dumps(values, ensure_ascii=False)
    return web.Response(text=text, status=status, content_type="application/json")


def _file(name: str) -> web.StreamResponse:
    path = (PAGE / name).resolve()
    if path.parent != PAGE.resolve() or not path.is_file():
        raise web.HTTPNotFound
    return web.FileResponse(path, headers={"Cache-Control": "no-cache"})
