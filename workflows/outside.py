"""Facts from outside sources (`customer.x.*`): keys, strict conversion, and what a look-up means.

A fact is known only from rows that are fresh and plain. No row for a customer means the column's
`default`, if the file names one; whatever is doubtful (no key to look by, an old source, a value of
another type, two rows that disagree) leaves the fact out, so that a human decides.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from workflows.attributes import Kind
from workflows.conditions import fold, plain
from workflows.masking import narrow, phone_digits
from workflows.model import Customer, FactValue, Relation

MOST_KEY = 200  # characters
MOST_TEXT = 1000


class Key(StrEnum):
    """What identifies a customer in a source."""

    EXTERNAL_USERID = "external_userid"
    PHONE = "phone"
    UNIONID = "unionid"
    COMPANY = "company"


Keys = Mapping[Key, frozenset[str] | None]  # None: nothing to look by; empty: surely not on file


@dataclass(frozen=True, slots=True)
class Doubt:
    """Cells of one column that could not be used; `first` is the line or row of the first."""

    column: str
    count: int
    first: int


@dataclass(frozen=True, slots=True)
class SourceState:
    """How a source stands: what it fills, as of when, and what was wrong when it was last read."""

    name: str
    key: Key
    fills: frozenset[str]  # attributes
    stale_after: timedelta
    declared: str  # fingerprint of its declaration: another one makes it another source
    made_at: datetime | None = None  # as of when the rows are; None: never read
    read_at: datetime | None = None  # when it was last read to the end
    tried_at: datetime | None = None
    mark: str = ""  # of the content read last; the same mark need not be read again
    rows: int = 0
    doubled: int = 0  # keys that came twice and disagreed: nothing is known of these
    doubts: tuple[Doubt, ...] = ()
    trouble: str = ""  # code of what failed last, '' when nothing did
    details: Mapping[str, str] = field(default_factory=dict)  # of the trouble
    told: str = ""  # the trouble that the admins have heard of

    def is_fresh(self, now: datetime) -> bool:
        """Whether its rows may still be believed."""
        return self.made_at is not None and now - self.made_at <= self.stale_after


@dataclass(frozen=True, slots=True)
class Row:
    """What a source has under one key; `twice` says that several of its rows disagree."""

    body: str
    twice: bool = False


@dataclass(frozen=True, slots=True)
class Sought:
    """One source and its rows for a customer's keys."""

    state: SourceState
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Wanted:
    """A declared column that the rules read."""

    kind: Kind
    default: FactValue | None = None


# --- keys


def keys_in(kind: Key, cell: object) -> frozenset[str]:
    """Return the keys that a cell of a source names; none if it names nobody.

    A cell of phones may hold several. Whole numbers count as text, other types do not.
    """
    text = _text(cell)
    if text is None:
        return frozenset()
    if kind is Key.PHONE:
        numbers = (_phone(part) for part in _PHONE_ENDS.split(narrow(text)))
        return frozenset(_tagged(kind, number) for number in numbers if number)
    found = _company(text) if kind is Key.COMPANY else text.strip()
    fits = found and len(found) <= MOST_KEY and "\0" not in found
    return frozenset({_tagged(kind, found)} if fits else ())


def keys_of(
    customer: Customer | None, relations: Iterable[Relation], claimed: Claimed | None = None
) -> Keys:
    """Return what to look a customer up by.

    What somebody typed is `claimed`: a phone names whoever has it; a company only helps where WeCom
    shows the customer but no company. Who is not on file in WeCom is in no source by WeCom's ids.
    """
    typed = claimed or Claimed()
    noted = [phone for relation in relations for phone in relation.phones]
    phones = _keys(Key.PHONE, [*noted, typed.phone])
    if customer is None:
        nobody: frozenset[str] = frozenset()
        ids = {Key.EXTERNAL_USERID: nobody, Key.UNIONID: nobody}
        return {**ids, Key.PHONE: phones, Key.COMPANY: None}
    return {
        Key.EXTERNAL_USERID: _keys(Key.EXTERNAL_USERID, [customer.external_userid]),
        Key.UNIONID: _keys(Key.UNIONID, [customer.unionid]),
        Key.PHONE: phones,
        Key.COMPANY: _keys(Key.COMPANY, [customer.corp_name or typed.company]),
    }


@dataclass(frozen=True, slots=True)
class Claimed:
    """What the requester typed that may find somebody."""

    phone: str = ""
    company: str = ""


def _keys(kind: Key, texts: Iterable[str]) -> frozenset[str] | None:
    return frozenset(key for text in texts for key in keys_in(kind, text)) or None


def _tagged(kind: Key, found: str) -> str:
    return f"{kind.value}:{found}"


_PHONE_ENDS = re.compile(r"[,，;；/|、\n]")
_PHONE = re.compile(r"\+?[0-9()\s\u2013\u2014-]{7,30}")


def _phone(text: str) -> str:
    """Return a number as relations have it; '' for what is no number, such as '1.38E+10'."""
    digits = phone_digits(text) if _PHONE.fullmatch(text.strip()) else ""
    return digits if 7 <= len(digits) <= 16 else ""


