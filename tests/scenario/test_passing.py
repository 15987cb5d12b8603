"""Who decides changes on the way: away, handed over, added, sent back, undone, appealed."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.simulator.seed import LIN_XUE, ZHANG_WEI
from tests.scenario.conftest import Change, Opens, Stage
from workflows.model import Request, State, TicketState

ASKS = ("加 张伟 明达贸易 13800001234 展会认识", "加 李明 启航科技 13800002345 朋友介绍")
TRAINEE, LEAD, DIRECTOR, ADMIN = "zhouxiaomei", "wangfang", "liqiang", "zhaomin"
REMIND: Change = ('expires_after  = "8h"', 'expires_after = "8h"\nremind_after = "30m"')


async def asked(stage: Stage, ask: str = ASKS[0], approver: str = LEAD) -> Request:
    await stage.say(TRAINEE, ask)
    await stage.card(approver, ask.split()[1])
    return await stage.newest(TRAINEE)


async def again(stage: Stage) -> None:
    await stage.quiet()
    await stage.stop()
    await stage.start()


async def jump(stage: Stage, to: datetime) -> None:
    await stage.quiet()
    await stage.stop()
    stage.clock.move(seconds=(to - stage.clock.now()).total_seconds())
    await stage.start()


def number(text: str) -> str:
    found = re.search(r"\b[A-Z][0-9A-Z]{3}\b", text)
    assert found, text
    return found[0]


# Away


async def test_who_is_away_is_stood_in_for_and_everything_says_so(stage: Stage) -> None:
    before = await asked(stage)
    await stage.say(LEAD, "请假 3天 给 李强")
    await stage.hears(LEAD, "您的审批由 李强 代办，现在等您的 1 个申请也会转过去")
    await stage.hears(DIRECTOR, "王芳 请假")
    moved = await stage.card(DIRECTOR, "张伟")
    assert "代 王芳 审批。" in moved["card"]["sub_title_text"]
    await stage.hears(LEAD, "无需您审批", kind="card")
    await again(stage)

    await stage.press(DIRECTOR, moved, "approve")

    await stage.hears(TRAINEE, f"申请 {before.id}（张伟）已由 李强（代 王芳） 同意")
    [vote] = (await stage.request(before.id)).votes
    assert vote.on_behalf is not None
    assert (vote.by.userid, vote.on_behalf.userid, vote.via) == (DIRECTOR, LEAD, "delegate")
    [record] = await stage.records(before.id, "request.vote_approve")
    assert (record.actor, record.detail["on_behalf"]) == (f"user:{DIRECTOR}", LEAD)


async def test_who_is_away_cannot_decide_until_they_say_they_are_back(stage: Stage) -> None:
    await stage.say(LEAD, "away 3 days to liqiang")
    await stage.hears(LEAD, "李强 decides for you")
    request = await asked(stage, approver=DIRECTOR)
    await stage.say(LEAD, f"同意 {request.id}")
    await stage.hears(LEAD, f"您在请假，{request.id} 现在由 李强 审批")

    await stage.say(LEAD, "back")

    await stage.hears(LEAD, "Welcome back!")
    await stage.hears(DIRECTOR, "无需您审批", kind="card")
    await stage.press(LEAD, await stage.card(LEAD, "张伟"), "approve")
    await stage.hears(TRAINEE, "已由 王芳 同意")


async def test_an_absence_ends_by_itself_also_while_menwei_is_down(stage: Stage) -> None:
    await stage.say(LEAD, "请假 2小时 给 李强")
    await stage.hears(LEAD, "由 李强 代办")
    request = await asked(stage, approver=DIRECTOR)
    await stage.quiet()
    await stage.stop()
    stage.clock.move(hours=2, minutes=1)

    await stage.start()

    await stage.card(LEAD, "张伟")
    assert [p.userid for p in (await stage.request(request.id)).approvers] == [LEAD]


async def test_an_absence_can_run_through_a_day_of_the_week(stage: Stage) -> None:
    await stage.say(LEAD, "请假 到周五 给李强")
    await stage.hears(LEAD, "由 李强 代办")

    absence = await stage.db.read(lambda tx: tx.absences.get(LEAD))

    assert absence is not None
    assert absence.until > absence.since
    local = absence.until.astimezone(ZoneInfo("Asia/Shanghai"))
    assert (local.weekday(), local.hour, local.minute) == (5, 0, 0)


async def test_an_absence_can_be_planned_and_begins_by_itself(stage: Stage) -> None:
    await stage.say(LEAD, "请假 明天 李强")
    await stage.hears(LEAD, "您的审批由 李强 代办。在那之前仍由您自己审批")
    await stage.hears(DIRECTOR, "王芳 从")
    absence = await stage.db.read(lambda tx: tx.absences.get(LEAD))
    assert absence is not None
    assert absence.since.astimezone(ZoneInfo("Asia/Shanghai")).hour == 0
    assert absence.until - absence.since == timedelta(days=1)
    await jump(stage, absence.since - timedelta(hours=1))
    request = await asked(stage, approver=LEAD)

    await jump(stage, absence.since + timedelta(minutes=1))

    await stage.until(
        lambda: stage.request(request.id),
        lambda it: [p.userid for p in it.approvers] == [DIRECTOR],
        "the one who stands in is asked",
    )
    await stage.say(LEAD, f"同意 {request.id}")
    await stage.hears(LEAD, f"您在请假，{request.id} 现在由 李强 审批")


async def test_a_planned_absence_can_be_called_off(stage: Stage) -> None:
    await stage.say(LEAD, "请假 明天到后天 李强")
    await stage.hears(LEAD, "在那之前仍由您自己审批")

    await stage.say(LEAD, "回来")

    await stage.hears(LEAD, "已取消请假安排")
    await stage.hears(DIRECTOR, "王芳 取消了请假安排")
    assert await stage.db.read(lambda tx: tx.absences.get(LEAD)) is None


async def test_nobody_plans_an_absence_over_the_present_one(stage: Stage) -> None:
    await stage.say(LEAD, "请假 2小时 给 李强")
    await stage.hears(LEAD, "由 李强 代办")

    await stage.say(LEAD, "请假 后天 李强")

    await stage.hears(LEAD, "您正在请假")


async def test_two_cannot_plan_to_stand_in_for_each_other(stage: Stage) -> None:
    await stage.say(LEAD, "请假 明天 李强")
    await stage.hears(LEAD, "在那之前仍由您自己审批")

    await stage.say(DIRECTOR, "请假 3天 给 王芳")

    await stage.hears(DIRECTOR, "王芳 请假时正是由您代办")


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        ("请假 3天 给 王芳", "不能请自己代办"),
        ("请假 3天 给 没有这人", "没有找到“没有这人”这位同事"),
        ("请假 200天 给 李强", "一次请假最多 92 天"),
        ("回来", "您没有在请假"),
    ],
)
async def test_an_absence_that_cannot_be_is_refused(stage: Stage, words: str, answer: str) -> None:
    await stage.say(LEAD, words)

    await stage.hears(LEAD, answer)


async def test_two_cannot_stand_in_for_each_other(stage: Stage) -> None:
    await stage.say(LEAD, "请假 3天 给 李强")
    await stage.hears(LEAD, "由 李强 代办")

    await stage.say(DIRECTOR, "请假 3天 给 王芳")

    await stage.hears(DIRECTOR, "王芳 请假时正是由您代办")


async def test_whoever_stands_in_for_the_requester_never_decides(opens: Opens) -> None:
    """王芳 asks, and is away with her own approver standing in for her."""
    stage = await opens(('"friend.add"    = { allow = 2,', '"friend.add"    = { allow = 5,'))
    await stage.say(LEAD, "请假 3天 给 李强")
    await stage.hears(LEAD, "由 李强 代办")

    await stage.say(LEAD, ASKS[0])

    await stage.card(ADMIN, "张伟")
    request = await stage.newest(LEAD)
    assert DIRECTOR not in {person.userid for person in request.approvers}
    await stage.say(DIRECTOR, f"同意 {request.id}")
    await stage.hears(DIRECTOR, f"您现在代 王芳 处理审批，所以不能审批 TA 的申请 {request.id}")
    assert (await stage.request(request.id)).state is State.PENDING


# Handed over, added, sent back


async def test_a_request_is_handed_over_to_somebody_who_then_decides(stage: Stage) -> None:
    request = await asked(stage)

    await stage.say(LEAD, f"转交 {request.id} 给 李强")

    await stage.hears(LEAD, f"已把 {request.id} 转交给 李强")
    await stage.hears(TRAINEE, "王芳 已转交给 李强 审批")
    card = await stage.card(DIRECTOR, "张伟")
    assert "由 王芳 转交给您" in card["card"]["sub_title_text"]
    await again(stage)
    await stage.say(LEAD, f"同意 {request.id}")
    await stage.hears(LEAD, f"{request.id} 现在由 李强 审批")
    await stage.press(DIRECTOR, card, "approve")
    await stage.hears(TRAINEE, f"申请 {request.id}（张伟）已由 李强 同意")


async def test_a_request_is_not_handed_over_to_its_requester_or_by_a_stranger(
    stage: Stage,
) -> None:
    request = await asked(stage)

    await stage.say(LEAD, f"handover {request.id} to zhouxiaomei")
    await stage.hears(LEAD, f"周小美 cannot decide on {request.id}")
    await stage.say("sunlei", f"转交 {request.id} 给 孙磊")
    await stage.hears("sunlei", f"{request.id} 现在由 王芳 审批")

    assert [p.userid for p in (await stage.request(request.id)).approvers] == [LEAD]


async def test_one_more_approver_must_agree_too(stage: Stage) -> None:
    request = await asked(stage)
    await stage.say(LEAD, f"加签 {request.id} 李强")
    card = await stage.card(DIRECTOR, "张伟")
    assert "王芳 请您一起审批" in card["card"]["sub_title_text"]

    await stage.say(LEAD, f"同意 {request.id}")
    await stage.hears(LEAD, "已记下您的意见")
    assert (await stage.request(request.id)).state is State.PENDING
    await stage.press(DIRECTOR, card, "approve")

    await stage.hears(TRAINEE, f"申请 {request.id}（张伟）已由 李强 同意")


async def test_a_question_goes_to_the_requester_and_the_answer_comes_back(opens: Opens) -> None:
    stage = await opens(REMIND)
    request = await asked(stage)
    await stage.say(LEAD, f"退回 {request.id} 在哪个展会认识的")
    await stage.hears(TRAINEE, f"王芳 想先了解申请 {request.id}（张伟）：在哪个展会认识的")
    await stage.say(TRAINEE, "我的")
    await stage.hears(TRAINEE, "王芳 在等您补充说明")
    stage.clock.move(hours=1)
    await again(stage)
    assert stage.times_told(LEAD, "提醒：") == 0

    await stage.say(TRAINEE, f"补充 {request.id} 上海工博会")

    await stage.hears(TRAINEE, f"已把您的回答转给 王芳（{request.id}）")
    await stage.hears(LEAD, f"周小美 补充了申请 {request.id}（张伟）：上海工博会")
    await stage.press(LEAD, await stage.card(LEAD, "张伟"), "more")
    details = await stage.hears(LEAD, "王芳 问：在哪个展会认识的")
    assert "周小美 答：上海工博会" in details["text"]
    stage.clock.move(minutes=31)
    await stage.hears(LEAD, f"提醒：周小美 的申请 {request.id}")
    await stage.say(LEAD, f"approve {request.id}")
    await stage.hears(TRAINEE, "已由 王芳 同意")


# Second thoughts


@pytest.mark.parametrize("words", ["撤回 {id}", "反悔 {id}", "undo {id}"])
async def test_an_approval_is_taken_back_in_time_with_its_ticket(stage: Stage, words: str) -> None:
    request = await asked(stage)
    await stage.say(LEAD, f"同意 {request.id}")
    await stage.hears(LEAD, f"60 秒内可发送：反悔 {request.id}")
    await stage.hears(TRAINEE, "张伟 的通行码", kind="news")

    await stage.say(LEAD, words.format(id=request.id))

    await stage.hears(TRAINEE, f"申请 {request.id}（张伟）的同意已由 王芳 收回")
    await stage.quiet()
    ticket = await stage.db.read(lambda tx: tx.tickets.of_request(request.id))
    assert ticket is not None
    assert ticket.state is TicketState.REVOKED
    assert not stage.simulator.world.state.ways
    assert len(await stage.records(request.id, "request.undone")) == 1


async def test_after_the_window_an_approval_stands(stage: Stage) -> None:
    request = await asked(stage)
    await stage.say(LEAD, f"同意 {request.id}")
    await stage.hears(TRAINEE, "张伟 的通行码", kind="news")
    stage.clock.move(seconds=61)

    await stage.say(LEAD, f"反悔 {request.id}")

    await stage.hears(LEAD, f"{request.id} 的反悔时间已过")
    assert stage.simulator.world.state.ways


async def test_a_used_ticket_cannot_be_taken_back_and_nobody_else_takes_one_back(
    stage: Stage,
) -> None:
    request = await asked(stage)
    await stage.say(LEAD, f"同意 {request.id}")
    await stage.hears(TRAINEE, "张伟 的通行码", kind="news")
    await stage.say(DIRECTOR, f"反悔 {request.id}")
    await stage.hears(DIRECTOR, f"{request.id} 是由 王芳 决定的")
    [way] = stage.simulator.world.state.ways.values()
    stage.simulator.world.customer_scans(ZHANG_WEI, way.config_id)
    await stage.hears(TRAINEE, "已通过通行码添加您")

    await stage.say(LEAD, f"反悔 {request.id}")

    await stage.hears(LEAD, "不能反悔。请联系申请人删除好友")


async def test_the_requester_still_withdraws(stage: Stage) -> None:
    request = await asked(stage)

    await stage.say(TRAINEE, f"撤回 {request.id}")

    await stage.hears(TRAINEE, f"申请 {request.id}（张伟）已撤回")


async def test_a_refusal_is_looked_at_once_more_by_somebody_higher(stage: Stage) -> None:
    refused = await asked(stage)
    await stage.say(LEAD, f"拒绝 {refused.id} 资料不全")
    await stage.hears(TRAINEE, "已被 王芳 拒绝")
    await again(stage)

    await stage.say(TRAINEE, f"申诉 {refused.id} 资料已补齐")

    filed = await stage.hears(TRAINEE, f"（针对 {refused.id}）。正在等待 李强 审批")
    appeal = await stage.newest(TRAINEE)
    assert appeal.id == number(filed["text"])
    card = await stage.card(DIRECTOR, "张伟")
    shown = card["card"]["sub_title_text"]
    assert f"申诉：{refused.id} 被 王芳 拒绝" in shown
    assert "资料不全" in shown
    await stage.say(LEAD, f"同意 {appeal.id}")
    await stage.hears(LEAD, f"{appeal.id} 是对您的决定（{refused.id}）的申诉，要由别人审批")
    await stage.press(DIRECTOR, card, "approve")
    await stage.hears(TRAINEE, f"申请 {appeal.id}（张伟）已由 李强 同意")
    await stage.hears(TRAINEE, "张伟 的通行码", kind="news")
    await stage.say(TRAINEE, f"appeal {refused.id} once more")
    await stage.hears(TRAINEE, f"{refused.id} was appealed already ({appeal.id})")
    assert (await stage.request(refused.id)).state is State.DENIED


async def test_what_no_person_refused_cannot_be_appealed(stage: Stage) -> None:
    request = await asked(stage)
    stage.clock.move(hours=8, minutes=1)
    await stage.hears(TRAINEE, "按拒绝处理")

    await stage.say(TRAINEE, f"申诉 {request.id} 请再看看")

    await stage.hears(TRAINEE, "只有被人拒绝的申请可以申诉")


async def test_an_observed_add_is_freed_by_its_appeal(stage: Stage) -> None:
    stage.simulator.world.member_adds_customer(TRAINEE, LIN_XUE)
    await stage.press(LEAD, await stage.card(LEAD, "林雪"), "deny", "r1")
    refused = await stage.newest(TRAINEE)
    await stage.hears(TRAINEE, "已被 王芳 拒绝")

    await stage.say(TRAINEE, f"申诉 {refused.id} 客户主动找我")
    await stage.press(DIRECTOR, await stage.card(DIRECTOR, "申诉"), "approve")

    await stage.hears(TRAINEE, "已由 李强 同意，标记已解除")
