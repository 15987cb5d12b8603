"""What is on record: verify the audit, look at given-up work, look after the database."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from bot import dead_letters, reports
from bot.console import shell
from bot.console.shell import CONFIG, FINDINGS, AsJson, Config, voice_of
from bot.texts import Text
from storage import backups, vacuum
from storage.database import Database, Unavailable

_LISTED = 100

audit = typer.Typer(help="Read and verify the append-only record.", no_args_is_help=True)
db = typer.Typer(help="Look after the database.", no_args_is_help=True)
dead = typer.Typer(help="Look at work that was given up, and try it again.", no_args_is_help=True)


@audit.command()
def verify(
    config: Config = CONFIG,
    noted: Annotated[
        str | None,
        typer.Option("--noted", help="A SEQ:HASH noted earlier: finds a rewritten record."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check that no record was changed, removed, added or moved. Exit 1 when one was."""
    earlier = reports.noted_head(noted) if noted else None
    if noted and earlier is None:
        raise typer.BadParameter("write it as SEQ:HASH, both as `menwei audit verify` showed them")
    found = shell.load(config)
    breach, head = shell.reading(found, lambda tx: (tx.audit.verify(earlier), tx.audit.head()))
    voice = voice_of(found)
    if as_json:
        what = {"ok": breach is None, "records": head.seq, "head": head.hash}
        broken = {"breach": {"seq": breach.seq, "harm": breach.harm}} if breach else {}
        shell.print_json(what | broken)
    elif breach:
        harm = voice(f"audit.harm.{breach.harm.value}")
        shell.say(voice("audit.breach", seq=breach.seq, harm=harm))
    else:
        shell.say(voice("audit.good", count=head.seq, hash=head.hash))
    raise typer.Exit(FINDINGS if breach else 0)


Kind = Annotated[str, typer.Option("--kind", help="Only work of this kind.")]


@dead.command("list")
def dead_list(kind: Kind = "", config: Config = CONFIG, as_json: AsJson = False) -> None:
    """List what was given up, the newest first, without its content. Exit 1 if there is any."""
    found = shell.load(config)
    rows = shell.reading(found, lambda tx: tx.work.dead_letters(_LISTED, kind))
    if as_json:
        shell.print_json([dead_letters.filed_json(each) for each in rows])
    else:
        shell.say_all(reports.dead(each, found.rules) for each in rows)
        shell.say(voice_of(found)("dead.count", count=len(rows)))
    raise typer.Exit(FINDINGS if rows else 0)


@dead.command("show")
def dead_show(
    number: Annotated[int, typer.Argument(help="The number `menwei dead list` shows.")],
    config: Config = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Show one thing that was given up: why, for whom, and what is in it, masked."""
    found, now = shell.load(config), datetime.now(UTC)
    voice = voice_of(found)
    row = shell.writing(found, lambda tx: reports.looked_up(tx, number, now))
    if row is None:
        shell.refuse(voice("dead.unknown", number=number))
    if as_json:
        shell.print_json(dead_letters.as_dict(row, voice))
    else:
        shell.say(dead_letters.shown(row, voice, found.rules.zone))


@dead.command("replay")
def dead_replay(
    which: Annotated[str, typer.Argument(help="A number that `menwei dead list` shows, or all.")],
    kind: Kind = "",
    config: Config = CONFIG,
) -> None:
    """Have work that was given up tried again by the running Menwei. Exit 1 if there is none."""
    if which != "all" and not which.isdecimal():
        raise typer.BadParameter("write a number, or all")
    found = shell.load(config)
    voice, now = voice_of(found), datetime.now(UTC)
    if which != "all":
        done = shell.writing(found, lambda tx: reports.replayed(tx, [int(which)], now))
        shell.say(voice("dead.replayed" if done else "dead.unknown", number=which))
        raise typer.Exit(0 if done else FINDINGS)
    total = 0
    while more := shell.writing(found, lambda tx: reports.replayed_some(tx, kind, now)):
        total += more
    shell.say(voice("dead_letters.replayed" if total else "dead_letters.none", count=total))
    raise typer.Exit(0 if total else FINDINGS)


@db.command()
def upgrade(config: Config = CONFIG) -> None:
    """Bring the database to this version's tables. `serve` does the same when it starts."""
    found = shell.load(config)
    with closing(Database.open(found.storage.address)) as database:
        try:
            database.upgrade()
        except Unavailable as error:
            shell.refuse(voice_of(found)("database.unavailable", error=str(error)))
    shell.say("ok")


@db.command()
def backup(
    target: Annotated[Path, typer.Argument(help="Where the copy goes; nothing is overwritten.")],
    config: Config = CONFIG,
) -> None:
    """Copy an SQLite database while Menwei runs. With PostgreSQL, use pg_dump."""
    found = shell.load(config)
    voice = voice_of(found)
    with closing(Database.open(found.storage.address)) as database:
        if database.file is None:
            shell.refuse(voice("backup.postgresql"))
        if not database.is_there():
            shell.refuse(voice("database.missing"))
        try:
            backups.copy(database.file, target)
        except backups.Exists:
            shell.refuse(voice("backup.exists", path=Text(target)))
        except (OSError, sqlite3.Error) as error:
            shell.refuse(
                voice("backup.failed", error=getattr(error, "strerror", None) or str(error))
            )
    shell.say(voice("backup.done", path=Text(target)))


@db.command("vacuum")
def vacuum_(
    rebuild: Annotated[
        bool, typer.Option("--rebuild", help="Write the file anew, once; stop Menwei before.")
    ] = False,
    config: Config = CONFIG,
) -> None:
    """Give what deleted rows occupied in an SQLite file back to the disk, while Menwei runs."""
    found = shell.load(config)
    voice = voice_of(found)
    with closing(Database.open(found.storage.address)) as database:
        file = database.file
    if file is None:
        shell.say(voice("vacuum.postgresql"))
        return
    if not file.exists():
        shell.refuse(voice("database.missing"))
    try:
        freed = vacuum.rebuild(file) if rebuild else vacuum.vacuum(file)
    except Unavailable as error:
        shell.refuse(voice("database.unavailable", error=str(error)))
    if freed is None:
        shell.refuse(voice("vacuum.rebuild_first"))
    shell.say(voice("vacuum.done", pages=freed))
