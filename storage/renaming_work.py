"""What has still to be done for a member, when they get another userid."""

from __future__ import annotations

import json
from collections.abc import Mapping

from sqlalchemy import Connection, func, or_, select, update

from storage.jobs import Queue
from storage.moments import user_key
from storage.tables import WORK_IS_OPEN, work

_FIELDS = ("userid", "to")  # of what goes to WeCom


def rename(connection: Connection, old: str, new: str, timers: Mapping[str, int]) -> None:
    """Rewrite the bodies of open rows; see `Work.rename`."""
    mentions = func.lower(work.c.body).contains(user_key(old), autoescape=True)
    is_timer = (work.c.queue == Queue.TIMERS.value) & work.c.kind.in_(sorted(timers))
    is_call = work.c.queue.in_([Queue.OUTBOX.value, Queue.WELCOME.value])
    found = select(work.c.id, work.c.queue, work.c.kind, work.c.body).where(
        WORK_IS_OPEN, or_(is_timer, is_call), mentions
    )
    for row in connection.execute(found).all():
        if row.queue == Queue.TIMERS.value:
            body = _timer(row.body, timers[row.kind], old, new)
        else:
            body = _call(row.body, old, new)
        if body != row.body:
            connection.execute(update(work).where(work.c.id == row.id).values(body=body))


def _timer(body: str, place: int, old: str, new: str) -> str:
    parts = body.split("|")
    if user_key(parts[place]) == user_key(old):
        parts[place] = user_key(new) if parts[place] == user_key(old) else new
    return "|".join(parts)


def _call(body: str, old: str, new: str) -> str:
    value = json.loads(body)
    named = {
        field: new
        for field in _FIELDS
        if isinstance(value.get(field), str) and user_key(value[field]) == user_key(old)
    }
    return json.dumps(value | named, ensure_ascii=False) if named else body
