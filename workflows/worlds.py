"""All the situations that some conditions can tell apart, so that a claim about them can be proved.

A condition sees an attribute only through its leaves. So of every attribute a few values stand for
all others: each constant, something between two of them, something outside, and not knowing. Every
combination of these is one world. If a claim holds in all of them it holds always; some worlds may
be impossible (a tier that contradicts the tags it comes from), which makes a proof harder, never
wrong.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from fractions import Fraction

from workflows.attributes import GROUPS, TIER, Attribute, Kind
from workflows.conditions import SUBSTRING, All, During, Leaf, Operator, fold, leaves
from workflows.evaluation import (
    UNSURE_GROUPS,
    View,
    compiled,
    key_of,
    seen,
    tier_view,
    values_of,
)

MOST_WORLDS = 20_000  # more of them are not looked at, and nothing is claimed
_MOST_CELLS = 4_000  # of one attribute, before those that look alike are taken together


class TooMany(Exception):
    """There are more worlds than can be looked at."""


def worlds(conditions: Iterable[All], tiers: frozenset[str]) -> Iterator[View]:
    """Yield a view for every world of these conditions; raise TooMany instead if they are many."""
    found = [leaf for condition in conditions for leaf in leaves(condition)]
    by_attribute: dict[Attribute, list[Leaf]] = {}
    for leaf in found:
        if isinstance(leaf, Leaf):
            by_attribute.setdefault(leaf.attribute, []).append(leaf)
    schedules = sorted({leaf.schedule for leaf in found if isinstance(leaf, During)})
    axes = [_schedule(name) for name in schedules]
    axes += [_distinct(_cells(a, own, tiers), own) for a, own in by_attribute.items()]
    if math.prod(map(len, axes)) > MOST_WORLDS:
        raise TooMany
    for parts in itertools.product(*axes):
        yield {key: value for part in parts for key, value in part.items()}


def closed_hours(schedules: Iterable[str]) -> View:
    """Return what a view has where none of these schedules is open."""
    return {f"during:{name}": False for name in schedules}


def _schedule(name: str) -> list[View]:
    return [closed_hours([name]), {f"during:{name}": True}]


def _distinct(cells: Iterable[View], found: Sequence[Leaf]) -> list[View]:
    """Return one of the cells that no leaf tells apart."""
    tests = [compiled(All((leaf,))) for leaf in found]
    kept: dict[object, View] = {}
    for count, cell in enumerate(cells):
        if count > _MOST_CELLS:
            raise TooMany
        kept.setdefault(tuple(test(cell) for test in tests), cell)
    return list(kept.values())


def _cells(attribute: Attribute, found: Sequence[Leaf], tiers: frozenset[str]) -> Iterable[View]:
    """Return the attribute not known, and known with every kind of value."""
    name = attribute.name
    if name == GROUPS:
        return _groups(found)
    known: Iterable[View]
    match attribute.kind:
        case Kind.SET:
            known = ({name: chosen} for chosen in _sets(found))
        case Kind.BOOL:
            known = ({name: value} for value in (False, True))
        case Kind.TEXT if name == TIER:
            known = (tier_view(each) for each in sorted(tiers))
        case Kind.TEXT:
            known = _texts(attribute, found)
        case Kind.INT | Kind.NUMBER | Kind.DATE:
            known = ({name: value} for value in _line(attribute.kind, _constants(found)))
    return itertools.chain([View()], known)


def _constants(found: Iterable[Leaf]) -> set[object]:
    compared = (leaf for leaf in found if leaf.operator not in SUBSTRING)
    return {v for leaf in compared if leaf.operator is not Operator.EXISTS for v in values_of(leaf)}


# --- numbers and dates: the constants, and something in every gap


def _line(kind: Kind, constants: set[object]) -> list[object]:
    if kind is Kind.DATE:
        return _days({str(each) for each in constants})
    numbers = sorted(n for n in constants if isinstance(n, int | float)) or [0]
    if kind is Kind.INT:
        return list(dict.fromkeys(n + step for n in numbers for step in (-1, 0, 1)))
    between = [(Fraction(a) + Fraction(b)) / 2 for a, b in itertools.pairwise(numbers)]
    return [-math.inf, *numbers, *between, math.inf]


def _days(constants: set[str]) -> list[object]:
    found: set[date] = set()
    for text in constants or {"2026-01-01"}:
        day = date.fromisoformat(text)
        before = [day - timedelta(days=1)] if day > date.min else []
        after = [day + timedelta(days=1)] if day < date.max else []
        found |= {day, *before, *after}
    return [each.isoformat() for each in sorted(found)]


# --- texts


def _texts(attribute: Attribute, found: Sequence[Leaf]) -> Iterator[View]:
    """Yield every constant, and for all other texts one for each way of beginning and containing.

    Of other texts only two things count: the longest of the known beginnings they begin with, and
    which of the known words they contain. Both can be had in one text, with a sign between the
    words that is in none of them.
    """
    constants = sorted(map(str, _constants(found)))
    for constant in constants:
        raw = seen(attribute, constant)
        yield _text(attribute, str(raw), fold(str(raw)))
    beginnings = _words(found, Operator.STARTS_WITH)
    words = _words(found, Operator.CONTAINS_ANY)
    sign = _unused("".join([*constants, *beginnings, *words]))
    contains = [leaf for leaf in found if leaf.operator is Operator.CONTAINS_ANY]
    for beginning in ("", *beginnings):
        for text in _containing(beginning + sign, words, sign, contains):
            yield _text(attribute, text, text)


def _text(attribute: Attribute, raw: str, folded: str) -> View:
    return {attribute.name: raw, f"{attribute.name}~": folded}


def _words(found: Iterable[Leaf], operator: Operator) -> list[str]:
    return sorted({str(v) for leaf in found if leaf.operator is operator for v in leaf.values})


def _unused(text: str) -> str:
    return next(sign for code in range(0xE000, 0xF8FF) if (sign := chr(code)) not in text)


def _containing(
    start: str, words: Sequence[str], sign: str, found: Sequence[Leaf]
) -> Iterable[str]:
    """Return texts that make the `contains_any` leaves true in every way they can be together."""
    tests = [compiled(All((leaf,))) for leaf in found]
    kept: dict[object, str] = {}

    def looks(text: str) -> object:
        return tuple(test({key_of(leaf): text}) for test, leaf in zip(tests, found, strict=True))

    kept[looks(start)] = start
    for word in words:
        for text in list(kept.values()):
            longer = text + word + sign
            kept.setdefault(looks(longer), longer)
    return kept.values()


# --- sets


def _classes(found: Sequence[Leaf]) -> list[tuple[str, ...]]:
    """Return the constants, those together that are named by the very same leaves."""
    classes: dict[tuple[bool, ...], list[str]] = {}
    for word in sorted(map(str, _constants(found))):
        named = tuple(word in values_of(leaf) for leaf in found)
        classes.setdefault(named, []).append(word)
    return [tuple(words) for words in classes.values()]


def _sets(found: Sequence[Leaf]) -> Iterator[frozenset[str]]:
    """Yield sets with none, some or all of each class: more no leaf can tell apart."""
    options = [_parted(words, 2) for words in _classes(found)]
    for parts in itertools.product(*options):
        yield frozenset(word for part in parts for word in part[1])


def _groups(found: Sequence[Leaf]) -> Iterator[View]:
    """Yield the same for groups, of which each may be out, in, or not known."""
    yield View()
    options = [_parted(words, 3) for words in _classes(found)]
    for parts in itertools.product(*options):
        sure = frozenset(word for part in parts for word in part[1])
        unsure = frozenset(word for part in parts for word in part[2])
        yield {GROUPS: sure, UNSURE_GROUPS: unsure}
        if any(leaf.operator is Operator.EXISTS for leaf in found):
            yield {GROUPS: sure, UNSURE_GROUPS: unsure | {""}}  # one that no leaf names


def _parted(words: Sequence[str], ways: int) -> list[tuple[tuple[str, ...], ...]]:
    """Return partings of the words into `ways` heaps, one for each choice of heaps not empty."""
    found: list[tuple[tuple[str, ...], ...]] = []
    for size in range(1, min(ways, len(words)) + 1):
        for chosen in itertools.combinations(range(ways), size):
            heaps: list[tuple[str, ...]] = [()] * ways
            for place, heap in enumerate(chosen):
                heaps[heap] = (words[place],)
            heaps[chosen[-1]] = tuple(words[size - 1 :])
            found.append(tuple(heaps))
    return found
