"""Everything that facts and time can be, as far as two policies tell it apart for one action."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from workflows.attributes import COMPUTED, GROUPS, LEVEL, TIER, Attribute
from workflows.axes import Axis, Chosen, Probe, Weight, axis_of
from workflows.conditions import All, During, Either, Leaf, Operator, leaves
from workflows.evaluation import compiled, tier_view
from workflows.gates import Class, CompiledReview, Gate
from workflows.model import Facts, FactValue
from workflows.moments import Deadline, Moment, Question, moments
from workflows.policy import Policy
from workflows.terms import FALSE, TRUE, Term, Terms, constant

NO_GATE = Gate()


def gate_of(policy: Policy, action: str) -> Gate:
    """Return what judges an action besides the permission table."""
    return policy.gates.get(action, NO_GATE)


def _conditions(gate: Gate) -> Iterable[All]:
    for clause in [*(r.clause for r in gate.rules), *(r.clause for r in gate.reviews)]:
        yield from clause.conditions
    for part in (*gate.tiers, *gate.groups):
        yield part.condition


@dataclass(frozen=True, slots=True)
class Space:
    """The attributes as axes, and time as one more variable."""

    terms: Terms
    axes: Mapping[str, Axis]
    known: Mapping[Leaf, Term]
    clock: int
    questions: Mapping[Question, int]
    moments: tuple[Moment, ...]

    @classmethod
    def of(
        cls,
        policies: Sequence[Policy],
        action: str,
        now: datetime,
        weight: Weight,
    ) -> Space:
        """Return the space of one action. `weight` is what a level gives by itself."""
        terms = Terms()
        read: dict[str, dict[Leaf, None]] = {LEVEL: {}}
        questions: dict[Question, int] = {}
        for policy in policies:
            gate = gate_of(policy, action)
            for leaf in (leaf for c in _conditions(gate) for leaf in leaves(c)):
                if isinstance(leaf, During):
                    questions.setdefault(policy.schedules[leaf.schedule], len(questions))
                elif leaf.attribute.name not in COMPUTED:
                    read.setdefault(leaf.attribute.name, {})[_bare(leaf)] = None
            for review in gate.reviews:
                questions.setdefault(_deadline(review, policy), len(questions))
        probes = {name: [*map(Probe.of, found)] for name, found in read.items()}
        axes = {n: axis_of(terms, n, found) for n, found in probes.items() if n != LEVEL}
        axes[LEVEL] = axis_of(terms, LEVEL, probes[LEVEL], _marks(policies, action), weight)
        known = {p.leaf: axes[n].term(terms, p) for n, found in probes.items() for p in found}
        times = moments(list(questions), now)
        return cls(terms, axes, known, terms.variable(len(times)), questions, times)

    @property
    def is_exact(self) -> bool:
        """Whether nothing that facts can be is left out."""
        return all(axis.exact for axis in self.axes.values())

    @property
    def level(self) -> int:
        """The variable of the sender's level."""
        return self.axes[LEVEL].variable

    @property
    def levels(self) -> tuple[FactValue | None, ...]:
        """The sampled levels, in the order of the variable's values."""
        plain = (int, type(None))
        return tuple(s for s in self.axes[LEVEL].samples if isinstance(s, plain))

    def leaf(self, leaf: Leaf) -> Term:
        """Return a leaf over an attribute that is not computed."""
        return self.known[_bare(leaf)]

    def when(self, question: Question) -> Term:
        """Return whether a schedule is open or a deadline not passed."""
        number = self.questions[question]
        answers = [constant(moment.answers[number]) for moment in self.moments]
        return self.terms.choose(self.clock, answers)

    def facts(self, chosen: Chosen) -> Facts:
        """Return the facts of a choice; what was not chosen does not matter and is left out."""
        found = {name: axis.value(chosen) for name, axis in sorted(self.axes.items())}
        return {name: value for name, value in found.items() if value is not None}

    def at(self, chosen: Chosen) -> datetime:
        """Return the time of a choice: now, when it does not matter."""
        return self.moments[chosen.get(self.clock, 0)].at


def _bare(leaf: Leaf) -> Leaf:
    """Where a leaf stands in the file does not change what it means."""
    return replace(leaf, loc=(), attribute=_untitled(leaf.attribute))


def _untitled(attribute: Attribute) -> Attribute:
    return replace(attribute, zh="", en="")


def _deadline(review: CompiledReview, policy: Policy) -> Deadline:
    return Deadline(review.review.expires, policy.zone)


def _marks(policies: Sequence[Policy], action: str) -> set[int]:
    tables = [policy.rulebook.permissions.get(action) for policy in policies]
    levels = {level for table in tables if table for level in (table.allow, table.approval)}
    return {level for level in levels if level is not None}


@dataclass(frozen=True, slots=True)
class Reader:
    """Turns the conditions of one policy about one action into terms over a space."""

    space: Space
    policy: Policy
    gate: Gate

    def condition(self, condition: All) -> Term:
        """Return a whole table."""
        return self.space.terms.all_of([self._part(part) for part in condition.parts])

    def applies(self, review: CompiledReview) -> Term:
        """Return whether an auto-review applies: in time, and its `unless` surely ruled out."""
        terms, clause = self.space.terms, review.clause
        parts = [self.space.when(_deadline(review, self.policy)), self.condition(clause.when)]
        if clause.unless is not None:
            parts.append(terms.negated(self.condition(clause.unless)))
        return terms.all_of(parts)

    def _part(self, part: Leaf | During | Either) -> Term:
        match part:
            case During(schedule):
                return self.space.when(self.policy.schedules[schedule])
            case Either(branches):
                return self.space.terms.any_of([self.condition(b) for b in branches])
            case Leaf(attribute):
                if attribute.name == TIER:
                    return self._tier(part)
                return self._groups(part) if attribute.name == GROUPS else self.space.leaf(part)
            case _:
                assert_never(part)

    def _tier(self, leaf: Leaf) -> Term:
        """The first tier that holds counts; past one that is unknown, nothing is known."""
        test = compiled(All((leaf,)))
        unknown = constant(test({}))
        found = unknown
        for tier in reversed(self.gate.tiers):
            mine = constant(test(tier_view(tier.name)))
            holds = self.condition(tier.condition)
            found = self.space.terms.branch(holds, mine, found, unknown)
        return found

    def _groups(self, leaf: Leaf) -> Term:
        terms, groups = self.space.terms, self.gate.groups
        if not groups:
            return constant(compiled(All((leaf,)))({}))
        match leaf.operator:
            case Operator.ANY_OF:
                return terms.any_of(self._named(groups, leaf))
            case Operator.NONE_OF:
                return terms.negated(terms.any_of(self._named(groups, leaf)))
            case Operator.ALL_OF:
                return terms.all_of(self._named(groups, leaf))
            case _:
                sure = [terms.branch(t, TRUE, TRUE, FALSE) for t in self._all(groups)]
                exists = terms.all_of(sure)
                return exists if leaf.values[0] else terms.negated(exists)

    def _named(self, groups: tuple[Class, ...], leaf: Leaf) -> list[Term]:
        return [self.condition(g.condition) for g in groups if g.name in leaf.values]

    def _all(self, groups: tuple[Class, ...]) -> list[Term]:
        return [self.condition(group.condition) for group in groups]
