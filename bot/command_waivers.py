"""Reads what follows 免批 and 取消免批 in a chat command: an id, days, uses, a comment."""

from __future__ import annotations

import re

from bot.command_arguments import GAPS, ID_ALPHABET, Wrong, assent
from bot.command_types import Command, EndWaiver, Fault, Waive

_SHOW = frozenset({"", "列表", "清单", "list"})
_NUMERALS = {word: n for n, word in enumerate("零一二三四五六七八九十")} | {"两": 2}
_WORDS = "".join(_NUMERALS) + "百半"
_NUMBER = rf"(?<![0-9A-Za-z.第{_WORDS}])(\d+(?:\.\d+)?|[{_WORDS}]+)\s*"
_DAYS = re.compile(rf"{_NUMBER}(?:天|日|days?\b|d\b)", re.IGNORECASE)
_WEEKS = re.compile(rf"{_NUMBER}(?:周|个?星期|weeks?\b|w\b)", re.IGNORECASE)
_USES = re.compile(rf"{_NUMBER}(?:次|times?\b|uses?\b|x\b)", re.IGNORECASE)
_OTHER = re.compile(
    rf"{_NUMBER}(?:个?小时|个?钟头|分钟?|个?月|hours?\b|h\b|min(?:ute)?s?\b|months?\b)",
    re.IGNORECASE,
)
_GAP = f"[{re.escape(GAPS)}]"
_BARE = re.compile(rf"{_GAP}*(\d+)(?={_GAP}|$)")
_WAIVER_ID = re.compile(
    rf"(?:[\s#]|编号|号|id\b)*w\s*[-\u2013\u2014_]?\s*([{ID_ALPHABET}]{{4,6}})", re.IGNORECASE
)


def to_waive(rest: str) -> Command:
    """Read 'A7K2 3天 5次 说明'; nothing asks for the list. Bare numbers are days, then uses.

    What is left out is the most that the rules allow. So a length in anything but whole days is
    wrong and not passed over: it would give more than was meant.
    """
    return Waive() if rest.strip(GAPS).lower() in _SHOW else _READ(rest)


def _waive(request_id: str, rest: str) -> Waive:
    if found := _OTHER.search(rest):
        raise Wrong(Fault.WHOLE_DAYS, found[0])
    days, rest = _taken(_DAYS, rest)
    weeks, rest = _taken(_WEEKS, rest)
    uses, rest = _taken(_USES, rest)
    if weeks is not None:
        days = (days or 0) + 7 * weeks
    if days is None:
        days, rest = _taken(_BARE, rest, at_start=True)
    if uses is None:
        uses, rest = _taken(_BARE, rest, at_start=True)
    return Waive(request_id, days, uses, rest.strip(GAPS))


_READ = assent(_waive)


def _taken(wanted: re.Pattern[str], rest: str, *, at_start: bool = False) -> tuple[int | None, str]:
    """Return the number found, and the text without it; Wrong for 0, a half and the like."""
    found = wanted.match(rest) if at_start else wanted.search(rest)
    if found is None:
        return None, rest
    number = int(found[1]) if found[1].isdecimal() else _NUMERALS.get(found[1], 0)
    if number < 1:
        raise Wrong(Fault.WHOLE_DAYS, found[0])
    return number, f"{rest[: found.start()]} {rest[found.end() :]}"


def to_end_waiver(rest: str) -> EndWaiver:
    """Read 'W-A7K2', in any case and with any dash or none."""
    found = _WAIVER_ID.fullmatch(rest.strip(GAPS))
    if found is None:
        raise Wrong(Fault.WAIVER_ID, rest)
    return EndWaiver(f"W-{found[1].upper()}")
