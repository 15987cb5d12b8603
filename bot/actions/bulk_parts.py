"""An approved list is carried out: every line becomes an add of its own, with its own ticket.

A batch of lines is put on file in one transaction, and the tickets of a batch come in one message:
WeCom drops without a word what is more than thirty messages a minute to one member (document
90312).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

from bot import outgoing
from bot.actions import (
    asking,
    bulk_orders,
    conflicts,
    deciding,
    judging,
    owner_notices,
    reasons,
    tickets,
)
from bot.actions.scene import Scene
from bot.pages import paged
from bot.texts import Text
from bot.wecom import Article
from workflows import bulk
from workflows.model import Origin, Outcome, Request, State, Ticket, TicketState, same_user
from workflows.plans import Line
from workflows.steps import Executed, ExecutionFailed, Refused, Revoke

_UNSETTLED = frozenset({State.APPROVED, State.EXECUTION_FAILED})


def carry_out(scene: Scene, name: str) -> None:
    """Put the next batch of lines of an approved list on file, and have the clock do the rest."""
    request = _held(scene, name.partition("|")[0])
    if request is None or request.state is not State.APPROVED or not bulk.left(request):
        return
    batch = bulk.left(request)[: bulk.BATCH]
    said = [_file(scene, request, line) for line in batch]
    _tell(scene, request, [each for each in said if each])
    request, before = bulk.carried_out(request, batch[-1]), request
    scene.tx.requests.move(before, request)
    if bulk.left(request):
        bulk_orders.carry_out(scene, request)
        return
    scene.record("list.carried_out", request)
    _finish(scene, request)


def settle(scene: Scene, name: str) -> None:
    """Send the tickets of a batch once all are made, and close a list of which nothing is left."""
    part = scene.tx.requests.get(name.partition("|")[0])
    request = _held(scene, part.part_of) if part else None
    if part is None or request is None:
        return
    batch = bulk.batch_of(request, part, scene.tx.lists.parts(request.id))
    if all(each.state is not State.APPROVED for each in batch):
        _hand_over(scene, request, batch)
    _finish(scene, request)


def take_back(scene: Scene, list_id: str) -> None:
    """Take back what an approved list has brought about, as far as nobody has used it."""
    request = _held(scene, list_id)
    if request is None or request.state is not State.REVOKED:
        return
    made = bulk.made_by(request, scene.tx.lists.parts(list_id))
    for part in made:
        if part.state in _UNSETTLED:
            with suppress(Refused):
                deciding.advance(scene, part, Revoke("system:list"))
        else:
            tickets.revoke(scene, part)
    _tell_used(scene, request, made)


def _tell_used(scene: Scene, request: Request, made: Iterable[Request]) -> None:
    """Name those of a list that was taken back whom nobody can take back any more."""
    used = tuple(
        f"{part.subject.name} {part.id}"
        for part in made
        if (ticket := scene.tx.tickets.of_request(part.id)) and ticket.state is TicketState.USED
    )
    if used:
        decider = request.decided_by.removeprefix("user:")
        to = scene.directory.active((request.requester.userid, decider))
        scene.tell(to, "undo.list_used", id=request.id, who=used, count=len(used))


TIMERS: Mapping[str, Callable[[Scene, str], None]] = {
    bulk_orders.CARRY_OUT: carry_out,
    bulk_orders.SETTLE: settle,
    bulk_orders.TAKE_BACK: take_back,
}


def try_again(scene: Scene, request: Request) -> int:
    """Order the tickets of a list once more that could not be made; return how many.

    Where the list's approval does not hold any more, the line is asked for anew, by itself.
    """
    made = bulk.made_by(request, scene.tx.lists.parts(request.id))
    failed = [each for each in made if each.state is State.EXECUTION_FAILED]
    found = [(each, ticket) for each in failed if (ticket := tickets.live(scene, each))]
    over = [part for part, ticket in found if not asking.try_again(scene, part, ticket)]
    for part in over:
        asking.submit(scene, request.requester.userid, part.claim)
    return len(found) - len(over)


def _held(scene: Scene, list_id: str) -> Request | None:
    """Return a list that nobody else works on until this step is over."""
    found = scene.tx.requests.get(list_id) if list_id else None
    if found is None:
        return None
    scene.tx.hold(f"asks:{found.requester.userid.lower()}")
    scene.tx.hold(f"list:{found.id}")
    return scene.tx.requests.get(list_id)


# A line becomes an add


def _file(scene: Scene, request: Request, line: Line) -> Text | None:
    """File one line, judged by what is known now; return what to tell if it is not simply made."""
    userid = request.requester.userid
    found = asking.on_file(scene, line.claim)
    owners = asking.followers(scene, found)
    if any(same_user(each.userid, userid) for each in owners):
        return _row(scene, line, "bulk.yours_already")
    subject = asking.subject_of(line.claim, found)
    if earlier := asking.running(scene, userid, subject):
        return _row(scene, line, "bulk.asked_already", id=earlier.id, state=earlier.state)
    keys = conflicts.keys_of(found, line.claim, owners)
    conflicts.hold(scene, keys)
    known = judging.of_line(scene, userid, line.claim, found, request)
    draft = Request(
        id=scene.new_id(),
        action=judging.ADD,
        origin=Origin.ASKED,
        requester=request.requester,
        subject=subject,
        claim=line.claim,
        facts=known,
        verdict=judging.judge(scene, known),
        created_at=scene.now,
        part_of=request.id,
    )
    conflicts.file(scene, draft, keys, request.created_at)
    owner_notices.soon(scene, draft, owners)
    return _decided(scene, request, line, draft)


def _decided(scene: Scene, request: Request, line: Line, draft: Request) -> Text | None:
    """Decide a line as its list was; what needs more than was agreed to goes its own way."""
    refusing = bulk.refusals(request).get(line.number)
    if refusing is not None:
        part = _put(scene, bulk.refused_part(draft, refusing, scene.now))
        words = {"who": refusing.by.name, "comment": refusing.comment}
        return _row(scene, line, "bulk.line_refused", id=part.id, **words)
    if bulk.covers(request, draft.verdict, scene.book.chain_defaults.strictness):
        tickets.issue(scene, _put(scene, bulk.approved_part(request, draft, scene.now)))
        return None
    own = deciding.open_request(scene, replace(draft, part_of=""))
    denied = own.verdict.outcome is Outcome.DENY
    key = "bulk.line_denied" if denied else "bulk.line_alone"
    return _row(scene, line, key, id=own.id, why=reasons.why(scene, own))


def _put(scene: Scene, part: Request) -> Request:
    scene.tx.requests.add(part)
    scene.tx.lists.add_part(part)
    scene.record(
        "request.opened",
        part,
        actor=part.decided_by,
        action=part.action,
        origin=part.origin.value,
        outcome=part.verdict.outcome.word,
        reason=part.verdict.reason.value,
        rules=list(part.verdict.rules),
        missing=list(part.verdict.missing),
        chain=part.verdict.chain,
        policy=part.verdict.policy,
        state=part.state.value,
        comment=part.comment,
        part_of=part.part_of,
    )
    return part


def _row(scene: Scene, line: Line, key: str, **words: object) -> Text:
    what = scene.theirs(key, **words)
    return scene.theirs("bulk.row", number=line.number, customer=line.claim.name, what=what)


def _tell(scene: Scene, request: Request, rows: list[Text]) -> None:
    if rows:
        head = scene.theirs("bulk.not_made", id=request.id)
        for page in paged([head, *rows]):
            scene.answer(request.requester.userid, page)


# The tickets, and the end


def _hand_over(scene: Scene, request: Request, batch: Iterable[Request]) -> None:
    """Send the QR codes that are there and have not been sent yet, in one message."""
    ready = [
        (part, ticket)
        for part in batch
        if (ticket := tickets.live(scene, part)) and _is_ready(ticket)
    ]
    if not ready:
        return
    first, *more = (_article(scene, *each) for each in ready)
    userid, keys = request.requester.userid, "+".join(ticket.state_key for _, ticket in ready)
    face = (first.title, first.description, first.url, first.picurl)
    scene.send(outgoing.SendNews(userid, *face, tuple(more)), key=f"tickets:{keys}")
    for part, ticket in ready:
        scene.tx.tickets.move(ticket, replace(ticket, sent=True))
        scene.record("ticket.issued", part, until=ticket.expires_at.isoformat())


def _is_ready(ticket: Ticket) -> bool:
    return ticket.state is TicketState.OPEN and not ticket.sent


def _article(scene: Scene, part: Request, ticket: Ticket) -> Article:
    words = {"id": part.id, "customer": part.subject.name, "until": ticket.expires_at}
    title, how = scene.theirs("bulk.ticket", **words), scene.theirs("ticket.how", **words)
    return Article(title, ticket.qr_code, how, ticket.qr_code)


def _finish(scene: Scene, request: Request) -> None:
    """Close a list all of whose adds have their tickets, or will not get them."""
    if request.state not in _UNSETTLED or bulk.left(request):
        return
    made = bulk.made_by(request, scene.tx.lists.parts(request.id))
    failed = [each for each in made if each.state is State.EXECUTION_FAILED]
    if any(each.state is State.APPROVED for each in made):
        return
    if failed and len(failed) == len(made):
        deciding.advance(scene, request, ExecutionFailed(scene.theirs("bulk.no_tickets")))
        return
    deciding.advance(scene, request, Executed())
    if failed:
        names = tuple(f"{each.subject.name} {each.id}" for each in failed)
        words = {"id": request.id, "who": names, "first": failed[0].id}
        scene.tell([request.requester.userid], "bulk.some_failed", **words)
