"""Approved lists: lines left out, every other line carried out once, and lists on their way."""

from __future__ import annotations

from collections import Counter

from bot.simulator.seed import LIU_JIANGUO
from tests.scenario.conftest import Opens, Stage
from tests.scenario.test_lists import TWO, all_of, articles, carried_out, lines, parts, the_list
from tests.scenario.test_restart import again
from workflows.model import State

WAYS = "externalcontact/add_contact_way"


# Leaving out lines


async def test_an_approver_may_leave_out_lines_which_are_refused_and_told(stage: Stage) -> None:
    await stage.say("sunlei", f"批量加\n{lines(4)}")
    await stage.card("wangfang")
    request = await the_list(stage, "sunlei")

    await stage.say("wangfang", f"同意 {request.id} 除 2 4")

    await stage.hears("wangfang", f"已同意 孙磊 的名单（{request.id}）中的 2 位，第 2、4 行除外")
    made = await carried_out(stage, "sunlei")
    assert {name: each.state.value for name, each in made.items()} == {
        "王总": "executed", "李总": "denied", "张总": "executed", "刘总": "denied",
    }  # fmt: skip
    assert made["李总"].decided_by == "user:wangfang"
    told = (await stage.hears("sunlei", "以下客户没有通行码"))["text"]
    assert f"第 2 行 李总：王芳 没有同意（{made['李总'].id}）" in told
    assert "第 4 行 刘总：王芳 没有同意" in told
    assert len(articles(stage, "sunlei")) == 2
    (vote,) = (await stage.request(request.id)).votes
    assert vote.left_out == (2, 4)


async def test_what_one_approver_leaves_out_stays_out(stage: Stage) -> None:
    stage.simulator.world.member_edits("liqiang", LIU_JIANGUO, mobiles=["13811112222"])
    await stage.quiet()
    await stage.say("sunlei", f"批量加\n{lines(2)}\n刘总 恒远集团 13811112222 展会认识")
    await stage.card("wangfang", "第 1/2 步")
    request = await the_list(stage, "sunlei")
    await stage.say("wangfang", f"同意 {request.id} 除 1")
    card = await stage.card("liqiang", "第 2/2 步")
    assert "2 位" in str(card["card"]["horizontal_content_list"])

    await stage.say("liqiang", f"同意 {request.id} 除 2、3")
    await stage.hears("liqiang", "一行都不剩了")
    await stage.press("liqiang", card, "approve")

    made = await carried_out(stage, "sunlei")
    assert {name: each.state.value for name, each in made.items()} == {
        "王总": "denied", "李总": "executed", "刘总": "executed",
    }  # fmt: skip


async def test_an_exception_that_nobody_can_read_counts_as_no_vote(stage: Stage) -> None:
    await stage.say("sunlei", f"批量加\n{lines(3)}")
    await stage.card("wangfang")
    request = await the_list(stage, "sunlei")

    await stage.say("wangfang", f"同意 {request.id} 除了李总")
    await stage.hears("wangfang", "没看清要去掉")
    await stage.say("wangfang", f"同意 {request.id} 除 7")
    await stage.hears("wangfang", "没有第 7 行")
    await stage.say("sunlei", f"同意 {request.id} 除 2")
    await stage.hears("sunlei", "是您自己的申请")

    assert (await stage.request(request.id)).votes == ()


async def test_of_another_request_lines_cannot_be_left_out(stage: Stage) -> None:
    await stage.say("zhouxiaomei", "加 马超 蓝天公司 13800007777 展会认识")
    await stage.card("wangfang")
    request = await stage.newest("zhouxiaomei")

    await stage.say("wangfang", f"同意 {request.id} 除 3 5")
    await stage.hears("wangfang", "不是名单")
    await stage.say("wangfang", f"同意 {request.id} 除了价格都谈好了")

    await stage.hears("zhouxiaomei", "通行码", kind="news")


# Carrying out


