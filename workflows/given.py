"""Reads what a test in the config file takes as given: an action, facts and perhaps a time.

A test may have a matrix: several values for some facts, of which every combination is one case.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from workflows.attributes import ACTIONS, GROUPS, TIER, Attribute, Kind
from workflows.conditions import Known, plain
from workflows.evaluation import shown
from workflows.mistakes import Loc, Mistake, near
from workflows.model import FactValue
from workflows.notations import moment

MOST_CASES = 1000  # of one matrix; nothing in the file may keep the program busy


@dataclass(frozen=True, slots=True)
class Given:
    """What one test starts from. Without a time the runner chooses one."""

    action: str
    facts: Mapping[str, FactValue]
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """One combination of a matrix, named by its values; a test without one is a single case."""

    name: str
    given: Given


@dataclass(frozen=True, slots=True)
class _Axis:
    name: str
    values: tuple[FactValue | datetime, ...]


_Read = FactValue | datetime
_Args = tuple[Loc, str, Mapping[str, str], str]


def read(
    raw: Mapping[str, object], loc: Loc, known: Known, zone: ZoneInfo, item: str = ""
) -> tuple[Given | None, list[Mistake]]:
    """Return what is given, or every mistake in it. A time without a zone is the company's."""
    entries, found = _entries(raw, loc, known, zone, item)
    if "action" not in entries and not any(m.loc == (*loc, "action") for m in found):
        found.append(Mistake(loc, "test_without_action", item=item))
    return (None, found) if found else (_given(entries), [])


def read_cases(
    raw: Mapping[str, object],
    matrix: Mapping[str, object],
    loc: Loc,
    known: Known,
    zone: ZoneInfo,
    item: str = "",
) -> tuple[tuple[Case, ...], list[Mistake]]:
    """Return every case of a test at `loc`, or every mistake in its `given` and `matrix`."""
    axes, found = _axes(matrix, (*loc, "matrix"), known, zone, item)
    here = (*loc, "given")
    given, wrong = read(_with_action(raw, axes), here, known, zone, item)
    fixed = {name for name, _, _ in _flat(raw)}
    found += [
        Mistake((*loc, "matrix"), "duplicate", {"value": axis.name}, item=item)
        for axis in axes
        if axis.name in fixed
    ]
    if math.prod(len(axis.values) for axis in axes) > MOST_CASES:
        too_many = {"most": str(MOST_CASES)}
        found.append(Mistake((*loc, "matrix"), "matrix_too_large", too_many, item=item))
    if given is None or found:
        return (), [*wrong, *found]
    return tuple(_cases(item, given, axes)), []


def read_facts(
    raw: Mapping[str, object], loc: Loc, known: Known, item: str = ""
) -> tuple[Mapping[str, FactValue], list[Mistake]]:
    """Return facts alone, or every mistake in them."""
    facts: dict[str, FactValue] = {}
    found: list[Mistake] = []
    for name, value, here in _flat(raw):
        fact = _fact(name, value, (*loc, *here), known)
        if isinstance(fact, tuple):
            found.append(Mistake(*fact, item))
        else:
            facts[name] = fact
    return facts, found


def _with_action(raw: Mapping[str, object], axes: Sequence[_Axis]) -> Mapping[str, object]:
    actions = (axis.values[0] for axis in axes if axis.name == "action")
    return {"action": action, **raw} if (action := next(actions, None)) else raw


def _cases(name: str, given: Given, axes: Sequence[_Axis]) -> Iterator[Case]:
    if not axes:
        yield Case(name, given)
        return
    for values in itertools.product(*(axis.values for axis in axes)):
        chosen = {axis.name: value for axis, value in zip(axes, values, strict=True)}
        told = ", ".join(f"{n} = {_said(v)}" for n, v in chosen.items())
        start: dict[str, _Read] = {"action": given.action, **given.facts}
        if given.at is not None:
            start["at"] = given.at
        yield Case(f"{name} ({told})", _given({**start, **chosen}))


def _said(value: _Read) -> str:
    return f"{value:%Y-%m-%d %H:%M}" if isinstance(value, datetime) else shown(value)


