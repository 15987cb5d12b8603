"""Whether something under a userid is of a former member, and so nothing of who has it now."""

from __future__ import annotations

from datetime import datetime

from bot.actions.scene import Scene
from workflows import leaving
from workflows.model import Relation, Request, same_user


def is_formers(scene: Scene, userid: str, at: datetime) -> bool:
    """Whether what was done under a userid then was done by somebody who has left since.

    Who was only out of the app's sight for a while comes back under the same name, and WeCom has
    never shown their customers as without a member: that is the same person.
    """
    left = scene.tx.leavers.latest(userid)
    if left is None or at > left.left_at:
        return False
    member = scene.directory.member(userid)
    return left.shown or member is None or member.name != left.person.name


def is_own(scene: Scene, userid: str, request: Request) -> bool:
    """Whether a member made a request themselves."""
    mine = same_user(request.requester.userid, userid)
    return mine and not is_formers(scene, userid, request.created_at)


def as_it_is(scene: Scene, relation: Relation) -> Relation:
    """Return a relation as ended if its member has left and that is not written down yet.

    Who is not in the directory and has not left may only be out of the app's sight.
    """
    if scene.directory.member(relation.userid) is not None:
        return relation
    leaver = scene.tx.leavers.latest(relation.userid)
    return relation if leaver is None else leaving.ended(relation, leaver.left_at)
