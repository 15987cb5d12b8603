"""Reads '张总 VIP': which of the words are corp tags, and who is meant by the others."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from workflows.masking import narrow
from workflows.mistakes import near

_WORD = re.compile(r"[^\s、,，;；]+")
_GAPS = " \t\r\n、,，;；"
_REASON = re.compile(
    r"[\s，,;；]+(?:原因|理由|因为|because|reason)\s*[:：]?\s*(?P<reason>.+)$",
    re.IGNORECASE | re.DOTALL,
)
_MOST_WORDS = 4  # of one tag


@dataclass(frozen=True, slots=True)
class Split:
    """What was understood; `unknown` is the word that should have been a tag and is none."""

    whom: str
    tags: tuple[str, ...] = ()
    unknown: str = ""
    reason: str = ""


def split(text: str, known: Iterable[str]) -> Split:
    """Return whom a text is about and which tags it names: all known ones at its end.

    The first word is never a tag, so somebody may be called as one.
    """
    said = text.strip()
    found = _REASON.search(said)
    reason = found["reason"].strip() if found else ""
    said = said[: found.start()] if found else said
    spelled = {_key(name): name for name in known}
    words = list(_WORD.finditer(said))
    for start in range(1, len(words)):
        tags = _all_tags([word[0] for word in words[start:]], spelled)
        if tags:
            whom = said[: words[start].start()].rstrip(_GAPS)
            return Split(whom, tags, reason=reason)
    if len(words) < 2:
        return Split(said, reason=reason)
    whom = said[: words[-1].start()].rstrip(_GAPS)
    return Split(whom, unknown=words[-1][0], reason=reason)


def _all_tags(words: Sequence[str], spelled: Mapping[str, str]) -> tuple[str, ...]:
    """Return the tags that the words make up without any word being left; () if they do not."""
    tags: list[str] = []
    at = 0
    while at < len(words):
        ends = range(min(len(words), at + _MOST_WORDS), at, -1)
        end = next((end for end in ends if _key(" ".join(words[at:end])) in spelled), None)
        if end is None:
            return ()
        tags.append(spelled[_key(" ".join(words[at:end]))])
        at = end
    return tuple(dict.fromkeys(tags))


def meant(unknown: str, known: Iterable[str]) -> str:
    """Return the tag that was probably meant, or an empty text."""
    return near(unknown, known)


def _key(name: str) -> str:
    return " ".join(narrow(name).casefold().split())
