"""Small tables that are mostly empty: one look says which of them hold anything.

Nearly every step asks for the freezes, loans, absences and the like that concern it, and there are
few of them or none. So what is open anywhere is asked once in a step, for all of these tables, and
only where there is something does a repository ask for its own. The look is part of the step's
transaction, so that what was committed before it counts.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Table,
    TextClause,
    exists,
    literal_column,
    select,
)

from storage.tables import (
    FREEZE_IS_LIVE,
    GRANT_IS_LIVE,
    REMEDY_IS_OPEN,
    WAIVER_IS_LIVE,
    absences,
    freezes,
    grants,
    remedies,
    transfers,
    waivers,
)


def _any(table: Table, which: TextClause | None = None) -> ColumnElement[bool]:
    found: Select[Any] = select(literal_column("1")).select_from(table)
    return exists(found if which is None else found.where(which)).label(table.name)


_LOOK = select(
    _any(absences),
    _any(freezes, FREEZE_IS_LIVE),
    _any(grants, GRANT_IS_LIVE),
    _any(remedies, REMEDY_IS_OPEN),
    _any(transfers),
    _any(waivers, WAIVER_IS_LIVE),
)


class Rarely:
    """Which of these tables hold anything, as one step sees them."""

    __slots__ = ("_connection", "_seen")

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._seen: Any = None

    def any(self, table: Table) -> bool:
        """Whether anything is open in a table; a repository that adds to it must `forget`."""
        if self._seen is None:
            self._seen = self._connection.execute(_LOOK).one()
        return bool(getattr(self._seen, table.name))

    def forget(self) -> None:
        """Look anew: something was added, or others may have added something."""
        self._seen = None
