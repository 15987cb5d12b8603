"""The main job, end to end, as the demo tells it."""

from __future__ import annotations

from tests.scenario.conftest import Stage


async def test_a_trainee_asks_the_supervisor_approves_and_the_ticket_closes_the_request(
    stage: Stage,
) -> None:
    await stage.say("zhouxiaomei", "加 张伟 明达贸易 13800001234 展会认识")

    await stage.hears("zhouxiaomei", "王芳")
    card = await stage.card("wangfang", "张伟")
    await stage.press("wangfang", card, "approve")

    await stage.hears("zhouxiaomei", "已由 王芳 同意")
    await stage.hears("zhouxiaomei", "通行码", kind="news")
    way = (await stage.state())["contact_ways"][0]
    customer = await stage.customer("张伟")
    await stage.post(f"customers/{customer}/scan", config_id=way["config_id"])

    await stage.hears("zhouxiaomei", "一切正常")
    await stage.until(stage.state, lambda state: not state["contact_ways"], "the ticket is deleted")


async def test_an_observed_vip_is_contained_until_both_have_approved(stage: Stage) -> None:
    vip = await stage.customer("刘建国")
    await stage.post("members/sunlei/add", external_userid=vip, way=2)

    await stage.until(
        lambda: stage.relation("sunlei", vip),
        lambda relation: relation and "待审批" in relation["tags"],
        "the relation is marked",
    )
    await stage.press("wangfang", await stage.card("wangfang", "刘建国"), "approve")
    await stage.press("liqiang", await stage.card("liqiang", "刘建国"), "approve")

    await stage.hears("sunlei", "已由 李强 同意")
    await stage.until(
        lambda: stage.relation("sunlei", vip),
        lambda relation: relation and "待审批" not in relation["tags"],
        "the relation is let go",
    )


async def test_an_added_competitor_is_denied_and_the_case_closes_when_the_deletion_is_seen(
    stage: Stage,
) -> None:
    rival = await stage.customer("何晨")
    await stage.post("members/sunlei/add", external_userid=rival, way=2)

    await stage.hears("sunlei", "请在")
    await stage.until(
        lambda: stage.relation("sunlei", rival),
        lambda relation: relation and "违规添加" in relation["tags"],
        "the relation is marked",
    )
    await stage.post("members/sunlei/delete", external_userid=rival)

    await stage.hears("sunlei", "已确认删除")
    await stage.hears("wangfang", "已确认删除")
