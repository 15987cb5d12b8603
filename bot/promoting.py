"""Turns a rule on trial into one that is enforced: one word of the file, and nothing around it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
import tomllib
from pathlib import Path
from typing import Any

from bot.places import Place, Places

_SHADOW = re.compile(r"""\s*=\s*(["'])shadow\1""")


class Unclear(Exception):
    """The rule stands in the file in a way that only a person should edit."""


def enforced(text: str, rule: str) -> str:
    """Return the text of a config file with a rule's mode as 'enforce', all else as it was.

    Raises Unclear when that cannot be done by changing or adding this one key. The text is one
    that was read as a good file with this rule on trial.
    """
    data = tomllib.loads(text)
    index = next(n for n, each in enumerate(data["rule"]) if each["id"] == rule)
    key = "mode" if "mode" in data["rule"][index] else "id"
    place = Places(text).of(("rule", index, key))
    if place is None:
        raise Unclear
    changed = (_replaced if key == "mode" else _added)(text, place)
    data["rule"][index]["mode"] = "enforce"
    if _parsed(changed) != data:  # the key was not where it seemed to be
        raise Unclear
    return changed


def _replaced(text: str, place: Place) -> str:
    """Return the text with the value of the key at this place as 'enforce'."""
    start = _offset(text, place) + place.length
    found = _SHADOW.match(text, start)
    if found is None:
        raise Unclear
    value = found[0].replace("shadow", "enforce")
    return f"{text[:start]}{value}{text[found.end() :]}"


def _added(text: str, place: Place) -> str:
    """Return the text with the mode before the key at this place."""
    start = _offset(text, place)
    before = place.text[: place.column - 1]
    newline = "\r\n" if "\r\n" in text else "\n"
    gap = ", " if before.strip() else f"{newline}{before}"
    return f'{text[:start]}mode = "enforce"{gap}{text[start:]}'


def _offset(text: str, place: Place) -> int:
    """Return where a place begins in the text."""
    before = text.split("\n")[: place.line - 1]
    return sum(len(each) + 1 for each in before) + place.column - 1


def _parsed(text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        raise Unclear from None


def overwrite(path: Path, text: str) -> None:
    """Put a new content in the place of a file at once: whoever reads sees the old or the new.

    Owner and rights stay as they are, as far as this user may give them. Raises OSError.
    """
    path = path.resolve()
    was = path.stat()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(text.encode())
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(PermissionError):
            os.chown(name, was.st_uid, was.st_gid)
        shutil.copymode(path, name)
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
