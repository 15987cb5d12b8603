"""`menwei sources`: how the outside sources stand, and reading one now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from bot import holidays, source_reports
from bot.actions import sourcing
from bot.company import Company
from bot.console import shell
from bot.console.shell import CONFIG, FINDINGS, AsJson, Config, voice_of
from bot.sources import reading
from bot.sources.keeping import kinds_of
from bot.sources.reading import Declared, Reading
from storage.database import Database
from workflows.policy import compile_policy

sources = typer.Typer(
    help="See how the outside sources stand, or read one now.", invoke_without_command=True
)


@sources.callback()
def list_them(context: typer.Context, config: Config = CONFIG, as_json: AsJson = False) -> None:
    """List every source with rows, age and what is wrong with it. Exit 1 if anything is."""
    if context.invoked_subcommand is not None:
        return
    found = shell.load(config)
    states = {each.name: each for each in shell.reading(found, lambda tx: tx.sources.all())}
    now = datetime.now(UTC)
    if as_json:
        shell.print_json(source_reports.as_json(found, states, now))
    else:
        shell.say_all(source_reports.lines(found, states, voice_of(found), now))
    raise typer.Exit(FINDINGS if source_reports.is_wrong(found, states, now) else 0)


@sources.command()
def refresh(
    name: Annotated[str, typer.Argument(help="The NAME of a [sources.NAME].")],
    config: Config = CONFIG,
    fewer: Annotated[
        bool, typer.Option("--fewer", help="Take it although most of its rows are gone.")
    ] = False,
) -> None:
    """Read a source now. Exit 1 if it cannot be read; what was known before is kept then."""
    found = shell.load(config)
    voice = voice_of(found)
    if name not in found.sources:
        shell.refuse(voice("sources.unknown", name=name, names=voice.listed(found.sources)))

    async def read(db: Database) -> Reading | None:
        company = Company(compile_policy(found.rules, holidays.CHINA), lambda: datetime.now(UTC))
        await company.refresh(db)
        kinds = kinds_of(found.rules, company.standing.policy.rulebook)
        declared = Declared(name, found.sources[name], kinds)
        done = await reading.read(db, declared, company.now, fewer=fewer)
        settled = done is not None and await db.write(
            lambda tx: sourcing.settle(company.scene(tx, "system:console"), done)
        )
        await reading.clean_up(db)
        return done if settled else None

    done = shell.on_database(found.storage.address, voice, read)
    if done is None:
        shell.refuse(voice("sources.overtaken", name=name))
    shell.say_all(source_reports.refreshed(done.state, voice, datetime.now(UTC)))
    raise typer.Exit(FINDINGS if done.state.trouble else 0)
