"""Deciding on a card or by text: reasons, ids, rights at the click, late and double answers."""

from __future__ import annotations

import asyncio

import pytest

from bot import chores
from bot.simulator.records import Member
from bot.simulator.seed import LIU_JIANGUO, MARKETING, SALES
from tests.scenario.conftest import Change, Opens, Stage
from workflows.model import Request, State

ASK = "加 张伟 明达贸易 13800001234 展会认识"
LEAD = 'stages = [{ from = ["manager_of_sender"], need = 1 }]\n[chains.lead_then'
EITHER: Change = (
    LEAD,
    LEAD.replace('["manager_of_sender"]', '["manager_of_sender", "role:director"]'),
)
UPDATE = "message/update_template_card"


async def asked(stage: Stage) -> Request:
    """Have the trainee ask; return the request once the supervisor has the card."""
    await stage.say("zhouxiaomei", ASK)
    await stage.card("wangfang", "张伟")
    return await stage.newest("zhouxiaomei")


async def state(stage: Stage, request: Request, wanted: State) -> Request:
    async def look() -> Request:
        return await stage.request(request.id)

    found: Request = await stage.until(look, lambda now: now if now.state is wanted else None, "")
    return found


async def reread_directory(stage: Stage) -> None:
    """Have the hourly reading now, and wait until every node knows."""
    await stage.does(chores.DIRECTORY)
    await asyncio.sleep(1.1)  # every node takes a new directory over within a second


async def test_a_refusal_takes_the_reason_from_the_card(stage: Stage) -> None:
    await asked(stage)

    await stage.press("wangfang", await stage.card("wangfang"), "deny", "r2")

    await stage.hears("zhouxiaomei", "已被 王芳 拒绝。原因：非目标客户")
    await stage.hears("wangfang", "已拒绝 周小美 添加 张伟")
    shown = await stage.hears("wangfang", "replace_text", kind="card")
    assert "非目标客户" in shown["card"]["sub_title_text"]
    assert not stage.simulator.world.state.ways


async def test_a_refusal_without_a_reason_is_asked_for_it(stage: Stage) -> None:
    request = await asked(stage)
    await stage.press("wangfang", await stage.card("wangfang"), "deny")
    await stage.hears("wangfang", "需要写明原因，请直接回复原因")
    assert (await stage.request(request.id)).state is State.PENDING

    await stage.say("wangfang", "查无此公司")

    await stage.hears("zhouxiaomei", "已被 王芳 拒绝。原因：查无此公司")


@pytest.mark.parametrize("reason", ["加班谈过了，不合适", "规则不允许", "帮助不大", "重复了"])
async def test_a_reason_that_sounds_like_a_command_is_still_a_reason(
    stage: Stage, reason: str
) -> None:
    await asked(stage)
    await stage.press("wangfang", await stage.card("wangfang"), "deny")
    await stage.hears("wangfang", "请直接回复原因")

    await stage.say("wangfang", reason)

    await stage.hears("zhouxiaomei", f"已被 王芳 拒绝。原因：{reason}")


async def test_what_is_no_reason_refuses_nobody_and_is_asked_back(stage: Stage) -> None:
    request = await asked(stage)
    await stage.say("wangfang", f"拒绝 {request.id}")
    await stage.hears("wangfang", "不拒绝了就回“取消”")
    for number, said in enumerate(("嗯", "我再想想", "他什么时候认识的？"), 1):
        await stage.say("wangfang", said)
        await stage.quiet()
        assert stage.times_told("wangfang", f"还没有拒绝 张伟（{request.id}）") == number
    assert (await stage.request(request.id)).state is State.PENDING

    await stage.say("wangfang", "原因：资料不全")

    await stage.hears("zhouxiaomei", "已被 王芳 拒绝。原因：资料不全")


