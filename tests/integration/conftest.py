"""Real databases and a real Redis for every test that asks for them.

`MENWEI_TEST_POSTGRES` says where PostgreSQL is; a redis-server is started. Without them their tests
are skipped, except where `CI` is set: there they must not go missing unseen.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from redis import Redis
from redis.backoff import ConstantBackoff
from redis.retry import Retry
from sqlalchemy import URL, Engine, create_engine, make_url

from storage.cache import Cache, MemoryCache, RedisCache
from storage.database import Database
from storage.tables import metadata
from tests.services import POSTGRES, RedisServer, a_port, give_up


@dataclass(frozen=True)
class Server:
    """A PostgreSQL database of this run, with schemas for the tests to use."""

    url: URL
    numbers: Iterator[int] = field(default_factory=count)
    used: list[str] = field(default_factory=list)

    def make_schema(self) -> str:
        """Return the URL of a new schema without tables."""
        name = f"test_{next(self.numbers)}"
        execute(self.url, "CREATE SCHEMA {}", name)
        mine = self.url.update_query_dict({"options": f"-csearch_path={name}"})
        return mine.render_as_string(hide_password=False)

    def make_upgraded(self) -> str:
        """Return the URL of an upgraded schema without any rows.

        The same one every time, emptied: making the tables takes longer than most tests.
        """
        if self.used:
            empty(self.used[0])
        else:
            self.used.append(self.make_schema())
            upgrade(self.used[0])
        return self.used[0]


def empty(url: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("ALTER TABLE audit DISABLE TRIGGER ALL")
        for table in reversed(metadata.sorted_tables):
            connection.execute(sql.SQL("DELETE FROM {}").format(sql.Identifier(table.name)))
        connection.execute("ALTER TABLE audit ENABLE TRIGGER ALL")
        connection.execute("INSERT INTO audit_head VALUES (1, 0, repeat('0', 64))")
        connection.execute("ALTER SEQUENCE work_id_seq RESTART")


def execute(url: URL, statement: str, name: str) -> None:
    address = url.render_as_string(hide_password=False)
    with psycopg.connect(address, autocommit=True, connect_timeout=3) as connection:
        connection.execute(sql.SQL(statement).format(sql.Identifier(name)))


def upgrade(url: str) -> None:
    database = Database.open(url)
    database.upgrade()
    database.close()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    outer, name = make_url(POSTGRES), f"menwei_test_{os.getpid()}"
    try:
        execute(outer, "CREATE DATABASE {}", name)
    except psycopg.OperationalError as error:
        give_up("PostgreSQL", error)
    execute(outer, "ALTER DATABASE {} SET synchronous_commit = off", name)  # only for speed
    yield Server(outer.set(database=name))
    execute(outer, "DROP DATABASE {} WITH (FORCE)", name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "menwei.db"
    upgrade(f"sqlite:///{path}")
    return path


@pytest.fixture(params=["sqlite", "postgresql"])
def dialect(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_url(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a database without tables."""
    if dialect == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    server: Server = request.getfixturevalue("postgres")
    return server.make_schema()


@pytest.fixture
def db_url(dialect: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an upgraded database of the test's own."""
    if dialect == "sqlite":
        path = tmp_path / "menwei.db"
        shutil.copy(request.getfixturevalue("sqlite_template"), path)
        return f"sqlite:///{path}"
    server: Server = request.getfixturevalue("postgres")
    return server.make_upgraded()


@pytest.fixture
async def db(db_url: str) -> AsyncIterator[Database]:
    """An open, upgraded database; every test that asks for it runs on both kinds."""
    database = Database.open(db_url)
    yield database
    await database.aclose()


@pytest.fixture
def engine(db_url: str) -> Iterator[Engine]:
    """The same database from outside, as somebody with its password would reach it."""
    outside = create_engine(db_url.replace("postgresql://", "postgresql+psycopg://"))
    yield outside
    outside.dispose()


@pytest.fixture(scope="session")
def redis_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """One for the tests of this process: channels are heard in all databases of a server."""
    server = RedisServer(a_port(), tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def redis_url(redis_server: RedisServer) -> str:
    """The URL of an empty Redis."""
    starting = Retry(ConstantBackoff(0.05), 200)
    with Redis.from_url(redis_server.url, retry=starting) as client:
        client.flushall()
    return redis_server.url


@pytest.fixture(params=["memory", "redis"])
async def cache(request: pytest.FixtureRequest) -> AsyncIterator[Cache]:
    """An empty cache; every test that asks for it runs on both kinds."""
    made: Cache = MemoryCache()
    if request.param == "redis":
        made = RedisCache(request.getfixturevalue("redis_url"))
    yield made
    await made.aclose()
