"""An office without a door: handlers and timers on a database, driven by hand, beside a WeCom."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from importlib import resources

import aiohttp
from pydantic import SecretStr

from bot import chores, holidays, settings
from bot.actions import mirroring
from bot.clockwork import Clockwork
from bot.company import Company
from bot.customer_reading import CustomerReader
from bot.delivery import Delivery
from bot.handlers import Handlers
from bot.simulator import AGENT_ID, CORP_ID, Corp, Simulator, World, demo_world
from bot.simulator.events import Event, to_xml
from bot.sources.keeping import OutsideSources
from bot.tags import CorpTags
from bot.wecom import SharedBudget, Wecom
from bot.wecom.budgets import TO_A_MEMBER
from bot.wecom.pace import Pace
from bot.worker import Handler, Ignore, Postpone, Step
from storage.cache import MemoryCache
from storage.database import Database
from storage.work import Claimed, Queue
from tests.makers_simulator import AES_KEY, SECRET, TOKEN, Clock
from workflows.mirror import Reading
from workflows.model import Customer, Relation, Request
from workflows.policy import compile_policy

LEASE = timedelta(minutes=15)
CUSTOMERS = frozenset({mirroring.READ_ON, mirroring.LOOK, mirroring.END, chores.CUSTOMERS_NOW})
_DEMO = resources.files("bot.demo").joinpath("config.toml").read_text("utf-8")


@dataclass(frozen=True)
class OneNode:
    """No other node lives."""

    count: int = 1
    all_have_cache: bool = True
    is_alone: bool = True


class Killed(Exception):
    """The process has died."""


class Fate(Pace):
    """A pace that kills the process at the n-th call from now."""

    calls_left: int | None = None

    def take(self) -> float:
        if self.calls_left is not None:
            self.calls_left -= 1
            if self.calls_left < 0:
                self.calls_left = None
                raise Killed
        return 0.0


@dataclass
class Office:
    """Menwei's inside and its WeCom; nothing happens that a test does not do."""

    db: Database
    sim: Simulator
    clock: Clock
    http: aiohttp.ClientSession
    handlers: Handlers
    clockwork: Clockwork
    delivery: Delivery
    fate: Fate

    @property
    def world(self) -> World:
        return self.sim.world

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.clock(), UTC)

    async def hear(self, event: Event) -> None:
        """Have an event handled."""
        work = Claimed(0, None, Queue.INBOX, "lane", "event", to_xml(event.fields), 1, self.now())
        try:
            step = await self.handlers(work)
        except Ignore:
            return
        await self.db.write(step)

    async def tick(self, kinds: frozenset[str] = CUSTOMERS) -> int:
        """Do what is due of these kinds of timers, once; return how many that were."""
        claimed = await self.db.write(
            lambda tx: tx.work.claim(Queue.TIMERS, self.now(), 100, LEASE)
        )
        done = 0
        for work in claimed:
            done += work.kind in kinds
            await self._do(self.clockwork if work.kind in kinds else _nothing, work)
        return done

    async def deliver(self) -> None:
        """Make the calls that are in the outbox, so that marks are in WeCom as they are on file."""
        while True:
            claimed = await self.db.write(
                lambda tx: tx.work.claim(Queue.OUTBOX, self.now(), 100, LEASE)
            )
            if not claimed:
                return
            for work in claimed:
                await self._do(self.delivery if work.kind == "MarkRelation" else _nothing, work)

    async def _do(self, handle: Handler, work: Claimed) -> None:
        try:
            step = await handle(work)
            await self.db.write(lambda tx: (tx.work.done(work, self.now()), step(tx)))
        except Ignore:
            await self.db.write(lambda tx: tx.work.ignored(work, "ignored", self.now()))
        except Postpone as wait:
            due = self.now() + wait.delay
            await self.db.write(lambda tx: tx.work.postpone(work, due, "postponed"))

    async def begin(self) -> None:
        """Ask for a reading of all customers, and begin it."""
        await self.db.write(lambda tx: tx.work.add([chores.reading_now(self.now())], self.now()))
        await self.tick()
        self.clock.move(seconds=1)

    async def read_all(self) -> Reading:
        """Read all customers to the end."""
        await self.begin()
        return await self.to_the_end()

    async def to_the_end(self) -> Reading:
        """Have the reading under way end."""
        for _ in range(500):
            if await self.db.read(lambda tx: tx.readings.open()) is None:
                (last,) = await self.db.read(lambda tx: tx.readings.complete())
                return last
            if not await self.tick():
                self.clock.move(seconds=60)
        raise AssertionError("the reading does not end")

    async def doubts(self) -> int:
        """Return the number of the reading under way if it has doubted anything, else 0."""
        reading = await self.db.read(lambda tx: tx.readings.open())
        assert reading is not None, "it has ended"
        number = reading.number
        settled = await self.db.read(lambda tx: tx.readings.is_settled(number))
        return 0 if settled else number

    async def relation(self, userid: str, external: str) -> Relation | None:
        return await self.db.read(lambda tx: tx.relations.get(userid, external))

    async def customers(self, externals: Sequence[str]) -> dict[str, Customer]:
        return await self.db.read(lambda tx: tx.mirror.customers(externals))

    async def requests(self, external: str) -> list[Request]:
        """Return what a customer was judged for."""
        return await self.db.read(lambda tx: tx.requests.of_customer(external, 99))


async def _nothing(_: Claimed) -> Step:
    raise Ignore("of no concern here")


@asynccontextmanager
async def an_office(db: Database) -> AsyncIterator[Office]:
    """The demo's company under the demo's rules, its directory read, no customer read yet."""
    world, clock = demo_world(), Clock()
    for relation in world.state.relations.values():
        relation.createtime = clock() - 180 * 86400
    sim = Simulator(Corp(CORP_ID, AGENT_ID, SECRET, TOKEN, AES_KEY), world, clock)
    base = await sim.start()
    try:
        async with aiohttp.ClientSession() as http:
            office = restarted(db, sim, clock, http, base)
            await office.db.write(await office.handlers.directory.everything())
            await office.handlers.company.refresh(db)
            yield office
    finally:
        await sim.stop()


def restarted(
    db: Database, sim: Simulator, clock: Clock, http: aiohttp.ClientSession, base: str
) -> Office:
    """A process that has just started, on what another one has left."""

    def now() -> datetime:
        return datetime.fromtimestamp(clock(), UTC)

    wecom = Wecom(
        http,
        api_base=base,
        corp_id=CORP_ID,
        agent_id=AGENT_ID,
        secret=SecretStr(SECRET),
        cache=MemoryCache(),
        clock=clock,
        on_call=lambda *_: None,
    )
    rules = settings.parse(_DEMO).rules
    company = Company(compile_policy(rules, holidays.CHINA), now)
    handlers = Handlers(db, wecom, company, CorpTags(wecom, now))
    fate = Fate(clock)
    reader = CustomerReader(handlers, fate, Fate(clock))
    sources = OutsideSources(db, company, {}, rules)
    clockwork = Clockwork(db, wecom, company, handlers, sources, reader)
    budget = SharedBudget("messages", TO_A_MEMBER, clock=clock, fellows=OneNode())
    delivery = Delivery(db, wecom, company, handlers.tags, budget)
    return Office(db, sim, clock, http, handlers, clockwork, delivery, fate)
