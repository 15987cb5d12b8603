"""Standing approvals: given on the card or by text, used, listed, ended, and never stretched."""

from __future__ import annotations

import re

import pytest

from bot import chores
from bot.simulator.seed import LIN_XUE, LIU_JIANGUO, ZHANG_WEI
from tests.scenario.conftest import Change, Opens, Stage
from workflows.model import Answer, Containment, Request, State
from workflows.waivers import Ending, Waiver

ASKS = (
    "加 张伟 明达贸易 13800001234 展会认识",
    "加 李明 启航科技 13800002345 朋友介绍",
    "加 王刚 远大物流 13800003456 上门拜访",
    "加 赵丽 新科材料 13800004567 展会认识",
)
TRAINEE, LEAD, DIRECTOR, ADMIN = "zhouxiaomei", "wangfang", "liqiang", "zhaomin"
ENFORCED = '[enforcement."friend.add"]'
BY_TWO: Change = ('\nchain = "lead"\n', '\nchain = "lead_then_director"\n')
TOLD: Change = ('"grant.given"', '"grant.given", "waiver.given"')


def limited(line: str) -> Change:
    """Return the change of the demo's file that puts `line` into [standing_approvals]."""
    return ENFORCED, f"[standing_approvals]\n{line}\n\n{ENFORCED}"


def name_in(ask: str) -> str:
    return ask.split()[1]


async def asked(stage: Stage, ask: str = ASKS[0], approver: str = LEAD) -> Request:
    """Have the trainee ask; return the request once the approver has the card."""
    await stage.say(TRAINEE, ask)
    await stage.card(approver, name_in(ask))
    return await stage.newest(TRAINEE)


async def given(stage: Stage, words: str = "免批 {id}") -> str:
    """Have the trainee ask and the supervisor waive it by text; return the waiver's id."""
    request = await asked(stage)
    await stage.say(LEAD, words.format(id=request.id))
    return waiver_in((await stage.hears(TRAINEE, "对您免批"))["text"])


def waiver_in(text: str) -> str:
    found = re.search(r"W-[0-9A-Z]{4}", text)
    assert found, text
    return found[0]


async def decided(stage: Stage, ask: str) -> Request:
    """Have the trainee ask, and wait for the ticket; nobody else does anything."""
    await stage.say(TRAINEE, ask)
    await stage.hears(TRAINEE, f"{name_in(ask)} 的通行码", kind="news")
    await stage.quiet()
    return await stage.newest(TRAINEE)


async def waiver(stage: Stage, waiver_id: str) -> Waiver:
    found = await stage.db.read(lambda tx: tx.waivers.get(waiver_id))
    assert found is not None
    return found


def cards_about(stage: Stage, userid: str, name: str) -> int:
    return sum(each.kind == "card" and name in str(each) for each in stage.chat(userid))


# Given and used


async def test_the_button_approves_this_one_and_the_next_ones_without_a_card(stage: Stage) -> None:
    await asked(stage)
    card = await stage.card(LEAD, "张伟")
    buttons = [button["text"] for button in card["card"]["button_list"]]
    assert buttons == ["同意", "拒绝", "详情", "同意并免批7天"]

    await stage.press(LEAD, card, "waive")

    told = await stage.hears(LEAD, "已对 周小美 免批")
    name = waiver_in(told["text"])
    assert "最多 20 次" in told["text"]
    await stage.hears(TRAINEE, "已由 王芳 同意")
    await stage.hears(TRAINEE, f"王芳 对您免批（{name}）")
    request = await decided(stage, ASKS[1])
    said = f"申请 {request.id}（李明）已由 免批授权 {name}（王芳） 同意"
    await stage.hears(TRAINEE, said)
    used = f"免批 {name}：周小美 的 {request.id}（李明）已算您同意，还剩 19 次"
    await stage.hears(LEAD, used)
    assert cards_about(stage, LEAD, "李明") == 0
    assert stage.times_told(TRAINEE, "李明") == 1


async def test_such_a_decision_is_a_machines_in_vote_request_and_record(stage: Stage) -> None:
    name = await given(stage)

    request = await decided(stage, ASKS[1])

    assert request.decided_by == f"waiver:{name}"
    assert [(v.by.userid, v.answer, v.via, v.waiver) for v in request.votes] == [
        (LEAD, Answer.APPROVE, "waiver", name)
    ]
    [vote] = await stage.records(request.id, "request.vote_approve")
    [used] = await stage.records(request.id, "waiver.used")
    assert (vote.actor, used.actor) == (f"waiver:{name}", f"waiver:{name}")
    assert dict(used.detail) == {"waiver": name, "left": 19}
    await stage.say(TRAINEE, f"查 {request.id}")
    await stage.hears(TRAINEE, f"免批授权 {name}（王芳）：同意")
    await stage.say(LEAD, f"同意 {request.id}")
    await stage.hears(LEAD, f"{request.id} 已处理：已完成，免批授权 {name}（王芳）")


