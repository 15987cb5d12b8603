"""Reads the conditions of the config file (`when`, `unless`) into typed trees."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from workflows.attributes import GROUPS, TIER, Attribute, Kind, Registry
from workflows.mistakes import Loc, Mistake, near

MOST_DEPTH = 8  # `any` inside `any`; deeper ones are not read by people either


class Operator(StrEnum):
    """How a leaf compares an attribute with its value."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    ANY_OF = "any_of"
    ALL_OF = "all_of"
    NONE_OF = "none_of"
    CONTAINS_ANY = "contains_any"
    STARTS_WITH = "starts_with"
    EXISTS = "exists"


_WORDS = frozenset(Operator)
_O = Operator
_ORDERED = (_O.EQ, _O.NE, _O.LT, _O.LTE, _O.GT, _O.GTE, _O.EXISTS)
OPERATORS: Mapping[Kind, tuple[Operator, ...]] = {
    Kind.TEXT: (_O.EQ, _O.NE, _O.CONTAINS_ANY, _O.STARTS_WITH, _O.EXISTS),
    Kind.BOOL: (_O.EQ, _O.NE, _O.EXISTS),
    Kind.INT: _ORDERED,
    Kind.NUMBER: _ORDERED,
    Kind.DATE: _ORDERED,
    Kind.SET: (_O.ANY_OF, _O.ALL_OF, _O.NONE_OF, _O.EXISTS),
}
_SCALAR = frozenset({_O.LT, _O.LTE, _O.GT, _O.GTE, _O.EXISTS})
SUBSTRING = frozenset({_O.CONTAINS_ANY, _O.STARTS_WITH})

Scalar = bool | int | float | str


@dataclass(frozen=True, slots=True)
class Leaf:
    """One comparison. Ordering operators and `exists` have one value, the others any number."""

    attribute: Attribute
    operator: Operator
    values: tuple[Scalar, ...]
    loc: Loc


@dataclass(frozen=True, slots=True)
class During:
    """Whether the time of the decision lies in a schedule's open hours."""

    schedule: str
    loc: Loc


@dataclass(frozen=True, slots=True)
class Either:
    """`any = [{…}, {…}]`: at least one branch holds."""

    branches: tuple[All, ...]
    loc: Loc


@dataclass(frozen=True, slots=True)
class All:
    """Everything in one table holds; an empty one always does."""

    parts: tuple[Leaf | During | Either, ...] = ()


Part = Leaf | During | Either
ALWAYS = All()


