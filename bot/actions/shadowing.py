"""Tells the admins, each working morning, what would have happened by what runs in shadow."""

from __future__ import annotations

from collections.abc import Iterator

from bot import outgoing, tallies
from bot.actions.scene import Scene
from bot.replays import Shadowed
from bot.texts import Text, joined

EVENT = "shadow.report"
_RULES = 10  # told of one by one; a message holds 2048 bytes
_PEOPLE = 5


def report(scene: Scene, found: Shadowed) -> None:
    """Tell whoever listens, or else the admins; nothing is said of a time without any hit."""
    if not found.is_eventful:
        return
    said = joined(_lines(scene, found))
    for userid in scene.listeners(EVENT) or scene.standing.admins:
        key = f"{EVENT}:{found.window.until.isoformat()}:{userid.lower()}"
        scene.send(outgoing.SendText(userid, said), key=key)


def _lines(scene: Scene, found: Shadowed) -> Iterator[Text]:
    window = found.window
    yield scene.theirs("shadow.report.head", since=window.since, until=window.until)
    yield from _of_candidate(scene, found)
    yield from _of_rules(scene, found)


def _of_candidate(scene: Scene, found: Shadowed) -> Iterator[Text]:
    voice = scene.company
    if found.candidate is None or found.tally is None or not found.tally.total:
        return
    sums = tallies.sums(found.tally, voice)
    yield voice("shadow.report.candidate", hash=found.candidate.hash, sums=sums)
    people = [tallies.affected(each, voice) for each in found.tally.most_affected(_PEOPLE)]
    if people:
        yield voice("shadow.report.people", people=voice.listed(people))


def _of_rules(scene: Scene, found: Shadowed) -> Iterator[Text]:
    hit = list(found.trials.hit)
    yield from tallies.trials(found.trials, hit[:_RULES], scene.book, scene.company)
    if len(hit) > _RULES:
        yield scene.company("shadow.report.more", count=len(hit) - _RULES)
