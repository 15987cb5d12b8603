"""Every version of the rules that was ever activated; the newest one is in force on all nodes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select

from storage.tables import policies


@dataclass(frozen=True, slots=True)
class StoredPolicy:
    """A version of the rules that came into force: its rulebook as JSON, by whom and why."""

    hash: str
    text: str
    activated_at: datetime
    author: str  # an actor: 'user:zhaomin', or 'file' when nobody said who edited it
    reason: str = ""
    report: str = ""  # what was known of the change: JSON as in a Candidate
    number: int = 0  # set by storage: 1 for the first version ever


_ACTIVATE = insert(policies)
_NEWEST_FIRST = policies.c.seq.desc()
_HISTORY = select(policies).order_by(_NEWEST_FIRST).limit(bindparam("limit"))
_ACTIVE_HASH = select(policies.c.hash).order_by(_NEWEST_FIRST).limit(1)
_BY_HASH = (
    select(policies).where(policies.c.hash == bindparam("wanted")).order_by(_NEWEST_FIRST).limit(1)
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

    def active_hash(self) -> str:
        """Return the hash of the policy in force, '' before the first one."""
        return self._connection.execute(_ACTIVE_HASH).scalars().first() or ""

    def get(self, policy_hash: str) -> StoredPolicy | None:
        """Return the policy of this hash as it last came into force, None if it never did."""
        row = self._connection.execute(_BY_HASH, {"wanted": policy_hash}).first()
        return None if row is None else _policy(row)

    def activate(self, policy: StoredPolicy) -> None:
        """Put the policy in force; an old one may come back."""
        values = asdict(policy)
        del values["number"]
        self._connection.execute(_ACTIVATE, values)

    def history(self, limit: int) -> list[StoredPolicy]:
        """Return what was in force, the newest first."""
        return [_policy(row) for row in self._connection.execute(_HISTORY, {"limit": limit})]


def _policy(row: Row[*tuple[Any, ...]]) -> StoredPolicy:
    return StoredPolicy(
        row.hash, row.text, row.activated_at, row.author, row.reason, row.report, row.seq
    )
