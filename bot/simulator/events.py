"""Callbacks before they are sealed: their fields and how they look as XML."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from xml.parsers import expat

# Text becomes CDATA, a number stays plain, a list repeats its element.
Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Event:
    """One callback. `member` is set where a passive reply is allowed (doc 90241)."""

    fields: Fields
    door: str = "app"  # or 'directory': the address of the directory-sync tool
    member: str = ""
    task_id: str = ""
    response_code: str = ""

    @property
    def name(self) -> str:
        """Short name for the log: 'change_external_contact/add_external_contact', 'text'."""
        parts = (self.fields.get("Event") or self.fields["MsgType"], self.fields.get("ChangeType"))
        return "/".join(str(part) for part in parts if part)


def to_xml(fields: Fields) -> str:
    """The document that is sealed into a callback."""
    return f"<xml>{_elements(fields)}</xml>"


def _elements(fields: Fields) -> str:
    return "".join(_element(name, value) for name, value in fields.items())


def _element(name: str, value: Any) -> str:
    match value:
        case list():
            return "".join(_element(name, one) for one in value)
        case Mapping():
            return f"<{name}>{_elements(value)}</{name}>"
        case int() | float():
            return f"<{name}>{value}</{name}>"
        case _:
            safe = str(value).replace("]]>", "]]]]><![CDATA[>")
            return f"<{name}><![CDATA[{safe}]]></{name}>"


class _Reader:
    """Collects a document into nested dicts; every element is a list of its occurrences."""

    def __init__(self) -> None:
        self.stack: list[tuple[dict[str, list[Any]], list[str]]] = [({}, [])]

    def start(self, _name: str, _attributes: dict[str, str]) -> None:
        self.stack.append(({}, []))

    def text(self, piece: str) -> None:
        self.stack[-1][1].append(piece)

    def end(self, name: str) -> None:
        children, pieces = self.stack.pop()
        value: Any = children or "".join(pieces)
        self.stack[-1][0].setdefault(name, []).append(value)


def from_xml(document: str) -> dict[str, list[Any]]:
    """Read a reply: element name to its occurrences, each text or again such a dict.

    Raises ValueError for anything that is not well-formed or that declares a document type.
    """
    reader, parser = _Reader(), expat.ParserCreate()

    def no_doctype(*_: object) -> None:
        raise ValueError("a document type is not allowed")

    parser.StartElementHandler = reader.start
    parser.EndElementHandler = reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = no_doctype
    try:
        parser.Parse(document, True)
    except expat.ExpatError as error:
        raise ValueError(f"not well-formed: {error}") from error
    root = reader.stack[0][0].get("xml", [""])[0]
    if not isinstance(root, dict):
        raise ValueError("no <xml> with elements in it")
    return root
