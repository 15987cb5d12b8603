"""One run: start everything, let people work through the storm, wait for calm, and look."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from bot import demo
from bot.simulator import Simulator, demo_world
from tests.chaos import checker, evidence
from tests.chaos.checker import Wrong
from tests.chaos.database import Postgres
from tests.chaos.evidence import Post
from tests.chaos.nodes import CLOCKS, Nodes, Shared, node
from tests.chaos.people import People
from tests.chaos.storm import Storm
from tests.services import RedisServer

_PAUSE = 0.025  # seconds between what people do, on average
_CALM_WITHIN = 240.0  # seconds; the lease of what a killed node had in hand is sixty
_CALLBACK_TRIES_END = 60.0
_SAMPLE = 0.5
_SHOWN = 10  # wrongs of each kind printed

_UNDER_WAY = """SELECT count(*) FROM work WHERE state = 0
    AND (queue IN (0, 1, 3) OR due <= %s OR kind = 'look_again')"""
# As if the hour had passed for which WeCom wants to be left alone after 45009.
_HURRY = """UPDATE work SET due = %s WHERE state = 0 AND leased = 0 AND due > %s
    AND (queue IN (0, 1, 3) OR kind = 'look_again')"""


@dataclass(slots=True)
class Run:
    """One storm of so many seconds. What it counted is in `counts` afterwards."""

    seed: int
    seconds: float
    folder: Path
    database: Postgres
    counts: dict[str, int] = field(default_factory=dict)
    _post: Post = field(default_factory=Post)
    _tries: Counter[int] = field(default_factory=Counter)  # callbacks by status of the last try
    _again: int = 0  # callbacks that needed a second or third try
    _sent: list[dict[str, Any]] = field(default_factory=list)
    _harm: Counter[str] = field(default_factory=Counter)

    async def through(self) -> list[Wrong]:
        """Run it, and return what is wrong."""
        dice = Random(self.seed)
        simulator = Simulator(demo.corp(), demo_world())
        people = People(simulator.world, Random(dice.random()), teams=48)
        people.move_in()
        await simulator.start()
        ports = _free_ports(1 + len(CLOCKS), 20_000 + dice.randrange(10_000))
        redis = RedisServer(ports.pop(), self.folder)
        redis.start()
        shared = Shared(simulator.base_url, self.database.url, redis.url)
        door = simulator.callbacks.doors["app"]
        programs = [node(n, self.folder, port, shared) for n, port in enumerate(ports)]
        simulator.callback_url = f"{programs[0].address}/wecom/callback"
        nodes = Nodes(programs, door.behind)
        storm = Storm(Random(dice.random()), simulator, nodes, redis, self.database)
        try:
            await nodes.start()
            async with self._watching(simulator):
                await asyncio.gather(storm.rage(self.seconds), _bustle(people, self.seconds))
                await asyncio.wait_for(simulator.idle(), _CALLBACK_TRIES_END)
                wrongs = await self._calm()
            self._harm = storm.done
            return wrongs + await self._look(simulator, people, nodes)
        finally:
            await nodes.close()
            redis.kill()
            await simulator.stop()

    @asynccontextmanager
    async def _watching(self, simulator: Simulator) -> AsyncIterator[None]:
        """Write down what WeCom sent and was sent: its own memory is short."""

        def note() -> None:
            for each in simulator.deliveries:
                self._tries[each.status] += 1
                self._again += each.tries > 1
                self._post.note(each)
            simulator.callbacks.deliveries.clear()
            self._sent += simulator.called("message/send")
            simulator.forget_calls()

        async def watch() -> None:
            while True:
                note()
                await asyncio.sleep(_SAMPLE)

        watching = asyncio.create_task(watch())
        try:
            yield
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
            note()

    async def _calm(self) -> list[Wrong]:
        """Wait until nothing is left to be done."""
        until = time.monotonic() + _CALM_WITHIN
        while time.monotonic() < until:
            now = int(time.time() * 1000)
            await asyncio.to_thread(self.database.change, _HURRY, now, now + 1000)
            found = await asyncio.to_thread(self.database.rows, _UNDER_WAY, now)
            if not found[0]["count"]:
                return []
            await asyncio.sleep(1.0)
        return [Wrong("lost", f"{found[0]['count']} rows are still under way")]

    async def _look(self, simulator: Simulator, people: People, nodes: Nodes) -> list[Wrong]:
        seen = evidence.collect(self.database, simulator.world, people.deeds, self._post)
        wrongs = checker.examine(seen)
        tables = json.dumps(dict(seen.tables), ensure_ascii=False, indent=1, default=str)
        (self.folder / "tables.json").write_text(tables, "utf-8")
        verified, said = await nodes.programs[0].run("audit", "verify")
        if verified:
            wrongs.append(Wrong("record", f"menwei audit verify: {said.strip()}"))
        for code in await nodes.stop():
            if code:
                wrongs.append(Wrong("lost", f"a node that was asked to end exited with {code}"))
        died = nodes.said().count("task_died")
        if died:
            wrongs.append(Wrong("lost", f"{died} parts of a running node died"))
        poisoned = sum(each.kind == "poison" for each in seen.told)
        self.counts = {
            "things people did": len(people.deeds),
            "  poisoned on purpose": poisoned,
            "callbacks answered 200": self._tries[200],
            "  after a second or third try": self._again,
            "callbacks refused or unanswered": self._tries.total() - self._tries[200],
            "requests": len(seen.tables["requests"]),
            "votes": len(seen.tables["votes"]),
            "tickets": len(seen.tables["tickets"]),
            "audit entries": len(seen.tables["audit"]),
            "messages handed to WeCom": len(self._sent),
            "  again, and dropped by its duplicate check": evidence.repeated(self._sent),
            "nodes killed": nodes.kills,
            "  starts that failed for want of a database": nodes.false_starts,
            **dict(sorted(self._harm.items())),
        }
        return wrongs


def report(run: Run, wrongs: list[Wrong]) -> str:
    """Return the table that a run ends with."""
    kinds = Counter(each.kind for each in wrongs)
    found = {
        "lost": kinds["lost"],
        "doubled": kinds["doubled"],
        "out of order": kinds["order"],
        "decided wrongly": kinds["decision"],
        "wrong in the record": kinds["record"],
    }
    lines = [f"{name:<48}{count:>8}" for name, count in (run.counts | found).items()]
    for kind in kinds:
        lines += [f"{kind}: {each.words}" for each in wrongs if each.kind == kind][:_SHOWN]
    lines.append(f"seed {run.seed}: {'WRONG' if wrongs else 'nothing lost, nothing doubled'}")
    return "\n".join(lines)


async def _bustle(people: People, seconds: float) -> None:
    """Let people act for a while."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while True:
                people.act()
                await asyncio.sleep(people.dice.expovariate(1 / _PAUSE))


def _free_ports(count: int, start: int) -> list[int]:
    ports: list[int] = []
    while len(ports) < count:
        ports.append(demo.free_port(ports[-1] + 1 if ports else start))
    return ports
