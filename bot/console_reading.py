"""Reads, hour by hour, the lists in WeCom's console of whose changes no event tells."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.actions import console
from bot.company import Company
from bot.directory_reading import DirectoryReader
from bot.wecom import Scope, Wecom
from bot.worker import Postpone, Step
from storage.database import Database

_CONSOLE = "wecom:console"
_SOON = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class ConsoleReader:
    """Asks WeCom who may use customer contact, and whom the app may see."""

    db: Database
    wecom: Wecom
    company: Company

    async def follow_users(self) -> Step:
        """Read who may use customer contact (document 92571)."""
        able = await self.wecom.follow_users()
        await self._know_people(console.FOLLOW_USERS, frozenset(u.lower() for u in able))
        return lambda tx: console.follow_users_read(self.company.scene(tx, _CONSOLE), able)

    async def scope(self) -> Step:
        """Read the app's visible range (document 90227)."""
        items = _items(await self.wecom.agent())
        await self._know_people(console.APP_SCOPE, items)
        tags: dict[str, str] = {}
        if any(item.startswith("tag:") for item in items):
            tags = {str(each.tagid): each.tagname for each in await self.wecom.tag_list()}
        return lambda tx: console.scope_read(self.company.scene(tx, _CONSOLE), items, tags)

    async def _know_people(self, name: str, now: frozenset[str]) -> None:
        """Read the directory first if a list has changed: who left is not told of twice."""
        known, before = await self.db.read(
            lambda tx: (tx.people.version(), tx.console_lists.get(name))
        )
        if not known:
            raise Postpone(_SOON)  # nobody is known yet; that is read first of all
        if before is None or before == now:
            return
        reader = DirectoryReader(self.db, self.wecom, self.company)
        await self.db.write(await reader.everything())
        await self.company.refresh(self.db)


def _items(scope: Scope) -> frozenset[str]:
    named = {
        *(f"user:{userid.lower()}" for userid in scope.userids),
        *(f"department:{number}" for number in scope.departments),
        *(f"tag:{number}" for number in scope.tags),
    }
    return frozenset(named)
