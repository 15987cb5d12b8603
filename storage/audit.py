"""The append-only record: every entry carries the hash of the one before it.

Entries of a step are collected and chained just before COMMIT, so that on PostgreSQL the head row,
for which all nodes queue, is locked only for that moment. Who can write to the database could still
rewrite the whole chain; keep `head()` somewhere else now and then, and give it to `verify`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any

from sqlalchemy import Connection, Row, RowMapping, bindparam, insert, select, update

from storage.link import Link
from storage.moments import from_milliseconds, is_storable, request_key, to_milliseconds
from storage.tables import AUDIT_HAS_CUSTOMER, AUDIT_HAS_REQUEST, audit, audit_head
from workflows.model import AuditRecord

Entry = dict[str, Any]  # a record as its columns, before and after it is chained

START = "0" * 64  # what the first record takes for its predecessor's hash
_ONLY_ROW = 1
_STREAM = 1000
_SKIMMED = 5000  # records read at a time while looking back

_HEAD = select(audit_head.c.seq, audit_head.c.hash).where(audit_head.c.id == _ONLY_ROW)
_HEAD_FOR_UPDATE = _HEAD.with_for_update()
_APPEND = insert(audit)
_MOVE_HEAD = (
    update(audit_head)
    .where(audit_head.c.id == _ONLY_ROW)
    .values(seq=bindparam("new_seq"), hash=bindparam("new_hash"))
)
_OF_REQUEST = (
    select(audit)
    .where(AUDIT_HAS_REQUEST, audit.c.request_id == bindparam("request_id"))
    .order_by(audit.c.seq)
)
_OF_CUSTOMER = (
    select(audit)
    .where(AUDIT_HAS_CUSTOMER, audit.c.external_userid == bindparam("external_userid"))
    .order_by(audit.c.seq)
)
_TAIL = select(audit).order_by(audit.c.seq.desc()).limit(bindparam("limit"))
_AFTER = (
    select(audit)
    .where(audit.c.seq > bindparam("seq"))
    .order_by(audit.c.seq)
    .limit(bindparam("limit"))
)
_NEWEST_UP_TO = (
    select(audit.c.at, audit.c.kind, audit.c.userid)
    .where(audit.c.seq <= bindparam("seq"), audit.c.seq > bindparam("seq") - _SKIMMED)
    .order_by(audit.c.seq.desc())
)
_ALL = select(audit).order_by(audit.c.seq)


class Harm(StrEnum):
    """What was done to the record."""

    CHANGED = "changed"  # a record does not match its own hash
    MISSING = "missing"  # a number is skipped
    UNLINKED = "unlinked"  # a record does not follow the one before it: inserted or reordered
    TRUNCATED = "truncated"  # the newest records are gone
    UNKNOWN = "unknown"  # records follow that the program did not write
    REWRITTEN = "rewritten"  # the chain is whole, but it is not the one that was noted down


@dataclass(frozen=True, slots=True)
class Breach:
    """The first place at which the record is not what was written."""

    seq: int
    harm: Harm


@dataclass(frozen=True, slots=True)
class Head:
    """The newest record: its number and hash stand for everything before it."""

    seq: int
    hash: str


class Audit:
    """The record within one transaction."""

    __slots__ = ("_connection", "added")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.added: list[Entry] = []  # taken by the committer

    def add(self, record: AuditRecord) -> None:
        """Note a record; it is written when the step is committed, and vanishes if it is undone.

        Raise ValueError or TypeError for what cannot be stored: found only at the commit, it would
        fail every other step of the batch too.
        """
        self.added.append(_entry(record))

    def of_request(self, request_id: str) -> list[AuditRecord]:
        """Return all that happened to a request, oldest first."""
        rows = self._connection.execute(_OF_REQUEST, {"request_id": request_key(request_id)})
        return [_record(row) for row in rows]

    def of_customer(self, external_userid: str) -> list[AuditRecord]:
        """Return all that happened about a customer, oldest first."""
        rows = self._connection.execute(_OF_CUSTOMER, {"external_userid": external_userid})
        return [_record(row) for row in rows]

    def tail(self, limit: int) -> list[AuditRecord]:
        """Return the newest records, oldest first."""
        rows = self._connection.execute(_TAIL, {"limit": limit}).all()
        return [_record(row) for row in reversed(rows)]

    def after(self, seq: int, limit: int) -> list[AuditRecord]:
        """Return the records that follow number `seq`, oldest first."""
        return [_record(r) for r in self._connection.execute(_AFTER, {"seq": seq, "limit": limit})]

    def since(self, moment: datetime, kind: str) -> list[tuple[str, datetime]]:
        """Return whom each record of a kind names, and when it was made, since then.

        The oldest comes first. Only what is as new is read, and of that only the outside.
        """
        found: list[tuple[str, datetime]] = []
        for seq in range(self.head().seq, 0, -_SKIMMED):
            page = self._connection.execute(_NEWEST_UP_TO, {"seq": seq}).all()
            found += [(row.userid, row.at) for row in page if row.at >= moment and row.kind == kind]
            if page[-1].at < moment:
                break
        return found[::-1]

    def head(self) -> Head:
        """Return the newest record's number and hash, as stored beside the record."""
        row = self._connection.execute(_HEAD).one_or_none()
        return Head(0, START) if row is None else Head(row.seq, row.hash)

    def verify(self, noted: Head | None = None) -> Breach | None:
        """Read the whole record and return the first breach, or None.

        `noted` is a head somebody wrote down earlier, outside the database.
        """
        last = Head(0, START)
        for row in self._stream():
            harm = _harm(last, row)
            if harm is not None:
                return Breach(last.seq + 1, harm)
            last = Head(row.seq, row.hash)
            if noted is not None and noted.seq == last.seq and noted.hash != last.hash:
                return Breach(last.seq, Harm.REWRITTEN)
        return _end(last, self.head(), noted)

    def _stream(self) -> Iterator[Row[*tuple[Any, ...]]]:
        with self._connection.execute(_ALL, execution_options={"yield_per": _STREAM}) as rows:
            yield from rows


