"""People change in WeCom: who hears what, what is on record, and what becomes of their requests."""

from __future__ import annotations

from typing import Any

import pytest

from bot import chores
from bot.simulator.records import Member
from bot.simulator.seed import ACCOUNTS, MARKETING, SALES
from tests.makers_demo import ENGLISH, section
from tests.scenario.conftest import Opens, Stage
from workflows.model import AuditRecord, State

ADMINS = ("zhaomin", "chenyu")
TRAINEE = "zhouxiaomei"


async def records(stage: Stage, kind: str) -> list[AuditRecord]:
    found = await stage.db.read(lambda tx: tx.audit.tail(2000))
    return [each for each in found if each.kind == kind]


async def told(stage: Stage, words: str, who: str = "zhaomin") -> str:
    """Return the notice an admin gets, once everything is quiet."""
    return str((await stage.hears(who, words))["text"])


async def settled(stage: Stage) -> None:
    """Wait until nothing is left to be read or told."""
    await stage.quiet()

    async def waiting() -> Any:
        return await stage.db.read(lambda tx: (tx.news.waiting().versions, tx.untold.span()))

    await stage.until(waiting, lambda it: it == ({}, None), "all is told")
    await stage.quiet()


async def test_a_move_is_told_in_people_and_actions_and_recorded_with_before_and_after(
    stage: Stage,
) -> None:
    stage.simulator.world.move_member(TRAINEE, ACCOUNTS)

    for admin in ADMINS:
        text = await told(stage, "权限有变化（企业微信后台）", admin)
        assert "周小美 加入 大客户部、离开 销售部：成为 大客户经理，现在可以添加客户" in text
    [record] = await records(stage, "permissions.changed")
    assert (record.userid, record.actor) == (TRAINEE, "wecom:console")
    assert record.detail["facts"] == ["entered 大客户部", "withdrew 销售部"]
    assert "+account" in str(record.detail["roles"])
    assert "friend.add: approval → allow" in str(record.detail["actions"])
    calls = [path for path, _ in stage.simulator.calls if path.endswith("user/get")]
    assert calls, "the member alone was asked for"


async def test_in_an_english_company_it_is_told_in_english(opens: Opens) -> None:
    stage = await opens(ENGLISH)
    stage.simulator.world.move_member(TRAINEE, ACCOUNTS)

    text = await told(stage, "Permissions have changed (WeCom console)")
    assert "周小美 joined 大客户部, left 销售部: now 大客户经理, may now: " in text


async def test_events_reread_the_member_and_not_the_company(stage: Stage) -> None:
    await stage.quiet()
    stage.simulator.forget_calls()
    stage.simulator.world.move_member(TRAINEE, ACCOUNTS)

    await told(stage, "大客户经理")

    assert not stage.simulator.called("user/list")
    assert [each["userid"] for each in stage.simulator.called("user/get")] == [TRAINEE]


async def test_a_reorganisation_is_few_readings_and_one_notice(stage: Stage) -> None:
    world = stage.simulator.world
    for number in range(300):
        world.add_member(Member(f"new{number:03}", f"新人{number:03}", [MARKETING], "专员"))
    await settled(stage)
    stage.simulator.forget_calls()

    for number in range(300):
        world.move_member(f"new{number:03}", ACCOUNTS)
    text = await told(stage, "大客户经理")
    await settled(stage)

    assert "等 300 人 加入 大客户部、离开 市场部：成为 大客户经理" in text
    assert stage.times_told("zhaomin", "大客户经理") == 1
    assert len(await records(stage, "permissions.changed")) == 300
    whole = len(stage.simulator.called("department/simplelist"))
    assert whole <= 4
    assert len(text.encode()) < 2048


async def test_those_for_whom_nothing_changes_are_counted_only(stage: Stage) -> None:
    world = stage.simulator.world
    world.move_member("sunlei", MARKETING)
    world.move_member("pool", MARKETING)
    world.move_member(TRAINEE, ACCOUNTS)

    text = await told(stage, "大客户经理")

    assert text.endswith("；其余 2 人不变")


async def test_tag_position_leader_status_and_departure_each_say_what_happened(
    stage: Stage,
) -> None:
    world = stage.simulator.world
    world.untag_member(TRAINEE, 1)
    assert "周小美 去掉标签 试用期：不再是 实习销售" in await told(stage, "去掉标签")

    world.promote("sunlei", "销售主管", leads=SALES)
    text = await told(stage, "孙磊")
    assert "孙磊 职务由 销售 改为 销售主管、成为 销售部 的负责人" in text
    assert "成为 主管" in text

    world.demote("wangfang", SALES)
    assert "王芳 不再是 销售部 的负责人：不再是 主管" in await told(stage, "王芳 不再是")

    world.disable_member("liqiang")
    assert "李强 被停用：不再是 总监" in await told(stage, "李强 被停用")
    world.enable_member("liqiang")
    assert "李强 恢复（管理部）：成为 总监" in await told(stage, "李强 恢复")

    world.member_leaves("sunlei")
    assert "孙磊 离职" in (text := await told(stage, "孙磊 离")) or "孙磊 离开" in text


