"""What is told of newcomers in a customer group: to its owner, to whoever invited, to those above.

What happens within a moment is told in one message: a whole crowd may come into a group at once,
and WeCom drops without a word what is more than thirty messages a minute (document 90312).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import timedelta

from bot.actions import reasons
from bot.actions.scene import Scene
from bot.pages import paged
from bot.wording import Words
from workflows import chats
from workflows.chats import JOIN, Chat, News, Outsider
from workflows.model import Request, State, same_user
from workflows.sections import Enforcement

TELL = "chat_tell"
_GATHERED = timedelta(seconds=1)

Case = tuple[Outsider, Request]


def file(scene: Scene, chat_id: str, outsider: Outsider, news: News) -> None:
    """Have something told of an outsider in a moment, together with what else is new there."""
    scene.tx.chats.put_outsider(chat_id, replace(outsider, news=news))
    name = f"{chat_id}|{outsider.external_userid}|{news}"
    scene.remind(TELL, name, scene.now + _GATHERED)


def tell(scene: Scene, name: str) -> None:
    """Tell everybody concerned what is new in a group and has not been told yet."""
    chat_id = name.partition("|")[0]
    scene.tx.hold(f"chat:{chat_id}")
    chat = scene.tx.chats.get(chat_id)
    if chat is None:
        return
    for news, outsiders in chats.untold(scene.tx.chats.outsiders(chat_id)).items():
        found = [(each, scene.tx.requests.get(each.request_id)) for each in outsiders]
        _tell(scene, chat, news, [(each, request) for each, request in found if request])
        for outsider in outsiders:
            scene.tx.chats.put_outsider(chat_id, replace(outsider, news=None))


def left(scene: Scene, chat: Chat, outsider: Outsider, request: Request) -> None:
    """Say that the case of somebody who was to leave is closed."""
    own = _own(request, chat)
    others = _seniors(scene, chat) if outsider.escalated else []
    scene.tell([*own, *_but(others, own)], "chat.left", **_words(scene, chat, outsider, request))


def gone(scene: Scene, chat: Chat, outsider: Outsider, request: Request) -> None:
    """Say that somebody has left of whom it was not decided yet whether they may be there."""
    scene.tell(_own(request, chat), "chat.gone", **_words(scene, chat, outsider, request))


def _tell(scene: Scene, chat: Chat, news: News, cases: Iterable[Case]) -> None:
    concerned: dict[str, tuple[str, list[Case]]] = {}
    for case in cases:
        for userid, key in _audience(scene, chat, news, case[1]).items():
            concerned.setdefault(userid, (key, []))[1].append(case)
    for userid, (key, own) in concerned.items():
        if len(own) == 1:
            scene.tell([userid], key, **_words(scene, chat, *own[0]))
        else:
            _tell_many(scene, chat, userid, key, own)


def _tell_many(scene: Scene, chat: Chat, userid: str, key: str, cases: Sequence[Case]) -> None:
    first = _words(scene, chat, *cases[0])
    lines = [scene.theirs(f"{key}_many", **(first | {"count": len(cases)}))]
    lines += [scene.theirs("chat.row", **_words(scene, chat, *case)) for case in cases]
    for page in paged(lines):
        scene.answer(userid, page)


def _audience(scene: Scene, chat: Chat, news: News, request: Request) -> Mapping[str, str]:
    """Return who hears of it, each with the key of the text for them."""
    own, seniors = _own(request, chat), _seniors(scene, chat)
    wish = scene.book.enforcement.get(JOIN, Enforcement())
    match news:
        case News.PENDING:
            asked = [person.userid for person in request.approvers]  # they have the card
            told, others = own, _but(_named(scene, chat, wish.pending.notify), asked)
        case News.REMOVE:
            told, others = own, [*seniors, *_named(scene, chat, wish.denied.notify)]
        case News.STILL_THERE | News.NOT_SEEN:
            told, others = seniors, []
    heard = dict.fromkeys(told, f"chat.{news}")
    return heard | dict.fromkeys(_but(others, told), f"chat.{news}_told")


def _words(scene: Scene, chat: Chat, outsider: Outsider, request: Request) -> dict[str, object]:
    return {
        "id": request.id,
        "customer": outsider.name or scene.company("customer.unnamed"),
        "chat": chat.name,
        "owner": scene.person(chat.owner).name,
        "why": _why(scene, request),
        "who": tuple(person.name for person in request.approvers),
        "due": request.due_at,
        "by": outsider.leave_by,
    }


def _why(scene: Scene, request: Request) -> object:
    """Return what the rules say, or the words of whoever refused."""
    by_rules = request.state is State.PENDING or request.decided_by.startswith("policy:")
    return reasons.why(scene, request) if by_rules else request.comment or Words("chat.not_agreed")


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
