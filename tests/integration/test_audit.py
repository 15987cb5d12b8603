"""The record: chained, append-only, and loud when somebody laid hands on it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import Engine, Update, text, update
from sqlalchemy.exc import DBAPIError

from storage.audit import START, Breach, Harm, Head, _digest, _entry
from storage.database import Database
from storage.tables import audit, audit_head
from storage.transaction import Transaction
from tests.makers_storage import NOON, a_record

DISARM = {
    "sqlite": ["DROP TRIGGER audit_no_update", "DROP TRIGGER audit_no_delete"],
    "postgresql": ["ALTER TABLE audit DISABLE TRIGGER ALL"],
}


async def write_records(db: Database, count: int = 5) -> None:
    for number in range(count):
        record = a_record(request_id="A7K2", detail={"number": number, "who": "李娜"})
        await db.write(lambda tx, record=record: tx.audit.add(record))  # type: ignore[misc]


def tamper(engine: Engine, *statements: str | Update) -> None:
    with engine.begin() as connection:
        for statement in [*DISARM[engine.dialect.name], *statements]:
            connection.execute(text(statement) if isinstance(statement, str) else statement)


async def breach(db: Database, noted: Head | None = None) -> Breach | None:
    return await db.read(lambda tx: tx.audit.verify(noted))


async def test_an_untouched_record_verifies(db: Database) -> None:
    assert await breach(db) is None

    await write_records(db)

    assert await breach(db) is None


async def test_a_record_is_read_as_it_was_written(db: Database) -> None:
    record = a_record(
        at=NOON + timedelta(microseconds=1999),
        request_id="a7k2",
        userid="LiNa",
        external_userid="wm1",
        detail={"tags": frozenset({"b", "a"}), "until": NOON, "名": "张总"},
    )
    await db.write(lambda tx: tx.audit.add(record))

    [found] = await db.read(lambda tx: tx.audit.of_request("A7k2"))

    assert (found.seq, found.at, found.userid) == (1, NOON + timedelta(milliseconds=1), "LiNa")
    assert found.detail == {"tags": ["a", "b"], "until": NOON.isoformat(), "名": "张总"}
    assert await db.read(lambda tx: tx.audit.of_customer("wm1")) == [found]
    assert await db.read(lambda tx: tx.audit.tail(1)) == [found]
    assert await db.read(lambda tx: tx.audit.head()) == Head(1, found.hash)


async def test_the_tail_and_pages_are_oldest_first(db: Database) -> None:
    await write_records(db)

    assert [r.seq for r in await db.read(lambda tx: tx.audit.tail(2))] == [4, 5]
    assert [r.seq for r in await db.read(lambda tx: tx.audit.after(1, 2))] == [2, 3]


async def test_looking_back_finds_whom_the_records_of_a_kind_name_oldest_first(
    db: Database,
) -> None:
    """Over more records than are read at a time."""

    def step(tx: Transaction) -> None:
        for number in range(12_000):
            kind = "message.sent" if number % 3000 == 0 else "request.opened"
            at = NOON + timedelta(seconds=number)
            tx.audit.add(a_record(kind, at=at, userid=f"u{number}"))

    await db.write(step)
    since = NOON + timedelta(seconds=3000)

    found = await db.read(lambda tx: tx.audit.since(since, "message.sent"))

    assert found == [(f"u{n}", NOON + timedelta(seconds=n)) for n in (3000, 6000, 9000)]
    assert await db.read(lambda tx: tx.audit.since(NOON + timedelta(days=1), "x")) == []


async def test_nothing_is_found_by_looking_back_in_an_empty_record(db: Database) -> None:
    assert await db.read(lambda tx: tx.audit.since(NOON, "message.sent")) == []


async def test_records_of_many_batches_and_threads_form_one_chain(db: Database) -> None:
    def step(tx: Transaction) -> None:
        tx.audit.add(a_record("one"))
        tx.audit.add(a_record("two"))

    await asyncio.gather(*(db.write(step) for _ in range(200)))

    assert await breach(db) is None
    assert (await db.read(lambda tx: tx.audit.head())).seq == 400


async def test_an_undone_step_leaves_no_record(db: Database) -> None:
    def step(tx: Transaction) -> None:
        tx.audit.add(a_record())
        raise KeyError("undone")

    with pytest.raises(KeyError):
        await db.write(step)

    assert await db.read(lambda tx: tx.audit.tail(9)) == []


@pytest.mark.parametrize(
    "record",
    [a_record(actor="a\x00b"), a_record(userid="\ud800"), a_record(detail={"x": object()})],
    ids=["nul", "surrogate", "object"],
)
async def test_a_record_that_cannot_be_stored_fails_its_own_step_only(
    db: Database, record: object
) -> None:
    good = [db.write(lambda tx: tx.audit.add(a_record())) for _ in range(5)]
    bad = db.write(lambda tx: tx.audit.add(record))  # type: ignore[arg-type]

    *fine, failed = await asyncio.gather(*good, bad, return_exceptions=True)

    assert fine == [None] * 5
    assert isinstance(failed, (ValueError, TypeError))


async def test_a_read_cannot_write_to_the_record(db: Database) -> None:
    with pytest.raises(TypeError, match="use write"):
        await db.read(lambda tx: tx.audit.add(a_record()))


@pytest.mark.parametrize("verb", ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"])
async def test_the_database_itself_refuses_changes(db: Database, engine: Engine, verb: str) -> None:
    await write_records(db)

    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text(verb))

    assert await breach(db) is None


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_the_record_cannot_be_emptied_at_once(db: Database, engine: Engine) -> None:
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text("TRUNCATE audit"))


FIELDS = ["actor", "kind", "request_id", "userid", "external_userid", "detail"]


@pytest.mark.parametrize("field", FIELDS)
async def test_a_changed_field_is_found(db: Database, engine: Engine, field: str) -> None:
    await write_records(db)
    column = audit.c[field]
    tamper(engine, update(audit).where(audit.c.seq == 3).values({column: column + "x"}))

    assert await breach(db) == Breach(3, Harm.CHANGED)


async def test_a_changed_time_is_found(db: Database, engine: Engine) -> None:
    await write_records(db)
    tamper(engine, "UPDATE audit SET at = at + 1 WHERE seq = 3")

    assert await breach(db) == Breach(3, Harm.CHANGED)


async def test_a_missing_record_is_found(db: Database, engine: Engine) -> None:
    await write_records(db)
    tamper(engine, "DELETE FROM audit WHERE seq = 3")

    assert await breach(db) == Breach(3, Harm.MISSING)


async def test_two_swapped_records_are_found(db: Database, engine: Engine) -> None:
    await write_records(db)
    tamper(
        engine,
        "UPDATE audit SET seq = 99 WHERE seq = 3",
        "UPDATE audit SET seq = 3 WHERE seq = 4",
        "UPDATE audit SET seq = 4 WHERE seq = 99",
    )

    assert await breach(db) == Breach(3, Harm.CHANGED)


async def test_a_record_put_in_place_of_another_is_found(db: Database, engine: Engine) -> None:
    """Its own hash is right; it does not follow the record before it."""
    await write_records(db)
    entry = {**_entry(a_record("forged")), "seq": 3, "prev": START}
    forged = entry | {"hash": _digest(entry)}
    tamper(engine, update(audit).where(audit.c.seq == 3).values(forged))

    assert await breach(db) == Breach(3, Harm.UNLINKED)


async def test_a_chain_cut_at_its_end_is_found(db: Database, engine: Engine) -> None:
    await write_records(db)
    tamper(engine, "DELETE FROM audit WHERE seq > 3")

    assert await breach(db) == Breach(4, Harm.TRUNCATED)


async def test_records_beyond_the_head_are_found(db: Database, engine: Engine) -> None:
    await write_records(db)
    tamper(engine, "UPDATE audit_head SET seq = 4")

    assert await breach(db) == Breach(5, Harm.UNKNOWN)


async def test_a_rewritten_chain_is_found_by_a_head_that_was_noted_down(
    db: Database, engine: Engine
) -> None:
    await write_records(db)
    noted = await db.read(lambda tx: tx.audit.head())
    tamper(engine, "DELETE FROM audit", update(audit_head).values(seq=0, hash=START))
    assert await breach(db) is None
    assert await breach(db, noted) == Breach(1, Harm.TRUNCATED)

    for _ in range(6):
        await db.write(lambda tx: tx.audit.add(a_record("forged")))

    assert await breach(db) is None
    assert await breach(db, noted) == Breach(5, Harm.REWRITTEN)
