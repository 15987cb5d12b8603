"""Putting corp tags on customers and taking them off, by chat, as the rules say."""

from __future__ import annotations

import pytest

from bot.simulator.records import Customer
from bot.simulator.seed import HE_CHEN, LIN_XUE, ZHANG_WEI
from tests.makers_demo import ENGLISH, permission, rule
from tests.makers_words import wide
from tests.scenario.conftest import Opens, Stage
from workflows.model import State

MAY_TAG = permission("customer.tag", "allow = 2, approval = 1")
VIP_BY_DIRECTOR = rule(
    """id = "vip-tag"
action = ["customer.tag"]
when.request.tag = ["VIP", "战略客户"]
then = "approval"
chain = "lead_then_director"
say = "{request.tag} 标签要主管和总监同意。"
"""
)


async def befriended(stage: Stage, userid: str, *externals: str) -> None:
    for external in externals:
        stage.simulator.world.member_adds_customer(userid, external)
    await stage.quiet()


async def has_tags(stage: Stage, userid: str, external: str, *tags: str) -> None:
    await stage.until(
        lambda: stage.relation(userid, external),
        lambda relation: relation is not None and sorted(relation["tags"]) == sorted(tags),
        f"{userid}'s tags are {tags}",
    )


async def test_a_tag_that_the_level_allows_is_put_on_at_once_and_seen(opens: Opens) -> None:
    stage = await opens(MAY_TAG)
    await befriended(stage, "sunlei", ZHANG_WEI)

    await stage.say("sunlei", "打标签 张伟 已签约")

    await has_tags(stage, "sunlei", ZHANG_WEI, "已签约")
    await stage.hears("sunlei", "标签已改好：张伟 +已签约")
    request = await stage.newest("sunlei")
    assert (request.action, request.state) == ("customer.tag", State.EXECUTED)
    (done,) = await stage.records(request.id, "tagging.done")
    assert done.detail["added"] == ["已签约"]
    assert done.detail["seen"] is True
    relation = await stage.db.read(lambda tx: tx.relations.get("sunlei", ZHANG_WEI))
    assert relation is not None
    assert relation.tags == frozenset({"已签约"})


async def test_a_tag_that_needs_approval_goes_through_every_stage(opens: Opens) -> None:
    stage = await opens(MAY_TAG, VIP_BY_DIRECTOR)
    await befriended(stage, "sunlei", ZHANG_WEI)

    await stage.say("sunlei", "打标签 张伟 vip，因为签了大单")

    await stage.hears("sunlei", "VIP 标签要主管和总监同意。")
    card = await stage.card("wangfang", "孙磊 申请改标签")
    assert "签了大单" in str(card)
    assert "VIP" in str(card["card"]["horizontal_content_list"])
    await stage.press("wangfang", card, "approve")
    await stage.press("liqiang", await stage.card("liqiang", "孙磊 申请改标签"), "approve")
    await stage.nobody_regrets("sunlei")
    await has_tags(stage, "sunlei", ZHANG_WEI, "VIP")
    await stage.hears("sunlei", "标签已改好")


async def test_a_refused_tag_is_not_put_on_and_can_be_asked_for_again(opens: Opens) -> None:
    stage = await opens(MAY_TAG)
    world = stage.simulator.world
    world.member_adds_customer("zhouxiaomei", ZHANG_WEI)
    await stage.press("wangfang", await stage.card("wangfang", "张伟"), "approve")
    await stage.hears("zhouxiaomei", "已由 王芳 同意")

    await stage.say("zhouxiaomei", "打标签 张伟 VIP")
    await stage.press("wangfang", await stage.card("wangfang", "改标签"), "deny", "r1")

    await stage.hears("zhouxiaomei", "已被 王芳 拒绝")
    first = await stage.newest("zhouxiaomei")
    assert first.state is State.DENIED
    await stage.quiet()  # the card that was pressed has changed
    await stage.say("zhouxiaomei", f"重提 {first.id}")
    await stage.press("wangfang", await stage.card("wangfang", "改标签"), "approve")
    await stage.nobody_regrets("zhouxiaomei")
    await has_tags(stage, "zhouxiaomei", ZHANG_WEI, "VIP")
    assert first.action == (await stage.newest("zhouxiaomei")).action == "customer.tag"


async def test_several_tags_are_judged_each_by_itself(opens: Opens) -> None:
    stage = await opens(MAY_TAG, VIP_BY_DIRECTOR)
    await befriended(stage, "sunlei", ZHANG_WEI)

    await stage.say("sunlei", "打标签 张伟 潜在、VIP")

    told = await stage.hears("sunlei", "VIP 标签要主管和总监同意。")
    assert "潜在 标签" not in told["text"]
    assert (await stage.newest("sunlei")).facts["request.tag"] == "VIP"


async def test_a_tag_is_taken_off_in_english(opens: Opens) -> None:
    stage = await opens(MAY_TAG, ENGLISH)
    world = stage.simulator.world
    world.create_customer(Customer("wmJohn", "John Smith"))
    await befriended(stage, "sunlei", "wmJohn")
    world.member_edits("sunlei", "wmJohn", tags=["etDemoTag02", "etDemoTag05"])
    await stage.quiet()

    await stage.say("sunlei", "untag john smith vip")

    await has_tags(stage, "sunlei", "wmJohn", "潜在")
    await stage.hears("sunlei", "The tags are changed: John Smith -VIP")


