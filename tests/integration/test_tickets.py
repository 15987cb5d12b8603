"""Tickets on real databases: what happens to one at the same moment is told as it happened."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from bot import holidays, texts
from bot.actions import tickets, voting
from bot.actions.scene import Scene
from bot.clockwork import Clockwork
from bot.company import Company
from bot.worker import Postpone
from storage.database import Database
from storage.transaction import Transaction
from storage.work import Claimed, Queue
from tests.makers_approval import NOON, a_company, a_request, a_stage
from tests.makers_policy import a_policy, a_rulebook
from tests.races import overlapped
from workflows.model import State, Ticket, TicketState
from workflows.policy import compile_policy
from workflows.standing import Standing
from workflows.steps import Refused

ZH = texts.load("zh-CN")
TICKET = Ticket(
    "mw-A100-x", "A100", "lin", TicketState.OPEN, NOON + timedelta(hours=72), "way1", "https://qr"
)
OVER = TICKET.expires_at


def scene_of(tx: Transaction, at: datetime = NOON) -> Scene:
    return Scene(tx, Standing(a_policy(), a_company()), ZH, ZH, at)


def use(tx: Transaction) -> None:
    assert tickets.use(scene_of(tx, OVER), TICKET, "wm1")


@pytest.fixture
async def handed_over(db: Database) -> None:
    """A request that is carried out, and its open ticket."""
    draft = a_request(a_stage("user:wang"), requester="lin")
    request = replace(draft, id="A100", state=State.EXECUTED, decided_by="user:Wang")

    def put(tx: Transaction) -> None:
        tx.requests.add(request)
        tx.tickets.add(TICKET)

    await db.write(put)


async def while_it_is_used(
    db: Database, db_url: str, step: Callable[[Transaction], object]
) -> object:
    """Have a step begin on another node before it is written that somebody came by the ticket."""
    outcome: object
    _, outcome = await overlapped(db, db_url, use, step)
    return outcome


async def told(db: Database) -> list[str]:
    rows = await db.read(lambda tx: tx.work.open_in(Queue.OUTBOX, "chat:lin"))
    return [json.loads(each.body)["content"] for each in rows]


@pytest.mark.usefixtures("handed_over")
async def test_a_ticket_that_is_used_in_the_last_moment_has_not_run_out(
    db: Database, db_url: str
) -> None:
    outcome = await while_it_is_used(
        db, db_url, lambda tx: tickets.expire(scene_of(tx, OVER), TICKET.state_key)
    )

    assert outcome is True
    assert await told(db) == []


@pytest.mark.usefixtures("handed_over")
async def test_a_ticket_that_is_being_used_cannot_be_taken_back(db: Database, db_url: str) -> None:
    outcome = await while_it_is_used(
        db, db_url, lambda tx: voting.withdraw(scene_of(tx), "lin", "A100")
    )

    assert isinstance(outcome, Refused)
    assert outcome.key in {"has_happened", "already_decided"}  # SQLite's steps never overlap
    assert await told(db) == []


@pytest.mark.usefixtures("handed_over")
@pytest.mark.parametrize("late", [-0.5, 0.5])
async def test_a_ticket_runs_out_in_time_by_whatever_clock(db: Database, late: float) -> None:
    now = OVER + timedelta(seconds=late)
    company = Company(compile_policy(a_rulebook(), holidays.CHINA), lambda: now)
    none = cast(Any, None)
    clockwork = Clockwork(db, none, company, none, none, none)
    row = Claimed(1, None, Queue.TIMERS, "lane", tickets.EXPIRY, TICKET.state_key, 1, NOON)
    step = await clockwork(row)

    with pytest.raises(Postpone) if late < 0 else nullcontext():
        await db.write(step)

    found = await db.read(lambda tx: tx.tickets.get(TICKET.state_key))
    assert found is not None
    assert found.state is (TicketState.OPEN if late < 0 else TicketState.EXPIRED)
