"""Standing approvals in real databases: stored, counted exactly, and used by one step at a time."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot import texts
from bot.actions import deciding, waiving
from bot.actions.scene import Scene
from storage.database import Database
from storage.transaction import Transaction
from tests.makers_approval import NOON, a_company, a_stage
from tests.makers_policy import a_policy
from tests.makers_waivers import a_waiver, the_same
from workflows.model import AuditRecord, Person, Request, State, Subject
from workflows.standing import Standing
from workflows.steps import Reassign, Refused
from workflows.waivers import Ending, Waiver

DAY = timedelta(days=1)
ZH = texts.load("zh-CN")


def scene_of(tx: Transaction, at: datetime = NOON, **sections: Any) -> Scene:
    """Return a scene at Wang's company, where nobody stands in for a missing approver."""
    return Scene(tx, Standing(a_policy(**sections), a_company()), ZH, ZH, at)


def numbered(number: int, **changes: Any) -> Request:
    """Return a request about another customer, not yet opened."""
    subject = Subject(f"planned:{number}", f"客户{number}")
    return the_same(id=f"A{number + 100}", subject=subject, **changes)


async def add(db: Database, *given: Waiver) -> None:
    for waiver in given:
        await db.write(lambda tx, w=waiver: tx.waivers.add(w))  # type: ignore[misc]


async def open_(db: Database, request: Request, at: datetime = NOON, **sections: Any) -> Request:
    return await db.write(lambda tx: deciding.open_request(scene_of(tx, at, **sections), request))


async def stored(db: Database, waiver_id: str = "W-B3M4") -> Waiver:
    found = await db.read(lambda tx: tx.waivers.get(waiver_id))
    assert found is not None
    return found


async def records(db: Database, kind: str) -> list[AuditRecord]:
    every = await db.read(lambda tx: tx.audit.after(0, 10_000))
    return [each for each in every if each.kind == kind]


@pytest.fixture
async def other(db: Database) -> AsyncIterator[Database]:
    """A second node on the same database."""
    node = Database.open(db._writer.url.render_as_string(hide_password=False))
    yield node
    await node.aclose()


# The repository


async def test_what_is_put_in_comes_out_and_is_found_by_both_sides(db: Database) -> None:
    mine = a_waiver()
    later = a_waiver(id="W-C4N5", expires_at=NOON + 8 * DAY, used_at=(NOON,))
    for_tags = a_waiver(the_same(action="customer.tag"), id="W-D5P6")
    await add(db, later, mine, for_tags)

    assert await stored(db, " w-b3m4 ") == mine
    assert await db.read(lambda tx: tx.waivers.get("B3M4")) is None
    assert await db.read(lambda tx: tx.waivers.open_for("LIN", "friend.add")) == [mine, later]
    assert await db.read(lambda tx: tx.waivers.enjoyed_by("lin")) == [mine, for_tags, later]
    assert await db.read(lambda tx: tx.waivers.given_by("WANG")) == [mine, for_tags, later]
    assert await db.read(lambda tx: tx.waivers.given_by("lin")) == []
    assert await db.read(lambda tx: tx.waivers.in_force(2)) == [mine, for_tags]


async def test_what_has_ended_is_kept_but_found_no_more_and_not_changed(db: Database) -> None:
    mine = a_waiver()
    await add(db, mine)
    over = replace(mine, ending=Ending.REVOKED, ended_at=NOON)

    assert await db.write(lambda tx: tx.waivers.change(over))
    assert not await db.write(lambda tx: tx.waivers.change(replace(over, used_at=(NOON,))))

    assert await stored(db) == over
    assert await db.read(lambda tx: tx.waivers.open_for("lin", "friend.add")) == []
    assert await db.read(lambda tx: tx.waivers.in_force(9)) == []


# Used


async def test_of_thirty_at_once_on_two_nodes_exactly_twenty_are_covered(
    db: Database, other: Database
) -> None:
    await add(db, a_waiver(uses=20))

    made = await asyncio.gather(
        *(open_(node, numbered(2 * n + (node is db))) for n in range(15) for node in (db, other))
    )

    states = Counter(request.state for request in made)
    assert states == {State.APPROVED: 20, State.PENDING: 10}
    waiver = await stored(db)
    assert (len(waiver.used_at), waiver.ending) == (20, Ending.USED_UP)
    assert len(await records(db, "waiver.used")) == 20
    assert len(await records(db, "waiver.ended")) == 1
    for request in made:
        cards = await db.read(lambda tx, r=request: tx.cards.of_request(r.id))  # type: ignore[misc]
        assert len(cards) == (request.state is State.PENDING)
        assert await db.read(lambda tx, r=request: tx.requests.get(r.id)) == request  # type: ignore[misc]


