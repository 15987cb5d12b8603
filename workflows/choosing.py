"""Finds the customer somebody means by a name among those who may be meant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workflows import asking
from workflows.masking import narrow

_BETWEEN = re.compile(r"\s*[、,，;；/]\s*")
_CHINESE = re.compile(r"[\u4e00-\u9fff]")
_ALL = frozenset(
    {"全部", "所有", "全部客户", "所有客户", "all", "everything", "everybody", "all customers"}
)
_OWNED = (
    re.compile(r"(?P<who>.+?)\s*的\s*(?P<what>.+)", re.DOTALL),
    re.compile(r"(?P<who>.+?)['\u2019]s\s+(?P<what>.+)", re.DOTALL | re.IGNORECASE),
    re.compile(
        r"(?P<what>all|everything|all customers)\s+of\s+(?P<who>.+)", re.DOTALL | re.IGNORECASE
    ),
)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A customer who may be meant, with everything they may be called."""

    external_userid: str
    name: str  # their own
    remark: str = ""  # what the member calls them
    company: str = ""


@dataclass(frozen=True, slots=True)
class Found:
    """The one who is surely meant, or those among whom somebody must choose; neither: nobody."""

    sure: Candidate | None = None
    choices: tuple[Candidate, ...] = ()


def find(wanted: str, among: Iterable[Candidate]) -> Found:
    """Return whom `wanted` means: an external_userid, a name or a remark.

    Only an exact and only one is sure. What is merely alike (part of a name or company, or 张总 for
    somebody called 张伟) is put to whoever asked, even if there is only one such.
    """
    candidates = tuple(among)
    word = _key(wanted)
    by_id = [each for each in candidates if each.external_userid == wanted.strip()]
    exact = by_id or [each for each in candidates if word and word in _called(each)]
    if len(exact) == 1:
        return Found(sure=exact[0])
    alike = exact or [each for each in candidates if word and _is_alike(word, each)]
    return Found(choices=tuple(alike))


def _called(candidate: Candidate) -> tuple[str, str]:
    return _key(candidate.name), _key(candidate.remark)


def _is_alike(word: str, candidate: Candidate) -> bool:
    called = _called(candidate)
    if any(word in each for each in (*called, _key(candidate.company))):
        return True
    return asking.is_titled(word) and any(each.startswith(word[0]) for each in called)


def _key(text: str) -> str:
    return " ".join(narrow(text).casefold().split())


def owner_and_rest(text: str) -> list[tuple[str, str]]:
    """Return how 'X的Y', "X's Y" and 'all of X' may be read: whose, and which customers.

    A customer's name may hold these too, so whoever calls must know whether X is anybody.
    """
    found = (pattern.fullmatch(text.strip()) for pattern in _OWNED)
    return [(each["who"].strip(), each["what"].strip()) for each in found if each]


def means_all(text: str) -> bool:
    """Whether all customers are meant."""
    return _key(text) in _ALL


def names_in(text: str, among: Sequence[Candidate]) -> tuple[str, ...]:
    """Return the single names in '张总、王总' or '张总 王总', each once.

    A space is part of a name where somebody is called so, and between Latin words.
    """
    pieces = [piece for piece in _BETWEEN.split(text.strip()) if piece]
    single = (word for piece in pieces for word in _words(piece, among))
    return tuple(dict.fromkeys(single))


def _words(piece: str, among: Sequence[Candidate]) -> list[str]:
    if not _CHINESE.search(piece) or find(piece, among) != Found():
        return [piece]
    return piece.split()
