"""Lists of customers: read and judged line by line, approved once, carried out in full."""

from __future__ import annotations

from collections import Counter

from bot.simulator.seed import LIU_JIANGUO, ZHANG_WEI
from storage.transaction import Transaction
from tests.scenario.conftest import Change, Opens, Stage
from tests.scenario.test_restart import again
from workflows.model import Request, State, TicketState

CAP_OF_FIVE: Change = ("when.today.adds.gte = 50", "when.today.adds.gte = 5")
TWO = "张伟 明达贸易公司 13800001234 展会认识\n林雪 恒远公司 13900005678 老客户介绍"


SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢"
    "宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚"
)


def lines(count: int) -> str:
    """Return so many lines, each with a customer of its own: 王总, 李总, 张总, …"""
    return "\n".join(
        f"{name}总 第{n:02}公司 138000000{n:02} 展会认识"
        for n, name in enumerate(SURNAMES[:count], 1)
    )


async def all_of(stage: Stage, userid: str) -> list[Request]:
    return await stage.db.read(lambda tx: tx.requests.by_requester(userid, 200))


async def the_list(stage: Stage, userid: str, state: State | None = None) -> Request:
    """Wait for a member's newest list, in a state if one is given."""

    async def look() -> list[Request]:
        found = await all_of(stage, userid)
        return [r for r in found if r.action == "friend.add_bulk" and state in (None, r.state)]

    found: list[Request] = await stage.until(look, lambda it: it, f"a list of {userid} is {state}")
    return found[0]


async def parts(stage: Stage, request: Request) -> dict[str, Request]:
    """Return what became of a list's lines, by the customers' names."""
    found = await stage.db.read(lambda tx: tx.lists.parts(request.id))
    return {each.claim.name: each for each in found}


async def carried_out(stage: Stage, userid: str) -> dict[str, Request]:
    """Wait until a member's newest list is done and all its tickets are sent; return its lines."""
    request = await the_list(stage, userid, State.EXECUTED)

    def kept_back(tx: Transaction) -> list[str]:
        made = [tx.tickets.of_request(part.id) for part in tx.lists.parts(request.id)]
        return [t.state_key for t in made if t and t.state is TicketState.OPEN and not t.sent]

    # The last batch may still be waiting for its turn when the list as a whole is done.
    await stage.until(lambda: stage.db.read(kept_back), lambda it: not it, "all tickets are sent")
    await stage.quiet()
    return await parts(stage, request)


def articles(stage: Stage, userid: str) -> list[str]:
    """Return the titles of all tickets a member was sent."""
    return [a["title"] for m in stage.chat(userid) if m.kind == "news" for a in m.articles]


# Asking


async def test_a_list_is_approved_once_and_every_customer_gets_a_ticket_in_one_message(
    stage: Stage,
) -> None:
    await stage.say("sunlei", f"批量加\n{TWO}")

    await stage.hears("sunlei", "2 位客户。")
    card = await stage.card("wangfang", "孙磊 申请批量添加 张伟等 2 位客户")
    shown = {row["keyname"]: row["value"] for row in card["card"]["horizontal_content_list"]}
    assert shown["人数"] == "2 位"
    assert shown["等级"] == "普通客户 2"
    await stage.press("wangfang", card, "approve")

    await stage.hears("wangfang", "已同意 孙磊 添加 张伟等 2 位客户")
    made = await carried_out(stage, "sunlei")
    assert {name: part.state for name, part in made.items()} == {
        "张伟": State.EXECUTED,
        "林雪": State.EXECUTED,
    }
    news = [m for m in stage.chat("sunlei") if m.kind == "news"]
    assert len(news) == 1
    assert [a["title"].split(" ")[0] for a in news[0].articles] == ["张伟", "林雪"]
    assert len(stage.simulator.world.state.ways) == 2


