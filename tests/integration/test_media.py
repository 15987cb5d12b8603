"""Files in messages: what the pretend WeCom takes, and how the client hands one in."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import aiohttp
import pytest
from pydantic import SecretStr

from bot.simulator.seed import AGENT_ID, CORP_ID
from bot.wecom import Kind, Wecom, WecomError
from storage.cache import MemoryCache
from tests.makers_simulator import SECRET, Box, Json, a_box

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 20


@pytest.fixture
async def box() -> AsyncIterator[Box]:
    async with a_box() as made:
        yield made


def a_wecom(box: Box) -> Wecom:
    return Wecom(
        box.api.session,
        api_base=box.api.base,
        corp_id=CORP_ID,
        agent_id=AGENT_ID,
        secret=SecretStr(SECRET),
        cache=MemoryCache(),
        on_call=lambda *_: None,
    )


async def upload(
    box: Box,
    content: bytes = b"a,b,c\r\n",
    *,
    kind: str = "file",
    field: str = "media",
    name: str | None = "list.csv",
) -> Json:
    form = aiohttp.FormData()
    form.add_field(
        field, io.BytesIO(content), filename=name, content_type="application/octet-stream"
    )
    url = f"{box.api.base}/cgi-bin/media/upload"
    query = {"access_token": box.api.token, "type": kind}
    async with box.api.session.post(url, params=query, data=form) as answer:
        return dict(await answer.json())


# The pretend WeCom


async def test_a_file_is_taken_and_its_time_comes_as_text(box: Box) -> None:
    answer = await upload(box)

    assert (answer["errcode"], answer["type"]) == (0, "file")
    assert answer["media_id"].startswith("media_")
    assert answer["created_at"] == str(int(box.clock()))


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"kind": "csv"}, 40005),
        ({"kind": ""}, 40005),
        ({"field": "file"}, 44001),
        ({"content": b"12345"}, 40006),
        ({"content": b"0" * ((20 << 20) + 1)}, 45001),
        ({"kind": "image"}, 40004),
        ({"kind": "voice"}, 40004),
        ({"kind": "image", "content": PNG + b"0" * (10 << 20)}, 40009),
    ],
)
async def test_a_file_that_wecom_would_not_take_is_refused(
    box: Box, wrong: Json, code: int
) -> None:
    assert (await upload(box, **wrong))["errcode"] == code


async def test_the_smallest_and_the_largest_file_are_taken(box: Box) -> None:
    assert (await upload(box, b"123456"))["errcode"] == 0
    assert (await upload(box, b"0" * (20 << 20)))["errcode"] == 0
    assert (await upload(box, PNG, kind="image", name="a.png"))["errcode"] == 0


async def test_json_is_no_file_and_a_get_is_no_upload(box: Box) -> None:
    assert await box.api.code("media/upload", {"media": "abc"}) == 40005
    url = f"{box.api.base}/cgi-bin/media/upload?access_token={box.api.token}&type=file"
    async with box.api.session.post(url, json={"media": "abc"}) as answer:
        assert (await answer.json())["errcode"] == 44001
    assert (await box.api.get("media/upload", type="file"))["errcode"] == 40058


async def test_a_file_message_needs_a_file_that_is_there_and_not_too_old(box: Box) -> None:
    media = (await upload(box))["media_id"]
    image = (await upload(box, PNG, kind="image", name="a.png"))["media_id"]

    assert (await box.api.send(file={}))["errcode"] == 41006
    assert (await box.api.send(file={"media_id": "nothing"}))["errcode"] == 40007
    assert (await box.api.send(file={"media_id": image}))["errcode"] == 40007
    assert (await box.api.send(file={"media_id": media}))["errcode"] == 0
    box.clock.move(hours=73)
    await box.api.login()
    assert (await box.api.send(file={"media_id": media}))["errcode"] == 40145


async def test_the_phone_shows_the_file_and_it_can_be_opened(box: Box) -> None:
    media = (await upload(box, name="customers.csv"))["media_id"]
    await box.api.send(file={"media_id": media})

    async with box.api.session.get(f"{box.api.base}/sim/state") as answer:
        (message,) = (await answer.json())["chats"]["wangfang"]
    assert message["kind"] == "file"
    assert message["file"] == {"name": "customers.csv", "size": 7, "url": f"/sim/media/{media}"}
    async with box.api.session.get(f"{box.api.base}{message['file']['url']}") as answer:
        assert await answer.read() == b"a,b,c\r\n"
        assert "attachment; filename*=UTF-8''" in answer.headers["Content-Disposition"]
    async with box.api.session.get(f"{box.api.base}/sim/media/other") as answer:
        assert answer.status == 404


# The client


async def test_the_client_hands_a_file_in_and_sends_it(box: Box) -> None:
    wecom, content = a_wecom(box), bytes(range(256)) * 12_000

    media_id = await wecom.upload_file("customers-A7K2.csv", content)
    await wecom.send_file("wangfang", media_id)

    media = box.world.state.media[media_id]
    assert (media.kind, media.name, media.content) == ("file", "customers-A7K2.csv", content)
    assert [each.kind for each in box.world.state.chats["wangfang"]] == ["file"]


async def test_an_expired_token_is_renewed_and_the_whole_file_sent_again(box: Box) -> None:
    wecom = a_wecom(box)
    await wecom.callback_ips()
    box.sim.expire_tokens()

    media_id = await wecom.upload_file("a.csv", b"a,b,c\r\n" * 9)

    assert box.world.state.media[media_id].content == b"a,b,c\r\n" * 9


@pytest.mark.parametrize("size", [0, 5, (20 << 20) + 1])
async def test_a_file_that_cannot_be_sent_does_not_leave(box: Box, size: int) -> None:
    with pytest.raises(WecomError) as refused:
        await a_wecom(box).upload_file("a.csv", b"0" * size)

    assert refused.value.kind is Kind.PERMANENT
    assert box.sim.called("media/upload") == []


async def test_no_failure_of_an_upload_shows_what_is_in_the_file(box: Box) -> None:
    box.sim.faults.fail("media/upload", 40006)

    with pytest.raises(WecomError) as refused:
        await a_wecom(box).upload_file("a.csv", b"name,13800001234\r\n")

    assert "13800001234" not in f"{refused.value!r} {refused.value}"
    assert box.api.token not in str(refused.value)