@pytest.mark.parametrize("words", ["取消", "不拒绝了", "点错了", "先不拒绝，等他补资料"])
async def test_a_refusal_that_was_begun_can_be_taken_back(stage: Stage, words: str) -> None:
    request = await asked(stage)
    await stage.say("wangfang", f"拒绝 {request.id}")
    await stage.hears("wangfang", "请直接回复原因")

    await stage.say("wangfang", words)

    await stage.hears("wangfang", f"好的，没有拒绝 张伟（{request.id}）")
    await stage.say("wangfang", "资料不全")  # no reason any more
    await stage.hears("wangfang", "没看懂")
    assert (await stage.request(request.id)).state is State.PENDING


async def test_another_command_instead_of_the_reason_is_obeyed(stage: Stage) -> None:
    request = await asked(stage)
    await stage.press("wangfang", await stage.card("wangfang"), "deny")
    await stage.hears("wangfang", "请直接回复原因")

    await stage.say("wangfang", f"同意 {request.id}")

    await stage.hears("zhouxiaomei", "已由 王芳 同意")


async def test_refusing_by_text_needs_a_reason_and_takes_it_at_once_or_later(stage: Stage) -> None:
    request = await asked(stage)
    await stage.say("wangfang", f"拒绝 {request.id}")
    await stage.hears("wangfang", "请直接回复原因")

    await stage.say("wangfang", f"拒绝 {request.id} 已有同事跟进")

    await stage.hears("zhouxiaomei", "已被 王芳 拒绝。原因：已有同事跟进")


@pytest.mark.parametrize("words", ["同意 {wide}", "同意{low}", "approve {low}", "{id} 同意 没问题"])
async def test_approving_by_text_forgives_how_the_id_is_typed(stage: Stage, words: str) -> None:
    request = await asked(stage)
    wide = "".join(chr(ord(char) + 0xFEE0) for char in request.id)

    await stage.say("wangfang", words.format(id=request.id, low=request.id.lower(), wide=wide))

    await stage.hears("zhouxiaomei", f"申请 {request.id}（张伟）已由 王芳 同意")
    await stage.hears("wangfang", "已同意", kind="card")


@pytest.mark.parametrize(
    "words", ["同意 {id}？", "同意 {id} 不行", "免批 {id} 吗", "同意 {id} 和 A7K2"]
)
async def test_a_yes_with_a_doubt_in_it_decides_nothing(stage: Stage, words: str) -> None:
    request = await asked(stage)

    await stage.say("wangfang", words.format(id=request.id))

    await stage.hears("wangfang", "什么都还没做")
    assert (await stage.request(request.id)).state is State.PENDING


async def test_an_english_refusal_is_answered_in_english(stage: Stage) -> None:
    request = await asked(stage)

    await stage.say("wangfang", f"reject {request.id} not our kind of customer")

    await stage.hears("zhouxiaomei", "原因：not our kind of customer")
    english = await stage.hears("wangfang", request.id)
    assert "已拒绝" not in english["text"]


async def test_nobody_approves_their_own_request(opens: Opens) -> None:
    stage = await opens(
        (
            '"friend.add"    = { allow = 2, approval = 1 }',
            '"friend.add" = { allow = 4, approval = 1 }',
        ),
        EITHER,
    )
    await stage.say("wangfang", ASK)
    card = await stage.card("liqiang", "张伟")
    request = await stage.newest("wangfang")
    assert [person.userid for person in request.approvers] == ["liqiang"]

    await stage.say("wangfang", f"同意 {request.id}")

    await stage.hears("wangfang", "是您自己的申请，不能自己审批")
    assert (await stage.request(request.id)).state is State.PENDING
    await stage.press("liqiang", card, "approve")
    await stage.hears("wangfang", "已由 李强 同意")


async def test_who_was_not_asked_cannot_decide(stage: Stage) -> None:
    request = await asked(stage)

    await stage.say("liqiang", f"同意 {request.id}")

    await stage.hears("liqiang", f"{request.id} 现在由 王芳 审批")
    assert (await stage.request(request.id)).state is State.PENDING


