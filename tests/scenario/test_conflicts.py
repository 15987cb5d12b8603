"""Two members want one customer: who was first, what each hears, and what the owner answers."""

from __future__ import annotations

import asyncio

import pytest

from bot.simulator.seed import LIU_JIANGUO, MA_CHAO, ZHANG_WEI
from tests.makers_demo import ENGLISH, permission, rule
from tests.scenario.conftest import Change, Opens, Stage
from workflows.model import RelationState, State
from workflows.transfers import PassageState

PHONE = "13900005678"
FIRST = f"加 林雪 朗润科技 {PHONE} 展会认识"
SECOND = f"加 林总 朗润科技 +86 {PHONE[:3]}-{PHONE[3:7]}-{PHONE[7:]} 朋友介绍"
UNPROTECTED: Change = ('[protection]\nperiod = "30d"\n', "")
RESERVED = rule(
    'id = "reserved"\naction = ["friend.add"]\nwhen.customer.is_reserved = true\n'
    'then = "deny"\nsay = "这位客户已有同事先报备，在保护期内。"'
)
BY_LEAD = permission("customer.transfer", "allow = 4, approval = 2")
SAME_COMPANY = rule(
    'id = "same-company"\naction = ["friend.add"]\n'
    'when.customer.same_company_other_team = true\nthen = "approval"\n'
    'say = "别的部门已在跟进这家公司。"'
)


async def ticketed(stage: Stage, who: str = "sunlei", ask: str = FIRST) -> str:
    """Let a seller report a customer and get the ticket; return the request's id."""
    await stage.say(who, ask)
    await stage.hears(who, "通行码", kind="news")
    await stage.quiet()
    return (await stage.newest(who)).id


async def with_noted_phone(stage: Stage) -> None:
    """Liu Jianguo is Li Qiang's, who has noted his number and a remark of his own."""
    world = stage.simulator.world
    world.member_edits("liqiang", LIU_JIANGUO, remark="恒远大刘", mobiles=["138 1111 2222"])
    await stage.quiet()


async def asked_for_liu(stage: Stage, who: str = "sunlei") -> str:
    await with_noted_phone(stage)
    await stage.say(who, "加 刘总 13811112222 展会认识")
    await stage.card(who, "撞单提醒")
    return (await stage.newest(who)).id


def texts(stage: Stage, who: str) -> str:
    return "\n".join(f"{each.text} {each.card}" for each in stage.chat(who))


async def test_the_second_who_reports_a_phone_is_refused_and_told_who_was_first_masked(
    opens: Opens,
) -> None:
    stage = await opens(RESERVED)
    first = await ticketed(stage)

    await stage.say("zhouxiaomei", SECOND)

    await stage.hears("zhouxiaomei", "这位客户已有同事先报备，在保护期内")
    card = await stage.card("zhouxiaomei", "撞单提醒：林总")
    assert "孙*（销售部） · 今天" in str(card["card"])
    second = await stage.newest("zhouxiaomei")
    assert second.state is State.DENIED
    assert second.facts["customer.reserved_by"] == "sunlei"
    await stage.quiet()
    heard = texts(stage, "zhouxiaomei")
    for secret in (PHONE, "孙磊", "sunlei", first):
        assert secret not in heard
    await stage.say("sunlei", "我的")
    await stage.hears("sunlei", "，保护至 ")


async def test_without_a_period_the_second_is_only_told(opens: Opens) -> None:
    stage = await opens(UNPROTECTED, RESERVED)
    await ticketed(stage)

    await stage.say("zhouxiaomei", SECOND)

    await stage.card("zhouxiaomei", "撞单提醒：林总")
    card = await stage.card("wangfang", "林总")
    assert "先报备：孙磊（销售部）" in str(card["card"])
    assert (await stage.newest("zhouxiaomei")).facts["customer.is_reserved"] is False


