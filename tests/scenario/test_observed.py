"""Adds that happened without being asked for: judged once, contained, undone, greeted."""

from __future__ import annotations

import asyncio

import pytest

from bot.simulator.records import Customer, Member
from bot.simulator.seed import (
    HE_CHEN,
    LIN_XUE,
    LIU_JIANGUO,
    MARKETING,
    SALES,
    ZHANG_WEI,
)
from tests.scenario.conftest import Opens, Stage
from workflows.model import Containment, Relation, RelationState, State

NEUTRAL = "您好，很高兴认识您，稍后与您联系。"
WARM = "您好，我是青禾科技的销售顾问，很高兴为您服务！"


async def known(stage: Stage, userid: str, external: str) -> Relation:
    """Return what Menwei knows of a relation."""
    found = await stage.db.read(lambda tx: tx.relations.get(userid, external))
    assert found is not None
    return found


async def tags(stage: Stage, userid: str, external: str, tag: str) -> None:
    await stage.until(
        lambda: stage.relation(userid, external),
        lambda relation: relation and tag in relation["tags"],
        f"the tag {tag}",
    )


def greetings(stage: Stage, external: str) -> list[str]:
    chat = stage.simulator.world.state.customer_chats.get(external, [])
    return [each.text for each in chat if each.kind == "welcome"]


async def greeted(stage: Stage, external: str) -> list[str]:
    async def look() -> list[str]:
        return greetings(stage, external)

    found: list[str] = await stage.until(look, lambda texts: texts, "the customer is greeted")
    return found


async def test_an_allowed_add_is_greeted_warmly_and_nobody_is_bothered(stage: Stage) -> None:
    stage.simulator.world.member_adds_customer("sunlei", ZHANG_WEI)

    assert await greeted(stage, ZHANG_WEI) == [WARM]
    await stage.quiet()
    assert stage.chat("sunlei") == []
    assert stage.chat("wangfang") == []
    assert (await stage.newest("sunlei")).state is State.EXECUTED


async def test_an_add_that_waits_is_greeted_neutrally_and_only_once(stage: Stage) -> None:
    stage.simulator.faults.duplicate_callbacks()
    stage.simulator.world.member_adds_customer("zhouxiaomei", ZHANG_WEI)

    assert await greeted(stage, ZHANG_WEI) == [NEUTRAL]
    await tags(stage, "zhouxiaomei", ZHANG_WEI, "待审批")
    await stage.press("wangfang", await stage.card("wangfang", "张伟"), "approve")
    await stage.hears("zhouxiaomei", "已由 王芳 同意")
    await stage.quiet()
    assert greetings(stage, ZHANG_WEI) == [NEUTRAL]


async def test_the_customer_is_greeted_in_time_though_wecom_is_slow(stage: Stage) -> None:
    """The fallback fires after eight seconds; the code would die after twenty."""
    stage.simulator.faults.delay("externalcontact/get", 9.5)
    stage.simulator.world.member_adds_customer("sunlei", ZHANG_WEI)

    assert await greeted(stage, ZHANG_WEI) == [NEUTRAL]

    await stage.quiet()
    assert (await stage.newest("sunlei")).state is State.EXECUTED
    assert greetings(stage, ZHANG_WEI) == [NEUTRAL]


@pytest.mark.parametrize("twice", [False, True])
async def test_half_and_then_full_is_one_add(stage: Stage, twice: bool) -> None:
    stage.simulator.world.half_first = True
    await stage.say("sunlei", "加 林雪 13900005678 展会认识")
    await stage.hears("sunlei", "通行码", kind="news")
    if twice:
        stage.simulator.faults.duplicate_callbacks(2)

    stage.simulator.world.customer_scans(LIN_XUE, next(iter(stage.simulator.world.state.ways)))

    await stage.hears("sunlei", "林雪 已通过通行码添加您")
    await stage.quiet()
    assert stage.times_told("sunlei", "已通过通行码添加您") == 1
    assert len(await stage.db.read(lambda tx: tx.requests.by_requester("sunlei", 9))) == 1
    assert (await known(stage, "sunlei", LIN_XUE)).state is RelationState.ADDED
    assert len(await greeted(stage, LIN_XUE)) == 1


async def test_a_half_add_is_judged_when_wecom_says_who_it_is(stage: Stage) -> None:
    """Until the member confirms WeCom tells nothing of the customer: not even a competitor's."""
    world = stage.simulator.world
    world.customer_adds_member(HE_CHEN, "sunlei")
    await stage.quiet()
    assert (await known(stage, "sunlei", HE_CHEN)).state is RelationState.HALF
    assert await stage.db.read(lambda tx: tx.requests.by_requester("sunlei", 9)) == []

    world.member_confirms("sunlei", HE_CHEN)

    await stage.hears("sunlei", "您添加的 何晨 不符合规定")
    await tags(stage, "sunlei", HE_CHEN, "违规添加")


