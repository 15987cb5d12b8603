"""Databases with so many requests on file, and the program's own parts that work on them."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from bot import checking, demo, settings
from bot.actions.scene import Scene
from bot.app import App
from bot.company import Company
from storage.audit import START, Head
from storage.database import Database
from storage.moments import from_milliseconds
from storage.transaction import Transaction
from tests.bench import queue_company, queue_stories
from tests.bench.places import Place
from tests.bench.queue_filling import Filling, Known, teams
from tests.bench.queue_loading import Loading
from tests.bench.queue_templates import Template

_VERIFIED = 10_000  # requests at most: a million would take a minute
_FIRST_DUE = "SELECT due FROM work WHERE state = 0 AND queue = 2 ORDER BY due LIMIT 40"


@dataclass(slots=True)
class Office:
    """One company with its record. `waiting` are requests that wait for their team's lead."""

    place: Place
    requests: int
    db: Database
    company: Company
    known: Sequence[Known]
    when_timers_are_due: datetime  # some tens of them
    waiting: list[Known] = field(init=False)
    dice: random.Random = field(default_factory=lambda: random.Random(1))

    def __post_init__(self) -> None:
        self.waiting = [each for each in self.known if each.story == "waits for the lead"]
        self.dice.shuffle(self.waiting)

    @property
    def teams(self) -> int:
        """How many teams there are."""
        return teams(self.requests)

    def team(self) -> int:
        """Return any team."""
        return self.dice.randrange(self.teams)

    def any_known(self) -> Known:
        """Return any request."""
        return self.dice.choice(self.known)

    def scene(self, tx: Transaction, userid: str) -> Scene:
        """Return the scene in which a member acts."""
        return self.company.scene_of(tx, userid)


def fill(places: Sequence[Place], templates: Mapping[str, Template], requests: int) -> list[Known]:
    """Put the same requests on file in all these databases; return some of them."""
    for place in places:
        with closing(Database.open(place.url)) as database:
            database.upgrade()
    filling = Filling(templates, requests, int(time.time() * 1000), Head(0, START), 0)
    loadings = [Loading(place) for place in places]
    for each in loadings:
        each.begin()
    with ThreadPoolExecutor(len(loadings)) as threads:
        under_way: list[Future[None]] = []
        for lines in filling.batches():  # made while those before are stored
            _done(under_way)
            under_way = [threads.submit(each.take, lines) for each in loadings]
        _done(under_way)
        _done(threads.submit(each.end, filling.head, filling.job) for each in loadings)
    return filling.known


def _done(under_way: Iterable[Future[None]]) -> None:
    for each in list(under_way):
        each.result()


async def opened(place: Place, requests: int, known: Sequence[Known], folder: Path) -> Office:
    """Have the program start once on a filled database, and open it as the program does."""
    wecom = queue_company.Company(teams(requests))
    await wecom.start()
    config = folder / "office.toml"
    queue_stories.write_config(config, place.url, wecom.url, demo.free_port(8123))
    found = settings.load(config)
    async with App(found).running():
        await queue_stories.until(lambda: place.number("SELECT count(*) FROM members") > 0)
    wecom.stop()
    db = Database.open(place.url)
    company = Company(checking.compiled(found.rules), lambda: datetime.now(UTC))
    await company.refresh(db)
    if requests <= _VERIFIED and (breach := await db.read(lambda tx: tx.audit.verify())):
        raise ValueError(f"the audit was not filled as the program writes it: {breach}")
    dues = place.ask(_FIRST_DUE)
    return Office(place, requests, db, company, known, from_milliseconds(dues[-1][0]))
