"""Temporary permissions: asked for, given, used, taken back, and over when their time is."""

from __future__ import annotations

import pytest

from bot.simulator.seed import ZHANG_WEI
from tests.scenario.conftest import Change, Opens, Stage
from workflows.grants import Grant
from workflows.model import Containment, Request, State

TRAINEE, SELLER, LEAD, DIRECTOR, ADMIN = "zhouxiaomei", "sunlei", "wangfang", "liqiang", "zhaomin"
ADD = "加 张伟 明达贸易 13800001234 展会认识"
OTHER_ADD = "加 李明 启航科技 13800002345 朋友介绍"
BULK: Change = (
    '"friend.add_bulk" = { allow = 3, approval = 1 }',
    '"friend.add_bulk" = { approval = 4 }',
)
ENGLISH: Change = ('language = "zh-CN"', 'language = "en"')


async def grants_of(stage: Stage, userid: str = TRAINEE) -> list[Grant]:
    return await stage.db.read(lambda tx: tx.grants.of_member(userid))


async def records(stage: Stage, kind: str) -> list[dict[str, object]]:
    every = await stage.db.read(lambda tx: tx.audit.after(0, 10_000))
    return [dict(each.detail) for each in every if each.kind == kind]


async def newer_than(stage: Stage, earlier: Request) -> Request:
    """Wait for the trainee's next request."""

    async def look() -> Request | None:
        newest = await stage.newest(TRAINEE)
        return newest if newest.id != earlier.id else None

    found: Request = await stage.until(look, lambda it: it, "a newer request")
    return found


async def lent(stage: Stage, words: str = "授权 周小美 添加客户 3天 展会顶班") -> None:
    """Have the supervisor lend the trainee what she may not do alone."""
    await stage.say(LEAD, words)
    await stage.hears(TRAINEE, "您获得了临时权限：添加客户")


# Asked for, used, over


async def test_a_trainee_asks_uses_it_is_reminded_and_loses_it_again(stage: Stage) -> None:
    await stage.say(TRAINEE, "申请权限 添加客户 3天 展会顶班")
    told = await stage.hears(TRAINEE, "已提交")
    assert "周小美的“添加客户”（3 天）" in told["text"]
    card = await stage.card(LEAD, "申请临时授权")
    rows = {row["keyname"]: row["value"] for row in card["card"]["horizontal_content_list"]}
    assert rows == {"成员": "周小美", "权限": "添加客户", "时长": "3 天", "变化": "需审批 → 允许"}
    assert card["card"]["quote_area"]["quote_text"].endswith("展会顶班")
    await stage.press(LEAD, card, "more")
    details = await stage.hears(LEAD, "理由（申请人填写）：展会顶班")
    assert "成员：周小美\n权限：添加客户\n时长：3 天\n变化：需审批 → 允许" in details["text"]

    await stage.press(LEAD, card, "approve")

    received = await stage.hears(TRAINEE, "您获得了临时权限：添加客户")
    assert "授权人：王芳。原因：展会顶班" in received["text"]
    await stage.hears(LEAD, "已同意临时授权")
    announced = await stage.hears(ADMIN, "权限有变化（临时授权")
    assert "＋ 周小美：添加客户，需审批 → 允许" in announced["text"]
    await stage.say(TRAINEE, "权限")
    await stage.hears(TRAINEE, "＋ 添加客户：允许（临时授权，至")

    await stage.quiet()
    await stage.stop()
    await stage.start()
    await stage.say(TRAINEE, ADD)
    await stage.hears(TRAINEE, "张伟 的通行码", kind="news")
    request = await stage.newest(TRAINEE)
    assert (request.facts["sender.grants"], request.votes) == (frozenset({"friend.add"}), ())
    await stage.say(TRAINEE, f"为什么 {request.id}")
    await stage.hears(TRAINEE, "有临时授权，可以直接添加客户。")

    stage.clock.move(days=2, hours=6, minutes=1)  # a quarter of the time is left
    await stage.hears(TRAINEE, "您的临时权限“添加客户”将于")
    await stage.quiet()
    await stage.stop()
    stage.clock.move(days=1)
    await stage.start()

    await stage.hears(TRAINEE, "您的临时权限“添加客户”已到期")
    for who in (LEAD, ADMIN):
        over = await stage.hears(who, "周小美 的临时权限“添加客户”已到期")
        assert "－ 周小美：添加客户，允许 → 需审批" in over["text"]
    await stage.say(TRAINEE, OTHER_ADD)
    await stage.card(LEAD, "李明")
    await stage.quiet()
    assert await grants_of(stage) == []
    assert [each["because"] for each in await records(stage, "grant.ended")] == ["expired"]
    assert stage.times_told(TRAINEE, "已到期") == 1
    changes = [each["actions"] for each in await records(stage, "permissions.changed")]
    assert changes == [
        ["zhouxiaomei friend.add: approval → allow"],
        ["zhouxiaomei friend.add: allow → approval"],
    ]


