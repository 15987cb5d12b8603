"""Writes down what WeCom says of a customer and of those who follow them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from types import MappingProxyType

from bot.actions.scene import Scene
from bot.outgoing import MarkRelation
from bot.wecom import ExternalContact, FollowUser
from bot.worker import Postpone
from workflows import masking, mirror
from workflows.mirror import Shown
from workflows.model import Customer, Relation, same_user

_CORP_TAG = 1
_WECOM_USER = 2


def remember(scene: Scene, contact: ExternalContact) -> None:
    """Bring the customer and every relation WeCom shows up to date.

    What WeCom cannot know (containment, the governing request) is kept. Raises Postpone where an
    answer may be from before our own tag or remark: without them, putting them on would look like
    the member's doing later.
    """
    tx = scene.tx
    hold(scene, contact.external_userid)
    tx.relations.put_customer(customer(contact))
    for follower in contact.follow_user:
        old = tx.relations.get(follower.userid, contact.external_userid)
        if old and old.marked_at and contact.asked_at and contact.asked_at < old.marked_at:
            raise Postpone(timedelta())
        new = mirror.brought_up_to_date(old, shown(contact.external_userid, follower))
        tx.relations.put(replace(new, asked_at=scene.now))


def hold(scene: Scene, external_userid: str) -> None:
    """Let nobody else change the customer's relations until this step is committed.

    A relation is read, changed and written back whole: of two steps at once, on two nodes or two
    connections, the later one would undo the earlier.
    """
    scene.tx.hold(f"customer:{external_userid}")


def relation(scene: Scene, userid: str, external_userid: str) -> Relation | None:
    """Return what the two are to each other, to be changed by this step alone."""
    hold(scene, external_userid)
    return scene.tx.relations.get(userid, external_userid)


def follower(contact: ExternalContact | None, userid: str) -> FollowUser | None:
    """Return what `userid` has with the customer, or None if they follow them no longer."""
    followers = contact.follow_user if contact else ()
    return next((each for each in followers if same_user(each.userid, userid)), None)


def name_of(scene: Scene, external_userid: str) -> str:
    """Return a customer's own name, in the words for those who have none."""
    customer = scene.tx.relations.customer(external_userid)
    return (customer.name if customer else "") or scene.company("customer.unnamed")


def marked(scene: Scene, mark: MarkRelation) -> None:
    """Write down that tags and remark of a relation are as we have ordered them."""
    known = relation(scene, mark.userid, mark.external_userid)
    if known is None:
        return
    tags = (known.tags | set(mark.add_tags)) - set(mark.remove_tags)
    remark = known.remark if mark.remark is None else mark.remark
    new = replace(known, tags=tags, remark=remark, asked_at=scene.now, marked_at=scene.now)
    scene.tx.relations.put(new)


def customer(contact: ExternalContact) -> Customer:
    """Return the customer in our words."""
    return Customer(
        external_userid=contact.external_userid,
        name=contact.name,
        type="wecom" if contact.type == _WECOM_USER else "wechat",
        corp_name=contact.corp_full_name or contact.corp_name,
        unionid=contact.unionid,
    )


def shown(
    external_userid: str, seen: FollowUser, names: Mapping[str, str] = MappingProxyType({})
) -> Shown:
    """Return what WeCom shows of a follower in our words.

    Pages of many customers tell tags by their ids only: `names` are those of the corp tags, and
    ids of other tags are left out.
    """
    tags = {tag.tag_name for tag in seen.tags if tag.type == _CORP_TAG}
    tags.update(names[each] for each in seen.tag_id if each in names)
    return Shown(
        userid=seen.userid,
        external_userid=external_userid,
        added_at=datetime.fromtimestamp(seen.createtime, UTC) if seen.createtime else None,
        add_way=seen.add_way,
        oper_userid=seen.oper_userid,
        channel=seen.state,
        remark=seen.remark,
        company=seen.remark_corp_name,
        phones=tuple(masking.phone_digits(each) for each in seen.remark_mobiles),
        tags=frozenset(tags),
    )
