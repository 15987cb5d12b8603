"""Group commit and its promises: nobody is answered early, and nobody suffers for another."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
import threading
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import DBAPIError, IntegrityError

from storage.audit import Harm
from storage.crew import Closed
from storage.database import Database, Unavailable
from storage.transaction import Step, Transaction
from storage.work import Queue
from tests.makers_storage import NOON, a_job, a_record


class Adds:
    """A step that adds one job to a lane, and waits or raises if told to."""

    def __init__(self, lane: str, *, error: BaseException | None = None) -> None:
        self.lane = lane
        self.error = error

    def __call__(self, tx: Transaction) -> str:
        tx.work.add([a_job(self.lane)], NOON)
        tx.audit.add(a_record(userid=self.lane))
        if self.error is not None:
            raise self.error
        return self.lane


class Gate:
    """A step that keeps a writer busy, so that what comes next is one batch."""

    def __init__(self) -> None:
        self.entered = threading.Event()
        self.opened = threading.Event()

    def __call__(self, _tx: Transaction) -> None:
        self.entered.set()
        assert self.opened.wait(10)


async def hold_the_writers(db: Database) -> tuple[list[Gate], list[asyncio.Task[None]]]:
    """Keep all writers busy, one after the other: together they would be one batch."""
    gates = [Gate() for _ in db._writers._threads]
    busy = []
    for gate in gates:
        busy.append(asyncio.create_task(db.write(gate)))
        assert await asyncio.to_thread(gate.entered.wait, 10)
    return gates, busy


async def in_one_batch(db: Database, *steps: Step[str]) -> list[str | BaseException]:
    """Send the steps while all writers are busy."""
    gates, busy = await hold_the_writers(db)
    waiting = [asyncio.create_task(db.write(step)) for step in steps]
    await asyncio.sleep(0)
    assert db.waiting == len(steps)
    gates[0].opened.set()
    await busy[0]
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    for gate in gates:
        gate.opened.set()
    await asyncio.gather(*busy)
    return answers


async def lanes(db: Database) -> list[str]:
    found = await db.write(lambda tx: tx.work.claim(Queue.INBOX, NOON, 999, timedelta(1)))
    return sorted(claim.lane for claim in found)


def commits(db: Database) -> list[int]:
    counted: list[int] = []
    event.listen(db._writer, "commit", lambda _connection: counted.append(1))
    return counted


async def test_steps_that_wait_together_share_one_commit(db: Database) -> None:
    counted = commits(db)

    answers = await in_one_batch(db, *(Adds(str(n)) for n in range(12)))

    assert answers == [str(n) for n in range(12)]
    assert len(counted) == len(db._writers._threads) + 1


async def test_a_batch_is_bounded(db: Database) -> None:
    counted = commits(db)

    await in_one_batch(db, *(Adds(str(n)) for n in range(150)))

    assert len(counted) - len(db._writers._threads) >= 9
    assert len(await lanes(db)) == 150


async def test_what_came_through_the_door_overtakes_the_work_that_waits(db: Database) -> None:
    served: list[str] = []
    gates, busy = await hold_the_writers(db)
    waiting = [
        asyncio.create_task(db.write(lambda _tx, name=str(n): served.append(name)))  # type: ignore[misc]
        for n in range(40)
    ]
    await asyncio.sleep(0)
    door = [
        asyncio.create_task(db.write_first(lambda _tx, name=name: served.append(name)))  # type: ignore[misc]
        for name in ("door", "next door")
    ]
    await asyncio.sleep(0)
    gates[0].opened.set()
    await asyncio.gather(*door, *waiting)
    for gate in gates:
        gate.opened.set()
    await asyncio.gather(*busy)

    assert served == ["door", "next door", *map(str, range(40))]


@pytest.mark.parametrize(
    "error", [KeyError("x"), StopIteration(), SystemExit(2)], ids=["usual", "iteration", "exit"]
)
async def test_a_failing_step_undoes_only_itself(db: Database, error: BaseException) -> None:
    answers = await in_one_batch(db, Adds("a"), Adds("bad", error=error), Adds("c"))

    assert (answers[0], answers[2]) == ("a", "c")
    assert isinstance(answers[1], (KeyError, RuntimeError))
    assert await lanes(db) == ["a", "c"]
    assert [r.userid for r in await db.read(lambda tx: tx.audit.tail(9))] == ["a", "c"]


async def test_a_failing_step_alone_undoes_itself(db: Database) -> None:
    with pytest.raises(KeyError):
        await db.write(Adds("bad", error=KeyError()))

    assert await lanes(db) == []


async def test_a_statement_that_fails_leaves_the_rest_of_the_batch_alone(db: Database) -> None:
    """PostgreSQL refuses everything after an error, up to the savepoint."""

    def clash(tx: Transaction) -> str:
        tx.link.execute(text("INSERT INTO versions VALUES ('x', 1)"))
        tx.link.execute(text("INSERT INTO versions VALUES ('x', 1)"))
        return "not reached"

    answers = await in_one_batch(db, Adds("a"), clash, Adds("c"))

    assert isinstance(answers[1], IntegrityError)
    assert await lanes(db) == ["a", "c"]


async def test_a_step_that_hides_an_error_of_the_database_is_not_told_it_was_stored(
    db: Database,
) -> None:
    def hide(tx: Transaction) -> str:
        tx.work.add([a_job("a")], NOON)
        with contextlib.suppress(DBAPIError):
            tx.link.execute(text("INSERT INTO nowhere VALUES (1)"))
        return "stored"

    [answer] = await asyncio.gather(db.write(hide), return_exceptions=True)

    assert (await lanes(db) == ["a"]) is (answer == "stored")


async def test_a_failing_commit_reaches_everybody_who_waits_for_it(db: Database) -> None:
    def refuse(_connection: object) -> None:
        raise OSError("no space left on device")

    gone = iter([refuse])

    def before(connection: object) -> None:
        if db.waiting == 0:  # the batch under test, not the gates before it
            for fail in gone:
                fail(connection)

    event.listen(db._writer, "commit", before)
    answers = await in_one_batch(db, *(Adds(str(n)) for n in range(12)))
    event.remove(db._writer, "commit", before)

    assert [type(answer) for answer in answers] == [OSError] * 12
    assert await lanes(db) == []
    assert await db.read(lambda tx: tx.audit.tail(9)) == []
    assert await db.write(Adds("later")) == "later"


async def test_a_cancelled_waiter_breaks_nobody(db: Database) -> None:
    gates, busy = await hold_the_writers(db)
    waiting = [asyncio.create_task(db.write(Adds(str(n)))) for n in range(9)]
    await asyncio.sleep(0)
    waiting[4].cancel()
    busy[0].cancel()  # this one already runs
    for gate in gates:
        gate.opened.set()

    answers = await asyncio.gather(*busy, *waiting, return_exceptions=True)

    gone = [n for n, answer in enumerate(answers) if isinstance(answer, asyncio.CancelledError)]
    assert gone == [0, len(gates) + 4]
    assert len(await lanes(db)) == 8


async def test_a_read_sees_one_moment_however_long_it_takes(db: Database) -> None:
    started, go_on = threading.Event(), threading.Event()

    def count(tx: Transaction) -> int:
        return sum(tx.work.counts().values())

    def slow(tx: Transaction) -> tuple[int, int]:
        before = count(tx)
        started.set()
        assert go_on.wait(10)
        return before, count(tx)

    reading = asyncio.create_task(db.read(slow))
    assert await asyncio.to_thread(started.wait, 10)
    await db.write(Adds("a"))
    go_on.set()

    assert await reading == (0, 0)
    assert await db.read(count) == 1


async def test_a_read_cannot_write(db: Database) -> None:
    def sneak(tx: Transaction) -> None:
        tx.work.add([a_job("a")], NOON)

    with pytest.raises(Exception, match=r"(?i)read-?\s?only"):
        await db.read(sneak)

    assert await lanes(db) == []


async def test_a_closed_database_says_so_and_had_finished_what_waited(db_url: str) -> None:
    db = Database.open(db_url)
    waiting = [asyncio.create_task(db.write(Adds(str(n)))) for n in range(30)]
    await asyncio.sleep(0)

    await db.aclose()

    assert len(await asyncio.gather(*waiting)) == 30
    with pytest.raises(Closed):
        await db.write(Adds("late"))
    assert not await db.is_alive()
    db.close()


def test_the_threads_end_with_the_database(db_url: str) -> None:
    before = threading.active_count()

    db = Database.open(db_url)
    assert threading.active_count() > before
    db.close()

    assert threading.active_count() == before


def test_a_program_that_forgets_to_close_still_ends(db_url: str) -> None:
    program = (
        "import asyncio, sys\n"
        "from storage.database import Database\n"
        "db = Database.open(sys.argv[1])\n"
        "assert asyncio.run(db.is_alive())\n"
    )
    root = Path(__file__).parents[2]

    subprocess.run([sys.executable, "-c", program, db_url], cwd=root, timeout=30, check=True)


async def test_a_database_serves_several_event_loops(db: Database) -> None:
    def elsewhere() -> str:
        return asyncio.run(db.write(Adds("there")))

    here, there = await asyncio.gather(db.write(Adds("here")), asyncio.to_thread(elsewhere))

    assert (here, there) == ("here", "there")


async def test_it_is_alive_until_it_cannot_be_reached(db: Database) -> None:
    assert await db.is_alive()


@pytest.mark.parametrize(
    "url", ["sqlite:////nowhere/at/all/x.db", "postgresql://nobody:hunter2@127.0.0.1:1/none"]
)
async def test_a_database_that_cannot_be_reached_is_unavailable(url: str) -> None:
    db = Database.open(url)

    with pytest.raises(Unavailable) as caught:
        await db.write(Adds("a"))
    assert not await db.is_alive()
    await db.aclose()

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:", "mysql://h/d", "hunter2"])
def test_other_urls_are_refused_in_words_and_without_secrets(url: str) -> None:
    with pytest.raises(ValueError, match=r"SQLite needs a file|storage\.url") as caught:
        Database.open(url)

    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_a_full_disk_is_told_to_everybody_and_survived(db: Database) -> None:
    """SQLite undoes the whole transaction by itself here; no step may slip through alone."""
    with db._writer.connect() as connection:
        pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")

    def big(tx: Transaction) -> str:
        tx.work.add([a_job("big", "x" * 100_000)], NOON)
        return "stored"

    answers = await in_one_batch(db, Adds("a"), big, Adds("c"))

    stored = {answer for answer in answers if isinstance(answer, str)}
    assert isinstance(answers[1], Unavailable)
    assert set(await lanes(db)) == stored
    with db._writer.connect() as connection:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")
    assert await db.write(big) == "stored"


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_sqlite_flushes_every_commit_to_disk(db: Database) -> None:
    with db._writer.connect() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
        assert connection.exec_driver_sql("PRAGMA synchronous").scalar_one() == 2
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_a_broken_connection_fails_the_batch_and_is_replaced(
    db: Database, engine: Engine
) -> None:
    def cut(tx: Transaction) -> str:
        pid = tx.link.execute(text("SELECT pg_backend_pid()")).scalar_one()
        with engine.begin() as outside:
            outside.execute(text("SELECT pg_terminate_backend(:pid)"), {"pid": pid})
        tx.work.counts()
        return "not reached"

    answers = await in_one_batch(db, Adds("a"), cut, Adds("c"))

    assert {type(answer) for answer in answers} == {Unavailable}
    assert await lanes(db) == []
    assert await db.write(Adds("later")) == "later"


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_a_deadlock_between_two_batches_is_tried_again(db: Database) -> None:
    """Both take what the other wants; PostgreSQL stops one, which then runs alone."""
    meet, entered = threading.Barrier(2), threading.Event()

    def crosswise(first: str, second: str) -> Step[int]:
        tries = 0

        def step(tx: Transaction) -> int:
            nonlocal tries
            tries += 1
            tx.hold(first)
            entered.set()
            if tries == 1:
                meet.wait(10)
            tx.hold(second)
            tx.audit.add(a_record())
            return tries

        return step

    one = asyncio.create_task(db.write(crosswise("x", "y")))
    assert await asyncio.to_thread(entered.wait, 10)
    other = asyncio.create_task(db.write(crosswise("y", "x")))

    assert sorted([await one, await other]) == [1, 2]
    assert (await db.read(lambda tx: tx.audit.head())).seq == 2


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_a_name_that_is_held_lets_nobody_else_in(db: Database) -> None:
    """Count, then add: of many at once, no more than the limit get through."""

    def one_of_three(tx: Transaction) -> bool:
        tx.hold("adds:lina")
        if sum(tx.work.counts().values()) >= 3:
            return False
        tx.work.add([a_job("a")], NOON)
        return True

    other = Database.open(db._writer.url.render_as_string(hide_password=False))
    let_in = await asyncio.gather(*(d.write(one_of_three) for d in (db, other) for _ in range(20)))
    await other.aclose()

    assert sum(let_in) == 3


async def test_the_clocks_of_database_and_node_are_compared(db: Database) -> None:
    assert abs(await db.clock_ahead()) < timedelta(seconds=5)


async def test_killed_at_any_moment_what_was_answered_is_there(db_url: str, tmp_path: Path) -> None:
    """kill -9 in the middle of the traffic; every answer that was given must be found."""
    program = (
        "import asyncio, sys\n"
        "from storage.database import Database\n"
        "from tests.makers_storage import NOON, a_job, a_record\n"
        "def step(n):\n"
        "    def add(tx):\n"
        "        tx.work.add([a_job(f'l{n}')], NOON)\n"
        "        tx.audit.add(a_record())\n"
        "    return add\n"
        "async def main():\n"
        "    db = Database.open(sys.argv[1])\n"
        "    async def one(n):\n"
        "        await db.write(step(n))\n"
        "        print(n, flush=True)\n"
        "    for start in range(0, 100000, 50):\n"
        "        await asyncio.gather(*(one(n) for n in range(start, start + 50)))\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        program,
        db_url,
        cwd=Path(__file__).parents[2],
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    answered = [await process.stdout.readline() for _ in range(220)]
    process.kill()
    answered += (await process.stdout.read()).splitlines(keepends=True)
    await process.wait()

    db = Database.open(db_url)
    found = {
        claim.lane
        for _ in range(100)
        for claim in await db.write(
            lambda tx: tx.work.claim(Queue.INBOX, NOON, 500, timedelta(days=1))
        )
    }
    breach = await db.read(lambda tx: tx.audit.verify())
    head = await db.read(lambda tx: tx.audit.head())
    await db.aclose()

    assert {f"l{int(line)}" for line in answered if line.endswith(b"\n")} <= found
    assert breach is None, Harm
    assert head.seq == len(found)
