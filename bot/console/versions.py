"""Versions of the rules: put one in force, look at what was, go back."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from bot import checking, comparing, proposals, reports, settings, tallies, texts
from bot.actions import rulebooks
from bot.company import Company
from bot.console import shell
from bot.console.shell import CONFIG, FINDINGS, AsJson, Config, voice_of
from bot.proposals import Considered, Fate, Findings, Wish
from bot.texts import Texts
from bot.wording import Wording
from storage.database import Database
from storage.policies import StoredPolicy
from workflows.approval import waiting_for
from workflows.model import State
from workflows.sections import Rulebook

_REMEMBERED = 1000  # versions looked through for the one that is meant

By = Annotated[
    str, typer.Option("--by", help="Your userid: who wants it. Left out, two admins must agree.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why; shown to the admins and kept.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


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
        _refuse(voice("apply.reason_needed"))

    async def go(database: Database) -> Considered | None:
        company = await _company(database, found.rules)
        _expect_member(company, by, voice)
        findings = await proposals.find_out(database, company, wish.rules)
        _show(findings, company, (str(file), file.read_text("utf-8")), voice)
        if _is_over(findings, unasked=emergency):
            return Considered(_fate(findings), findings)
        if not _is_sure(voice, yes=yes):
            return None
        decide = proposals.force if emergency else proposals.consider
        return await decide(database, company, wish)

    done = shell.on_database(found.storage.address, voice, go)
    if file.resolve() != config.resolve():
        shell.say(voice("apply.not_the_file", path=str(config)))
    _finish(done, by, voice)


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
        company = await _company(database, rules)
        _expect_member(company, by, voice)
        findings = await proposals.find_out(database, company, rules)
        _show(findings, company, (earlier.hash, ""), voice)
        if _is_over(findings, unasked=True):
            return Considered(_fate(findings), findings)
        if not _is_sure(voice, yes=yes):
            return None
        wish = Wish(rules, by, reason)
        return await proposals.force(database, company, wish, rulebooks.ROLLED_BACK)

    _finish(shell.on_database(reading.address, voice, go), by, voice)


async def _company(database: Database, rules: Rulebook) -> Company:
    company = Company(checking.compiled(rules), lambda: datetime.now(UTC))
    await company.refresh(database)
    return company


async def _earlier(database: Database, wanted: str, voice: Texts) -> StoredPolicy:
    """Return the version that is meant, or say that there is none and exit."""
    versions = await database.read(lambda tx: tx.policies.history(_REMEMBERED))
    if wanted:
        named = (v for v in versions if wanted == str(v.number) or v.hash.startswith(wanted))
    else:
        named = (v for v in versions if v.hash != versions[0].hash)
    found = next(named, None)
    if found is None:
        _refuse(voice("history.unknown" if wanted else "history.nothing_earlier", version=wanted))
    return found


def _expect_member(company: Company, by: str, voice: Texts) -> None:
    known = company.standing.directory
    if by != rulebooks.FILE and known.members and known.member(by) is None:
        _refuse(voice("apply.unknown_member", who=by))


def _refuse(said: str) -> NoReturn:
    shell.complain(said)
    raise typer.Exit(FINDINGS)


def _show(findings: Findings, company: Company, file: tuple[str, str], voice: Texts) -> None:
    """Print what is wrong with a version, by the path and text of its file, and what it changes."""
    shell.say_all(reports.checked(*file, findings.checked, voice))
    if findings.report is not None:
        named = shell.naming(company.standing.directory)
        shell.say_all(comparing.lines(findings.report, voice, named))
    if findings.replayed is not None and findings.replayed.total:
        sums = tallies.sums(findings.replayed, voice)
        shell.say(voice("apply.replayed", days=proposals.REPLAYED_DAYS, sums=sums))


def _is_over(findings: Findings, *, unasked: bool) -> bool:
    """Whether there is nothing to decide: it is in force already, or cannot be."""
    bad = bool(findings.checked.mistakes) if unasked else not findings.checked.is_good
    return bad or findings.policy.hash == findings.base


def _fate(findings: Findings) -> Fate:
    return Fate.SAME if findings.policy.hash == findings.base else Fate.BAD


def _is_sure(voice: Texts, *, yes: bool) -> bool:
    if yes:
        return True
    if not sys.stdin.isatty():
        _refuse(voice("apply.yes_needed"))
    return typer.confirm(voice("apply.ask"))


def _finish(done: Considered | None, by: str, voice: Texts) -> None:
    """Say what became of a version, and exit."""
    if done is None:
        _refuse(voice("apply.cancelled"))
    shell.say(_said(done, by, voice))
    raise typer.Exit(FINDINGS if done.fate in {Fate.BAD, Fate.REFUSED} else 0)


def _said(done: Considered, by: str, voice: Texts) -> str:
    findings, request = done.findings, done.request
    if request is not None and done.fate is Fate.WAITING:
        zone = findings.policy.zone
        wording = Wording(voice, zone, request.created_at)
        who = tuple(person.name for person in waiting_for(request))
        return wording("apply.waiting", id=request.id, who=who, due=request.due_at)
    if request is not None and request.state is State.EXECUTION_FAILED:
        return voice("apply.failed", why=request.comment)
    values = {"hash": findings.policy.hash, "before": findings.base or "-", "who": by}
    return voice(f"apply.{done.fate.value}", **values)


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
