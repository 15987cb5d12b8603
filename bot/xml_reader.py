"""Reads XML from outside into a small tree: no DTD, no entities, bounded in depth and elements."""

from __future__ import annotations

from typing import NoReturn
from xml.parsers import expat

DEEPEST = 16  # the deepest documented message has 5 levels
MOST_ELEMENTS = 10_000  # the longest documented list, the members of a customer group, has 2,000


class Malformed(Exception):
    """A message without what its kind must have. `reason` names fields, never their content."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotXml(Malformed):
    """Not XML at all, or XML of a kind that WeCom never sends."""


class Element:
    """An element: its own text, and its children by name, always as lists."""

    __slots__ = ("_children", "text")

    def __init__(self) -> None:
        self.text = ""
        self._children: dict[str, list[Element]] | None = None  # most have none

    def add(self, name: str) -> Element:
        """Return a new last child of that name."""
        child = Element()
        if self._children is None:
            self._children = {name: [child]}
        elif name in self._children:
            self._children[name].append(child)
        else:
            self._children[name] = [child]
        return child

    def all(self, name: str) -> list[Element]:
        """Return the children of that name, in order."""
        return self._children.get(name, []) if self._children else []

    def only(self, name: str) -> Element | None:
        """Return the one child of that name, or None; Malformed when there are several."""
        found = self._children.get(name) if self._children else None
        if found is None:
            return None
        if len(found) > 1:
            raise Malformed(f"{name} repeated")
        return found[0]


def read(xml: bytes, most_elements: int = MOST_ELEMENTS) -> Element:
    """Return the root `<xml>` of a UTF-8 document, or raise NotXml."""
    document = Element()
    parser = expat.ParserCreate("utf-8")  # overrides any encoding that the document claims
    parser.buffer_text = True
    parser.StartDoctypeDeclHandler = _refuse_doctype
    parser.EntityDeclHandler = _refuse_doctype
    _grow(parser, document, most_elements)
    try:
        xml.decode()  # expat would follow the byte order mark of UTF-16
        parser.Parse(xml, True)
    except (UnicodeDecodeError, expat.ExpatError):
        raise NotXml("not well-formed") from None
    root = document.only("xml")
    if root is None:
        raise NotXml("root is not xml")
    return root


def _grow(parser: expat.XMLParserType, document: Element, most_elements: int) -> None:
    """Have the parser fill the document. Closures: this runs for every callback."""
    opened = [document]
    left = most_elements

    def start(name: str, _attributes: dict[str, str]) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise NotXml("too many elements")
        if len(opened) > DEEPEST:
            raise NotXml("too deep")
        opened.append(opened[-1].add(name))

    def end(_name: str) -> None:
        opened.pop()

    def text(text: str) -> None:
        opened[-1].text += text

    parser.StartElementHandler = start
    parser.EndElementHandler = end
    parser.CharacterDataHandler = text


def _refuse_doctype(*_args: object) -> NoReturn:
    raise NotXml("document type")
