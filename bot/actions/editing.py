"""A member edited a customer's remark, phones or tags by hand, as WeCom reports it."""

from __future__ import annotations

from bot import outgoing
from bot.actions import judging, knowing, observing
from bot.actions.performing import EDIT
from bot.actions.scene import Scene
from bot.events import ContactEdited
from bot.outgoing import MarkRelation
from bot.wecom import ExternalContact
from storage.work import Queue
from workflows import editing, facts
from workflows.editing import Change, Order
from workflows.model import Facts, Relation


def edited(scene: Scene, event: ContactEdited, contact: ExternalContact | None) -> None:
    """Take note of an edit, and judge it where the rules say so; never what we did ourselves."""
    knowing.hold(scene, event.external_userid)
    who = (event.userid, event.external_userid)
    before = scene.tx.relations.get(*who)
    judged = observing.is_judged(scene, EDIT)
    known = _facts(scene, who, before) if judged else {}
    if contact is not None:
        knowing.remember(scene, contact)
    now = scene.tx.relations.get(*who)
    if knowing.follower(contact, event.userid) is None or now is None:
        scene.record("relation.edited", actor=f"user:{event.userid}", who=who)
        return
    change = editing.change(before, now, _ordered(scene, who)) if before else None
    words = change.words if change else ()
    scene.record("relation.edited", actor=f"user:{event.userid}", who=who, changed=list(words))
    if judged and (change is not None or before is None):
        observing.judge(scene, EDIT, who, _by_tag(known, change))


def _ordered(scene: Scene, who: tuple[str, str]) -> list[Order]:
    """Return what we have told WeCom to change and do not yet know to be done."""
    rows = scene.tx.work.open_in(Queue.OUTBOX, outgoing.lane_of(*who))
    marks = [mark for row in rows if isinstance(mark := outgoing.read(row), MarkRelation)]
    return [
        Order(frozenset(mark.add_tags) | frozenset(mark.remove_tags), mark.remark is not None)
        for mark in marks
    ]


def _facts(scene: Scene, who: tuple[str, str], before: Relation | None) -> Facts:
    """Return the facts as they were before the edit: taking a VIP's tag off is done to a VIP.

    Of a relation that nobody has told us of, what was there before stays unknown.
    """
    known = {**judging.acting(scene, who[0]), **facts.of_wish()}
    if before is None:
        known = {name: value for name, value in known.items() if name != "request.tag"}
        return {**known, "contact.planned": False}
    customer = judging.about(scene, *who)
    return {**known, **customer, **facts.of_contact(before, scene.directory)}


def _by_tag(known: Facts, change: Change | None) -> list[Facts]:
    """Return the facts for each tag that was put on or taken off; as they are for other edits."""
    tags = change.tags if change else ()
    return [{**known, "request.tag": tag} for tag in tags] or [known]
