"""What is known of customer groups: read as a whole, kept up to date, also when events are lost."""

from __future__ import annotations

from bot.simulator.records import Customer
from bot.simulator.seed import HE_CHEN, LIN_XUE, MA_CHAO, ZHANG_WEI
from tests.scenario.conftest import Opens
from tests.scenario.test_chats import (
    READ,
    RULE,
    RULES,
    a_group,
    all_read,
    customer_of,
    joins,
    opened,
    settled,
)
from tests.scenario.test_restart import ALONE, again
from workflows.chats import JOIN
from workflows.model import State


async def test_who_was_there_before_menwei_is_not_judged_and_a_new_groups_people_are(
    opens: Opens,
) -> None:
    stage = await opens(ALONE)
    world = stage.simulator.world
    old, _ = world.create_group("wangfang", "老群", [ZHANG_WEI])
    await settled(stage)
    assert stage.simulator.called(READ) == []  # no rule wants to know

    await again(stage, *RULES)
    stage.clock.move(hours=2)
    await all_read(stage)
    assert await joins(stage) == []
    world.create_group("wangfang", "新群", [LIN_XUE])
    world.join_group(old.chat_id, MA_CHAO, by_code=True)
    await settled(stage)

    assert {each.subject.name for each in await joins(stage)} == {"林雪（新群）", "马超（老群）"}


async def test_an_event_before_the_first_reading_judges_only_whom_it_names(opens: Opens) -> None:
    stage = await opens(ALONE)
    world = stage.simulator.world
    group, _ = world.create_group("wangfang", "老群", [ZHANG_WEI])
    await settled(stage)
    stage.simulator.faults.http_500("externalcontact/groupchat/list", 1000)
    await again(stage, *RULES)

    world.join_group(group.chat_id, MA_CHAO, by_code=True)
    await settled(stage)

    (request,) = await joins(stage)
    assert request.subject.external_userid == MA_CHAO
    assert "customer.chats" not in request.facts  # not all groups are known yet


async def test_a_join_that_no_event_told_of_is_found_within_a_day(opens: Opens) -> None:
    stage = await opened(opens)
    group = await a_group(stage)
    stage.simulator.faults.drop_callbacks()
    stage.simulator.world.join_group(group.chat_id, MA_CHAO, by_code=True)
    await stage.quiet()
    assert await joins(stage) == []

    stage.clock.move(hours=24)

    await stage.card("liqiang", "马超")


async def test_events_that_come_twice_judge_once_and_a_restart_forgets_nothing(
    opens: Opens,
) -> None:
    stage = await opened(opens)
    await customer_of(stage, "sunlei", HE_CHEN)
    group = await a_group(stage)
    stage.simulator.faults.duplicate_callbacks()
    stage.simulator.world.join_group(group.chat_id, [HE_CHEN, MA_CHAO], by_code=True)
    await stage.simulator.idle()
    await stage.stop()
    stage.clock.move(seconds=3)
    await stage.start()
    await stage.card("liqiang", "马超")
    await stage.hears("wangfang", "何晨 不能留在客户群")
    await stage.quiet()

    assert len(await joins(stage)) == 2
    assert stage.times_told("wangfang", "何晨 不能留在客户群") == 1
    await again(stage)
    stage.clock.move(hours=24, minutes=1)
    await stage.hears("zhaomin", "何晨 仍在 王芳 的客户群")


async def test_what_wecom_does_not_show_yet_is_waited_for(opens: Opens) -> None:
    stage = await opened(opens)
    group = await a_group(stage)
    stage.simulator.world.group_lag = 10.0
    stage.simulator.world.join_group(group.chat_id, MA_CHAO, by_code=True)
    await stage.simulator.idle()
    stage.clock.move(seconds=3)
    before = len(stage.simulator.called(READ))

    async def looked() -> int:
        return len(stage.simulator.called(READ))

    await stage.until(looked, before.__lt__, "the group is read too soon")
    stage.clock.move(seconds=8)

    await stage.card("liqiang", "马超")


async def test_a_dissolved_group_settles_everything(opens: Opens) -> None:
    stage = await opened(opens)
    await customer_of(stage, "sunlei", HE_CHEN)
    group = await a_group(stage)
    stage.simulator.world.join_group(group.chat_id, HE_CHEN, by_code=True)
    await settled(stage)
    await stage.hears("wangfang", "何晨 不能留在客户群")

    stage.simulator.world.dismiss_group(group.chat_id)

    await stage.hears("wangfang", "何晨 已离开客户群")


