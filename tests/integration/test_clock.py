"""Nodes whose clocks are wrong agree on the time of the database they share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.nodes import AgreedClock
from storage.database import Database, Unavailable
from storage.work import Job, Queue

LEASE = timedelta(minutes=1)
NEARLY = timedelta(seconds=2)
# One node alone uses its own clock.
SHARED = pytest.mark.parametrize("dialect", ["postgresql"])


@SHARED
async def test_two_nodes_whose_clocks_are_a_minute_apart_have_one_time(db: Database) -> None:
    fast, slow = clock(seconds=30), clock(seconds=-30)
    for each in (fast, slow):
        await each.compare(db)

    assert abs(fast.now() - slow.now()) < NEARLY


@SHARED
async def test_a_fast_node_takes_nothing_out_of_the_hands_of_a_slow_one(db: Database) -> None:
    fast, slow = clock(seconds=50), clock(seconds=-50)
    for each in (fast, slow):
        await each.compare(db)
    await db.write(lambda tx: tx.work.add([Job(Queue.OUTBOX, "SendText", "a", "{}")], slow.now()))
    taken = await db.write(lambda tx: tx.work.claim(Queue.OUTBOX, slow.now() + NEARLY, 5, LEASE))

    again = await db.write(lambda tx: tx.work.claim(Queue.OUTBOX, fast.now() + NEARLY, 5, LEASE))

    assert (len(taken), len(again)) == (1, 0)


async def test_while_the_database_is_away_the_last_difference_stands(db: Database) -> None:
    node = clock(seconds=40)
    await node.compare(db)
    before = node.now()
    await db.aclose()

    with pytest.raises(Unavailable):
        await node.compare(Database.open("postgresql://nobody@127.0.0.1:1/none"))

    assert abs(node.now() - before) < NEARLY


def test_a_start_without_the_database_says_so_and_shows_no_trace() -> None:
    with pytest.raises(Unavailable):
        Database.open("postgresql://nobody@127.0.0.1:1/none").upgrade()


def clock(seconds: float) -> AgreedClock:
    return AgreedClock(lambda: datetime.now(UTC) + timedelta(seconds=seconds))
