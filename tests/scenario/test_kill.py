"""kill -9 at any moment: nothing that was accepted is lost, and no decision is doubled."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
import tomllib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bot import demo
from bot.simulator import Simulator, demo_world
from tests.scenario.crowd import Crowd
from tests.scenario.program import Program
from tests.scenario.survivor import Survivor
from tests.services import a_port

SEED = 20260302
MAKE_WAY = "externalcontact/add_contact_way"
KILLS = 8
EVERYTHING = ("ask", "add", "scan", "delete", "leave", "press", "command", "withdraw")
PATIENCE = 80.0  # seconds to settle after the last restart: WeCom lets a lead hear 28 a minute


def _written_at(log: Path) -> int:
    """Return when a file was written; 0 before SQLite has made it."""
    try:
        return log.stat().st_mtime_ns
    except FileNotFoundError:
        return 0


@dataclass(slots=True)
class Floor:
    """A busy sales floor and the program that watches over it."""

    simulator: Simulator
    program: Program
    crowd: Crowd
    survivor: Survivor
    armed: str = ""  # the kind of change in WeCom at which the next kill comes

    def strike_at(self, kind: str) -> None:
        """Kill the program when WeCom has done what it asked for, but has not answered yet."""
        self.armed = kind

    def strike_after_write(self, pause: float) -> None:
        """Kill it so many seconds after it has written to its database. Blocks until then."""
        log = Path(f"{self.survivor.path}-wal")
        before, until = _written_at(log), time.monotonic() + 2.0
        while _written_at(log) == before and time.monotonic() < until:
            time.sleep(0.0002)
        time.sleep(pause)
        self.program.strike()

    def changed(self, kind: str, look: Callable[[], dict[str, Any]]) -> None:
        """Hear of a change in the pretend world."""
        own = kind == "message" and look()["message"]["from"] != "app"  # somebody's own words
        if kind == self.armed and not own:
            self.armed = ""
            self.program.strike()

    async def bustle(self, seconds: float, pause: float = 0.02) -> None:
        """Let people act for a while."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    self.crowd.act()
                    await asyncio.sleep(self.crowd.dice.expovariate(1 / pause))

    async def settle(self) -> None:
        """Wait until nothing is under way."""
        try:
            async with asyncio.timeout(PATIENCE):
                await self.simulator.idle()
                while self.survivor.under_way():  # noqa: ASYNC110 - the database tells nobody
                    await asyncio.sleep(0.1)
        except TimeoutError:
            pytest.fail(f"still under way: {self.survivor.under_way()}\n{self.program.said()}")


@pytest.fixture
async def floor(tmp_path: Path) -> AsyncIterator[Floor]:
    simulator = Simulator(demo.corp(), demo_world())
    crowd = Crowd(simulator.world, Random(SEED))
    crowd.move_in()
    port = a_port()
    address = f"http://127.0.0.1:{port}"
    program = Program(tmp_path / "config.toml", address, tmp_path / "log")
    try:
        demo.configured(await simulator.start(), port, tmp_path)
        simulator.callback_url = f"{address}/wecom/callback"
        simulator.callbacks.pause = 1.5  # so that most callbacks outlive a restart, and some do not
        for slow in ("message/send", MAKE_WAY, "externalcontact/mark_tag"):
            simulator.faults.delay(slow, 0.03, times=1_000_000)  # done, and not answered yet
        url = tomllib.loads(program.config.read_text("utf-8"))["storage"]["url"]
        survivor = Survivor(Path(url.removeprefix("sqlite:///")), simulator, crowd.deeds)
        made = Floor(simulator, program, crowd, survivor)
        simulator.world.on_change(made.changed)
        await program.start()
        await program.ready()
        yield made
    finally:
        await program.close()
        await simulator.stop()


async def test_whatever_step_it_is_killed_at_nothing_accepted_is_lost_and_nothing_doubled(
    floor: Floor,
) -> None:
    dice = floor.crowd.dice
    for number in range(KILLS):
        await floor.bustle(dice.uniform(0.3, 1.3))
        if number % 2:
            floor.strike_at(
                ("contact_way", "message", "message_updated", "relation")[number // 2 % 4]
            )
            await floor.bustle(dice.uniform(0.5, 1.0))
            floor.strike_at("")
            floor.program.strike()
        else:
            strike = asyncio.to_thread(floor.strike_after_write, dice.uniform(0.0, 0.004))
            await asyncio.gather(strike, floor.bustle(0.3))
        assert await floor.program.gone() == -signal.SIGKILL
        await floor.program.start()
        if number % 3 == 0:  # also while it takes up what the last one left
            await floor.bustle(dice.uniform(1.0, 3.0), pause=0.2)
            floor.program.strike()
            await floor.program.gone()
            await floor.program.start()
        await floor.program.ready()
    await floor.bustle(1.0)

    await floor.settle()

    assert floor.survivor.wrongs() == []
    assert len(floor.survivor.accepted(*EVERYTHING)) > 100
    assert (await floor.program.run("audit", "verify"))[0] == 0


async def test_told_to_stop_while_busy_it_ends_soon_keeps_what_it_accepted_and_goes_on_later(
    floor: Floor,
) -> None:
    await floor.bustle(2.0)

    (code, seconds), _ = await asyncio.gather(floor.program.stop(), floor.bustle(1.0))

    assert code == 0, floor.program.said()
    assert seconds < 5.0
    assert len(floor.survivor.accepted(*EVERYTHING)) > 30
    assert floor.survivor.unstored() == []

    await floor.program.start()
    await floor.program.ready()
    await floor.bustle(1.0)
    await floor.settle()
    assert floor.survivor.wrongs() == []


async def test_with_no_room_on_the_disk_nothing_is_accepted_and_later_everything_is(
    floor: Floor,
) -> None:
    floor.simulator.callbacks.pause = 0.2
    await floor.bustle(1.0)
    await floor.settle()

    with floor.program.without_room():
        before = len(floor.crowd.deeds)
        await floor.bustle(1.0)
        await floor.simulator.idle()
    turned_away = {id(deed.event) for deed in floor.crowd.deeds[before:]}
    assert len(turned_away) > 10
    answers = [d.status for d in floor.simulator.deliveries if id(d.event) in turned_away]
    assert set(answers) == {503}

    before = len(floor.crowd.deeds)
    await floor.bustle(1.0)
    await floor.settle()
    taken = floor.survivor.accepted(*EVERYTHING)
    assert len(floor.crowd.deeds) > before
    assert all(deed in taken for deed in floor.crowd.deeds[before:])
    assert floor.survivor.unstored() == []
    assert floor.survivor.wrongs() == []
