"""Commands about who decides a request, and about second thoughts."""

from __future__ import annotations

from typing import assert_never

from bot.actions import absent, appealing, passing, undoing
from bot.actions.scene import Scene
from bot.command_types import (
    AddApprover,
    Appeal,
    Away,
    Back,
    HandOver,
    SendBack,
    Supplement,
    Undo,
)

Arranging = AddApprover | Appeal | Away | Back | HandOver | SendBack | Supplement | Undo


def obey(scene: Scene, userid: str, command: Arranging) -> None:
    """Carry out one command. Raises Refused."""
    match command:
        case HandOver(id, to):
            passing.hand_over(scene, userid, id, to)
        case AddApprover(id, who):
            passing.add_approver(scene, userid, id, who)
        case SendBack(id, question):
            passing.send_back(scene, userid, id, question)
        case Supplement(id, text):
            passing.supplement(scene, userid, id, text)
        case Away():
            absent.leave(scene, userid, command)
        case Back():
            absent.back(scene, userid)
        case Appeal(id, reason):
            appealing.appeal(scene, userid, id, reason)
        case Undo(id):
            undoing.take_back(scene, userid, id)
        case _:
            assert_never(command)
