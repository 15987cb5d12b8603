"""`menwei serve` and `menwei demo`: what runs until it is told to stop."""

from __future__ import annotations

import asyncio
import signal
import sys
from contextlib import closing
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot import checking, demo, monitoring, reports, texts
from bot.app import App
from bot.console import shell
from bot.console.shell import CONFIG, Config
from bot.settings import Reading, Settings
from storage.database import Database, Unavailable
from workflows.sections import Rulebook


class LogLevel(StrEnum):
    """From which level on something is logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


_STOPPING = (signal.SIGINT, signal.SIGTERM)


def serve(
    config: Config = CONFIG,
    log_level: Annotated[LogLevel, typer.Option(help="What is worth a line.")] = LogLevel.INFO,
) -> None:
    """Run Menwei until it is told to stop.

    A config file with bad rules never takes effect: the version last in force runs on.
    """
    found = settings_to_start(config)
    monitoring.set_up_logging(log_level.value, as_json=not sys.stderr.isatty())
    shell.run(_serve(found, config))


def settings_to_start(config: Path) -> Settings:
    """Return what to start with; say what is wrong with the file, and exit if nothing else is left.

    While a file is bad, the rules are those last in force.
    """
    reading = shell.look(config)
    return _startable(config, reading) or _last_in_force(reading)


def _startable(config: Path, reading: Reading) -> Settings | None:
    """Return the settings of a good file; say what is wrong with another one."""
    if reading.rules is None or reading.mistakes:
        shell.complain_of(config, reading, reading.mistakes)
        return None
    checked = checking.check(checking.compiled(reading.rules), checking.Known())
    if checked.is_good:
        return reading.settings
    voice = texts.load(reading.rules.language)
    for line in reports.checked(str(config), reading.text, checked, voice):
        shell.complain(line)
    return None


def _last_in_force(reading: Reading) -> Settings:
    """Return the settings with the rules last in force; exit if there are none."""
    with closing(Database.open(reading.address)) as database:
        there = database.is_there()
        try:
            active = asyncio.run(database.read(lambda tx: tx.policies.active())) if there else None
        except Unavailable as error:
            shell.refuse(f"The database cannot be used: {error}")
    if active is None:
        raise typer.Exit(shell.FINDINGS)
    voice = texts.load(Rulebook.model_validate_json(active.text).language)
    shell.complain(voice("serve.last_in_force", hash=active.hash))
    return reading.settings_with(Rulebook.model_validate_json(active.text))


async def _serve(found: Settings, config: Path) -> None:
    stop = asyncio.Event()
    for each in _STOPPING:
        asyncio.get_running_loop().add_signal_handler(each, _told_to_stop, stop)
    app = App(found, file=config)
    async with app.running() as address:
        shell.complain(f"Menwei listens on {address}. Callback URL: {_callback(found, address)}")
        await stop.wait()
        await app.drain()


def _told_to_stop(stop: asyncio.Event) -> None:
    """Begin to stop; whoever asks once more does not want to wait."""
    stop.set()
    for each in _STOPPING:
        asyncio.get_running_loop().remove_signal_handler(each)
        signal.signal(each, signal.SIG_DFL)


def _callback(found: Settings, address: str) -> str:
    return f"{found.server.public_url or address}/wecom/callback"


def play(
    port: Annotated[int, typer.Option(help="Port of the page; Menwei takes the next one.")] = 8900,
    folder: Annotated[Path | None, typer.Option(help="Keep the demo's data here.")] = None,
) -> None:
    """Play the whole product: a pretend WeCom with four phones, and Menwei beside it."""
    monitoring.set_up_logging("warning", as_json=False)
    shell.run(demo.play(port, folder, say=shell.say))
