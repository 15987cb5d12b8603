"""Reads the policy sections of a config file and reports everything wrong with them at once."""

from __future__ import annotations

import itertools
import types
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from workflows import references
from workflows.mistakes import CODES, Loc, Mistake, near
from workflows.names import Names, keys_of
from workflows.notations import columns_of
from workflows.sections import Rulebook

__all__ = ["OTHER_SECTIONS", "Rulebook", "fields_at", "mistakes_of", "model_in", "read"]

MOST_NESTING = 40  # tables in tables; far above any real file, far below Python's own limit
# Sections of the same file that are not policy.
OTHER_SECTIONS = frozenset({"server", "wecom", "storage", "sources"})


def read(
    data: Mapping[str, object], others: Iterable[str] = OTHER_SECTIONS
) -> tuple[Rulebook | None, list[Mistake]]:
    """Return the rulebook, or None and every mistake. Top-level keys in `others` are passed over.

    What has the wrong shape is set aside, so that the rest is still checked in the same run.
    """
    others = frozenset(others)
    policy = {key: value for key, value in data.items() if key not in others}
    deep = [name for name, value in policy.items() if _nesting(value) > MOST_NESTING]
    if deep:
        return None, [Mistake((n,), "too_deep", {"most": str(MOST_NESTING)}) for n in deep]
    try:
        book = Rulebook.model_validate(policy)
    except ValidationError as error:
        mistakes = mistakes_of(error, Rulebook, policy, also=others)
        return None, mistakes + _despite(mistakes, policy)
    mistakes = references.check(book)
    return (book, []) if not mistakes else (None, mistakes)


def _nesting(value: object) -> int:
    """Return how deep lists and tables lie in each other, without recursion."""
    depth, level = 0, [value]
    while level := [v for v in level if isinstance(v, dict | list)]:
        depth += 1
        inner = (v.values() if isinstance(v, dict) else v for v in level)
        level = [v for values in inner for v in values]
    return depth


def _despite(mistakes: list[Mistake], policy: dict[str, object]) -> list[Mistake]:
    """Return what is wrong with the references of everything that has the right shape."""
    shape = _Remains.of(policy, [m.loc for m in mistakes])
    try:
        book = Rulebook.model_validate(shape.data)
    except ValidationError:
        return []
    names = Names.of(book).with_broken(policy)
    broken = keys_of({"a": columns_of(policy.get("attributes"))}, "a")
    broken -= frozenset(book.attributes)
    found = [shape.restored(m) for m in references.check(book, names)]
    return [m for m in found if not shape.is_sequel(m) and m.params.get("value") not in broken]


def mistakes_of(
    error: ValidationError, root: type[BaseModel], data: object, also: Iterable[str] = ()
) -> list[Mistake]:
    """Turn pydantic's errors into mistakes, with a guess at what an unknown key meant.

    Rejected values are not repeated. `also` are top-level keys that exist beside `root`.
    """
    errors = error.errors(include_url=False)
    return [_mistake(e, root, data, also) for e in errors if not _is_sequel(e, errors)]


def _is_sequel(error: ErrorDetails, errors: Iterable[ErrorDetails]) -> bool:
    """Whether a list only counts as empty because what is in it has the wrong shape."""
    loc = error["loc"]
    inside = (e for e in errors if len(e["loc"]) > len(loc) and e["loc"][: len(loc)] == loc)
    return error["type"] == "too_short" and any(inside)


_TYPES: Mapping[str, tuple[str, ...]] = {
    "text": ("string_type",),
    "integer": ("int_type", "int_parsing", "int_from_float"),
    "true / false": ("bool_type", "bool_parsing"),
    "[…]": ("tuple_type", "list_type", "set_type", "frozen_set_type"),
    "{…}": ("dict_type", "model_type", "model_attributes_type", "dict_attributes_type"),
    "number": ("float_type", "float_parsing"),
    "date": (
        "date_type",
        "date_parsing",
        "date_from_datetime_parsing",
        "date_from_datetime_inexact",
    ),
}
_EXPECTED = {code: word for word, codes in _TYPES.items() for code in codes}


def _mistake(
    error: ErrorDetails, root: type[BaseModel], data: object, also: Iterable[str]
) -> Mistake:
    loc: Loc = error["loc"]
    item, context = _item(data, loc), error.get("ctx", {})
    if error["type"] in CODES:
        params = {key: str(context[key]) for key in CODES[error["type"]]}
        return Mistake(loc, error["type"], params, item=item)
    match error["type"]:
        case "extra_forbidden":
            key, known = str(loc[-1]), fields_at(root, loc[:-1])
            found = near(key, [*known, *(also if len(loc) == 1 else ())])
            return Mistake(loc, "unknown_key", {"key": key}, found, item)
        case "literal_error":
            return _not_one_of(loc, error["input"], str(context["expected"]), item)
        case "greater_than_equal":
            return Mistake(loc, "too_small", {"least": str(context["ge"])}, item=item)
        case "less_than_equal":
            return Mistake(loc, "too_large", {"most": str(context["le"])}, item=item)
        case kind:
            expected = _EXPECTED.get(kind)
            params = {} if expected is None else {"expected": expected}
            code = _PLAIN.get(kind, "not_valid") if expected is None else "wrong_type"
            return Mistake(loc, code, params, item=item)