async def test_days_and_uses_can_be_fewer_and_the_last_use_is_told_to_both(stage: Stage) -> None:
    name = await given(stage, "免批 {id} 3天 2次")
    found = await waiver(stage, name)
    assert (found.expires_at - found.given_at).days == 3
    await decided(stage, ASKS[1])
    await decided(stage, ASKS[2])

    for who in (TRAINEE, LEAD):
        await stage.hears(who, f"免批 {name}（王芳 → 周小美）已用完 2 次")
    request = await asked(stage, ASKS[3])

    assert request.state is State.PENDING
    assert (await waiver(stage, name)).ending is Ending.USED_UP


async def test_more_than_the_rules_allow_is_refused_and_nothing_is_done(opens: Opens) -> None:
    stage = await opens(limited("days = 5\nuses = 10"))
    request = await asked(stage)
    card = await stage.card(LEAD, "张伟")
    assert card["card"]["button_list"][-1]["text"] == "同意并免批5天"

    for words in ("免批 {id} 6天", "免批 {id} 5 11"):
        await stage.say(LEAD, words.format(id=request.id))
        await stage.hears(LEAD, "免批最多 5 天、10 次，什么都还没做")
        await stage.quiet()

    assert (await stage.request(request.id)).state is State.PENDING
    assert await stage.db.read(lambda tx: tx.waivers.in_force(9)) == []


async def test_it_is_said_in_english_and_answered_in_english(stage: Stage) -> None:
    request = await asked(stage)
    await stage.say(LEAD, f"waive {request.id} 3 days 2 times")
    told = await stage.hears(LEAD, "Standing approval W-")
    name = waiver_in(told["text"])
    assert "up to 2 requests" in told["text"]

    await stage.say(LEAD, "waive")
    await stage.hears(LEAD, f"{name} 王芳 → 周小美, like {request.id}: 2/2 left")
    await stage.say(LEAD, f"end waiver {name.lower()}")
    await stage.hears(LEAD, f"Standing approval {name} (王芳 → 周小美) was ended by 王芳")
    await stage.hears(TRAINEE, f"免批 {name}（王芳 → 周小美）已由 王芳 收回")


async def test_only_the_first_five_uses_of_a_day_are_told(stage: Stage) -> None:
    now = stage.clock.now()
    stage.clock.move(hours=26 - now.hour)  # about ten in Shanghai: no midnight comes between
    name = await given(stage)

    for number, family in enumerate("赵钱孙李周吴郑"):
        await decided(stage, f"加 {family}总 某某公司 1380000{number}999 展会认识")

    assert stage.times_told(LEAD, "已算您同意") == 5
    await stage.say(LEAD, "免批")
    await stage.hears(LEAD, f"{name} 王芳 → 周小美")
    await stage.hears(LEAD, "剩 13/20 次")


async def test_giving_it_again_takes_the_place_of_the_older_one(stage: Stage) -> None:
    for ask in ASKS[:2]:
        await asked(stage, ask)
    first, second = [await stage.card(LEAD, name_in(ask)) for ask in ASKS[:2]]
    await stage.press(LEAD, first, "waive")
    await stage.hears(LEAD, "已对 周小美 免批")

    await stage.press(LEAD, second, "waive")

    await stage.hears(TRAINEE, "李明 的通行码", kind="news")
    await stage.quiet()
    in_force = await stage.db.read(lambda tx: tx.waivers.given_by(LEAD))
    assert [each.left for each in in_force] == [20]
    assert stage.times_told(TRAINEE, "之后照常审批") == 0


async def test_an_observed_add_that_is_covered_is_neither_held_nor_greeted_coolly(
    stage: Stage,
) -> None:
    world = stage.simulator.world
    world.member_adds_customer(TRAINEE, ZHANG_WEI)
    await stage.press(LEAD, await stage.card(LEAD, "张伟"), "waive")
    name = waiver_in((await stage.hears(TRAINEE, "对您免批"))["text"])

    world.member_adds_customer(TRAINEE, LIN_XUE)

    await stage.hears(TRAINEE, f"需要审批，已由 免批授权 {name}（王芳） 同意，可以正常联系")
    await stage.quiet()
    relation = await stage.db.read(lambda tx: tx.relations.get(TRAINEE, LIN_XUE))
    assert relation is not None
    assert relation.containment is Containment.NONE
    shown = await stage.relation(TRAINEE, LIN_XUE)
    assert shown is not None
    assert shown["tags"] == []
    greetings = stage.simulator.world.state.customer_chats[LIN_XUE]
    assert [each.text for each in greetings if each.kind == "welcome"] == [
        "您好，我是青禾科技的销售顾问，很高兴为您服务！"
    ]
    assert stage.times_told(TRAINEE, "林雪") == 1
    assert cards_about(stage, LEAD, "林雪") == 0


