"""Try rules out before they count: shadow and promote."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from bot import checking, comparing, promoting, proposals, replays, reports, settings, tallies
from bot.actions import rulebooks
from bot.actions.scene import Scene
from bot.company import Company
from bot.console import putting, shell
from bot.console.putting import By, Offer, Reason, Yes
from bot.console.shell import CONFIG, FINDINGS, AsJson, Config, voice_of
from bot.promoting import Unclear
from bot.proposals import Considered, Findings, Wish
from bot.replays import Window
from bot.settings import Settings
from bot.texts import Text, Texts
from storage.candidates import Candidate
from storage.database import Database
from storage.transaction import Transaction
from workflows import edits
from workflows.directory import Directory
from workflows.edits import Report
from workflows.replaying import Tally
from workflows.sections import Rulebook
from workflows.shadowing import Trials, rules_on_trial
from workflows.standing import Standing

_DAYS = 30  # over which hits of rules on trial are counted


def shadow(  # noqa: PLR0913 - one option for each wish
    new: Annotated[Path | None, typer.Argument(help="A config file to run in shadow.")] = None,
    config: Config = CONFIG,
    by: Annotated[str, typer.Option("--by", help="Your userid, for the record.")] = rulebooks.FILE,
    reason: Annotated[str, typer.Option("--reason", help="Why, for the record.")] = "",
    *,
    end: Annotated[bool, typer.Option("--end", help="Take the version out of shadow.")] = False,
    diff: Annotated[
        bool, typer.Option("--diff", help="Compare the version in shadow with the one in force.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run a file in shadow beside the rules in force, or show what runs there and would happen.

    Exit 1 if that cannot be done and, with --diff, if the version widens.
    """
    if sum((new is not None, end, diff)) > 1:
        raise typer.BadParameter("give a file, --end or --diff, and only one of them")
    found = shell.load(config)
    if new is not None:
        _put(found, new, Wish(shell.load(new).rules, by, reason))
    elif end:
        _end(found, by)
    elif diff:
        _diff(found, as_json=as_json)
    else:
        _show(found, as_json=as_json)


def promote(
    rule: Annotated[
        str, typer.Argument(help="A rule that runs in shadow; left out, the version in shadow.")
    ] = "",
    config: Config = CONFIG,
    by: By = rulebooks.FILE,
    reason: Reason = "",
    yes: Yes = False,
) -> None:
    """Show what promoting changes, then do it: put the version in shadow in force as `apply` does,
    or enforce a rule on trial by changing its mode in the file.
    """
    found = shell.load(config)
    if rule:
        _promote_rule(found, config, rule)
    else:
        _promote_version(found, Wish(found.rules, by, reason), yes=yes)


# --- a version in shadow


def _put(found: Settings, new: Path, wish: Wish) -> None:
    voice, by = voice_of(found), wish.author

    async def go(database: Database) -> Findings:
        company = await putting.company_of(database, found.rules)
        putting.expect_member(company, by, voice)
        findings = await proposals.find_out(database, company, wish.rules)
        if findings.checked.is_good and findings.policy.hash != findings.base:
            await database.write(lambda tx: _start(_scene(company, tx, by), wish, findings))
        return findings

    findings = shell.on_database(found.storage.address, voice, go)
    shell.say_all(reports.checked(str(new), new.read_text("utf-8-sig"), findings.checked, voice))
    if not findings.checked.is_good:
        shell.refuse(voice("shadow.not_put"))
    if findings.policy.hash == findings.base:
        shell.refuse(voice("shadow.in_force", hash=findings.policy.hash))
    if findings.report is not None:
        shell.say_all(comparing.lines(findings.report, voice))
    shell.say(voice("shadow.put", hash=findings.policy.hash))


def _start(scene: Scene, wish: Wish, findings: Findings) -> None:
    version = proposals.candidate(findings, wish, scene)
    proposed = scene.tx.candidates.get(version.hash)
    if proposed is not None and proposed.request_id:
        # Somebody is asked about it, or was: what they were shown stays as it was.
        version = replace(proposed, proposed_at=scene.now)
    scene.tx.candidates.put_shadow(version)
    scene.record("shadow.started", policy=findings.policy.hash, reason=wish.reason)


def _end(found: Settings, by: str) -> None:
    voice = voice_of(found)

    async def go(database: Database) -> Candidate | None:
        company = await putting.company_of(database, found.rules)
        putting.expect_member(company, by, voice)
        return await database.write(lambda tx: _stop(_scene(company, tx, by)))

    ended = shell.on_database(found.storage.address, voice, go)
    if ended is None:
        shell.refuse(voice("shadow.no_candidate"))
    shell.say(voice("shadow.ended", hash=ended.hash))


def _stop(scene: Scene) -> Candidate | None:
    candidate = scene.tx.candidates.shadow()
    if candidate is not None:
        scene.tx.candidates.end_shadow()
        scene.record("shadow.ended", policy=candidate.hash)
    return candidate


def _scene(company: Company, tx: Transaction, by: str) -> Scene:
    return company.scene(tx, "system:console" if by == rulebooks.FILE else f"user:{by}")


@dataclass(frozen=True, slots=True)
class _Shown:
    """What runs in shadow now, and what it has come to."""

    trials: Trials
    standing: Standing
    candidate: Candidate | None
    tally: Tally | None