async def test_protection_ends_by_itself(opens: Opens) -> None:
    stage = await opens(RESERVED)
    await ticketed(stage)
    stage.clock.move(days=29)
    await stage.say("zhouxiaomei", SECOND)
    await stage.hears("zhouxiaomei", "在保护期内")
    await stage.quiet()

    stage.clock.move(days=2)
    await stage.say("zhouxiaomei", SECOND)

    card = await stage.card("wangfang", "林总")
    assert "申请人最先报备，保护至" in str(card["card"])


async def test_asking_again_makes_protection_no_longer(opens: Opens) -> None:
    stage = await opens(RESERVED)
    first = await ticketed(stage)
    stage.clock.move(days=20)
    await stage.hears("sunlei", "未使用，现已过期")
    await stage.say("sunlei", f"重提 {first}")
    await stage.until(lambda: stage.newest("sunlei"), lambda it: it.id != first, "asked once more")
    await stage.quiet()

    stage.clock.move(days=11)
    await stage.say("zhouxiaomei", SECOND)

    await stage.card("wangfang", "林总")


@pytest.mark.parametrize("run_out", [False, True])
async def test_who_withdraws_leaves_the_customer_to_the_next(opens: Opens, run_out: bool) -> None:
    stage = await opens(RESERVED)
    first = await ticketed(stage)
    if run_out:
        stage.clock.move(days=4)
        await stage.hears("sunlei", "未使用，现已过期")
    await stage.say("zhouxiaomei", SECOND)
    await stage.hears("zhouxiaomei", "在保护期内")
    await stage.say("sunlei", f"撤回 {first}")
    await stage.hears("sunlei", "已撤回")

    await stage.say("zhouxiaomei", f"重提 {(await stage.newest('zhouxiaomei')).id}")

    await stage.card("wangfang", "林总")


async def test_a_report_that_waits_for_approval_keeps_its_place_in_other_words_too(
    opens: Opens,
) -> None:
    stage = await opens(RESERVED)
    await stage.say("zhouxiaomei", FIRST)
    await stage.card("wangfang", "林雪")
    await stage.say("sunlei", SECOND)
    await stage.hears("sunlei", "在保护期内")

    await stage.say("zhouxiaomei", FIRST + "，很着急")

    card = await stage.card("wangfang", "很着急")
    assert "申请人最先报备" in str(card["card"])


async def test_of_two_who_report_in_the_same_moment_exactly_one_is_first(opens: Opens) -> None:
    stage = await opens(RESERVED)

    await asyncio.gather(stage.say("sunlei", FIRST), stage.say("wangfang", SECOND))

    both = [await stage.newest_of("sunlei"), await stage.newest_of("wangfang")]
    assert sorted(each.facts["customer.is_reserved"] for each in both) == [False, True]
    assert sum(each.state is State.DENIED for each in both) == 1


async def test_who_reported_first_can_give_way_on_a_card(opens: Opens) -> None:
    stage = await opens()
    first = await ticketed(stage)
    await stage.say("zhouxiaomei", SECOND)
    card = await stage.card("zhouxiaomei", "请对方让给我")
    second = await stage.newest("zhouxiaomei")

    await stage.press("zhouxiaomei", card, "yield")
    await stage.hears("zhouxiaomei", f"已替您问 孙*（销售部）（{second.id}）")
    wish = await stage.card("sunlei", "周小美 想添加您先报备的 林雪")
    await stage.press("sunlei", wish, "yes")

    await stage.hears("zhouxiaomei", "孙磊 已把 林总 让给您")
    await stage.hears("sunlei", "您的报备不再保护这位客户")
    await stage.hears("sunlei", "您已答复：同意", kind="card")
    found = await stage.db.read(lambda tx: tx.tickets.of_request(first))
    assert found is not None
    assert found.state == "revoked"
    await stage.until(stage.state, lambda s: not s["contact_ways"], "the ticket is deleted")


