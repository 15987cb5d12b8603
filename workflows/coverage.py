"""Which rules, and which of their conditions, the tests in a config file reach."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from workflows import flow_tests, policy
from workflows.policy import Policy, Tested

_SECTIONS = ("rule.", "auto_review.")


@dataclass(frozen=True, slots=True)
class Coverage:
    """Places as the trace names them, in the order of the file: `rule.vip-by-junior`."""

    reached: tuple[str, ...]  # rules and auto-reviews that held in at least one test
    never: tuple[str, ...]  # those that held in none; rules that are off are left out
    leaves: tuple[str, ...]  # conditions, of those that were reached, that held in no test


def of(judge: Policy) -> Coverage:
    """Run every test of the file and return what they reach."""
    return coverage(judge, [*policy.run_tests(judge), *flow_tests.run_all(judge)])


def coverage(judge: Policy, tests: Iterable[Tested]) -> Coverage:
    """Return what these tests reach; each must have its trace."""
    lines = [line for test in tests for line in test.verdict.trace]
    held = {line.place for line in lines if line.result}
    every = _judging(judge)
    reached = tuple(place for place in every if place in held)
    seen = dict.fromkeys(line.place for line in lines if line.depth > 0)
    inside = tuple(f"{place}." for place in reached)
    leaves = tuple(p for p in seen if p.startswith(inside) and p not in held)
    return Coverage(reached, tuple(p for p in every if p not in held), leaves)


def _judging(judge: Policy) -> list[str]:
    book = judge.rulebook
    rules = (r for r in book.rule if (r.mode or book.defaults.mode) != "off")
    return [*(f"rule.{r.id}" for r in rules), *(f"auto_review.{r.id}" for r in book.auto_review)]
