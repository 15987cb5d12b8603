"""Whatever happens in WeCom, and whatever becomes of its events: each change is told once."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import demo, events, outgoing, sync
from bot.actions import people_notices
from bot.company import Company
from bot.console_reading import ConsoleReader
from bot.directory_reading import DirectoryReader
from bot.outgoing import SendText
from bot.simulator import Simulator, demo_world
from bot.simulator.events import Event, to_xml
from bot.simulator.records import LEFT
from bot.simulator.seed import ACCOUNTS, MARKETING, SALES
from bot.wecom import Wecom
from bot.worker import Ignore, Postpone, Step
from storage.cache import MemoryCache
from storage.database import Database
from storage.transaction import Transaction
from storage.work import Queue
from workflows import permissions, roles
from workflows.model import Outcome
from workflows.people_changes import PersonChange
from workflows.policy import compile_policy
from workflows.standing import Standing

PEOPLE = ("zhouxiaomei", "sunlei", "wangfang", "liqiang", "pool")
UNITS = (SALES, MARKETING, ACCOUNTS)
POSITIONS = ("销售", "实习销售", "专员")
TAG = 1
OPS = ("move", "tag", "untag", "position", "lead", "unlead", "off", "on", "leave", "follow")

# What happens to whom, what becomes of the events (none, one or two arrive), and whether Menwei
# looks before the next thing happens.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(OPS),
        st.sampled_from(PEOPLE),
        st.integers(0, 2),
        st.sampled_from((0, 0, 0, 1, 1, 1, 1, 1, 2, 2)),
        st.booleans(),
    ),
    max_size=14,
)


@dataclass
class Told:
    people: list[PersonChange] = field(default_factory=list)
    notices: int = 0


@dataclass
class Play:
    """Menwei's readers before a pretend company, and everything they have told."""

    simulator: Simulator
    db: Database
    company: Company
    wecom: Wecom
    clock: list[datetime]
    told: Told
    heard: list[Event] = field(default_factory=list)

    @property
    def reader(self) -> DirectoryReader:
        return DirectoryReader(self.db, self.wecom, self.company)

    @property
    def console(self) -> ConsoleReader:
        return ConsoleReader(self.db, self.wecom, self.company)

    def do(self, op: str, who: str, number: int) -> None:
        world = self.simulator.world
        member = world.member(who)
        unit = member.departments[0]
        if member.status == LEFT:
            return
        match op:
            case "move":
                world.move_member(who, UNITS[number])
            case "tag":
                world.tag_member(who, TAG)
            case "untag":
                world.untag_member(who, TAG)
            case "position":
                world.promote(who, POSITIONS[number])
            case "lead" if who not in world.state.departments[unit].leaders:
                world.promote(who, member.position, leads=unit)
            case "unlead":
                world.demote(who, unit)
            case "off":
                world.disable_member(who)
            case "on":
                world.enable_member(who)
            case "leave":
                world.member_leaves(who)
            case "follow":
                world.set_customer_contact(who, not member.customer_contact)

    async def deliver(self, event: Event) -> None:
        await self.step(self.reader.heard(parsed(event)))

    async def step(self, doing: Any) -> None:
        """Do one piece of work as the workers do; what is put off comes again."""
        try:
            step: Step = await doing
            await self.db.write(step)
        except Ignore:
            return

    async def look(self) -> None:
        self.clock[0] += timedelta(seconds=2)
        try:
            await self.step(self.reader.look())
        except Postpone:
            return

    async def tell(self, seconds: int = 4) -> None:
        self.clock[0] += timedelta(seconds=seconds)
        await self.company.refresh(self.db)
        await self.db.write(self.reader.tell)

    async def hour(self) -> None:
        """What comes every hour, and then enough time for everything to be told."""
        await self.step(self.reader.everything())
        await self.step(self.console.follow_users())
        await self.tell(100)

    async def standing(self) -> Standing:
        """Return how people stand by what WeCom itself shows now."""
        return Standing(self.company.standing.policy, await sync.read_directory(self.wecom))


def parsed(event: Event) -> Any:
    return events.parse(to_xml(event.fields).encode())


@asynccontextmanager
async def begun(folder: Path, url: str, told: Told) -> AsyncIterator[Play]:
    simulator = Simulator(demo.corp(), demo_world())
    found = demo.configured(await simulator.start(), 0, folder)
    db = Database.open(url)
    wish = found.wecom
    now = [datetime(2026, 3, 4, 9, tzinfo=UTC)]
    company = Company(compile_policy(found.rules), lambda: now[0])
    try:
        async with aiohttp.ClientSession() as http:
            wecom = Wecom(
                http, api_base=wish.api_base, corp_id=wish.corp_id, agent_id=wish.agent_id,
                secret=wish.secret, cache=MemoryCache(), on_call=lambda *_: None,
            )  # fmt: skip
            play = Play(simulator, db, company, wecom, now, told)
            simulator.world.on_event(play.heard.append)  # nothing else hears of them
            yield play
    finally:
        await db.aclose()
        await simulator.stop()


