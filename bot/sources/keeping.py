"""Keeps what is known from outside sources fresh: each is read at the start and in its time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot import chores
from bot.actions import sourcing
from bot.company import Company
from bot.source_settings import Source
from bot.sources import reading
from bot.sources.reading import Declared
from storage.database import Database
from storage.transaction import Transaction
from workflows.attributes import Kind
from workflows.sections import Rulebook


@dataclass(frozen=True, slots=True)
class OutsideSources:
    """The `[sources]` of one running Menwei."""

    db: Database
    company: Company
    wishes: Mapping[str, Source]
    file: Rulebook  # the rules of the same file: they declare what the sources fill

    async def begin(self) -> None:
        """Take up the sources of the file, forget all others, and read at once what is new."""
        await self.db.write(self._begin)
        await reading.clean_up(self.db)

    def _begin(self, tx: Transaction) -> None:
        scene = self.company.scene(tx, "system:start")
        tx.sources.forget_others(self.wishes)
        for name, wish in self.wishes.items():
            declared, before = self.declared(name, wish), tx.sources.get(name)
            state = declared.since(before)
            if before is None or before.declared != state.declared:
                tx.sources.declare(state)
            else:
                tx.sources.put(state)
            chores.read_again(scene, name, wish.pause)
            if state.read_at is None:
                chores.read_at_once(scene, name)

    def declared(self, name: str, wish: Source) -> Declared:
        """Return a source with the types of its columns, by the rules in force where they have any.

        A file that waits for approval may declare columns that the rules in force do not know yet.
        """
        return Declared(name, wish, kinds_of(self.file, self.company.standing.policy.rulebook))

    async def refresh(self, name: str) -> bool:
        """Read a source, have the admins told what is new; False if it is not in the file."""
        wish = self.wishes.get(name)
        if wish is None:
            return False
        await self.db.write(
            lambda tx: chores.read_again(self.company.scene(tx), name, wish.pause)
        )  # even if it fails
        await self.company.refresh(self.db)
        found = await reading.read(self.db, self.declared(name, wish), self.company.now)
        if found is not None:
            await self.db.write(lambda tx: sourcing.settle(self.company.scene(tx), found))
        await reading.clean_up(self.db)
        return True


def kinds_of(*books: Rulebook) -> Mapping[str, Kind]:
    """Return the types of declared columns; the last of the rulebooks has the last word."""
    return {name: column.kind for book in books for name, column in book.attributes.items()}
