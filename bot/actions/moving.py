"""Customers on their way to another member: followed until the end is seen, then told.

Every transfer that WeCom has answered is written down here, those that a remedy orders too, since
WeCom counts them all. A remedy tells of itself; what somebody asked for is told from here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot.actions import knowing, leaver_news
from bot.actions.scene import Scene
from bot.wecom import ExternalContact, meaning
from bot.wecom.codes import Kind
from bot.wording import Lines, Words
from workflows.model import Answer, Relation, RelationState, Request, same_user
from workflows.plans import TakeOver, Transfer
from workflows.transfers import (
    GIVE_UP_AFTER,
    WITHIN,
    Passage,
    PassageState,
    Shown,
    looked,
    next_look,
    refused,
    settled,
)

LOOK = "transfer_look"
TELL = "transfer_tell"
_ASSIGNED = 202  # the add_way of a transfer, document 92114
_GATHERED_FOR = timedelta(minutes=10)  # a hundred events must not become a hundred messages
_NAMED = 20  # customers named in one message


def answered(
    scene: Scene, request: Request, both: tuple[str, str], codes: Mapping[str, int]
) -> list[Passage]:
    """Write down WeCom's answer for each customer, and follow what it has taken."""
    giver, taker = both
    passages = [
        Passage(
            request.id,
            external,
            knowing.name_of(scene, external),
            giver,
            taker,
            PassageState.REJECTED if code else PassageState.WAITING,
            scene.now,
            code,
            scene.now if code else None,
            told=bool(code),
        )
        for external, code in codes.items()
    ]
    scene.tx.transfers.put(passages)
    scene.record("transfer.answered", request, codes=dict(codes), giver=giver, taker=taker)
    _look_later(scene, request.id)
    return passages


def ordered_by_remedy(scene: Scene, request_id: str, who: tuple[str, str, str], code: int) -> None:
    """Write down a remedy's transfer: `who` is giver, customer and taker."""
    request = scene.tx.requests.get(request_id)
    if request is not None:
        giver, external, taker = who
        taken = code == 0 or meaning(code).kind is Kind.DONE
        answered(scene, request, (giver, taker), {external: 0 if taken else code})


def _look_later(scene: Scene, request_id: str) -> None:
    due = next_look(scene.tx.transfers.of_request(request_id), scene.now)
    if due is not None:
        scene.remind(LOOK, request_id, due)


# What is seen


def looked_at(
    scene: Scene, request_id: str, shown: Sequence[Shown], contacts: Sequence[ExternalContact]
) -> None:
    """Take over what WeCom showed of a request's transfers, and look again where it is open.

    `contacts` are the customers as WeCom shows them now.
    """
    for contact in contacts:
        knowing.remember(scene, contact)
    now_with = {each.external_userid: each for each in contacts}
    for passage in scene.tx.transfers.of_request(request_id):
        new = looked(passage, shown, scene.now)
        if new is not passage:
            settle(scene, new)
            if new.state is PassageState.DONE:
                _arrived(scene, new, now_with.get(new.external_userid))
    _look_later(scene, request_id)


def gone(scene: Scene, relation: Relation) -> None:
    """The giver's relation was ended by a transfer."""
    for passage in _recent(scene, relation.external_userid):
        if passage.is_open and same_user(passage.userid, relation.userid):
            settle(scene, settled(passage, PassageState.DONE, scene.now))


def failed(scene: Scene, taker: str, external_userid: str, reason: str) -> None:
    """A takeover did not happen: the customer refused, or the taker is full."""
    for passage in _recent(scene, external_userid):
        if passage.is_open and same_user(passage.taker, taker):
            settle(scene, refused(passage, reason, scene.now))


def taken_over(scene: Scene, relation: Relation, contact: ExternalContact | None) -> bool:
    """Whether an add is a customer who was handed over by a request; then it is not judged again.

    Only if WeCom no longer shows the customer with the giver, and the taker did not add them by
    themselves; once the end was seen before, WeCom must say that the customer was assigned.
    """
    by_hand = same_user(relation.oper_userid, relation.userid)
    for passage in _recent(scene, relation.external_userid):
        moving = passage.is_open and not by_hand
        moved = passage.state is PassageState.DONE and relation.add_way == _ASSIGNED
        if not same_user(passage.taker, relation.userid) or not (moving or moved):
            continue
        if knowing.follower(contact, passage.userid) is None:
            scene.tx.relations.put(replace(relation, request_id=passage.request_id))
            who = (relation.userid, relation.external_userid)
            scene.record("add.transferred", who=who, because=passage.request_id)
            settle(scene, settled(passage, PassageState.DONE, scene.now))
            return True
    return False


