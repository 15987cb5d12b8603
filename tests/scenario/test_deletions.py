"""What members delete or edit by themselves: judged when WeCom tells of it, counted, told."""

from __future__ import annotations

import pytest

from bot.simulator.records import Customer
from bot.simulator.seed import LIN_XUE, ZHANG_WEI
from tests.makers_demo import ENGLISH, permission, rule, section
from tests.scenario.conftest import Opens, Stage
from workflows.model import Containment, Origin, RelationState, State

VIP, SIGNED = "etDemoTag02", "etDemoTag04"
KEEP_SIGNED = rule(
    'id = "keep-signed"\naction = ["friend.delete"]\n'
    'when.customer.groups.any_of = ["signed"]\nthen = "deny"\nsay = "已签约客户不能自行删除。"'
)
MAY_DELETE = permission("friend.delete", "allow = 2, approval = 1")
TELL_LIQIANG = section('[enforcement."friend.delete"]\ndenied = { notify = ["user:liqiang"] }')


async def befriended(stage: Stage, userid: str, external: str, *tags: str) -> None:
    """Let a member add a customer, and tag them by hand."""
    world = stage.simulator.world
    world.member_adds_customer(userid, external)
    await stage.quiet()
    if tags:
        world.member_edits(userid, external, tags=tags)
        await stage.quiet()


async def test_a_deletion_that_the_rules_refuse_is_told_to_all_concerned(opens: Opens) -> None:
    stage = await opens(MAY_DELETE, KEEP_SIGNED, TELL_LIQIANG)
    await befriended(stage, "sunlei", ZHANG_WEI, SIGNED)

    stage.simulator.world.member_deletes_customer("sunlei", ZHANG_WEI)

    told = await stage.hears("sunlei", "您删除了客户 张伟，这不符合规定")
    assert "已签约客户不能自行删除。" in told["text"]
    for senior in ("wangfang", "liqiang"):
        await stage.hears(senior, "孙磊 删除了客户 张伟")
    request = await stage.newest("sunlei")
    assert (request.action, request.origin) == ("friend.delete", Origin.OBSERVED)
    assert (request.state, request.verdict.rules) == (State.DENIED, ("keep-signed",))
    await stage.quiet()
    assert stage.times_told("zhaomin", "删除了客户") == 0


async def test_an_allowed_deletion_bothers_nobody_and_leaves_no_request(opens: Opens) -> None:
    stage = await opens(MAY_DELETE, KEEP_SIGNED)
    await befriended(stage, "sunlei", ZHANG_WEI)
    added = await stage.newest("sunlei")

    stage.simulator.world.member_deletes_customer("sunlei", ZHANG_WEI)
    await stage.quiet()

    assert (await stage.newest("sunlei")).id == added.id
    assert stage.chat("wangfang") == []
    relation = await stage.db.read(lambda tx: tx.relations.get("sunlei", ZHANG_WEI))
    assert relation is not None
    assert (relation.state, relation.ended_by) == (RelationState.DELETED_BY_MEMBER, "member")


async def test_a_deletion_that_needs_approval_is_confirmed_afterwards(opens: Opens) -> None:
    stage = await opens(MAY_DELETE)
    world = stage.simulator.world
    world.member_adds_customer("zhouxiaomei", ZHANG_WEI)
    await stage.press("wangfang", await stage.card("wangfang", "添加 张伟"), "approve")
    await stage.hears("zhouxiaomei", "已由 王芳 同意")
    await stage.quiet()

    world.member_deletes_customer("zhouxiaomei", ZHANG_WEI)

    await stage.hears("zhouxiaomei", "您删除了客户 张伟，按规定需要确认")
    request = await stage.newest("zhouxiaomei")
    await stage.say("zhouxiaomei", f"撤回 {request.id}")
    await stage.hears("zhouxiaomei", "已经发生的事，不能撤回")
    card = await stage.card("wangfang", "周小美 删除了客户 张伟")
    await stage.press("wangfang", card, "approve")
    await stage.hears("wangfang", "已记下：周小美 删除客户 张伟 没有问题")
    await stage.hears("zhouxiaomei", "王芳 已确认没有问题")
    assert (await stage.request(request.id)).state is State.EXECUTED


async def test_a_deletion_that_is_not_accepted_stays_on_record(opens: Opens) -> None:
    stage = await opens(ENGLISH, MAY_DELETE)
    world = stage.simulator.world
    world.member_adds_customer("zhouxiaomei", ZHANG_WEI)
    await stage.press("wangfang", await stage.card("wangfang", "张伟"), "approve")
    await stage.quiet()

    world.member_deletes_customer("zhouxiaomei", ZHANG_WEI)

    card = await stage.card("wangfang", "周小美 deleted 张伟")
    await stage.press("wangfang", card, "deny", "r1")
    told = await stage.hears("zhouxiaomei", "does not accept that you deleted")
    assert "资料不全" in told["text"]
    request = await stage.newest("zhouxiaomei")
    assert request.state is State.DENIED
    await stage.say("zhouxiaomei", f"why {request.id}")
    await stage.hears("zhouxiaomei", "deleted", "text")


