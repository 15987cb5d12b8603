"""Requests are found by what people type, without reading more than somebody looks at."""

from __future__ import annotations

from datetime import timedelta
from itertools import islice

import pytest
from sqlalchemy import event

from storage.database import Database
from storage.transaction import Transaction
from tests.makers_storage import NOON, a_person, a_request
from workflows.model import Request, Subject

MINUTE = timedelta(minutes=1)


def about(request_id: str, customer: str, minutes: int = 0, by: str = "李娜") -> Request:
    external = f"wm-{request_id}"
    return a_request(
        request_id,
        requester=a_person(f"u-{by}", by),
        subject=Subject(external, customer, external),
        created_at=NOON + minutes * MINUTE,
    )


async def add(db: Database, *requests: Request) -> None:
    def step(tx: Transaction) -> None:
        for request in requests:
            tx.requests.add(request)

    await db.write(step)


async def found(db: Database, words: str, limit: int = 200) -> list[str]:
    requests = await db.read(lambda tx: list(tx.requests.search(words, limit)))
    return [request.id for request in requests]


async def test_who_is_called_just_this_comes_first_and_the_newest_before_the_older(
    db: Database,
) -> None:
    await add(
        db,
        about("OLD1", "王芳", 1),
        about("NEW1", "王芳", 5),
        about("MORE", "王芳芳", 9),
        about("PART", "小王芳", 8),
        about("ASKS", "某人", 3, by="王芳"),
    )

    assert await found(db, "王芳") == ["NEW1", "ASKS", "OLD1", "MORE", "PART"]


async def test_an_id_names_one_request_whatever_else_is_called_so(db: Database) -> None:
    await add(db, about("A7K2", "张总"), about("B7K2", "a7k2 有限公司"))

    assert await found(db, "a7k2") == ["A7K2"]


async def test_the_beginning_of_a_name_is_found_however_old_its_middle_only_among_the_newest(
    db: Database,
) -> None:
    old = (about("BEGN", "明达贸易", -9), about("MIDD", "新明达贸易", -8))
    await add(db, *old, *(about(f"R{n}", f"客户{n}", n) for n in range(2000)))

    assert await found(db, "明达") == ["BEGN"]


@pytest.mark.parametrize("words", ["5%", "5_", "5/"])
async def test_what_a_pattern_would_mean_is_meant_as_it_is_typed(db: Database, words: str) -> None:
    await add(db, about("SELF", f"让利{words}"), about("ELSE", "让利5折"))

    assert await found(db, words) == ["SELF"]


async def test_no_more_come_than_asked_for_and_none_twice(db: Database) -> None:
    await add(db, *(about(f"R{n}", "王芳", n, by="王芳") for n in range(50)))

    assert len(await found(db, "王芳")) == 50
    assert await found(db, "王芳", 30) == [f"R{n}" for n in range(49, 19, -1)]


async def test_what_nobody_looks_at_is_not_read(db: Database) -> None:
    await add(db, *(about(f"R{n}", "王芳", n) for n in range(50)))
    asked: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        if statement.startswith("SELECT"):
            asked.append(statement)

    event.listen(db._reader, "before_cursor_execute", note)
    await db.read(lambda tx: list(islice(tx.requests.search("王芳", 200), 10)))
    event.remove(db._reader, "before_cursor_execute", note)

    assert len(asked) == 3  # by id, by customer, by requester
