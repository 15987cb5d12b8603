"""Puts the program together: the only place that builds clients, engines and workers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

import aiohttp
import structlog
from aiohttp import web

from bot import chores, holidays, monitoring, webhook
from bot.actions import rulebooks, trouble
from bot.clockwork import Clockwork
from bot.company import Company
from bot.delivery import Delivery
from bot.envelope import Envelope
from bot.handlers import Handlers
from bot.inbox import Arrival, Inbox
from bot.monitoring import Metrics
from bot.settings import Callback, Settings
from bot.tags import CorpTags
from bot.wecom import MessageBudget, Wecom, WecomError
from bot.worker import Handler, Worker
from storage.cache import Cache, MemoryCache, RedisCache
from storage.database import Database
from storage.transaction import Transaction
from storage.work import Claimed, Queue
from workflows import policy

_log = structlog.get_logger()

# Lanes worked at a time: few for the inbox, whose steps are mostly one database write each.
_WIDTHS = {Queue.INBOX: 32, Queue.OUTBOX: 16, Queue.TIMERS: 8, Queue.WELCOME: 8}


@dataclass(slots=True)
class App:
    """One running Menwei: a door, four queues of work, and what operators look at."""

    settings: Settings
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Run until the block ends; gives the address it listens on."""
        db = Database.open(self.settings.storage.url)
        cache = _cache(self.settings.storage.redis_url)
        try:
            await asyncio.to_thread(db.upgrade)
            async with (
                aiohttp.ClientSession() as http,
                self._working(db, cache, http) as address,
            ):
                yield address
        finally:
            await cache.aclose()
            await db.aclose()

    @asynccontextmanager
    async def _working(
        self, db: Database, cache: Cache, http: aiohttp.ClientSession
    ) -> AsyncIterator[str]:
        metrics = Metrics()
        wecom = self._wecom(http, cache, metrics)
        rules = policy.compile_policy(self.settings.rules, holidays.CHINA)
        company = Company(rules, self.now)
        workers = self._workers(db, wecom, company, metrics)
        inbox = Inbox(db, self.now, wake=workers[Queue.INBOX].wake)
        await self._begin(db, company)
        await inbox.start()
        tasks = [asyncio.create_task(each.run(), name=q.name) for q, each in workers.items()]
        tasks.append(asyncio.create_task(_keep_fresh(company, db)))
        runner = await self._serve(db, wecom, inbox, metrics)
        try:
            yield _address(runner)
        finally:
            await runner.cleanup()  # no more callbacks, then what was accepted is committed
            await inbox.stop()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    def _wecom(self, http: aiohttp.ClientSession, cache: Cache, metrics: Metrics) -> Wecom:
        wish = self.settings.wecom
        return Wecom(
            http,
            api_base=wish.api_base,
            corp_id=wish.corp_id,
            agent_id=wish.agent_id,
            secret=wish.secret,
            cache=cache,
            on_call=metrics.called,
        )

    def _workers(
        self, db: Database, wecom: Wecom, company: Company, metrics: Metrics
    ) -> dict[Queue, Worker]:
        tags = CorpTags(wecom, self.now)
        handlers = Handlers(db, wecom, company, tags)
        delivery = Delivery(db, wecom, company, tags, MessageBudget(time.monotonic))
        by_queue: dict[Queue, Handler] = {
            Queue.INBOX: handlers,
            Queue.OUTBOX: delivery,
            Queue.TIMERS: Clockwork(db, wecom, company, handlers),
            Queue.WELCOME: delivery,
        }

        def set_aside(tx: Transaction, work: Claimed, error: str) -> None:
            trouble.set_aside(company.scene(tx), work, error)

        workers = {
            queue: Worker(db, queue, handle, set_aside, self.now, width=_WIDTHS[queue])
            for queue, handle in by_queue.items()
        }
        for worker in workers.values():
            worker.wake_others = [workers[Queue.OUTBOX].wake, workers[Queue.WELCOME].wake]
            worker.count = metrics.counting(worker.queue.name.lower())
        return workers

    async def _begin(self, db: Database, company: Company) -> None:
        """Take up what an earlier run left, and put the rules of the file into force."""
        if not db.is_shared:
            await db.write(lambda tx: tx.work.release_leases(self.now()))
        await company.refresh(db)

        def begin(tx: Transaction) -> None:
            scene = company.scene(tx, "system:start")
            rulebooks.activate(scene, author="file")
            for chore in chores.EVERY:
                chores.schedule(scene, chore)
            chores.at_once(scene, chores.DIRECTORY)

        await db.write(begin)

    async def _serve(
        self, db: Database, wecom: Wecom, inbox: Inbox, metrics: Metrics
    ) -> web.AppRunner:
        wish = self.settings
        app = web.Application()
        app.add_routes(webhook.routes(self._door(wish.wecom, inbox, metrics)))
        if wish.wecom.directory is not None:
            door = self._door(wish.wecom.directory, inbox, metrics)
            app.add_routes(webhook.routes(door, "/wecom/directory"))
        app.add_routes(monitoring.routes(metrics, _checks(db, wecom), _gauges(db, metrics)))
        # No access log: addresses carry signatures, and a line for every callback says nothing.
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, wish.server.host, wish.server.port).start()
        return runner

    def _door(self, callback: Callback, inbox: Inbox, metrics: Metrics) -> webhook.Door:
        async def put(arrival: Arrival) -> None:
            await inbox.put(arrival)
            metrics.accepted.labels(arrival.kind).inc()

        envelope = Envelope(
            callback.token.get_secret_value(),
            callback.encoding_aes_key.get_secret_value(),
            self.settings.wecom.corp_id,
        )
        return webhook.Door(
            envelope,
            put,
            self.now,
            on_refused=lambda reason: metrics.refused.labels(reason).inc(),
        )


def _cache(redis_url: str | None) -> Cache:
    return RedisCache(redis_url) if redis_url else MemoryCache()


async def _keep_fresh(company: Company, db: Database) -> None:
    while True:
        try:
            await company.refresh(db)
        except Exception as error:
            _log.warning("directory_not_refreshed", error=type(error).__name__)
        await asyncio.sleep(1)


def _checks(db: Database, wecom: Wecom) -> dict[str, monitoring.Check]:
    async def database() -> str:
        return "" if await db.is_alive() else "does not answer"

    async def api() -> str:
        try:
            await wecom.callback_ips()
        except WecomError as error:
            return f"{error.code}: {error.hint}"
        return ""

    return {"database": database, "wecom": api}


def _gauges(db: Database, metrics: Metrics) -> Callable[[], Awaitable[None]]:
    async def refresh() -> None:
        for (queue, state), count in (await db.read(lambda tx: tx.work.counts())).items():
            metrics.waiting.labels(queue.name.lower(), state.name.lower()).set(count)

    return refresh


def _address(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"