@dataclass(frozen=True, slots=True)
class Known:
    """The names that conditions may use."""

    registry: Registry
    schedules: frozenset[str] = frozenset()
    tiers: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()

    # Beginnings of attribute names: 'customer', 'customer.x', …
    prefixes: frozenset[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Find the beginnings once: every leaf of every rule asks."""
        names = [name.split(".") for name in self.registry]
        found = {".".join(parts[:n]) for parts in names for n in range(1, len(parts))}
        object.__setattr__(self, "prefixes", frozenset(found))


@dataclass(slots=True)
class Reading:
    """One table being read: the names it may use and the mistakes found in it so far."""

    known: Known
    item: str = ""
    mistakes: list[Mistake] = field(default_factory=list)

    def read(self, raw: Mapping[str, object], loc: Loc) -> All:
        """Return the condition of `raw`; what could not be read is left out and noted."""
        return self._table(raw, loc, depth=0)

    def _note(self, loc: Loc, code: str, suggestion: str = "", **params: str) -> None:
        self.mistakes.append(Mistake(loc, code, params, suggestion, self.item))

    def _table(self, raw: Mapping[str, object], loc: Loc, *, depth: int) -> All:
        if not raw:
            self._note(loc, "empty")
        parts: list[Part] = []
        for key, value in raw.items():
            here = (*loc, key)
            match key:
                case "any":
                    parts += self._either(value, here, depth=depth)
                case "during":
                    parts += self._during(value, here)
                case _:
                    parts += self._path(key, value, here)
        return All(tuple(parts))

    def _either(self, value: object, loc: Loc, *, depth: int) -> list[Part]:
        if depth >= MOST_DEPTH:
            self._note(loc, "too_deep", most=str(MOST_DEPTH))
            return []
        tables = value if isinstance(value, list | tuple) else ()
        if not tables or not all(isinstance(table, Mapping) for table in tables):
            self._note(loc, "wrong_type", expected="[{…}, {…}]")
            return []
        branches = (self._table(t, (*loc, i), depth=depth + 1) for i, t in enumerate(tables))
        return [Either(tuple(branches), loc)]

    def _during(self, value: object, loc: Loc) -> list[Part]:
        if not isinstance(value, str):
            self._note(loc, "wrong_type", expected="text")
            return []
        if value not in self.known.schedules:
            suggestion = near(value, self.known.schedules)
            self._note(loc, "unknown_schedule", suggestion, value=value)
            return []
        return [During(value, loc)]

    def _path(self, name: str, value: object, loc: Loc) -> list[Part]:
        """Read what stands under `name`: the longest attribute name, then perhaps an operator."""
        registry, prefixes = self.known.registry, self.known.prefixes
        attribute = registry.get(name)
        if not isinstance(value, Mapping):
            if attribute is None:
                return self._unknown(name, value, loc)
            operator = Operator.ANY_OF if attribute.kind is Kind.SET else Operator.EQ
            return self._leaf(attribute, operator, value, loc)
        if attribute is None and name not in prefixes:
            return self._unknown(name, value, loc)
        if not value:
            self._note(loc, "empty")
        parts: list[Part] = []
        for key, inner in value.items():
            longer, here = f"{name}.{key}", (*loc, key)
            if attribute is None or longer in registry or longer in prefixes:
                parts += self._path(longer, inner, here)
            else:
                parts += self._operator(attribute, key, inner, here)
        return parts

    def _unknown(self, name: str, value: object, loc: Loc) -> list[Part]:
        while isinstance(value, Mapping) and len(value) == 1:
            key, value = next(iter(value.items()))
            if key in _WORDS:
                break
            name, loc = f"{name}.{key}", (*loc, key)
        suggestion = "" if name in self.known.prefixes else near(name, self.known.registry)
        self._note(loc, "unknown_attribute", suggestion, value=name)
        return []

    def _operator(self, attribute: Attribute, key: str, value: object, loc: Loc) -> list[Part]:
        allowed = OPERATORS[attribute.kind]
        expected = ", ".join(allowed)
        if key not in _WORDS:
            suggestion = near(key, allowed)
            self._note(loc, "unknown_operator", suggestion, value=key, expected=expected)
            return []
        if key not in allowed:
            self._note(
                loc,
                "wrong_operator",
                operator=key,
                attribute=attribute.name,
                kind=attribute.kind.value,
                expected=expected,
            )
            return []
        return self._leaf(attribute, Operator(key), value, loc)

    def _leaf(
        self, attribute: Attribute, operator: Operator, value: object, loc: Loc
    ) -> list[Part]:
        given = [value] if not isinstance(value, list | tuple) else value
        if not given:
            self._note(loc, "empty")
            return []
        if operator in _SCALAR and isinstance(value, list | tuple):
            self._note(loc, "wrong_value", attribute=attribute.name, expected=attribute.kind.value)
            return []
        kind = Kind.BOOL if operator is Operator.EXISTS else attribute.kind
        values = self._values(attribute, kind, given, loc)
        if operator in SUBSTRING:
            values = [fold(str(v)) for v in values]
            if not all(values):
                self._note(loc, "empty")
        elif operator is not Operator.EXISTS:
            self._check_words(attribute, values, loc)
        return [Leaf(attribute, operator, tuple(values), loc)] if values else []

    def _values(
        self, attribute: Attribute, kind: Kind, given: Sequence[object], loc: Loc
    ) -> list[Scalar]:
        kind = Kind.TEXT if kind is Kind.SET else kind
        values = [plain(kind, value) for value in given]
        if any(value is None for value in values):
            self._note(loc, "wrong_value", attribute=attribute.name, expected=kind.value)
        return [v for v in values if v is not None]

    def _check_words(self, attribute: Attribute, values: Iterable[Scalar], loc: Loc) -> None:
        closed: Mapping[str, tuple[str, frozenset[str]]] = {
            TIER: ("unknown_tier", self.known.tiers),
            GROUPS: ("unknown_group", self.known.groups),
            "sender.roles": ("unknown_role", self.known.roles),
        }
        for value in map(str, values):
            if attribute.name in closed:
                code, names = closed[attribute.name]
                if value not in names:
                    self._note(loc, code, near(value, names), value=value)
            elif attribute.words and value not in attribute.words:
                suggestion, expected = near(value, attribute.words), ", ".join(attribute.words)
                self._note(loc, "unknown_word", suggestion, value=value, expected=expected)


def plain(kind: Kind, value: object) -> Scalar | None:
    """Return one value as decisions compare it, or None when it is not of this kind."""
    match kind:
        case Kind.BOOL if isinstance(value, bool):
            return value
        case Kind.INT if isinstance(value, int) and not isinstance(value, bool):
            return value
        case Kind.NUMBER if isinstance(value, int | float) and not isinstance(value, bool):
            return value if math.isfinite(value) else None
        case Kind.TEXT if isinstance(value, str):
            return value
        case Kind.DATE:
            return plain_date(value)
        case _:
            return None


def plain_date(value: object) -> str | None:
    """Return a date, time or ISO 8601 text as 'YYYY-MM-DD', or None."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            return None
    if isinstance(value, datetime):
        value = value.date()
    return value.isoformat() if isinstance(value, date) else None


def fold(text: str) -> str:
    """Return the text as `contains_any` and `starts_with` compare it: case and width ignored."""
    return unicodedata.normalize("NFKC", text).casefold()


def leaves(condition: All) -> Iterable[Leaf | During]:
    """Every leaf of a condition, in the order of the file."""
    for part in condition.parts:
        if isinstance(part, Either):
            for branch in part.branches:
                yield from leaves(branch)
        else:
            yield part
