"""What goes wrong, and when: everything by the dice of one seed."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from random import Random

import psycopg

from bot.simulator import Simulator
from tests.chaos.database import Postgres
from tests.chaos.nodes import Nodes
from tests.services import RedisServer

_SEND, _UPDATE = "message/send", "message/update_template_card"
_PATHS = (
    _SEND,
    _SEND,
    _UPDATE,
    "externalcontact/get",
    "externalcontact/add_contact_way",
    "externalcontact/del_contact_way",
    "externalcontact/get_contact_way",
    "externalcontact/list_contact_way",
    "externalcontact/mark_tag",
    "externalcontact/remark",
    "externalcontact/send_welcome_msg",
    "externalcontact/get_corp_tag_list",
    "user/list",
    "department/list",
)
_LONGER_THAN_ANYBODY_WAITS = 11.0  # seconds; the program gives a call ten
_KILLING = 0.5  # of the time
_BUSY, _TOO_OFTEN, _TOO_MANY = -1, 45009, 45033


@dataclass(slots=True)
class Storm:
    """Does harm for a given time. `done` counts what it did."""

    dice: Random
    simulator: Simulator
    nodes: Nodes
    redis: RedisServer
    database: Postgres
    done: Counter[str] = field(default_factory=Counter)

    async def rage(self, seconds: float) -> None:
        """Kill nodes for the first half of the time, and do everything else for all of it.

        What a killed node had in hand is free again a minute later.
        """
        self.simulator.callbacks.scatter = 2.0
        await asyncio.gather(
            self._again_and_again(self._strike, seconds * _KILLING, (2.0, 6.0)),
            self._again_and_again(self._weather, seconds, (0.5, 2.0)),
            self._again_and_again(self._double, seconds, (0.3, 1.0)),
            self._again_and_again(self._cut, seconds, (3.0, 9.0)),
            self._again_and_again(self._no_redis, seconds, (4.0, 12.0)),
        )
        self.simulator.callbacks.scatter = 0.0
        self.simulator.faults.clear()
        await self.nodes.all_up()

    async def _again_and_again(
        self, act: Callable[[], Awaitable[None]], seconds: float, pause: tuple[float, float]
    ) -> None:
        until = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < until:
            await asyncio.sleep(self.dice.uniform(*pause))
            await act()

    async def _strike(self) -> None:
        """Kill one node, sometimes two at once, never all."""
        count = len(self.nodes.programs)
        victims = self.dice.sample(range(count), self.dice.choice((1, 1, 2)))
        down = [self.dice.uniform(0.0, 2.0) for _ in victims]
        await asyncio.gather(*map(self.nodes.strike, victims, down))

    async def _weather(self) -> None:
        """Have the next calls of one API go wrong in one way."""
        faults, path = self.simulator.faults, self.dice.choice(_PATHS)
        times = self.dice.randint(1, 6)
        ways: dict[str, Callable[[], None]] = {
            "slow": lambda: faults.delay(path, self.dice.uniform(0.2, 2.0), times),
            "500": lambda: faults.http_500(path, times),
            "-1": lambda: faults.fail(path, _BUSY, times),
            "done, then -1": lambda: faults.fail_after(path, _BUSY, times),
            "45009": lambda: faults.fail(path, _TOO_OFTEN, 1),
            "45033": lambda: faults.fail(path, _TOO_MANY, times),
            "wrong shape": lambda: faults.garble(path, times),
            "no answer": lambda: faults.delay(path, _LONGER_THAN_ANYBODY_WAITS, 2),
            "token expired": self.simulator.expire_tokens,
        }
        name = self.dice.choice(list(ways))
        ways[name]()
        self.done[f"WeCom: {name}"] += 1

    async def _double(self) -> None:
        self.simulator.faults.duplicate_callbacks(self.dice.randint(1, 5))
        self.done["callbacks doubled, at most"] += 1

    async def _cut(self) -> None:
        try:
            self.done["connections cut"] += await asyncio.to_thread(self.database.cut)
        except psycopg.OperationalError:
            self.done["connections cut: none"] += 1

    async def _no_redis(self) -> None:
        self.redis.kill()
        self.done["Redis killed"] += 1
        await asyncio.sleep(self.dice.uniform(0.5, 2.5))
        self.redis.start()
