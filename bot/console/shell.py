"""What all commands share: their options, how they print, and how they reach file and database."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Iterable
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any, NoReturn, TypeVar

import typer
from rich.console import Console

from bot import reports, settings, texts
from bot.places import Places
from bot.settings import BadSettings, Reading, Settings, Unparsable
from bot.texts import Texts
from storage.database import Database, Unavailable
from storage.transaction import Step
from workflows.directory import Directory
from workflows.mistakes import Mistake

T = TypeVar("T")

FINDINGS = 1  # the exit code that says: look at what was printed
CONFIG = Path("config.toml")

Config = Annotated[
    Path, typer.Option("--config", "-c", help="The config file.", envvar="MENWEI_CONFIG")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]

_out = Console(highlight=False, soft_wrap=True, emoji=False)
_err = Console(stderr=True, highlight=False, soft_wrap=True, emoji=False)


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


def refuse(said: str) -> NoReturn:
    """Say why it is not done, and exit with 1."""
    complain(said)
    raise typer.Exit(FINDINGS)


def print_json(value: object) -> None:
    """Print a value for scripts."""
    print(json.dumps(value, ensure_ascii=False, indent=2))


def voice_of(found: Settings) -> Texts:
    """Return the language of a config file."""
    return texts.load(found.rules.language)


def load(path: Path, *, as_json: bool = False) -> Settings:
    """Return the settings, or say everything that is wrong with them and exit with 1."""
    reading = _read(path)
    try:
        return reading.settings
    except BadSettings as wrong:
        complain_of(path, reading, wrong.mistakes, as_json=as_json)
    raise typer.Exit(FINDINGS)


def look(path: Path) -> Reading:
    """Return a config file whose rules may be bad; exit if it does not name the database."""
    reading = _read(path)
    if reading.program is None:
        complain_of(path, reading, reading.mistakes)
        raise typer.Exit(FINDINGS)
    return reading


def _read(path: Path) -> Reading:
    try:
        return settings.look(path)
    except Unparsable as wrong:
        complain(str(wrong))
        raise typer.Exit(FINDINGS) from None


def complain_of(
    path: Path, reading: Reading, mistakes: Iterable[Mistake], *, as_json: bool = False
) -> None:
    """Say what is wrong with a config file, each mistake with its place."""
    if as_json:
        places = Places(reading.text)
        found = [reports.mistake_json(each, places.of(each.loc)) for each in mistakes]
        print_json({"ok": False, "mistakes": found})
        return
    voice = texts.load(settings.language_of(path))  # even if much else in it is wrong
    for line in reports.mistakes(str(path), reading.text, mistakes, voice):
        complain(line)


def reading(found: Settings, query: Step[T]) -> T:
    """Return the answer of a query on the database of a config file.

    The database must be there, and is not upgraded.
    """
    return on_database(
        found.storage.address, voice_of(found), lambda database: database.read(query)
    )


def writing(found: Settings, step: Step[T]) -> T:
    """Return the answer of a step once it is committed; otherwise as `reading`."""
    return on_database(
        found.storage.address, voice_of(found), lambda database: database.write(step)
    )


def on_database(address: str, voice: Texts, ask: Callable[[Database], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine function on a database that is there; say so and exit if it is not."""
    with closing(Database.open(address)) as database:
        if not database.is_there():
            complain(voice("database.missing"))
            raise typer.Exit(FINDINGS)
        try:
            return asyncio.run(ask(database))
        except Unavailable as error:
            complain(voice("database.unavailable", error=str(error)))
            raise typer.Exit(FINDINGS) from None


def naming(directory: Directory) -> Callable[[str], str]:
    """Return how people are shown on the command line: name and userid, or what is known."""

    def named(userid: str) -> str:
        member = directory.member(userid)
        return f"{member.name} ({member.userid})" if member and member.name else userid

    return named


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
