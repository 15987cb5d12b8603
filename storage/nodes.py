"""Who works on this database at present: one row for each node, renewed while it lives."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection, bindparam, delete, select

from storage.statements import insert_or_replace
from storage.stored import Stored
from storage.tables import nodes


@dataclass(frozen=True, slots=True)
class Node:
    """A running `menwei serve`, as it last told of itself."""

    name: str  # host:port#process
    version: str
    policy: str  # hash of the rules it runs
    started_at: datetime
    seen_at: datetime
    clock_behind: float  # seconds by which its machine's clock is behind the database's
    has_cache: bool = True  # False: Redis does not answer it


_NODE = Stored(Node)
_LIFE = timedelta(seconds=20)  # of a node that is not heard of
_KEPT = timedelta(days=1)
_PUT = insert_or_replace(nodes)
_SEEN = select(nodes.c.body).where(nodes.c.seen_at > bindparam("since")).order_by(nodes.c.name)
_DROP = delete(nodes).where(nodes.c.name == bindparam("wanted"))
_DROP_OLD = delete(nodes).where(nodes.c.seen_at <= bindparam("until"))


class Nodes:
    """The nodes within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def put(self, node: Node) -> None:
        """Note that a node lives; forget those that are long gone."""
        values = {"name": node.name, "seen_at": node.seen_at, "body": _NODE.dump(node)}
        self._connection.execute(_PUT, values)
        self._connection.execute(_DROP_OLD, {"until": node.seen_at - _KEPT})

    def living(self, now: datetime) -> list[Node]:
        """Return those heard of in the last seconds, by name."""
        rows = self._connection.execute(_SEEN, {"since": now - _LIFE}).scalars()
        return [_NODE.load(body) for body in rows]

    def drop(self, name: str) -> None:
        """Forget a node that has ended."""
        self._connection.execute(_DROP, {"wanted": name})

    def drop_at(self, place: str) -> None:
        """Forget those at a place ('' for any): whoever begins there is another process."""
        here = nodes.c.name.startswith(place, autoescape=True)
        self._connection.execute(delete(nodes).where(here))
