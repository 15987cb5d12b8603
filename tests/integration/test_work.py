"""The work table: order within lanes, leases, keys, and queries that use their index."""

from __future__ import annotations

import asyncio
import random
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import pytest
from sqlalchemy import Engine, event, text, update

from storage.database import Database
from storage.tables import work
from storage.transaction import Transaction
from storage.work import Claimed, Job, Queue, WorkState
from tests.makers_storage import NOON, a_job

T = TypeVar("T")

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)
LEASE = timedelta(seconds=30)


async def add(db: Database, *jobs: Job) -> int:
    return await db.write(lambda tx: tx.work.add(jobs, NOON))


async def claim(
    db: Database, limit: int = 100, *, after: timedelta = timedelta(0), queue: Queue = Queue.INBOX
) -> list[Claimed]:
    return await db.write(lambda tx: tx.work.claim(queue, NOON + after, limit, LEASE))


async def one(db: Database, *, after: timedelta = timedelta(0)) -> Claimed:
    [found] = await claim(db, after=after)
    return found


def bodies(claims: list[Claimed]) -> list[str]:
    return [claim.body for claim in claims]


async def test_a_job_comes_back_as_it_was_added(db: Database) -> None:
    await add(db, a_job("lane", "body", key="k", kind="friend.add"))

    found = await one(db)

    assert found == Claimed(1, "k", Queue.INBOX, "lane", "friend.add", "body", 1, NOON)


async def test_a_lane_is_handed_out_in_order_and_lanes_side_by_side(db: Database) -> None:
    await add(db, *(a_job(lane, f"{lane}{n}") for n in range(3) for lane in "ab"))

    claims = await claim(db)

    assert bodies(claims) == ["a0", "a1", "a2", "b0", "b1", "b2"]
    assert await claim(db) == []


async def test_a_job_without_a_lane_is_refused(db: Database) -> None:
    with pytest.raises(ValueError, match="lane"):
        await add(db, a_job(""))


async def test_queues_do_not_mix(db: Database) -> None:
    await add(db, a_job("a", "in"), a_job("a", "out", queue=Queue.OUTBOX))

    assert bodies(await claim(db, queue=Queue.OUTBOX)) == ["out"]
    assert bodies(await claim(db)) == ["in"]


async def test_a_known_key_is_added_once_even_when_it_is_done(db: Database) -> None:
    assert await add(db, a_job("a", key="k"), a_job("a", key="k"), a_job("b")) == 2
    [claimed, _] = await claim(db)
    assert await db.write(lambda tx: tx.work.done(claimed, NOON))

    assert await add(db, a_job("a", key="k")) == 0
    assert await claim(db, after=MINUTE) != []  # only what was in lane b


async def test_new_jobs_are_counted_in_however_many_pieces_they_are_sent(db: Database) -> None:
    await add(db, a_job("a", key="7"))

    assert await add(db, *(a_job("a", key=str(n)) for n in range(2500))) == 2499


async def test_the_same_key_from_many_callers_at_once_is_one_row(db: Database) -> None:
    added = await asyncio.gather(*(add(db, a_job("a", key="k")) for _ in range(50)))

    assert sum(added) == 1


async def test_nothing_is_due_before_its_time(db: Database) -> None:
    await add(db, a_job("a", due=NOON + MINUTE))

    assert await claim(db) == []
    assert await db.read(lambda tx: tx.work.next_due(Queue.INBOX, NOON)) == NOON + MINUTE
    assert await db.read(lambda tx: tx.work.next_due(Queue.INBOX, NOON + MINUTE)) is None
    assert len(await claim(db, after=MINUTE)) == 1


async def test_a_lane_waits_behind_its_leased_head(db: Database) -> None:
    await add(db, a_job("a", "first"))
    await claim(db)
    await add(db, a_job("a", "second"), a_job("b", "other"))

    assert bodies(await claim(db)) == ["other"]


async def test_a_lane_waits_behind_a_head_that_is_tried_again_later(db: Database) -> None:
    await add(db, a_job("a", "first"), a_job("a", "second"))
    first, second = await claim(db)

    def put_off(tx: Transaction) -> None:
        assert tx.work.retry(first, NOON + MINUTE, "WeCom is down")
        assert tx.work.release(second, NOON)

    await db.write(put_off)

    assert await claim(db, after=59 * SECOND) == []
    again = await claim(db, after=MINUTE)
    assert bodies(again) == ["first", "second"]
    assert [found.tries for found in again] == [2, 1]


