"""Reads all customers from WeCom, so that the picture on file is WeCom's, whatever events told.

Events may be lost (document 90968). A reading goes through the members in the order of their
userids, some at a time; each such chunk is one timer, so that a process that is killed loses no
more than that, and reading a chunk twice is harmless.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import structlog

from bot.actions import catching_up, knowing, mirroring
from bot.actions.catching_up import Look
from bot.actions.mirroring import Chunk, Page
from bot.actions.scene import Scene
from bot.handlers import Handlers
from bot.wecom import FollowedPage, Kind, WecomError
from bot.wecom.codes import NO_RELATION
from bot.wecom.pace import Pace
from bot.worker import Ignore, Postpone, Step
from storage.transaction import Transaction
from workflows import mirror
from workflows.mirror import Reading, Tally, Unread, Watched

_STUCK_AFTER = timedelta(hours=1)
_OTHER_FIRST = timedelta(minutes=1)  # until the reading under way is looked at again

_log = structlog.get_logger()


@dataclass(slots=True)
class CustomerReader:
    """Asks WeCom about customers, some members side by side, and returns what to write."""

    handlers: Handlers
    pages: Pace
    looks: Pace
    # Pages are written one by one: two at once would stand in each other's way in the database,
    # as they are about the same companies, and leave no connection to what came by the door.
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    # The course of a reading

    async def begin(self) -> Step:
        """Begin to read all customers if it is time, or go on with a reading that got stuck."""
        last = await self._newest()
        now = self._now()
        if last is not None and last.ended is None:
            if now - last.moved_at < _STUCK_AFTER:
                raise Ignore("a reading is under way")
            return lambda tx: mirroring.take_up(self._scene(tx), last)
        book = self.handlers.company.standing.policy.rulebook
        if last is not None and last.began >= book.customers.latest(now, book.zone):
            raise Ignore("all customers were read lately")
        return await self._begun()

    async def begin_now(self) -> Step:
        """Begin to read all customers, after the reading under way if there is one."""
        last = await self._newest()
        if last is not None and last.ended is None:
            raise Postpone(_OTHER_FIRST)
        return await self._begun()

    async def read_on(self, body: str) -> Step:
        """Read the customers of the next members, page by page, and have the clock do the rest."""
        reading = await self._newest()
        if reading is None or reading.ended or body != f"{reading.number}|{reading.step}":
            raise Ignore("the reading has gone on already")
        ahead = [each for each in await self._members() if each.lower() > reading.after]
        chunk = await self._packed(ahead)
        if chunk.members:
            await _together(self._read(reading, chunk, each) for each in chunk.groups)
        return lambda tx: mirroring.chunk_read(self._scene(tx), reading, chunk)

    async def look(self, body: str, told_at: datetime) -> Step:
        """Ask WeCom about a pair of which a reading showed something else than is on file."""
        number, userid, external = body.split("|", 2)
        await _rest(self.looks)
        asked_at = self._now()
        contact = await self.handlers.contact(external)
        follows = knowing.follower(contact, userid) is not None
        if follows:
            await self.handlers.know_member(userid, told_at)
        in_sight = follows or userid in {each.lower() for each in await self._members()}
        look = Look(userid, external, asked_at, contact, in_sight)

        def step(tx: Transaction) -> None:
            pause = catching_up.looked(self._scene(tx), int(number), look)
            if pause is not None:
                raise Postpone(pause)

        return step

    async def end(self, body: str) -> Step:
        """End a reading that has waited long enough for what it doubted."""
        return lambda tx: mirroring.end(self._scene(tx), int(body))

    # Members

    async def _begun(self) -> Step:
        members = await self._members()
        return lambda tx: mirroring.begin(self._scene(tx), len(members))

    async def _members(self) -> list[str]:
        """Return the members who may have customers, in one order for the whole reading."""
        found = {each.lower(): each for each in await self.handlers.wecom.follow_users()}
        return [found[each] for each in sorted(found)]

    async def _packed(self, ahead: Sequence[str]) -> Chunk:
        """Return the next members to be read; those who are new are watched from now on."""
        near, now = list(ahead[: mirror.MOST_MEMBERS]), self._now()
        watched, counts = await self.handlers.db.read(
            lambda tx: (tx.mirror.watched(near), tx.mirror.counts(near))
        )
        known = {each: counts.get(each, 0) for each, it in watched.items() if it.read_at}
        members = mirror.pack(near, known)
        groups = mirror.abreast(members, known)
        unwatched = [each for each in members if each.lower() not in watched]
        if unwatched:
            await self.handlers.db.write(lambda tx: tx.mirror.watch(unwatched, now))
            watched |= {each.lower(): Watched(now) for each in unwatched}
        return Chunk(members, groups, watched, now, is_last=len(members) == len(ahead))

    # Pages

    async def _read(self, reading: Reading, chunk: Chunk, members: Sequence[str]) -> None:
        """Read the members together; one by one if WeCom refuses any of them."""
        try:
            await self._read_pages(reading, chunk, members)
        except WecomError as refused:
            if not _is_about_members(refused):
                raise
            for userid in members:
                await self._read_alone(reading, chunk, userid)

    async def _read_alone(self, reading: Reading, chunk: Chunk, userid: str) -> None:
        try:
            await self._read_pages(reading, chunk, [userid])
        except WecomError as refused:
            if not _is_about_members(refused):
                raise
            if refused.code != NO_RELATION:  # which is how WeCom says that there are no customers
                _log.warning("member_not_read", code=refused.code)
                chunk.unread.append(Unread(userid, refused.code))

    async def _read_pages(self, reading: Reading, chunk: Chunk, members: Sequence[str]) -> None:
        names = await self.handlers.tags.by_id(reading.began)
        async for asked_at, page in self._pages(members):
            shown = tuple(
                knowing.shown(each.external_userid, follower, names)
                for each in page.contacts
                for follower in each.follow_user
                if follower.userid.lower() in chunk.watched
            )
            customers = tuple(knowing.customer(each) for each in page.contacts)
            found = Page(asked_at, shown, customers, chunk.watched)
            chunk.count(found, await self._taken_over(reading, found))

    async def _pages(self, members: Sequence[str]) -> AsyncIterator[tuple[datetime, FollowedPage]]:
        """Yield every page with when it was asked for."""
        cursor, seen = "", {""}
        while True:
            await _rest(self.pages)
            asked_at = self._now()
            page = await self.handlers.wecom.batch_by_user(members, cursor)
            yield asked_at, page
            cursor = page.next_cursor
            if cursor in seen:
                return
            seen.add(cursor)

    async def _taken_over(self, reading: Reading, page: Page) -> Tally:
        """Write what is different on file; nothing is written where nothing is."""
        db = self.handlers.db
        seen = await db.read(lambda tx: mirroring.difference(tx, page))
        if not seen.found:
            return Tally()
        async with self._writing:
            return await db.write(lambda tx: mirroring.take_over(self._scene(tx), reading, seen))

    async def _newest(self) -> Reading | None:
        found = await self.handlers.db.read(lambda tx: tx.readings.newest(1))
        return found[0] if found else None

    def _now(self) -> datetime:
        return self.handlers.company.now()

    def _scene(self, tx: Transaction) -> Scene:
        return self.handlers.company.scene(tx, "system:timer")


async def _together(parts: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do all parts at once; if one fails, none goes on, and its error is raised as it is."""
    tasks = [asyncio.create_task(each) for each in parts]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _rest(pace: Pace) -> None:
    wait = pace.take()
    if wait > 0:
        await asyncio.sleep(wait)


def _is_about_members(refused: WecomError) -> bool:
    """Whether WeCom refuses for the sake of whom it was asked about, so that others may be read."""
    return refused.kind in {Kind.PERMANENT, Kind.UNKNOWN}