async def test_every_line_is_an_add_of_its_own_that_the_list_has_approved(stage: Stage) -> None:
    await stage.say("sunlei", f"批量加\n{TWO}")
    await stage.press("wangfang", await stage.card("wangfang"), "approve")
    made = await carried_out(stage, "sunlei")

    whole, part = await the_list(stage, "sunlei"), made["张伟"]

    assert part.decided_by == f"list:{whole.id}"
    assert part.part_of == whole.id
    assert part.verdict.outcome.word == "allow"  # its own, by its own facts
    kinds = [record.kind for record in await stage.records(part.id)]
    assert kinds == ["request.opened", "ticket.ordered", "request.executed", "ticket.issued"]
    await stage.say("sunlei", f"查 {part.id}")
    await stage.hears("sunlei", f"名单 {whole.id}：提交申请")

    code = next(c for c, w in stage.simulator.world.state.ways.items() if w.remark == part.id)
    stage.simulator.world.customer_scans(ZHANG_WEI, code)
    await stage.hears("sunlei", f"张伟 已通过通行码添加您（{part.id}），一切正常")


async def test_where_the_rules_allow_it_nobody_is_asked(stage: Stage) -> None:
    await stage.say("wangfang", f"批量加\n{TWO}")

    await stage.hears("wangfang", "可以添加名单上的 2 位客户")
    assert len(await carried_out(stage, "wangfang")) == 2
    assert stage.chat("liqiang") == []


async def test_who_may_not_is_told_why_and_nothing_is_made(opens: Opens) -> None:
    stage = await opens(('"friend.add_bulk" = { allow = 3, approval = 1 }', ""))
    await stage.say("sunlei", f"批量加\n{TWO}")

    await stage.hears("sunlei", "不能批量添加这 2 位客户")
    request = await the_list(stage, "sunlei", State.DENIED)
    await stage.quiet()
    assert await parts(stage, request) == {}
    assert len(await all_of(stage, "sunlei")) == 1


async def test_add_followed_by_several_lines_is_a_list(stage: Stage) -> None:
    await stage.say("sunlei", f"加\n{TWO}")

    await stage.hears("sunlei", "2 位客户。")


async def test_one_customer_over_several_lines_is_no_list(stage: Stage) -> None:
    await stage.say("sunlei", "加\n姓名：张伟\n公司：明达贸易\n电话：13800001234\n理由：展会认识")

    await stage.hears("sunlei", "可以添加 张伟")


async def test_without_a_list_it_is_asked_for(stage: Stage) -> None:
    await stage.say("sunlei", "批量加")
    await stage.hears("sunlei", "请把名单发来")
    await stage.say("sunlei", TWO)

    await stage.hears("sunlei", "2 位客户。")


async def test_in_english(opens: Opens) -> None:
    stage = await opens(('language = "zh-CN"', 'language = "en"'))
    await stage.say(
        "sunlei",
        "bulk add\nJohn Smith, Acme Ltd, 13800001111, met at the fair\n"
        "Jane Roe, Beta Ltd, 13800002222, recommended\nMax Doe, Gamma Ltd, 13800003333, called us",
    )
    await stage.hears("sunlei", "3 customers.")
    await stage.card("wangfang", "asks to add John Smith")
    request = await the_list(stage, "sunlei")

    await stage.say("wangfang", f"approve {request.id} except 2")

    await stage.hears("wangfang", f"You approved 2 customers on the list of 孙磊 ({request.id})")
    made = await carried_out(stage, "sunlei")
    assert {name: part.state.value for name, part in made.items()} == {
        "John Smith": "executed",
        "Jane Roe": "denied",
        "Max Doe": "executed",
    }
    await stage.hears("sunlei", "Line 2, Jane Roe: 王芳 did not agree")


# Lines that lack something


