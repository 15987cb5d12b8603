"""What has to be done again and again, as rows among the timers: nothing sleeps in memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from bot.actions.scene import Scene
from storage.work import Job, Queue

DIRECTORY = "chore_directory"
PRUNE = "chore_prune"
EVERY: Mapping[str, timedelta] = {DIRECTORY: timedelta(hours=1), PRUNE: timedelta(hours=6)}
_SOON = timedelta(seconds=5)


def schedule(scene: Scene, kind: str) -> None:
    """Have the clock do a chore after its interval: once, however many nodes ask."""
    _add(scene, kind, EVERY[kind])


def soon(scene: Scene, kind: str) -> None:
    """Have a chore done in a moment, besides its regular times; many wishes become one."""
    _add(scene, kind, _SOON)


def at_once(scene: Scene, kind: str) -> None:
    """Have a chore done now, besides its regular times."""
    _file(scene, kind, scene.now.isoformat(), scene.now)


def _add(scene: Scene, kind: str, after: timedelta) -> None:
    length = after.total_seconds()
    slot = int(scene.now.timestamp() // length) + 1
    _file(scene, kind, f"{length:.0f}:{slot}", datetime.fromtimestamp(slot * length, UTC))


def _file(scene: Scene, kind: str, name: str, due: datetime) -> None:
    key = f"{kind}:{name}"
    scene.tx.work.add([Job(Queue.TIMERS, kind, key, "", key, due)], scene.now)
