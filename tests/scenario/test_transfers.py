"""Customers handed over by chat: asked, approved, carried out by WeCom, followed to the end."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.actions import moving
from bot.simulator import corp
from bot.simulator.records import Customer
from bot.simulator.seed import HE_CHEN, LIN_XUE, MA_CHAO, ZHANG_WEI
from storage.work import Queue
from tests.makers_demo import ENGLISH, permission, rule
from tests.scenario.conftest import Opens, Stage
from workflows.model import RelationState, State
from workflows.transfers import PassageState

BY_LEAD = permission("customer.transfer", "allow = 4, approval = 2")
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
VIPS_STAY = rule(
    'id = "vips-stay"\naction = ["customer.transfer"]\n'
    'when.customer.tier = ["vip"]\nthen = "deny"\nsay = "VIP 客户不能转移。"'
)


async def befriended(stage: Stage, userid: str, *externals: str) -> None:
    for external in externals:
        stage.simulator.world.member_adds_customer(userid, external)
    await stage.quiet()


async def approved(stage: Stage, said: str, who: str = "sunlei") -> str:
    """Let a member ask for a transfer and their supervisor agree; return the request's id."""
    await stage.say(who, said)
    boss = "wangfang" if who != "wangfang" else "liqiang"
    await stage.press(boss, await stage.card(boss, "申请转移"), "approve")
    await stage.nobody_regrets(who)
    return (await stage.newest(who)).id


async def passages(stage: Stage, request_id: str) -> dict[str, PassageState]:
    found = await stage.db.read(lambda tx: tx.transfers.of_request(request_id))
    return {each.external_userid: each.state for each in found}


async def a_day_later(stage: Stage, **more: float) -> None:
    await stage.quiet()  # what is on its way would be sent twice: its lease would run out
    stage.clock.move(**(more or {"hours": 24, "minutes": 20}))
    stage.simulator.world.settle_transfers()
    await stage.quiet()


async def looked_since(stage: Stage, since: datetime) -> None:
    """Wait until a look at the transfers has been taken and the next one is on its way."""

    async def arranged() -> datetime | None:
        return await stage.db.read(lambda tx: tx.work.newest_of(Queue.TIMERS, [moving.LOOK]))

    await stage.until(arranged, lambda at: at and at >= since, "another look at the transfers")


async def relation(stage: Stage, userid: str, external: str) -> Any:
    return await stage.db.read(lambda tx: tx.relations.get(userid, external))


async def test_a_customer_is_transferred_after_approval_and_everybody_hears_the_end(
    opens: Opens,
) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI)

    await stage.say("sunlei", "转移 张伟 给 李强 客户调到总部")
    await stage.hears("sunlei", "转移 张伟")
    card = await stage.card("wangfang", "孙磊 申请转移 张伟")
    shown = str(card["card"]["horizontal_content_list"])
    assert "孙磊 · 销售部 · 销售" in shown
    assert "李强 · 管理部 · 销售总监" in shown
    assert "客户调到总部" in str(card["card"]["quote_area"])
    await stage.press("wangfang", card, "approve")
    await stage.nobody_regrets("sunlei")

    request = await stage.newest("sunlei")
    for who in ("sunlei", "liqiang"):
        await stage.hears(who, "企业微信已受理，孙磊 的 1 位客户将转给 李强：张伟")
    assert (await stage.request(request.id)).state is State.EXECUTED
    assert await passages(stage, request.id) == {ZHANG_WEI: PassageState.WAITING}
    (answered,) = await stage.records(request.id, "transfer.answered")
    assert answered.detail["codes"] == {ZHANG_WEI: 0}

    await a_day_later(stage)

    for who in ("sunlei", "liqiang", "wangfang"):
        await stage.hears(who, "已转移 1 位：张伟")
    await stage.quiet()
    for who in ("sunlei", "liqiang", "wangfang"):
        assert stage.times_told(who, "有结果了") == 1
    assert await passages(stage, request.id) == {ZHANG_WEI: PassageState.DONE}
    (done,) = await stage.records(request.id, "transfer.done")
    assert done.detail["customer"] == ZHANG_WEI
    old, new = (
        await relation(stage, "sunlei", ZHANG_WEI),
        await relation(stage, "liqiang", ZHANG_WEI),
    )
    assert (old.state, old.ended_by) == (RelationState.DELETED_BY_MEMBER, "transfer")
    assert (new.state, new.request_id) == (RelationState.ADDED, request.id)


