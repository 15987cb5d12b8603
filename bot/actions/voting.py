"""What people do to a request by card or command: vote, withdraw, nudge, submit again."""

from __future__ import annotations

from datetime import timedelta

from bot import replies
from bot.actions import (
    again,
    asking,
    bulk_adding,
    carrying,
    deciding,
    former,
    granting,
    tickets,
    undoing,
    versions,
    waiving,
)
from bot.actions.colleagues import is_admin
from bot.actions.performing import ONLY_TOLD
from bot.actions.scene import Scene
from bot.command_types import Waive
from bot.texts import joined
from bot.wecom import cut_characters
from storage.requests import Overtaken
from workflows import approval
from workflows.lockout import CHANGE
from workflows.model import Answer, Origin, Request, State, TicketState, same_user
from workflows.plans import BulkAdd, Granting, Lifting
from workflows.steps import Approve, Deny, Refused, Revoke, Withdraw

DENIAL = "deny"
_DRAFT_LIVES = timedelta(minutes=30)
_LONGEST_COMMENT = 200
_NUDGE_EVERY = timedelta(hours=4)
RESUBMITTABLE = frozenset(
    {
        State.DENIED,
        State.EXPIRED,
        State.WITHDRAWN,
        State.STALE,
        State.EXECUTION_FAILED,
        State.REVOKED,
    }
)
_NOT_CARRIED_OUT = frozenset({State.APPROVED, State.EXECUTION_FAILED})


def approve(scene: Scene, userid: str, request_id: str, *, comment: str = "", via: str) -> None:
    """Vote for a request, and tell the voter what came of it. Raises Refused."""
    request = find(scene, request_id)
    new = deciding.advance(scene, request, Approve(userid, via, _short(comment)))
    _thank(scene, userid, new, Answer.APPROVE)


def waive(scene: Scene, userid: str, wish: Waive, *, via: str) -> None:
    """Vote for a request and, in advance, for the same ones to come. Raises Refused."""
    request = find(scene, wish.id or "")
    terms = waiving.agreed(scene, request, wish.days, wish.uses)
    try:
        approve(scene, userid, request.id, comment=wish.comment, via=via)
    except Refused as refused:
        if refused.key == "comment_needed":
            raise Refused("waiver_comment_needed", id=request.id) from None
        raise
    waiving.give(scene, userid, request, terms)


def deny(scene: Scene, userid: str, request_id: str, *, comment: str = "", via: str) -> None:
    """Vote against a request; without a reason that is needed, the reason is asked for. Refused."""
    request = find(scene, request_id)
    try:
        new = deciding.advance(scene, request, Deny(userid, via, _short(comment)))
    except Refused as refused:
        if refused.key != "comment_needed":
            raise
        _ask_why(scene, userid, request, "vote.reason_wanted")
        return
    _thank(scene, userid, new, Answer.DENY)


def _ask_why(scene: Scene, userid: str, request: Request, text: str) -> None:
    scene.tx.drafts.put(userid, DENIAL, request.id, scene.now + _DRAFT_LIVES)
    scene.tell([userid], text, id=request.id, customer=request.subject.name)


def finish_denial(scene: Scene, userid: str, request_id: str, said: str) -> None:
    """Take a text as the reason of a refusal that was begun, unless it may be anything else."""
    reason = replies.reason_in(said)
    request = scene.tx.requests.get(request_id)
    if not reason and request is not None and request.state is State.PENDING:
        _ask_why(scene, userid, request, "vote.reason_still_wanted")
        return
    scene.tx.drafts.drop(userid)
    try:
        deny(scene, userid, request_id, comment=reason, via="command")
    except Refused as refused:
        scene.tell_as_core([userid], f"refused.{refused.key}", refused.params)


def drop_denial(scene: Scene, userid: str, request_id: str) -> None:
    """Forget a refusal that was begun, and say that nobody was refused."""
    scene.tx.drafts.drop(userid)
    request = scene.tx.requests.get(request_id)
    if request is None or request.state is not State.PENDING:
        scene.tell([userid], "talk.given_up")
        return
    scene.tell([userid], "vote.not_refused", id=request.id, customer=request.subject.name)


def withdraw(scene: Scene, userid: str, request_id: str) -> None:
    """Take one's own request back, or the approval one has just given. Raises Refused."""
    request = find(scene, request_id)
    if not former.is_own(scene, userid, request):
        if not same_user(request.decided_by, f"user:{userid}"):
            raise Refused("not_yours", id=request.id)
        undoing.take_back(scene, userid, request.id)
        return
    if request.origin is Origin.OBSERVED and request.action in ONLY_TOLD:
        raise Refused("has_happened", id=request.id)
    if request.state in _NOT_CARRIED_OUT and _comes_to_nothing(scene, request):
        deciding.advance(scene, request, Revoke("system:requester"))
    elif tickets.live(scene, request):
        _void_ticket(scene, request)
    elif not tickets.forgo(scene, request):
        deciding.advance(scene, request, Withdraw(userid))
    scene.tell([userid], "request.withdrawn", id=request.id, subject=request.subject.name)


