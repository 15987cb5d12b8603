"""Another framework for callbacks behind the same load: wecom-app-svr, on Flask.

It checks, decrypts and parses a message, calls a handler, and seals the handler's answer; it stores
nothing. It cannot read events of customers, and it cannot answer with nothing: so it gets texts.
"""

from __future__ import annotations

import asyncio
import importlib
import importlib.util
import logging
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bot import demo
from tests import makers_door as door

PACKAGE, _MODULE = "wecom-app-svr", "wecom_app_svr"
_PATH = "/wecom/callback"
_PATIENCE = 50  # tries of a tenth of a second


def is_there() -> bool:
    """Whether the package is installed."""
    return importlib.util.find_spec(_MODULE) is not None


@asynccontextmanager
async def wecom_app_svr(_database: str, _api: str) -> AsyncIterator[str]:
    """Run it by its own `run`, in a thread; it ends with the process.

    Its log of every request is switched off, which is in its favour, and so is what it prints.
    """
    framework = importlib.import_module(_MODULE)
    cli: Any = importlib.import_module("flask.cli")
    cli.show_server_banner = lambda *_: None
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    port = demo.free_port(8300)
    app = framework.WecomAppServer(
        "bench", demo.HOST, port, _PATH,
        token=door.TOKEN, aes_key=door.KEY, corp_id=door.CORP,
    )  # fmt: skip
    app.set_message_handler(lambda _message: framework.RspTextMsg(content="ok"))
    app.set_event_handler(lambda _message: framework.RspTextMsg(content="ok"))
    threading.Thread(target=app.run, daemon=True).start()
    await _listens(port)
    yield f"http://{demo.HOST}:{port}"


async def _listens(port: int) -> None:
    for _ in range(_PATIENCE):
        try:
            _, writer = await asyncio.open_connection(demo.HOST, port)
        except ConnectionError:
            await asyncio.sleep(0.1)
        else:
            writer.close()
            return
    raise TimeoutError("the other framework does not listen")
