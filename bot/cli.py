"""The command line: `menwei serve`, `demo`, `check`, `lint`, `test`, `trace`, `audit`, `db`."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from bot import checking, comparing, demo, explanations, monitoring, reports, settings, texts
from bot import schema as schemas
from bot.app import App
from bot.places import Places
from bot.settings import BadSettings, Settings, Unparsable
from bot.texts import Texts
from storage.database import Database, Unavailable
from workflows import edits, policy
from workflows.attributes import ACTIONS
from workflows.directory import Directory
from workflows.model import Outcome
from workflows.standing import Standing

FINDINGS = 1
_LISTED = 100

cli = typer.Typer(
    name="menwei",
    help="门卫: the doorman of a company's WeChat contacts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
audit = typer.Typer(help="Read and verify the append-only record.", no_args_is_help=True)
db = typer.Typer(help="Look after the database.", no_args_is_help=True)
dead = typer.Typer(help="Look at work that was given up, and try it again.", no_args_is_help=True)
cli.add_typer(audit, name="audit")
cli.add_typer(dead, name="dead")
cli.add_typer(db, name="db")

Config = Annotated[
    Path, typer.Option("--config", "-c", help="The config file.", envvar="MENWEI_CONFIG")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for scripts.")]
_CONFIG = Path("config.toml")
_out = Console(highlight=False, soft_wrap=True)
_err = Console(stderr=True, highlight=False, soft_wrap=True)


@cli.command()
def serve(
    config: Config = _CONFIG,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
) -> None:
    """Run Menwei until it is told to stop."""
    found = _load(config)
    checked = checking.check(checking.compiled(found.rules), checking.Known())
    if not checked.is_good:  # rules that break their own tests never take effect
        voice = texts.load(found.rules.language)
        for line in reports.checked(str(config), config.read_text("utf-8"), checked, voice):
            _err.print(line, markup=False)
        raise typer.Exit(FINDINGS)
    monitoring.set_up_logging(log_level, as_json=not sys.stderr.isatty())
    _run(_serve(found))


async def _serve(found: Settings) -> None:
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    async with App(found).running() as address:
        _err.print(f"Menwei listens on {address}. Callback URL: {_callback(found, address)}")
        await stop.wait()


def _callback(found: Settings, address: str) -> str:
    return f"{found.server.public_url or address}/wecom/callback"


@cli.command("demo")
def demo_(
    port: Annotated[int, typer.Option(help="Port of the page; Menwei takes the next one.")] = 8900,
    folder: Annotated[Path | None, typer.Option(help="Keep the demo's data here.")] = None,
) -> None:
    """Play the whole product: a pretend WeCom with four phones, and Menwei beside it."""
    monitoring.set_up_logging("warning", as_json=False)
    _run(demo.play(port, folder, say=_out.print))


@cli.command()
def check(config: Config = _CONFIG, as_json: AsJson = False) -> None:
    """Check a config file, its secrets, its tests and who could still decide. Exit 1 if wrong."""
    found = _load(config, as_json=as_json)
    known = checking.known(found.storage.address)
    checked = checking.check(checking.compiled(found.rules), known)
    voice = texts.load(found.rules.language)
    if as_json:
        _print_json(reports.checked_json(checked, Places(config.read_text("utf-8"))))
    else:
        for line in reports.checked(str(config), config.read_text("utf-8"), checked, voice):
            _out.print(line, markup=False)
        if known.directory is None:
            _out.print(voice("guard.no_directory"), markup=False)
    raise typer.Exit(0 if checked.is_good else FINDINGS)


@cli.command()
def lint(config: Config = _CONFIG, as_json: AsJson = False) -> None:
    """Find what works but is hardly meant: rules without effect, unused names. Exit 1 if any."""
    found = _load(config, as_json=as_json)
    text, voice = config.read_text("utf-8"), texts.load(found.rules.language)
    today = datetime.now(found.rules.zone).date()
    known = checking.known(found.storage.address)
    findings = checking.findings(checking.compiled(found.rules), known, today)
    if as_json:
        places = Places(text)
        _print_json([reports.mistake_json(each, places.of(each.loc)) for each in findings])
    else:
        for line in reports.mistakes(str(config), text, findings, voice):
            _out.print(line, markup=False)
        result = voice("lint.result" if findings else "lint.clean", count=len(findings))
        _out.print(result, markup=False)
    raise typer.Exit(FINDINGS if findings else 0)


@cli.command("test")
def run_tests(
    config: Config = _CONFIG,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Say which rules the tests reach.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run the tests in a config file. Exit 1 when one fails."""
    found = _load(config, as_json=as_json)
    judge = checking.compiled(found.rules)
    tested = checking.tests(judge)
    reached = checking.covered(judge, tested) if coverage else None
    if as_json:
        _print_json(reports.tests_json(tested, reached))
    else:
        for line in reports.tests(tested, reached, texts.load(found.rules.language)):
            _out.print(line, markup=False)
    raise typer.Exit(0 if all(each.passed for each in tested) else FINDINGS)


