"""Looks at everything that must be set up for Menwei, as far as it can be seen from outside."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

import aiohttp

from bot import source_reports
from bot.doctor import app, door, people
from bot.doctor.findings import Finding, Level, Patient, failure, ok, refused, warning
from bot.nodes import troubles_of
from bot.settings import Settings
from bot.wecom import Wecom, WecomError
from storage.cache import MemoryCache
from storage.database import Database, Unavailable
from workflows.policy import Policy

__all__ = ["NAMES", "Finding", "Level", "Patient", "WeComsClock", "examine", "has_failed", "of"]


@dataclass(frozen=True, slots=True)
class _Check:
    """One check, and what must be fine for it to make sense."""

    name: str
    look: Callable[[Patient], Awaitable[list[Finding]]]
    needs: tuple[str, ...] = ()


async def _database(patient: Patient) -> list[Finding]:
    if patient.db is None:
        return [warning("database", "missing")]
    try:
        await patient.db.read(lambda tx: (tx.people.version(), tx.sources.all()))
    except Unavailable as error:
        return [failure("database", "unavailable", why=str(error))]
    except Exception as error:  # tables of another version
        return [failure("database", "other_version", why=type(error).__name__)]
    return [ok("database")]


async def _sources(patient: Patient) -> list[Finding]:
    settings, db = patient.settings, patient.db
    if missing := source_reports.unfilled(settings):
        return [warning("sources", "unfilled", columns=tuple(missing))]
    if not settings.sources:
        return [ok("sources", "none")]
    known = await db.read(lambda tx: tx.sources.all()) if db else []
    states = {each.name: each for each in known}
    wrong = source_reports.troubled(settings, states, patient.now())
    return [failure("sources", "troubled", names=tuple(wrong))] if wrong else [ok("sources")]


async def _nodes(patient: Patient) -> list[Finding]:
    if patient.db is None:
        return [ok("nodes", count=0)]
    now = patient.now() + await patient.db.clock_ahead()
    living = tuple(await patient.db.read(lambda tx: tx.nodes.living(now)))
    troubles = tuple(troubles_of(living))
    names = tuple(f"{each.name} {each.version} {each.policy}" for each in living)
    if troubles:
        return [warning("nodes", "differ", names=names, troubles=troubles)]
    return [ok("nodes", count=len(living))]


_CHECKS = (
    _Check("database", _database),
    _Check("secret", app.known),
    _Check("named", people.named, ("app",)),
    _Check("contact", app.contact, ("app",)),
    _Check("sellers", people.sellers, ("contact",)),
    _Check("tags", app.tags, ("contact",)),
    _Check("menu", app.menu, ("app",)),
    _Check("door", door.app),
    _Check("directory", door.directory),
    _Check("events", door.events, ("contact", "database")),
    _Check("clock", app.clock),
    _Check("sources", _sources),
    _Check("nodes", _nodes, ("database",)),
)
# What the first call to WeCom tells, and so what is not known when it fails.
_FROM_THE_FIRST = ("secret", "trusted_ip", "app", "visible")
NAMES = frozenset({*_FROM_THE_FIRST, *(check.name for check in _CHECKS)})


async def examine(patient: Patient) -> list[Finding]:
    """Make every check and return what each came to. Changes nothing."""
    found: list[Finding] = []
    for check in _CHECKS:
        done = {each.check for each in found if each.level in {Level.OK, Level.WARNING}}
        missing = [need for need in check.needs if need not in done]
        if missing:
            found.append(Finding(check.name, Level.SKIPPED, "skipped", {"need": missing[0]}))
            continue
        found += await _looked(check, patient)
        if check.name == "secret":
            told = {each.check for each in found}
            unknown = [name for name in _FROM_THE_FIRST if name not in told]
            need = next(each.check for each in reversed(found))
            found += [Finding(n, Level.SKIPPED, "skipped", {"need": need}) for n in unknown]
    return found


async def _looked(check: _Check, patient: Patient) -> list[Finding]:
    try:
        return await check.look(patient)
    except WecomError as error:
        return [refused(check.name, error)]
    except Unavailable as error:
        return [failure(check.name, "database_away", why=str(error))]


def has_failed(found: Sequence[Finding]) -> bool:
    """Whether anything must be mended."""
    return any(each.level is Level.FAILURE for each in found)


class WeComsClock:
    """Notes, at every answer of WeCom, by how much its clock is ahead of ours."""

    def __init__(self, api_base: str, now: Callable[[], datetime]) -> None:
        self.ahead: list[timedelta] = []
        self._api_base = api_base
        self._now = now

    def tracing(self) -> aiohttp.TraceConfig:
        """Return what makes a session tell us of its answers."""
        config = aiohttp.TraceConfig()
        config.on_request_end.append(self._note)
        return config

    async def _note(
        self, _session: object, _context: object, end: aiohttp.TraceRequestEndParams
    ) -> None:
        if str(end.url).startswith(self._api_base) and (date := end.response.headers.get("Date")):
            try:
                self.ahead.append(parsedate_to_datetime(date) - self._now())
            except ValueError:
                return


@asynccontextmanager
async def of(
    settings: Settings, policy: Policy, now: Callable[[], datetime]
) -> AsyncIterator[Patient]:
    """Give a patient with a connection to WeCom of its own, and the database if it is there."""
    wish = settings.wecom
    clock = WeComsClock(wish.api_base, now)
    db = Database.open(settings.storage.address)
    cache = MemoryCache()  # so that the secret is really tried
    try:
        async with aiohttp.ClientSession(trace_configs=[clock.tracing()]) as http:
            wecom = Wecom(
                http,
                api_base=wish.api_base,
                corp_id=wish.corp_id,
                agent_id=wish.agent_id,
                secret=wish.secret,
                cache=cache,
                on_call=lambda *_: None,
            )
            there = db if db.is_there() else None
            yield Patient(settings, policy, wecom, http, now, there, heard=clock.ahead)
    finally:
        await db.aclose()