async def test_a_half_add_by_a_ticket_uses_it_when_it_is_full(stage: Stage) -> None:
    world = stage.simulator.world
    await stage.say("zhouxiaomei", "加 林雪 13900005678 展会认识")
    await stage.press("wangfang", await stage.card("wangfang", "林雪"), "approve")
    await stage.hears("zhouxiaomei", "通行码", kind="news")
    way = next(iter(world.state.ways.values()))
    world.customer_adds_member(LIN_XUE, "zhouxiaomei", 1)
    half = world.relation("zhouxiaomei", LIN_XUE)
    assert half is not None
    half.state = way.state
    await stage.quiet()
    assert stage.times_told("zhouxiaomei", "您添加的") == 0

    world.member_confirms("zhouxiaomei", LIN_XUE)

    await stage.hears("zhouxiaomei", "林雪 已通过通行码添加您")
    await stage.quiet()
    assert len(await stage.db.read(lambda tx: tx.requests.by_requester("zhouxiaomei", 9))) == 1
    assert not world.state.ways


async def test_callbacks_that_come_twice_have_one_effect(stage: Stage) -> None:
    stage.simulator.faults.duplicate_callbacks(2)
    stage.simulator.world.member_adds_customer("sunlei", HE_CHEN)
    await stage.hears("sunlei", "您添加的 何晨 不符合规定")
    await stage.quiet()
    stage.simulator.world.member_deletes_customer("sunlei", HE_CHEN)
    await stage.hears("sunlei", "已确认删除")
    await stage.quiet()

    assert stage.times_told("sunlei", "您添加的 何晨 不符合规定") == 1
    assert stage.times_told("sunlei", "请在") == 1
    assert stage.times_told("sunlei", "已确认删除") == 1
    assert stage.times_told("wangfang", "孙磊 添加了 何晨") == 1
    assert len(await stage.db.read(lambda tx: tx.requests.by_requester("sunlei", 9))) == 1


async def test_a_deletion_that_is_told_before_its_add_leaves_nothing(stage: Stage) -> None:
    """Both lie behind us when the first is told: WeCom shows no relation any more."""
    world = stage.simulator.world
    stage.simulator.faults.drop_callbacks(2)
    add = world.member_adds_customer("sunlei", HE_CHEN)
    gone = world.member_deletes_customer("sunlei", HE_CHEN)
    assert add is not None
    assert gone is not None

    world.tell(gone)
    await stage.quiet()
    world.tell(add)
    await stage.quiet()

    assert (await known(stage, "sunlei", HE_CHEN)).state is RelationState.DELETED_BY_MEMBER
    assert stage.chat("sunlei") == []


async def test_a_late_deletion_does_not_undo_a_new_add(stage: Stage) -> None:
    world = stage.simulator.world
    world.member_adds_customer("zhouxiaomei", ZHANG_WEI)
    await stage.card("wangfang", "张伟")
    stage.simulator.faults.drop_callbacks()
    gone = world.member_deletes_customer("zhouxiaomei", ZHANG_WEI)
    stage.clock.move(seconds=5)
    world.member_adds_customer("zhouxiaomei", ZHANG_WEI)
    await stage.quiet()

    assert gone is not None
    world.tell(gone)
    await stage.quiet()

    assert (await known(stage, "zhouxiaomei", ZHANG_WEI)).state is RelationState.ADDED
    assert (await stage.newest("zhouxiaomei")).state is State.PENDING


async def test_a_deletion_by_the_customer_ends_what_was_pending(stage: Stage) -> None:
    world = stage.simulator.world
    world.member_adds_customer("zhouxiaomei", ZHANG_WEI)
    await stage.card("wangfang", "张伟")
    request = await stage.newest("zhouxiaomei")

    world.customer_deletes_member(ZHANG_WEI, "zhouxiaomei")

    await stage.hears("wangfang", "已撤回", kind="card")
    assert (await stage.request(request.id)).state is State.WITHDRAWN
    relation = await known(stage, "zhouxiaomei", ZHANG_WEI)
    assert relation.state is RelationState.DELETED_BY_CUSTOMER
    assert relation.containment is Containment.NONE


async def test_edits_are_written_down(stage: Stage) -> None:
    world = stage.simulator.world
    world.member_adds_customer("sunlei", ZHANG_WEI)
    await stage.quiet()

    world.member_edits("sunlei", ZHANG_WEI, remark="张总 明达", mobiles=["+86 138-0000-1234"])
    await stage.quiet()

    relation = await known(stage, "sunlei", ZHANG_WEI)
    assert relation.remark == "张总 明达"
    assert relation.phones == ("13800001234",)
    about = await stage.db.read(lambda tx: tx.audit.of_customer(ZHANG_WEI))
    assert [r.actor for r in about if r.kind == "relation.edited"] == ["user:sunlei"]