def _given(entries: Mapping[str, _Read]) -> Given:
    at = entries.get("at")
    facts = {n: v for n, v in entries.items() if not isinstance(v, datetime) and n != "action"}
    return Given(str(entries["action"]), facts, at if isinstance(at, datetime) else None)


def _axes(
    matrix: Mapping[str, object], loc: Loc, known: Known, zone: ZoneInfo, item: str
) -> tuple[list[_Axis], list[Mistake]]:
    axes: list[_Axis] = []
    found: list[Mistake] = []
    for name, values, path in _flat(matrix):
        here = (*loc, *path)
        if not isinstance(values, list | tuple):
            found.append(Mistake(here, "wrong_type", {"expected": "[…]"}, item=item))
            continue
        if not values:
            found.append(Mistake(here, "empty", item=item))
            continue
        read_values: list[_Read] = []
        for index, value in enumerate(values):
            entry = _entry(name, value, (*here, index), known, zone)
            if isinstance(entry, tuple):
                found.append(Mistake(*entry, item))
            else:
                read_values.append(entry)
        if read_values:
            axes.append(_Axis(name, tuple(read_values)))
    return axes, found


def _entries(
    raw: Mapping[str, object], loc: Loc, known: Known, zone: ZoneInfo, item: str
) -> tuple[dict[str, _Read], list[Mistake]]:
    entries: dict[str, _Read] = {}
    found: list[Mistake] = []
    for name, value, path in _flat(raw):
        if name == "action" and not isinstance(value, str):
            continue  # as if it were not there
        entry = _entry(name, value, (*loc, *path), known, zone)
        if isinstance(entry, tuple):
            found.append(Mistake(*entry, item))
        else:
            entries[name] = entry
    return entries, found


def _flat(raw: Mapping[str, object], prefix: str = "") -> Iterator[tuple[str, object, Loc]]:
    """Yield attribute name, value and path for nested or quoted keys alike."""
    for key, value in raw.items():
        name = f"{prefix}.{key}" if prefix else key
        if isinstance(value, Mapping) and value:
            for inner, found, path in _flat(value, name):
                yield inner, found, (key, *path)
        else:
            yield name, value, (key,)


def _entry(name: str, raw: object, loc: Loc, known: Known, zone: ZoneInfo) -> _Read | _Args:
    """Return the action, time or fact, or what is wrong with it."""
    if name == "action":
        if not isinstance(raw, str) or raw not in ACTIONS:
            return loc, "unknown_action", {"value": str(raw)}, near(str(raw), ACTIONS)
        return raw
    if name == "at":
        at = moment(raw)
        if at is None:
            return loc, "wrong_type", {"expected": "datetime"}, ""
        return at if at.tzinfo else at.replace(tzinfo=zone)
    return _fact(name, raw, loc, known)


def _fact(name: str, raw: object, loc: Loc, known: Known) -> FactValue | _Args:
    """Return one fact, or what is wrong with it."""
    attribute = known.registry.get(name)
    if attribute is None:
        return loc, "unknown_attribute", {"value": name}, near(name, known.registry)
    value = _value(attribute, raw)
    if value is None:
        return loc, "wrong_value", {"attribute": name, "expected": attribute.kind.value}, ""
    if name == TIER and value not in known.tiers:
        return loc, "unknown_tier", {"value": str(value)}, near(str(value), known.tiers)
    if name == GROUPS and isinstance(value, frozenset) and value - known.groups:
        group = min(value - known.groups)
        return loc, "unknown_group", {"value": group}, near(group, known.groups)
    unknown = _unknown_word(attribute, value)
    if unknown is not None:
        params = {"value": unknown, "expected": ", ".join(attribute.words)}
        return loc, "unknown_word", params, near(unknown, attribute.words)
    return value


def _unknown_word(attribute: Attribute, value: FactValue) -> str | None:
    """Return what is none of the attribute's words, if it has any."""
    words = sorted(value) if isinstance(value, frozenset) else [str(value)]
    return next((w for w in words if attribute.words and w not in attribute.words), None)


def _value(attribute: Attribute, raw: object) -> FactValue | None:
    if attribute.kind is not Kind.SET:
        return plain(attribute.kind, raw)
    if isinstance(raw, list | tuple) and all(isinstance(v, str) for v in raw):
        return frozenset(raw)
    return None
