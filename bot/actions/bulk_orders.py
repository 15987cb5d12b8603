"""What the clock is asked to do about lists: carry them out, settle them, take them back.

Each is work of its own: whoever approves does not wait until fifty adds are on file, and a crash in
between is taken up where it happened.
"""

from __future__ import annotations

from bot.actions.scene import Scene
from workflows.model import Request, State

CARRY_OUT = "bulk_carry_out"  # of a list: its id, and its version
SETTLE = "bulk_settle"  # of one add of a list: its id, and its version
TAKE_BACK = "bulk_take_back"  # of a list: its id


def carry_out(scene: Scene, request: Request) -> None:
    """Have the next lines of an approved list become adds."""
    scene.remind(CARRY_OUT, f"{request.id}|{request.version}", scene.now)


def part_moved(scene: Scene, part: Request) -> None:
    """Have a list looked at of which an add has moved on; nothing for any other request."""
    if part.part_of:
        scene.remind(SETTLE, f"{part.id}|{part.version}", scene.now)


def refused(scene: Scene, request: Request) -> None:
    """Have the adds of a list taken back whose approval was; nothing was made before."""
    if request.state is State.REVOKED:
        scene.remind(TAKE_BACK, request.id, scene.now)
