"""`menwei doctor`: what is not set up as it should be, and where in WeCom's console to mend it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated

import typer

from bot import doctor as examining
from bot import holidays
from bot.actions import conversation
from bot.console import shell
from bot.console.shell import CONFIG, FINDINGS, AsJson, Config, voice_of
from bot.doctor import Finding, Level
from bot.doctor.menus import MENUS
from bot.settings import Settings
from bot.texts import Text, Texts
from bot.wecom import WecomError, meaning
from workflows.policy import compile_policy

_SIGNS: Mapping[Level, str] = {
    Level.OK: "✓",
    Level.WARNING: "!",
    Level.FAILURE: "✗",
    Level.SKIPPED: "-",
}


def doctor(
    config: Config = CONFIG,
    menu: Annotated[
        bool, typer.Option("--menu", help="First put our menu under the chat with the app.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check how WeCom, this server and the database are set up. Exit 1 if something must be mended.

    Without `--menu` nothing is changed anywhere.
    """
    found = shell.load(config)
    voice = voice_of(found)
    findings = asyncio.run(_examined(found, voice, set_menu=menu))
    if as_json:
        shell.print_json(as_dict(findings, voice))
    else:
        shell.say_all(lines(findings, voice))
    raise typer.Exit(FINDINGS if examining.has_failed(findings) else 0)


async def _examined(found: Settings, voice: Texts, *, set_menu: bool) -> list[Finding]:
    policy = compile_policy(found.rules, holidays.CHINA)
    async with examining.of(found, policy, lambda: datetime.now(UTC)) as patient:
        if set_menu:
            try:
                await patient.wecom.set_menu(buttons(voice))
            except WecomError as error:
                words = meaning(error.code).words
                shell.complain(voice("doctor.menu.not_set", number=error.code, words=words))
        return await examining.examine(patient)


def buttons(voice: Texts) -> list[tuple[str, str]]:
    """Return name and key of each entry of the app's menu."""
    return [(str(voice(f"menu.{key}")), key) for key in conversation.MENU]


def lines(findings: Iterable[Finding], voice: Texts) -> Iterator[Text]:
    """Return each finding as a line, and below it how it is mended."""
    for each in findings:
        name = voice(f"doctor.{each.check}.name")
        yield Text(f"{_SIGNS[each.level]} {name}{voice('doctor.colon')}{said(each, voice)}")
        if fix := mended(each, voice):
            yield Text(f"  → {fix}")
    levels = [each.level for each in findings]
    counts = {"failures": levels.count(Level.FAILURE), "warnings": levels.count(Level.WARNING)}
    yield voice("doctor.sum", **counts)


def said(finding: Finding, voice: Texts) -> Text:
    """Return what a check came to, in a sentence."""
    listed = {
        name: voice.listed(value) if isinstance(value, tuple) else value
        for name, value in finding.params.items()
    }
    if "need" in listed:
        listed["need"] = voice(f"doctor.{listed['need']}.name")
    if isinstance(when := listed.get("when"), datetime):
        listed["when"] = f"{when.astimezone():%Y-%m-%d %H:%M}"
    key = f"doctor.{finding.check}.{finding.code}"
    return voice.either(key, f"doctor.{finding.code}", **listed)


def mended(finding: Finding, voice: Texts) -> str:
    """Return where it is mended; '' for what is fine, or waits for something else."""
    if finding.level in {Level.OK, Level.SKIPPED}:
        return ""
    special = f"doctor.{finding.check}.fix_{finding.code}"
    return str(voice.either(special, f"doctor.{finding.check}.fix", **MENUS))


def as_dict(findings: Iterable[Finding], voice: Texts) -> dict[str, object]:
    """Return the findings for scripts; check, level and code are stable."""
    found = list(findings)
    return {
        "ok": not examining.has_failed(found),
        "checks": [
            {
                "check": each.check,
                "level": each.level.value,
                "code": each.code,
                "said": str(said(each, voice)),
                "fix": mended(each, voice),
            }
            for each in found
        ],
    }
