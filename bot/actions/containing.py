"""Relations that are not allowed: held, let go, or undone until the end was seen."""

from __future__ import annotations

from dataclasses import replace
from typing import assert_never

from bot import outgoing
from bot.actions import knowing, reasons
from bot.actions.scene import Scene
from bot.wecom import ExternalContact
from bot.wording import Words
from storage.requests import Overtaken
from storage.work import Queue
from workflows import containment
from workflows.containment import (
    AllowedAfterAll,
    AskToDelete,
    CheckAgain,
    Gone,
    Mark,
    Marks,
    Orders,
    Plan,
    Seen,
    TellClosed,
    TellEscalated,
    Transfer,
    TransferDone,
)
from workflows.model import (
    Containment,
    Relation,
    Remedy,
    RemedyState,
    Request,
    State,
    same_user,
)
from workflows.schedules import parse_duration
from workflows.sections import Enforcement

CHECK = "remedy_check"
_ASSIGNED = 202  # the add_way of a transfer, document 92114
_NO_WISH = Enforcement()


def hold(scene: Scene, relation: Relation, request: Request) -> None:
    """Mark a relation whose request waits for an answer."""
    _show(scene, relation, Containment.PENDING, request)


def hold_again(scene: Scene, request: Request) -> None:
    """Mark the relation of a request whose approval was taken back, until it is judged again."""
    relation = _relation_of(scene, request)
    if relation is None or containment.is_gone(relation) or relation.request_id != request.id:
        return
    hold(scene, relation, request)


def deny(scene: Scene, request: Request) -> None:
    """Mark a relation that is not allowed, and begin to undo it where the rules say how."""
    relation = _relation_of(scene, request)
    if relation is None or containment.is_gone(relation):
        return
    _show(scene, relation, Containment.DENIED, request)
    plan = _plan(_enforcement(scene, request))
    if plan is None or scene.tx.remedies.open_for(relation.userid, relation.external_userid):
        return
    remedy, orders = containment.open_remedy(request.id, relation, plan, scene.now)
    scene.tx.remedies.add(remedy)
    scene.record(
        "remedy.opened", request, state=remedy.state.value, until=remedy.due_at.isoformat()
    )
    _follow(scene, remedy, request, orders)


def release(scene: Scene, request: Request) -> None:
    """Let a relation go that turned out to be allowed."""
    relation = _relation_of(scene, request)
    if relation is None:
        return
    free, orders = containment.release(relation, _marks(scene, request), name=request.subject.name)
    scene.tx.relations.put(replace(free, asked_at=scene.now))
    if orders:
        scene.record("containment.released", request)
    _mark(scene, free, orders)
    _allowed(scene, relation)


def _allowed(scene: Scene, relation: Relation) -> None:
    """End the remedy of a relation that was let go, with the transfer it may have ordered."""
    remedy = scene.tx.remedies.open_for(relation.userid, relation.external_userid)
    if remedy is not None:
        moving = remedy.state is RemedyState.TRANSFERRING
        what = AllowedAfterAll(called_off=moving and _call_off(scene, remedy))
        _take(scene, remedy, what)


def _call_off(scene: Scene, remedy: Remedy) -> bool:
    """Keep an ordered transfer from being made; False if it was tried: WeCom may have taken it."""
    key = _order_of(remedy.request_id)
    lane = outgoing.lane_of(remedy.userid, remedy.external_userid)
    for row in scene.tx.work.open_in(Queue.OUTBOX, lane):
        if row.key == key and row.tries == 0 and scene.tx.work.cancel(key, scene.now):
            now = scene.tx.work.get(row.id)
            if now is None or now.tries:  # a worker has got it in between
                raise Overtaken(key)
            return True
    return False


def _order_of(request_id: str) -> str:
    return f"transfer:{request_id}"


def is_to_move(scene: Scene, what: outgoing.Transfer) -> bool:
    """Whether a transfer is still wanted: what it undoes is neither over nor allowed by now."""
    remedy = scene.tx.remedies.of_request(what.request_id)
    relation = scene.tx.relations.get(what.userid, what.external_userid)
    is_open = remedy is not None and remedy.state is not RemedyState.CLOSED
    allowed = relation is not None and relation.containment is Containment.NONE
    return is_open and not allowed


