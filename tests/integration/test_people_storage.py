"""What waits to be read or told of people, lists of the console, and a member's other userid."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from storage.database import Database
from storage.transaction import Transaction
from tests.makers_storage import a_request
from workflows.absences import Absence
from workflows.directory import Department, Directory, Member
from workflows.freezing import Freeze, Scope
from workflows.grants import Grant
from workflows.model import (
    Group,
    Person,
    Relation,
    RelationState,
    Stage,
    State,
    Ticket,
    TicketState,
)

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
LIN, WU = Member("LinMei", "林梅", (2,)), Member("wu", "吴", (2,))
OLD = Directory.of([LIN, WU], [Department(2, "Sales")])


async def test_what_is_untold_leads_back_to_what_was_told_last(db: Database) -> None:
    moved = Directory.of([replace(LIN, departments=(3,)), WU], [Department(2, "Trade")])
    joined = Directory.of([replace(LIN, departments=(4,)), Member("new", "新")], [])
    await db.write(lambda tx: tx.untold.note(OLD, moved, NOON))
    await db.write(lambda tx: tx.untold.note(moved, joined, NOON + timedelta(seconds=5)))

    assert await db.read(lambda tx: tx.untold.earlier(joined)) == OLD
    span = await db.read(lambda tx: tx.untold.span())
    assert span == (NOON, NOON + timedelta(seconds=5))
    await db.write(lambda tx: tx.untold.clear())
    assert await db.read(lambda tx: tx.untold.span()) is None


async def test_news_that_come_while_wecom_is_asked_are_not_forgotten(db: Database) -> None:
    await db.write(lambda tx: tx.news.add("user:lin", NOON))
    await db.write(lambda tx: tx.news.add("tag:1", NOON))
    seen = await db.read(lambda tx: tx.news.waiting())
    await db.write(lambda tx: tx.news.add("user:lin", NOON + timedelta(seconds=1)))

    await db.write(lambda tx: tx.news.drop(seen))

    left = await db.read(lambda tx: tx.news.waiting())
    assert dict(left.versions) == {"user:lin": 2}
    assert (left.since, left.changed_at) == (NOON, NOON + timedelta(seconds=1))


async def test_a_list_that_was_read_and_is_empty_is_not_one_that_was_never_read(
    db: Database,
) -> None:
    assert await db.read(lambda tx: tx.console_lists.get("x")) is None
    await db.write(lambda tx: tx.console_lists.put("x", ["a", "b"]))
    await db.write(lambda tx: tx.console_lists.put("x", ["b", "c"]))
    assert await db.read(lambda tx: tx.console_lists.get("x")) == frozenset("bc")
    await db.write(lambda tx: tx.console_lists.put("x", []))
    assert await db.read(lambda tx: tx.console_lists.get("x")) == frozenset()


async def test_the_tags_that_exist_are_kept_with_the_directory(db: Database) -> None:
    known = Directory.of([LIN], [Department(2, "Sales")], ["Trainee"])
    await db.write(lambda tx: tx.people.replace(known))
    assert await db.read(lambda tx: tx.people.directory()) == known


# --- another userid

LATER = NOON + timedelta(days=1)


def furnish(tx: Transaction) -> None:
    """Give LinMei one of everything that is hers, and a part in what is Wu's."""
    tx.people.replace(OLD)
    lin = Person("LinMei", "林梅")
    tx.requests.add(replace(a_request("A7K2", external_userid="wm-a"), requester=lin))
    hers = replace(
        a_request("B8M3", external_userid="wm-b"),
        requester=Person("wu", "吴"),
        approvers=(lin,),
        chain=(Stage((Group(("user:linmei",)),)),),
    )
    tx.requests.add(hers)
    closed = replace(a_request("C9N4", external_userid="wm-c"), requester=lin, state=State.DENIED)
    tx.requests.add(closed)
    tx.relations.put(Relation("LinMei", "wm-a", RelationState.ADDED, phones=("13800001234",)))
    tx.tickets.add(Ticket("mw-1", "A7K2", "LinMei", TicketState.OPEN, LATER))
    tx.grants.add(Grant("G-1", "LinMei", "friend.add", "wu", "A7K2", NOON, LATER))
    tx.absences.put(Absence(Person("wu", "吴"), lin, NOON, LATER))
    scope = Scope.MEMBER
    tx.freezes.add(Freeze("F-1", scope, "LinMei", "林梅", "zhao", "why", NOON, LATER))


def of(tx: Transaction, userid: str) -> dict[str, object]:
    """Return what one userid has."""
    return {
        "requests": sorted(each.id for each in tx.requests.by_requester(userid, 10)),
        "to decide": [each.id for each in tx.requests.pending_for(userid, 10)],
        "relations": [
            each.external_userid
            for each in tx.relations.of_customer("wm-a")
            if each.userid.lower() == userid.lower()
        ],
        "by phone": [
            each.external_userid
            for each in tx.relations.find_by_phone("13800001234")
            if each.userid.lower() == userid.lower()
        ],
        "tickets": [each.state_key for each in tx.tickets.open_of(userid)],
        "grants": [each.id for each in tx.grants.of_member(userid)],
        "stands in": [
            each.person.userid
            for each in tx.absences.in_force(NOON)
            if each.delegate.userid.lower() == userid.lower()
        ],
        "frozen": [each.id for each in tx.freezes.open() if each.what.lower() == userid.lower()],
    }


EVERYTHING = {
    "requests": ["A7K2", "C9N4"],
    "to decide": ["B8M3"],
    "relations": ["wm-a"],
    "by phone": ["wm-a"],
    "tickets": ["mw-1"],
    "grants": ["G-1"],
    "stands in": ["wu"],
    "frozen": ["F-1"],
}
NOTHING: dict[str, object] = {name: [] for name in EVERYTHING}


async def test_everything_follows_a_member_to_another_userid_and_nothing_stays(
    db: Database,
) -> None:
    await db.write(furnish)
    assert await db.read(lambda tx: of(tx, "linmei")) == EVERYTHING

    await db.write(lambda tx: tx.people.rename("LINMEI", replace(LIN, userid="Lin.Mei")))

    assert await db.read(lambda tx: of(tx, "lin.mei")) == EVERYTHING
    assert await db.read(lambda tx: of(tx, "linmei")) == NOTHING
    decides = await db.read(lambda tx: tx.requests.get("B8M3"))
    assert decides is not None
    assert decides.chain[0].groups[0].sources == ("user:Lin.Mei",)
    assert decides.requester.userid == "wu"
    known = await db.read(lambda tx: tx.people.directory())
    assert sorted(known.members) == ["lin.mei", "wu"]


async def test_a_request_that_follows_can_still_be_found_by_its_key(db: Database) -> None:
    await db.write(furnish)
    await db.write(lambda tx: tx.people.rename("LinMei", replace(LIN, userid="Lin.Mei")))
    request = await db.read(lambda tx: tx.requests.get("A7K2"))
    assert request is not None
    assert await db.read(lambda tx: tx.requests.open_by_key(request.key)) == request
