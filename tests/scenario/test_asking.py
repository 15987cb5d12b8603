"""Asking before adding: tickets, questions back, duplicates, taking back and asking again."""

from __future__ import annotations

import pytest

from bot.simulator.errors import ImpossibleError
from bot.simulator.seed import HE_CHEN, LIN_XUE, LIU_JIANGUO, MA_CHAO, ZHANG_WEI
from tests.scenario.conftest import Opens, Stage
from tests.scenario.test_rule_changes import STRICTER, edit
from workflows.model import Containment, Request, State

ASK = "加 张伟 明达贸易 13800001234 展会认识"
WAYS = "externalcontact/add_contact_way"


async def config_id(stage: Stage) -> str:
    """Wait for the one contact way there is."""

    async def ways() -> list[str]:
        return list(stage.simulator.world.state.ways)

    found: list[str] = await stage.until(ways, lambda ids: ids, "a contact way is made")
    assert len(found) == 1
    return found[0]


async def no_ways(stage: Stage) -> None:
    await stage.until(stage.state, lambda s: not s["contact_ways"], "the contact way is deleted")


async def test_a_seller_gets_a_ticket_at_once_and_nobody_is_asked(stage: Stage) -> None:
    await stage.say("sunlei", ASK)

    await stage.hears("sunlei", "可以添加 张伟")
    news = await stage.hears("sunlei", "张伟 的通行码", kind="news")
    code = await config_id(stage)
    assert code in news["articles"][0]["picurl"]
    await stage.quiet()
    assert stage.chat("wangfang") == []

    stage.simulator.world.customer_scans(ZHANG_WEI, code)

    await stage.hears("sunlei", "一切正常")
    await no_ways(stage)


async def test_what_an_ask_lacks_is_asked_for_piece_by_piece(stage: Stage) -> None:
    await stage.say("sunlei", "加 张伟")
    await stage.hears("sunlei", "还差一点就能提交：对方的手机号或公司、为什么要加")
    await stage.say("sunlei", "13800001234")
    await stage.hears("sunlei", "还差一点就能提交：为什么要加")
    await stage.say("sunlei", "展会认识")

    await stage.hears("sunlei", "可以添加 张伟")
    request = await stage.newest("sunlei")
    assert (request.claim.name, request.claim.phone) == ("张伟", "13800001234")
    assert request.claim.reason == "展会认识"


@pytest.mark.parametrize(
    "words",
    [
        "报备客户：张伟，明达贸易，13800001234，展会认识",
        "加个微信 张伟 明达贸易 13800001234 展会认识",
        "我想加个客户，张伟，明达贸易，13800001234，展会认识",
    ],
)
async def test_an_ask_in_other_words_is_read_whole(stage: Stage, words: str) -> None:
    await stage.say("sunlei", words)

    await stage.hears("sunlei", "可以添加 张伟")
    claim = (await stage.newest("sunlei")).claim
    assert (claim.name, claim.company, claim.phone) == ("张伟", "明达贸易", "13800001234")
    assert claim.reason == "展会认识"


async def test_a_question_is_not_taken_as_the_reason(stage: Stage) -> None:
    await stage.say("sunlei", "加 张伟 13800001234")
    await stage.hears("sunlei", "还差一点就能提交：为什么要加")

    await stage.say("sunlei", "什么时候能批")

    told = await stage.hears("sunlei", "这像是一个问题或命令，没有记进申请，申请也还没提交")
    assert "还差：为什么要加" in told["text"]
    await stage.say("sunlei", "展会认识")
    await stage.hears("sunlei", "可以添加 张伟")
    assert (await stage.newest("sunlei")).claim.reason == "展会认识"


async def test_a_command_that_lacks_something_is_not_taken_as_the_reason(stage: Stage) -> None:
    await stage.say("wangfang", "加 张伟 13800001234")
    await stage.hears("wangfang", "还差一点就能提交：为什么要加")

    await stage.say("wangfang", "授权 周小美 添加客户 永久 老员工")

    await stage.hears("wangfang", "这像是一个问题或命令，没有记进申请")
    await stage.say("wangfang", "通过 LinkedIn 认识")  # 通过 is a verb as well
    await stage.hears("wangfang", "可以添加 张伟")
    assert (await stage.newest("wangfang")).claim.reason == "通过 LinkedIn 认识"


