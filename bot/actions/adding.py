"""Relations as WeCom reports them: added, changed, ended; each new one is judged."""

from __future__ import annotations

from dataclasses import replace

from bot.actions import containing, deciding, judging, knowing, tickets, welcoming
from bot.actions.scene import Scene
from bot.events import ContactAdded, ContactDeleted, ContactEdited
from bot.wecom import ExternalContact
from workflows import approval
from workflows.model import (
    Claim,
    Containment,
    Facts,
    Origin,
    Outcome,
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
from workflows.policy import Policy
from workflows.steps import Refused, Withdraw

_TOGETHER = frozenset({RelationState.HALF, RelationState.ADDED})


def added(scene: Scene, event: ContactAdded, contact: ExternalContact | None) -> None:
    """Take note of an add and judge it, once, however often and in whatever order it is told."""
    before = scene.tx.relations.get(event.userid, event.external_userid)
    relation = _added_relation(scene, event, contact, before)
    if relation is None:
        return  # ended again before we came to look
    is_news = before is None or before.state not in _TOGETHER or not before.request_id
    if is_news and containing.taken_over(scene, relation):
        return
    ticket = _ticket_of(scene, relation)
    ticketed = scene.tx.requests.get(ticket.request_id) if ticket else None
    if not is_news:
        _still_there(scene, event, relation)
        return
    verdict = judging.judge(scene, known := judging.happened(scene, relation, ticketed))
    if ticket:
        tickets.use(scene, ticket, event.external_userid)
    if ticketed and _covers(scene.policy, ticketed.verdict, verdict):
        _closed(scene, event, relation, ticketed)
        return
    claim = ticketed.claim if ticketed else Claim()
    request = _observed(scene, relation, claim, known, verdict)
    judged(scene, request, relation, event)


def _observed(
    scene: Scene, relation: Relation, claim: Claim, known: Facts, verdict: Verdict
) -> Request:
    return Request(
        id=scene.new_id(),
        action=judging.ADD,
        origin=Origin.OBSERVED,
        requester=scene.person(relation.userid),
        subject=_subject(scene, relation),
        claim=claim,
        facts=known,
        verdict=verdict,
        created_at=scene.now,
        due_at=deciding.due(scene) if verdict.outcome is Outcome.APPROVAL else None,
        chain=deciding.chain(scene, verdict),
    )


def judged(scene: Scene, request: Request, relation: Relation, event: ContactAdded | None) -> None:
    """Open the request of an add that took place, and hold the relation if it is not allowed."""
    earlier = scene.tx.requests.open_by_key(request.key)
    if earlier is not None:  # the same two met again while the first time is undecided
        request = earlier
    relation = replace(relation, request_id=request.id)
    scene.tx.relations.put(relation)
    if earlier is None:
        request = deciding.open_request(scene, request)
    if request.state is State.PENDING:
        containing.hold(scene, relation, request)
    if earlier is None:
        containing.tell_of(scene, request)
    if event is not None:
        welcoming.greet(scene, event, request.state)


def _added_relation(
    scene: Scene, event: ContactAdded, contact: ExternalContact | None, before: Relation | None
) -> Relation | None:
    """Return the relation as it is now; None when there is none any more."""
    if before and before.seen_at and before.seen_at > event.created_at and not event.half:
        return before if before.state in _TOGETHER else None
    if contact is not None:
        knowing.remember(scene, contact)
    present = knowing.follower(contact, event.userid) is not None
    if not present and not event.half:
        return None
    known = scene.tx.relations.get(event.userid, event.external_userid)
    base = known or Relation(event.userid, event.external_userid, RelationState.NONE)
    was_full = before is not None and before.state is RelationState.ADDED
    half = event.half and not was_full
    relation = replace(
        base,
        state=RelationState.HALF if half else RelationState.ADDED,
        added_at=base.added_at or event.created_at,
        channel=base.channel or event.state,
        seen_at=max(event.created_at, base.seen_at or event.created_at),
        request_id=base.request_id if before and before.state in _TOGETHER else "",
    )
    scene.tx.relations.put(relation)
    return relation


def _ticket_of(scene: Scene, relation: Relation) -> Ticket | None:
    """Return the open ticket this add came by; anybody after the first came without one."""
    ticket = scene.tx.tickets.get(relation.channel) if relation.channel else None
    if ticket is None or not same_user(ticket.userid, relation.userid):
        return None
    return ticket if ticket.state is TicketState.OPEN else None


def _covers(policy: Policy, given: Verdict, now: Verdict) -> bool:
    """Whether what was granted before the meeting is enough for what the real facts ask for."""
    return not approval.is_stricter(now, given, policy.rulebook.chain_defaults.strictness)


def _closed(scene: Scene, event: ContactAdded, relation: Relation, request: Request) -> None:
    """A ticketed add went as approved."""
    scene.tx.relations.put(replace(relation, request_id=request.id))
    name = _subject(scene, relation).name
    scene.record(
        "add.ticketed", request, who=(relation.userid, relation.external_userid), customer=name
    )
    scene.tell([relation.userid], "ticket.used", id=request.id, customer=name)
    welcoming.greet(scene, event, State.EXECUTED)


def _still_there(scene: Scene, event: ContactAdded, relation: Relation) -> None:
    request = scene.tx.requests.get(relation.request_id)
    if request is not None:
        welcoming.greet(scene, event, request.state)


def _subject(scene: Scene, relation: Relation) -> Subject:
    external = relation.external_userid
    customer = scene.tx.relations.customer(external)
    name = customer.name if customer and customer.name else relation.remark
    return Subject(external, name or scene.texts("customer.unnamed"), external)


def edited(scene: Scene, event: ContactEdited, contact: ExternalContact | None) -> None:
    """Take note of changed remarks, phones and tags."""
    if contact is not None:
        knowing.remember(scene, contact)
    who = (event.userid, event.external_userid)
    scene.record("relation.edited", actor=f"user:{event.userid}", who=who)


def deleted(scene: Scene, event: ContactDeleted, contact: ExternalContact | None) -> None:
    """Take note that a relation ended, unless WeCom shows that it has begun anew since."""
    old = scene.tx.relations.get(event.userid, event.external_userid)
    if contact is not None:
        knowing.remember(scene, contact)
        old = scene.tx.relations.get(event.userid, event.external_userid)
    if event.by_member and knowing.follower(contact, event.userid) is not None:
        return
    if old and old.seen_at and old.seen_at > event.created_at:
        return
    base = old or Relation(event.userid, event.external_userid, RelationState.NONE)
    ended = (
        RelationState.DELETED_BY_MEMBER if event.by_member else RelationState.DELETED_BY_CUSTOMER
    )
    gone = replace(
        base, state=ended, seen_at=event.created_at, containment=Containment.NONE, former_remark=""
    )
    scene.tx.relations.put(gone)
    request = scene.tx.requests.get(base.request_id) if base.request_id else None
    scene.record(
        f"relation.{ended.value}",
        request,
        who=(event.userid, event.external_userid),
        source=event.source,
    )
    containing.gone(scene, gone, transferred=event.source == "DELETE_BY_TRANSFER")
    _take_back(scene, request)


def _take_back(scene: Scene, request: Request | None) -> None:
    """A relation that is over needs no decision."""
    if request is None or request.origin is not Origin.OBSERVED or request.state.is_final:
        return
    try:
        deciding.advance(scene, request, Withdraw("system:relation_ended"))
    except Refused:
        return


def judge_again(scene: Scene, request_id: str) -> None:
    """Judge a relation anew whose request became stale, if it still exists."""
    stale = scene.tx.requests.get(request_id)
    external = stale.subject.external_userid if stale else None
    if stale is None or external is None:
        return
    relation = scene.tx.relations.get(stale.requester.userid, external)
    if relation is None or relation.state not in _TOGETHER or relation.request_id != stale.id:
        return
    known = judging.happened(scene, relation, None)
    verdict = judging.judge(scene, known)
    judged(scene, _observed(scene, relation, Claim(), known, verdict), relation, None)
