"""Reads chat commands, Chinese and English: a message in, one value of a closed union out."""

from __future__ import annotations

import re

from bot import command_arguments as arguments
from bot import command_doubts
from bot.command_arguments import Wrong
from bot.command_types import Command, Fault, PlainText, Unclear
from bot.replies import without_ids
from bot.verbs import VERBS, Found, matches
from workflows.masking import narrow


def parse(text: str) -> Command:
    """Return the command in a message."""
    said = _bare(text)
    found = next(matches(said), None) or _id_first(said)
    if found is None:
        return _near(said) or PlainText(text)
    if found.verb.name in command_doubts.ACTING and (
        command_doubts.is_doubtful(found.rest) or said.endswith("?")
    ):
        return Unclear(found.verb.name, Fault.DOUBTFUL, said)
    command = _read(found)
    if isinstance(command, PlainText):
        return PlainText(text)
    return command


def language_of(text: str) -> str | None:
    """Return the language to answer in, by the verb or else the letters; None if unsure."""
    said = _bare(text)
    found = next(matches(said), None)
    told = found.word if found and found.word[0].isalpha() else without_ids(said)
    if told != said and re.fullmatch(r"\W*ok\W*", told, re.IGNORECASE):
        return None  # an id, and what people say in any language
    if re.search(r"[\u4e00-\u9fff]", told):
        return "zh-CN"
    return "en" if re.search(r"[A-Za-z]{2}", told) else None


def _bare(text: str) -> str:
    """Return the message without what stands around a command: `@门卫`, a slash, a polite word."""
    before = arguments.GAPS.replace("?", "")  # a question mark is a verb: help
    said = narrow(text).strip().lstrip(before)
    said = re.sub(r"^@(?:门卫|menwei|\S+\s)", "", said, flags=re.IGNORECASE).lstrip(before)
    return re.sub(r"^(?:/|麻烦|帮我|帮忙)+\s*(?=\S)", "", said)


def _id_first(said: str) -> Found | None:
    """Return the verb of 'A7K2 同意 …', with the id put where it belongs."""
    parts = re.match(r"#?([0-9A-Za-z]{4,6})[\s,，:]*([^\s,，:].*)", said, re.DOTALL)
    if parts is None or not arguments.is_id(parts[1]):
        return None
    found = next(matches(parts[2]), None)
    if found is None or not found.verb.takes_id or found.glued:
        return None
    return Found(found.verb, found.word, f"{parts[1]} {found.rest}", glued=False)


def _read(found: Found) -> Command:
    if found.glued and not found.verb.glued(found.rest):
        if found.verb.takes_id and len(found.word) > 1:
            denied = command_doubts.is_taken_back(found.rest)  # 同意不了 A7K2
            why = Fault.DOUBTFUL if denied else Fault.ID_MISSING
            return Unclear(found.verb.name, why, found.rest)
        return PlainText("")
    try:
        return found.verb.read(found.rest)
    except Wrong as wrong:
        return Unclear(found.verb.name, wrong.why, wrong.text)


#: Begins a question in free words; one letter from 请假, and never a slip of it.
_ASKING = "请问"


def _near(said: str) -> Unclear | None:
    """Return the verb that the message nearly begins with.

    A verb that needs an id or a number is suggested only beside one, others only when nothing else
    was said: people also just talk.
    """
    head = re.match(r"[\u4e00-\u9fff]+|[A-Za-z-]+", said)
    if head is None:
        return None
    if head[0].startswith(_ASKING) or command_doubts.is_taken_back(head[0]):
        return None  # 别批 is no slip of 免批
    words = re.findall(r"[0-9A-Za-z]+", said)
    has_id, has_number = any(map(arguments.is_id, words)), any(map(str.isdecimal, words))
    goes_on = has_id or has_number  # '拒决这个 A7K2' is 拒绝, '谁加了谁' is not 添加
    alone = said.strip(arguments.GAPS) == head[0]
    for each in VERBS:
        is_meant = has_id if each.takes_id else has_number if each.takes_number else alone
        if is_meant:
            for word in (*each.zh, *each.en):
                typed = head[0][: len(word)] if goes_on and not word.isascii() else head[0]
                if arguments.is_slip(typed.lower(), word):
                    return Unclear(each.name, Fault.NEAR, typed)
    return None
