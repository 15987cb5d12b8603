"""The cache behaves the same in memory and in Redis."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from storage.cache import Cache, CacheUnavailable, MemoryCache, RedisCache

LONG = timedelta(minutes=1)
SHORT = timedelta(milliseconds=60)


async def test_a_text_is_kept_replaced_and_forgotten(cache: Cache) -> None:
    assert await cache.get("token") is None

    await cache.set("token", "一", LONG)
    await cache.set("token", "two", LONG)
    assert await cache.get("token") == "two"

    await cache.delete("token")
    await cache.delete("token")
    assert await cache.get("token") is None


async def test_a_text_ends_by_itself(cache: Cache) -> None:
    await cache.set("token", "x", SHORT)
    await cache.set("other", "y", LONG)

    await asyncio.sleep(0.12)

    assert await cache.get("token") is None
    assert await cache.get("other") == "y"


async def test_hits_are_counted_apart_from_texts_and_from_each_other(cache: Cache) -> None:
    await cache.set("k", "text", LONG)

    assert [await cache.hit("k", LONG) for _ in range(3)] == [1, 2, 3]
    assert await cache.hit("other", LONG) == 1
    assert await cache.get("k") == "text"

    await cache.delete("k")
    assert await cache.hit("k", LONG) == 1


async def test_a_counter_starts_anew_a_window_after_its_first_hit(cache: Cache) -> None:
    """Later hits do not make the window longer."""
    window = timedelta(milliseconds=300)
    assert await cache.hit("k", window) == 1
    await asyncio.sleep(0.2)
    assert await cache.hit("k", window) == 2
    await asyncio.sleep(0.2)

    assert await cache.hit("k", window) == 1


async def test_no_hit_is_lost_among_many_at_once(cache: Cache) -> None:
    counts = await asyncio.gather(*(cache.hit("k", LONG) for _ in range(50)))

    assert sorted(counts) == list(range(1, 51))


async def test_memory_lets_go_of_what_has_ended() -> None:
    now = 0.0
    cache = MemoryCache(clock=lambda: now)
    for n in range(100):
        await cache.hit(f"k{n}", LONG)
        await cache.set(f"k{n}", "x", LONG)

    now = 120.0
    await cache.hit("k", LONG)

    assert len(cache._counts) + len(cache._texts) == 1


@pytest.mark.parametrize("call", ["get", "set", "delete", "hit"])
async def test_a_redis_that_does_not_answer_is_unavailable(call: str) -> None:
    cache = RedisCache("redis://:hunter2@127.0.0.1:1/0")
    calls = {
        "get": lambda: cache.get("k"),
        "set": lambda: cache.set("k", "v", LONG),
        "delete": lambda: cache.delete("k"),
        "hit": lambda: cache.hit("k", LONG),
    }

    with pytest.raises(CacheUnavailable) as caught:
        await calls[call]()  # type: ignore[no-untyped-call]
    await cache.aclose()

    assert "hunter2" not in str(caught.value)