async def test_who_was_refused_asks_again_once_the_first_has_given_way(opens: Opens) -> None:
    stage = await opens(RESERVED)
    await ticketed(stage)
    await stage.say("zhouxiaomei", SECOND)
    await stage.hears("zhouxiaomei", "在保护期内")
    second = await stage.newest("zhouxiaomei")
    await stage.say("zhouxiaomei", f"问归属 {second.id}")
    await stage.card("sunlei", "先报备的 林雪")

    await stage.say("sunlei", f"答归属 {second.id} 同意")
    await stage.hears("zhouxiaomei", f"请发送：重提 {second.id}")
    await stage.say("zhouxiaomei", f"重提 {second.id}")

    await stage.card("wangfang", "林总")


async def test_the_owner_hands_over_and_the_transfer_runs_to_its_end(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    stage.simulator.world.member_adds_customer("sunlei", ZHANG_WEI)
    await stage.quiet()
    stage.simulator.world.member_edits("sunlei", ZHANG_WEI, mobiles=["13800001234"])
    await stage.quiet()
    await stage.say("zhouxiaomei", "加 张总 13800001234 老同学")
    mine = await stage.card("zhouxiaomei", "撞单提醒：张总")
    asked = await stage.newest("zhouxiaomei")
    approver = await stage.card("wangfang", "张总")
    assert "撞单：孙磊（销售部） 已跟进 0 天（已是好友）" in str(approver["card"])

    await stage.press("zhouxiaomei", mine, "hand_over")
    wish = await stage.card("sunlei", "周小美 想跟进您的客户 张伟")
    assert "老同学" in str(wish["card"])
    await stage.press("sunlei", wish, "yes")

    await stage.hears("zhouxiaomei", f"孙磊 同意把 张总 转给您（{asked.id}）")
    moving = await stage.card("wangfang", "孙磊 申请转移 张伟")
    assert f"孙磊 已同意转移（{asked.id}）" in str(moving["card"])
    await stage.press("wangfang", moving, "approve")
    await stage.hears("sunlei", "在那之前审批人还可以反悔")
    stage.clock.move(seconds=61)
    await stage.hears("zhouxiaomei", "企业微信已受理")
    transfer = await stage.newest("sunlei")
    await stage.quiet()
    stage.clock.move(hours=24, minutes=20)
    stage.simulator.world.settle_transfers()

    await stage.hears("zhouxiaomei", "已转移 1 位：张伟")
    found = await stage.db.read(lambda tx: tx.transfers.of_request(transfer.id))
    assert [each.state for each in found] == [PassageState.DONE]
    now = await stage.db.read(lambda tx: tx.relations.get("zhouxiaomei", ZHANG_WEI))
    assert now is not None
    assert now.state is RelationState.ADDED


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_nothing_is_handed_over_to_who_has_withdrawn_meanwhile(
    opens: Opens, language: str
) -> None:
    stage = await (opens(BY_LEAD, ENGLISH) if language == "en" else opens(BY_LEAD))
    stage.simulator.world.member_adds_customer("sunlei", ZHANG_WEI)
    await stage.quiet()
    stage.simulator.world.member_edits("sunlei", ZHANG_WEI, mobiles=["13800001234"])
    await stage.quiet()
    await stage.say("zhouxiaomei", "加 张总 13800001234 老同学")
    await stage.quiet()
    asked = await stage.newest("zhouxiaomei")
    await stage.say("zhouxiaomei", f"问归属 {asked.id} 转给我")
    wish = await stage.card("sunlei", "老同学")
    await stage.say("zhouxiaomei", f"撤回 {asked.id}")
    await stage.quiet()

    await stage.press("sunlei", wish, "yes")

    said = {"zh-CN": f"周小美 已撤回 {asked.id}", "en": f"周小美 has withdrawn {asked.id}"}
    await stage.hears("sunlei", said[language])
    await stage.quiet()
    hers = await stage.db.read(lambda tx: tx.requests.by_requester("sunlei", 5))
    assert [each.action for each in hers] == ["friend.add"]  # no transfer


async def test_the_owner_says_no_and_stays_masked(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    request_id = await asked_for_liu(stage)
    await stage.say("sunlei", f"问归属 {request_id} 转给我")
    wish = await stage.card("liqiang", "孙磊 想跟进您的客户 刘建国")

    await stage.press("liqiang", wish, "no")

    await stage.hears("sunlei", f"李*（管理部） 没有同意（{request_id}，刘总）")
    await stage.say("sunlei", f"问归属 {request_id} 转给我")
    await stage.hears("sunlei", f"对方已就 {request_id} 答复过您")
    await stage.say("liqiang", f"答归属 {request_id} 同意")
    await stage.hears("liqiang", f"没有同事就 {request_id} 等您答复")
    await stage.quiet()
    heard = texts(stage, "sunlei")
    for secret in ("李强", "liqiang", "恒远大刘", "13811112222"):
        assert secret not in heard
    assert await stage.db.read(lambda tx: tx.requests.by_requester("liqiang", 5)) == []


async def test_an_owner_is_asked_at_most_every_four_hours(opens: Opens) -> None:
    stage = await opens()
    request_id = await asked_for_liu(stage)
    await stage.say("sunlei", f"问归属 {request_id}")
    await stage.hears("sunlei", "已替您问 李*")

    await stage.say("sunlei", f"问归属 {request_id}")

    await stage.hears("sunlei", f"{request_id} 刚问过")
    stage.clock.move(hours=4, minutes=1)
    await stage.say("sunlei", f"问归属 {request_id}")
    await stage.until(
        lambda: stage.heard("liqiang"),
        lambda them: sum("想跟进您的客户" in str(each) for each in them) == 2,
        "asked once more",
    )


async def test_sharing_is_agreed_in_english_by_text(opens: Opens) -> None:
    stage = await opens(ENGLISH)
    await with_noted_phone(stage)
    await stage.say("sunlei", "add Liu 13811112222 met at a fair")
    card = await stage.card("sunlei", "Conflict: Liu")
    assert "李* (管理部)" in str(card["card"])
    assert "same phone number" in str(card["card"])
    request = await stage.newest("sunlei")

    await stage.say("sunlei", f"ask-owner {request.id} share")
    await stage.hears("sunlei", "has been asked for you")
    await stage.say("liqiang", f"answer-owner {request.id} yes")

    await stage.hears("sunlei", "李强 will share Liu with you")
    await stage.hears("liqiang", "share the name card with 孙磊")


async def test_nobody_answers_for_an_owner_and_nobody_asks_for_another(opens: Opens) -> None:
    stage = await opens()
    request_id = await asked_for_liu(stage)
    await stage.say("zhouxiaomei", f"问归属 {request_id}")
    await stage.hears("zhouxiaomei", f"{request_id} 不是您的申请")
    await stage.say("sunlei", f"问归属 {request_id}")
    await stage.card("liqiang", "想跟进您的客户")

    await stage.say("wangfang", f"答归属 {request_id} 同意")

    await stage.hears("wangfang", f"没有同事就 {request_id} 等您答复")
    await stage.quiet()
    assert stage.times_told("sunlei", "同意分享") == 0


async def test_another_person_of_a_company_another_team_knows_needs_approval(
    opens: Opens,
) -> None:
    stage = await opens(SAME_COMPANY)
    await with_noted_phone(stage)

    await stage.say("sunlei", "加 吴迪 恒远集团（上海）有限公司 13600002222 展会认识")

    await stage.hears("sunlei", "吴迪 的公司已有同事在跟进：李*（管理部）")
    card = await stage.card("wangfang", "吴迪")
    assert "同公司：李强（管理部） 有客户" in str(card["card"])
    request = await stage.newest("sunlei")
    assert request.verdict.rules == ("same-company",)
    assert request.facts["customer.same_company_owners"] == frozenset({"liqiang"})
    assert request.facts["customer.owner_count"] == 0


async def test_the_owner_hears_of_colleagues_once_a_day(opens: Opens) -> None:
    stage = await opens()
    request_id = await asked_for_liu(stage)
    told = await stage.hears("liqiang", "有同事想添加您的客户 刘建国")
    assert f"孙磊（销售部） 申请添加（{request_id}，待审批）" in told["text"]

    await stage.say("zhouxiaomei", "加 刘建国 13811112222 同乡")
    await stage.card("zhouxiaomei", "撞单提醒")
    await stage.quiet()

    assert stage.times_told("liqiang", "有同事想添加您的客户") == 1
    stage.clock.move(hours=24, minutes=1)
    await stage.hears("liqiang", "周小美（销售部） 申请添加")
    assert stage.times_told("liqiang", "孙磊（销售部） 申请添加") == 1


async def test_the_owner_hears_of_an_add_that_has_happened_and_rules_see_it(
    opens: Opens,
) -> None:
    stage = await opens()
    await with_noted_phone(stage)

    stage.simulator.world.member_adds_customer("sunlei", LIU_JIANGUO)

    told = await stage.hears("liqiang", "孙磊（销售部） 已经添加")
    assert "恒远大刘" not in told["text"]
    await stage.quiet()
    request = await stage.newest("sunlei")
    assert request.facts["customer.owners"] == frozenset({"liqiang"})
    assert stage.times_told("liqiang", "有同事想添加您的客户") == 1


async def test_an_add_of_whom_a_colleague_has_reported_is_refused_by_the_same_rule(
    opens: Opens,
) -> None:
    stage = await opens(RESERVED)
    await ticketed(stage, ask="加 马超 飞驰物流 13700001111 老客户介绍")
    world = stage.simulator.world
    world.member_adds_customer("wangfang", MA_CHAO)
    await stage.quiet()

    world.member_edits("wangfang", MA_CHAO, mobiles=["13700001111"])
    await stage.quiet()
    world.member_adds_customer("zhouxiaomei", MA_CHAO)

    await stage.hears("zhouxiaomei", "在保护期内")
    assert (await stage.newest("zhouxiaomei")).facts["customer.reserved_by"] == "sunlei"


async def test_the_card_says_so_when_the_approver_has_the_customer(opens: Opens) -> None:
    stage = await opens()
    stage.simulator.world.member_adds_customer("wangfang", ZHANG_WEI)
    await stage.quiet()
    stage.simulator.world.member_edits("wangfang", ZHANG_WEI, mobiles=["13800001234"])
    await stage.quiet()

    await stage.say("zhouxiaomei", "加 张总 13800001234 老同学")

    card = await stage.card("wangfang", "张总")
    assert "审批人 王芳 就是跟进人" in str(card["card"])


async def test_after_the_owner_has_left_nobody_is_asked_and_a_leavers_report_protects_nothing(
    opens: Opens,
) -> None:
    stage = await opens(RESERVED)
    await ticketed(stage)
    stage.simulator.world.member_leaves("sunlei")
    await stage.quiet()
    stage.clock.move(hours=1, minutes=1)

    async def gone() -> bool:
        company = await stage.db.read(lambda tx: tx.people.directory())
        return company.member("sunlei") is None

    await stage.until(gone, bool, "Menwei knows that they have left")
    await stage.say("zhouxiaomei", SECOND)

    await stage.card("wangfang", "林总")


async def test_the_ticket_of_a_report_is_used_while_a_colleague_waits(opens: Opens) -> None:
    stage = await opens(RESERVED)
    await ticketed(stage)
    await stage.say("zhouxiaomei", SECOND)
    await stage.hears("zhouxiaomei", "在保护期内")
    (config_id,) = stage.simulator.world.state.ways
    lin_xue = await stage.customer("林雪")

    stage.simulator.world.customer_scans(lin_xue, config_id)

    await stage.hears("sunlei", "一切正常")