async def test_a_dead_row_frees_its_lane_and_can_be_replayed(db: Database) -> None:
    await add(db, a_job("a", "poison"), a_job("a", "next"))
    poison, following = await claim(db)
    await db.write(lambda tx: tx.work.dead(poison, "KeyError", NOON))
    await db.write(lambda tx: tx.work.release(following, NOON))

    assert bodies(await claim(db)) == ["next"]
    [letter] = await db.read(lambda tx: tx.work.dead_letters(9))
    assert (letter.body, letter.error, letter.state) == ("poison", "KeyError", WorkState.DEAD)
    counted = await db.read(lambda tx: tx.work.counts())
    assert counted == {(Queue.INBOX, WorkState.DEAD): 1, (Queue.INBOX, WorkState.OPEN): 1}

    assert await db.write(lambda tx: tx.work.replay(letter.id, NOON))
    assert not await db.write(lambda tx: tx.work.replay(letter.id, NOON))
    assert (await one(db)).tries == 1


async def test_a_lease_that_ran_out_is_claimed_again_and_the_late_worker_is_refused(
    db: Database,
) -> None:
    await add(db, a_job("a"))
    late = await one(db)
    assert await claim(db, after=LEASE - SECOND) == []
    second = await one(db, after=LEASE)
    assert second.tries == 2

    for verdict in (
        lambda tx: tx.work.done(late, NOON),
        lambda tx: tx.work.ignored(late, "x", NOON),
        lambda tx: tx.work.dead(late, "x", NOON),
        lambda tx: tx.work.retry(late, NOON, "x"),
        lambda tx: tx.work.release(late, NOON),
    ):
        assert await db.write(verdict) is False

    assert await db.write(lambda tx: tx.work.done(second, NOON))
    assert not await db.write(lambda tx: tx.work.done(second, NOON))


async def test_a_late_worker_whose_row_was_not_claimed_again_may_still_finish(
    db: Database,
) -> None:
    await add(db, a_job("a"))
    late = await one(db)

    assert await db.write(lambda tx: tx.work.done(late, NOON + MINUTE))

    assert await claim(db, after=MINUTE) == []


async def test_an_undone_step_does_not_finish_its_row(db: Database) -> None:
    """A crash between the call and `done` looks like this: the row comes back."""
    await add(db, a_job("a"))
    claimed = await one(db)

    def step(tx: Transaction) -> None:
        tx.work.add([a_job("b")], NOON)
        assert tx.work.done(claimed, NOON)
        raise KeyError

    with pytest.raises(KeyError):
        await db.write(step)

    assert [found.lane for found in await claim(db, after=LEASE)] == ["a"]


async def test_a_timer_can_be_moved_and_cancelled_by_its_key(db: Database) -> None:
    await add(db, a_job("t", "old", key="t", due=NOON + MINUTE))

    assert await db.write(lambda tx: tx.work.reschedule("t", NOON, "new"))
    claimed = await one(db)
    assert claimed.body == "new"
    assert await db.write(lambda tx: tx.work.cancel("t", NOON))
    assert not await db.write(lambda tx: tx.work.done(claimed, NOON))
    assert not await db.write(lambda tx: tx.work.reschedule("t", NOON))
    assert not await db.write(lambda tx: tx.work.cancel("t", NOON))
    assert await add(db, a_job("t", key="t")) == 0  # told again, it is not revived


async def test_a_finished_row_is_neither_moved_nor_cancelled(db: Database) -> None:
    await add(db, a_job("t", key="t"))
    claimed = await one(db)
    await db.write(lambda tx: tx.work.ignored(claimed, "not ours", NOON))

    assert not await db.write(lambda tx: tx.work.reschedule("t", NOON))
    assert not await db.write(lambda tx: tx.work.cancel("t", NOON))
    filed = await db.read(lambda tx: tx.work.get(claimed.id))
    assert filed is not None
    assert (filed.state, filed.error) == (WorkState.IGNORED, "not ours")
    assert await db.read(lambda tx: tx.work.get(99)) is None


