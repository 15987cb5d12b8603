"""The server's side, a process of its own: `python -m tests.bench.serving WHAT DATABASE API`.

WHAT is `floor` (a door behind which nothing is stored), `door` (the same, durable), `app` (the
whole program) or `peer` (another framework that stores nothing). It prints its address; then each
line on its standard input is answered with what the process has used so far, until the input ends.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

from aiohttp import web
from pydantic import SecretStr

from bot import demo, monitoring, webhook
from bot.app import App
from bot.envelope import Envelope
from bot.inbox import Arrival, Inbox
from bot.settings import Settings
from bot.wecom.traffic import Traffic
from storage.database import Database
from tests import makers_door as door
from tests.bench import peers


async def _serve(running: AbstractAsyncContextManager[str]) -> None:
    async with running as address:
        _say({"address": address})
        while await asyncio.to_thread(sys.stdin.readline):
            used = resource.getrusage(resource.RUSAGE_SELF)
            _say({"cpu": time.process_time(), "megabytes": used.ru_maxrss / 1024})


def _say(what: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


@asynccontextmanager
async def _floor(_database: str, _api: str) -> AsyncIterator[str]:
    async def forget(_arrival: Arrival) -> None:
        return

    async with _door(forget) as address:
        yield address


@asynccontextmanager
async def _durable(database: str, _api: str) -> AsyncIterator[str]:
    db = Database.open(database)
    inbox = Inbox(db, _now, wake=lambda: None)
    try:
        await asyncio.to_thread(db.upgrade)
        await inbox.start()
        async with _door(inbox.put) as address:
            yield address
    finally:
        await inbox.stop()
        await db.aclose()


@asynccontextmanager
async def _door(put: Callable[[Arrival], Coroutine[Any, Any, None]]) -> AsyncIterator[str]:
    envelope = Envelope(door.TOKEN, door.KEY, door.CORP)
    app = web.Application()
    app.add_routes(webhook.routes(webhook.Door(envelope, put, _now, on_refused=_refused)))
    runner = web.AppRunner(app, access_log=None)  # as the program does
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        host, port = runner.addresses[0][:2]
        yield f"http://{host}:{port}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def _app(database: str, api: str) -> AsyncIterator[str]:
    """The demo's company and rules, with the makers' token and the database of this run.

    Nobody's adds are too many here: in minutes of full load a seller meets more than the demo's 50
    a day. And it calls this WeCom as often as it can; of the real one's 10,000 calls a minute it
    would soon reach the last. That calls are not counted saves some microseconds for each.
    """
    found = demo.configured(api, 0, Path())
    uncapped = tuple(rule for rule in found.rules.rule if rule.id != "daily-cap")
    rules = found.rules.model_copy(update={"rule": uncapped})
    wecom = found.wecom.model_copy(update={"token": SecretStr(door.TOKEN)})
    storage = found.storage.model_copy(update={"url": SecretStr(database)})
    with patch.object(Traffic, "_spend", _freely):
        async with App(Settings(found.server, wecom, storage, rules)).running() as address:
            yield address


async def _freely(_traffic: Traffic, _path: str) -> None:
    return


def _now() -> datetime:
    return datetime.now(UTC)


def _refused(reason: str) -> None:
    sys.stderr.write(f"refused: {reason}\n")


KINDS = {"floor": _floor, "door": _durable, "app": _app, "peer": peers.wecom_app_svr}

if __name__ == "__main__":
    monitoring.set_up_logging("error", as_json=False)
    what, where, wecom_api = sys.argv[1:]
    asyncio.run(_serve(KINDS[what](where, wecom_api)))
