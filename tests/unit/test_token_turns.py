"""Nodes that share a store ask WeCom for a token one after the other, and so only once."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from aiohttp import web

from bot.wecom import WecomError
from storage.cache import MemoryCache
from tests.makers_wecom_client import MemoryStore, Setup, a_wecom, ok


async def slow(_: web.Request) -> web.StreamResponse:
    await asyncio.sleep(0.1)
    return ok(access_token="fresh", expires_in=7200)


def nodes(setup: Setup, count: int) -> list[object]:
    return [setup.another(setup.store).callback_ips() for _ in range(count)]


async def test_nodes_that_start_at_once_ask_for_one_token() -> None:
    async with a_wecom(MemoryCache()) as setup:  # type: ignore[arg-type]
        setup.server.answers("gettoken", slow)

        await asyncio.gather(*nodes(setup, 3))  # type: ignore[call-overload]

        assert len(setup.server.asked("gettoken")) == 1


async def test_without_a_store_each_node_asks_for_itself() -> None:
    async with a_wecom(MemoryStore(broken=True)) as setup:
        await asyncio.gather(*nodes(setup, 3))  # type: ignore[call-overload]

        assert len(setup.server.asked("gettoken")) == 3


async def test_after_the_death_of_the_node_whose_turn_it_is_the_others_go_on() -> None:
    async with a_wecom(MemoryCache()) as setup:  # type: ignore[arg-type]
        key = setup.wecom._app.token_key
        await setup.store.take(f"{key}:turn", "dead", timedelta(seconds=0.3))

        await asyncio.gather(*nodes(setup, 2))  # type: ignore[call-overload]

        assert len(setup.server.asked("gettoken")) == 1


async def test_a_refused_turn_is_given_back_at_once() -> None:
    async with a_wecom(MemoryCache()) as setup:  # type: ignore[arg-type]
        refused = {"errcode": -1, "errmsg": "busy"}
        setup.server.answers("gettoken", refused, ok(access_token="fresh", expires_in=7200))
        with pytest.raises(WecomError):
            await setup.another(setup.store).callback_ips()

        async with asyncio.timeout(2):
            await setup.another(setup.store).callback_ips()