async def test_doubled_and_late_events_tell_nothing_twice(stage: Stage) -> None:
    world = stage.simulator.world
    event = world.move_member(TRAINEE, ACCOUNTS)
    await told(stage, "大客户经理")

    world.tell(event)
    world.tell(event)
    await stage.does(chores.DIRECTORY)
    await settled(stage)

    assert stage.times_told("zhaomin", "大客户经理") == 1
    assert len(await records(stage, "permissions.changed")) == 1


async def test_a_lost_event_is_found_by_the_hourly_reading(stage: Stage) -> None:
    stage.simulator.world.member(TRAINEE).departments[:] = [ACCOUNTS]
    await settled(stage)
    assert stage.times_told("zhaomin", "大客户经理") == 0

    await stage.does(chores.DIRECTORY)

    await told(stage, "大客户经理")


async def test_moved_and_moved_back_in_a_moment_is_on_record_but_not_told(stage: Stage) -> None:
    world = stage.simulator.world
    world.move_member(TRAINEE, ACCOUNTS)
    await stage.until(
        lambda: records(stage, "permissions.changed"), lambda found: found, "it is on record"
    )
    world.move_member(TRAINEE, SALES)
    await settled(stage)

    assert stage.times_told("zhaomin", "大客户经理") == 0
    assert len(await records(stage, "permissions.changed")) == 2


# --- another userid


async def test_a_new_userid_keeps_requests_and_leaves_nothing_to_whoever_gets_the_old_one(
    stage: Stage,
) -> None:
    world = stage.simulator.world
    await stage.say(TRAINEE, "加 张伟 明达贸易 13800001234 展会认识")
    request = await stage.newest_of(TRAINEE)
    await stage.card("wangfang", "张伟")

    world.rename_member(TRAINEE, "zhou.xm")
    await stage.until(
        lambda: records(stage, "member.renamed"), lambda found: found, "the new name is known"
    )
    world.add_member(Member(TRAINEE, "周新人", [SALES], "实习销售", ["wangfang"]))
    await settled(stage)

    await stage.say("zhou.xm", "我的")
    await stage.hears("zhou.xm", request.id)
    await stage.say(TRAINEE, "我的")
    await stage.hears(TRAINEE, "没有")
    assert (await stage.request(request.id)).state is State.PENDING
    await stage.press("wangfang", await stage.card("wangfang", "张伟"), "approve")
    await stage.hears("zhou.xm", "已由 王芳 同意")
    assert stage.times_told(TRAINEE, "张伟") == 0


async def test_a_supervisor_with_a_new_userid_goes_on_deciding(stage: Stage) -> None:
    await stage.say(TRAINEE, "加 张伟 明达贸易 13800001234 展会认识")
    await stage.card("wangfang", "张伟")

    stage.simulator.world.rename_member("wangfang", "wang.fang")
    await stage.until(
        lambda: records(stage, "member.renamed"), lambda found: found, "the new name is known"
    )
    await settled(stage)

    request = await stage.newest_of(TRAINEE)
    assert [each.userid for each in request.approvers] == ["wang.fang"]
    await stage.say("wang.fang", f"同意 {request.id}")
    await stage.hears(TRAINEE, "已由 王芳 同意")
    await stage.say(TRAINEE, "加 林雪 晴川设计 13900005678 展会认识")
    await stage.card("wang.fang", "林雪")


async def test_a_new_userid_is_told_with_what_it_changes(stage: Stage) -> None:
    stage.simulator.world.rename_member("liqiang", "li.qiang")

    text = await told(stage, "账号由 liqiang 改为 li.qiang")
    assert "李强 账号由 liqiang 改为 li.qiang：不再是 总监" in text  # the file says user:liqiang
    names = await told(stage, "已经没有对应的人")
    assert "角色“总监”：user:liqiang" in names
    assert "“user:liqiang”是不是应改为“user:li.qiang”" in names


async def test_a_rename_that_comes_again_moves_nothing_of_the_next_holder(stage: Stage) -> None:
    world = stage.simulator.world
    event = world.rename_member(TRAINEE, "zhou.xm")
    await stage.until(
        lambda: records(stage, "member.renamed"), lambda found: found, "the new name is known"
    )
    world.add_member(Member(TRAINEE, "周新人", [SALES], "实习销售", ["wangfang"]))
    await settled(stage)
    await stage.say(TRAINEE, "加 林雪 晴川设计 13900005678 展会认识")
    request = await stage.newest_of(TRAINEE)

    again = dict(event.fields) | {"CreateTime": int(stage.clock.unix()) + 1}
    world.tell(type(event)(again, door="directory"))
    await settled(stage)

    assert (await stage.request(request.id)).requester.userid == TRAINEE
    assert len(await records(stage, "member.renamed")) == 1


