"""The measurements: each starts a fresh server on a fresh database and returns its figures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from tests.bench import letters, pretend
from tests.bench.places import Place
from tests.bench.pretend import Heard, Pretend
from tests.bench.process import Server, Used, server
from tests.bench.sending import Sent, send

WARM_UP = 200
REPEATED = 50  # WeCom sends again what was answered late
PATIENCE = 60.0  # seconds for a backlog to be worked off
_POLL = 0.02


@dataclass(frozen=True, slots=True)
class Figures:
    """What one measurement found. `waits` are seconds; None where nothing of that kind is timed."""

    rate: float | None = None  # events a second
    cpu: float | None = None  # the server's CPU seconds for one event
    waits: Sequence[float] = ()
    lost: int = 0
    doubled: int = 0
    megabytes: float = 0.0


async def floor(count: int) -> Figures:
    """The door alone: verify, decrypt, parse, forget."""
    async with server("floor") as running:
        return await _accepted(running, count)


async def peer(count: int) -> Figures:
    """Another framework, which stores nothing either. It knows texts, and answers each of them."""
    async with server("peer") as running:
        return await _accepted(running, count, letters.texts, anew=True)


async def floor_of_texts(count: int) -> Figures:
    """The door alone, with what the other framework gets: texts, on a new connection each."""
    async with server("floor") as running:
        return await _accepted(running, count, letters.texts, anew=True)


async def door(place: Place, count: int) -> Figures:
    """The door with its inbox: 200 only after the commit. Then count what lies there."""
    async with server("door", place.url) as running:
        figures = await _accepted(running, count)
        await send(running.address, letters.numbered(REPEATED, WARM_UP))
    return _with_losses(figures, place, WARM_UP + count)


async def half_load(place: Place, rate: float, seconds: float) -> Figures:
    """The durable door at an even pace of `rate` letters a second."""
    count = int(rate * seconds)
    async with server("door", place.url) as running:
        await send(running.address, letters.numbered(WARM_UP))
        sent = _all_taken(await send(running.address, letters.numbered(count, WARM_UP), rate))
    return _with_losses(Figures(rate=rate, waits=sent.waits), place, WARM_UP + count)


async def adds(
    place: Place, customer: Callable[[int, int], str], count: int, nodes: int = 1
) -> Figures:
    """Observed adds through the whole program, until the last of them is judged and committed.

    With several nodes each gets its part of the callbacks; what comes again comes to another one.
    """
    wecom = Pretend()
    await wecom.start()
    async with AsyncExitStack() as stack:
        running = [
            await stack.enter_async_context(server("app", place.url, wecom.url))
            for _ in range(nodes)
        ]
        await directory_read(place)
        everybody = _adds(customer, WARM_UP + count)
        await _dealt(running, everybody[:WARM_UP])
        await until(lambda: settled(place, WARM_UP))
        before, start = await _used(running), time.perf_counter()
        await _dealt(running, everybody[WARM_UP:])
        await _dealt(running[1:] + running[:1], everybody[-REPEATED * nodes :])
        await until(lambda: _judged(place) >= WARM_UP + count)
        seconds = time.perf_counter() - start
        await until(lambda: settled(place, WARM_UP + count))
        after = await _used(running)
    wecom.stop()
    welcomes = wecom.of("externalcontact/send_welcome_msg")
    codes = [each.body["welcome_code"] for each in welcomes]
    lost, doubled = effects(place, codes, WARM_UP + count)
    return Figures(
        rate=count / seconds,
        cpu=(after.cpu - before.cpu) / count,
        lost=lost,
        doubled=doubled,
        megabytes=after.megabytes,
    )


async def cards(place: Place, count: int, rate: float) -> tuple[Figures, Figures]:
    """Asks until their cards are handed to WeCom, then presses until the cards show the outcome."""
    wecom = Pretend()
    await wecom.start()
    async with server("app", place.url, wecom.url) as running:
        await directory_read(place)
        asks = [letters.said(pretend.trainee(n), _ask(n), n) for n in range(count)]
        asked = _all_taken(await send(running.address, asks, rate))
        await until(lambda: len(_cards(wecom)) >= count)
        shown = _cards(wecom)
        presses = [_press(each) for each in shown]
        pressed = _all_taken(await send(running.address, presses, rate))
        await until(lambda: len(wecom.of(_UPDATE)) >= count)
        await asyncio.sleep(1.0)  # for whatever might come twice
    wecom.stop()
    first = _waits(asked, [pretend.trainee(n) for n in range(count)], shown, _requester)
    codes = [f"pressed-{each.body['template_card']['task_id']}" for each in shown]
    second = _waits(pressed, codes, wecom.of(_UPDATE), lambda heard: heard.body["response_code"])
    return first, second


async def _dealt(running: Sequence[Server], batch: Sequence[bytes]) -> None:
    """Send to every node every n-th of the letters, at the same time."""
    many = len(running)
    parts = [
        send(each.address, batch[number::many], connections=64 // many)
        for number, each in enumerate(running)
    ]
    for sent in await asyncio.gather(*parts):
        _all_taken(sent)


async def _used(running: Sequence[Server]) -> Used:
    """Return the CPU time of all nodes, and the memory of the largest."""
    used = [await each.used() for each in running]
    return Used(sum(each.cpu for each in used), max(each.megabytes for each in used))


async def _accepted(
    running: Server,
    count: int,
    made: Callable[[int, int], list[bytes]] = letters.numbered,
    *,
    anew: bool = False,
) -> Figures:
    await send(running.address, made(WARM_UP, 0), anew=anew)
    batch = made(count, WARM_UP)
    before = await running.used()
    sent = _all_taken(await send(running.address, batch, anew=anew))
    after = await running.used()
    return Figures(
        rate=count / sent.seconds,
        cpu=(after.cpu - before.cpu) / count,
        waits=sent.waits,
        megabytes=after.megabytes,
    )


def _all_taken(sent: Sent) -> Sent:
    if sent.accepted != len(sent.status):
        raise RuntimeError(f"not everything was taken: {dict(sent.statuses)}")
    return sent


def _with_losses(figures: Figures, place: Place, accepted: int) -> Figures:
    rows, events = place.ask("SELECT count(*), count(DISTINCT body) FROM work WHERE queue = 0")[0]
    return Figures(
        figures.rate, figures.cpu, figures.waits, accepted - events, rows - events,
        figures.megabytes,
    )  # fmt: skip


def _adds(customer: Callable[[int, int], str], count: int) -> list[bytes]:
    return [letters.added(pretend.seller(n), customer(n, n)) for n in range(count)]


def _judged(place: Place) -> int:
    return place.number("SELECT count(*) FROM requests")


def settled(place: Place, count: int) -> bool:
    """Whether all adds are judged, and nothing that is due now waits to be done or told."""
    now = int(time.time() * 1000)
    waiting = place.ask("SELECT due FROM work WHERE state = 0 AND queue IN (0, 1, 3)")
    return _judged(place) >= count and not any(due <= now + 10_000 for (due,) in waiting)


def effects(place: Place, codes: Sequence[str], count: int) -> tuple[int, int]:
    """Return how many effects are missing and how many there are too many.

    `codes` are the welcomes that WeCom was told to send.
    """
    rows, customers = place.ask("SELECT count(*), count(DISTINCT external_userid) FROM requests")[0]
    told = place.number("SELECT count(*) FROM audit WHERE kind = 'request.opened'")
    lost = (count - customers) + max(count - told, 0) + (count - len(set(codes)))
    doubled = (rows - customers) + max(told - count, 0) + (len(codes) - len(set(codes)))
    return lost, doubled


async def directory_read(place: Place) -> None:
    """Wait until the server knows the company."""
    await until(lambda: place.number("SELECT count(*) FROM members") > 0)


async def until(there: Callable[[], bool]) -> None:
    """Look again and again. What never comes ends the benchmark: it is lost."""
    end = time.perf_counter() + PATIENCE
    while not there():
        if time.perf_counter() > end:
            raise TimeoutError("something was accepted and never came through")
        await asyncio.sleep(_POLL)


_UPDATE = "message/update_template_card"


def _ask(number: int) -> str:
    return f"加 张伟 明达贸易公司 138{number:08d} 展会认识"


def _cards(wecom: Pretend) -> list[Heard]:
    return [each for each in wecom.of("message/send") if "template_card" in each.body]


def _requester(heard: Heard) -> Any:
    return heard.body["template_card"]["horizontal_content_list"][0]["userid"]


def _press(heard: Heard) -> bytes:
    card = heard.body["template_card"]
    approve = next(b["key"] for b in card["button_list"] if b["key"].endswith(":approve"))
    return letters.pressed(heard.body["touser"], approve, card["task_id"])


def _waits(
    sent: Sent, names: Sequence[str], heard: Sequence[Heard], name: Callable[[Heard], Any]
) -> Figures:
    """Match what was heard with what caused it, by name."""
    first: dict[str, float] = {}
    for each in heard:
        first.setdefault(name(each), each.at)
    waits = [first[key] - due for key, due in zip(names, sent.due, strict=True) if key in first]
    return Figures(waits=waits, lost=len(names) - len(waits), doubled=len(heard) - len(first))