async def played(play: Play, steps: list[tuple[str, str, int, int, bool]]) -> None:
    late: list[Event] = []
    for op, who, number, copies, looks in steps:
        del play.heard[:]
        play.do(op, who, number)
        directory = [each for each in play.heard if each.door == "directory"]
        late += directory * copies
        if looks:
            for event in reversed(late):  # out of order
                await play.deliver(event)
            late.clear()
            await play.look()
            if number:
                await play.tell()
    for event in late:
        await play.deliver(event)
    await play.hour()


def tables(standing: Standing) -> tuple[dict[str, Any], dict[str, Any]]:
    may = permissions.table(standing.policy, standing.directory)
    held = roles.table(standing.policy.rulebook.roles, standing.directory)
    return {k: dict(v) for k, v in may.items()}, {k: set(v) for k, v in held.items()}


def add(told: list[PersonChange], may: dict[str, Any], held: dict[str, Any]) -> None:
    """Carry told changes over to tables. Each must begin where the last one ended."""
    for each in told:
        for change in each.actions:
            row = may.setdefault(each.userid, {})
            assert row.get(change.action, Outcome.DENY) is change.before
            assert change.before is not change.after
            row[change.action] = change.after
        for moved in each.roles:
            mine = held.setdefault(each.userid, set())
            assert (moved.role in mine) is not moved.gained
            (mine.add if moved.gained else mine.remove)(moved.role)


def granted(may: dict[str, Any]) -> set[tuple[str, str, Any]]:
    deny = Outcome.DENY
    return {(u, a, o) for u, row in may.items() for a, o in row.items() if o is not deny}


async def history(folder: Path, url: str, steps: Any, told: Told) -> None:
    async with begun(folder, url, told) as play:
        await play.hour()
        able = set(await play.wecom.follow_users())
        first = await play.standing()
        await played(play, steps)

        may, held = tables(first)
        add(told.people, may, held)
        last_may, last_held = tables(await play.standing())
        assert granted(may) == granted(last_may)
        assert {k: v for k, v in held.items() if v} == {k: v for k, v in last_held.items() if v}
        assert await followed(play, able) == set(await play.wecom.follow_users())
        assert await sent(play) == told.notices

        count = told.notices
        await play.hour()
        assert told.notices == count, "nothing is told once more"


async def followed(play: Play, able: set[str]) -> set[str]:
    """Return who may use customer contact by what is on record, each change counted once."""
    for record in await play.db.read(lambda tx: tx.audit.tail(5000)):
        if record.kind == "follow_user.changed":
            gained, lost = (named(record.detail.get(key)) for key in ("gained", "lost"))
            assert lost <= able
            assert not gained & able
            able = (able - lost) | gained
    return able


def named(found: object) -> set[str]:
    return {str(each) for each in found} if isinstance(found, list) else set()


async def sent(play: Play) -> int:
    """Return how many notices of changed permissions wait in the outbox for one admin."""

    def claim(tx: Transaction) -> list[SendText]:
        rows = tx.work.claim(Queue.OUTBOX, play.clock[0], 1000, timedelta(minutes=1))
        found = [outgoing.read(row) for row in rows]
        return [each for each in found if isinstance(each, SendText)]

    texts = await play.db.write(claim)
    mine = [each.content for each in texts if each.userid == "zhaomin"]
    return sum(text.startswith("权限有变化") for text in mine)


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Told:
    """What the notices are made of, as it is told; the notices are sent all the same."""
    found, real = Told(), people_notices.tell

    def spy(scene: Any, before: Any, changes: Any, **more: Any) -> None:
        counted = [each for each in changes if each.counts]
        found.people += counted
        found.notices += bool(counted)
        real(scene, before, changes, **more)

    monkeypatch.setattr(people_notices, "tell", spy)
    return found


HISTORIES: list[Any] = [
    [("off", "sunlei", 0, 2, True), ("on", "sunlei", 1, 0, True)],
    [("move", "zhouxiaomei", 2, 0, False), ("leave", "wangfang", 0, 1, True)],
    [("move", who, 2, 1, False) for who in PEOPLE],
    [("unlead", "wangfang", 0, 1, True), ("lead", "sunlei", 1, 1, True)],
    [("follow", "sunlei", 0, 0, True), ("untag", "zhouxiaomei", 1, 2, True)],
]


@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(steps=STEPS)
def test_the_told_changes_lead_from_the_first_permissions_to_the_last(
    steps: list[tuple[str, str, int, int, bool]],
    told: Told,
    sqlite_template: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    told.people, told.notices = [], 0
    folder = tmp_path_factory.mktemp("history")
    shutil.copy(sqlite_template, folder / "mine.db")
    asyncio.run(history(folder, f"sqlite:///{folder / 'mine.db'}", steps, told))


@pytest.mark.parametrize("number", range(len(HISTORIES)))
async def test_so_they_do_on_either_database(
    number: int, told: Told, db_url: str, tmp_path: Path
) -> None:
    await history(tmp_path, db_url, HISTORIES[number], told)
