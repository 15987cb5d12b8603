"""Claiming: which due rows a worker gets, so that lanes keep their order on every node.

Picking single rows and checking for earlier ones breaks the order between nodes or crawls through
a busy lane. Instead: find lanes with due rows, lock those lanes, and only then look at their rows.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select, update

from storage.jobs import Claimed, Queue
from storage.statements import among, each_of
from storage.tables import WORK_IS_OPEN, work

_LANE_SHARE = 32  # rows of one lane per claim, so that a busy lane leaves room for others
_PAGE = 32  # due rows looked at in the first round, at least; twice as many in each later one
_FEW = 8  # lanes whose rows are read at a time, at least
_ROUNDS = 8  # how often one claim looks past lanes that cannot move

_DUE = (
    select(work.c.lane, work.c.id)
    .where(WORK_IS_OPEN, work.c.queue == bindparam("queue"), work.c.due <= bindparam("now"))
    .order_by(work.c.due)
    .limit(bindparam("limit"))
)
_DUE_ELSEWHERE = _DUE.where(work.c.lane.not_in(bindparam("seen", expanding=True)))
_LANE = each_of("lanes")
_LOCK_LANES = select(_LANE).where(
    func.pg_try_advisory_xact_lock(func.hashtextextended(_LANE, bindparam("queue")))
)
_OF_LANES = (
    select(
        work.c.id,
        work.c.key,
        work.c.queue,
        work.c.lane,
        work.c.kind,
        work.c.body,
        work.c.tries,
        work.c.created_at,
        work.c.due,
    )
    .where(
        WORK_IS_OPEN,
        work.c.queue == bindparam("queue"),
        among(work.c.lane, "lanes"),
        work.c.id <= bindparam("last"),
    )
    .order_by(work.c.id)
)
_LEASE = (
    update(work)
    .where(
        WORK_IS_OPEN,
        among(work.c.id, "ids"),
        work.c.due <= bindparam("now"),
    )
    .values(due=bindparam("until"), tries=work.c.tries + 1, leased=1)
    .returning(work.c.id)
)
_GIVE_BACK = (
    update(work)
    .where(work.c.id.in_(bindparam("ids", expanding=True)))
    .values(due=bindparam("now"), tries=work.c.tries - 1, leased=0)
)


def claim(
    connection: Connection, queue: Queue, now: datetime, limit: int, lease: timedelta
) -> list[Claimed]:
    """Lease up to `limit` due rows until `now + lease`; see `Work.claim`."""
    claimed: list[Claimed] = []
    seen: list[str] = []
    page = max(limit, _PAGE)
    for _ in range(_ROUNDS):
        candidates = _due(connection, queue, now, page, seen)
        if candidates:
            last = max(row.id for row in candidates)
            lanes = list(dict.fromkeys(row.lane for row in candidates))
            few = max(limit, _FEW)
            for start in range(0, len(lanes), few):
                if len(claimed) < limit:
                    locked = _locked(connection, queue, lanes[start : start + few])
                    claimed += _heads(connection, queue, now, locked, last)
            seen += lanes
        if len(claimed) >= limit or len(candidates) < page:
            break
        page *= 2
    return _leased(connection, claimed[:limit], now, now + lease)


def _due(
    connection: Connection, queue: Queue, now: datetime, limit: int, seen: list[str]
) -> Sequence[Row[str, int]]:
    values: dict[str, Any] = {"queue": int(queue), "now": now, "limit": limit}
    if not seen:
        return connection.execute(_DUE, values).all()
    return connection.execute(_DUE_ELSEWHERE, values | {"seen": seen}).all()


def _locked(connection: Connection, queue: Queue, lanes: list[str]) -> list[str]:
    """Return the lanes that no other node is claiming from at this moment."""
    if connection.dialect.name != "postgresql":
        return lanes
    parameters = {"lanes": lanes, "queue": int(queue)}
    return list(connection.execute(_LOCK_LANES, parameters).scalars())


def _heads(
    connection: Connection, queue: Queue, now: datetime, lanes: list[str], last: int
) -> list[Claimed]:
    """Return the due rows at the head of each lane.

    Read only after the lanes are locked: an earlier look may miss another node's lease.
    """
    if not lanes:
        return []
    parameters = {"queue": int(queue), "lanes": lanes, "last": last}
    heads: dict[str, list[Claimed]] = {lane: [] for lane in lanes}
    blocked: set[str] = set()
    for row in connection.execute(_OF_LANES, parameters):
        head = heads[row.lane]
        if row.due > now or len(head) == _LANE_SHARE:
            blocked.add(row.lane)
        if row.lane not in blocked:
            head.append(_claimed(row))
    return [claim for head in heads.values() for claim in head]


def _leased(
    connection: Connection, claims: list[Claimed], now: datetime, until: datetime
) -> list[Claimed]:
    """Lease the rows and return those that are really ours.

    A worker whose lease ran out may finish a row between our look and our lease. What follows it
    in its lane is given back: the late worker may just as well have put the row off.
    """
    if not claims:
        return []
    ids = [claim.id for claim in claims]
    leased = set(connection.execute(_LEASE, {"ids": ids, "now": now, "until": until}).scalars())
    broken = {claim.lane for claim in claims if claim.id not in leased}
    if broken:
        freed = [claim.id for claim in claims if claim.lane in broken and claim.id in leased]
        connection.execute(_GIVE_BACK, {"ids": freed, "now": now})
    return [claim for claim in claims if claim.lane not in broken]


def _claimed(row: Row[*tuple[Any, ...]]) -> Claimed:
    return Claimed(
        id=row.id,
        key=row.key,
        queue=Queue(row.queue),
        lane=row.lane,
        kind=row.kind,
        body=row.body,
        tries=row.tries + 1,  # as the lease is about to write it
        created_at=row.created_at,
    )