async def test_a_customer_taken_over_is_not_judged_as_a_new_add(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI)
    await approved(stage, "转移 张伟 给 周小美")
    await stage.hears("zhouxiaomei", "企业微信已受理")

    await a_day_later(stage)

    await stage.hears("zhouxiaomei", "已转移 1 位：张伟")
    await stage.quiet()
    assert await stage.db.read(lambda tx: tx.requests.by_requester("zhouxiaomei", 9)) == []
    about = await stage.db.read(lambda tx: tx.audit.of_customer(ZHANG_WEI))
    assert "add.transferred" in [each.kind for each in about]


async def test_without_any_event_the_end_is_found_by_asking(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI)
    request_id = await approved(stage, "转移 张伟 给 李强")
    await stage.hears("sunlei", "企业微信已受理")
    stage.simulator.faults.drop_callbacks(2)

    await a_day_later(stage)

    await stage.hears("sunlei", "已转移 1 位：张伟")
    assert await passages(stage, request_id) == {ZHANG_WEI: PassageState.DONE}
    old, new = (
        await relation(stage, "sunlei", ZHANG_WEI),
        await relation(stage, "liqiang", ZHANG_WEI),
    )
    assert old.state is RelationState.DELETED_BY_MEMBER
    assert new.state is RelationState.ADDED


@pytest.mark.parametrize("told", [True, False])
async def test_a_customer_who_refuses_stays_and_that_is_told(opens: Opens, told: bool) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI)
    stage.simulator.world.state.refuses_transfer.add(ZHANG_WEI)
    request_id = await approved(stage, "转移 张伟 给 李强")
    await stage.hears("sunlei", "企业微信已受理")
    if not told:
        stage.simulator.faults.drop_callbacks()

    await a_day_later(stage)

    for who in ("sunlei", "liqiang", "wangfang"):
        await stage.hears(who, "客户拒绝 1 位：张伟")
    assert await passages(stage, request_id) == {ZHANG_WEI: PassageState.REFUSED}
    kept = await relation(stage, "sunlei", ZHANG_WEI)
    assert kept.state is RelationState.ADDED


async def test_a_taker_without_room_is_told_of_as_such(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI)
    request_id = await approved(stage, "转移 张伟 给 李强")
    await stage.hears("sunlei", "企业微信已受理")
    stage.simulator.world.member("liqiang").contact_limit = 1

    await a_day_later(stage)

    await stage.hears("wangfang", "接手人的客户数已满，没有转移 1 位：张伟")
    assert await passages(stage, request_id) == {ZHANG_WEI: PassageState.FULL}


async def test_what_is_not_seen_in_a_week_is_given_to_a_human(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corp, "TOKEN_LIFE", 90 * 86400)  # days pass here within a second
    stage = await opens(BY_LEAD)
    world = stage.simulator.world
    await befriended(stage, "sunlei", ZHANG_WEI)
    request_id = await approved(stage, "转移 张伟 给 李强")
    await stage.hears("sunlei", "企业微信已受理")
    await stage.quiet()
    world.state.transfers[0].due += 90 * 86400

    for days in (1, 3):
        before = stage.clock.now()
        stage.clock.move(days=days, minutes=15)
        await looked_since(stage, before)
        await stage.quiet()
    stage.clock.move(days=4, minutes=15)

    await stage.hears("sunlei", "一周内没有看到结果 1 位")
    assert await passages(stage, request_id) == {ZHANG_WEI: PassageState.UNSEEN}


async def test_several_customers_are_one_call_and_the_end_is_told_together(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI, LIN_XUE, MA_CHAO)
    stage.simulator.world.state.refuses_transfer.add(MA_CHAO)

    request_id = await approved(stage, "转移 张伟、林雪 马超 给 李强 原因：调区")

    await stage.hears("sunlei", "孙磊 的 3 位客户将转给 李强")
    (call,) = stage.simulator.called("externalcontact/transfer_customer")
    assert sorted(call["external_userid"]) == sorted([ZHANG_WEI, LIN_XUE, MA_CHAO])
    assert (await stage.request(request_id)).facts["request.count"] == 3
    await a_day_later(stage)
    told = await stage.hears("sunlei", "已转移 2 位")
    assert "客户拒绝 1 位：马超" in told["text"]
    assert stage.times_told("sunlei", "有结果了") == 1


