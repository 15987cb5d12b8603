"""Requests, the votes on them, and whose answer each pending one waits for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Connection,
    Select,
    bindparam,
    case,
    delete,
    func,
    insert,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError

from storage import searching
from storage.moments import request_key, search_key, user_key
from storage.statements import insert_or_ignore
from storage.stored import Stored
from storage.tables import (
    REQUEST_IS_OPEN,
    REQUEST_IS_PENDING,
    request_approvers,
    requests,
    votes,
)
from workflows.model import Request, State, Vote

_REQUEST = Stored(Request)
_LONG = timedelta(days=31)

_ADD = insert_or_ignore(requests)
_ADD_VOTES = insert(votes)
_ADD_APPROVERS = insert(request_approvers)
_ID = requests.c.id == bindparam("wanted")
_GET = select(requests.c.body).where(_ID)
_EXISTS = select(requests.c.id).where(_ID)
_OPEN_BY_KEY = select(requests.c.body).where(REQUEST_IS_OPEN, requests.c.key == bindparam("wanted"))
_OPEN_BY_KEYS = select(requests.c.body).where(
    REQUEST_IS_OPEN,
    requests.c.key.in_([bindparam("wanted"), bindparam("other")]),
)
_MOVED = (
    "key",
    "subject_key",
    "subject_name",
    "external_userid",
    "state",
    "is_open",
    "version",
    "due_at",
    "decided_at",
    "body",
)
_MOVE = (
    update(requests)
    .where(
        _ID,
        requests.c.state == bindparam("old_state"),
        requests.c.version == bindparam("old_version"),
    )
    .values({name: bindparam(f"new_{name}") for name in _MOVED})
)
_DROP_APPROVER = delete(request_approvers).where(
    request_approvers.c.request_id == bindparam("wanted"),
    request_approvers.c.userid == bindparam("approver"),
)
_DROP_VOTE = delete(votes).where(
    votes.c.request_id == bindparam("wanted"),
    votes.c.stage == bindparam("cast_at"),
    votes.c.userid == bindparam("voter"),
)
_PENDING_FOR = (
    select(requests.c.body)
    .join(request_approvers, request_approvers.c.request_id == requests.c.id)
    .where(request_approvers.c.userid == bindparam("userid"))
    .order_by(request_approvers.c.created_at, request_approvers.c.request_id)
    .limit(bindparam("limit"))
)
_PENDING_FOR_AFTER = _PENDING_FOR.where(
    tuple_(request_approvers.c.created_at, request_approvers.c.request_id)
    > tuple_(bindparam("at", type_=request_approvers.c.created_at.type), bindparam("last"))
)
_COUNT_PENDING_FOR = select(func.count()).where(request_approvers.c.userid == bindparam("userid"))
_NEWEST_FIRST = (requests.c.created_at.desc(), requests.c.id)
_BY_REQUESTER = (
    select(requests.c.body)
    .where(requests.c.requester == bindparam("userid"))
    .order_by(*_NEWEST_FIRST)
    .limit(bindparam("limit"))
)
_DENIED_SINCE = (
    select(requests.c.body)
    .where(
        requests.c.requester == bindparam("userid"),
        requests.c.created_at >= bindparam("earliest"),
        requests.c.decided_at >= bindparam("since"),
        requests.c.state == State.DENIED.value,
        requests.c.action != bindparam("but"),
    )
    .order_by(requests.c.decided_at.desc(), requests.c.id)
)
_OF_CUSTOMER = (
    select(requests.c.body)
    .where(requests.c.external_userid == bindparam("external_userid"))
    .order_by(*_NEWEST_FIRST)
    .limit(bindparam("limit"))
)
_LATEST_FOR = _OF_CUSTOMER.where(requests.c.requester == bindparam("userid"))
_PENDING = (
    select(requests.c.body)
    .where(REQUEST_IS_PENDING)
    .order_by(requests.c.created_at, requests.c.id)
    .limit(bindparam("limit"))
)
_PENDING_AFTER = _PENDING.where(
    tuple_(requests.c.created_at, requests.c.id)
    > tuple_(bindparam("at", type_=requests.c.created_at.type), bindparam("last"))
)
_PENDING_OF = (
    select(requests.c.body)
    .where(REQUEST_IS_PENDING, requests.c.action == bindparam("action"))
    .order_by(requests.c.created_at, requests.c.id)
)
_COUNT_ALL = select(func.count()).select_from(requests)
_AUTO_REVIEWED = select(requests.c.body).where(requests.c.body.contains('"auto_review":"'))
_COUNT_PENDING = select(func.count()).select_from(requests).where(REQUEST_IS_PENDING)
_LATE = requests.c.created_at >= bindparam("later", type_=requests.c.created_at.type)
_COUNTS = (
    select(requests.c.state, func.count(), func.sum(case((_LATE, 1), else_=0)))
    .where(
        requests.c.requester == bindparam("userid"),
        requests.c.created_at >= bindparam("since"),
        requests.c.action == bindparam("action"),
    )
    .group_by(requests.c.state)
)


class Duplicate(Exception):
    """Another open request has the same key, or the id is taken. `open_by_key` finds which."""


class Overtaken(Exception):
    """Another node has changed what this step has read, before the step could write.

    The database runs the step again, which then sees the change. It is no answer to anybody: what a
    timer or a sweep was to do would be lost.
    """


class Requests:
    """The requests within one transaction. Ids are found in any case."""

    __slots__ = ("_connection", "_new", "_put_off")

    def __init__(
        self, connection: Connection, put_off: Callable[[Callable[[], None]], None]
    ) -> None:
        self._connection = connection
        self._put_off = put_off
        self._new: Request | None = None  # is stored before the next statement of the step

    def add(self, request: Request) -> None:
        """Store a new request. After `Duplicate` the step may go on."""
        if self._connection.execute(_ADD, _columns(request)).rowcount != 1:
            raise Duplicate(request.key)
        self._add_votes(request.id, request.votes)
        self._add_approvers(request, _awaited(request))

    def add_soon(self, request: Request) -> None:
        """Store a new request as `add` does before the step says anything else to the database.

        One that moves on by itself is stored once, as it then is. What comes next raises Duplicate.
        """
        self.write()
        self._new = request
        self._put_off(self.write)

    def write(self) -> None:
        """Store what `add_soon` was given. Transaction does it at the end of a step."""
        if self._new is not None:
            request, self._new = self._new, None
            self.add(request)

    def get(self, request_id: str) -> Request | None:
        """Return the request."""
        found = self._list(_GET, wanted=request_key(request_id))
        return found[0] if found else None

    def exists(self, request_id: str) -> bool:
        """Whether the id is taken."""
        values = {"wanted": request_key(request_id)}
        return self._connection.execute(_EXISTS, values).first() is not None

    def open_by_key(self, key: str) -> Request | None:
        """Return the one unfinished request with this `Request.key`."""
        found = self._list(_OPEN_BY_KEY, wanted=key)
        return found[0] if found else None

    def open_by_keys(self, one: str, other: str) -> tuple[Request | None, Request | None]:
        """Return the same for two keys at once."""
        found = {each.key: each for each in self._list(_OPEN_BY_KEYS, wanted=one, other=other)}
        return found.get(one), found.get(other)

    def move(self, old: Request, new: Request) -> None:
        """Write `new` over `old`; raise Overtaken if somebody changed it since `old` was read.

        Raise Duplicate if `new` has the key of another open request, or two votes of one person at
        one stage; the step must end with it.
        """
        if self._new is old:
            self._new = new
            return
        values = {f"new_{name}": value for name, value in _columns(new).items() if name in _MOVED}
        values |= {"wanted": request_key(old.id)}
        values |= {"old_state": old.state.value, "old_version": old.version}
        try:
            if self._connection.execute(_MOVE, values).rowcount != 1:
                raise Overtaken(old.id)
            self._change_votes(old, new)
        except IntegrityError as error:
            raise Duplicate(new.key) from error
        self._change_approvers(old, new)

    def pending_for(self, userid: str, limit: int, after: Request | None = None) -> list[Request]:
        """Return what waits for this person's answer, the oldest first, a page at a time."""
        if after is None:
            return self._list(_PENDING_FOR, userid=user_key(userid), limit=limit)
        last = {"at": after.created_at, "last": request_key(after.id)}
        return self._list(_PENDING_FOR_AFTER, userid=user_key(userid), limit=limit, **last)

    def count_pending_for(self, userid: str) -> int:
        """Return how much waits for this person's answer."""
        values = {"userid": user_key(userid)}
        return int(self._connection.execute(_COUNT_PENDING_FOR, values).scalar_one())

    def by_requester(self, userid: str, limit: int) -> list[Request]:
        """Return what this person asked for or did, the newest first."""
        return self._list(_BY_REQUESTER, userid=user_key(userid), limit=limit)

    def denied_since(self, userid: str, since: datetime, *, but: str) -> list[Request]:
        """Return what was refused to this person since then, the latest first, but one action.

        What waited for more than a month before it was refused is left out.
        """
        earliest = since - _LONG
        values = {"userid": user_key(userid), "since": since, "earliest": earliest, "but": but}
        return self._list(_DENIED_SINCE, **values)

    def of_customer(self, external_userid: str, limit: int) -> list[Request]:
        """Return what was asked about this customer, the newest first."""
        return self._list(_OF_CUSTOMER, external_userid=external_userid, limit=limit)

    def latest_for(self, userid: str, external_userid: str) -> Request | None:
        """Return this person's newest request about this customer."""
        found = self._list(
            _LATEST_FOR, userid=user_key(userid), external_userid=external_userid, limit=1
        )
        return found[0] if found else None

    def pending_of(self, action: str) -> list[Request]:
        """Return every pending request for an action, the oldest first: for one that is rare."""
        return self._list(_PENDING_OF, action=action)

    def pending(self, limit: int, after: Request | None = None) -> list[Request]:
        """Return pending requests, the oldest first, a page at a time."""
        if after is None:
            return self._list(_PENDING, limit=limit)
        return self._list(
            _PENDING_AFTER, limit=limit, at=after.created_at, last=request_key(after.id)
        )

    def count_pending(self) -> int:
        """Return how many requests are pending."""
        return int(self._connection.execute(_COUNT_PENDING).scalar_one())

    def counts(self, requester: str, action: str, since: datetime) -> Mapping[State, int]:
        """Return how many such requests the person made since then, by what became of them.

        To decide by it, `Transaction.hold` a name for the person first.
        """
        return self.counts_of_two(requester, action, since, since)[0]

    def counts_of_two(
        self, requester: str, action: str, since: datetime, later: datetime
    ) -> tuple[Mapping[State, int], Mapping[State, int]]:
        """Return the same since a time and since a later one: a week and its last day."""
        values = {"userid": user_key(requester), "action": action, "since": since, "later": later}
        rows = self._connection.execute(_COUNTS, values).all()
        whole = {State(word): number for word, number, _ in rows}
        return whole, {State(word): int(late) for word, _, late in rows if late}

    def count_all(self) -> int:
        """Return how many requests are on record."""
        return int(self._connection.execute(_COUNT_ALL).scalar_one())

    def auto_reviewed(self) -> Mapping[str, int]:
        """Return how many requests each auto-review has answered, by id. Reads every request."""
        return Counter(
            answered
            for body in self._connection.execute(_AUTO_REVIEWED).scalars()
            if (answered := _REQUEST.load(body).verdict.auto_review)
        )

    def search(self, words: str, limit: int) -> Iterator[Request]:
        """Yield at most so many requests that people may mean; see `searching`.

        What is not looked at is not read. It ends with the transaction.
        """
        return searching.search(self._connection, words, limit)

    def _list(self, statement: Select[str], **values: object) -> list[Request]:
        return [
            _REQUEST.load(body) for body in self._connection.execute(statement, values).scalars()
        ]

    def _add_votes(self, request_id: str, cast: Iterable[Vote]) -> None:
        rows = [
            {
                "request_id": request_key(request_id),
                "stage": vote.stage,
                "userid": user_key(vote.by.userid),
                "answer": vote.answer.value,
                "at": vote.at,
            }
            for vote in cast
        ]
        if rows:
            self._connection.execute(_ADD_VOTES, rows)

    def _change_votes(self, old: Request, new: Request) -> None:
        before, after = set(old.votes), set(new.votes)
        for vote in before - after:
            self._connection.execute(
                _DROP_VOTE,
                {
                    "wanted": request_key(new.id),
                    "cast_at": vote.stage,
                    "voter": user_key(vote.by.userid),
                },
            )
        self._add_votes(new.id, (vote for vote in new.votes if vote not in before))

    def _add_approvers(self, request: Request, userids: Iterable[str]) -> None:
        rows = [
            {
                "request_id": request_key(request.id),
                "userid": userid,
                "created_at": request.created_at,
            }
            for userid in sorted(userids)
        ]
        if rows:
            self._connection.execute(_ADD_APPROVERS, rows)

    def _change_approvers(self, old: Request, new: Request) -> None:
        before, after = _awaited(old), _awaited(new)
        for userid in before - after:
            values = {"wanted": request_key(new.id), "approver": userid}
            self._connection.execute(_DROP_APPROVER, values)
        self._add_approvers(new, after - before)


def _awaited(request: Request) -> set[str]:
    """Return whose answer is still missing at the present stage."""
    if request.state is not State.PENDING:
        return set()
    answered = {user_key(v.by.userid) for v in request.votes if v.stage == request.stage}
    return {user_key(person.userid) for person in request.approvers} - answered


def _columns(request: Request) -> dict[str, Any]:
    return {
        "id": request_key(request.id),
        "key": request.key,
        "action": request.action,
        "origin": request.origin.value,
        "requester": user_key(request.requester.userid),
        "requester_name": search_key(request.requester.name),
        "subject_key": request.subject.key,
        "subject_name": search_key(request.subject.name),
        "external_userid": request.subject.external_userid,
        "state": request.state.value,
        "is_open": int(not request.state.is_final),
        "version": request.version,
        "created_at": request.created_at,
        "due_at": request.due_at,
        "decided_at": request.decided_at,
        "body": _REQUEST.dump(request),
    }
