"""Outsiders in customer groups: judged as they come in, and gone only when seen to have left."""

from __future__ import annotations

from bot.simulator.records import GroupChat
from bot.simulator.seed import HE_CHEN, MA_CHAO, ZHANG_WEI
from tests.scenario.conftest import Change, Opens, Stage
from tests.scenario.test_restart import ALONE
from workflows.chats import JOIN
from workflows.model import Request, State

RULE = """
[[rule]]
id = "no-rivals-in-groups"
action = ["chat.join"]
when.customer.groups.any_of = ["competitor"]
then = "deny"
say = "竞品公司的人不能进客户群。"

[chains.lead]
"""
RULES: tuple[Change, ...] = (
    ('"config.change" = {', '"chat.join" = { allow = 1 }\n"config.change" = {'),
    ("\n[chains.lead]\n", RULE),
)
READ = "externalcontact/groupchat/get"


async def opened(opens: Opens, *changes: Change) -> Stage:
    """Open a stage whose rules judge joins, and wait until all groups have been read."""
    stage = await opens(ALONE, *RULES, *changes)
    await all_read(stage)
    return stage


async def all_read(stage: Stage) -> None:
    read = stage.db.read
    await stage.until(
        lambda: read(lambda tx: tx.chats.whole_since()), lambda it: it, "all groups are read"
    )


async def settled(stage: Stage) -> None:
    """Let the two seconds pass after which WeCom shows what has changed, and all follow."""
    await stage.simulator.idle()
    stage.clock.move(seconds=3)
    await stage.quiet()


async def a_group(stage: Stage, owner: str = "wangfang", name: str = "新品交流群") -> GroupChat:
    group, _ = stage.simulator.world.create_group(owner, name)
    await settled(stage)
    return group


async def joins(stage: Stage) -> list[Request]:
    """Return the requests about joins, the oldest first."""
    found: list[Request] = []
    for userid in ("wangfang", "sunlei", "liqiang"):
        found += await all_of(stage, userid)
    about = [each for each in found if each.action == JOIN]
    return sorted(about, key=lambda each: (each.created_at, each.id))


async def all_of(stage: Stage, userid: str) -> list[Request]:
    return await stage.db.read(lambda tx: tx.requests.by_requester(userid, 50))


async def customer_of(stage: Stage, userid: str, external_userid: str) -> None:
    stage.simulator.world.member_adds_customer(userid, external_userid)
    await stage.quiet()


async def test_a_customer_whom_the_rules_allow_comes_in_and_nobody_is_told(opens: Opens) -> None:
    stage = await opened(opens)
    await customer_of(stage, "sunlei", ZHANG_WEI)
    group = await a_group(stage)
    await stage.hears("zhaomin", "门卫已启用")  # as after every first start
    told = {who: len(stage.chat(who)) for who in ("wangfang", "liqiang", "zhaomin")}

    stage.simulator.world.join_group(group.chat_id, ZHANG_WEI, by_code=True)
    await settled(stage)

    (request,) = await joins(stage)
    assert (request.state, request.requester.userid) == (State.EXECUTED, "wangfang")
    assert request.facts["customer.chats"] == frozenset({"新品交流群"})
    assert request.facts["customer.owners"] == frozenset({"sunlei"})
    assert {who: len(stage.chat(who)) for who in told} == told


async def test_who_may_not_be_there_is_the_owners_to_remove_and_the_case_ends_when_seen_gone(
    opens: Opens,
) -> None:
    stage = await opened(opens)
    await customer_of(stage, "sunlei", HE_CHEN)
    group = await a_group(stage)

    stage.simulator.world.join_group(group.chat_id, HE_CHEN, by_code=True)
    await settled(stage)

    (request,) = await joins(stage)
    assert request.state is State.DENIED
    told = (await stage.hears("wangfang", "何晨 不能留在客户群“新品交流群”里"))["text"]
    assert "竞品公司的人不能进客户群" in told
    assert "企业微信不允许程序移除群成员" in told
    for senior in ("liqiang", "zhaomin", "chenyu"):
        await stage.hears(senior, "王芳 的客户群“新品交流群”进来了不该在的人：何晨")

    stage.simulator.world.leave_group(group.chat_id, HE_CHEN, removed=True)
    await settled(stage)

    await stage.hears("wangfang", f"何晨 已离开客户群“新品交流群”，{request.id} 已结案")
    kinds = [record.kind for record in await stage.records(request.id)]
    assert kinds == ["request.opened", "chat.removal_asked", "chat.removal_seen"]
    stage.clock.move(hours=25)
    await stage.quiet()
    assert stage.times_told("zhaomin", "已过期限") == 0


async def test_whoever_is_still_there_after_a_day_is_told_of_once_and_still_seen_to_leave(
    opens: Opens,
) -> None:
    stage = await opened(opens)
    await customer_of(stage, "sunlei", HE_CHEN)
    group = await a_group(stage)
    stage.simulator.world.join_group(group.chat_id, HE_CHEN, by_code=True)
    await settled(stage)
    await stage.hears("wangfang", "何晨 不能留在客户群")

    stage.clock.move(hours=24, minutes=1)

    await stage.hears("zhaomin", "何晨 仍在 王芳 的客户群“新品交流群”里")
    await stage.hears("liqiang", "已过期限，需要您处理")
    stage.clock.move(hours=48)
    await stage.quiet()
    assert stage.times_told("zhaomin", "已过期限") == 1
    stage.simulator.world.leave_group(group.chat_id, HE_CHEN)
    await settled(stage)
    await stage.hears("zhaomin", "何晨 已离开客户群")


