"""Tickets: the contact ways that were issued for approved requests."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Select, bindparam, insert, select, update

from storage.moments import request_key, user_key
from storage.stored import Stored
from storage.tables import TICKET_IS_LIVE, tickets
from workflows.model import Ticket, TicketState

_TICKET = Stored(Ticket)
_LIVE = frozenset({TicketState.ISSUING, TicketState.OPEN})

_ADD = insert(tickets)
_GET = select(tickets.c.body).where(tickets.c.state_key == bindparam("wanted"))
_OF_REQUEST = (
    select(tickets.c.body)
    .where(tickets.c.request_id == bindparam("request_id"))
    .order_by(tickets.c.is_open.desc(), tickets.c.expires_at.desc())
)
_OPEN_OF = (
    select(tickets.c.body)
    .where(TICKET_IS_LIVE, tickets.c.userid == bindparam("userid"))
    .order_by(tickets.c.expires_at)
)
_ALL_OPEN = (
    select(tickets.c.body)
    .where(TICKET_IS_LIVE, tickets.c.state_key > bindparam("after"))
    .order_by(tickets.c.state_key)
    .limit(bindparam("limit"))
)
_MOVE = (
    update(tickets)
    .where(tickets.c.state_key == bindparam("wanted"), tickets.c.state == bindparam("old_state"))
    .values(
        state=bindparam("new_state"),
        is_open=bindparam("new_is_open"),
        expires_at=bindparam("new_expires_at"),
        body=bindparam("new_body"),
    )
)


class Tickets:
    """The tickets within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, ticket: Ticket) -> None:
        """Store a new ticket; its `state_key` must be new."""
        self._connection.execute(_ADD, _columns(ticket))

    def get(self, state_key: str) -> Ticket | None:
        """Return the ticket that an add event's `state` names."""
        return self._first(_GET, wanted=state_key)

    def of_request(self, request_id: str) -> Ticket | None:
        """Return the request's ticket, the live one if it had several."""
        return self._first(_OF_REQUEST, request_id=request_key(request_id))

    def move(self, old: Ticket, new: Ticket) -> bool:
        """Write `new` over `old`; False if the ticket is no longer in `old.state`."""
        values = {
            "wanted": old.state_key,
            "old_state": old.state.value,
            "new_state": new.state.value,
            "new_is_open": int(new.state in _LIVE),
            "new_expires_at": new.expires_at,
            "new_body": _TICKET.dump(new),
        }
        return self._connection.execute(_MOVE, values).rowcount == 1

    def open_of(self, userid: str) -> list[Ticket]:
        """Return the tickets this member can still use or will get, the soonest to end first."""
        rows = self._connection.execute(_OPEN_OF, {"userid": user_key(userid)}).scalars()
        return [_TICKET.load(body) for body in rows]

    def all_open(self, limit: int, after: str = "") -> list[Ticket]:
        """Return everybody's, a page at a time: `after` is the key of the last one before."""
        rows = self._connection.execute(_ALL_OPEN, {"after": after, "limit": limit}).scalars()
        return [_TICKET.load(body) for body in rows]

    def _first(self, statement: Select[str], **values: object) -> Ticket | None:
        body = self._connection.execute(statement, values).scalars().first()
        return None if body is None else _TICKET.load(body)


def _columns(ticket: Ticket) -> dict[str, Any]:
    return {
        "state_key": ticket.state_key,
        "request_id": request_key(ticket.request_id),
        "userid": user_key(ticket.userid),
        "state": ticket.state.value,
        "is_open": int(ticket.state in _LIVE),
        "expires_at": ticket.expires_at,
        "body": _TICKET.dump(ticket),
    }
