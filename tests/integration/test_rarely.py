"""What is rare is looked for all at once, and yet nothing is overlooked."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from storage.database import Database
from storage.transaction import Transaction
from tests.makers_exceptions import a_freeze, a_grant
from tests.makers_storage import NOON, a_person
from tests.makers_waivers import a_waiver
from workflows.absences import Absence
from workflows.model import Remedy, RemedyState
from workflows.transfers import Passage, PassageState

DAY = timedelta(days=1)
Step = Callable[[Transaction], object]

REMEDY = Remedy("A7K2", "lin", "wm1", RemedyState.ASKED, NOON + DAY)
PASSAGE = Passage("A7K2", "wm1", "张三", "lin", "wu", PassageState.WAITING, NOON)
WAIVER = a_waiver()

RARE: dict[str, tuple[Step, Step]] = {
    "absence": (
        lambda tx: tx.absences.put(Absence(a_person("wu"), a_person("li"), NOON, NOON + DAY)),
        lambda tx: tx.absences.in_force(NOON),
    ),
    "freeze": (lambda tx: tx.freezes.add(a_freeze()), lambda tx: tx.freezes.open()),
    "grant": (
        lambda tx: tx.grants.add(a_grant(userid="lin")),
        lambda tx: tx.grants.of_member("lin"),
    ),
    "remedy": (
        lambda tx: tx.remedies.add(REMEDY),
        lambda tx: tx.remedies.open_for("lin", "wm1"),
    ),
    "transfer": (
        lambda tx: tx.transfers.put([PASSAGE]),
        lambda tx: tx.transfers.of_customer("wm1", NOON - DAY),
    ),
    "waiver": (
        lambda tx: tx.waivers.add(WAIVER),
        lambda tx: tx.waivers.open_for(WAIVER.requester.userid, WAIVER.case.action),
    ),
}


@pytest.mark.parametrize("kind", RARE)
async def test_what_a_step_adds_after_it_has_looked_is_found_in_it(db: Database, kind: str) -> None:
    add, look = RARE[kind]

    def step(tx: Transaction) -> tuple[object, object]:
        before = look(tx)
        add(tx)
        return before, look(tx)

    before, after = await db.write(step)

    assert not before
    assert after


@pytest.mark.parametrize("kind", RARE)
async def test_what_was_committed_is_found_by_the_very_next_step(db: Database, kind: str) -> None:
    add, look = RARE[kind]
    await db.write(look)
    await db.write(add)

    assert await db.write(look)


async def test_a_closed_remedy_that_is_opened_again_in_a_step_is_found_in_it(db: Database) -> None:
    closed = replace(REMEDY, state=RemedyState.CLOSED)
    await db.write(lambda tx: tx.remedies.add(closed))

    def step(tx: Transaction) -> tuple[object, object]:
        before = tx.remedies.open_for("lin", "wm1")
        tx.remedies.move(closed, REMEDY)
        return before, tx.remedies.open_for("lin", "wm1")

    assert await db.write(step) == (None, REMEDY)
