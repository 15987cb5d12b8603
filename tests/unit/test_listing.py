"""Lists of customers: one a line, read like single asks; what lacks something keeps its number."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows import listing
from workflows.claims import Claim

ZHANG = "张总 某某公司 13800001234 展会认识"
LI = "李经理 明达贸易公司 13900005678 老客户介绍"
WANG = "王芳 恒远集团"


def missing(text: str) -> dict[int, tuple[str, ...]]:
    entries = listing.unfinished(listing.read(text))
    return {each.number: each.reading.missing for each in entries}


def test_each_line_is_one_customer() -> None:
    entries = listing.read(f"{ZHANG}\n\n{LI}\n")

    assert [each.number for each in entries] == [1, 2]
    assert entries[0].claim == Claim("张总", "某某公司", "13800001234", "展会认识")
    assert entries[1].claim.name == "李经理"


@pytest.mark.parametrize("mark", ["1. ", "1、", "1) ", "① ", "12 ", "- ", "• ", "3：", "  2.  "])
def test_numbers_and_bullets_before_a_line_are_no_part_of_it(mark: str) -> None:
    assert listing.read(mark + ZHANG)[0].said == (ZHANG,)


@pytest.mark.parametrize("line", [ZHANG, "13800001234 张总 某某公司 展会认识", "张总 3.5亿 公司"])
def test_what_is_no_mark_stays(line: str) -> None:
    assert listing.read(line)[0].said == (line,)


@pytest.mark.parametrize(
    "heading", ["姓名,公司,电话,理由", "序号\t客户姓名\t手机号", "Name, Company"]
)
def test_a_heading_is_no_customer(heading: str) -> None:
    assert [each.said for each in listing.read(f"{heading}\n{ZHANG}")] == [(ZHANG,)]


def test_pasted_columns_are_read_like_words() -> None:
    line = "张总\t某某公司\t138 0000 1234\t展会认识"

    assert listing.read(line)[0].claim == Claim("张总", "某某公司", "13800001234", "展会认识")


def test_what_lines_lack_is_told_by_their_numbers() -> None:
    assert missing(f"{ZHANG}\n{WANG}\n刘总 展会认识\n13800009999") == {
        2: ("reason",),
        3: ("contact",),
        4: ("name", "reason"),
    }


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        (f"{ZHANG}\n{LI}", True),
        (f"{ZHANG}\n{WANG}", True),
        ("John Smith, Acme Ltd, 13800001111, met\nJane Roe, Beta Ltd, met too", True),
        (ZHANG, False),
        ("张总\n某某公司\n13800001234\n展会认识", False),
        ("姓名：张总\n公司：某某公司\n电话：13800001234\n理由：展会认识", False),
        ("张总 某某公司 13800001234 展会认识\n王芳 介绍", False),
        ("John Smith, Acme Ltd, 13800001111\nmet at the fair", False),
        ("", False),
    ],
)
def test_a_list_names_several_customers_and_how_to_reach_them(text: str, is_one: bool) -> None:
    assert listing.is_list(text) is is_one


@pytest.mark.parametrize(
    "answer", ["2 展会认识", "第2行：展会认识", "2、展会认识", "line 2 展会认识", "#2 展会认识"]
)
def test_an_answer_may_name_its_line(answer: str) -> None:
    entries = listing.corrected(listing.read(f"{ZHANG}\n{WANG}\n刘总 展会认识"), answer)

    assert [each.number for each in listing.unfinished(entries)] == [3]
    assert entries[1].claim == Claim("王芳", "恒远集团", "", "展会认识")


def test_several_lines_are_completed_at_once() -> None:
    entries = listing.corrected(
        listing.read(f"{WANG}\n刘总 展会认识"), "1 展会认识\n2 138 0000 9999"
    )

    assert listing.unfinished(entries) == ()
    assert entries[1].claim.phone == "13800009999"


def test_a_whole_customer_takes_the_lines_place() -> None:
    entries = listing.corrected(listing.read(f"{WANG}\n{LI}"), f"1 {ZHANG}")

    assert entries[0].said == (ZHANG,)


def test_one_reason_is_for_all_lines_that_lack_nothing_else() -> None:
    entries = listing.corrected(listing.read(f"{WANG}\n{ZHANG}\n马超 蓝天公司"), "老客户介绍")

    assert [each.claim.reason for each in entries] == ["老客户介绍", "展会认识", "老客户介绍"]


def test_what_may_be_one_customers_own_is_given_to_no_line_unless_only_one_lacks_it() -> None:
    two = listing.read("刘总 展会认识\n马总 展会认识")
    one = listing.read(f"刘总 展会认识\n{ZHANG}")

    assert listing.corrected(two, "13800009999") == two
    assert listing.unfinished(listing.corrected(one, "13800009999")) == ()


def test_an_answer_that_fits_no_line_changes_nothing() -> None:
    entries = listing.read(f"{WANG}\n刘总 展会认识")

    for answer in ("", "好的", "9 展会认识", "展会认识\n不知道"):
        assert listing.corrected(entries, answer) == entries


@given(st.text(max_size=300))
def test_whatever_is_pasted_is_read_and_a_second_reading_agrees(text: str) -> None:
    entries = listing.read(text)
    again = listing.read("\n".join(each.said[0] for each in entries))

    assert [each.number for each in entries] == list(range(1, len(entries) + 1))
    assert len(again) <= len(entries)
    assert listing.corrected(entries, "1 展会认识") is not None
    assert listing.is_list(text) in {True, False}
