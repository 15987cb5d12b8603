"""Who has left, what waits of theirs for somebody else, and the requests to hand it over."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, func, select, update

from storage.moments import request_key, search_key, user_key
from storage.statements import insert_or_replace
from storage.stored import Stored
from storage.tables import HAS_REQUEST, leavers, left_behind, takeovers
from workflows.leaving import Handover, Leaver, LeftBehind, Outcome

_LEAVER = Stored(Leaver)
_ONE = Stored(LeftBehind)
_HANDOVER = Stored(Handover)

_PUT = insert_or_replace(leavers)
_NEWEST = leavers.c.left_at.desc()
_OF = select(leavers.c.body).where(leavers.c.userid == bindparam("userid")).order_by(_NEWEST)
_NAMED = select(leavers.c.body).where(leavers.c.name == bindparam("name")).order_by(_NEWEST)
_OPEN = select(leavers.c.body).where(leavers.c.is_open == 1).order_by(leavers.c.userid, _NEWEST)

_mine = left_behind.c.userid == bindparam("userid")
_PUT_ONE = insert_or_replace(left_behind)
_GET_ONE = select(left_behind.c.body, left_behind.c.is_open).where(
    _mine, left_behind.c.external_userid == bindparam("external")
)
_WAITING = (
    select(left_behind.c.body)
    .where(_mine, left_behind.c.is_open == 1, left_behind.c.external_userid > bindparam("after"))
    .order_by(left_behind.c.external_userid)
    .limit(bindparam("limit"))
)
_COUNT = (
    select(left_behind.c.request_id, left_behind.c.tier, func.count())
    .where(_mine, left_behind.c.is_open == 1)
    .group_by(left_behind.c.request_id, left_behind.c.tier)
)
_COUNT_GROUP = (
    select(left_behind.c.request_id, func.count())
    .where(
        _mine, left_behind.c.is_open == 1, left_behind.c.groups.like(bindparam("group"), escape="/")
    )
    .group_by(left_behind.c.request_id)
)
_UNSEEN = (
    update(left_behind)
    .where(
        left_behind.c.userid == bindparam("wanted"),
        left_behind.c.is_open == 1,
        left_behind.c.read_at < bindparam("before"),
    )
    .values(is_open=0)
)
_of_request = (HAS_REQUEST, left_behind.c.request_id == bindparam("request_id"))
_NEXT = (
    select(left_behind.c.body)
    .where(*_of_request, left_behind.c.outcome == bindparam("outcome"))
    .order_by(left_behind.c.taker, left_behind.c.external_userid)
    .limit(bindparam("limit"))
)
_OPEN_AFTER = (
    select(left_behind.c.body)
    .where(
        *_of_request,
        left_behind.c.outcome == bindparam("outcome"),
        left_behind.c.taker == bindparam("taker"),
        left_behind.c.external_userid > bindparam("after"),
    )
    .order_by(left_behind.c.external_userid)
    .limit(bindparam("limit"))
)
_OUTCOMES = (
    select(left_behind.c.taker, left_behind.c.outcome, func.count())
    .where(*_of_request)
    .group_by(left_behind.c.taker, left_behind.c.outcome)
)
_PUT_HANDOVER = insert_or_replace(takeovers)
_GET_HANDOVER = select(takeovers.c.body).where(takeovers.c.id == bindparam("wanted"))


class Leavers:
    """What is known of leavers within one transaction. Userids are found in any case."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    # Who has left

    def put(self, leaver: Leaver) -> None:
        """Store a leaver over what was known of this time that they left."""
        values = {
            "userid": user_key(leaver.person.userid),
            "left_at": leaver.left_at,
            "name": search_key(leaver.person.name),
            "is_open": int(leaver.is_open),
            "body": _LEAVER.dump(leaver),
        }
        self._connection.execute(_PUT, values)

    def latest(self, userid: str) -> Leaver | None:
        """Return somebody as they left last; None if they never did."""
        found = self._leavers(_OF, userid=user_key(userid))
        return found[0] if found else None

    def called(self, name: str) -> list[Leaver]:
        """Return who was called exactly this, case aside, the latest first."""
        wanted = search_key(name)
        return self._leavers(_NAMED, name=wanted) if wanted else []

    def open(self) -> list[Leaver]:
        """Return those of whom something may still wait."""
        return self._leavers(_OPEN)

    # What waits

    def put_waiting(self, found: Iterable[LeftBehind]) -> None:
        """Store customers over what was known of each."""
        rows = [_columns(each) for each in found]
        if rows:
            self._connection.execute(_PUT_ONE, rows)

    def one(self, userid: str, external_userid: str) -> LeftBehind | None:
        """Return one customer of somebody who has left."""
        values = {"userid": user_key(userid), "external": external_userid}
        row = self._connection.execute(_GET_ONE, values).one_or_none()
        return None if row is None else replace(_ONE.load(row.body), is_open=bool(row.is_open))

    def waiting(self, userid: str, limit: int, after: str = "") -> list[LeftBehind]:
        """Return who waits for somebody else, by external_userid, from behind `after` on."""
        return self._ones(_WAITING, userid=user_key(userid), limit=limit, after=after)

    def count_waiting(self, userid: str) -> Mapping[tuple[str, str], int]:
        """Return how many wait, by the request by which they are to go ('' is none) and tier."""
        rows = self._connection.execute(_COUNT, {"userid": user_key(userid)})
        return {(request_id, tier): count for request_id, tier, count in rows}

    def count_in_group(self, userid: str, group: str) -> Mapping[str, int]:
        """Return how many of a group wait, by the request by which they are to go."""
        literal = group.replace("/", "//").replace("%", "/%").replace("_", "/_")
        values = {"userid": user_key(userid), "group": f"%|{literal}|%"}
        rows = self._connection.execute(_COUNT_GROUP, values).all()
        return {row.request_id: int(row[1]) for row in rows}

    def not_shown_since(self, userid: str, before: datetime) -> int:
        """Note that WeCom no longer shows those last read before then; return how many."""
        values = {"wanted": user_key(userid), "before": before}
        return self._connection.execute(_UNSEEN, values).rowcount

    # What is to go where

    def next_of(self, request_id: str, limit: int, outcome: Outcome) -> list[LeftBehind]:
        """Return customers of a request with this outcome, those of one taker together."""
        wanted = request_key(request_id)
        return self._ones(_NEXT, request_id=wanted, limit=limit, outcome=outcome.value)

    def open_of(self, request_id: str, taker: str, limit: int, after: str) -> list[LeftBehind]:
        """Return whom WeCom has taken for this taker and who has not arrived as far as known."""
        values = {"request_id": request_key(request_id), "taker": user_key(taker)}
        waiting = Outcome.WAITING.value
        return self._ones(_OPEN_AFTER, **values, limit=limit, after=after, outcome=waiting)

    def outcomes(self, request_id: str) -> Mapping[tuple[str, Outcome], int]:
        """Return how many of a request came to what, by lower-case taker and outcome."""
        rows = self._connection.execute(_OUTCOMES, {"request_id": request_key(request_id)})
        return {(taker, Outcome(outcome)): count for taker, outcome, count in rows}

    def put_handover(self, handover: Handover) -> None:
        """Store a handover over what was known of it."""
        values = {"id": request_key(handover.id), "body": _HANDOVER.dump(handover)}
        self._connection.execute(_PUT_HANDOVER, values)

    def handover(self, request_id: str) -> Handover | None:
        """Return the handover of a request; None if it is none."""
        values = {"wanted": request_key(request_id)}
        body = self._connection.execute(_GET_HANDOVER, values).scalar_one_or_none()
        return None if body is None else _HANDOVER.load(body)

    def _leavers(self, statement: Select[str], **values: object) -> list[Leaver]:
        rows: Sequence[str] = self._connection.execute(statement, values).scalars().all()
        return [_LEAVER.load(body) for body in rows]

    def _ones(self, statement: Select[str], **values: object) -> list[LeftBehind]:
        rows: Sequence[str] = self._connection.execute(statement, values).scalars().all()
        return [_ONE.load(body) for body in rows]


def _columns(one: LeftBehind) -> dict[str, Any]:
    return {
        "userid": user_key(one.userid),
        "external_userid": one.external_userid,
        "is_open": int(one.is_open),
        "read_at": one.read_at,
        "tier": one.tier,
        "groups": f"|{'|'.join(one.groups)}|",
        "request_id": request_key(one.request_id),
        "taker": user_key(one.taker),
        "outcome": one.outcome.value,
        "body": _ONE.dump(one),
    }
