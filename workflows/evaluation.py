"""Evaluates conditions in three values, fast.

True, False and None for unknown (Kleene): a definite false settles a table, a definite true an
`any`. The slow form, which explains, is `examining`; the tests compare them.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, assert_never

from workflows.attributes import GROUPS, TIER, Attribute, Kind
from workflows.conditions import (
    SUBSTRING,
    All,
    During,
    Either,
    Leaf,
    Operator,
    Part,
    fold,
    leaves,
    plain,
)
from workflows.model import Facts, FactValue

# What conditions read: facts of the right type under their names, and a few derived entries under
# names no attribute can have. An absent name is unknown.
View = dict[str, Any]
Test = Callable[[View], bool | None]

UNSURE_GROUPS = f"{GROUPS}?"  # groups that may or may not hold
_FOLDED = "~"  # suffix: the text as substring operators compare it
_DURING = "during:"

_ORDERING: Mapping[Operator, Callable[[Any, Any], bool]] = {
    Operator.LT: operator.lt,
    Operator.LTE: operator.le,
    Operator.GT: operator.gt,
    Operator.GTE: operator.ge,
}


@dataclass(frozen=True, slots=True)
class Reads:
    """What a set of conditions reads, so that only that is prepared."""

    attributes: tuple[Attribute, ...]
    folded: tuple[str, ...]
    schedules: tuple[str, ...]

    @classmethod
    def of(cls, conditions: Iterable[All], also: Iterable[Attribute] = ()) -> Reads:
        """Return what these conditions read, and `also`."""
        found = [leaf for condition in conditions for leaf in leaves(condition)]
        attributes = {a.name: a for a in also}
        attributes |= {f.attribute.name: f.attribute for f in found if isinstance(f, Leaf)}
        return cls(
            tuple(attributes.values()),
            tuple(
                {f.attribute.name for f in found if isinstance(f, Leaf) and f.operator in SUBSTRING}
            ),
            tuple({f.schedule for f in found if isinstance(f, During)}),
        )


def view_of(facts: Facts, reads: Reads, is_open: Callable[[str], bool]) -> View:
    """Return the facts that `reads` names; one of the wrong type is unknown."""
    view: View = {}
    for attribute in reads.attributes:
        value = seen(attribute, facts.get(attribute.name))
        if value is not None:
            view[attribute.name] = value
    for name in reads.folded:
        if name in view:
            view[name + _FOLDED] = fold(view[name])
    for schedule in reads.schedules:
        view[_DURING + schedule] = is_open(schedule)
    return view


def tier_view(name: str) -> View:
    """Return what a view has of the tier that was found for a customer."""
    return {TIER: name, TIER + _FOLDED: fold(name)}


def seen(attribute: Attribute, value: object) -> FactValue | None:
    """Return the value as conditions compare it, or None when it is missing or mistyped."""
    if attribute.kind is Kind.SET:
        if not isinstance(value, frozenset) or not all(isinstance(v, str) for v in value):
            return None
        return frozenset(map(str.casefold, value)) if attribute.folded else value
    found = plain(attribute.kind, value)
    return found.casefold() if attribute.folded and isinstance(found, str) else found


def compiled(condition: All) -> Test:
    """Return a function equal to the condition, with the cheapest parts first."""
    tests = [_compiled_part(part) for part in sorted(condition.parts, key=_cost)]
    match tests:
        case []:
            return lambda _: True
        case [only]:
            return only
        case _:
            return _conjunction(tuple(tests))


def _cost(part: Part) -> int:
    match part:
        case During():
            return 0
        case Leaf():
            return 2 if part.operator in SUBSTRING else 1
        case Either():
            return 3
        case _:
            assert_never(part)


def _conjunction(tests: tuple[Test, ...]) -> Test:
    def holds(view: View) -> bool | None:
        result: bool | None = True
        for test in tests:
            found = test(view)
            if found is False:
                return False
            if found is None:
                result = None
        return result

    return holds


def _disjunction(tests: tuple[Test, ...]) -> Test:
    def holds(view: View) -> bool | None:
        result: bool | None = False
        for test in tests:
            found = test(view)
            if found:
                return True
            if found is None:
                result = None
        return result

    return holds


def _compiled_part(part: Part) -> Test:
    match part:
        case During(schedule):
            key = _DURING + schedule
            return lambda view: bool(view[key])
        case Either(branches):
            return _disjunction(tuple(map(compiled, branches)))
        case Leaf():
            return _groups_test(part) if part.attribute.name == GROUPS else _leaf_test(part)
        case _:
            assert_never(part)


def _leaf_test(leaf: Leaf) -> Test:
    name = leaf.attribute.name
    if leaf.operator is Operator.EXISTS:
        wanted = leaf.values[0]
        return lambda view: (name in view) is wanted
    key = key_of(leaf)
    compare = _comparison(leaf)

    def holds(view: View) -> bool | None:
        value = view.get(key)
        return None if value is None else compare(value)

    return holds


def key_of(leaf: Leaf) -> str:
    """Return the name under which the view has what the leaf compares."""
    return leaf.attribute.name + (_FOLDED if leaf.operator in SUBSTRING else "")


def _comparison(leaf: Leaf) -> Callable[[Any], bool]:
    """Return the comparison of a known value with the leaf's values."""
    values = values_of(leaf)
    match leaf.operator:
        case Operator.EQ:
            return values.__contains__
        case Operator.NE:
            return lambda value: value not in values
        case Operator.LT | Operator.LTE | Operator.GT | Operator.GTE:
            ordered, first = _ORDERING[leaf.operator], leaf.values[0]
            return lambda value: ordered(value, first)
        case Operator.CONTAINS_ANY | Operator.STARTS_WITH:
            return _substring(leaf)
        case Operator.ANY_OF | Operator.ALL_OF | Operator.NONE_OF:
            return _membership(leaf.operator, values)
        case Operator.EXISTS:
            raise ValueError("whether a value exists is not asked of a value")
        case _:
            assert_never(leaf.operator)


