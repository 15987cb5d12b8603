"""Reads what follows the verb of a chat command: ids, durations, people, free text."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta

from bot import command_doubts
from bot.command_types import (
    Add,
    AskRight,
    Command,
    Fault,
    Feedback,
    Freeze,
    Grant,
    Look,
    RevokeRight,
    Rights,
)
from workflows import asking
from workflows.masking import PHONE

ID_ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # nothing that looks like something else
LOOK_ALIKES = "0O1IL"
GAPS = (
    ' \t\r\n\u2005\u3000,，:：;；.。!！?？、~～…"“”'  # between a verb and what follows, and around
)

_ID_PLACE = re.compile(
    r"(?:\s|[#,，:：]|一下|这个|申请|编号|单号|号|id(?![0-9a-z])|no\b\.?)*([0-9a-z]+)(.*)",
    re.IGNORECASE | re.DOTALL,
)
_BEFORE_COMMENT = re.compile(
    r"^(?:原因|理由|说明|意见|because|reason)\s*[:：,， ]\s*", re.IGNORECASE
)
_BEFORE_PERSON = re.compile(r"^(?:请|交?给|由|让|找|to\b|for\b|with\b)\s*", re.IGNORECASE)
_NUMERALS: dict[str, float] = {word: n for n, word in enumerate("零一二三四五六七八九十")} | {
    "两": 2,
    "半": 0.5,
}
_UNITS = {
    "周|个?星期|weeks?|w": timedelta(weeks=1),
    "天|日|days?|d": timedelta(days=1),
    "个?小时|个?钟头|hours?|h": timedelta(hours=1),
    "分钟?|minutes?|mins?|m": timedelta(minutes=1),
}
_DURATION = re.compile(
    rf"(?<![0-9A-Za-z.])(\d{{1,4}}(?:\.\d)?|[{''.join(_NUMERALS)}])\s*(?:"
    + "|".join(f"({unit})" for unit in _UNITS)
    + r")(?![A-Za-z])",
    re.IGNORECASE,
)
_LONGEST = timedelta(days=366)

# Everyday words that begin with 加; English ones that follow 'add'.
_NOT_ADDING = re.compile(
    r"油|班|入|上|强|价|急|载|盟|工|快|倍|深|薪|群|钱|分|大|州|减|速|热|温|固|密|个|一|我|你|他|她|们"
    r"|(?:up|on|to|in|more|it|this|that)\b"
)


class Wrong(Exception):
    """A command's arguments cannot be read; `text` is the part that was not understood."""

    def __init__(self, why: Fault, text: str = "") -> None:
        super().__init__(why, text)
        self.why = why
        self.text = text


def never(_rest: str) -> bool:
    """Nothing may follow the verb without a space."""
    return False


def always(_rest: str) -> bool:
    """Anything may follow the verb without a space."""
    return True


def is_id(word: str) -> bool:
    """Whether a word is written like the id of a request and hardly like anything else."""
    return _is_wellformed(word.upper()) and any(c.isdigit() for c in word)


def starts_with_id(rest: str) -> bool:
    """Whether something meant as an id comes first."""
    found = _ID_PLACE.match(rest)
    return found is not None and 3 <= len(found[1]) <= 8


def is_name(rest: str) -> bool:
    """Whether the rest is somebody's name and no more."""
    return asking.looks_like_name(rest.strip(GAPS))


def is_one_or_two_names(rest: str) -> bool:
    """Whether the rest is the name of a member, a customer, or both, and no more."""
    rights = to_rights(rest)
    names = [name for name in (rights.who, rights.customer) if name]
    return bool(names) and all(map(asking.looks_like_name, names))


def is_findable(rest: str) -> bool:
    """Whether the rest is an id, a telephone number or a name."""
    what = rest.strip(GAPS)
    return is_id(what) or PHONE.fullmatch(what) is not None or is_name(what)