def _show(found: Settings, *, as_json: bool) -> None:
    voice, now = voice_of(found), datetime.now(UTC)

    async def go(database: Database) -> _Shown:
        standing = (await putting.company_of(database, found.rules)).standing
        month = Window(now - timedelta(days=_DAYS), now)
        trials = await replays.trials(database, standing, month)
        candidate = await database.read(lambda tx: tx.candidates.shadow())
        tally = None
        if candidate is not None:
            since_then = Window(candidate.proposed_at, now)
            tally = await replays.in_shadow(database, candidate, standing, since_then)
        return _Shown(trials, standing, candidate, tally)

    shown = shell.on_database(found.storage.address, voice, go)
    if as_json:
        shell.print_json(_shown_json(shown))
    else:
        shell.say_all(_shown_lines(shown, voice, now))


def _shown_lines(shown: _Shown, voice: Texts, now: datetime) -> Iterator[Text]:
    rules, zone = shown.standing.policy.rulebook, shown.standing.policy.zone
    yield voice("shadow.rules" if shown.trials.of else "shadow.no_rules", days=_DAYS)
    yield from tallies.trials(shown.trials, shown.trials.of, rules, voice)
    version = shown.candidate
    if version is None:
        yield voice("shadow.no_candidate")
        return
    if shown.tally is None:
        yield voice("shadow.unreadable", hash=version.hash)
        return
    member = shown.standing.directory.member(version.author)
    who = voice("word.unknown") if version.author == rulebooks.FILE else version.author
    when = voice.when(version.proposed_at, zone, now)
    who = member.name if member else who
    yield voice("shadow.candidate", hash=version.hash, when=when, who=who)
    if version.reason:
        yield voice("shadow.candidate_reason", reason=version.reason)
    yield from tallies.lines(shown.tally, voice, zone, now)


def _shown_json(shown: _Shown) -> Mapping[str, object]:
    version = shown.candidate
    return {
        "rules": {"days": _DAYS, "hits": tallies.trials_json(shown.trials)},
        "version": version
        and {
            "hash": version.hash,
            "by": version.author,
            "reason": version.reason,
            "since": version.proposed_at.isoformat(),
            "replay": shown.tally and tallies.as_json(shown.tally),
        },
    }


def _diff(found: Settings, *, as_json: bool) -> None:
    report, voice = _compared(found), voice_of(found)
    if as_json:
        shell.print_json(comparing.as_json(report))
    else:
        shell.say_all(comparing.lines(report, voice))
    raise typer.Exit(FINDINGS if report.is_widening else 0)


def _compared(found: Settings) -> Report:
    """Return how the version in shadow differs from the one in force."""
    voice = voice_of(found)

    async def go(database: Database) -> Report:
        company = await putting.company_of(database, found.rules)
        active, version = await database.read(
            lambda tx: (tx.policies.active_hash(), tx.candidates.shadow())
        )
        if version is None:
            shell.refuse(voice("shadow.no_candidate"))
        if not active:
            shell.refuse(voice("shadow.no_version"))
        policy = replays.compiled(version.hash, version.text)
        if policy is None:
            shell.refuse(voice("shadow.unreadable", hash=version.hash))
        now = company.standing
        return edits.report(now, Standing(policy, now.directory), company.now())

    return shell.on_database(found.storage.address, voice, go)


# --- promoting


def _promote_version(found: Settings, wish: Wish, *, yes: bool) -> None:
    """Put the version in shadow in force, or before those who decide on it."""
    voice = voice_of(found)

    async def go(database: Database) -> Considered | None:
        company = await putting.company_of(database, found.rules)
        version = await database.read(lambda tx: tx.candidates.shadow())
        if version is None:
            shell.refuse(voice("shadow.no_candidate"))
        if replays.compiled(version.hash, version.text) is None:
            shell.refuse(voice("shadow.unreadable", hash=version.hash))
        rules = Rulebook.model_validate_json(version.text)
        reason = wish.reason or version.reason
        offer = Offer(replace(wish, rules=rules, reason=reason), version.hash)
        return await putting.put(database, company, offer, voice, yes=yes)

    done = shell.on_database(found.storage.address, voice, go)
    shell.say(voice("promote.update_file"))
    putting.finish(done, wish.author, voice)


def _promote_rule(found: Settings, config: Path, rule: str) -> None:
    voice = voice_of(found)
    if all(rule != each.id for each in found.rules.rule):
        shell.refuse(voice("promote.unknown", rule=rule))
    if rule not in rules_on_trial(found.rules):
        shell.refuse(voice("promote.not_shadow", rule=rule))
    try:
        text = promoting.enforced(config.read_bytes().decode(), rule)
    except Unclear:
        shell.refuse(voice("promote.by_hand", path=str(config), rule=rule))
    _expect_good(found, config, text)
    try:
        promoting.overwrite(config, text)
    except OSError as error:
        shell.refuse(voice("promote.unwritable", path=str(config), error=error.strerror))
    shell.say(voice("promote.done", path=str(config), rule=rule))


def _expect_good(found: Settings, config: Path, text: str) -> None:
    """Show what an edit of the file changes; exit if the edited file must not take effect."""
    voice, known = voice_of(found), checking.known(found.storage.address)
    edited = checking.compiled(settings.parse(text).rules)
    checked = checking.check(edited, known, checking.compiled(found.rules))
    if not checked.is_good:
        shell.say_all(reports.checked(str(config), text, checked, voice))
        shell.refuse(voice("promote.refused", path=str(config)))
    directory = known.directory or Directory()
    was = Standing(checking.compiled(found.rules), directory)
    report = edits.report(was, Standing(edited, directory), datetime.now(UTC))
    shell.say_all(comparing.lines(report, voice))