def _void_ticket(scene: Scene, request: Request) -> None:
    """Take back a ticket that could still be used a moment ago. Raises Refused."""
    if not tickets.revoke(scene, request):
        if _has_ticket(scene, request, TicketState.USED):
            raise Refused("has_happened", id=request.id)
        raise Overtaken(request.id)


def _comes_to_nothing(scene: Scene, request: Request) -> bool:
    """Whether nothing is done yet that could not be taken back: no ticket used, no order given."""
    return tickets.live(scene, request) is not None or carrying.call_off(scene, request)


def nudge(scene: Scene, userid: str, request_id: str) -> None:
    """Remind those whom one's own request waits for, at most once in four hours. Raises Refused."""
    request = find(scene, request_id)
    if not former.is_own(scene, userid, request):
        raise Refused("not_yours", id=request.id)
    if request.state is not State.PENDING:
        raise Refused("not_waiting", id=request.id, state=request.state.value)
    last = max(
        (r.at for r in scene.tx.audit.of_request(request.id) if r.kind == "request.nudged"),
        default=request.created_at,
    )
    if last > scene.now - _NUDGE_EVERY and last != request.created_at:
        raise Refused("nudged_already", id=request.id, when=last + _NUDGE_EVERY)
    waiting = approval.waiting_for(request)
    scene.record("request.nudged", request)
    scene.tell(
        [person.userid for person in waiting],
        "vote.nudge",
        id=request.id,
        requester=request.requester.name,
        customer=request.subject.name,
        since=request.created_at,
    )
    names = tuple(person.name for person in waiting)
    scene.tell([userid], "vote.nudged", id=request.id, who=names)


def resubmit(scene: Scene, userid: str, request_id: str) -> None:
    """Ask again for what was refused or has run out, by the rules of now. Raises Refused."""
    request = find(scene, request_id)
    if request.action == CHANGE:
        _propose_again(scene, userid, request)
        return
    if not former.is_own(scene, userid, request):
        raise Refused("not_yours", id=request.id)
    over = _has_ticket(scene, request, TicketState.EXPIRED, TicketState.REVOKED)
    if request.origin is not Origin.ASKED or not (over or request.state in RESUBMITTABLE):
        raise Refused("not_again", id=request.id, state=request.state.value)
    if isinstance(request.plan, Granting):
        granting.again(scene, userid, request)
        return
    if isinstance(request.plan, Lifting):
        raise Refused("not_again", id=request.id, state=request.state.value)
    if again.about_customers(scene, userid, request):
        return
    if isinstance(request.plan, BulkAdd):
        bulk_adding.submit(scene, userid, request.plan.lines)
        return
    asking.submit(scene, userid, request.claim)


def _propose_again(scene: Scene, userid: str, request: Request) -> None:
    """Propose a version of the rules again; what the file has, any admin may propose."""
    by_file = request.origin is Origin.SYSTEM and is_admin(scene, userid)
    if not by_file and not same_user(request.requester.userid, userid):
        raise Refused("not_yours", id=request.id)
    if request.state not in RESUBMITTABLE:
        raise Refused("not_again", id=request.id, state=request.state.value)
    versions.compare_anew(scene, request)
    scene.tell([userid], "versions.compared_anew", subject=request.subject.name)


def find(scene: Scene, request_id: str) -> Request:
    """Return the request of an id a person typed or pressed. Raises Refused."""
    return deciding.find(scene, request_id)


def _has_ticket(scene: Scene, request: Request, *states: TicketState) -> bool:
    ticket = scene.tx.tickets.of_request(request.id)
    return ticket is not None and ticket.state in states


def _thank(scene: Scene, userid: str, request: Request, answer: Answer) -> None:
    key = "vote.counted" if request.state is State.PENDING else f"vote.done_{answer.value}"
    key = scene.variant(key, request)
    names = tuple(person.name for person in approval.waiting_for(request))
    said = scene.mine(
        key,
        id=request.id,
        requester=request.requester.name,
        customer=request.subject.name,
        who=names,
    )
    undo = undoing.hint(scene, userid, request) if answer is Answer.APPROVE else None
    scene.answer(userid, joined([said, undo]) if undo else said)


def _short(comment: str) -> str:
    return cut_characters(comment.strip(), _LONGEST_COMMENT)