async def test_lines_that_lack_something_are_listed_and_nothing_is_filed_until_they_are_whole(
    stage: Stage,
) -> None:
    await stage.say("sunlei", f"批量加\n{TWO}\n刘总 展会认识\n马超 明达贸易公司")
    told = await stage.hears("sunlei", "名单共 4 行，其中 2 行还差一点，什么都还没有提交")
    assert "第 3 行 刘总：还差对方的手机号或公司" in told["text"]
    assert "第 4 行 马超：还差为什么要加" in told["text"]
    assert await all_of(stage, "sunlei") == []

    await stage.say("sunlei", "4 为什么要写这个？")
    await stage.quiet()
    assert stage.times_told("sunlei", "其中 2 行还差一点") == 2
    await stage.say("sunlei", "3 13811112222")
    await stage.hears("sunlei", "名单共 4 行，其中 1 行还差一点")
    await stage.say("sunlei", "展会认识")

    await stage.hears("sunlei", "4 位客户。")


async def test_continue_leaves_out_the_lines_that_lack_something(stage: Stage) -> None:
    await stage.say("sunlei", f"批量加\n{TWO}\n刘总 展会认识")
    await stage.hears("sunlei", "第 3 行 刘总：还差")
    await stage.say("sunlei", "继续")

    await stage.hears("sunlei", "2 位客户。")


async def test_an_unfinished_list_is_remembered_over_a_restart_and_forgotten_after_half_an_hour(
    stage: Stage,
) -> None:
    await stage.say("sunlei", f"批量加\n{TWO}\n刘总 展会认识")
    await stage.hears("sunlei", "第 3 行 刘总：还差")
    await again(stage)
    await stage.say("sunlei", "第3行 13811112222")
    await stage.hears("sunlei", "3 位客户。")

    await stage.say("zhouxiaomei", f"批量加\n{TWO}\n刘总 展会认识")
    await stage.hears("zhouxiaomei", "第 3 行 刘总：还差")
    stage.clock.move(minutes=31)
    await stage.say("zhouxiaomei", "继续")

    await stage.hears("zhouxiaomei", "没看懂")


async def test_more_than_fifty_lines_are_too_many(stage: Stage) -> None:
    await stage.say("sunlei", f"批量加\n{lines(51)}")

    await stage.hears("sunlei", "名单有 51 行，一次最多 50 行，什么都还没有提交")
    assert await all_of(stage, "sunlei") == []


async def test_whoever_is_on_the_list_twice_or_known_already_is_said_and_left_out(
    stage: Stage,
) -> None:
    world = stage.simulator.world
    world.member_adds_customer("sunlei", ZHANG_WEI)
    await stage.quiet()
    world.member_edits("sunlei", ZHANG_WEI, mobiles=["13800001234"])
    await stage.say("sunlei", "加 马超 蓝天公司 13800007777 展会认识")
    await stage.hears("sunlei", "通行码", kind="news")
    single = await stage.newest("sunlei")

    await stage.say(
        "sunlei", f"批量加\n{TWO}\n马超 蓝天公司 13800007777 展会认识\n{lines(1)}\n{lines(1)}"
    )

    told = (await stage.hears("sunlei", "正在等待 王芳 审批"))["text"]
    assert "：2 位客户。" in told
    assert "第 1 行 张伟：已经是您的客户" in told
    assert f"第 3 行 马超：已有申请 {single.id}" in told
    assert "第 5 行 王总：与第 4 行是同一位" in told


# Judging


async def test_a_line_that_is_refused_is_said_at_once_with_the_reason_and_can_be_asked_about(
    stage: Stage,
) -> None:
    await stage.say("sunlei", f"批量加\n{TWO}\n何晨 竞品甲公司 13811112222 展会认识")

    told = (await stage.hears("sunlei", "正在等待 王芳 审批"))["text"]
    assert "：2 位客户。" in told
    refused = next(r for r in await all_of(stage, "sunlei") if r.claim.name == "何晨")
    assert f"第 3 行 何晨：不能添加（{refused.id}）。对方是竞品公司，不能添加。" in told
    assert (refused.action, refused.state) == ("friend.add", State.DENIED)
    await stage.say("sunlei", f"为什么 {refused.id}")
    await stage.hears("sunlei", f"{refused.id} 何晨：不允许")


