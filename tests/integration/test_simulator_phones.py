"""The page's side of the simulator: state, steps, pictures and the stream of changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.simulator.seed import LIU_JIANGUO, ZHANG_WEI
from tests.makers_simulator import Box, Json, a_box, a_card, a_way


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with a_box() as made:
        yield made


async def post(box: Box, path: str, body: Json | None = None) -> tuple[int, Json]:
    async with box.api.session.post(f"{box.api.base}/sim/{path}", json=body or {}) as answer:
        return answer.status, await answer.json()


async def state(box: Box) -> Json:
    async with box.api.session.get(f"{box.api.base}/sim/state") as answer:
        return dict(await answer.json())


async def test_the_state_shows_people_customers_and_their_relations(box: Box) -> None:
    seen = await state(box)
    mei = next(one for one in seen["members"] if one["userid"] == "zhouxiaomei")
    assert (mei["department"], mei["tags"], mei["status"]) == (["销售部"], ["试用期"], "active")
    liu = next(one for one in seen["customers"] if one["external_userid"] == LIU_JIANGUO)
    assert liu["type"] == "wecom"
    assert liu["added"][0]["tags"] == ["战略客户"]
    assert seen["corp"]["name"] == "青禾科技"


async def test_a_story_can_be_played_with_the_steps_of_the_page(box: Box) -> None:
    assert (await post(box, "members/zhouxiaomei/say", {"text": "加 张伟"}))[0] == 200
    await box.api.send(template_card=a_card())
    body = {"task_id": "mw-A17-1", "key": "A17:approve"}
    assert (await post(box, "members/wangfang/press", body))[0] == 200
    config = (await box.api.post("externalcontact/add_contact_way", a_way()))["config_id"]
    assert (await post(box, f"customers/{ZHANG_WEI}/scan", {"config_id": config}))[0] == 200
    await box.sim.idle()
    assert sorted(event.get("Event", "text") for event in box.receiver.events) == [
        "change_external_contact",
        "template_card_event",
        "text",
    ]
    seen = await state(box)
    assert [one["kind"] for one in seen["chats"]["wangfang"]] == ["card", "pressed"]
    assert seen["chats"]["wangfang"][0]["open"] is True
    assert seen["contact_ways"][0]["state"] == "mw-A17"
    assert {entry["dir"] for entry in seen["log"]} == {"in", "out"}


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("members/ghost/say", {"text": "x"}, 409),
        ("members/sunlei/say", {}, 409),
        ("members/sunlei/press", {"task_id": "none", "key": "k"}, 409),
        ("members/sunlei/dance", {}, 404),
        ("members/sunlei/add", {"external_userid": "wmUnknown"}, 409),
        ("customers/wmUnknown/scan", {"config_id": "x"}, 409),
        ("customers", {"corp_name": "无名"}, 409),
    ],
)
async def test_an_impossible_step_is_refused_with_a_sentence(
    box: Box, path: str, body: Json, status: int
) -> None:
    got, answer = await post(box, path, body)
    assert got == status
    assert answer["error"]


async def test_a_new_customer_can_come_and_be_added(box: Box) -> None:
    _, made = await post(box, "customers", {"name": "新客户", "phone": "13700000000"})
    external = made["customer"]["external_userid"]
    assert external.startswith("wm")
    body = {"external_userid": external, "way": 3}
    assert (await post(box, "members/sunlei/add", body))[0] == 200
    assert box.world.followers(external)[0].add_way == 3


async def test_a_reset_starts_the_world_again(box: Box) -> None:
    await post(box, "members/sunlei/add", {"external_userid": ZHANG_WEI})
    assert (await post(box, "reset"))[0] == 200
    assert box.world.followers(ZHANG_WEI) == []
    assert (await state(box))["chats"] == {}


async def test_the_qr_code_is_a_picture_until_it_is_deleted(box: Box) -> None:
    made = await box.api.post("externalcontact/add_contact_way", a_way())
    async with box.api.session.get(made["qr_code"]) as answer:
        assert answer.content_type == "image/svg+xml"
        assert b"<svg" in await answer.read()
    await box.api.post("externalcontact/del_contact_way", {"config_id": made["config_id"]})
    async with box.api.session.get(made["qr_code"]) as answer:
        assert answer.status == 404


async def next_data(stream: aiohttp.StreamReader) -> Json:
    while True:
        line = await asyncio.wait_for(stream.readline(), 5)
        if line.startswith(b"data: "):
            return dict(json.loads(line.removeprefix(b"data: ")))


async def test_changes_are_streamed_as_they_happen(box: Box) -> None:
    async with box.api.session.get(f"{box.api.base}/sim/events") as answer:
        await asyncio.wait_for(answer.content.readline(), 5)
        box.world.member_says("sunlei", "帮助")
        change = await next_data(answer.content)
        assert (change["type"], change["message"]["text"]) == ("message", "帮助")
        assert change["userid"] == "sunlei"


async def test_a_page_that_missed_changes_is_told_to_fetch_everything(box: Box) -> None:
    box.world.member_says("sunlei", "帮助")
    headers = {"Last-Event-ID": "0"}
    async with box.api.session.get(f"{box.api.base}/sim/events", headers=headers) as answer:
        assert (await next_data(answer.content))["type"] == "reset"


async def test_only_files_of_the_page_are_served(box: Box) -> None:
    for name in ("..%2fseal.py", "%2e%2e%2fserver.py", "missing.js"):
        url = f"{box.api.base}/page/{name}"
        async with box.api.session.get(url) as answer:
            assert answer.status == 404
