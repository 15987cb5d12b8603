"""Reads what follows 同意, 拒绝 and 请假 in a chat command: all that are alike, and until when."""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.command_arguments import GAPS, Wrong, duration_of, names_another, person, vote
from bot.command_types import ApproveRequest, Away, Command, Day, DenyRequest, Fault

_GAP = f"[{re.escape(GAPS)}]"
_SIMILAR = re.compile(rf"(?:全部)?(?:同类|similar|alike)(?:{_GAP}+|$)", re.IGNORECASE)
_FOR = re.compile(
    r"(?<![0-9A-Za-z.])(?:\d{1,4}(?:\.\d)?|[零一二两三四五六七八九十半])\s*"
    r"(?:周|个?星期|天|日|个?小时|个?钟头|weeks?|days?|hours?|w|d|h)(?![A-Za-z号])",
    re.IGNORECASE,
)
_UNTIL = r"(?:到|至|直到|until\b|till\b|through\b)\s*"
_ZH_DAYS = {word: n for n, word in enumerate("一二三四五六")} | {"日": 6, "天": 6}
_EN_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_AHEAD = {"今天": 0, "明天": 1, "后天": 2, "大后天": 3, "today": 0, "tomorrow": 1}
_NAMED = (
    r"(?P<ahead>今天|明天|大?后天|today\b|tomorrow\b)"
    r"|(?P<next>下|next\s+)?(?:本|这)?(?:周|星期|礼拜)(?P<zh>[一二三四五六日天])"
)
_ENGLISH = (
    r"(?P<soon>next\s+)?(?P<en>mon|tue|wed|thu|fri|sat|sun)"
    r"(?:day|s|sday|nesday|r|rs|rsday|urday)?\b"
)
_UNTIL_DAY = re.compile(
    rf"{_UNTIL}(?:{_NAMED}|{_ENGLISH}"
    r"|(?:(?P<month>\d{1,2})\s*[月/-]\s*)?(?P<day>\d{1,2})\s*[日号]?)(?:底|为止)?",
    re.IGNORECASE,
)
# More of it must be said than of an end: 周一凡 and Sunny are people, and 3日 are three days.
_FROM_DAY = re.compile(
    rf"(?:(?:(?:from|on|starting)\s+|\b(?=next\s)){_ENGLISH}|(?:从|自|from\s+|on\s+)?(?:{_NAMED}"
    r"|(?<!\d)(?:(?P<month>\d{1,2})\s*[月/-]\s*)?(?P<day>(?<=[月/-])\d{1,2}\s*[日号]?|\d{1,2}\s*号)))"
    rf"\s*(?:起|开始|全天)?(?={_GAP}|给|由|让|[到至0-9一二两三四五六七八九十半]|until\b|till\b|$)",
    re.IGNORECASE,
)


def to_approve(rest: str) -> Command:
    """Read 'A7K2 [同类] [说明]'."""
    return vote(_similar(ApproveRequest))(rest)


def to_deny(rest: str) -> Command:
    """Read 'A7K2 [同类] 原因'."""
    return vote(_similar(DenyRequest))(rest)


def _similar(make: Callable[[str, str, bool], Command]) -> Callable[[str, str], Command]:
    def read(request_id: str, comment: str) -> Command:
        found = _SIMILAR.match(comment)
        if found is None:
            return make(request_id, comment, False)
        more = comment[found.end() :]
        if names_another(more):
            raise Wrong(Fault.ALL_ALIKE, more)
        return make(request_id, more, True)

    return read


def to_away(rest: str) -> Away:
    """Read '3天 给谁', '到周五 给谁', '明天 给谁' or '下周一到周三 给谁', in any order."""
    ends = _UNTIL_DAY.search(rest)
    rest = _without(rest, ends)
    begins = _FROM_DAY.search(rest)
    rest = _without(rest, begins)
    lasts = None if ends else _FOR.search(rest)
    if not (ends or begins or lasts):
        raise Wrong(Fault.DURATION, rest.strip(GAPS))
    return Away(
        person(re.sub(r"^for\b|\bfor$", "", _without(rest, lasts), flags=re.IGNORECASE)),
        duration_of(lasts[0]) if lasts else None,
        since=_day(begins) if begins else None,
        until=_day(ends) if ends else None,
    )


def _without(text: str, found: re.Match[str] | None) -> str:
    if found is None:
        return text
    return f"{text[: found.start()]} {text[found.end() :]}".strip(GAPS)


def _day(found: re.Match[str]) -> Day:
    if ahead := found["ahead"]:
        return Day(ahead=_AHEAD[ahead.lower()])
    if found["zh"]:
        return Day(weekday=_ZH_DAYS[found["zh"]], next_week=bool(found["next"]))
    if found["en"]:
        return Day(weekday=_EN_DAYS.index(found["en"].lower()), next_week=bool(found["soon"]))
    month = int(found["month"]) if found["month"] else None
    day = int(found["day"].rstrip("日号 "))
    if not 1 <= day <= 31 or (month is not None and not 1 <= month <= 12):
        raise Wrong(Fault.DURATION, found[0].strip(GAPS))
    return Day(month=month, day=day)
