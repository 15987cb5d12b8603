"""Commands about customers: transfer, tag, untag, export, who has them; and who is meant."""

from __future__ import annotations

from collections.abc import Sequence

from bot.actions import choosing, exporting, owner_asks, tagging, transferring
from bot.actions.choosing import Wish
from bot.actions.scene import Scene
from bot.command_types import (
    AnswerOwner,
    AskOwner,
    ExportCustomers,
    TagCustomer,
    TransferCustomers,
    UntagCustomer,
)
from workflows.steps import Refused

DRAFT = choosing.DRAFT
AboutCustomers = (
    TransferCustomers | TagCustomer | UntagCustomer | ExportCustomers | AskOwner | AnswerOwner
)


def obey(scene: Scene, userid: str, command: AboutCustomers, tags: Sequence[str]) -> None:
    """Carry out a command; `tags` are the names of all corp tags. Raises Refused."""
    match command:
        case TransferCustomers(whom, rest):
            transferring.ask(scene, userid, Wish(transferring.VERB, whom, rest))
        case TagCustomer(text):
            tagging.ask(scene, userid, tagging.PUT_ON, text, tags)
        case UntagCustomer(text):
            tagging.ask(scene, userid, tagging.TAKE_OFF, text, tags)
        case ExportCustomers(text):
            exporting.ask(scene, userid, text)
        case AskOwner() | AnswerOwner():
            owner_asks.obey(scene, userid, command)


def choose(scene: Scene, userid: str, body: str, text: str) -> None:
    """Take the answer to who is meant, and go on with what was asked."""
    wish = choosing.answered(scene, userid, body, text)
    if wish is None:
        return
    go_on = transferring.ask if wish.verb == transferring.VERB else tagging.go_on
    try:
        go_on(scene, userid, wish)
    except Refused as refused:
        scene.tell_as_core([userid], f"refused.{refused.key}", refused.params)