async def test_a_leaving_that_no_event_told_of_is_seen_by_looking_again(opens: Opens) -> None:
    stage = await opened(opens)
    await customer_of(stage, "sunlei", HE_CHEN)
    group = await a_group(stage)
    stage.simulator.world.join_group(group.chat_id, HE_CHEN, by_code=True)
    await settled(stage)
    await stage.hears("wangfang", "何晨 不能留在客户群")
    stage.simulator.faults.drop_callbacks()
    stage.simulator.world.leave_group(group.chat_id, HE_CHEN, removed=True)

    stage.clock.move(hours=24, minutes=1)

    await stage.hears("wangfang", "何晨 已离开客户群")
    await stage.quiet()
    assert stage.times_told("zhaomin", "已过期限") == 0


async def test_of_a_stranger_wecom_does_not_tell_the_company_so_a_human_decides(
    opens: Opens,
) -> None:
    stage = await opened(opens)
    group = await a_group(stage)

    stage.simulator.world.join_group(group.chat_id, HE_CHEN, by_code=True)
    await settled(stage)

    card = await stage.card("liqiang", "何晨")
    rows = {row["keyname"]: row["value"] for row in card["card"]["horizontal_content_list"]}
    assert rows["客户群"] == "新品交流群"
    assert rows["群主"] == "王芳"
    assert rows["方式"] == "扫群二维码"
    await stage.hears("wangfang", "何晨 进入了客户群“新品交流群”，需要审批")
    (request,) = await joins(stage)
    assert request.verdict.missing == ("customer.corp_name",)
    assert request.facts["customer.owner_count"] == 0  # that is known

    await stage.press("liqiang", card, "approve")

    await stage.hears("wangfang", "何晨（新品交流群）")
    await stage.hears("wangfang", "可以留在群里")
    assert (await stage.request(request.id)).state is State.EXECUTED


async def test_a_refusal_asks_the_owner_to_remove_them(opens: Opens) -> None:
    stage = await opened(opens)
    group = await a_group(stage)
    stage.simulator.world.join_group(group.chat_id, MA_CHAO, by_code=True)
    await settled(stage)
    await stage.card("liqiang", "马超")
    (request,) = await joins(stage)

    await stage.say("liqiang", f"拒绝 {request.id} 不认识此人")

    told = (await stage.hears("wangfang", "马超 不能留在客户群“新品交流群”里"))["text"]
    assert "不认识此人" in told
    await stage.hears("liqiang", "会请群主移出")


async def test_a_request_nobody_decides_on_counts_as_refused(opens: Opens) -> None:
    stage = await opened(opens)
    group = await a_group(stage)
    stage.simulator.world.join_group(group.chat_id, MA_CHAO, by_code=True)
    await settled(stage)
    await stage.card("liqiang", "马超")

    stage.clock.move(hours=9)

    told = (await stage.hears("wangfang", "马超 不能留在客户群"))["text"]
    assert "没有获得同意" in told


async def test_who_leaves_before_it_is_decided_needs_no_decision(opens: Opens) -> None:
    stage = await opened(opens)
    group = await a_group(stage)
    stage.simulator.world.join_group(group.chat_id, MA_CHAO, by_code=True)
    await settled(stage)
    await stage.card("liqiang", "马超")
    await stage.hears("wangfang", "马超 进入了客户群")

    stage.simulator.world.leave_group(group.chat_id, MA_CHAO)
    await settled(stage)

    await stage.hears("liqiang", "已撤回", kind="card")
    await stage.hears("wangfang", "无需再审批")
    (request,) = await joins(stage)
    assert request.state is State.WITHDRAWN
    assert stage.times_told("wangfang", "不能留在客户群") == 0
    stage.simulator.world.join_group(group.chat_id, MA_CHAO)
    await settled(stage)
    assert len(await joins(stage)) == 2  # somebody who comes again is judged again


async def test_whoever_invites_answers_for_it(opens: Opens) -> None:
    stage = await opened(opens)
    world = stage.simulator.world
    await customer_of(stage, "sunlei", HE_CHEN)
    group = await a_group(stage)
    world.join_group(group.chat_id, "sunlei")

    world.join_group(group.chat_id, [HE_CHEN, ZHANG_WEI], by="sunlei")
    await settled(stage)

    assert {each.requester.userid for each in await joins(stage)} == {"sunlei"}
    await stage.hears("wangfang", "请群主 王芳 在")  # only the owner can remove
    await stage.hears("sunlei", "何晨 不能留在客户群")
    await stage.card("wangfang", "张伟")  # the inviter's supervisor decides


async def test_in_english(opens: Opens) -> None:
    stage = await opened(opens, ('language = "zh-CN"', 'language = "en"'))
    await customer_of(stage, "sunlei", HE_CHEN)
    group = await a_group(stage, name="News")
    stage.simulator.world.join_group(group.chat_id, [HE_CHEN, MA_CHAO])
    await settled(stage)

    told = (await stage.hears("wangfang", "何晨 may not stay in the customer group “News”"))["text"]
    assert "WeCom lets no program remove anybody from a group" in told
    card = await stage.card("liqiang", "马超")
    assert "came into a customer group" in card["card"]["main_title"]["title"]
    await stage.press("liqiang", card, "approve")
    await stage.hears("wangfang", "may stay in the group")
    stage.clock.move(hours=24, minutes=1)
    await stage.hears("zhaomin", "何晨 is still in the customer group “News” of 王芳")
