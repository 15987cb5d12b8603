"""Presses on approval cards. Every recipient of a card can press, at any time, and twice."""

from __future__ import annotations

from dataclasses import replace

from bot import cards as drawing
from bot.actions import cards, conversation, owner_asks, queries, resubmitting, voting
from bot.actions.scene import Scene
from bot.cards import Choice, Press
from bot.command_types import Waive
from bot.events import CardPressed
from workflows.model import Card, CardState, Request, State
from workflows.steps import Refused


def press(scene: Scene, event: CardPressed) -> None:
    """Take a press as the vote of whoever pressed; a refused one is answered with the truth."""
    if owner_asks.press(scene, event):
        return
    wanted = Press.unpack(event.key)
    card = scene.tx.cards.get(event.task_id)
    if wanted is None or card is None or card.request_id != wanted.request_id:
        scene.tell([event.userid], "refused.unknown_card")
        return
    # The newest code can still update the card when the one from sending has been used.
    card = replace(card, response_code=event.response_code or card.response_code)
    scene.tx.cards.put(card)
    request = voting.find(scene, card.request_id)
    try:
        _choose(scene, event, wanted, request)
    except Refused as refused:
        scene.tell_as_core([event.userid], f"refused.{refused.key}", refused.params)
        _set_right(scene, card)


def _choose(scene: Scene, event: CardPressed, wanted: Press, request: Request) -> None:
    if wanted.choice is Choice.MORE:
        if not queries.concerns(scene, event.userid, request):
            raise Refused("not_for_you")  # somebody who had to decide once has no say any more
        sheet = cards.asking_sheet(scene, request)
        scene.answer(event.userid, drawing.details_text(sheet, scene.texts))
        return
    if wanted.choice is Choice.AGAIN:
        _again(scene, event, request)
        return
    if request.state is State.PENDING and wanted.stage != request.stage:
        raise Refused("stage_over", id=request.id)
    option = next(iter(event.selected.get(drawing.REASON_QUESTION, ())), "")
    reason = drawing.reason_chosen(option, scene.book.chain_defaults.reasons)
    if wanted.choice is Choice.APPROVE:
        voting.approve(scene, event.userid, request.id, via="card")
    elif wanted.choice is Choice.WAIVE:
        voting.waive(scene, event.userid, Waive(request.id), via="card")
    else:
        voting.deny(scene, event.userid, request.id, comment=reason, via="card")


def _again(scene: Scene, event: CardPressed, request: Request) -> None:
    """Submit a request again, once however often and by however many it is pressed."""
    card = scene.tx.cards.get(event.task_id)
    if card is None or not card.again or card.state is not CardState.OPEN:
        raise Refused("resubmitted_already", id=request.id)
    voting.resubmit(scene, event.userid, request.id)
    scene.record("request.resubmitted", request)
    resubmitting.done(scene, request, event.userid)


def _set_right(scene: Scene, card: Card) -> None:
    """Show how things stand on a card that still looked open."""
    if card.again:
        return
    request = voting.find(scene, card.request_id)
    if request.state is not State.PENDING or card.stage != request.stage:
        cards.show_outcome(scene, request, card)


def menu(scene: Scene, userid: str, key: str) -> None:
    """Answer a click on the app's menu."""
    command = conversation.MENU.get(key)
    if command is not None:
        conversation.obey(scene, userid, command)
