"""Freezes: nothing gets through, what has happened goes to a person, and two people end it."""

from __future__ import annotations

import asyncio

from bot.simulator.seed import LIN_XUE, ZHANG_WEI
from tests.scenario.conftest import Change, Opens, Stage
from workflows.freezing import Ending, Freeze, Scope
from workflows.model import Containment, Origin, Outcome, Reason, Request, State

TRAINEE, SELLER, LEAD, DIRECTOR = "zhouxiaomei", "sunlei", "wangfang", "liqiang"
ADMIN, OTHER = "zhaomin", "chenyu"
ADD = "加 张伟 明达贸易 13800001234 展会认识"
OTHER_ADD = "加 李明 启航科技 13800002345 朋友介绍"
ENGLISH: Change = ('language = "zh-CN"', 'language = "en"')


async def freezes(stage: Stage) -> list[Freeze]:
    return await stage.db.read(lambda tx: tx.freezes.open())


async def frozen(stage: Stage, words: str = "冻结 全部 2小时 账号异常", by: str = ADMIN) -> Freeze:
    """Have somebody freeze something; return it once it is in force."""
    await stage.say(by, words)
    found: list[Freeze] = await stage.until(lambda: freezes(stage), lambda f: f, "a freeze")
    return found[0]


async def told(stage: Stage, userid: str, words: str, times: int) -> None:
    """Wait until a member has been told something so often."""

    async def count() -> int:
        return stage.times_told(userid, words)

    await stage.until(count, lambda seen: seen >= times, f"{userid} is told {times} times")


async def kinds(stage: Stage) -> list[str]:
    return [each.kind for each in await stage.db.read(lambda tx: tx.audit.after(0, 10_000))]


# What it stops


async def test_while_everything_is_frozen_nothing_that_is_asked_gets_through(stage: Stage) -> None:
    await stage.say(SELLER, ADD)
    await stage.hears(SELLER, "张伟 的通行码", kind="news")
    await stage.say(TRAINEE, OTHER_ADD)
    card = await stage.card(LEAD, "李明")
    await stage.quiet()

    freeze = await frozen(stage)

    await stage.hears(ADMIN, "已冻结全部操作，至")
    await stage.hears(OTHER, "【冻结】赵敏 冻结了全部操作")
    for who in (TRAINEE, SELLER, LEAD, DIRECTOR):
        await stage.hears(who, "【冻结】赵敏 冻结了全部操作")
    await stage.hears(SELLER, "张伟 的通行码")
    await stage.hears(SELLER, "已收回：赵敏 冻结了全部操作")
    await stage.until(stage.state, lambda s: not s["contact_ways"], "the ticket is deleted")
    await stage.say(SELLER, "加 王刚 远大物流 13800003456 上门拜访")
    denied = await stage.hears(SELLER, "不能添加 王刚")
    assert f"正在冻结（{freeze.id}：全部操作），至" in denied["text"]
    request = await stage.newest(SELLER)
    assert (request.state, request.verdict.reason) == (State.DENIED, Reason.FROZEN)
    assert request.decided_by == f"freeze:{freeze.id}"
    await stage.press(LEAD, card, "approve")
    await stage.hears(LEAD, f"正在冻结（{freeze.id}）")
    assert (await stage.newest(TRAINEE)).state is State.PENDING
    for who in (TRAINEE, SELLER, LEAD):
        assert stage.times_told(who, "【冻结】") == 1


async def test_what_has_happened_is_held_and_put_to_the_supervisor(stage: Stage) -> None:
    freeze = await frozen(stage)

    stage.simulator.world.member_adds_customer(SELLER, LIN_XUE)

    told = await stage.hears(SELLER, "您添加的 林雪 需要审批")
    assert f"正在冻结（{freeze.id}" in told["text"]
    request = await stage.newest(SELLER)
    assert (request.origin, request.state) == (Origin.OBSERVED, State.PENDING)
    assert request.verdict.outcome is Outcome.APPROVAL
    relation = await stage.db.read(lambda tx: tx.relations.get(SELLER, LIN_XUE))
    assert relation is not None
    assert relation.containment is Containment.PENDING
    await stage.press(LEAD, await stage.card(LEAD, "林雪"), "approve")
    await stage.hears(SELLER, "可以正常联系")


