"""One request of every kind, with all rows that the program itself has written for it.

The whole program runs on a database of its own, one story after the other: somebody asks or adds,
the lead answers, a ticket is used. Whatever is new or changed in the tables then is the story's.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, create_engine, select, text

from bot import demo, settings
from bot.app import App
from storage.tables import metadata
from tests import makers_door as door
from tests.bench import letters
from tests.bench import queue_company as company
from tests.bench.queue_company import Company, name_of
from tests.bench.sending import send

# Parents before children: votes and approvers refer to their request.
TABLES = (
    "requests", "votes", "request_approvers", "cards", "tickets", "customers", "relations",
    "work", "audit",
)  # fmt: skip
TEAM, TEAMS = 7, 8  # whose people tell the stories
NUMBER = 70_007  # of the customer in them
PHONE, FIRM = "13811170007", "明达贸易公司"
_RULES = Path(demo.__file__).with_name("config.toml")
_CHANGES = (
    ('expires_after  = "8h"', 'expires_after  = "72h"'),
    ("today.adds.gte = 50", "today.adds.gte = 5000"),
    ('"demoTokenOfAPretendCompany"', f'"{door.TOKEN}"'),
    ("[schedules.work_hours]", "[digest]\nabove = 100\n\n[schedules.work_hours]"),
)
_PATIENCE = 120.0  # seconds
_SOON = 20  # seconds

Row = dict[str, Any]  # a column's value as the database has it
Rows = dict[str, list[Row]]


@dataclass(frozen=True, slots=True)
class Story:
    """A request's rows, and whose it is."""

    rows: Rows
    who: str
    external: str  # '' where nobody has met the customer

    @property
    def request(self) -> Row:
        """The request itself."""
        return self.rows["requests"][0]


def write_config(path: Path, url: str, api: str, port: int) -> None:
    """Write the company's config file: approvers get a card for everything, and three days.

    Nobody is stopped for having added too many: a benchmark adds a lot in a day.
    """
    found = _RULES.read_text("utf-8")
    places = (
        ("port = 8080", f"port = {port}"),
        ("http://127.0.0.1:8900", api),
        ("sqlite:///menwei-demo.db", url),
    )
    for old, new in (*_CHANGES, *places):
        if old not in found:
            raise ValueError(f"the demo's config file has no {old} any more")
        found = found.replace(old, new)
    path.write_text(found, "utf-8")


async def told(folder: Path) -> dict[str, Story]:
    """Have the program live through every story, on a database in `folder`."""
    wecom, database, config = Company(TEAMS), folder / "stories.db", folder / "stories.toml"
    await wecom.start()
    write_config(config, f"sqlite:///{database}", wecom.url, demo.free_port(8123))
    engine = create_engine(f"sqlite:///{database}")
    try:
        async with App(settings.load(config)).running() as address:
            return await _Teller(address, wecom, engine).tell_all()
    finally:
        engine.dispose()
        wecom.stop()


async def until(there: Callable[[], bool]) -> None:
    """Look again and again; what never comes ends the benchmark."""
    end = time.perf_counter() + _PATIENCE
    while not there():
        if time.perf_counter() > end:
            raise TimeoutError("the program has not done what it does in every story")
        await asyncio.sleep(0.02)


class _Teller:
    """Plays the people of every story."""

    def __init__(self, address: str, wecom: Company, engine: Engine) -> None:
        self._address = address
        self._wecom = wecom
        self._engine = engine
        self._said = 0
        self._seen: dict[str, set[str]] = {table: set() for table in TABLES}

    async def tell_all(self) -> dict[str, Story]:
        """Return every story, told once."""
        await until(lambda: self._number("SELECT count(*) FROM members") > 0)
        await self._settled()
        self._news()
        trainees = [company.trainee(TEAM, number) for number in range(company.TRAINEES)]
        sellers = [company.seller(TEAM, number) for number in range(company.SELLERS)]
        return {
            "waits for the lead": await self._story(trainees[0], self._ask),
            "waits for the director": await self._story(sellers[0], self._vip),
            "allowed": await self._story(sellers[1], self._allowed),
            "approved": await self._story(trainees[1], self._approved),
            "denied": await self._story(trainees[2], self._denied),
            "withdrawn": await self._story(trainees[3], self._withdrawn),
        }

    async def _story(self, who: str, tell: Callable[[str], Awaitable[str]]) -> Story:
        external = await tell(who)
        return Story(self._news(), who, external)

    async def _ask(self, who: str) -> str:
        await self._say(who, f"加 {name_of(NUMBER)} {FIRM} {PHONE} 展会认识")
        return ""

    async def _add(self, who: str, kind: str, ticket: str = "") -> str:
        external = company.customer(who, kind, NUMBER)
        await self._send(letters.added(who, external, ticket))
        return external

    async def _vip(self, who: str) -> str:
        external = await self._add(who, "vip")
        await self._press("approve")
        return external

    async def _allowed(self, who: str) -> str:
        return await self._add(who, "plain")

    async def _approved(self, who: str) -> str:
        await self._ask(who)
        await self._press("approve")
        ticket = self._wecom.of("externalcontact/add_contact_way")[-1].body["state"]
        return await self._add(who, "plain", ticket)

    async def _denied(self, who: str) -> str:
        await self._ask(who)
        await self._press("deny")
        await self._say(company.lead(TEAM), "资料不全")
        return ""

    async def _withdrawn(self, who: str) -> str:
        await self._ask(who)
        newest = "SELECT id FROM requests ORDER BY created_at DESC LIMIT 1"
        await self._say(who, f"撤回 {self._one(newest)}")
        return ""

    async def _say(self, who: str, words: str) -> None:
        self._said += 1
        await self._send(letters.said(who, words, self._said))

    async def _press(self, choice: str) -> None:
        """Press on the newest card that offers it; a requester's card may offer something else."""
        sent = [each.body for each in reversed(self._wecom.of("message/send"))]
        touser, task_id, key = next(
            (each["touser"], each["template_card"]["task_id"], button["key"])
            for each in sent
            if "template_card" in each
            for button in each["template_card"]["button_list"]
            if button["key"].endswith(f":{choice}")
        )
        await self._send(letters.pressed(touser, key, task_id))

    async def _send(self, letter: bytes) -> None:
        await send(self._address, [letter], connections=1)
        await self._settled()

    async def _settled(self) -> None:
        """Wait until nothing is in anybody's hands or due soon."""
        waiting = "SELECT count(*) FROM work WHERE state = 0 AND (leased = 1 OR due <= {})"
        soon = int(time.time() + _SOON) * 1000
        await until(lambda: not self._number(waiting.format(soon)))

    def _number(self, query: str) -> int:
        return int(self._one(query))

    def _one(self, query: str) -> Any:
        with self._engine.connect() as connection:
            return connection.execute(text(query)).scalar_one()

    def _news(self) -> Rows:
        """Return the rows that are new or changed since the last look, without chores."""
        found: Rows = {}
        for table, seen in self._seen.items():
            with self._engine.connect() as connection:
                # As the file has them: no types, so that times are numbers.
                rows = connection.exec_driver_sql(str(select(metadata.tables[table]))).mappings()
                new = [dict(row) for row in rows if json.dumps(dict(row)) not in seen]
            seen.update(map(json.dumps, new))
            found[table] = [row for row in new if not str(row.get("kind")).startswith("chore_")]
        return found