async def test_the_strictest_chain_of_all_lines_decides(stage: Stage) -> None:
    stage.simulator.world.member_edits("liqiang", LIU_JIANGUO, mobiles=["13811112222"])
    await stage.quiet()

    await stage.say("sunlei", f"批量加\n{TWO}\n刘总 恒远集团 13811112222 展会认识")

    card = await stage.card("wangfang", "第 1/2 步")
    rows = {row["keyname"]: row["value"] for row in card["card"]["horizontal_content_list"]}
    assert rows["等级"] == "普通客户 2、VIP 客户 1"
    assert rows["留意"] == "有同事跟进 1"
    assert "VIP 客户需要主管和总监批准" in card["card"]["sub_title_text"]
    await stage.hears("sunlei", "第 3 行 刘总：提醒，已有同事在跟进：李*")
    await stage.press("wangfang", card, "more")
    details = (await stage.hears("wangfang", "3 刘总 恒远集团 · VIP 客户 · 李强 · 展会认识"))[
        "text"
    ]
    assert details.index("3 刘总") < details.index("1 张伟")  # who stands out comes first

    await stage.press("wangfang", card, "approve")
    await stage.press("liqiang", await stage.card("liqiang", "第 2/2 步"), "approve")

    assert len(await carried_out(stage, "sunlei")) == 3


async def test_every_line_counts_for_the_daily_cap(opens: Opens) -> None:
    stage = await opens(CAP_OF_FIVE)
    await stage.say("sunlei", "加 马超 蓝天公司 13800007777 展会认识")
    await stage.hears("sunlei", "通行码", kind="news")

    await stage.say("sunlei", f"批量加\n{lines(6)}")

    told = (await stage.hears("sunlei", "正在等待 王芳 审批"))["text"]
    assert "：4 位客户。" in told
    assert "第 5 行 陈总：不能添加" in told
    assert "第 6 行 杨总：不能添加" in told


async def test_what_waits_in_a_list_is_reserved(opens: Opens) -> None:
    stage = await opens(CAP_OF_FIVE)
    await stage.say("sunlei", f"批量加\n{lines(4)}")
    await stage.card("wangfang")

    await stage.say("sunlei", "加 马超 蓝天公司 13800007777 展会认识")
    await stage.hears("sunlei", "可以添加 马超")
    await stage.say("sunlei", "加 林雪 恒远公司 13900005678 展会认识")

    await stage.hears("sunlei", "不能添加 林雪")
    await stage.say("wangfang", f"同意 {(await the_list(stage, 'sunlei')).id}")
    made = await carried_out(stage, "sunlei")
    assert Counter(part.state for part in made.values()) == {State.EXECUTED: 4}


async def test_a_line_that_needs_more_by_the_time_of_the_approval_goes_its_own_way(
    stage: Stage,
) -> None:
    await stage.say("sunlei", f"批量加\n{TWO}\n刘总 恒远集团 13811112222 展会认识")
    card = await stage.card("wangfang", "第 1/1 步")
    stage.simulator.world.member_edits("liqiang", LIU_JIANGUO, mobiles=["13811112222"])
    await stage.quiet()

    await stage.press("wangfang", card, "approve")

    await stage.hears("sunlei", "第 3 行 刘总：现在需要单独审批")
    await stage.card("wangfang", "孙磊 申请添加 刘总")
    made = await carried_out(stage, "sunlei")
    assert sorted(made) == ["张伟", "林雪"]
    assert len(articles(stage, "sunlei")) == 2


async def test_a_ticket_of_a_list_is_judged_again_when_it_is_used(stage: Stage) -> None:
    await stage.say("sunlei", f"批量加\n{TWO}")
    await stage.press("wangfang", await stage.card("wangfang"), "approve")
    part = (await carried_out(stage, "sunlei"))["张伟"]
    code = next(c for c, w in stage.simulator.world.state.ways.items() if w.remark == part.id)

    stage.simulator.world.customer_scans(LIU_JIANGUO, code)  # a colleague's VIP

    await stage.card("wangfang", "孙磊 已添加 刘建国")