@cli.command()
def diff(
    old: Annotated[Path, typer.Argument(help="The config file as it is.")],
    new: Annotated[Path, typer.Argument(help="The config file as it shall be.")],
    as_json: AsJson = False,
) -> None:
    """Say what a change of the rules widens or tightens, and for whom. Exit 1 if it widens."""
    before, after = _load(old, as_json=as_json), _load(new, as_json=as_json)
    directory = checking.known(after.storage.address).directory or Directory()
    was = Standing(checking.compiled(before.rules), directory)
    shall_be = Standing(checking.compiled(after.rules), directory)
    found = edits.report(was, shall_be, datetime.now(after.rules.zone))
    if as_json:
        _print_json(comparing.as_json(found))
    else:
        for line in comparing.lines(found, texts.load(after.rules.language)):
            _out.print(line, markup=False)
    raise typer.Exit(FINDINGS if found.is_widening else 0)


@cli.command()
def schema() -> None:
    """Print the JSON Schema of the config file, for editors."""
    _print_json(schemas.generate())


@cli.command()
def trace(
    what: Annotated[str, typer.Argument(help="A request's id, or a customer's external_userid.")],
    config: Config = _CONFIG,
    as_json: AsJson = False,
) -> None:
    """Tell the whole story of a request or a customer. Exit 1 when there is none."""
    found = _load(config)
    records = _reading(found, lambda tx: reports.records(tx, what))
    if as_json:
        _print_json([reports.as_json(each) for each in records])
    else:
        for each in records:
            _out.print(reports.line(each, found.rules), markup=False)
    if not records:
        _err.print(texts.load(found.rules.language)("trace.nothing", what=what), markup=False)
        raise typer.Exit(FINDINGS)


@cli.command()
def explain(
    request_id: Annotated[str, typer.Argument(metavar="ID", help="A request's id.")],
    config: Config = _CONFIG,
) -> None:
    """Show every step of a request's decision, with the line of the file. Exit 1 if unknown."""
    found = _load(config)
    voice = texts.load(found.rules.language)
    request = _reading(found, lambda tx: tx.requests.get(request_id))
    if request is None:
        _err.print(voice("trace.nothing", what=request_id), markup=False)
        raise typer.Exit(FINDINGS)
    at, judge = request.created_at, checking.compiled(found.rules)
    now = policy.decide(judge, request.facts, request.action, at, traced=True)
    text = config.read_text("utf-8")
    for line in explanations.explained(request, now, found.rules, text, voice):
        _out.print(line, markup=False)


@cli.command()
def can(
    who: Annotated[str, typer.Argument(help="A member's userid.")],
    action: Annotated[str, typer.Argument(help="An action, for example friend.add.")],
    config: Config = _CONFIG,
) -> None:
    """Say what a member may do by level, and which rules may say otherwise. Exit 1 if nothing."""
    if action not in ACTIONS:
        raise typer.BadParameter(f"{action} is none of {', '.join(ACTIONS)}")
    found = _load(config)
    directory = _reading(found, lambda tx: tx.people.directory())
    standing = Standing(checking.compiled(found.rules), directory)
    voice = texts.load(found.rules.language)
    for line in explanations.rights(standing, who, action, voice):
        _out.print(line, markup=False)
    raise typer.Exit(FINDINGS if standing.may(who, action) is Outcome.DENY else 0)


