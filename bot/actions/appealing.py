"""Second thoughts: a requester appeals against a refusal, an approver takes an approval back."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.actions import deciding, judging, tickets, waiving
from bot.actions.scene import Scene
from bot.texts import Text
from bot.wecom import cut_characters
from workflows import appeals, approval
from workflows.model import Origin, Outcome, Request, State, TicketState
from workflows.schedules import parse_duration
from workflows.steps import Appeal, Refused, Revoke

_LONGEST = 200
_NOT_CARRIED_OUT = frozenset({State.APPROVED, State.EXECUTION_FAILED})


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


def take_back(scene: Scene, userid: str, request_id: str) -> None:
    """Take back the approval one has just given, if nothing irreversible came of it. Refused."""
    request = deciding.find(scene, request_id)
    appeals.check_undo(request, userid, window(scene), scene.now)
    if not is_reversible(request):
        raise Refused("undo_done", id=request.id)
    if request.state in _NOT_CARRIED_OUT:
        deciding.advance(scene, request, Revoke(userid))
    else:
        _take_ticket(scene, request)
    _end_waivers(scene, userid, request)
    scene.tell([userid], "appeal.taken_back", id=request.id, customer=request.subject.name)


def _take_ticket(scene: Scene, request: Request) -> None:
    ticket = scene.tx.tickets.of_request(request.id)
    if ticket is not None and ticket.state is TicketState.USED:
        raise Refused("undo_used", id=request.id)
    if tickets.live(scene, request) is None:
        raise Refused("undo_done", id=request.id)
    tickets.revoke(scene, request)
    scene.record("request.undone", request)
    scene.tell(
        [request.requester.userid],
        "appeal.ticket_taken",
        id=request.id,
        customer=request.subject.name,
        who=scene.person(scene.actor.partition(":")[2]).name,
    )


def _end_waivers(scene: Scene, userid: str, request: Request) -> None:
    """What was approved in advance with this approval goes with it."""
    for waiver in scene.tx.waivers.given_by(userid):
        if waiver.request_id == request.id:
            waiving.revoke(scene, userid, waiver.id)


def is_reversible(request: Request) -> bool:
    """Whether what an approval brings about is a ticket, which can be taken back while unused."""
    return request.origin is Origin.ASKED and request.action == judging.ADD


def window(scene: Scene) -> timedelta:
    """Return for how long an approval can be taken back."""
    return parse_duration(scene.book.chain_defaults.undo_window)


def hint(scene: Scene, request: Request) -> Text | None:
    """Return how the approval just given can be taken back; None if it cannot."""
    if request.state not in {State.APPROVED, State.EXECUTED} or not is_reversible(request):
        return None
    seconds = int(window(scene).total_seconds())
    key = "appeal.undo_seconds" if seconds < 120 else "appeal.undo_minutes"
    return scene.mine(key, id=request.id, seconds=seconds, minutes=seconds // 60)
