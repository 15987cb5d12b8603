"""What one fact could be instead: a value of each kind that the rules for an action tell apart."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

from workflows.attributes import GRANTS, LEVEL, Attribute, Kind, Source
from workflows.axes import Axis, Composition, Members, Probe, axis_of
from workflows.conditions import Leaf, Operator, Scalar, fold
from workflows.evaluation import seen, values_of
from workflows.model import FactValue
from workflows.terms import FALSE, TRUE, Term, Terms

MOST = 400  # values of one attribute that are looked at

_ORDERED = frozenset({Kind.INT, Kind.NUMBER, Kind.DATE})
_DAY = timedelta(days=1)
_O = Operator
Alike = frozenset[str]  # elements of a set that no leaf tells apart


class How(StrEnum):
    """In which way a value must lie to its limits."""

    AT_LEAST = "at_least"
    MORE_THAN = "more_than"
    AT_MOST = "at_most"
    BELOW = "below"
    IS = "is"  # one of the values
    IS_NOT = "is_not"  # none of them
    HAS = "has"  # a set with all of them
    LACKS = "lacks"  # a set with none of them
    CONTAINS = "contains"  # a text with one of them inside
    CONTAINS_NOT = "contains_not"
    STARTS = "starts"
    STARTS_NOT = "starts_not"
    OPEN = "open"  # the time lies in these schedules
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that must be so of a value. It and its fellows suffice, all else being as it is."""

    how: How
    values: tuple[Scalar, ...]


@dataclass(frozen=True, slots=True)
class Aspect:
    """One attribute as something that could be different."""

    attribute: Attribute
    probes: tuple[Probe, ...]  # every leaf that reads it
    values: tuple[Scalar, ...] = ()  # one at least of each kind; numbers and dates in their order
    classes: tuple[Alike, ...] = ()  # of a set
    all_told: bool = True  # whether nothing that can be told apart is left out

    def seen(self, value: FactValue | None) -> FactValue | None:
        """Return a fact as conditions compare it; None when it is missing or of a wrong type."""
        return seen(self.attribute, value)

    def alternatives(self, current: FactValue | None) -> list[tuple[float, FactValue]]:
        """Return what it could be instead, each with its distance, the nearest first.

        A fact that is known never becomes unknown.
        """
        now = self.seen(current)
        told_apart: dict[object, tuple[float, FactValue]] = {}
        for far, value in sorted(self._by_distance(now), key=lambda pair: pair[0]):
            told_apart.setdefault(self.looks(value), (far, value))
        told_apart.pop(self.looks(now) if now is not None else None, None)
        return list(told_apart.values())

    def looks(self, value: FactValue | None) -> tuple[object, ...]:
        """Return how every leaf sees a value; equal for values that decisions cannot tell apart."""
        # The permission table may tell apart what no leaf does.
        own = (value,) if self.attribute.name in (LEVEL, GRANTS) else ()
        return (*own, *self._results(value))

    def _results(self, value: FactValue | None) -> tuple[Term, ...]:
        return tuple(probe.result(value) for probe in self.probes)

    def _by_distance(self, now: FactValue | None) -> Iterator[tuple[float, FactValue]]:
        if self.attribute.kind is Kind.SET:
            old = now if isinstance(now, frozenset) else frozenset[str]()
            for new in itertools.islice(_sets(self.classes, old, known=now is not None), MOST):
                yield len(old ^ new), new
            return
        was = self._results(now)
        for value in self.values:
            if self.attribute.kind in _ORDERED:
                yield _distance(now, value), value
            else:
                yield sum(a is not b for a, b in zip(was, self._results(value), strict=True)), value

    # --- what must be so

    def suitable(self, value: FactValue, suits: Callable[[FactValue], bool]) -> tuple[Scalar, ...]:
        """Return the values around `value`, itself included, that suit as well; none of a set."""
        if isinstance(value, frozenset):
            return ()
        if self.attribute.kind in _ORDERED:
            return tuple(_run(self.values, value, suits))
        if self.attribute.words or self.attribute.kind is Kind.BOOL:
            return tuple(v for v in self.values if v == value or suits(v))
        return (value,)

    def needs(
        self, current: FactValue | None, value: FactValue, suitable: tuple[Scalar, ...]
    ) -> tuple[Need, ...]:
        """Say in which values, of which `value` is one, the promise of `suitable` lies."""
        now = self.seen(current)
        if isinstance(value, frozenset):
            return tuple(self._elements(now, value))
        if self.attribute.kind in _ORDERED:
            return tuple(self._limits(suitable))
        if self.attribute.words or self.attribute.kind is Kind.BOOL:
            return _one_of(suitable, self.values)
        return tuple(self._wording(now, str(value)))

    def _elements(self, now: FactValue | None, value: frozenset[str]) -> Iterator[Need]:
        old = now if isinstance(now, frozenset) else frozenset[str]()
        named = frozenset().union(*self.classes) if now is None else old
        for how, elements in ((How.HAS, value - old), (How.LACKS, named - value)):
            if elements:
                yield Need(how, tuple(sorted(elements)))

    def _limits(self, run: tuple[Scalar, ...]) -> Iterator[Need]:
        first, last = self.values.index(run[0]), self.values.index(run[-1])
        low, high = first > 0, last < len(self.values) - 1
        if low and high and len(run) == 1 and self._is_closed(run[0]):
            yield Need(How.IS, run)
            return
        if low and self._is_closed(run[0]):
            yield Need(How.AT_LEAST, (run[0],))
        elif low:
            yield Need(How.MORE_THAN, (self.values[first - 1],))
        if high and self.attribute.kind is Kind.NUMBER and self._is_closed(run[-1]):
            yield Need(How.AT_MOST, (run[-1],))
        elif high:
            yield Need(How.BELOW, (self.values[last + 1],))

    def _is_closed(self, value: Scalar) -> bool:
        """Whether a run may end exactly there: numbers with fractions end at marks only."""
        return self.attribute.kind is not Kind.NUMBER or value in _marks(self.probes)

    def _wording(self, now: FactValue | None, text: str) -> Iterator[Need]:
        """Say of a text what the leaves will find in it that they do not find now."""
        equal = {v for p in self.probes if p.leaf.operator in _EQUALITY for v in values_of(p.leaf)}
        if self.seen(text) in equal:
            yield Need(How.IS, (text,))
            return
        found = dict.fromkeys([Need(How.IS_NOT, tuple(sorted(equal)))] if now in equal else [])
        for probe in self.probes:
            if probe.result(now) != probe.result(text):
                found |= dict.fromkeys(_told(probe, now, text))
        yield from found


