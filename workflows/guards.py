"""Finds the few rules that could hold among thousands, without looking at each.

Every rule is filed under one leaf of its `when`, or under one leaf of each branch of an `any`.
Where those are certainly false the rule cannot hold, since a definite false settles a table; so
only the others are handed out for a full look. What is handed out may be too much, never too
little.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from workflows.attributes import GROUPS
from workflows.conditions import All, Either, Leaf, Operator
from workflows.evaluation import UNSURE_GROUPS, View, key_of, values_of

_LOWER = (Operator.GTE, Operator.GT)
_UPPER = (Operator.LTE, Operator.LT)
_NAMING = (Operator.EQ, Operator.ANY_OF, Operator.STARTS_WITH, Operator.CONTAINS_ANY)


class _Pair(Enum):
    """What a rule may be filed under besides a leaf with one operator."""

    BAND = "band"  # a lower and an upper bound of the same attribute


_How = Operator | _Pair
Select = Callable[[Any], Iterable[int]]


@dataclass(frozen=True, slots=True)
class _Filing:
    """Leaves of one attribute that a rule may be filed under: one, or the two of a band."""

    how: _How
    leaves: tuple[Leaf, ...]

    @property
    def key(self) -> str:
        """The name under which the view has what is compared."""
        return key_of(self.leaves[0])

    @property
    def values(self) -> list[Any]:
        """What is compared with; of a band its two ends."""
        if self.how is _Pair.BAND:
            return [leaf.values[0] for leaf in self.leaves]
        return sorted(values_of(self.leaves[0]))


@dataclass(frozen=True, slots=True)
class Guard:
    """The rules filed under one attribute in one way."""

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
        crowds = _Crowds.of(conditions)
        filed: dict[tuple[str, _How], list[tuple[int, _Filing]]] = {}
        loose: list[int] = []
        for number, condition in enumerate(conditions):
            filings = crowds.best(condition)
            if not filings:
                loose.append(number)
            for filing in filings:
                filed.setdefault((filing.key, filing.how), []).append((number, filing))
        guards = tuple(
            Guard(key, tuple(n for n, _ in entries), _select(how, entries))
            for (key, how), entries in filed.items()
        )
        return cls(guards, tuple(loose))

    def possible(self, view: View) -> list[int]:
        """Return the numbers of the conditions that are not certainly false, in order."""
        found = set(self.open)
        for guard in self.guards:
            found.update(guard.possible(view))
        return sorted(found)


# --- choosing what to file a condition under


@dataclass(frozen=True, slots=True)
class _Crowds:
    """How many conditions share what one could be filed under: the fewest rule out the most."""

    naming: Mapping[tuple[str, Any], int]  # attribute and value → leaves that name it
    bounding: Mapping[tuple[str, _How], int]  # attribute and kind of bound → how many there are

    @classmethod
    def of(cls, conditions: Iterable[All]) -> _Crowds:
        """Count over all conditions, branches of `any` included."""
        naming: Counter[tuple[str, Any]] = Counter()
        bounding: Counter[tuple[str, _How]] = Counter()
        for filing in (f for c in conditions for f in _everywhere(c)):
            if _is_bound(filing.how):
                bounding[filing.key, filing.how] += 1
            else:
                naming.update((filing.key, value) for value in filing.values)
        return cls(naming, bounding)

    def best(self, condition: All) -> tuple[_Filing, ...]:
        """Return what rules a condition out soonest, all of it together; nothing if none does."""
        options: list[tuple[_Filing, ...]] = [(filing,) for filing in _filings(condition)]
        for part in condition.parts:
            if isinstance(part, Either):
                branches = [self.best(branch) for branch in part.branches]
                if all(branches):
                    options.append(tuple(itertools.chain.from_iterable(branches)))
        return min(options, key=lambda option: sum(map(self.size, option)), default=())

    def size(self, filing: _Filing) -> float:
        """Return how many conditions will about be handed out along with one filed so."""
        key, how = filing.key, filing.how
        if how is _Pair.BAND:
            return 1 + self.bounding[key, how] / 10
        if _is_bound(how):
            return 1 + self.bounding[key, how] / 2
        crowds = [self.naming[key, value] for value in filing.values]
        return min(crowds) if how is Operator.ALL_OF else sum(crowds)


def _is_bound(how: _How) -> bool:
    return how is _Pair.BAND or how in _LOWER or how in _UPPER


def _everywhere(condition: All) -> Iterable[_Filing]:
    yield from _filings(condition)
    for part in condition.parts:
        for branch in part.branches if isinstance(part, Either) else ():
            yield from _everywhere(branch)


def _filings(condition: All) -> Iterable[_Filing]:
    """Everything in one table that can rule it out; `ne`, `none_of` and `exists` seldom do."""
    leaves = [part for part in condition.parts if isinstance(part, Leaf)]
    bounds = {how: [f for f in leaves if f.operator in how] for how in (_LOWER, _UPPER)}
    for low, high in itertools.product(*bounds.values()):
        if low.attribute == high.attribute:
            yield _Filing(_Pair.BAND, (low, high))
    for leaf in leaves:
        if leaf.operator in (*_NAMING, Operator.ALL_OF, *_LOWER, *_UPPER):
            yield _Filing(leaf.operator, (leaf,))


# --- looking up

_Entries = Sequence[tuple[int, _Filing]]


def _select(how: _How, entries: _Entries) -> Select:
    match how:
        case Operator.EQ:
            table = _table(entries)
            return lambda value: table.get(value, ())
        case Operator.ANY_OF:
            return _by_element(_table(entries))
        case Operator.ALL_OF:
            return _by_element(_rarest(entries))
        case Operator.STARTS_WITH:
            return _by_beginning(_table(entries))
        case Operator.CONTAINS_ANY:
            return _by_part(_table(entries))
        case _Pair.BAND:
            return _by_band(entries)
        case _:
            return _by_bound(how, entries)


_Table = Mapping[Any, Sequence[int]]


def _table(entries: _Entries) -> _Table:
    """Return the numbers under each value that is named."""
    table: dict[Any, list[int]] = {}
    for number, filing in entries:
        for value in filing.values:
            table.setdefault(value, []).append(number)
    return table


def _rarest(entries: _Entries) -> _Table:
    """Return the numbers under one value each: without it, not all of them are there."""
    crowds = Counter(value for _, filing in entries for value in filing.values)
    table: dict[Any, list[int]] = {}
    for number, filing in entries:
        table.setdefault(min(filing.values, key=lambda v: crowds[v]), []).append(number)
    return table


def _by_element(table: _Table) -> Select:
    return lambda value: [number for element in value for number in table.get(element, ())]


def _by_beginning(table: _Table) -> Select:
    lengths = sorted(set(map(len, table)))
    return lambda text: [n for length in lengths for n in table.get(text[:length], ())]


def _by_part(table: _Table) -> Select:
    """Look up every stretch of the text, unless there are fewer words to look for."""
    lengths = sorted(set(map(len, table)))

    def select(text: str) -> list[int]:
        if 2 * len(text) * len(lengths) > len(table):
            return [n for word, numbers in table.items() if word in text for n in numbers]
        stretches = {text[i : i + size] for size in lengths for i in range(len(text) - size + 1)}
        return [n for stretch in stretches for n in table.get(stretch, ())]

    return select


def _by_bound(how: _How, entries: _Entries) -> Select:
    ordered = sorted((filing.values[0], number) for number, filing in entries)
    marks: list[Any] = [mark for mark, _ in ordered]
    numbers = [number for _, number in ordered]
    match how:
        case Operator.GTE:
            return lambda value: numbers[: bisect_right(marks, value)]
        case Operator.GT:
            return lambda value: numbers[: bisect_left(marks, value)]
        case Operator.LTE:
            return lambda value: numbers[bisect_left(marks, value) :]
        case _:
            return lambda value: numbers[bisect_right(marks, value) :]


def _by_band(entries: _Entries) -> Select:
    """Put each band into the few nodes of a binary tree over all marks and gaps that make it up.

    A value lies in the bands of the nodes from its place up to the root. Ends count as inside.
    """
    marks = sorted({end for _, filing in entries for end in filing.values})
    size = 2 * len(marks) + 1
    tree: list[list[int]] = [[] for _ in range(2 * size)]

    def place(value: Any) -> int:
        return size + bisect_left(marks, value) + bisect_right(marks, value)

    for number, filing in entries:
        low, high = map(place, filing.values)
        high += 1
        while low < high:
            if low % 2:
                tree[low].append(number)
                low += 1
            if high % 2:
                high -= 1
                tree[high].append(number)
            low, high = low // 2, high // 2

    def select(value: Any) -> list[int]:
        node, found = place(value), list[int]()
        while node:
            found += tree[node]
            node //= 2
        return found

    return select
