"""Many requests: what is alike together, several decided at once, a list instead of cards."""

from __future__ import annotations

import pytest

from bot.simulator.seed import LIU_JIANGUO
from tests.scenario.conftest import Change, Opens, Stage
from workflows.model import Request, State

TRAINEE, LEAD, DIRECTOR = "zhouxiaomei", "wangfang", "liqiang"
NAMES = ("张伟", "李明", "王刚", "赵丽", "孙浩", "周敏")
DIGEST: Change = ("[tickets]", '[digest]\nabove = 2\nevery = "30m"\n\n[tickets]')


async def asked(stage: Stage, *names: str) -> list[Request]:
    """Have the trainee ask for several customers; return the requests."""
    found = []
    for number, name in enumerate(names):
        await stage.say(TRAINEE, f"加 {name} 明达贸易 1380000{number:04} 展会认识")
        await stage.hears(TRAINEE, f"添加 {name}")
        found.append(await stage.newest(TRAINEE))
    await stage.quiet()
    return found


async def states(stage: Stage, requests: list[Request]) -> list[State]:
    return [(await stage.request(each.id)).state for each in requests]


def cards(stage: Stage, userid: str) -> int:
    return sum(each.kind == "card" for each in stage.chat(userid))


# Decided at once


async def test_what_is_alike_is_shown_together_with_how_many(stage: Stage) -> None:
    first, *_ = await asked(stage, *NAMES[:3])

    await stage.say(LEAD, "待办")

    told = await stage.hears(LEAD, "等您审批的申请有 3 个")
    assert f"{first.id} 等 3 个 周小美 的同类申请" in told["text"]
    assert f"同意 {first.id} 同类" in told["text"]


async def test_alike_requests_are_approved_together_after_a_confirmation(stage: Stage) -> None:
    requests = await asked(stage, *NAMES[:3])
    await stage.say(LEAD, f"同意 {requests[1].id} 同类")
    await stage.hears(LEAD, "将同意 周小美 的 3 个同类申请")
    await stage.quiet()
    assert await states(stage, requests) == [State.PENDING] * 3

    await stage.say(LEAD, "确认")

    await stage.hears(LEAD, "已同意 3 个")
    for request in requests:
        await stage.hears(TRAINEE, f"申请 {request.id}（{request.subject.name}）已由 王芳 同意")
        assert len(await stage.records(request.id, "request.vote_approve")) == 1
    await stage.say(LEAD, "确认")
    await stage.hears(LEAD, "没有等您确认的操作")


async def test_what_changes_before_the_confirmation_is_left_out_and_said(stage: Stage) -> None:
    gone, kept = await asked(stage, *NAMES[:2])
    await stage.say(LEAD, f"approve {kept.id} similar")
    told = await stage.hears(LEAD, "About to approve 2 similar requests of 周小美")
    assert gone.id in told["text"]
    await stage.say(TRAINEE, f"撤回 {gone.id}")
    await stage.hears(TRAINEE, f"申请 {gone.id}（张伟）已撤回")

    await stage.say(LEAD, "confirm")

    await stage.hears(LEAD, f"Approved 1: {kept.id}")
    await stage.hears(
        LEAD, f"Left out 1, because they have just changed or are not yours to decide: {gone.id}"
    )
    assert (await stage.request(gone.id)).state is State.WITHDRAWN


async def test_several_are_refused_together_only_with_a_reason(stage: Stage) -> None:
    requests = await asked(stage, *NAMES[:2])
    await stage.say(LEAD, f"拒绝 {requests[0].id} 同类")
    await stage.hears(LEAD, "批量拒绝要写明原因")

    await stage.say(LEAD, f"拒绝 {requests[0].id} 同类 资料不全")
    await stage.hears(LEAD, "将拒绝 周小美 的 2 个同类申请")
    await stage.say(LEAD, "确认")

    await stage.hears(LEAD, "已拒绝 2 个")
    for request in requests:
        await stage.hears(
            TRAINEE, f"申请 {request.id}（{request.subject.name}）已被 王芳 拒绝。原因：资料不全"
        )


@pytest.mark.parametrize("words", ["取消", "好的", "我的"])
async def test_nothing_but_a_yes_confirms(stage: Stage, words: str) -> None:
    requests = await asked(stage, *NAMES[:2])
    await stage.say(LEAD, f"同意 {requests[0].id} 同类")
    await stage.hears(LEAD, "将同意 周小美")
    await stage.say(LEAD, words)
    await stage.quiet()

    await stage.say(LEAD, "确认")

    await stage.hears(LEAD, "没有等您确认的操作")
    assert await states(stage, requests) == [State.PENDING] * 2


async def test_a_confirmation_after_five_minutes_does_nothing(stage: Stage) -> None:
    requests = await asked(stage, *NAMES[:2])
    await stage.say(LEAD, f"同意 {requests[0].id} 同类")
    await stage.hears(LEAD, "将同意 周小美")
    await stage.quiet()
    await stage.stop()
    stage.clock.move(minutes=5, seconds=1)
    await stage.start()

    await stage.say(LEAD, "确认")

    await stage.hears(LEAD, "没有等您确认的操作")
    assert await states(stage, requests) == [State.PENDING] * 2