@pytest.mark.parametrize("words", ["今天先不加了", "不加了", "先不加"])
async def test_who_does_not_want_to_add_any_more_is_understood(stage: Stage, words: str) -> None:
    await stage.say("sunlei", "加 张伟 13800001234")
    await stage.hears("sunlei", "不加了就回“取消”")

    await stage.say("sunlei", words)

    await stage.hears("sunlei", "好的，不再继续")
    await stage.say("sunlei", "我的")
    await stage.hears("sunlei", "您还没有申请")


async def test_an_unfinished_ask_can_be_given_up(stage: Stage) -> None:
    await stage.say("sunlei", "加 张伟")
    await stage.hears("sunlei", "还差一点就能提交")
    await stage.say("sunlei", "取消")
    await stage.hears("sunlei", "好的，不再继续")

    await stage.say("sunlei", "展会认识")

    await stage.hears("sunlei", "没看懂")
    await stage.say("sunlei", "我的")
    await stage.hears("sunlei", "您还没有申请")


async def test_who_asks_for_a_colleagues_customer_is_told_so_with_the_name_masked(
    stage: Stage,
) -> None:
    world = stage.simulator.world
    world.member_edits("liqiang", LIU_JIANGUO, mobiles=["138 1111 2222"])
    await stage.quiet()

    await stage.say("sunlei", "加 刘总 恒远集团 13811112222 展会认识")

    warning = await stage.card("sunlei", "撞单提醒：刘总")
    assert "李*（管理部）" in str(warning["card"])
    assert "李强" not in str(warning["card"])
    # and the customer is known by the number: a VIP, whom two must allow
    await stage.card("wangfang", "刘总")
    assert (await stage.newest("sunlei")).subject.external_userid == LIU_JIANGUO


async def test_who_asks_for_their_own_customer_is_told_so(stage: Stage) -> None:
    world = stage.simulator.world
    world.member_adds_customer("sunlei", ZHANG_WEI)
    await stage.quiet()
    world.member_edits("sunlei", ZHANG_WEI, mobiles=["13800001234"])
    await stage.quiet()

    await stage.say("sunlei", ASK)

    await stage.hears("sunlei", "已经是您的客户")


async def test_the_same_ask_twice_joins_the_first(stage: Stage) -> None:
    await stage.say("zhouxiaomei", ASK)
    await stage.card("wangfang", "张伟")
    request = await stage.newest("zhouxiaomei")

    await stage.say("zhouxiaomei", ASK)

    await stage.hears("zhouxiaomei", f"已有申请 {request.id}（待审批）")
    assert (await stage.newest("zhouxiaomei")).id == request.id
    assert [m.kind for m in stage.chat("wangfang")] == ["card"]


async def test_the_same_ask_with_an_open_ticket_shows_that_ticket_again(stage: Stage) -> None:
    await stage.say("sunlei", ASK)
    await stage.hears("sunlei", "通行码", kind="news")
    request = await stage.newest("sunlei")

    await stage.say("sunlei", ASK)

    await stage.hears("sunlei", f"已有申请 {request.id}")
    await stage.quiet()
    assert (await stage.newest("sunlei")).id == request.id
    await config_id(stage)
    shown = [m.articles for m in stage.chat("sunlei") if m.kind == "news"]
    assert len(shown) == 2
    assert shown[0] == shown[1]


async def test_other_words_supersede_and_the_old_card_says_so(stage: Stage) -> None:
    await stage.say("zhouxiaomei", ASK)
    old = await stage.card("wangfang", "展会认识")
    first = await stage.newest("zhouxiaomei")

    await stage.say("zhouxiaomei", "加 张伟 明达贸易 13800001234 老客户介绍")

    new = await stage.card("wangfang", "老客户介绍")
    await stage.hears("wangfang", "已被新申请取代", kind="card")
    assert (await stage.request(first.id)).state is State.SUPERSEDED
    assert new["task_id"] != old["task_id"]


