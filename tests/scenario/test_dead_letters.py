"""Work that was given up: admins look at it in chat and on the command line, and try it again."""

from __future__ import annotations

import asyncio

import pytest
from typer.testing import CliRunner, Result

from bot.cli import cli
from bot.simulator.seed import ZHANG_WEI
from storage.work import Filed
from tests.scenario.conftest import Stage
from workflows.model import Request, TicketState

ASK = "加 张伟 明达贸易 13800001234 展会认识"
SEND = "message/send"
WAYS = "externalcontact/add_contact_way"


async def a_dead_letter(stage: Stage) -> Filed:
    """Have an answer given up that holds a phone number."""
    stage.simulator.faults.fail(SEND, 60111)
    await stage.say("sunlei", "查 13800001234")

    async def look() -> list[Filed]:
        return await stage.db.read(lambda tx: tx.work.dead_letters(10))

    found: list[Filed] = await stage.until(look, lambda rows: rows, "something is given up")
    await stage.quiet()
    return found[0]


async def menwei(stage: Stage, *words: str) -> Result:
    config = str(stage.folder / "config.toml")
    return await asyncio.to_thread(CliRunner().invoke, cli, [*words, "--config", config])


@pytest.mark.parametrize(
    ("listing", "showing", "replaying", "cause", "again"),
    [
        (
            "死信",
            "死信 {}",
            "重放 {}",
            "发消息：成员不存在",
            "1 件会重新再试",
        ),
        ("dead", "dead {}", "replay {}", "send a message: the member is unknown", "tried again: 1"),
        ("死信", "死信第{}号", "重放 全部", "发消息：成员不存在", "1 件会重新再试"),
        ("dead letters", "dead #{}", "replay all", "the member is unknown", "tried again: 1"),
    ],
)
async def test_an_admin_lists_looks_at_and_replays_what_was_given_up(
    stage: Stage, listing: str, showing: str, replaying: str, cause: str, again: str
) -> None:
    row = await a_dead_letter(stage)

    await stage.say("zhaomin", listing)
    listed = await stage.hears("zhaomin", cause)
    assert str(row.id) in listed["text"]
    assert "138" not in listed["text"]
    await stage.say("zhaomin", showing.format(row.id))
    shown = await stage.hears("zhaomin", "sunlei")
    assert "13800001234" not in shown["text"]
    assert "60111" in shown["text"]
    before = len(stage.chat("sunlei"))
    await stage.say("zhaomin", replaying.format(row.id))
    await stage.hears("zhaomin", again)

    await stage.until(lambda: stage.heard("sunlei"), lambda m: len(m) > before, "the answer")
    records = await stage.db.read(lambda tx: tx.audit.tail(100))
    told = {r.kind: r.actor for r in records if r.kind.startswith("work.")}
    assert told["work.listed"] == told["work.shown"] == told["work.replayed"] == "user:zhaomin"


@pytest.mark.parametrize("said", ["死信", "死信 1", "重放 1", "重放 全部", "dead", "replay all"])
async def test_nobody_but_an_admin_sees_or_replays_it(stage: Stage, said: str) -> None:
    row = await a_dead_letter(stage)

    await stage.say("wangfang", said)

    await stage.hears("wangfang", "管理员" if said[0] > "z" else "Only admins")
    found = await stage.db.read(lambda tx: tx.work.get(row.id))
    assert found == row


async def test_with_nothing_given_up_that_is_said(stage: Stage) -> None:
    await stage.say("zhaomin", "死信")
    await stage.hears("zhaomin", "没有放到一边的工作")

    await stage.say("zhaomin", "重放 7")
    await stage.hears("zhaomin", "没有第 7 号")


async def test_the_command_line_shows_one_masked_and_replays_all_of_a_kind(stage: Stage) -> None:
    row = await a_dead_letter(stage)

    shown = await menwei(stage, "dead", "show", str(row.id))
    other = await menwei(stage, "dead", "replay", "all", "--kind", "SendCard")
    wrong = await menwei(stage, "dead", "replay", "everything")
    done = await menwei(stage, "dead", "replay", "all", "--kind", "SendText")
    gone = await menwei(stage, "dead", "show", str(row.id))

    assert "发消息：成员不存在" in shown.output
    assert "sunlei" in shown.output
    assert "13800001234" not in shown.output
    codes = [each.exit_code for each in (shown, other, wrong, done, gone)]
    assert codes == [0, 1, 2, 0, 1]
    assert "1 件会重新再试" in done.output


async def test_replaying_what_is_of_no_concern_any_more_does_nothing(stage: Stage) -> None:
    stage.simulator.faults.fail("externalcontact/add_contact_way", 60111)
    await stage.say("sunlei", ASK)
    request = await stage.newest_of("sunlei")
    await stage.hears("zhaomin", "生成通行码")
    await stage.quiet()
    ways = len(stage.simulator.world.state.ways)
    stage.clock.move(hours=80)  # the ticket it would make has run out
    await stage.quiet()

    await stage.say("zhaomin", "重放 全部")

    await stage.hears("zhaomin", "会重新再试")
    await stage.quiet()
    assert len(stage.simulator.world.state.ways) == ways == 0
    assert (await stage.request(request.id)).state.value == "execution_failed"