def _recent(scene: Scene, external_userid: str) -> list[Passage]:
    since = scene.now - GIVE_UP_AFTER - timedelta(days=1)
    return scene.tx.transfers.of_customer(external_userid, since)


def of_late(scene: Scene, external_userid: str) -> list[Passage]:
    """Return a customer's passages that may count towards WeCom's limit."""
    return scene.tx.transfers.of_customer(external_userid, scene.now - WITHIN)


def settle(scene: Scene, passage: Passage) -> None:
    """Write down how a passage has ended, once."""
    if not scene.tx.transfers.settle(passage):
        return
    request = scene.tx.requests.get(passage.request_id)
    who = (passage.userid, passage.external_userid)
    kind = f"transfer.{passage.state.value}"
    scene.record(kind, who=who, because=passage.request_id, taker=passage.taker)
    if request is not None and isinstance(request.plan, Transfer):
        scene.record(kind, request, customer=passage.external_userid, taker=passage.taker)
        _tell_soon(scene, request)
    elif request is not None and isinstance(request.plan, TakeOver):
        leaver_news.settled(scene, request, passage)


def _arrived(scene: Scene, passage: Passage, contact: ExternalContact | None) -> None:
    """Store the new owner where no event has told of it."""
    relations = scene.tx.relations
    knowing.hold(scene, passage.external_userid)
    old = relations.get(passage.userid, passage.external_userid)
    if old and contact and knowing.follower(contact, passage.userid) is None:
        state = RelationState.DELETED_BY_MEMBER
        ended = replace(old, state=state, ended_by="transfer", seen_at=scene.now)
        relations.put(replace(ended, asked_at=scene.now))
    new = relations.get(passage.taker, passage.external_userid)
    if new and contact and knowing.follower(contact, passage.taker) is not None:
        governed = new.request_id or passage.request_id
        relations.put(replace(new, request_id=governed))


# What is told


def _tell_soon(scene: Scene, request: Request) -> None:
    """Tell at once when all has ended, else what has gathered in a while."""
    if any(each.is_open for each in scene.tx.transfers.of_request(request.id)):
        step = _GATHERED_FOR.total_seconds()
        slot = (int(scene.now.timestamp() // step) + 1) * step
        scene.remind(TELL, request.id, datetime.fromtimestamp(slot, UTC))
    else:
        tell(scene, request.id)


def tell(scene: Scene, request_id: str) -> None:
    """Tell requester, both members and who approved how transfers have ended since last time."""
    request = scene.tx.requests.get(request_id)
    passages = scene.tx.transfers.of_request(request_id)
    news = [each for each in passages if not each.is_open and not each.told]
    if request is None or not isinstance(request.plan, Transfer) or not news:
        return
    for each in news:
        scene.tx.transfers.change(replace(each, told=True))
    waiting = sum(each.is_open for each in passages)
    scene.tell(
        scene.directory.active(concerned(request, request.plan)),
        "transfer.seen_more_to_come" if waiting else "transfer.seen",
        id=request.id,
        giver=scene.person(request.plan.of).name,
        taker=scene.person(request.plan.to).name,
        what=Lines(tuple(_line(state, news) for state in _told_states(news))),
        count=waiting,
    )


def concerned(request: Request, plan: Transfer) -> list[str]:
    """Return the userids of the requester, both members, and those who approved; each once."""
    approvers = [vote.by.userid for vote in request.votes if vote.answer is Answer.APPROVE]
    everybody = (request.requester.userid, plan.of, plan.to, *approvers)
    return list({each.lower(): each for each in everybody}.values())


def _told_states(news: Iterable[Passage]) -> list[PassageState]:
    there = {each.state for each in news}
    return [state for state in PassageState if state in there]


def _line(state: PassageState, news: Iterable[Passage]) -> Words:
    names = [each.name for each in news if each.state is state]
    words = {"count": len(names), "names": tuple(names[:_NAMED])}
    return Words(f"transfer.{state.value}", words)
