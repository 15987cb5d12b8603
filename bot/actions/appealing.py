"""A requester appeals against a refusal."""

from __future__ import annotations

from dataclasses import replace

from bot.actions import deciding, judging
from bot.actions.scene import Scene
from bot.wecom import cut_characters
from workflows import appeals, approval
from workflows.model import Outcome
from workflows.steps import Appeal, Refused

_LONGEST = 200


def appeal(scene: Scene, userid: str, request_id: str, reason: str) -> None:
    """Have a refusal looked at by who stands above the refuser, once. Raises Refused."""
    refused = deciding.find(scene, request_id)
    verdict = judging.judge(scene, refused.facts, refused.action)
    appeal_id = scene.new_id()
    claim = replace(refused.claim, reason=cut_characters(reason.strip(), _LONGEST))
    noted, _ = appeals.note(refused, Appeal(userid, appeal_id))
    if verdict.outcome is Outcome.DENY:
        raise Refused("appeal_denied_by_rules", id=refused.id)
    draft = replace(appeals.drafted(noted, appeal_id, verdict, scene.now), claim=claim)
    if (other := scene.tx.requests.open_by_key(draft.key)) is not None:
        raise Refused("appeal_open_already", id=refused.id, other=other.id)
    deciding.advance(scene, refused, Appeal(userid, appeal_id))
    opened = deciding.open_request(scene, draft)
    who = tuple(person.name for person in approval.waiting_for(opened))
    scene.tell(
        [userid], "appeal.filed", id=opened.id, refused=refused.id, who=who, due=opened.due_at
    )
