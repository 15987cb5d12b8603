"""What a config file says, before it takes effect: check, lint, test, diff and schema."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer

from bot import checking, comparing, reports
from bot import schema as schemas
from bot.console import shell
from bot.console.shell import CONFIG, FINDINGS, AsJson, Config, voice_of
from bot.places import Places
from workflows import edits
from workflows.directory import Directory
from workflows.standing import Standing


def check(config: Config = CONFIG, as_json: AsJson = False) -> None:
    """Check a config file, its secrets, its tests and who could still decide. Exit 1 if wrong."""
    found = shell.load(config, as_json=as_json)
    known = checking.known(found.storage.address)
    checked = checking.check(checking.compiled(found.rules), known)
    text, voice = config.read_text("utf-8-sig"), voice_of(found)
    if as_json:
        shell.print_json({**reports.checked_json(checked, Places(text)), "unasked": known.unasked})
    else:
        shell.say_all(reports.checked(str(config), text, checked, voice))
        if known.directory is None:
            kind = "unasked" if known.unasked else "no_directory"
            shell.say(voice(f"guard.{kind}", why=known.unasked))
    raise typer.Exit(0 if checked.is_good else FINDINGS)


def lint(config: Config = CONFIG, as_json: AsJson = False) -> None:
    """Find what works but is hardly meant: rules without effect, unused names. Exit 1 if any."""
    found = shell.load(config, as_json=as_json)
    text, voice = config.read_text("utf-8-sig"), voice_of(found)
    today = datetime.now(found.rules.zone).date()
    known = checking.known(found.storage.address)
    findings = checking.findings(checking.compiled(found.rules), known, today)
    if as_json:
        places = Places(text)
        shell.print_json([reports.mistake_json(each, places.of(each.loc)) for each in findings])
    else:
        shell.say_all(reports.mistakes(str(config), text, findings, voice))
        shell.say(voice("lint.result" if findings else "lint.clean", count=len(findings)))
    raise typer.Exit(FINDINGS if findings else 0)


def run_tests(
    config: Config = CONFIG,
    coverage: Annotated[
        bool, typer.Option("--coverage", help="Say which rules the tests reach.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run the tests in a config file. Exit 1 when one fails."""
    found = shell.load(config, as_json=as_json)
    judge = checking.compiled(found.rules)
    tested = checking.tests(judge)
    reached = checking.covered(judge, tested) if coverage else None
    if as_json:
        shell.print_json(reports.tests_json(tested, reached))
    else:
        shell.say_all(reports.tests(tested, reached, voice_of(found)))
    raise typer.Exit(0 if all(each.passed for each in tested) else FINDINGS)


def diff(
    old: Annotated[Path, typer.Argument(help="The config file as it is.")],
    new: Annotated[Path, typer.Argument(help="The config file as it shall be.")],
    as_json: AsJson = False,
) -> None:
    """Say what a change of the rules widens or tightens, and for whom. Exit 1 if it widens."""
    before, after = shell.load(old, as_json=as_json), shell.load(new, as_json=as_json)
    directory = checking.known(after.storage.address).directory or Directory()
    was = Standing(checking.compiled(before.rules), directory)
    shall_be = Standing(checking.compiled(after.rules), directory)
    found = edits.report(was, shall_be, datetime.now(after.rules.zone))
    if as_json:
        shell.print_json(comparing.as_json(found))
    else:
        shell.say_all(comparing.lines(found, voice_of(after), shell.naming(directory)))
    raise typer.Exit(FINDINGS if found.is_widening else 0)


def schema() -> None:
    """Print the JSON Schema of the config file, for editors."""
    shell.print_json(schemas.generate())
