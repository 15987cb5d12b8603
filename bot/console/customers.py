"""`menwei customers`: what the readings of all customers have found, and beginning one now."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from bot import chores, customer_reports
from bot.console import shell
from bot.console.shell import CONFIG, FINDINGS, AsJson, Config, voice_of

_SHOWN = 7


def customers(
    config: Config = CONFIG,
    as_json: AsJson = False,
    read: Annotated[
        bool, typer.Option("--read", help="Have the running Menwei read all customers now.")
    ] = False,
) -> None:
    """Show the last readings of all customers: how many adds came by callback, and what did not.

    Exit 1 if the last complete one is missing or old, found too few callbacks, or could not read
    everybody.
    """
    found = shell.load(config)
    voice, now = voice_of(found), datetime.now(UTC)
    if read:
        shell.writing(found, lambda tx: tx.work.add([chores.reading_now(now)], now))
        shell.say(voice("customers.begun"))
        return
    readings = shell.reading(found, lambda tx: tx.readings.newest(_SHOWN))
    if as_json:
        shell.print_json(customer_reports.as_json(readings))
    else:
        shell.say_all(customer_reports.lines(found, readings, voice, now))
    raise typer.Exit(FINDINGS if customer_reports.is_wrong(readings, now) else 0)