def _substring(leaf: Leaf) -> Callable[[Any], bool]:
    words = tuple(map(str, leaf.values))
    if leaf.operator is Operator.STARTS_WITH:
        return lambda value: value.startswith(words)
    return lambda value: any(word in value for word in words)


def _membership(how: Operator, values: frozenset[Any]) -> Callable[[Any], bool]:
    match how:
        case Operator.ANY_OF:
            return lambda value: not values.isdisjoint(value)
        case Operator.ALL_OF:
            return values.issubset
        case _:
            return values.isdisjoint


def values_of(leaf: Leaf) -> frozenset[Any]:
    """Return the values of a leaf as they are compared."""
    if leaf.attribute.folded:
        return frozenset(str(v).casefold() for v in leaf.values)
    return frozenset(leaf.values)


def _groups_test(leaf: Leaf) -> Test:
    """Groups may be partly known: one that is sure decides, whatever the others are."""
    values, wanted = values_of(leaf), leaf.values[0]

    def holds(view: View) -> bool | None:
        sure = view.get(GROUPS)
        if sure is None:
            return None if leaf.operator is not Operator.EXISTS else not wanted
        unsure = view.get(UNSURE_GROUPS, frozenset())
        match leaf.operator:
            case Operator.ANY_OF:
                return True if values & sure else (None if values & unsure else False)
            case Operator.NONE_OF:
                return False if values & sure else (None if values & unsure else True)
            case Operator.ALL_OF:
                return False if values - sure - unsure else (None if values - sure else True)
            case _:
                return wanted is not bool(unsure)

    return holds


def shown(value: object) -> str:
    """Return a fact in plain text: one line, short, sets in a settled order."""
    match value:
        case None:
            return "?"
        case bool():
            return "✓" if value else "✗"
        case frozenset():
            text = "、".join(sorted(map(str, value))) or "-"
        case _:
            text = str(value)
    text = " ".join(text.split())
    return text if len(text) <= 80 else text[:79] + "…"
