"""The one message a new customer gets within 20 seconds: neutral until the add is allowed."""

from __future__ import annotations

from bot import outgoing
from bot.actions.scene import Scene
from bot.events import ContactAdded
from workflows.model import State
from workflows.sections import Welcome


def greet(scene: Scene, event: ContactAdded, state: State) -> None:
    """Bring the welcome forward, with the words that fit the decision.

    The door has queued a neutral welcome for later already; this is the same row.
    """
    if not event.welcome_code:
        return
    key = f"welcome:{event.welcome_code}"
    words = text(scene, state)
    if not words:
        scene.tx.work.cancel(key, scene.now)
        return
    code, member, customer = event.welcome_code, event.userid, event.external_userid
    message = outgoing.SendWelcome(code, member, customer, words)
    scene.tx.work.reschedule(key, scene.now, outgoing.body(message))


def text(scene: Scene, state: State | None) -> str:
    """Return the welcome for a request in `state`; None means that nobody has decided yet."""
    wish = scene.book.enforcement.get("friend.add")
    words = wish.welcome if wish else Welcome()
    if state is None or state is State.PENDING:
        return words.pending
    return words.allowed if state.is_allowed else words.denied
