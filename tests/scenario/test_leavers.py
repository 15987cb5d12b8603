"""Somebody leaves: rights off, tickets void, and their customers taken over with proof."""

from __future__ import annotations

import asyncio

import pytest

from bot.simulator import corp
from bot.simulator.records import Member
from bot.simulator.seed import LIN_XUE, MA_CHAO, ZHANG_WEI
from storage.work import Filed, Queue
from tests.makers_demo import ENGLISH, permission, rule
from tests.makers_leavers import SIGNED, VIP, a_day_later, customers_of, known, waits
from tests.scenario.conftest import Opens, Stage, changed
from tests.scenario.test_freezes import frozen
from tests.scenario.test_mirror import has_read, read_again
from workflows.leaving import Outcome
from workflows.model import RelationState, State

BY_LEAD = permission("customer.transfer", "allow = 3, approval = 2")
ASKED = permission("customer.transfer", "allow = 5, approval = 2")
TRANSFER = "externalcontact/resigned/transfer_customer"
THREE = (ZHANG_WEI, LIN_XUE, MA_CHAO)


async def befriended(stage: Stage, userid: str, *externals: str) -> None:
    for external in externals:
        stage.simulator.world.member_adds_customer(userid, external)
    await stage.quiet()


async def outcomes(stage: Stage, request_id: str) -> dict[tuple[str, Outcome], int]:
    return dict(await stage.db.read(lambda tx: tx.leavers.outcomes(request_id)))


async def left(stage: Stage, userid: str = "sunlei", senior: str = "wangfang") -> None:
    """Let a member leave, and wait until WeCom's list was read."""
    name = stage.simulator.world.member(userid).name
    stage.simulator.world.member_leaves(userid)
    await waits(stage, senior, f"{name} 已离职", seconds=6)
    await waits(stage, senior, f"{name} 离职后")


async def test_a_manager_hands_a_leavers_customers_over_and_hears_how_it_goes(
    opens: Opens,
) -> None:
    stage = await opens(BY_LEAD)
    world = stage.simulator.world
    await befriended(stage, "sunlei", *THREE)
    await stage.say("sunlei", "加 周婷 13800009999 展会认识")
    await stage.hears("sunlei", "可以添加 周婷")
    await stage.quiet()

    world.member_leaves("sunlei")

    await waits(stage, "wangfang", "孙磊 已离职", seconds=6)
    for who in ("wangfang", "zhaomin", "chenyu"):
        assert stage.times_told(who, "孙磊 已离职") == 1
    said = await stage.hears("wangfang", "孙磊 已离职")
    assert "作废通行码 1 个" in said["text"]
    assert "名下客户 3 位" in said["text"]
    await waits(stage, "wangfang", "孙磊 离职后，3 位客户在等人接手")
    over = (RelationState.DELETED_BY_MEMBER, "left")
    await stage.until(
        lambda: stage.db.read(lambda tx: tx.relations.of_member("sunlei")),
        lambda found: [(each.state, each.ended_by) for each in found] == [over] * 3,
        "the relations are ended",
    )

    await stage.say("wangfang", "转移 孙磊的全部 给 李强 离职交接")

    await stage.hears("wangfang", "企业微信已受理，孙磊 的 3 位客户将转出：李强 3 位")
    await stage.hears("liqiang", "您将接手 孙磊（已离职）的 3 位客户")
    request = await stage.newest("wangfang")
    assert request.state is State.EXECUTED
    await a_day_later(stage)
    await stage.hears("wangfang", "已接手 3 位")
    await stage.hears("liqiang", "已接手 3 位")
    assert await outcomes(stage, request.id) == {("liqiang", Outcome.DONE): 3}
    assert await stage.db.read(lambda tx: tx.requests.by_requester("liqiang", 9)) == []
    kinds = [each.kind for each in await stage.records(request.id)]
    assert {"takeover.ordered", "takeover.answered", "takeover.progress"} <= set(kinds)


async def beyond_recall(stage: Stage, requester: str) -> None:
    """Wait until it is told that the order is held back, and for as long as it is."""
    await stage.hears(requester, "在那之前审批人还可以反悔")
    stage.clock.move(seconds=61)


