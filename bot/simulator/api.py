"""The door of the pretend API: token, frequency and JSON checks before any endpoint is reached."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Callable
from email.utils import formatdate
from typing import Any

from aiohttp import web

from bot.simulator import (
    api_agent,
    api_contacts,
    api_directory,
    api_media,
    api_messages,
    api_tags,
    api_transfers,
    api_ways,
)
from bot.simulator.calls import Call, Endpoints, FilePart
from bot.simulator.corp import Corp, Limits, Tokens, Traffic
from bot.simulator.errors import ApiError
from bot.simulator.faults import Faults
from bot.simulator.fields import BAD, Body
from bot.simulator.records import Json
from bot.simulator.world import World

ENDPOINTS: Endpoints = {
    **api_messages.CALLS,
    **api_media.CALLS,
    **api_contacts.CALLS,
    **api_tags.CALLS,
    **api_ways.CALLS,
    **api_transfers.CALLS,
    **api_directory.CALLS,
    **api_agent.CALLS,
}
GETTOKEN = "gettoken"
NO_JSON = {GETTOKEN, "media/upload"}
SECRETS = {"access_token", "corpsecret"}
GARBLED = '{"result": ["<html>502 Bad Gateway</html>"]}'
Seen = tuple[str, Json]


class Api:
    """Answers /cgi-bin/*. Every answer is HTTP 200 with an errcode, as WeCom's are."""

    def __init__(
        self, corp: Corp, world: World, faults: Faults, log: Callable[[str, str, str, str], None]
    ) -> None:
        self.limits = Limits()
        self.seen: deque[Seen] = deque(maxlen=20_000)
        self.base_url = ""
        self._corp, self._world, self._faults, self._log = corp, world, faults, log
        self._tokens = Tokens(corp, self.limits, world.now)
        self._traffic = Traffic(self.limits, world.now)
        self._listed = 0  # relations in pages of batch/get_by_user

    def report(self) -> Json:
        """What was asked of the API so far, for whoever measures from another process."""
        return {"apis": self._traffic.report(), "listed": self._listed}

    def expire_tokens(self) -> None:
        """Every access token handed out so far has expired."""
        self._tokens.expire()

    async def handle(self, request: web.Request) -> web.Response:
        """One HTTP request, with the faults that were ordered for it."""
        path = request.match_info["path"]
        full = f"/cgi-bin/{path}"
        if path != GETTOKEN and path not in ENDPOINTS:
            self._log("in", full, "404", "the simulator has no such API")
            return web.json_response({"errcode": 404, "errmsg": f"no API {path}"}, status=404)
        sent = await _sent(request)
        seconds = self._faults.take(path, "delay")
        if self._faults.take(path, "http_500") is not None:
            self._log("in", full, "HTTP 500", "by order")
            return web.Response(status=500, text="Internal Server Error")
        self._traffic.begin(path)
        try:
            answer = self._answer(request, path, sent)
            if seconds:
                await asyncio.sleep(seconds)
        finally:
            self._traffic.end(path)
        if self._faults.take(path, "garble") is not None:
            return web.Response(text=GARBLED, content_type="application/json")
        date = formatdate(self._world.now(), usegmt=True)
        return web.json_response(answer, dumps=_dumps, headers={"Date": date})

    def _answer(self, request: web.Request, path: str, sent: bytes | FilePart) -> Json:
        params = dict(request.query)
        shown = {name: value for name, value in params.items() if name not in SECRETS}
        body: Json = {}
        try:
            file = sent if isinstance(sent, FilePart) else None
            if request.method == "POST" and path not in NO_JSON:
                body = _parse(b"" if isinstance(sent, FilePart) else sent)
            done = self._do(request.method, path, params, body, file)
            answer = {"errcode": 0, "errmsg": "ok", **done}
        except ApiError as error:
            answer = {"errcode": error.errcode, "errmsg": error.errmsg}
        self.seen.append((f"/cgi-bin/{path}", body or shown))
        result = f"{answer['errcode']} {answer['errmsg']}"
        self._log("in", f"/cgi-bin/{path}", result, _detail(body or shown))
        return answer

    def _do(
        self,
        method: str,
        path: str,
        params: dict[str, str],
        body: Json,
        file: FilePart | None,
    ) -> Json:
        refused = self._faults.take(path, "fail")
        if refused is not None:
            raise ApiError(int(refused), "by order")
        self._traffic.enter(path)
        if path == GETTOKEN:
            return self._tokens.issue(params)
        expected, handler = ENDPOINTS[path]
        self._tokens.check(params.get("access_token", ""))
        self._world.console.admit(path)
        if method != expected:
            raise ApiError(BAD, f"use {expected}")
        has_callback = bool(self._corp.callback_url)
        call = Call(self._world, Body(body), params, self.base_url, has_callback, file)
        answer = handler(call)
        self._listed += len(answer.get("external_contact_list", ()))
        lost = self._faults.take(path, "fail_after")
        if lost is not None:
            raise ApiError(int(lost), "by order, after it was done")
        return answer


async def _sent(request: web.Request) -> bytes | FilePart:
    """The body as it came, or the file that a form carries."""
    if request.content_type != "multipart/form-data":
        return await request.read()
    for name, value in (await request.post()).items():
        if isinstance(value, web.FileField):
            return FilePart(name, value.filename, value.file.read())
    return b""


def _parse(raw: bytes) -> Json:
    try:
        values: Any = json.loads(raw)
    except ValueError as error:
        raise ApiError(BAD, "invalid Request Parameter, Warning: wrong json format.") from error
    if not isinstance(values, dict):
        raise ApiError(BAD, "the body must be an object, Warning: wrong json format.")
    return values


def _dumps(values: Any) -> str:
    return json.dumps(values, ensure_ascii=False)


def _detail(body: Json) -> str:
    names = ("touser", "msgtype", "userid", "external_userid", "config_id", "state", "remark")
    told = [str(body[name]) for name in names if body.get(name)]
    card = body.get("template_card")
    if isinstance(card, dict) and card.get("task_id"):
        told.append(str(card["task_id"]))
    return " ".join(told)[:200]
