"""How the nearest change is told to people: one line, in their language, with what is so now.

Somebody who asked to add a customer may hear of themselves: level, counts, time, what they typed
and how they met. What is known of the customer comes from colleagues (tags, who follows them, their
company, columns of outside sources, and so tier and groups); a guarded line says only that
something about the customer would have to change, whichever of these it is.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.texts import Text, Texts, joined
from workflows.alternatives import How, Need
from workflows.attributes import GRANTS, GROUPS, LEVEL, TIER, Attribute, Kind
from workflows.conditions import Scalar
from workflows.facts import WAYS
from workflows.model import Outcome
from workflows.nearest import Change, Nearest
from workflows.sections import Rulebook

_NAMED = 5  # values of one need that are told
_WAY_NUMBERS = {word: number for number, word in WAYS.items()}
_ANY = frozenset({How.IS, How.CONTAINS, How.STARTS})  # one of the values is enough
_DOWN = frozenset({How.BELOW, How.AT_MOST})
_NEW_COUNTS = {"today": "tomorrow", "week": "monday"}


@dataclass(frozen=True, slots=True)
class Adviser:
    """One reader: in which language, by which rules and when a decision is told to them."""

    voice: Texts
    book: Rulebook
    at: datetime  # of the decision
    now: datetime
    guarded: bool = False

    def line(self, found: Nearest) -> Text:
        """Return what would do, or that nothing was found."""
        if not found.changes:
            key = "none" if found.complete else "unfinished"
            return self.voice(f"nearest.{'already' if found.outcome is Outcome.ALLOW else key}")
        told = dict.fromkeys(map(self.change, found.changes))
        return self.voice(
            f"nearest.{found.outcome.word}", changes=joined(told, self.voice("nearest.and"))
        )

    def change(self, change: Change) -> Text:
        """Return one thing that would have to be different."""
        attribute = change.attribute
        if attribute is None:
            return self._time(change)
        if self.guarded and attribute.name.startswith("customer."):
            return self.voice("nearest.customer")
        if attribute.name == GRANTS and {need.how for need in change.needs} == {How.HAS}:
            actions = self._values(change.needs[0], attribute)
            return self.voice("nearest.lent", actions=actions)
        title = self._title(attribute)
        needs = self._needs(change, attribute)
        if change.before is None:
            key = "nearest.known_and" if change.needs else "nearest.known"
            return self.voice(key, attribute=title, needs=needs)
        note = self._note(change, attribute)
        return self.voice("nearest.change", attribute=title, needs=joined([needs, note], ""))

    def _title(self, attribute: Attribute) -> str:
        return attribute.zh if self.voice.language.startswith("zh") else attribute.en

    def _time(self, change: Change) -> Text:
        at = change.value
        ahead = isinstance(at, datetime) and at > self.now
        when = self.voice.when(at, self.book.zone, self.now) if isinstance(at, datetime) else ""
        if not change.needs:
            return self.voice("nearest.time", when=when)
        schedules = self._needs(change, None)
        key = "nearest.within" if ahead else "nearest.within_any"
        return self.voice(key, schedules=schedules, when=when)

    def _needs(self, change: Change, attribute: Attribute | None) -> Text:
        told = (self._need(need, attribute) for need in change.needs)
        return joined(told, self.voice("nearest.needs.and"))

    def _need(self, need: Need, attribute: Attribute | None) -> Text:
        table = "needs"
        if attribute is not None and attribute.kind is Kind.DATE:
            table = "date"
        if attribute is not None and attribute.name == LEVEL:
            table = "level"
        values = self._values(need, attribute)
        usual = f"nearest.needs.{need.how}"
        return self.voice.either(f"nearest.{table}.{need.how}", usual, values=values)

    def _values(self, need: Need, attribute: Attribute | None) -> Text:
        words = [self._word(value, attribute) for value in itertools.islice(need.values, _NAMED)]
        separator = self.voice("nearest.or" if need.how in _ANY else "word.separator")
        said = joined(words, separator)
        if len(need.values) <= _NAMED:
            return said
        return self.voice("nearest.word.more", values=said, count=len(need.values))

    def _word(self, value: Scalar, attribute: Attribute | None) -> str:
        name = attribute.name if attribute else ""
        match value:
            case bool():
                return self.voice("nearest.word.yes" if value else "nearest.word.no")
            case int() if name == LEVEL:
                return self.voice.level(value, self._role_at(value))
            case str() if name == GRANTS:
                return self.voice.action(value)
            case str() if name == TIER:
                return _titled(value, {each.name: each.title for each in self.book.tier})
            case str() if name == GROUPS:
                return _titled(value, {each.name: each.title for each in self.book.group})
            case str() if name == "contact.way" and value in _WAY_NUMBERS:
                return self.voice.add_way(_WAY_NUMBERS[value])
            case str() if attribute and attribute.words and f"nearest.word.{value}" in self.voice:
                return self.voice(f"nearest.word.{value}")
            case _:
                return str(value)

    def _role_at(self, level: int) -> str:
        roles = self.book.roles.items()
        return next((role.title or name for name, role in roles if role.level == level), "")

    def _note(self, change: Change, attribute: Attribute) -> Text:
        """Say what is so now, where that is short, and when a count begins anew."""
        if change.before is None or isinstance(change.before, frozenset):
            return Text()
        if attribute.kind is Kind.TEXT and not attribute.words:
            return Text()
        now = self._word(change.before, attribute)
        if self.at.astimezone(self.book.zone).date() != self.now.astimezone(self.book.zone).date():
            return self.voice("nearest.note.then", now=now)
        falls = all(need.how in _DOWN for need in change.needs)
        anew = _NEW_COUNTS.get(attribute.name.partition(".")[0]) if falls else None
        return self.voice(f"nearest.note.{anew or 'now'}", now=now)


def _titled(name: str, titles: Mapping[str, str]) -> str:
    return titles.get(name) or name


def as_json(found: Nearest, told: Iterable[str]) -> Mapping[str, object]:
    """Return the nearest change for scripts; `told` are its changes in words."""
    return {
        "outcome": found.outcome.word,
        "complete": found.complete,
        "changes": [
            {
                "attribute": change.attribute.name if change.attribute else "time",
                "before": _plain(change.before),
                "value": _plain(change.value),
                "needs": [{"how": n.how.value, "values": list(n.values)} for n in change.needs],
                "text": text,
            }
            for change, text in zip(found.changes, told, strict=True)
        ],
    }


def _plain(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case frozenset():
            return sorted(value)
        case _:
            return value
