"""A version of the rules on its way into force: checked, compared, replayed, then decided on.

What takes time happens beside the event loop and outside any transaction; the transaction at the
end looks whether the version in force is still the one that was compared with.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from bot import checking, comparing, replays
from bot.actions import rulebooks
from bot.actions.scene import Scene
from bot.checking import Checked
from bot.company import Company
from storage.candidates import Candidate
from storage.database import Database
from storage.transaction import Transaction
from workflows import edits
from workflows.differences import Direction
from workflows.edits import Report
from workflows.model import Request, State
from workflows.policy import Policy
from workflows.replaying import Tally
from workflows.sections import Rulebook
from workflows.standing import Standing

_TRIES = 5  # somebody else may change the rules while we compare
REPLAYED_DAYS = 30
_REPLAYED_MOST = 5000  # decisions, the newest; `menwei replay` judges all
_LINES = 12  # of the comparison are kept for cards and the history


class Fate(StrEnum):
    """What became of a version that was proposed."""

    SAME = "same"  # it is in force already
    BAD = "bad"  # its tests fail, or it would lock somebody out
    ACTIVE = "active"  # in force now
    WAITING = "waiting"  # somebody has to agree first
    REFUSED = "refused"  # whoever proposed it may not change the rules


@dataclass(frozen=True, slots=True)
class Wish:
    """A version that somebody wants in force. The author is a userid, or 'file' for nobody."""

    rules: Rulebook
    author: str = rulebooks.FILE
    reason: str = ""

    @property
    def actor(self) -> str:
        """Who causes what is written."""
        return "system:file" if self.author == rulebooks.FILE else f"user:{self.author}"


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything there is to know of a version before it takes effect."""

    policy: Policy
    base: str  # hash of the version in force that it was compared with; '' for the first
    checked: Checked
    report: Report | None = None  # None for the first version, and for what is in force already
    replayed: Tally | None = None  # what it would have said of the decisions of late, likewise

    @property
    def is_widening(self) -> bool:
        """Whether anybody gains anything by it, or it cannot be ruled out."""
        return self.report is not None and self.report.is_widening


@dataclass(frozen=True, slots=True)
class Considered:
    """What was found, and what became of it."""

    fate: Fate
    findings: Findings
    request: Request | None = None  # as it stands after being proposed


async def find_out(db: Database, company: Company, rules: Rulebook) -> Findings:
    """Check a version, and compare it with the one in force."""
    await company.refresh(db)
    base = await db.read(lambda tx: tx.policies.active_hash())
    now, at = company.standing, company.now()
    found = await asyncio.to_thread(_find_out, rules, base, now, at)
    if found.report is None:
        return found
    since = at - timedelta(days=REPLAYED_DAYS)
    replayed = await replays.over(db, found.policy, now.directory, since, _REPLAYED_MOST)
    return replace(found, replayed=replayed)


def _find_out(rules: Rulebook, base: str, now: Standing, at: datetime) -> Findings:
    compiled = checking.compiled(rules)
    known = checking.Known(now.directory if now.directory.members else None)
    checked = checking.check(compiled, known, now.policy if base else None)
    if not base or compiled.hash == base:
        return Findings(compiled, base, checked)
    at = at.astimezone(compiled.zone)  # examples are read by people
    report = edits.report(now, Standing(compiled, now.directory), at)
    return Findings(compiled, base, checked, report)


async def consider(db: Database, company: Company, wish: Wish) -> Considered:
    """Put a version in force, or to those who decide on it, if nothing is wrong with it.

    Only who gains from a change is asked about: what tightens is in force at once. Where nobody
    could be asked, at the very first start or when no admin is left, whoever runs Menwei decides.
    """
    for _ in range(_TRIES):
        findings = await find_out(db, company, wish.rules)
        if not findings.checked.is_good:
            return Considered(Fate.BAD, findings)
        if findings.policy.hash == findings.base:
            await db.write(lambda tx: _stays(company.scene(tx, wish.actor), wish))
            return Considered(Fate.SAME, findings)
        done = await db.write(_proposing(company, wish, findings))
        if done is not None:
            await company.refresh(db)
            return done
    raise RuntimeError("the rules are changed by others again and again")


def _proposing(
    company: Company, wish: Wish, findings: Findings
) -> Callable[[Transaction], Considered | None]:
    def propose(tx: Transaction) -> Considered | None:
        if tx.policies.active_hash() != findings.base:
            return None  # somebody was faster: compare anew
        scene = company.scene(tx, wish.actor)
        version = candidate(findings, wish, scene)
        if not findings.base or not scene.standing.admins:
            rulebooks.put_in_force(scene, version, "config.activated")
            return Considered(Fate.ACTIVE, findings)
        request = rulebooks.propose(scene, version, is_widening=findings.is_widening)
        return Considered(_fate_of(request), findings, request)

    return propose


def _fate_of(request: Request) -> Fate:
    match request.state:
        case State.PENDING:
            return Fate.WAITING
        case state if state.is_allowed and state is not State.EXECUTION_FAILED:
            return Fate.ACTIVE
        case _:
            return Fate.REFUSED


def _stays(scene: Scene, wish: Wish) -> None:
    if wish.author == rulebooks.FILE:
        rulebooks.forget_edits(scene)


async def force(
    db: Database, company: Company, wish: Wish, kind: str = rulebooks.EMERGENCY
) -> Considered:
    """Put a version in force without asking anybody: in an emergency, or an earlier one again.

    Tests that fail do not hinder it; a file that locks all admins out still does.
    """
    findings = await find_out(db, company, wish.rules)
    if findings.checked.locks_out:
        return Considered(Fate.BAD, findings)

    def put(tx: Transaction) -> None:
        scene = company.scene(tx, wish.actor)
        version = candidate(findings, wish, scene)
        rulebooks.put_in_force(scene, version, kind)

    await db.write(put)
    await company.refresh(db)
    return Considered(Fate.ACTIVE, findings)


def candidate(findings: Findings, wish: Wish, scene: Scene) -> Candidate:
    """Return the version as it is stored, with what was found out about it."""
    return Candidate(
        hash=findings.policy.hash,
        text=wish.rules.model_dump_json(by_alias=True, exclude_defaults=True),
        author=wish.author,
        reason=wish.reason,
        proposed_at=scene.now,
        base=findings.base,
        report=json.dumps(summary(findings, scene), ensure_ascii=False),
    )


def summary(findings: Findings, scene: Scene) -> dict[str, object]:
    """Return what cards and the history show of a version, in the company's language."""
    voice = scene.company
    told: dict[str, object] = {"tests": len(findings.checked.tested)}
    if findings.report is None:
        return told
    report = findings.report
    changed = {u for s in report.shifts for u in s.userids}
    changed |= {u for s in report.role_shifts for u in s.userids}

    def name(userid: str) -> str:
        return scene.person(userid).name

    # Whoever decides reads of people first; the card cuts what is too long.
    lines = [*comparing.people(report, voice, name), *comparing.rules(report, voice)]
    return told | {
        "widening": findings.is_widening,
        "tendency": report.comparison.tendency.value,
        "people": len(changed),
        "lines": lines[:_LINES],
        "replay": _replay(findings.replayed),
    }


def _replay(found: Tally | None) -> dict[str, int] | None:
    """Return the sums of a replay, if there was anything to judge again."""
    if found is None or not found.total:
        return None
    return {
        "days": REPLAYED_DAYS,
        "total": found.total,
        "looser": found.counts[Direction.LOOSER],
        "stricter": found.counts[Direction.STRICTER],
    }
