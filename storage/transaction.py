"""One step's view of the database: every repository, on one connection, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar, cast

from sqlalchemy import Connection, Text, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from storage.absences import Absences
from storage.audit import Audit
from storage.candidates import Candidates
from storage.cards import Cards
from storage.chats import Chats
from storage.console_lists import ConsoleLists
from storage.decisions import Decisions
from storage.drafts import Drafts
from storage.freezes import Freezes
from storage.grants import Grants
from storage.leavers import Leavers
from storage.link import Link
from storage.lists import Lists
from storage.mirror import Mirror
from storage.news import News
from storage.nodes import Nodes
from storage.owners import Owners
from storage.people import People
from storage.policies import Policies
from storage.precedents import Precedents
from storage.rarely import Rarely
from storage.readings import Readings
from storage.relations import Relations
from storage.remedies import Remedies
from storage.reports import Reports
from storage.requests import Requests
from storage.sources import Sources
from storage.tickets import Tickets
from storage.transfers import Transfers
from storage.untold import Untold
from storage.waivers import Waivers
from storage.work import Work

T = TypeVar("T")

_NAME = func.unnest(bindparam("names", type_=ARRAY(Text))).column_valued("name")
_HOLD = select(func.pg_advisory_xact_lock(func.hashtextextended(_NAME, -1)))


class Transaction:
    """What a step reads and writes through. It must not be kept after the step has returned."""

    __slots__ = (
        "_connection",
        "_held",
        "_rarely",
        "absences",
        "audit",
        "candidates",
        "cards",
        "chats",
        "companies",
        "console_lists",
        "decisions",
        "drafts",
        "freezes",
        "grants",
        "leavers",
        "lists",
        "mirror",
        "news",
        "nodes",
        "owners",
        "people",
        "policies",
        "precedents",
        "readings",
        "relations",
        "remedies",
        "reports",
        "requests",
        "sources",
        "tickets",
        "transfers",
        "untold",
        "waivers",
        "work",
    )

    def __init__(self, connection: Connection) -> None:
        link = Link(connection)
        self._connection = connection = cast(Connection, link)
        self._held: set[str] = set()
        self.relations = Relations(connection)  # it keeps some things back: see `write`
        self.companies = self.relations.companies
        self.mirror = Mirror(connection, self.relations)
        self.people = People(connection, self.relations.forget)
        self._rarely = rarely = Rarely(connection)
        self.absences = Absences(connection, rarely)
        self.audit = Audit(connection)
        self.candidates = Candidates(connection)
        self.cards = Cards(connection)
        self.chats = Chats(connection)
        self.console_lists = ConsoleLists(connection)
        self.decisions = Decisions(connection)
        self.drafts = Drafts(connection)
        self.freezes = Freezes(connection, rarely)
        self.grants = Grants(connection, rarely)
        self.leavers = Leavers(connection)
        self.lists = Lists(connection)
        self.news = News(connection)
        self.nodes = Nodes(connection)
        self.owners = Owners(connection)
        self.policies = Policies(connection)
        self.precedents = Precedents(connection)
        self.readings = Readings(connection)
        self.remedies = Remedies(connection, rarely)
        self.reports = Reports(connection)
        self.requests = Requests(connection, link.put_off)
        self.sources = Sources(connection)
        self.tickets = Tickets(connection)
        self.transfers = Transfers(connection, rarely)
        self.untold = Untold(connection)
        self.waivers = Waivers(connection, rarely)
        self.work = Work(connection)

    def write(self) -> None:
        """Write what repositories have kept back for the end of the step."""
        self.requests.write()
        self.relations.write()
        self.work.write()

    def hold(self, *names: str) -> None:
        """Let no other step that holds one of these run until this one is committed or undone.

        For "count, then decide": two steps on two nodes must not both be the last one allowed.
        SQLite has one writer anyway.
        """
        new = [name for name in names if name not in self._held]
        if new and self._connection.dialect.name == "postgresql":
            self._connection.execute(_HOLD, {"names": new})
            self.relations.forget()  # they may have changed while we waited
            self._rarely.forget()
        self._held.update(new)


Step = Callable[[Transaction], T]
