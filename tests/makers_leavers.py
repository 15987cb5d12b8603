"""Makers for scenarios in which somebody leaves: their customers and groups, and the days after."""

from __future__ import annotations

from collections.abc import Sequence

from bot.simulator.records import Bond, Customer, Relation
from bot.simulator.world import World
from tests.scenario.conftest import Stage

VIP = "etDemoTag02"
SIGNED = "etDemoTag04"


def customers_of(world: World, userid: str, count: int, *, vips: int = 0) -> list[str]:
    """Give a member customers without telling anybody, as if before Menwei was there."""
    ids = [f"wmLeft{number:04}" for number in range(count)]
    for number, external in enumerate(ids):
        world.state.customers[external] = Customer(external, f"客户{number:04}")
        relation = Relation(userid, external, Bond.ADDED, world.now() - 86400, 1, external)
        relation.tags = [VIP] if number < vips else []
        world.state.put_relation(relation)
    return ids


async def known(stage: Stage, userid: str, ids: Sequence[str]) -> None:
    """Let Menwei hear of customers: the member edits each."""
    for external in ids:
        relation = stage.simulator.world.relation(userid, external)
        assert relation is not None
        stage.simulator.world.member_edits(userid, external, tags=relation.tags)
    await stage.quiet()


async def waits(stage: Stage, userid: str, words: str, **by: float) -> None:
    """Move on until somebody hears something."""
    await stage.quiet()
    stage.clock.move(**(by or {"minutes": 2}))
    await stage.hears(userid, words)
    await stage.quiet()


async def a_day_later(stage: Stage, **more: float) -> None:
    """Let the takeovers take effect."""
    await stage.quiet()
    stage.clock.move(**(more or {"hours": 24, "minutes": 20}))
    stage.simulator.world.settle_transfers()
    stage.simulator.world.settle_groups()
    await stage.quiet()