async def test_a_late_press_gets_the_truth_and_the_card_shows_who_decided(opens: Opens) -> None:
    stage = await opens(EITHER)
    request = await asked(stage)
    late = await stage.card("liqiang", "张伟")
    stage.simulator.faults.fail(UPDATE, 60140, times=2)  # the cards still look open
    await stage.say("wangfang", f"同意 {request.id}")
    await stage.hears("zhouxiaomei", "已由 王芳 同意")
    await stage.quiet()

    await stage.press("liqiang", late, "deny", "r1")

    truth = await stage.hears("liqiang", f"{request.id} 已处理：")
    assert "王芳" in truth["text"]
    shown = await stage.hears("liqiang", "replace_text", kind="card")
    assert "王芳" in shown["card"]["sub_title_text"]
    assert "已同意" in shown["card"]["sub_title_text"]


async def test_a_button_pressed_twice_is_one_decision(stage: Stage) -> None:
    request = await asked(stage)
    card = await stage.card("wangfang")

    await asyncio.gather(
        stage.press("wangfang", card, "approve"), stage.press("wangfang", card, "approve")
    )

    await stage.hears("wangfang", "已处理：")
    await stage.hears("zhouxiaomei", "通行码", kind="news")
    await stage.quiet()
    assert stage.times_told("wangfang", "已同意 周小美 添加 张伟") == 1
    assert stage.times_told("zhouxiaomei", "已由 王芳 同意") == 1
    assert len(await stage.records(request.id, "request.vote_approve")) == 1
    assert len(stage.simulator.called("externalcontact/add_contact_way")) == 1


async def test_of_two_who_press_at_the_same_time_one_decides_and_the_other_is_told(
    opens: Opens,
) -> None:
    stage = await opens(EITHER)
    request = await asked(stage)
    hers, his = await stage.card("wangfang"), await stage.card("liqiang")

    await asyncio.gather(
        stage.press("wangfang", hers, "approve"), stage.press("liqiang", his, "deny", "r1")
    )

    async def told() -> int:
        return sum(stage.times_told(who, "已处理：") for who in ("wangfang", "liqiang"))

    await stage.until(told, lambda count: count == 1, "one of them is told")
    await stage.quiet()
    decided = await stage.request(request.id)
    assert len(decided.votes) == 1
    assert decided.state in {State.EXECUTED, State.DENIED}
    for who in ("wangfang", "liqiang"):
        shown = [m for m in stage.chat(who) if m.kind == "card"]
        assert [m.open for m in shown] == [False]


async def test_who_is_no_longer_the_leader_is_refused_and_the_new_one_gets_a_card(
    stage: Stage,
) -> None:
    request = await asked(stage)
    old = await stage.card("wangfang")
    stage.simulator.faults.fail(UPDATE, 60140)  # her card still looks open
    stage.simulator.world.member("zhouxiaomei").direct_leader[:] = ["liqiang"]
    await reread_directory(stage)

    await stage.press("wangfang", old, "approve")

    await stage.hears("wangfang", f"{request.id} 现在由 李强 审批")
    assert (await stage.request(request.id)).state is State.PENDING
    await stage.press("liqiang", await stage.card("liqiang", "张伟"), "approve")
    await stage.hears("zhouxiaomei", "已由 李强 同意")


async def test_a_leaving_approver_is_replaced_and_a_leaving_requester_withdrawn(
    stage: Stage,
) -> None:
    request = await asked(stage)
    stage.simulator.world.member_leaves("wangfang")
    await stage.quiet()
    stage.clock.move(seconds=4)

    await stage.card("zhaomin", "张伟")
    assert (await stage.request(request.id)).state is State.PENDING
    stage.simulator.world.member_leaves("zhouxiaomei")
    await stage.quiet()
    stage.clock.move(seconds=4)
    await state(stage, request, State.WITHDRAWN)
    await stage.hears("zhaomin", "已撤回", kind="card")


