"""Versions of the rules: put one in force, look at what was, go back."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Annotated

import typer

from bot import settings, texts
from bot.actions import rulebooks
from bot.console import putting, shell
from bot.console.putting import By, Offer, Reason, Yes
from bot.console.shell import CONFIG, AsJson, Config, voice_of
from bot.proposals import Considered, Wish
from bot.texts import Texts
from storage.database import Database
from storage.policies import StoredPolicy
from workflows.sections import Rulebook

_REMEMBERED = 1000  # versions looked through for the one that is meant


def apply(
    new: Annotated[Path | None, typer.Argument(help="The file; the config file itself.")] = None,
    config: Config = CONFIG,
    by: By = rulebooks.FILE,
    reason: Reason = "",
    yes: Yes = False,
    emergency: Annotated[
        bool, typer.Option("--emergency", help="At once, without a second admin; all are told.")
    ] = False,
) -> None:
    """Check a file, show what it changes, and put it in force or before the admins."""
    file = new or config
    found, wanted = shell.load(config), shell.load(file)
    voice = voice_of(wanted)
    wish = Wish(wanted.rules, by, reason)
    if emergency and not reason.strip():
        shell.refuse(voice("apply.reason_needed"))

    async def go(database: Database) -> Considered | None:
        company = await putting.company_of(database, found.rules)
        kind = rulebooks.EMERGENCY if emergency else ""
        offer = Offer(wish, str(file), file.read_text("utf-8-sig"), kind)
        return await putting.put(database, company, offer, voice, yes=yes)

    done = shell.on_database(found.storage.address, voice, go)
    if file.resolve() != config.resolve():
        shell.say(voice("apply.not_the_file", path=str(config)))
    putting.finish(done, by, voice)


def history(
    config: Config = CONFIG,
    limit: Annotated[int, typer.Option(help="How many, the newest first.", min=1)] = 20,
    as_json: AsJson = False,
) -> None:
    """List the versions that came into force: when, by whom, why, and what they changed."""
    found = shell.load(config)
    versions = shell.reading(found, lambda tx: tx.policies.history(limit))
    if as_json:
        shell.print_json([_json(each) for each in versions])
        return
    voice = voice_of(found)
    shell.say_all(_listed(versions, datetime.now(UTC), found.rules.zone, voice))
    if not versions:
        shell.say(voice("history.none"))


def rollback(
    version: Annotated[
        str, typer.Argument(help="Number or hash as in `menwei history`; else the one before.")
    ] = "",
    config: Config = CONFIG,
    by: By = rulebooks.FILE,
    reason: Reason = "",
    yes: Yes = False,
) -> None:
    """Go back to an earlier version at once. Nobody has to agree; all admins are told."""
    reading = shell.look(config)  # its rules may be bad: that may be why somebody goes back
    voice = texts.load(settings.language_of(config))

    async def go(database: Database) -> Considered | None:
        earlier = await _earlier(database, version, voice)
        rules = Rulebook.model_validate_json(earlier.text)
        company = await putting.company_of(database, rules)
        offer = Offer(Wish(rules, by, reason), earlier.hash, kind=rulebooks.ROLLED_BACK)
        return await putting.put(database, company, offer, voice, yes=yes)

    putting.finish(shell.on_database(reading.address, voice, go), by, voice)


async def _earlier(database: Database, wanted: str, voice: Texts) -> StoredPolicy:
    """Return the version that is meant, or say that there is none and exit."""
    versions = await database.read(lambda tx: tx.policies.history(_REMEMBERED))
    if wanted:
        named = (v for v in versions if wanted == str(v.number) or v.hash.startswith(wanted))
    else:
        named = (v for v in versions if v.hash != versions[0].hash)
    found = next(named, None)
    if found is None:
        shell.refuse(
            voice("history.unknown" if wanted else "history.nothing_earlier", version=wanted)
        )
    return found


def _listed(
    versions: Sequence[StoredPolicy], now: datetime, zone: tzinfo, voice: Texts
) -> Iterator[str]:
    for place, each in enumerate(versions):
        who = voice("versions.file") if each.author == rulebooks.FILE else each.author
        yield voice(
            "history.line",
            mark=voice("history.in_force") if place == 0 else "·",
            number=each.number,
            when=voice.when(each.activated_at, zone, now),
            hash=each.hash,
            who=who,
            reason=each.reason,
        ).rstrip()
        found = json.loads(each.report or "{}")
        if "tendency" in found:
            yield voice(
                "history.detail",
                effect=voice(f"diff.sum.{found['tendency']}"),
                people=voice("versions.people", count=found["people"]),
                tests=voice("versions.tests", count=found["tests"]) if found["tests"] else "-",
                replay=voice("versions.replay", **found["replay"]) if found.get("replay") else "",
            ).rstrip("； ;")


def _json(version: StoredPolicy) -> dict[str, object]:
    return {
        "number": version.number,
        "hash": version.hash,
        "activated_at": version.activated_at.isoformat(),
        "author": version.author,
        "reason": version.reason,
        "report": json.loads(version.report or "null"),
    }