async def test_leases_of_a_dead_process_are_released_but_timers_and_retries_stay(
    db: Database,
) -> None:
    await add(db, a_job("a"), a_job("b"), a_job("c", due=NOON + MINUTE))
    leased, retried = await claim(db)
    await db.write(lambda tx: tx.work.retry(retried, NOON + MINUTE, "x"))

    assert await db.write(lambda tx: tx.work.release_leases(NOON, Queue.OUTBOX)) == 0
    assert await db.write(lambda tx: tx.work.release_leases(NOON)) == 1

    again = await one(db)
    assert (again.lane, again.tries) == (leased.lane, 2)


async def test_only_old_finished_rows_are_pruned(db: Database) -> None:
    await add(db, *(a_job(lane, key=lane) for lane in "abcd"))
    a, b, c, _ = await claim(db)

    def finish(tx: Transaction) -> None:
        tx.work.done(a, NOON)
        tx.work.ignored(b, "", NOON)
        tx.work.dead(c, "", NOON)

    await db.write(finish)

    assert await db.write(lambda tx: tx.work.prune(NOON)) == 0
    assert await db.write(lambda tx: tx.work.prune(NOON + SECOND)) == 2
    assert await add(db, *(a_job(lane, key=lane) for lane in "abcd")) == 2


async def test_a_busy_lane_leaves_room_for_the_others(db: Database) -> None:
    await add(db, *(a_job("hot") for _ in range(2000)), *(a_job(f"l{n}") for n in range(10)))

    claims = await claim(db, 50)

    assert len(claims) == 42
    assert {found.lane for found in claims} == {"hot", *(f"l{n}" for n in range(10))}


async def test_lanes_that_cannot_move_do_not_hide_the_others(db: Database) -> None:
    """The heads are put off; what waits behind them must not fill every look."""
    await add(db, *(a_job(f"bad{n}") for n in range(300) for _ in range(3)))
    claims = await claim(db, 2000)

    def put_off(tx: Transaction) -> None:
        for found in claims:
            tx.work.retry(found, NOON + MINUTE, "x")

    await db.write(put_off)
    await add(db, *(a_job(f"bad{n}") for n in range(300)), a_job("good"))

    assert [found.lane for found in await claim(db, 5)] == ["good"]


async def test_a_limit_cuts_a_lane_at_its_end(db: Database) -> None:
    await add(db, *(a_job("a", str(n)) for n in range(5)))

    assert bodies(await claim(db, 2)) == ["0", "1"]
    assert await claim(db, 2) == []


async def work_off(db: Database, seen: dict[str, list[str]], now: Callable[[], timedelta]) -> None:
    """Claim and finish until nothing is left, as one node would, failing now and then."""
    dice = random.Random(id(db))
    while True:
        claims = await claim(db, 20, after=now())
        if not claims and await db.read(lambda tx: not tx.work.counts()):
            return
        for found in claims:
            if dice.random() < 0.2:  # this node dies here: the lease must run out
                break

            def finish(tx: Transaction, found: Claimed = found) -> bool:
                return tx.work.done(found, NOON)

            if await db.write(finish):
                seen[found.lane].append(found.body)
        await asyncio.sleep(0)