# --- names in the rules


async def test_a_renamed_department_leaves_the_rules_running_and_the_admins_hear_which_name(
    stage: Stage,
) -> None:
    world = stage.simulator.world
    world.move_member(TRAINEE, ACCOUNTS)
    await told(stage, "大客户经理")

    world.rename_department(ACCOUNTS, "大客户一部")

    text = await told(stage, "已经没有对应的人")
    assert "角色“大客户经理”：department:大客户部" in text
    assert "“department:大客户部”是不是应改为“department:大客户一部”" in text
    changed = await told(stage, "（部门 大客户部 更名为 大客户一部）")
    assert "周小美" in changed
    assert "不再是 大客户经理" in changed
    await stage.say(TRAINEE, "权限")  # it runs on
    await stage.hears(TRAINEE, "添加客户")


# --- what no event tells of


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_who_loses_or_gains_customer_contact_is_told_beside_the_rules(
    opens: Opens, language: str
) -> None:
    stage = await (opens(ENGLISH) if language == "en" else opens())
    await stage.does(chores.FOLLOW_USERS)
    world = stage.simulator.world
    world.set_customer_contact("sunlei", False)
    await stage.does(chores.FOLLOW_USERS)

    lost = {"zh-CN": "孙磊 不能再使用客户联系，而规则允许其添加", "en": "孙磊 may no longer use"}
    await told(stage, lost[language])
    world.set_customer_contact("sunlei", True)
    await stage.does(chores.FOLLOW_USERS)
    gained = {"zh-CN": "孙磊 可以使用客户联系", "en": "孙磊 may use customer contact"}
    await told(stage, gained[language])
    found = await records(stage, "follow_user.changed")
    assert [each.detail for each in found] == [
        {"lost": ["sunlei"]},
        {"gained": ["sunlei"]},
    ]


async def test_customer_contact_for_somebody_whom_the_rules_deny_is_pointed_out(
    stage: Stage,
) -> None:
    world = stage.simulator.world
    world.add_member(Member("wu", "吴迪", [MARKETING], "专员", customer_contact=False))
    await settled(stage)
    await stage.does(chores.FOLLOW_USERS)
    world.set_customer_contact("wu", True)

    await stage.does(chores.FOLLOW_USERS)

    await told(stage, "吴迪 可以使用客户联系，但规则不允许其添加客户")


async def test_a_leaver_is_not_told_of_twice(stage: Stage) -> None:
    await stage.does(chores.FOLLOW_USERS)
    world = stage.simulator.world
    world.member("sunlei").status = 5  # no event reached us

    await stage.does(chores.FOLLOW_USERS)
    await settled(stage)

    await told(stage, "孙磊 离开")
    assert stage.times_told("zhaomin", "客户联系") == 0
    assert await records(stage, "follow_user.changed")


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_an_admin_who_falls_out_of_the_apps_sight_is_named(
    opens: Opens, language: str
) -> None:
    stage = await (opens(ENGLISH) if language == "en" else opens())
    await stage.does(chores.APP_SCOPE)
    stage.simulator.world.set_visible("chenyu", False)

    await stage.does(chores.APP_SCOPE)

    words = {
        "zh-CN": "陈宇 是管理员或审批人，现在不在可见范围内",
        "en": "陈宇, admin or approver, is out of the visible range",
    }
    text = await told(stage, words[language])
    assert "青禾科技" in text


# --- refusals


@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_who_is_refused_more_often_than_allowed_is_reported_once_a_day(
    opens: Opens, language: str
) -> None:
    limit = section("[alerts]\ndenials_per_day = 2")
    stage = await (opens(ENGLISH, limit) if language == "en" else opens(limit))
    for number in range(5):
        text = f"加 何晨{number} 竞品甲科技 1380000555{number} 展会认识"
        await stage.say("sunlei", text)
        await stage.quiet()

    words = {"zh-CN": "孙磊 今天有 3 次被拒（超过 2 次）", "en": "孙磊 was refused 3 times today"}
    for who in ("wangfang", *ADMINS):
        assert "何晨2" in await told(stage, words[language], who)
    assert stage.times_told("zhaomin", "何晨2") == 1
    assert len(await records(stage, "alarm.denials")) == 3


async def test_no_number_of_refusals_is_reported_where_it_is_switched_off(opens: Opens) -> None:
    stage = await opens(section("[alerts]\ndenials_per_day = 0"))
    for number in range(7):
        await stage.say("sunlei", f"加 何晨{number} 竞品甲科技 1380000555{number} 展会认识")
    await stage.quiet()

    assert stage.times_told("zhaomin", "被拒") == 0
