"""One decision under way: what the rules say, the strictest of it, and how to explain it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date

from workflows.attributes import GROUPS, TIER
from workflows.evaluation import UNSURE_GROUPS, View, shown, tier_view
from workflows.examining import Examiner, lacking
from workflows.gates import Class, Clause, CompiledRule, Gate, Ruling
from workflows.model import Facts, Outcome, Reason, TraceLine, Verdict
from workflows.references import PLACEHOLDER
from workflows.sections import AutoReview


@dataclass(frozen=True, slots=True)
class Judging:
    """One decision under way."""

    gate: Gate
    facts: Facts
    view: View
    roots: Mapping[str, frozenset[str]]  # what computed attributes lacked
    today: date  # in the company's time zone
    strictness: Mapping[str, int]

    def rulings(self) -> tuple[list[Ruling], list[Ruling]]:
        """Return what the enforced and the shadow rules say; those that do not hold say nothing."""
        view = self.view
        enforced: list[Ruling] = []
        shadow: list[Ruling] = []
        for number in self.gate.guards.possible(view):
            compiled_rule = self.gate.rules[number]
            clause = compiled_rule.clause
            holds = clause.holds(view)
            if holds is False:
                continue
            cancelled = clause.cancels(view) if clause.cancels else False
            if cancelled is not True:  # an `unless` cancels only when it is true
                ruling = _ruling(compiled_rule, holds, cancelled)
                (shadow if compiled_rule.shadow else enforced).append(ruling)
        return enforced, shadow

    def _missing(self, clauses: Iterable[Clause]) -> frozenset[str]:
        """Return what conditions that are unknown lacked."""
        found: set[str] = set()
        for clause in clauses:
            if clause.holds(self.view) is None:
                found |= lacking(clause.when, self.view, self.roots)
            if clause.unless and clause.cancels and clause.cancels(self.view) is None:
                found |= lacking(clause.unless, self.view, self.roots)
        return frozenset(found)

    def combined(self, base: Ruling, rulings: list[Ruling]) -> Verdict:
        """Return the most restrictive of it all, answered by an auto-review where one may."""
        outcome = max([base.outcome, *(r.outcome for r in rulings)])
        final = [r for r in rulings if r.outcome is outcome]
        missing = base.missing
        if not _settled(outcome, [base, *final]):
            missing = self._missing(r.doubtful for r in final if r.doubtful)
        verdict = Verdict(
            outcome,
            self._reason(base, outcome, final),
            rules=tuple(r.rule for r in rulings if r.sure),
            say=tuple(self._filled(r.say) for r in final if r.sure and r.say),
            missing=tuple(sorted(missing)),
        )
        if outcome is not Outcome.APPROVAL:
            return verdict
        deciding = final if base.outcome is not outcome else [base, *final]
        return self._reviewed(self._chained(verdict, deciding))

    @staticmethod
    def _reason(base: Ruling, outcome: Outcome, final: list[Ruling]) -> Reason:
        if base.outcome is Outcome.DENY:
            return Reason.NO_PERMISSION
        if any(r.sure for r in final) and outcome is not Outcome.ALLOW:
            return Reason.RULE
        return Reason.MISSING if final else Reason.LEVEL

    def _chained(self, verdict: Verdict, deciding: list[Ruling]) -> Verdict:
        rank = self.strictness
        chains = sorted({r.chain for r in deciding}, key=lambda c: rank.get(c, -1), reverse=True)
        return replace(verdict, chain=chains[0], other_chains=tuple(chains[1:]))

    def _reviewed(self, verdict: Verdict) -> Verdict:
        """Let an auto-review answer: a refusing one that surely holds, whatever else is missing;
        an approving one only where nothing is, and where no refusing one might hold.
        """
        approving: AutoReview | None = None
        missing = frozenset(verdict.missing)
        for compiled_review in self.gate.reviews:
            review, clause = compiled_review.review, compiled_review.clause
            if review.expires < self.today:
                continue
            applies = _applies(clause, self.view)
            if applies and review.decide == "deny":
                return self._answered(verdict, review, Outcome.DENY)
            if applies and approving is None:
                approving = review
            if applies is None and review.decide == "deny":
                missing |= self._missing([clause])
        if missing:
            return replace(verdict, missing=tuple(sorted(missing)))
        return self._answered(verdict, approving, Outcome.ALLOW) if approving else verdict

    def _answered(self, verdict: Verdict, review: AutoReview, outcome: Outcome) -> Verdict:
        return replace(
            verdict,
            outcome=outcome,
            reason=Reason.AUTO_REVIEW,
            chain=None,
            other_chains=(),
            missing=(),
            say=(self._filled(review.say),) if review.say else (),
            auto_review=review.id,
        )

    def _filled(self, say: str) -> str:
        """Put the facts into a text; one that is missing reads '?'."""
        return PLACEHOLDER.sub(
            lambda m: shown(self.facts.get(m[1], self.view.get(m[1]))),
            say,
        )

    # --- the trace

    def trace(self) -> list[TraceLine]:
        """Return one line per tier, group, rule, auto-review and leaf."""
        lines: list[TraceLine] = []
        for part in (*self.gate.tiers, *self.gate.groups):
            examiner = Examiner(self.view, self.facts, part.name)
            found = examiner.examine(part.condition, 1)
            lines += [TraceLine(f"{part.section}.{part.name}", 0, found.result), *found.lines]
        for compiled_rule in self.gate.rules:
            mode = " (shadow)" if compiled_rule.shadow else ""
            rule, note = compiled_rule.rule, compiled_rule.rule.then + mode
            lines += self._clause_lines(f"rule.{rule.id}", note, compiled_rule.clause, rule.id)
        for compiled_review in self.gate.reviews:
            review = compiled_review.review
            note = review.decide + (" (expired)" if review.expires < self.today else "")
            place = f"auto_review.{review.id}"
            lines += self._clause_lines(place, note, compiled_review.clause, review.id)
        return lines

    def _clause_lines(
        self, place: str, note: str, clause: Clause, item: str
    ) -> tuple[TraceLine, ...]:
        examiner = Examiner(self.view, self.facts, item)
        when = examiner.examine(clause.when, 1)
        if clause.unless is None:
            return (TraceLine(place, 0, when.result, note), *when.lines)
        unless = examiner.examine(clause.unless, 1)
        result = False if unless.result is True else when.result
        if place.startswith("auto_review.") and unless.result is None and result is True:
            result = None
        return (TraceLine(place, 0, result, note), *when.lines, *unless.lines)


def _settled(outcome: Outcome, final: list[Ruling]) -> bool:
    """A refusal that is sure anyway does not care what else was missing."""
    sure = (r.outcome is outcome and r.doubtful is None for r in final)
    return outcome is Outcome.DENY and any(sure)


def _ruling(rule: CompiledRule, holds: bool | None, cancelled: bool | None) -> Ruling:
    """Return what a rule contributes that holds, or may hold."""
    if holds is None:
        return rule.unsure_when
    return rule.unsure_unless if cancelled is None else rule.sure


def _applies(clause: Clause, view: View) -> bool | None:
    """Whether an auto-review applies: its `unless` must be ruled out for certain."""
    holds = clause.holds(view)
    if holds is False or clause.cancels is None:
        return holds
    cancelled = clause.cancels(view)
    if cancelled is True:
        return False
    return None if cancelled is None else holds


def put_tier(tiers: tuple[Class, ...], view: View) -> dict[str, frozenset[str]]:
    """Put the first tier that holds into the view, unless an earlier one might hold."""
    lacked = frozenset[str]()
    for tier in tiers:
        holds = tier.holds(view)
        if holds is None:
            lacked |= lacking(tier.condition, view, {})
        if holds:
            if not lacked:
                view |= tier_view(tier.name)
            break
    return {TIER: lacked} if lacked else {}


def put_groups(groups: tuple[Class, ...], view: View) -> dict[str, frozenset[str]]:
    """Put the groups that hold into the view, and beside them those that might."""
    found = {group.name: group.holds(view) for group in groups}
    view[GROUPS] = frozenset(name for name, holds in found.items() if holds)
    view[UNSURE_GROUPS] = frozenset(name for name, holds in found.items() if holds is None)
    return {
        f"{GROUPS}:{g.name}": lacking(g.condition, view, {})
        for g in groups
        if found[g.name] is None
    }
