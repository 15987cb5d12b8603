"""Everything a person reads, by key, in Chinese and English; loaded from the TOML files here.

Values put into a text are made harmless (`masking.plain`), since most of them are names that people
outside chose. Only a `Text`, which is words of ours, goes in as it is.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from importlib import resources

from workflows.masking import plain
from workflows.model import Origin, Outcome, RelationState, State

LANGUAGES = ("zh-CN", "en")
PLACEHOLDER = re.compile(r"\{([a-z][a-z0-9_]*)\}")

_MINUTE = timedelta(minutes=1)
_DAY_WORDS = {-1: "yesterday", 0: "today", 1: "tomorrow"}


class Text(str):
    """Words of ours with safe values in them; may hold links and line ends."""

    __slots__ = ()


def joined(parts: Iterable[str], separator: str = "\n") -> Text:
    """Return one text of several; parts that are not ours are made harmless."""
    return Text(separator.join(_harmless(part) for part in parts))


@dataclass(frozen=True, slots=True)
class Texts:
    """The texts of one language. Call it with a key and the values of its placeholders."""

    language: str
    by_key: Mapping[str, str]

    def __call__(self, key: str, /, **values: object) -> Text:
        """Return the text of `key`; KeyError if the key or a value it needs is not there."""
        pattern = self.by_key[key]
        return Text(PLACEHOLDER.sub(lambda found: _harmless(values[found[1]]), pattern))

    def __contains__(self, key: str) -> bool:
        return key in self.by_key

    def either(self, key: str, other: str, /, **values: object) -> Text:
        """Return the text of `key`, or of `other` where there is none."""
        return self(key if key in self else other, **values)

    def state(self, state: State) -> Text:
        """Return the name of a request's state."""
        return self(f"state.{state}")

    def outcome(self, outcome: Outcome) -> Text:
        """Return the name of what the policy said."""
        return self(f"outcome.{outcome.word}")

    def relation(self, state: RelationState) -> Text:
        """Return the name of what a member and a customer are to each other."""
        return self(f"relation.{state}")

    def origin(self, origin: Origin) -> Text:
        """Return how a request came to be."""
        return self(f"origin.{origin}")

    def action(self, action: str) -> Text:
        """Return the name of an action; one without a name is shown as in the config file."""
        return self.either(f"action.{action}", "action.other", action=action)

    def add_way(self, number: int) -> Text:
        """Return how a customer was added (document 92114); new numbers are shown as numbers."""
        return self.either(f"add_way.{number}", "add_way.other", number=number)

    def level(self, number: int, title: str = "") -> Text:
        """Return the name of a level, after the title of the role that gave it."""
        if number <= 0:
            return self("level.none")
        return self("level.titled" if title else "level.number", number=number, title=title)

    def listed(self, values: Iterable[object]) -> Text:
        """Return values in a row, with this language's separator."""
        return joined((str(value) for value in values), self("word.separator"))

    def when(self, at: datetime, zone: tzinfo, now: datetime) -> Text:
        """Return a moment as people say it: '今天 18:00', '23 Nov 09:30'."""
        local, today = at.astimezone(zone), now.astimezone(zone)
        clock = f"{local:%H:%M}"
        days = (local.date() - today.date()).days
        if days in _DAY_WORDS:
            return self(f"time.{_DAY_WORDS[days]}", clock=clock)
        key = "time.date" if local.year == today.year else "time.date_year"
        month = self(f"month.{local.month}")
        return self(key, year=local.year, month=month, day=local.day, clock=clock)

    def span(self, length: timedelta) -> Text:
        """Return a length of time in its two largest units, rounded to the minute: '2 小时'."""
        minutes = max(0, round(length / _MINUTE))
        hours, minutes = divmod(minutes, 60)
        days, hours = divmod(hours, 24)
        units = {"day": days, "hour": hours, "minute": minutes}
        told = [self._counted(unit, count) for unit, count in units.items() if count]
        return joined(told[:2] or [self._counted("minute", 0)], " ")

    def _counted(self, unit: str, count: int) -> Text:
        return self(f"span.{unit}.{'one' if count == 1 else 'many'}", count=count)


def load(language: str) -> Texts:
    """Return all texts of a language, one of `LANGUAGES`; ValueError for another."""
    if language not in LANGUAGES:
        raise ValueError(f"language {language!r} is not one of {', '.join(LANGUAGES)}")
    folder = resources.files(__package__) / language
    files = [file for file in folder.iterdir() if file.name.endswith(".toml")]
    return Texts(language, merged((f.name, tomllib.loads(f.read_text("utf-8"))) for f in files))


def merged(files: Iterable[tuple[str, Mapping[str, object]]]) -> dict[str, str]:
    """Return the texts of several files by dotted key; ValueError if two share a key."""
    by_key: dict[str, str] = {}
    home: dict[str, str] = {}
    for file, content in files:
        for key, text in _flattened(content, file):
            if key in home:
                raise ValueError(f"{file}: text {key!r} is in {home[key]} already")
            home[key] = file
            by_key[key] = text
    return by_key


def _flattened(
    table: Mapping[str, object], file: str, above: str = ""
) -> Iterable[tuple[str, str]]:
    for name, value in table.items():
        key = f"{above}{name}"
        match value:
            case str():
                yield key, value
            case Mapping():
                yield from _flattened(value, file, f"{key}.")
            case _:
                raise ValueError(f"{file}: {key!r} is neither a text nor a table")


def _harmless(value: object) -> str:
    return value if isinstance(value, Text) else plain(value)
