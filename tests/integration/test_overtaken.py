"""A machine's step that another node overtakes is taken after all: nobody else would take it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot import clockwork, texts
from bot.actions import deciding, overdue, people, rejudging, sweeping, timers, voting
from bot.actions.scene import Scene
from storage.database import Database
from storage.transaction import Transaction
from tests.makers_approval import NOON, a_company, a_request, a_stage
from tests.makers_policy import a_policy
from tests.races import Step, overlapped
from workflows import timing
from workflows.model import Outcome, Request, State, Subject
from workflows.standing import Standing

ZH = texts.load("zh-CN")
ONE = a_stage("user:wang", "user:li")
BOTH = replace(ONE, groups=tuple(replace(each, need=2) for each in ONE.groups))
MOMENT = timedelta(milliseconds=50)


def scene(tx: Transaction, now: datetime = NOON) -> Scene:
    return Scene(tx, Standing(a_policy(), a_company()), ZH, ZH, now)


async def pending(db: Database) -> Request:
    """File a request about a customer that two people have to approve."""
    draft = replace(a_request(BOTH), id="A100", subject=Subject("wm1", "张伟", "wm1"))
    return await db.write(lambda tx: deciding.open_request(scene(tx), draft))


async def overtaken(db: Database, db_url: str, machine: Step, now: datetime = NOON) -> Request:
    """Return the request after a machine's step, before whose commit one of the two has voted."""

    def vote(tx: Transaction) -> None:
        voting.approve(scene(tx, now), "wang", "A100", via="card")
        tx.write()

    for outcome in await overlapped(db, db_url, vote, machine):
        assert not isinstance(outcome, BaseException), outcome
    found = await db.read(lambda tx: tx.requests.get("A100"))
    assert found is not None
    assert [each.by.userid for each in found.votes] == ["Wang"]
    return found


async def test_an_expiry(db: Database, db_url: str) -> None:
    due = (await pending(db)).due_at
    assert due is not None

    found = await overtaken(
        db, db_url, lambda tx: clockwork._expire(scene(tx, due + MOMENT), "A100"), due - MOMENT
    )

    assert found.state is State.EXPIRED


async def test_the_end_of_what_a_leaver_asked_for(db: Database, db_url: str) -> None:
    asked = await pending(db)

    found = await overtaken(
        db,
        db_url,
        lambda tx: people._leave(scene(tx), asked.requester.userid, a_company()),
    )

    assert found.state is State.WITHDRAWN


async def test_a_look_at_what_is_pending_by_stricter_rules(
    db: Database, db_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = await pending(db)
    stricter = replace(asked.verdict, outcome=Outcome.DENY)
    monkeypatch.setattr(rejudging, "verdict_now", lambda _scene, _request: stricter)

    found = await overtaken(db, db_url, lambda tx: sweeping.go_on(scene(tx), sweeping.RECHECK, ""))

    assert found.state is State.STALE


async def test_an_escalation(db: Database, db_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    how = timing.Timing(
        remind_after=timedelta(minutes=30),
        escalate_after=timedelta(hours=2),
        ladder=("role:admin",),
    )
    monkeypatch.setattr(timing, "of", lambda _policy: how)
    at = timing.escalate_at(await pending(db), how)
    assert at is not None

    found = await overtaken(
        db, db_url, lambda tx: overdue.call(scene(tx, at), timers.ESCALATE, "A100|0"), at
    )

    assert found.rung == 1
