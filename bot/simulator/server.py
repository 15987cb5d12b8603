"""A WeCom in a box: the API, the callbacks and the page with the phones on one port."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Awaitable, Callable

from aiohttp import web

from bot.simulator.api import Api
from bot.simulator.callbacks import Callbacks, Delivery, Door
from bot.simulator.corp import Corp, Limits
from bot.simulator.faults import Faults, short
from bot.simulator.phones import Phones, say_why
from bot.simulator.records import Json, State
from bot.simulator.seal import Seal
from bot.simulator.world import World

LOG_LENGTH = 200
MOST_SENT = 24 << 20  # bytes; more than the largest file that WeCom takes
TICK = 1.0  # seconds between looks at transfers that may be due


class Simulator:
    """Starts and stops the box; what happens inside is asked of `world`.

    `clock` gives unix seconds; a test that moves it calls `world.settle_transfers` or waits.
    """

    def __init__(self, corp: Corp, world: World, clock: Callable[[], float] = time.time) -> None:
        self.corp, self.world = corp, world
        world.clock, world.corp_id, world.agent_id = clock, corp.corp_id, corp.agent_id
        self.faults = Faults()
        self.base_url = ""
        self._journal: deque[Json] = deque(maxlen=LOG_LENGTH)
        self._api = Api(corp, world, self.faults, self._log)
        self.callbacks = Callbacks(world, self.faults, self._log)
        seal = Seal(corp.token, corp.encoding_aes_key, corp.corp_id)
        self.callbacks.doors["app"] = Door(corp.callback_url, seal)
        world.on_event(self.callbacks.send)
        self.on_reset: Callable[[], Awaitable[None]] | None = None
        self._phones = Phones(world, lambda: list(self._journal), self._start_over)
        self._beginning: State | None = None
        self._runner: web.AppRunner | None = None
        self._ticker: asyncio.Task[None] | None = None

    # -- running -------------------------------------------------------------------------------

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen and return the base URL; port 0 picks a free one."""
        app = web.Application(client_max_size=MOST_SENT, middlewares=[say_why])
        app.router.add_route("*", "/cgi-bin/{path:.+}", self._api.handle)
        self._phones.add_routes(app.router)
        app.router.add_get("/sim/traffic", self._traffic)
        app.on_shutdown.append(self._close_streams)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, host, port)
        await site.start()
        bound = self._runner.addresses[0][1]
        self.base_url = self._api.base_url = f"http://{host}:{bound}"
        await self.callbacks.start()
        self._beginning = self.world.snapshot()
        self._ticker = asyncio.create_task(self._tick())
        return self.base_url

    async def stop(self) -> None:
        """Stop listening; callbacks not delivered yet are dropped."""
        if self._ticker is not None:
            self._ticker.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._ticker
        await self.callbacks.stop()
        if self._runner is not None:
            await self._runner.cleanup()

    def reset(self) -> None:
        """Put the world back to what it was at the start. Used task ids stay used.

        Callbacks on their way belong to the world that was, and are dropped. A button of the page
        asks for this too; whoever sets `on_reset` is asked instead, and the page waits for it.
        """
        self.callbacks.drop()
        self._journal.clear()
        if self._beginning is not None:
            self.world.restore(self._beginning)

    # -- settings ------------------------------------------------------------------------------

    @property
    def callback_url(self) -> str:
        """Where the app's callbacks go; '' is an app without a callback URL."""
        return self.corp.callback_url

    @callback_url.setter
    def callback_url(self, url: str) -> None:
        self.corp.callback_url = self.callbacks.doors["app"].url = url

    def listen_directory(self, url: str, token: str, encoding_aes_key: str) -> None:
        """Configure the address of the directory-sync tool (change_contact events)."""
        seal = Seal(token, encoding_aes_key, self.corp.corp_id)
        self.callbacks.doors["directory"] = Door(url, seal)

    @property
    def limits(self) -> Limits:
        """Frequency limits, to be made smaller or larger."""
        return self._api.limits

    # -- looking -------------------------------------------------------------------------------

    @property
    def calls(self) -> list[tuple[str, Json]]:
        """The API calls seen: path and body (of a GET its parameters), without secrets."""
        return list(self._api.seen)

    def called(self, path: str) -> list[Json]:
        """The bodies of all calls of one API, such as 'message/send'."""
        return [body for seen, body in self._api.seen if short(seen) == short(path)]

    def forget_calls(self) -> None:
        """Begin a new list of calls."""
        self._api.seen.clear()

    @property
    def deliveries(self) -> list[Delivery]:
        """How sending each callback ended."""
        return list(self.callbacks.deliveries)

    @property
    def problems(self) -> list[str]:
        """Passive replies that WeCom would have thrown away."""
        return self.callbacks.problems

    @property
    def log(self) -> list[Json]:
        """The last calls and callbacks, as the page shows them."""
        return list(self._journal)

    def expire_tokens(self) -> None:
        """Every access token handed out so far has expired."""
        self._api.expire_tokens()

    async def verify_callback(self) -> None:
        """Check the callback URL as WeCom does when it is saved; raises CallbackRefusedError."""
        await self.callbacks.verify()

    async def idle(self) -> None:
        """Wait until every callback raised so far has been delivered or given up."""
        await self.callbacks.idle()

    # -- inside --------------------------------------------------------------------------------

    def _log(self, direction: str, what: str, result: str, detail: str) -> None:
        entry: Json = {
            "at": int(self.world.now() * 1000),
            "dir": direction,
            "what": what,
            "result": result,
            "detail": detail,
        }
        self._journal.append(entry)
        self.world.show("log", lambda: {"entry": entry})

    async def _traffic(self, _: web.Request) -> web.Response:
        return web.json_response(self._api.report())

    async def _start_over(self) -> None:
        if self.on_reset is None:
            self.reset()
        else:
            await self.on_reset()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(TICK)
            self.world.settle_transfers()
            self.world.settle_groups()

    async def _close_streams(self, _: web.Application) -> None:
        self._phones.close()
