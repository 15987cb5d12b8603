"""Reads what follows 冻结, 解冻, 紧急放行 and 复盘 in a chat command."""

from __future__ import annotations

import re

from bot.command_arguments import GAPS, ID_ALPHABET, Wrong, id_and_text, vote
from bot.command_types import (
    BreakGlass,
    Command,
    ConfirmBreakGlass,
    Fault,
    Review,
    Unfreeze,
)
from workflows.freezing import Scope

_GAP = f"[{re.escape(GAPS)}]"
_BEFORE_ID = r"(?:[\s#]|编号|号|id\b)*f"
_DASH = r"\s*[-\u2013\u2014_]\s*"  # without one it may be the id of a request
_ID = rf"([{ID_ALPHABET}]{{4,6}})"
_FREEZE_ID = re.compile(rf"{_BEFORE_ID}(?:{_DASH})?\s*{_ID}", re.IGNORECASE)
_REVIEW = re.compile(rf"{_BEFORE_ID}{_DASH}{_ID}(?![0-9a-z])(.*)", re.IGNORECASE | re.DOTALL)
_EVERYTHING = re.compile(r"全部|全公司|所有人?|一切|all|everything|everybody", re.IGNORECASE)
_KINDS = {
    Scope.DEPARTMENT: re.compile(rf"(?:部门{_GAP}*|(?:department|dept){_GAP}+)(.+)", re.IGNORECASE),
    Scope.ACTION: re.compile(rf"(?:(?:动作|操作){_GAP}*|action{_GAP}+)(.+)", re.IGNORECASE),
    Scope.MEMBER: re.compile(rf"(?:(?:成员|同事){_GAP}*|member{_GAP}+)(.+)", re.IGNORECASE),
}


def scope_of(text: str) -> tuple[Scope, str]:
    """Return what a freeze is to stop, and its name as typed; a bare name is a member's."""
    said = text.strip(GAPS)
    if _EVERYTHING.fullmatch(said):
        return Scope.EVERYTHING, ""
    for scope, kind in _KINDS.items():
        if found := kind.fullmatch(said):
            return scope, found[1].strip(GAPS)
    return Scope.MEMBER, said


def to_unfreeze(rest: str) -> Unfreeze:
    """Read '[F-A7K2]', in any case and with any dash or none."""
    if not rest.strip(GAPS):
        return Unfreeze()
    found = _FREEZE_ID.fullmatch(rest.strip(GAPS + "[]"))  # as the help writes it
    if found is None:
        raise Wrong(Fault.FREEZE_ID, rest)
    return Unfreeze(f"F-{found[1].upper()}")


def to_review(rest: str) -> Command:
    """Read 'F-A7K2 结论', or 'A7K2 结论' of a request that was allowed in an emergency."""
    found = _REVIEW.fullmatch(rest.strip(GAPS))
    if found is None:
        return _review_of_request(rest)
    conclusion = found[2].strip(GAPS)
    if not conclusion:
        raise Wrong(Fault.WHAT_MISSING)
    return Review(f"F-{found[1].upper()}", conclusion)


def _break_glass(request_id: str, reason: str) -> Command:
    """Without a reason it confirms what was asked with one a moment ago."""
    return BreakGlass(request_id, reason) if reason else ConfirmBreakGlass(request_id)


_review_of_request = id_and_text(Review, Fault.WHAT_MISSING)
to_break_glass = vote(_break_glass)
