"""The program is killed between two calls that hand a leaver's customers over, and goes on."""

from __future__ import annotations

import asyncio
import signal
import tomllib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot import demo
from bot.actions.unassigned import READ, Reading
from bot.simulator import Simulator, demo_world
from storage.database import Database
from storage.work import Job, Queue
from tests.makers_leavers import customers_of
from tests.scenario.program import Program
from tests.services import a_port
from workflows.leaving import Outcome
from workflows.model import State

TRANSFER = "externalcontact/resigned/transfer_customer"
PATIENCE = 40.0


@dataclass(slots=True)
class Office:
    """A company whose seller has 250 customers, and the program as a process of its own."""

    simulator: Simulator
    program: Program
    db: Database

    async def until(self, look: Callable[[], Any], what: str) -> Any:
        try:
            async with asyncio.timeout(PATIENCE):
                while True:
                    found = look()
                    if isinstance(found, Awaitable):
                        found = await found
                    if found:
                        return found
                    await asyncio.sleep(0.01)
        except TimeoutError:
            pytest.fail(f"waited in vain: {what}\n{self.program.said()}")

    def heard(self, userid: str, words: str) -> bool:
        chat = self.simulator.world.state.chats.get(userid, [])
        return any(words in each.text for each in chat)

    def calls(self) -> int:
        return len(self.simulator.called(TRANSFER))


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Office]:
    simulator = Simulator(demo.corp(), demo_world())
    customers_of(simulator.world, "sunlei", 250)
    port = a_port()
    address = f"http://127.0.0.1:{port}"
    program = Program(tmp_path / "config.toml", address, tmp_path / "log")
    demo.configured(await simulator.start(), port, tmp_path)
    simulator.callback_url = f"{address}/wecom/callback"
    text = program.config.read_text("utf-8")
    db = Database.open(tomllib.loads(text)["storage"]["url"])
    try:
        await program.start()
        await program.ready()
        yield Office(simulator, program, db)
    finally:
        await db.aclose()
        await program.close()
        await simulator.stop()


async def test_killed_between_two_calls_every_customer_goes_over_once(office: Office) -> None:
    db, world = office.db, office.simulator.world
    await office.until(
        lambda: db.read(lambda tx: bool(tx.people.directory().members)), "the directory"
    )
    world.member_leaves("sunlei")
    await office.until(lambda: office.heard("zhaomin", "孙磊 已离职"), "the news")
    name = Reading(datetime.now(UTC)).name  # now, and not when the next minute begins
    await db.write(
        lambda tx: tx.work.add([Job(Queue.TIMERS, READ, name, name, name)], datetime.now(UTC))
    )
    await office.until(lambda: office.heard("zhaomin", "250 位客户"), "who waits")
    office.simulator.faults.delay(TRANSFER, 0.5, times=100)  # done, and not answered yet
    world.member_says("zhaomin", "转移 孙磊的全部 给 李强、陈宇")

    for count in (1, 3):
        await office.until(lambda n=count: office.calls() >= n, f"call {count}")  # type: ignore[misc]
        office.program.strike()
        assert await office.program.gone() == -signal.SIGKILL
        await office.program.start()
        await office.program.ready()

    await office.until(lambda: office.heard("zhaomin", "孙磊 的 250 位客户将转出"), "the end")
    moved = [each.external_userid for each in world.state.transfers]
    assert len(moved) == len(set(moved)) == 250
    (request,) = await db.read(lambda tx: tx.requests.by_requester("zhaomin", 5))
    assert request.state is State.EXECUTED
    outcomes = await db.read(lambda tx: tx.leavers.outcomes(request.id))
    assert sum(n for (_, outcome), n in outcomes.items() if outcome is Outcome.WAITING) == 250
    passages = await db.read(lambda tx: tx.transfers.of_request(request.id))
    assert len(passages) == 250
    assert office.calls() > 4  # some were made a second time, and counted once
