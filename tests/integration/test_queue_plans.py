"""What is asked of the database again and again follows an index, however much lies in it.

As the program finds it: PostgreSQL has looked at its tables by itself, SQLite never has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, text

from storage.database import Database
from storage.transaction import Transaction
from storage.work import Queue
from tests.makers_storage import NOON, a_job, a_person, a_record, a_request
from workflows.model import (
    Answer,
    Card,
    CardState,
    Request,
    State,
    Subject,
    Ticket,
    TicketState,
    Vote,
)

COUNT = 1500
MINUTE = timedelta(minutes=1)
LEAD = "lead7"

Asked = Callable[[Transaction], object]


def filed(number: int) -> Request:
    """Every third waits for one of twenty leads; the others were approved by them."""
    lead = a_person(f"lead{number % 20}")
    at = NOON + number * MINUTE
    external = f"wm{number}"
    is_open = number % 3 == 0
    return a_request(
        f"R{number}",
        requester=a_person(f"u{number % 60}", f"姓{number % 60}"),
        subject=Subject(external, f"客户{number % 400}", external),
        created_at=at,
        state=State.PENDING if is_open else State.EXECUTED,
        approvers=(lead,),
        votes=() if is_open else (Vote(0, lead, Answer.APPROVE, at, "card"),),
    )


def fill(tx: Transaction) -> None:
    for number in range(COUNT):
        request = filed(number)
        tx.requests.add(request)
        tx.tickets.add(Ticket(f"mw-{number}", request.id, "u7", TicketState.USED, NOON))
        tx.cards.add(Card(f"t{number}", request.id, 0, request.approvers[0].userid, CardState.OPEN))
        for kind in ("request.opened", "message.sent"):
            tx.audit.add(a_record(kind, request_id=request.id, external_userid=f"wm{number}"))
    tx.work.add(
        [a_job(f"l{n}", queue=Queue.TIMERS, due=NOON + n * MINUTE) for n in range(COUNT)], NOON
    )
    tx.work.claim(Queue.TIMERS, NOON + 3 * MINUTE, 8, MINUTE)


LAST = filed(300)
ASKED: Mapping[str, tuple[Asked, str]] = {
    "what waits for somebody": (
        lambda tx: tx.requests.pending_for(LEAD, 100),
        "ix_request_approvers_userid",
    ),
    "the next page of it": (
        lambda tx: tx.requests.pending_for(LEAD, 100, LAST),
        "ix_request_approvers_userid",
    ),
    "how much it is": (
        lambda tx: tx.requests.count_pending_for(LEAD),
        "ix_request_approvers_userid",
    ),
    "what has waited longest": (
        lambda tx: tx.work.oldest_due(Queue.TIMERS, NOON + 30 * MINUTE),
        "ix_work_due",
    ),
    "one's own": (lambda tx: tx.requests.by_requester("u7", 10), "ix_requests_requester"),
    "the counters of a judgement": (
        lambda tx: tx.requests.counts("u7", "friend.add", NOON + 1200 * MINUTE),
        "ix_requests_requester",
    ),
    "what a like case came to": (
        lambda tx: tx.precedents.of_requester("u7", NOON + 1200 * MINUTE),
        "ix_requests_requester",
    ),
    "how long approvers take": (
        lambda tx: tx.precedents.answers([LEAD], NOON + 1200 * MINUTE),
        "ix_votes_userid",
    ),
    "the same request": (
        lambda tx: tx.requests.open_by_key("u7|friend.add|wm7|asked"),
        "ux_requests_open_key",
    ),
    "a customer's": (lambda tx: tx.requests.of_customer("wm7", 5), "ix_requests_customer"),
    "a page of all that waits": (
        lambda tx: tx.requests.pending(100, LAST),
        "ix_requests_pending",
    ),
    "a page of the past": (
        lambda tx: tx.decisions.page(NOON, NOON + 900 * MINUTE, 100),
        "ix_requests_created_at",
    ),
    "the record of a request": (lambda tx: tx.audit.of_request("R7"), "ix_audit_request"),
    "the record of a customer": (lambda tx: tx.audit.of_customer("wm7"), "ix_audit_customer"),
    "the cards of a request": (lambda tx: tx.cards.of_request("R7"), "ix_cards_request_id"),
    "the ticket of a request": (
        lambda tx: tx.tickets.of_request("R7"),
        "ix_tickets_request_id",
    ),
    "due timers": (
        lambda tx: tx.work.claim(Queue.TIMERS, NOON + 5 * MINUTE, 8, MINUTE),
        "ix_work_due",
    ),
    "what an ended process had in hand": (
        lambda tx: tx.work.release_leases(NOON),
        "ix_work_leased",
    ),
}


@pytest.fixture
async def full(db: Database, engine: Engine) -> Database:
    await db.write(fill)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as outside:
            outside.execute(text("VACUUM (ANALYZE)"))
    return db


class Explained(Exception):
    """Undoes a step, and has the plan of everything it asked."""


async def plans(db: Database, step: Asked) -> list[str]:
    """Return the plan of each of a step's statements, in order; what it wrote is undone."""
    sent: dict[str, object] = {}

    def note(_c: object, _cursor: object, statement: str, values: object, *_: object) -> None:
        if statement.startswith(("SELECT", "UPDATE")):
            sent.setdefault(statement, values)

    def undone(tx: Transaction) -> None:
        step(tx)
        raise Explained

    event.listen(db._writer, "before_cursor_execute", note)
    with pytest.raises(Explained):
        await db.write(undone)
    event.remove(db._writer, "before_cursor_execute", note)
    is_sqlite = db._writer.dialect.name == "sqlite"
    prefix = "EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN "
    found = []
    with db._writer.connect() as inside:
        for statement, values in sent.items():
            rows = inside.exec_driver_sql(prefix + statement, values)  # type: ignore[arg-type]
            found.append("\n".join(str(row[-1]) for row in rows))
    return found


async def test_what_is_asked_all_day_follows_its_index(full: Database) -> None:
    for what, (step, index) in ASKED.items():
        found = await plans(full, step)

        assert any(f"{index} " in f"{plan} " for plan in found), (what, found)
        assert not any("Seq Scan" in plan for plan in found), (what, found)


async def test_a_search_reads_names_in_the_order_of_their_index(full: Database) -> None:
    """A common name or a surname must not have every hit read and sorted."""
    found = await plans(full, lambda tx: list(tx.requests.search("客户7", 200)))

    by_id, customer, requester, part, begins, begins_too = found
    assert "pk_requests" in by_id or "sqlite_autoindex_requests_1" in by_id
    assert "ix_requests_subject_name" in customer
    assert "ix_requests_requester_name" in requester
    assert "ix_requests_created_at" in part
    assert "Index Only Scan" in part or "COVERING INDEX" in part
    assert "ix_requests_subject_name" in begins
    assert "ix_requests_requester_name" in begins_too
    assert not any("Sort" in plan or "TEMP B-TREE" in plan for plan in (begins, begins_too))
