"""A version of the rules takes effect: recorded, and told to the admins in people and actions."""

from __future__ import annotations

from bot.actions import deciding, people
from bot.actions.scene import Scene
from storage.policies import StoredPolicy
from workflows.model import Request
from workflows.policy import decide
from workflows.standing import Standing
from workflows.steps import Recheck

ANNOUNCE = "announce_rules"
_PAGE = 200


def activate(scene: Scene, author: str) -> None:
    """Make the scene's policy the active one, if it is not; the admins are told in a moment.

    The telling waits for the directory, which at the very first start is not known yet.
    """
    active = scene.tx.policies.active()
    if active is not None and active.hash == scene.policy.hash:
        return
    former = active.hash if active else ""
    text = scene.book.model_dump_json(by_alias=True)
    scene.tx.policies.activate(StoredPolicy(scene.policy.hash, text, scene.now, author))
    scene.record("config.activated", policy=scene.policy.hash, before=former, author=author)
    scene.remind(ANNOUNCE, former, scene.now)


def announce(scene: Scene, before: Standing | None) -> None:
    """Tell the admins which rules are in force now, and who gained or lost what."""
    told = scene.listeners("config.activated") or scene.standing.admins
    if before is None:
        scene.tell(told, "config.first", hash=scene.policy.hash)
        return
    scene.tell(told, "config.activated", hash=scene.policy.hash, before=before.policy.hash)
    people.tell_changes(scene, before, scene.standing, "config")
    _recheck(scene)
    people.reassign(scene)


def _recheck(scene: Scene) -> None:
    """Judge what is pending by the new rules: stricter ends it, looser changes nothing."""
    strictness = scene.book.chain_defaults.strictness
    page: list[Request] = []
    while page := scene.tx.requests.pending(_PAGE, page[-1] if page else None):
        for request in page:
            verdict = decide(scene.policy, request.facts, request.action, scene.now)
            deciding.advance(scene, request, Recheck(verdict, strictness))
