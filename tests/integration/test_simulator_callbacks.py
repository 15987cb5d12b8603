"""Callbacks over the wire: sealed for wechatpy, repeated as WeCom does, answered passively."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.simulator.callbacks import CallbackRefusedError
from bot.simulator.errors import ImpossibleError
from bot.simulator.seed import CORP_ID, ZHANG_WEI
from tests.makers_simulator import AES_KEY, TOKEN, Answer, Box, a_box, a_card


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with a_box() as made:
        yield made


def a_reply(to: str, kind: str, body: str) -> str:
    return (
        f"<xml><ToUserName>{to}</ToUserName><FromUserName>{CORP_ID}</FromUserName>"
        f"<CreateTime>1767230001</CreateTime><MsgType>{kind}</MsgType>{body}</xml>"
    )


async def test_what_a_member_says_arrives_sealed(box: Box) -> None:
    box.world.member_says("zhouxiaomei", "加 张总 <某某&公司> ]]> 13800001234")
    await box.sim.idle()
    event = box.receiver.events[0]
    assert (event["FromUserName"], event["MsgType"]) == ("zhouxiaomei", "text")
    assert int(event["MsgId"]) > 0
    assert event["AgentID"] == "1000007"


async def test_the_callback_url_is_checked_as_when_it_is_saved(box: Box) -> None:
    await box.sim.verify_callback()
    box.sim.callback_url = box.sim.callback_url.replace("/wecom/callback", "/elsewhere")
    with pytest.raises(CallbackRefusedError):
        await box.sim.verify_callback()


async def test_an_answer_other_than_200_is_tried_three_times_with_the_same_message(
    box: Box,
) -> None:
    box.receiver.answer = lambda _: (503, "")
    box.world.member_says("sunlei", "帮助")
    await box.sim.idle()
    assert len({event["MsgId"] for event in box.receiver.events}) == 1
    delivery = box.sim.deliveries[0]
    assert (delivery.tries, delivery.accepted, delivery.status) == (3, False, 503)


async def test_a_load_balancer_gives_each_try_to_the_next_behind_it(box: Box) -> None:
    door = box.sim.callbacks.doors["app"]
    door.behind += [door.url, door.url.replace("/wecom/callback", "/nobody")]

    box.world.member_says("sunlei", "帮助")
    box.world.member_says("sunlei", "我的")
    await box.sim.idle()

    assert sorted(each.tries for each in box.sim.deliveries) == [1, 2]
    assert all(each.accepted for each in box.sim.deliveries)


async def test_a_retry_that_is_accepted_ends_the_tries(box: Box) -> None:
    box.receiver.answer = lambda _: (500 if box.receiver.tries == 1 else 200, "")
    box.world.member_says("sunlei", "帮助")
    await box.sim.idle()
    assert (box.sim.deliveries[0].tries, box.sim.deliveries[0].accepted) == (2, True)


async def test_silence_counts_as_a_failure(box: Box) -> None:
    box.sim.callbacks.timeout = 0.05
    stuck = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(10)
        await stuck.wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    box.sim.callback_url = f"http://127.0.0.1:{port}/"
    box.world.member_says("sunlei", "帮助")
    await box.sim.idle()
    stuck.set()
    server.close()
    delivery = box.sim.deliveries[0]
    assert (delivery.tries, delivery.accepted, delivery.status) == (3, False, 0)


async def test_callbacks_can_be_lost_and_doubled_by_order(box: Box) -> None:
    box.sim.faults.drop_callbacks(1)
    box.sim.faults.duplicate_callbacks(1)
    for text in ("一", "二", "三"):
        box.world.member_says("sunlei", text)
    await box.sim.idle()
    assert sorted(event["Content"] for event in box.receiver.events) == ["三", "二", "二"]


async def test_a_passive_text_appears_on_the_phone(box: Box) -> None:
    body = "<Content><![CDATA[你好，小美]]></Content>"
    sealed = box.receiver.seal(a_reply("zhouxiaomei", "text", body))
    box.receiver.answer = lambda _: (200, sealed)
    box.world.member_says("zhouxiaomei", "帮助")
    await box.sim.idle()
    chat = box.world.state.chats["zhouxiaomei"]
    assert [(one.kind, one.text) for one in chat] == [("said", "帮助"), ("text", "你好，小美")]


async def press(box: Box, reply: str) -> None:
    box.receiver.answer = lambda _: (200, box.receiver.seal(reply))
    box.world.member_presses("wangfang", "mw-A17-1", "A17:approve")
    await box.sim.idle()


async def test_a_passive_update_greys_the_card_of_the_presser_only(box: Box) -> None:
    await box.api.send("wangfang|liqiang", template_card=a_card())
    button = "<Button><ReplaceName>已同意</ReplaceName></Button>"
    await press(box, a_reply("wangfang", "update_button", button))
    cards = box.world.state.cards
    assert cards["wangfang", "mw-A17-1"].replaced == "已同意"
    assert cards["liqiang", "mw-A17-1"].open
    with pytest.raises(ImpossibleError):
        box.world.member_presses("wangfang", "mw-A17-1", "A17:approve")
    assert box.sim.problems == []


async def test_a_passive_update_uses_the_response_code_of_the_press_up(box: Box) -> None:
    await box.api.send(template_card=a_card())
    button = "<Button><ReplaceName>已同意</ReplaceName></Button>"
    await press(box, a_reply("wangfang", "update_button", button))
    update = {
        "agentid": box.world.agent_id,
        "atall": 1,
        "response_code": box.receiver.events[0]["ResponseCode"],
        "button": {"replace_name": "已同意"},
    }
    assert await box.api.code("message/update_template_card", update) == 60140


async def test_a_passive_card_replaces_the_whole_card(box: Box) -> None:
    await box.api.send(template_card=a_card())
    card = (
        "<TemplateCard><CardType>button_interaction</CardType>"
        "<MainTitle><Title>审批 A17：已同意</Title></MainTitle>"
        "<HorizontalContentList><KeyName>申请人</KeyName><Value>周小美</Value></HorizontalContentList>"
        "<ButtonList><Text>好</Text><Style>1</Style><Key>noop</Key></ButtonList>"
        "<ReplaceText>已同意</ReplaceText></TemplateCard>"
    )
    await press(box, a_reply("wangfang", "update_template_card", card))
    shown = box.world.state.cards["wangfang", "mw-A17-1"]
    assert shown.card is not None
    assert shown.card["main_title"] == {"title": "审批 A17：已同意"}
    assert shown.card["horizontal_content_list"] == [{"keyname": "申请人", "value": "周小美"}]
    assert (shown.replaced, shown.open, box.sim.problems) == ("已同意", False, [])


@pytest.mark.parametrize(
    "reply",
    [
        a_reply("liqiang", "text", "<Content>x</Content>"),
        a_reply("wangfang", "markdown", "<Content>x</Content>"),
        a_reply("wangfang", "update_template_card", "<TemplateCard><A>x</A></TemplateCard>"),
        "<xml><MsgType>text</MsgType></xml>",
    ],
)
async def test_a_wrong_reply_is_thrown_away_and_noted(box: Box, reply: str) -> None:
    await box.api.send(template_card=a_card())
    await press(box, reply)
    assert len(box.sim.problems) == 1
    assert box.world.state.cards["wangfang", "mw-A17-1"].open


async def test_customer_events_take_no_reply(box: Box) -> None:
    def answer(_: dict[str, str]) -> Answer:
        return 200, box.receiver.seal(a_reply("sunlei", "text", "<Content>x</Content>"))

    box.receiver.answer = answer
    box.world.member_adds_customer("sunlei", ZHANG_WEI)
    await box.sim.idle()
    assert len(box.sim.problems) == 1


async def test_directory_changes_reach_only_the_directory_door(box: Box) -> None:
    box.world.move_member("sunlei", 3)
    await box.sim.idle()
    assert box.receiver.events == []
    box.sim.listen_directory(box.sim.callback_url, TOKEN, AES_KEY)
    box.world.move_member("sunlei", 2)
    await box.sim.idle()
    assert box.receiver.events[0]["ChangeType"] == "update_user"


async def test_urls_and_foreign_cards_cannot_be_pressed(box: Box) -> None:
    await box.api.send(template_card=a_card())
    for userid, key in (("wangfang", "https://menwei.example/A17"), ("sunlei", "A17:approve")):
        with pytest.raises(ImpossibleError):
            box.world.member_presses(userid, "mw-A17-1", key)