async def test_no_standing_approval_answers_meanwhile(stage: Stage) -> None:
    await stage.say(TRAINEE, ADD)
    await stage.press(LEAD, await stage.card(LEAD, "张伟"), "waive")
    await stage.hears(TRAINEE, "对您免批")
    world = stage.simulator.world
    world.member_adds_customer(TRAINEE, LIN_XUE)
    await stage.press(LEAD, await stage.card(LEAD, "林雪"), "waive")
    await stage.hears(LEAD, "已对 周小美 免批")
    await stage.quiet()
    await frozen(stage)

    world.member_adds_customer(TRAINEE, ZHANG_WEI)

    card = await stage.card(LEAD, "张伟")
    buttons = [button["text"] for button in card["card"]["button_list"]]
    assert buttons == ["同意", "拒绝", "详情"]
    assert (await stage.newest(TRAINEE)).votes == ()


async def test_a_supervisor_freezes_a_member_of_theirs_and_nobody_else(stage: Stage) -> None:
    await stage.say(LEAD, "冻结 全部 2小时 账号异常")
    await stage.hears(LEAD, "主管只能冻结自己的下属")
    await stage.say(LEAD, "冻结 赵敏 2小时 账号异常")
    await told(stage, LEAD, "主管只能冻结", 2)
    await stage.say(SELLER, "冻结 周小美 2小时 账号异常")
    await stage.hears(SELLER, "主管只能冻结自己的下属")
    assert await freezes(stage) == []

    await frozen(stage, "冻结 孙磊 1天 账号异常", LEAD)

    await stage.hears(SELLER, "【冻结】王芳 冻结了孙磊 的全部操作")
    await stage.hears(ADMIN, "【冻结】王芳 冻结了孙磊 的全部操作")
    await stage.say(SELLER, ADD)
    await stage.hears(SELLER, "不能添加 张伟")
    await stage.say(TRAINEE, OTHER_ADD)
    await stage.card(LEAD, "李明")
    await stage.quiet()
    assert stage.times_told(TRAINEE, "【冻结】") == 0


async def test_a_bare_name_is_a_department_or_an_action_where_no_member_has_it(
    stage: Stage,
) -> None:
    await stage.say(ADMIN, "冻结 火星部 1小时 查账")
    await stage.hears(ADMIN, "没有找到“火星部”这位同事")
    await stage.say(LEAD, "冻结 销售部 2小时 查账")
    await stage.hears(LEAD, "主管只能冻结自己的下属")

    department = await frozen(stage, "冻结 销售部 2小时 查账")
    await stage.hears(ADMIN, "已冻结部门“销售部”的全部操作")
    await stage.say(ADMIN, "冻结 添加客户 2小时 查账")
    both = await stage.until(lambda: freezes(stage), lambda it: it if it[1:] else None, "two")

    assert department.scope is Scope.DEPARTMENT
    assert {(each.scope, each.what) for each in both if each.id != department.id} == {
        (Scope.ACTION, "friend.add")
    }


