"""Cuts a long answer into messages that WeCom takes whole."""

from __future__ import annotations

from collections.abc import Iterable

from bot.texts import Text, joined
from bot.wecom.limits import TEXT_BYTES, cut


def paged(lines: Iterable[Text]) -> list[Text]:
    """Return the lines in as few messages as hold them, in their order; none for no lines."""
    pages: list[list[Text]] = []
    room = 0
    for line in lines:
        size = len(line.encode("utf-8", "replace")) + 1  # and the line end
        if size > room:
            pages.append([])
            room = TEXT_BYTES + 1
        pages[-1].append(Text(cut(line, TEXT_BYTES)))
        room -= size
    return [joined(page) for page in pages]
