"""Makes outside text fit to show: personal data masked, markup and hidden characters taken out.

All functions are total: whatever is given, something safe comes back.
"""

from __future__ import annotations

import re
import unicodedata

_GAP = r"[\s\-\u2013\u2014.·\u200b\u200c\u2060\ufeff]{0,2}"  # also signs that nobody sees
_MOBILE = rf"(?:(?:\+|00)?86{_GAP})?1{_GAP}[3-9](?:{_GAP}[0-9]){{9}}"
_LANDLINE = rf"[（(]?0[0-9]{{2,3}}[）)]?{_GAP}[2-9][0-9]{{2,3}}{_GAP}[0-9]{{4}}"
_TOLL_FREE = rf"[48]00(?:{_GAP}[0-9]){{7}}"
_FOREIGN = rf"\+[0-9](?:{_GAP}[0-9]){{6,14}}"

#: A telephone number in text that went through `narrow`.
PHONE = re.compile(rf"(?<![0-9])(?:{_MOBILE}|{_LANDLINE}|{_TOLL_FREE}|{_FOREIGN})(?![0-9])")

_MASKED_PHONE = re.compile(r"[0-9]{2,3}\*{4}[0-9]{2,4}")
_KEPT_SIGNS = frozenset("@#?+-=/")
_JOINER = "\u200d"  # holds family emoji together
_AS_WIDE = str.maketrans({"<": "\uff1c", ">": "\uff1e", "$": "\uff04"})


def narrow(text: str) -> str:
    """Return the text with full-width letters, digits and a few signs made ASCII.

    One character stays one character, so positions in both texts agree.
    """
    return "".join(_narrow_one(char) for char in text)


def _narrow_one(char: str) -> str:
    if char.isascii():
        return char
    plain_form = unicodedata.normalize("NFKC", char)
    if len(plain_form) != 1 or not plain_form.isascii():
        return char
    kept = plain_form.isalnum() or plain_form.isspace() or plain_form in _KEPT_SIGNS
    return plain_form if kept else char


def plain(value: object) -> str:
    """Return an outside value as one line of text that WeCom shows as it is.

    `<a href>` and `$userName=…$` mean something in messages (document 90236), so their signs
    become full-width. Line ends become spaces; control, direction and hidden characters go.
    """
    kept = "".join(_visible(char) for char in str(value))
    return " ".join(kept.split()).translate(_AS_WIDE)


def _visible(char: str) -> str:
    if char == _JOINER:
        return char
    match unicodedata.category(char):
        case "Zl" | "Zp" | "Zs":
            return " "
        case "Cc":
            return " " if char.isspace() else ""
        case "Cf" | "Cs":
            return ""
        case _:
            return char


def phone_digits(text: str) -> str:
    """Return a number's digits: mainland numbers without +86, foreign ones with a leading '+'."""
    narrowed = narrow(text).strip()
    digits = "".join(char for char in narrowed if char in "0123456789")
    abroad = narrowed.startswith(("+", "00"))
    if narrowed.startswith("00"):
        digits = digits[2:]
    if digits.startswith("86") and (abroad or len(digits) == 13):
        return digits[2:]
    return f"+{digits}" if abroad and digits else digits


def mask_phone(text: str) -> str:
    """Return a telephone number with its middle hidden: '138****1234'; masked ones stay so."""
    number = text.strip()
    if not number or _MASKED_PHONE.fullmatch(number):
        return number
    digits = phone_digits(number).removeprefix("+")
    if len(digits) >= 11:
        return f"{digits[:3]}****{digits[-4:]}"
    if len(digits) >= 7:
        return f"{digits[:2]}****{digits[-2:]}"
    return "****"


def mask_name(text: str) -> str:
    """Return a name of which only the beginning can be read: '张*', 'J*** S***'."""
    name = plain(text)
    words = name.split(" ")
    if name.strip("*") and all(word[:1].isascii() for word in words):
        return " ".join(word[0] + "***" for word in words[:3])
    if len(name) <= 1:
        return "*" * len(name)
    return name[0] + "*" * min(len(name) - 1, 2)


def mask_company(text: str) -> str:
    """Return a company's name of which only the first two characters can be read: '某某***'."""
    name = plain(text).rstrip("*")
    return f"{name[: min(2, len(name) - 1)]}***" if name else ""


def mask_text(text: str) -> str:
    """Return free text with every telephone number in it masked."""
    narrowed = narrow(text)
    parts: list[str] = []
    end = 0
    for found in PHONE.finditer(narrowed):
        parts += [text[end : found.start()], mask_phone(found.group())]
        end = found.end()
    return "".join([*parts, text[end:]])