def tell_of(scene: Scene, request: Request) -> None:
    """Tell the member, and whom the rules name, that an add waits or is not allowed."""
    if request.state not in {State.PENDING, State.DENIED}:
        return
    pending = request.state is State.PENDING
    wish = _enforcement(scene, request)
    to = _affected(scene, request, (wish.pending if pending else wish.denied).notify)
    words = {
        "id": request.id,
        "customer": request.subject.name,
        "why": reasons.why(scene, request),
    }
    member = request.requester
    others = [each for each in to if not same_user(each, member.userid)]
    if pending:
        who = tuple(person.name for person in request.approvers)
        key = scene.variant("observed.pending", request)
        scene.tell([member.userid], key, who=who, due=request.due_at, **words)
        asked = {person.userid.lower() for person in request.approvers}
        others = [each for each in others if each.lower() not in asked]  # they have the card
    else:
        scene.tell([member.userid], scene.variant("observed.denied", request), **words)
    key = scene.variant("observed.senior", request)
    scene.tell(others, key, member=member.name, state=request.state, **words)


def _affected(scene: Scene, request: Request, selectors: tuple[str, ...]) -> list[str]:
    """Return whom `notify` names besides the member; a refusal always reaches the supervisor."""
    found: list[str] = []
    if request.state is State.DENIED or "approvers" in selectors:
        found += _supervisors(scene, request)
    for selector in selectors:
        if ":" in selector:
            found += sorted(scene.named(selector))
    return found


def taken_over(scene: Scene, relation: Relation, contact: ExternalContact | None) -> bool:
    """Whether an add is a customer we had handed over ourselves; then the remedy is done.

    Only if WeCom no longer shows the customer with the member who had to give them up.
    """
    for other in scene.tx.relations.of_customer(relation.external_userid):
        if same_user(other.userid, relation.userid):
            continue  # nobody hands over to themselves
        remedy = _handed_over(scene, other, relation)
        if remedy is not None and knowing.follower(contact, other.userid) is None:
            governed = replace(relation, request_id=remedy.request_id)
            scene.tx.relations.put(governed)
            who = (relation.userid, relation.external_userid)
            scene.record("add.transferred", who=who, because=remedy.request_id)
            seen(scene, other.userid, relation.external_userid, TransferDone())
            return True
    return False


def _handed_over(scene: Scene, giver: Relation, taker: Relation) -> Remedy | None:
    """Return the remedy that moved the customer. What ended with the giver may be told first."""
    remedy = scene.tx.remedies.open_for(giver.userid, giver.external_userid)
    if remedy is None and giver.request_id:
        remedy = scene.tx.remedies.of_request(giver.request_id)
    if remedy is None or not same_user(remedy.transfer_to, taker.userid):
        return None
    moving = remedy.state in {RemedyState.TRANSFERRING, RemedyState.ESCALATED}
    moved = remedy.closed_because == "transferred" and taker.add_way == _ASSIGNED
    return remedy if moving or moved else None


def escalate(scene: Scene, userid: str, external_userid: str) -> None:
    """Hand a remedy to humans whose relation could not be looked at."""
    old = scene.tx.remedies.open_for(userid, external_userid)
    request = scene.tx.requests.get(old.request_id) if old else None
    if old is None or request is None:
        return
    new = replace(old, state=RemedyState.ESCALATED)
    if scene.tx.remedies.move(old, new):
        scene.record("remedy.escalated", request)
        _follow(scene, new, request, (TellEscalated("not_seen"),))


def gone(scene: Scene, relation: Relation, *, transferred: bool) -> None:
    """Close the remedy of a relation that has ended."""
    what = TransferDone() if transferred else Gone()
    seen(scene, relation.userid, relation.external_userid, what)


def seen(scene: Scene, userid: str, external_userid: str, what: Seen) -> None:
    """Take a remedy one step further by what was seen of its relation."""
    old = scene.tx.remedies.open_for(userid, external_userid)
    if old is not None:
        _take(scene, old, what)


def _take(scene: Scene, old: Remedy, what: Seen) -> None:
    new, orders = containment.remedy_step(old, what, scene.now)
    if new != old and not scene.tx.remedies.move(old, new):
        return
    request = scene.tx.requests.get(old.request_id)
    if request is None:
        return
    if new.state is not old.state:
        scene.record(f"remedy.{new.state.value}", request, because=new.closed_because)
    _follow(scene, new, request, orders)


