"""A relation changed or ended, as WeCom reports it."""

from __future__ import annotations

from dataclasses import replace

from bot.actions import containing, deciding, knowing
from bot.actions.scene import Scene
from bot.events import ContactDeleted, ContactEdited
from bot.wecom import ExternalContact
from workflows.model import Containment, Origin, Relation, RelationState, Request
from workflows.steps import Refused, Withdraw


def edited(scene: Scene, event: ContactEdited, contact: ExternalContact | None) -> None:
    """Take note of changed remarks, phones and tags."""
    scene.tx.hold(f"customer:{event.external_userid}")
    if contact is not None:
        knowing.remember(scene, contact)
    who = (event.userid, event.external_userid)
    scene.record("relation.edited", actor=f"user:{event.userid}", who=who)


def deleted(scene: Scene, event: ContactDeleted, contact: ExternalContact | None) -> None:
    """Take note that a relation ended, unless WeCom shows that it has begun anew since."""
    scene.tx.hold(f"customer:{event.external_userid}")
    if contact is not None:
        knowing.remember(scene, contact)
    old = scene.tx.relations.get(event.userid, event.external_userid)
    if event.by_member and knowing.follower(contact, event.userid) is not None:
        return
    if old and old.seen_at and old.seen_at > event.created_at:
        return
    gone = _ended(event, old or Relation(event.userid, event.external_userid, RelationState.NONE))
    scene.tx.relations.put(gone)
    request = scene.tx.requests.get(gone.request_id) if gone.request_id else None
    who = (event.userid, event.external_userid)
    scene.record(f"relation.{gone.state.value}", request, who=who, source=event.source)
    containing.gone(scene, gone, transferred=event.source == "DELETE_BY_TRANSFER")
    _take_back(scene, request)


def _ended(event: ContactDeleted, base: Relation) -> Relation:
    by_member, by_customer = RelationState.DELETED_BY_MEMBER, RelationState.DELETED_BY_CUSTOMER
    return replace(
        base,
        state=by_member if event.by_member else by_customer,
        seen_at=event.created_at,
        containment=Containment.NONE,
        former_remark="",
    )


def _take_back(scene: Scene, request: Request | None) -> None:
    """A relation that is over needs no decision."""
    if request is None or request.origin is not Origin.OBSERVED or request.state.is_final:
        return
    try:
        deciding.advance(scene, request, Withdraw("system:relation_ended"))
    except Refused:
        return
