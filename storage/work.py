"""Everything that still has to be done, as rows: inbox, outbox, timers and welcomes.

A row waits until `due`. A claim leases it by moving `due` into the future, so that what a dead
worker had claimed comes back by itself. The rows of one lane are handed out in the order of their
ids, and only while every earlier row of the lane is handed out or finished; lanes are independent.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Row,
    bindparam,
    delete,
    func,
    select,
    update,
)

from storage import claiming, renaming_work
from storage.jobs import Claimed, Filed, Job, Queue, WorkState
from storage.moments import Moment
from storage.statements import insert_or_ignore
from storage.tables import WORK_IS_FINISHED, WORK_IS_LEASED, WORK_IS_OPEN, work

__all__ = ["Claimed", "Filed", "Job", "Queue", "Work", "WorkState"]

_ADD = insert_or_ignore(work)
_MINE: tuple[ColumnElement[bool] | Any, ...] = (
    WORK_IS_OPEN,
    work.c.id == bindparam("claimed_id"),
    work.c.tries == bindparam("claimed_tries"),
)
_FINISH = (
    update(work)
    .where(*_MINE)
    .values(
        state=bindparam("new_state"),
        error=bindparam("new_error"),
        done_at=bindparam("now"),
        leased=0,
    )
)
_DONE = update(work).where(*_MINE).values(state=1, done_at=bindparam("now"), leased=0)
_RETRY = (
    update(work)
    .where(*_MINE)
    .values(due=bindparam("new_due"), error=bindparam("new_error"), leased=0)
)
_RENEW = update(work).where(*_MINE).values(due=bindparam("new_due"))
_POSTPONE = _RETRY.values(tries=work.c.tries - 1)
# Not needed for the order: claims need not look at rows again and again that cannot move yet.
_WAIT_BEHIND = (
    update(work)
    .where(
        WORK_IS_OPEN,
        work.c.queue == bindparam("own_queue"),
        work.c.lane == bindparam("own_lane"),
        work.c.id > bindparam("own_id"),
        work.c.due < bindparam("new_due"),
    )
    .values(due=bindparam("new_due"))
)
_RELEASE = update(work).where(*_MINE).values(due=bindparam("now"), tries=work.c.tries - 1, leased=0)
_RESCHEDULE = (
    update(work)
    .where(WORK_IS_OPEN, work.c.key == bindparam("wanted"))
    .values(due=bindparam("new_due"))
    .returning(work.c.queue)
)
_REWRITE = _RESCHEDULE.values(body=bindparam("new_body"))
_CANCEL = (
    update(work)
    .where(WORK_IS_OPEN, work.c.key == bindparam("wanted"))
    .values(state=3, error="cancelled", done_at=bindparam("now"), leased=0)
)
_FREE_LEASES = update(work).where(WORK_IS_LEASED)
_COUNT_OPEN = select(work.c.queue, func.count()).where(WORK_IS_OPEN).group_by(work.c.queue)
_IS_DEAD = (WORK_IS_FINISHED, work.c.state == WorkState.DEAD.value)
_COUNT_DEAD = select(work.c.queue, func.count()).where(*_IS_DEAD).group_by(work.c.queue)
_NEXT_DUE = select(func.min(work.c.due, type_=Moment())).where(
    WORK_IS_OPEN, work.c.queue == bindparam("queue"), work.c.due > bindparam("now")
)
_OLDEST_DUE = select(func.min(work.c.due, type_=Moment())).where(
    WORK_IS_OPEN, work.c.queue == bindparam("queue"), work.c.due <= bindparam("now")
)
_PRUNE = delete(work).where(
    work.c.id.in_(
        select(work.c.id)
        .where(
            WORK_IS_FINISHED,
            work.c.state == bindparam("old_state"),
            work.c.done_at < bindparam("before"),
        )
        .order_by(work.c.done_at)
        .limit(bindparam("limit"))
    )
)
_DEAD_LETTERS = (
    select(work).where(*_IS_DEAD).order_by(work.c.done_at.desc()).limit(bindparam("limit"))
)
_GET = select(work).where(work.c.id == bindparam("wanted"))
_OPEN_IN_LANE = (
    select(work)
    .where(WORK_IS_OPEN, work.c.queue == bindparam("queue"), work.c.lane == bindparam("wanted"))
    .order_by(work.c.id)
)
_NEWEST_OF = select(func.max(work.c.created_at, type_=Moment())).where(
    work.c.queue == bindparam("queue"), work.c.kind.in_(bindparam("kinds", expanding=True))
)
_REPLAY = (
    update(work)
    .where(*_IS_DEAD, work.c.id == bindparam("wanted"))
    .values(state=0, due=bindparam("now"), tries=0, leased=0, done_at=None)
)


class Work:
    """The work table within one transaction. `stirred` are the queues that have got something."""

    __slots__ = ("_connection", "_kept", "stirred")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._kept: list[dict[str, Any]] = []
        self.stirred: set[Queue] = set()

    def write(self) -> None:
        """Store what was kept for later. Transaction does it at the end of a step."""
        if self._kept:
            rows, self._kept = self._kept, []
            self._connection.execute(_ADD, rows)

    def add(self, jobs: Sequence[Job], now: datetime) -> int:
        """Store the jobs in this order and return how many were new; known keys are skipped."""
        if not jobs:
            return 0
        self.stirred.update(job.queue for job in jobs)
        rows = [_row(job, now) for job in jobs]
        return self._execute(_ADD, rows).rowcount

    def add_later(self, job: Job, now: datetime) -> None:
        """Store the job as `add` does, all of a step's together; nothing here overlooks it."""
        self.stirred.add(job.queue)
        self._kept.append(_row(job, now))

    def claim(self, queue: Queue, now: datetime, limit: int, lease: timedelta) -> list[Claimed]:
        """Lease up to `limit` due rows and return them, lane by lane, each lane in order.

        A lane whose first open row is not due (it is leased, or waits for its next try) gives
        nothing. A worker that cannot finish a row must `release` the later rows of that lane.
        """
        self.write()
        return claiming.claim(self._connection, queue, now, limit, lease)

    def done(self, claim: Claimed, now: datetime) -> bool:
        """Close the row; False if the lease ran out and another claim has it, or it is gone.

        Raise out of the step then: whatever else it wrote is the other claim's to write.
        """
        return self._mine(_DONE, claim, now=now)

    def ignored(self, claim: Claimed, reason: str, now: datetime) -> bool:
        """Close the row as of no concern; False as in `done`."""
        state = WorkState.IGNORED.value
        return self._mine(_FINISH, claim, new_state=state, new_error=reason, now=now)

    def dead(self, claim: Claimed, error: str, now: datetime) -> bool:
        """Put the row on the dead-letter desk, which frees its lane; False as in `done`."""
        state = WorkState.DEAD.value
        return self._mine(_FINISH, claim, new_state=state, new_error=error, now=now)

    def retry(self, claim: Claimed, due: datetime, error: str) -> bool:
        """Try the row again at `due`; its lane waits with it. False as in `done`."""
        return self._put_off(_RETRY, claim, due, error)

    def postpone(self, claim: Claimed, due: datetime, reason: str) -> bool:
        """Do the same for a row with which nothing is wrong: this try does not count."""
        return self._put_off(_POSTPONE, claim, due, reason)

    def _put_off(self, statement: Any, claim: Claimed, due: datetime, error: str) -> bool:
        if not self._mine(statement, claim, new_due=due, new_error=error):
            return False
        parameters = {"own_queue": int(claim.queue), "own_lane": claim.lane, "own_id": claim.id}
        self._execute(_WAIT_BEHIND, parameters | {"new_due": due})
        return True

    def renew(self, claim: Claimed, until: datetime) -> bool:
        """Lease the row until then: whoever has it needs longer. False as in `done`."""
        return self._mine(_RENEW, claim, new_due=until)

    def release(self, claim: Claimed, now: datetime) -> bool:
        """Give an untouched row back, as if it had not been claimed. False as in `done`."""
        return self._mine(_RELEASE, claim, now=now)

    def reschedule(self, key: str, due: datetime, body: str | None = None) -> bool:
        """Move an open row to another time, with another body if given; False if not open."""
        values: dict[str, Any] = {"wanted": key, "new_due": due}
        statement = _RESCHEDULE if body is None else _REWRITE
        values |= {} if body is None else {"new_body": body}
        found = [Queue(number) for number in self._execute(statement, values).scalars()]
        self.stirred.update(found)
        return bool(found)

    def cancel(self, key: str, now: datetime) -> bool:
        """Have an open row ignored; a worker that has it is refused.

        Its key stays taken: what is told a second time must not revive it.
        """
        return self._execute(_CANCEL, {"wanted": key, "now": now}).rowcount == 1

    def rename(self, old: str, new: str, timers: Mapping[str, int]) -> None:
        """Have what is still to be done for the member `old` done for `new`.

        `timers` has the kinds whose body names a member, and at which place among its '|'. In the
        outbox it is `userid` or `to`. Keys and lanes stay: what was asked for is known by them.
        """
        self.write()
        renaming_work.rename(self._connection, old, new, timers)

    def release_leases(self, now: datetime, queue: Queue | None = None) -> int:
        """Make all leased rows due: at the start of the only process there is (SQLite).

        Their tries still count, so that a row which kills the process is given up in the end.
        """
        statement = (
            _FREE_LEASES if queue is None else _FREE_LEASES.where(work.c.queue == int(queue))
        )
        return self._execute(statement.values(due=now, leased=0)).rowcount

    def counts(self) -> Mapping[tuple[Queue, WorkState], int]:
        """Return how many rows are open and dead in each queue; the finished are not counted."""
        found = {}
        for statement, state in ((_COUNT_OPEN, WorkState.OPEN), (_COUNT_DEAD, WorkState.DEAD)):
            for queue, count in self._execute(statement):
                found[Queue(queue), state] = count
        return found

    def next_due(self, queue: Queue, now: datetime) -> datetime | None:
        """Return when, after `now`, the next open row becomes due."""
        values = {"queue": int(queue), "now": now}
        found: datetime | None = self._execute(_NEXT_DUE, values).scalar_one()
        return found

    def oldest_due(self, queue: Queue, now: datetime) -> datetime | None:
        """Return since when the row that has waited longest could have been done; None if none.

        What somebody has in hand, or waits for its next try, is not due.
        """
        values = {"queue": int(queue), "now": now}
        found: datetime | None = self._execute(_OLDEST_DUE, values).scalar_one()
        return found

    def prune(self, before: datetime, limit: int = 10_000) -> int:
        """Delete rows that were done or ignored before that time, the oldest `limit` of each.

        Their keys are forgotten with them: keep them for longer than WeCom repeats itself.
        """
        states = (WorkState.DONE.value, WorkState.IGNORED.value)
        parameters = [{"old_state": s, "before": before, "limit": limit} for s in states]
        return sum(self._execute(_PRUNE, each).rowcount for each in parameters)

    def prune_dead(self, before: datetime, limit: int = 10_000) -> int:
        """Delete rows that were given up before that time, the oldest `limit`."""
        values = {"old_state": WorkState.DEAD.value, "before": before, "limit": limit}
        return self._execute(_PRUNE, values).rowcount

    def newest_of(self, queue: Queue, kinds: Sequence[str]) -> datetime | None:
        """Return when the newest row of these kinds was stored, also if it is done; slow."""
        values = {"queue": queue.value, "kinds": list(kinds)}
        found: datetime | None = self._execute(_NEWEST_OF, values).scalar()
        return found

    def dead_letters(self, limit: int, kind: str = "", by: datetime | None = None) -> list[Filed]:
        """Return the newest rows that were given up: of a `kind`, or `by` a time."""
        statement = _DEAD_LETTERS.where(work.c.kind == kind) if kind else _DEAD_LETTERS
        if by is not None:
            statement = statement.where(work.c.done_at <= by)
        return [_filed(row) for row in self._execute(statement, {"limit": limit})]

    def open_in(self, queue: Queue, lane: str) -> list[Filed]:
        """Return what has still to be done in a lane, what is in somebody's hands included."""
        values = {"queue": int(queue), "wanted": lane}
        return [_filed(row) for row in self._execute(_OPEN_IN_LANE, values)]

    def get(self, work_id: int) -> Filed | None:
        """Return the row with that number."""
        row = self._execute(_GET, {"wanted": work_id}).one_or_none()
        return None if row is None else _filed(row)

    def replay(self, work_id: int, now: datetime) -> bool:
        """Try a dead row again from the beginning; False if it is not dead."""
        return self._execute(_REPLAY, {"wanted": work_id, "now": now}).rowcount == 1

    def _mine(self, statement: Any, claim: Claimed, **values: object) -> bool:
        parameters = {"claimed_id": claim.id, "claimed_tries": claim.tries, **values}
        return self._execute(statement, parameters).rowcount == 1

    def _execute(self, statement: Any, values: Any = None) -> CursorResult[*tuple[Any, ...]]:
        self.write()
        return self._connection.execute(statement, values)


def _row(job: Job, now: datetime) -> dict[str, Any]:
    if not job.lane:
        raise ValueError(f"a job needs a lane: {job.kind}")
    return {
        "key": job.key,
        "queue": int(job.queue),
        "lane": job.lane,
        "kind": job.kind,
        "body": job.body,
        "due": job.due or now,
        "tries": 0,
        "leased": 0,
        "state": WorkState.OPEN.value,
        "error": "",
        "created_at": now,
    }


def _filed(row: Row[*tuple[Any, ...]]) -> Filed:
    values = row._asdict()
    del values["leased"]
    values |= {"queue": Queue(row.queue), "state": WorkState(row.state)}
    return Filed(**values)
