"""Takes a change of the config file apart: what each edit does alone, and whom it affects."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel

from workflows import permissions, roles
from workflows.attributes import ACTIONS
from workflows.differences import EFFORT, Comparison, compare
from workflows.permissions import RoleShift, Shift
from workflows.policy import BadPolicyError, Policy, compile_policy
from workflows.schedules import NO_HOLIDAYS, Holidays
from workflows.sections import Rulebook
from workflows.standing import Standing

_STRICTNESS = "chain_defaults.strictness"
# Sections that decisions read, by how their entries are named; "" is a section edited as a whole.
_JUDGED: Mapping[str, str] = {
    "defaults": "",
    _STRICTNESS: "",
    "permissions": "key",
    "rule": "id",
    "auto_review": "id",
    "tier": "",
    "group": "name",
    "chains": "key",
    "schedules": "key",
    "attributes": "key",
}
_WORDS = frozenset({"title", "say"})
# Settings beside the rules that give nobody anything; every other one counts as widening.
_HARMLESS = frozenset({"language", "quiet_hours", "test"})


class How(StrEnum):
    """What happened to an entry."""

    ADDED = "added"
    REMOVED = "removed"
    CHANGED = "changed"
    WORDING = "wording"  # only titles and what it says: no decision can change


@dataclass(frozen=True, slots=True)
class Edit:
    """One entry of the file that is not what it was. `alone` is what this edit does without the
    others; None when it cannot stand without them, or changes wording only.
    """

    place: str  # 'rule.daily-cap', 'permissions.friend.add', 'tier'
    how: How
    alone: Comparison | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """Everything an admin must know of a change before it takes effect."""

    comparison: Comparison  # all edits together: what the rules say
    edits: tuple[Edit, ...]
    shifts: tuple[Shift, ...]  # who may do what differently, by level
    role_shifts: tuple[RoleShift, ...]
    settings: tuple[str, ...]  # places of other settings that changed, not judged further
    tightened: frozenset[str] = frozenset()  # sections of these that give nobody more than before

    @property
    def is_widening(self) -> bool:
        """Whether anybody gains anything, or it cannot be ruled out."""
        gained = [s.gained for s in self.shifts] + [s.gained for s in self.role_shifts]
        harmless = _HARMLESS | self.tightened
        other = any(place.partition(".")[0] not in harmless for place in self.settings)
        return self.comparison.is_looser or any(gained) or other

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed at all, not even a wording."""
        people = self.shifts or self.role_shifts
        return self.comparison.is_same and not (self.edits or people or self.settings)


