"""A member asks before adding somebody (报备): understood, checked, judged and put on file."""

from __future__ import annotations

from datetime import timedelta

from bot import hints
from bot.actions import (
    conflicts,
    deciding,
    disputes,
    judging,
    owner_notices,
    reasons,
    tickets,
)
from bot.actions.scene import Scene
from workflows import approval, asking, bulk, masking
from workflows.claims import Claim
from workflows.containment import is_gone
from workflows.model import (
    Containment,
    Customer,
    Facts,
    Origin,
    Outcome,
    Relation,
    Request,
    State,
    Subject,
    Ticket,
    same_user,
)
from workflows.steps import Revoke, Supersede

DRAFT = "ask"
_DRAFT_LIVES = timedelta(minutes=30)


def ask(scene: Scene, userid: str, text: str) -> None:
    """Take an ask in free text; ask back for what is missing."""
    _go_on(scene, userid, asking.read(text))


def complete(scene: Scene, userid: str, draft: str, more: str) -> None:
    """Take the answer to what was asked back. A question is no reason, and asked back again."""
    reading = asking.read(draft)
    if asking.is_question(more):
        scene.answer(userid, hints.unfinished(reading.missing, scene.texts, asked=True))
        return
    _go_on(scene, userid, asking.complete(reading, more), f"{draft}，{more}")


def _go_on(scene: Scene, userid: str, reading: asking.Reading, draft: str = "") -> None:
    if not reading.missing:
        scene.tx.drafts.drop(userid)
        submit(scene, userid, reading.claim)
        return
    scene.tx.drafts.put(userid, DRAFT, draft or _words(reading), scene.now + _DRAFT_LIVES)
    scene.answer(userid, hints.unfinished(reading.missing, scene.texts))


def _words(reading: asking.Reading) -> str:
    """Return a claim as a member might have typed it, with labels so that it reads back as is."""
    claim = reading.claim
    parts = (
        ("姓名", claim.name),
        ("公司", claim.company),
        ("电话", claim.phone or reading.broken),
        ("理由", claim.reason),
    )
    said = [f"{label}：{value}" for label, value in parts if value]
    return "，".join([*said, "已签约"] if claim.signed else said)


def submit(scene: Scene, userid: str, claim: Claim) -> None:
    """Judge an ask that has all it needs, and file it."""
    found = on_file(scene, claim)
    relations = followers(scene, found)
    if any(same_user(each.userid, userid) for each in relations):
        mine = next(each for each in relations if same_user(each.userid, userid))
        held = mine.containment is not Containment.NONE
        key = "ask.yours_but_held" if held else "ask.yours_already"
        scene.tell([userid], key, customer=claim.name, id=mine.request_id)
        return
    subject = subject_of(claim, found)
    scene.tx.hold(f"asks:{userid.lower()}")
    keys = conflicts.keys_of(found, claim, conflicts.relations_of(scene, found, claim))
    conflicts.hold(scene, keys)
    place = conflicts.own_place(scene, userid, keys)
    if _joins(scene, userid, subject, claim):
        return
    conflict = conflicts.known(scene, userid, found, claim, place=place)
    known = judging.planned(scene, userid, claim, found, place)
    draft = Request(
        id=scene.new_id(),
        action=judging.ADD,
        origin=Origin.ASKED,
        requester=scene.person(userid),
        subject=subject,
        claim=claim,
        facts=known,
        verdict=judging.judge(scene, known),
        created_at=scene.now,
    )
    conflicts.file(scene, draft, keys, place)
    request = deciding.open_request(scene, draft)
    _answer(scene, request)
    disputes.tell(scene, request, conflict)
    owner_notices.soon(scene, request, conflict.owners)


def on_file(scene: Scene, claim: Claim) -> Customer | None:
    """Return the customer whom the phone number names, if a colleague has noted it."""
    phone = masking.phone_digits(claim.phone)
    known = scene.tx.relations.find_by_phone(phone) if phone else []
    return scene.tx.relations.customer(known[0].external_userid) if known else None


def followers(scene: Scene, found: Customer | None) -> list[Relation]:
    """Return the relations of members who have this customer now."""
    if found is None:
        return []
    relations = scene.tx.relations.of_customer(found.external_userid)
    return [each for each in relations if not is_gone(each)]


def subject_of(claim: Claim, found: Customer | None) -> Subject:
    """Return whom an ask is about."""
    if found is not None:
        return Subject(found.external_userid, claim.name, found.external_userid)
    return Subject(f"planned:{asking.fingerprint(claim)}", claim.name)


