"""What all commands share: their options, how they print, and how they reach file and database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Iterable
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, TypeVar

import typer
from rich.console import Console

from bot import reports, settings, texts
from bot.places import Places
from bot.settings import BadSettings, Settings, Unparsable
from bot.texts import Texts
from storage.database import Database, Unavailable
from storage.transaction import Step

T = TypeVar("T")

FINDINGS = 1  # the exit code that says: look at what was printed
CONFIG = Path("config.toml")

Config = Annotated[
    Path, typer.Option("--config", "-c", help="The config file.", envvar="MENWEI_CONFIG")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]

_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)


def say(line: str) -> None:
    """Print a line as it is."""
    _out.print(line, markup=False)


def say_all(lines: Iterable[str]) -> None:
    """Print each line as it is."""
    for line in lines:
        say(line)


def complain(line: str) -> None:
    """Print a line where errors go."""
    _err.print(line, markup=False)


def print_json(value: object) -> None:
    """Print a value for scripts."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def voice_of(found: Settings) -> Texts:
    """Return the language of a config file."""
    return texts.load(found.rules.language)


def load(path: Path, *, as_json: bool = False) -> Settings:
    """Return the settings, or say everything that is wrong with them and exit with 1."""
    try:
        return settings.load(path)
    except Unparsable as wrong:
        complain(str(wrong))
    except BadSettings as wrong:
        text = path.read_text("utf-8")
        if as_json:
            places = Places(text)
            found = [reports.mistake_json(each, places.of(each.loc)) for each in wrong.mistakes]
            print_json({"ok": False, "mistakes": found})
        else:
            voice = texts.load(settings.language_of(path))  # even if much else in it is wrong
            for line in reports.mistakes(str(path), text, wrong.mistakes, voice):
                complain(line)
    raise typer.Exit(FINDINGS)


def reading(found: Settings, query: Step[T]) -> T:
    """Return the answer of a query on the database of a config file.

    The database must be there, and is not upgraded.
    """
    return on_database(found, lambda database: database.read(query))


def writing(found: Settings, step: Step[T]) -> T:
    """Return the answer of a step once it is committed; otherwise as `reading`."""
    return on_database(found, lambda database: database.write(step))


def on_database(found: Settings, ask: Any) -> Any:
    """Run a coroutine function on the database of a config file; complain and exit if it cannot."""
    voice = voice_of(found)
    with closing(Database.open(found.storage.address)) as database:
        if not database.is_there():
            complain(voice("database.missing"))
            raise typer.Exit(FINDINGS)
        try:
            return asyncio.run(ask(database))
        except Unavailable as error:
            complain(voice("database.unavailable", error=str(error)))
            raise typer.Exit(FINDINGS) from None


def run(coroutine: Coroutine[Any, Any, None]) -> None:
    """Run a program to its end; what keeps it from running is said in one line."""
    try:
        asyncio.run(coroutine)
    except Unavailable as error:
        complain(f"The database cannot be used: {error}")
        raise typer.Exit(FINDINGS) from None
    except OSError as error:
        complain(str(error))
        raise typer.Exit(FINDINGS) from None
