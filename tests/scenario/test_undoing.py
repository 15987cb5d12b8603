"""Adds that are not allowed are undone: asked to delete, handed over, closed when it is seen."""

from __future__ import annotations

from bot.simulator.events import Event
from bot.simulator.seed import HE_CHEN, LIN_XUE, MA_CHAO
from tests.scenario.conftest import Stage
from tests.scenario.test_observed import known, tags
from workflows.model import Containment, RelationState, RemedyState, Request

MARK, TRANSFER = "externalcontact/mark_tag", "externalcontact/transfer_customer"
BUSY, NO_SUCH_MEMBER = -1, 60111
TRAINEE, LEAD, DIRECTOR = "zhouxiaomei", "wangfang", "liqiang"


async def remedy_is(stage: Stage, userid: str, external: str, wanted: RemedyState) -> None:
    async def look() -> RemedyState | None:
        relation = await known(stage, userid, external)
        found = await stage.db.read(lambda tx: tx.remedies.of_request(relation.request_id))
        return found.state if found else None

    await stage.until(look, lambda state: state is wanted, f"the remedy is {wanted}")


async def test_a_deletion_by_the_customer_closes_the_remedy(stage: Stage) -> None:
    world = stage.simulator.world
    world.member_adds_customer("sunlei", HE_CHEN)
    await stage.hears("sunlei", "请在")

    world.customer_deletes_member(HE_CHEN, "sunlei")

    await stage.hears("sunlei", "已结案")
    await stage.hears("wangfang", "已结案")


async def test_who_does_not_delete_loses_the_customer_to_the_pool(stage: Stage) -> None:
    world = stage.simulator.world
    world.member_adds_customer("sunlei", HE_CHEN)
    await stage.hears("sunlei", "请在")
    await stage.quiet()

    stage.clock.move(hours=24, minutes=1)
    await remedy_is(stage, "sunlei", HE_CHEN, RemedyState.TRANSFERRING)
    await stage.quiet()
    assert [each.takeover for each in world.state.transfers] == ["pool"]

    stage.clock.move(hours=24, minutes=1)
    await stage.hears("sunlei", "已确认转接")
    await stage.hears("wangfang", "已确认转接")
    await remedy_is(stage, "sunlei", HE_CHEN, RemedyState.CLOSED)
    await stage.quiet()
    assert stage.times_told("sunlei", "已确认转接") == 1
    # the pool has the customer by our own doing: that is no new case
    assert (await known(stage, "pool", HE_CHEN)).state is RelationState.ADDED
    assert stage.chat("pool") == []
    assert await stage.db.read(lambda tx: tx.requests.by_requester("pool", 9)) == []


async def test_the_pool_is_left_alone_in_whatever_order_the_transfer_is_told(
    stage: Stage,
) -> None:
    world = stage.simulator.world
    world.member_adds_customer("sunlei", HE_CHEN)
    await stage.hears("sunlei", "请在")
    await stage.quiet()
    stage.clock.move(hours=24, minutes=1)
    await remedy_is(stage, "sunlei", HE_CHEN, RemedyState.TRANSFERRING)
    await stage.quiet()

    told = _kept(stage)
    stage.clock.move(hours=24, minutes=1)
    world.settle_transfers()
    assert [event.fields["ChangeType"] for event in told] == [
        "del_external_contact",
        "add_external_contact",
    ]
    stage.simulator.callbacks.send(told[0])
    await stage.quiet()
    await stage.hears("sunlei", "已确认转接")
    stage.simulator.callbacks.send(told[1])
    await stage.quiet()

    assert stage.chat("pool") == []
    assert await stage.db.read(lambda tx: tx.requests.by_requester("pool", 9)) == []


def _kept(stage: Stage) -> list[Event]:
    """Hold callbacks back from now on, and return where they gather."""
    kept: list[Event] = []
    stage.simulator.world._tellers[:] = [kept.append]
    return kept


async def test_a_transfer_the_customer_refuses_is_put_to_the_admins(stage: Stage) -> None:
    world = stage.simulator.world
    world.member_adds_customer("sunlei", HE_CHEN)
    await stage.hears("sunlei", "请在")
    world.state.refuses_transfer.add(HE_CHEN)
    stage.clock.move(hours=24, minutes=1)
    await remedy_is(stage, "sunlei", HE_CHEN, RemedyState.TRANSFERRING)
    await stage.quiet()

    stage.clock.move(hours=24, minutes=1)

    for who in ("zhaomin", "chenyu", "wangfang"):
        await stage.hears(who, "转接没有成功")
    await stage.quiet()
    assert stage.times_told("zhaomin", "转接没有成功") == 1
    world.member_deletes_customer("sunlei", HE_CHEN)
    await stage.hears("zhaomin", "已确认删除")


