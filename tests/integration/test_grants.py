"""Temporary permissions on real databases: made, ended exactly once, never beyond their time."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot import texts
from bot.actions import deciding, granting, grants, judging
from bot.actions.scene import Scene
from storage.database import Database
from storage.transaction import Transaction
from storage.work import Queue
from tests.makers_approval import NOON, a_company, a_stage, a_verdict
from tests.makers_exceptions import DAY, a_grant, a_wish
from tests.makers_policy import a_policy
from workflows.directory import Directory
from workflows.grants import Ending, Grant
from workflows.model import AuditRecord, Outcome, Request, State
from workflows.plans import Granting
from workflows.standing import Standing
from workflows.steps import Approve, Refused

ZH = texts.load("zh-CN")
BULK = "friend.add_bulk"
SECTIONS: dict[str, Any] = {
    "roles": {
        "seller": {"level": 1, "members": ["department:销售部"]},
        "lead": {"level": 3, "members": ["user:Wang"]},
        "admin": {"level": 5, "members": ["user:zhao", "user:chen"]},
    },
    "permissions": {
        "friend.add": {"allow": 2, "approval": 1},
        BULK: {"approval": 3},
        "permission.grant": {"allow": 3, "approval": 1},
        "config.change": {"approval": 5},
    },
}


def scene_of(tx: Transaction, at: datetime = NOON, directory: Directory | None = None) -> Scene:
    standing = Standing(a_policy(**SECTIONS), directory or a_company())
    return Scene(tx, standing, ZH, ZH, at)


async def add(db: Database, *given: Grant) -> None:
    for grant in given:
        await db.write(lambda tx, g=grant: tx.grants.add(g))  # type: ignore[misc]


async def stored(db: Database, grant_id: str = "G-B3M4") -> Grant:
    found = await db.read(lambda tx: tx.grants.get(grant_id))
    assert found is not None
    return found


async def records(db: Database, kind: str) -> list[AuditRecord]:
    every = await db.read(lambda tx: tx.audit.after(0, 10_000))
    return [each for each in every if each.kind == kind]


async def told(db: Database, words: str) -> int:
    """Return how many messages with these words were put into the outbox."""
    claimed = await db.write(
        lambda tx: tx.work.claim(Queue.OUTBOX, NOON + 99 * DAY, 999, timedelta(minutes=1))
    )
    return sum(words in each.body for each in claimed)


@pytest.fixture
async def other(db: Database) -> AsyncIterator[Database]:
    """A second node on the same database."""
    node = Database.open(db._writer.url.render_as_string(hide_password=False))
    yield node
    await node.aclose()


# The repository


async def test_what_is_put_in_comes_out_and_is_found_by_member_and_action(db: Database) -> None:
    mine = a_grant()
    later = a_grant(id="G-C4N5", until=NOON + 9 * DAY)
    other_action = a_grant(id="G-D5P6", action="friend.add", until=NOON + 5 * DAY)
    anothers = a_grant(id="G-E6Q7", userid="qian")
    await add(db, later, mine, other_action, anothers)

    assert await stored(db, " g-b3m4 ") == mine
    assert await db.read(lambda tx: tx.grants.get("B3M4")) is None
    assert await db.read(lambda tx: tx.grants.of_member("LIN")) == [mine, other_action, later]
    assert await db.read(lambda tx: tx.grants.for_action("lin", BULK)) == [mine, later]
    assert await db.read(lambda tx: tx.grants.for_action("lin", "customer.tag")) == []


async def test_what_has_ended_is_kept_but_listed_no_more_and_not_changed(db: Database) -> None:
    await add(db, a_grant())
    over = replace(a_grant(), ended_because=Ending.REVOKED, ended_at=NOON)

    assert await db.write(lambda tx: tx.grants.change(over))
    assert not await db.write(lambda tx: tx.grants.change(a_grant()))

    assert await stored(db) == over
    assert await db.read(lambda tx: tx.grants.of_member("lin")) == []


# Made


async def approved(db: Database, plan: Granting | None = None, by: str = "Wang") -> Request:
    """Open lin's wish and have somebody agree."""
    wish = a_wish(verdict=a_verdict())
    draft = replace(wish, plan=plan or wish.plan)
    request = await db.write(lambda tx: deciding.open_request(scene_of(tx), draft))
    return await db.write(lambda tx: deciding.advance(scene_of(tx), request, Approve(by, "card")))


