"""A member and a customer became contacts: noted, matched with a ticket, and judged once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.actions import (
    containing,
    deciding,
    disputes,
    judging,
    knowing,
    moving,
    owner_notices,
    tickets,
    welcoming,
)
from bot.actions.scene import Scene
from bot.events import ContactAdded
from bot.wecom import ExternalContact
from workflows import approval
from workflows.claims import Claim
from workflows.containment import is_gone
from workflows.model import (
    Facts,
    Origin,
    Relation,
    RelationState,
    Request,
    State,
    Subject,
    Ticket,
    TicketState,
    Verdict,
    same_user,
)
from workflows.steps import Recheck, Refused, Supersede

LOOK_AGAIN = "look_again"
# WeCom may not show a new contact at once, nor a half one before the member confirms (84061).
_LOOKS = tuple(timedelta(minutes=m) for m in (1, 10, 60, 6 * 60, 24 * 60))


def added(
    scene: Scene, event: ContactAdded, contact: ExternalContact | None, look: int = 0
) -> None:
    """Take note of an add and judge it, once, however often and in whatever order it is told.

    What WeCom does not show yet is looked for again later; `look` counts how often that was.
    """
    scene.tx.hold(f"customer:{event.external_userid}", judging.counting(event.userid))
    before = scene.tx.relations.get(event.userid, event.external_userid)
    if before and before.seen_at and before.seen_at > event.created_at:
        scene.record("add.overtaken", who=(event.userid, event.external_userid))
        return  # something newer is known
    if contact is not None:
        knowing.remember(scene, contact)
    if knowing.follower(contact, event.userid) is None:
        _not_shown(scene, event, before, look)
        return
    relation = _together(scene, event, before)
    if containing.taken_over(scene, relation, contact) or moving.taken_over(
        scene, relation, contact
    ):
        return
    governing = scene.tx.requests.get(relation.request_id) if relation.request_id else None
    if governing is None:
        _judge(scene, event, relation)
        return
    if before and before.state is RelationState.HALF and relation.state is RelationState.ADDED:
        governing = _confirmed(scene, relation, governing)
    welcoming.greet(scene, event, governing.state)


def looked_again(
    scene: Scene, userid: str, external_userid: str, contact: ExternalContact | None, look: int
) -> None:
    """Take up an add that was not shown before, unless something newer is known by now.

    Of two who met again, the request of their first time says nothing about this one.
    """
    known = knowing.relation(scene, userid, external_userid)
    met_again = known is not None and known.state is RelationState.DELETED_BY_MEMBER
    if known is not None and known.request_id and not met_again:
        return
    half = known is not None and known.state is RelationState.HALF
    event = ContactAdded(userid, external_userid, scene.now, half=half)
    added(scene, event, contact, look)


def _not_shown(scene: Scene, event: ContactAdded, before: Relation | None, look: int) -> None:
    """Judge nobody on facts nobody has: note a half relation, and look again later."""
    if event.half and (before is None or is_gone(before)):
        base = before or Relation(event.userid, event.external_userid, RelationState.NONE)
        half = replace(base, state=RelationState.HALF, channel=event.state, request_id="")
        half = replace(half, seen_at=event.created_at, asked_at=scene.now)
        scene.tx.relations.put(half)
        if ticket := _ticket_of(scene, event, half):
            tickets.use(scene, ticket, event.external_userid)  # nobody else gets in by it
    if look == 0:
        who = (event.userid, event.external_userid)
        scene.record("add.not_shown", who=who, half=event.half)
    if look < len(_LOOKS):
        again = f"{event.userid}|{event.external_userid}|{look + 1}"
        scene.remind(LOOK_AGAIN, again, scene.now + _LOOKS[look])


def _together(scene: Scene, event: ContactAdded, before: Relation | None) -> Relation:
    """Return the relation as WeCom shows it now, with the request that governs it already."""
    base = scene.tx.relations.get(event.userid, event.external_userid)
    assert base is not None, "remembered a moment ago"  # noqa: S101
    were_together = before is not None and not is_gone(before)
    half = event.half and not (before and before.state is RelationState.ADDED)
    relation = replace(
        base,
        state=RelationState.HALF if half else RelationState.ADDED,
        added_at=base.added_at or event.created_at,
        channel=event.state or base.channel,
        seen_at=event.created_at,
        request_id=base.request_id if were_together else "",
    )
    scene.tx.relations.put(relation)
    return relation


def _judge(scene: Scene, event: ContactAdded, relation: Relation) -> None:
    ticket = _ticket_of(scene, event, relation)
    used = ticket is not None and tickets.use(scene, ticket, event.external_userid)
    ticketed = scene.tx.requests.get(ticket.request_id) if ticket and used else None
    known = judging.happened(scene, relation, ticketed)
    verdict = judging.judge(scene, known)
    if ticketed and covers(scene, ticketed.verdict, verdict):
        _closed(scene, relation, ticketed)
        welcoming.greet(scene, event, State.EXECUTED)
        return
    claim = ticketed.claim if ticketed else Claim()
    request = judged(scene, relation, claim, known, verdict)
    welcoming.greet(scene, event, request.state)


def _ticket_of(scene: Scene, event: ContactAdded, relation: Relation) -> Ticket | None:
    """Return the unused ticket this add came by; anybody after the first came without one.

    A ticket that ran out while the event was on its way counts: it was scanned in time.
    """
    ticket = scene.tx.tickets.get(relation.channel) if relation.channel else None
    if ticket is None or not same_user(ticket.userid, relation.userid):
        return None
    in_time = ticket.state is TicketState.EXPIRED and event.created_at <= ticket.expires_at
    half_way = ticket.used_by == relation.external_userid and not _was_closed(scene, ticket)
    return ticket if in_time or half_way or ticket.state is TicketState.OPEN else None


def _was_closed(scene: Scene, ticket: Ticket) -> bool:
    """Whether a full add was matched with the ticket before; later ones come without it."""
    told = scene.tx.audit.of_request(ticket.request_id)
    return any(record.kind == "add.ticketed" for record in told)


def covers(scene: Scene, given: Verdict, now: Verdict) -> bool:
    """Whether what was granted on less is enough for what the real facts ask for."""
    return not approval.is_stricter(now, given, scene.book.chain_defaults.strictness)


def _closed(scene: Scene, relation: Relation, request: Request) -> None:
    """A ticketed add went as approved."""
    scene.tx.relations.put(replace(relation, request_id=request.id))
    name = _subject(scene, relation).name
    who = (relation.userid, relation.external_userid)
    scene.record("add.ticketed", request, who=who, customer=name)
    scene.tell([relation.userid], "ticket.used", id=request.id, customer=name)


def _confirmed(scene: Scene, relation: Relation, governing: Request) -> Request:
    """The member has confirmed a half relation: judge it again, now that more is known."""
    known = judging.happened(scene, relation, governing)
    verdict = judging.judge(scene, known)
    if covers(scene, governing.verdict, verdict):
        return governing
    if governing.state is State.PENDING:
        strictness = scene.book.chain_defaults.strictness
        return deciding.advance(scene, governing, Recheck(verdict, strictness))
    if governing.state.is_allowed:
        return judged(scene, relation, governing.claim, known, verdict)
    return governing


def judged(
    scene: Scene, relation: Relation, claim: Claim, known: Facts, verdict: Verdict
) -> Request:
    """Open the request of an add that took place, and hold the relation if it is not allowed."""
    request = Request(
        id=scene.new_id(),
        action=judging.ADD,
        origin=Origin.OBSERVED,
        requester=scene.person(relation.userid),
        subject=_subject(scene, relation),
        claim=claim,
        facts=known,
        verdict=verdict,
        created_at=scene.now,
    )
    asked_key = replace(request, origin=Origin.ASKED).key
    asked, earlier = scene.tx.requests.open_by_keys(asked_key, request.key)
    _answer_asked(scene, asked)
    governing = earlier or request  # the same two met again while the first time is undecided
    relation = replace(relation, request_id=governing.id)
    scene.tx.relations.put(relation)
    if earlier is None:
        others = disputes.observed(scene, request)
        governing = deciding.open_request(scene, request)
        owner_notices.soon(scene, governing, others)
        if governing.state is State.PENDING:
            containing.tell_of(scene, governing)
    if governing.state is State.PENDING:
        containing.hold(scene, relation, governing)
    return governing


def _answer_asked(scene: Scene, asked: Request | None) -> None:
    """What the member still asks for has happened: the observed request takes its place."""
    if asked is None or asked.state is not State.PENDING:
        return
    try:
        deciding.advance(scene, asked, Supersede())
    except Refused:
        return  # decided this very moment


def _subject(scene: Scene, relation: Relation) -> Subject:
    external = relation.external_userid
    customer = scene.tx.relations.customer(external)
    name = customer.name if customer and customer.name else relation.remark
    return Subject(external, name or scene.texts("customer.unnamed"), external)


def judge_again(scene: Scene, request_id: str) -> None:
    """Judge a relation anew whose request became stale, if it still exists."""
    stale = scene.tx.requests.get(request_id)
    external = stale.subject.external_userid if stale else None
    if stale is None or external is None:
        return
    relation = knowing.relation(scene, stale.requester.userid, external)
    if relation is None or is_gone(relation) or relation.request_id != stale.id:
        return
    known = judging.happened(scene, relation, stale)
    judged(scene, relation, stale.claim, known, judging.judge(scene, known))
