"""Calls to WeCom leave in turn, not too often, and not into silence."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import aiohttp
import pytest

from bot.wecom import HeldBack, Traffic, Unreachable, Wecom, WecomError
from bot.wecom.codes import Kind
from tests.makers_wecom_client import Clock, MemoryStore, Setup, a_wecom, ok

PATH = "user/get"


async def passes(traffic: Traffic, outcome: WecomError | None = None) -> None:
    async with traffic.passage(PATH):
        await traffic.heard(PATH, outcome)


async def silence(traffic: Traffic, times: int) -> None:
    for _ in range(times):
        await passes(traffic, Unreachable(PATH, "timeout", is_silence=True))


@pytest.mark.parametrize(("nodes", "at_once"), [(1, 5), (2, 2), (3, 1), (9, 1)])
async def test_nodes_share_the_calls_that_may_be_under_way_at_once(
    nodes: int, at_once: int
) -> None:
    traffic, inside, most = Traffic(Clock(), nodes=lambda: nodes), 0, 0

    async def call() -> None:
        nonlocal inside, most
        async with traffic.passage(PATH):
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    await asyncio.gather(*(call() for _ in range(20)))

    assert most == at_once


async def test_when_nodes_go_those_that_wait_take_their_room() -> None:
    nodes, together = 5, asyncio.Barrier(3)
    traffic = Traffic(Clock(), nodes=lambda: nodes)

    async def call() -> None:
        async with traffic.passage(PATH):
            await together.wait()  # all three must be inside

    async with traffic.passage(PATH):
        calls = [asyncio.create_task(call()) for _ in range(3)]
        await asyncio.sleep(0)
        nodes = 1
    await asyncio.wait_for(asyncio.gather(*calls), 5)


async def test_a_silent_api_is_asked_by_one_call_now_and_then() -> None:
    clock = Clock()
    traffic = Traffic(clock)
    await silence(traffic, 5)

    with pytest.raises(Unreachable, match="silent") as held:
        await passes(traffic)
    assert not held.value.maybe_done
    async with traffic.passage("department/list"):
        pass  # others are not concerned

    clock.now += 5.1
    async with traffic.passage(PATH):  # the call that tries
        with pytest.raises(Unreachable, match="silent"):
            await passes(traffic)
        await traffic.heard(PATH, None)
    await passes(traffic)


async def test_a_longer_silence_is_broken_less_often_but_at_least_once_a_minute() -> None:
    clock = Clock()
    traffic = Traffic(clock)
    await silence(traffic, 5)
    waits = []
    for _ in range(6):
        start = clock.now
        while True:
            clock.now += 1
            try:
                await silence(traffic, 1)
            except Unreachable:
                continue
            waits.append(clock.now - start)
            break

    assert waits == sorted(waits)
    assert waits[0] < 10
    assert 30 < waits[-1] <= 61


async def test_a_refused_connection_is_no_silence() -> None:
    traffic = Traffic(Clock())
    for _ in range(20):
        await passes(traffic, Unreachable(PATH, "ClientConnectorError"))

    await passes(traffic)


async def test_after_45009_an_api_is_left_alone_for_a_minute_and_others_are_not() -> None:
    clock = Clock()
    traffic = Traffic(clock)
    refused = WecomError(45009, Kind.WAIT, PATH)
    await passes(traffic, refused)

    with pytest.raises(HeldBack) as held:
        await passes(traffic)
    assert timedelta(0) < held.value.retry_after <= timedelta(minutes=1)
    async with traffic.passage("department/list"):
        pass

    clock.now += 61
    await passes(traffic)


async def test_a_call_given_up_at_the_gate_gives_its_place_back() -> None:
    traffic = Traffic(Clock(), nodes=lambda: 5)
    async with traffic.passage(PATH):
        waiting = asyncio.create_task(passes(traffic))
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)

    await asyncio.wait_for(passes(traffic), 1)


async def test_a_call_given_up_as_its_turn_comes_passes_it_on() -> None:
    traffic = Traffic(Clock(), nodes=lambda: 5)
    async with traffic.passage(PATH):
        first, second = (asyncio.create_task(passes(traffic)) for _ in range(2))
        await asyncio.sleep(0)
    first.cancel()  # it has its place, and has not run since

    await asyncio.wait_for(second, 1)
    assert first.cancelled()


async def test_whoever_waits_longest_is_next() -> None:
    traffic, order = Traffic(Clock(), nodes=lambda: 5), []

    async def call(number: int) -> None:
        async with traffic.passage(PATH):
            order.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*(call(number) for number in range(9)))

    assert order == list(range(9))


async def test_a_client_whose_wecom_hangs_soon_fails_at_once() -> None:
    async def hang(_: object) -> aiohttp.web.StreamResponse:
        await asyncio.sleep(0.4)
        return ok()

    async with a_wecom() as setup:
        setup.server.answers("user/get", hang)
        wecom = _impatient(setup)
        for _ in range(5):
            with pytest.raises(Unreachable, match="timeout"):
                await wecom.user("mei")

        with pytest.raises(Unreachable, match="not asked"):
            await wecom.user("mei")

        assert len(setup.server.asked("user/get")) == 5


def _impatient(setup: Setup) -> Wecom:
    return setup.another(MemoryStore(), aiohttp.ClientTimeout(total=0.05))
