"""A source was read, or could not be: it counts from now on, and the admins hear what is new."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.actions.scene import Scene
from bot.sources.reading import Reading
from bot.texts import Text, Texts, joined
from workflows.outside import SourceState

NEWS = "source_news"


def settle(scene: Scene, reading: Reading) -> bool:
    """Let a reading count, and say what is new about its source. False if it was overtaken."""
    name = reading.state.name
    stored = scene.tx.sources.get(name)
    told = stored.told if stored else ""
    if not replace(reading, state=replace(reading.state, told=told)).settle(scene.tx):
        return False
    if not news(scene, name):
        scene.remind(NEWS, name, scene.now)
    return True


def news(scene: Scene, name: str) -> bool:
    """Tell the admins what is wrong with a source, or not any more: once for each cause.

    False while nobody knows who they are, as in the first seconds of the first start.
    """
    state = scene.tx.sources.get(name)
    if not scene.directory.members:
        return False
    if state is None or (cause := cause_of(state, scene.now)) == state.told:
        return True
    scene.tx.sources.put(replace(state, told=cause))
    scene.record("source.troubled" if cause else "source.well", source=name, cause=cause)
    _tell(scene, state, cause)
    return True


def cause_of(state: SourceState, now: datetime) -> str:
    """Return what is wrong with a source, '' when nothing is; the same cause is told once."""
    stale = "" if state.is_fresh(now) else "stale"
    doubts = [each.column for each in state.doubts] + (["twice"] if state.doubled else [])
    return " ".join(filter(None, (state.trouble, stale, *(doubts if not state.trouble else ()))))


def _tell(scene: Scene, state: SourceState, cause: str) -> None:
    admins = scene.standing.admins
    if not cause:
        scene.tell(admins, "sources.well", name=state.name, rows=state.rows)
        return
    what = joined(said(state, scene.company, scene.now))
    scene.tell(admins, "sources.troubled", name=state.name, what=what)


def said(state: SourceState, voice: Texts, now: datetime) -> list[Text]:
    """Return everything that is wrong with a source, a sentence each."""
    lines: list[Text] = []
    if state.trouble:
        lines.append(voice(f"sources.trouble.{state.trouble}", **state.details))
    if not state.is_fresh(now):
        lines.append(_stale(state, voice, now))
    elif state.trouble and state.made_at:
        lines.append(voice("sources.still_used", age=voice.span(now - state.made_at)))
    lines += [
        voice("sources.doubt", column=each.column, count=each.count, first=each.first)
        for each in state.doubts
    ]
    if state.doubled:
        lines.append(voice("sources.doubled", count=state.doubled))
    return lines


def _stale(state: SourceState, voice: Texts, now: datetime) -> Text:
    if state.made_at is None:
        return voice("sources.never_read")
    most, age = voice.span(state.stale_after), voice.span(now - state.made_at)
    return voice("sources.stale", age=age, most=most)