def append(link: Link, entries: Sequence[Entry]) -> None:
    """Chain the entries onto the stored ones. Must be the last thing before COMMIT."""
    if not entries:
        return
    seq, digest = link.execute(_HEAD_FOR_UPDATE).one()
    rows = list(_chained(Head(seq, digest), entries))
    link.execute(_APPEND, rows)
    link.execute(_MOVE_HEAD, {"new_seq": rows[-1]["seq"], "new_hash": rows[-1]["hash"]})


def _entry(record: AuditRecord) -> Entry:
    entry = {
        "actor": record.actor,
        "kind": record.kind,
        "request_id": request_key(record.request_id),
        "userid": record.userid,
        "external_userid": record.external_userid,
        "detail": _canonical(record.detail),
    }
    for name, value in entry.items():
        if not is_storable(value):
            raise ValueError(f"an audit record's {name} holds what a database cannot: {value!r}")
    return entry | {"at": from_milliseconds(to_milliseconds(record.at))}


def _chained(head: Head, entries: Iterable[Entry]) -> Iterator[Entry]:
    seq, prev = head.seq, head.hash
    for entry in entries:
        seq += 1
        row = entry | {"seq": seq, "prev": prev}
        prev = _digest(row)
        yield row | {"hash": prev}


def _digest(row: Mapping[str, Any] | RowMapping) -> str:
    fields = [
        row["seq"],
        to_milliseconds(row["at"]),
        row["actor"],
        row["kind"],
        row["request_id"],
        row["userid"],
        row["external_userid"],
        row["detail"],
    ]
    return sha256((row["prev"] + json.dumps(fields, separators=(",", ":"))).encode()).hexdigest()


def _harm(last: Head, row: Row[*tuple[Any, ...]]) -> Harm | None:
    if row.seq != last.seq + 1:
        return Harm.MISSING
    if row.hash != _digest(row._mapping):
        return Harm.CHANGED
    return None if row.prev == last.hash else Harm.UNLINKED


def _end(last: Head, head: Head, noted: Head | None) -> Breach | None:
    if last.seq < max(head.seq, noted.seq if noted else 0):
        return Breach(last.seq + 1, Harm.TRUNCATED)
    if last.seq > head.seq:
        return Breach(head.seq + 1, Harm.UNKNOWN)
    return None if last.hash == head.hash else Breach(last.seq, Harm.REWRITTEN)


def _canonical(detail: Mapping[str, object]) -> str:
    return json.dumps(
        detail, ensure_ascii=True, sort_keys=True, separators=(",", ":"), default=_plain
    )


def _plain(value: object) -> object:
    match value:
        case set() | frozenset():
            return sorted(value)
        case Mapping():
            return dict(value)
        case datetime() | date():
            return value.isoformat()
        case _:
            raise TypeError(f"an audit detail cannot hold a {type(value).__name__}")


def _record(row: Row[*tuple[Any, ...]]) -> AuditRecord:
    return AuditRecord(
        at=row.at,
        actor=row.actor,
        kind=row.kind,
        request_id=row.request_id,
        userid=row.userid,
        external_userid=row.external_userid,
        detail=json.loads(row.detail),
        seq=row.seq,
        hash=row.hash,
    )
