"""Two steps about the same relation at once: the later one keeps what the earlier one wrote."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import replace
from datetime import timedelta

import pytest

from bot import texts
from bot.actions import containing, knowing, leaving
from bot.actions.scene import Scene
from bot.outgoing import MarkRelation
from bot.wecom.answers import ExternalContact, FollowUser
from bot.worker import Postpone
from storage.database import Database
from storage.transaction import Transaction
from tests.makers_approval import NOON, a_company, a_request
from tests.makers_policy import a_policy
from tests.races import overlapped
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
    kept = await both(db, db_url, replace(TOGETHER, state=RelationState.DELETED_BY_MEMBER), change)
    assert kept.state is RelationState.DELETED_BY_MEMBER


async def test_what_an_edit_wrote_is_not_undone_when_a_leavers_relations_end(
    db: Database, db_url: str
) -> None:
    def end(tx: Transaction) -> None:
        leaving.end_relations(scene(tx), f"{WHO}|{NOON.isoformat()}|")

    kept = await both(db, db_url, replace(TOGETHER, remark="新备注"), end)
    assert (kept.ended_by, kept.remark) == ("left", "新备注")


@pytest.mark.parametrize(("later", "kept"), [(-1, {"待审批"}), (1, set())], ids=["before", "after"])
async def test_an_answer_from_before_our_mark_is_asked_for_again(
    db: Database, later: int, kept: set[str]
) -> None:
    """Else the mark would seem to be taken off, and at the next edit put on by the member."""
    await db.write(lambda tx: tx.relations.put(TOGETHER))
    await db.write(lambda tx: knowing.marked(scene(tx), MARK))
    answer = ExternalContact(
        external_userid=CUSTOMER,
        follow_user=(FollowUser(userid=WHO),),
        asked_at=NOON + timedelta(seconds=later),
    )

    with pytest.raises(Postpone) if later < 0 else nullcontext():
        await db.write(lambda tx: knowing.remember(scene(tx), answer))

    relation = await db.read(lambda tx: tx.relations.get(WHO, CUSTOMER))
    assert relation is not None
    assert relation.tags == kept


async def both(
    db: Database, db_url: str, edited: Relation, change: Callable[[Transaction], None]
) -> Relation:
    """Have a step begin to change what another one has read and is about to write."""
    await db.write(lambda tx: tx.relations.put(TOGETHER))

    def edit(tx: Transaction) -> None:
        knowing.hold(scene(tx), CUSTOMER)
        tx.relations.put(edited)

    for outcome in await overlapped(db, db_url, edit, change):
        assert not isinstance(outcome, BaseException), outcome
    kept = await db.read(lambda tx: tx.relations.get(WHO, CUSTOMER))
    assert kept is not None
    return kept
