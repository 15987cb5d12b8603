"""Puts the program together: the only place that builds clients, engines and workers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from aiohttp import web
from pydantic import SecretStr

from bot import chores, holidays, monitoring, webhook
from bot.actions import rulebooks, trouble
from bot.clock import Clock
from bot.clockwork import Clockwork
from bot.company import Company
from bot.delivery import Delivery
from bot.envelope import Envelope
from bot.handlers import Handlers
from bot.inbox import Arrival, Inbox
from bot.monitoring import Metrics
from bot.rule_file import RuleFile
from bot.settings import Callback, Settings
from bot.sources.keeping import OutsideSources
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
_READY_FOR = 30.0  # seconds: whoever asks us must not make us ask WeCom each time
_LEASES = dict.fromkeys(Queue, timedelta(minutes=1))
_LEASES[Queue.TIMERS] = timedelta(minutes=15)  # reading a large company takes minutes


@dataclass(slots=True)
class App:
    """One running Menwei: a door, four queues of work, and what operators look at."""

    settings: Settings
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    file: Path | None = None  # the config file to be watched
    _died: bool = False  # something that runs for ever has ended

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Run until the block ends; gives the address it listens on."""
        db = Database.open(self.settings.storage.address)
        cache = _cache(self.settings.storage.redis_url)
        try:
            db.hold_alone()
            await asyncio.to_thread(db.upgrade)
            clock = Clock(self.now)
            await clock.compare(db)
            async with (
                aiohttp.ClientSession() as http,
                self._working(db, cache, http, clock) as address,
            ):
                yield address
        finally:
            await cache.aclose()
            await db.aclose()

    @asynccontextmanager
    async def _working(
        self, db: Database, cache: Cache, http: aiohttp.ClientSession, clock: Clock
    ) -> AsyncIterator[str]:
        metrics = Metrics()
        wecom = self._wecom(http, cache, metrics)
        rules = policy.compile_policy(self.settings.rules, holidays.CHINA)
        company = Company(rules, clock.now)
        tags = CorpTags(wecom, clock.now)
        delivery = Delivery(db, wecom, company, tags, MessageBudget(time.monotonic))
        sources = OutsideSources(db, company, self.settings.sources, self.settings.rules)
        handlers = Handlers(db, wecom, company, tags)
        clockwork = Clockwork(db, wecom, company, handlers, sources)
        workers = self._workers(handlers, delivery, clockwork, metrics)
        inbox = Inbox(db, clock.now, wake=workers[Queue.INBOX].wake)
        await self._begin(db, company)
        await sources.begin()
        await delivery.remember_sent()
        async with AsyncExitStack() as stack:  # ended in the other order
            tasks = [*(worker.run() for worker in workers.values())]
            tasks += [_keep_fresh(company, db), clock.keep(db)]
            if self.file is not None:
                tasks.append(RuleFile(self.file, db, company, self.settings.program).watch())
            for each in tasks:
                stack.push_async_callback(_ended, self._started(each))
            await inbox.start()
            stack.push_async_callback(inbox.stop)  # what was accepted is committed
            checks = _checks(db, wecom, company)
            gauges = _gauges(db, metrics, clock.now)
            runner = self._runner(inbox, metrics, checks, gauges)
            stack.push_async_callback(runner.cleanup)
            await runner.setup()
            wish = self.settings.server
            await web.TCPSite(runner, wish.host, wish.port).start()
            yield _address(runner)

    def _started(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run what is to run for ever; should it end, /healthz says so and we are restarted."""

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled():
                _log.critical("task_died", task=task.get_name(), error=repr(task.exception()))
                self._died = True

        task = asyncio.create_task(work)
        task.add_done_callback(ended)
        return task

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
        self, handlers: Handlers, delivery: Delivery, clockwork: Clockwork, metrics: Metrics
    ) -> dict[Queue, Worker]:
        db, company = handlers.db, handlers.company
        by_queue: dict[Queue, Handler] = {
            Queue.INBOX: handlers,
            Queue.OUTBOX: delivery,
            Queue.TIMERS: clockwork,
            Queue.WELCOME: delivery,
        }

        def set_aside(tx: Transaction, work: Claimed, error: str) -> None:
            trouble.set_aside(company.scene(tx), work, error)

        def misconfigured(tx: Transaction, work: Claimed, error: str) -> None:
            trouble.misconfigured(company.scene(tx), work, error)

        workers = {
            queue: Worker(
                db,
                queue,
                handle,
                set_aside,
                company.now,
                width=_WIDTHS[queue],
                lease=_LEASES[queue],
            )
            for queue, handle in by_queue.items()
        }
        for worker in workers.values():
            worker.misconfigured = misconfigured
            worker.wake_others = [workers[Queue.OUTBOX].wake, workers[Queue.WELCOME].wake]
            worker.count = metrics.counting(worker.queue.name.lower())
        return workers

    async def _begin(self, db: Database, company: Company) -> None:
        """Take up what an earlier run left. The very first rules come into force by themselves."""
        if not db.is_shared:
            await db.write(lambda tx: tx.work.release_leases(company.now()))
        await company.refresh(db)

        def begin(tx: Transaction) -> None:
            scene = company.scene(tx, "system:start")
            if not tx.policies.active_hash():
                rulebooks.begin(scene)
            for chore in chores.EVERY:
                chores.schedule(scene, chore)
            chores.at_once(scene, chores.DIRECTORY)
            chores.at_once(scene, chores.CHATS)

        await db.write(begin)

    def _runner(
        self,
        inbox: Inbox,
        metrics: Metrics,
        checks: Mapping[str, monitoring.Check],
        gauges: Callable[[], Awaitable[None]],
    ) -> web.AppRunner:
        wish = self.settings
        app = web.Application()
        app.add_routes(webhook.routes(self._door(wish.wecom, inbox, metrics)))
        if wish.wecom.directory is not None:
            door = self._door(wish.wecom.directory, inbox, metrics)
            app.add_routes(webhook.routes(door, "/wecom/directory"))
        app.add_routes(monitoring.routes(metrics, checks, gauges, lambda: not self._died))
        # No access log: addresses carry signatures, and a line for every callback says nothing.
        return web.AppRunner(app, access_log=None)

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
            inbox.now,
            on_refused=lambda reason: metrics.refused.labels(reason).inc(),
        )


def _cache(redis_url: SecretStr | None) -> Cache:
    return RedisCache(redis_url.get_secret_value()) if redis_url else MemoryCache()


async def _ended(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _keep_fresh(company: Company, db: Database) -> None:
    while True:
        try:
            await company.refresh(db)
        except Exception as error:
            _log.warning("company_not_refreshed", error=type(error).__name__)
        await asyncio.sleep(1)


def _checks(db: Database, wecom: Wecom, company: Company) -> dict[str, monitoring.Check]:
    async def database() -> str:
        return "" if await db.is_alive() else "does not answer"

    async def rules() -> str:
        try:
            active = await db.read(lambda tx: tx.policies.active())
        except Exception:
            return "cannot be read"
        running = company.standing.policy.hash
        return "" if active and active.hash == running else "another version is active"

    async def api() -> str:
        try:
            await wecom.callback_ips()
        except WecomError as error:
            return f"answers {error.code}"  # the rest may hold addresses; the log has it
        return ""

    return {"database": database, "policy": rules, "wecom": monitoring.remembered(api, _READY_FOR)}


def _gauges(
    db: Database, metrics: Metrics, now: Callable[[], datetime]
) -> Callable[[], Awaitable[None]]:
    async def refresh() -> None:
        metrics.show_sources(await db.read(lambda tx: tx.sources.all()), now())
        for (queue, state), count in (await db.read(lambda tx: tx.work.counts())).items():
            metrics.waiting.labels(queue.name.lower(), state.name.lower()).set(count)

    return refresh


def _address(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"