async def test_an_approved_wish_becomes_a_grant_with_two_timers(db: Database) -> None:
    request = await approved(db)

    assert request.state is State.EXECUTED
    [grant] = await db.read(lambda tx: tx.grants.of_member("lin"))
    assert (grant.until, grant.given_by, grant.request_id) == (NOON + 3 * DAY, "Wang", request.id)
    [given] = await records(db, "grant.given")
    assert (given.request_id, given.detail["member"]) == (request.id, "lin")
    [changed] = await records(db, "permissions.changed")
    assert changed.detail["actions"] == ["lin friend.add_bulk: deny → approval"]
    due = await db.write(
        lambda tx: tx.work.claim(Queue.TIMERS, NOON + 9 * DAY, 99, timedelta(minutes=1))
    )
    kinds = sorted(each.kind for each in due if each.kind.startswith("grant"))
    assert kinds == ["grant_expiry", "grant_reminder"]


async def test_who_has_left_meanwhile_is_lent_nothing(db: Database) -> None:
    draft = a_wish("Wang", "lin", verdict=a_verdict(Outcome.ALLOW, chain=None))
    gone = Directory.of(m for m in a_company().members.values() if m.userid != "lin")

    request = await db.write(lambda tx: deciding.open_request(scene_of(tx, directory=gone), draft))

    assert request.state is State.EXECUTION_FAILED
    assert await db.read(lambda tx: tx.grants.of_member("lin")) == []


@pytest.mark.parametrize("action", ["customer.export", "config.change", "freeze.lift"])
async def test_what_nobody_who_agreed_could_do_is_never_lent(db: Database, action: str) -> None:
    """Also if something had let the vote through: looked at once more when it is carried out."""
    plan = Granting("lin", action, DAY)
    draft = a_wish("Wang", "lin", plan=plan, verdict=a_verdict(Outcome.ALLOW, chain=None))

    request = await db.write(lambda tx: deciding.open_request(scene_of(tx), draft))

    assert request.state is State.EXECUTION_FAILED
    assert await db.read(lambda tx: tx.grants.of_member("lin")) == []


async def test_a_vote_of_somebody_who_could_not_do_it_is_not_accepted(db: Database) -> None:
    with pytest.raises(Refused, match="grant_beyond_you"):
        await approved(db, Granting("lin", "customer.export", DAY))


async def test_of_two_nodes_that_lend_the_same_at_once_the_longer_is_left(
    db: Database, other: Database
) -> None:
    def lend(tx: Transaction, days: int) -> None:
        plan = Granting("lin", BULK, days * DAY)
        draft = a_wish(
            "Wang", "lin", plan=plan, id=f"A{days}22", verdict=a_verdict(Outcome.ALLOW, chain=None)
        )
        subject = replace(draft.subject, key=f"grant:{days}")
        deciding.open_request(scene_of(tx), replace(draft, subject=subject))

    await asyncio.gather(
        *(
            node.write(lambda tx, d=days: lend(tx, d))  # type: ignore[misc]
            for days, node in enumerate([db, other] * 4, start=2)
        )
    )

    live = await db.read(lambda tx: tx.grants.of_member("lin"))
    assert live[-1].until == NOON + 9 * DAY
    given, ended = await records(db, "grant.given"), await records(db, "grant.ended")
    assert len(given) == 8
    assert len(given) - len(ended) == len(live)
    assert {each.detail["because"] for each in ended} <= {"replaced"}


# What is known of the sender


