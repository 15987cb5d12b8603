"""One step's view of the database: every repository, on one connection, in one transaction."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import TypeVar, cast

from sqlalchemy import Connection, func, select

from storage.absences import Absences
from storage.audit import Audit
from storage.candidates import Candidates
from storage.cards import Cards
from storage.chats import Chats
from storage.companies import Companies
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
from storage.statements import each_of
from storage.tickets import Tickets
from storage.transfers import Transfers
from storage.untold import Untold
from storage.waivers import Waivers
from storage.work import Work

T = TypeVar("T")

_HOLD = select(func.pg_advisory_xact_lock(func.hashtextextended(each_of("names"), -1)))


def _part(make: Callable[[Connection], T]) -> cached_property[T]:
    return cached_property(lambda tx: make(tx.link))


def _rare(make: Callable[[Connection, Rarely], T]) -> cached_property[T]:
    return cached_property(lambda tx: make(tx.link, tx.rarely))


class Transaction:
    """What a step reads and writes through. It must not be kept after the step has returned.

    A repository is made when the step first asks for it: most steps need few.
    """

    absences = _rare(Absences)
    audit = _part(Audit)
    candidates = _part(Candidates)
    cards = _part(Cards)
    chats = _part(Chats)
    companies: cached_property[Companies] = cached_property(lambda tx: tx.relations.companies)
    console_lists = _part(ConsoleLists)
    decisions = _part(Decisions)
    drafts = _part(Drafts)
    freezes = _rare(Freezes)
    grants = _rare(Grants)
    leavers = _part(Leavers)
    lists = _part(Lists)
    mirror: cached_property[Mirror] = cached_property(lambda tx: Mirror(tx.link, tx.relations))
    news = _part(News)
    nodes = _part(Nodes)
    owners = _part(Owners)
    people: cached_property[People] = cached_property(
        lambda tx: People(tx.link, tx.relations.forget)
    )
    policies = _part(Policies)
    precedents = _part(Precedents)
    rarely = _part(Rarely)
    readings = _part(Readings)
    relations = _part(Relations)  # it keeps some things back: see `write`
    remedies = _rare(Remedies)
    reports = _part(Reports)
    requests: cached_property[Requests] = cached_property(lambda tx: Requests(tx.link, tx.put_off))
    sources = _part(Sources)
    tickets = _part(Tickets)
    transfers = _rare(Transfers)
    untold = _part(Untold)
    waivers = _rare(Waivers)
    work = _part(Work)

    def __init__(self, link: Link) -> None:
        self.link = cast(Connection, link)  # offers as much of one as repositories use
        self.put_off = link.put_off
        self._held: set[str] = set()

    def write(self) -> None:
        """Write what repositories have kept back for the end of the step."""
        for name in ("requests", "relations", "work"):
            if name in self.__dict__:
                getattr(self, name).write()

    def hold(self, *names: str) -> None:
        """Let no other step that holds one of these run until this one is committed or undone.

        For "count, then decide": two steps on two nodes must not both be the last one allowed.
        SQLite has one writer anyway.
        """
        new = [name for name in names if name not in self._held]
        if new and self.link.dialect.name == "postgresql":
            self.link.execute(_HOLD, {"names": new})
            self.relations.forget()  # they may have changed while we waited
            self.rarely.forget()
        self._held.update(new)


Step = Callable[[Transaction], T]
