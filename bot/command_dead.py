"""Reads what follows 死信 and 重放 in a chat command."""

from __future__ import annotations

import re

from bot.command_arguments import GAPS, Wrong
from bot.command_types import DeadLetters, Fault, ReplayWork

_NUMBER = re.compile(r"(?:#|no\.?|第)?\s*([0-9]{1,15})\s*号?", re.IGNORECASE | re.ASCII)
_ALL = re.compile(r"全部|所有|都|all|everything", re.IGNORECASE)


def to_dead(rest: str) -> DeadLetters:
    """Read '[12]'."""
    said = rest.strip(GAPS + "[]")
    return DeadLetters(_number(said)) if said else DeadLetters()


def to_replay(rest: str) -> ReplayWork:
    """Read '12' or '全部'."""
    said = rest.strip(GAPS + "[]")
    if not said:
        raise Wrong(Fault.WHAT_MISSING)
    return ReplayWork() if _ALL.fullmatch(said) else ReplayWork(_number(said))


def begins_with_number(rest: str) -> bool:
    """Whether a number, or 'all', may be meant, without a space before it."""
    said = rest.strip(GAPS + "[]")
    return bool(_NUMBER.fullmatch(said) or _ALL.fullmatch(said))


def _number(said: str) -> int:
    found = _NUMBER.fullmatch(said)
    if found is None:
        raise Wrong(Fault.NOT_UNDERSTOOD, said)
    return int(found[1])
