"""What has to be done again and again, as rows among the timers: nothing sleeps in memory."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta

from bot.actions.scene import Scene
from bot.replays import Window
from storage.work import Job, Queue
from workflows import workdays
from workflows.policy import Policy

DIRECTORY = "chore_directory"
PRUNE = "chore_prune"
SHADOW = "chore_shadow"
SOURCE = "chore_source"  # its body names the source
CHATS = "chore_chats"
# After how long it comes again, or at which hour of the company's working days.
EVERY: Mapping[str, timedelta | time] = {
    DIRECTORY: timedelta(hours=1),
    PRUNE: timedelta(hours=6),
    SHADOW: time(9),
    CHATS: timedelta(hours=1),  # reads them once a day, and soon after a rule wants to know
}
_MOMENT = timedelta(milliseconds=1)
_SOON = timedelta(seconds=5)
_TOGETHER = timedelta(minutes=1)


def schedule(scene: Scene, kind: str) -> None:
    """Have the clock do a chore when it comes next: once, however many nodes ask."""
    every = EVERY[kind]
    if isinstance(every, timedelta):
        _add(scene, kind, every)
        return
    due = workdays.following(scene.policy, scene.now, every)
    _file(scene, kind, due.isoformat(), due)


def since_last(policy: Policy, due: datetime, now: datetime) -> Window:
    """Return the time that the report due then tells of.

    It ends where the next report begins, also if this one is late: nothing is told twice or never.
    """
    hour = EVERY[SHADOW]
    assert isinstance(hour, time)  # noqa: S101
    before = workdays.latest(policy, due - _MOMENT, hour)
    return Window(before, max(due, workdays.latest(policy, now, hour)))


def soon(scene: Scene, kind: str) -> None:
    """Have a chore done in a moment, besides its regular times; many wishes become one."""
    _add(scene, kind, _SOON)


def at_once(scene: Scene, kind: str) -> None:
    """Have a chore done now, besides its regular times."""
    _file(scene, kind, scene.now.isoformat(), scene.now)


def at_start(scene: Scene, kind: str, *, is_shared: bool) -> None:
    """Have a chore done now because a node starts; once for those that start together."""
    if not is_shared:
        at_once(scene, kind)
        return
    name = f"start:{int(scene.now.timestamp() // _TOGETHER.total_seconds())}"
    _file(scene, kind, name, scene.now)


def read_again(scene: Scene, source: str, after: timedelta) -> None:
    """Have a source read when its time comes: once, however many nodes ask."""
    name, due = _slot(scene, after)
    _file(scene, SOURCE, f"{source}:{name}", due, source)


def read_at_once(scene: Scene, source: str) -> None:
    """Have a source read now, besides its regular times."""
    _file(scene, SOURCE, f"{source}:{scene.now.isoformat()}", scene.now, source)


def _add(scene: Scene, kind: str, after: timedelta) -> None:
    name, due = _slot(scene, after)
    _file(scene, kind, name, due)


def _slot(scene: Scene, length: timedelta) -> tuple[str, datetime]:
    """Return name and end of the stretch of time that we are in."""
    seconds = length.total_seconds()
    slot = int(scene.now.timestamp() // seconds) + 1
    return f"{seconds:.0f}:{slot}", datetime.fromtimestamp(slot * seconds, UTC)


def _file(scene: Scene, kind: str, name: str, due: datetime, body: str = "") -> None:
    key = f"{kind}:{name}"
    scene.tx.work.add([Job(Queue.TIMERS, kind, key, body or name, key, due)], scene.now)
