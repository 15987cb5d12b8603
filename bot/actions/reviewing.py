"""After an emergency: a review stays open, and is asked for every day, until an admin writes it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta

from bot.actions.scene import Scene
from workflows.model import AuditRecord, Outcome, same_user
from workflows.steps import Refused

REMINDER = "review_reminder"
_AT = time(9)  # in the company's time zone
_FREEZE = "F-"
_USED, _REVIEWED = "breakglass.used", "breakglass.reviewed"


def is_admin(scene: Scene, userid: str) -> bool:
    """Whether somebody may change the rules."""
    return scene.standing.may(userid, "config.change") is not Outcome.DENY


def open_for(scene: Scene, name: str) -> None:
    """Ask the admins for a review from tomorrow morning on: of a freeze, or of a request that was
    allowed in an emergency.
    """
    tomorrow = scene.now.astimezone(scene.zone).date() + timedelta(days=1)
    scene.remind(REMINDER, name, datetime.combine(tomorrow, _AT, scene.zone))


def remind(scene: Scene, name: str) -> None:
    """Ask again, unless the review is written."""
    if _is_open(scene, name):
        scene.tell(scene.standing.admins, "review.wanted", id=name)
        open_for(scene, name)


def _is_open(scene: Scene, name: str) -> bool:
    if name.startswith(_FREEZE):
        freeze = scene.tx.freezes.get(name)
        return freeze is not None and freeze.ending is not None and not freeze.reviewed_by
    return _record(scene, name, _USED) is not None and _record(scene, name, _REVIEWED) is None


def _record(scene: Scene, request_id: str, kind: str) -> AuditRecord | None:
    records = scene.tx.audit.of_request(request_id)
    return next((each for each in records if each.kind == kind), None)


def close(scene: Scene, userid: str, name: str, conclusion: str) -> None:
    """Write a review and so close it. Raises Refused for who may not, and where none is open."""
    if not is_admin(scene, userid):
        raise Refused("admins_only")
    scene.tx.hold(f"review:{name}")
    if name.startswith(_FREEZE):
        _close_freeze(scene, userid, name, conclusion)
    else:
        _close_override(scene, userid, name, conclusion)
    others = [each for each in scene.standing.admins if not same_user(each, userid)]
    words = {"id": name, "who": scene.person(userid).name, "conclusion": conclusion}
    scene.tell([userid], "review.thanked", **words)
    scene.tell(others, "review.closed", **words)


def _close_freeze(scene: Scene, userid: str, name: str, conclusion: str) -> None:
    scene.tx.hold(f"freeze:{name}")
    freeze = scene.tx.freezes.get(name)
    if freeze is None:
        raise Refused("unknown_freeze", id=name)
    if freeze.ending is None:
        raise Refused("review_too_early", id=name, until=freeze.until)
    if freeze.reviewed_by:
        raise Refused("reviewed_already", id=name, who=scene.person(freeze.reviewed_by).name)
    scene.tx.freezes.change(replace(freeze, reviewed_by=userid, conclusion=conclusion))
    scene.record("freeze.reviewed", freeze=name, conclusion=conclusion)


def _close_override(scene: Scene, userid: str, name: str, conclusion: str) -> None:
    request = scene.tx.requests.get(name)
    used = _record(scene, name, _USED)
    if request is None or used is None:
        raise Refused("nothing_to_review", id=name)
    reviewed = _record(scene, name, _REVIEWED)
    if reviewed is not None:
        who = scene.person(reviewed.actor.removeprefix("user:")).name
        raise Refused("reviewed_already", id=name, who=who)
    if same_user(used.actor, f"user:{userid}"):
        raise Refused("review_by_another", id=name)
    scene.record(_REVIEWED, request, conclusion=conclusion)