async def test_a_department_with_what_is_below_it_and_an_action_can_be_frozen(
    stage: Stage,
) -> None:
    await stage.say(ADMIN, "冻结 部门 火星部 1小时 账号异常")
    await stage.hears(ADMIN, "没有“火星部”这个部门")
    await stage.say(ADMIN, "冻结 动作 修改规则 1小时 账号异常")
    await stage.hears(ADMIN, "“修改规则”不能冻结")

    await stage.say(ADMIN, "冻结 部门 青禾科技 1小时 账号异常")

    await stage.hears(SELLER, "冻结了部门“青禾科技”的全部操作")  # in 销售部, which is below it
    await stage.say(SELLER, ADD)
    await stage.hears(SELLER, "不能添加 张伟")
    await stage.say(ADMIN, "冻结 动作 添加客户 3小时 账号异常")
    await stage.hears(SELLER, "冻结了“添加客户”")
    stage.clock.move(hours=1, minutes=1)
    await stage.hears(SELLER, "冻结已结束（部门“青禾科技”的全部操作）")
    await stage.say(SELLER, OTHER_ADD)
    await stage.hears(SELLER, "不能添加 李明")
    await stage.say(ADMIN, "解冻")  # the only one in force
    await stage.hears(OTHER, "赵敏 申请解除冻结", kind="card")


async def test_the_rules_can_still_be_changed(opens: Opens) -> None:
    alone = ('"config.change" = { approval = 5 }', '"config.change" = { allow = 5 }')
    stage = await opens(alone)
    await frozen(stage)
    await stage.quiet()
    file = stage.folder / "config.toml"
    text = file.read_text("utf-8").replace("gte = 50", "gte = 40")
    await asyncio.to_thread(file.write_text, text, "utf-8")

    await stage.hears(ADMIN, "新规则已生效")


# How it ends


async def test_whoever_wecom_spells_otherwise_is_told_of_the_end_once(stage: Stage) -> None:
    stage.simulator.world.state.members[ADMIN].userid = "ZhaoMin"
    freeze = await frozen(stage)
    assert freeze.by == ADMIN
    await stage.stop()
    stage.clock.move(hours=2, minutes=1)
    stage.simulator.world.state.members[ADMIN].userid = ADMIN

    await stage.start()

    await stage.hears(OTHER, "已到时间，自动结束")
    await stage.hears(ADMIN, "已到时间，自动结束")
    await stage.quiet()
    assert stage.times_told(ADMIN, "已到时间，自动结束") == 1


async def test_it_ends_by_itself_also_while_menwei_is_off_and_is_reviewed(stage: Stage) -> None:
    await stage.by_day()
    freeze = await frozen(stage)
    await stage.hears(TRAINEE, "【冻结】")
    await stage.quiet()
    await stage.stop()
    stage.clock.move(hours=2, minutes=1)
    await stage.start()

    for who in (ADMIN, OTHER):
        await stage.hears(who, f"冻结 {freeze.id}（全部操作）已到时间")
    await stage.hears(TRAINEE, "冻结已结束（全部操作）")
    await stage.say(SELLER, ADD)
    await stage.hears(SELLER, "张伟 的通行码", kind="news")
    for day in (1, 2):
        stage.clock.move(days=1)
        await told(stage, OTHER, f"{freeze.id} 还没有复盘", day)
    await stage.say(LEAD, f"复盘 {freeze.id} 没什么")
    await stage.hears(LEAD, "只有管理员可以这样做")

    await stage.say(ADMIN, f"复盘 {freeze.id} 账号已改密码，无损失")

    await stage.hears(ADMIN, f"已记下 {freeze.id} 的复盘")
    await stage.hears(OTHER, f"赵敏 完成了 {freeze.id} 的复盘：账号已改密码")
    asked = stage.times_told(OTHER, "还没有复盘")
    stage.clock.move(days=2)
    await stage.say(OTHER, f"复盘 {freeze.id} 再说一遍")
    await stage.hears(OTHER, f"{freeze.id} 已由 赵敏 复盘")
    await stage.quiet()
    assert stage.times_told(OTHER, "还没有复盘") == asked
    assert await freezes(stage) == []
    seen = await kinds(stage)
    assert [seen.count(f"freeze.{k}") for k in ("begun", "ended", "reviewed")] == [1, 1, 1]


