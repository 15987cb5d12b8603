"""反悔: for a minute whoever approved takes it back, whatever it was, and nothing of it is left."""

from __future__ import annotations

import pytest

from bot.simulator.records import Customer
from bot.simulator.seed import HE_CHEN, LIN_XUE, MA_CHAO, ZHANG_WEI
from tests.makers_demo import ENGLISH, permission
from tests.scenario.conftest import Change, Opens, Stage
from tests.scenario.test_breaking_glass import let_through
from tests.scenario.test_chats import a_group, joins, opened, settled
from tests.scenario.test_freezes import frozen
from tests.scenario.test_grants import grants_of
from tests.scenario.test_lists import TWO, articles, parts, the_list
from tests.scenario.test_observed import known, tags
from tests.scenario.test_rule_changes import LOOSER, edit, in_force, menwei, proposed, version_of
from workflows.model import Containment, Request, State, TicketState

MAY_TAG = permission("customer.tag", "allow = 2, approval = 1")
MAY_TRANSFER = permission("customer.transfer", "allow = 4, approval = 2")
MAY_EXPORT = permission("customer.export", "allow = 5, approval = 2")
AT_ONCE: Change = ('undo_window    = "60s"', 'undo_window    = "0s"')
TRAINEE, SELLER, LEAD, DIRECTOR = "zhouxiaomei", "sunlei", "wangfang", "liqiang"
ADMIN, OTHER = "zhaomin", "chenyu"
BUSY = -1


async def befriended(stage: Stage, userid: str, *externals: str) -> None:
    for external in externals:
        stage.simulator.world.member_adds_customer(userid, external)
    await stage.quiet()


async def agreed(stage: Stage, userid: str, said: str, approver: str = LEAD) -> Request:
    """Let a member ask for something and somebody agree by card; return the request."""
    await stage.say(userid, said)
    card = await stage.card(approver)
    request = await stage.newest(userid)
    await stage.press(approver, card, "approve")
    return request


async def regretted(stage: Stage, userid: str, request: Request, said: str = "反悔 {id}") -> None:
    await stage.say(userid, said.format(id=request.id))
    await stage.hears(userid, f"已收回对 {request.id}")
    await stage.quiet()


def marked(stage: Stage) -> int:
    """Return how often WeCom was asked to change tags by request."""
    return len(stage.simulator.called("externalcontact/mark_tag"))


async def test_who_leaves_the_id_out_is_told_what_can_still_be_taken_back(stage: Stage) -> None:
    await stage.say(LEAD, "反悔")
    await stage.hears(LEAD, "没有可以“反悔”的申请")
    request = await agreed(stage, TRAINEE, "加 张伟 明达贸易 13800001234 展会认识")
    await stage.hears(LEAD, "已同意")
    await stage.say(TRAINEE, "反悔")
    await stage.hears(TRAINEE, "没有可以“反悔”的申请")

    await stage.say(LEAD, "反悔")

    await stage.hears(LEAD, f"用法：反悔 {request.id}")
    await stage.hears(LEAD, f"{request.id} 周小美 申请：张伟")
    assert (await stage.request(request.id)).state is not State.REVOKED
    stage.clock.move(seconds=61)
    await stage.say(LEAD, "反悔")
    await stage.until(
        lambda: stage.heard(LEAD),
        lambda _: stage.times_told(LEAD, "没有可以“反悔”的申请") == 2,
        "too late",
    )


# What WeCom does not give back is held for a minute


async def a_tag(opens: Opens, *changes: Change) -> tuple[Stage, Request]:
    """Have the trainee's wish for a tag approved and held back."""
    stage = await opens(MAY_TAG, *changes)
    await befriended(stage, TRAINEE, ZHANG_WEI)
    await stage.press(LEAD, await stage.card(LEAD, "张伟"), "approve")
    await tags_gone(stage)
    await stage.say(TRAINEE, "打标签 张伟 潜在")
    await stage.press(LEAD, await stage.card(LEAD, "改标签"), "approve")
    return stage, await stage.held(TRAINEE)


async def tags_gone(stage: Stage) -> None:
    await stage.until(
        lambda: stage.relation(TRAINEE, ZHANG_WEI), lambda it: it and not it["tags"], "no mark"
    )


