"""Messages with many lines and long names: WeCom cuts what is longer than 2048 bytes."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from bot.actions import mirroring, unassigned
from storage.database import Database
from storage.transaction import Transaction
from storage.work import Queue
from tests.makers_mirror import Office, an_office
from workflows.leaving import Leaver, LeftBehind
from workflows.mirror import Find, Reading
from workflows.model import Customer, Person

MOST = 2048  # bytes, document 90236
ADMIN = "zhaomin"


@pytest.fixture
async def office(db: Database) -> AsyncIterator[Office]:
    async with an_office(db) as office:
        await office.read_all()
        yield office


async def letters(office: Office) -> list[str]:
    """Return what waits to be said to the admin."""
    lane = f"chat:{ADMIN}"
    rows = await office.db.read(lambda tx: tx.work.open_in(Queue.OUTBOX, lane))
    return [json.loads(row.body)["content"] for row in rows]


async def test_the_reminder_of_twenty_leavers_is_read_to_its_end(office: Office) -> None:
    def remind(tx: Transaction) -> None:
        scene = office.handlers.company.scene(tx, "system:timer")
        left_at = scene.now - timedelta(days=30)
        for number in range(20):
            gone = Person(f"gone{number:02}", f"司马相如之{number:02}")
            tx.leavers.put(Leaver(gone, left_at, told=1, shown=True))
            tx.leavers.put_waiting([LeftBehind(gone.userid, "wm-x", scene.now)])
        reading = unassigned.Reading(scene.now - timedelta(minutes=1), daily=True)
        unassigned.all_read(scene, reading, {})

    await office.db.write(remind)

    said = await letters(office)
    assert all(len(each.encode()) <= MOST for each in said)
    together = "\n".join(said)
    assert all(f"司马相如之{number:02}（" in together for number in range(20))
    assert said[-1].endswith("请尽快安排：转移 司马相如之00的全部 给 接手人")


async def test_what_a_reading_found_of_both_kinds_is_told_however_long_the_names(
    office: Office,
) -> None:
    def found(tx: Transaction) -> None:
        scene = office.handlers.company.scene(tx, "system:timer")
        begun = tx.readings.begin(Reading(0, scene.now, scene.now))
        assert begun is not None
        for number in range(60):
            external = f"wm-{number:02}"
            tx.relations.put_customer(Customer(external, f"{number:02}" + "很长的名字" * 6))
            pair = (f"member{number % 10}", external)
            tx.readings.find(begun.number, [pair])
            what = Find.ADD if number < 30 else Find.GONE
            tx.readings.settle(begun.number, pair, what)
        through = Reading(begun.number, scene.now, scene.now, step=1, is_through=True)
        assert tx.readings.move(begun, through)
        mirroring.end(scene, begun.number)

    await office.db.write(found)

    said = [each for each in await letters(office) if "核对全部客户时" in each]
    assert [("漏掉的添加 30 个" in each, "漏掉的删除 30 个" in each) for each in said] == [
        (True, False),
        (False, True),
    ]
