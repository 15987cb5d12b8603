"""`menwei demo`: a pretend WeCom with four phones, and a real Menwei that serves it."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from importlib import resources
from pathlib import Path

from bot import settings
from bot.app import App
from bot.settings import Settings
from bot.simulator import Corp, Simulator, demo_world


async def play(port: int, folder: Path | None, say: Callable[[str], None]) -> None:
    """Run the demo until it is interrupted; its data is forgotten unless `folder` keeps it."""
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    with ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="menwei-demo-")))
        folder.mkdir(parents=True, exist_ok=True)
        simulator = Simulator(corp(), demo_world())
        page = await simulator.start(port=port)
        try:
            async with App(configured(page, port + 1 if port else 0, folder)).running() as address:
                simulator.callback_url = f"{address}/wecom/callback"
                say(f"门卫 demo: open {page} in a browser. Stop with Ctrl-C.")
                await stop.wait()
        finally:
            await simulator.stop()


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


def configured(api_base: str, port: int, folder: Path) -> Settings:
    """Return the demo's settings for where it runs this time."""
    found = settings.parse(_file())
    return Settings(
        server=found.server.model_copy(update={"port": port}),
        wecom=found.wecom.model_copy(update={"api_base": api_base}),
        storage=found.storage.model_copy(update={"url": f"sqlite:///{folder}/menwei.db"}),
        rules=found.rules,
    )


def _file() -> str:
    return resources.files(__package__).joinpath("config.toml").read_text("utf-8")
