"""The worker does each row once, lane by lane in order, and nothing that fails stops the others."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.wecom import HeldBack, Kind, WecomError
from bot.worker import Hopeless, Ignore, Patience, Postpone, Step, Worker
from storage.database import Database, Unavailable
from storage.transaction import Transaction
from storage.work import Claimed, Filed, Job, Queue, WorkState
from tests.makers_storage import NOON, a_job, a_record

SECOND = timedelta(seconds=1)
SOON = 5.0  # seconds in which whatever a test waits for must have happened
Deed = Callable[[], Awaitable[None]]


@dataclass
class Shop:
    """A worker on a real database, whose handler does what the test says of each row."""

    db: Database
    path: Path
    now: datetime = NOON
    deeds: dict[str, Deed] = field(default_factory=dict)  # by body, before the step is returned
    handled: list[str] = field(default_factory=list)  # bodies, at every try
    told: list[tuple[int, str]] = field(default_factory=list)
    telling: Exception | None = None

    def worker(self, **changes: object) -> Worker:
        values: dict[str, object] = {"idle": 0.01, "patience": Patience(faults=3)}
        made = Worker(self.db, Queue.INBOX, self.handle, self.set_aside, lambda: self.now)
        for name, value in (values | changes).items():
            setattr(made, name, value)
        return made

    async def handle(self, work: Claimed) -> Step:
        self.handled.append(work.body)
        if deed := self.deeds.get(work.body):
            await deed()
        return lambda tx: tx.audit.add(a_record(f"did.{work.body}"))

    def set_aside(self, tx: Transaction, work: Claimed, error: str) -> None:
        if self.telling is not None:
            raise self.telling
        self.told.append((work.id, error))
        tx.audit.add(a_record(f"set_aside.{work.body}"))

    @asynccontextmanager
    async def open(self, **changes: object) -> AsyncIterator[Worker]:
        """Run a worker until the block ends."""
        worker = self.worker(**changes)
        task = asyncio.create_task(worker.run())
        try:
            yield worker
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task

    async def add(self, lane: str, *bodies: str) -> None:
        jobs = [a_job(lane, body) for body in bodies]
        await self.db.write(lambda tx: tx.work.add(jobs, self.now))

    async def effects(self) -> list[str]:
        """Return the kinds of what the steps recorded, in order."""
        return [each.kind for each in await self.db.read(lambda tx: tx.audit.tail(1000))]

    async def row(self, work_id: int) -> Filed:
        found = await self.db.read(lambda tx: tx.work.get(work_id))
        assert found is not None
        return found

    async def state(self, work_id: int) -> WorkState:
        return (await self.row(work_id)).state

    async def until(self, what: Callable[[], bool]) -> None:
        async with asyncio.timeout(SOON):
            while True:
                if what():
                    return
                await asyncio.sleep(0.005)

    async def until_effects(self, *kinds: str) -> None:
        """Wait until exactly these effects are there, in any order."""
        async with asyncio.timeout(SOON):
            while True:
                found = await self.effects()
                if len(found) >= len(kinds):
                    break
                await asyncio.sleep(0.005)
        assert sorted(found) == sorted(kinds)

    async def until_off(self, work_id: int) -> Filed:
        """Wait until a row was put off to a later time, and return it."""
        query = "SELECT 1 FROM work WHERE id = ? AND leased = 0 AND error <> '' AND due > ?"
        async with asyncio.timeout(SOON):
            while True:
                values = (work_id, int(self.now.timestamp() * 1000))
                with closing(sqlite3.connect(self.path)) as outside:
                    if outside.execute(query, values).fetchone():
                        return await self.row(work_id)
                await asyncio.sleep(0.005)


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("worker") / "menwei.db"
    database = Database.open(f"sqlite:///{path}")
    database.upgrade()
    database.close()
    return path


@pytest.fixture
async def shop(template: Path, tmp_path: Path) -> AsyncIterator[Shop]:
    path = tmp_path / "menwei.db"
    shutil.copy(template, path)
    database = Database.open(f"sqlite:///{path}")
    yield Shop(database, path)
    await database.aclose()


def raising(error: Exception) -> Deed:
    async def deed() -> None:
        raise error

    return deed


def waiting(for_: asyncio.Event) -> Deed:
    async def deed() -> None:
        await for_.wait()

    return deed


def unreachable() -> WecomError:
    return WecomError(-2001, Kind.RETRY, "message/send")


async def test_a_lane_is_done_in_order_and_lanes_side_by_side(shop: Shop) -> None:
    gate = asyncio.Event()
    shop.deeds["a1"] = waiting(gate)
    await shop.add("a", "a1", "a2", "a3")
    await shop.add("b", "b1", "b2")

    async with shop.open():
        await shop.until_effects("did.b1", "did.b2")
        assert "a2" not in shop.handled
        gate.set()
        await shop.until_effects("did.b1", "did.b2", "did.a1", "did.a2", "did.a3")

    assert [body for body in shop.handled if body[0] == "a"] == ["a1", "a2", "a3"]
    assert len(shop.handled) == 5


async def test_a_failing_row_blocks_its_own_lane_only_until_it_succeeds(shop: Shop) -> None:
    shop.deeds["a1"] = raising(KeyError("x"))
    await shop.add("a", "a1", "a2")
    await shop.add("b", "b1")

    async with shop.open():
        put_off = await shop.until_off(1)
        await shop.until_effects("did.b1")
        assert "a2" not in shop.handled
        assert put_off.error.startswith("KeyError at deed:")

        del shop.deeds["a1"]
        shop.now = put_off.due
        await shop.until_effects("did.b1", "did.a1", "did.a2")

    assert shop.handled.index("a2") > max(n for n, body in enumerate(shop.handled) if body == "a1")


async def test_our_own_faults_are_tried_a_few_times_then_given_up_and_told_once(shop: Shop) -> None:
    shop.deeds["a1"] = raising(KeyError("x"))
    await shop.add("a", "a1", "a2")

    async with shop.open(patience=Patience(faults=3)):
        for pause in (1, 2):
            put_off = await shop.until_off(1)
            assert put_off.due == shop.now + pause * SECOND
            shop.now = put_off.due
        await shop.until_effects("set_aside.a1", "did.a2")

    assert shop.handled.count("a1") == 3
    assert [work_id for work_id, _ in shop.told] == [1]
    assert await shop.state(1) is WorkState.DEAD


async def test_what_is_hopeless_is_given_up_at_the_first_try(shop: Shop) -> None:
    shop.deeds["a1"] = raising(Hopeless("malformed: UserID missing"))
    await shop.add("a", "a1")

    async with shop.open():
        await shop.until_effects("set_aside.a1")

    assert shop.told == [(1, "malformed: UserID missing")]
    assert shop.handled == ["a1"]


async def test_a_refusal_of_wecom_for_good_is_given_up_at_once(shop: Shop) -> None:
    shop.deeds["a1"] = raising(WecomError(40003, Kind.PERMANENT, "message/send"))
    await shop.add("a", "a1")

    async with shop.open():
        await shop.until_effects("set_aside.a1")

    assert shop.handled == ["a1"]


async def test_wecoms_absence_is_waited_out_for_longer_than_our_own_faults(shop: Shop) -> None:
    shop.deeds["a1"] = raising(unreachable())
    await shop.add("a", "a1")

    async with shop.open(patience=Patience(faults=1, outage=12)):
        for _ in range(11):
            shop.now = (await shop.until_off(1)).due
        await shop.until_effects("set_aside.a1")

    assert len(shop.handled) == 12
    assert await shop.state(1) is WorkState.DEAD


async def test_a_database_that_cannot_store_is_not_the_fault_of_the_work(shop: Shop) -> None:
    shop.deeds["a1"] = raising(Unavailable("disk I/O error"))
    await shop.add("a", "a1")

    async with shop.open(patience=Patience(faults=1)):
        for _ in range(4):
            shop.now = (await shop.until_off(1)).due
        del shop.deeds["a1"]
        await shop.until_effects("did.a1")

    assert shop.told == []


async def test_a_postponed_row_keeps_its_lane_waiting_and_its_tries_uncounted(shop: Shop) -> None:
    shop.deeds["a1"] = raising(Postpone(30 * SECOND))
    await shop.add("a", "a1", "a2")

    async with shop.open(patience=Patience(faults=2)):
        for _ in range(5):
            put_off = await shop.until_off(1)
            assert put_off.due == shop.now + 30 * SECOND
            assert put_off.tries == 0
            if len(shop.handled) == 5:
                shop.deeds["a1"] = raising(KeyError("x"))
            shop.now = put_off.due
        put_off = await shop.until_off(1)
        assert put_off.tries == 1  # the first fault is the first, not the sixth
        assert "a2" not in shop.handled
        del shop.deeds["a1"]
        shop.now = put_off.due
        await shop.until_effects("did.a1", "did.a2")


async def test_an_ignored_row_is_closed_with_its_reason_and_changes_nothing(shop: Shop) -> None:
    shop.deeds["a1"] = raising(Ignore("no concern of ours"))
    await shop.add("a", "a1", "a2")

    async with shop.open():
        await shop.until_effects("did.a2")

    row = await shop.row(1)
    assert (row.state, row.error) == (WorkState.IGNORED, "no concern of ours")


async def test_a_step_that_fails_leaves_nothing_behind_and_comes_again(shop: Shop) -> None:
    failures = [ValueError("x")]
    ready = shop.handle

    async def handle(work: Claimed) -> Step:
        step = await ready(work)

        def failing(tx: Transaction) -> None:
            step(tx)
            if failures:
                raise failures.pop()

        return failing

    await shop.add("a", "a1")

    async with shop.open(handle=handle):
        shop.now = (await shop.until_off(1)).due
        await shop.until_effects("did.a1")

    assert shop.handled == ["a1", "a1"]


async def test_a_worker_whose_lease_ran_out_does_not_apply_its_step(shop: Shop) -> None:
    gate = asyncio.Event()
    shop.deeds["a1"] = waiting(gate)
    await shop.add("a", "a1")

    async with shop.open(lease=60 * SECOND):
        await shop.until(lambda: shop.handled == ["a1"])
        other = await shop.db.write(
            lambda tx: tx.work.claim(Queue.INBOX, NOON + 61 * SECOND, 1, 60 * SECOND)
        )
        gate.set()

    assert await shop.effects() == []
    assert await shop.state(1) is WorkState.OPEN
    assert await shop.db.write(lambda tx: tx.work.done(other[0], NOON))


async def test_a_handler_that_hangs_is_broken_off_before_its_lease_ends(shop: Shop) -> None:
    shop.deeds["a1"] = waiting(asyncio.Event())
    await shop.add("a", "a1")

    async with shop.open(lease=timedelta(milliseconds=300)):
        put_off = await shop.until_off(1)

    assert put_off.error.startswith("TimeoutError")
    assert shop.handled == ["a1"]


async def test_what_a_slow_lane_cannot_begin_within_the_lease_is_given_back(shop: Shop) -> None:
    async def slow() -> None:
        await asyncio.sleep(0.3)

    shop.deeds["a1"] = slow
    await shop.add("a", "a1", "a2")

    async with shop.open(lease=timedelta(milliseconds=500)):
        await shop.until_effects("did.a1", "did.a2")

    assert shop.handled == ["a1", "a2"]
    assert (await shop.row(2)).tries == 1  # the first claim of it does not count


async def test_a_poisoned_row_stops_nobody_even_when_giving_it_up_fails(shop: Shop) -> None:
    shop.deeds["a1"] = raising(Hopeless("x"))
    shop.telling = KeyError("the body cannot be read")
    await shop.add("a", "a1", "a2")
    await shop.add("b", "b1")

    async with shop.open():
        await shop.until_effects("did.b1", "did.a2")

    assert await shop.state(1) is WorkState.DEAD


async def test_more_lanes_than_the_worker_is_wide_are_all_done(shop: Shop) -> None:
    lanes = [f"lane{number}" for number in range(40)]
    for lane in lanes:
        await shop.add(lane, lane)

    async with shop.open(width=3):
        await shop.until_effects(*(f"did.{lane}" for lane in lanes))

    assert sorted(shop.handled) == sorted(lanes)


async def test_a_wake_is_heard_at_once_and_without_one_the_work_is_found_all_the_same(
    shop: Shop,
) -> None:
    async with shop.open(idle=60.0) as worker:
        await asyncio.sleep(0.05)
        await shop.add("a", "a1")
        worker.wake()
        await shop.until_effects("did.a1")

    async with shop.open(idle=0.05):
        await shop.add("a", "a2")
        await shop.until_effects("did.a1", "did.a2")


async def test_only_who_has_its_hands_full_calls_the_other_nodes(shop: Shop) -> None:
    gate, called = asyncio.Event(), []
    shop.deeds["a1"] = waiting(gate)

    async with shop.open(width=1, when_full=lambda: called.append("full")) as worker:
        worker.wake()
        assert called == []
        await shop.add("a", "a1")
        await shop.until(lambda: shop.handled == ["a1"])
        worker.wake_here()  # another node is full, too: they do not call each other to and fro
        assert called == []
        worker.wake()
        assert called == ["full"]
        gate.set()


async def test_after_a_step_those_are_woken_for_whom_it_has_made_work(shop: Shop) -> None:
    woken: list[str] = []
    done: list[str] = []
    message = Job(Queue.OUTBOX, "text", "b", "", "told")

    async def handle(work: Claimed) -> Step:
        def step(tx: Transaction) -> None:
            if work.body == "a2":
                tx.work.add_later(message, NOON)

        return step

    await shop.add("a", "a1", "a2", "a3")
    others = {
        Queue.OUTBOX: lambda: woken.append("outbox"),
        Queue.WELCOME: lambda: woken.append("welcome"),
    }
    async with shop.open(
        handle=handle, wake_others=others, count=lambda _, fate: done.append(fate)
    ):
        await shop.until(lambda: len(done) == 3)
    assert woken == ["outbox"]


async def test_stopping_waits_for_what_is_in_hand_and_gives_back_what_is_not_begun(
    shop: Shop,
) -> None:
    gate = asyncio.Event()
    shop.deeds["a1"] = waiting(gate)
    await shop.add("a", "a1", "a2")
    worker = shop.worker()
    task = asyncio.create_task(worker.run())
    await shop.until(lambda: shop.handled == ["a1"])

    task.cancel()
    await asyncio.sleep(0.05)
    assert not task.done()
    gate.set()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert await shop.effects() == ["did.a1"]
    left = await shop.row(2)
    assert (left.state, left.tries, left.due) == (WorkState.OPEN, 0, shop.now)


async def test_stopping_during_a_claim_leaves_no_row_leased(shop: Shop) -> None:
    await shop.add("a", "a1", "a2")
    worker = shop.worker()
    task = asyncio.create_task(worker.run())
    await asyncio.sleep(0)  # it has asked for the claim and waits for the answer

    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    assert shop.handled == []
    for number in (1, 2):
        row = await shop.row(number)
        assert (row.tries, row.due) == (0, shop.now)


async def test_each_row_is_counted_by_what_became_of_it(shop: Shop) -> None:
    counted: list[tuple[str, str]] = []
    shop.deeds |= {"b1": raising(Ignore("x")), "c1": raising(Hopeless("x"))}
    for lane in "abc":
        await shop.add(lane, f"{lane}1")

    async with shop.open(count=lambda kind, result: counted.append((kind, result))):
        await shop.until(lambda: len(counted) == 3)

    assert sorted(counted) == [("event", "done"), ("event", "ignored"), ("event", "set_aside")]


async def test_long_work_renews_its_lease_so_that_nobody_else_begins_it(shop: Shop) -> None:
    """Two workers, as on two nodes; the lease is far shorter than the work."""
    shop.now = datetime.now(UTC)
    shop.deeds["long"] = lambda: asyncio.sleep(1.0)
    await shop.add("a", "long")

    def ticking(worker: Worker) -> None:
        worker.now = lambda: datetime.now(UTC)

    lease, longest = timedelta(seconds=0.3), timedelta(seconds=30)
    async with shop.open(lease=lease, longest=longest) as one:
        ticking(one)
        async with shop.open(lease=lease, longest=longest) as two:
            ticking(two)
            await shop.until_effects("did.long")

    assert shop.handled == ["long"]


async def test_renewing_ends_with_the_longest_time_that_work_may_take(shop: Shop) -> None:
    shop.deeds["endless"] = lambda: asyncio.sleep(60)
    await shop.add("a", "endless")

    lease, longest = timedelta(seconds=0.2), timedelta(seconds=0.4)
    async with shop.open(lease=lease, longest=longest):
        row = await shop.until_off(1)

    assert "TimeoutError" in row.error


async def test_work_held_back_by_wecoms_limits_costs_no_try(shop: Shop) -> None:
    async def held() -> None:
        raise HeldBack("message/send", "as many calls as WeCom allows", 30)

    shop.deeds["held"] = held
    await shop.add("a", "held")

    async with shop.open():
        row = await shop.until_off(1)

    assert row.tries == 0
    assert row.due == shop.now + timedelta(seconds=30)


async def test_a_worker_that_stops_gives_long_work_back_when_its_lease_ends(shop: Shop) -> None:
    shop.deeds["long"] = lambda: asyncio.sleep(60)
    await shop.add("a", "long")

    async with shop.open(lease=timedelta(seconds=0.5), longest=timedelta(minutes=5)):
        await shop.until(lambda: shop.handled == ["long"])

    row = await shop.row(1)
    assert (row.state, row.tries, row.error) == (WorkState.OPEN, 0, "")


async def test_what_a_stop_breaks_off_counts_as_tried(shop: Shop) -> None:
    """Whoever does it next looks first whether WeCom has done it already."""
    shop.deeds["short"] = lambda: asyncio.sleep(60)
    await shop.add("a", "short")

    async with shop.open(lease=timedelta(seconds=0.5)):
        await shop.until(lambda: shop.handled == ["short"])

    row = await shop.row(1)
    assert (row.state, row.tries, row.error) == (WorkState.OPEN, 1, "stopped")