async def test_a_tag_that_was_approved_by_mistake_is_never_put_on(opens: Opens) -> None:
    stage, request = await a_tag(opens)
    told = await stage.hears(TRAINEE, f"申请 {request.id}（张伟 +潜在）将在")
    assert "执行，在那之前审批人还可以反悔" in told["text"]
    await stage.hears(LEAD, f"点错了？60 秒内可发送：反悔 {request.id}")
    before = marked(stage)

    await regretted(stage, LEAD, request)

    await stage.hears(TRAINEE, f"申请 {request.id}（张伟 +潜在）的同意已由 王芳 收回，不会执行")
    stage.clock.move(minutes=5)
    await stage.say(LEAD, f"反悔 {request.id}")
    await stage.hears(LEAD, f"{request.id} 已处理：已收回")
    await stage.quiet()
    assert marked(stage) == before
    assert (await stage.request(request.id)).state is State.REVOKED
    assert len(await stage.records(request.id, "request.undone")) == 1
    assert await stage.records(request.id, "tagging.ordered") == []

    await stage.say(TRAINEE, f"重提 {request.id}")
    await stage.press(LEAD, await stage.card(LEAD, "改标签"), "approve")
    await stage.nobody_regrets(TRAINEE)
    await tags(stage, TRAINEE, ZHANG_WEI, "潜在")


async def test_what_is_held_back_is_carried_out_after_a_restart_and_then_stands(
    opens: Opens,
) -> None:
    stage, request = await a_tag(opens)
    await stage.quiet()
    await stage.stop()
    stage.clock.move(seconds=61)
    assert (await stage.request(request.id)).state is State.APPROVED

    await stage.start()

    await tags(stage, TRAINEE, ZHANG_WEI, "潜在")
    await stage.say(LEAD, f"反悔 {request.id}")
    await stage.hears(LEAD, f"{request.id} 的反悔时间已过")
    assert (await stage.request(request.id)).state is State.EXECUTED


async def test_the_requester_may_withdraw_what_is_held_back(opens: Opens) -> None:
    stage, request = await a_tag(opens)
    before = marked(stage)

    await stage.say(TRAINEE, f"撤回 {request.id}")

    await stage.hears(TRAINEE, f"申请 {request.id}（张伟 +潜在）已撤回")
    stage.clock.move(minutes=5)
    await stage.quiet()
    assert marked(stage) == before
    assert (await stage.request(request.id)).state is State.REVOKED


async def test_a_freeze_that_begins_meanwhile_stops_what_is_held_back(opens: Opens) -> None:
    stage, request = await a_tag(opens)
    before = marked(stage)
    await frozen(stage)

    await stage.nobody_regrets(TRAINEE)

    await stage.hears(TRAINEE, f"申请 {request.id}（张伟 +潜在）的同意已由")
    await stage.quiet()
    assert marked(stage) == before
    assert (await stage.request(request.id)).state is State.REVOKED


async def tried(stage: Stage, path: str) -> None:
    """Have WeCom be busy when what was held back is ordered, and wait for the first try."""
    stage.simulator.faults.fail(path, BUSY, times=9)
    before = len(stage.simulator.called(path))
    stage.clock.move(seconds=61)

    async def tries() -> int:
        return len(stage.simulator.called(path)) - before

    await stage.until(tries, lambda count: count, "the first try")


async def frozen_over(stage: Stage, request: Request) -> None:
    """Freeze everything, let WeCom answer again, and wait until the request is stopped."""
    await frozen(stage)
    stage.simulator.faults.clear()
    stage.clock.move(minutes=15)
    await stage.until(
        lambda: stage.request(request.id), lambda it: it.state is State.REVOKED, "it is stopped"
    )
    await stage.hears(request.requester.userid, f"申请 {request.id}")
    await stage.quiet()


def files(stage: Stage, userid: str) -> int:
    chat = stage.simulator.world.state.chats.get(userid, [])
    return sum(each.kind == "file" for each in chat)


@pytest.mark.parametrize(
    ("change", "said", "path"),
    [
        (MAY_TRANSFER, "转移 张伟 给 李强", "externalcontact/transfer_customer"),
        (MAY_EXPORT, "导出客户", "media/upload"),
    ],
)
async def test_a_freeze_stops_what_is_ordered_and_not_done(
    opens: Opens, change: Change, said: str, path: str
) -> None:
    stage = await opens(change)
    await befriended(stage, SELLER, ZHANG_WEI)
    request = await agreed(stage, SELLER, said)
    await stage.held(SELLER)
    await tried(stage, path)

    await frozen_over(stage, request)

    assert stage.simulator.world.state.transfers == []
    assert files(stage, SELLER) == 0


