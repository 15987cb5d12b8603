"""Every version of the rules that was ever activated; the newest one is in force on all nodes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select

from storage.tables import policies


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """An activated config file: its text, the hash that names it, and who activated it."""

    hash: str
    text: str
    activated_at: datetime
    author: str


_ACTIVATE = insert(policies)
_HISTORY = (
    select(policies.c.hash, policies.c.text, policies.c.activated_at, policies.c.author)
    .order_by(policies.c.seq.desc())
    .limit(bindparam("limit"))
)


class Policies:
    """The activated policies within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def active(self) -> StoredPolicy | None:
        """Return the policy in force, None before the first one."""
        found = self.history(1)
        return found[0] if found else None

    def activate(self, policy: StoredPolicy) -> None:
        """Put the policy in force; an old one may come back."""
        self._connection.execute(_ACTIVATE, asdict(policy))

    def history(self, limit: int) -> list[StoredPolicy]:
        """Return what was in force, the newest first."""
        return [_policy(row) for row in self._connection.execute(_HISTORY, {"limit": limit})]


def _policy(row: Row[*tuple[Any, ...]]) -> StoredPolicy:
    return StoredPolicy(row.hash, row.text, row.activated_at, row.author)
