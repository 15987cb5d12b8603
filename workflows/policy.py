"""The policy: compiled once from a rulebook, then asked about every request.

`decide` is pure: the same policy, facts, action and time give the same verdict.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from workflows import given, references
from workflows.attributes import GRANTS, GROUPS, LEVEL, TIER, Kind
from workflows.conditions import Known, plain
from workflows.evaluation import UNSURE_GROUPS, shown, view_of
from workflows.gates import Gate, Ruling, classes_of, classing_of, gate_of
from workflows.judging import Judging, put_groups, put_tier
from workflows.mistakes import Mistake
from workflows.model import Facts, Outcome, TraceLine, Verdict
from workflows.names import Names
from workflows.schedules import (
    DAYS,
    NO_HOLIDAYS,
    Holidays,
    Schedule,
    parse_duration,
    windows_of,
)
from workflows.sections import Rulebook, WorkSchedule

# A Wednesday morning: tests in the file that name no time run at this local time.
TEST_TIME = datetime(2026, 1, 7, 10, 0)  # noqa: DTZ001 - the company's zone is put on it


class BadPolicyError(Exception):
    """A rulebook that names things which do not exist cannot be compiled."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("; ".join(f"{m.place}: {m.code}" for m in self.mistakes))


@dataclass(frozen=True, slots=True)
class Policy:
    """One compiled version of the rules, named by its hash."""

    rulebook: Rulebook
    hash: str
    gates: Mapping[str, Gate]
    classing: Gate  # no rules, only every tier and group
    schedules: Mapping[str, Schedule]
    zone: ZoneInfo
    known: Known
    strictness: Mapping[str, int]  # chain → rank; a larger one is stricter

    @property
    def on_missing(self) -> Outcome:
        """What a deny rule comes to when a fact it needs is missing."""
        return Outcome[self.rulebook.defaults.on_missing.upper()]


def compile_policy(book: Rulebook, holidays: Holidays = NO_HOLIDAYS) -> Policy:
    """Compile a rulebook; BadPolicyError when `rulebook.read` would not have passed it.

    `holidays` are those of the country that schedules with `holidays = "CN"` follow.
    """
    mistakes = references.check(book)
    if mistakes:
        raise BadPolicyError(mistakes)
    known = Names.of(book).known
    classes = classes_of(book, known)
    actions = {a for rule in book.rule for a in rule.action}
    actions |= {a for review in book.auto_review for a in review.action}
    gates = {action: gate_of(book, known, action, classes) for action in sorted(actions)}
    ranked = book.chain_defaults.strictness or tuple(book.chains)
    return Policy(
        book,
        hash_of(book),
        gates,
        classing_of(classes),
        {name: schedule_of(s, book.zone, holidays) for name, s in book.schedules.items()},
        book.zone,
        known,
        {name: rank for rank, name in enumerate(ranked)},
    )


