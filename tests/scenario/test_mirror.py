"""Customers as WeCom shows them: what no callback has told is found by reading all of them."""

from __future__ import annotations

from bot import chores
from bot.simulator.seed import LIU_JIANGUO
from storage.work import Job, Queue
from tests.scenario.conftest import Stage
from workflows.mirror import Reading
from workflows.model import Containment, Relation, RelationState, State


async def has_read(stage: Stage, number: int = 1) -> Reading:
    """Wait until so many readings have come to an end; return the newest."""

    async def look() -> list[Reading]:
        return await stage.db.read(lambda tx: tx.readings.complete())

    found: list[Reading] = await stage.until(
        look, lambda it: it and it[0].number >= number and it, f"reading {number} has ended"
    )
    return found[0]


async def read_again(stage: Stage) -> Reading:
    """Have all customers read, later than any callback could still come."""
    (last,) = await stage.db.read(lambda tx: tx.readings.complete())
    stage.clock.move(minutes=6)
    now = stage.clock.now()
    job = Job(Queue.TIMERS, chores.CUSTOMERS_NOW, f"test:{now}", "", None, now)
    await stage.db.write(lambda tx: tx.work.add([job], now))
    found = await has_read_or_waits(stage, last.number + 1)
    await stage.quiet()
    return found


async def has_read_or_waits(stage: Stage, number: int) -> Reading:
    """Wait for a reading to end; what it doubts is looked at once a callback would have come."""

    async def through() -> list[Reading]:
        return await stage.db.read(lambda tx: tx.readings.newest(1))

    (reading,) = await stage.until(
        through,
        lambda it: it and it[0].number >= number and (it[0].is_through or it[0].ended) and it,
        "everybody has been read",
    )
    if not reading.ended:
        stage.clock.move(minutes=6)
    return await has_read(stage, number)


async def relation(stage: Stage, userid: str, external: str) -> Relation | None:
    return await stage.db.read(lambda tx: tx.relations.get(userid, external))


async def test_who_was_a_customer_before_menwei_is_known_and_not_judged(stage: Stage) -> None:
    reading = await has_read(stage)

    known = await relation(stage, "liqiang", LIU_JIANGUO)
    assert known is not None
    assert (known.state, known.remark) == (RelationState.ADDED, "恒远 刘总")
    assert known.tags == {"战略客户"}
    assert known.request_id == ""
    assert (reading.tally.new, reading.late_adds, reading.coverage) == (1, 0, None)
    assert (reading.tally.members, reading.of) == (7, 7)
    assert await stage.db.read(lambda tx: tx.requests.by_requester("liqiang", 9)) == []
    assert await stage.db.read(lambda tx: tx.relations.called("刘建国"))


async def test_an_add_without_a_callback_is_judged_and_contained_like_any_other(
    stage: Stage,
) -> None:
    await has_read(stage)
    stage.clock.move(minutes=1)
    stage.simulator.faults.drop_callbacks()
    stage.simulator.world.member_adds_customer("zhouxiaomei", LIU_JIANGUO)

    reading = await read_again(stage)

    request = await stage.newest("zhouxiaomei")
    assert request.state is State.PENDING
    known = await relation(stage, "zhouxiaomei", LIU_JIANGUO)
    assert known is not None
    assert (known.containment, known.request_id) == (Containment.PENDING, request.id)
    await stage.card("wangfang", "刘建国")
    await stage.hears("zhaomin", "漏报的添加 1 个")
    assert "周小美：刘建国" in (await stage.hears("zhaomin", "漏报的添加"))["text"]
    assert (reading.late_adds, reading.tally.adds, reading.coverage) == (1, 1, 0.0)
    kinds = [e.kind for e in await stage.db.read(lambda tx: tx.audit.of_customer(LIU_JIANGUO))]
    assert "add.late" in kinds
