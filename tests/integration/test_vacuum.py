"""The file gives room back while somebody else writes; what is finished is kept as long as said."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from storage import engines, vacuum
from storage.database import Database, Unavailable
from storage.work import Queue
from tests.makers_policy import a_rulebook, wrong_in
from tests.makers_storage import NOON, a_job
from workflows.sections_retention import Retention

DAY = timedelta(days=1)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "menwei.db"
    database = Database.open(f"sqlite:///{path}")
    database.upgrade()
    database.close()
    return path


def fill_and_empty(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE junk (body TEXT)")
        rows = [("x" * 2000,) for _ in range(1000)]
        connection.executemany("INSERT INTO junk VALUES (?)", rows)
        connection.commit()
        connection.execute("DELETE FROM junk")
        connection.commit()


def size(file: Path) -> int:
    return file.stat().st_size


async def test_room_is_given_back_while_menwei_writes(file: Path) -> None:
    fill_and_empty(file)
    database = Database.open(f"sqlite:///{file}")
    database.hold_alone()
    before = size(file)

    freed = vacuum.vacuum(file)
    await database.write(lambda tx: tx.work.add([a_job("a")], NOON))
    await database.aclose()

    assert freed is not None
    assert freed > 400
    assert size(file) < before / 2


async def test_a_file_of_an_earlier_version_is_rebuilt_once_and_only_while_nobody_serves_it(
    file: Path,
) -> None:
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA auto_vacuum = NONE")
        connection.execute("VACUUM")
    fill_and_empty(file)
    assert vacuum.vacuum(file) is None
    lock = engines.locked(file)
    assert lock is not None
    with pytest.raises(Unavailable):
        vacuum.rebuild(file)
    lock.close()

    assert vacuum.rebuild(file) > 400

    assert vacuum.vacuum(file) == 0


async def test_what_was_given_up_is_deleted_after_its_own_time(db: Database) -> None:
    await db.write(lambda tx: tx.work.add([a_job("a"), a_job("b")], NOON))
    claims = await db.write(lambda tx: tx.work.claim(Queue.INBOX, NOON, 10, DAY))
    await db.write(lambda tx: tx.work.dead(claims[0], "hopeless", NOON))
    await db.write(lambda tx: tx.work.done(claims[1], NOON))

    await db.write(lambda tx: tx.work.prune(NOON + DAY))
    assert await db.read(lambda tx: tx.work.get(claims[1].id)) is None
    assert await db.write(lambda tx: tx.work.prune_dead(NOON)) == 0
    assert await db.write(lambda tx: tx.work.prune_dead(NOON + DAY)) == 1


async def test_what_was_begun_and_not_ended_is_forgotten_after_its_time(db: Database) -> None:
    await db.write(lambda tx: tx.drafts.put("mei", "add", "x", NOON))
    await db.write(lambda tx: tx.drafts.put("qin", "add", "x", NOON + DAY))

    assert await db.write(lambda tx: tx.drafts.prune(NOON + timedelta(hours=1))) == 1


def test_the_file_says_how_long_work_is_kept_and_never_less_than_a_day() -> None:
    said = a_rulebook(retention={"work": "7d", "dead": "1h"}).retention

    assert (said.of_work, said.of_dead) == (7 * DAY, DAY)
    assert (Retention().of_work, Retention().of_dead) == (30 * DAY, 180 * DAY)
    assert wrong_in(retention={"work": "soon"})