async def test_other_words_take_the_place_of_an_open_ticket(stage: Stage) -> None:
    await stage.say("sunlei", ASK)
    old = await config_id(stage)
    await stage.hears("sunlei", "通行码", kind="news")

    await stage.say("sunlei", "加 张伟 竞品甲科技 13800001234 展会认识")

    await stage.hears("sunlei", "不能添加 张伟")
    await no_ways(stage)
    with pytest.raises(ImpossibleError):
        stage.simulator.world.customer_scans(ZHANG_WEI, old)


async def test_a_pending_request_is_taken_back(stage: Stage) -> None:
    await stage.say("zhouxiaomei", ASK)
    card = await stage.card("wangfang", "张伟")
    request = await stage.newest("zhouxiaomei")
    await stage.say("sunlei", f"撤回 {request.id}")
    await stage.hears("sunlei", "不是您的申请")

    await stage.say("zhouxiaomei", f"撤回 {request.id.lower()}")

    await stage.hears("zhouxiaomei", f"申请 {request.id}（张伟）已撤回")
    shown = await stage.hears("wangfang", "已撤回", kind="card")
    assert shown["task_id"] == card["task_id"]
    assert not shown["open"]


async def test_taking_back_an_open_ticket_deletes_its_contact_way(stage: Stage) -> None:
    await stage.say("sunlei", ASK)
    code = await config_id(stage)
    await stage.hears("sunlei", "通行码", kind="news")
    request = await stage.newest("sunlei")

    await stage.say("sunlei", f"撤回 {request.id}")

    await stage.hears("sunlei", "已撤回")
    await no_ways(stage)
    with pytest.raises(ImpossibleError):
        stage.simulator.world.customer_scans(ZHANG_WEI, code)
    await stage.say("sunlei", f"重提 {request.id}")
    await stage.until(stage.state, lambda s: s["contact_ways"], "a new ticket is made")


async def test_a_refused_request_is_asked_again_with_one_command(stage: Stage) -> None:
    await stage.say("zhouxiaomei", ASK)
    await stage.press("wangfang", await stage.card("wangfang", "张伟"), "deny", "r1")
    await stage.hears("zhouxiaomei", "已被 王芳 拒绝。原因：资料不全")
    first = await stage.newest("zhouxiaomei")
    await stage.quiet()  # the first card says by now that it is decided

    await stage.say("zhouxiaomei", f"重提 {first.id}")

    await stage.card("wangfang", "张伟")
    second = await stage.newest("zhouxiaomei")
    assert second.id != first.id
    assert second.claim == first.claim
    await stage.say("zhouxiaomei", f"重提 {second.id}")
    await stage.hears("zhouxiaomei", f"{second.id} 现在不能重提（待审批）")


async def test_a_ticket_nobody_used_expires_and_another_can_be_had(stage: Stage) -> None:
    await stage.say("sunlei", ASK)
    await stage.hears("sunlei", "通行码", kind="news")
    request = await stage.newest("sunlei")
    code = await config_id(stage)

    stage.clock.move(hours=71)
    await stage.say("sunlei", "我的")
    await stage.hears("sunlei", "最近的 1 个申请")
    assert await config_id(stage) == code

    stage.clock.move(hours=2)
    await stage.hears("sunlei", f"通行码（{request.id}）未使用，现已过期")
    await no_ways(stage)
    with pytest.raises(ImpossibleError):
        stage.simulator.world.customer_scans(ZHANG_WEI, code)

    await stage.say("sunlei", f"重提 {request.id}")
    assert await config_id(stage) != code


async def test_a_second_person_with_the_same_code_came_without_a_ticket(stage: Stage) -> None:
    """The contact way cannot be deleted for a while, and somebody else scans it too."""
    await stage.say("zhouxiaomei", ASK)
    await stage.press("wangfang", await stage.card("wangfang", "张伟"), "approve")
    await stage.hears("zhouxiaomei", "通行码", kind="news")
    code = await config_id(stage)
    stage.simulator.faults.fail("externalcontact/del_contact_way", -1)

    stage.simulator.world.customer_scans(ZHANG_WEI, code)
    await stage.hears("zhouxiaomei", "张伟 已通过通行码添加您")
    stage.simulator.world.customer_scans(LIN_XUE, code)

    await stage.hears("zhouxiaomei", "您添加的 林雪 需要审批")
    await stage.card("wangfang", "林雪")
    assert stage.times_told("zhouxiaomei", "已通过通行码添加您") == 1
    await no_ways(stage)


