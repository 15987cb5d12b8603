"""Emergency allows: confirmed, told to everybody, done by the engine, and reviewed by another."""

from __future__ import annotations

from bot.simulator.seed import HE_CHEN, LIN_XUE, ZHANG_WEI
from tests.scenario.conftest import Change, Opens, Stage
from workflows.model import Containment, RemedyState, Request, State

TRAINEE, SELLER, LEAD = "zhouxiaomei", "sunlei", "wangfang"
ADMIN, OTHER = "zhaomin", "chenyu"
ADD = "加 张伟 明达贸易 13800001234 展会认识"
COMPETITOR = "加 何晨 竞品甲科技 13800009999 展会认识"
ENGLISH: Change = ('language = "zh-CN"', 'language = "en"')


async def waiting(stage: Stage) -> Request:
    """Have the trainee ask for approval."""
    await stage.say(TRAINEE, ADD)
    await stage.card(LEAD, "张伟")
    return await stage.newest(TRAINEE)


async def let_through(stage: Stage, request_id: str, by: str = ADMIN) -> None:
    await stage.say(by, f"紧急放行 {request_id} 客户在现场")
    await stage.hears(by, f"确认 紧急放行 {request_id}")
    await stage.say(by, f"确认 紧急放行 {request_id}")
    await stage.hears(by, "已紧急放行")


async def kinds(stage: Stage, request_id: str) -> list[str]:
    return [each.kind for each in await stage.records(request_id)]


async def test_an_admin_lets_a_waiting_request_through_and_all_are_told(stage: Stage) -> None:
    request = await waiting(stage)
    await stage.say(ADMIN, f"紧急放行 {request.id} 客户在现场")
    asked = await stage.hears(ADMIN, f"您要不经审批放行 周小美 的申请 {request.id}")
    assert f"请在 5 分钟内回复：确认 紧急放行 {request.id}" in asked["text"]
    assert (await stage.request(request.id)).state is State.PENDING

    await stage.say(ADMIN, f"确认 紧急放行 {request.id.lower()}")

    await stage.hears(TRAINEE, f"申请 {request.id}（张伟）已由管理员紧急放行。原因：客户在现场")
    await stage.hears(TRAINEE, "张伟 的通行码", kind="news")
    announced = await stage.hears(OTHER, "【紧急放行】赵敏 未经审批放行了 周小美 的 张伟")
    assert "由 赵敏 以外的一位管理员复盘" in announced["text"]
    await stage.hears(ADMIN, "已紧急放行 周小美 的 张伟")
    await stage.hears(LEAD, "紧急放行（zhaomin）", kind="card")
    allowed = await stage.request(request.id)
    assert (allowed.decided_by, allowed.votes) == ("breakglass:zhaomin", ())
    assert {"request.overridden", "breakglass.used"} <= set(await kinds(stage, request.id))
    await stage.say(LEAD, f"同意 {request.id}")
    await stage.hears(LEAD, f"{request.id} 已处理")
    await stage.say(ADMIN, f"确认 紧急放行 {request.id}")
    await stage.hears(ADMIN, "没有等您确认的紧急放行")


async def test_a_plain_yes_is_told_what_to_say_in_full_and_nothing_is_lost(stage: Stage) -> None:
    request = await waiting(stage)
    await stage.say(ADMIN, f"紧急放行 {request.id} 客户在现场")
    await stage.hears(ADMIN, "您要不经审批放行")
    for number, said in enumerate(("确认", f"确认 {request.id}", "确认紧急放行"), 1):
        await stage.say(ADMIN, said)
        await stage.quiet()
        assert stage.times_told(ADMIN, f"请完整回复：确认 紧急放行 {request.id}") == number
    assert (await stage.request(request.id)).state is State.PENDING

    await stage.say(ADMIN, f"确认 紧急放行 {request.id}")

    await stage.hears(ADMIN, "已紧急放行")


