"""All nodes together stay below a rate: with the ledger, without it, while it comes and goes."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from random import Random

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bot.wecom import SharedBudget
from storage.cache import CacheUnavailable, Rate, Spent
from tests.makers_wecom_client import Clock

MOST = 28
RATES = (Rate(MOST, timedelta(minutes=1)), Rate(960, timedelta(hours=1)))


@dataclass
class Ledger:
    """What Redis does, by hand."""

    clock: Clock
    up: bool = True
    edition: str = "1"
    spent: list[float] = field(default_factory=list)

    async def spend(self, _: str, rates: Sequence[Rate]) -> Spent:
        self._expect_up()
        for rate in rates:
            window = rate.window.total_seconds()
            recent = [at for at in self.spent if at > self.clock.now - window]
            if len(recent) >= rate.most:
                wait = recent[-rate.most] + window - self.clock.now
                return Spent(timedelta(seconds=wait + 0.001), self.edition)
        self.spent.append(self.clock.now)
        return Spent(timedelta(0), self.edition)

    async def new_edition(self, name: str) -> None:
        self._expect_up()
        self.edition = name

    async def bar(self, _: str, __: timedelta) -> None:
        self._expect_up()

    def empty(self, name: str) -> None:
        """Forget everything, as after a restart."""
        self.spent, self.edition = [], name

    def _expect_up(self) -> None:
        if not self.up:
            raise CacheUnavailable


@dataclass
class Fellows:
    count: int
    all_have_cache: bool = True
    is_alone: bool = False


class Company:
    """Some nodes that send to one member, and what WeCom saw."""

    def __init__(self, nodes: int, *, has_ledger: bool = True) -> None:
        self.clock = Clock()
        self.ledger = Ledger(self.clock)
        self.fellows = Fellows(nodes)
        self.sent: list[float] = []
        self.nodes = [
            SharedBudget(
                "messages",
                RATES,
                clock=self.clock,
                fellows=self.fellows,
                ledger=self.ledger if has_ledger else None,
                recall=self._recall,
            )
            for _ in range(nodes)
        ]

    async def _recall(self) -> Sequence[tuple[str, float]]:
        return [("mei", self.clock.now - at) for at in self.sent]

    async def send(self, node: int, times: int = 1) -> int:
        """Send as often as is allowed right now; return how often that was."""
        done = 0
        for _ in range(times):
            if await self.nodes[node].delay("mei") == 0:
                self.sent.append(self.clock.now)
                done += 1
        return done

    async def settle(self) -> None:
        """Let all nodes see the ledger, and come to rely on it."""
        for _ in range(2):
            for node in range(len(self.nodes)):
                await self.send(node)
            self.clock.now += 61

    def most_in_a_minute(self) -> int:
        return max((sum(a <= b < a + 60 for b in self.sent) for a in self.sent), default=0)


async def test_with_the_ledger_nodes_use_one_budget_between_them() -> None:
    company = Company(3)
    await company.settle()

    assert [await company.send(node, 20) for node in range(3)] == [20, 8, 0]


async def test_without_a_ledger_each_node_keeps_to_its_share() -> None:
    company = Company(2, has_ledger=False)

    assert [await company.send(node, 20) for node in range(2)] == [14, 7]


async def test_a_single_node_without_a_ledger_has_all_of_it() -> None:
    assert await Company(1, has_ledger=False).send(0, 40) == MOST


async def test_when_the_ledger_goes_what_others_sent_before_still_counts() -> None:
    company = Company(2)
    await company.settle()
    assert await company.send(0, 20) == 20
    company.ledger.up = False

    assert await company.send(1, 20) == 4
    assert company.most_in_a_minute() <= MOST


async def test_a_ledger_that_comes_back_empty_is_not_believed() -> None:
    company = Company(2)
    await company.settle()
    await company.send(0, 10)
    company.clock.now += 5
    company.ledger.up = False
    assert await company.send(0, 20) == 9
    company.ledger.up = True
    company.ledger.empty("2")

    await company.send(1, 20)
    await company.send(0, 20)

    assert company.most_in_a_minute() <= MOST


async def test_a_ledger_emptied_unseen_is_noticed() -> None:
    company = Company(2)
    await company.settle()
    await company.send(0, 14)
    await company.send(1, 10)
    company.ledger.empty("2")

    await company.send(1, 20)
    await company.send(0, 20)

    assert company.most_in_a_minute() <= MOST


async def test_while_another_node_is_cut_off_all_keep_to_their_shares() -> None:
    company = Company(2)
    company.fellows.all_have_cache = False

    assert await company.send(0, 40) == 14


async def test_once_all_is_well_again_the_whole_budget_is_one_again() -> None:
    company = Company(2)
    company.ledger.up = False
    await company.send(0)
    company.ledger.up = True
    await company.settle()

    assert await company.send(0, 40) == MOST


async def test_what_cannot_be_looked_up_is_looked_up_later() -> None:
    company = Company(2)
    await company.settle()
    await company.send(0, 20)
    company.ledger.up = False
    good = company.nodes[1]._recall

    async def bad() -> Sequence[tuple[str, float]]:
        raise OSError

    company.nodes[1]._recall = bad
    with pytest.raises(OSError):  # noqa: PT011
        await company.send(1)
    company.nodes[1]._recall = good

    assert await company.send(1, 20) == 4


@example(980, 2)
@example(1287, 2)  # what was sent while it was away was room for each node once it was back
@example(819, 2)  # a node that had sent nothing between two outages knew too little
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_whatever_the_ledger_does_wecom_drops_nothing(seed: int, nodes: int) -> None:
    """It goes, comes back, with or without its memory; all nodes see it go."""
    company, dice = Company(nodes), Random(seed)

    async def play() -> None:
        for _ in range(60):
            company.clock.now += dice.choice((0.0, 0.1, 1.0, 5.0, 20.0))
            match dice.randrange(8):
                case 0:
                    company.ledger.up = False
                    for node in range(nodes):
                        await company.send(node)
                case 1:
                    company.ledger.up = True
                case 2:
                    company.ledger.empty(str(dice.random()))
                case _:
                    await company.send(dice.randrange(nodes), dice.randrange(12))

    asyncio.run(play())
    # Up to one more each: a node is never kept from sending altogether, however small its share.
    assert company.most_in_a_minute() <= 30