async def test_nothing_is_covered_once_it_was_revoked_however_close(
    db: Database, other: Database
) -> None:
    await add(db, a_waiver(uses=100))

    async def revoke() -> None:
        await other.write(lambda tx: waiving.revoke(scene_of(tx), "wang", "W-B3M4"))

    made, _ = await asyncio.gather(
        asyncio.gather(*(open_(db, numbered(n)) for n in range(20))), revoke()
    )

    after = await open_(db, numbered(50))
    waiver = await stored(db)
    assert len(waiver.used_at) == sum(r.state is State.APPROVED for r in made)
    assert (waiver.ending, after.state) == (Ending.REVOKED, State.PENDING)
    kinds = [each.kind for each in await db.read(lambda tx: tx.audit.after(0, 10_000))]
    assert "waiver.used" not in kinds[kinds.index("waiver.ended") :]


async def test_its_end_is_looked_at_though_no_timer_has_come(db: Database) -> None:
    await add(db, a_waiver())

    in_time = await open_(db, numbered(1), NOON + 7 * DAY - timedelta(seconds=1))
    late = await open_(db, numbered(2), NOON + 7 * DAY)

    assert (in_time.state, late.state) == (State.APPROVED, State.PENDING)


async def test_switched_off_in_the_file_it_counts_for_nothing(db: Database) -> None:
    await add(db, a_waiver())

    request = await open_(db, numbered(1), standing_approvals={"enabled": False})

    assert (request.state, request.votes) == (State.PENDING, ())
    assert (await stored(db)).left == 20


async def test_a_stage_that_passes_leaves_the_others_waivers_alone(db: Database) -> None:
    chain = (a_stage("user:Wang", "user:li"),)
    like = the_same(chain=chain)
    his = a_waiver(like, id="W-C4N5", approver=Person("li", "李"))
    await add(db, a_waiver(like), his)

    request = await open_(db, numbered(1, chain=chain))

    assert request.state is State.APPROVED
    assert [(await stored(db)).left, (await stored(db, "W-C4N5")).left] == [19, 20]


def led_by(userid: str) -> dict[str, Any]:
    """Return the roles of a company in which this one is the boss."""
    levels = {"admin": (5, "zhao"), "boss": (3, userid)}
    return {k: {"level": n, "members": [f"user:{who}"]} for k, (n, who) in levels.items()}


async def asked_of_another(db: Database, wait: timedelta) -> Request:
    """Open a request that Wang is asked about; later li is the boss, who had said yes before."""
    chain = (a_stage("role:boss"),)
    await add(db, a_waiver(the_same(chain=chain), approver=Person("li", "李")))
    request = await open_(db, numbered(1, chain=chain), roles=led_by("Wang"))
    assert [person.userid for person in request.approvers] == ["Wang"]
    return await db.write(
        lambda tx: deciding.advance(
            scene_of(tx, NOON + wait, roles=led_by("li")), request, Reassign()
        )
    )


async def test_who_comes_to_be_asked_later_has_said_yes_already(db: Database) -> None:
    request = await asked_of_another(db, timedelta(hours=1))

    assert (request.state, request.decided_by) == (State.APPROVED, "waiver:W-B3M4")


async def test_what_speaks_against_it_sends_the_ordinary_card_and_uses_nothing(
    db: Database,
) -> None:
    """The request is due, though no timer has ended it yet."""
    request = await asked_of_another(db, 4 * DAY)

    assert (request.state, request.votes) == (State.PENDING, ())
    cards = await db.read(lambda tx: tx.cards.of_request(request.id))
    assert [card.userid for card in cards] == ["Wang", "li"]
    assert (await stored(db)).used_at == ()


# Ended


async def test_only_its_giver_and_the_admins_end_it(db: Database) -> None:
    await add(db, a_waiver())

    for who in ("lin", "li"):
        with pytest.raises(Refused, match="waiver_not_yours"):
            await db.write(lambda tx, w=who: waiving.revoke(scene_of(tx), w, "W-B3M4"))  # type: ignore[misc]

    await db.write(lambda tx: waiving.revoke(scene_of(tx), "WANG", "w-b3m4"))
    with pytest.raises(Refused, match="waiver_over"):
        await db.write(lambda tx: waiving.revoke(scene_of(tx), "wang", "W-B3M4"))


async def test_a_timer_that_comes_too_early_ends_nothing_and_comes_again(db: Database) -> None:
    await add(db, a_waiver())

    early = NOON + 7 * DAY - timedelta(seconds=1)
    assert not await db.write(lambda tx: waiving.expire(scene_of(tx, early), "W-B3M4"))
    assert (await stored(db)).ending is None

    for _ in range(2):
        assert await db.write(lambda tx: waiving.expire(scene_of(tx, NOON + 7 * DAY), "W-B3M4"))
    assert (await stored(db)).ending is Ending.EXPIRED
    assert len(await records(db, "waiver.ended")) == 1
