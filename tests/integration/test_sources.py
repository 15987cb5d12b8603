"""Sources are read into the database whole or not at all, from files and from other databases."""

from __future__ import annotations

import asyncio
import os
import sqlite3
from collections.abc import AsyncGenerator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, create_engine, event, text

from bot.source_settings import Source
from bot.sources import Page, SourceFailed, Stamp, reading
from bot.sources.reading import Declared, Reading
from storage.database import Database
from storage.link import Link
from storage.outside import OutsideDatabase, OutsideFailed
from storage.transaction import Transaction
from tests.integration.conftest import Server
from workflows.attributes import Kind
from workflows.outside import Doubt, Row, SourceState

NOW = datetime(2026, 1, 7, 2, 0, tzinfo=UTC)
DEAL = "customer.x.deal"
SIGNED = "customer.x.signed"
KINDS = {DEAL: Kind.INT, SIGNED: Kind.BOOL}


def a_source(path: Path, **more: object) -> Source:
    columns = {DEAL: "amount", SIGNED: "signed"}
    wish = {"type": "csv", "path": str(path), "key": "phone", "columns": columns}
    return Source.model_validate({**wish, **more})


def a_csv(path: Path, *rows: str, made_at: datetime = NOW) -> Path:
    path.write_text("\n".join(["phone,amount,signed", *rows, ""]), "utf-8")
    os.utime(path, (made_at.timestamp(), made_at.timestamp()))
    return path


async def read(
    db: Database, wish: Source, now: datetime = NOW, *, name: str = "crm", fewer: bool = False
) -> SourceState:
    """Read a source and let it count."""
    found = await reading.read(db, Declared(name, wish, KINDS), lambda: now, fewer=fewer)
    assert found is not None
    assert await db.write(found.settle)
    await reading.clean_up(db)
    return found.state


async def look_up(db: Database, *keys: str) -> list[Row]:
    found = await db.read(lambda tx: tx.sources.look_up(keys))
    return [row for each in found for row in each.rows]


def deal(amount: int, signed: str = "true") -> Row:
    return Row(f'{{"customer.x.deal":{amount},"customer.x.signed":{signed}}}')


async def test_a_customer_is_looked_up_by_the_keys_of_what_was_read(
    db: Database, tmp_path: Path
) -> None:
    file = a_csv(tmp_path / "crm.csv", "138 0000 1234,250000,是", "13900005678,7,否")

    state = await read(db, a_source(file))

    assert (state.rows, state.made_at, state.read_at, state.trouble) == (2, NOW, NOW, "")
    assert await look_up(db, "phone:13800001234") == [deal(250_000)]
    assert await look_up(db, "phone:13900005678", "phone:0") == [deal(7, "false")]
    assert await look_up(db, "phone:13700000000") == []
    assert await look_up(db) == []


async def test_what_cannot_be_used_is_counted_with_the_line_of_the_first(
    db: Database, tmp_path: Path
) -> None:
    rows = ("13800001234,1,yes", "13900005678,250k,yes", "nobody,1,yes", "13700000000,x,perhaps")
    state = await read(db, a_source(a_csv(tmp_path / "crm.csv", *rows)))

    assert state.rows == 3
    assert state.doubts == (Doubt("amount", 2, 3), Doubt("phone", 1, 4), Doubt("signed", 1, 5))
    assert await look_up(db, "phone:13900005678") == [
        Row('{"customer.x.deal":null,"customer.x.signed":true}')
    ]


async def test_a_key_that_comes_twice_is_known_only_if_the_rows_agree(
    db: Database, tmp_path: Path
) -> None:
    rows = ("13800001234,1,1", "13900005678,5,1", "13800001234,2,1", "13900005678,5,1")
    state = await read(db, a_source(a_csv(tmp_path / "crm.csv", *rows)))

    assert state.doubled == 1
    (row,) = await look_up(db, "phone:13800001234")
    assert row.twice
    assert await look_up(db, "phone:13900005678") == [deal(5)]


async def test_a_new_reading_replaces_the_old_one_whole(db: Database, tmp_path: Path) -> None:
    file = tmp_path / "crm.csv"
    await read(db, a_source(a_csv(file, "13800001234,1,1", "13900005678,2,1")))

    later = NOW + timedelta(hours=1)
    await read(db, a_source(a_csv(file, "13800001234,9,1", made_at=later)), later)

    assert await look_up(db, "phone:13800001234", "phone:13900005678") == [deal(9)]
    assert await db.write(lambda tx: tx.sources.drop_left_over(10)) == 0