async def test_whoever_may_do_it_themselves_is_asked_as_well(opens: Opens) -> None:
    """The supervisor has no such permission, so the director has the last word."""
    stage = await opens(BULK)
    await stage.say(TRAINEE, "申请权限 批量添加客户 5天 展会")
    await stage.press(LEAD, await stage.card(LEAD, "批量添加客户"), "approve")

    await stage.press(DIRECTOR, await stage.card(DIRECTOR, "批量添加客户"), "approve")

    await stage.hears(TRAINEE, "您获得了临时权限：批量添加客户")
    [grant] = await grants_of(stage)
    assert grant.given_by == DIRECTOR
    announced = await stage.hears(ADMIN, "权限有变化（临时授权")
    assert "＋ 周小美：批量添加客户，不允许 → 需审批" in announced["text"]


async def test_nobody_agrees_to_what_they_may_not_do_themselves(opens: Opens) -> None:
    both = 'stages = [{ from = ["manager_of_sender", "role:director"], need = 1 }]\n[chains.lead_'
    one = 'stages = [{ from = ["manager_of_sender"], need = 1 }]\n[chains.lead_'
    stage = await opens(BULK, (one, both))
    await stage.say(TRAINEE, "申请权限 批量添加客户 5天 展会")
    card = await stage.card(LEAD, "批量添加客户")

    await stage.press(LEAD, card, "approve")

    await stage.hears(LEAD, "您自己没有“批量添加客户”的权限，不能同意")
    assert (await stage.newest(TRAINEE)).state is State.PENDING
    await stage.press(DIRECTOR, await stage.card(DIRECTOR, "批量添加客户"), "approve")
    await stage.hears(TRAINEE, "您获得了临时权限：批量添加客户")


async def test_a_refusal_gives_nothing_and_the_same_wish_is_not_doubled(stage: Stage) -> None:
    await stage.say(TRAINEE, "申请权限 添加客户 3天 展会顶班")
    card = await stage.card(LEAD, "申请临时授权")
    first = await stage.newest(TRAINEE)
    await stage.say(TRAINEE, "申请权限 friend.add 3天 展会顶班")
    await stage.hears(TRAINEE, f"已有申请 {first.id}，正在等待 王芳")
    await stage.say(TRAINEE, "申请权限 添加客户 2天 展会顶班")
    second = await newer_than(stage, first)
    assert (await stage.request(first.id)).state is State.SUPERSEDED
    assert card["task_id"]

    await stage.press(LEAD, await stage.card(LEAD, "2 天"), "deny", "r1")

    await stage.hears(TRAINEE, "已被 王芳 拒绝")
    assert await grants_of(stage) == []
    await stage.say(TRAINEE, f"重提 {second.id}")
    again = await newer_than(stage, second)
    assert (again.plan, again.claim) == (second.plan, second.claim)


# Given and taken back


async def test_a_supervisor_lends_at_once_and_takes_it_back(stage: Stage) -> None:
    await lent(stage)
    await stage.hears(LEAD, "已授权 周小美：添加客户")
    await stage.hears(ADMIN, "权限有变化（临时授权")
    await stage.say(TRAINEE, "收回 周小美 添加客户")
    await stage.hears(TRAINEE, "只有 周小美 的主管和管理员可以这样做")

    await stage.say(LEAD, "收回 周小美 添加客户")

    await stage.hears(TRAINEE, "您的临时权限“添加客户”已由 王芳 收回")
    taken = await stage.hears(ADMIN, "已由 王芳 收回")
    assert "－ 周小美：添加客户，允许 → 需审批" in taken["text"]
    await stage.say(TRAINEE, ADD)
    await stage.card(LEAD, "张伟")
    await stage.say(LEAD, "收回 周小美 添加客户")
    await stage.hears(LEAD, "周小美 没有临时权限“添加客户”")


async def test_what_was_allowed_by_it_goes_with_it(opens: Opens) -> None:
    """An open ticket and a request that waits, but not an add that has happened."""
    vip = 'when.customer.tier = ["vip"]\nwhen.sender.level.lt = 3'
    only_sellers = ("{ allow = 2, approval = 1 }", "{ allow = 2 }")
    stage = await opens((vip, 'when.claim.reason.contains_any = ["大客户"]'), only_sellers)
    await lent(stage)
    world = stage.simulator.world
    world.member_adds_customer(TRAINEE, ZHANG_WEI)
    await stage.until(
        lambda: stage.newest_of(TRAINEE), lambda r: r.state is State.EXECUTED, "the add is allowed"
    )
    await stage.say(TRAINEE, OTHER_ADD)
    await stage.hears(TRAINEE, "李明 的通行码", kind="news")
    await stage.say(TRAINEE, "加 王刚 远大物流 13800003456 大客户")
    await stage.card(LEAD, "王刚")

    await stage.say(LEAD, "收回 周小美 添加客户")

    await stage.hears(TRAINEE, "所依据的临时权限已结束，通行码已收回")
    await stage.hears(TRAINEE, "（王刚）所依据的临时权限已结束，申请已撤回")
    await stage.until(stage.state, lambda s: not s["contact_ways"], "the ticket is deleted")
    await stage.quiet()
    relation = await stage.db.read(lambda tx: tx.relations.get(TRAINEE, ZHANG_WEI))
    assert relation is not None
    assert relation.containment is Containment.NONE
    assert (await stage.newest(TRAINEE)).decided_by == "system:grant"


