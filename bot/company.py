"""The rules and the directory as this process holds them, and the scenes made from them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot import holidays, texts
from bot.actions.scene import Scene
from bot.texts import Texts
from storage.database import Database
from storage.policies import StoredPolicy
from storage.transaction import Transaction
from workflows.directory import Directory
from workflows.policy import Policy, compile_policy
from workflows.sections import Rulebook
from workflows.standing import Standing

_STRANGERS_WAIT = timedelta(minutes=1)


class Company:
    """Hands every transaction a scene. What it holds is replaced whole, never changed.

    It begins with the rules of the config file; from the first `refresh` on it follows the
    version in force, which the database names for all nodes.
    """

    def __init__(self, policy: Policy, now: Callable[[], datetime]) -> None:
        self.now = now
        self.standing = Standing(policy, Directory())
        self._voices: Mapping[str, Texts] = {each: texts.load(each) for each in texts.LANGUAGES}
        self._version = -1
        self._next_reading = now()
        self._read_at = datetime.min.replace(tzinfo=UTC)

    async def refresh(self, db: Database) -> None:
        """Take over the rules and the directory from the database if they have changed there."""
        version, active = await db.read(lambda tx: (tx.people.version(), tx.policies.active_hash()))
        policy, directory = self.standing.policy, self.standing.directory
        if active and active != policy.hash:
            stored = await db.read(lambda tx: tx.policies.get(active))
            policy = await _compiled(stored) if stored else policy
        if version != self._version:
            directory = await db.read(lambda tx: tx.people.directory())
        if policy is not self.standing.policy or version != self._version:
            self.standing = Standing(policy, directory)
            self._version = version

    def may_read_again(self) -> bool:
        """Whether a stranger's event may have the directory read: once a minute at most."""
        if self.now() < self._next_reading:
            return False
        self._next_reading = self.now() + _STRANGERS_WAIT
        return True

    def was_read(self, began: datetime) -> None:
        """Note that a reading of the directory, begun then, has been taken over."""
        self._read_at = max(self._read_at, began)

    def read_since(self, at: datetime) -> bool:
        """Whether the directory has been read since then: who is not in it then is a stranger."""
        return self._read_at >= at

    async def standing_under(self, db: Database, policy_hash: str) -> Standing | None:
        """Return how people would stand under a version that is or was in force."""
        if policy_hash == self.standing.policy.hash:
            return self.standing
        stored = await db.read(lambda tx: tx.policies.get(policy_hash))
        if stored is None:
            return None
        return Standing(await _compiled(stored), self.standing.directory)

    def scene(self, tx: Transaction, actor: str = "system:menwei") -> Scene:
        """Return the scene for one transaction."""
        voice = self._voices[self.standing.policy.rulebook.language]
        return Scene(tx, self.standing, voice, voice, self.now(), actor)

    def scene_of(self, tx: Transaction, userid: str, language: str | None = None) -> Scene:
        """Return a scene in which a member acts, answered in `language` if it is known."""
        scene = self.scene(tx)
        return scene.by(userid, self._voices[language] if language else None)


async def _compiled(stored: StoredPolicy) -> Policy:
    """Compile beside the event loop: a large file takes longer than a callback may wait."""

    def work() -> Policy:
        compiled = compile_policy(Rulebook.model_validate_json(stored.text), holidays.CHINA)
        return replace(compiled, hash=stored.hash)

    return await asyncio.to_thread(work)