async def test_without_any_supervisor_the_admins_are_asked(stage: Stage) -> None:
    world = stage.simulator.world
    world.member("zhouxiaomei").direct_leader.clear()
    world.move_member("zhouxiaomei", MARKETING)
    await reread_directory(stage)

    await stage.say("zhouxiaomei", ASK)

    await stage.hears("zhouxiaomei", "正在等待 陈宇、赵敏 审批")
    await stage.card("chenyu", "张伟")
    await stage.press("zhaomin", await stage.card("zhaomin", "张伟"), "approve")
    await stage.hears("zhouxiaomei", "已由 赵敏 同意")
    await stage.hears("chenyu", "已同意", kind="card")


async def test_nobody_answers_and_the_request_expires_as_refused(stage: Stage) -> None:
    request = await asked(stage)

    stage.clock.move(hours=8, minutes=1)

    await stage.hears("zhouxiaomei", "在规定时间内无人审批，按拒绝处理")
    await stage.hears("wangfang", "已过期", kind="card")
    assert (await stage.request(request.id)).state is State.EXPIRED
    await stage.say("wangfang", f"同意 {request.id}")
    truth = await stage.hears("wangfang", f"{request.id} 已处理：已过期")
    assert "系统" in truth["text"]
    assert not stage.simulator.world.state.ways


async def test_a_nudge_reaches_the_approver_once_in_four_hours(stage: Stage) -> None:
    request = await asked(stage)
    await stage.say("zhouxiaomei", f"催 {request.id}")
    await stage.hears("zhouxiaomei", "已替您提醒 王芳")
    await stage.hears("wangfang", f"提醒您审批 {request.id}")

    await stage.say("zhouxiaomei", f"催 {request.id}")
    await stage.hears("zhouxiaomei", f"{request.id} 刚催过")

    stage.clock.move(hours=4, seconds=5)
    await stage.say("zhouxiaomei", f"催 {request.id}")
    await stage.until(
        lambda: stage.heard("wangfang"),
        lambda _: stage.times_told("wangfang", "提醒您审批") == 2,
        "a second nudge",
    )


async def test_the_second_stage_is_asked_after_the_first_and_no_sooner(stage: Stage) -> None:
    stage.simulator.world.member_edits("liqiang", LIU_JIANGUO, mobiles=["13811112222"])
    await stage.quiet()
    await stage.say("sunlei", "加 刘总 恒远集团 13811112222 展会认识")
    first = await stage.card("wangfang", "刘总")
    request = await stage.newest("sunlei")
    await stage.quiet()
    assert [each for each in stage.chat("liqiang") if each.kind == "card"] == []

    await stage.press("wangfang", first, "approve")

    await stage.hears("sunlei", "王芳 已同意，进入第 2/2 步")
    second = await stage.card("liqiang", "刘总")
    await stage.hears("wangfang", "已记下您的意见")
    await stage.say("wangfang", f"同意 {request.id}")
    await stage.hears("wangfang", "表过态")
    await stage.press("liqiang", second, "deny", "r3")
    await stage.hears("sunlei", "已被 李强 拒绝。原因：已有同事跟进")


async def test_the_details_button_answers_in_text_and_decides_nothing(stage: Stage) -> None:
    request = await asked(stage)

    await stage.press("wangfang", await stage.card("wangfang"), "more")

    details = await stage.hears("wangfang", f"同意 {request.id}")
    assert "138****1234" in details["text"]
    assert "13800001234" not in details["text"]
    assert (await stage.request(request.id)).state is State.PENDING


async def test_a_new_colleague_without_a_role_can_decide_nothing(stage: Stage) -> None:
    request = await asked(stage)
    stage.simulator.world.add_member(Member("newbie", "新来的", [SALES], "助理"))

    await stage.say("newbie", f"同意 {request.id}")

    await stage.hears("newbie", "现在由 王芳 审批")
    assert (await stage.request(request.id)).state is State.PENDING