async def test_three_nodes_keep_the_order_of_each_lane_and_do_nothing_twice(
    db_url: str, dialect: str
) -> None:
    nodes = [Database.open(db_url) for _ in range(3 if dialect == "postgresql" else 1)]
    jobs = [a_job(f"lane{n % 7}", str(n)) for n in range(150)]
    await add(nodes[0], *jobs)
    seen: dict[str, list[str]] = defaultdict(list)
    ticks = 0

    def now() -> timedelta:
        nonlocal ticks
        ticks += 1
        return ticks * SECOND

    async with asyncio.timeout(30):
        await asyncio.gather(*(work_off(node, seen, now) for node in nodes))
    for node in nodes:
        await node.aclose()

    assert sum(map(len, seen.values())) == 150
    for done in seen.values():
        assert done == sorted(done, key=int)


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_a_row_finished_between_look_and_lease_is_not_handed_out(
    db: Database, engine: Engine
) -> None:
    """A worker whose lease ran out finishes just as another one claims."""
    await add(db, a_job("a", "late"), a_job("a", "next"), a_job("b", "other"))
    late, following, _ = await claim(db)
    await db.write(lambda tx: tx.work.release(following, NOON))
    interfere = iter([update(work).where(work.c.id == late.id).values(state=1, done_at=NOON)])

    def before(_c: object, _cur: object, statement: str, *_rest: object) -> None:
        if statement.startswith("UPDATE work") and "leased" in statement:
            for change in interfere:
                with engine.begin() as outside:
                    outside.execute(change)

    event.listen(db._writer, "before_cursor_execute", before)
    claims = await claim(db, after=LEASE)
    event.remove(db._writer, "before_cursor_execute", before)

    assert bodies(claims) == ["other"]
    assert [(found.body, found.tries) for found in await claim(db, after=LEASE)] == [("next", 1)]


async def test_hot_queries_use_their_index(db: Database, engine: Engine) -> None:
    """With 5,000 finished and 200 open rows, nothing may read the whole table."""
    finished = [a_job(f"l{n}") for n in range(5000)]
    await add(db, *finished)
    with engine.begin() as outside:
        outside.execute(update(work).values(state=1, done_at=NOON))
    await add(db, *(a_job(f"l{n}", key=str(n)) for n in range(200)))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as outside:
        outside.execute(text("VACUUM"))
        outside.execute(text("ANALYZE"))
    plans = await explained(db, everything_hot)

    assert len(plans) >= 6
    for statement, plan in plans.items():
        assert "SCAN work\n" not in plan, (statement, plan)
        assert "Seq Scan on work" not in plan, (statement, plan)
    assert any("ix_work_due" in plan for plan in plans.values())
    assert any("ix_work_lane" in plan for plan in plans.values())
    assert any("ix_work_finished" in plan for plan in plans.values())


def everything_hot(tx: Transaction) -> None:
    claims = tx.work.claim(Queue.INBOX, NOON, 10, LEASE)
    tx.work.done(claims[0], NOON)
    tx.work.retry(claims[1], NOON, "")
    tx.work.reschedule("7", NOON)
    tx.work.next_due(Queue.INBOX, NOON)
    tx.work.prune(NOON - MINUTE, 10)
    tx.work.dead_letters(5)


async def explained(db: Database, step: Callable[[Transaction], None]) -> dict[str, str]:
    """Run the step and return the plan of every statement on `work` it sent, values included."""
    sent: list[tuple[str, object]] = []

    def note(_c: object, _cur: object, statement: str, values: object, *_rest: object) -> None:
        if not statement.startswith(("SAVEPOINT", "BEGIN", "RELEASE")) and "work" in statement:
            sent.append((statement, values))

    event.listen(db._writer, "before_cursor_execute", note)
    await db.write(step)
    event.remove(db._writer, "before_cursor_execute", note)
    prefix = "EXPLAIN QUERY PLAN " if db._writer.dialect.name == "sqlite" else "EXPLAIN "
    plans = {}
    with db._writer.connect() as inside:
        for statement, values in sent:
            rows = inside.exec_driver_sql(prefix + statement, values)  # type: ignore[arg-type]
            plans[statement] = "\n".join(str(row[-1]) for row in rows) + "\n"
    return plans


async def test_a_postponed_row_waits_with_its_lane_and_that_try_does_not_count(
    db: Database,
) -> None:
    await add(db, a_job("a", "a1"), a_job("a", "a2"))
    first, second = await claim(db)
    await db.write(lambda tx: tx.work.release(second, NOON))

    assert await db.write(lambda tx: tx.work.postpone(first, NOON + 10 * SECOND, "not now"))

    assert await claim(db, after=9 * SECOND) == []
    again = await claim(db, after=10 * SECOND)
    assert [(each.body, each.tries) for each in again] == [("a1", 1), ("a2", 1)]


async def test_who_lost_the_lease_cannot_postpone(db: Database) -> None:
    await add(db, a_job("a", "a1"))
    late = await one(db)
    await one(db, after=LEASE)

    assert not await db.write(lambda tx: tx.work.postpone(late, NOON, "not now"))
