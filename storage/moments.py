"""How times and names are written into columns, so that both databases compare them alike."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Dialect, String
from sqlalchemy.types import TypeDecorator

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)

# Prefix searches compare by code point; PostgreSQL's usual collations would not.
SEARCHABLE = String().with_variant(String(collation="C"), "postgresql")


class Moment(TypeDecorator[datetime]):
    """An aware time, stored as whole milliseconds since 1970 in UTC (rounded down)."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return what the column holds; a time without a zone is a bug and refused."""
        return None if value is None else to_milliseconds(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's signature
        """Return the time in UTC."""
        return None if value is None else from_milliseconds(value)


def to_milliseconds(moment: datetime) -> int:
    """Return whole milliseconds since 1970; raise ValueError for a time without a zone."""
    if moment.tzinfo is None:
        raise ValueError(f"a stored time needs a zone: {moment!r}")
    return (moment - _EPOCH) // _MILLISECOND


def from_milliseconds(value: int) -> datetime:
    """Return the time in UTC."""
    return _EPOCH + timedelta(milliseconds=value)


def user_key(userid: str) -> str:
    """Return the userid as keys hold it: WeCom ignores its case."""
    return userid.lower()


def request_key(request_id: str) -> str:
    """Return the request id as keys hold it: people type it in any case."""
    return request_id.strip().upper()


def search_key(text: str) -> str:
    """Return a name as it is searched for. PostgreSQL cannot hold a NUL."""
    return text.replace("\x00", "").strip().casefold()


def is_storable(text: str) -> bool:
    """Whether both databases can hold the text: no NUL, no half of a surrogate pair."""
    if "\x00" in text:
        return False
    return text.isascii() or not any("\ud800" <= char <= "\udfff" for char in text)