async def test_an_approved_add_that_turns_out_to_be_a_vip_is_contained(stage: Stage) -> None:
    """The member did not know, or did not say, whom they were adding."""
    await stage.say("zhouxiaomei", "加 老刘 恒远 13800001234 朋友介绍")
    await stage.press("wangfang", await stage.card("wangfang", "老刘"), "approve")
    await stage.hears("zhouxiaomei", "通行码", kind="news")

    stage.simulator.world.customer_scans(LIU_JIANGUO, await config_id(stage))

    await stage.hears("zhouxiaomei", "您添加的 刘建国 需要审批")
    await stage.until(
        lambda: stage.relation("zhouxiaomei", LIU_JIANGUO),
        lambda relation: "待审批" in relation["tags"],
        "the relation is marked",
    )
    await stage.card("wangfang", "刘建国")
    request = await stage.newest("zhouxiaomei")
    assert [len(stage_.groups) for stage_ in request.chain] == [1, 1]
    assert request.claim.name == "老刘"
    await no_ways(stage)


async def test_an_allowed_add_that_turns_out_to_be_a_competitor_is_undone(stage: Stage) -> None:
    await stage.say("sunlei", "加 何先生 某某公司 13800001234 朋友介绍")
    await stage.hears("sunlei", "通行码", kind="news")

    stage.simulator.world.customer_scans(HE_CHEN, await config_id(stage))

    await stage.hears("sunlei", "您添加的 何晨 不符合规定")
    await stage.hears("sunlei", "请在")
    await stage.hears("wangfang", "孙磊 添加了 何晨")
    await stage.quiet()
    relation = await stage.db.read(lambda tx: tx.relations.get("sunlei", HE_CHEN))
    assert relation is not None
    assert relation.containment is Containment.DENIED


async def test_the_daily_cap_refuses_the_next_one(opens: Opens) -> None:
    stage = await opens(("when.today.adds.gte = 50", "when.today.adds.gte = 2"))
    for name, phone in (("张伟", "13800001234"), ("林雪", "13900005678")):
        await stage.say("sunlei", f"加 {name} {phone} 展会认识")
        await stage.hears("sunlei", f"可以添加 {name}")

    await stage.say("sunlei", "加 马超 13700009999 展会认识")

    told = await stage.hears("sunlei", "不能添加 马超")
    assert "今天已添加 2 人" in told["text"]

    stage.simulator.world.member_adds_customer("sunlei", MA_CHAO)
    await stage.hears("sunlei", "您添加的 马超 不符合规定")

    stage.clock.move(hours=24)
    await stage.say("sunlei", "加 陈工 13700009999 展会认识")
    await stage.hears("sunlei", "可以添加 陈工")


async def test_asking_for_a_competitor_is_refused_in_the_rules_own_words(stage: Stage) -> None:
    await stage.say("sunlei", "加 何晨 竞品甲科技 13800001234 展会认识")

    told = await stage.hears("sunlei", "不能添加 何晨")
    assert "对方是竞品公司，不能添加。" in told["text"]
    request = await stage.newest("sunlei")
    assert f"为什么 {request.id}" in told["text"]
    await stage.quiet()
    assert stage.chat("wangfang") == []
    assert not stage.simulator.world.state.ways


async def test_taking_back_what_is_about_to_get_its_ticket_leaves_no_ticket_behind(
    stage: Stage,
) -> None:
    stage.simulator.faults.delay("externalcontact/add_contact_way", 0.4)
    await stage.say("sunlei", ASK)
    await stage.hears("sunlei", "正在为您生成通行码")
    request = await stage.newest("sunlei")

    await stage.say("sunlei", f"撤回 {request.id}")

    await stage.hears("sunlei", f"申请 {request.id}（张伟）已撤回")
    await stage.quiet()
    assert stage.simulator.called("externalcontact/add_contact_way")
    assert not stage.simulator.world.state.ways
    assert [m.kind for m in stage.chat("sunlei")].count("news") == 0
    await stage.say("sunlei", ASK)
    await stage.hears("sunlei", "通行码", kind="news")
    assert (await stage.newest("sunlei")).id != request.id


