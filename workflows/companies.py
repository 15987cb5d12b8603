"""Tells whether two names as people write them mean the same company.

What says nothing of who it is (legal form, place, brackets, case, width) is left out. Two names are
the same if what remains is equal, or if the name proper of one, at least four characters, begins
the other one's. Names made of general words alone are nobody's and match nothing.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from workflows import company_words

_LONGEST = 60  # characters of a name that are read
_SHORTEST_STEM = 4
_SHORTEST_OWN = 2  # characters that are neither a place nor a general word


def _any(words: str) -> str:
    return "|".join(sorted(words.split(), key=len, reverse=True))


_LATIN_LEGAL = frozenset(company_words.LATIN_LEGAL.split())
_LATIN_GENERAL = frozenset(company_words.LATIN_GENERAL.split()) | _LATIN_LEGAL
_PLACE = rf"(?:{_any(company_words.PLACES)})(?:特别行政区|自治区|新区|省|市)?"
_LEGAL = _any(company_words.LEGAL)
_GENERAL = _any(company_words.GENERAL)
_PUBLIC = _any(company_words.PUBLIC)
_OF_PLACE = re.compile(rf"[(\[{{](?:{_PLACE}|{_LEGAL})+[)\]}}]")
_LEGAL_WORD = re.compile(_LEGAL)
_GENERAL_WORD = re.compile(f"{_PLACE}|{_GENERAL}")
_OF_A_PLACE = re.compile(rf"(?:{_PLACE})+(?:{_PUBLIC})(?:{_GENERAL})*")
_LEADING_PLACE = re.compile(_PLACE)
_TRAILING_PLACE = re.compile(rf"{_PLACE}$")
_TRAILING_GENERAL = re.compile(rf"(?:{_GENERAL})$")
_BRACKETS = str.maketrans("【】「」『』《》\u3014\u3015", "()()()()()")
_BETWEEN = re.compile(r"(?<![a-z0-9]) | (?![a-z0-9])")
_ALSO_BEGINS = re.compile(r"(?<=[a-z0-9])(?=[^a-z0-9 ])|(?<= )")


@dataclass(frozen=True, slots=True)
class Company:
    """What of a name says who it is. `stem` is '' where it is too short or too general."""

    core: str
    stem: str = ""

    @property
    def begins(self) -> tuple[str, ...]:
        """The core, and what of it begins anew: behind Latin letters, a place, or a blank."""
        places = [0, *(found.end() for found in re.finditer(_ALSO_BEGINS, self.core))]
        lead = _LEADING_PLACE.match(self.core)
        places += [lead.end()] if lead else []
        tails = {self.core[at:] for at in places}
        return tuple(sorted(tail for tail in tails if tail == self.core or _is_long(tail)))

    @property
    def heads(self) -> tuple[str, ...]:
        """Every beginning of these that could be the stem of another company."""
        tails = self.begins
        found = {tail[:n] for tail in tails for n in range(_SHORTEST_STEM, len(tail) + 1)}
        return tuple(sorted(found))


def read(text: str) -> Company | None:
    """Return whom a name means; None for nobody in particular."""
    if not text:
        return None
    said = unicodedata.normalize("NFKC", text[:_LONGEST]).casefold().translate(_BRACKETS)
    said = _without_latin_forms(_OF_PLACE.sub(" ", said))
    core = _without_places(_without_legal_forms(_BETWEEN.sub("", said)))
    if not _is_distinctive(core):
        return None
    return Company(core, _stem(core))


def same(one: Company, other: Company) -> bool:
    """Whether both mean the same company. It does not matter which is which."""
    if one.core == other.core:
        return True
    return _begins(one, other.stem) or _begins(other, one.stem)


def _begins(company: Company, stem: str) -> bool:
    return bool(stem) and any(_is_head(stem, tail) for tail in company.begins)


def _is_head(stem: str, tail: str) -> bool:
    """Whether a text begins with the stem; a Latin word must not go on behind it."""
    if not tail.startswith(stem):
        return False
    after = tail[len(stem) : len(stem) + 1]
    return not (_is_latin(stem[-1]) and after and _is_latin(after))


def _is_latin(char: str) -> bool:
    return char.isascii() and char.isalnum()


def _is_long(text: str) -> bool:
    return len(text) >= _SHORTEST_STEM


def _without_latin_forms(text: str) -> str:
    """Return the text with signs made blanks, and without 'co', 'ltd' and the like behind names."""
    words = "".join(char if char.isalnum() else " " for char in text).split()
    kept = [word for at, word in enumerate(words) if at == 0 or word not in _LATIN_LEGAL]
    return " ".join(kept)


def _without_legal_forms(core: str) -> str:
    while (shorter := _LEGAL_WORD.sub("", core).strip()) != core:
        core = shorter
    return core


def _without_places(core: str) -> str:
    """Return the name without places around it, as long as a name remains."""
    while True:
        lead, trail = _LEADING_PLACE.match(core), _TRAILING_PLACE.search(core)
        shorter = core[lead.end() :] if lead else core[: trail.start()] if trail else ""
        if lead and trail and not _is_distinctive(shorter):
            shorter = core[: trail.start()]
        if not _is_distinctive(shorter.strip()):
            return core
        core = shorter.strip()


def _is_distinctive(core: str) -> bool:
    """Whether something is left that is neither a place nor a general word."""
    if _OF_A_PLACE.fullmatch(core):
        return True
    own = _GENERAL_WORD.sub("", core)
    words = [word for word in re.findall(r"[a-z0-9]+", own) if word not in _LATIN_GENERAL]
    latin = "".join(words)
    others = re.sub(r"[a-z0-9\s]+", "", own)
    return len(others) >= _SHORTEST_OWN or (len(latin) >= _SHORTEST_OWN and not latin.isdecimal())


def _stem(core: str) -> str:
    """Return the name proper, without the trades behind it as long as enough is left."""
    stem = core
    while found := _TRAILING_GENERAL.search(stem):
        shorter = stem[: found.start()]
        if not (_is_long(shorter) and _is_distinctive(shorter)):
            break
        stem = shorter
    return stem if _is_long(stem) else ""
