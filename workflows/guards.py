"""Finds the few rules that could hold among thousands, without looking at each.

Every rule is filed under one leaf of its `when`. Where that leaf is certainly false the rule cannot
hold, since a definite false settles a table; so only the others are handed out for a full look.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from workflows.attributes import GROUPS
from workflows.conditions import SUBSTRING, All, Leaf, Operator
from workflows.evaluation import UNSURE_GROUPS, View, key_of, values_of

# How good a leaf is at ruling out, best first; leaves with other operators file nothing.
_PREFERRED = (
    Operator.EQ,
    Operator.ANY_OF,
    Operator.GTE,
    Operator.GT,
    Operator.LTE,
    Operator.LT,
    Operator.STARTS_WITH,
    Operator.CONTAINS_ANY,
)

Select = Callable[[Any], Iterable[int]]


@dataclass(frozen=True, slots=True)
class Guard:
    """The rules filed under one attribute and operator."""

    key: str
    everything: tuple[int, ...]
    select: Select

    def possible(self, view: View) -> Iterable[int]:
        """Return the rules whose leaf holds or, when the attribute is unknown, may hold."""
        value = view.get(self.key)
        if value is None:
            return self.everything
        if self.key == GROUPS:
            value = value | view.get(UNSURE_GROUPS, frozenset())
        return self.select(value)


@dataclass(frozen=True, slots=True)
class Guards:
    """All guards of a list of conditions, and those that no guard covers."""

    guards: tuple[Guard, ...] = ()
    open: tuple[int, ...] = ()

    @classmethod
    def of(cls, conditions: Iterable[All]) -> Guards:
        """File the conditions under their numbers."""
        conditions = tuple(conditions)
        shared = Counter(_filing(leaf) for c in conditions for leaf in _usable(c))
        filed: dict[tuple[str, Operator], list[tuple[int, Leaf]]] = {}
        loose: list[int] = []
        for number, condition in enumerate(conditions):
            leaf = _guarding(condition, shared)
            if leaf is None:
                loose.append(number)
            else:
                filed.setdefault((key_of(leaf), leaf.operator), []).append((number, leaf))
        guards = tuple(
            Guard(key, tuple(n for n, _ in entries), _select(operator, entries))
            for (key, operator), entries in filed.items()
        )
        return cls(guards, tuple(loose))

    def possible(self, view: View) -> list[int]:
        """Return the numbers of the conditions that are not certainly false, in order."""
        found = set(self.open)
        for guard in self.guards:
            found.update(guard.possible(view))
        return sorted(found)


def _guarding(condition: All, shared: Mapping[object, int]) -> Leaf | None:
    """Return the leaf that a condition is filed under: the one it shares with the fewest."""
    return min(
        _usable(condition),
        key=lambda leaf: (shared[_filing(leaf)], _PREFERRED.index(leaf.operator)),
        default=None,
    )


def _usable(condition: All) -> list[Leaf]:
    return [p for p in condition.parts if isinstance(p, Leaf) and p.operator in _PREFERRED]


def _filing(leaf: Leaf) -> object:
    return (leaf.attribute.name, leaf.operator, leaf.values)


def _select(operator: Operator, entries: Sequence[tuple[int, Leaf]]) -> Select:
    if operator in SUBSTRING:
        return _by_words(operator, entries)
    if operator is Operator.EQ or operator is Operator.ANY_OF:
        table: dict[Any, list[int]] = {}
        for number, leaf in entries:
            for value in values_of(leaf):
                table.setdefault(value, []).append(number)
        return _by_value(table) if operator is Operator.EQ else _by_element(table)
    return _by_threshold(operator, entries)


def _by_value(table: Mapping[Any, Sequence[int]]) -> Select:
    return lambda value: table.get(value, ())


def _by_element(table: Mapping[Any, Sequence[int]]) -> Select:
    return lambda value: [number for element in value for number in table.get(element, ())]


def _by_words(operator: Operator, entries: Sequence[tuple[int, Leaf]]) -> Select:
    words = [(str(word), number) for number, leaf in entries for word in leaf.values]
    if operator is Operator.STARTS_WITH:
        return lambda text: [number for word, number in words if text.startswith(word)]
    return lambda text: [number for word, number in words if word in text]


def _by_threshold(operator: Operator, entries: Sequence[tuple[int, Leaf]]) -> Select:
    ordered = sorted(entries, key=lambda entry: entry[1].values[0])
    marks: list[Any] = [leaf.values[0] for _, leaf in ordered]
    numbers = [number for number, _ in ordered]
    match operator:
        case Operator.GTE:
            return lambda value: numbers[: bisect_right(marks, value)]
        case Operator.GT:
            return lambda value: numbers[: bisect_left(marks, value)]
        case Operator.LTE:
            return lambda value: numbers[bisect_left(marks, value) :]
        case _:
            return lambda value: numbers[bisect_right(marks, value) :]
