"""What a step keeps back until its end: seen by the step itself, written once, lost if it fails."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy.exc import DBAPIError

from storage.database import Database, Unavailable
from storage.jobs import Queue, WorkState
from storage.requests import Duplicate
from storage.transaction import Transaction
from tests.makers_storage import NOON, a_job, a_person, a_request
from workflows.model import Customer, Relation, RelationState, State, Subject

KNOWN = Relation("lin", "wm1", RelationState.ADDED, phones=("13800001234",))
CUSTOMER = Customer("wm1", "张三")


def put(tx: Transaction) -> None:
    tx.relations.put_customer(CUSTOMER)
    tx.relations.put(replace(KNOWN, remark="first"))
    tx.relations.put(KNOWN)
    tx.work.add_later(a_job("later"), NOON)


async def test_it_is_there_once_the_step_is_committed(db: Database) -> None:
    await db.write(put)

    assert await db.read(lambda tx: tx.relations.get("LIN", "wm1")) == KNOWN
    assert await db.read(lambda tx: tx.relations.customer("wm1")) == CUSTOMER
    assert (await db.read(lambda tx: tx.work.counts()))[Queue.INBOX, WorkState.OPEN] == 1


async def test_the_step_itself_sees_it_whatever_it_asks_by(db: Database) -> None:
    def step(tx: Transaction) -> None:
        put(tx)
        assert tx.relations.of_customer("wm1") == [KNOWN]
        assert tx.relations.of_member("lin") == [KNOWN]
        assert tx.relations.find_by_phone("13800001234") == [KNOWN]
        assert tx.relations.customers_of("lin") == [(KNOWN, CUSTOMER)]
        assert tx.relations.called("张三") == [CUSTOMER]
        assert tx.work.counts()[Queue.INBOX, WorkState.OPEN] == 1

    await db.write(step)


async def test_phone_numbers_find_a_relation_as_it_was_put_last(db: Database) -> None:
    await db.write(put)
    await db.write(lambda tx: tx.relations.put(replace(KNOWN, phones=("13900005678",))))
    await db.write(lambda tx: tx.relations.put(replace(KNOWN, phones=("1",), remark="x")))
    await db.write(lambda tx: tx.relations.put(replace(KNOWN, phones=("1",), remark="y")))

    [found] = await db.read(lambda tx: tx.relations.find_by_phone("1"))
    assert found.remark == "y"
    assert await db.read(lambda tx: tx.relations.find_by_phone("13800001234")) == []
    assert await db.read(lambda tx: tx.relations.find_by_phone("13900005678")) == []


async def test_a_step_that_fails_leaves_none_of_it_and_its_neighbours_keep_theirs(
    db: Database,
) -> None:
    def fail(tx: Transaction) -> None:
        put(tx)
        raise KeyError

    def other(tx: Transaction) -> None:
        tx.relations.put(replace(KNOWN, external_userid="wm2"))

    answers = await asyncio.gather(
        *(db.write(step) for step in (other, fail, other)), return_exceptions=True
    )

    assert [type(each) for each in answers] == [type(None), KeyError, type(None)]
    [left] = await db.read(lambda tx: tx.relations.of_member("lin"))
    assert left.external_userid == "wm2"
    assert await db.read(lambda tx: tx.relations.customer("wm1")) is None
    assert await db.read(lambda tx: tx.work.counts()) == {}


async def test_who_only_reads_can_keep_nothing_back(db: Database) -> None:
    with pytest.raises((Unavailable, DBAPIError), match=r"read-only|readonly"):
        await db.read(put)


async def test_what_is_held_is_read_anew(db: Database) -> None:
    """On PostgreSQL another node may have changed it while this one waited for the name."""
    if not db.is_shared:
        return
    await db.write(put)
    node = Database.open(db._writer.url.render_as_string(hide_password=False))
    loop = asyncio.get_running_loop()

    def step(tx: Transaction) -> str:
        before = tx.relations.get("lin", "wm1")
        change = node.write(lambda other: other.relations.put(replace(KNOWN, remark="changed")))
        asyncio.run_coroutine_threadsafe(change, loop).result(10)
        tx.hold("customer:wm1")
        after = tx.relations.get("lin", "wm1")
        assert before is not None
        assert after is not None
        return f"{before.remark}>{after.remark}"

    try:
        assert await db.write(step) == ">changed"
    finally:
        await node.aclose()


async def test_a_request_that_moves_on_at_once_is_stored_as_it_then_is(db: Database) -> None:
    opened = a_request()
    moved = replace(opened, state=State.EXECUTED, version=opened.version + 1)

    def step(tx: Transaction) -> None:
        tx.requests.add_soon(opened)
        tx.requests.move(opened, moved)

    await db.write(step)
    assert await db.read(lambda tx: tx.requests.get(opened.id)) == moved


async def test_a_new_request_is_there_for_whatever_the_step_asks(db: Database) -> None:
    request = a_request(approvers=(a_person("wang"),))

    def step(tx: Transaction) -> None:
        tx.requests.add_soon(request)
        assert tx.requests.count_pending_for("wang") == 1
        assert tx.requests.get(request.id) == request

    await db.write(step)


async def test_a_request_that_is_there_already_fails_the_step(db: Database) -> None:
    await db.write(lambda tx: tx.requests.add(a_request()))

    def step(tx: Transaction) -> None:
        put(tx)
        tx.requests.add_soon(a_request())

    with pytest.raises(Duplicate):
        await db.write(step)
    assert await db.read(lambda tx: tx.relations.get("lin", "wm1")) is None


async def test_of_two_new_requests_in_a_step_both_are_stored(db: Database) -> None:
    other = a_request("B8M3", subject=Subject("wm2", "李四", "wm2"))

    def step(tx: Transaction) -> None:
        tx.requests.add_soon(a_request())
        tx.requests.add_soon(other)

    await db.write(step)
    assert await db.read(lambda tx: tx.requests.count_all()) == 2
