"""What ends by itself: the timers of temporary permissions, freezes and reviews."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from bot.actions import freezes, freezing, granting, grants, reviewing
from bot.actions.scene import Scene

Timer = Callable[[Scene, str], object]


def _outlived(scene: Scene, body: str) -> None:
    granting.outlived(scene, *body.split("|"))


def _tell_scope(scene: Scene, body: str) -> None:
    freezing.tell_scope(scene, *body.split("|"))


def _revoke_tickets(scene: Scene, body: str) -> None:
    freezing.revoke_tickets(scene, *body.split("|", 1))


# By kind, with the name the timer was set for. One that returns False was called too early.
TIMERS: Mapping[str, Timer] = {
    grants.EXPIRY: grants.expire,
    grants.REMINDER: grants.remind,
    grants.OUTLIVED: _outlived,
    freezes.END: freezes.expire,
    freezes.TELL: _tell_scope,
    freezes.TICKETS: _revoke_tickets,
    reviewing.REMINDER: reviewing.remind,
}
