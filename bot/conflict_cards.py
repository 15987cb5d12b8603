"""Cards about conflicts: for who asks, with what can be asked of the colleague; and for the owner.

Within what WeCom shows (document 90236). What is put in has been masked where it must be.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bot.cards import shorten
from bot.texts import Text, joined
from workflows.masking import mask_text, plain
from workflows.owners import Wish

YES, NO = "yes", "no"
_SOURCE, _TITLE, _DESC, _SUB_TITLE, _QUOTE = 20, 36, 44, 160, 120
_ROWS, _KEYNAME, _VALUE, _BUTTON = 6, 5, 30, 10


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button of these cards: about which request, and what was chosen."""

    request_id: str
    wish: Wish | None = None  # of who asks
    answer: bool | None = None  # of who is asked


@dataclass(frozen=True, slots=True, kw_only=True)
class Face:
    """What a card says, in words for its reader."""

    source: Text
    title: Text
    about: Text
    said: str = ""  # below the title
    rows: Sequence[tuple[str, str]] = ()
    quote: tuple[str, str] = ("", "")  # its title, and what somebody wrote
    profile: str = ""  # userid of the member whom the first row names


def wish_key(request_id: str, wish: Wish) -> str:
    """Return the key of a button by which something is asked of a colleague."""
    return f"cf:{request_id}:{wish}"


def answer_key(request_id: str, answer: str) -> str:
    """Return the key of a button by which a colleague answers."""
    return f"ow:{request_id}:{answer}"


def pressed(key: str) -> Pressed | None:
    """Return what a button's key means; None if it is of another card."""
    if found := re.fullmatch(rf"cf:([^:\s]+):({'|'.join(Wish)})", key):
        return Pressed(found[1], wish=Wish(found[2]))
    if found := re.fullmatch(rf"ow:([^:\s]+):({YES}|{NO})", key):
        return Pressed(found[1], answer=found[2] == YES)
    return None


def card(face: Face, buttons: Sequence[tuple[str, str]], task_id: str = "") -> dict[str, Any]:
    """Return the card; `buttons` are words and keys. Without `task_id` it replaces one."""
    made: dict[str, Any] = {
        "card_type": "button_interaction",
        "source": {"desc": shorten(face.source, _SOURCE), "desc_color": 0},
        "main_title": {"title": shorten(face.title, _TITLE), "desc": shorten(face.about, _DESC)},
        "sub_title_text": shorten(face.said, _SUB_TITLE),
        "horizontal_content_list": _rows(face),
        "button_list": [
            {"text": shorten(word, _BUTTON), "style": style, "key": key}
            for style, (word, key) in enumerate(buttons, 1)
        ],
    }
    title, said = face.quote
    if said:
        words = shorten(plain(mask_text(said)), _QUOTE)
        made["quote_area"] = {"type": 0, "title": title, "quote_text": words}
    if task_id:
        made["task_id"] = task_id
    else:
        made["replace_text"] = made["button_list"][0]["text"]
    return {name: value for name, value in made.items() if value not in ("", [], {})}


def text(face: Face, how: Text) -> Text:
    """Return the same in words, should WeCom refuse the card; `how` says how to answer."""
    rows = [Text(f"{plain(key)}: {plain(value)}") for key, value in face.rows if value]
    title, said = face.quote
    quote = [Text(f"{plain(title)}: {plain(mask_text(said))}")] if said else []
    return joined([face.title, face.about, *rows, *quote, *([face.said] if face.said else []), how])


def _rows(face: Face) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [
        {"keyname": shorten(plain(key), _KEYNAME), "value": shorten(plain(value), _VALUE)}
        for key, value in face.rows
        if value
    ]
    if rows and face.profile:
        rows[0] |= {"type": 3, "userid": face.profile}
    return rows[:_ROWS]
