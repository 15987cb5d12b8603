"""The small notations inside a config file: names, durations, hours, selectors of people."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from workflows.schedules import parse_duration, parse_pause, parse_window, windows_of

MOST_EXPIRY = timedelta(hours=72)  # a card can be updated for 72 h only (document 94888)


def _wrong(code: str, **params: str) -> PydanticCustomError:
    return PydanticCustomError(code, "{code}", {"code": code, **params})


def _listed(value: object) -> object:
    """A single text stands for a list of one."""
    return (value,) if isinstance(value, str) else value


def _duration(text: str) -> str:
    try:
        parse_duration(text)
    except ValueError:
        raise _wrong("bad_duration", value=text) from None
    return text


def _pause(text: str) -> str:
    try:
        parse_pause(text)
    except ValueError:
        raise _wrong("bad_duration", value=text) from None
    return text


def _expiry(text: str) -> str:
    if parse_duration(_duration(text)) > MOST_EXPIRY:
        raise _wrong("duration_too_long", value=text, most="72h")
    return text


def _timezone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (ValueError, OSError, LookupError):
        raise _wrong("unknown_timezone", value=name) from None
    return name


def _hours(texts: tuple[str, ...]) -> tuple[str, ...]:
    for text in texts:
        try:
            parse_window(text)
        except ValueError:
            raise _wrong("bad_hours", value=text) from None
    try:
        windows_of(texts)
    except ValueError:
        raise _wrong("hours_overlap", value=", ".join(texts)) from None
    return texts


_SELECTORS = ("department", "leaders_of", "tag", "user", "position")
_SOURCES = ("leaders_of", "role", "tag", "user")
_SOURCE_WORDS = ("manager_of_sender", "manager_of_approver", "owner_of_customer")
_RECIPIENTS = ("role", *_SELECTORS)


def _named(text: str, kinds: tuple[str, ...], words: tuple[str, ...], code: str) -> str:
    kind, colon, name = text.partition(":")
    if text not in words and not (colon and kind in kinds and name.strip() == name != ""):
        raise _wrong(code, value=text)
    return text


def _selector(text: str) -> str:
    return _named(text, _SELECTORS, (), "bad_selector")


def _source(text: str) -> str:
    return _named(text, _SOURCES, _SOURCE_WORDS, "bad_source")


def _recipient(text: str) -> str:
    return _named(text, _RECIPIENTS, (), "bad_selector")


def _affected(text: str) -> str:
    return _named(text, _RECIPIENTS, ("sender", "approvers"), "bad_selector")


def _user(text: str) -> str:
    return _named(text, ("user",), (), "bad_selector")


def moment(value: object) -> datetime | None:
    """Return a TOML time or ISO 8601 text as a time, perhaps without a zone; None for others."""
    if isinstance(value, str):
        try:
            return datetime.fromisoformat(value)
        except ValueError:
            return None
    return value if isinstance(value, datetime) else None


def _moment(value: object) -> object:
    if moment(value) is None:
        raise _wrong("wrong_type", expected="datetime")
    return value


def _id(text: str) -> str:
    if not text.replace("-", "").replace("_", "").isalnum():
        raise _wrong("bad_name")
    return text


def columns_of(value: object) -> object:
    """Columns may be written as quoted keys or as nested tables; names come out whole."""
    if not isinstance(value, Mapping):
        return value
    flat: dict[str, object] = {}
    for key, inner in value.items():
        if (
            isinstance(inner, Mapping)
            and inner
            and all(isinstance(v, Mapping) for v in inner.values())
        ):
            deeper = columns_of(inner)
            flat |= {f"{key}.{k}": v for k, v in deeper.items()} if isinstance(deeper, dict) else {}
        else:
            flat[key] = inner
    return flat


def _default(value: object) -> object:
    """A date becomes text and a list a tuple, so that the value is the same once it was stored."""
    if isinstance(value, date):
        return value.isoformat()
    return tuple(value) if isinstance(value, list) else value


Duration = Annotated[str, AfterValidator(_duration)]
Pause = Annotated[str, AfterValidator(_pause)]  # a duration, or '0s'
_PLAIN_TYPES = ({"type": each} for each in ("string", "number", "boolean"))
_TEXTS = {"type": "array", "items": {"type": "string"}}
DefaultValue = Annotated[
    object, BeforeValidator(_default), WithJsonSchema({"anyOf": [*_PLAIN_TYPES, _TEXTS]})
]
Selector = Annotated[str, AfterValidator(_selector)]
ApproverSource = Annotated[str, AfterValidator(_source)]
Recipient = Annotated[str, AfterValidator(_recipient)]
Affected = Annotated[str, AfterValidator(_affected)]
Name = Annotated[str, AfterValidator(_id)]
Names = Annotated[tuple[str, ...], BeforeValidator(_listed), Field(min_length=1)]
Sources = Annotated[tuple[ApproverSource, ...], BeforeValidator(_listed), Field(min_length=1)]
Title = Annotated[str, Field(min_length=1)]
# Kept as written, so that a rulebook is the same after it was stored as JSON.
Moment = Annotated[object, AfterValidator(_moment), WithJsonSchema({"type": "string"})]
Listing = Annotated[tuple[str, ...], BeforeValidator(_listed)]
Count = Annotated[int, Field(ge=1)]
Level = Annotated[int, Field(ge=1)]
Expiry = Annotated[str, AfterValidator(_expiry)]
Timezone = Annotated[str, AfterValidator(_timezone)]
User = Annotated[str, AfterValidator(_user)]
Hours = Annotated[
    tuple[str, ...], BeforeValidator(_listed), Field(min_length=1), AfterValidator(_hours)
]
Ladder = Annotated[tuple[ApproverSource, ...], BeforeValidator(_listed)]
AffectedPeople = Annotated[tuple[Affected, ...], BeforeValidator(_listed)]
Recipients = Annotated[tuple[Recipient, ...], BeforeValidator(_listed), Field(min_length=1)]