async def test_an_observed_add_that_is_refused_is_undone(stage: Stage) -> None:
    world = stage.simulator.world
    world.member_adds_customer("zhouxiaomei", MA_CHAO)
    await stage.press("wangfang", await stage.card("wangfang", "马超"), "deny", "r1")

    await stage.hears("zhouxiaomei", "已被 王芳 拒绝。原因：资料不全")
    await stage.hears("zhouxiaomei", "请在")
    await tags(stage, "zhouxiaomei", MA_CHAO, "违规添加")
    relation = await stage.relation("zhouxiaomei", MA_CHAO)
    assert relation is not None
    assert "待审批" not in relation["tags"]


# Allowed after all


async def refused_add(stage: Stage) -> Request:
    stage.simulator.world.member_adds_customer(TRAINEE, LIN_XUE)
    await stage.press(LEAD, await stage.card(LEAD, "林雪"), "deny", "r1")
    await stage.hears(TRAINEE, "请在")
    return await stage.newest(TRAINEE)


async def allowed_after_all(stage: Stage, refused: Request) -> None:
    await stage.say(TRAINEE, f"申诉 {refused.id} 客户主动找我")
    await stage.press(DIRECTOR, await stage.card(DIRECTOR, "申诉"), "approve")
    await stage.hears(TRAINEE, "可以正常联系")
    assert (await known(stage, TRAINEE, LIN_XUE)).containment is Containment.NONE


async def test_who_is_allowed_while_wecom_is_away_is_not_transferred_afterwards(
    stage: Stage,
) -> None:
    refused = await refused_add(stage)
    await stage.quiet()
    stage.simulator.faults.fail(TRANSFER, BUSY, times=6)
    stage.clock.move(hours=24, minutes=1)

    async def tries() -> int:
        return len(stage.simulator.called(TRANSFER))

    await stage.until(tries, lambda count: count, "the first try")

    await allowed_after_all(stage, refused)

    await remedy_is(stage, TRAINEE, LIN_XUE, RemedyState.ESCALATED)  # an answer may be lost
    stage.simulator.faults.clear()
    stage.clock.move(minutes=10)
    await stage.quiet()
    assert stage.simulator.world.state.transfers == []


async def test_a_transfer_that_was_given_up_is_not_replayed_once_the_add_is_allowed(
    stage: Stage,
) -> None:
    refused = await refused_add(stage)
    await stage.quiet()
    stage.simulator.faults.fail(TRANSFER, NO_SUCH_MEMBER)
    stage.clock.move(hours=24, minutes=1)
    await stage.hears("zhaomin", str(NO_SUCH_MEMBER))
    await stage.quiet()
    await allowed_after_all(stage, refused)
    await remedy_is(stage, TRAINEE, LIN_XUE, RemedyState.CLOSED)

    await stage.say("zhaomin", "重放 全部")

    await stage.hears("zhaomin", "1 件会重新再试")
    await stage.quiet()
    assert len(stage.simulator.called(TRANSFER)) == 1


async def test_a_transfer_that_was_given_up_is_replayed_while_the_add_is_refused(
    stage: Stage,
) -> None:
    await refused_add(stage)
    await stage.quiet()
    stage.simulator.faults.fail(TRANSFER, NO_SUCH_MEMBER)
    stage.clock.move(hours=24, minutes=1)
    await stage.hears("zhaomin", str(NO_SUCH_MEMBER))
    await stage.quiet()

    await stage.say("zhaomin", "重放 全部")

    await stage.hears("zhaomin", "1 件会重新再试")
    await stage.quiet()
    assert [each.takeover for each in stage.simulator.world.state.transfers] == ["pool"]


async def test_a_transfer_that_was_not_yet_asked_for_is_called_off(stage: Stage) -> None:
    """It waits behind a mark that WeCom does not take."""
    stage.simulator.faults.fail(MARK, BUSY, times=12)
    refused = await refused_add(stage)
    stage.clock.move(hours=24, minutes=1)
    await remedy_is(stage, TRAINEE, LIN_XUE, RemedyState.TRANSFERRING)

    await allowed_after_all(stage, refused)

    await remedy_is(stage, TRAINEE, LIN_XUE, RemedyState.CLOSED)
    stage.simulator.faults.clear()
    stage.clock.move(minutes=20)
    await stage.quiet()
    assert stage.simulator.called(TRANSFER) == []
    assert stage.times_told("zhaomin", "转接已经开始") == 0