async def test_250_customers_and_two_groups_go_to_two_who_share_them(opens: Opens) -> None:
    stage = await opens(ASKED)
    world = stage.simulator.world
    ids = customers_of(world, "sunlei", 250, vips=3)
    await known(stage, "sunlei", ids)
    for name in ("华东群", "华南群"):
        world.create_group("sunlei", name, [])
    world.state.refuses_transfer.add(ids[10])
    await left(stage)
    told = await stage.hears("wangfang", "250 位客户和 2 个客户群")
    assert "VIP 客户 3 位" in told["text"]
    assert told["text"].index("VIP 客户 3 位") < told["text"].index("普通客户 247 位")

    await stage.say("wangfang", "转移 孙磊的全部 给 周小美、陈宇 离职交接")
    await stage.hears("wangfang", "孙磊 有 250 位客户，正在逐一核对规则")
    card = await stage.card("liqiang", "孙磊（离职）250 位客户")
    rows = str(card["card"]["horizontal_content_list"])
    assert "周小美 125 位、陈宇 125 位" in rows or "陈宇 125 位、周小美 125 位" in rows
    assert "VIP 客户 3" in rows
    assert stage.simulator.called(TRANSFER) == []
    stage.simulator.faults.fail_after(TRANSFER, -1)  # an answer that is lost is no refusal
    await stage.press("liqiang", card, "approve")
    await beyond_recall(stage, "wangfang")

    await stage.quiet()
    for _ in range(4):
        stage.clock.move(seconds=3)
        await stage.quiet()
    request = await stage.newest("wangfang")
    await stage.hears("wangfang", "企业微信已受理，孙磊 的 250 位客户将转出")
    assert len(world.state.transfers) == 250
    assert max(len(call["external_userid"]) for call in stage.simulator.called(TRANSFER)) == 100
    shares = [t.takeover for t in world.state.transfers]
    assert (shares.count("zhouxiaomei"), shares.count("chenyu")) == (125, 125)
    vips = [t.takeover for t in world.state.transfers if t.external_userid in ids[:3]]
    assert sorted(vips.count(who) for who in ("zhouxiaomei", "chenyu")) == [1, 2]

    world.member("chenyu").contact_limit = 100
    await a_day_later(stage)
    stage.clock.move(minutes=11)

    news = await stage.hears("wangfang", "客户拒绝 1 位")
    assert "接手人客户已满 25 位" in news["text"]
    assert "已接手 224 位" in news["text"]
    await stage.hears("zhouxiaomei", "您接手 孙磊 客户的进展")
    await stage.hears("wangfang", "还有 26 位没有人接手")
    assert sum((await outcomes(stage, request.id)).values()) == 250
    assert sorted(each.owner for each in world.state.groups.values()) == ["chenyu", "zhouxiaomei"]
    await stage.hears("wangfang", "孙磊 的客户群")

    await stage.say("zhaomin", "转移 孙磊的全部 给 李强")
    await stage.hears("zhaomin", "孙磊（离职）26 位客户")


async def test_in_english_only_the_important_ones_go(opens: Opens) -> None:
    stage = await opens(ENGLISH, BY_LEAD)
    world = stage.simulator.world
    await befriended(stage, "sunlei", *THREE)
    world.member_edits("sunlei", LIN_XUE, tags=[VIP, SIGNED])
    await stage.quiet()
    world.member_leaves("sunlei")
    await waits(stage, "wangfang", "孙磊 has left (or is out of", seconds=6)
    told = await waits_and_returns(stage, "wangfang", "Customers who wait for somebody else: 3")
    assert "VIP 客户: 1" in told

    await stage.say("wangfang", "transfer sunlei's VIP to liqiang")

    await stage.hears("wangfang", "WeCom has accepted. 1 customers of 孙磊 will go: 李强 1")
    (moved,) = world.state.transfers
    assert moved.external_userid == LIN_XUE
    await stage.say("wangfang", "transfer all of former sunlei to liqiang and chenyu, he left")
    await stage.hears("wangfang", "2 customers of 孙磊 will go")
    assert sorted(each.takeover for each in world.state.transfers[1:]) == ["chenyu", "liqiang"]
    assert (await stage.newest("wangfang")).claim.reason == "he left"


async def waits_and_returns(stage: Stage, userid: str, words: str) -> str:
    await waits(stage, userid, words)
    return str((await stage.hears(userid, words))["text"])


async def test_nobody_hands_over_whom_they_never_led(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI)
    await left(stage)

    for who, said, answer in (
        ("zhouxiaomei", "转移 孙磊的全部 给 周小美", "您无权"),
        ("wangfang", "转移 孙磊的全部 给 孙磊", "没有找到"),
        ("wangfang", "转移 孙磊的林雪 给 李强", "孙磊 没有叫“林雪”的客户"),
        ("wangfang", "转移 孙磊的全部 给 李强、没这人", "没有找到“没这人”"),
        ("wangfang", "转移 孙磊的已签约 给 李强", "没有等待接手的客户"),
    ):
        await stage.say(who, said)
        await stage.hears(who, answer)
    assert stage.simulator.world.state.transfers == []
    await stage.say("zhaomin", "转移 孙磊的张伟 给 李强")  # an admin may
    await stage.hears("zhaomin", "孙磊 的 1 位客户将转出")


