"""A member asks the colleague who has a customer to share or hand over, or to give way; the answer.

A yes to handing over starts the owner's own transfer, by the rules and approvals of transfers. A
yes to giving way takes the report back that came first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import assert_never

from bot import conflict_cards, outgoing
from bot.actions import deciding, disputes, transferring, voting
from bot.actions.conflicts import Conflict
from bot.actions.scene import Scene
from bot.command_types import AnswerOwner, AskOwner
from bot.conflict_cards import Face
from bot.events import CardPressed
from workflows.model import CardState, RelationState, Request, State, same_user
from workflows.owners import ASK_EVERY, Question, QuestionState, Wish
from workflows.steps import Refused

# Pressed


def press(scene: Scene, event: CardPressed) -> bool:
    """Take a press on a card about a conflict; False if the card is another one."""
    wanted = conflict_cards.pressed(event.key)
    if wanted is None:
        return False
    card = scene.tx.cards.get(event.task_id)
    row = disputes.card_row(wanted.request_id)
    if card is None or card.request_id != row or not same_user(card.userid, event.userid):
        scene.tell([event.userid], "refused.unknown_card")
        return True
    scene.tx.cards.put(replace(card, response_code=event.response_code or card.response_code))
    try:
        if wanted.answer is None:
            ask(scene, event.userid, wanted.request_id, wanted.wish)
        else:
            answer(scene, event.userid, wanted.request_id, yes=wanted.answer)
    except Refused as refused:
        scene.tell_as_core([event.userid], f"refused.{refused.key}", refused.params)
    return True


def obey(scene: Scene, userid: str, command: AskOwner | AnswerOwner) -> None:
    """Carry out a command. Raises Refused."""
    match command:
        case AskOwner(id, wish):
            ask(scene, userid, id, Wish(wish) if wish else None)
        case AnswerOwner(id, yes):
            answer(scene, userid, id, yes=yes)
        case _:
            assert_never(command)


# Asked


def ask(scene: Scene, userid: str, request_id: str, wish: Wish | None) -> None:
    """Ask the colleague whom a member's request conflicts with, at most every four hours.

    Without a wish it is the mildest that makes sense. Raises Refused.
    """
    request = deciding.find(scene, request_id)
    if not same_user(request.requester.userid, userid):
        raise Refused("not_yours", id=request.id)
    if request.action != disputes.ADD:
        raise Refused("not_about_adding", id=request.id)
    question = _question(scene, request, disputes.of_request(scene, request), wish)
    earlier = scene.tx.owners.get(request.id, question.userid)
    if earlier is not None:
        _expect_due(scene, earlier, question)
    scene.tx.owners.put(question)
    scene.record("owner.asked", request, owner=question.userid, wish=question.wish.value)
    _send(scene, request, question)
    who = disputes.masked(scene, question.userid)
    scene.tell([userid], "owner.asks", who=who, id=request.id)


def _question(scene: Scene, request: Request, conflict: Conflict, wish: Wish | None) -> Question:
    possible = disputes.wishes_in(conflict)
    chosen = wish if wish in possible else next(iter(possible), None)
    active = [each for each in conflict.owners if scene.directory.active([each.userid])]
    friends = [each for each in active if each.state is RelationState.ADDED] or active
    match chosen:
        case Wish.SHARE | Wish.HAND_OVER if friends:
            to, external, reported = friends[0].userid, friends[0].external_userid, ""
        case Wish.YIELD if conflict.first:
            reported = conflict.first.request.id
            to, external = conflict.first.request.requester.userid, ""
        case _:
            raise Refused("nobody_to_ask", id=request.id)
    is_open = QuestionState.OPEN
    return Question(request.id, to, external, chosen, is_open, scene.now, reported)


def _expect_due(scene: Scene, earlier: Question, question: Question) -> None:
    """Raise Refused unless it may be asked now: not twice after an answer, nor twice at once."""
    if earlier.state is not QuestionState.OPEN and earlier.wish is question.wish:
        raise Refused("owner_answered", id=earlier.request_id)
    if scene.now < earlier.asked_at + ASK_EVERY:
        when = earlier.asked_at + ASK_EVERY
        raise Refused("asked_owner_already", id=earlier.request_id, when=when)


def _send(scene: Scene, request: Request, question: Question) -> None:
    face = _face(scene, request, question)
    buttons = [
        (scene.company(f"owner.{word}"), conflict_cards.answer_key(request.id, word))
        for word in (conflict_cards.YES, conflict_cards.NO)
    ]
    task = disputes.put_card(scene, request, question.userid)
    how = scene.company("owner.answer_hint", id=request.id)
    card = conflict_cards.card(face, buttons, task)
    said = conflict_cards.text(face, how)
    scene.send(outgoing.SendCard(question.userid, task, card, said), key=f"card:{task}")


def _face(scene: Scene, request: Request, question: Question) -> Face:
    say = scene.theirs
    title = "owner.title_yield" if question.wish is Wish.YIELD else "owner.title"
    customer = _called(scene, request, question)
    rows = {
        "asker": disputes.full(scene, request.requester.userid),
        "wish": say(f"owner.wish.{question.wish}"),
    }
    return Face(
        source=say("owner.source"),
        title=say(title, asker=request.requester.name, customer=customer),
        about=say("owner.about", id=request.id),
        rows=[(say(f"owner.key.{key}"), value) for key, value in rows.items()],
        quote=(say("owner.quote"), request.claim.reason),
        profile=request.requester.userid,
    )


def _called(scene: Scene, request: Request, question: Question) -> str:
    """Return the customer as who is asked knows them."""
    if question.reported:
        report = scene.tx.requests.get(question.reported)
        return report.subject.name if report else request.subject.name
    customer = scene.tx.relations.customer(question.external_userid)
    return customer.name if customer and customer.name else request.subject.name


# Answered


def answer(scene: Scene, userid: str, request_id: str, *, yes: bool) -> None:
    """Take the answer of who is asked, once. Raises Refused."""
    request = deciding.find(scene, request_id)
    scene.tx.hold(f"question:{request.id}")
    question = scene.tx.owners.get(request.id, userid)
    if question is None or question.state is not QuestionState.OPEN:
        raise Refused("owner_not_asked", id=request.id)
    if request.state is State.WITHDRAWN:  # nobody is given what they do not want any more
        raise Refused("owner_not_wanted", id=request.id, asker=request.requester.name)
    if not yes:
        _no(scene, request, question)
    elif not _YES[question.wish](scene, request, question):
        return  # why not was told; it may be answered again
    state = QuestionState.YES if yes else QuestionState.NO
    scene.tx.owners.move(question, replace(question, state=state))
    scene.record(f"owner.{state}", request, owner=userid, wish=question.wish.value)
    _close(scene, request, question, conflict_cards.YES if yes else conflict_cards.NO)


def _no(scene: Scene, request: Request, question: Question) -> None:
    asker = request.requester
    who = disputes.masked(scene, question.userid)
    words = {"id": request.id, "customer": request.subject.name}
    scene.tell([asker.userid], "owner.said_no", who=who, **words)
    scene.tell([question.userid], "owner.noted_no", asker=asker.name)


def _share(scene: Scene, request: Request, question: Question) -> bool:
    called = _called(scene, request, question)
    _tell_asker(scene, request, question, "owner.said_yes_share")
    asker = request.requester.name
    scene.tell([question.userid], "owner.share_now", customer=called, asker=asker)
    return True


def _hand_over(scene: Scene, request: Request, question: Question) -> bool:
    owner = scene.person(question.userid)
    relation = scene.tx.relations.get(owner.userid, question.external_userid)
    if relation is None or relation.state is not RelationState.ADDED:
        raise Refused("not_your_customer_now", customer=_called(scene, request, question))
    asker = request.requester
    words = {"asker": asker.name, "owner": owner.name, "id": request.id}
    reason = scene.company("owner.reason", **words)
    filed = transferring.hand_over(scene, relation, asker.userid, reason)
    if filed is None:
        return False
    key = "denied" if filed.state is State.DENIED else "transfer"
    _tell_asker(scene, request, question, f"owner.said_yes_{key}")
    return True


def _yield(scene: Scene, request: Request, question: Question) -> bool:
    voting.withdraw(scene, question.userid, question.reported)
    gone = request.state.is_final and not request.state.is_allowed
    key = "owner.said_yes_yield_again" if gone else "owner.said_yes_yield"
    _tell_asker(scene, request, question, key)
    called, asker = _called(scene, request, question), request.requester.name
    scene.tell([question.userid], "owner.yielded", customer=called, asker=asker)
    return True


_YES: Mapping[Wish, Callable[[Scene, Request, Question], bool]] = {
    Wish.SHARE: _share,
    Wish.HAND_OVER: _hand_over,
    Wish.YIELD: _yield,
}


def _tell_asker(scene: Scene, request: Request, question: Question, key: str) -> None:
    owner = scene.person(question.userid).name
    words = {"id": request.id, "customer": request.subject.name, "owner": owner}
    scene.tell([request.requester.userid], key, **words)


def _close(scene: Scene, request: Request, question: Question, word: str) -> None:
    """Take the buttons off the cards by which this was asked."""
    face = _face(scene, request, question)
    chosen = scene.company(f"owner.{word}")
    said = scene.theirs("owner.decided", answer=chosen, when=scene.now)
    button = (chosen, conflict_cards.answer_key(request.id, word))
    shown = conflict_cards.card(replace(face, said=said), [button])
    for card in scene.tx.cards.of_request(disputes.card_row(request.id)):
        if card.state is CardState.OPEN and same_user(card.userid, question.userid):
            scene.tx.cards.put(replace(card, state=CardState.CLOSED))
            scene.send(outgoing.UpdateCard(card.userid, card.task_id, shown))
