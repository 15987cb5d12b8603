"""What an add and a press cost the database, as exact numbers: it must not creep up unnoticed.

When a number here falls, write down the lower one; when it grows, find out why first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import event

from bot import texts
from bot.actions import adding, pressing
from bot.actions.scene import Scene
from bot.cards import Choice, Press
from bot.events import CardPressed, ContactAdded
from bot.wecom.answers import ExternalContact, FollowUser
from storage.database import Database
from storage.jobs import Job, Queue
from storage.transaction import Transaction
from tests.makers_approval import NOON, a_company
from tests.makers_policy import a_policy
from workflows.model import State
from workflows.standing import Standing

ZH = texts.load("zh-CN")
ROLES: dict[str, Any] = {
    "seller": {"level": 2, "members": ["department:销售部"]},
    "admin": {"level": 5, "members": ["user:zhao"]},
}
ALLOWED = a_policy(roles=ROLES, permissions={"friend.add": {"allow": 2}})
HELD = a_policy(roles=ROLES, permissions={"friend.add": {"approval": 2}})
CUSTOMER = "wm1"


@contextmanager
def counted(db: Database) -> Iterator[list[str]]:
    """Collect the statements of every write; what begins and ends a transaction is not counted."""
    heard: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith("BEGIN"):
            heard.append(statement)

    event.listen(db._writer, "before_cursor_execute", note)
    yield heard
    event.remove(db._writer, "before_cursor_execute", note)


def scene_of(tx: Transaction, policy: Any) -> Scene:
    return Scene(tx, Standing(policy, a_company()), ZH, ZH, NOON, "wecom:event")


async def added(db: Database, policy: Any) -> None:
    """lin has added a customer; the door has put the neutral welcome into its queue."""
    told = ContactAdded("lin", CUSTOMER, NOON, welcome_code="c1")
    shown = ExternalContact(
        external_userid=CUSTOMER, name="张三", follow_user=(FollowUser(userid="lin"),)
    )
    await db.write(lambda tx: adding.added(scene_of(tx, policy), told, shown))


async def welcome_waits(db: Database) -> None:
    job = Job(Queue.WELCOME, "welcome", "welcome:c1", "{}", "welcome:c1")
    await db.write(lambda tx: tx.work.add([job], NOON))


async def state(db: Database) -> State:
    [request] = await db.read(lambda tx: tx.requests.of_customer(CUSTOMER, 9))
    return request.state


async def test_an_allowed_add_takes_so_many_statements(db: Database, dialect: str) -> None:
    await welcome_waits(db)

    with counted(db) as heard:
        await added(db, ALLOWED)

    assert await state(db) is State.EXECUTED
    assert len(heard) == {"sqlite": 13, "postgresql": 14}[dialect], "\n".join(heard)


async def test_a_held_add_takes_so_many_statements(db: Database, dialect: str) -> None:
    await welcome_waits(db)

    with counted(db) as heard:
        await added(db, HELD)

    assert await state(db) is State.PENDING
    assert len(heard) == {"sqlite": 23, "postgresql": 24}[dialect], "\n".join(heard)


async def test_a_press_takes_so_many_statements(db: Database, dialect: str) -> None:
    await added(db, HELD)
    [request] = await db.read(lambda tx: tx.requests.of_customer(CUSTOMER, 9))
    [card] = await db.read(lambda tx: tx.cards.of_request(request.id))
    key = Press(request.id, 0, Choice.APPROVE).pack()
    press = CardPressed("wang", key, card.task_id, NOON, response_code="r1")

    with counted(db) as heard:
        await db.write(lambda tx: pressing.press(scene_of(tx, HELD).by("wang"), press))

    assert await state(db) is State.EXECUTED
    assert len(heard) == {"sqlite": 17, "postgresql": 20}[dialect], "\n".join(heard)
