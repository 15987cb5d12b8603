"""Everything that has a say about one action, compiled from a rulebook."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from workflows.attributes import BUILT_IN, GROUPS, TIER
from workflows.conditions import All, Known
from workflows.evaluation import Reads, Test, compiled
from workflows.guards import Guards
from workflows.model import Outcome
from workflows.references import PLACEHOLDER, read_condition
from workflows.sections import AutoReview, Rule, Rulebook


@dataclass(frozen=True, slots=True)
class Clause:
    """A `when` and an `unless`, as trees to explain and as functions to decide with."""

    when: All
    unless: All | None
    holds: Test
    cancels: Test | None

    @property
    def conditions(self) -> tuple[All, ...]:
        """The trees."""
        return (self.when,) if self.unless is None else (self.when, self.unless)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What one rule, or the permission table (no id), contributes."""

    outcome: Outcome
    chain: str
    rule: str = ""
    sure: bool = True  # whether the rule holds for certain
    say: str = ""
    doubtful: Clause | None = None  # the rule's conditions, where one of them is unknown
    missing: frozenset[str] = frozenset()  # what the permission table lacked


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule ready to run. `chain` is the one asked when it means approval."""

    rule: Rule
    clause: Clause
    outcome: Outcome
    chain: str
    shadow: bool
    # What it contributes, made once: when it holds, when only its `unless` is unknown, and when
    # its `when` is.
    sure: Ruling
    unsure_unless: Ruling
    unsure_when: Ruling


@dataclass(frozen=True, slots=True)
class CompiledReview:
    """An auto-review ready to run."""

    review: AutoReview
    clause: Clause


@dataclass(frozen=True, slots=True)
class Class:
    """A tier or group."""

    section: str
    name: str
    condition: All
    holds: Test


NOTHING = Reads((), (), ())
UNGUARDED = Guards()


@dataclass(frozen=True, slots=True)
class Gate:
    """Everything that has a say about one action."""

    rules: tuple[CompiledRule, ...] = ()
    reviews: tuple[CompiledReview, ...] = ()
    reads: Reads = NOTHING
    tiers: tuple[Class, ...] = ()  # empty when nothing reads the tier
    groups: tuple[Class, ...] = ()
    guards: Guards = UNGUARDED  # of the rules


def classes_of(book: Rulebook, known: Known) -> Mapping[str, tuple[Class, ...]]:
    """Return the tiers and groups under the names of their sections."""
    return {
        "tier": tuple(_class("tier", t.name, t.when, known) for t in book.tier),
        "group": tuple(_class("group", g.name, g.when, known) for g in book.group),
    }


def _class(section: str, name: str, when: Mapping[str, object] | None, known: Known) -> Class:
    # The trace names tables, so the index is never shown.
    condition, _ = read_condition(when, (section, 0, "when"), known, name)
    return Class(section, name, condition, compiled(condition))


def _clause(table: Rule | AutoReview, section: str, known: Known) -> Clause:
    when, _ = read_condition(table.when, (section, 0, "when"), known, table.id)
    if table.unless is None:
        return Clause(when, None, compiled(when), None)
    unless, _ = read_condition(table.unless, (section, 0, "unless"), known, table.id)
    return Clause(when, unless, compiled(when), compiled(unless))


def gate_of(
    book: Rulebook, known: Known, action: str, classes: Mapping[str, tuple[Class, ...]]
) -> Gate:
    """Return what judges one action; a rule that is off is left out."""
    rules = tuple(
        _rule(rule, book, known)
        for rule in book.rule
        if action in rule.action and (rule.mode or book.defaults.mode) != "off"
    )
    reviews = tuple(
        CompiledReview(r, _clause(r, "auto_review", known))
        for r in book.auto_review
        if action in r.action
    )
    clauses = [r.clause for r in rules] + [r.clause for r in reviews]
    conditions = [c for clause in clauses for c in clause.conditions]
    said = [r.rule.say for r in rules] + [r.review.say for r in reviews]
    named = [known.registry[n] for text in said for n in PLACEHOLDER.findall(text)]
    direct = {a.name for a in Reads.of(conditions, named).attributes}
    tiers = classes["tier"] if TIER in direct else ()
    groups = classes["group"] if GROUPS in direct else ()
    conditions += [c.condition for c in (*tiers, *groups)]
    guards = Guards.of(rule.clause.when for rule in rules)
    return Gate(rules, reviews, Reads.of(conditions, named), tiers, groups, guards)


def _rule(rule: Rule, book: Rulebook, known: Known) -> CompiledRule:
    clause, outcome = _clause(rule, "rule", known), Outcome[rule.then.upper()]
    chain = rule.chain or book.defaults.chain
    guessed = Outcome[book.defaults.on_missing.upper()] if outcome is Outcome.DENY else outcome
    return CompiledRule(
        rule,
        clause,
        outcome,
        chain,
        (rule.mode or book.defaults.mode) == "shadow",
        Ruling(outcome, chain, rule.id, say=rule.say),
        Ruling(outcome, chain, rule.id, say=rule.say, doubtful=clause),
        Ruling(guessed, chain, rule.id, sure=False, doubtful=clause),
    )


def classing_of(classes: Mapping[str, tuple[Class, ...]]) -> Gate:
    """Return what sorts customers into every tier and group, for showing."""
    tiers, groups = classes["tier"], classes["group"]
    named = [BUILT_IN[TIER], BUILT_IN[GROUPS]]
    reads = Reads.of([c.condition for c in (*tiers, *groups)], named)
    return Gate(reads=reads, tiers=tiers, groups=groups)
