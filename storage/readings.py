"""Readings of all customers, and what they found that no event had told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Select, bindparam, delete, func, insert, select, update

from storage.moments import user_key
from storage.statements import insert_or_ignore
from storage.stored import Stored
from storage.tables import late_finds, readings
from workflows.mirror import Find, Pair, Reading

_READING = Stored(Reading)

_NEWEST = select(readings.c.body).order_by(readings.c.number.desc()).limit(bindparam("most"))
_COMPLETE = _NEWEST.where(readings.c.is_open == 0)
_ADD = insert(readings)
_MOVE = (
    update(readings)
    .where(
        readings.c.number == bindparam("wanted"),
        readings.c.step == bindparam("old_step"),
        readings.c.is_open == 1,
    )
    .values(step=bindparam("new_step"), is_open=bindparam("open_now"), body=bindparam("new_body"))
)
_FIND = insert_or_ignore(late_finds)
_IN_READING = late_finds.c.reading == bindparam("wanted")
_SETTLE = (
    update(late_finds)
    .where(
        _IN_READING,
        late_finds.c.userid == bindparam("member"),
        late_finds.c.external_userid == bindparam("customer"),
    )
    .values(what=bindparam("seen"))
)
_COUNTS = select(late_finds.c.what, func.count()).where(_IN_READING).group_by(late_finds.c.what)
_PAIRS = (
    select(late_finds.c.userid, late_finds.c.external_userid)
    .where(_IN_READING, late_finds.c.what == bindparam("seen"))
    .order_by(late_finds.c.userid, late_finds.c.external_userid)
    .limit(bindparam("most"))
)
_FORGET = delete(late_finds).where(late_finds.c.reading <= bindparam("wanted"))


class Readings:
    """The readings within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def begin(self, reading: Reading) -> Reading | None:
        """Begin a reading with the next number; None if one is open. Hold 'readings' for it."""
        last = self.newest(1)
        if last and last[0].ended is None:
            return None
        numbered = replace(reading, number=last[0].number + 1 if last else 1)
        values = {"number": numbered.number, "is_open": 1, "step": numbered.step}
        self._connection.execute(_ADD, values | {"body": _READING.dump(numbered)})
        return numbered

    def open(self) -> Reading | None:
        """Return the reading that is under way."""
        last = self.newest(1)
        return last[0] if last and last[0].ended is None else None

    def newest(self, most: int) -> list[Reading]:
        """Return the latest readings, the one under way included."""
        return self._list(_NEWEST, most)

    def complete(self, most: int = 1) -> list[Reading]:
        """Return the latest readings that came to an end."""
        return self._list(_COMPLETE, most)

    def move(self, old: Reading, new: Reading) -> bool:
        """Write how far a reading has come; False if it is not where it was any more."""
        values = {
            "wanted": old.number,
            "old_step": old.step,
            "new_step": new.step,
            "open_now": int(new.ended is None),
            "new_body": _READING.dump(new),
        }
        return self._connection.execute(_MOVE, values).rowcount == 1

    def find(self, number: int, pairs: Iterable[Pair]) -> None:
        """Note what has to be looked at once more; known pairs stay as they are."""
        rows = [_key(number, pair) | {"what": Find.OPEN.value} for pair in pairs]
        if rows:
            self._connection.execute(_FIND, rows)

    def settle(self, number: int, pair: Pair, what: Find) -> None:
        """Note what a look at a pair has shown."""
        values = {"wanted": number, "member": user_key(pair[0]), "customer": pair[1]}
        self._connection.execute(_SETTLE, values | {"seen": what.value})

    def is_settled(self, number: int) -> bool:
        """Whether everything a reading has doubted was looked at."""
        values = {"wanted": number, "seen": Find.OPEN.value, "most": 1}
        return self._connection.execute(_PAIRS, values).first() is None

    def finds(self, number: int) -> Mapping[Find, int]:
        """Return how many pairs of a reading stand how."""
        rows = self._connection.execute(_COUNTS, {"wanted": number})
        found = {Find(what): count for what, count in rows}
        return {each: found.get(each, 0) for each in Find}

    def found(self, number: int, what: Find, most: int) -> list[Pair]:
        """Return the first pairs of a reading that stand so, member by member."""
        values = {"wanted": number, "seen": what.value, "most": most}
        return [
            (row.userid, row.external_userid) for row in self._connection.execute(_PAIRS, values)
        ]

    def forget(self, number: int) -> None:
        """Drop what a reading found, once it was told, and what came too late for earlier ones."""
        self._connection.execute(_FORGET, {"wanted": number})

    def _list(self, statement: Select[Any], most: int) -> list[Reading]:
        rows = self._connection.execute(statement, {"most": most}).scalars()
        return [_READING.load(body) for body in rows]


def _key(number: int, pair: Pair) -> dict[str, object]:
    return {"reading": number, "userid": user_key(pair[0]), "external_userid": pair[1]}
