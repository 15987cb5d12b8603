"""A version of the rules takes effect: recorded, and told to the admins in people and actions."""

from __future__ import annotations

from bot.actions import people, sweeping
from bot.actions.scene import Scene
from storage.policies import StoredPolicy
from workflows.standing import Standing

ANNOUNCE = "announce_rules"


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
    sweeping.start(scene, sweeping.RECHECK)
    sweeping.start(scene, sweeping.REASSIGN)
