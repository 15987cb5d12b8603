"""What was decided before: for one person or a team, and how long approvers usually take."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Connection, and_, bindparam, case, func, select

from storage.moments import user_key
from storage.statements import among
from storage.stored import Stored
from storage.tables import requests, votes
from workflows.model import Origin, State, Subject, Verdict

_LOOKED_AT = 40  # the person's newest requests, read for those like this one
_MOST_ANSWERS = 500  # of a month, of all approvers asked for


@dataclass(frozen=True, slots=True)
class Precedent:
    """A request as far as a similar one is judged by it; read from the request's JSON."""

    id: str
    action: str
    origin: Origin
    subject: Subject
    verdict: Verdict
    state: State
    created_at: datetime
    decided_at: datetime | None = None
    decided_by: str = ""
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Tally:
    """How many of a person's requests came to one state; `today` and `week` count adds alone."""

    userid: str  # in lower case
    state: State
    today: int
    week: int
    week_all: int  # of every action
    count: int
    oldest: datetime  # when the first of them was made


_PRECEDENT = Stored(Precedent)
_OF_REQUESTER = (
    select(requests.c.body)
    .where(requests.c.requester == bindparam("userid"), requests.c.created_at < bindparam("before"))
    .order_by(requests.c.created_at.desc(), requests.c.id)
    .limit(_LOOKED_AT)
)
_IS_ADD = requests.c.action == bindparam("add")


def _number(*of: ColumnElement[bool]) -> ColumnElement[int]:
    return func.sum(case((and_(*of), 1), else_=0))


def _since(name: str) -> ColumnElement[bool]:
    return requests.c.created_at >= bindparam(name, type_=requests.c.created_at.type)


_TALLIES = (
    select(
        requests.c.requester,
        requests.c.state,
        _number(_IS_ADD, _since("today")),
        _number(_IS_ADD, _since("week")),
        _number(_since("week")),
        func.count(),
        func.min(requests.c.created_at, type_=requests.c.created_at.type),
    )
    .where(
        among(requests.c.requester, "userids"),
        _since("since"),
    )
    .group_by(requests.c.requester, requests.c.state)
)
_EARLIER = votes.alias("earlier")
_ASKED_AT = func.coalesce(func.max(_EARLIER.c.at), requests.c.created_at, type_=votes.c.at.type)
_ANSWERS = (
    select(votes.c.userid, _ASKED_AT.label("asked_at"), votes.c.at)
    .join(requests, requests.c.id == votes.c.request_id)
    .outerjoin(
        _EARLIER,
        and_(
            _EARLIER.c.request_id == votes.c.request_id,
            _EARLIER.c.stage == votes.c.stage - 1,
        ),
    )
    .where(among(votes.c.userid, "userids"), votes.c.at >= bindparam("since"))
    .group_by(votes.c.request_id, votes.c.stage, votes.c.userid, votes.c.at, requests.c.created_at)
    .order_by(votes.c.at.desc())
    .limit(_MOST_ANSWERS)
)


class Precedents:
    """Looks back, within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def of_requester(self, userid: str, before: datetime) -> list[Precedent]:
        """Return a person's newest requests made before then, the newest first."""
        values = {"userid": user_key(userid), "before": before}
        return [
            _PRECEDENT.load(b) for b in self._connection.execute(_OF_REQUESTER, values).scalars()
        ]

    def answers(
        self, userids: Iterable[str], since: datetime
    ) -> Mapping[str, list[tuple[datetime, datetime]]]:
        """Return, by lower-case userid, from when to when each vote since then was waited for.

        At the first stage that is since the request was made, later since the stage before ended.
        """
        values = {"userids": [user_key(each) for each in userids], "since": since}
        found: dict[str, list[tuple[datetime, datetime]]] = {}
        for userid, asked_at, at in self._connection.execute(_ANSWERS, values):
            found.setdefault(userid, []).append((asked_at, at))
        return found

    def tallies(
        self, userids: Iterable[str], add: str, *, today: datetime, week: datetime, since: datetime
    ) -> list[Tally]:
        """Return what came of the requests that these people made since `since`, by state.

        `add` is the action whose requests are counted for today and the week.
        """
        values = {"userids": [user_key(each) for each in userids], "add": add}
        times = {"today": today, "week": week, "since": since}
        rows = self._connection.execute(_TALLIES, values | times)
        return [Tally(userid, State(word), *rest) for userid, word, *rest in rows]
