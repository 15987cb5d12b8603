"""Pages of customers and readings of all of them, on both databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, text

from storage.database import Database
from storage.transaction import Transaction
from tests.integration.test_queue_plans import Asked, plans
from tests.makers_storage import NOON
from workflows.mirror import Find, Reading, Tally
from workflows.model import Customer, Relation, RelationState

HOUR = timedelta(hours=1)
ADDED, HALF = RelationState.ADDED, RelationState.HALF
BY_MEMBER, BY_CUSTOMER = RelationState.DELETED_BY_MEMBER, RelationState.DELETED_BY_CUSTOMER


def a_relation(
    external: str = "wm1", userid: str = "Sunlei", state: RelationState = ADDED, **more: Any
) -> Relation:
    return replace(Relation(userid, external, state), **more)


async def test_a_page_is_found_by_pair_whatever_the_case_of_the_userid(db: Database) -> None:
    def fill(tx: Transaction) -> None:
        tx.relations.put(a_relation("wm1"))
        tx.relations.put(a_relation("wm1", "wangfang"))
        tx.relations.put(a_relation("wm2"))

    await db.write(fill)

    pairs = [("sunlei", "wm1"), ("sunlei", "wm9"), ("wangfang", "wm2")]
    found = await db.read(lambda tx: tx.mirror.on_file(pairs))
    assert found.relations == {("sunlei", "wm1"): a_relation("wm1")}


async def test_storing_skips_what_an_event_has_put_there_meanwhile(db: Database) -> None:
    told = a_relation("wm1", request_id="A17", phones=("1",))
    await db.write(lambda tx: tx.relations.put(told))

    new = [a_relation("wm1", phones=("2",)), a_relation("wm2", phones=("3", "4"))]
    stored = await db.write(lambda tx: tx.mirror.store(new))

    assert stored == 1
    assert await db.read(lambda tx: tx.relations.get("sunlei", "wm1")) == told
    found = await db.read(lambda tx: {each for each in "1234" if tx.relations.find_by_phone(each)})
    assert found == {"1", "3", "4"}


async def test_a_change_is_refused_where_an_event_was_faster(db: Database) -> None:
    before = a_relation("wm1", phones=("1",), tags=frozenset({"VIP", "普通", "潜在"}))
    await db.write(lambda tx: tx.relations.put(before))
    filed = await db.read(lambda tx: tx.mirror.on_file([("sunlei", "wm1")]))
    by_event = replace(before, remark="新备注")

    def race(tx: Transaction) -> tuple[bool, bool]:
        first = tx.mirror.change(filed, replace(before, phones=("2",)))
        tx.relations.put(by_event)
        return first, tx.mirror.change(filed, replace(before, remark="旧备注"))

    assert await db.write(race) == (True, False)
    assert await db.read(lambda tx: tx.relations.get("sunlei", "wm1")) == by_event


async def test_a_changed_relation_is_found_by_its_new_phone_only(db: Database) -> None:
    await db.write(lambda tx: tx.relations.put(a_relation(phones=("1",))))
    filed = await db.read(lambda tx: tx.mirror.on_file([("sunlei", "wm1")]))

    await db.write(lambda tx: tx.mirror.change(filed, a_relation(phones=("2",))))

    assert await db.read(lambda tx: tx.relations.find_by_phone("1")) == []
    assert len(await db.read(lambda tx: tx.relations.find_by_phone("2"))) == 1


async def test_counted_is_what_the_members_list_holds_once_they_were_read(db: Database) -> None:
    def fill(tx: Transaction) -> None:
        for number, state in enumerate((ADDED, ADDED, BY_CUSTOMER, BY_MEMBER, HALF)):
            tx.relations.put(a_relation(f"wm{number}", state=state))
        tx.mirror.watch(["Sunlei", "wangfang"], NOON)

    await db.write(fill)
    assert await db.read(lambda tx: tx.mirror.contact_count("sunlei")) is None

    await db.write(lambda tx: tx.mirror.note_read(["SUNLEI", "wangfang"], NOON + HOUR))

    assert await db.read(lambda tx: tx.mirror.contact_count("Sunlei")) == 3
    assert await db.read(lambda tx: tx.mirror.contact_count("wangfang")) == 0
    assert await db.read(lambda tx: tx.mirror.contact_count("nobody")) is None
    assert await db.read(lambda tx: tx.mirror.counts(["Sunlei", "wangfang"])) == {"sunlei": 3}
    shown = {("sunlei", f"wm{number}") for number in range(3)}
    assert await db.read(lambda tx: tx.mirror.followed(["sunlei"])) == shown


async def test_who_is_watched_stays_watched_since_then(db: Database) -> None:
    await db.write(lambda tx: tx.mirror.watch(["sunlei"], NOON))
    await db.write(lambda tx: tx.mirror.watch(["Sunlei", "wangfang"], NOON + HOUR))

    found = await db.read(lambda tx: tx.mirror.watched(["SUNLEI", "wangfang", "nobody"]))

    assert {each: it.since for each, it in found.items()} == {
        "sunlei": NOON,
        "wangfang": NOON + HOUR,
    }


async def test_one_reading_is_open_at_a_time_and_moves_from_where_it_was(db: Database) -> None:
    wanted = Reading(0, NOON, NOON, of=7)
    first = await db.write(lambda tx: tx.readings.begin(wanted))
    assert first is not None
    assert await db.write(lambda tx: tx.readings.begin(wanted)) is None

    moved = replace(first, step=1, after="sunlei", tally=Tally(members=3))
    assert await db.write(lambda tx: tx.readings.move(first, moved))
    assert not await db.write(lambda tx: tx.readings.move(first, replace(first, step=1)))
    assert await db.read(lambda tx: tx.readings.open()) == moved
    assert await db.read(lambda tx: tx.readings.complete()) == []

    ended = replace(moved, step=2, ended=NOON + HOUR)
    assert await db.write(lambda tx: tx.readings.move(moved, ended))
    assert not await db.write(lambda tx: tx.readings.move(ended, replace(ended, step=3)))
    second = await db.write(lambda tx: tx.readings.begin(wanted))
    assert second is not None
    assert await db.read(lambda tx: tx.readings.complete()) == [ended]
    assert await db.read(lambda tx: tx.readings.newest(5)) == [second, ended]


async def test_what_was_doubted_is_settled_once_and_found_member_by_member(db: Database) -> None:
    pairs = [("wangfang", "wm1"), ("sunlei", "wm2"), ("sunlei", "wm1")]

    def doubt(tx: Transaction) -> None:
        tx.readings.find(1, pairs)
        tx.readings.settle(1, ("Sunlei", "wm1"), Find.ADD)
        tx.readings.find(1, pairs)  # the chunk is read again
        tx.readings.find(2, pairs[:1])

    await db.write(doubt)
    counts = await db.read(lambda tx: tx.readings.finds(1))
    assert {each: count for each, count in counts.items() if count} == {Find.ADD: 1, Find.OPEN: 2}
    assert not await db.read(lambda tx: tx.readings.is_settled(1))
    found = await db.read(lambda tx: tx.readings.found(1, Find.OPEN, 9))
    assert found == [("sunlei", "wm2"), ("wangfang", "wm1")]

    await db.write(lambda tx: tx.readings.forget(1))
    assert await db.read(lambda tx: tx.readings.is_settled(1))
    assert not await db.read(lambda tx: tx.readings.is_settled(2))


async def test_customers_are_stored_by_the_page(db: Database) -> None:
    some = [Customer(f"wm{number}", f"客户{number}", corp_name="恒远") for number in range(3)]
    await db.write(lambda tx: tx.mirror.put_customers(some[:2]))
    await db.write(lambda tx: tx.mirror.put_customers([replace(some[0], name="张总"), some[2]]))

    found = await db.read(lambda tx: tx.mirror.customers(["wm0", "wm2", "wm9"]))

    assert found == {"wm0": replace(some[0], name="张总"), "wm2": some[2]}
    called = await db.read(lambda tx: tx.relations.called("张总"))
    assert [each.external_userid for each in called] == ["wm0"]


async def test_what_decisions_and_readings_ask_follows_an_index(
    db: Database, engine: Engine
) -> None:
    def fill(tx: Transaction) -> None:
        for start in range(0, 3000, 500):
            numbers = range(start, start + 500)
            tx.mirror.store([a_relation(f"wm{n}", f"u{n % 30}", phones=(f"{n}",)) for n in numbers])
            tx.mirror.put_customers(Customer(f"wm{n}", f"客户{n}") for n in numbers)
        tx.mirror.watch([f"u{n}" for n in range(3000)], NOON)
        tx.mirror.note_read([f"u{n}" for n in range(3000)], NOON)
        tx.readings.find(1, [("u1", f"wm{n}") for n in range(3000)])

    await db.write(fill)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as outside:
            outside.execute(text("VACUUM (ANALYZE)"))
    page = [(f"u{n % 30}", f"wm{n}") for n in range(10)]
    asked: dict[str, list[Asked]] = {
        "ix_relations_followed": [
            lambda tx: tx.mirror.contact_count("u7"),
            lambda tx: tx.mirror.counts(["u7"]),
            lambda tx: tx.mirror.followed(["u7"]),
        ],
        "pk_relations|sqlite_autoindex_relations_1": [lambda tx: tx.mirror.on_file(page)],
        "pk_customers|sqlite_autoindex_customers_1": [
            lambda tx: tx.mirror.customers([external for _, external in page])
        ],
        "pk_watched_members|sqlite_autoindex_watched_members_1": [
            lambda tx: tx.mirror.watched(["u7"])
        ],
        "late_finds": [lambda tx: tx.readings.is_settled(1)],
    }
    for names, steps in asked.items():
        for step in steps:
            found = "\n".join(await plans(db, step))
            assert any(name in found for name in names.split("|")), found
            assert "Seq Scan" not in found, found
            assert "SCAN" not in found.replace("SCAN json_each", ""), found  # the list asked for
