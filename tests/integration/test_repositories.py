"""The smaller repositories: what is put in comes out, and only one of two changes wins."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy.exc import IntegrityError

from storage.candidates import Candidate
from storage.database import Database
from storage.drafts import Draft
from storage.policies import StoredPolicy
from storage.transaction import Transaction
from tests.makers_storage import NOON
from workflows.directory import Department, Directory, Member
from workflows.model import (
    Card,
    CardState,
    Containment,
    Customer,
    Relation,
    RelationState,
    Remedy,
    RemedyState,
    Ticket,
    TicketState,
)

HOUR = timedelta(hours=1)
TICKET = Ticket("mw-1", "A7K2", "LiNa", TicketState.ISSUING, NOON + HOUR)
REMEDY = Remedy("A7K2", "LiNa", "wm1", RemedyState.ASKED, NOON + HOUR, then="transfer")
RELATION = Relation(
    userid="LiNa",
    external_userid="wm1",
    state=RelationState.ADDED,
    added_at=NOON,
    add_way=1,
    phones=("13800001234", "13900001234"),
    tags=frozenset({"VIP", "已签约"}),
    seen_at=NOON,
    containment=Containment.PENDING,
)
CARD = Card("task-1", "A7K2", 0, "WangFang", CardState.OPEN, "code", NOON)


async def test_a_ticket_is_found_by_its_state_its_request_and_its_member(db: Database) -> None:
    await db.write(lambda tx: tx.tickets.add(TICKET))

    assert await db.read(lambda tx: tx.tickets.get("mw-1")) == TICKET
    assert await db.read(lambda tx: tx.tickets.of_request("a7k2")) == TICKET
    assert await db.read(lambda tx: tx.tickets.open_of("LINA")) == [TICKET]
    assert await db.read(lambda tx: tx.tickets.get("mw-2")) is None
    assert await db.read(lambda tx: tx.tickets.of_request("B")) is None


async def test_a_ticket_is_used_once(db: Database) -> None:
    await db.write(lambda tx: tx.tickets.add(TICKET))
    opened = replace(TICKET, state=TicketState.OPEN, config_id="c", qr_code="https://…")
    used = replace(opened, state=TicketState.USED, used_by="wm1")

    assert await db.write(lambda tx: tx.tickets.move(TICKET, opened))
    assert await db.read(lambda tx: tx.tickets.open_of("lina")) == [opened]
    assert await db.write(lambda tx: tx.tickets.move(opened, used))
    assert not await db.write(lambda tx: tx.tickets.move(opened, used))
    assert await db.read(lambda tx: tx.tickets.get("mw-1")) == used
    assert await db.read(lambda tx: tx.tickets.open_of("lina")) == []


async def test_the_live_ticket_of_a_request_comes_first(db: Database) -> None:
    expired = replace(TICKET, state=TicketState.EXPIRED, expires_at=NOON + 9 * HOUR)
    live = replace(TICKET, state_key="mw-2")
    for ticket in (expired, live):
        await db.write(lambda tx, t=ticket: tx.tickets.add(t))  # type: ignore[misc]

    assert await db.read(lambda tx: tx.tickets.of_request("A7K2")) == live


async def test_a_remedy_is_open_until_it_is_closed_once(db: Database) -> None:
    await db.write(lambda tx: tx.remedies.add(REMEDY))
    closed = replace(REMEDY, state=RemedyState.CLOSED, closed_because="deleted")

    assert await db.read(lambda tx: tx.remedies.open_for("lina", "wm1")) == REMEDY
    assert await db.read(lambda tx: tx.remedies.open_for("lina", "wm2")) is None
    assert await db.write(lambda tx: tx.remedies.move(REMEDY, closed))
    assert not await db.write(lambda tx: tx.remedies.move(REMEDY, closed))
    assert await db.read(lambda tx: tx.remedies.open_for("lina", "wm1")) is None
    assert await db.read(lambda tx: tx.remedies.of_request("a7k2")) == closed


async def test_a_request_has_one_remedy(db: Database) -> None:
    await db.write(lambda tx: tx.remedies.add(REMEDY))

    with pytest.raises(IntegrityError):
        await db.write(lambda tx: tx.remedies.add(REMEDY))


async def test_a_relation_is_found_from_both_ends_and_by_phone(db: Database) -> None:
    await db.write(lambda tx: tx.relations.put(RELATION))

    assert await db.read(lambda tx: tx.relations.get("LINA", "wm1")) == RELATION
    assert await db.read(lambda tx: tx.relations.get("lina", "wm2")) is None
    assert await db.read(lambda tx: tx.relations.of_customer("wm1")) == [RELATION]
    assert await db.read(lambda tx: tx.relations.of_member("lina")) == [RELATION]
    assert await db.read(lambda tx: tx.relations.find_by_phone("13900001234")) == [RELATION]
    assert await db.read(lambda tx: tx.relations.find_by_phone("1390000123")) == []


async def test_a_relation_put_again_forgets_its_old_phones(db: Database) -> None:
    newer = replace(RELATION, userid="lina", phones=("1", "1"), state=RelationState.HALF)
    await db.write(lambda tx: tx.relations.put(RELATION))
    await db.write(lambda tx: tx.relations.put(newer))

    assert await db.read(lambda tx: tx.relations.of_member("LiNa")) == [newer]
    assert await db.read(lambda tx: tx.relations.find_by_phone("13900001234")) == []
    assert await db.read(lambda tx: tx.relations.find_by_phone("1")) == [newer]


async def test_customers_are_found_by_the_beginning_of_their_name_or_company(
    db: Database,
) -> None:
    zhang = Customer("wm1", "张总", corp_name="ACME 公司", unionid="u")
    bob = Customer("wm2", "Bob")
    renamed = replace(bob, name="Bobby 50%")
    for customer in (zhang, bob, renamed):
        await db.write(lambda tx, c=customer: tx.relations.put_customer(c))  # type: ignore[misc]

    assert await db.read(lambda tx: tx.relations.customer("wm1")) == zhang
    assert await db.read(lambda tx: tx.relations.customer("wm3")) is None
    for words, expected in {
        "张": [zhang],
        "acme": [zhang],
        "bobby 50%": [renamed],
        "wm2": [renamed],
        "总": [],
        "%": [],
        "": [],
    }.items():
        found = await db.read(lambda tx, w=words: tx.relations.find_customers(w))  # type: ignore[misc]
        assert found == expected, words


async def test_a_customer_is_found_by_the_whole_name_or_id_only(db: Database) -> None:
    one, two = Customer("wm-1", "Zhang Wei"), Customer("wm-2", "ZHANG WEI", "wecom", "Zhang")
    other = Customer("wm-3", "Zhang", "wecom", "Zhang Wei")
    for customer in (one, two, other):
        await db.write(lambda tx, c=customer: tx.relations.put_customer(c))  # type: ignore[misc]

    for words, expected in {
        " zhang wei": [one, two],
        "Zhang": [other],
        "wm-2": [two],
        "WM-2": [],
        "Zhan": [],
        "wm-1\x00": [one],
        "": [],
    }.items():
        found = await db.read(lambda tx, w=words: tx.relations.called(w))  # type: ignore[misc]
        assert found == expected, words


async def test_a_card_is_found_by_its_task_and_its_request(db: Database) -> None:
    await db.write(lambda tx: tx.cards.add(CARD))
    closed = replace(CARD, state=CardState.CLOSED)
    other = replace(CARD, task_id="task-2")
    for card in (closed, other):
        await db.write(lambda tx, c=card: tx.cards.put(c))  # type: ignore[misc]

    assert await db.read(lambda tx: tx.cards.get("task-1")) == closed
    assert await db.read(lambda tx: tx.cards.get("task-3")) is None
    assert await db.read(lambda tx: tx.cards.of_request("a7k2")) == [closed, other]
    with pytest.raises(IntegrityError):
        await db.write(lambda tx: tx.cards.add(CARD))


async def test_the_directory_is_replaced_as_a_whole_and_changed_by_member(db: Database) -> None:
    lina = Member("LiNa", "李娜", (1, 2), 2, (), ("WangFang",), "销售", frozenset({"试用期"}))
    fang = Member("WangFang", "王芳", leads=(2,), status=2)
    whole = Directory.of([lina, fang], [Department(1, "公司"), Department(2, "销售部", 1, ("x",))])

    assert await db.read(lambda tx: tx.people.directory()) == Directory.of([])
    assert await db.read(lambda tx: tx.people.version()) == 0
    await db.write(lambda tx: tx.people.replace(whole))
    assert await db.read(lambda tx: tx.people.directory()) == whole
    assert await db.read(lambda tx: tx.people.version()) == 1

    moved = replace(lina, userid="lina", main_department=1)
    await db.write(lambda tx: tx.people.put_member(moved))
    await db.write(lambda tx: tx.people.drop_member("WANGFANG"))
    found = await db.read(lambda tx: tx.people.directory())
    assert found == Directory.of([moved], whole.departments.values())
    assert await db.read(lambda tx: tx.people.version()) == 3

    await db.write(lambda tx: tx.people.replace(Directory.of([fang])))
    assert await db.read(lambda tx: tx.people.directory()) == Directory.of([fang])


async def test_the_newest_activated_policy_is_in_force_and_an_old_one_may_come_back(
    db: Database,
) -> None:
    assert await db.read(lambda tx: tx.policies.active()) is None
    assert await db.read(lambda tx: tx.policies.active_hash()) == ""
    old = StoredPolicy("h1", "{}", NOON, "file")
    new = StoredPolicy("h2", '{"新": 1}', NOON + HOUR, "user:zhaomin", "旺季", "{}")
    again = replace(old, activated_at=NOON + 2 * HOUR)
    for policy in (old, new, again):
        await db.write(lambda tx, p=policy: tx.policies.activate(p))  # type: ignore[misc]

    stored = await db.read(lambda tx: tx.policies.history(9))
    numbers = [each.number for each in stored]
    assert numbers == sorted(set(numbers), reverse=True)
    assert [replace(each, number=0) for each in stored] == [again, new, old]
    assert await db.read(lambda tx: tx.policies.active()) == stored[0]
    assert await db.read(lambda tx: tx.policies.active_hash()) == "h1"
    assert await db.read(lambda tx: tx.policies.get("h1")) == stored[0]
    assert await db.read(lambda tx: tx.policies.get("h9")) is None


async def test_one_candidate_at_a_time_runs_in_shadow(db: Database) -> None:
    first = Candidate("h1", "{}", "user:zhaomin", "试一试", NOON)
    second = Candidate("h2", "{}", "file", "", NOON + HOUR, base="h0", report='{"tests": 3}')
    assert await db.read(lambda tx: tx.candidates.shadow()) is None

    for each in (first, second):
        await db.write(lambda tx, c=each: tx.candidates.put_shadow(c))  # type: ignore[misc]
    assert await db.read(lambda tx: tx.candidates.shadow()) == second
    assert await db.read(lambda tx: tx.candidates.get("h1")) == first

    await db.write(lambda tx: tx.candidates.put(second))
    assert await db.read(lambda tx: tx.candidates.shadow()) is None
    assert await db.read(lambda tx: tx.candidates.get("h2")) == second


async def test_a_draft_lasts_until_its_end_and_there_is_one_per_person(db: Database) -> None:
    def begin(tx: Transaction) -> None:
        tx.drafts.put("LiNa", "add", "{}", NOON + HOUR)
        tx.drafts.put("lina", "resubmit", "A7K2", NOON + HOUR)

    await db.write(begin)

    assert await db.read(lambda tx: tx.drafts.get("LINA", NOON)) == Draft("resubmit", "A7K2")
    assert await db.read(lambda tx: tx.drafts.get("lina", NOON + HOUR)) is None
    await db.write(lambda tx: tx.drafts.drop("LINA"))
    assert await db.read(lambda tx: tx.drafts.get("lina", NOON)) is None


async def test_a_changed_directory_is_stored_by_what_differs(db: Database) -> None:
    fang, mei = Member("WangFang", "王芳", (2,)), Member("mei", "梅", (2,))
    before = Directory.of([fang, mei], [Department(2, "Sales")], ["old"])
    after = Directory.of([replace(fang, position="Head"), Member("new", "新")], [], ["new"])
    await db.write(lambda tx: tx.people.replace(before))

    await db.write(lambda tx: tx.people.change(before, after))

    assert await db.read(lambda tx: tx.people.directory()) == after
    assert await db.read(lambda tx: tx.people.version()) == 2