async def test_fifty_lines_are_carried_out_once_each_however_often_it_is_restarted(
    stage: Stage,
) -> None:
    stage.simulator.faults.delay(WAYS, 0.05, times=1000)
    await stage.say("sunlei", f"批量加\n{lines(50)}")
    await stage.press("wangfang", await stage.card("wangfang", "50 位"), "approve")
    ways = stage.simulator.world.state.ways

    async def count() -> int:
        return len(ways)

    for least in (1, 12, 30):
        await stage.until(count, least.__le__, f"{least} tickets are made")
        await stage.stop()
        await stage.start()

    found = await carried_out(stage, "sunlei")
    await stage.quiet()

    assert Counter(part.state for part in found.values()) == {State.EXECUTED: 50}
    assert Counter(way.remark for way in ways.values()) == {p.id: 1 for p in found.values()}
    titles = articles(stage, "sunlei")
    assert len(set(titles)) == len(titles) == 50
    news = [m for m in stage.chat("sunlei") if m.kind == "news"]
    assert [len(m.articles) for m in news].count(8) == 6
    assert stage.simulator.world.state.dropped == []


async def test_tickets_that_cannot_be_made_are_told_together_and_tried_again(stage: Stage) -> None:
    stage.simulator.faults.fail(WAYS, 84074, times=2)
    await stage.say("sunlei", f"批量加\n{lines(3)}")
    await stage.press("wangfang", await stage.card("wangfang"), "approve")

    told = (await stage.hears("sunlei", "这些客户的通行码没有生成"))["text"]
    await stage.quiet()
    request = await the_list(stage, "sunlei", State.EXECUTED)
    made = await parts(stage, request)
    failed = [part for part in made.values() if part.state is State.EXECUTION_FAILED]
    assert len(failed) == 2
    assert all(part.id in told for part in failed)
    assert stage.times_told("sunlei", "执行失败") == 0
    assert len(articles(stage, "sunlei")) == 1

    stage.simulator.faults.fail(WAYS, 84074)
    await stage.say("sunlei", f"重提 {failed[0].id}")
    await stage.hears(
        "sunlei", f"申请 {failed[0].id}（{failed[0].claim.name}）又试了一次，仍执行失败"
    )

    for part in failed:
        await stage.say("sunlei", f"重提 {part.id}")
    await stage.until(
        lambda: stage.heard("sunlei"), lambda _: len(articles(stage, "sunlei")) == 3, "all tickets"
    )


async def test_a_list_of_which_no_ticket_could_be_made_is_tried_again_when_it_is_sent_again(
    stage: Stage,
) -> None:
    stage.simulator.faults.fail(WAYS, 84074, times=2)
    await stage.say("sunlei", f"批量加\n{TWO}")
    await stage.press("wangfang", await stage.card("wangfang"), "approve")
    await stage.hears("sunlei", "所有通行码都没有生成")

    await stage.say("sunlei", f"批量加\n{TWO}")

    await stage.hears("sunlei", "2 个通行码没有生成，正在重试")
    made = await carried_out(stage, "sunlei")
    assert Counter(part.state for part in made.values()) == {State.EXECUTED: 2}
    assert len(articles(stage, "sunlei")) == 2


# On its way


async def test_the_same_list_again_joins_the_first_and_other_words_take_its_place(
    stage: Stage,
) -> None:
    await stage.say("sunlei", f"批量加\n{TWO}")
    await stage.card("wangfang")
    first = await the_list(stage, "sunlei")

    await stage.say("sunlei", f"批量加\n{TWO}")
    await stage.hears("sunlei", f"这份名单已经提交过：{first.id}（待审批）")
    await stage.say("sunlei", "批量加\n" + TWO.replace("展会认识", "同学介绍"))

    await stage.card("wangfang", "同学介绍")
    assert (await stage.request(first.id)).state is State.SUPERSEDED
    second = await the_list(stage, "sunlei", State.PENDING)
    await stage.say("sunlei", f"批量加\n{TWO}\n{lines(2)}")
    told = (await stage.hears("sunlei", f"已在名单 {second.id} 里"))["text"]
    assert "：2 位客户。" in told


