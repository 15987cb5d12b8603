"""What an approver does with a request besides voting, and what the requester adds to it."""

from __future__ import annotations

from bot.actions import deciding, rights
from bot.actions.scene import Scene
from bot.wecom import cut_characters
from workflows import approval, timing
from workflows.steps import AddApprover, HandOver, SendBack, Supplement

_LONGEST = 200


def hand_over(scene: Scene, userid: str, request_id: str, to: str) -> None:
    """Give one's place as approver to somebody else. Raises Refused."""
    request = deciding.find(scene, request_id)
    taker = scene.person(rights.member_named(scene, to))
    deciding.advance(scene, request, HandOver(userid, taker.userid))
    scene.tell([userid], "passing.handed_over", id=request.id, who=taker.name)


def add_approver(scene: Scene, userid: str, request_id: str, who: str) -> None:
    """Want one more person to agree at the present stage. Raises Refused."""
    request = deciding.find(scene, request_id)
    taker = scene.person(rights.member_named(scene, who))
    deciding.advance(scene, request, AddApprover(userid, taker.userid))
    scene.tell([userid], "passing.added", id=request.id, who=taker.name)


def send_back(scene: Scene, userid: str, request_id: str, question: str) -> None:
    """Ask the requester something before deciding. Raises Refused."""
    request = deciding.find(scene, request_id)
    question = cut_characters(question.strip(), _LONGEST)
    deciding.advance(scene, request, SendBack(userid, question))
    scene.tell([userid], "passing.sent_back", id=request.id, who=request.requester.name)


def supplement(scene: Scene, userid: str, request_id: str, text: str) -> None:
    """Answer what an approver has asked, or add something unasked. Raises Refused."""
    request = deciding.find(scene, request_id)
    text = cut_characters(text.strip(), _LONGEST)
    new = deciding.advance(scene, request, Supplement(userid, text))
    who = tuple(person.name for person in approval.waiting_for(new))
    key = "passing.answered" if timing.is_sent_back(request) else "passing.supplemented"
    scene.tell([userid], key, id=request.id, who=who)
