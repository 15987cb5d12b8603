"""Passages and deletions in real databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot import outgoing
from bot.outgoing import MarkRelation, SendText
from storage.database import Database
from storage.work import Queue
from workflows.model import Customer, Relation, RelationState
from workflows.transfers import Passage, PassageState

NOON = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def a_passage(external: str = "wm1", request_id: str = "A7K2", **changes: Any) -> Passage:
    values: dict[str, Any] = {"state": PassageState.WAITING, "asked_at": NOON} | changes
    return Passage(request_id, external, "张伟", "SunLei", "liqiang", **values)


async def test_passages_are_found_by_request_and_by_customer(db: Database) -> None:
    first, second = a_passage(), a_passage("wm2")
    later = a_passage(request_id="B3M4", asked_at=NOON + DAY)
    await db.write(lambda tx: tx.transfers.put([second, first, later]))

    assert await db.read(lambda tx: tx.transfers.of_request(" a7k2")) == [first, second]
    assert await db.read(lambda tx: tx.transfers.get("A7K2", "wm2")) == second
    assert await db.read(lambda tx: tx.transfers.get("A7K2", "wm3")) is None
    assert await db.read(lambda tx: tx.transfers.of_customer("wm1", NOON - DAY)) == [later, first]
    assert await db.read(lambda tx: tx.transfers.of_customer("wm1", NOON)) == [later]
    assert await db.read(lambda tx: tx.transfers.of_request("C5N6")) == []


async def test_a_passage_ends_once(db: Database) -> None:
    passage = a_passage()
    await db.write(lambda tx: tx.transfers.put([passage]))
    done = replace(passage, state=PassageState.DONE, settled_at=NOON)
    failed = replace(passage, state=PassageState.REFUSED, settled_at=NOON)

    assert await db.write(lambda tx: tx.transfers.settle(done))
    assert not await db.write(lambda tx: tx.transfers.settle(failed))
    assert await db.read(lambda tx: tx.transfers.get("A7K2", "wm1")) == done

    await db.write(lambda tx: tx.transfers.change(replace(done, told=True)))
    assert (await db.read(lambda tx: tx.transfers.of_request("A7K2")))[0].told


async def test_a_second_answer_takes_the_place_of_the_first(db: Database) -> None:
    rejected = a_passage(state=PassageState.REJECTED, code=40099)
    await db.write(lambda tx: tx.transfers.put([rejected]))
    await db.write(lambda tx: tx.transfers.put([a_passage()]))
    await db.write(lambda tx: tx.transfers.put([]))

    assert await db.read(lambda tx: tx.transfers.of_request("A7K2")) == [a_passage()]


def a_relation(external: str, state: RelationState, **changes: Any) -> Relation:
    return Relation("SunLei", external, state, **changes)


async def test_deletions_by_oneself_are_counted_and_others_are_not(db: Database) -> None:
    gone, kept = RelationState.DELETED_BY_MEMBER, RelationState.ADDED
    relations = [
        a_relation("wm1", gone, seen_at=NOON, ended_by="member"),
        a_relation("wm2", gone, seen_at=NOON + DAY, ended_by="member"),
        a_relation("wm3", gone, seen_at=NOON - DAY, ended_by="member"),  # before
        a_relation("wm4", gone, seen_at=NOON, ended_by="transfer"),
        a_relation("wm5", gone, seen_at=NOON, ended_by="remedy"),
        a_relation("wm6", gone, seen_at=NOON),  # from a version that did not say
        a_relation("wm7", kept, seen_at=NOON, ended_by="member"),  # added again
        a_relation("wm8", RelationState.DELETED_BY_CUSTOMER, seen_at=NOON, ended_by="customer"),
        replace(a_relation("wm9", gone, seen_at=NOON, ended_by="member"), userid="lin"),
    ]
    for each in relations:
        await db.write(lambda tx, r=each: tx.relations.put(r))  # type: ignore[misc]

    found = await db.read(lambda tx: tx.relations.deleted_by("sunlei", NOON))

    assert [each.external_userid for each in found] == ["wm2", "wm1"]


async def test_a_members_customers_come_with_what_they_are_to_each_other(db: Database) -> None:
    mine = a_relation("wm1", RelationState.ADDED, remark="张总")
    half = a_relation("wm2", RelationState.HALF)
    for relation in (mine, half):
        external = relation.external_userid
        await db.write(lambda tx, e=external: tx.relations.put_customer(Customer(e, e)))  # type: ignore[misc]
        await db.write(lambda tx, r=relation: tx.relations.put(r))  # type: ignore[misc]

    found = await db.read(lambda tx: tx.relations.customers_of("SUNLEI"))

    assert found == [(mine, Customer("wm1", "wm1"))]
    assert await db.read(lambda tx: tx.relations.customers_of("lin")) == []


async def test_what_is_on_its_way_to_a_relation_can_be_looked_at(db: Database) -> None:
    """Open rows of the lane only, what is in somebody's hands included."""
    first = MarkRelation("SunLei", "wm1", ("待审批",))
    second = MarkRelation("sunlei", "wm1", (), ("待审批",))
    other = MarkRelation("sunlei", "wm2", ("VIP",))
    said = SendText("sunlei", "hi")
    for each in (first, other, second, said):
        await db.write(lambda tx, w=each: tx.work.add([outgoing.job(w)], NOON))  # type: ignore[misc]
    lane = outgoing.lane_of("SUNLEI", "wm1")
    look = lambda tx: [outgoing.read(row) for row in tx.work.open_in(Queue.OUTBOX, lane)]  # noqa: E731
    assert await db.read(look) == [first, second]

    claimed = await db.write(lambda tx: tx.work.claim(Queue.OUTBOX, NOON, 10, DAY))
    assert await db.read(look) == [first, second]
    mine = next(each for each in claimed if outgoing.read(each) == first)
    await db.write(lambda tx: tx.work.done(mine, NOON))

    assert await db.read(look) == [second]