async def test_a_replay_leaves_the_ticket_alone_that_was_made_meanwhile(stage: Stage) -> None:
    request = await a_failed_ticket(stage)
    await stage.say("sunlei", ASK)
    await stage.hears("sunlei", "通行码", kind="news")
    await stage.quiet()

    await stage.say("zhaomin", "重放 全部")

    await stage.hears("zhaomin", "会重新再试")
    await stage.quiet()
    assert await ticket_state(stage, request) is TicketState.OPEN
    assert len(stage.simulator.world.state.ways) == 1


async def test_a_ticket_asked_for_twice_more_is_made_once(stage: Stage) -> None:
    request = await a_failed_ticket(stage)
    made = len(stage.simulator.called(WAYS))
    stage.simulator.faults.delay(WAYS, 0.4)

    await stage.say("sunlei", ASK)
    await stage.say("sunlei", ASK)

    await stage.hears("sunlei", "通行码", kind="news")
    await stage.quiet()
    assert await ticket_state(stage, request) is TicketState.OPEN
    assert len(stage.simulator.world.state.ways) == 1
    assert len(stage.simulator.called(WAYS)) == made + 1
    assert [m.kind for m in stage.chat("sunlei")].count("news") == 1


async def a_failed_ticket(stage: Stage) -> str:
    """Have the ticket of an ask given up; return the request's id."""
    stage.simulator.faults.fail(WAYS, 60111)
    await stage.say("sunlei", ASK)
    request = await stage.newest_of("sunlei")
    await stage.hears("zhaomin", "生成通行码")
    await stage.quiet()
    return request.id


async def ticket_state(stage: Stage, request_id: str) -> TicketState:
    ticket = await stage.db.read(lambda tx: tx.tickets.of_request(request_id))
    assert ticket is not None
    return ticket.state


async def an_undelivered_card(stage: Stage) -> Request:
    """Have somebody asked whom the app does not reach for a moment."""
    leader = stage.simulator.world.member("wangfang")
    leader.visible = False
    await stage.say("zhouxiaomei", ASK)
    await stage.hears("zhaomin", "未能送达审批人 王芳")
    await stage.quiet()
    leader.visible = True
    return await stage.newest("zhouxiaomei")


async def test_a_card_that_was_given_up_is_not_sent_once_somebody_has_decided(
    stage: Stage,
) -> None:
    request = await an_undelivered_card(stage)
    await stage.say("wangfang", f"同意 {request.id}")
    await stage.hears("wangfang", "已同意")
    await stage.quiet()

    await stage.say("zhaomin", "重放 全部")

    await stage.hears("zhaomin", "1 件会重新再试")
    await stage.quiet()
    assert [each for each in await stage.heard("wangfang") if each["kind"] == "card"] == []


async def test_a_card_that_was_given_up_is_sent_while_its_request_waits(stage: Stage) -> None:
    await an_undelivered_card(stage)

    await stage.say("zhaomin", "重放 全部")

    await stage.press("wangfang", await stage.card("wangfang", "张伟"), "approve")
    await stage.hears("zhouxiaomei", "通行码", kind="news")


@pytest.mark.parametrize(("choice", "left"), [("approve", []), ("deny", ["违规添加"])])
async def test_a_mark_that_was_given_up_is_not_put_on_once_somebody_has_decided(
    stage: Stage, choice: str, left: list[str]
) -> None:
    stage.simulator.faults.fail("externalcontact/mark_tag", 60111)
    stage.simulator.world.member_adds_customer("zhouxiaomei", ZHANG_WEI)
    card = await stage.card("wangfang", "张伟")
    await stage.hears("zhaomin", "60111")
    await stage.press("wangfang", card, choice, "r1" if choice == "deny" else None)
    await stage.hears("zhouxiaomei", "王芳")
    await stage.quiet()

    await stage.say("zhaomin", "重放 全部")

    await stage.hears("zhaomin", "1 件会重新再试")
    await stage.quiet()
    relation = await stage.relation("zhouxiaomei", ZHANG_WEI)
    assert relation is not None
    assert relation["tags"] == left
    assert "待审批" not in relation["remark"]


async def test_a_mark_that_was_to_go_still_goes_when_it_is_replayed(stage: Stage) -> None:
    """Only what the relation would bear wrongly by now is left out of it."""
    stage.simulator.world.member_adds_customer("zhouxiaomei", ZHANG_WEI)
    card = await stage.card("wangfang", "张伟")
    await stage.quiet()
    stage.simulator.faults.fail("externalcontact/mark_tag", 60111)
    await stage.press("wangfang", card, "deny", "r1")
    await stage.hears("zhaomin", "60111")
    refused = await stage.newest("zhouxiaomei")
    await stage.say("zhouxiaomei", f"申诉 {refused.id} 客户主动找我")
    await stage.press("liqiang", await stage.card("liqiang", "申诉"), "approve")
    await stage.hears("zhouxiaomei", "可以正常联系")
    await stage.quiet()

    await stage.say("zhaomin", "重放 全部")

    await stage.hears("zhaomin", "1 件会重新再试")
    await stage.quiet()
    relation = await stage.relation("zhouxiaomei", ZHANG_WEI)
    assert relation is not None
    assert relation["tags"] == []
