"""What several nodes ask of Redis: turns, rates, bars, and what they do without it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from time import monotonic

import pytest

from storage.cache import Cache, CacheUnavailable, Rate, RedisCache
from tests.makers_wecom_client import Clock

LONG = timedelta(minutes=1)
SHORT = timedelta(milliseconds=60)
FEW = (Rate(5, timedelta(seconds=1)), Rate(8, LONG))


@pytest.fixture
async def redis(redis_url: str) -> AsyncIterator[RedisCache]:
    made = RedisCache(redis_url)
    yield made
    await made.aclose()


async def test_a_turn_is_one_holders_until_it_is_given_back(cache: Cache) -> None:
    assert await cache.take("turn", "a", LONG)
    assert await cache.take("turn", "a", LONG)
    assert not await cache.take("turn", "b", LONG)

    await cache.give_back("turn", "b")
    assert not await cache.take("turn", "b", LONG)
    await cache.give_back("turn", "a")
    assert await cache.take("turn", "b", LONG)


async def test_the_turn_of_a_holder_who_died_ends_by_itself(cache: Cache) -> None:
    assert await cache.take("turn", "a", SHORT)

    await asyncio.sleep(0.12)

    assert await cache.take("turn", "b", LONG)


async def test_no_window_holds_more_than_it_may_and_who_waits_as_told_goes_on(
    redis: RedisCache,
) -> None:
    began = monotonic()
    spent = [await redis.spend("mei", FEW) for _ in range(6)]
    assert [each.wait for each in spent[:5]] == [timedelta(0)] * 5
    assert timedelta(0) < spent[5].wait <= timedelta(seconds=1.1)
    assert (await redis.spend("qin", FEW)).wait == timedelta(0)

    for _ in range(3):
        wait = (await redis.spend("mei", FEW)).wait
        if wait:  # the first five may have been spent over more than one part of the window
            await asyncio.sleep(wait.total_seconds())
            wait = (await redis.spend("mei", FEW)).wait
        assert wait == timedelta(0)
    ninth = await redis.spend("mei", FEW)
    gone = timedelta(seconds=monotonic() - began + 0.1)
    assert LONG - gone < ninth.wait <= LONG + timedelta(seconds=1)


async def test_many_at_once_spend_no_more_than_there_is(redis: RedisCache) -> None:
    found = await asyncio.gather(*(redis.spend("mei", (Rate(20, LONG),)) for _ in range(60)))

    assert sum(not each.wait for each in found) == 20


async def test_what_one_node_bars_is_barred_for_all(redis: RedisCache, redis_url: str) -> None:
    other = RedisCache(redis_url)
    await other.bar("send", timedelta(seconds=30))
    await other.aclose()

    assert timedelta(seconds=20) < (await redis.spend("send", FEW)).wait <= timedelta(seconds=30)
    assert (await redis.spend("get", FEW)).wait == timedelta(0)


async def test_a_new_edition_is_seen_and_the_old_one_stays_otherwise(redis: RedisCache) -> None:
    first = (await redis.spend("mei", FEW)).edition
    assert (await redis.spend("mei", FEW)).edition == first

    await redis.new_edition("2")

    assert (await redis.spend("mei", FEW)).edition == "2"


async def test_a_redis_that_is_away_is_asked_by_one_call_now_and_then_and_told_once() -> None:
    heard: list[bool] = []
    clock = Clock()
    cache = RedisCache("redis://127.0.0.1:1/0", on_change=heard.append, clock=clock)
    asked = 0
    get = cache._redis.get

    async def counted(key: str) -> object:
        nonlocal asked
        asked += 1
        return await get(key)

    cache._redis.get = counted  # type: ignore[method-assign, assignment]
    for _ in range(10):
        with pytest.raises(CacheUnavailable):
            await cache.get("k")
    clock.now += 5.1
    await asyncio.gather(*(cache.get("k") for _ in range(5)), return_exceptions=True)
    await cache.aclose()

    assert asked == 2
    assert heard == [False]
    assert not cache.is_up