def _joins(scene: Scene, userid: str, subject: Subject, claim: Claim) -> bool:
    """Whether the same is asked for already; with other words it takes the old one's place."""
    earlier = running(scene, userid, subject)
    if earlier is None:
        return False
    ticket = tickets.live(scene, earlier)
    if earlier.claim != claim or (earlier.state is State.EXECUTION_FAILED and ticket is None):
        return not _gives_way(scene, earlier)
    if ticket and earlier.state is State.EXECUTION_FAILED:
        if not try_again(scene, earlier, ticket):
            return False
        scene.tell([userid], "ask.allowed", id=earlier.id, customer=subject.name)
        return True
    scene.tell([userid], "ask.joined", id=earlier.id, customer=subject.name, state=earlier.state)
    if ticket:
        tickets.show_again(scene, earlier, ticket)
    return True


def try_again(scene: Scene, earlier: Request, ticket: Ticket) -> bool:
    """Order a ticket again that could not be made. False if its approval does not hold any more:
    then it is over, and a new request may be filed.
    """
    if ticket.expires_at > scene.now and _holds(scene, earlier):
        tickets.issue_again(scene, ticket)
        return True
    return not _gives_way(scene, earlier)


def _holds(scene: Scene, earlier: Request) -> bool:
    """Whether what is known now, and the rules of now, ask for no more than was agreed to."""
    userid, claim = earlier.requester.userid, earlier.claim
    found = on_file(scene, claim)
    keys = conflicts.keys_of(found, claim, conflicts.relations_of(scene, found, claim))
    place = conflicts.own_place(scene, userid, keys)
    known = _uncounted(scene, judging.planned(scene, userid, claim, found, place), earlier)
    verdict, order = judging.judge(scene, known), scene.book.chain_defaults.strictness
    whole = scene.tx.requests.get(earlier.part_of) if earlier.part_of else None
    if whole is not None:
        return bulk.covers(whole, verdict, order)
    return not approval.is_stricter(verdict, earlier.verdict, order)


def _uncounted(scene: Scene, known: Facts, request: Request) -> Facts:
    """Return the facts without a request itself in the counts of its day and week."""
    spans = {"today": judging.start_of_day(scene), "week": judging.start_of_week(scene)}
    own = {
        f"{span}.{what}"
        for span, since in spans.items()
        for what in ("adds", "requests")
        if request.created_at >= since
    }
    return {
        name: value - 1 if name in own and isinstance(value, int) else value
        for name, value in known.items()
    }


def running(scene: Scene, userid: str, subject: Subject) -> Request | None:
    """Return a member's request for the same that is open, or has a ticket nobody has used."""
    key = f"{userid.lower()}|{judging.ADD}|{subject.key}|{Origin.ASKED.value}"
    return scene.tx.requests.open_by_key(key) or _ticketed(scene, userid, key)


def _ticketed(scene: Scene, userid: str, key: str) -> Request | None:
    """Return the request of this key whose ticket nobody has used yet."""
    for ticket in scene.tx.tickets.open_of(userid):
        request = scene.tx.requests.get(ticket.request_id)
        if request is not None and request.key == key:
            return request
    return None


def _gives_way(scene: Scene, earlier: Request) -> bool:
    """Whether an earlier request could be ended for a new one: not while its ticket is made."""
    match earlier.state:
        case State.PENDING:
            deciding.advance(scene, earlier, Supersede())
        case State.EXECUTION_FAILED:
            deciding.advance(scene, earlier, Revoke("system:supersede"))
        case State.EXECUTED if tickets.revoke(scene, earlier):
            pass
        case _:  # or it was used this very moment
            words = {"id": earlier.id, "customer": earlier.subject.name, "state": earlier.state}
            scene.tell([earlier.requester.userid], "ask.joined", **words)
            return False
    return True


def _answer(scene: Scene, request: Request) -> None:
    to = [request.requester.userid]
    words = {"id": request.id, "customer": request.subject.name}
    match request.verdict.outcome:
        case Outcome.ALLOW:
            scene.tell(to, "ask.allowed", **words)
        case Outcome.DENY:
            scene.tell(to, "ask.denied", why=reasons.why(scene, request), **words)
        case Outcome.APPROVAL if request.state is State.PENDING:
            scene.tell(
                to,
                "ask.pending",
                who=tuple(person.name for person in request.approvers),
                due=request.due_at,
                why=reasons.why(scene, request),
                **words,
            )
        case Outcome.APPROVAL:
            pass  # an auto-review or the like has ended it, and that was told