async def test_a_freeze_stops_a_tag_that_is_ordered_and_not_put_on(opens: Opens) -> None:
    stage, request = await a_tag(opens)
    await tried(stage, "externalcontact/mark_tag")

    await frozen_over(stage, request)

    assert (await stage.relation(TRAINEE, ZHANG_WEI) or {})["tags"] == []


async def test_what_was_given_up_before_a_freeze_is_not_replayed_under_it(opens: Opens) -> None:
    stage = await opens(MAY_EXPORT)
    await befriended(stage, SELLER, ZHANG_WEI)
    request = await agreed(stage, SELLER, "导出客户")
    stage.simulator.faults.fail("media/upload", 40004)
    await stage.nobody_regrets(SELLER)
    await stage.hears(SELLER, "执行失败")
    await stage.quiet()
    await frozen(stage)

    await stage.say(ADMIN, "重放 全部")

    await stage.hears(ADMIN, "1 件会重新再试")
    await stage.quiet()
    assert files(stage, SELLER) == 0
    assert (await stage.request(request.id)).state is State.REVOKED


async def test_what_an_admin_allows_under_a_freeze_is_carried_out(opens: Opens) -> None:
    stage = await opens(MAY_EXPORT)
    await befriended(stage, SELLER, ZHANG_WEI)
    await stage.say(SELLER, "导出客户")
    await stage.card(LEAD)
    request = await stage.newest(SELLER)
    await frozen(stage)

    await let_through(stage, request.id)

    await stage.until(
        lambda: stage.request(request.id), lambda it: it.state is State.EXECUTED, "it is sent"
    )
    assert files(stage, SELLER) == 1


async def test_without_a_window_it_is_carried_out_at_once(opens: Opens) -> None:
    stage = await opens(MAY_TAG, AT_ONCE)
    await befriended(stage, TRAINEE, ZHANG_WEI)
    await stage.press(LEAD, await stage.card(LEAD, "张伟"), "approve")
    await tags_gone(stage)

    await stage.say(TRAINEE, "打标签 张伟 潜在")
    await stage.press(LEAD, await stage.card(LEAD, "改标签"), "approve")

    await tags(stage, TRAINEE, ZHANG_WEI, "潜在")
    request = await stage.newest(TRAINEE)
    assert stage.times_told(LEAD, "点错了？") == 0
    await stage.say(LEAD, f"反悔 {request.id}")
    await stage.hears(LEAD, f"{request.id} 的反悔时间已过")


async def test_a_transfer_that_is_taken_back_never_reaches_wecom(opens: Opens) -> None:
    stage = await opens(MAY_TRANSFER)
    await befriended(stage, SELLER, ZHANG_WEI)
    request = await agreed(stage, SELLER, "转移 张伟 给 李强")
    await stage.held(SELLER)

    await regretted(stage, LEAD, request, "撤回 {id}")

    stage.clock.move(minutes=5)
    await stage.quiet()
    assert stage.simulator.called("externalcontact/transfer_customer") == []


async def test_a_file_that_is_taken_back_is_not_even_made(opens: Opens) -> None:
    stage = await opens(MAY_EXPORT)
    await befriended(stage, SELLER, ZHANG_WEI)
    request = await agreed(stage, SELLER, "导出客户")
    await stage.held(SELLER)

    await regretted(stage, LEAD, request)

    stage.clock.move(minutes=5)
    await stage.quiet()
    assert stage.simulator.called("media/upload") == []
    assert await stage.records(request.id, "export.built") == []