async def test_what_ends_earlier_is_told_while_others_wait(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI, LIN_XUE)
    await approved(stage, "转移 张伟、林雪 给 李强")
    await stage.hears("sunlei", "孙磊 的 2 位客户将转给 李强")
    late = next(t for t in stage.simulator.world.state.transfers if t.external_userid == LIN_XUE)
    late.due += 2 * 86400

    await a_day_later(stage)
    await stage.quiet()
    assert stage.times_told("sunlei", "有结果了") == 0  # more may come in a moment
    stage.clock.move(minutes=11)

    told = await stage.hears("sunlei", "有结果了，还有 1 位在等")
    assert "已转移 1 位：张伟" in told["text"]
    await a_day_later(stage, days=2)
    await stage.hears("sunlei", "已转移 1 位：林雪")
    assert stage.times_told("sunlei", "有结果了") == 2


async def test_a_deletion_by_the_taker_is_the_takers(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI)
    await approved(stage, "转移 张伟 给 李强")
    await stage.hears("sunlei", "企业微信已受理")
    await a_day_later(stage)
    await stage.hears("sunlei", "已转移 1 位")

    stage.simulator.world.member_deletes_customer("liqiang", ZHANG_WEI)
    await stage.quiet()

    about = await stage.db.read(lambda tx: tx.audit.of_customer(ZHANG_WEI))
    gone = [each for each in about if each.kind == "relation.deleted_by_member"]
    assert [(each.userid, each.detail["by"]) for each in gone] == [
        ("sunlei", "transfer"),
        ("liqiang", "member"),
    ]


async def test_of_several_the_strictest_counts_and_the_one_in_the_way_is_named(
    opens: Opens,
) -> None:
    stage = await opens(BY_LEAD, VIPS_STAY)
    await befriended(stage, "sunlei", ZHANG_WEI, LIN_XUE)
    stage.simulator.world.member_edits("sunlei", LIN_XUE, tags=["etDemoTag02"])
    await stage.quiet()

    await stage.say("sunlei", "转移 张伟、林雪 给 李强")

    told = await stage.hears("sunlei", "不能转移")
    assert "林雪：VIP 客户不能转移。" in told["text"]
    assert "张伟：" not in told["text"]
    request = await stage.newest("sunlei")
    assert (request.state, request.verdict.rules) == (State.DENIED, ("vips-stay",))
    await stage.quiet()
    assert stage.simulator.called("externalcontact/transfer_customer") == []