async def test_without_a_word_in_the_file_deletions_are_only_written_down(stage: Stage) -> None:
    await befriended(stage, "sunlei", ZHANG_WEI, SIGNED)
    added = await stage.newest("sunlei")

    stage.simulator.world.member_deletes_customer("sunlei", ZHANG_WEI)
    await stage.quiet()

    assert (await stage.newest("sunlei")).id == added.id
    about = await stage.db.read(lambda tx: tx.audit.of_customer(ZHANG_WEI))
    gone = [each for each in about if each.kind == "relation.deleted_by_member"]
    assert [each.detail["by"] for each in gone] == ["member"]


async def test_of_a_customer_nobody_told_us_of_a_human_decides(opens: Opens) -> None:
    """The add was never told, and it is not night yet: what they were is unknown, not harmless."""
    stage = await opens(MAY_DELETE, KEEP_SIGNED)
    await stage.knows_the_customers()
    stage.simulator.faults.drop_callbacks()
    stage.simulator.world.member_adds_customer("liqiang", LIN_XUE)
    await stage.simulator.idle()

    stage.simulator.world.member_deletes_customer("liqiang", LIN_XUE)

    request = await stage.newest_of("liqiang")
    assert request.action == "friend.delete"
    assert request.state is State.PENDING
    assert "customer.tags" in request.verdict.missing


async def test_what_a_remedy_or_a_transfer_deletes_is_not_held_against_the_member(
    opens: Opens,
) -> None:
    stage = await opens(
        permission("friend.delete", "approval = 1"), ('within = "24h"', 'within = "1h"')
    )
    world = stage.simulator.world
    world.create_customer(Customer("wmRival1", "何晨", 2, "竞品甲科技"))
    world.member_adds_customer("sunlei", "wmRival1")
    await stage.hears("sunlei", "请在")
    await stage.quiet()

    world.member_deletes_customer("sunlei", "wmRival1")

    await stage.hears("sunlei", "已确认删除")
    await stage.quiet()
    assert (await stage.newest("sunlei")).action == "friend.add"
    about = await stage.db.read(lambda tx: tx.audit.of_customer("wmRival1"))
    assert [e.detail["by"] for e in about if e.kind == "relation.deleted_by_member"] == ["remedy"]


async def test_many_deletions_within_an_hour_alarm_supervisor_and_admins_once(
    opens: Opens,
) -> None:
    stage = await opens(section("[alerts]\ndeletions_per_hour = 2\ndeletions_per_day = 4"))
    world = stage.simulator.world
    for number in range(6):
        world.create_customer(Customer(f"wmMany{number}", f"客户{number}"))
        await befriended(stage, "sunlei", f"wmMany{number}")

    for number in range(2):
        world.member_deletes_customer("sunlei", f"wmMany{number}")
    await stage.quiet()
    assert stage.times_told("wangfang", "请留意") == 0

    for number in range(2, 6):
        world.member_deletes_customer("sunlei", f"wmMany{number}")
        await stage.quiet()

    for each in ("wangfang", "zhaomin", "chenyu"):
        said = await stage.hears(each, "孙磊 一小时内删除了 3 位客户（超过 2 位）")
        assert "客户2" in said["text"]
        await stage.hears(each, "孙磊 今天删除了 5 位客户（超过 4 位）")
        assert stage.times_told(each, "请留意") == 2
    assert stage.times_told("sunlei", "请留意") == 0


async def test_alarms_can_be_turned_off(opens: Opens) -> None:
    stage = await opens(section("[alerts]\ndeletions_per_hour = 0\ndeletions_per_day = 0"))
    world = stage.simulator.world
    for number in range(12):
        world.create_customer(Customer(f"wmMany{number}", f"客户{number}"))
        await befriended(stage, "sunlei", f"wmMany{number}")
        world.member_deletes_customer("sunlei", f"wmMany{number}")
    await stage.quiet()

    assert stage.times_told("wangfang", "请留意") == 0


# Edits


MAY_EDIT = permission("customer.edit", "allow = 1")
KEEP_VIP = rule(
    'id = "keep-vip"\naction = ["customer.edit"]\nwhen.request.tag = ["VIP"]\n'
    'then = "deny"\nsay = "VIP 标签请让主管来改。"'
)