async def test_what_cannot_be_done_is_said_kindly_and_leaves_no_request(opens: Opens) -> None:
    stage = await opens(MAY_TAG)
    await befriended(stage, "sunlei", ZHANG_WEI, LIN_XUE)
    stage.simulator.world.member_edits("sunlei", ZHANG_WEI, tags=["etDemoTag02"])
    await stage.quiet()
    before = await stage.newest("sunlei")

    for said, answer in (
        ("打标签 张伟 VIIP", "您是指“VIP”吗"),
        ("打标签 张伟 没有的", "现有标签：战略客户、VIP、普通"),
        ("打标签 张伟", "用法"),
        ("打标签 张伟 VIP", "张伟 已经有标签：VIP"),
        ("去标签 林雪 VIP", "林雪 没有标签：VIP"),
        ("打标签 没这人 VIP", "没有叫“没这人”的客户"),
        ("打标签 张伟、林雪 已签约", "一次请只写一位客户"),
        ("打标签 李强的刘建国 VIP", "您无权查看"),
        ("tag 张伟 VIIP", "Did you mean “VIP”?"),
    ):
        await stage.say("sunlei", said)
        await stage.hears("sunlei", answer)
    assert (await stage.newest("sunlei")).id == before.id


async def test_the_marks_of_the_rules_are_not_for_hands(opens: Opens) -> None:
    stage = await opens(MAY_TAG)
    world = stage.simulator.world
    world.member_adds_customer("sunlei", HE_CHEN)
    await has_tags(stage, "sunlei", HE_CHEN, "违规添加")
    await stage.quiet()

    await stage.say("sunlei", "去标签 何晨 违规添加")

    await stage.hears("sunlei", "标签“违规添加”由规则使用")
    await has_tags(stage, "sunlei", HE_CHEN, "违规添加")


async def test_a_supervisor_tags_the_customers_of_their_people(opens: Opens) -> None:
    stage = await opens(MAY_TAG)
    await befriended(stage, "sunlei", ZHANG_WEI)

    await stage.say("wangfang", "打标签 孙磊的张伟 VIP")

    await has_tags(stage, "sunlei", ZHANG_WEI, "VIP")
    await stage.hears("wangfang", "标签已改好：张伟 +VIP")


async def test_a_tag_deleted_meanwhile_is_not_made_anew(opens: Opens) -> None:
    stage = await opens(MAY_TAG)
    world = stage.simulator.world
    world.member_adds_customer("zhouxiaomei", ZHANG_WEI)
    await stage.press("wangfang", await stage.card("wangfang", "张伟"), "approve")
    await stage.say("zhouxiaomei", "打标签 张伟 潜在")
    card = await stage.card("wangfang", "改标签")
    group = world.state.tag_groups["etDemoGroup02"]
    group.tags = [tag for tag in group.tags if tag.name != "潜在"]

    await stage.press("wangfang", card, "approve")
    await stage.nobody_regrets("zhouxiaomei")

    await stage.hears("zhouxiaomei", "执行失败：标签已经不存在：潜在")
    assert (await stage.newest("zhouxiaomei")).state is State.EXECUTION_FAILED
    await stage.hears("zhaomin", "标签已经不存在：潜在")
    names = [tag.name for group in world.state.tag_groups.values() for tag in group.tags]
    assert "潜在" not in names


async def test_a_relation_that_has_ended_takes_no_tag(opens: Opens) -> None:
    stage = await opens(MAY_TAG)
    await befriended(stage, "sunlei", ZHANG_WEI)
    stage.simulator.faults.drop_callbacks()
    stage.simulator.world.member_deletes_customer("sunlei", ZHANG_WEI)

    await stage.say("sunlei", "打标签 张伟 VIP")

    await stage.hears("sunlei", "执行失败：已经不是联系人")


@pytest.mark.parametrize("answer", ["2", wide("2")])
async def test_of_two_of_the_same_name_one_is_chosen_by_number(opens: Opens, answer: str) -> None:
    stage = await opens(MAY_TAG)
    world = stage.simulator.world
    world.create_customer(Customer("wmOther", "张伟", phone="13900000000"))
    await befriended(stage, "sunlei", ZHANG_WEI, "wmOther")
    world.member_edits("sunlei", "wmOther", mobiles=["13900004321"])
    await stage.quiet()
    first, second = sorted([ZHANG_WEI, "wmOther"])

    await stage.say("sunlei", "打标签 张伟 VIP")
    asked = await stage.hears("sunlei", "叫“张伟”的可能是")
    assert "139****4321" in asked["text"]
    assert "13900004321" not in asked["text"]
    await stage.say("sunlei", "第三个")
    await stage.hears("sunlei", "请回复 1 到 2 之间的编号")
    await stage.say("sunlei", answer)

    await has_tags(stage, "sunlei", second, "VIP")
    await has_tags(stage, "sunlei", first)


async def test_a_choice_can_be_dropped(opens: Opens) -> None:
    stage = await opens(MAY_TAG)
    await befriended(stage, "sunlei", ZHANG_WEI)
    before = await stage.newest("sunlei")

    await stage.say("sunlei", "打标签 张总 VIP")
    await stage.hears("sunlei", "1. 张伟")
    await stage.say("sunlei", "取消")
    await stage.hears("sunlei", "好的")

    assert (await stage.newest("sunlei")).id == before.id
    await has_tags(stage, "sunlei", ZHANG_WEI)
