"""Makes up for events that never came: what a reading has doubted is asked about and acted upon.

A late add is judged like any other, a late deletion settles and counts like any other.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.actions import adding, knowing, parting
from bot.actions.scene import Scene
from bot.events import ContactAdded, ContactDeleted
from bot.wecom import ExternalContact
from workflows import mirror
from workflows.mirror import Find, Shown
from workflows.model import Relation, RelationState, same_user
from workflows.transfers import GIVE_UP_AFTER, PassageState

_TRANSFER = "DELETE_BY_TRANSFER"


@dataclass(frozen=True, slots=True)
class Look:
    """What WeCom shows of a pair. `in_sight`: whether it shows the member's customers at all."""

    userid: str  # in lower case
    external_userid: str
    asked_at: datetime
    contact: ExternalContact | None
    in_sight: bool


def looked(scene: Scene, number: int, look: Look) -> timedelta | None:
    """Act upon what WeCom shows of a doubted pair; return how long to wait before asking again.

    That is when an event has been handled meanwhile, which may know something newer.
    """
    scene.tx.hold(f"customer:{look.external_userid}")
    relation = scene.tx.relations.get(look.userid, look.external_userid)
    if mirror.was_asked_since(relation, look.asked_at):
        return mirror.SLACK
    found = _settle(scene, relation, look)
    scene.tx.readings.settle(number, (look.userid, look.external_userid), found)
    return None


def _settle(scene: Scene, relation: Relation | None, look: Look) -> Find:
    follower = knowing.follower(look.contact, look.userid)
    if follower is not None:
        shown = knowing.shown(look.external_userid, follower)
        watched = scene.tx.mirror.watched([look.userid]).get(look.userid)
        if watched is not None and mirror.is_unjudged(relation, shown, watched.since):
            _add(scene, relation, shown, look)
            return Find.ADD
    elif relation is not None and mirror.is_followed(relation) and look.in_sight:
        _part(scene, relation, look)
        return Find.GONE
    if look.contact is not None:
        knowing.remember(scene, look.contact)
    return Find.NOTHING


def _add(scene: Scene, relation: Relation | None, shown: Shown, look: Look) -> None:
    """Judge an add as if its event had come."""
    added_at = shown.added_at or look.asked_at
    overtaken = relation is not None and relation.seen_at and relation.seen_at > added_at
    who = (shown.userid, shown.external_userid)
    scene.record("add.late", who=who, added_at=added_at.isoformat())
    event = ContactAdded(
        *who,
        created_at=look.asked_at if overtaken else added_at,
        half=relation is not None and relation.state is RelationState.HALF,
        state=shown.channel,
    )
    adding.added(scene, event, look.contact)


def _part(scene: Scene, relation: Relation, look: Look) -> None:
    """Take a relation for ended as if its event had come: WeCom keeps showing a customer who has
    deleted the member, so it was the member or a transfer.
    """
    who = (relation.userid, relation.external_userid)
    source = _TRANSFER if _was_transferred(scene, relation, look) else ""
    scene.record("relation.gone_late", who=who, source=source)
    at = look.asked_at.replace(microsecond=0)  # as exact as WeCom's events are
    parting.deleted(scene, ContactDeleted(*who, at, by_member=True, source=source), look.contact)


def _was_transferred(scene: Scene, relation: Relation, look: Look) -> bool:
    """Whether a transfer of ours has taken the customer to a member who has them now."""
    since = scene.now - GIVE_UP_AFTER - timedelta(days=1)
    return any(
        same_user(passage.userid, relation.userid)
        and passage.state in {PassageState.WAITING, PassageState.DONE}
        and knowing.follower(look.contact, passage.taker) is not None
        for passage in scene.tx.transfers.of_customer(relation.external_userid, since)
    )
