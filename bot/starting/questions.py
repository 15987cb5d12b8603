"""What `menwei init` asks and how each answer is read; the sentences are in bot/texts/*/init.toml.

An answer is one line of text, typed or from an option. What a Chinese keyboard makes full-width is
read as if it were not, except in names, which must be as WeCom has them.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import TypeAdapter, ValidationError

from bot import settings
from bot.texts import LANGUAGES, Texts
from workflows.mistakes import near
from workflows.notations import Hours, Timezone

MOST_ADDS = 9999
_COMMA = re.compile("[,，、]")
_USERID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,63}")  # document 90195
_TO = re.compile("[-\u2013-\u2015~至到]+")  # what people type between two times
_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})


class WrongAnswer(Exception):
    """An answer cannot be used; `key` is the text that says why, `values` go into it."""

    def __init__(self, key: str, suggestion: str = "", **values: object) -> None:
        super().__init__(key)
        self.key = key
        self.suggestion = suggestion  # what was probably meant
        self.values = values


@dataclass(frozen=True, slots=True)
class Answers:
    """Everything a first config file depends on; each field answers the question of its name."""

    language: str
    timezone: str
    corp_id: str
    agent_id: int
    department: str  # of the sales people
    admins: tuple[str, ...]  # userids, at least one
    directors: tuple[str, ...]  # userids
    vip_tags: tuple[str, ...]
    signed_tags: tuple[str, ...]
    daily_cap: int  # adds a day; 0 is no cap
    hours: tuple[str, ...]  # '09:00-19:00', one or several
    storage: str  # a database URL; may hold a password
    public_url: str  # without a slash at its end; may be empty


@dataclass(frozen=True, slots=True)
class Question:
    """One question. `read` makes a value of the answer or raises WrongAnswer."""

    key: str
    read: Callable[[str], Any]
    default: str | None = None  # None: there must be an answer

    @property
    def option(self) -> str:
        """The flag that answers it."""
        return f"--{self.key.replace('_', '-')}"

    def default_in(self, voice: Texts) -> str | None:
        """Return what an empty answer stands for, which may depend on the language."""
        key = f"init.default.{self.key}"
        return voice(key) if key in voice else self.default


def _narrow(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip()


def _needed(text: str) -> str:
    found = _narrow(text)
    if not found:
        raise WrongAnswer("mistake.empty")
    return found


def language(text: str) -> str:
    """Return one of `texts.LANGUAGES` for what somebody calls it."""
    known = {each.lower(): each for each in LANGUAGES} | {"zh": "zh-CN", "中文": "zh-CN"}
    found = known.get(_narrow(text).lower().replace("_", "-"))
    if found is None:
        raise WrongAnswer("mistake.not_one_of", expected=", ".join(LANGUAGES))
    return found


def _timezone(text: str) -> str:
    name = _narrow(text)
    try:
        return TypeAdapter[str](Timezone).validate_python(name)
    except ValidationError:
        known = {zone.lower(): zone for zone in available_timezones()}
        guess = known.get(near(name.lower(), known), "")
        raise WrongAnswer("mistake.unknown_timezone", guess, value=name) from None


def _corp_id(text: str) -> str:
    found = _needed(text)
    if not re.fullmatch(r"[A-Za-z0-9_-]{4,64}", found):
        raise WrongAnswer("init.wrong.corp_id", value=found)
    return found


def _agent_id(text: str) -> int:
    found = _needed(text)
    if not re.fullmatch(r"[0-9]{1,10}", found):
        raise WrongAnswer("init.wrong.agent_id", value=found)
    return int(found)


def _daily_cap(text: str) -> int:
    found = _narrow(text)
    if not re.fullmatch(r"[0-9]{1,9}", found) or int(found) > MOST_ADDS:
        raise WrongAnswer("init.wrong.daily_cap", value=found, most=MOST_ADDS)
    return int(found)


def _name(text: str) -> str:
    found = text.strip()
    if not found:
        raise WrongAnswer("mistake.empty")
    if any(unicodedata.category(char) in _UNSEEN for char in found):
        raise WrongAnswer("init.wrong.name", value=found)
    return found


def _listed(text: str) -> list[str]:
    return [part.strip() for part in _COMMA.split(text) if part.strip()]


def _tags(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(_name(part) for part in _listed(text)))


def _userids(text: str) -> tuple[str, ...]:
    """Userids are the same in any case; the first spelling is kept."""
    found: dict[str, str] = {}
    for userid in map(_narrow, _listed(text)):
        if not _USERID.fullmatch(userid):
            raise WrongAnswer("init.wrong.userid", value=userid)
        found.setdefault(userid.lower(), userid)
    return tuple(found.values())


def _admins(text: str) -> tuple[str, ...]:
    found = _userids(text)
    if not found:
        raise WrongAnswer("init.wrong.admins")
    return found


def _hours(text: str) -> tuple[str, ...]:
    plain = _TO.sub("-", _narrow(text).replace(" ", ""))
    windows = [re.sub(r"(?<![0-9])([0-9]:)", r"0\1", part) for part in _listed(plain)]
    if not windows:
        raise WrongAnswer("mistake.bad_hours", value=text.strip())
    try:
        return TypeAdapter[tuple[str, ...]](Hours).validate_python(tuple(windows))
    except ValidationError as error:
        (wrong,) = error.errors(include_url=False)
        values = {name: value for name, value in wrong["ctx"].items() if name != "code"}
        raise WrongAnswer(f"mistake.{wrong['type']}", **values) from None


def _storage(text: str) -> str:
    """Return a database URL. It is never shown, since it may hold a password."""
    found = text.strip()
    try:
        settings.Storage.model_validate({"url": found})
    except ValidationError as error:
        (wrong,) = error.errors(include_url=False)
        raise WrongAnswer(f"mistake.{wrong['type']}") from None
    place = found.partition("://")[2].lstrip("/") if found.startswith("sqlite") else found
    if any(unicodedata.category(char) in _UNSEEN for char in found) or place in ("", ":memory:"):
        raise WrongAnswer("init.wrong.storage")
    return found


def _public_url(text: str) -> str:
    found = _narrow(text)
    if not found:
        return ""
    if not re.fullmatch(r"https?://[A-Za-z0-9.\-_\[\]:]+(/[A-Za-z0-9._~%/-]*)?", found):
        raise WrongAnswer("mistake.bad_url")
    try:
        if not urlsplit(found).hostname or urlsplit(found).port == 0:
            raise ValueError
    except ValueError:
        raise WrongAnswer("mistake.bad_url") from None
    return found.rstrip("/").removesuffix("/wecom/callback")


QUESTIONS = (
    Question("language", language, LANGUAGES[0]),
    Question("timezone", _timezone, "Asia/Shanghai"),
    Question("corp_id", _corp_id),
    Question("agent_id", _agent_id),
    Question("department", _name, ""),  # the default is a word, so it is among the texts
    Question("admins", _admins),
    Question("directors", _userids, ""),
    Question("vip_tags", _tags, ""),
    Question("signed_tags", _tags, ""),
    Question("daily_cap", _daily_cap, "50"),
    Question("hours", _hours, "09:00-19:00"),
    Question("storage", _storage, "sqlite:///menwei.db"),
    Question("public_url", _public_url, ""),
)


def answers(found: Iterable[tuple[str, Any]]) -> Answers:
    """Return the answers from pairs of a question's key and the value that was read."""
    return Answers(**dict(found))
