"""Several real `menwei serve` on one PostgreSQL and one Redis, behind a load balancer."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import psycopg
import pytest
from aiohttp import web
from psycopg import sql
from sqlalchemy import URL, make_url

from bot import demo
from bot.simulator import Simulator, demo_world
from tests.scenario.program import Program
from tests.services import POSTGRES, RedisServer, a_port, give_up

_NUMBERS = itertools.count(1)


@dataclass(slots=True)
class Postgres:
    """A database of the test's own."""

    server: URL
    name: str

    @property
    def url(self) -> str:
        return self.server.set(database=self.name).render_as_string(hide_password=False)

    def rows(self, query: str, *values: object) -> list[Any]:
        with psycopg.connect(self.url) as connection:
            return connection.execute(query, values or None).fetchall()

    def cut(self) -> int:
        """End every connection to it; return how many there were."""
        query = "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = %s"
        with self._outside() as connection:
            found = connection.execute(query, (self.name,)).fetchone()
            return int(found[0]) if found else 0

    @contextmanager
    def refusing(self) -> Iterator[None]:
        """Let nobody in."""
        self._allow(False)
        self.cut()
        try:
            yield
        finally:
            self._allow(True)

    def _allow(self, allowed: bool) -> None:
        statement = "ALTER DATABASE {} WITH ALLOW_CONNECTIONS {}"
        with self._outside() as connection:
            name, wish = sql.Identifier(self.name), sql.SQL(str(allowed))
            connection.execute(sql.SQL(statement).format(name, wish))

    def _outside(self) -> psycopg.Connection[Any]:
        return psycopg.connect(
            self.server.render_as_string(hide_password=False), autocommit=True, connect_timeout=3
        )


@contextmanager
def a_postgres() -> Iterator[Postgres]:
    made = Postgres(make_url(POSTGRES), f"menwei_nodes_{os.getpid()}_{next(_NUMBERS)}")
    try:
        with made._outside() as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(made.name)))
    except psycopg.OperationalError as error:
        give_up("PostgreSQL cannot be reached", error)
    try:
        yield made
    finally:
        with made._outside() as connection:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
            connection.execute(drop.format(sql.Identifier(made.name)))


@dataclass(slots=True)
class Balancer:
    """Gives each request to the next node that says it is ready."""

    nodes: list[Program]
    address: str = ""
    ready: set[str] = field(default_factory=set)
    given: dict[str, int] = field(default_factory=dict)  # requests by node
    _turn: Iterator[int] = field(default_factory=itertools.count)
    _http: aiohttp.ClientSession | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        app = web.Application()
        app.router.add_route("*", "/wecom/{rest:.*}", self._hand_on)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        async with aiohttp.ClientSession() as self._http:
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self.address = "http://{}:{}".format(*runner.addresses[0][:2])
            looking = asyncio.create_task(self._look())
            try:
                yield
            finally:
                looking.cancel()
                await runner.cleanup()

    async def _look(self) -> None:
        while True:
            for node in self.nodes:
                status, _ = await self.asked(node, "/readyz")
                (self.ready.add if status == 200 else self.ready.discard)(node.address)
            await asyncio.sleep(0.2)

    async def asked(self, node: Program, path: str) -> tuple[int, Any]:
        """Return status and JSON or text of a page of a node; 0 if it does not answer."""
        assert self._http is not None
        limit = aiohttp.ClientTimeout(total=5)
        try:
            async with self._http.get(f"{node.address}{path}", timeout=limit) as answer:
                is_json = answer.content_type == "application/json"
                return answer.status, await (answer.json() if is_json else answer.text())
        except (aiohttp.ClientError, TimeoutError):
            return 0, None

    async def _hand_on(self, request: web.Request) -> web.Response:
        assert self._http is not None
        body = await request.read()
        up = [each for each in self.nodes if each.address in self.ready] or self.nodes
        first = next(self._turn)
        for number in range(len(up)):
            node = up[(first + number) % len(up)]
            url = f"{node.address}{request.rel_url}"
            try:
                async with self._http.request(request.method, url, data=body) as answer:
                    self.given[node.address] = self.given.get(node.address, 0) + 1
                    return web.Response(status=answer.status, body=await answer.read())
            except aiohttp.ClientConnectorError:
                continue  # it has not begun there; the next one
            except aiohttp.ClientError:
                break
        return web.Response(status=502)


