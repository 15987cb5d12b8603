"""Reads what follows 加, 批量加 and 同意 where it is about several customers at once."""

from __future__ import annotations

import re

from bot import command_approvals
from bot import command_arguments as arguments
from bot.command_arguments import Wrong
from bot.command_types import AddMany, ApproveExcept, ApproveRequest, Command, Fault
from workflows import listing
from workflows.asking import looks_like_name
from workflows.masking import PHONE, narrow, phone_digits

_EXCEPT = re.compile(
    r"除了?|除去|除开|不含|不包括|不要|去掉|删掉|删除|剔除|排除|不同意"
    r"|\b(?:except|excluding|without|but\s+not|leave\s+out|leaving\s+out|remove|minus|not)\b",
    re.IGNORECASE,
)
_GAPS = re.compile(rf"[{re.escape(arguments.GAPS)}]+")
_NUMERAL = r"(?:\d{1,2}|[一二三四五六七八九十]{1,3})"
_UNIT = r"(?:行|条|位|号)"
_LINES = (
    rf"(?:第|lines?\s*|no\.?\s*|#)?\s*{_NUMERAL}(?:\s*[-~\u2013至到]\s*第?{_NUMERAL})?\s*{_UNIT}?"
)
_AND = r"(?:[\s,，、;；:：]|和|及|与|and\b|&|for\b)"
_LISTED = re.compile(
    rf"{_AND}*(?P<lines>{_LINES}(?:{_AND}+{_LINES})*)(?!\s*[\d个名天周月年])", re.IGNORECASE
)
_ONE = re.compile(rf"({_NUMERAL})(?:\s*[-~\u2013至到]\s*第?({_NUMERAL}))?")
_NUMERALS = {word: number for number, word in enumerate("一二三四五六七八九", 1)}


def to_add(rest: str) -> Command:
    """Read one customer; several lines that each name one are a list.

    A second name with a number in one line is a second customer, who would be left out unseen.
    """
    if listing.is_list(rest):
        return AddMany(rest)
    if _names_another(narrow(rest)):
        raise Wrong(Fault.ONE_CUSTOMER, rest)
    return arguments.to_add(rest)


def _names_another(said: str) -> bool:
    """Whether a name stands before another number; 他同事电话 13911112222 is none."""
    found = list(PHONE.finditer(said))
    for each in found[1:]:
        before = _GAPS.split(said[: each.start()].rstrip(arguments.GAPS))[-1]
        if phone_digits(each[0]) != phone_digits(found[0][0]) and looks_like_name(before):
            return True
    return False


def to_add_many(rest: str) -> AddMany:
    """Read a list; without one it is asked for."""
    return AddMany(rest)


def to_approve(rest: str) -> Command:
    """Read 'A7K2 除 3 5', or what else may follow.

    Whatever sounds like an exception is given on as one, even if no line can be read from it: a
    list must not be approved whole because nobody understood what was to be left out.
    """
    command = command_approvals.to_approve(rest)
    if not isinstance(command, ApproveRequest):
        return command
    found = _EXCEPT.search(command.comment)
    listed = _LISTED.match(command.comment, found.end()) if found else None
    lines = _numbers(listed["lines"]) if listed else ()
    if command.similar and found:
        raise Wrong(Fault.ALL_ALIKE, command.comment)
    if not lines:
        arguments.expect_a_yes(command.comment, rest)
    if found is None:
        return command
    return ApproveExcept(command.id, lines, command.comment, at_once=found.start() == 0)


def _numbers(text: str) -> tuple[int, ...]:
    """Return the numbers of lines, '3-5' as three of them, in ascending order."""
    numbers: set[int] = set()
    for first, last in _ONE.findall(text):
        start, end = _number(first), _number(last or first)
        numbers |= {start, end, *range(start, end)}
    return tuple(sorted(numbers))


def _number(word: str) -> int:
    if word.isdecimal():
        return int(word)
    tens, ten, ones = word.partition("十")
    if not ten:
        return _NUMERALS.get(word[-1], 0)
    return 10 * _NUMERALS.get(tens, 1) + _NUMERALS.get(ones, 0)
