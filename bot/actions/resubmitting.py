"""A request that the rules have overtaken is submitted again with one tap."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot import cards as drawing
from bot import outgoing
from bot.actions import cards
from bot.actions.scene import Scene
from bot.cards import Sheet
from workflows import masking
from workflows.lockout import CHANGE
from workflows.model import Card, CardState, Origin, Request, State


def is_offered(request: Request, text: str) -> bool:
    """Whether a text about a request comes as a card with a button."""
    can = request.origin is Origin.ASKED or request.action == CHANGE
    has_words = request.plan is None or request.action == CHANGE
    return text == "request.stale" and request.state is State.STALE and can and has_words


def offer(scene: Scene, request: Request, people: Iterable[str]) -> None:
    """Send each of these members the card."""
    sheet = _masked(cards.sheet_of(scene, request))
    words = {"id": request.id, "subject": request.subject.name}
    text = scene.theirs(scene.variant("request.stale", request), **words)
    rounds = len(scene.tx.cards.of_request(request.id))
    for round_, userid in enumerate(people, start=rounds):
        task = drawing.task_id(request.id, request.stage, userid, round_)
        card = drawing.again_card(sheet, scene.company, task, text)
        kept = Card(task, request.id, request.stage, userid, CardState.OPEN, again=True)
        scene.tx.cards.add(kept)
        scene.send(outgoing.SendCard(userid, task, card, text), key=f"card:{task}")


def _masked(sheet: Sheet) -> Sheet:
    """Return the sheet as who asks may read it: colleagues who have the customer are masked."""
    names = sheet.followers
    return replace(sheet, followers=tuple(map(masking.mask_name, names)) if names else names)


def done(scene: Scene, request: Request, by: str) -> None:
    """Show on all these cards that somebody has pressed one."""
    shown = drawing.decided_card(
        _masked(cards.sheet_of(scene, request)),
        scene.company,
        scene.company("card.resubmitted"),
        who=scene.person(by).name,
        when=str(scene.theirs.word(scene.now)),
    )
    for card in scene.tx.cards.of_request(request.id):
        if card.again and card.state is CardState.OPEN:
            scene.tx.cards.put(replace(card, state=CardState.CLOSED))
            scene.send(outgoing.UpdateCard(card.userid, card.task_id, shown))
