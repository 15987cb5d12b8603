"""Approval cards that were sent, so that they can be updated and closed."""

from __future__ import annotations

from sqlalchemy import Connection, Row, bindparam, insert, select

from storage.moments import request_key, user_key
from storage.statements import insert_or_replace
from storage.stored import Stored
from storage.tables import cards
from workflows.model import Card

_CARD = Stored(Card)

_ADD = insert(cards)
_PUT = insert_or_replace(cards)
_GET = select(cards.c.body).where(cards.c.task_id == bindparam("wanted"))
_OF_REQUEST = (
    select(cards.c.body)
    .where(cards.c.request_id == bindparam("request_id"))
    .order_by(cards.c.task_id)
)


class Cards:
    """The cards within one transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def add(self, card: Card) -> None:
        """Store a new card; its `task_id` must be new."""
        self._connection.execute(_ADD, _columns(card))

    def put(self, card: Card) -> None:
        """Store the card over what was known of it."""
        self._connection.execute(_PUT, _columns(card))

    def get(self, task_id: str) -> Card | None:
        """Return the card that a button press names."""
        row: Row[str] | None = self._connection.execute(_GET, {"wanted": task_id}).first()
        return None if row is None else _CARD.load(row.body)

    def of_request(self, request_id: str) -> list[Card]:
        """Return all cards that were sent for a request."""
        values = {"request_id": request_key(request_id)}
        return [
            _CARD.load(body) for body in self._connection.execute(_OF_REQUEST, values).scalars()
        ]


def _columns(card: Card) -> dict[str, str]:
    return {
        "task_id": card.task_id,
        "request_id": request_key(card.request_id),
        "userid": user_key(card.userid),
        "state": card.state.value,
        "body": _CARD.dump(card),
    }