async def test_a_decision_knows_what_is_lent_until_the_very_end_and_not_a_moment_longer(
    db: Database,
) -> None:
    """Though no timer has come."""
    await add(db, a_grant())

    async def known(at: datetime) -> object:
        facts = await db.read(lambda tx: judging.sender(scene_of(tx, at), "lin"))
        return facts["sender.grants"]

    assert await known(NOON + 3 * DAY - timedelta(milliseconds=1)) == frozenset({BULK})
    assert await known(NOON + 3 * DAY) == frozenset()
    assert await known(NOON - timedelta(seconds=1)) == frozenset()


async def test_a_row_that_somebody_put_in_by_hand_lends_no_rule_change(db: Database) -> None:
    await add(db, a_grant(action="config.change"))
    assert await db.read(lambda tx: grants.held(scene_of(tx), "lin")) == frozenset()


# Ended


async def test_a_timer_that_comes_too_early_ends_nothing_and_comes_again(db: Database) -> None:
    await add(db, a_grant())
    early = NOON + 3 * DAY - timedelta(seconds=1)

    assert not await db.write(lambda tx: grants.expire(scene_of(tx, early), "G-B3M4"))

    assert (await stored(db)).ended_because is None


async def test_on_two_nodes_it_ends_once_and_is_told_once(db: Database, other: Database) -> None:
    await add(db, a_grant())
    late = NOON + 3 * DAY

    done = await asyncio.gather(
        *(
            node.write(lambda tx: grants.expire(scene_of(tx, late), "G-B3M4"))
            for node in [db, other] * 4
        ),
        *(
            node.write(lambda tx: grants.end(scene_of(tx, late), "G-B3M4", Ending.REVOKED, "zhao"))
            for node in [db, other]
        ),
    )

    assert any(done)
    assert len(await records(db, "grant.ended")) == 1
    assert len(await records(db, "permissions.changed")) == 1
    assert await told(db, "您的临时权限") == 1


async def test_a_reminder_that_was_held_up_beyond_the_end_says_nothing(db: Database) -> None:
    await add(db, a_grant())
    await db.write(lambda tx: grants.remind(scene_of(tx, NOON + 3 * DAY), "G-B3M4"))
    assert await told(db, "到期") == 0

    await db.write(lambda tx: grants.remind(scene_of(tx, NOON + 2 * DAY), "G-B3M4"))
    assert await told(db, "到期") == 1


@pytest.mark.parametrize(
    ("who", "may"),
    [("Wang", True), ("zhao", True), ("chen", True), ("qian", False), ("lin", False)],
)
async def test_the_giver_those_above_and_admins_take_it_back(
    db: Database, who: str, may: bool
) -> None:
    await add(db, a_grant(given_by="zhao"))

    async def take() -> None:
        await db.write(lambda tx: granting.take_back(scene_of(tx), who, "lin", BULK))

    if may:
        await take()
    else:
        with pytest.raises(Refused, match="grant_not_yours"):
            await take()

    assert (await stored(db)).ended_because is (Ending.REVOKED if may else None)


async def test_a_giver_who_stands_above_nobody_still_takes_back_what_they_gave(
    db: Database,
) -> None:
    await add(db, a_grant(given_by="qian"))
    await db.write(lambda tx: granting.take_back(scene_of(tx), "QIAN", "lin", "批量添加客户"))
    assert (await stored(db)).ended_because is Ending.REVOKED


async def test_a_wish_whose_chain_could_lend_nothing_gets_a_stage_that_can(db: Database) -> None:
    """Wang leads lin but is level 1 here, so the admins have the last word."""
    sections = {**SECTIONS, "roles": {**SECTIONS["roles"], "lead": {"level": 2, "members": []}}}
    standing = Standing(a_policy(**sections), a_company())

    def ask(tx: Transaction) -> None:
        scene = Scene(tx, standing, ZH, ZH, NOON)
        granting.ask(scene, "lin", "批量添加客户", DAY, "展会")

    await db.write(ask)

    [request] = await db.read(lambda tx: tx.requests.by_requester("lin", 9))
    assert request.chain == (a_stage("manager_of_sender"), a_stage("role:admin"))
    assert [person.userid for person in request.approvers] == ["Wang"]