async def test_somebody_who_takes_over_never_decides_on_it(opens: Opens) -> None:
    stage = await opens(ASKED)
    await befriended(stage, "sunlei", ZHANG_WEI)
    await left(stage)

    await stage.say("wangfang", "转移 孙磊的全部 给 周小美、李强")

    await stage.hears("wangfang", "已提交")
    request = await stage.newest("wangfang")
    assert "liqiang" not in [each.userid for each in request.approvers]


async def test_what_the_rules_say_meanwhile_counts_when_it_is_carried_out(opens: Opens) -> None:
    stay = rule(
        'id = "signed-stay"\naction = ["customer.transfer"]\n'
        'when.customer.groups.any_of = ["signed"]\nthen = "deny"\nsay = "已签约客户不能转移。"'
    )
    stage = await opens(BY_LEAD, stay)
    world = stage.simulator.world
    await befriended(stage, "sunlei", ZHANG_WEI, LIN_XUE)
    world.member_edits("sunlei", LIN_XUE, tags=[SIGNED])
    await stage.quiet()
    await left(stage)

    await stage.say("wangfang", "转移 孙磊的全部 给 李强")

    told = await stage.hears("wangfang", "不能转移")
    assert "林雪：已签约客户不能转移。" in told["text"]
    assert world.state.transfers == []
    await stage.say("wangfang", "转移 孙磊的张伟 给 李强")  # a refusal binds nobody
    await stage.hears("wangfang", "孙磊 的 1 位客户将转出")