async def test_a_batch_names_what_is_unlike_the_others(stage: Stage) -> None:
    await asked(stage, "张伟")
    stage.clock.move(hours=1)
    await stage.say(TRAINEE, "加 李明 启航科技 13800002345 朋友介绍 已签约")
    await stage.hears(TRAINEE, "添加 李明")
    signed = await stage.newest(TRAINEE)

    await stage.say(LEAD, f"同意 {signed.id} 同类")

    told = await stage.hears(LEAD, "其中 1 个请留意")
    assert f"{signed.id} 李明：申请人说明了签约情况" in told["text"]


async def test_somebody_elses_requests_are_not_decided_together(stage: Stage) -> None:
    requests = await asked(stage, *NAMES[:2])

    await stage.say(DIRECTOR, f"同意 {requests[0].id} 同类")

    await stage.hears(DIRECTOR, f"{requests[0].id} 现在由 王芳 审批")


# A list instead of cards


async def test_above_the_limit_a_list_comes_instead_of_cards(opens: Opens) -> None:
    stage = await opens(DIGEST)
    requests = await asked(stage, *NAMES[:5])
    assert cards(stage, LEAD) == 2

    stage.clock.move(minutes=30)

    told = await stage.hears(LEAD, "等您审批的申请有 5 个，最早的从")
    assert f"{requests[0].id} 等 5 个 周小美 的同类申请" in told["text"]
    await stage.quiet()
    assert stage.times_told(LEAD, "等您审批的申请有") == 1
    await stage.say(LEAD, f"同意 {requests[4].id}")
    await stage.hears(TRAINEE, f"申请 {requests[4].id}（{NAMES[4]}）已由 王芳 同意")


async def test_a_list_is_not_sent_for_what_was_decided_meanwhile(opens: Opens) -> None:
    stage = await opens(DIGEST)
    requests = await asked(stage, *NAMES[:3])
    await stage.say(LEAD, f"同意 {requests[0].id} 同类")
    await stage.say(LEAD, "确认")
    await stage.hears(LEAD, "已同意 3 个")

    stage.clock.move(minutes=31)
    await stage.quiet()

    assert stage.times_told(LEAD, "等您审批的申请有") == 0


# What helps to decide, and to wait


async def test_the_card_shows_how_like_requests_were_decided(stage: Stage) -> None:
    [refused] = await asked(stage, "张伟")
    await stage.say(LEAD, f"拒绝 {refused.id} 资料不全")
    await stage.hears(TRAINEE, "已被 王芳 拒绝")

    await stage.say(TRAINEE, "加 李明 启航科技 13800002345 朋友介绍")

    card = await stage.card(LEAD, "李明")
    said = card["card"]["sub_title_text"]
    assert "同类：张伟 已拒绝" in said
    assert "近 30 天被拒 1 次" in said


async def test_a_customer_whom_colleagues_know_is_marked_as_a_conflict(stage: Stage) -> None:
    stage.simulator.world.member_edits(DIRECTOR, LIU_JIANGUO, mobiles=["13811112222"])
    await stage.quiet()

    await stage.say(TRAINEE, "加 刘总 恒远集团 13811112222 展会认识")

    card = await stage.card(LEAD, "刘总")
    assert "撞单：李强（管理部） 已跟进 180 天" in card["card"]["sub_title_text"]


async def test_who_waits_is_told_how_long_it_usually_takes(stage: Stage) -> None:
    requests = await asked(stage, *NAMES[:3])
    stage.clock.move(minutes=8)
    for request in requests:
        await stage.say(LEAD, f"同意 {request.id}")
        await stage.hears(TRAINEE, f"申请 {request.id}")
    await asked(stage, NAMES[3])

    await stage.say(TRAINEE, "我的")

    await stage.hears(TRAINEE, "等待 王芳（通常 10 分钟内）")


# Submitted again with one tap


async def stale(stage: Stage) -> tuple[Request, dict[str, object]]:
    """Have a pending request overtaken by stricter rules; return it with the card that says so."""
    [request] = await asked(stage, "张伟")
    await stage.stop()
    rule = (
        '[[rule]]\nid = "all"\naction = ["friend.add"]\nthen = "approval"\n'
        'chain = "lead_then_director"\n\n[chains.lead]'
    )
    await stage.start(("[chains.lead]", rule))
    card = await stage.hears(TRAINEE, f"申请 {request.id}（张伟）需要重新提交", kind="card")
    return request, card


async def test_an_overtaken_request_is_submitted_again_with_one_tap(stage: Stage) -> None:
    request, card = await stale(stage)

    await stage.press(TRAINEE, card, "again")

    await stage.card(LEAD, "张伟")
    shown = await stage.hears(TRAINEE, "已重新提交", kind="card")
    assert "replace_text" in shown["card"]
    new = await stage.newest(TRAINEE)
    assert (new.id != request.id, new.verdict.chain) == (True, "lead_then_director")
    assert (await stage.request(request.id)).state is State.STALE


async def test_pressing_it_twice_submits_once(stage: Stage) -> None:
    request, card = await stale(stage)
    stage.simulator.faults.fail("message/update_template_card", 60140, times=2)
    await stage.press(TRAINEE, card, "again")
    await stage.card(LEAD, "张伟")

    await stage.press(TRAINEE, card, "again")

    await stage.hears(TRAINEE, f"{request.id} 已重新提交")
    made = await stage.db.read(lambda tx: tx.requests.by_requester(TRAINEE, 9))
    assert len(made) == 2
