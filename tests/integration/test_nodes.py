"""Nodes tell each other of themselves through the database, and follow its clock."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot import app, holidays
from bot.actions import mirroring, sweeping
from bot.company import Company
from bot.nodes import AgreedClock, Nodes, troubles_of
from storage.database import Database
from storage.nodes import Node
from storage.transaction import Step
from storage.work import Claimed, Job, Queue
from tests.makers_policy import a_rulebook
from tests.makers_storage import NOON
from workflows.policy import compile_policy

NODE = Node("host:8080#1", "1.0", "abc", NOON, NOON, 0.0)


async def test_a_node_lives_for_some_seconds_after_its_last_sign_of_life(db: Database) -> None:
    await db.write(lambda tx: tx.nodes.put(NODE))
    await db.write(lambda tx: tx.nodes.put(replace(NODE, seen_at=NOON + timedelta(seconds=5))))

    alive = await db.read(lambda tx: tx.nodes.living(NOON + timedelta(seconds=24)))
    gone = await db.read(lambda tx: tx.nodes.living(NOON + timedelta(seconds=26)))

    assert [each.name for each in alive] == [NODE.name]
    assert gone == []


async def test_whoever_begins_in_a_place_takes_the_place_of_who_was_killed_there(
    db: Database,
) -> None:
    names = ("host:8080#1", "host:80801#2", "other_host:8080#3")
    for name in names:
        await db.write(lambda tx, name=name: tx.nodes.put(replace(NODE, name=name)))  # type: ignore[misc]

    await db.write(lambda tx: tx.nodes.drop_at("host:8080#"))

    left = await db.read(lambda tx: tx.nodes.living(NOON))
    assert {each.name for each in left} == set(names[1:])


async def test_a_node_shows_its_rules_and_counts_the_others(db: Database) -> None:
    clock = AgreedClock(lambda: datetime.now(UTC))
    company = Company(compile_policy(a_rulebook(), holidays.CHINA), clock.now)
    other = replace(NODE, policy=company.standing.policy.hash, seen_at=clock.now())
    nodes = Nodes(db, company, clock, 8080, lambda: False)
    await nodes.begin()
    await db.write(lambda tx: tx.nodes.put(other))

    await nodes.show()

    assert nodes.count == 2
    assert not nodes.all_have_cache
    assert "2 live; not all have Redis; versions differ" in nodes.told()
    await nodes.leave()
    assert [each.name for each in await db.read(lambda tx: tx.nodes.living(clock.now()))] == [
        NODE.name
    ]


async def test_a_clock_that_is_wrong_follows_the_databases(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def ahead(*_: object) -> timedelta:
        return timedelta(minutes=1)

    clock = AgreedClock(lambda: NOON)
    monkeypatch.setattr(Database, "clock_ahead", ahead)

    await clock.compare(db)

    assert clock.now() == NOON + timedelta(minutes=1)


def test_what_somebody_should_look_at_is_named() -> None:
    late = replace(NODE, name="late", clock_behind=11.0, policy="def")

    assert troubles_of((NODE, NODE)) == []
    assert troubles_of((NODE, late)) == ["policies differ", "clock of late -11 s"]


@pytest.mark.parametrize(("names", "sweeps"), [(["a"], 1), (["a", "b"], 2)])
async def test_with_other_nodes_about_what_is_pending_is_judged_once_more_when_all_know(
    db: Database, names: list[str], sweeps: int
) -> None:
    company = Company(compile_policy(a_rulebook(), holidays.CHINA), lambda: NOON)
    for name in names:
        await db.write(lambda tx, name=name: tx.nodes.put(replace(NODE, name=name)))  # type: ignore[misc]

    await db.write(lambda tx: sweeping.start(company.scene(tx), sweeping.RECHECK))

    later = NOON + timedelta(minutes=1)
    found = await db.write(lambda tx: tx.work.claim(Queue.TIMERS, later, 10, timedelta(minutes=1)))
    assert [each.kind for each in found] == [sweeping.RECHECK] * sweeps


async def test_what_a_killed_node_had_in_hand_is_anothers_a_minute_after_it_last_renewed_it(
    db: Database,
) -> None:
    """Also work that may take a quarter of an hour: only who lives renews."""
    timer = Job(Queue.TIMERS, mirroring.READ_ON, "lane", "1|0", "key")
    await db.write(lambda tx: tx.work.add([timer], NOON))

    def claim(at: timedelta) -> Step[list[Claimed]]:
        return lambda tx: tx.work.claim(Queue.TIMERS, NOON + at, 1, app.LEASE)

    [mine] = await db.write(claim(timedelta()))
    renewed = timedelta(seconds=40)
    assert await db.write(lambda tx: tx.work.renew(mine, NOON + renewed + app.LEASE))

    assert await db.write(claim(renewed + timedelta(seconds=59))) == []
    [theirs] = await db.write(claim(renewed + timedelta(seconds=61)))
    assert (theirs.id, theirs.tries) == (mine.id, 2)
    assert not await db.write(lambda tx: tx.work.done(mine, NOON + timedelta(minutes=2)))