def aspect_of(attribute: Attribute, leaves: Iterable[Leaf]) -> Aspect:
    """Return the aspect of an attribute, as far as these leaves tell its values apart."""
    probes = tuple(map(Probe.of, leaves))
    match attribute.kind:
        case Kind.INT | Kind.NUMBER | Kind.DATE:
            return Aspect(attribute, probes, tuple(_pool(attribute, probes)))
        case Kind.BOOL:
            return Aspect(attribute, probes, (False, True))
        case Kind.TEXT if attribute.words:
            return Aspect(attribute, probes, attribute.words)
    axis = axis_of(Terms(), attribute.name, probes)
    if attribute.kind is Kind.SET:
        classes = next(_classes(s) for s in axis.samples if isinstance(s, Members))
        return Aspect(attribute, probes, classes=classes, all_told=2 ** len(classes) <= MOST)
    values = tuple(itertools.islice(_texts(axis), MOST + 1))
    return Aspect(attribute, probes, values, all_told=axis.exact and len(values) <= MOST)


# --- numbers and dates


def _marks(probes: Iterable[Probe]) -> list[Scalar]:
    leaves = (p.leaf for p in probes if p.leaf.operator is not _O.EXISTS)
    return sorted({value for leaf in leaves for value in leaf.values}, key=_place)


def _pool(attribute: Attribute, probes: Iterable[Probe]) -> list[Scalar]:
    """Return every mark, and of everything between and beyond them what lies next to a mark."""
    marks = _marks(probes)
    match attribute.kind:
        case Kind.DATE:
            days = {date.fromisoformat(str(mark)) for mark in marks or ["2026-01-01"]}
            near = {day for mark in days for day in _around(mark)}
            return [day.isoformat() for day in sorted(near)]
        case Kind.INT:
            found = {0, *(int(mark) + step for mark in marks for step in (-1, 0, 1))}
            # What WeCom tells and Menwei counts is never below 0.
            least = -math.inf if attribute.source is Source.OUTSIDE else 0
            return [number for number in sorted(found) if number >= least]
        case _:
            numbers = [mark for mark in marks if not isinstance(mark, str)]
            return sorted({0, *filter(math.isfinite, _numbers(numbers))})


def _around(day: date) -> Iterator[date]:
    yield day
    if day > date.min:
        yield day - _DAY
    if day < date.max:
        yield day + _DAY