async def test_what_wecom_takes_from_nobody_is_asked_for_again(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    world = stage.simulator.world
    await befriended(stage, "sunlei", ZHANG_WEI, LIN_XUE)
    await left(stage)
    world.member("liqiang").verified = False
    await stage.say("wangfang", "转移 孙磊的全部 给 李强")
    await stage.hears("wangfang", "企业微信没有受理其中任何一位（共 2 位）")
    failed = await stage.newest("wangfang")
    assert failed.state is State.EXECUTION_FAILED
    world.member("liqiang").verified = True

    await stage.say("wangfang", f"重提 {failed.id}")

    await stage.hears("wangfang", "孙磊 的 2 位客户将转出")
    assert len(world.state.transfers) == 2


async def test_a_freeze_holds_up_the_rest_of_a_takeover_and_undoes_nothing(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    world = stage.simulator.world
    await known(stage, "sunlei", customers_of(world, "sunlei", 150, vips=0))
    await left(stage)

    async def moving() -> int:
        if len(world.state.transfers) == 100:
            stage.simulator.faults.fail(TRANSFER, -1, times=9)  # the next part is 2 s away
        return len(world.state.transfers)

    await stage.say("wangfang", "转移 孙磊的全部 给 李强")
    await stage.until(moving, lambda count: count == 100, "the first part")
    request = await stage.newest("wangfang")

    await frozen(stage)

    async def waiting() -> list[Filed]:
        lane = f"request:{request.id}"
        return await stage.db.read(lambda tx: tx.work.open_in(Queue.OUTBOX, lane))

    stage.simulator.faults.clear()
    stage.clock.move(minutes=15)
    await stage.until(waiting, lambda rows: rows[0].error == "postponed", "it waits")
    assert len(world.state.transfers) == 100
    assert (await stage.request(request.id)).state is State.APPROVED
    stage.clock.move(hours=2)
    await stage.hears("wangfang", "孙磊 的 150 位客户将转出：李强 150 位")
    assert len(world.state.transfers) == 150


async def test_a_freeze_stops_a_takeover_that_has_not_begun(opens: Opens) -> None:
    stage = await opens(ASKED)
    await befriended(stage, "sunlei", ZHANG_WEI)
    await left(stage)
    await stage.say("wangfang", "转移 孙磊的全部 给 李强")
    await stage.quiet()
    request = await stage.newest("wangfang")
    await stage.say("zhaomin", f"同意 {request.id}")
    stage.simulator.faults.fail(TRANSFER, -1, times=9)
    await beyond_recall(stage, "wangfang")

    async def tries() -> int:
        return len(stage.simulator.called(TRANSFER))

    await stage.until(tries, lambda count: count, "the first try")

    await frozen(stage)

    stage.simulator.faults.clear()
    stage.clock.move(minutes=15)
    await stage.until(
        lambda: stage.request(request.id), lambda it: it.state is State.REVOKED, "it is stopped"
    )
    await stage.quiet()
    assert stage.simulator.world.state.transfers == []


async def test_customers_of_a_takeover_that_was_undone_are_free_for_another(opens: Opens) -> None:
    stage = await opens(ASKED)
    await befriended(stage, "sunlei", ZHANG_WEI, LIN_XUE)
    await left(stage)
    await stage.say("wangfang", "转移 孙磊的全部 给 李强")
    await stage.quiet()
    first = await stage.newest("wangfang")
    await stage.say("zhaomin", f"同意 {first.id}")
    await stage.hears("wangfang", "在那之前审批人还可以反悔")
    await stage.say("zhaomin", f"反悔 {first.id}")
    await stage.until(
        lambda: stage.request(first.id), lambda it: it.state is State.REVOKED, "it is undone"
    )
    stage.clock.move(seconds=61)
    await stage.quiet()
    assert stage.simulator.world.state.transfers == []

    await stage.say("wangfang", "转移 孙磊的全部 给 周小美")
    await stage.quiet()
    second = await stage.newest("wangfang")
    assert second.id != first.id
    await stage.say("liqiang", f"同意 {second.id}")
    await stage.until(
        lambda: stage.request(second.id), lambda it: it.state is State.APPROVED, "it is approved"
    )
    stage.clock.move(seconds=61)

    await stage.hears("wangfang", "孙磊 的 2 位客户将转出：周小美 2 位")
    assert await outcomes(stage, second.id) == {("zhouxiaomei", Outcome.WAITING): 2}
    assert await outcomes(stage, first.id) == {}


async def test_of_an_approved_request_who_was_tightened_meanwhile_stays(opens: Opens) -> None:
    stage = await opens(ASKED)
    world = stage.simulator.world
    await befriended(stage, "sunlei", ZHANG_WEI, LIN_XUE)
    await left(stage)
    await stage.say("wangfang", "转移 孙磊的全部 给 陈宇")
    card = await stage.card("liqiang", "孙磊（离职）2 位客户")
    before = await stage.db.read(lambda tx: tx.policies.active_hash())
    file = stage.folder / "config.toml"
    stay = rule(
        'id = "lin-stays"\naction = ["customer.transfer"]\n'
        'when.customer.name = "林雪"\nthen = "deny"\nsay = "林雪不转。"'
    )
    text = changed(await asyncio.to_thread(file.read_text, "utf-8"), (stay,))
    await asyncio.to_thread(file.write_text, text, "utf-8")
    await stage.until(
        lambda: stage.db.read(lambda tx: tx.policies.active_hash()),
        lambda it: it != before,
        "the new rules",
    )
    await stage.press("liqiang", card, "approve")
    await beyond_recall(stage, "wangfang")

    await stage.hears("wangfang", "按现在的规则不能转移 1 位")
    assert [each.external_userid for each in world.state.transfers] == [ZHANG_WEI]


async def test_a_disabled_member_has_not_left_and_is_told_of_as_such(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    world = stage.simulator.world
    await befriended(stage, "sunlei", ZHANG_WEI)
    await stage.say("wangfang", "请假 3天 给 孙磊")
    await stage.hears("wangfang", "孙磊")
    await stage.quiet()

    world.disable_member("sunlei")

    await waits(stage, "wangfang", "孙磊 的账号已停用（不算离职", seconds=6)
    await stage.hears("wangfang", "您请假期间的代理人 孙磊 已离职或停用")
    stage.clock.move(minutes=5)
    await stage.quiet()
    assert stage.times_told("wangfang", "离职后") == 0
    await stage.say("wangfang", "转移 孙磊的全部 给 李强")
    await stage.hears("wangfang", "企业微信已受理，孙磊 的 1 位客户将转给 李强：张伟")

    world.member_leaves("sunlei")

    await waits(stage, "wangfang", "孙磊 的账号之前已停用，现在已离职", seconds=6)


async def test_a_userid_that_is_used_again_inherits_nothing(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    world = stage.simulator.world
    await befriended(stage, "sunlei", ZHANG_WEI, LIN_XUE)
    await stage.say("sunlei", "加 张三 13800009999 展会认识")
    await stage.hears("sunlei", "张三")
    theirs = await stage.newest("sunlei")
    await left(stage)

    world.add_member(Member("SunLei", "孙磊磊", [2], "销售", ["wangfang"]))
    await stage.quiet()
    stage.clock.move(seconds=6)
    await stage.until(
        lambda: stage.db.read(lambda tx: tx.people.directory().member("sunlei")),
        lambda it: it and it.name == "孙磊磊",
        "the newcomer",
    )
    await stage.say("sunlei", "转移 全部 给 李强")
    await stage.hears("sunlei", "孙磊磊 没有可以转移的客户")
    for said, answer in (
        ("我的", "您还没有"),
        (f"为什么 {theirs.id}", "您无权"),
        (f"重提 {theirs.id}", "不是您"),
        (f"撤回 {theirs.id}", "不是您"),
    ):
        await stage.say("sunlei", said)
        await stage.hears("sunlei", answer)
    world.member_adds_customer("sunlei", ZHANG_WEI)
    await stage.quiet()

    fresh = await stage.db.read(lambda tx: tx.relations.get("sunlei", ZHANG_WEI))
    other = await stage.db.read(lambda tx: tx.relations.get("sunlei", LIN_XUE))
    assert fresh is not None
    assert other is not None
    assert (fresh.state, fresh.ended_by) == (RelationState.ADDED, "")
    assert other.state is RelationState.DELETED_BY_MEMBER


async def test_who_was_only_out_of_sight_comes_back_to_their_customers(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    world = stage.simulator.world
    await befriended(stage, "sunlei", ZHANG_WEI)
    world.set_visible("sunlei", False)
    await waits(stage, "wangfang", "孙磊 已离职（或不再在应用的可见范围内）", seconds=6)
    stage.clock.move(minutes=2)
    await stage.quiet()
    world.set_visible("sunlei", True)
    await stage.quiet()
    stage.clock.move(seconds=6)
    await stage.until(
        lambda: stage.db.read(lambda tx: tx.people.directory().member("sunlei")),
        lambda it: it,
        "back in sight",
    )

    await stage.say("sunlei", "转移 张伟 给 李强")

    await stage.card("wangfang", "申请转移 张伟")
    await stage.say("sunlei", "我的")
    await stage.hears("sunlei", "张伟")


async def test_who_has_left_owns_no_customer(opens: Opens) -> None:
    stage = await opens(BY_LEAD)
    world = stage.simulator.world
    await befriended(stage, "sunlei", ZHANG_WEI)
    await left(stage)

    world.member_adds_customer("liqiang", ZHANG_WEI)
    await stage.quiet()

    request = await stage.newest("liqiang")
    assert request.facts["customer.owners"] == frozenset()


async def test_after_a_week_without_anybody_people_are_reminded_once_a_working_day(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(corp, "TOKEN_LIFE", 90 * 86400)  # days pass here within a second
    stage = await opens(BY_LEAD)
    await befriended(stage, "sunlei", ZHANG_WEI)
    await left(stage)

    for _ in range(9):
        await stage.quiet()
        stage.clock.move(days=1)
        await stage.quiet()

    told = await stage.hears("wangfang", "有 1 位离职成员的客户超过 7 天没有人接手")
    assert "孙磊" in told["text"]
    await stage.hears("zhaomin", "没有人接手")


async def test_what_a_taker_has_got_is_found_by_a_reading_and_not_judged_as_an_add(
    opens: Opens,
) -> None:
    stage = await opens(BY_LEAD)
    world = stage.simulator.world
    await has_read(stage)
    await befriended(stage, "sunlei", ZHANG_WEI, LIN_XUE)
    await left(stage)
    await stage.say("wangfang", "转移 孙磊的全部 给 李强")
    await stage.hears("wangfang", "企业微信已受理，孙磊 的 2 位客户将转出")
    request = await stage.newest("wangfang")
    await stage.quiet()
    before = await stage.db.read(lambda tx: tx.requests.by_requester("liqiang", 9))

    stage.clock.move(hours=24)  # WeCom carries it out, and no callback comes through
    stage.simulator.faults.drop_callbacks(50)
    world.settle_transfers()
    await read_again(stage)

    assert await stage.db.read(lambda tx: tx.requests.by_requester("liqiang", 9)) == before
    got = await stage.db.read(lambda tx: tx.relations.of_member("liqiang"))
    governed = {each.request_id for each in got if each.external_userid in {ZHANG_WEI, LIN_XUE}}
    assert governed == {request.id}
    assert await outcomes(stage, request.id) == {("liqiang", Outcome.DONE): 2}
