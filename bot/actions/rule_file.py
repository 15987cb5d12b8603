"""What the admins hear of the config file itself: it is bad, good again, or not in force."""

from __future__ import annotations

from collections.abc import Iterable

from bot import outgoing
from bot.actions.scene import Scene
from bot.texts import Text, joined


def reject(scene: Scene, digest: str, why: Iterable[Text]) -> None:
    """Record that a file cannot take effect, and tell the admins once for each content."""
    reasons = tuple(why)
    scene.record("config.rejected", file=digest, why=list(reasons))
    _tell_once(scene, f"rejected:{digest}", scene.theirs("config.rejected", why=joined(reasons)))


def set_aside(scene: Scene, policy_hash: str, why: str, **params: object) -> None:
    """Tell the admins, once for each version, that the file's version is not the one in force."""
    said = scene.theirs(f"config.{why}", hash=policy_hash, active=scene.policy.hash, **params)
    _tell_once(scene, f"{why}:{policy_hash}:{scene.policy.hash}", said)


def recovered(scene: Scene, digest: str) -> None:
    """Tell that a bad file has become the one that is in force."""
    _tell_once(
        scene, f"recovered:{digest}", scene.theirs("config.recovered", hash=scene.policy.hash)
    )


def _tell_once(scene: Scene, key: str, said: Text) -> None:
    for userid in scene.listeners("config.rejected") or scene.standing.admins:
        scene.send(outgoing.SendText(userid, said), key=f"{key}:{userid.lower()}")