async def test_until_a_reading_has_ended_the_old_one_counts(db: Database, tmp_path: Path) -> None:
    file = tmp_path / "crm.csv"
    await read(db, a_source(a_csv(file, "13800001234,1,1")))
    wish = a_source(a_csv(file, "13800001234,9,1", made_at=NOW + timedelta(minutes=1)))

    found = await reading.read(db, Declared("crm", wish, KINDS), lambda: NOW)

    assert found is not None
    assert await look_up(db, "phone:13800001234") == [deal(1)]
    await db.write(found.settle)
    assert await look_up(db, "phone:13800001234") == [deal(9)]


async def test_a_file_that_did_not_change_is_not_read_again(db: Database, tmp_path: Path) -> None:
    wish = a_source(a_csv(tmp_path / "crm.csv", "13800001234,1,1"))
    before = await read(db, wish)
    later = NOW + timedelta(hours=2)

    found = await reading.read(db, Declared("crm", wish, KINDS), lambda: later)

    assert found == Reading(replace(before, read_at=later, tried_at=later))


@pytest.mark.parametrize("content", ["phone,amount,signed\n", "phone,amount\n1", ""])
async def test_what_fails_leaves_everything_as_it_was_and_says_why(
    db: Database, tmp_path: Path, content: str
) -> None:
    file = a_csv(tmp_path / "crm.csv", "13800001234,1,1")
    await read(db, a_source(file))
    file.write_text(content, "utf-8")

    state = await read(db, a_source(file), NOW + timedelta(hours=1))

    assert state.trouble in {"empty", "no_column", "no_header"}
    assert (state.made_at, state.rows) == (NOW, 1)
    assert await look_up(db, "phone:13800001234") == [deal(1)]


async def test_a_source_that_lost_most_of_its_rows_is_taken_only_by_order(
    db: Database, tmp_path: Path
) -> None:
    file = tmp_path / "crm.csv"
    await read(db, a_source(a_csv(file, *(f"1380000{n:04},1,1" for n in range(9)))))
    a_csv(file, *(f"1380000{n:04},1,1" for n in range(4)), made_at=NOW + timedelta(hours=1))

    state = await read(db, a_source(file))
    assert (state.trouble, state.details) == ("shrunk", {"before": "9", "now": "4"})
    assert await look_up(db, "phone:13800000008") == [deal(1)]

    state = await read(db, a_source(file), fewer=True)
    assert (state.trouble, state.rows) == ("", 4)
    assert await look_up(db, "phone:13800000008") == []


async def test_of_two_readings_at_once_the_later_counts(db: Database, tmp_path: Path) -> None:
    file = tmp_path / "crm.csv"
    wish = a_source(a_csv(file, "13800001234,1,1"))
    first = await reading.read(db, Declared("crm", wish, KINDS), lambda: NOW)
    a_csv(file, "13800001234,2,1", made_at=NOW + timedelta(seconds=1))
    second = await reading.read(db, Declared("crm", wish, KINDS), lambda: NOW)
    assert first is not None
    assert second is not None

    assert not await db.write(first.settle)
    assert await db.write(second.settle)
    assert await look_up(db, "phone:13800001234") == [deal(2)]


