"""Customer groups change: outsiders who come in are judged, and whoever leaves settles a case."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime

from bot.actions import chat_mirror, chat_notices, deciding, judging, knowing, removing
from bot.actions.scene import Scene
from bot.wecom import ExternalContact
from workflows import chats, facts
from workflows.chats import JOIN, Chat, News, Outsider
from workflows.claims import Claim
from workflows.model import Facts, Origin, Person, Request, State, Subject
from workflows.plans import Joining
from workflows.steps import Refused, Withdraw

LOOK = "chat_look"
AT_ONCE = 50  # newcomers judged in one transaction; the others a moment later
_TOLD_BY_WECOM_OF_CUSTOMERS_ONLY = ("customer.corp_name", "customer.type")


@dataclass(frozen=True, slots=True)
class ChatLook:
    """A group as WeCom shows it, and the newcomers in it as far as WeCom knows them.

    `told` is whom an event named as new. Somebody in it who is no member's customer has None.
    """

    chat: Chat
    outsiders: tuple[Outsider, ...]
    told: Collection[str] = ()
    contacts: Mapping[str, ExternalContact | None] = field(default_factory=dict)


def fresh(
    old: Chat | None,
    before: Iterable[Outsider],
    shown: Iterable[Outsider],
    told: Collection[str],
    since: datetime | None,
) -> tuple[Outsider, ...]:
    """Return whom to judge: who is new in a group, or surely new in one not read before."""
    came = chats.compare(before, shown).came
    return came if old is not None else chats.newcomers(came, told, since)


def changed(scene: Scene, look: ChatLook) -> None:
    """Bring the group up to date, judge who has come and settle who has left."""
    chat = look.chat
    scene.tx.hold(f"chat:{chat.chat_id}")
    old = scene.tx.chats.get(chat.chat_id)
    if old is not None and old.seen_at > chat.seen_at:
        return  # something newer is known
    before = scene.tx.chats.outsiders(chat.chat_id)
    change = chats.compare(before, look.outsiders)
    new = fresh(old, before, look.outsiders, look.told, scene.tx.chats.whole_since())
    scene.tx.chats.put(chat)
    for outsider in change.left:
        _left(scene, chat, outsider)
    judged = new if chat_mirror.judges_joins(scene.policy) else ()
    later = judged[AT_ONCE:]  # not on file yet, so that the next look finds them new
    for outsider in change.came:
        if outsider not in later:
            scene.tx.chats.put_outsider(chat.chat_id, outsider)
    for outsider in judged[:AT_ONCE]:
        _remember(scene, look.contacts.get(outsider.external_userid))
        _judge(scene, chat, outsider, seen=outsider.external_userid in look.contacts)
    if later:
        scene.remind(LOOK, f"{chat.chat_id}|{len(later)}", scene.now)


def dissolved(scene: Scene, chat_id: str) -> None:
    """Forget a group that is no more; whoever was in it has left."""
    scene.tx.hold(f"chat:{chat_id}")
    chat = scene.tx.chats.get(chat_id)
    if chat is None:
        return
    for outsider in scene.tx.chats.outsiders(chat_id):
        _left(scene, chat, outsider)
    scene.tx.chats.drop(chat_id)
    scene.record("chat.dissolved", chat=chat_id)


def vanished(scene: Scene, chat_id: str) -> None:
    """Forget a group that WeCom does not show any more; nobody was seen to leave it.

    Whoever waits for a decision or is to be removed stays on file, until a human is told.
    """
    scene.tx.hold(f"chat:{chat_id}")
    outsiders = scene.tx.chats.outsiders(chat_id)
    settled = [each for each in outsiders if not _is_open(scene, each)]
    for outsider in settled:
        scene.tx.chats.drop_outsider(chat_id, outsider.external_userid)
    if len(settled) == len(outsiders):
        scene.tx.chats.drop(chat_id)


def _is_open(scene: Scene, outsider: Outsider) -> bool:
    request = scene.tx.requests.get(outsider.request_id) if outsider.request_id else None
    waits = request is not None and request.state is State.PENDING
    return waits or outsider.leave_by is not None


def judge_again(scene: Scene, request_id: str) -> None:
    """Judge somebody anew whose request became stale, if they are still in the group."""
    stale = scene.tx.requests.get(request_id)
    if stale is None or not isinstance(stale.plan, Joining):
        return
    scene.tx.hold(f"chat:{stale.plan.chat_id}")
    chat = scene.tx.chats.get(stale.plan.chat_id)
    outsider = scene.tx.chats.outsider(stale.plan.chat_id, stale.plan.external_userid)
    if chat is not None and outsider is not None and outsider.request_id == stale.id:
        _judge(scene, chat, outsider, seen=True)


def _left(scene: Scene, chat: Chat, outsider: Outsider) -> None:
    scene.tx.chats.drop_outsider(chat.chat_id, outsider.external_userid)
    removing.left(scene, chat, outsider)
    request = scene.tx.requests.get(outsider.request_id) if outsider.request_id else None
    if request is not None and request.state is State.PENDING:
        with suppress(Refused):  # decided this very moment
            deciding.advance(scene, request, Withdraw("system:left_chat"))
            if outsider.news is not News.PENDING:  # else nobody has heard of it yet
                chat_notices.gone(scene, chat, outsider, request)


def _remember(scene: Scene, contact: ExternalContact | None) -> None:
    if contact is not None:
        knowing.remember(scene, contact)


def _judge(scene: Scene, chat: Chat, outsider: Outsider, *, seen: bool) -> None:
    """Judge a newcomer; `seen` says whether WeCom was asked about them."""
    requester = _requester(scene, chat, outsider)
    known = _facts(scene, requester, outsider, seen=seen)
    draft = Request(
        id=scene.new_id(),
        action=JOIN,
        origin=Origin.OBSERVED,
        requester=requester,
        subject=_subject(scene, chat, outsider),
        claim=Claim(),
        facts=known,
        verdict=judging.judge(scene, known, JOIN),
        created_at=scene.now,
        plan=Joining(chat.chat_id, outsider.external_userid, outsider.by_code),
    )
    earlier = scene.tx.requests.open_by_key(draft.key)
    request = earlier or deciding.open_request(scene, draft)
    now = scene.tx.chats.outsider(chat.chat_id, outsider.external_userid) or outsider
    now = replace(now, request_id=request.id)
    if earlier is None and request.state is State.PENDING:
        chat_notices.file(scene, chat.chat_id, now, News.PENDING)
    else:
        scene.tx.chats.put_outsider(chat.chat_id, now)


def _requester(scene: Scene, chat: Chat, outsider: Outsider) -> Person:
    """Return the member who invited, or else the group's owner."""
    inviting = scene.directory.active((outsider.invited_by,)) if outsider.invited_by else ()
    return scene.person(inviting[0] if inviting else chat.owner)