async def test_what_wecom_does_not_take_is_listed_and_the_rest_goes_on(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    world = stage.simulator.world
    await befriended(stage, "sunlei", ZHANG_WEI, LIN_XUE)
    await stage.say("sunlei", "转移 张伟、林雪 给 李强")
    card = await stage.card("wangfang", "申请转移")
    stage.simulator.faults.drop_callbacks()
    world.member_deletes_customer("sunlei", LIN_XUE)

    await stage.press("wangfang", card, "approve")
    await stage.nobody_regrets("sunlei")

    request = await stage.newest("sunlei")
    failed = await stage.hears("sunlei", "执行失败")
    assert "林雪：已经不是原来那位同事的客户" in failed["text"]
    await stage.hears("zhaomin", "林雪：已经不是原来那位同事的客户")
    await stage.hears("wangfang", "没有全部成功")
    assert (await stage.request(request.id)).state is State.EXECUTION_FAILED
    found = {ZHANG_WEI: PassageState.WAITING, LIN_XUE: PassageState.REJECTED}
    assert await passages(stage, request.id) == found
    await a_day_later(stage)
    await stage.hears("sunlei", "已转移 1 位：张伟")


async def test_a_taker_whom_wecom_refuses_fails_the_request(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI)
    stage.simulator.world.member("liqiang").verified = False

    await approved(stage, "转移 张伟 给 李强")

    await stage.hears("sunlei", "执行失败")
    assert (await stage.newest("sunlei")).state is State.EXECUTION_FAILED


async def test_an_answer_that_was_lost_is_not_taken_for_a_refusal(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI)
    stage.simulator.faults.fail_after("externalcontact/transfer_customer", -1)
    await stage.say("sunlei", "转移 张伟 给 李强")
    await stage.press("wangfang", await stage.card("wangfang", "申请转移"), "approve")
    await stage.nobody_regrets("sunlei")

    await stage.hears("sunlei", "企业微信已受理")

    request = await stage.newest("sunlei")
    assert len(stage.simulator.called("externalcontact/transfer_customer")) == 2
    assert (await stage.request(request.id)).state is State.EXECUTED
    assert len(stage.simulator.world.state.transfers) == 1


async def test_a_transfer_somebody_else_has_begun_is_not_taken_for_ours(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    world = stage.simulator.world
    await befriended(stage, "sunlei", ZHANG_WEI)
    world.begin_transfer(world.member("sunlei"), world.member("pool"), ZHANG_WEI)

    await approved(stage, "转移 张伟 给 李强")

    await stage.hears("sunlei", "张伟：已经在别的转移流程中")
    assert (await stage.newest("sunlei")).state is State.EXECUTION_FAILED


async def test_what_is_known_beforehand_is_said_before_anybody_is_asked(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI, HE_CHEN)
    before = await stage.newest("sunlei")

    for said, answer in (
        ("转移 张伟 给 孙磊", "无需转移"),
        ("转移 张伟 给 没这人", "没有找到“没这人”这位同事"),
        ("转移 没这人 给 李强", "没有叫“没这人”的客户"),
        ("转移 张伟", "请写上"),
        ("转移 李强的刘建国 给 孙磊", "您无权查看"),
        ("转移 何晨 给 李强", "何晨：还没有获准"),
    ):
        await stage.say("sunlei", said)
        await stage.hears("sunlei", answer)
    assert (await stage.newest("sunlei")).id == before.id
    assert "申请转移" not in str(await stage.heard("wangfang"))


async def test_twice_in_ninety_days_is_the_most_and_that_is_known(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI)
    await approved(stage, "转移 张伟 给 李强")
    await stage.hears("liqiang", "企业微信已受理")
    await stage.say("sunlei", "转移 张伟 给 王芳")
    await stage.hears("sunlei", "张伟：正在转给 李强")
    await a_day_later(stage)
    await stage.hears("liqiang", "已转移 1 位")
    await stage.say("liqiang", "转移 张伟 给 孙磊")
    await stage.hears("liqiang", "可以转移 张伟")
    await a_day_later(stage)
    await stage.until(
        lambda: relation(stage, "sunlei", ZHANG_WEI),
        lambda it: it.state is RelationState.ADDED,
        "the customer is back",
    )
    await stage.quiet()

    await stage.say("sunlei", "转移 张伟 给 李强")
    await stage.hears("sunlei", "张伟：90 天内已转移 2 次")

    await stage.quiet()
    stage.clock.move(days=91)
    await stage.say("sunlei", "转移 张伟 给 李强")
    await stage.card("wangfang", "申请转移 张伟")


async def test_a_supervisor_hands_over_everything_a_colleague_has(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI, LIN_XUE, MA_CHAO)

    await stage.say("wangfang", "转移 孙磊的全部 给 李强 离职交接")
    card = await stage.card("zhaomin", "王芳 申请转移")

    assert "3" in str(card["card"]["horizontal_content_list"])
    assert stage.times_told("liqiang", "申请转移") == 0  # who gets them does not decide
    await stage.press("zhaomin", card, "approve")
    await stage.nobody_regrets("wangfang")
    await stage.hears("sunlei", "孙磊 的 3 位客户将转给 李强")
    await a_day_later(stage)
    for who in ("wangfang", "sunlei", "liqiang", "zhaomin"):
        await stage.hears(who, "已转移 3 位")


async def test_a_transfer_is_asked_in_english(opens: Opens) -> None:
    stage = await opens(ENGLISH, BY_LEAD)
    stage.simulator.world.create_customer(Customer("wmJohn", "John Smith"))
    await befriended(stage, "sunlei", "wmJohn")

    await stage.say("sunlei", "transfer John Smith to liqiang because he moves to Beijing")

    await stage.hears("sunlei", "transfer John Smith")
    card = await stage.card("wangfang", "孙磊 asks to transfer John Smith")
    assert "he moves to Beijing" in str(card)
    await stage.press("wangfang", card, "approve")
    await stage.nobody_regrets("sunlei")
    await stage.hears(
        "sunlei", "WeCom has accepted. 1 customers of 孙磊 will go to 李强: John Smith"
    )
    await a_day_later(stage)
    await stage.hears("sunlei", "Transferred (1): John Smith")


async def test_a_refused_transfer_is_asked_for_again_for_who_is_left(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI, LIN_XUE)
    await stage.say("sunlei", "转移 张伟、林雪 给 李强")
    await stage.press("wangfang", await stage.card("wangfang", "申请转移"), "deny", "r3")
    await stage.hears("sunlei", "已被 王芳 拒绝")
    first = await stage.newest("sunlei")
    stage.simulator.world.member_deletes_customer("sunlei", LIN_XUE)
    await stage.quiet()

    await stage.say("sunlei", f"重提 {first.id}")

    await stage.card("wangfang", "申请转移 张伟")
    again = await stage.newest("sunlei")
    assert again.id != first.id
    assert again.plan is not None
    assert getattr(again.plan, "customers", ()) == (ZHANG_WEI,)


async def test_whom_the_taker_adds_by_hand_is_judged_all_the_same(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI)
    await approved(stage, "转移 张伟 给 周小美")
    await stage.hears("zhouxiaomei", "企业微信已受理")

    stage.simulator.world.member_adds_customer("zhouxiaomei", ZHANG_WEI)

    await stage.hears("zhouxiaomei", "您添加的 张伟 需要审批")


async def test_whom_the_taker_adds_by_hand_when_the_giver_is_gone_is_judged_too(
    opens: Opens,
) -> None:
    stage = await opens(BY_LEAD)
    world = stage.simulator.world
    await befriended(stage, "sunlei", ZHANG_WEI)
    await approved(stage, "转移 张伟 给 周小美")
    await stage.hears("zhouxiaomei", "企业微信已受理")
    world.member_deletes_customer("sunlei", ZHANG_WEI)
    await stage.quiet()

    world.member_adds_customer("zhouxiaomei", ZHANG_WEI)

    await stage.hears("zhouxiaomei", "您添加的 张伟 需要审批")


async def test_a_customer_who_adds_the_taker_while_the_giver_has_them_is_judged(
    opens: Opens,
) -> None:
    stage = await opens(BY_LEAD)
    world = stage.simulator.world
    await befriended(stage, "sunlei", ZHANG_WEI)
    request_id = await approved(stage, "转移 张伟 给 周小美")
    await stage.hears("zhouxiaomei", "企业微信已受理")

    world.customer_adds_member(ZHANG_WEI, "zhouxiaomei")
    world.member_confirms("zhouxiaomei", ZHANG_WEI)

    await stage.hears("zhouxiaomei", "您添加的 张伟 需要审批")
    assert await passages(stage, request_id) == {ZHANG_WEI: PassageState.WAITING}


async def test_whoever_gets_the_customers_does_not_decide_on_it(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI)

    await stage.say("sunlei", "转移 张伟 给 王芳")

    await stage.card("zhaomin", "孙磊 申请转移 张伟")
    await stage.quiet()
    assert "申请转移" not in str(await stage.heard("wangfang"))


async def test_a_transfer_by_a_remedy_counts_towards_the_limit(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", HE_CHEN)
    await stage.hears("sunlei", "请在")

    await a_day_later(stage, hours=24, minutes=1)
    await stage.until(
        lambda: stage.db.read(lambda tx: tx.transfers.of_customer(HE_CHEN, LONG_AGO)),
        lambda it: it,
        "the remedy's transfer",
    )

    await a_day_later(stage, hours=25)
    await stage.hears("sunlei", "已确认转接")
    (passage,) = await stage.db.read(lambda tx: tx.transfers.of_customer(HE_CHEN, LONG_AGO))
    assert (passage.state, passage.taker) == (PassageState.DONE, "pool")
    assert stage.times_told("sunlei", "有结果了") == 0  # a remedy tells of itself


async def test_stricter_rules_end_a_transfer_that_waits(opens: Opens) -> None:
    """Each of its customers is judged again, not only the one whose facts were kept."""
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI, LIN_XUE)
    stage.simulator.world.member_edits("sunlei", LIN_XUE, tags=["etDemoTag02"])
    await stage.quiet()
    await stage.say("sunlei", "转移 张伟、林雪 给 李强")
    await stage.card("wangfang", "申请转移")
    request = await stage.newest("sunlei")
    await stage.stop()

    await stage.start(VIPS_STAY)

    await stage.until(
        lambda: stage.request(request.id), lambda it: it.state is State.STALE, "it is stale"
    )
    await stage.hears("sunlei", "规则已变严")


async def test_a_customer_from_before_menwei_can_be_transferred(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    await stage.knows_the_customers()

    await stage.say("liqiang", "转移 刘建国 给 孙磊")

    await stage.hears("sunlei", "企业微信已受理，李强 的 1 位客户将转给 孙磊：刘建国")


async def test_a_customer_whom_the_member_does_not_have_cannot_be_named(opens: Opens) -> None:
    stage = await opens(BY_LEAD)

    await stage.say("liqiang", f"转移 {MA_CHAO} 给 孙磊")

    await stage.hears("liqiang", "或者门卫还没听说过")
