"""`menwei demo`: a pretend WeCom with four phones, and a real Menwei that serves it."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import signal
import socket
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, field
from importlib import resources
from pathlib import Path

from bot import settings, texts
from bot.app import App
from bot.settings import Settings
from bot.simulator import Corp, Simulator, demo_world
from bot.texts import Text

HOST = "127.0.0.1"
ADMINS = ("zhaomin", "chenyu")  # of the demo's rules; told once Menwei knows the company
_PATIENCE = 30.0  # seconds until a start counts as failed, also on a slow machine
_LAST_PORT = 65535
_PLACES = re.compile(r"^(port|public_url|api_base|url) = .*$", re.MULTILINE)


@dataclass(slots=True)
class Demo:
    """The pretend company and its Menwei, which can begin again together.

    A `port` of 0 takes any free one. Every beginning has a database of its own in `folder`.
    """

    folder: Path
    page_port: int = 0
    menwei_port: int = 0
    simulator: Simulator = field(default_factory=lambda: Simulator(corp(), demo_world()))
    _menwei: AsyncExitStack = field(default_factory=AsyncExitStack)
    _busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    _changed: asyncio.Event = field(default_factory=asyncio.Event)
    _app: App | None = None
    _seen: frozenset[str] = frozenset()  # who may use customer contact
    _looking: set[asyncio.Future[None]] = field(default_factory=set)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Run until the block ends; gives the address of the page once everything is ready."""
        self.simulator.world.on_change(lambda *_: self._changed.set())
        page = await self.simulator.start(HOST, self.page_port)
        try:
            await self._begin()
            self.simulator.on_reset = self.start_over
            self.simulator.world.on_change(self._watch_console)
            yield page
        finally:
            async with self._busy:
                await self._menwei.aclose()
            await self.simulator.stop()

    async def start_over(self) -> None:
        """Begin again: the world as it was, and a Menwei that remembers nothing."""
        async with self._busy:
            self.simulator.callback_url = ""
            self._app = None
            await self._menwei.aclose()
            self.simulator.reset()
            await self._begin()

    async def _begin(self) -> None:
        wish = configured(self.simulator.base_url, self.menwei_port, self.folder)
        self._menwei = AsyncExitStack()
        self._app = App(wish, file=self.folder / "config.toml")
        address = await self._menwei.enter_async_context(self._app.running())
        self.menwei_port = int(address.rpartition(":")[2])
        self.simulator.callback_url = f"{address}/wecom/callback"
        listen_directory(self.simulator, wish, address)
        await self._until_admins_are_told()
        self._seen = self._able()

    def _watch_console(self, kind: str, _: object) -> None:
        """Have Menwei look at once at what WeCom tells nobody: an hour is long for a visitor."""
        if kind == "member" and self._app is not None and (able := self._able()) != self._seen:
            self._seen = able
            task = asyncio.ensure_future(self._app.look_at_console())
            self._looking.add(task)
            task.add_done_callback(self._looking.discard)

    def _able(self) -> frozenset[str]:
        members = self.simulator.world.state.members.values()
        return frozenset(member.userid for member in members if member.customer_contact)

    async def _until_admins_are_told(self) -> None:
        told = self.simulator.world.state.chats
        async with asyncio.timeout(_PATIENCE):
            while not all(told.get(each) for each in ADMINS):
                self._changed.clear()
                await self._changed.wait()


async def play(port: int, folder: Path | None, say: Callable[[str], None]) -> None:
    """Run the demo until it is interrupted; its data is forgotten unless `folder` keeps it."""
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    with ExitStack() as stack:
        if folder is None:
            kept = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="menwei-demo-")))
        else:
            kept = folder
            kept.mkdir(parents=True, exist_ok=True)
        page_port = free_port(port)
        demo = Demo(kept, page_port, free_port(page_port + 1) if port else 0)
        if page_port != port:
            _say(say, "demo.port_taken", port=port, free=page_port)
        async with demo.running() as page:
            _say(say, "demo.open", page=Text(page))
            if folder is not None:
                _say(say, "demo.kept", config=Text(folder / "config.toml"))
            await stop.wait()


def free_port(wish: int) -> int:
    """Return the wished port, or the next one that nobody listens on. 0 stays 0."""
    for port in range(wish, _LAST_PORT + 1):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
            return wish and port
    raise OSError(f"no free port from {wish} on")


def corp() -> Corp:
    """Return the pretend company's app, with the secrets of the demo's config file."""
    wish = settings.parse(_file()).wecom
    return Corp(
        corp_id=wish.corp_id,
        agent_id=wish.agent_id,
        secret=wish.secret.get_secret_value(),
        token=wish.token.get_secret_value(),
        encoding_aes_key=wish.encoding_aes_key.get_secret_value(),
        callback_url="",
    )


def listen_directory(simulator: Simulator, wish: Settings, address: str) -> None:
    """Have the pretend company tell Menwei of its people, through the second callback."""
    door = wish.wecom.directory
    if door is not None:
        token, key = door.token.get_secret_value(), door.encoding_aes_key.get_secret_value()
        simulator.listen_directory(f"{address}/wecom/directory", token, key)


def configured(api_base: str, port: int, folder: Path) -> Settings:
    """Return the demo's settings for where it runs this time.

    `folder` gets the same as `config.toml`, which `menwei trace` and `menwei audit` can read.
    """
    values = {
        "port": port,
        "public_url": f"http://{HOST}:{port}",
        "api_base": api_base,
        "url": f"sqlite:///{_fresh(folder)}",
    }

    def filled(line: re.Match[str]) -> str:
        return f"{line[1]} = {json.dumps(values[line[1]], ensure_ascii=False)}"

    config = _PLACES.sub(filled, _file())
    (folder / "config.toml").write_text(config, "utf-8")
    return settings.parse(config)


def _fresh(folder: Path) -> Path:
    """Return where the next database goes: the world forgets, so its records begin anew too."""
    names = (f"menwei-{number}.db" for number in itertools.count(1))
    return next(path for name in names if not (path := folder.absolute() / name).exists())


def _say(say: Callable[[str], None], text: str, **values: object) -> None:
    for language in texts.LANGUAGES:
        say(texts.load(language)(text, **values))


def _file() -> str:
    return resources.files(__package__).joinpath("config.toml").read_text("utf-8")
