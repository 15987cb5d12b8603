"""Lists carried out on both databases, by workers that get in each other's way."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot import texts
from bot.actions import bulk_orders, bulk_parts, deciding, tickets
from bot.actions.scene import Scene
from storage.database import Database
from storage.transaction import Transaction
from storage.work import Queue
from tests.makers_approval import a_company
from tests.makers_policy import a_policy
from tests.makers_storage import a_request
from workflows import bulk
from workflows.claims import Claim
from workflows.model import Outcome, Person, Reason, Request, State, Verdict
from workflows.plans import BulkAdd, Line
from workflows.standing import Standing
from workflows.steps import Executed

ZH = texts.load("zh-CN")
NOW = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)
LINES = tuple(
    Line(n, Claim(f"王{n}", f"第{n}公司", f"138000000{n:02}", "展会")) for n in range(1, 20)
)


def a_scene(tx: Transaction) -> Scene:
    sections: dict[str, Any] = {
        "roles": {"seller": {"level": 2, "members": ["department:销售部"]}},
        "chains": {"lead": {"stages": [{"from": ["manager_of_sender"]}]}},
        "chain_defaults": {},
    }
    return Scene(tx, Standing(a_policy(**sections), a_company()), ZH, ZH, NOW)


def approved() -> Request:
    return a_request(
        action=bulk.BULK,
        external_userid=None,
        requester=Person("lin", "林"),
        verdict=Verdict(Outcome.APPROVAL, Reason.LEVEL, chain="lead", policy="p"),
        plan=BulkAdd(LINES),
        state=State.APPROVED,
        approvers=(),
        decided_at=NOW,
        decided_by="user:wang",
        version=3,
    )


async def timers(db: Database, kind: str) -> list[str]:
    """Return the bodies of the timers of a kind that are due."""
    claimed = await db.write(
        lambda tx: tx.work.claim(
            Queue.TIMERS, NOW + timedelta(seconds=1), 500, timedelta(minutes=1)
        )
    )
    return [each.body for each in claimed if each.kind == kind]


@pytest.fixture
async def nodes(db_url: str) -> AsyncIterator[list[Database]]:
    """Other nodes on the same database: what one node does at once it may write at once."""
    opened = [Database.open(db_url) for _ in range(3)]
    yield opened
    for each in opened:
        await each.aclose()


async def together(
    nodes: list[Database], step: Callable[[Scene, str], None], names: list[str]
) -> None:
    turns = zip(itertools.cycle(nodes), names, strict=False)
    await asyncio.gather(
        *(node.write(lambda tx, n=name: step(a_scene(tx), n)) for node, name in turns)  # type: ignore[misc]
    )


async def test_workers_that_carry_a_list_out_at_once_make_every_add_once(
    db: Database, nodes: list[Database]
) -> None:
    request = approved()
    await db.write(lambda tx: tx.requests.add(request))
    await db.write(lambda tx: bulk_orders.carry_out(a_scene(tx), request))

    (name,) = await timers(db, bulk_orders.CARRY_OUT)
    await together(nodes, bulk_parts.carry_out, [name] * 5)

    parts = await db.read(lambda tx: tx.lists.parts(request.id))
    assert Counter(part.claim for part in parts) == {line.claim: 1 for line in LINES}
    assert {part.state for part in parts} == {State.APPROVED}


async def test_tickets_that_are_made_at_the_same_moment_are_sent_once_each(
    db: Database, nodes: list[Database]
) -> None:
    request = approved()
    await db.write(lambda tx: tx.requests.add(request))
    for _ in range(3):
        await db.write(lambda tx: bulk_parts.carry_out(a_scene(tx), request.id))
    parts = await db.read(lambda tx: tx.lists.parts(request.id))

    def made(tx: Transaction, part: Request) -> None:
        ticket = tx.tickets.of_request(part.id)
        assert ticket is not None
        tickets.issued(a_scene(tx), ticket.state_key, f"c{part.id}", f"https://qr/{part.id}")
        deciding.advance(a_scene(tx), part, Executed())

    for part in parts:
        await db.write(lambda tx, p=part: made(tx, p))  # type: ignore[misc]
    await together(nodes, bulk_parts.settle, await timers(db, bulk_orders.SETTLE))

    sent = await db.write(lambda tx: tx.work.claim(Queue.OUTBOX, NOW, 500, timedelta(minutes=1)))
    news = [json.loads(each.body) for each in sent if each.kind == "SendNews"]
    pictures = [a for each in news for a in (each["picture"], *(m["picurl"] for m in each["more"]))]
    assert Counter(pictures) == {f"https://qr/{part.id}": 1 for part in parts}
    assert sorted(1 + len(each["more"]) for each in news) == [3, 8, 8]
    whole = await db.read(lambda tx: tx.requests.get(request.id))
    assert whole is not None
    assert whole.state is State.EXECUTED


async def test_a_list_whose_approval_was_taken_back_makes_no_more(db: Database) -> None:
    request = approved()
    await db.write(lambda tx: tx.requests.add(request))
    await db.write(lambda tx: bulk_parts.carry_out(a_scene(tx), request.id))
    now = await db.read(lambda tx: tx.requests.get(request.id))
    assert now is not None
    revoked = replace(now, state=State.REVOKED, version=now.version + 1)
    await db.write(lambda tx: tx.requests.move(now, revoked))

    await db.write(lambda tx: bulk_parts.carry_out(a_scene(tx), request.id))
    await db.write(lambda tx: bulk_parts.take_back(a_scene(tx), request.id))

    parts = await db.read(lambda tx: tx.lists.parts(request.id))
    assert Counter(part.state for part in parts) == {State.REVOKED: bulk.BATCH}
    assert await db.read(lambda tx: tx.tickets.open_of("lin")) == []