def _numbers(marks: list[float]) -> Iterator[float]:
    """Every mark and, where they lie in the gaps, round numbers next to it; else the middle."""
    for mark in marks:
        yield mark
        yield math.nextafter(mark, -math.inf) if abs(mark) >= _EVEN else math.ceil(mark) - 1
        yield math.nextafter(mark, math.inf) if abs(mark) >= _EVEN else math.floor(mark) + 1
    for low, high in itertools.pairwise(marks):
        middle = low / 2 + high / 2
        yield int(middle) if middle.is_integer() else middle


_EVEN = 2.0**52  # from here on there are no fractions between floats


def _distance(now: FactValue | None, value: Scalar) -> float:
    if now is None or isinstance(now, frozenset):
        return 0
    return abs(_place(value) - _place(now))


def _place(value: Scalar) -> float:
    """Return where a number or date lies in their order."""
    if isinstance(value, str):
        return date.fromisoformat(value).toordinal()
    return value


def _run(
    pool: tuple[Scalar, ...], value: Scalar, suits: Callable[[FactValue], bool]
) -> tuple[Scalar, ...]:
    """Return the stretch of the pool around `value` in which everything suits."""
    first = last = pool.index(value)
    while first > 0 and suits(pool[first - 1]):
        first -= 1
    while last < len(pool) - 1 and suits(pool[last + 1]):
        last += 1
    return pool[first : last + 1]


# --- sets, words and texts


def _classes(members: Members) -> tuple[Alike, ...]:
    """Return the elements that leaves name, those together that no leaf tells apart."""
    alike: dict[Term, set[str]] = {}
    for element, term in members.atoms.items():
        alike.setdefault(term, set()).add(element)
    return tuple(map(frozenset, alike.values()))


def _sets(
    classes: tuple[Alike, ...], old: frozenset[str], *, known: bool
) -> Iterator[frozenset[str]]:
    """Yield sets that differ from the old one in more and more classes."""
    for size in range(1 if known else 0, len(classes) + 1):
        for chosen in itertools.combinations(classes, size):
            new = old
            for alike in chosen:
                new = new - alike if new & alike else new | {min(alike)}
            yield new


def _one_of(suitable: tuple[Scalar, ...], every: tuple[Scalar, ...]) -> tuple[Need, ...]:
    """Name the values that suit, or else the others, whichever are fewer."""
    others = tuple(value for value in every if value not in suitable)
    if not others:
        return ()
    if len(suitable) <= len(others):
        return (Need(How.IS, suitable),)
    return (Need(How.IS_NOT, others),)


def _texts(axis: Axis) -> Iterator[str]:
    for sample in axis.samples:
        if isinstance(sample, Composition):
            yield from _composed(sample)
        elif isinstance(sample, str):
            yield sample


def _composed(sample: Composition) -> Iterator[str]:
    variables = [variable for variable, _ in sample.pieces]
    for size in range(len(variables) + 1):
        for inside in itertools.combinations(variables, size):
            for start in range(len(sample.beginnings)):
                chosen = dict.fromkeys(inside, 1) | {sample.beginning: start}
                yield str(sample.value(chosen))


_EQUALITY = frozenset({_O.EQ, _O.NE})
_FOUND: Mapping[Operator, tuple[How, How]] = {
    _O.EQ: (How.IS, How.IS_NOT),
    _O.NE: (How.IS_NOT, How.IS),
    _O.CONTAINS_ANY: (How.CONTAINS, How.CONTAINS_NOT),
    _O.STARTS_WITH: (How.STARTS, How.STARTS_NOT),
}


def _told(probe: Probe, now: FactValue | None, text: str) -> Iterator[Need]:
    """Say what one leaf will find in a text, or no longer find."""
    leaf, result = probe.leaf, probe.result(text)
    if leaf.operator not in _FOUND or result not in (FALSE, TRUE):
        return
    how = _FOUND[leaf.operator][0 if result == TRUE else 1]
    if leaf.operator in _EQUALITY:
        if now is None:
            yield Need(how, leaf.values)
        return
    where = text if result == TRUE else now
    inside = leaf.values if where is None else tuple(_within(leaf, str(where)))
    yield Need(how, inside)


def _within(leaf: Leaf, text: str) -> Iterator[Scalar]:
    """Yield the words of a leaf that a text contains, or begins with."""
    folded = fold(text)
    begins = leaf.operator is _O.STARTS_WITH
    for word in map(str, leaf.values):
        if folded.startswith(word) if begins else word in folded:
            yield word