def is_ask(rest: str) -> bool:
    """Whether this may follow 加 without a space: a name, then more that only an ask would have."""
    if _NOT_ADDING.match(rest):
        return False
    name, *more = re.split(r"[\s,，、;；]+|(?<=[^\d\s])(?=\+?\d)", rest.strip(GAPS))
    if not more or not asking.looks_like_name(name):
        return False
    return (
        asking.is_titled(name)
        or PHONE.search(rest) is not None
        or any(map(asking.is_company, more))
    )


def nothing(make: Callable[[], Command]) -> Callable[[str], Command]:
    """Return the reader of a command that stands alone."""

    def read(rest: str) -> Command:
        if rest.strip(GAPS):
            raise Wrong(Fault.NOT_UNDERSTOOD, rest)
        return make()

    return read


def only_id(make: Callable[[str], Command]) -> Callable[[str], Command]:
    """Return the reader of a command about one request; what follows the id is ignored, unless it
    is the id of another one.
    """

    def read(rest: str) -> Command:
        request_id, more = _id_and_rest(rest)
        _expect_no_other(more)
        return make(request_id)

    return read


def vote(make: Callable[[str, str], Command]) -> Callable[[str], Command]:
    """Return the reader of a command with an id and perhaps a comment."""

    def read(rest: str) -> Command:
        return make(*_id_and_rest(rest))

    return read


def assent(make: Callable[[str, str], Command]) -> Callable[[str], Command]:
    """Return the same for one that says yes, and nothing else: see `expect_a_yes`."""

    def read(rest: str) -> Command:
        request_id, comment = _id_and_rest(rest)
        expect_a_yes(comment, rest)
        return make(request_id, comment)

    return read


def expect_a_yes(comment: str, rest: str) -> None:
    """Raise Wrong where the words behind an id take the yes back, or name another request."""
    _expect_no_other(comment)
    if command_doubts.is_taken_back(comment):
        raise Wrong(Fault.DOUBTFUL, rest.strip())


def _expect_no_other(comment: str) -> None:
    if names_another(comment):
        raise Wrong(Fault.ONE_AT_A_TIME, comment)


def names_another(comment: str) -> bool:
    """Whether the words behind an id hold the id of another request."""
    return any(map(is_id, re.findall(r"[0-9A-Za-z]+", comment)))


def id_and_text(make: Callable[[str, str], Command], lacking: Fault) -> Callable[[str], Command]:
    """Return the reader of a command with an id and a text that must be there."""

    def read(rest: str) -> Command:
        request_id, text = _id_and_rest(rest)
        return make(request_id, _needed(text, lacking))

    return read


def id_and_who(make: Callable[[str, str], Command]) -> Callable[[str], Command]:
    """Return the reader of a command with an id and a person."""

    def read(rest: str) -> Command:
        request_id, text = _id_and_rest(rest)
        return make(request_id, person(text))

    return read


def to_add(rest: str) -> Add:
    """Return the ask; a lone character is none, nor is an everyday word such as 加油."""
    wanted = _needed(rest, Fault.WHAT_MISSING)
    lone = len(wanted.strip(GAPS)) < 2 or (_NOT_ADDING.match(wanted) and wanted[0].isascii())
    if lone:
        raise Wrong(Fault.WHAT_MISSING, wanted)
    return Add(wanted)


def to_look(rest: str) -> Look:
    """Return what is to be looked up; an id in capitals."""
    what = _needed(rest.strip(GAPS), Fault.WHAT_MISSING)
    bare = what.lstrip("#")
    return Look(bare.upper() if is_id(bare) else what)


def to_rights(rest: str) -> Rights:
    """Read '[谁] [客户]'; what follows the first word is the customer."""
    who, *customer = re.split(r"[\s,，、]+", rest.strip(GAPS), maxsplit=1)
    return Rights(who or None, customer[0] if customer else None)


def to_feedback(rest: str) -> Feedback:
    """Return the word to the admins."""
    return Feedback(_needed(rest, Fault.WHAT_MISSING))


def to_ask_right(rest: str) -> AskRight:
    """Read '动作 3天 原因'."""
    action, duration, reason = _around_duration(rest)
    return AskRight(_needed(action, Fault.WHAT_MISSING), duration, _needed(reason))