async def test_lifting_takes_a_second_admin(stage: Stage) -> None:
    freeze = await frozen(stage)
    await stage.say(LEAD, "解冻")
    await stage.hears(LEAD, "不能解除冻结")
    await stage.say(ADMIN, f"解冻 {freeze.id}")
    pending = await stage.hears(ADMIN, f"解除冻结 {freeze.id}")
    assert "正在等待 陈宇 同意" in pending["text"]
    request = await stage.newest(ADMIN)
    await stage.say(ADMIN, f"同意 {request.id}")
    await stage.hears(ADMIN, "是您自己的申请，不能自己审批")
    await stage.say(ADMIN, f"紧急放行 {request.id} 我一个人也行")
    await stage.hears(ADMIN, "“解除冻结”不能紧急放行")
    await stage.say(OTHER, "解冻")
    await stage.hears(OTHER, f"已有申请 {request.id}，正在等待 陈宇")
    card = await stage.card(OTHER, "赵敏 申请解除冻结")
    rows = {r["keyname"]: r["value"] for r in card["card"]["horizontal_content_list"]}
    assert (rows["范围"], rows["冻结人"], rows["原因"]) == ("全部操作", "赵敏", "账号异常")

    await stage.press(OTHER, card, "approve")

    await stage.hears(OTHER, "已同意解除冻结")
    await stage.hears(ADMIN, f"冻结 {freeze.id}（全部操作）已提前解除")
    await stage.hears(SELLER, "冻结已结束")
    await stage.say(SELLER, ADD)
    await stage.hears(SELLER, "张伟 的通行码", kind="news")
    [found] = await freezes(stage)
    assert (found.ending, found.reviewed_by) == (Ending.LIFTED, "")
    await stage.say(ADMIN, "解冻")
    await stage.hears(ADMIN, "现在没有冻结")


async def test_a_file_that_allows_lifting_still_takes_two(opens: Opens) -> None:
    line = '"config.change" = { approval = 5 }'
    stage = await opens((line, f'{line}\n"freeze.lift" = {{ allow = 3 }}'))
    await frozen(stage, "冻结 孙磊 1天 账号异常", LEAD)

    await stage.say(LEAD, "解冻")

    await stage.hears(LEAD, "正在等待")
    await stage.press(OTHER, await stage.card(OTHER, "王芳 申请解除冻结"), "approve")
    await stage.hears(LEAD, "已提前解除")


async def test_what_waits_to_be_lifted_is_over_with_the_freeze(stage: Stage) -> None:
    await frozen(stage)
    await stage.say(ADMIN, "解冻")
    await stage.card(OTHER, "赵敏 申请解除冻结")
    request = await stage.newest(ADMIN)

    stage.clock.move(hours=2, minutes=1)

    async def look() -> Request:
        return await stage.request(request.id)

    await stage.until(look, lambda r: r.state is State.WITHDRAWN, "nothing waits any more")


async def test_the_same_in_english(opens: Opens) -> None:
    stage = await opens(ENGLISH)
    freeze = await frozen(stage, "freeze all 2 hours strange logins")
    told = await stage.hears(SELLER, "[Freeze] 赵敏 has frozen everything until")
    assert "Reason: strange logins" in told["text"]
    await stage.say(SELLER, "add John Smith, Acme Ltd, 13800001234, met at the fair")
    await stage.hears(SELLER, f"It is frozen ({freeze.id}: everything) until")
    await stage.say(ADMIN, f"unfreeze {freeze.id.lower()}")
    await stage.press(OTHER, await stage.card(OTHER, "asks to lift a freeze"), "approve")
    await stage.hears(SELLER, "The freeze of everything is over")
    await stage.say(OTHER, f"review {freeze.id} false alarm")
    await stage.hears(ADMIN, f"陈宇 has reviewed {freeze.id}: false alarm")
    await stage.say(LEAD, "freeze member sunlei 1 hour strange logins")
    await stage.hears(SELLER, "has frozen everything of 孙磊")
