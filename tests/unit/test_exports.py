"""The file of an export: opened by a spreadsheet, run by none, masked, and traceable."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.exports import COLUMNS, Line, cell, file_of, masked, sees_all

LINE = Line(
    "张伟",
    "明达贸易",
    "VIP 客户",
    ("已签约客户", "老客户"),
    ("VIP",),
    "孙磊",
    "2026-03-04 12:00",
    ("13800001234", "02155556666"),
)
MARK = "门卫导出 A7K2 · 孙磊（sunlei）"


def read(content: bytes) -> list[list[str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_the_file_has_a_watermark_a_heading_a_row_for_each_and_the_watermark_again() -> None:
    first, head, row, last = read(file_of([LINE], COLUMNS, MARK, "A7K2"))

    assert first == last == [f"# {MARK}"]
    assert head == list(COLUMNS)
    assert row == [
        "张伟",
        "明达贸易",
        "VIP 客户",
        "已签约客户; 老客户",
        "VIP",
        "孙磊",
        "2026-03-04 12:00",
        "13800001234; 02155556666",
        "A7K2",
    ]


def test_every_row_carries_the_request_and_lines_end_as_spreadsheets_expect() -> None:
    content = file_of([LINE] * 3, COLUMNS, MARK, "A7K2")

    assert content.count(b",A7K2\r\n") == 3
    assert content.count(b"\n") == content.count(b"\r\n") == 6


def test_the_same_customers_make_the_very_same_file() -> None:
    assert file_of([LINE], COLUMNS, MARK, "A7K2") == file_of([LINE], COLUMNS, MARK, "A7K2")


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("=1+1", "'=1+1"),
        ("+86 138", "'+86 138"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\uff1d1+1", "'\uff1d1+1"),
        ("\t=1+1", "'=1+1"),
        ("\r\n=1+1", "'=1+1"),
        ("\u200b=1+1", "'=1+1"),
        ("\ufeff=1+1", "'=1+1"),
        ("\u3000=1+1", "'=1+1"),
        ("张=1", "张=1"),
        ("a\nb\tc", "a b c"),
        ('点"我', '点"我'),
        ("", ""),
    ],
)
def test_what_a_spreadsheet_would_run_is_made_text(value: str, shown: str) -> None:
    assert cell(value) == shown


@given(st.text())
def test_no_name_begins_a_formula_or_a_new_row(name: str) -> None:
    line = Line(name, name, name, (name,), (name,), name, name, (name,))

    rows = read(file_of([line], COLUMNS, MARK, "A7K2"))

    assert len(rows) == 4
    assert len(rows[2]) == len(COLUMNS)
    for value in rows[2]:
        assert not value.lstrip().startswith(("=", "+", "-", "@", "\t", "\r"))


def test_a_colleagues_customer_is_masked_in_name_and_phone_only() -> None:
    shown = masked(LINE)

    assert (shown.name, shown.phones) == ("张*", ("138****1234", "021****6666"))
    assert (shown.company, shown.tags, shown.owner) == (LINE.company, LINE.tags, LINE.owner)


@pytest.mark.parametrize(
    ("level", "allow", "full"),
    [(5, 5, True), (6, 5, True), (4, 5, False), (9, None, False), (0, None, False)],
)
def test_only_who_may_export_without_asking_sees_all(
    level: int, allow: int | None, full: bool
) -> None:
    assert sees_all(level, allow) is full
