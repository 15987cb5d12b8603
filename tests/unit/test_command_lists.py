"""Commands about several customers: lists, and what an approver leaves out of one."""

from __future__ import annotations

import pytest

from bot import commands
from bot.command_types import Add, AddMany, ApproveExcept, ApproveRequest, Fault, Unclear

TWO = "张总 某某公司 13800001234 展会认识\n李总 明达公司 13900005678 展会认识"


@pytest.mark.parametrize("verb", ["批量加", "批量添加 ", "批量报备：", "bulk add ", "Bulk-Add\n"])
def test_a_list_follows_its_verb(verb: str) -> None:
    assert commands.parse(f"{verb}\n{TWO}") == AddMany(TWO)


@pytest.mark.parametrize("verb", ["加\n", "加 ", "添加客户\n", "add\n"])
def test_several_customers_after_add_are_a_list(verb: str) -> None:
    assert commands.parse(verb + TWO) == AddMany(TWO)


def test_glued_to_the_verb_too() -> None:
    assert commands.parse(f"加{TWO}") == AddMany(TWO)


def test_one_customer_after_add_is_one_also_over_several_lines() -> None:
    text = "姓名：张总\n公司：某某公司\n电话：13800001234"

    assert commands.parse(f"加\n{text}") == Add(text)


def test_the_verb_alone_asks_for_a_list() -> None:
    assert commands.parse("批量加") == AddMany("")
    assert commands.parse("bulk add") == AddMany("")


@pytest.mark.parametrize(
    ("said", "lines"),
    [
        ("除 3 5", (3, 5)),
        ("除3、5行", (3, 5)),
        ("除了第3行和第5行", (3, 5)),
        ("除第3-5行以外都可以", (3, 4, 5)),
        ("除第三、十五、二十一行", (3, 15, 21)),
        ("不要 7", (7,)),
        ("去掉第5位", (5,)),
        ("可以，除了 2", (2,)),
        ("except 3 5", (3, 5)),
        ("except for lines 3, 5 and 7, the rest is fine", (3, 5, 7)),
        ("but not 12", (12,)),
        ("fine, leave out 4-6", (4, 5, 6)),
        ("除 5 3 5", (3, 5)),
        ("除 5-3", (3, 5)),
    ],
)
def test_lines_to_be_left_out_are_read_in_many_ways(said: str, lines: tuple[int, ...]) -> None:
    command = commands.parse(f"同意 A7K2 {said}")

    assert isinstance(command, ApproveExcept)
    assert (command.id, command.lines, command.comment) == ("A7K2", lines, said)


@pytest.mark.parametrize("said", ["除了何晨", "除 3 个月以上的", "except the rival"])
def test_an_exception_without_readable_lines_is_never_taken_for_a_plain_yes(said: str) -> None:
    command = commands.parse(f"approve A7K2 {said}")

    assert isinstance(command, ApproveExcept)
    assert command.lines == ()


@pytest.mark.parametrize(
    "said",
    [
        "加 孙八 13712341235 展会，周九 13712341236 展会",
        "加 孙八 137-1234-1235 周九 +86 13712341236",
        "add Max Doe 13712341235 fair; Jane Roe 13712341236 fair",
    ],
)
def test_a_second_number_in_a_line_is_not_passed_over(said: str) -> None:
    command = commands.parse(said)

    assert isinstance(command, Unclear)
    assert command.why is Fault.ONE_CUSTOMER


def test_one_number_said_twice_and_a_landline_are_one_customer() -> None:
    said = "孙八 13712341235 手机 137 1234 1235 座机 010-62345678 展会"
    assert commands.parse(f"加 {said}") == Add(said)


def test_what_sounds_like_no_yes_at_all_does_nothing() -> None:
    assert commands.parse("同意 A7K2 不要竞品") == Unclear(
        "approve", Fault.DOUBTFUL, "A7K2 不要竞品"
    )


@pytest.mark.parametrize("said", ["", "没问题", "谈得不错", "good customer, 3 orders"])
def test_other_comments_are_comments(said: str) -> None:
    assert commands.parse(f"同意 A7K2 {said}") == ApproveRequest("A7K2", said)