def to_grant(rest: str) -> Grant:
    """Read '谁 动作 3天 原因'."""
    before, duration, reason = _around_duration(rest)
    who, action = _two(before)
    return Grant(who, action, duration, _needed(reason))


def to_revoke(rest: str) -> RevokeRight:
    """Read '谁 动作'."""
    who, action = _two(rest)
    return RevokeRight(who, action)


def to_freeze(rest: str) -> Freeze:
    """Read '范围 3天 原因'."""
    scope, duration, reason = _around_duration(rest)
    return Freeze(_needed(scope), duration, _needed(reason))


def duration_of(text: str) -> timedelta | None:
    """Return a length of time such as '3天', '2h' or '半小时'; None if it is none."""
    found = _DURATION.fullmatch(text.strip())
    return _length(found) if found else None


def is_slip(typed: str, word: str) -> bool:
    """Whether `typed` is `word` with one slip; two in longer English words.

    Short English words and those that end in 的 are like too many others to be guessed at.
    """
    if typed == word or word.endswith("的") or abs(len(typed) - len(word)) > 2 or len(word) < 2:
        return False
    if not word.isascii():
        return len(typed) == len(word) and _slips(typed, word) == 1
    if len(word) < 5:
        return (
            len(typed) == len(word) and sorted(typed) == sorted(word) and _slips(typed, word) == 1
        )
    return _slips(typed, word) <= (1 if len(word) < 6 else 2)


def _slips(one: str, other: str) -> int:
    """Return how many letters were missed, added, changed or swapped with their neighbour."""
    older: list[int] = []
    old = list(range(len(other) + 1))
    for i, char in enumerate(one, 1):
        row = [i]
        for j, target in enumerate(other, 1):
            cost = min(old[j] + 1, row[-1] + 1, old[j - 1] + (char != target))
            if i > 1 and j > 1 and char == other[j - 2] and one[i - 2] == target:
                cost = min(cost, older[j - 2] + 1)
            row.append(cost)
        older, old = old, row
    return old[-1]


def _is_wellformed(word: str) -> bool:
    return 4 <= len(word) <= 6 and all(char in ID_ALPHABET for char in word)


def _id_and_rest(rest: str) -> tuple[str, str]:
    found = _ID_PLACE.match(rest)
    if found is None:
        raise Wrong(Fault.ID_MISSING, rest)
    word = found[1].upper()
    if not _is_wellformed(word):
        meant = any(char.isdigit() for char in word) or found[1].isupper()
        odd = meant and 4 <= len(word) <= 6
        raise Wrong(Fault.ID_LETTERS if odd else Fault.ID_SHAPE, found[1])
    after = _BEFORE_COMMENT.sub("", found[2].lstrip(GAPS + "-—")).strip()
    if is_id(re.split(rf"[{re.escape(GAPS)}]", after)[0]):
        raise Wrong(Fault.ONE_AT_A_TIME, after)
    return word, after


def _around_duration(rest: str) -> tuple[str, timedelta, str]:
    found = _DURATION.search(rest)
    if found is None:
        raise Wrong(Fault.DURATION, rest)
    return rest[: found.start()].strip(GAPS), _length(found), rest[found.end() :].strip(GAPS)


def _length(found: re.Match[str]) -> timedelta:
    number = _NUMERALS.get(found[1])
    unit = next(
        size for size, word in zip(_UNITS.values(), found.groups()[1:], strict=True) if word
    )
    length = unit * float(found[1] if number is None else number)
    if not timedelta(0) < length <= _LONGEST:
        raise Wrong(Fault.DURATION, found[0])
    return length


def _needed(text: str, lacking: Fault = Fault.WHAT_MISSING) -> str:
    if not text.strip(GAPS):
        raise Wrong(lacking)
    return text.strip()


def person(text: str) -> str:
    """Return who is named; Wrong for nobody."""
    return _needed(_BEFORE_PERSON.sub("", text.strip(GAPS)), Fault.WHO_MISSING)


def _two(text: str) -> tuple[str, str]:
    who, *action = text.split(maxsplit=1) if text.split() else ("",)
    return person(who), _needed(" ".join(action))
