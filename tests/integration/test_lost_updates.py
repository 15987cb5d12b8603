"""Two steps about the same relation at once: the later one keeps what the earlier one wrote."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from dataclasses import replace

import pytest

from bot import texts
from bot.actions import containing, knowing
from bot.actions.scene import Scene
from bot.outgoing import MarkRelation
from storage.database import Database
from storage.transaction import Transaction
from tests.makers_approval import NOON, a_company, a_request
from tests.makers_policy import a_policy
from workflows.model import Origin, Relation, RelationState, Subject
from workflows.standing import Standing

WHO, CUSTOMER = "sunlei", "wmOne"
TOGETHER = Relation(WHO, CUSTOMER, RelationState.ADDED, seen_at=NOON)
REQUEST = replace(
    a_request(requester=WHO, origin=Origin.OBSERVED), subject=Subject(CUSTOMER, "张伟", CUSTOMER)
)
ZH = texts.load("zh-CN")
MARK = MarkRelation(WHO, CUSTOMER, add_tags=("待审批",))


def scene(tx: Transaction) -> Scene:
    return Scene(tx, Standing(a_policy(), a_company()), ZH, ZH, NOON)


@pytest.mark.parametrize(
    "change",
    [
        lambda tx: knowing.marked(scene(tx), MARK),
        lambda tx: containing.release(scene(tx), REQUEST),
    ],
    ids=["a mark", "a release"],
)
async def test_what_a_deletion_wrote_is_not_undone_by(
    db: Database, db_url: str, change: Callable[[Transaction], None]
) -> None:
    await db.write(lambda tx: tx.relations.put(TOGETHER))
    other = Database.open(db_url)
    written, go_on = threading.Event(), threading.Event()

    def deletion(tx: Transaction) -> None:
        knowing.hold(scene(tx), CUSTOMER)
        tx.relations.put(replace(TOGETHER, state=RelationState.DELETED_BY_MEMBER))
        written.set()
        go_on.wait(5)

    deleting = asyncio.create_task(db.write(deletion))
    await asyncio.to_thread(written.wait, 5)
    changing = asyncio.create_task(other.write(change))
    await asyncio.sleep(0.2)  # time enough to read what is about to be outdated
    go_on.set()
    await asyncio.gather(deleting, changing)
    await other.aclose()

    kept = await db.read(lambda tx: tx.relations.get(WHO, CUSTOMER))
    assert kept is not None
    assert kept.state is RelationState.DELETED_BY_MEMBER