async def test_a_transfer_is_taken_back_in_english(opens: Opens) -> None:
    stage = await opens(ENGLISH, MAY_TRANSFER)
    stage.simulator.world.create_customer(Customer("wmJohn", "John Smith"))
    await befriended(stage, SELLER, "wmJohn")
    await stage.say(SELLER, "transfer John Smith to liqiang because he moves")
    await stage.say(LEAD, f"approve {(await wanted(stage)).id}")
    request = await stage.held(SELLER)
    await stage.hears(SELLER, f"Request {request.id} (John Smith) will be carried out at")
    await stage.hears(LEAD, f"Within 60 seconds you can send: undo {request.id}")

    await stage.say(LEAD, f"undo {request.id}")

    await stage.hears(LEAD, f"Your approval of {request.id} (John Smith) is taken back")
    await stage.hears(SELLER, f"王芳 took back the approval of request {request.id}")
    stage.clock.move(minutes=5)
    await stage.quiet()
    assert stage.simulator.called("externalcontact/transfer_customer") == []


async def wanted(stage: Stage) -> Request:
    await stage.card(LEAD, "John Smith")
    return await stage.newest(SELLER)


async def test_several_that_were_approved_together_are_taken_back_one_by_one(
    stage: Stage,
) -> None:
    for ask in ("加 张伟 明达贸易 13800001234 展会认识", "加 李明 启航科技 13800002345 展会认识"):
        await stage.say(TRAINEE, ask)
        await stage.card(LEAD, ask.split()[1])
    last = await stage.newest(TRAINEE)
    await stage.say(LEAD, f"同意 {last.id} 同类")
    await stage.hears(LEAD, "回复“确认”执行")
    await stage.say(LEAD, "确认")
    await stage.hears(LEAD, "60 秒内可逐个发送：反悔 编号")

    await regretted(stage, LEAD, last)

    [open_] = await stage.db.read(lambda tx: tx.tickets.open_of(TRAINEE))
    assert open_.request_id != last.id


# What can be undone is done at once


async def test_a_permission_that_was_lent_ends_again(stage: Stage) -> None:
    request = await agreed(stage, TRAINEE, "申请权限 添加客户 3天 展会顶班")
    await stage.hears(TRAINEE, "您获得了临时权限：添加客户")
    await stage.hears(LEAD, f"反悔 {request.id}")

    await regretted(stage, LEAD, request)

    await stage.hears(TRAINEE, "的同意已由 王芳 收回，临时授权已取消")
    assert await grants_of(stage) == []
    await stage.say(TRAINEE, "加 张伟 明达贸易 13800001234 展会认识")
    await stage.card(LEAD, "张伟")  # as before she may not do it alone


async def test_a_longer_permission_that_is_taken_back_leaves_the_shorter_one(
    stage: Stage,
) -> None:
    await stage.say(LEAD, "授权 周小美 添加客户 1天 展会顶班")
    await stage.hears(TRAINEE, "您获得了临时权限：添加客户")
    [shorter] = await grants_of(stage)
    request = await agreed(stage, TRAINEE, "申请权限 添加客户 3天 展会顶班")
    await stage.hears(LEAD, f"反悔 {request.id}")
    assert [each.id for each in await grants_of(stage)] != [shorter.id]

    await regretted(stage, LEAD, request)

    assert await grants_of(stage) == [shorter]


async def test_what_was_frozen_is_frozen_again_until_its_old_end(stage: Stage) -> None:
    freeze = await frozen(stage)
    request = await agreed(stage, ADMIN, f"解冻 {freeze.id}", OTHER)
    await stage.hears(SELLER, "冻结已结束")
    await stage.say(SELLER, "加 张伟 明达贸易 13800001234 展会认识")
    await stage.hears(SELLER, "张伟 的通行码", kind="news")

    await regretted(stage, OTHER, request)

    await stage.hears(ADMIN, f"解除冻结 {freeze.id} 的同意已收回，继续冻结：全部操作")
    assert await stage.db.read(lambda tx: tx.freezes.open()) == [freeze]

    async def tickets() -> bool:
        return not await stage.db.read(lambda tx: tx.tickets.open_of(SELLER))

    await stage.until(tickets, bool, "the ticket of the moment in between is void")
    stage.clock.move(days=1)
    await stage.hears(ADMIN, f"冻结 {freeze.id}")


