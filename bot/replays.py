"""Reads recorded decisions page by page and has them judged again, beside the event loop.

Reading waits for the database in its own threads and judging runs in another, a page at a time, so
that callbacks are answered meanwhile.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from pydantic import ValidationError

from bot import holidays
from storage.candidates import Candidate
from storage.database import Database
from storage.transaction import Transaction
from workflows.directory import Directory
from workflows.policy import BadPolicyError, Policy, compile_policy
from workflows.replaying import Decision, Replay, Tally
from workflows.sections import Rulebook
from workflows.shadowing import Trials, rules_on_trial
from workflows.standing import Standing

_PAGE = 500
_EVER = datetime.max.replace(tzinfo=UTC)

Fold = Callable[[Decision, Policy | None], None]  # a decision, and the version that made it
Progress = Callable[[int], object]  # hears how many decisions were read since it was last called


@dataclass(frozen=True, slots=True)
class Window:
    """Which decisions: made from `since` to before `until`, and no more than the newest `most`."""

    since: datetime
    until: datetime = _EVER
    most: int | None = None


@dataclass(frozen=True, slots=True)
class _Page:
    decisions: Sequence[Decision]
    versions: dict[str, str | None]  # rulebooks as JSON by hash; None is not on record


async def over(
    db: Database, judge: Policy, directory: Directory, since: datetime, most: int | None = None
) -> Tally:
    """Return what these rules would have said of everything decided since then."""
    return await judged(db, Standing(judge, directory), Window(since, most=most))


async def judged(
    db: Database, standing: Standing, window: Window, progress: Progress = lambda _: None
) -> Tally:
    """Return what these rules would have said of the decisions of a window."""
    replay, tally = Replay(standing), Tally()

    def fold(decision: Decision, former: Policy | None) -> None:
        tally.take(replay.judge_again(decision, former), is_known=former is not None)

    await read(db, window, fold, progress)
    return tally


async def read(
    db: Database, window: Window, fold: Fold, progress: Progress = lambda _: None
) -> None:
    """Hand every decision of a window to `fold`, the newest first. It is called in a thread."""
    versions: dict[str, Policy | None] = {}
    last: Decision | None = None
    left = window.most
    while left is None or left > 0:
        size = _PAGE if left is None else min(_PAGE, left)
        page = await db.read(_reading(window, size, last, frozenset(versions)))
        await asyncio.to_thread(_take, page, versions, fold)
        progress(len(page.decisions))
        if len(page.decisions) < size:
            return
        last = page.decisions[-1]
        left = None if left is None else left - size


def _reading(
    window: Window, size: int, last: Decision | None, known: frozenset[str]
) -> Callable[[Transaction], _Page]:
    def step(tx: Transaction) -> _Page:
        found = tx.decisions.page(window.since, window.until, size, last)
        versions: dict[str, str | None] = {}
        for policy_hash in {each.verdict.policy for each in found} - known:
            stored = tx.policies.get(policy_hash)
            versions[policy_hash] = stored.text if stored else None
        return _Page(found, versions)

    return step


def _take(page: _Page, versions: dict[str, Policy | None], fold: Fold) -> None:
    for policy_hash, text in page.versions.items():
        versions[policy_hash] = compiled(policy_hash, text) if text else None
    for decision in page.decisions:
        # Of what nobody asked nothing was known; what overruled the rules is not theirs to repeat.
        if decision.facts and not decision.verdict.overruled:
            fold(decision, versions[decision.verdict.policy])


def compiled(policy_hash: str, text: str) -> Policy | None:
    """Return a stored version ready to judge; None if this Menwei can no longer read it.

    It keeps the hash it was stored under, whatever this version of the program would call it.
    """
    try:
        policy = compile_policy(Rulebook.model_validate_json(text), holidays.CHINA)
    except (ValidationError, BadPolicyError):
        return None
    return replace(policy, hash=policy_hash)


@dataclass(frozen=True, slots=True)
class Shadowed:
    """What ran in shadow in a window of time, and what it would have done."""

    window: Window
    trials: Trials
    candidate: Candidate | None = None
    tally: Tally | None = None  # of the candidate; None if this Menwei cannot read it

    @property
    def is_eventful(self) -> bool:
        """Whether anything would have come out differently, or a rule was hit."""
        changed = self.tally.changed if self.tally else 0
        return bool(changed or self.trials.hit)


async def shadowed(db: Database, standing: Standing, window: Window) -> Shadowed:
    """Return what the rules on trial, and the version in shadow, would have done in a window."""
    candidate = await db.read(lambda tx: tx.candidates.shadow())
    found = await trials(db, standing, window)
    if candidate is None:
        return Shadowed(window, found)
    return Shadowed(window, found, candidate, await in_shadow(db, candidate, standing, window))


async def trials(db: Database, standing: Standing, window: Window) -> Trials:
    """Return what the rules on trial would have done, whichever version had them on trial then."""
    found = Trials.for_rules(rules_on_trial(standing.policy.rulebook))
    if found.of:
        await read(db, window, found.take)
    return found


async def in_shadow(
    db: Database,
    candidate: Candidate,
    standing: Standing,
    window: Window,
    progress: Progress = lambda _: None,
) -> Tally | None:
    """Return what a version would have said since it was put in shadow; None if it is unreadable.

    Of `standing` only the directory counts.
    """
    policy = await asyncio.to_thread(compiled, candidate.hash, candidate.text)
    if policy is None:
        return None
    since = max(window.since, candidate.proposed_at)
    here = Standing(policy, standing.directory)
    return await judged(db, here, replace(window, since=since), progress)
