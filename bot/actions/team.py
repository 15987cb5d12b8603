"""团队: what the people whom somebody leads have added and asked for, and what waits with whom."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.actions import colleagues, judging
from bot.actions.scene import Scene
from bot.pages import paged
from bot.texts import Text
from bot.wording import Words
from storage.precedents import Tally
from workflows import absences
from workflows.model import State
from workflows.steps import Refused

_LOOKED_BACK = timedelta(days=30)  # nothing waits longer, holidays included
_SHOWN = 15  # people with a line of their own: more are too many to read


@dataclass(frozen=True, slots=True)
class Standing:
    """One member of the team: adds since midnight and Monday, and what became of requests."""

    userid: str
    today: int = 0
    week: int = 0
    refused: int = 0  # this week, whatever was asked for
    waiting: int = 0
    oldest: datetime | None = None  # since when the first of them waits


def show(scene: Scene, userid: str) -> None:
    """Show a leader's team, those first who wait longest; the whole company to an admin who leads
    nobody. Raises Refused for who may see nobody's.
    """
    people, head_text = colleagues.team_of(scene, userid), "team.head"
    if not people and colleagues.is_admin(scene, userid):
        people, head_text = colleagues.visible_to(scene, userid), "team.head_all"
    if not people:
        raise Refused("leads_nobody")
    found = standings(people, _tallies(scene, people))
    head = scene.mine(
        head_text,
        count=len(people),
        today=sum(each.today for each in found),
        week=sum(each.week for each in found),
        waiting=sum(each.waiting for each in found),
        refused=sum(each.refused for each in found),
    )
    away = _away(scene)
    lines = [_line(scene, each, away) for each in found[:_SHOWN]]
    if len(found) > _SHOWN:
        lines.append(scene.mine("team.more", count=len(found) - _SHOWN))
    for page in paged([head, *lines, scene.mine("team.foot")]):
        scene.answer(userid, page)


def _tallies(scene: Scene, people: Iterable[str]) -> list[Tally]:
    return scene.tx.precedents.tallies(
        people,
        judging.ADD,
        today=judging.start_of_day(scene),
        week=judging.start_of_week(scene),
        since=scene.now - _LOOKED_BACK,
    )


def standings(people: Iterable[str], tallies: Iterable[Tally]) -> list[Standing]:
    """Return how each of these people stands: who waits longest first, then who added most."""
    by_person: dict[str, list[Tally]] = {}
    for tally in tallies:
        by_person.setdefault(tally.userid, []).append(tally)
    found = [_standing(each, by_person.get(each.lower(), ())) for each in people]
    return sorted(found, key=_order)


def _standing(userid: str, tallies: Iterable[Tally]) -> Standing:
    counted = [each for each in tallies if each.state in judging.COUNTED]
    waiting = [each for each in tallies if each.state is State.PENDING]
    refused = [each for each in tallies if each.state is State.DENIED]
    return Standing(
        userid,
        today=sum(each.today for each in counted),
        week=sum(each.week for each in counted),
        refused=sum(each.week_all for each in refused),
        waiting=sum(each.count for each in waiting),
        oldest=min((each.oldest for each in waiting), default=None),
    )


def _order(one: Standing) -> tuple[bool, float, int, int, str]:
    since = one.oldest.timestamp() if one.oldest else 0.0
    return (one.oldest is None, since, -one.today, -one.week, one.userid)


def _away(scene: Scene) -> Mapping[str, str]:
    """Return who is away, by lower-case userid, with who stands in."""
    return absences.away_at(scene.tx.absences.in_force(scene.now), scene.now)


def _line(scene: Scene, one: Standing, away: Mapping[str, str]) -> Text:
    marks: list[object] = []
    if one.waiting:
        marks.append(Words("team.waiting", {"count": one.waiting, "since": one.oldest}))
    if one.refused:
        marks.append(Words("team.refused", {"count": one.refused}))
    if standing_in := away.get(one.userid.lower()):
        marks.append(Words("team.away", {"who": scene.person(standing_in).name}))
    words = {"who": scene.person(one.userid).name, "today": one.today, "week": one.week}
    if not marks:
        return scene.mine("team.line", **words)
    return scene.mine("team.line_marked", what=tuple(marks), **words)