_PLAIN = {"missing": "required", "too_short": "empty", "string_too_short": "empty"}


def _not_one_of(loc: Loc, value: object, expected: str, item: str) -> Mistake:
    if loc[0] == "rule" and loc[-1] == "then" and value == "allow":
        return Mistake(loc, "rule_allows", item=item)
    words = [word.strip("'") for word in expected.replace(" or ", ", ").split(", ")]
    return Mistake(loc, "not_one_of", {"expected": ", ".join(words)}, near(str(value), words), item)


def _item(data: object, loc: Loc) -> str:
    """Return the id or name of the array table `loc` points into."""
    match loc:
        case (str(section), int(index), *_) if isinstance(data, Mapping):
            items = data.get(section)
            if not isinstance(items, list | tuple) or not isinstance(items[index], Mapping):
                return ""
            name = items[index].get("id", items[index].get("name"))
            return name if isinstance(name, str) else ""
        case _:
            return ""


def fields_at(root: type[BaseModel], loc: Loc) -> tuple[str, ...]:
    """Return the keys that may stand at `loc`, as the file spells them."""
    found: Any = root
    for part in loc:
        model = model_in(found)
        if model is None:
            return ()
        if found is model:
            fields = {f.alias or name: f.annotation for name, f in model.model_fields.items()}
            found = fields.get(str(part))
        else:
            found = _inner(found)
    model = model_in(found)
    return tuple(f.alias or n for n, f in model.model_fields.items()) if model else ()


def _inner(annotation: Any) -> Any:
    """Return what a list or table holds; an optional is seen through first."""
    if get_origin(annotation) in (Union, types.UnionType):
        annotation = next(a for a in get_args(annotation) if a is not type(None))
    arguments = [a for a in get_args(annotation) if a is not Ellipsis]
    return arguments[-1] if arguments else None


def model_in(annotation: Any) -> type[BaseModel] | None:
    """Return the model that an annotation holds, however it is wrapped."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((m for a in get_args(annotation) if (m := model_in(a))), None)


_STAND_IN: Mapping[str, object] = {"timezone": "UTC", "defaults": {"chain": ""}}
# Sections that are one table: a wrong key in them sets the whole section aside.
_WHOLE = frozenset(
    {
        "alerts",
        "protection",
        "chain_defaults",
        "defaults",
        "grants",
        "quiet_hours",
        "standing_approvals",
        "tickets",
    }
)


@dataclass(frozen=True, slots=True)
class _Remains:
    """A file without the entries that have the wrong shape, and where the others came from."""

    data: dict[str, object]
    dropped: Mapping[str, frozenset[str | int]]  # keys by section; "" is the whole section

    @classmethod
    def of(cls, data: dict[str, object], locs: Iterable[Loc]) -> _Remains:
        dropped: dict[str, frozenset[str | int]] = {}
        for section, *deeper in locs:
            name = str(section)
            inside = data.get(name)
            whole = not deeper or name in _WHOLE or not isinstance(inside, dict | list)
            dropped[name] = dropped.get(name, frozenset()) | {"" if whole else deeper[0]}
        rest = {k: _kept(v, dropped.get(k, frozenset())) for k, v in data.items()}
        rest = {k: v for k, v in rest.items() if "" not in dropped.get(k, ())}
        return cls({**_STAND_IN, **rest}, dropped)

    def restored(self, mistake: Mistake) -> Mistake:
        """Return the mistake with its index as it is in the whole file."""
        match mistake.loc:
            case (str(section), int(index), *deeper) if section in self.dropped:
                gone = self.dropped[section]
                kept = (i for i in itertools.count() if i not in gone)
                before = next(itertools.islice(kept, index, None))
                return replace(mistake, loc=(section, before, *deeper))
            case _:
                return mistake

    def is_sequel(self, mistake: Mistake) -> bool:
        """Whether it would not be there had nothing been set aside."""
        gone = self.dropped.get(str(mistake.loc[0]), frozenset())
        return "" in gone or (bool(gone) and mistake.code.startswith("tier_"))


def _kept(value: object, gone: frozenset[str | int]) -> object:
    if isinstance(value, list):
        return [v for i, v in enumerate(value) if i not in gone]
    if isinstance(value, dict):
        return {k: v for k, v in value.items() if k not in gone}
    return value
