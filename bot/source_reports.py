"""How `menwei sources` shows the outside sources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path

from bot.actions import sourcing
from bot.settings import Settings
from bot.source_settings import Source
from bot.texts import Text, Texts
from workflows.outside import SourceState

States = Mapping[str, SourceState]


def is_wrong(found: Settings, states: States, now: datetime) -> bool:
    """Whether anything is wrong with any source, or a declared column has none."""
    return bool(unfilled(found) or troubled(found, states, now))


def troubled(found: Settings, states: States, now: datetime) -> list[str]:
    """Return the sources with which anything is wrong."""
    known = {name: states.get(name) for name in found.sources}
    return [n for n, state in known.items() if state is None or sourcing.cause_of(state, now)]


def unfilled(found: Settings) -> list[str]:
    """Return the declared columns that no source fills."""
    filled = {attribute for source in found.sources.values() for attribute in source.columns}
    return [name for name in found.rules.attributes if name not in filled]


def lines(found: Settings, states: States, voice: Texts, now: datetime) -> Iterator[Text]:
    """Return each source with where it is, how it stands and what is wrong."""
    if not found.sources:
        yield voice("sources.none")
    for name, source in found.sources.items():
        yield voice("sources.line", name=name, place=_place(source))
        yield voice("sources.fills", columns=voice.listed(source.columns))
        state = states.get(name)
        if state is None or state.tried_at is None:
            yield voice("sources.unread", name=name)
        else:
            yield from _stands(state, found, voice, now)
    if missing := unfilled(found):
        yield voice("sources.unfilled", columns=voice.listed(missing))


def _stands(state: SourceState, found: Settings, voice: Texts, now: datetime) -> Iterator[Text]:
    if state.made_at is not None and state.read_at is not None:
        read = voice.when(state.read_at, found.rules.zone, now)
        age = voice.span(now - state.made_at)
        yield voice("sources.facts", rows=state.rows, key=state.key.value, age=age, read=read)
    for line in sourcing.said(state, voice, now):
        yield Text(f"  {line}")


def refreshed(state: SourceState, voice: Texts, now: datetime) -> Iterator[Text]:
    """Return what came of reading a source."""
    key = "sources.refused" if state.trouble else "sources.refreshed"
    yield voice(key, name=state.name, rows=state.rows)
    for line in sourcing.said(state, voice, now):
        yield Text(f"  {line}")


def as_json(found: Settings, states: States, now: datetime) -> dict[str, object]:
    """Return the same for scripts; times are ISO 8601 in UTC, ages are seconds."""
    listed = [_one(name, source, states.get(name), now) for name, source in found.sources.items()]
    return {"sources": listed, "unfilled": unfilled(found)}


def _one(name: str, source: Source, state: SourceState | None, now: datetime) -> dict[str, object]:
    fixed = {
        "name": name,
        "type": source.type,
        "place": _place(source),
        "fills": list(source.columns),
    }
    if state is None:
        return {**fixed, "rows": 0, "fresh": False, "read_at": None}
    return {
        **fixed,
        "rows": state.rows,
        "fresh": state.is_fresh(now),
        "age": (now - state.made_at).total_seconds() if state.made_at else None,
        "read_at": state.read_at.isoformat() if state.read_at else None,
        "tried_at": state.tried_at.isoformat() if state.tried_at else None,
        "trouble": {"code": state.trouble, **state.details} if state.trouble else None,
        "doubts": [
            {"column": each.column, "count": each.count, "first": each.first}
            for each in state.doubts
        ],
        "doubled": state.doubled,
    }


def _place(source: Source) -> str:
    return str(Path(source.path).absolute()) if source.path else source.place
