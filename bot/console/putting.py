"""Puts one version of the rules in force from the command line: shown, confirmed, decided on."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated

import typer

from bot import checking, comparing, proposals, reports, tallies
from bot.actions import rulebooks
from bot.company import Company
from bot.console import shell
from bot.console.shell import FINDINGS
from bot.proposals import Considered, Fate, Findings, Wish
from bot.texts import Texts
from bot.wording import Wording
from storage.database import Database
from workflows.approval import waiting_for
from workflows.model import State
from workflows.sections import Rulebook

By = Annotated[
    str, typer.Option("--by", help="Your userid: who wants it. Left out, two admins must agree.")
]
Reason = Annotated[str, typer.Option("--reason", help="Why; shown to the admins and kept.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


@dataclass(frozen=True, slots=True)
class Offer:
    """A version with the path and text of the file it is in, if it is in one.

    `kind` names the record of putting it in force unasked; '' asks those who decide on it.
    """

    wish: Wish
    path: str
    text: str = ""
    kind: str = ""


async def put(
    database: Database, company: Company, offer: Offer, voice: Texts, *, yes: bool
) -> Considered | None:
    """Show what a version changes and, once confirmed, have it decided on; None if it is not."""
    expect_member(company, offer.wish.author, voice)
    findings = await proposals.find_out(database, company, offer.wish.rules)
    show(findings, company, offer, voice)
    if _is_over(findings, unasked=bool(offer.kind)):
        return Considered(_fate(findings), findings)
    if not _is_sure(voice, yes=yes):
        return None
    if offer.kind:
        return await proposals.force(database, company, offer.wish, offer.kind)
    return await proposals.consider(database, company, offer.wish)


async def company_of(database: Database, rules: Rulebook) -> Company:
    """Return the company as the database has it; `rules` stand in until there is a version."""
    company = Company(checking.compiled(rules), lambda: datetime.now(UTC))
    await company.refresh(database)
    return company


def expect_member(company: Company, by: str, voice: Texts) -> None:
    """Exit if nobody in the directory has this userid."""
    known = company.standing.directory
    if by != rulebooks.FILE and known.members and known.member(by) is None:
        shell.refuse(voice("apply.unknown_member", who=by))


def show(findings: Findings, company: Company, offer: Offer, voice: Texts) -> None:
    """Print what is wrong with a version, and what it changes."""
    shell.say_all(reports.checked(offer.path, offer.text, findings.checked, voice))
    if findings.report is not None:
        named = shell.naming(company.standing.directory)
        shell.say_all(comparing.lines(findings.report, voice, named))
    if findings.replayed is not None and findings.replayed.total:
        sums = tallies.sums(findings.replayed, voice)
        shell.say(voice("apply.replayed", days=proposals.REPLAYED_DAYS, sums=sums))


def _is_over(findings: Findings, *, unasked: bool) -> bool:
    """Whether there is nothing to decide: it is in force already, or cannot be."""
    bad = findings.checked.locks_out if unasked else not findings.checked.is_good
    return bad or findings.policy.hash == findings.base


def _fate(findings: Findings) -> Fate:
    return Fate.SAME if findings.policy.hash == findings.base else Fate.BAD


def _is_sure(voice: Texts, *, yes: bool) -> bool:
    if yes:
        return True
    if not sys.stdin.isatty():
        shell.refuse(voice("apply.yes_needed"))
    return typer.confirm(voice("apply.ask"))


def finish(done: Considered | None, by: str, voice: Texts) -> None:
    """Say what became of a version, and exit."""
    if done is None:
        shell.refuse(voice("apply.cancelled"))
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
