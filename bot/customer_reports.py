"""How `menwei customers` shows the readings of all customers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from bot.settings import Settings
from bot.texts import Text, Texts
from workflows.mirror import GOOD, Reading

_OVERDUE = timedelta(hours=26)  # a night was missed


def is_wrong(readings: Sequence[Reading], now: datetime) -> bool:
    """Whether the last complete reading is missing, old, or found what an admin should see."""
    last = next((each for each in readings if each.ended), None)
    if last is None or now - last.began > _OVERDUE:
        return True
    low = last.coverage is not None and last.coverage < GOOD
    return bool(low or last.unread or last.unsettled)


def lines(
    found: Settings, readings: Sequence[Reading], voice: Texts, now: datetime
) -> Iterator[Text]:
    """Return the reading under way and those before, the latest first."""
    if not readings:
        yield voice("customers.never")
    for each in readings:
        if each.ended is None:
            done = {"members": each.tally.members, "of": each.of}
            yield voice("customers.under_way", began=_when(each, found, voice, now), **done)
        else:
            yield from _ended(each, found, voice, now)


def _ended(reading: Reading, found: Settings, voice: Texts, now: datetime) -> Iterator[Text]:
    coverage, tally = reading.coverage, reading.tally
    percent = "" if coverage is None else f"{coverage:.1%}"
    began = _when(reading, found, voice, now)
    yield voice("customers.read", began=began, members=tally.members, relations=tally.relations)
    key = "customers.no_adds" if coverage is None else "customers.coverage"
    yield voice(key, percent=percent, adds=tally.adds)
    late = {"adds": reading.late_adds, "gone": reading.late_deletions}
    yield voice("customers.found", new=tally.new, changed=tally.changed, **late)
    if reading.unsettled:
        yield voice("customers.unsettled", count=reading.unsettled)
    for each in reading.unread:
        yield voice("customers.unread", userid=each.userid, code=each.code)


def _when(reading: Reading, found: Settings, voice: Texts, now: datetime) -> Text:
    return voice.when(reading.began, found.rules.zone, now)


def as_json(readings: Sequence[Reading]) -> list[Mapping[str, object]]:
    """Return the readings for scripts, the latest first."""
    return [
        {
            "began": each.began.isoformat(),
            "ended": each.ended.isoformat() if each.ended else None,
            "members": each.tally.members,
            "of": each.of,
            "relations": each.tally.relations,
            "new": each.tally.new,
            "changed": each.tally.changed,
            "adds": each.tally.adds,
            "late_adds": each.late_adds,
            "late_deletions": each.late_deletions,
            "coverage": each.coverage,
            "unsettled": each.unsettled,
            "unread": [{"userid": one.userid, "code": one.code} for one in each.unread],
        }
        for each in readings
    ]
