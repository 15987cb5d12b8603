"""Puts the program together: the only place that builds clients, engines and workers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from aiohttp import web
from pydantic import SecretStr

from bot import chores, holidays, monitoring, webhook
from bot.actions import rulebooks, trouble
from bot.actions.scene import Scene
from bot.clockwork import Clockwork
from bot.company import Company
from bot.customer_reading import CustomerReader
from bot.delivery import Delivery, sent_lately
from bot.envelope import Envelope
from bot.handlers import Handlers
from bot.inbox import Arrival, Inbox
from bot.monitoring import DEGRADED, Health, Metrics
from bot.nodes import AgreedClock, Nodes
from bot.rule_file import RuleFile
from bot.settings import Callback, Settings
from bot.sources.keeping import OutsideSources
from bot.tags import CorpTags
from bot.wecom import SharedBudget, Traffic, Wecom, WecomError, codes
from bot.wecom.budgets import OF_AN_API, TO_A_MEMBER
from bot.wecom.pace import Pace
from bot.worker import Handler, Worker
from storage.bell import Bell
from storage.cache import Cache, CacheUnavailable, MemoryCache, RedisCache
from storage.database import Database
from storage.transaction import Transaction
from storage.work import Claimed, Queue
from workflows import policy

_log = structlog.get_logger()

# Lanes worked at a time: few for the inbox, whose steps are mostly one database write each.
_WIDTHS = {Queue.INBOX: 32, Queue.OUTBOX: 16, Queue.TIMERS: 8, Queue.WELCOME: 16}
_AT_ONCE = (Queue.OUTBOX, Queue.WELCOME)  # what a step puts here is due when it is stored
_READY_FOR = 30.0  # seconds: whoever asks us must not make us ask WeCom each time
LEASE = timedelta(minutes=1)  # after so long, what a killed node had in hand is another's
_LONGEST = {Queue.TIMERS: timedelta(minutes=15)}  # reading a large company takes minutes
_CONSOLE = (chores.FOLLOW_USERS, chores.APP_SCOPE)  # what WeCom tells nobody of
_READY_WITHIN = 3.0  # seconds for WeCom to answer whoever asks whether we are ready


@dataclass(slots=True)
class App:
    """One running Menwei: a door, four queues of work, and what operators look at."""

    settings: Settings
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    file: Path | None = None  # the config file to be watched
    is_draining: bool = False  # about to stop: others shall take the callbacks
    _has_fellows: bool = False  # other nodes may share the database
    _died: bool = False  # something that runs for ever has ended
    _look: Callable[[], Awaitable[None]] | None = None
    _clock: AgreedClock = field(init=False)

    def __post_init__(self) -> None:
        self._clock = AgreedClock(self.now)

    async def drain(self) -> None:
        """Say that this node is about to stop, and take what still comes for a while."""
        self.is_draining = True
        await asyncio.sleep(self.settings.server.drains(is_shared=self._has_fellows))

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Run until the block ends; gives the address it listens on."""
        db = Database.open(self.settings.storage.address)
        metrics = Metrics()
        cache = _cache(self.settings.storage.redis_url, metrics)
        try:
            self._has_fellows = db.is_shared
            db.hold_alone()
            await asyncio.to_thread(db.upgrade)
            await self._clock.compare(db)
            async with (
                aiohttp.ClientSession() as http,
                self._working(db, cache, http, metrics) as address,
            ):
                yield address
        finally:
            await cache.aclose()
            await db.aclose()

    async def look_at_console(self) -> None:
        """Read now, besides the regular times, what WeCom tells nobody of."""
        if self._look is not None:
            await self._look()

    @asynccontextmanager
    async def _working(
        self, db: Database, cache: Cache, http: aiohttp.ClientSession, metrics: Metrics
    ) -> AsyncIterator[str]:
        now = self._clock.now
        rules = policy.compile_policy(self.settings.rules, holidays.CHINA)
        company = Company(rules, now)
        nodes = Nodes(db, company, self._clock, self.settings.server.port, lambda: _is_up(cache))
        wecom = self._wecom(http, cache, metrics, nodes)
        tags = CorpTags(wecom, now)
        delivery = Delivery(db, wecom, company, tags, self._messages(db, cache, nodes))
        sources = OutsideSources(db, company, self.settings.sources, self.settings.rules)
        handlers = Handlers(db, wecom, company, tags)
        customers = CustomerReader(handlers, Pace(time.monotonic), Pace(time.monotonic))
        clockwork = Clockwork(db, wecom, company, handlers, sources, customers)
        workers = self._workers(handlers, delivery, clockwork, metrics)
        bell = self._bell(workers)
        inbox = Inbox(db, now, wake=workers[Queue.INBOX].wake)
        await self._begin(db, company, nodes)

        async def look() -> None:
            await db.write(lambda tx: _console_chores(company.scene(tx)))
            workers[Queue.TIMERS].wake()

        self._look = look
        await sources.begin()
        await delivery.budget.recall()
        async with AsyncExitStack() as stack:  # ended in the other order
            stack.push_async_callback(nodes.leave)
            if bell is not None:
                stack.push_async_callback(bell.aclose)
                listening = bell.listen(lambda name: workers[Queue[name]].wake_here())
                stack.push_async_callback(_ended, [self._started(listening)])
            tasks = [*(worker.run() for worker in workers.values()), _keep_fresh(company, db)]
            if self.file is not None:
                tasks.append(RuleFile(self.file, db, company, self.settings.program).watch())
            stack.push_async_callback(_ended, [self._started(each) for each in tasks])
            stack.push_async_callback(_ended, [self._started(nodes.run())])
            await inbox.start()
            stack.push_async_callback(inbox.stop)  # what was accepted is committed
            health = self._health(db, wecom, nodes, cache, metrics)
            runner = self._runner(inbox, metrics, health)
            stack.push_async_callback(runner.cleanup)
            await runner.setup()
            wish = self.settings.server
            await web.TCPSite(runner, wish.host, wish.port).start()
            yield _address(runner)

    def _bell(self, workers: dict[Queue, Worker]) -> Bell | None:
        """Return what calls other nodes when this one has its hands full, if there may be any."""
        url = self.settings.storage.redis_url
        if url is None:
            return None
        bell = Bell(url.get_secret_value())
        for queue, worker in workers.items():
            worker.when_full = partial(bell.ring, queue.name)
        return bell

    def _started(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run what is to run for ever; should it end, /healthz says so and we are restarted."""

        def ended(task: asyncio.Task[None]) -> None:
            if not task.cancelled():
                _log.critical("task_died", task=task.get_name(), error=repr(task.exception()))
                self._died = True

        task = asyncio.create_task(work)
        task.add_done_callback(ended)
        return task

    def _wecom(
        self, http: aiohttp.ClientSession, cache: Cache, metrics: Metrics, nodes: Nodes
    ) -> Wecom:
        wish = self.settings.wecom

        def seconds() -> float:
            return self._clock.now().timestamp()

        kind = f"calls:{wish.corp_id}:{wish.agent_id}"
        calls = SharedBudget(kind, OF_AN_API, clock=seconds, fellows=nodes, ledger=_ledger(cache))
        return Wecom(
            http,
            api_base=wish.api_base,
            corp_id=wish.corp_id,
            agent_id=wish.agent_id,
            secret=wish.secret,
            cache=cache,
            on_call=metrics.called,
            traffic=Traffic(seconds, budget=calls, nodes=lambda: nodes.count),
        )

    def _messages(self, db: Database, cache: Cache, nodes: Nodes) -> SharedBudget:
        return SharedBudget(
            f"messages:{self.settings.wecom.corp_id}:{self.settings.wecom.agent_id}",
            TO_A_MEMBER,
            clock=time.monotonic,
            fellows=nodes,
            ledger=_ledger(cache),
            recall=lambda: sent_lately(db, nodes.clock.now()),
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
                self._clock.now,
                width=_WIDTHS[queue],
                lease=LEASE,
                longest=_LONGEST.get(queue),
            )
            for queue, handle in by_queue.items()
        }
        for worker in workers.values():
            worker.misconfigured = misconfigured
            worker.wake_others = {each: workers[each].wake for each in _AT_ONCE}
            worker.count = metrics.counting(worker.queue.name.lower())
        workers[Queue.INBOX].took = metrics.took
        return workers

    async def _begin(self, db: Database, company: Company, nodes: Nodes) -> None:
        """Take up what an earlier run left. The very first rules come into force by themselves."""
        if not db.is_shared:
            await db.write(lambda tx: tx.work.release_leases(self._clock.now()))
        await company.refresh(db)
        await nodes.begin()

        def begin(tx: Transaction) -> None:
            scene = company.scene(tx, "system:start")
            if not tx.policies.active_hash():
                rulebooks.begin(scene)
            for chore in chores.EVERY:
                chores.schedule(scene, chore)
            for each in (chores.DIRECTORY, *_CONSOLE, chores.CHATS, chores.CUSTOMERS):
                chores.at_start(scene, each, is_shared=db.is_shared)

        await db.write(begin)

    def _health(
        self, db: Database, wecom: Wecom, nodes: Nodes, cache: Cache, metrics: Metrics
    ) -> Health:
        return Health(
            checks=_checks(db, wecom, nodes.company),
            notes=_notes(cache, nodes),
            refresh=_gauges(db, metrics, nodes),
            is_whole=lambda: not self._died,
            is_draining=lambda: self.is_draining,
        )

    def _runner(
        self,
        inbox: Inbox,
        metrics: Metrics,
        health: Health,
    ) -> web.AppRunner:
        wish = self.settings
        app = web.Application()
        app.add_routes(webhook.routes(self._door(wish.wecom, inbox, metrics)))
        if wish.wecom.directory is not None:
            door = self._door(wish.wecom.directory, inbox, metrics)
            app.add_routes(webhook.routes(door, "/wecom/directory"))
        app.add_routes(monitoring.routes(metrics, health))
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
            self._clock.now,
            on_refused=lambda reason: metrics.refused.labels(reason).inc(),
        )


def _console_chores(scene: Scene) -> None:
    for chore in _CONSOLE:
        chores.at_once(scene, chore)


def _cache(redis_url: SecretStr | None, metrics: Metrics) -> Cache:
    if redis_url is None:
        return MemoryCache()

    def changed(up: bool) -> None:
        metrics.cache_up.set(up)
        _log.warning("cache_is_back" if up else "cache_is_away")

    return RedisCache(redis_url.get_secret_value(), on_change=changed)


def _ledger(cache: Cache) -> RedisCache | None:
    return cache if isinstance(cache, RedisCache) else None


def _is_up(cache: Cache) -> bool:
    return cache.is_up if isinstance(cache, RedisCache) else True


async def _ended(tasks: Sequence[asyncio.Task[None]]) -> None:
    for each in tasks:
        each.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


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
            await company.refresh(db)
            active = await db.read(lambda tx: tx.policies.active_hash())
        except Exception:
            return "cannot be read"
        return "" if active == company.standing.policy.hash else "another version is active"

    async def api() -> str:
        try:
            async with asyncio.timeout(_READY_WITHIN):
                await wecom.callback_ips()
        except WecomError as error:
            if error.code == codes.NO_ANSWER:
                return f"{DEGRADED}cannot be reached"
            if error.kind.may_retry:  # WeCom's trouble, not ours: callbacks can be taken
                return f"{DEGRADED}answers {error.code}"
            return f"answers {error.code}"  # the rest may hold addresses; the log has it
        except TimeoutError:
            return f"{DEGRADED}does not answer"
        return ""

    return {"database": database, "policy": rules, "wecom": monitoring.remembered(api, _READY_FOR)}


def _notes(cache: Cache, nodes: Nodes) -> dict[str, monitoring.Check]:
    async def redis() -> str:
        if not isinstance(cache, RedisCache):
            return ""
        with suppress(CacheUnavailable):
            await cache.get("are you there")
        away = f"{DEGRADED}Redis does not answer, nodes keep to their shares"
        return "ok" if cache.is_up else away

    async def others() -> str:
        return nodes.told()

    return {"cache": redis, "nodes": others}


def _gauges(db: Database, metrics: Metrics, nodes: Nodes) -> Callable[[], Awaitable[None]]:
    async def refresh() -> None:
        now = nodes.clock.now()
        metrics.nodes.set(nodes.count)
        metrics.clock.set(nodes.clock.behind.total_seconds())
        for reading in await db.read(lambda tx: tx.readings.complete()):
            metrics.show_customers(reading, now)
        metrics.show_sources(await db.read(lambda tx: tx.sources.all()), now)
        for (queue, state), count in (await db.read(lambda tx: tx.work.counts())).items():
            metrics.waiting.labels(queue.name.lower(), state.name.lower()).set(count)
        now = nodes.clock.now()
        metrics.show_oldest(await db.read(lambda tx: _oldest(tx, now)), now)
        metrics.records.set((await db.read(lambda tx: tx.audit.head())).seq)

    return refresh


def _oldest(tx: Transaction, now: datetime) -> dict[str, datetime | None]:
    return {queue.name.lower(): tx.work.oldest_due(queue, now) for queue in Queue}


def _address(runner: web.AppRunner) -> str:
    host, port = runner.addresses[0][:2]
    return f"http://{host}:{port}"