async def test_a_longer_one_takes_the_place_of_a_shorter(stage: Stage) -> None:
    await lent(stage, "授权 周小美 添加客户 2小时 展会顶班")
    await stage.say(LEAD, "授权 周小美 添加客户 1小时 展会顶班")
    await stage.hears(LEAD, "周小美 的临时权限“添加客户”到")

    await stage.say(LEAD, "授权 周小美 添加客户 5小时 展会顶班")

    await stage.until(
        lambda: records(stage, "grant.given"), lambda found: len(found) == 2, "a second grant"
    )
    [grant] = await grants_of(stage)
    assert (grant.until - grant.since).total_seconds() == 5 * 3600
    stage.clock.move(hours=3)
    await stage.say(TRAINEE, ADD)
    await stage.hears(TRAINEE, "张伟 的通行码", kind="news")
    assert stage.times_told(TRAINEE, "已到期") == 0


async def test_what_is_lent_to_a_leaver_ends(stage: Stage) -> None:
    await lent(stage)
    stage.simulator.world.member_leaves(TRAINEE)
    await stage.quiet()
    stage.clock.move(seconds=4)

    await stage.hears(LEAD, "周小美 已离开，临时权限“添加客户”已结束")

    assert await grants_of(stage) == []


@pytest.mark.parametrize(
    ("who", "words", "answer"),
    [
        (LEAD, "授权 周小美 添加客户 31天 展会", "临时授权最长 30 天"),
        (LEAD, "授权 周小美 修改规则 3天 展会", "“修改规则”不能临时授权"),
        (LEAD, "授权 周小美 飞行 3天 展会", "没有“飞行”这项权限。可以临时授权的有：添加客户"),
        (LEAD, "授权 孙磊 添加客户 3天 展会", "孙磊 本来就可以添加客户"),
        (LEAD, "授权 李强 添加客户 3天 展会", "只有 李强 的主管和管理员可以这样做"),
        (LEAD, "授权 赵六 添加客户 3天 展会", "没有找到“赵六”这位同事"),
        (LEAD, "授权 周小美 批量添加客户 3天 展会", "您自己没有“批量添加客户”的权限"),
        (SELLER, "授权 周小美 添加客户 3天 展会", "只有 周小美 的主管和管理员可以这样做"),
        (TRAINEE, "申请权限 导出客户 3天 展会", "“导出客户”不能临时授权"),
        (TRAINEE, "申请权限 添加客户 展会", "请写上时长"),
    ],
)
async def test_what_makes_no_sense_is_refused_in_words(
    opens: Opens, who: str, words: str, answer: str
) -> None:
    stage = await opens(BULK)

    await stage.say(who, words)

    await stage.hears(who, answer)
    await stage.quiet()
    assert await records(stage, "grant.given") == []
    assert not await stage.db.read(lambda tx: tx.requests.count_all())


async def test_an_admin_who_may_lend_anything_still_asks_somebody_for_themselves(
    opens: Opens,
) -> None:
    stage = await opens(
        (BULK[0], '"friend.add_bulk" = { allow = 9, approval = 5 }'),
    )
    await stage.say(ADMIN, "授权 赵敏 批量添加客户 1天 试用")

    await stage.press(DIRECTOR, await stage.card(DIRECTOR, "批量添加客户"), "approve")
    await stage.press("chenyu", await stage.card("chenyu", "批量添加客户"), "approve")

    await stage.hears(ADMIN, "您获得了临时权限：批量添加客户")
    [grant] = await grants_of(stage, ADMIN)
    assert grant.given_by == "chenyu"


# In English


async def test_the_same_in_english(opens: Opens) -> None:
    stage = await opens(ENGLISH)
    await stage.by_day()
    await stage.say(TRAINEE, "request-right friend.add 3 days trade fair")
    await stage.press(LEAD, await stage.card(LEAD, "asks for a permission"), "approve")
    await stage.hears(TRAINEE, "You have a temporary permission: add a customer")
    told = await stage.hears(ADMIN, "Permissions changed (temporary")
    assert "+ 周小美: add a customer, needs approval → allowed" in told["text"]

    await stage.say(LEAD, "revoke zhouxiaomei add a customer")

    await stage.hears(TRAINEE, "“add a customer” was taken back by 王芳")
    await stage.say(LEAD, "grant zhouxiaomei friend.add 2 hours cover")
    await stage.hears(LEAD, "Lent to 周小美: add a customer")
    stage.clock.move(hours=1, minutes=31)
    await stage.hears(TRAINEE, "“add a customer” ends today")
    stage.clock.move(hours=1)
    await stage.hears(TRAINEE, "“add a customer” has ended")
