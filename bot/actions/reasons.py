"""What the rules say to the person a verdict is about."""

from __future__ import annotations

from bot.actions.scene import Scene
from bot.wording import Lines, Words
from workflows.model import Reason, Request


def why(scene: Scene, request: Request) -> Words | Lines:
    """Return what the rules say to the requester: their `say`, or the reason in plain words."""
    verdict = request.verdict
    if verdict.say:
        return Lines(verdict.say)
    known = scene.policy.known.registry
    missing = tuple(known.get(name, name) for name in verdict.missing)
    key = f"reason.{verdict.reason.value}"
    if verdict.reason is Reason.LEVEL:
        key = f"{key}.{verdict.outcome.word}"
    return Words(key, {"missing": missing})
