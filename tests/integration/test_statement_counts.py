"""What an add and a press cost the database, as exact numbers: it must not creep up unnoticed.

When a number here falls, write down the lower one; when it grows, find out why first.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event

from bot.actions import pressing
from bot.cards import Choice, Press
from bot.events import CardPressed
from storage.database import Database
from storage.jobs import Job, Queue
from tests.makers_adding import ALLOWED, HELD, a_scene, add
from tests.makers_approval import NOON
from workflows.model import State
from workflows.policy import Policy

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


async def added(db: Database, policy: Policy) -> None:
    """lin has added a customer; the door has put the neutral welcome into its queue."""
    await db.write(lambda tx: add(tx, policy, CUSTOMER))


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
        await db.write(lambda tx: pressing.press(a_scene(tx, HELD).by("wang"), press))

    assert await state(db) is State.EXECUTED
    assert len(heard) == {"sqlite": 17, "postgresql": 20}[dialect], "\n".join(heard)
