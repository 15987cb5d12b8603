"""Fills a text for one reader: times, states and lists come out in that reader's language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.texts import Text, Texts, joined
from workflows.attributes import Attribute
from workflows.model import Outcome, State

# Actors that are no person; anything else with a colon is somebody's name.
_MACHINES = frozenset({"system", "policy", "auto_review", "wecom"})
# An admin's emergency allow; a freeze, or the list that a line was part of, by its id.
_NAMED = frozenset({"breakglass", "freeze", "list"})


@dataclass(frozen=True, slots=True)
class Words:
    """A text of the catalogue within another one, put into words only when a reader is known."""

    key: str
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Lines:
    """Several texts, one a line unless another separator is given."""

    parts: tuple[object, ...]
    separator: str = "\n"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who did something: an actor as the record names machines, a name, `waiver:ID:NAME`, or
    `delegate:ABSENT:NAME`.
    """

    name: str


@dataclass(frozen=True, slots=True)
class Level:
    """A level, with the title of the role that gave it."""

    number: int
    title: str


@dataclass(frozen=True, slots=True)
class Action:
    """An action, as the config file names it."""

    name: str


@dataclass(frozen=True, slots=True)
class Wording:
    """One reader's language, with what times are told by."""

    texts: Texts
    zone: ZoneInfo
    now: datetime

    def __call__(self, key: str, /, **params: object) -> Text:
        """Return the text of `key` with every value worded."""
        return self.texts(key, **{name: self.word(value) for name, value in params.items()})

    def word(self, value: object) -> object:
        """Return a value as this reader reads it; plain values stay what they are."""
        match value:
            case Words(key, params):
                return self(key, **params)
            case Lines(parts, separator):
                return joined((str(self.word(part)) for part in parts), separator)
            case Actor(name):
                return self._actor(name)
            case Level(number, title):
                return self.texts.level(number, title)
            case Action(name):
                return self.texts.action(name)
            case datetime():
                return self.texts.when(value, self.zone, self.now)
            case State():
                return self.texts.state(value)
            case Outcome():
                return self.texts.outcome(value)
            case Attribute():
                return value.zh if self.texts.language.startswith("zh") else value.en
            case None | "" | ():
                return self.texts("word.none")
            case tuple() | list():
                return self.texts.listed(self.word(each) for each in value)
            case _:
                return value

    def _actor(self, name: str) -> str:
        kind, _, rest = name.partition(":")
        if kind == "waiver":
            waiver, _, approver = rest.partition(":")
            key = "actor.waiver_of" if approver else "actor.waiver"
            return self.texts(key, id=waiver, name=approver)
        if kind == "delegate":
            absent, _, acting = rest.partition(":")
            return self.texts("actor.delegate", name=acting, absent=absent)
        if kind in _NAMED and rest:
            return self.texts(f"actor.{kind}", name=rest)
        return self.texts(f"actor.{kind}") if ":" in name and kind in _MACHINES else name


def of_core(params: Mapping[str, object]) -> dict[str, object]:
    """Return parameters of the pure core as things to word: its states and actors are text."""
    found = dict(params)
    if isinstance(state := found.get("state"), str):
        found["state"] = State(state)
    if isinstance(who := found.get("who"), str):
        found["who"] = Actor(who)
    return found