async def test_a_ticket_that_could_not_be_made_can_be_asked_for_again(stage: Stage) -> None:
    """The member may not use customer contact; an admin mends it."""
    stage.simulator.faults.fail("externalcontact/add_contact_way", 84074)
    await stage.say("zhouxiaomei", ASK)
    await stage.press("wangfang", await stage.card("wangfang", "张伟"), "approve")
    await stage.hears("zhouxiaomei", "已获同意，但执行失败")
    await stage.hears("zhaomin", "执行失败")
    request = await stage.newest("zhouxiaomei")

    await stage.say("zhouxiaomei", f"重提 {request.id}")

    await stage.hears("zhouxiaomei", "通行码", kind="news")
    assert (await stage.newest("zhouxiaomei")).id == request.id  # what was approved stays approved
    assert (await stage.request(request.id)).state is State.EXECUTED
    await stage.quiet()
    assert len([m for m in stage.chat("wangfang") if m.kind == "card"]) == 1


async def test_a_failed_request_that_was_taken_back_stands_in_nobodys_way(stage: Stage) -> None:
    stage.simulator.faults.fail("externalcontact/add_contact_way", 84074)
    await stage.say("sunlei", ASK)
    await stage.hears("sunlei", "执行失败")
    request = await stage.newest("sunlei")
    await stage.say("sunlei", f"撤回 {request.id}")
    await stage.hears("sunlei", "已撤回")

    await stage.say("sunlei", ASK)

    await stage.hears("sunlei", "通行码", kind="news")


async def a_failed_ticket(stage: Stage, userid: str = "sunlei") -> Request:
    """Have an allowed ask whose ticket could not be made."""
    stage.simulator.faults.fail(WAYS, 84074)
    await stage.say(userid, ASK)
    await stage.hears(userid, "执行失败")
    await stage.quiet()
    return await stage.newest(userid)


async def test_a_failed_ticket_is_not_made_again_under_rules_that_now_ask_for_more(
    stage: Stage,
) -> None:
    first = await a_failed_ticket(stage)
    edit(stage, STRICTER)
    await stage.hears("zhaomin", "新规则已生效")

    await stage.say("sunlei", ASK)

    await stage.press("wangfang", await stage.card("wangfang", "张伟"), "approve")
    await stage.hears("sunlei", "通行码", kind="news")
    assert (await stage.newest("sunlei")).id != first.id
    assert (await stage.request(first.id)).state is State.REVOKED


async def test_a_failed_ticket_that_has_run_out_is_asked_for_anew(stage: Stage) -> None:
    stage.simulator.faults.fail(WAYS, 84074)
    await stage.say("zhouxiaomei", ASK)
    await stage.press("wangfang", await stage.card("wangfang", "张伟"), "approve")
    await stage.hears("zhouxiaomei", "执行失败")
    await stage.quiet()
    first = await stage.newest("zhouxiaomei")
    stage.clock.move(hours=73)

    await stage.say("zhouxiaomei", ASK)

    await stage.until(
        lambda: stage.newest("zhouxiaomei"),
        lambda request: request.id != first.id and request.state is State.PENDING,
        "a new request waits",
    )
    assert (await stage.request(first.id)).state is State.REVOKED
    assert not stage.simulator.world.state.ways


async def test_a_failed_ask_does_not_count_against_itself_when_it_is_tried_again(
    opens: Opens,
) -> None:
    stage = await opens(("when.today.adds.gte = 50", "when.today.adds.gte = 1"))
    request = await a_failed_ticket(stage)

    await stage.say("sunlei", ASK)

    await stage.hears("sunlei", "通行码", kind="news")
    assert (await stage.newest("sunlei")).id == request.id


async def test_each_ticket_that_could_not_be_made_is_told(stage: Stage) -> None:
    request = await a_failed_ticket(stage)
    stage.simulator.faults.fail(WAYS, 84074)

    await stage.say("sunlei", ASK)

    await stage.hears("sunlei", f"申请 {request.id}（张伟）又试了一次，仍执行失败")
    await stage.say("sunlei", ASK)
    await stage.hears("sunlei", "通行码", kind="news")
