"""An approver agrees to a list, but not to every line of it."""

from __future__ import annotations

from bot.actions import deciding, undoing, voting
from bot.actions.scene import Scene
from bot.command_types import ApproveExcept
from bot.texts import joined
from bot.wecom import cut_characters
from workflows import approval, bulk
from workflows.model import Request, State
from workflows.plans import BulkAdd
from workflows.steps import Approve, Refused

_LONGEST_COMMENT = 200


def approve(scene: Scene, userid: str, wish: ApproveExcept, *, via: str) -> None:
    """Vote for a list but for some lines, which are refused with it. Raises Refused.

    Of any other request the words are a comment like all others, unless they are nothing but lines
    to be left out: then another request was meant.
    """
    request = deciding.find(scene, wish.id)
    is_list = isinstance(request.plan, BulkAdd)
    if not is_list and not (wish.at_once and wish.lines):
        voting.approve(scene, userid, request.id, comment=wish.comment, via=via)
        return
    if request.state is State.PENDING:  # else the vote itself says who decided
        _expect_lines(request, wish)
    comment = cut_characters(wish.comment.strip(), _LONGEST_COMMENT)
    new = deciding.advance(scene, request, Approve(userid, via, comment, left_out=wish.lines))
    key = "bulk.counted_except" if new.state is State.PENDING else "bulk.done_except"
    said = scene.mine(
        key,
        id=new.id,
        requester=new.requester.name,
        lines=tuple(map(str, wish.lines)),
        count=len(bulk.kept(new)),
        who=tuple(person.name for person in approval.waiting_for(new)),
    )
    undo = undoing.hint(scene, userid, new)
    scene.answer(userid, joined([said, undo]) if undo else said)


def _expect_lines(request: Request, wish: ApproveExcept) -> None:
    bulk.expect_lines(request, wish.lines)
    if not wish.lines:
        raise Refused("which_lines", id=request.id)
