"""An outsider who may not be in a customer group: the owner is asked, and the end must be seen.

No API of WeCom takes anybody out of a group (document 92122), so this is all there is to do.
"""

from __future__ import annotations

from collections.abc import Iterable

from bot.actions import reasons
from bot.actions.scene import Scene
from bot.wording import Words
from workflows import chats
from workflows.chats import JOIN, Chat, Outsider
from workflows.model import Request, State, same_user
from workflows.plans import Joining
from workflows.schedules import parse_duration
from workflows.sections import Enforcement
from workflows.steps import Executed

CHECK = "chat_check"
JUDGE_AGAIN = "chat_judge_again"


def let_stay(scene: Scene, plan: Joining) -> Executed:
    """Note that somebody is allowed in their group."""
    outsider = scene.tx.chats.outsider(plan.chat_id, plan.external_userid)
    if outsider is not None and outsider.leave_by is not None:
        scene.tx.chats.put_outsider(plan.chat_id, chats.may_stay(outsider))
    return Executed()


def tell_pending(scene: Scene, request: Request, chat: Chat) -> None:
    """Tell the owner, whoever invited, and whom the rules name that a newcomer waits."""
    wish = _enforcement(scene).pending
    words = _words(scene, request, chat)
    who = tuple(person.name for person in request.approvers)
    own = _own(request, chat)
    scene.tell(own, "chat.pending", who=who, due=request.due_at, **words)
    asked = {person.userid.lower() for person in request.approvers}
    named = _named(scene, chat, wish.notify)
    others = [each for each in named if each.lower() not in asked]  # they have the card
    scene.tell(_but(others, own), "chat.pending_told", **words)


def ask(scene: Scene, request: Request, plan: Joining) -> None:
    """Ask the owner to remove somebody, unless they have left, and tell those above."""
    chat = scene.tx.chats.get(plan.chat_id)
    outsider = scene.tx.chats.outsider(plan.chat_id, plan.external_userid)
    if chat is None or outsider is None:
        return
    wish = _enforcement(scene).denied
    due = scene.now + parse_duration(wish.within)
    scene.tx.chats.put_outsider(plan.chat_id, chats.must_leave(outsider, request.id, due))
    scene.remind(CHECK, f"{plan.chat_id}|{plan.external_userid}", due)
    scene.record("chat.removal_asked", request, chat=plan.chat_id, until=due.isoformat())
    words = _words(scene, request, chat) | {"by": due}
    own = _own(request, chat)
    scene.tell(own, "chat.remove", **words)
    others = [*_seniors(scene, chat), *_named(scene, chat, wish.notify)]
    scene.tell(_but(others, own), "chat.remove_told", **words)


def left(scene: Scene, chat: Chat, outsider: Outsider) -> None:
    """Close the case of somebody who was to leave and is seen to have left."""
    request = scene.tx.requests.get(outsider.request_id) if outsider.request_id else None
    if request is None or outsider.leave_by is None:
        return
    scene.record("chat.removal_seen", request, chat=chat.chat_id)
    own = _own(request, chat)
    others = _seniors(scene, chat) if outsider.escalated else []
    scene.tell([*own, *_but(others, own)], "chat.left", **_words(scene, request, chat))


def overdue(scene: Scene, chat_id: str, external_userid: str, why: str = "still_there") -> None:
    """Tell those above, once, that somebody is still in a group after the time for it.

    `why` is 'still_there', or 'not_seen' where WeCom does not show the group.
    """
    chat = scene.tx.chats.get(chat_id)
    outsider = scene.tx.chats.outsider(chat_id, external_userid)
    if chat is None or outsider is None or not chats.is_overdue(outsider, scene.now):
        return
    request = scene.tx.requests.get(outsider.request_id)
    if request is None:
        return
    scene.tx.chats.put_outsider(chat_id, chats.escalated(outsider))
    scene.record("chat.escalated", request, chat=chat_id, because=why)
    words = _words(scene, request, chat)
    scene.tell(_seniors(scene, chat), f"chat.escalated_{why}", **words)


def tell_gone(scene: Scene, request: Request, chat: Chat) -> None:
    """Say that somebody has left of whom it was not decided yet whether they may be there."""
    scene.tell(_own(request, chat), "chat.gone", **_words(scene, request, chat))


def _words(scene: Scene, request: Request, chat: Chat) -> dict[str, object]:
    return {
        "id": request.id,
        "customer": _name(scene, request),
        "chat": chat.name,
        "owner": scene.person(chat.owner).name,
        "why": _why(scene, request),
    }


def _why(scene: Scene, request: Request) -> object:
    """Return what the rules say, or the words of whoever refused."""
    by_rules = request.state is State.PENDING or request.decided_by.startswith("policy:")
    return reasons.why(scene, request) if by_rules else request.comment or Words("chat.not_agreed")


def _name(scene: Scene, request: Request) -> str:
    """Return the outsider's own name, without that of the group."""
    return str(request.facts.get("customer.name", "")) or scene.company("customer.unnamed")


def _own(request: Request, chat: Chat) -> list[str]:
    """Return the owner, who alone can remove somebody, and the member who invited."""
    inviter = request.requester.userid
    return [chat.owner] if same_user(chat.owner, inviter) else [chat.owner, inviter]


def _seniors(scene: Scene, chat: Chat) -> list[str]:
    """Return the owner's supervisors, then the admins."""
    return [*scene.directory.manager_of(chat.owner), *scene.standing.admins]


def _named(scene: Scene, chat: Chat, selectors: Iterable[str]) -> list[str]:
    found: list[str] = []
    for selector in selectors:
        if selector == "approvers":
            found += scene.directory.manager_of(chat.owner)
        elif ":" in selector:
            found += sorted(scene.named(selector))
    return found


def _but(people: Iterable[str], others: Iterable[str]) -> list[str]:
    told = {each.lower() for each in others}
    return [each for each in people if each.lower() not in told]


def _enforcement(scene: Scene) -> Enforcement:
    return scene.book.enforcement.get(JOIN, Enforcement())