# Several people, several stages


async def test_it_answers_for_its_giver_only_and_the_next_stage_is_asked(opens: Opens) -> None:
    stage = await opens(BY_TWO)
    name = await given(stage)
    await stage.press(DIRECTOR, await stage.card(DIRECTOR, "张伟"), "approve")
    await stage.hears(TRAINEE, "张伟 的通行码", kind="news")

    request = await asked(stage, ASKS[1], DIRECTOR)

    await stage.hears(TRAINEE, f"免批授权 {name}（王芳） 已同意，进入第 2/2 步")
    told = await stage.hears(TRAINEE, f"已提交 {request.id}：添加 李明")
    assert "正在等待 李强 审批" in told["text"]
    card = await stage.card(DIRECTOR, "李明")
    assert f"免批授权 {name}（王芳） 已同意" in card["card"]["sub_title_text"]
    assert cards_about(stage, LEAD, "李明") == 0
    await stage.press(DIRECTOR, card, "deny", "r1")
    await stage.hears(TRAINEE, "已被 李强 拒绝")


async def test_with_one_for_every_stage_nobody_is_asked_at_all(opens: Opens) -> None:
    stage = await opens(BY_TWO)
    await given(stage)
    await stage.press(DIRECTOR, await stage.card(DIRECTOR, "张伟"), "waive")
    last = waiver_in((await stage.hears(TRAINEE, "李强 对您免批"))["text"])

    request = await decided(stage, ASKS[1])

    assert [vote.by.userid for vote in request.votes] == [LEAD, DIRECTOR]
    assert request.decided_by == f"waiver:{last}"
    assert stage.times_told(TRAINEE, "正在等待") == 1  # the first request, when it was asked
    for who in (LEAD, DIRECTOR):
        assert cards_about(stage, who, "李明") == 0


async def test_where_two_must_agree_it_is_one_voice(opens: Opens) -> None:
    both = '{ from = ["manager_of_sender", "role:director"], need = 2 }'
    stage = await opens(('{ from = ["manager_of_sender"], need = 1 }', both))
    name = await given(stage)
    await stage.press(DIRECTOR, await stage.card(DIRECTOR, "张伟"), "approve")
    await stage.hears(TRAINEE, "张伟 的通行码", kind="news")

    request = await asked(stage, ASKS[1], DIRECTOR)
    await stage.quiet()

    assert request.state is State.PENDING
    assert [vote.waiver for vote in request.votes] == [name]
    assert cards_about(stage, LEAD, "李明") == 0
    await stage.press(DIRECTOR, await stage.card(DIRECTOR, "李明"), "approve")
    await stage.hears(TRAINEE, f"申请 {request.id}（李明）已由 李强 同意")


async def test_where_approvals_need_words_they_name_the_waiver(opens: Opens) -> None:
    stage = await opens(('approve = "optional"', 'approve = "required"'))
    request = await asked(stage)
    await stage.press(LEAD, await stage.card(LEAD, "张伟"), "waive")
    await stage.hears(LEAD, f"请发送：免批 {request.id} 说明")
    await stage.say(LEAD, f"免批 {request.id} 3天 老客户介绍")
    name = waiver_in((await stage.hears(TRAINEE, "对您免批"))["text"])

    used = await decided(stage, ASKS[1])

    assert (await stage.request(request.id)).comment == "老客户介绍"
    assert used.comment == f"按免批授权 {name}"


# Not stretched


async def test_what_another_rule_asks_about_goes_to_the_supervisor(stage: Stage) -> None:
    await given(stage)
    stage.simulator.world.member_edits(DIRECTOR, LIU_JIANGUO, mobiles=["13811112222"])
    await stage.quiet()

    request = await asked(stage, "加 刘总 恒远集团 13811112222 展会认识")

    assert (request.state, request.votes) == (State.PENDING, ())


async def test_an_add_that_was_not_asked_for_is_not_the_same(stage: Stage) -> None:
    await given(stage)

    stage.simulator.world.member_adds_customer(TRAINEE, LIN_XUE)

    await stage.card(LEAD, "林雪")
    assert (await stage.newest(TRAINEE)).votes == ()


