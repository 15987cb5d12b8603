"""What the work table holds, as values."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum


class Queue(IntEnum):
    """What a row is for; workers of one queue never take another's rows."""

    INBOX = 0
    OUTBOX = 1
    TIMERS = 2
    WELCOME = 3


class WorkState(IntEnum):
    """Where a row is in its life; stored as these numbers."""

    OPEN = 0
    DONE = 1
    DEAD = 2  # waits on the dead-letter desk for a person
    IGNORED = 3


@dataclass(frozen=True, slots=True)
class Job:
    """Something to do. `key` makes it unique for as long as its row is kept.

    A timer wants a lane of its own: in a shared one, what was stored later waits until it is due.
    """

    queue: Queue
    kind: str
    lane: str
    body: str
    key: str | None = None
    due: datetime | None = None  # None: at once


@dataclass(frozen=True, slots=True)
class Claimed:
    """A job in a worker's hands; `tries` counts the claims and names this one."""

    id: int
    key: str | None
    queue: Queue
    lane: str
    kind: str
    body: str
    tries: int
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Filed:
    """A row as it lies there, for people to look at."""

    id: int
    key: str | None
    queue: Queue
    lane: str
    kind: str
    body: str
    due: datetime
    tries: int
    state: WorkState
    error: str
    created_at: datetime
    done_at: datetime | None
