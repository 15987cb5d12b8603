"""Where each key of a TOML file stands: line, column and the line itself, from a real syntax tree.

tomllib gives values without positions, and looking for a key by its text finds comments and other
tables. tree-sitter-toml also reads files that are not valid TOML, up to the place that is wrong.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from dataclasses import dataclass

import tree_sitter_toml
from tree_sitter import Language, Node, Parser

from workflows.mistakes import Loc

_TOML = Language(tree_sitter_toml.language())
_KEYS = frozenset({"bare_key", "quoted_key", "dotted_key"})
_WIDE = 0x1100  # from here on characters may take two columns on a terminal


@dataclass(frozen=True, slots=True)
class Place:
    """A stretch of one line; `line` and `column` count from 1, in characters."""

    line: int
    column: int
    length: int
    text: str  # the whole line

    def caret(self) -> str:
        """Return a line of blanks and carets that points at the stretch when printed below it."""
        before = self.text[: self.column - 1]
        marked = self.text[self.column - 1 : self.column - 1 + self.length]
        return _blank(before) + "^" * max(1, len(_blank(marked).expandtabs(1)))


class Places:
    """The keys of one file, by the path they have after parsing."""

    def __init__(self, text: str) -> None:
        self._lines = text.splitlines() or [""]
        self._bytes = [line.encode() for line in self._lines]
        self._found: dict[Loc, Place] = {}
        self._counts: dict[Loc, int] = {}
        tree = Parser(_TOML).parse(text.encode())
        self._read(tree.root_node, ())

    def of(self, loc: Loc) -> Place | None:
        """Return where a path stands; of what is missing, where its nearest parent stands."""
        for length in range(len(loc), 0, -1):
            if place := self._found.get(loc[:length]):
                return place
        return None

    def _read(self, node: Node, above: Loc) -> None:
        for child in node.named_children:
            match child.type:
                case "pair":
                    key, value = child.named_children[0], child.named_children[-1]
                    self._value(value, self._key(key, above))
                case "table":
                    self._read(child, self._table(child, above))
                case "table_array_element":
                    self._read(child, self._element(child, above))

    def _value(self, value: Node, loc: Loc) -> None:
        match value.type:
            case "inline_table":
                self._read(value, loc)
            case "array":
                items = [each for each in value.named_children if each.type != "comment"]
                for index, item in enumerate(items):
                    self._found.setdefault((*loc, index), self._place(item))
                    self._value(item, (*loc, index))

    def _table(self, node: Node, above: Loc) -> Loc:
        key = next(each for each in node.named_children if each.type in _KEYS)
        return self._key(key, above)

    def _element(self, node: Node, above: Loc) -> Loc:
        key = next(each for each in node.named_children if each.type in _KEYS)
        loc = self._key(key, above)
        index = self._counts.get(loc, 0)
        self._counts[loc] = index + 1
        self._found[(*loc, index)] = self._place(key)
        return (*loc, index)

    def _key(self, node: Node, above: Loc) -> Loc:
        """Note the parts of a key and return its path; `[a.b]` under `[[a]]` means the last a."""
        loc = above
        for part in _parts(node):
            loc = (*loc, _name(part))
            self._found.setdefault(loc, self._place(part))
            if part != node and (count := self._counts.get(loc)) and not _is_last(part, node):
                loc = (*loc, count - 1)
        return loc

    def _place(self, node: Node) -> Place:
        row, start = node.start_point
        end = node.end_point[1] if node.end_point[0] == row else len(self._bytes[row])
        raw = self._bytes[row]
        column = len(raw[:start].decode(errors="replace"))
        length = len(raw[start:end].decode(errors="replace"))
        return Place(row + 1, column + 1, max(1, length), self._lines[row])


def _parts(node: Node) -> Iterator[Node]:
    if node.type != "dotted_key":
        yield node
        return
    for child in node.named_children:
        yield from _parts(child)


def _is_last(part: Node, whole: Node) -> bool:
    return part.end_byte == whole.end_byte


def _name(node: Node) -> str:
    text = (node.text or b"").decode(errors="replace")
    if node.type == "bare_key":
        return text
    try:
        return next(iter(tomllib.loads(f"{text} = 1")))
    except tomllib.TOMLDecodeError:
        return text


def _blank(text: str) -> str:
    """Return blanks as wide as the text; tabs stay, so that both lines move alike."""
    return "".join("\t" if c == "\t" else "  " if ord(c) >= _WIDE else " " for c in text)
