"""What was read from outside sources: rows by customer, and how each source stands.

A reading is staged under a new generation, in as many transactions as it likes, and takes effect in
one: `take_over`. If two readings of a source run at once, the one that began later counts.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from sqlalchemy import (
    Connection,
    Integer,
    and_,
    bindparam,
    case,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from storage.statements import among, insert_or_ignore
from storage.stored import Stored
from storage.tables import source_rows, source_states
from workflows.outside import Row, Sought, SourceState

_STATE = Stored(SourceState)

_new = insert(source_rows)
_same = source_rows.c.body == _new.excluded.body
_ADD = _new.on_conflict_do_update(
    index_elements=["source", "generation", "key"],
    set_={"twice": case((_same, source_rows.c.twice), else_=1)},
)
_KNOW = insert_or_ignore(source_states)
_NEXT = (
    update(source_states)
    .where(source_states.c.name == bindparam("wanted"))
    .values(staging=source_states.c.staging + 1)
    .returning(source_states.c.staging)
)
_STAGE = (
    update(source_states)
    .where(source_states.c.name == bindparam("wanted"))
    .values(staging=bindparam("staged"))
)
_NEWEST = select(func.max(source_rows.c.generation)).where(
    source_rows.c.source == bindparam("wanted")
)
_STAGING = select(source_states.c.staging).where(source_states.c.name == bindparam("wanted"))
_PUT = (
    update(source_states)
    .where(source_states.c.name == bindparam("wanted"))
    .values(body=bindparam("new_body"))
)
_RESET = _PUT.values(generation=0)
_TAKE_OVER = _PUT.values(generation=bindparam("staged", type_=Integer)).where(
    source_states.c.staging == bindparam("staged", type_=Integer)
)
_GET = select(source_states.c.body).where(source_states.c.name == bindparam("wanted"))
_ALL = select(source_states.c.body).order_by(source_states.c.name)
_OF_READING = (
    source_rows.c.source == bindparam("wanted"),
    source_rows.c.generation == bindparam("staged"),
)
_COUNT_TWICE = (
    select(func.count()).select_from(source_rows).where(*_OF_READING, source_rows.c.twice == 1)
)
_SOUGHT = (
    select(source_states.c.body.label("state"), source_rows.c.body, source_rows.c.twice)
    .outerjoin_from(
        source_states,
        source_rows,
        and_(
            source_rows.c.source == source_states.c.name,
            source_rows.c.generation == source_states.c.generation,
            among(source_rows.c.key, "keys"),
        ),
    )
    .order_by(source_states.c.name)
)
_NEXT_SOURCE = select(func.min(source_rows.c.source)).where(
    source_rows.c.source > bindparam("after")
)
_COUNTING = select(source_states.c.generation, source_states.c.staging).where(
    source_states.c.name == bindparam("wanted")
)
# Ranges that the primary key answers; between them lie the readings that count or are under way.
_LEFT_OVER = select(func.min(source_rows.c.generation)).where(
    source_rows.c.source == bindparam("wanted"),
    source_rows.c.generation > bindparam("above"),
    source_rows.c.generation < bindparam("below"),
)
_DROP = delete(source_rows).where(
    *_OF_READING,
    source_rows.c.key.in_(
        select(source_rows.c.key)
        .where(*_OF_READING)
        .order_by(source_rows.c.key)
        .limit(bindparam("most"))
    ),
)
_NEVER = 2**31 - 1


class Sources:
    """The outside sources within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def get(self, name: str) -> SourceState | None:
        """Return how a source stands, None if nobody has ever tried to read it."""
        body = self._connection.execute(_GET, {"wanted": name}).scalar_one_or_none()
        return None if body is None else _STATE.load(body)

    def all(self) -> list[SourceState]:
        """Return how every source stands."""
        return [_STATE.load(body) for body in self._connection.execute(_ALL).scalars()]

    def declare(self, state: SourceState) -> None:
        """Store how a source stands that was not read yet; rows it may have had do not count."""
        self._know(state)
        self._connection.execute(_RESET, {"wanted": state.name, "new_body": _STATE.dump(state)})

    def put(self, state: SourceState) -> None:
        """Store how a source stands; its rows are left alone."""
        self._know(state)
        self._connection.execute(_PUT, {"wanted": state.name, "new_body": _STATE.dump(state)})

    def begin(self, blank: SourceState) -> int:
        """Begin a reading and return its generation; `blank` is stored if nothing is yet."""
        self._know(blank)
        wanted = {"wanted": blank.name}
        staged = int(self._connection.execute(_NEXT, wanted).scalar_one())
        stray = self._connection.execute(_NEWEST, wanted).scalar() or 0
        if stray >= staged:  # rows of a source that was forgotten and is declared again
            staged = stray + 1
            self._connection.execute(_STAGE, {**wanted, "staged": staged})
        return staged

    def add(self, name: str, generation: int, rows: Sequence[tuple[str, str]]) -> bool:
        """Stage rows, each a key and a body; False if a later reading has begun.

        A key that comes again with another body is marked: nothing is known of it.
        """
        if not self._is_newest(name, generation):
            return False
        if rows:
            fixed = {"source": name, "generation": generation, "twice": 0}
            values = [{**fixed, "key": key, "body": body} for key, body in rows]
            self._connection.execute(_ADD, values)
        return True

    def count_twice(self, name: str, generation: int) -> int:
        """Return how many keys of a reading are marked so."""
        values = {"wanted": name, "staged": generation}
        return int(self._connection.execute(_COUNT_TWICE, values).scalar_one())

    def take_over(self, state: SourceState, generation: int) -> bool:
        """Let a finished reading count from now on; False if a later one has begun."""
        values = {"wanted": state.name, "staged": generation, "new_body": _STATE.dump(state)}
        return bool(self._connection.execute(_TAKE_OVER, values).rowcount)

    def drop_left_over(self, most: int) -> int:
        """Delete up to `most` rows of readings that do not count; return how many there were."""
        source = ""
        while source := self._connection.execute(_NEXT_SOURCE, {"after": source}).scalar() or "":
            generation = self._left_over(source)
            if generation is not None:
                values = {"wanted": source, "staged": generation, "most": most}
                return self._connection.execute(_DROP, values).rowcount
        return 0

    def forget_others(self, names: Iterable[str]) -> None:
        """Forget every source but these; their rows are left over then."""
        self._connection.execute(
            delete(source_states).where(source_states.c.name.not_in(sorted(names)))
        )

    def look_up(self, keys: Iterable[str]) -> list[Sought]:
        """Return every source with its rows under these keys, in one query."""
        found: dict[str, list[Row]] = {}
        for row in self._connection.execute(_SOUGHT, {"keys": sorted(keys)}):
            rows = found.setdefault(row.state, [])
            if row.body is not None:
                rows.append(Row(row.body, bool(row.twice)))
        return [Sought(_STATE.load(state), tuple(rows)) for state, rows in found.items()]

    def _know(self, state: SourceState) -> None:
        first = {"name": state.name, "generation": 0, "staging": 0, "body": _STATE.dump(state)}
        self._connection.execute(_KNOW, first)

    def _left_over(self, source: str) -> int | None:
        """Return the oldest reading of a source that neither counts nor is under way."""
        row = self._connection.execute(_COUNTING, {"wanted": source}).first()
        kept = (row.generation, row.staging) if row else ()
        for above, below in itertools.pairwise((-1, *kept, _NEVER)):
            values = {"wanted": source, "above": above, "below": below}
            found: int | None = self._connection.execute(_LEFT_OVER, values).scalar()
            if found is not None:
                return found
        return None

    def _is_newest(self, name: str, generation: int) -> bool:
        staging = self._connection.execute(_STAGING, {"wanted": name}).scalar_one_or_none()
        return staging == generation
