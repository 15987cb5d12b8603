"""Asks once more for what was refused, has run out or has failed, where it is about customers."""

from __future__ import annotations

from bot.actions import exporting, tagging, takeovers, transferring
from bot.actions.scene import Scene
from workflows.model import Request
from workflows.plans import Export, Tagging, TakeOver, Transfer


def about_customers(scene: Scene, userid: str, request: Request) -> bool:
    """Judge the same anew by the rules and facts of now; False if it is nothing of the kind."""
    match request.plan:
        case Transfer() as plan:
            transferring.again(scene, userid, request, plan)
        case TakeOver() as plan:
            takeovers.again(scene, userid, request, plan)
        case Tagging() as plan:
            tagging.again(scene, userid, request, plan)
        case Export() as plan:
            exporting.again(scene, userid, request, plan)
        case _:
            return False
    return True
