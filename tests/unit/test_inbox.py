"""The inbox commits many arrivals at once and tells each of them how that went."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot.inbox import Arrival, Inbox, NotStored, Overloaded, Room, Welcome
from storage.jobs import Job, Queue
from tests.makers_door import NOW

ROOM = Room(waiting=10, per_commit=4)


class FakeWork:
    """Takes jobs as the work table does: known keys are skipped."""

    def __init__(self) -> None:
        self.jobs: dict[str | None, Job] = {}

    def add(self, jobs: Sequence[Job], now: datetime) -> int:
        assert now == NOW
        before = len(self.jobs)
        for job in jobs:
            self.jobs.setdefault(job.key, job)
        return len(self.jobs) - before


class FakeStore:
    """A database whose commits end when, and as, the test says."""

    def __init__(self) -> None:
        self.work = FakeWork()
        self.commits: list[list[str | None]] = []  # the keys of each
        self.begun = asyncio.Event()
        self.open = asyncio.Event()
        self.open.set()
        self.error: BaseException | None = None

    async def write_first(self, change: Callable[[Any], int], /) -> int:
        self.begun.set()
        await self.open.wait()
        if self.error is not None:
            raise self.error
        before = len(self.work.jobs)
        change(self)
        self.commits.append(list(self.work.jobs)[before:])
        return len(self.work.jobs) - before


class Hall:
    """An inbox on a fake store, and what it called."""

    def __init__(self) -> None:
        self.store = FakeStore()
        self.woken = 0
        self.inbox = Inbox(self.store, lambda: NOW, self.wake, ROOM)

    def wake(self) -> None:
        self.woken += 1

    async def fill_during_a_commit(self, count: int) -> list[asyncio.Task[None]]:
        """Start a commit of 'a0' that hangs, and let the others arrive meanwhile."""
        self.store.open.clear()
        tasks = [asyncio.create_task(self.inbox.put(an_arrival("a0")))]
        await self.store.begun.wait()
        tasks += [asyncio.create_task(self.inbox.put(an_arrival(f"a{n}"))) for n in range(1, count)]
        await asyncio.sleep(0)
        return tasks


def an_arrival(key: str, welcome: Welcome | None = None) -> Arrival:
    return Arrival(key, "contact.added", "rel:mei:wm1", "<xml>门</xml>".encode(), NOW, welcome)


@pytest.fixture
async def hall() -> AsyncIterator[Hall]:
    hall = Hall()
    await hall.inbox.start()
    yield hall
    hall.store.open.set()
    await hall.inbox.stop()


async def test_an_arrival_becomes_a_row_of_the_inbox(hall: Hall) -> None:
    await hall.inbox.put(an_arrival("in:1"))
    job = Job(Queue.INBOX, "contact.added", "rel:mei:wm1", "<xml>门</xml>", "in:1")
    assert hall.store.work.jobs == {"in:1": job}
    assert hall.woken == 1


async def test_what_arrives_during_a_commit_is_the_next_commit_in_order(hall: Hall) -> None:
    waiting = await hall.fill_during_a_commit(8)
    assert hall.inbox.waiting == 7
    hall.store.open.set()
    await asyncio.gather(*waiting)
    assert hall.store.commits == [["a0"], ["a1", "a2", "a3", "a4"], ["a5", "a6", "a7"]]
    assert hall.woken == 3


async def test_an_inbox_full_of_large_events_takes_no_more_until_they_are_stored() -> None:
    hall = Hall()
    large = len(an_arrival("").xml)
    hall.inbox = Inbox(hall.store, lambda: NOW, hall.wake, Room(bytes=3 * large))
    await hall.inbox.start()
    waiting = await hall.fill_during_a_commit(3)

    with pytest.raises(Overloaded):
        await hall.inbox.put(an_arrival("one too many"))

    hall.store.open.set()
    await asyncio.gather(*waiting)
    await hall.inbox.put(an_arrival("later"))
    await hall.inbox.stop()


async def test_nobody_is_told_before_the_commit(hall: Hall) -> None:
    waiting = await hall.fill_during_a_commit(3)
    await asyncio.sleep(0.05)
    assert not any(task.done() for task in waiting)


async def test_a_failed_commit_reaches_everybody_in_it_and_nobody_else(hall: Hall) -> None:
    waiting = await hall.fill_during_a_commit(5)
    failure = OSError("disk full")
    hall.store.error = failure
    hall.store.open.set()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(answer) for answer in answers] == [NotStored] * 5
    assert all(isinstance(a, NotStored) and a.__cause__ is failure for a in answers)
    assert hall.woken == 0
    hall.store.error = None
    await hall.inbox.put(an_arrival("later"))
    assert hall.store.commits == [["later"]]


async def test_a_failure_is_logged_without_what_was_written(
    hall: Hall, capsys: pytest.CaptureFixture[str]
) -> None:
    hall.store.error = OSError("INSERT … wm1 张总")
    with pytest.raises(NotStored):
        await hall.inbox.put(an_arrival("in:1"))
    logged = capsys.readouterr().out
    assert "OSError" in logged
    assert "张总" not in logged


async def test_the_same_event_twice_in_one_commit_satisfies_both(hall: Hall) -> None:
    waiting = await hall.fill_during_a_commit(1)
    twice = [asyncio.create_task(hall.inbox.put(an_arrival("same"))) for _ in range(2)]
    await asyncio.sleep(0)
    hall.store.open.set()
    await asyncio.gather(*waiting, *twice)
    assert hall.store.commits == [["a0"], ["same"]]


async def test_a_full_inbox_takes_nothing_more_until_there_is_room(hall: Hall) -> None:
    waiting = await hall.fill_during_a_commit(1 + ROOM.waiting)
    with pytest.raises(Overloaded):
        await hall.inbox.put(an_arrival("too much"))
    hall.store.open.set()
    await asyncio.gather(*waiting)
    await hall.inbox.put(an_arrival("now"))
    assert "too much" not in hall.store.work.jobs


async def test_a_caller_who_hangs_up_does_not_take_the_event_away(hall: Hall) -> None:
    waiting = await hall.fill_during_a_commit(3)
    waiting[1].cancel()
    hall.store.open.set()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(answers[1], asyncio.CancelledError)
    assert answers[2] is None
    assert "a1" in hall.store.work.jobs


async def test_stopping_commits_what_waits_and_takes_nothing_more(hall: Hall) -> None:
    waiting = await hall.fill_during_a_commit(7)
    stopping = asyncio.create_task(hall.inbox.stop())
    await asyncio.sleep(0)
    with pytest.raises(Overloaded):
        await hall.inbox.put(an_arrival("late"))
    hall.store.open.set()
    await stopping
    await asyncio.gather(*waiting)
    assert sum(map(len, hall.store.commits)) == 7


async def test_a_stopped_inbox_can_be_started_again(hall: Hall) -> None:
    await hall.inbox.stop()
    with pytest.raises(Overloaded):
        await hall.inbox.put(an_arrival("in:1"))
    await hall.inbox.start()
    await hall.inbox.put(an_arrival("in:1"))
    assert hall.store.commits == [["in:1"]]


async def test_a_committer_that_is_killed_leaves_nobody_waiting(hall: Hall) -> None:
    waiting = await hall.fill_during_a_commit(9)
    hall.store.error = asyncio.CancelledError()
    hall.store.open.set()
    answers = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(answer) for answer in answers] == [NotStored] * 9
    with pytest.raises(Overloaded):
        await hall.inbox.put(an_arrival("after"))


async def test_a_welcome_code_brings_a_late_neutral_welcome_in_the_same_commit(hall: Hall) -> None:
    await hall.inbox.put(an_arrival("in:1", Welcome("C0DE", "Mei", "wm1")))
    assert hall.store.commits == [["in:1", "welcome:C0DE"]]
    job = hall.store.work.jobs["welcome:C0DE"]
    assert (job.queue, job.kind, job.lane) == (Queue.WELCOME, "welcome", "welcome:C0DE")
    assert job.due == NOW + timedelta(seconds=8)
    assert json.loads(job.body) == {
        "code": "C0DE",
        "userid": "Mei",
        "external_userid": "wm1",
        "arrived": "2026-01-01T09:00:00+00:00",
    }
