"""Reads what a test in the config file takes as given: an action, facts and perhaps a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from workflows.attributes import ACTIONS, GROUPS, TIER, Attribute, Kind
from workflows.conditions import Known, plain
from workflows.mistakes import Loc, Mistake, near
from workflows.model import FactValue


@dataclass(frozen=True, slots=True)
class Given:
    """What one test starts from. Without a time the runner chooses one."""

    action: str
    facts: Mapping[str, FactValue]
    at: datetime | None = None


def read(
    raw: Mapping[str, object], loc: Loc, known: Known, zone: ZoneInfo, item: str = ""
) -> tuple[Given | None, list[Mistake]]:
    """Return what is given, or every mistake in it. A time without a zone is the company's."""
    found: list[Mistake] = []
    facts: dict[str, FactValue] = {}
    for name, value, here in _flat(raw, "", loc, known):
        if name not in ("action", "at"):
            mistake = _fact(facts, (name, value), (*loc, *here), known)
            found += [Mistake(*mistake, item)] if mistake else []
    action, at = raw.get("action"), raw.get("at")
    if not isinstance(action, str):
        found.append(Mistake(loc, "test_without_action", item=item))
    elif action not in ACTIONS:
        params, suggestion = {"value": action}, near(action, ACTIONS)
        found.append(Mistake((*loc, "action"), "unknown_action", params, suggestion, item))
    if at is not None and not isinstance(at, datetime):
        found.append(Mistake((*loc, "at"), "wrong_type", {"expected": "datetime"}, item=item))
    if found:
        return None, found
    moment = at if isinstance(at, datetime) else None
    if moment and moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone)
    return Given(str(action), facts, moment), []


def _flat(
    raw: Mapping[str, object], prefix: str, loc: Loc, known: Known
) -> Iterator[tuple[str, object, Loc]]:
    """Yield attribute name, value and path below `loc` for nested or quoted keys alike."""
    for key, value in raw.items():
        name = f"{prefix}.{key}" if prefix else key
        if isinstance(value, Mapping) and value:
            for inner, found, path in _flat(value, name, loc, known):
                yield inner, found, (key, *path)
        else:
            yield name, value, (key,)


_Args = tuple[Loc, str, Mapping[str, str], str]


def _fact(
    facts: dict[str, FactValue], entry: tuple[str, object], loc: Loc, known: Known
) -> _Args | None:
    """Put one fact into `facts`, or return what is wrong with it."""
    name, raw = entry
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
    if attribute.words and value not in attribute.words:
        params = {"value": str(value), "expected": ", ".join(attribute.words)}
        return loc, "unknown_word", params, near(str(value), attribute.words)
    facts[name] = value
    return None


def _value(attribute: Attribute, raw: object) -> FactValue | None:
    if attribute.kind is not Kind.SET:
        return plain(attribute.kind, raw)
    if isinstance(raw, list | tuple) and all(isinstance(v, str) for v in raw):
        return frozenset(raw)
    return None