async def test_a_tag_put_on_by_hand_is_judged_and_told_but_not_undone(opens: Opens) -> None:
    stage = await opens(MAY_EDIT, KEEP_VIP)
    await befriended(stage, "sunlei", ZHANG_WEI)

    stage.simulator.world.member_edits("sunlei", ZHANG_WEI, tags=[VIP])

    told = await stage.hears("sunlei", "您修改了客户 张伟 的备注、电话或标签，这不符合规定")
    assert "VIP 标签请让主管来改。" in told["text"]
    await stage.hears("wangfang", "孙磊 修改了客户 张伟")
    request = await stage.newest("sunlei")
    assert (request.action, request.facts["request.tag"]) == ("customer.edit", "VIP")
    await stage.quiet()
    held = stage.simulator.world.relation("sunlei", ZHANG_WEI)
    assert held is not None
    assert held.tags == [VIP]
    known = await stage.db.read(lambda tx: tx.relations.get("sunlei", ZHANG_WEI))
    assert known is not None
    assert known.containment is Containment.NONE


async def test_taking_a_tag_off_is_judged_by_what_the_customer_was(opens: Opens) -> None:
    vips = rule(
        'id = "vip-edited"\naction = ["customer.edit"]\n'
        'when.customer.tier = ["vip"]\nthen = "deny"\nsay = "VIP 客户不要改。"'
    )
    stage = await opens(MAY_EDIT, vips)
    await befriended(stage, "sunlei", ZHANG_WEI, VIP)
    assert stage.times_told("sunlei", "不符合规定") == 0
    stage.clock.move(seconds=2)  # WeCom's events of one second are the same to the byte

    stage.simulator.world.member_edits("sunlei", ZHANG_WEI, tags=[])

    await stage.hears("sunlei", "VIP 客户不要改。")


async def test_a_second_edit_within_the_hour_is_not_told_again(opens: Opens) -> None:
    stage = await opens(ENGLISH, permission("customer.edit", "allow = 4"))
    world = stage.simulator.world
    await befriended(stage, "sunlei", ZHANG_WEI)
    for remark in ("one", "two", "three"):
        world.member_edits("sunlei", ZHANG_WEI, remark=remark)
        await stage.quiet()
        stage.clock.move(seconds=2)

    assert stage.times_told("sunlei", "You changed the remark, phone or tags of 张伟") == 1
    about = await stage.db.read(lambda tx: tx.audit.of_customer(ZHANG_WEI))
    edits = [each.detail["changed"] for each in about if each.kind == "relation.edited"]
    assert edits == [["remark"]] * 3

    stage.clock.move(hours=2)
    world.member_edits("sunlei", ZHANG_WEI, remark="four")
    await stage.quiet()
    assert stage.times_told("sunlei", "You changed the remark, phone or tags of 张伟") == 2


@pytest.mark.parametrize("when", ["before", "after"])
async def test_our_own_marks_are_not_taken_for_the_members_edits(opens: Opens, when: str) -> None:
    """An add that waits is tagged and its remark changed by us; WeCom may tell of that."""
    stage = await opens(permission("customer.edit", "allow = 5"))
    world = stage.simulator.world
    if when == "before":
        stage.simulator.faults.fail_after("externalcontact/mark_tag", -1)
    world.member_adds_customer("zhouxiaomei", ZHANG_WEI)
    await stage.card("wangfang", "张伟")
    if when == "after":
        await stage.quiet()
        await stage.until(
            lambda: stage.relation("zhouxiaomei", ZHANG_WEI),
            lambda relation: relation and "待审批" in relation["tags"],
            "the mark",
        )
    held = world.relation("zhouxiaomei", ZHANG_WEI)
    assert held is not None

    world.member_edits("zhouxiaomei", ZHANG_WEI)  # the event of an edit, with nothing edited
    await stage.quiet()

    assert (await stage.newest("zhouxiaomei")).action == "friend.add"
    assert stage.times_told("zhouxiaomei", "您修改了客户") == 0


async def test_a_mark_that_came_late_is_known_to_be_ours_afterwards(opens: Opens) -> None:
    """An event before the mark was made has shown the customer without it."""
    stage = await opens(permission("customer.edit", "allow = 5"))
    world = stage.simulator.world
    stage.simulator.faults.fail("externalcontact/mark_tag", -1)
    world.member_adds_customer("zhouxiaomei", ZHANG_WEI)
    await stage.card("wangfang", "张伟")
    world.member_edits("zhouxiaomei", ZHANG_WEI)
    await stage.simulator.idle()
    stage.clock.move(seconds=5)
    await stage.until(
        lambda: stage.relation("zhouxiaomei", ZHANG_WEI),
        lambda relation: relation and "待审批" in relation["tags"],
        "the mark",
    )
    await stage.quiet()

    world.member_edits("zhouxiaomei", ZHANG_WEI)
    await stage.quiet()

    assert (await stage.newest("zhouxiaomei")).action == "friend.add"
