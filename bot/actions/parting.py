"""A relation ended, as WeCom reports it: judged where the rules say so, and counted."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.actions import alarms, containing, deciding, judging, knowing, moving, observing
from bot.actions.alarms import Alarm
from bot.actions.performing import DELETE
from bot.actions.scene import Scene
from bot.events import ContactDeleted
from bot.wecom import ExternalContact
from workflows import facts
from workflows.claims import Claim
from workflows.containment import is_gone
from workflows.model import Containment, Facts, Origin, Relation, RelationState, Request, same_user
from workflows.steps import Refused, Withdraw

_TRANSFER = "DELETE_BY_TRANSFER"
_HOUR = timedelta(hours=1)
_NAMED = 5


def deleted(scene: Scene, event: ContactDeleted, contact: ExternalContact | None) -> None:
    """Take note that a relation ended, unless WeCom shows that it has begun anew since."""
    knowing.hold(scene, event.external_userid)
    if contact is not None:
        knowing.remember(scene, contact)
    old = scene.tx.relations.get(event.userid, event.external_userid)
    if event.by_member and knowing.follower(contact, event.userid) is not None:
        return
    if old and old.seen_at and old.seen_at > event.created_at:
        return
    by = _ended_by(scene, event)
    known = _facts(scene, event, old) if by == "member" else None
    base = old or Relation(event.userid, event.external_userid, RelationState.NONE)
    gone = replace(_ended(event, base, by), asked_at=scene.now)
    scene.tx.relations.put(gone)
    request = _own(scene, gone)
    who = (event.userid, event.external_userid)
    scene.record(f"relation.{gone.state.value}", request, who=who, source=event.source, by=by)
    containing.gone(scene, gone, transferred=by == "transfer")
    if by == "transfer":
        moving.gone(scene, gone)
    _take_back(scene, request)
    if known is not None and not (old and is_gone(old)):
        _judge(scene, who, known, old)


def _own(scene: Scene, gone: Relation) -> Request | None:
    """Return the request that governs a relation if it is the member's own, about this customer:
    a customer who was handed over is governed by the giver's.
    """
    request = scene.tx.requests.get(gone.request_id) if gone.request_id else None
    if request is None or request.subject.external_userid != gone.external_userid:
        return None
    return request if same_user(request.requester.userid, gone.userid) else None


def _ended_by(scene: Scene, event: ContactDeleted) -> str:
    if not event.by_member:
        return "customer"
    if event.source == _TRANSFER:
        return "transfer"
    remedy = scene.tx.remedies.open_for(event.userid, event.external_userid)
    return "remedy" if remedy is not None else "member"


def _ended(event: ContactDeleted, base: Relation, by: str) -> Relation:
    by_member, by_customer = RelationState.DELETED_BY_MEMBER, RelationState.DELETED_BY_CUSTOMER
    return replace(
        base,
        state=by_member if event.by_member else by_customer,
        seen_at=event.created_at,
        containment=Containment.NONE,
        former_remark="",
        ended_by=by,
    )


def _take_back(scene: Scene, request: Request | None) -> None:
    """A relation that is over needs no decision."""
    if request is None or request.origin is not Origin.OBSERVED or request.state.is_final:
        return
    try:
        deciding.advance(scene, request, Withdraw("system:relation_ended"))
    except Refused:
        return


def _facts(scene: Scene, event: ContactDeleted, old: Relation | None) -> Facts:
    """Return the facts as they were while the two were together.

    Of a relation that nobody has told us of, what WeCom forgot with it stays unknown.
    """
    known = {**judging.acting(scene, event.userid), **facts.of_claim(Claim())}
    if old is None:
        return {**known, "contact.planned": False}
    customer = judging.about(scene, event.userid, event.external_userid)
    return {**known, **customer, **facts.of_contact(old, scene.directory)}


def _judge(scene: Scene, who: tuple[str, str], known: Facts, old: Relation | None) -> None:
    """Judge a deletion by a member, unless the relation was not allowed anyway, and count it."""
    was_allowed = old is None or old.containment is Containment.NONE
    if was_allowed and observing.is_judged(scene, DELETE):
        observing.judge(scene, DELETE, who, [known])
    _count(scene, who[0])


def _count(scene: Scene, userid: str) -> None:
    """Alarm the supervisor and the admins when a member deletes more than is usual."""
    scene.tx.hold(f"deletions:{userid.lower()}")
    limits, midnight = scene.book.alerts, judging.start_of_day(scene)
    windows = (
        ("hour", limits.deletions_per_hour, scene.now - _HOUR, f"{scene.now:%Y%m%d%H}"),
        ("day", limits.deletions_per_day, midnight, f"{midnight:%Y%m%d}"),
    )
    for window, most, since, slot in windows:
        gone = scene.tx.relations.deleted_by(userid, since)
        if most and len(gone) > most:
            named = gone[:_NAMED]
            names = tuple(knowing.name_of(scene, each.external_userid) for each in named)
            alarms.sound(scene, userid, Alarm("deletions", window, slot, most, len(gone), names))