async def test_a_group_that_wecom_does_not_show_any_more_is_for_a_human(opens: Opens) -> None:
    stage = await opened(opens)
    await customer_of(stage, "sunlei", HE_CHEN)
    group = await a_group(stage)
    stage.simulator.world.join_group(group.chat_id, HE_CHEN, by_code=True)
    await settled(stage)
    await stage.hears("wangfang", "何晨 不能留在客户群")
    del stage.simulator.world.state.groups[group.chat_id]

    stage.clock.move(hours=24, minutes=1)

    await stage.hears("zhaomin", "没能从企业微信看到 王芳 的客户群")
    assert stage.times_told("wangfang", "已离开客户群") == 0


async def test_tighter_rules_judge_again_who_waits(opens: Opens) -> None:
    stage = await opened(opens)
    group = await a_group(stage)
    stage.simulator.world.join_group(group.chat_id, MA_CHAO, by_code=True)
    await settled(stage)
    await stage.card("liqiang", "马超")
    (first,) = await joins(stage)

    await again(stage, ('"chat.join" = { allow = 1 }', '"chat.join" = { allow = 4 }'))

    await stage.hears("wangfang", "按新规则重新审核")
    await stage.hears("wangfang", "马超 不能留在客户群")
    assert (await stage.request(first.id)).state is State.STALE


async def test_who_is_in_which_group_is_known_to_the_rules_of_adds(opens: Opens) -> None:
    rule = RULE.replace('"chat.join"', '"friend.add"').replace(
        'when.customer.groups.any_of = ["competitor"]', 'when.customer.chats.any_of = ["内部群"]'
    )
    stage = await opens(("\n[chains.lead]\n", rule))
    await all_read(stage)
    world = stage.simulator.world
    world.create_group("wangfang", "内部群", [LIN_XUE])
    await settled(stage)

    world.member_adds_customer("sunlei", LIN_XUE)
    world.member_adds_customer("sunlei", ZHANG_WEI)
    await stage.quiet()

    await stage.hears("sunlei", "您添加的 林雪 不符合规定")
    assert stage.times_told("sunlei", "张伟") == 0
    assert await joins(stage) == []  # the file says nothing about joins


async def test_as_long_as_groups_are_not_read_a_human_decides(opens: Opens) -> None:
    rule = RULE.replace('"chat.join"', '"friend.add"').replace(
        'when.customer.groups.any_of = ["competitor"]', 'when.customer.chats.any_of = ["内部群"]'
    )
    stage = await opens(ALONE)
    stage.simulator.faults.http_500("externalcontact/groupchat/list", 1000)
    stage.simulator.world.create_group("wangfang", "内部群", [LIN_XUE])
    await again(stage, ("\n[chains.lead]\n", rule))

    stage.simulator.world.member_adds_customer("sunlei", ZHANG_WEI)

    await stage.card("wangfang", "张伟")
    request = await stage.newest("sunlei")
    assert request.verdict.missing == ("customer.chats",)


async def test_a_crowd_that_comes_at_once_is_judged_to_the_last(opens: Opens) -> None:
    stage = await opened(opens)
    world = stage.simulator.world
    crowd = [f"wmCrowd{number:03}" for number in range(120)]
    for external in crowd:
        world.create_customer(Customer(external, f"客户{external[-3:]}"))
    world.create_group("wangfang", "大群", crowd)
    await stage.simulator.idle()
    stage.clock.move(seconds=3)

    async def judged() -> int:
        found = await stage.db.read(lambda tx: tx.requests.by_requester("wangfang", 500))
        return len([each for each in found if each.action == JOIN])

    await stage.until(judged, len(crowd).__le__, "everybody is judged")
    await stage.hears("wangfang", "位外部人员进入了客户群“大群”，需要审批")
    await stage.quiet()

    assert await judged() == len(crowd)
    await stage.hears("wangfang", "客户000")
    assert len(stage.chat("wangfang")) < 12
    assert len(stage.chat("liqiang")) < 15  # some cards, and then lists
    assert stage.simulator.world.state.dropped == []
