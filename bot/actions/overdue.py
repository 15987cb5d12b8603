"""What the clock does with requests, cards and absences whose time has come."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

from bot.actions import cards, deciding, digesting, timers
from bot.actions.scene import Scene
from workflows.model import CardState, Person, State, same_user
from workflows.steps import Escalate, Refused, Remind
from workflows.voting import waiting_for

KINDS = timers.KINDS | {digesting.DIGEST, cards.RENEW}


def call(scene: Scene, kind: str, name: str) -> timedelta | None:
    """Do what a timer is for; return how long it still has to wait if it is too early.

    A timer that is not wanted any more does nothing.
    """
    if kind == digesting.DIGEST:
        if (pause := digesting.wait(scene)) is None:
            digesting.tell(scene, name)
        return pause
    if kind == cards.RENEW:
        _renew(scene, name)
        return None
    found = timers.wanted(scene, kind, name)
    if found is None:
        return None
    request, how = found
    if pause := timers.wait(scene, kind, request, how):
        return pause
    with suppress(Refused):  # decided this very moment
        deciding.advance(scene, request, Remind(how) if kind == timers.REMIND else Escalate(how))
    return None


def _renew(scene: Scene, task_id: str) -> None:
    """Replace a card that WeCom will not let us update much longer, if it is still waited for."""
    card = scene.tx.cards.get(task_id)
    request = scene.tx.requests.get(card.request_id) if card else None
    if card is None or request is None or card.state is not CardState.OPEN:
        return
    if request.state is not State.PENDING or card.stage != request.stage:
        return
    waiting = [p for p in waiting_for(request) if same_user(p.userid, card.userid)]
    if waiting:
        cards.renew(scene, request, card, Person(card.userid, waiting[0].name))
