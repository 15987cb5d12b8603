"""What rules on trial would have done, each of them enforced alone on decisions it concerned."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from workflows.gates import Gate
from workflows.model import Outcome
from workflows.policy import Policy, decide
from workflows.replaying import Decision
from workflows.sections import Rulebook


def rules_on_trial(book: Rulebook) -> tuple[str, ...]:
    """Return the rules that run in shadow, in the order of the file."""
    return tuple(r.id for r in book.rule if (r.mode or book.defaults.mode) == "shadow")


@dataclass(slots=True)
class Trial:
    """What one rule would have done. A hit that nothing else here counts would change nothing."""

    hits: int = 0  # it held, or a fact was missing and it would have asked for approval
    approval: int = 0  # what was allowed would have needed approval
    denied: int = 0  # what was not refused would have been
    other_chain: int = 0  # what needed approval would have gone to others


@dataclass(frozen=True, slots=True)
class Trials:
    """The trials of these rules. Feed it decisions, each with the version that made it."""

    of: Mapping[str, Trial]
    _enforced: dict[tuple[str, str, str], Policy] = field(default_factory=dict)

    @classmethod
    def for_rules(cls, rules: Collection[str]) -> Trials:
        """Return empty trials."""
        return cls({rule: Trial() for rule in rules})

    @property
    def hit(self) -> Mapping[str, Trial]:
        """The trials in which anything happened."""
        return {rule: trial for rule, trial in self.of.items() if trial.hits}

    def take(self, decision: Decision, former: Policy | None) -> None:
        """Add a decision. One of a version that is not on record tells nothing of its rules."""
        if decision.verdict.shadow is None or former is None:
            return
        for rule in self._concerned(former, decision.action):
            self._note(rule, decision, self._with(former, decision.action, rule))

    def _concerned(self, former: Policy, action: str) -> Iterator[str]:
        gate = former.gates.get(action, Gate())
        return (r.rule.id for r in gate.rules if r.shadow and r.rule.id in self.of)

    def _with(self, former: Policy, action: str, rule: str) -> Policy:
        """Return the version with one of its rules on trial enforced."""
        key = (former.hash, action, rule)
        if key not in self._enforced:
            gate = former.gates[action]
            rules = tuple(replace(r, shadow=r.shadow and r.rule.id != rule) for r in gate.rules)
            gates = {**former.gates, action: replace(gate, rules=rules)}
            self._enforced[key] = replace(former, gates=gates)
        return self._enforced[key]

    def _note(self, rule: str, decision: Decision, enforced: Policy) -> None:
        before, trial = decision.verdict, self.of[rule]
        after = decide(enforced, decision.facts, decision.action, decision.created_at)
        changed = (after.outcome, after.chain) != (before.outcome, before.chain)
        if not changed and rule not in before.shadow_rules:
            return
        trial.hits += 1
        if after.outcome is before.outcome:
            trial.other_chain += changed
        elif after.outcome is Outcome.DENY:
            trial.denied += 1
        else:
            trial.approval += 1