async def test_it_is_reviewed_by_another_admin_and_asked_for_until_then(stage: Stage) -> None:
    await stage.by_day()
    request = await waiting(stage)
    await let_through(stage, request.id)
    await stage.quiet()
    await stage.stop()
    stage.clock.move(days=1, hours=2)
    await stage.start()
    await stage.hears(OTHER, f"{request.id} 还没有复盘")
    await stage.say(ADMIN, f"复盘 {request.id} 我觉得没问题")
    await stage.hears(ADMIN, "要由另一位管理员复盘")
    await stage.say(LEAD, f"复盘 {request.id} 没问题")
    await stage.hears(LEAD, "只有管理员可以这样做")
    stage.clock.move(days=1)
    await stage.until(
        lambda: stage.heard(ADMIN),
        lambda _: stage.times_told(ADMIN, f"{request.id} 还没有复盘") == 2,
        "a second reminder",
    )

    await stage.say(OTHER, f"复盘 {request.id} 已核实，客户确在现场")

    await stage.hears(ADMIN, f"陈宇 完成了 {request.id} 的复盘：已核实")
    [reviewed] = await stage.records(request.id, "breakglass.reviewed")
    assert (reviewed.actor, reviewed.detail["conclusion"]) == (
        "user:chenyu",
        "已核实，客户确在现场",
    )
    stage.clock.move(days=2)
    await stage.say(OTHER, f"复盘 {request.id} 再来一次")
    await stage.hears(OTHER, f"{request.id} 已由 陈宇 复盘")
    await stage.quiet()
    assert stage.times_told(ADMIN, "还没有复盘") == 2


async def test_a_refused_request_stays_refused_and_a_new_one_is_allowed(stage: Stage) -> None:
    await stage.say(SELLER, COMPETITOR)
    await stage.hears(SELLER, "不能添加 何晨")
    refused = await stage.newest(SELLER)

    await let_through(stage, refused.id)

    await stage.hears(SELLER, "何晨 的通行码", kind="news")
    allowed = await stage.newest(SELLER)
    assert allowed.id != refused.id
    assert (allowed.subject, allowed.claim) == (refused.subject, refused.claim)
    assert allowed.decided_by == "breakglass:zhaomin"
    assert (await stage.request(refused.id)).state is State.DENIED
    [used] = await stage.records(allowed.id, "breakglass.used")
    assert used.detail["former"] == refused.id
    way = next(iter(stage.simulator.world.state.ways))
    stage.simulator.world.customer_scans(HE_CHEN, way)
    await stage.hears(SELLER, f"何晨 已通过通行码添加您（{allowed.id}），一切正常")
    relation = await stage.db.read(lambda tx: tx.relations.get(SELLER, HE_CHEN))
    assert relation is not None
    assert relation.containment is Containment.NONE


async def test_a_refused_add_is_let_go_and_its_case_closed(stage: Stage) -> None:
    stage.simulator.world.member_adds_customer(SELLER, HE_CHEN)
    await stage.hears(SELLER, "请在")
    refused = await stage.newest(SELLER)

    await let_through(stage, refused.id)

    await stage.hears(SELLER, "已由管理员紧急放行，可以正常联系")
    relation = await stage.db.read(lambda tx: tx.relations.get(SELLER, HE_CHEN))
    assert relation is not None
    assert relation.containment is Containment.NONE
    remedy = await stage.db.read(lambda tx: tx.remedies.of_request(refused.id))
    assert remedy is not None
    assert (remedy.state, remedy.closed_because) == (RemedyState.CLOSED, "approved")
    await stage.quiet()
    shown = await stage.relation(SELLER, HE_CHEN)
    assert shown is not None
    assert shown["tags"] == []


async def test_an_add_that_waits_is_let_go(stage: Stage) -> None:
    stage.simulator.world.member_adds_customer(TRAINEE, LIN_XUE)
    await stage.card(LEAD, "林雪")
    request = await stage.newest(TRAINEE)

    await let_through(stage, request.id)

    await stage.hears(TRAINEE, "您添加的 林雪")
    await stage.hears(TRAINEE, "已由管理员紧急放行，可以正常联系")
    assert (await stage.request(request.id)).state is State.EXECUTED


