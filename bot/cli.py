"""The command line: `menwei serve`, `demo`, `check`, `trace`, `audit`, `db`."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from contextlib import closing
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from bot import demo, holidays, monitoring, reports, settings, texts
from bot import schema as schemas
from bot.app import App
from bot.places import Places
from bot.settings import BadSettings, Settings, Unparsable
from bot.texts import Texts
from storage.database import Database, Unavailable
from workflows import policy

FINDINGS = 1

cli = typer.Typer(
    name="menwei",
    help="门卫: the doorman of a company's WeChat contacts.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
audit = typer.Typer(help="Read and verify the append-only record.", no_args_is_help=True)
db = typer.Typer(help="Look after the database.", no_args_is_help=True)
cli.add_typer(audit, name="audit")
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
    """Check a config file, its secrets and the tests in it. Exit 1 when anything is wrong."""
    found = _load(config, as_json=as_json)
    tested = policy.run_tests(policy.compile_policy(found.rules, holidays.CHINA))
    failed = [each for each in tested if not each.passed]
    voice = texts.load(found.rules.language)
    if as_json:
        _print_json({"ok": not failed, "tests": len(tested), "failed": [t.name for t in failed]})
    else:
        for each in failed:
            _out.print(reports.failed_test(each, voice))
        _out.print(voice("check.result", tests=len(tested), failed=len(failed)), markup=False)
    raise typer.Exit(FINDINGS if failed else 0)


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


@audit.command()
def verify(config: Config = _CONFIG, as_json: AsJson = False) -> None:
    """Check that no record was changed, removed, added or moved. Exit 1 when one was."""
    found = _load(config)
    breach, head = _reading(found, lambda tx: (tx.audit.verify(), tx.audit.head()))
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


@db.command()
def upgrade(config: Config = _CONFIG) -> None:
    """Bring the database to this version's tables. `serve` does the same when it starts."""
    found = _load(config)
    with closing(Database.open(found.storage.url)) as database:
        database.upgrade()
    _out.print("ok")


def _reading(found: Settings, query: Any) -> Any:
    """Run one query on the database of a config file."""
    with closing(Database.open(found.storage.url)) as database:
        database.upgrade()
        return asyncio.run(database.read(query))


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