@audit.command()
def verify(
    config: Config = _CONFIG,
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
    found = _load(config)
    breach, head = _reading(found, lambda tx: (tx.audit.verify(earlier), tx.audit.head()))
    voice = texts.load(found.rules.language)
    if as_json:
        what = {"ok": breach is None, "records": head.seq, "head": head.hash}
        _print_json(what | ({"breach": {"seq": breach.seq, "harm": breach.harm}} if breach else {}))
    elif breach:
        harm = voice(f"audit.harm.{breach.harm.value}")
        _out.print(voice("audit.breach", seq=breach.seq, harm=harm), markup=False)
    else:
        _out.print(voice("audit.good", count=head.seq, hash=head.hash), markup=False)
    raise typer.Exit(FINDINGS if breach else 0)


@dead.command("list")
def dead_list(config: Config = _CONFIG, as_json: AsJson = False) -> None:
    """List what was given up, the newest first, without its content. Exit 1 if there is any."""
    found = _load(config)
    rows = _reading(found, lambda tx: tx.work.dead_letters(_LISTED))
    if as_json:
        _print_json([reports.dead_json(each) for each in rows])
    else:
        for each in rows:
            _out.print(reports.dead(each, found.rules), markup=False)
        _out.print(texts.load(found.rules.language)("dead.count", count=len(rows)), markup=False)
    raise typer.Exit(FINDINGS if rows else 0)


@dead.command()
def replay(
    number: Annotated[int, typer.Argument(help="The number `menwei dead list` shows.")],
    config: Config = _CONFIG,
) -> None:
    """Have work that was given up tried again by the running Menwei. Exit 1 if it is not there."""
    found = _load(config)
    now = datetime.now(UTC)
    done = _reading(found, lambda tx: reports.replayed(tx, number, now), write=True)
    key = "dead.replayed" if done else "dead.unknown"
    _out.print(texts.load(found.rules.language)(key, number=number), markup=False)
    raise typer.Exit(0 if done else FINDINGS)


@db.command()
def upgrade(config: Config = _CONFIG) -> None:
    """Bring the database to this version's tables. `serve` does the same when it starts."""
    found = _load(config)
    with closing(Database.open(found.storage.address)) as database:
        database.upgrade()
    _out.print("ok")


def _reading(found: Settings, query: Any, *, write: bool = False) -> Any:
    """Run one query on the database of a config file, which must be there and is not upgraded."""
    voice = texts.load(found.rules.language)
    with closing(Database.open(found.storage.address)) as database:
        if not database.is_there():
            _err.print(voice("database.missing"), markup=False)
            raise typer.Exit(FINDINGS)
        try:
            return asyncio.run(database.write(query) if write else database.read(query))
        except Unavailable as error:
            _err.print(voice("database.unavailable", error=str(error)), markup=False)
            raise typer.Exit(FINDINGS) from None


def _load(path: Path, *, as_json: bool = False) -> Settings:
    """Return the settings, or say everything that is wrong with them and exit with 1."""
    try:
        return settings.load(path)
    except Unparsable as wrong:
        _err.print(str(wrong), markup=False)
    except BadSettings as wrong:
        text = path.read_text("utf-8")
        if as_json:
            places = Places(text)
            found = [reports.mistake_json(each, places.of(each.loc)) for each in wrong.mistakes]
            _print_json({"ok": False, "mistakes": found})
        else:
            for line in reports.mistakes(str(path), text, wrong.mistakes, _voice_of(path)):
                _err.print(line, markup=False)
    raise typer.Exit(FINDINGS)


def _voice_of(path: Path) -> Texts:
    """Return the language a file asks for, even if much else in it is wrong."""
    return texts.load(settings.language_of(path))


def _print_json(value: object) -> None:
    print(json.dumps(value, ensure_ascii=False, indent=2))


def _run(coroutine: Any) -> None:
    try:
        asyncio.run(coroutine)
    except Unavailable as error:
        _err.print(f"The database cannot be used: {error}", markup=False)
        raise typer.Exit(FINDINGS) from None
    except OSError as error:
        _err.print(str(error), markup=False)
        raise typer.Exit(FINDINGS) from None


def main() -> None:
    """Run the command line."""
    cli()
