"""Watches the config file: a good edit goes its way into force, a bad one is told and waits."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import structlog
from watchfiles import awatch

from bot import proposals, reports, settings, texts
from bot.actions import rule_file
from bot.company import Company
from bot.proposals import Considered, Fate, Wish
from bot.settings import Reading, Unparsable
from bot.texts import Text
from storage.database import Database
from storage.transaction import Transaction
from workflows.masking import plain
from workflows.model import State
from workflows.policy import hash_of
from workflows.sections import Rulebook

_log = structlog.get_logger()

_LOOK_AGAIN = 2000  # milliseconds: not every file system tells of changes
_TOLD = 5  # mistakes named in a message; `menwei check` shows all
_REFUSED = frozenset({State.DENIED, State.EXPIRED, State.WITHDRAWN})


@dataclass(slots=True)
class RuleFile:
    """The config file of a running Menwei. Its other sections take effect at the next start."""

    path: Path
    db: Database
    company: Company
    program: settings.Program
    _seen: str = ""  # digest of the content that was looked at last
    _was_bad: bool = False

    async def watch(self) -> None:
        """Take the file up now, and again whenever it changes, until cancelled."""
        await self._look(starting=True)
        while True:
            try:
                await self._follow()
            except (OSError, RuntimeError) as error:  # no more watches to be had, or no folder
                _log.warning("config_not_watched", error=str(error))
                await asyncio.sleep(_LOOK_AGAIN / 1000)
                await self._look(starting=False)

    async def _follow(self) -> None:
        async for _ in awatch(
            self.path.parent,
            watch_filter=lambda _, name: Path(name).name in {self.path.name, "..data"},
            recursive=False,
            rust_timeout=_LOOK_AGAIN,
            yield_on_timeout=True,
        ):
            await self._look(starting=False)

    async def _look(self, *, starting: bool) -> None:
        try:
            content = self.path.read_bytes()
        except OSError:
            return  # an editor is about to put it back; what is in force stays so
        digest = hashlib.sha256(content).hexdigest()[:12]
        if digest == self._seen:
            return
        try:
            await self._take_up(digest, starting=starting)
            self._seen = digest
        except Exception as error:  # the database is away: the next look tries again
            _log.warning("config_not_taken_up", error=type(error).__name__)

    async def _take_up(self, digest: str, *, starting: bool) -> None:
        try:
            found = settings.look(self.path)
        except Unparsable as wrong:
            await self._reject(digest, [str(wrong)])
            return
        if found.program is not None and found.program != self.program:
            _log.warning("config_needs_restart", sections="server, wecom, storage, sources")
        if found.rules is None or found.mistakes:
            await self._reject(digest, self._mistakes(found))
        elif not (starting and await self._is_settled(found.rules)):
            await self._consider(digest, found)

    async def _consider(self, digest: str, found: Reading) -> None:
        rules = cast(Rulebook, found.rules)
        considered = await proposals.consider(self.db, self.company, Wish(rules))
        policy = considered.findings.policy.hash
        _log.info("config_considered", fate=considered.fate.value, policy=policy)
        if considered.fate is Fate.BAD:
            await self._reject(digest, self._objections(found.text, considered))
            return
        if self._was_bad and considered.fate is Fate.SAME:
            await self.db.write(lambda tx: rule_file.recovered(self.company.scene(tx), digest))
        self._was_bad = False

    async def _is_settled(self, rules: Rulebook) -> bool:
        """Whether, at a start, it is clear already that the file's version is not in force.

        An earlier version, or one that waits or was refused, comes into force by nobody's restart.
        """
        policy = hash_of(rules)
        await self.company.refresh(self.db)

        def look(tx: Transaction) -> bool:
            if tx.policies.active_hash() in ("", policy):
                return False
            scene = self.company.scene(tx)
            proposed = tx.candidates.get(policy)
            request = tx.requests.get(proposed.request_id) if proposed else None
            if tx.policies.get(policy) is not None:
                rule_file.set_aside(scene, policy, "earlier")
            elif request is not None and request.state is State.PENDING:
                rule_file.set_aside(scene, policy, "waits", id=request.id)
            elif request is not None and request.state in _REFUSED:
                rule_file.set_aside(scene, policy, "refused", id=request.id)
            else:
                return False
            return True

        settled = await self.db.write(look)
        if settled:
            _log.warning(
                "config_not_in_force", file=policy, in_force=self.company.standing.policy.hash
            )
        return settled

    async def _reject(self, digest: str, why: Sequence[str]) -> None:
        self._was_bad = True
        _log.error("config_rejected", file=str(self.path), why=list(why))
        reasons = [Text(plain(each)) for each in why]
        await self.company.refresh(self.db)
        await self.db.write(lambda tx: rule_file.reject(self.company.scene(tx), digest, reasons))

    def _mistakes(self, found: Reading) -> list[str]:
        voice = texts.load(settings.language_of(self.path))
        return self._told(reports.mistakes(self.path.name, found.text, found.mistakes, voice))

    def _objections(self, text: str, considered: Considered) -> list[str]:
        voice = texts.load(considered.findings.policy.rulebook.language)
        checked = considered.findings.checked
        return self._told(reports.checked(self.path.name, text, checked, voice))

    @staticmethod
    def _told(lines: Iterable[str]) -> list[str]:
        """Return the first sentences, without the lines of the file: those stay on the server."""
        sentences = [line for line in lines if not line.startswith("  ")]
        return sentences[:_TOLD]