async def test_the_members_own_remark_comes_back_when_the_add_is_approved(stage: Stage) -> None:
    world = stage.simulator.world
    world.member_adds_customer("zhouxiaomei", ZHANG_WEI)
    await tags(stage, "zhouxiaomei", ZHANG_WEI, "待审批")
    await stage.quiet()
    held = world.relation("zhouxiaomei", ZHANG_WEI)
    assert held is not None
    assert held.remark.startswith("[待审批]")
    world.member_edits("zhouxiaomei", ZHANG_WEI, remark="[待审批]张总 展会")
    await stage.quiet()

    await stage.press("wangfang", await stage.card("wangfang", "张伟"), "approve")

    async def remark() -> str:
        return held.remark

    await stage.until(remark, lambda now: now == "张总 展会", "the remark is the member's own")


async def test_an_add_by_somebody_without_a_role_is_not_allowed(stage: Stage) -> None:
    stage.simulator.world.member_adds_customer("zhaomin", ZHANG_WEI)  # an admin may
    stage.simulator.world.move_member("pool", MARKETING)
    stage.simulator.world.member_adds_customer("pool", LIN_XUE)

    told = await stage.hears("pool", "您添加的 林雪 不符合规定")

    assert "没有这项权限" in told["text"]
    await stage.quiet()
    assert stage.times_told("zhaomin", "不符合规定") == 0


async def test_a_colleague_who_came_after_the_start_is_known_when_they_add(stage: Stage) -> None:
    world = stage.simulator.world
    world.add_member(Member("newseller", "钱进", [SALES], "销售", ["wangfang"]))

    world.member_adds_customer("newseller", ZHANG_WEI)

    assert await greeted(stage, ZHANG_WEI) == [WARM]
    assert (await stage.newest("newseller")).state is State.EXECUTED


async def test_two_new_colleagues_within_a_minute_are_both_known(stage: Stage) -> None:
    """A stranger may have the directory read once a minute; the next one must not suffer for it."""
    world = stage.simulator.world
    world.add_member(Member("newone", "钱进", [SALES], "销售", ["wangfang"]))
    world.member_adds_customer("newone", ZHANG_WEI)
    assert await greeted(stage, ZHANG_WEI) == [WARM]
    world.state.members["newtwo"] = Member("newtwo", "孙立", [SALES], "销售", ["wangfang"])

    world.member_adds_customer("newtwo", LIN_XUE)
    await asyncio.sleep(0.2)
    stage.clock.move(minutes=1)

    async def newest() -> list[State]:
        found = await stage.db.read(lambda tx: tx.requests.by_requester("newtwo", 9))
        return [each.state for each in found]

    assert await stage.until(newest, lambda it: it, "the add is judged") == [State.EXECUTED]


async def test_the_same_two_meeting_again_are_judged_again(stage: Stage) -> None:
    world = stage.simulator.world
    world.member_adds_customer("sunlei", HE_CHEN)
    await stage.hears("sunlei", "请在")
    await stage.quiet()
    world.member_deletes_customer("sunlei", HE_CHEN)
    await stage.hears("sunlei", "已确认删除")
    first = await stage.newest("sunlei")
    stage.clock.move(minutes=5)

    world.member_adds_customer("sunlei", HE_CHEN)

    async def newest() -> str:
        return (await stage.newest("sunlei")).id

    await stage.until(newest, lambda found: found != first.id, "a second case")
    await tags(stage, "sunlei", HE_CHEN, "违规添加")


async def test_a_referral_of_a_vip_needs_nobody(stage: Stage) -> None:
    stage.simulator.world.member_adds_customer("sunlei", LIU_JIANGUO, 201)

    await stage.quiet()
    assert (await stage.newest("sunlei")).state is State.EXECUTED
    assert stage.chat("wangfang") == []


async def test_ten_customers_at_once_are_each_judged_once(opens: Opens) -> None:
    stage = await opens(("when.today.adds.gte = 50", "when.today.adds.gte = 6"))
    world = stage.simulator.world
    for number in range(10):
        external = f"wmCrowd{number:024}"
        world.create_customer(Customer(external, f"客户{number}"))
        world.member_adds_customer("sunlei", external)
    await stage.quiet()

    found = await stage.db.read(lambda tx: tx.requests.by_requester("sunlei", 99))
    assert len(found) == 10
    assert sum(each.state is State.EXECUTED for each in found) == 6
