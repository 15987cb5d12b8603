"""Nodes that have their hands full call the others; who hears nothing looks once a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from redis.asyncio import Redis

from storage.bell import Bell

WAIT = 5.0


@asynccontextmanager
async def hearing(url: str) -> AsyncIterator[tuple[Bell, asyncio.Queue[str]]]:
    """A node's bell, and what it has heard."""
    bell: Bell = Bell(url)
    heard: asyncio.Queue[str] = asyncio.Queue()
    listening = asyncio.create_task(bell.listen(heard.put_nowait))
    try:
        yield bell, heard
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await bell.aclose()


async def all_listen(url: str, count: int) -> None:
    async with Redis.from_url(url, decode_responses=True) as redis, asyncio.timeout(WAIT):
        while True:
            [(_, ears)] = await redis.pubsub_numsub("menwei:bell")
            if ears >= count:
                return
            await asyncio.sleep(0.01)


async def test_who_rings_is_heard_by_the_others_and_not_by_itself(redis_url: str) -> None:
    async with hearing(redis_url) as (one, own), hearing(redis_url) as (_, other):
        await all_listen(redis_url, 2)
        one.ring("INBOX")

        assert await asyncio.wait_for(other.get(), WAIT) == "INBOX"
        assert own.empty()


async def test_many_wishes_to_ring_become_one(redis_url: str) -> None:
    async with hearing(redis_url) as (one, _), hearing(redis_url) as (_, other):
        await all_listen(redis_url, 2)
        for _ in range(100):
            one.ring("INBOX")
        one.ring("OUTBOX")

        heard = {await asyncio.wait_for(other.get(), WAIT) for _ in range(2)}
        assert heard == {"INBOX", "OUTBOX"}
        assert other.empty()


async def test_without_redis_nobody_fails_and_nobody_hears(unused_tcp_port: int) -> None:
    async with hearing(f"redis://127.0.0.1:{unused_tcp_port}/0") as (bell, heard):
        bell.ring("INBOX")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(heard.get(), 0.2)


async def test_a_bell_is_heard_again_after_its_connection_was_cut(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("storage.bell._PAUSE", 0.05)
    async with hearing(redis_url) as (one, _), hearing(redis_url) as (_, other):
        await all_listen(redis_url, 2)
        async with Redis.from_url(redis_url) as redis:
            await redis.client_kill_filter(_type="pubsub")
        await all_listen(redis_url, 2)

        async with asyncio.timeout(WAIT):
            while other.empty():  # a single ring is a hint, which a slow machine may lose
                one.ring("INBOX")
                await asyncio.sleep(0.1)
        assert other.get_nowait() == "INBOX"