async def test_an_add_that_has_happened_is_held_again_and_decided_anew(stage: Stage) -> None:
    stage.simulator.world.member_adds_customer(TRAINEE, MA_CHAO)
    await stage.press(LEAD, await stage.card(LEAD, "马超"), "approve")
    request = await stage.newest(TRAINEE)
    await stage.hears(LEAD, f"反悔 {request.id}")
    await stage.quiet()

    await regretted(stage, LEAD, request)

    await stage.hears(TRAINEE, f"马超（{request.id}）的同意已由 王芳 收回，会重新审批")
    await tags(stage, TRAINEE, MA_CHAO, "待审批")
    card = await stage.card(LEAD, "马超")
    assert request.id not in str(card)
    assert (await known(stage, TRAINEE, MA_CHAO)).containment is Containment.PENDING
    await stage.press(LEAD, card, "deny", "r1")
    await tags(stage, TRAINEE, MA_CHAO, "违规添加")


async def test_where_a_refusal_was_appealed_against_it_stands_again(stage: Stage) -> None:
    stage.simulator.world.member_adds_customer(TRAINEE, LIN_XUE)
    await stage.press(LEAD, await stage.card(LEAD, "林雪"), "deny", "r1")
    refused = await stage.newest(TRAINEE)
    await tags(stage, TRAINEE, LIN_XUE, "违规添加")
    await stage.say(TRAINEE, f"申诉 {refused.id} 客户主动找我")
    await stage.press(DIRECTOR, await stage.card(DIRECTOR, "申诉"), "approve")
    await stage.hears(TRAINEE, "标记已解除")
    appeal = await stage.newest(TRAINEE)
    await stage.quiet()

    await regretted(stage, DIRECTOR, appeal)

    await stage.hears(TRAINEE, "同意已由 李强 收回，原来的拒绝仍然有效")
    await tags(stage, TRAINEE, LIN_XUE, "违规添加")
    assert (await known(stage, TRAINEE, LIN_XUE)).containment is Containment.DENIED


@pytest.mark.parametrize("action", ["friend.delete", "customer.edit"])
async def test_what_a_member_did_is_put_to_the_supervisor_once_more(
    opens: Opens, action: str
) -> None:
    stage = await opens(permission(action, "allow = 4, approval = 1"))
    await befriended(stage, SELLER, ZHANG_WEI)
    if action == "friend.delete":
        stage.simulator.world.member_deletes_customer(SELLER, ZHANG_WEI)
    else:
        stage.simulator.world.member_edits(SELLER, ZHANG_WEI, remark="张总")
    await stage.press(LEAD, await stage.card(LEAD, "张伟"), "approve")
    await stage.hears(LEAD, "60 秒内可发送：反悔")
    request = await stage.newest(SELLER)
    assert request.action == action

    await regretted(stage, LEAD, request)

    await stage.hears(SELLER, f"张伟（{request.id}）的同意已由 王芳 收回，会重新审批")
    card = await stage.card(LEAD, "张伟")
    anew = await stage.newest(SELLER)
    assert (anew.action, anew.state, anew.id in str(card)) == (action, State.PENDING, True)


async def test_somebody_in_a_group_is_decided_on_anew(opens: Opens) -> None:
    stage = await opened(opens)
    group = await a_group(stage)
    stage.simulator.world.join_group(group.chat_id, HE_CHEN, by_code=True)
    await settled(stage)
    await stage.press(DIRECTOR, await stage.card(DIRECTOR, "何晨"), "approve")
    (request,) = await joins(stage)
    await stage.hears(DIRECTOR, f"反悔 {request.id}")

    await regretted(stage, DIRECTOR, request)

    async def later() -> list[Request]:
        return [each for each in await joins(stage) if each.id != request.id]

    (anew,) = await stage.until(later, lambda it: it, "a new request")
    assert anew.state is State.PENDING
    await stage.say(DIRECTOR, f"拒绝 {anew.id} 不认识此人")
    await stage.hears(LEAD, "何晨 不能留在客户群“新品交流群”里")


async def test_of_a_list_the_unused_tickets_are_void_and_the_used_ones_named(
    stage: Stage,
) -> None:
    request = await agreed(stage, SELLER, f"批量加\n{TWO}")
    await stage.hears(LEAD, f"反悔 {request.id}")
    await the_list(stage, SELLER, State.EXECUTED)
    await stage.quiet()
    assert len(articles(stage, SELLER)) == 2
    made = await parts(stage, request)
    used = await stage.db.read(lambda tx: tx.tickets.of_request(made["张伟"].id))
    assert used is not None
    stage.simulator.world.customer_scans(ZHANG_WEI, used.config_id)
    await stage.hears(SELLER, "已通过通行码添加您")

    await regretted(stage, LEAD, request)

    for who in (SELLER, LEAD):
        told = await stage.hears(who, f"名单 {request.id} 的同意已收回，但有 1 位客户")
        assert f"张伟 {made['张伟'].id}" in told["text"]
    left = await stage.db.read(lambda tx: tx.tickets.of_request(made["林雪"].id))
    assert left is not None
    assert left.state is TicketState.REVOKED


