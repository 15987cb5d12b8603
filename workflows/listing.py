"""Reads a pasted list of customers, one a line, and what a member answers to what it lacks.

Every line is read by `asking`; a line that lacks something keeps its number until it is completed,
so that whoever sent the list is told which lines are meant.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from workflows import asking
from workflows.claims import Claim
from workflows.masking import narrow

MOST = 50  # customers in one list: a supervisor has to look at every one of them

# '3. ', '3、', '③ ', '- '
_MARK = r"(?:[-•*·]\s+|(?:\d{1,2}|[①-⑳])\s*(?:(?:[、)）:：]|\.(?!\d))|\s(?=\s*\D)))"
_BEFORE = re.compile(rf"^\s*{_MARK}\s*")
_CORRECTION = re.compile(
    r"\s*(?:第|line\s+|no\.?\s*|#)?(\d{1,2})\s*(?:行|条|位|号)?(?:[\s.、,，:：)）]+|(?=[^\d\s]))(.+)",
    re.IGNORECASE,
)
_HEADINGS = frozenset(
    {
        *("序号", "编号", "姓名", "名字", "客户", "客户姓名", "客户名称", "称呼", "联系人"),
        *("公司", "公司名称", "单位", "企业", "电话", "手机", "手机号", "手机号码", "联系电话"),
        *("联系方式", "理由", "原因", "备注", "说明", "添加理由", "申请理由"),
        *("no", "#", "name", "customer", "contact", "company", "firm", "phone", "mobile", "tel"),
        *("reason", "note", "notes"),
    }
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a list: as sent, and then what was added to it. Numbers start from 1."""

    number: int
    said: tuple[str, ...]

    @property
    def reading(self) -> asking.Reading:
        """What is understood of it by now, and what is missing."""
        first, *more = self.said
        found = asking.read(first)
        for each in more:
            found = asking.complete(found, each)
        return found

    @property
    def claim(self) -> Claim:
        """What the member says about this customer."""
        return self.reading.claim


Entries = tuple[Entry, ...]


def read(text: str) -> Entries:
    """Return the lines of a list that are not blank, without bullets, numbers and a heading."""
    lines = [_BEFORE.sub("", line, count=1).strip() for line in text.splitlines()]
    lines = [line for line in lines if line]
    if lines and _is_heading(lines[0]):
        lines = lines[1:]
    return tuple(Entry(number, (line,)) for number, line in enumerate(lines, 1))


def is_list(text: str) -> bool:
    """Whether a text names several customers, each on a line of its own with how to reach them.

    One customer over several lines (name, company, number, reason) is no list.
    """
    entries = read(text)[:MOST]
    return len(entries) > 1 and sum(_is_whole(entry.claim) for entry in entries) > 1


def unfinished(entries: Iterable[Entry]) -> Entries:
    """Return the lines of which something is missing."""
    return tuple(each for each in entries if each.reading.missing)


def corrected(entries: Entries, more: str) -> Entries:
    """Return the list with an answer put in; the very same list if the answer fits no line.

    `3 13800001234` is for line 3, and a whole customer takes the line's place. What names no line
    is for all unfinished ones, if they lack the same thing and not a name.
    """
    lines = [line for line in narrow(more).splitlines() if line.strip()]
    numbered = [found for line in lines if (found := _CORRECTION.fullmatch(line))]
    if lines and len(numbered) == len(lines):
        answers = {int(found[1]): found[2].strip() for found in numbered}
        return tuple(_with(each, answers.get(each.number, "")) for each in entries)
    lacking = unfinished(entries)
    alike = len({each.reading.missing for each in lacking}) == 1
    if len(lines) != 1 or not lacking or not alike:
        return entries
    if len(lacking) > 1 and lacking[0].reading.missing != ("reason",):
        return entries  # a number or a name belongs to one customer
    meant = {each.number for each in lacking}
    return tuple(_with(each, lines[0] if each.number in meant else "") for each in entries)


def _with(entry: Entry, answer: str) -> Entry:
    if not answer:
        return entry
    if not asking.read(answer).missing:
        return Entry(entry.number, (answer,))
    return replace(entry, said=(*entry.said, answer))


def _is_whole(claim: Claim) -> bool:
    words = claim.name.split()
    named = bool(words) and all(map(asking.looks_like_name, words))
    return named and bool(claim.phone or claim.company)


def _is_heading(line: str) -> bool:
    words = [word for word in re.split(r"[\s,，;；、|]+", narrow(line).lower()) if word]
    return len(words) > 1 and all(word in _HEADINGS for word in words)
