"""Writes the config file that a dozen answers come to. No secret is ever in it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from importlib import resources

import jinja2

from bot.starting.questions import Answers
from bot.texts import Text, Texts

SECRETS = ("MENWEI_WECOM_SECRET", "MENWEI_WECOM_TOKEN", "MENWEI_WECOM_AES_KEY")
STORAGE = "MENWEI_STORAGE_URL"

# Where the calendar of mainland China holds; Hong Kong, Macau and Taiwan have their own holidays.
_MAINLAND = frozenset(
    {"Asia/Shanghai", "Asia/Urumqi", "Asia/Chongqing", "Asia/Chungking", "Asia/Harbin"}
    | {"Asia/Kashgar", "PRC"}
)


def environment_of(answers: Answers) -> tuple[str, ...]:
    """Return the names of the environment variables that the file takes its secrets from."""
    return (*SECRETS, STORAGE) if has_password(answers.storage) else SECRETS


def has_password(url: str) -> bool:
    """Whether a database URL holds a password, or looks as if it did."""
    scheme, _, rest = url.partition("://")
    before_host = rest.rpartition("@")[0]
    query = rest.partition("?")[2].lower()
    return scheme != "sqlite" and (":" in before_host or "pass" in query)


def config_file(answers: Answers, voice: Texts) -> str:
    """Return the whole file, with its comments and texts in the language of `voice`."""
    environment = jinja2.Environment(
        autoescape=False,  # noqa: S701 - TOML, not HTML: `_written` makes every value safe
        finalize=_written,
        keep_trailing_newline=True,
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    source = (resources.files(__package__) / "config.toml.jinja").read_text("utf-8")
    return environment.from_string(source).render(_context(answers, voice))


def _context(answers: Answers, voice: Texts) -> Mapping[str, object]:
    def note(key: str) -> Text:
        return voice(f"init.note.{key}")

    def word(key: str, **values: object) -> str:
        return str(voice(f"init.word.{key}", **values))

    return {
        "a": answers,
        "note": note,  # stands in a comment, as it is
        "word": word,  # stands where TOML wants a string
        "users": lambda userids: tuple(f"user:{userid}" for userid in userids),
        "hours": answers.hours if len(answers.hours) > 1 else answers.hours[0],
        "chinese_holidays": answers.timezone in _MAINLAND,
        "two_keys": len(answers.admins) > 1,  # one admin cannot wait for another
        "two_stages": bool(answers.vip_tags and answers.directors),
        "url_variable": STORAGE if has_password(answers.storage) else "",
    }


def _written(value: object) -> str:
    """Return a value as TOML; a comment, which is a text of ours, stays as it is."""
    match value:
        case Text():
            return value
        case str():
            return _quoted(value)
        case int():
            return str(value)
        case tuple():
            return f"[{', '.join(map(_quoted, value))}]"
        case _:
            raise TypeError(f"{type(value).__name__} has no place in a config file")


def _quoted(text: str) -> str:
    """Return a text as a TOML string: as in JSON, but DEL must be written as an escape too."""
    return json.dumps(str(text), ensure_ascii=False).replace("\x7f", "\\u007f")
