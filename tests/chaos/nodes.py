"""Three nodes of the program as processes, on one database and one Redis, behind one door."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot import demo
from tests.scenario.program import Program

CLOCKS = (0.0, 30.0, -30.0)  # seconds by which each node's clock is wrong
_NOTICED_AFTER = 0.4  # seconds until the load balancer knows that a node is gone
_ENDS_WITHIN = 30.0
_STARTS = 20  # while the database is cut off again and again
_URL = re.compile(r'^url = ".*"$', re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Shared:
    """What all nodes work on."""

    wecom: str
    database: str
    redis: str


def node(number: int, folder: Path, port: int, shared: Shared) -> Program:
    """Return a node that is not started yet; its config file and log are in a folder of its own."""
    home = folder / f"node{number}"
    home.mkdir()
    demo.configured(shared.wecom, port, home)
    config = home / "config.toml"
    storage = f'url = "{shared.database}"\nredis_url = "{shared.redis}"'
    config.write_text(_URL.sub(lambda _: storage, config.read_text("utf-8")), "utf-8")
    clock = ("tests.chaos.launcher", str(CLOCKS[number % len(CLOCKS)]))
    return Program(config, f"http://127.0.0.1:{port}", home / "log", launched_by=clock)


@dataclass(slots=True)
class Nodes:
    """The nodes, and the addresses `behind` the door that callbacks are sent to."""

    programs: Sequence[Program]
    behind: list[str]
    kills: int = 0
    false_starts: int = 0
    _hands: list[asyncio.Lock] = field(default_factory=list)

    async def start(self) -> None:
        """Start all of them."""
        self._hands = [asyncio.Lock() for _ in self.programs]
        await asyncio.gather(*(self._begin(each) for each in self.programs))

    async def strike(self, number: int, down: float) -> None:
        """kill -9 one, leave it down for a while, and start it again."""
        program = self.programs[number]
        async with self._hands[number]:
            program.strike()
            self.kills += 1
            await asyncio.sleep(_NOTICED_AFTER)
            self._out(program)
            await asyncio.wait_for(program.gone(), _ENDS_WITHIN)
            await asyncio.sleep(down)
            await self._begin(program)

    async def all_up(self) -> None:
        """Wait until nobody has one in hand any more."""
        for hand in self._hands:
            async with hand:
                pass

    async def stop(self) -> list[int]:
        """Ask all to end; return their exit codes."""
        self.behind.clear()
        return [code for code, _ in await asyncio.gather(*(p.stop() for p in self.programs))]

    async def close(self) -> None:
        """End whatever still runs."""
        for program in self.programs:
            await asyncio.wait_for(program.close(), _ENDS_WITHIN)

    def said(self) -> str:
        """Return all that they have logged."""
        return "".join(each.log.read_text("utf-8", "replace") for each in self.programs)

    async def _begin(self, program: Program) -> None:
        """Start it, and again should it end by itself, as systemd would."""
        for _ in range(_STARTS):
            await program.start()
            if await _is_up(program):
                self.behind.append(_door(program))
                return
            await program.gone()
            self.false_starts += 1
            await asyncio.sleep(1.0)
        raise TimeoutError(f"{program.address} does not start: {program.said()}")

    def _out(self, program: Program) -> None:
        if _door(program) in self.behind:
            self.behind.remove(_door(program))


def _door(program: Program) -> str:
    return f"{program.address}/wecom/callback"


async def _is_up(program: Program) -> bool:
    """Wait until it is ready; False if it ended before."""
    ready = asyncio.create_task(program.ready())
    while not ready.done():
        await asyncio.wait({ready}, timeout=0.2)
        if not ready.done() and _has_ended(program.pid):
            ready.cancel()
            return False
    await ready
    return True


def _has_ended(pid: int) -> bool:
    """Whether it is a process that only waits for its end to be noticed."""
    status = Path(f"/proc/{pid}/stat").read_text("ascii", "replace")
    return status.rpartition(")")[2].split()[0] == "Z"
