"""An outsider who may not be in a customer group: the owner is asked, and the end must be seen.

No API of WeCom takes anybody out of a group (document 92122), so this is all there is to do.
"""

from __future__ import annotations

from bot.actions import chat_notices
from bot.actions.scene import Scene
from workflows import chats
from workflows.chats import JOIN, Chat, News, Outsider
from workflows.model import Request
from workflows.plans import Joining
from workflows.schedules import parse_duration
from workflows.sections import Enforcement
from workflows.steps import Executed

CHECK = "chat_check"
JUDGE_AGAIN = "chat_judge_again"


def let_stay(scene: Scene, plan: Joining) -> Executed:
    """Note that somebody is allowed in their group."""
    outsider = scene.tx.chats.outsider(plan.chat_id, plan.external_userid)
    if outsider is not None:
        scene.tx.chats.put_outsider(plan.chat_id, chats.may_stay(outsider))
    return Executed()


def ask(scene: Scene, request: Request, plan: Joining) -> None:
    """Have the owner asked to remove somebody, unless they have left, and those above told."""
    outsider = scene.tx.chats.outsider(plan.chat_id, plan.external_userid)
    if outsider is None:
        return
    wish = scene.book.enforcement.get(JOIN, Enforcement()).denied
    due = scene.now + parse_duration(wish.within)
    asked = chats.must_leave(outsider, request.id, due)
    chat_notices.file(scene, plan.chat_id, asked, News.REMOVE)
    scene.remind(CHECK, f"{plan.chat_id}|{plan.external_userid}", due)
    scene.record("chat.removal_asked", request, chat=plan.chat_id, until=due.isoformat())


def left(scene: Scene, chat: Chat, outsider: Outsider) -> None:
    """Close the case of somebody who was to leave and is seen to have left."""
    request = scene.tx.requests.get(outsider.request_id) if outsider.request_id else None
    if request is None or outsider.leave_by is None:
        return
    scene.record("chat.removal_seen", request, chat=chat.chat_id)
    if outsider.news is not News.REMOVE:  # else nobody has heard of the case yet
        chat_notices.left(scene, chat, outsider, request)


def overdue(scene: Scene, chat_id: str, external_userid: str, news: News) -> None:
    """Have those above told, once, that somebody is still in a group after the time for it."""
    outsider = scene.tx.chats.outsider(chat_id, external_userid)
    if outsider is None or not chats.is_overdue(outsider, scene.now):
        return
    request = scene.tx.requests.get(outsider.request_id)
    chat_notices.file(scene, chat_id, chats.escalated(outsider), news)
    scene.record("chat.escalated", request, chat=chat_id, because=news.value)
