"""Judge what was decided again by other rules: replay."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from bot import checking, replays, tallies
from bot.console import shell
from bot.console.shell import CONFIG, FINDINGS, AsJson, Config, voice_of
from bot.replays import Window
from bot.texts import Texts
from storage.database import Database
from storage.transaction import Transaction
from workflows.directory import Directory
from workflows.policy import Policy
from workflows.replaying import Tally
from workflows.schedules import parse_duration
from workflows.standing import Standing


def replay(
    new: Annotated[Path, typer.Argument(help="The config file whose rules shall judge.")],
    config: Config = CONFIG,
    since: Annotated[str, typer.Option("--since", help="How far back: 30d, 12h.")] = "30d",
    as_json: AsJson = False,
) -> None:
    """Judge what was decided again by other rules, with the facts and at the time of then.

    Exit 1 if anything would be looser, or would go to other approvers who cannot be compared.
    """
    now = datetime.now(UTC)
    window = Window(now - _length(since), now)
    found, wanted = shell.load(config), shell.load(new, as_json=as_json)
    voice, judge = voice_of(wanted), checking.compiled(wanted.rules)

    async def go(database: Database) -> Tally:
        return await watched(database, judge, window, voice)

    tally = shell.on_database(found.storage.address, voice, go)
    if as_json:
        begin = {"policy": judge.hash, "since": window.since.isoformat()}
        shell.print_json({**begin, **tallies.as_json(tally)})
    else:
        since_then = voice.when(window.since, judge.zone, now)
        key = "replay.head" if tally.total else "replay.nothing"
        shell.say(voice(key, hash=judge.hash, since=since_then))
        if tally.total:
            shell.say_all(tallies.lines(tally, voice, judge.zone, now))
    raise typer.Exit(FINDINGS if tally.may_loosen else 0)


def _length(since: str) -> timedelta:
    try:
        return parse_duration(since)
    except ValueError:
        raise typer.BadParameter("write it as 30d, 12h or 45m", param_hint="--since") from None


async def watched(database: Database, judge: Policy, window: Window, voice: Texts) -> Tally:
    """Judge again under a progress bar, if somebody sits before the terminal."""

    def look(tx: Transaction) -> tuple[Directory, int]:
        return tx.people.directory(), tx.decisions.count(window.since, window.until)

    directory, count = await database.read(look)
    with _bar(voice("replay.progress"), count) as progress:
        return await replays.judged(database, Standing(judge, directory), window, progress)


@contextmanager
def _bar(title: str, count: int) -> Iterator[replays.Progress]:
    columns = (TextColumn(title), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, disable=not console.is_terminal
    ) as bar:
        task = bar.add_task(title, total=count)
        yield lambda read: bar.advance(task, read)
