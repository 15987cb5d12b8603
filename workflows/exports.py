"""The file of an export: a CSV that a spreadsheet opens, with nothing in it that it would run.

Every line can be traced: the first and the last say who has it, when and by which request, and each
row carries the request's id.
"""

from __future__ import annotations

import csv
import io
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workflows import masking

MOST_ROWS = 2000
COLUMNS = ("name", "company", "tier", "groups", "tags", "owner", "added_at", "phone", "request")
_BOM = "\ufeff"  # without it a spreadsheet takes UTF-8 for something else
_BEGIN_FORMULAS = frozenset("=+-@\uff1d\uff0b\uff0d\uff20")


@dataclass(frozen=True, slots=True)
class Line:
    """One customer as the file shows them, names and phones in full."""

    name: str
    company: str
    tier: str
    groups: tuple[str, ...]
    tags: tuple[str, ...]
    owner: str
    added_at: str
    phones: tuple[str, ...]


def masked(line: Line) -> Line:
    """Return a colleague's customer as somebody sees them who may not see all."""
    phones = tuple(masking.mask_phone(phone) for phone in line.phones)
    return Line(
        masking.mask_name(line.name),
        line.company,
        line.tier,
        line.groups,
        line.tags,
        line.owner,
        line.added_at,
        phones,
    )


def sees_all(level: int, allow: int | None) -> bool:
    """Whether a level sees colleagues' customers in full: the one that may export without asking.

    Where the file lets nobody do that, nobody sees them in full.
    """
    return allow is not None and level >= allow


def file_of(
    lines: Iterable[Line], headings: Sequence[str], watermark: str, request_id: str
) -> bytes:
    """Return the file. `headings` name the columns, `watermark` says whose file it is."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([f"# {cell(watermark)}"])
    writer.writerow([cell(each) for each in headings])
    for line in lines:
        writer.writerow([cell(value) for value in (*_values(line), request_id)])
    writer.writerow([f"# {cell(watermark)}"])
    return (_BOM + out.getvalue()).encode()


def _values(line: Line) -> Iterable[str]:
    yield line.name
    yield line.company
    yield line.tier
    yield "; ".join(line.groups)
    yield "; ".join(line.tags)
    yield line.owner
    yield line.added_at
    yield "; ".join(line.phones)


def cell(value: str) -> str:
    """Return a value as one line of text that no spreadsheet takes for a formula.

    A name may begin with '=' so that it does something where the file is opened; with a quotation
    mark before it, it is text.
    """
    kept = "".join(" " if _is_blank(char) else char for char in value if not _is_hidden(char))
    text = " ".join(kept.split())
    return f"'{text}" if text[:1] in _BEGIN_FORMULAS else text


def _is_blank(char: str) -> bool:
    return char.isspace() or unicodedata.category(char) in {"Zl", "Zp", "Zs"}


def _is_hidden(char: str) -> bool:
    return not char.isspace() and unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co"}
