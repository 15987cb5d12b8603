"""`menwei serve` and `menwei demo`: what runs until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from bot import checking, demo, monitoring, reports
from bot.app import App
from bot.console import shell
from bot.console.shell import CONFIG, Config
from bot.settings import Settings


def serve(
    config: Config = CONFIG,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Run Menwei until it is told to stop."""
    found = shell.load(config)
    checked = checking.check(checking.compiled(found.rules), checking.Known())
    if not checked.is_good:  # rules that break their own tests never take effect
        text = config.read_text("utf-8")
        for line in reports.checked(str(config), text, checked, shell.voice_of(found)):
            shell.complain(line)
        raise typer.Exit(shell.FINDINGS)
    monitoring.set_up_logging(log_level, as_json=not sys.stderr.isatty())
    shell.run(_serve(found))


async def _serve(found: Settings) -> None:
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    async with App(found).running() as address:
        shell.complain(f"Menwei listens on {address}. Callback URL: {_callback(found, address)}")
        await stop.wait()


def _callback(found: Settings, address: str) -> str:
    return f"{found.server.public_url or address}/wecom/callback"


def play(
    port: Annotated[int, typer.Option(help="Port of the page; Menwei takes the next one.")] = 8900,
    folder: Annotated[Path | None, typer.Option(help="Keep the demo's data here.")] = None,
) -> None:
    """Play the whole product: a pretend WeCom with four phones, and Menwei beside it."""
    monitoring.set_up_logging("warning", as_json=False)
    shell.run(demo.play(port, folder, say=shell.say))