def _company(text: str) -> str:
    return " ".join(fold(text).split())


def _text(cell: object) -> str | None:
    """Return a cell as text: whole numbers of databases too, but nothing else."""
    match cell:
        case str():
            return cell
        case bool():
            return None
        case int() | Decimal() | float() if _whole(cell) is not None:
            return str(_whole(cell))
        case _:
            return None


# --- values


class Unconvertible(Exception):
    """A cell holds something that is not of its column's type."""


def converted(kind: Kind, cell: object) -> FactValue | None:
    """Return a cell as a fact of its column's type, None if it is empty. Raises Unconvertible."""
    if isinstance(cell, str):
        cell = cell.strip()
    if cell is None or cell == "":
        return None
    found = _READERS[kind](cell)
    if found is None:
        raise Unconvertible
    return found


_INT = re.compile(r"([+-]?[0-9]{1,18})(?:\.0+)?")
_NUMBER = re.compile(r"[+-]?[0-9]{1,18}(?:\.[0-9]{1,18})?")
_SLASHED = re.compile(r"([0-9]{4})/([0-9]{1,2})/([0-9]{1,2})")
_SET_ENDS = re.compile(r"[,，;；、|\n]")
_BOOLS: Mapping[str, bool] = {
    **dict.fromkeys(("true", "yes", "1", "是"), True),
    **dict.fromkeys(("false", "no", "0", "否"), False),
}


def _whole(cell: int | float | Decimal) -> int | None:
    """Return a number without fraction as an integer; None for others and for enormous ones."""
    most = 2**53 if isinstance(cell, float) else 10**18
    exact = Decimal(cell)
    fits = exact.is_finite() and abs(exact) < most and exact == int(exact)
    return int(exact) if fits else None


def _int(cell: object) -> FactValue | None:
    if isinstance(cell, str):
        found = _INT.fullmatch(narrow(cell))
        return int(found[1]) if found else None
    if isinstance(cell, bool) or not isinstance(cell, int | float | Decimal):
        return None
    return _whole(cell)


def _number(cell: object) -> FactValue | None:
    if isinstance(cell, str):
        return float(narrow(cell)) if _NUMBER.fullmatch(narrow(cell)) else None
    return plain(Kind.NUMBER, float(cell) if isinstance(cell, Decimal) else cell)


def _bool(cell: object) -> FactValue | None:
    if isinstance(cell, str):
        return _BOOLS.get(cell.casefold())
    return bool(cell) if cell in (0, 1) else None


def _date(cell: object) -> FactValue | None:
    if isinstance(cell, str) and (found := _SLASHED.fullmatch(cell)):
        year, month, day = map(int, found.groups())
        try:
            return date(year, month, day).isoformat()
        except ValueError:
            return None
    return plain(Kind.DATE, cell) if isinstance(cell, str | date) else None


def _words(cell: object) -> FactValue | None:
    if isinstance(cell, list | tuple) and all(isinstance(part, str) for part in cell):
        parts = list(cell)
    elif isinstance(cell, str):
        parts = _SET_ENDS.split(cell)
    else:
        return None
    return frozenset(part.strip() for part in parts if part.strip())


def _short_text(cell: object) -> FactValue | None:
    text = _text(cell)
    return text if text is not None and len(text) <= MOST_TEXT else None


_READERS = {
    Kind.TEXT: _short_text,
    Kind.INT: _int,
    Kind.NUMBER: _number,
    Kind.BOOL: _bool,
    Kind.SET: _words,
    Kind.DATE: _date,
}


def body_of(values: Mapping[str, FactValue | None]) -> str:
    """Return a row as it is stored. None is a value nobody could read; an empty cell is left out.

    The same values give the same text.
    """
    plain_values = {
        name: sorted(value) if isinstance(value, frozenset) else value
        for name, value in values.items()
    }
    return json.dumps(plain_values, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


# --- looking up


def facts_of(
    wanted: Mapping[str, Wanted], found: Iterable[Sought], keys: Keys, now: datetime
) -> dict[str, FactValue]:
    """Return what is surely known of the wanted columns."""
    by_column = {name: each for each in found for name in each.state.fills}
    facts: dict[str, FactValue] = {}
    for name, column in wanted.items():
        value = _fact(name, column, by_column.get(name), keys, now)
        if value is not None:
            facts[name] = value
    return facts


def _fact(
    name: str, column: Wanted, sought: Sought | None, keys: Keys, now: datetime
) -> FactValue | None:
    if sought is None or not sought.state.is_fresh(now) or keys[sought.state.key] is None:
        return None
    if not sought.rows:
        return column.default
    values = {_value(name, column, row) for row in sought.rows}
    return values.pop() if len(values) == 1 else None


def _value(name: str, column: Wanted, row: Row) -> FactValue | None:
    values = {} if row.twice else json.loads(row.body)
    if row.twice or values.get(name, ...) is None:
        return None
    if name not in values:
        return column.default
    value = values[name]
    if column.kind is Kind.SET:
        return frozenset(value) if isinstance(value, list) else None
    return plain(column.kind, value)  # the type may have changed since it was stored