def _show(scene: Scene, relation: Relation, how: Containment, request: Request) -> None:
    marks = _marks(scene, request)
    held, orders = containment.hold(relation, how, marks, name=request.subject.name)
    scene.tx.relations.put(replace(held, asked_at=scene.now))
    if orders:
        scene.record("containment.held", request, how=how.value, tag=marks.tag(how))
    _mark(scene, held, orders)


def _mark(scene: Scene, relation: Relation, orders: Orders) -> None:
    for order in orders:
        if isinstance(order, Mark):
            scene.send(
                outgoing.MarkRelation(
                    relation.userid,
                    relation.external_userid,
                    order.add_tags,
                    order.remove_tags,
                    order.remark,
                    held=relation.containment,
                )
            )


def still_fitting(scene: Scene, what: outgoing.MarkRelation) -> outgoing.MarkRelation:
    """Return of a mark what does not contradict how the relation is held by now.

    What was given up may be tried again long afterwards. What it takes off still has to go: no
    later mark takes it off again.
    """
    relation = scene.tx.relations.get(what.userid, what.external_userid)
    if relation is None or what.held in (None, relation.containment):
        return what
    request = scene.tx.requests.get(relation.request_id)
    own = _marks(scene, request).tag(relation.containment) if request else ""
    return replace(
        what,
        add_tags=tuple(tag for tag in what.add_tags if tag == own),
        remove_tags=tuple(tag for tag in what.remove_tags if tag != own),
        remark=what.remark if own and own in what.add_tags else None,
    )


def _follow(scene: Scene, remedy: Remedy, request: Request, orders: Orders) -> None:
    subject, member = request.subject.name, request.requester
    for order in orders:
        match order:
            case AskToDelete():
                scene.tell(
                    [member.userid], "remedy.ask_to_delete",
                    id=request.id, customer=subject, by=order.by,
                )  # fmt: skip
            case CheckAgain():
                scene.remind(CHECK, f"{remedy.userid}|{remedy.external_userid}", order.at)
            case Transfer():
                move = outgoing.Transfer(
                    request.id, remedy.userid, remedy.external_userid, order.to
                )
                scene.send(move, key=_order_of(request.id))
            case TellEscalated():
                why = Words(f"remedy.why.{order.why}", {"detail": order.detail})
                scene.tell(
                    _seniors(scene, request), "remedy.escalated",
                    id=request.id, member=member.name, customer=subject, why=why,
                )  # fmt: skip
            case TellClosed():
                how = Words(f"remedy.how.{order.why}")
                words = {"id": request.id, "customer": subject, "how": how}
                scene.tell([member.userid], "remedy.closed_yours", **words)
                scene.tell(_seniors(scene, request), "remedy.closed", member=member.name, **words)
            case Mark():
                pass  # a remedy has no marks of its own
            case _:
                assert_never(order)


def _seniors(scene: Scene, request: Request) -> list[str]:
    """Return the requester's supervisor, then the admins."""
    managers = scene.directory.manager_of(request.requester.userid)
    return list(dict.fromkeys([*managers, *scene.standing.admins]))


def _supervisors(scene: Scene, request: Request) -> list[str]:
    """Return who leads the requester; the admins where nobody does."""
    return list(scene.directory.manager_of(request.requester.userid)) or list(scene.standing.admins)


def _relation_of(scene: Scene, request: Request) -> Relation | None:
    external = request.subject.external_userid
    return knowing.relation(scene, request.requester.userid, external) if external else None


def _enforcement(scene: Scene, request: Request) -> Enforcement:
    return scene.book.enforcement.get(request.action, _NO_WISH)


def _marks(scene: Scene, request: Request) -> Marks:
    wish = _enforcement(scene, request)
    return Marks(
        pending_tag=wish.pending.tag,
        denied_tag=wish.denied.tag,
        pending_prefix=f"[{wish.pending.tag}]" if wish.pending.tag else "",
        denied_prefix=f"[{wish.denied.tag}]" if wish.denied.tag else "",
    )


def _plan(wish: Enforcement) -> Plan | None:
    if wish.denied.remedy is None:
        return None
    to = (wish.denied.transfer_to or "").removeprefix("user:")
    return Plan(parse_duration(wish.denied.within), wish.denied.then or "", to)
