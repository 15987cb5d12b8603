"""Versions of the rules that somebody proposed: to come into force, or to run in shadow."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, select, update

from storage.statements import insert_or_replace
from storage.stored import Stored
from storage.tables import candidates


@dataclass(frozen=True, slots=True)
class Candidate:
    """One proposed version: its rulebook as JSON, who wants it, and what was found out about it."""

    hash: str
    text: str
    author: str  # an actor: 'user:zhaomin', or 'file' when nobody said who edited it
    reason: str
    proposed_at: datetime
    base: str = ""  # hash of the version in force that it was compared with
    report: str = ""  # JSON of the comparison, the tests and the replay, for people to read
    request_id: str = ""  # the request that decides on it


_CANDIDATE = Stored(Candidate)
_PUT = insert_or_replace(candidates)
_GET = select(candidates.c.body).where(candidates.c.hash == bindparam("wanted"))
_SHADOW = (
    select(candidates.c.body)
    .where(candidates.c.is_shadow == 1)
    .order_by(candidates.c.proposed_at.desc())
)
_NO_SHADOW = update(candidates).where(candidates.c.is_shadow == 1).values(is_shadow=0)


class Candidates:
    """The candidates within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, candidate: Candidate) -> None:
        """Store a candidate, in place of an earlier one of the same hash; it is not in shadow."""
        self._put(candidate, is_shadow=False)

    def get(self, policy_hash: str) -> Candidate | None:
        """Return the newest candidate of this hash."""
        found = self._connection.execute(_GET, {"wanted": policy_hash}).scalars().first()
        return None if found is None else _CANDIDATE.load(found)

    def shadow(self) -> Candidate | None:
        """Return the version that runs in shadow beside the one in force."""
        found = self._connection.execute(_SHADOW).scalars().first()
        return None if found is None else _CANDIDATE.load(found)

    def put_shadow(self, candidate: Candidate) -> None:
        """Store a candidate and run it in shadow, in place of any other."""
        self.end_shadow()
        self._put(candidate, is_shadow=True)

    def end_shadow(self) -> None:
        """Run nothing in shadow."""
        self._connection.execute(_NO_SHADOW)

    def _put(self, candidate: Candidate, *, is_shadow: bool) -> None:
        values = {
            "hash": candidate.hash,
            "is_shadow": int(is_shadow),
            "proposed_at": candidate.proposed_at,
            "body": _CANDIDATE.dump(candidate),
        }
        self._connection.execute(_PUT, values)
