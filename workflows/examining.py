"""Explains what conditions came to: leaf by leaf for a trace, and which facts they lacked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import assert_never

from workflows.attributes import GROUPS
from workflows.conditions import All, During, Either, Leaf, Operator, Part
from workflows.evaluation import UNSURE_GROUPS, View, compiled, key_of, shown
from workflows.mistakes import Loc
from workflows.model import Facts, TraceLine


@dataclass(frozen=True, slots=True)
class Finding:
    """What a condition came to, and its leaves one by one."""

    result: bool | None
    lines: tuple[TraceLine, ...] = ()


@dataclass(frozen=True, slots=True)
class Examiner:
    """Evaluates without shortcuts. `item` names the rule, tier or group that is examined."""

    view: View
    facts: Facts
    item: str = ""

    def examine(self, condition: All, depth: int) -> Finding:
        """Return the finding of a whole table."""
        findings = [self._part(part, depth) for part in condition.parts]
        return Finding(conjunction(f.result for f in findings), _lines(findings))

    def _part(self, part: Part, depth: int) -> Finding:
        match part:
            case Either(branches, loc):
                findings = [self.examine(branch, depth + 1) for branch in branches]
                result = disjunction(f.result for f in findings)
                return Finding(result, (self._line(loc, depth, result), *_lines(findings)))
            case During(_, loc):
                result = compiled(All((part,)))(self.view)
                return Finding(result, (self._line(loc, depth, result),))
            case Leaf(attribute, _, _, loc):
                result = compiled(All((part,)))(self.view)
                note = shown(self.facts.get(attribute.name, self.view.get(attribute.name)))
                return Finding(result, (self._line(loc, depth, result, note),))
            case _:
                assert_never(part)

    def _line(self, loc: Loc, depth: int, result: bool | None, note: str = "") -> TraceLine:
        return TraceLine(place(loc, self.item), depth, result, note)


def _lines(findings: Iterable[Finding]) -> tuple[TraceLine, ...]:
    return tuple(line for finding in findings for line in finding.lines)


def conjunction(results: Iterable[bool | None]) -> bool | None:
    """Kleene "and"; of nothing it is true."""
    found = set(results)
    if False in found:
        return False
    return None if None in found else True


def disjunction(results: Iterable[bool | None]) -> bool | None:
    """Kleene "or"; of nothing it is false."""
    found = set(results)
    if True in found:
        return True
    return None if None in found else False


def place(loc: Loc, item: str) -> str:
    """Return a path for the trace, the item of an array table by its name: `rule.night.unless`."""
    named = [item if depth == 1 and item else part for depth, part in enumerate(loc)]
    return ".".join(map(str, named))


# --- what is missing

Roots = Mapping[str, frozenset[str]]  # a computed attribute → what it lacked


def lacking(condition: All, view: View, roots: Roots) -> frozenset[str]:
    """Return the attributes whose absence makes a condition unknown; it must be unknown."""
    found: set[str] = set()
    for part in condition.parts:
        if isinstance(part, Leaf):
            if _is_unknown(part, view):
                found |= _lacked(part, view, roots)
        elif isinstance(part, Either):
            results = [(compiled(branch)(view), branch) for branch in part.branches]
            if not any(result for result, _ in results):
                unknown = (branch for result, branch in results if result is None)
                found.update(*(lacking(branch, view, roots) for branch in unknown))
    return frozenset(found)


def _is_unknown(leaf: Leaf, view: View) -> bool:
    if leaf.attribute.name == GROUPS:
        return compiled(All((leaf,)))(view) is None
    return leaf.operator is not Operator.EXISTS and key_of(leaf) not in view


def _lacked(leaf: Leaf, view: View, roots: Roots) -> frozenset[str]:
    """Return what a leaf lacked that is unknown."""
    name = leaf.attribute.name
    if name == GROUPS and GROUPS in view:
        unsure = [f"{GROUPS}:{v}" for v in leaf.values if v in view[UNSURE_GROUPS]]
        return frozenset[str]().union(*(roots.get(u, frozenset()) for u in unsure))
    return roots.get(name) or frozenset({name})