async def test_a_reading_that_was_overtaken_half_way_gives_up(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @dataclass
    class Overtaken:
        async def stamp(self) -> Stamp:
            return Stamp(NOW)

        async def pages(self, _: Sequence[str]) -> AsyncGenerator[Page, None]:
            yield Page([(1, ["13800001234", "1", "1"])])
            await db.write(lambda tx: tx.sources.begin(blank))
            yield Page([(2, ["13900005678", "1", "1"])])

    declared = Declared("crm", a_source(tmp_path / "crm.csv"), KINDS)
    blank = declared.blank
    monkeypatch.setattr(reading, "opened", lambda *_: Overtaken())

    assert await reading.read(db, declared, lambda: NOW) is None


async def test_rows_left_over_by_a_crash_are_deleted_a_few_at_a_time(
    db: Database, tmp_path: Path
) -> None:
    await read(db, a_source(a_csv(tmp_path / "crm.csv", "13800001234,1,1")))
    blank = Declared("crm", a_source(tmp_path / "crm.csv"), KINDS).blank

    def crash(tx: Transaction) -> None:
        generation = tx.sources.begin(blank)
        tx.sources.add("crm", generation, [(f"phone:{n}", "{}") for n in range(5)])
        tx.sources.begin(blank)

    await db.write(crash)

    counts = [await db.write(lambda tx: tx.sources.drop_left_over(2)) for _ in range(4)]
    assert counts == [2, 2, 1, 0]
    assert await look_up(db, "phone:13800001234") == [deal(1)]


async def test_readings_that_begin_at_the_same_moment_never_share_a_generation(
    db: Database, tmp_path: Path
) -> None:
    blank = Declared("crm", a_source(tmp_path / "crm.csv"), KINDS).blank
    begun = (db.write(lambda tx: tx.sources.begin(blank)) for _ in range(20))
    assert sorted(await asyncio.gather(*begun)) == list(range(1, 21))


async def test_a_source_that_comes_back_never_meets_rows_it_left_behind(
    db: Database, tmp_path: Path
) -> None:
    wish = a_source(a_csv(tmp_path / "crm.csv", "13800001234,1,1"))
    for _ in range(3):
        await read(db, wish)
        os.utime(tmp_path / "crm.csv")
    await db.write(lambda tx: tx.sources.forget_others([]))
    blank = Declared("crm", wish, KINDS).blank

    generation = await db.write(lambda tx: tx.sources.begin(blank))
    await db.write(lambda tx: tx.sources.take_over(blank, generation))

    assert await look_up(db, "phone:13800001234") == []


async def test_a_source_that_is_no_longer_declared_is_forgotten_with_its_rows(
    db: Database, tmp_path: Path
) -> None:
    wish = a_source(a_csv(tmp_path / "crm.csv", "13800001234,1,1"))
    await read(db, wish, name="old")
    await read(db, wish, name="new")

    await db.write(lambda tx: tx.sources.forget_others(["new"]))

    assert [each.name for each in await db.read(lambda tx: tx.sources.all())] == ["new"]
    assert await db.write(lambda tx: tx.sources.drop_left_over(10)) == 1
    assert await look_up(db, "phone:13800001234") == [deal(1)]


async def test_a_source_declared_anew_starts_with_nothing(db: Database, tmp_path: Path) -> None:
    wish = a_source(a_csv(tmp_path / "crm.csv", "13800001234,1,1"))
    await read(db, wish)
    other = Declared("crm", a_source(tmp_path / "crm.csv", key_column="mobile"), KINDS)
    before = await db.read(lambda tx: tx.sources.get("crm"))

    state = other.since(before)
    await db.write(lambda tx: tx.sources.declare(state))

    assert state.made_at is None
    assert await look_up(db, "phone:13800001234") == []


# --- other databases


@pytest.fixture(params=["sqlite", "postgresql"])
def crm(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of a company's own database with a table of customers."""
    rows = [("138 0000 1234", 250_000, True), ("13900005678", None, False)]
    if request.param == "sqlite":
        with sqlite3.connect(tmp_path / "crm.db") as connection:
            connection.execute("CREATE TABLE people (phone TEXT, amount INTEGER, signed BOOLEAN)")
            connection.executemany("INSERT INTO people VALUES (?, ?, ?)", rows)
        return f"sqlite:///{tmp_path / 'crm.db'}"
    server: Server = request.getfixturevalue("postgres")
    address = server.make_schema()
    engine = create_engine(address.replace("postgresql://", "postgresql+psycopg://"))
    with engine.begin() as made:
        made.execute(text("CREATE TABLE people (phone TEXT, amount NUMERIC(12, 2), signed BOOL)"))
        for phone, amount, signed in rows:
            values = {"phone": phone, "amount": amount, "signed": signed}
            made.execute(text("INSERT INTO people VALUES (:phone, :amount, :signed)"), values)
    engine.dispose()
    return address


def a_query(url: str, query: str = "SELECT * FROM people WHERE phone LIKE '13%'") -> Source:
    columns = {DEAL: "AMOUNT", SIGNED: "signed"}
    wish = {"type": "sql", "url": url, "query": query, "key": "phone", "columns": columns}
    return Source.model_validate(wish)


async def test_a_query_on_another_database_fills_the_columns(db: Database, crm: str) -> None:
    state = await read(db, a_query(crm))

    assert (state.rows, state.made_at, state.doubts) == (2, NOW, ())
    assert await look_up(db, "phone:13800001234") == [deal(250_000)]
    assert await look_up(db, "phone:13900005678") == [Row('{"customer.x.signed":false}')]


async def test_a_query_is_asked_again_each_time(db: Database, crm: str) -> None:
    await read(db, a_query(crm))
    later = NOW + timedelta(hours=1)
    assert (await read(db, a_query(crm), later)).made_at == later


@pytest.mark.parametrize(
    ("query", "code", "why"),
    [
        ("SELECT phone, amout, signed FROM people", "query_failed", "amout"),
        ("SELECT phone, signed FROM people", "no_such_column", "AMOUNT (phone, signed)"),
        ("SELECT 1 FROM nowhere", "query_failed", "nowhere"),
    ],
)
async def test_a_query_that_does_not_work_is_told(
    db: Database, crm: str, query: str, code: str, why: str
) -> None:
    state = await read(db, a_query(crm, query))
    assert state.trouble == code
    assert why in state.details["why"]


WRITES = ("INSERT INTO people VALUES ('1', 1, true)", "CREATE TABLE more (a INTEGER)")


@pytest.mark.parametrize("statement", WRITES)
def test_the_connection_itself_refuses_to_write(crm: str, statement: str) -> None:
    with pytest.raises(OutsideFailed):
        list(OutsideDatabase(crm, statement).pages([]))

    rows = list(OutsideDatabase(crm, "SELECT phone FROM people").pages(["phone"]))
    assert len(rows[0]) == 2


def test_a_large_answer_comes_in_pages(crm: str) -> None:
    numbers = """
        WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
        SELECT i, '50%:x' AS t FROM n
    """
    pages = OutsideDatabase(crm, numbers).pages(["i", "t"])
    assert [len(page) for page in pages] == [1000, 1000, 500]


SECRET = "s3cret-w0rd"


@pytest.mark.parametrize(
    ("url", "code"),
    [
        (f"postgresql://reader:{SECRET}@127.0.0.1:1/crm", "not_connected"),
        (f"postgresql://reader:{SECRET}@no-such-host.invalid/crm", "not_connected"),
        (f"nonesuch://reader:{SECRET}@db/crm", "no_driver"),
        (f"oracle://reader:{SECRET}@db/crm", "no_driver"),
        ("sqlite:////nowhere/crm.db", "no_file"),
    ],
)
def test_a_database_that_cannot_be_reached_is_told_without_its_address(url: str, code: str) -> None:
    with pytest.raises(OutsideFailed) as failed:
        list(OutsideDatabase(url, "SELECT 1").pages(["a"]))

    assert failed.value.code == code
    told = str(failed.value) + failed.value.why
    assert not any(word in told for word in (SECRET, "reader", "127.0.0.1", "no-such-host"))
    assert failed.value.__cause__ is None


def test_a_missing_sqlite_file_is_not_made(tmp_path: Path) -> None:
    with pytest.raises(OutsideFailed):
        list(OutsideDatabase(f"sqlite:///{tmp_path / 'none.db'}", "SELECT 1").pages(["a"]))
    assert not list(tmp_path.iterdir())


def test_a_mistake_in_a_query_is_quoted_without_names_of_the_address(postgres: Server) -> None:
    url = postgres.url.render_as_string(hide_password=False)
    query = " ".join(["SELECT nothing FROM", str(postgres.url.database)])
    with pytest.raises(OutsideFailed) as failed:
        list(OutsideDatabase(url, query).pages(["a"]))

    assert failed.value.why == 'UndefinedTable 42P01: relation "***" does not exist'


async def test_a_source_that_breaks_off_is_told_in_its_own_words(
    db: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Broken:
        async def stamp(self) -> Stamp:
            return Stamp(NOW)

        async def pages(self, _: Sequence[str]) -> AsyncGenerator[Page, None]:
            yield Page([(1, ["13800001234", "1", "1"])])
            raise SourceFailed("query_failed", why="gone away")

    monkeypatch.setattr(reading, "opened", lambda *_: Broken())
    state = await read(db, a_source(tmp_path / "crm.csv"))

    assert (state.trouble, state.details) == ("query_failed", {"why": "gone away"})
    assert await look_up(db, "phone:13800001234") == []


async def test_a_customer_is_looked_up_in_one_query_by_an_index(
    db: Database, engine: Engine, tmp_path: Path
) -> None:
    await read(db, a_source(a_csv(tmp_path / "crm.csv", "13800001234,1,1")), name="a")
    await read(db, a_source(a_csv(tmp_path / "crm.csv", "13800001234,2,1")), name="b")
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *seen: asked.append(seen[2]))

    with engine.connect() as connection:
        found = Transaction(Link(connection)).sources.look_up(["phone:13800001234", "phone:1"])

    assert [each.rows for each in found] == [(deal(1),), (deal(2),)]
    assert len(asked) == 1


def test_sqlite_answers_the_look_up_from_the_primary_key(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'menwei.db'}"
    with closing(Database.open(url)) as database:
        database.upgrade()
    engine = create_engine(url)
    plans: list[str] = []

    def explain(connection: Connection, *seen: Any) -> None:
        _, statement, values, *_ = seen
        if not statement.startswith("EXPLAIN"):
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", values)
            plans.extend(str(row[3]) for row in rows)

    event.listen(engine, "before_cursor_execute", explain)
    with engine.connect() as connection:
        Transaction(Link(connection)).sources.look_up(["phone:1", "phone:2"])
    engine.dispose()

    wanted = "source_rows USING PRIMARY KEY (source=? AND generation=? AND key=?)"
    assert any(wanted in plan for plan in plans)
