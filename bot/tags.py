"""Corp tags by name: looked up once, made where they do not exist."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from bot.wecom import Wecom

GROUP = "门卫"  # where tags are put that exist nowhere yet
_FRESH = timedelta(minutes=10)


class CorpTags:
    """The ids of corp tags. Remembered for ten minutes, or until WeCom says they changed."""

    def __init__(self, wecom: Wecom, now: Callable[[], datetime]) -> None:
        self._wecom = wecom
        self._now = now
        self._ids: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._looked_at: datetime | None = None
        self._until: datetime | None = None

    def forget(self) -> None:
        """Look again next time."""
        self._until = None

    async def ids(self, names: Iterable[str], *, make: bool) -> list[str]:
        """Return the tags' ids; with `make`, those that are missing come into being."""
        await self._look()
        wanted = list(names)
        for name in wanted:
            if make and name not in self._ids:
                self._ids[name] = await self._wecom.add_corp_tag(GROUP, name)
        return [self._ids[name] for name in wanted if name in self._ids]

    async def names(self) -> tuple[str, ...]:
        """Return the names of all tags, in WeCom's order."""
        await self._look()
        return tuple(self._ids)

    async def by_id(self, since: datetime) -> dict[str, str]:
        """Return the names of all tags by their ids, looked up then or later."""
        if self._looked_at is None or self._looked_at < since:
            self.forget()
        await self._look()
        return self._names

    async def existing(self, names: Iterable[str]) -> dict[str, str]:
        """Return name and id of those that exist, looked up anew if one seems not to."""
        wanted = list(names)
        await self._look()
        if any(name not in self._ids for name in wanted):
            self.forget()
            await self._look()
        return {name: self._ids[name] for name in wanted if name in self._ids}

    async def _look(self) -> None:
        if self._until is not None and self._now() < self._until:
            return
        now = self._now()
        groups = await self._wecom.corp_tags()
        self._ids = {tag.name: tag.id for group in groups for tag in group.tag}
        self._names = {tag.id: tag.name for group in groups for tag in group.tag}
        self._looked_at = now
        self._until = now + _FRESH
