"""Reading a CSV file: whole or not at all, whatever somebody has put there."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path

import pytest

from bot.sources import SourceFailed
from bot.sources.csv_file import MOST_LINE, CsvFile

TABLE = "phone,amount\n13800001234,250000\n13900005678,\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "crm.csv"


def write(file: Path, content: str, encoding: str = "utf-8") -> None:
    file.write_bytes(content.encode(encoding))


async def rows_of(
    source: CsvFile, columns: Sequence[str] = ("phone", "amount")
) -> list[tuple[int, list[object]]]:
    async with aclosing(source.pages(columns)) as pages:
        return [(line, list(cells)) async for page in pages for line, cells in page.rows]


async def failure_of(source: CsvFile, *columns: str) -> tuple[str, dict[str, str]]:
    with pytest.raises(SourceFailed) as failed:
        await rows_of(source, columns or ("phone", "amount"))
    return failed.value.code, failed.value.details


async def test_cells_come_in_the_order_asked_for_with_their_line(file: Path) -> None:
    write(file, TABLE)

    assert await rows_of(CsvFile(file), ("amount", "phone")) == [
        (2, ["250000", "13800001234"]),
        (3, ["", "13900005678"]),
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030"])
async def test_a_mark_of_the_encoding_at_the_beginning_is_no_part_of_the_header(
    file: Path, encoding: str
) -> None:
    write(file, "\ufeff电话, 交易额 \r\n13800001234,1\r\n\r\n", encoding)

    found = await rows_of(CsvFile(file, encoding), ("电话", "交易额"))

    assert found == [(2, ["13800001234", "1"])]


async def test_a_cell_in_quotes_may_hold_commas_quotes_and_line_ends(file: Path) -> None:
    write(file, 'phone,amount\n1,"a ""b"", c\nd"\n2,x\n')
    assert await rows_of(CsvFile(file)) == [(3, ["1", 'a "b", c\nd']), (4, ["2", "x"])]


async def test_a_large_file_comes_in_pages(file: Path) -> None:
    lines = "".join(f"{number},{number}\n" for number in range(2500))
    write(file, "phone,amount\n" + lines)

    async with aclosing(CsvFile(file).pages(["phone"])) as pages:
        sizes = [len(page.rows) async for page in pages]

    assert sizes == [1000, 1000, 500]


@pytest.mark.parametrize(
    ("content", "code", "details"),
    [
        ("", "no_header", {}),
        ("\n1,2\n", "no_header", {}),
        ("phone,sum\n1,2\n", "no_column", {"column": "amount", "columns": "phone, sum"}),
        ("phone,amount,amount\n1,2,3\n", "no_column", {"column": "amount"}),
        ("phone,amount\n1,2\n1\n", "wrong_width", {"line": "3", "got": "1", "wanted": "2"}),
        ("phone,amount\n1,2,3\n", "wrong_width", {"line": "2", "got": "3", "wanted": "2"}),
        ('phone,amount\n1,"2\n3,4\n', "malformed", {"line": "3"}),
        ('phone,amount\n1,"2"x\n', "malformed", {"line": "2"}),
        ("phone,amount\n1," + "x" * MOST_LINE, "line_too_long", {"line": "2"}),
    ],
)
async def test_a_file_that_is_no_whole_table_is_refused(
    file: Path, content: str, code: str, details: dict[str, str]
) -> None:
    write(file, content)

    found, told = await failure_of(CsvFile(file))

    assert found == code
    assert details.items() <= told.items()


async def test_a_file_in_another_encoding_is_refused(file: Path) -> None:
    write(file, "phone,amount\n张伟,1\n", "gb18030")
    assert await failure_of(CsvFile(file)) == (
        "wrong_encoding",
        {"line": "1", "encoding": "utf-8"},
    )


async def test_what_is_missing_or_no_file_is_refused(file: Path, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    for path in (file, tmp_path, pipe):
        assert (await failure_of(CsvFile(path)))[0] == "unreadable"
        with pytest.raises(SourceFailed):
            await CsvFile(path).stamp()


async def test_a_file_that_is_written_while_it_is_read_is_refused(file: Path) -> None:
    lines = "".join(f"{number},{number}\n" for number in range(5000))
    write(file, "phone,amount\n" + lines)

    async with aclosing(CsvFile(file).pages(["phone"])) as pages:
        await anext(pages)
        with file.open("a", encoding="utf-8") as writer:
            writer.write("9,9\n")
        with pytest.raises(SourceFailed) as failed:
            async for _ in pages:
                pass

    assert failed.value.code == "changed_meanwhile"


async def test_the_stamp_changes_with_the_file_and_tells_its_age(file: Path) -> None:
    write(file, TABLE)
    os.utime(file, (1_767_225_600, 1_767_225_600))
    before = await CsvFile(file).stamp()
    assert before == await CsvFile(file).stamp()

    write(file, TABLE + "1,1\n")
    after = await CsvFile(file).stamp()

    assert before.made_at.isoformat() == "2026-01-01T00:00:00+00:00"
    assert before.mark != after.mark
    assert after.made_at > before.made_at


async def test_whoever_stops_reading_half_way_lets_the_file_go(file: Path) -> None:
    lines = "".join(f"{number},{number}\n" for number in range(20_000))
    write(file, "phone,amount\n" + lines)

    async with aclosing(CsvFile(file).pages(["phone"])) as pages:
        first = await anext(pages)

    assert len(first.rows) == 1000
    for thread in threading.enumerate():
        if thread.name == "source":
            await asyncio.to_thread(thread.join, 10)
            assert not thread.is_alive()
