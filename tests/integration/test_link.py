"""The short way to the driver: what it finds, writes and raises is what SQLAlchemy would."""

from __future__ import annotations

import gc
from typing import Any

import pytest
from sqlalchemy import Engine, bindparam, event, func, insert, select, text, update
from sqlalchemy.exc import IntegrityError, MultipleResultsFound, NoResultFound

from storage import link
from storage.database import Database, Unavailable
from storage.link import Found
from storage.moments import Moment
from storage.statements import insert_or_ignore
from storage.tables import versions, work
from storage.transaction import Transaction
from tests.makers_storage import NOON, a_job

ADD = insert_or_ignore(versions)
ALL = select(versions).order_by(versions.c.name)
NAMED = select(versions.c.name, versions.c.version).where(versions.c.name == bindparam("wanted"))
SET = update(versions).where(versions.c.version > bindparam("above")).values(version=7)
MADE = select(work.c.key, work.c.created_at, work.c.done_at).order_by(work.c.id)
BODIES = select(work.c.lane, work.c.body).order_by(work.c.id)
NEWEST = select(func.max(work.c.created_at, type_=Moment())).where(work.c.queue == bindparam("q"))
SOME = select(versions.c.name).where(versions.c.name.in_(bindparam("names", expanding=True)))
MOVE = update(versions).values(version=bindparam("new"))
ROWS = [{"name": name, "version": number} for number, name in enumerate("abcd")]


def shortened(tx: Transaction, statement: Any, values: Any = None) -> Found:
    """Execute a statement often enough that it takes the short way."""
    for _ in range(2):
        tx.link.execute(statement, values)
    found = tx.link.execute(statement, values)
    assert isinstance(found, Found)
    return found


async def test_rows_and_times_come_back_as_through_sqlalchemy(db: Database, engine: Engine) -> None:
    await db.write(lambda tx: tx.work.add([a_job("a"), a_job("b")], NOON))
    await db.write(lambda tx: shortened(tx, ADD, ROWS).rowcount)
    with engine.connect() as plain:
        usual = [
            plain.execute(ALL).all(),
            plain.execute(NAMED, {"wanted": "b"}).all(),
            plain.execute(MADE).all(),
            plain.execute(NEWEST, {"q": 0}).all(),
            plain.execute(NEWEST, {"q": 9}).all(),
        ]

    short = await db.read(
        lambda tx: [
            shortened(tx, ALL).all(),
            shortened(tx, NAMED, {"wanted": "b"}).all(),
            shortened(tx, MADE).all(),
            shortened(tx, NEWEST, {"q": 0}).all(),
            shortened(tx, NEWEST, {"q": 9}).all(),
        ]
    )

    assert short == usual
    assert short[2][0].created_at == NOON
    assert short[2][0].done_at is None


async def test_it_says_how_many_rows_were_written(db: Database) -> None:
    def step(tx: Transaction) -> list[int]:
        tx.link.execute(ADD, ROWS[:2])
        added = shortened(tx, ADD, ROWS).rowcount
        again = shortened(tx, ADD, ROWS[0]).rowcount
        return [added, again, shortened(tx, SET, {"above": 1}).rowcount]

    assert await db.write(step) == [0, 0, 2]
    assert await db.read(lambda tx: shortened(tx, ALL).all()) == [
        ("a", 0), ("b", 1), ("c", 7), ("d", 7),
    ]  # fmt: skip


async def test_many_rows_are_stored_in_their_order_whatever_they_hold(db: Database) -> None:
    odd = ("a,b", '"{}"', "back\\slash", "\\u4e2d", "NULL", "", "姓名 'x'", "\n\t\u2028\x7f😀")
    jobs = [a_job(f"l{n % 7}", odd[n % 8], key=f"key{n}" if n < 50 else None) for n in range(100)]
    await db.write(lambda tx: [tx.work.add([a_job("x")], NOON) for _ in range(3)])
    new = await db.write(lambda tx: tx.work.add([*jobs, jobs[5]], NOON))
    again = await db.write(lambda tx: tx.work.add(jobs[:40], NOON))

    stored = await db.read(lambda tx: tx.link.execute(BODIES).all())

    assert (new, again) == (100, 0)
    assert [(row.lane, row.body) for row in stored[3:]] == [(job.lane, job.body) for job in jobs]


