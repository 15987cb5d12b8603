"""What the rules say to the person a verdict is about."""

from __future__ import annotations

from bot.actions import freezes
from bot.actions.scene import Scene
from bot.wording import Action, Level, Lines, Words
from workflows.model import Facts, Reason, Request
from workflows.policy import granted_in
from workflows.references import PLACEHOLDER
from workflows.sections import Rule


def why(scene: Scene, request: Request) -> Words | Lines:
    """Return what the rules say to the requester: their `say`, or the reason in plain words."""
    verdict = request.verdict
    if verdict.reason is Reason.FROZEN:
        return freezes.why(scene, verdict)
    if verdict.say:
        return Lines(verdict.say)
    known = scene.policy.known.registry
    words: dict[str, object] = {
        "missing": tuple(known.get(name, name) for name in verdict.missing),
        "level": level(scene, request),
        "action": Action(request.action),
    }
    key = f"reason.{verdict.reason.value}"
    if verdict.reason is Reason.LEVEL:
        lent = request.action in granted_in(request.facts)
        key = f"{'reason.lent' if lent else key}.{verdict.outcome.word}"
    return Words(key, words)


def level(scene: Scene, request: Request) -> Level:
    """Return the requester's level as it was, with the title of the role that gave it."""
    number = request.facts.get("sender.level", 0)
    held = request.facts.get("sender.roles", frozenset())
    at = number if isinstance(number, int) else 0
    names = held if isinstance(held, frozenset) else frozenset()
    titles = (
        role.title or name
        for name, role in scene.book.roles.items()
        if name in names and role.level == at
    )
    return Level(at, next(titles, ""))


def said(rule: Rule, facts: Facts) -> str:
    """Return what a rule says about these facts, even if it was not the one that decided."""
    return PLACEHOLDER.sub(lambda found: str(facts.get(found[1], "?")), rule.say) or rule.title
