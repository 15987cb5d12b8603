"""A crowd behind the pretend API: as strict and paged as the small company."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator

import aiohttp
import pytest

from bot.simulator.crowd import crowd_world
from bot.simulator.faults import Weather
from bot.simulator.stirring import Stirrer
from tests.makers_simulator import Box, Json, a_box

MEMBERS, RELATIONS = 120, 2_500
PAGES = "externalcontact/batch/get_by_user"


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with a_box(world=crowd_world(MEMBERS, RELATIONS)) as made:
        yield made


async def pages(box: Box, members: list[str]) -> list[list[Json]]:
    found, cursor = [], ""
    while True:
        body = {"userid_list": members, "limit": 100, "cursor": cursor}
        answer = await box.api.post(PAGES, body)
        assert answer["errcode"] == 0
        found.append(answer["external_contact_list"])
        cursor = answer["next_cursor"]
        if not cursor:
            return found


def of(row: Json) -> tuple[str, str]:
    return row["follow_info"]["userid"], row["external_contact"]["external_userid"]


async def test_all_customers_come_once_by_pages_of_a_hundred(box: Box) -> None:
    members = (await box.api.get("externalcontact/get_follow_user_list"))["follow_user"]
    assert len(members) == MEMBERS

    found = await pages(box, members[:100]) + await pages(box, members[100:])

    rows = [of(row) for page in found for row in page]
    assert {len(page) for page in found if page is not found[-1]} <= {100, *map(len, found)}
    assert max(map(len, found)) == 100
    assert len(rows) == len(set(rows)) == RELATIONS
    report = await traffic(box)
    assert report["listed"] == RELATIONS
    assert report["apis"][PAGES] == {"calls": len(found), "most_in_a_minute": len(found)}


async def traffic(box: Box) -> Json:
    async with box.api.session.get(f"{box.api.base}/sim/traffic") as answer:
        found: Json = await answer.json()
        return found


async def test_what_the_calls_tell_is_the_same_on_all_ways(box: Box) -> None:
    listed = (await box.api.get("externalcontact/list", userid="crowd00003"))["external_userid"]
    rows = {of(row)[1]: row for page in await pages(box, ["crowd00003"]) for row in page}

    assert list(rows) == listed
    one = await box.api.get("externalcontact/get", external_userid=listed[0])
    assert one["external_contact"] == rows[listed[0]]["external_contact"]
    follower = next(each for each in one["follow_user"] if each["userid"] == "crowd00003")
    tags = [tag["tag_id"] for tag in follower["tags"]]
    info = rows[listed[0]]["follow_info"]
    assert tags == info["tag_id"]
    assert {**info, "tags": follower["tags"]} == {**follower, "tag_id": info["tag_id"]}


async def test_the_limits_hold_for_a_crowd_too(box: Box) -> None:
    members = [f"crowd{number:05}" for number in range(101)]
    assert await box.api.code(PAGES, {"userid_list": members}) != 0
    assert await box.api.code(PAGES, {"userid_list": members[:2], "limit": 101}) == 40058
    assert await box.api.code(PAGES, {"userid_list": ["crowd00999"]}) == 60111
    box.sim.limits.per_minute = 5
    codes = [await box.api.code(PAGES, {"userid_list": ["crowd00001"]}) for _ in range(4)]
    assert codes[-1] == 45009


async def test_directory_and_groups_of_a_crowd_are_read_like_any_other(box: Box) -> None:
    numbers = (await box.api.get("department/simplelist"))["department_id"]
    people: set[str] = set()
    for each in numbers:
        found = await box.api.get("user/list", department_id=str(each["id"]))
        people |= {one["userid"] for one in found["userlist"]}
    assert len(people) == MEMBERS
    groups = (await box.api.post("externalcontact/groupchat/list", {"limit": 100}))[
        "group_chat_list"
    ]
    assert len(groups) == MEMBERS // 20
    chat = {"chat_id": groups[0]["chat_id"], "need_name": 1}
    shown = (await box.api.post("externalcontact/groupchat/get", chat))["group_chat"]
    assert all(one["name"] for one in shown["member_list"])


async def test_the_page_shows_only_whom_somebody_has_touched(box: Box) -> None:
    one = box.world.customers_of("crowd00002")[0]
    box.world.member_edits("crowd00002", one.external_userid, remark="张总")
    box.world.rename_customer(one.external_userid, "张总")

    async with box.api.session.get(f"{box.api.base}/sim/state") as answer:
        state = await answer.json()

    assert [each["name"] for each in state["customers"]] == ["张总"]


async def test_callbacks_of_a_stirred_crowd_are_lost_and_doubled_by_the_share(box: Box) -> None:
    box.sim.faults.bad_weather(Weather(lost=0.3, doubled=0.3, late=0.05), seed=3)
    raised: list[object] = []
    box.world.on_event(raised.append)
    stirrer = Stirrer(box.world)
    for _ in range(200):
        stirrer.step()
    await box.sim.idle()

    app = [each for each in raised if getattr(each, "door", "") == "app"]
    came = [str(sorted(each.items())) for each in box.receiver.events]
    assert 0.5 < len(set(came)) / len(app) < 0.9
    assert len(came) > len(set(came))


async def test_the_command_line_serves_a_crowd() -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot.simulator", "--port", "8977",
        "--members", "30", "--relations", "300", "--stir", "50", "--lost", "0.1",
        stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        said = (await process.stdout.readline()).decode()
        address = said.split()[4]
        async with aiohttp.ClientSession() as http:
            for _ in range(200):
                async with http.get(f"{address}/sim/state") as answer:
                    state = await answer.json()
                if state["customers"]:
                    break
                await asyncio.sleep(0.05)
        assert len(state["members"]) == 30
        assert state["customers"], "people do something"
    finally:
        process.terminate()
        await process.wait()
