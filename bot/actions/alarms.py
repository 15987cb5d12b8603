"""Alarms about one member: told once in their window, to who stands above them and the admins."""

from __future__ import annotations

from dataclasses import dataclass

from bot import outgoing
from bot.actions import judging
from bot.actions.scene import Scene
from bot.texts import Text
from workflows.chats import JOIN
from workflows.model import Request, same_user

_NAMED = 5


@dataclass(frozen=True, slots=True)
class Alarm:
    """More than usual of something. `kind` names the record and, with the window, the text."""

    kind: str  # 'deletions' or 'denials'
    window: str  # 'hour' or 'day'
    slot: str  # which hour or day: the alarm is told once in it
    most: int
    count: int
    latest: tuple[Text | str, ...]  # what it was about, the latest first


def sound(scene: Scene, userid: str, alarm: Alarm) -> None:
    """Record an alarm about a member and tell it, once in its window however many more come."""
    scene.record(
        f"alarm.{alarm.kind}",
        who=(userid, ""),
        window=alarm.window,
        count=alarm.count,
        most=alarm.most,
    )
    text = scene.theirs(
        f"{alarm.kind}.alarm_{alarm.window}",
        member=scene.person(userid).name,
        names=alarm.latest[:_NAMED],
        count=alarm.count,
        most=alarm.most,
    )
    key = f"{alarm.kind}:{userid}:{alarm.window}:{alarm.slot}"
    above = (*scene.directory.manager_of(userid), *scene.standing.admins)
    for each in dict.fromkeys(above):
        if not same_user(each, userid):
            scene.send(outgoing.SendText(each, text), key=f"{key}:{each.lower()}")


def refused(scene: Scene, request: Request) -> None:
    """Count that a member was refused something, asked for or observed, whoever refused it."""
    most, userid = scene.book.alerts.denials_per_day, request.requester.userid
    if not most or request.action == JOIN or scene.directory.member(userid) is None:
        return
    scene.tx.hold(f"denials:{userid.lower()}")
    midnight = judging.start_of_day(scene)
    found = scene.tx.requests.denied_since(userid, midnight, but=JOIN)
    if len(found) <= most:
        return
    latest = tuple(_one(scene, each) for each in found[:_NAMED])
    slot = f"{midnight:%Y%m%d}"
    sound(scene, userid, Alarm("denials", "day", slot, most, len(found), latest))


def _one(scene: Scene, request: Request) -> Text:
    action = scene.company.action(request.action)
    return scene.theirs("denials.one", action=action, subject=request.subject.name, id=request.id)
