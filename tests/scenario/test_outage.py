"""WeCom fails in every way it has: all is delivered in the end, once, or a person is told."""

from __future__ import annotations

import pytest

from bot.simulator import api_messages
from bot.simulator.errors import ApiError
from bot.simulator.seed import HE_CHEN, ZHANG_WEI
from storage.work import Queue
from tests.scenario.conftest import Opens, Stage
from workflows.model import State

ASK = "加 张伟 明达贸易 13800001234 展会认识"
SEND = "message/send"


async def test_expired_tokens_are_renewed_and_nothing_is_missed(stage: Stage) -> None:
    await stage.say("zhouxiaomei", ASK)
    card = await stage.card("wangfang")
    stage.simulator.expire_tokens()

    await stage.press("wangfang", card, "approve")

    await stage.hears("zhouxiaomei", "通行码", kind="news")
    await stage.quiet()
    assert stage.times_told("zhouxiaomei", "已由 王芳 同意") == 1


async def test_refused_calls_are_made_again(stage: Stage) -> None:
    stage.simulator.faults.fail(SEND, -1)
    stage.simulator.faults.fail("externalcontact/add_contact_way", 45033)
    stage.simulator.faults.fail("externalcontact/get", -1)

    await stage.say("sunlei", ASK)

    await stage.hears("sunlei", "通行码", kind="news")
    code_ = next(iter(stage.simulator.world.state.ways))
    stage.simulator.world.customer_scans(ZHANG_WEI, code_)
    await stage.hears("sunlei", "一切正常")
    await stage.quiet()
    assert [m.kind for m in stage.chat("sunlei")] == ["text", "news", "text"]
    assert not stage.simulator.world.state.ways


async def test_errors_of_wecoms_servers_are_waited_out(stage: Stage) -> None:
    for path in (SEND, "externalcontact/mark_tag", "externalcontact/remark"):
        stage.simulator.faults.http_500(path)

    stage.simulator.world.member_adds_customer("sunlei", HE_CHEN)

    await stage.hears("sunlei", "您添加的 何晨 不符合规定")
    await stage.until(
        lambda: stage.relation("sunlei", HE_CHEN),
        lambda relation: relation["tags"] == ["违规添加"] and relation["remark"] != "",
        "the relation is marked",
    )
    await stage.quiet()
    assert stage.times_told("sunlei", "请在") == 1
    assert stage.times_told("wangfang", "孙磊 添加了 何晨") == 1


async def test_an_answer_that_is_lost_sends_nothing_twice(stage: Stage) -> None:
    """WeCom did what was asked, and its answer never came."""
    stage.simulator.faults.fail_after(SEND, -1, 2)
    stage.simulator.faults.fail_after("externalcontact/add_contact_way", -1)

    await stage.say("sunlei", ASK)

    await stage.hears("sunlei", "通行码", kind="news")
    await stage.quiet()
    assert stage.times_told("sunlei", "可以添加 张伟") == 1
    assert [m.kind for m in stage.chat("sunlei")].count("news") == 1
    assert len(stage.simulator.world.state.ways) == 1


async def test_too_many_calls_wait_until_wecom_takes_them_again(stage: Stage) -> None:
    stage.simulator.faults.fail(SEND, 45009)
    await stage.say("sunlei", "我的")
    await stage.simulator.idle()

    async def put_off() -> bool:
        waiting = await stage.db.read(lambda tx: tx.work.open_in(Queue.OUTBOX, "chat:sunlei"))
        return any(each.error for each in waiting)

    # Once the refusal is on record: a clock that moves before would be taken for WeCom's.
    await stage.until(put_off, bool, "a first try")
    assert stage.simulator.called(SEND)
    assert stage.times_told("sunlei", "您还没有申请") == 0
    stage.clock.move(minutes=61)

    await stage.hears("sunlei", "您还没有申请")
    await stage.quiet()
    assert stage.times_told("sunlei", "您还没有申请") == 1


async def test_an_approver_who_cannot_be_reached_is_told_to_the_admins_once(
    stage: Stage,
) -> None:
    stage.simulator.world.member("wangfang").visible = False

    await stage.say("zhouxiaomei", ASK)

    request = await stage.newest_of("zhouxiaomei")
    for admin in ("zhaomin", "chenyu"):
        await stage.hears(admin, f"申请 {request.id}（张伟）未能送达审批人 王芳")
    await stage.quiet()
    assert [stage.times_told(a, "王芳") for a in ("zhaomin", "chenyu")] == [1, 1]
    assert (await stage.request(request.id)).state is State.PENDING


async def test_an_admin_who_cannot_be_reached_starts_no_avalanche(stage: Stage) -> None:
    stage.simulator.world.member("zhaomin").visible = False
    stage.simulator.world.member("wangfang").visible = False

    await stage.say("zhouxiaomei", ASK)

    await stage.hears("chenyu", "未能送达审批人 王芳")
    await stage.quiet()
    assert len(stage.chat("chenyu")) <= 5


async def test_a_card_wecom_will_not_take_comes_as_text(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(_: object) -> None:
        raise ApiError(42034, "a field of the card is wrong")

    monkeypatch.setattr(api_messages, "check_card", never)

    await stage.say("zhouxiaomei", ASK)

    request = await stage.newest_of("zhouxiaomei")
    text = await stage.hears("wangfang", f"同意 {request.id}")
    assert "张伟" in text["text"]
    assert len(stage.chat("wangfang")) == 1
    await stage.say("wangfang", f"同意 {request.id}")
    await stage.hears("zhouxiaomei", "已由 王芳 同意")
    await stage.quiet()


async def test_a_card_that_cannot_be_updated_any_more_bothers_nobody(stage: Stage) -> None:
    await stage.say("zhouxiaomei", ASK)
    card = await stage.card("wangfang")
    stage.simulator.faults.fail("message/update_template_card", 60140)

    await stage.press("wangfang", card, "approve")

    await stage.hears("zhouxiaomei", "通行码", kind="news")
    await stage.quiet()
    assert stage.times_told("zhaomin", "搁置") == 0


async def test_a_lost_add_event_of_a_ticket_does_not_stop_the_next(stage: Stage) -> None:
    """The callback never comes; the ticket runs out, and nothing is left behind."""
    await stage.say("sunlei", ASK)
    await stage.hears("sunlei", "通行码", kind="news")
    stage.simulator.faults.drop_callbacks()
    stage.simulator.world.customer_scans(ZHANG_WEI, next(iter(stage.simulator.world.state.ways)))

    stage.clock.move(hours=73)

    await stage.until(stage.state, lambda s: not s["contact_ways"], "the ticket is deleted")


async def test_a_database_of_tags_that_does_not_answer_holds_up_nothing_else(
    opens: Opens,
) -> None:
    stage = await opens()
    await stage.knows_the_customers()
    stage.clock.move(minutes=11)  # until the tags are looked up anew
    stage.simulator.faults.fail("externalcontact/get_corp_tag_list", -1)
    stage.simulator.world.member_adds_customer("zhouxiaomei", ZHANG_WEI)

    await stage.card("wangfang", "张伟")
    assert stage.simulator.called("externalcontact/mark_tag") == []
    stage.clock.move(minutes=1)
    await stage.until(
        lambda: stage.relation("zhouxiaomei", ZHANG_WEI),
        lambda relation: "待审批" in relation["tags"],
        "the relation is marked in the end",
    )