def report(old: Standing, new: Standing, now: datetime, effort: int = EFFORT) -> Report:
    """Compare two policies, each with its directory: rules, people and settings."""
    before, after = old.policy, new.policy
    tables = [permissions.table(s.policy, s.directory) for s in (old, new)]
    held = [roles.table(s.policy.rulebook.roles, s.directory) for s in (old, new)]
    return Report(
        compare(before, after, now, effort=effort),
        edits(before, after, now, effort // 10),  # there may be many, and they only explain
        permissions.shifts(permissions.changes(*tables)),
        permissions.role_shifts(permissions.role_changes(*held)),
        tuple(_settings(before.rulebook, after.rulebook)),
        _tightened(before.rulebook, after.rulebook),
    )


def edits(old: Policy, new: Policy, now: datetime, effort: int = EFFORT // 10) -> tuple[Edit, ...]:
    """Return every entry that was edited, with what the edit does alone."""
    separate = _Separate(old, new, now, effort)
    return tuple(edit for section in _JUDGED for edit in separate.edits(section))


@dataclass(frozen=True, slots=True)
class _Separate:
    old: Policy
    new: Policy
    now: datetime
    effort: int

    def edits(self, section: str) -> Iterator[Edit]:
        """Return the edits of one section, in the order of the newer file."""
        before, after = _entries(self.old.rulebook, section), _entries(self.new.rulebook, section)
        for key in {**after, **before}:
            was, now = before.get(key), after.get(key)
            if was != now:
                place = f"{section}.{key}" if key else section
                how = _how(was, now)
                alone = None if how is How.WORDING else self._alone(section, key, (was, now))
                yield Edit(place, how, alone)

    def _alone(self, section: str, key: str, values: tuple[object, object]) -> Comparison | None:
        """Make the edit in the old file or, where it needs others, take it back in the new one."""
        was, now = values
        actions = _concerned(section, key, values)
        made = self._compiled(_with(self.old.rulebook, section, key, now))
        if made is not None:
            return self._compared(self.old, made, actions)
        undone = self._compiled(_with(self.new.rulebook, section, key, was))
        return None if undone is None else self._compared(undone, self.new, actions)

    def _compared(self, before: Policy, after: Policy, actions: Collection[str]) -> Comparison:
        return compare(before, after, self.now, actions=actions, effort=self.effort)

    def _compiled(self, book: Rulebook) -> Policy | None:
        try:
            return compile_policy(book, self._holidays())
        except BadPolicyError:
            return None

    def _holidays(self) -> Holidays:
        for policy in (self.new, self.old):
            for name, schedule in policy.rulebook.schedules.items():
                if schedule.holidays:
                    return policy.schedules[name].holidays
        return NO_HOLIDAYS


def _concerned(section: str, key: str, values: tuple[object, object]) -> Collection[str]:
    """Return the actions that an edit can touch, in the order of the action list."""
    touched = {key} if section == "permissions" else set(ACTIONS)
    if section in ("rule", "auto_review"):
        touched = {action for value in values for action in getattr(value, "action", ())}
    return [action for action in ACTIONS if action in touched]


def _entries(book: Rulebook, section: str) -> dict[str, object]:
    if section == _STRICTNESS:
        return {"": book.chain_defaults.strictness}
    value, named_by = getattr(book, section), _JUDGED[section]
    if not named_by:
        return {"": value}
    return dict(value) if named_by == "key" else {getattr(v, named_by): v for v in value}


def _with(book: Rulebook, section: str, key: str, value: object) -> Rulebook:
    """Return the rulebook with one entry put in, replaced or, for None, taken out."""
    if section == _STRICTNESS:
        chosen = book.chain_defaults.model_copy(update={"strictness": value})
        return book.model_copy(update={"chain_defaults": chosen})
    if not _JUDGED[section]:
        return book.model_copy(update={section: value})
    entries = {**_entries(book, section), key: value}
    kept = {k: v for k, v in entries.items() if v is not None}
    return book.model_copy(
        update={section: kept if _JUDGED[section] == "key" else tuple(kept.values())}
    )


def _how(was: object, now: object) -> How:
    if was is None:
        return How.ADDED
    if now is None:
        return How.REMOVED
    return How.WORDING if _wordless(was) == _wordless(now) else How.CHANGED


def _wordless(value: object) -> object:
    """Return the content without titles and texts."""
    if isinstance(value, BaseModel):
        return {k: v for k, v in value.model_dump().items() if k not in _WORDS}
    return [_wordless(v) for v in value] if isinstance(value, tuple) else value


def _settings(old: Rulebook, new: Rulebook) -> Iterator[str]:
    """Return the places of what changed in the sections that decisions do not read."""
    for section in Rulebook.model_fields:
        if section in _JUDGED:
            continue
        was, now = _parts(getattr(old, section)), _parts(getattr(new, section))
        for key in {**was, **now}:
            place = f"{section}.{key}" if key else section
            if was.get(key) != now.get(key) and place != _STRICTNESS:
                yield place
    for name, column in new.attributes.items():
        before = old.attributes.get(name)
        if before and column.default is not None and column.default != before.default:
            yield f"attributes.{name}.default"  # what was unknown may now let somebody through


def _tightened(old: Rulebook, new: Rulebook) -> frozenset[str]:
    """Return which of these sections allow nothing that they did not allow before."""
    fewer = new.standing_approvals.gives_no_more_than(old.standing_approvals)
    shorter = new.grants.gives_no_more_than(old.grants)
    watchful = new.alerts.alarms_no_less_than(old.alerts)
    found = {"standing_approvals": fewer, "grants": shorter, "alerts": watchful}
    found |= {"customers": True}  # when to look and what to show: nobody may do more by it
    return frozenset(section for section, tightened in found.items() if tightened)


def _parts(value: Any) -> dict[str, object]:
    if isinstance(value, BaseModel):
        return dict(value)
    if isinstance(value, dict):
        return {key: _wordless(entry) for key, entry in value.items()}
    return {"": value}