async def test_one_row_is_asked_for_as_strictly(db: Database) -> None:
    await db.write(lambda tx: tx.link.execute(ADD, ROWS).rowcount)

    def step(tx: Transaction) -> None:
        nobody = {"wanted": "nobody"}
        assert shortened(tx, NAMED, nobody).first() is None
        assert shortened(tx, NAMED, nobody).one_or_none() is None
        assert shortened(tx, NAMED, nobody).scalar() is None
        assert shortened(tx, NAMED, {"wanted": "c"}).one() == ("c", 2)
        assert shortened(tx, NAMED, {"wanted": "c"}).scalar_one() == "c"
        assert list(shortened(tx, ALL).scalars()) == ["a", "b", "c", "d"]
        with pytest.raises(NoResultFound):
            shortened(tx, NAMED, nobody).scalar_one()
        with pytest.raises(MultipleResultsFound):
            shortened(tx, ALL).one_or_none()

    await db.read(step)


async def test_lists_text_and_other_values_go_through_sqlalchemy(db: Database) -> None:
    def step(tx: Transaction) -> None:
        for _ in range(4):
            found = tx.link.execute(SOME, {"names": ["a", "b"]})
            assert not isinstance(found, Found)
            found = tx.link.execute(text("SELECT 1"))
            assert not isinstance(found, Found)
        for values in ({"new": 1}, {"new": 2}, {"new": 3}, {"new": 4, "name": "z"}):
            tx.link.execute(MOVE, values)

    await db.write(lambda tx: tx.link.execute(ADD, ROWS[0]).rowcount)
    await db.write(step)
    assert await db.read(lambda tx: tx.link.execute(ALL).all()) == [("z", 4)]


async def test_a_broken_rule_of_a_table_is_sqlalchemys_error(db: Database) -> None:
    plain = insert(versions)

    def step(tx: Transaction) -> None:
        for row in ROWS:
            tx.link.execute(plain, row)
        tx.link.execute(plain, ROWS[0])

    with pytest.raises(IntegrityError):
        await db.write(step)
    assert await db.read(lambda tx: tx.link.execute(ALL).all()) == []


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_a_connection_that_breaks_on_the_short_way_is_replaced(
    db: Database, engine: Engine
) -> None:
    def cut(tx: Transaction) -> None:
        shortened(tx, ALL)
        pid = tx.link.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with engine.begin() as outside:
            outside.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        shortened(tx, ALL)

    with pytest.raises(Unavailable):
        await db.write(cut)
    assert await db.write(lambda tx: tx.work.add([a_job("a")], NOON)) == 1


async def test_who_listens_hears_of_every_statement(db: Database) -> None:
    await db.read(lambda tx: shortened(tx, ALL).all())
    heard: list[str] = []
    event.listen(db._reader, "before_cursor_execute", lambda _c, _k, sql, *_: heard.append(sql))

    await db.read(lambda tx: tx.link.execute(ALL).all())

    assert len([sql for sql in heard if sql.startswith("SELECT")]) == 1


async def test_a_statement_made_for_one_use_is_not_kept(db: Database) -> None:
    def step(tx: Transaction) -> None:
        once = select(versions).where(versions.c.version == 12345)
        for _ in range(3):
            tx.link.execute(once).all()

    def kept() -> int:
        gc.collect()
        return sum(len(forms) for forms in link._FORMS.values())

    await db.write(step)  # SQLAlchemy keeps the first of a kind
    before = kept()
    await db.write(step)
    await db.write(step)
    assert kept() == before