@dataclass(slots=True)
class Cluster:
    """Nodes, what they share, and the pretend WeCom."""

    simulator: Simulator
    nodes: list[Program]
    balancer: Balancer
    postgres: Postgres
    redis: RedisServer

    async def ready(self) -> None:
        """Wait until every node takes callbacks and Menwei knows the company."""
        for node in self.nodes:
            await node.ready()
        addresses = {each.address for each in self.nodes}
        await self.until(lambda: self.balancer.ready >= addresses, "all are ready")
        query = "SELECT count(*) FROM members"
        await self.until(lambda: self.postgres.rows(query)[0][0] > 0, "the directory")

    async def until(self, look: Any, what: str, patience: float = 20.0) -> None:
        """Look again and again until it is so."""
        try:
            async with asyncio.timeout(patience):
                while not look():  # noqa: ASYNC110 - a database tells nobody
                    await asyncio.sleep(0.05)
        except TimeoutError:
            said = "\n".join(node.said() for node in self.nodes)
            pytest.fail(f"waited in vain: {what}; under way: {self.under_way()}\n{said}")

    async def settled(self, patience: float = 20.0) -> None:
        """Wait until every callback is handled and every call to WeCom is made."""
        await self.simulator.idle()
        await self.until(lambda: not self.under_way(), "all work is done", patience)

    def under_way(self) -> list[Any]:
        """Return what is open in inbox and outbox."""
        query = "SELECT kind, lane, tries, error FROM work WHERE state = 0 AND queue IN (0, 1)"
        return self.postgres.rows(query)

    def dead(self) -> list[Any]:
        return self.postgres.rows("SELECT kind, error FROM work WHERE state = 2")

    def heard(self, userid: str, words: str = "") -> int:
        """Return how many messages of the app a member has got that hold these words."""
        chat = self.simulator.world.state.chats.get(userid, [])
        return sum(m.sender == "app" and words in str(m) for m in chat)


@asynccontextmanager
async def a_cluster(folder: Path, size: int = 2, *, redis: bool = True) -> AsyncIterator[Cluster]:
    """Start the services and the nodes, all at once."""
    async with AsyncExitStack() as stack:
        postgres = stack.enter_context(a_postgres())
        kept = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="redis-")))
        server = RedisServer(a_port(), kept)
        if redis:
            server.start()
            stack.callback(server.kill)
        simulator = Simulator(demo.corp(), demo_world())
        base = await simulator.start()
        stack.push_async_callback(simulator.stop)
        nodes = []
        for number in range(size):
            port = a_port()
            nodes.append(_configured(folder / f"node{number}", base, port, postgres, server, redis))
            stack.push_async_callback(nodes[-1].close)
        balancer = Balancer(nodes)
        await stack.enter_async_context(balancer.running())
        cluster = Cluster(simulator, nodes, balancer, postgres, server)
        await asyncio.gather(*(node.start() for node in nodes))
        await cluster.ready()
        simulator.callback_url = f"{balancer.address}/wecom/callback"
        yield cluster


def _configured(
    folder: Path, base: str, port: int, postgres: Postgres, server: RedisServer, redis: bool
) -> Program:
    folder.mkdir()
    demo.configured(base, port, folder)
    config = folder / "config.toml"
    lines = config.read_text("utf-8").splitlines()
    where = next(n for n, line in enumerate(lines) if line.startswith("url = "))
    lines[where] = f'url = "{postgres.url}"'
    if redis:
        lines.insert(where + 1, f'redis_url = "{server.url}"')
    config.write_text("\n".join(lines) + "\n", "utf-8")
    return Program(config, f"http://127.0.0.1:{port}", folder / "log")


def stopped_by(code: int) -> str:
    """Return what ended a process with that exit code."""
    return signal.Signals(-code).name if code < 0 else f"exit {code}"
