"""The `[sources]` of the config file: where the facts of outside columns come from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bot.secret import Secret
from storage import outside
from workflows.attributes import Kind
from workflows.mistakes import Mistake, near
from workflows.notations import Duration, Name, Title, columns_of
from workflows.outside import Key
from workflows.schedules import parse_duration

_SHORTEST = timedelta(minutes=1)
# What only one type of source has, and whether it must.
_OWN: Mapping[str, Mapping[str, bool]] = {
    "csv": {"path": True, "encoding": False},
    "sql": {"url": True, "query": True},
}


def _flat(value: object) -> object:
    """Attributes may be written as quoted keys or as nested tables; names come out whole."""
    if not isinstance(value, Mapping):
        return value
    flat: dict[str, object] = {}
    for key, inner in value.items():
        deeper = _flat(inner)
        if isinstance(deeper, dict):
            flat |= {f"{key}.{name}": column for name, column in deeper.items()}
        else:
            flat[str(key)] = inner
    return flat


class Source(BaseModel):
    """One source of facts about customers: a CSV file, or a query on a database."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    type: Literal["csv", "sql"]
    key: Literal["external_userid", "phone", "unionid", "company"]  # identifies a customer
    columns: Annotated[dict[str, Title], Field(min_length=1), BeforeValidator(_flat)]
    key_column: Title | None = None  # where it is; else a column called like the key
    path: Title | None = None
    encoding: Literal["utf-8", "gb18030"] | None = None
    url: Secret | None = None
    query: Title | None = None
    every: Duration = "15m"
    stale_after: Duration = "24h"

    @property
    def fields(self) -> tuple[str, ...]:
        """The columns of the source that are read: the key's first, then each attribute's."""
        return (self.key_column or self.key, *self.columns.values())

    @property
    def identifies(self) -> Key:
        """What its key is."""
        return Key(self.key)

    @property
    def pause(self) -> timedelta:
        """How long after one reading the next one begins."""
        return parse_duration(self.every)

    @property
    def believed_for(self) -> timedelta:
        """How old its rows may be."""
        return parse_duration(self.stale_after)

    @property
    def place(self) -> str:
        """Where it is, as far as that may be shown."""
        return self.path or (outside.shown(self.url.get_secret_value()) if self.url else "")

    def fingerprint(self, kinds: Mapping[str, Kind]) -> str:
        """Return what changes when other rows, or other values, would be read."""
        named = sorted((attribute, *self._read_as(attribute, kinds)) for attribute in self.columns)
        content = (self.type, self.place, self.query, self.encoding, self.key, self.fields, named)
        return hashlib.sha256(repr(content).encode()).hexdigest()[:12]

    def _read_as(self, attribute: str, kinds: Mapping[str, Kind]) -> tuple[str, str]:
        kind = kinds.get(attribute)
        return self.columns[attribute], kind.value if kind else ""


Sources = Annotated[dict[Name, Source], Field(default_factory=dict)]


def mistakes(sources: Mapping[str, Source], attributes: object) -> list[Mistake]:
    """Return what is wrong with well-formed sources.

    `attributes` is that section of the file as parsed, good or bad.
    """
    flat = columns_of(attributes)
    declared = sorted(flat) if isinstance(flat, dict) else []
    found = [m for name, source in sources.items() for m in _in_one(name, source, declared)]
    return [*found, *_filled_twice(sources)]


def _in_one(name: str, source: Source, declared: Iterable[str]) -> Iterator[Mistake]:
    at = ("sources", name)
    yield from _of_other_types(at, source)
    if source.url and not outside.is_address(source.url.get_secret_value()):
        yield Mistake((*at, "url"), "bad_source_url")
    if source.query and not outside.is_one_select(source.query):
        yield Mistake((*at, "query"), "bad_query")
    if source.pause < _SHORTEST:
        yield Mistake((*at, "every"), "too_small", {"least": "1m"})
    if source.believed_for <= source.pause:
        order = {"earlier": "every", "later": "stale_after"}
        yield Mistake((*at, "stale_after"), "timers_out_of_order", order)
    for attribute in source.columns:
        if attribute not in declared:
            guess = near(attribute, declared)
            yield Mistake(
                (*at, "columns", attribute), "undeclared_attribute", {"value": attribute}, guess
            )


def _of_other_types(at: tuple[str, str], source: Source) -> Iterator[Mistake]:
    for kind, settings in _OWN.items():
        for setting, needed in settings.items():
            is_there = getattr(source, setting) is not None
            if kind == source.type and needed and not is_there:
                yield Mistake((*at, setting), "required")
            elif kind != source.type and is_there:
                params = {"key": setting, "owner": f'type = "{kind}"'}
                yield Mistake((*at, setting), "belongs_to", params)


def _filled_twice(sources: Mapping[str, Source]) -> Iterator[Mistake]:
    filled: set[str] = set()
    for name, source in sources.items():
        for attribute in source.columns:
            if attribute in filled:
                loc = ("sources", name, "columns", attribute)
                yield Mistake(loc, "duplicate", {"value": attribute})
            filled.add(attribute)
