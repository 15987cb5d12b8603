"""Proves that a rule never changes an outcome, because another one or the levels always suffice.

The proof is by looking at every world that the two rules and the permission table can tell apart,
unknown facts included. What it says of two rules holds among any others: outcomes only grow, the
strictest chain is the strictest of all, and a missing fact counts however often it is missing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from workflows.attributes import BUILT_IN, LEVEL
from workflows.conditions import All, During, Either, Leaf, Operator, leaves
from workflows.evaluation import View
from workflows.gates import Clause, CompiledRule
from workflows.model import Outcome
from workflows.policy import Policy, permission
from workflows.worlds import TooMany, closed_hours, worlds

_SAMPLES = 12  # worlds tried before all are


@dataclass(frozen=True, slots=True)
class _Said:
    """What a rule, or the table, comes to in one world."""

    outcome: Outcome
    chain: str
    unsure: bool = False


def applies(clause: Clause, tiers: frozenset[str]) -> bool | None:
    """Whether there is a world in which `when` holds and `unless` does not; None if unknown."""
    try:
        found = worlds(clause.conditions, tiers)
        return any(
            clause.holds(view) is True and not (clause.cancels and clause.cancels(view) is True)
            for view in found
        )
    except TooMany:
        return None


def holds(condition: All, test: Clause, tiers: frozenset[str]) -> bool | None:
    """Whether there is a world in which `when` alone holds; None if unknown."""
    try:
        return any(test.holds(view) is True for view in worlds([condition], tiers))
    except TooMany:
        return None


@dataclass(frozen=True, slots=True)
class Suspect:
    """A rule to be compared with others about one action, and what makes that quick."""

    rule: CompiledRule
    policy: Policy
    action: str
    about: frozenset[str]  # what its `when` reads
    needed: frozenset[str]  # what must be known for it to hold
    samples: tuple[View, ...]  # some worlds in which it makes a difference to the levels alone

    @classmethod
    def of(cls, rule: CompiledRule, policy: Policy, action: str) -> Suspect:
        """Return the rule with a few worlds of its own."""
        when = rule.clause.when
        needed = (part for part in when.parts if not isinstance(part, Either))
        suspect = cls(
            rule,
            policy,
            action,
            frozenset(map(_topic, leaves(when))),
            frozenset(map(_topic, needed)),
            (),
        )
        telling = (view for view in suspect._speaking() if not suspect._is_the_same(None, view))
        # Where it holds for certain another rule is soonest found silent.
        found = sorted(telling, key=lambda view: rule.clause.holds(view) is not True)
        # Another rule may read other facts, which are then unknown, and hours, which never are.
        closed = closed_hours(policy.schedules)
        return replace(suspect, samples=tuple(closed | view for view in found[:_SAMPLES]))

    def is_needless(self, other: Suspect | None) -> bool:
        """Whether it changes nothing beside `other`, or beside the levels alone.

        False also where there is too much to look at.
        """
        if other is not None:
            if not other.needed <= self.about:
                return False  # `other` asks for more, so it does not hold wherever this one does
            if any(_said(other.rule, view, self.policy) is None for view in self.samples):
                return False
        elif self.samples:
            return False
        rules = [self.rule] if other is None else [self.rule, other.rule]
        conditions = [c for each in rules for c in each.clause.conditions]
        try:
            return all(self._is_the_same(other, view) for view in self._worlds(conditions))
        except TooMany:
            return False

    def _speaking(self) -> Iterator[View]:
        try:
            for view in self._worlds(self.rule.clause.conditions):
                if _said(self.rule, view, self.policy) is not None:
                    yield view
        except TooMany:
            return

    def _worlds(self, conditions: Iterable[All]) -> Iterator[View]:
        levels = _levels(self.policy, self.action)
        return worlds([*conditions, levels], self.policy.known.tiers)

    def _is_the_same(self, other: Suspect | None, view: View) -> bool:
        """Whether it is the same in one world with the rule and without it."""
        policy, action = self.policy, self.action
        said = _said(self.rule, view, policy)
        if said is None:
            return True
        beside = _said(other.rule, view, policy) if other else None
        reviewed = bool(policy.gates[action].reviews)
        return all(
            _summed(policy, [base, beside], reviewed=reviewed)
            == _summed(policy, [base, beside, said], reviewed=reviewed)
            for base in _bases(policy, action, view)
        )


def _topic(leaf: Leaf | During) -> str:
    return leaf.schedule if isinstance(leaf, During) else leaf.attribute.name


def _levels(policy: Policy, action: str) -> All:
    """Return a condition that tells apart the levels of the permission table."""
    table = policy.rulebook.permissions.get(action)
    needed = [n for n in (table.allow, table.approval) if n is not None] if table else []
    return All(tuple(Leaf(BUILT_IN[LEVEL], Operator.GTE, (n,), ()) for n in needed))


def _bases(policy: Policy, action: str, view: View) -> Iterable[_Said]:
    """Return what the table may say: by level, and to somebody who holds a grant."""
    book = policy.rulebook
    for granted in (frozenset[str](), frozenset({action})):
        outcome = permission(book, action, view.get(LEVEL), granted)
        yield _Said(outcome, book.defaults.chain)


def _said(rule: CompiledRule, view: View, policy: Policy) -> _Said | None:
    clause = rule.clause
    found = clause.holds(view)
    if found is False:
        return None
    cancelled = clause.cancels(view) if clause.cancels else False
    if cancelled is True:
        return None
    unsure = found is None or cancelled is None
    refuses = rule.outcome is Outcome.DENY
    outcome = policy.on_missing if found is None and refuses else rule.outcome
    return _Said(outcome, rule.chain, unsure)


def _summed(
    policy: Policy, said: Sequence[_Said | None], *, reviewed: bool
) -> tuple[Outcome, int, bool]:
    """Return the outcome, the chain's rank, and whether a missing fact keeps auto-reviews away."""
    everything = [each for each in said if each]
    outcome = max(each.outcome for each in everything)
    if outcome is not Outcome.APPROVAL:
        return outcome, 0, False
    final = [each for each in everything if each.outcome is outcome]
    rank = max(policy.strictness.get(each.chain, -1) for each in final)
    return outcome, rank, reviewed and any(each.unsure for each in final)
