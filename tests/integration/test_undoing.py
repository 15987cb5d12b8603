"""Taking an approval back on real databases: carried out or undone, exactly one of both."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot import texts
from bot.actions import carrying, deciding, tickets, undoing
from bot.actions.scene import Scene
from storage.database import Database
from storage.transaction import Transaction
from storage.work import Claimed, Filed, Queue
from tests.makers_approval import NOON, a_company, a_request, a_stage
from tests.makers_policy import a_policy
from workflows.model import Request, State, Subject, TicketState
from workflows.plans import Export, Plan, Tagging, Transfer
from workflows.standing import Standing
from workflows.steps import Approve, Executed, Refused

ZH = texts.load("zh-CN")
LATER = NOON + timedelta(seconds=60)  # the very moment at which both may happen
LEASE = timedelta(minutes=1)
ROUNDS = 12
PLANS: tuple[Plan, ...] = (
    Tagging("lin", "wm1", add=("VIP",)),
    Transfer("lin", "wu", ("wm1",)),
    Export(("lin",)),
)


def scene_of(tx: Transaction, at: datetime = NOON, **sections: Any) -> Scene:
    return Scene(tx, Standing(a_policy(**sections), a_company()), ZH, ZH, at)


def by_wang(tx: Transaction, at: datetime = NOON) -> Scene:
    return scene_of(tx, at).by("Wang")


@pytest.fixture
async def other(db: Database) -> AsyncIterator[Database]:
    """A second node on the same database."""
    node = Database.open(db._writer.url.render_as_string(hide_password=False))
    yield node
    await node.aclose()


async def approved(db: Database, number: int, plan: Plan | None, **sections: Any) -> Request:
    """Open a request and have Wang approve it at noon."""
    draft = a_request(a_stage("user:Wang"), requester="lin")
    subject = Subject(f"wm{number}", f"客户{number}", f"wm{number}")
    action = "friend.add" if plan is None else "customer.tag"
    draft = replace(draft, id=f"A{number + 100}", subject=subject, plan=plan, action=action)

    def approve(tx: Transaction) -> Request:
        scene = scene_of(tx, **sections)
        return deciding.advance(scene, deciding.open_request(scene, draft), Approve("Wang", "card"))

    return await db.write(approve)


async def take_back(db: Database, request: Request, at: datetime = LATER) -> str:
    """Return 'undone', or why it was refused."""

    def undo(tx: Transaction) -> str:
        try:
            undoing.take_back(by_wang(tx, at), "Wang", request.id)
        except Refused as refused:
            return refused.key
        return "undone"

    return await db.write(undo)


async def claimed(db: Database, at: datetime = LATER) -> list[Claimed]:
    return await db.write(lambda tx: tx.work.claim(Queue.TIMERS, at, 99, LEASE))


async def called(db: Database, rows: list[Claimed], at: datetime = LATER) -> None:
    """Do what the worker does with timers that are in its hands."""
    for row in rows:
        if row.kind != carrying.HELD:
            continue

        def finish(tx: Transaction, row: Claimed = row) -> None:
            if tx.work.done(row, at):
                undoing.carry_out(scene_of(tx, at), row.body)

        await db.write(finish)


async def orders(db: Database, request: Request) -> list[Filed]:
    """Return the calls to WeCom that stand in the outbox for a request."""
    lanes = [f"request:{request.id}", "mark:lin:wm1"]
    found = [await db.read(lambda tx, w=w: tx.work.open_in(Queue.OUTBOX, w)) for w in lanes]  # type: ignore[misc]
    return [each for rows in found for each in rows if request.id in each.body]


async def stored(db: Database, request: Request) -> Request:
    found = await db.read(lambda tx: tx.requests.get(request.id))
    assert found is not None
    return found


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.kind)
async def test_it_is_ordered_only_when_nobody_can_take_it_back(db: Database, plan: Plan) -> None:
    request = await approved(db, 1, plan)

    await called(db, await claimed(db, LATER - timedelta(seconds=1)))
    assert await orders(db, request) == []

    await called(db, await claimed(db))
    assert len(await orders(db, request)) == 1
    assert await take_back(db, request) == "undo_done"
    assert (await stored(db, request)).state is State.APPROVED


@pytest.mark.parametrize("is_claimed", [False, True])
async def test_what_was_taken_back_is_not_ordered_though_a_worker_has_it(
    db: Database, is_claimed: bool
) -> None:
    request = await approved(db, 1, PLANS[0])
    rows = await claimed(db) if is_claimed else []

    assert await take_back(db, request) == "undone"

    await called(db, rows)
    await called(db, await claimed(db, NOON + timedelta(hours=1)))
    assert await orders(db, request) == []
    assert (await stored(db, request)).state is State.REVOKED
    assert await take_back(db, request) == "already_decided"


@pytest.mark.parametrize("is_claimed", [False, True])
async def test_in_the_same_moment_on_two_nodes_it_is_one_or_the_other(
    db: Database, other: Database, is_claimed: bool
) -> None:
    for number in range(ROUNDS):
        request = await approved(db, number, PLANS[number % len(PLANS)])
        rows = await claimed(other) if is_claimed else []

        async def work(rows: list[Claimed] = rows) -> None:
            await called(other, rows or await claimed(other))

        regret = (take_back(db, request), take_back(other, request))
        answers, *_ = await asyncio.gather(asyncio.gather(*regret), work())
        await called(other, await claimed(other, LATER + timedelta(minutes=5)))

        undone = answers.count("undone")
        assert len(await orders(db, request)) + undone == 1, answers
        state = (await stored(db, request)).state
        assert state is (State.REVOKED if undone else State.APPROVED)


async def test_what_no_person_decided_is_not_held(db: Database) -> None:
    draft = a_request(a_stage("user:Wang"), requester="lin")
    plan = Tagging("lin", "wm1", add=("VIP",))
    draft = replace(draft, plan=plan, action="customer.tag")
    machine = replace(draft, state=State.APPROVED, decided_by="auto_review:x", decided_at=NOON)

    await db.write(lambda tx: carrying.begin(scene_of(tx), machine, plan))

    assert len(await orders(db, machine)) == 1


async def test_a_ticket_that_is_being_made_is_void_whoever_is_faster(
    db: Database, other: Database
) -> None:
    for number in range(ROUNDS):
        request = await approved(db, number, None)
        ticket = await db.read(lambda tx, r=request: tx.tickets.of_request(r.id))  # type: ignore[misc]
        assert ticket is not None

        def made(tx: Transaction, key: str = ticket.state_key, r: Request = request) -> None:
            scene = scene_of(tx)
            tickets.issued(scene, key, "way1", "https://qr")
            now = tx.requests.get(r.id)
            assert now is not None
            try:
                deciding.advance(scene, now, Executed())
            except Refused:
                tickets.revoke(scene, now)

        answer, _ = await asyncio.gather(take_back(db, request), other.write(made))

        found = await db.read(lambda tx, t=ticket: tx.tickets.get(t.state_key))  # type: ignore[misc]
        assert found is not None
        assert answer == "undone"
        assert found.state is TicketState.REVOKED
        assert (await stored(db, request)).state is State.REVOKED
        closing = await db.read(
            lambda tx, t=ticket: tx.work.open_in(Queue.OUTBOX, f"ticket:{t.state_key}")  # type: ignore[misc]
        )
        assert "CloseTicket" in {each.kind for each in closing}, "the contact way is deleted"
