"""Reads what follows 问归属 and 答归属 in a chat command: an id, and a wish or an answer."""

from __future__ import annotations

from collections.abc import Mapping

from bot.command_arguments import GAPS, Wrong, id_and_text, vote
from bot.command_types import AnswerOwner, AskOwner, Command, Fault

_WISHES: Mapping[str, str] = {
    "share": "分享 请分享 请对方分享 名片 share card",
    "hand_over": "转给我 转 转移 转移给我 请对方转给我 transfer handover give",
    "yield": "让 让给我 请对方让给我 yield",
}
_YES = frozenset(["同意", "可以", "行", "好", "好的", "是", "yes", "ok", "agree", "y"])
_NO = frozenset(["不同意", "不可以", "不行", "不", "否", "拒绝", "no", "n", "refuse", "decline"])


def _wished(request_id: str, rest: str) -> AskOwner:
    said = rest.strip(GAPS + "[]").lower()  # as the help writes it
    found = next((wish for wish, words in _WISHES.items() if said in words.split()), None)
    if said and found is None:
        raise Wrong(Fault.NOT_UNDERSTOOD, rest)
    return AskOwner(request_id, found)


def _answered(request_id: str, rest: str) -> AnswerOwner:
    said = rest.strip(GAPS).lower()
    if said not in _YES | _NO:
        raise Wrong(Fault.NOT_UNDERSTOOD, rest)
    return AnswerOwner(request_id, said in _YES)


_READ_WISH = vote(_wished)
_READ_ANSWER = id_and_text(_answered, Fault.WHAT_MISSING)


def to_ask_owner(rest: str) -> Command:
    """Read 'A7K2 转给我'; without a wish it is the mildest that makes sense."""
    return _READ_WISH(rest)


def to_answer_owner(rest: str) -> Command:
    """Read 'A7K2 同意'."""
    return _READ_ANSWER(rest)