async def test_a_refusal_stays_one(stage: Stage) -> None:
    await given(stage)

    await stage.say(TRAINEE, "加 何晨 竞品甲科技 13800009999 展会认识")

    await stage.hears(TRAINEE, "不能添加 何晨")
    assert (await stage.newest(TRAINEE)).state is State.DENIED


async def test_who_no_longer_leads_the_requester_answers_for_nobody(stage: Stage) -> None:
    name = await given(stage)
    before = await stage.db.read(lambda tx: tx.people.version())
    stage.simulator.world.member(TRAINEE).direct_leader[:] = [DIRECTOR]
    await stage.does(chores.DIRECTORY)

    async def version() -> int:
        return await stage.db.read(lambda tx: tx.people.version())

    await stage.until(version, lambda now: now > before, "the directory is read")
    await stage.say(DIRECTOR, f"权限 {TRAINEE}")
    await stage.hears(DIRECTOR, "周小美")

    request = await asked(stage, ASKS[1], DIRECTOR)

    assert request.votes == ()
    assert (await waiver(stage, name)).left == 20


# Ended


async def test_it_ends_when_its_time_is_over(stage: Stage) -> None:
    name = await given(stage)

    stage.clock.move(days=7, minutes=1)

    for who in (TRAINEE, LEAD):
        await stage.hears(who, f"免批 {name}（王芳 → 周小美）已到期，用了 0 次")
    request = await asked(stage, ASKS[1])
    assert request.votes == ()


async def test_its_giver_ends_it_and_the_requester_cannot(stage: Stage) -> None:
    name = await given(stage)
    await stage.say(TRAINEE, f"取消免批 {name}")
    await stage.hears(TRAINEE, f"免批 {name} 是 王芳 给出的，只有 TA 或管理员可以收回")

    await stage.say(LEAD, f"收回免批 {name}")

    for who in (TRAINEE, LEAD):
        await stage.hears(who, f"免批 {name}（王芳 → 周小美）已由 王芳 收回")
    request = await asked(stage, ASKS[1])
    assert request.votes == ()
    await stage.say(LEAD, f"取消免批 {name}")
    await stage.hears(LEAD, f"免批 {name} 已经结束")
    await stage.say(LEAD, "取消免批 W-2222")
    await stage.hears(LEAD, "没有编号为 W-2222 的免批")


async def test_an_admin_is_told_where_the_file_says_so_and_can_end_it(opens: Opens) -> None:
    stage = await opens(TOLD)
    name = await given(stage)
    await stage.hears(ADMIN, f"王芳 对 周小美 免批（{name}）")
    await stage.say(ADMIN, "免批")
    await stage.hears(ADMIN, "其他人的免批（1）")

    await stage.say(ADMIN, f"取消免批 {name}")

    await stage.hears(LEAD, f"免批 {name}（王芳 → 周小美）已由 赵敏 收回")
    await stage.say(ADMIN, "免批")
    await stage.hears(ADMIN, "没有有效的免批")


async def test_everybody_sees_what_concerns_them_and_nothing_else(stage: Stage) -> None:
    name = await given(stage)
    for who, head in ((LEAD, "您给出的免批（1）"), (TRAINEE, "您享有的免批（1）")):
        await stage.say(who, "免批")
        listed = await stage.hears(who, head)
        assert f"{name} 王芳 → 周小美" in listed["text"]
        assert "剩 20/20 次" in listed["text"]

    await stage.say("sunlei", "免批")

    await stage.hears("sunlei", "没有有效的免批")
    await stage.quiet()
    assert stage.chat(ADMIN) == []  # the file of the demo does not name this event


@pytest.mark.parametrize(("gone", "stays"), [(LEAD, TRAINEE), (TRAINEE, LEAD)])
async def test_it_ends_when_either_side_leaves(stage: Stage, gone: str, stays: str) -> None:
    name = await given(stage)
    leaver = "王芳" if gone == LEAD else "周小美"

    stage.simulator.world.member_leaves(gone)
    await stage.quiet()
    stage.clock.move(seconds=4)

    await stage.hears(stays, f"免批 {name}（王芳 → 周小美）已结束：{leaver} 已离开")
    assert (await waiver(stage, name)).ending is Ending.LEFT


async def test_switched_off_there_is_no_button_and_no_command(opens: Opens) -> None:
    stage = await opens(limited("enabled = false"))
    request = await asked(stage)
    card = await stage.card(LEAD, "张伟")
    buttons = [button["text"] for button in card["card"]["button_list"]]
    assert buttons == ["同意", "拒绝", "详情"]

    await stage.say(LEAD, f"免批 {request.id}")

    await stage.hears(LEAD, "公司没有开放免批")
    assert (await stage.request(request.id)).state is State.PENDING