async def test_a_list_can_be_withdrawn_and_submitted_again(stage: Stage) -> None:
    await stage.say("sunlei", f"批量加\n{TWO}")
    await stage.card("wangfang")
    request = await the_list(stage, "sunlei")

    await stage.say("sunlei", f"撤回 {request.id}")
    await stage.hears("wangfang", "已撤回", kind="card")
    await stage.say("sunlei", f"重提 {request.id}")

    second = await the_list(stage, "sunlei", State.PENDING)
    assert second.plan == request.plan
    assert await stage.db.read(lambda tx: tx.tickets.open_of("sunlei")) == []


async def test_what_is_made_of_a_leavers_list_is_taken_back(stage: Stage) -> None:
    stage.simulator.faults.delay(WAYS, 0.2, times=1000)
    await stage.say("sunlei", f"批量加\n{lines(40)}")
    await stage.press("wangfang", await stage.card("wangfang"), "approve")
    ways = stage.simulator.world.state.ways

    async def count() -> int:
        return len(ways)

    await stage.until(count, (1).__le__, "the first ticket is made")
    stage.simulator.faults.http_500(WAYS, times=1000)  # and the last one waits for its turn
    stage.simulator.world.member_leaves("sunlei")
    await stage.simulator.idle()
    stage.clock.move(seconds=10)

    await the_list(stage, "sunlei", State.REVOKED)
    await stage.quiet()
    await stage.until(count, (0).__eq__, "every contact way is deleted")
    assert await stage.db.read(lambda tx: tx.tickets.open_of("sunlei")) == []
    found = await parts(stage, await the_list(stage, "sunlei"))
    assert State.APPROVED not in {part.state for part in found.values()}


async def test_a_list_nobody_decides_on_expires_as_refused(stage: Stage) -> None:
    await stage.say("sunlei", f"批量加\n{TWO}")
    await stage.card("wangfang")
    await stage.quiet()
    stage.clock.move(hours=9)

    await stage.hears("sunlei", "按拒绝处理")
    request = await the_list(stage, "sunlei", State.EXPIRED)
    assert await parts(stage, request) == {}


async def test_a_pending_list_is_judged_again_line_by_line_when_the_rules_tighten(
    opens: Opens,
) -> None:
    stage = await opens(("{ approval = 5 }", "{ allow = 5 }"))
    await stage.say("sunlei", f"批量加\n{TWO}")
    await stage.card("wangfang")
    first = await the_list(stage, "sunlei")

    await again(stage, ('["竞品甲", "竞品乙"] },\n]', '["竞品甲", "竞品乙", "恒远公司"] },\n]'))

    await stage.hears("sunlei", f"规则已变严，申请 {first.id}")
    await stage.say("sunlei", f"重提 {first.id}")
    told = (await stage.hears("sunlei", "第 2 行 林雪：不能添加"))["text"]
    assert "：1 位客户。" in told


async def test_of_a_list_that_is_tried_again_too_late_every_line_is_asked_for_anew(
    stage: Stage,
) -> None:
    stage.simulator.faults.fail(WAYS, 84074, times=2)
    await stage.say("sunlei", f"批量加\n{TWO}")
    await stage.press("wangfang", await stage.card("wangfang"), "approve")
    await stage.hears("sunlei", "所有通行码都没有生成")
    await stage.quiet()
    request = await the_list(stage, "sunlei", State.EXECUTION_FAILED)
    stage.clock.move(hours=73)

    await stage.say("sunlei", f"批量加\n{TWO}")

    for name in ("张伟", "林雪"):
        await stage.hears("sunlei", f"可以添加 {name}")
    await stage.quiet()
    old = await parts(stage, request)
    assert {each.state for each in old.values()} == {State.REVOKED}
    new = [each for each in await all_of(stage, "sunlei") if each.state is State.EXECUTED]
    assert {each.claim.name for each in new if each.action == "friend.add"} == {"张伟", "林雪"}
    assert stage.times_told("sunlei", "正在重试") == 0
