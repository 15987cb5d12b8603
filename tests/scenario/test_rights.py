"""Asking what one may do, alone or with a customer, and what would be the nearest way."""

from __future__ import annotations

import re

import pytest

from bot.simulator.seed import HE_CHEN, ZHANG_WEI
from tests.scenario.conftest import Opens, Stage
from tests.scenario.test_talk import answer

NOT_THERE = "没有找到“{name}”这位同事，也没有您可以查看的这位客户。"
TRACED = "逐条判定"
TO_THE_LIMIT = ("when.today.adds.gte = 50", "when.today.adds.gte = 1")


async def adds(stage: Stage, userid: str, external_userid: str) -> None:
    """Let somebody become friends with a customer, without asking."""
    await stage.post(f"members/{userid}/add", external_userid=external_userid, way=2)
    await stage.quiet()


# --- why


async def test_a_refused_seller_hears_the_nearest_way_and_no_rule(opens: Opens) -> None:
    stage = await opens(TO_THE_LIMIT)
    await stage.say("sunlei", "加 张伟 明达贸易 13800001234 展会认识")
    await stage.hears("sunlei", "可以添加 张伟")
    await stage.say("sunlei", "加 林雪 远山科技 13900005678 展会认识")
    await stage.hears("sunlei", "不能添加 林雪")
    request = await stage.newest("sunlei")

    mine = await answer(stage, "sunlei", f"为什么 {request.id}")
    english = await answer(stage, "sunlei", f"why {request.id}")
    admin = await answer(stage, "zhaomin", f"为什么 {request.id}")

    nearest = "最近的可行办法：今日添加数少于 1（现为 1，明天重新计数）。"
    assert nearest in mine.split("\n")
    assert "What would do, at the least: adds today is below 1" in english
    assert "daily-cap" not in mine
    assert TRACED not in mine
    assert nearest in admin.split("\n")
    assert "daily-cap" in admin


async def test_what_colleagues_know_of_a_customer_is_not_in_the_nearest_way(opens: Opens) -> None:
    stage = await opens(
        ('when.customer.tier = ["vip"]', "when.customer.owner_count.gte = 1"),
        ('when.sender.level.lt = 3\nunless.contact.way = ["referral"]', ""),
    )
    await adds(stage, "liqiang", ZHANG_WEI)
    await adds(stage, "sunlei", ZHANG_WEI)
    request = await stage.newest_of("sunlei")

    mine = await answer(stage, "sunlei", f"为什么 {request.id}")
    admin = await answer(stage, "zhaomin", f"为什么 {request.id}")

    assert "最近的可行办法：客户方面的情况有变化。" in mine.split("\n")
    assert not re.search("同事|owner", mine)
    assert "最近的可行办法：已添加的同事数少于 1（现为 1）。" in admin.split("\n")
    assert "　✓ rule.vip-by-junior.when.customer.owner_count.gte 1" in admin.split("\n")
    assert "无" not in admin.split("逐条判定：")[1], "what has no value says nothing"


async def test_a_request_that_was_granted_has_no_nearest_way(stage: Stage) -> None:
    await stage.say("zhouxiaomei", "加 张伟 明达贸易 13800001234 展会认识")
    await stage.press("wangfang", await stage.card("wangfang"), "approve")
    await stage.hears("zhouxiaomei", "已由 王芳 同意")
    request = await stage.newest("zhouxiaomei")

    assert "最近的可行办法" not in await answer(stage, "zhouxiaomei", f"为什么 {request.id}")


# --- rights


async def test_a_member_asks_about_a_customer_they_follow_or_asked_for(stage: Stage) -> None:
    await adds(stage, "sunlei", HE_CHEN)
    await stage.say("zhouxiaomei", "加 吴总 远山科技 13700001111 展会认识")
    await stage.card("wangfang", "吴总")

    own = await answer(stage, "sunlei", "权限 何晨")
    asked = await answer(stage, "zhouxiaomei", "权限 吴总")
    english = await answer(stage, "zhouxiaomei", "rights 周小美 吴总")

    assert "孙磊 添加 何晨：不允许" in own
    assert "对方是竞品公司，不能添加。" in own
    assert "no-competitor" not in own
    assert "周小美 添加 吴总：需审批" in asked
    assert "最近的可行办法：得到“添加客户”的临时授权。" in asked
    assert "周小美 adding 吴总: needs approval" in english


async def test_a_colleagues_customer_is_as_one_that_does_not_exist(stage: Stage) -> None:
    await adds(stage, "liqiang", ZHANG_WEI)

    for name in ("张伟", ZHANG_WEI, "查无此人"):
        assert await answer(stage, "sunlei", f"权限 {name}") == NOT_THERE.format(name=name)
        alone = await answer(stage, "sunlei", f"权限 孙磊 {name}")
        assert alone == f"没有找到“{name}”这位您可以查看的客户。"
        refused = await answer(stage, "sunlei", f"权限 李强 {name}")
        assert refused == "您无权查看这部分内容。"


async def test_those_above_ask_for_their_people_and_admins_see_every_step(stage: Stage) -> None:
    await adds(stage, "sunlei", HE_CHEN)
    await adds(stage, "liqiang", ZHANG_WEI)

    above = await answer(stage, "wangfang", "权限 孙磊 何晨")
    admin = await answer(stage, "zhaomin", "权限 孙磊 何晨")
    strange = await answer(stage, "wangfang", "权限 孙磊 张伟")
    known = await answer(stage, "zhaomin", "权限 孙磊 张伟")

    assert "孙磊 添加 何晨：不允许" in above
    assert TRACED not in above
    assert TRACED in admin
    assert "no-competitor" in admin
    assert "没有找到“张伟”" in strange, "neither of the two follows him"
    assert "孙磊 添加 张伟：允许" in known


async def test_a_name_with_a_space_is_one_name(stage: Stage) -> None:
    await stage.say("zhouxiaomei", "add John Smith, Acme Ltd, 13800001234, met at fair")
    await stage.card("wangfang", "John Smith")

    said = await answer(stage, "zhouxiaomei", "rights John Smith")

    assert "周小美 adding John Smith: needs approval" in said


@pytest.mark.parametrize("long", ["权限 " + "张" * 600, "权限 孙磊 " + "总" * 600])
async def test_a_very_long_name_is_cut_in_the_answer(stage: Stage, long: str) -> None:
    said = await answer(stage, "sunlei", long)

    assert "没有找到" in said
    assert len(said) < 120