async def test_rules_that_were_approved_by_mistake_are_out_of_force_again(stage: Stage) -> None:
    before = await in_force(stage)
    new = await version_of(stage, LOOSER)
    await menwei(stage, "apply", new, "--by", ADMIN, "--reason", "旺季", "--yes")
    request = await proposed(stage)
    await stage.press(OTHER, await stage.card(OTHER, "赵敏 提出修改规则"), "approve")
    await stage.hears(OTHER, f"反悔 {request.id}")
    await stage.hears(OTHER, "新规则已生效")
    assert await in_force(stage) != before

    await regretted(stage, OTHER, request)

    assert await in_force(stage) == before
    await stage.hears(ADMIN, f"修改规则的申请 {request.id}")
    await stage.hears(ADMIN, "已把规则退回到")
    await stage.say(TRAINEE, "加 林雪 13900005678 展会认识")
    await stage.card(LEAD, "林雪")


async def test_rules_that_have_moved_on_are_not_taken_back(stage: Stage) -> None:
    new = await version_of(stage, LOOSER)
    await menwei(stage, "apply", new, "--by", ADMIN, "--reason", "旺季", "--yes")
    request = await proposed(stage)
    await stage.press(OTHER, await stage.card(OTHER, "赵敏 提出修改规则"), "approve")
    await stage.hears(OTHER, "新规则已生效")
    edit(stage, ("allow = 2, approval = 1", "allow = 3, approval = 1"))
    await stage.until(
        lambda: stage.db.read(lambda tx: tx.policies.history(9)), lambda it: len(it) > 2, "an edit"
    )

    await stage.say(OTHER, f"反悔 {request.id}")

    await stage.hears(OTHER, f"{request.id} 之后规则又改过，不能反悔")


# Who may


@pytest.mark.parametrize("who", [SELLER, DIRECTOR])
async def test_only_whoever_decided_takes_it_back(opens: Opens, who: str) -> None:
    stage = await opens(MAY_TRANSFER)
    await befriended(stage, SELLER, ZHANG_WEI, LIN_XUE)
    request = await agreed(stage, SELLER, "转移 张伟 给 周小美")
    await stage.held(SELLER)

    await stage.say(who, f"反悔 {request.id}")

    await stage.hears(who, f"{request.id} 是由 王芳 决定的")
    await stage.nobody_regrets(SELLER)
    await stage.hears(SELLER, "企业微信已受理")


async def test_whoever_stood_in_takes_back_what_they_decided(opens: Opens) -> None:
    stage = await opens(MAY_TRANSFER)
    await befriended(stage, SELLER, ZHANG_WEI)
    await stage.say(LEAD, "请假 3天 给 李强")
    await stage.hears(LEAD, "您的审批由 李强 代办")
    request = await agreed(stage, SELLER, "转移 张伟 给 周小美", DIRECTOR)
    await stage.held(SELLER)

    await regretted(stage, DIRECTOR, request)

    assert (await stage.request(request.id)).state is State.REVOKED


async def test_nobody_takes_back_what_was_approved_in_advance_and_it_is_not_held(
    opens: Opens,
) -> None:
    stage = await opens(permission("customer.tag", "allow = 3, approval = 2"))
    await befriended(stage, SELLER, ZHANG_WEI, LIN_XUE)
    await stage.say(SELLER, "打标签 张伟 潜在")
    await stage.card(LEAD, "张伟")
    first = await stage.newest(SELLER)
    await stage.say(LEAD, f"免批 {first.id} 3天 5次")
    await stage.nobody_regrets(SELLER)
    await stage.hears(SELLER, "标签已改好：张伟")

    await stage.say(SELLER, "打标签 林雪 潜在")

    await stage.hears(SELLER, "标签已改好：林雪")
    second = await stage.newest(SELLER)
    await stage.say(LEAD, f"反悔 {second.id}")
    await stage.hears(LEAD, f"{second.id} 是由")