def _subject(scene: Scene, chat: Chat, outsider: Outsider) -> Subject:
    external = outsider.external_userid
    name = outsider.name or scene.company("customer.unnamed")
    shown = scene.company("chat.subject", customer=name, chat=chat.name)
    return Subject(f"{chat.chat_id}:{external}", shown, external)


def _facts(scene: Scene, requester: Person, outsider: Outsider, *, seen: bool) -> Facts:
    """Return what is known of a newcomer as the requester meets them.

    Who is no member's customer has no tags and no owners, which is known. For whom they work, WeCom
    tells of customers only: that is not known.
    """
    external = outsider.external_userid
    own: Facts = {"customer.external_userid": external, "contact.planned": False}
    named: Facts = {"customer.name": outsider.name} if outsider.name else {}
    typed = facts.of_claim(Claim())  # nobody has said anything, which is known
    known = {**judging.acting(scene, requester.userid), **typed, **named, **own}
    if not seen:
        return known
    about = judging.about(scene, requester.userid, external)
    if scene.tx.relations.customer(external) is None:
        hidden = _TOLD_BY_WECOM_OF_CUSTOMERS_ONLY
        about = {name: value for name, value in about.items() if name not in hidden}
        about = {**about, **chat_mirror.facts_of_outsider(scene, external)}
    return {**known, **about}
