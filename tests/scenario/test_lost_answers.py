"""WeCom does what it was asked and its answer is lost; or it does not answer in time at all."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.simulator.records import ContactWay, Member
from bot.simulator.seed import MA_CHAO, SALES
from storage import engines
from storage.work import Queue
from tests.scenario.conftest import Opens, Stage
from workflows.model import RelationState, State

ASK = "加 张伟 明达贸易 13800001234 展会认识"
OTHER = "加 林雪 远景科技 13900005678 展会认识"
MAKE, GET = "externalcontact/add_contact_way", "externalcontact/get_contact_way"
LOOK = "externalcontact/get"
BUSY = -1


async def ways(stage: Stage) -> list[ContactWay]:
    return list(stage.simulator.world.state.ways.values())


async def test_a_contact_way_whose_answer_was_lost_is_found_again_and_not_made_twice(
    stage: Stage,
) -> None:
    stage.simulator.faults.fail_after(MAKE, BUSY)
    await stage.say("sunlei", ASK)

    news = await stage.hears("sunlei", "张伟 的通行码", kind="news")

    [way] = await ways(stage)
    assert way.config_id in news["articles"][0]["picurl"]


async def test_it_is_found_even_if_another_one_on_the_list_is_deleted_meanwhile(
    stage: Stage,
) -> None:
    await stage.say("sunlei", OTHER)
    await stage.hears("sunlei", "林雪 的通行码", kind="news")
    stage.simulator.faults.fail_after(MAKE, BUSY)
    stage.simulator.faults.fail(GET, 41044)  # the first one looked at, which is not ours

    await stage.say("sunlei", ASK)

    await stage.hears("sunlei", "张伟 的通行码", kind="news")
    assert len(await ways(stage)) == 2


async def test_one_that_was_given_back_before_it_was_found_again_is_deleted(stage: Stage) -> None:
    stage.simulator.faults.fail_after(MAKE, BUSY)
    await stage.say("sunlei", ASK)
    await stage.until(lambda: ways(stage), lambda found: found, "the contact way is made")
    request = await stage.newest("sunlei")

    await stage.say("sunlei", f"撤回 {request.id}")
    await stage.hears("sunlei", "已撤回")

    await stage.until(lambda: ways(stage), lambda found: not found, "the contact way is deleted")
    await stage.quiet()
    assert (await stage.request(request.id)).state.is_final
    assert not [m for m in stage.chat("sunlei") if m.kind == "news"]


async def test_nobody_is_judged_as_a_stranger_while_the_directory_is_being_read(
    stage: Stage,
) -> None:
    world = stage.simulator.world
    await stage.quiet()
    stage.simulator.callback_url = ""  # WeCom does not tell of the new members
    for userid in ("xinren", "xinrenb"):
        world.add_member(Member(userid, "新人", [SALES], "销售", ["wangfang"]))
    stage.simulator.callback_url = f"{stage.address}/wecom/callback"
    stage.simulator.faults.delay("user/list", 0.5, times=4)

    world.member_adds_customer("xinren", MA_CHAO)
    world.member_adds_customer("xinrenb", MA_CHAO)
    await stage.quiet()

    for userid in ("xinren", "xinrenb"):
        assert (await stage.newest(userid)).state is State.EXECUTED


async def test_while_the_database_is_locked_callbacks_are_refused_and_afterwards_taken(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "_BUSY_MILLISECONDS", 200)
    stage = await opens()
    await stage.quiet()
    stage.simulator.callbacks.pause = 0.1
    lock = engines.build(stage.settings.storage.address).writer

    with lock.connect() as connection, connection.begin():  # takes the write lock at once
        event = stage.simulator.world.member_says("sunlei", ASK)
        await stage.simulator.idle()
    lock.dispose()

    refused = [each for each in stage.simulator.deliveries if each.event is event]
    assert [(each.accepted, each.status) for each in refused] == [(False, 503)]
    await stage.say("sunlei", OTHER)
    await stage.hears("sunlei", "林雪 的通行码", kind="news")
    assert not stage.times_told("sunlei", "张伟")


async def test_a_restart_does_not_forget_how_much_a_member_was_sent_this_minute(
    stage: Stage,
) -> None:
    for number in range(20):
        await stage.say("sunlei", f"帮助 {number}")
    await stage.quiet()
    assert len(stage.chat("sunlei")) == 20
    await stage.stop()
    await stage.start()

    for number in range(20):
        await stage.say("sunlei", f"帮助 {number}")
    await stage.until(lambda: postponed(stage), lambda count: count, "messages wait their turn")

    await asyncio.sleep(0.5)
    assert len(stage.chat("sunlei")) == 28
    assert stage.simulator.world.state.dropped == []


async def postponed(stage: Stage) -> int:
    soon = stage.clock.now() + timedelta(seconds=5)
    due = await stage.db.read(lambda tx: tx.work.next_due(Queue.OUTBOX, soon))
    return int(due is not None)


async def test_who_was_deleted_and_added_again_is_looked_for_until_wecom_shows_them(
    stage: Stage,
) -> None:
    world, who = stage.simulator.world, "sunlei"
    world.member_adds_customer(who, MA_CHAO)
    await stage.quiet()
    world.member_deletes_customer(who, MA_CHAO)
    await stage.quiet()
    stage.clock.move(minutes=1)
    stage.simulator.faults.fail(LOOK, 84061)  # WeCom does not show it yet

    world.member_adds_customer(who, MA_CHAO)
    await stage.quiet()
    assert await state(stage, who) is RelationState.DELETED_BY_MEMBER
    stage.clock.move(minutes=2)

    await stage.until(
        lambda: state(stage, who),
        lambda found: found is RelationState.ADDED,
        "the second time is seen",
    )


async def state(stage: Stage, userid: str) -> RelationState | None:
    found = await stage.db.read(lambda tx: tx.relations.get(userid, MA_CHAO))
    return found.state if found else None