def hash_of(book: Rulebook) -> str:
    """Return 12 hex digits naming this rulebook; comments and layout do not change them.

    Nor does a section that a later Menwei adds, as long as the file does not use it.
    """
    content = book.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    text = json.dumps(content, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def schedule_of(spec: WorkSchedule, zone: ZoneInfo, holidays: Holidays) -> Schedule:
    """Return the working hours a section describes."""
    days = frozenset(DAYS.index(day) for day in spec.days)
    followed = holidays if spec.holidays else NO_HOLIDAYS
    return Schedule(windows_of(spec.hours), zone, days, followed)


def decide(
    policy: Policy,
    facts: Facts,
    action: str,
    at: datetime,
    *,
    traced: bool = False,
) -> Verdict:
    """Return the verdict on `action` with these facts at `at` (aware).

    The caller gives `sender.level`, and in `sender.grants` the actions that are lent to the sender;
    tier and groups are computed here unless they are among the facts.
    """
    if at.tzinfo is None:
        raise ValueError("a decision needs an aware time")
    gate = policy.gates.get(action, _NO_GATE)
    judging = judging_of(policy, gate, facts, at)
    granted = granted_in(facts)
    permitted = permission(policy.rulebook, action, facts.get(LEVEL), granted)
    base = _ruling(policy, permitted, facts)
    enforced, shadow = judging.rulings()
    verdict = judging.combined(base, enforced)
    if shadow:
        outcome = judging.combined(base, [*enforced, *shadow]).outcome
        shadow_rules = tuple(r.rule for r in shadow if r.sure)
        verdict = replace(verdict, shadow=outcome, shadow_rules=shadow_rules)
    if traced:
        first = _permission_line(action, facts, permitted, granted)
        verdict = replace(verdict, trace=(first, *judging.trace()))
    return replace(verdict, policy=policy.hash)


def due_at(policy: Policy, now: datetime) -> datetime:
    """Return when a request made now expires, counted in the hours of the chains' clock."""
    chosen = policy.rulebook.chain_defaults
    length = parse_duration(chosen.expires_after)
    clock = policy.schedules.get(chosen.clock) if chosen.clock else None
    return clock.add(now, length) if clock else now + length


def _ruling(policy: Policy, permitted: Outcome, facts: Facts) -> Ruling:
    """What the permission table contributes; an unknown level is why it refuses."""
    unknown = permitted is Outcome.DENY and plain(Kind.INT, facts.get(LEVEL)) is None
    missing = frozenset({LEVEL}) if unknown else frozenset[str]()
    return Ruling(permitted, policy.rulebook.defaults.chain, missing=missing)


_NO_GATE = Gate()


def judging_of(policy: Policy, gate: Gate, facts: Facts, at: datetime) -> Judging:
    """Return a decision under way: everything read and classed, no rule asked yet."""
    schedules = policy.schedules
    view = view_of(facts, gate.reads, lambda name: schedules[name].is_open(at))
    roots: dict[str, frozenset[str]] = {}
    if gate.tiers and TIER not in view:
        roots |= put_tier(gate.tiers, view)
    if gate.groups and GROUPS not in view:
        roots |= put_groups(gate.groups, view)
    today = at.astimezone(policy.zone).date()
    return Judging(gate, facts, view, roots, today, policy.strictness)


def classify(
    policy: Policy, facts: Facts, at: datetime
) -> tuple[str | None, frozenset[str] | None]:
    """Return a customer's tier and the groups they are surely in; None for what is unknown."""
    view = judging_of(policy, policy.classing, facts, at).view
    groups: frozenset[str] = view.get(GROUPS, frozenset())
    return view.get(TIER), groups or (None if view.get(UNSURE_GROUPS) else groups)


def granted_in(facts: Facts) -> frozenset[str]:
    """Return the actions that are lent to the sender; none if that is not known."""
    found = facts.get(GRANTS)
    return found if isinstance(found, frozenset) else frozenset()


def permission(
    book: Rulebook, action: str, level: object, granted: frozenset[str] = frozenset()
) -> Outcome:
    """Return what the permission table alone says; an unknown action or level is refused."""
    table = book.permissions.get(action)
    if table is None:
        return Outcome.DENY
    if action in granted:
        return Outcome.APPROVAL if table.allow is None else Outcome.ALLOW
    known = plain(Kind.INT, level)
    if known is None:
        return Outcome.DENY
    for needed, outcome in ((table.allow, Outcome.ALLOW), (table.approval, Outcome.APPROVAL)):
        if needed is not None and int(known) >= needed:
            return outcome
    return Outcome.DENY


def _permission_line(
    action: str, facts: Facts, outcome: Outcome, granted: frozenset[str]
) -> TraceLine:
    level = plain(Kind.INT, facts.get(LEVEL))
    by_grant = " (grant)" if action in granted else ""
    result = None if level is None and not by_grant else outcome is not Outcome.DENY
    note = f"{LEVEL} {shown(level)}{by_grant} → {outcome.word}"
    return TraceLine(f"permissions.{action}", 0, result, note)


@dataclass(frozen=True, slots=True)
class Miss:
    """One expectation that did not come true, in the words of the file."""

    what: str
    expected: str
    got: str


@dataclass(frozen=True, slots=True)
class Tested:
    """How one test of the file went."""

    name: str
    verdict: Verdict
    misses: tuple[Miss, ...]

    @property
    def passed(self) -> bool:
        """Whether everything expected came true."""
        return not self.misses


def run_tests(policy: Policy) -> tuple[Tested, ...]:
    """Run the tests of the file, one result for each case of a matrix.

    A test that names no time runs on a fixed Wednesday at 10:00.
    """
    default = TEST_TIME.replace(tzinfo=policy.zone)
    results: list[Tested] = []
    for test in policy.rulebook.test:
        cases, mistakes = given.read_cases(
            test.given, test.matrix, ("test",), policy.known, policy.zone, test.name
        )
        if mistakes:
            raise BadPolicyError(mistakes)
        for case in cases:
            start = case.given
            verdict = decide(policy, start.facts, start.action, start.at or default, traced=True)
            results.append(Tested(case.name, verdict, misses(test.expect.model_dump(), verdict)))
    return tuple(results)


def misses(expected: Mapping[str, object], verdict: Verdict) -> tuple[Miss, ...]:
    """Return what a verdict is not, of what is expected; None expects nothing."""
    shadow = None if verdict.shadow is None else verdict.shadow.word
    got: Mapping[str, object] = {
        "decision": verdict.outcome.word,
        "chain": verdict.chain,
        "rules": tuple(sorted(verdict.rules)),
        "missing": verdict.missing,
        "auto_review": verdict.auto_review,
        "shadow": shadow,
    }
    return tuple(
        Miss(what, _text(wanted), _text(got[what]))
        for what, wanted in expected.items()
        if what in got and wanted is not None and _sorted(wanted) != got[what]
    )


def _sorted(value: object) -> object:
    return tuple(sorted(value)) if isinstance(value, tuple) else value


def _text(value: object) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value or "-")