async def test_it_works_in_a_freeze_and_what_it_allowed_stays_allowed(stage: Stage) -> None:
    await stage.say(ADMIN, "冻结 全部 5小时 账号异常")
    await stage.hears(SELLER, "【冻结】")
    await stage.say(SELLER, ADD)
    await stage.hears(SELLER, "不能添加 张伟")
    refused = await stage.newest(SELLER)

    await let_through(stage, refused.id, by=OTHER)

    await stage.hears(SELLER, "张伟 的通行码", kind="news")
    way = next(iter(stage.simulator.world.state.ways))
    stage.simulator.world.customer_scans(ZHANG_WEI, way)
    await stage.hears(SELLER, "一切正常")


async def test_only_admins_only_others_requests_and_only_in_time(stage: Stage) -> None:
    request = await waiting(stage)
    await stage.say(LEAD, f"紧急放行 {request.id} 客户在现场")
    await stage.hears(LEAD, "只有管理员可以这样做")
    await stage.say(ADMIN, "紧急放行 Z9Z9 客户在现场")
    await stage.hears(ADMIN, "没有编号为 Z9Z9 的申请")
    await stage.say(ADMIN, f"紧急放行 {request.id}")
    await stage.hears(ADMIN, f"请重新发送：紧急放行 {request.id} 原因")
    await stage.say(ADMIN, f"紧急放行 {request.id} 客户在现场")
    await stage.hears(ADMIN, f"确认 紧急放行 {request.id}")
    await stage.say(OTHER, f"确认 紧急放行 {request.id}")
    await stage.hears(OTHER, "没有等您确认的紧急放行")
    stage.clock.move(minutes=6)

    await stage.say(ADMIN, f"确认 紧急放行 {request.id}")

    await stage.hears(ADMIN, "没有等您确认的紧急放行，或已超过 5 分钟")
    await stage.quiet()
    assert (await stage.request(request.id)).state is State.PENDING
    assert "breakglass.used" not in await kinds(stage, request.id)


async def test_an_admin_cannot_let_their_own_request_through(opens: Opens) -> None:
    rule = '"friend.add"    = { allow = 2, approval = 1 }'
    stage = await opens((rule, '"friend.add" = { allow = 9, approval = 1 }'))
    await stage.say(ADMIN, ADD)
    request = await stage.newest_of(ADMIN)

    await stage.say(ADMIN, f"紧急放行 {request.id} 客户在现场")

    await stage.hears(ADMIN, f"{request.id} 与您本人有关，不能由您紧急放行")


async def test_another_word_in_between_gives_it_up(stage: Stage) -> None:
    request = await waiting(stage)
    await stage.say(ADMIN, f"紧急放行 {request.id} 客户在现场")
    await stage.hears(ADMIN, f"确认 紧急放行 {request.id}")
    await stage.say(ADMIN, "待办")
    await stage.hears(ADMIN, "没有等您审批的申请")

    await stage.say(ADMIN, f"确认 紧急放行 {request.id}")

    await stage.hears(ADMIN, "没有等您确认的紧急放行")
    assert (await stage.request(request.id)).state is State.PENDING


async def test_what_is_done_already_needs_no_emergency(stage: Stage) -> None:
    await stage.say(SELLER, ADD)
    await stage.hears(SELLER, "张伟 的通行码", kind="news")
    await stage.quiet()
    done = await stage.newest(SELLER)

    await stage.say(ADMIN, f"紧急放行 {done.id} 客户在现场")

    await stage.hears(ADMIN, f"{done.id} 现在不用也不能紧急放行（已完成）")


async def test_the_same_in_english(opens: Opens) -> None:
    stage = await opens(ENGLISH)
    request = await waiting(stage)
    await stage.say(ADMIN, f"break-glass {request.id} customer is waiting")
    await stage.hears(ADMIN, f"reply: confirm break-glass {request.id}")
    await stage.say(ADMIN, f"confirm break-glass {request.id}")
    await stage.hears(OTHER, "[Emergency] 赵敏 has let 周小美's 张伟")
    await stage.hears(TRAINEE, "was let through by an admin in an emergency. Reason: customer is")
    await stage.say(OTHER, f"review {request.id} checked")
    await stage.hears(ADMIN, f"陈宇 has reviewed {request.id}: checked")
