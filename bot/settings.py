"""Reads the config file: own sections, secrets and policy, with all mistakes at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Annotated

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic_core import PydanticCustomError

from bot import source_settings
from bot.secret import Secret
from bot.source_settings import Source, Sources
from bot.texts import LANGUAGES
from storage.engines import is_address
from workflows import rulebook
from workflows.mistakes import Mistake
from workflows.notations import Duration
from workflows.schedules import parse_duration
from workflows.sections import Rulebook

_URL = re.compile(r"https?://[^/\s]+(/[^\s]*)?")
_DRAIN = timedelta(seconds=5)  # by when a load balancer has noticed


# Of a file that cannot be read nobody knows the language.
_NOT_UTF8 = "不是 UTF-8，请另存为 UTF-8 编码 (not UTF-8: save it as UTF-8)"
_TOO_DEEP = "嵌套太深 (nested too deeply)"


class BadSettings(Exception):
    """The config file cannot be used; `mistakes` has everything that is wrong with it."""

    def __init__(self, mistakes: list[Mistake]) -> None:
        super().__init__(f"{len(mistakes)} mistakes")
        self.mistakes = mistakes


class Unparsable(Exception):
    """The config file is missing or is not TOML; the text says where."""


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class Server(_Section):
    """Where Menwei listens, and under which address WeCom reaches it."""

    host: str = "127.0.0.1"
    port: Annotated[int, Field(ge=0, le=65535)] = 8080
    public_url: str = ""
    # How long the door stays open once it is said to be closing; for nobody else to turn to, not.
    drain: Duration | None = None

    def drains(self, *, is_shared: bool) -> float:
        """Return the seconds for which a node that was told to stop still takes callbacks."""
        default = _DRAIN if is_shared else timedelta(0)
        return (parse_duration(self.drain) if self.drain else default).total_seconds()

    @field_validator("public_url")
    @classmethod
    def _is_url(cls, url: str) -> str:
        if url and not _URL.fullmatch(url):
            raise PydanticCustomError("bad_url", "")
        return url.rstrip("/")


class Callback(_Section):
    """What WeCom's console shows for a callback URL (document 90930)."""

    token: Secret
    encoding_aes_key: Secret

    @field_validator("token")
    @classmethod
    def _token_shape(cls, token: SecretStr) -> SecretStr:
        if not re.fullmatch(r"[A-Za-z0-9]{1,32}", token.get_secret_value()):
            raise PydanticCustomError("bad_token", "")
        return token

    @field_validator("encoding_aes_key")
    @classmethod
    def _key_shape(cls, key: SecretStr) -> SecretStr:
        if not re.fullmatch(r"[A-Za-z0-9]{43}", key.get_secret_value()):
            raise PydanticCustomError("bad_aes_key", "")
        return key


class Wecom(Callback):
    """The self-built app in WeCom that Menwei speaks through."""

    corp_id: Annotated[str, Field(min_length=1)]
    agent_id: int
    secret: Secret
    api_base: str = "https://qyapi.weixin.qq.com"
    directory: Callback | None = None  # the second callback, 通讯录同步

    @field_validator("api_base")
    @classmethod
    def _is_url(cls, url: str) -> str:
        if not _URL.fullmatch(url):
            raise PydanticCustomError("bad_url", "")
        return url.rstrip("/")


class Storage(_Section):
    """Where the record is kept."""

    url: Secret = SecretStr("sqlite:///menwei.db")  # may hold a password
    redis_url: Secret | None = None  # shares the token and WeCom's limits among several nodes

    @property
    def address(self) -> str:
        """The database's address with its password: never to be shown."""
        return self.url.get_secret_value()

    @field_validator("url")
    @classmethod
    def _is_known(cls, url: SecretStr) -> SecretStr:
        if not url.get_secret_value().startswith(("sqlite:///", "postgresql://")):
            raise PydanticCustomError("bad_storage", "")
        if not is_address(url.get_secret_value()):
            raise PydanticCustomError("bad_database", "")
        return url

    @field_validator("redis_url")
    @classmethod
    def _is_redis(cls, url: SecretStr | None) -> SecretStr | None:
        if url and not url.get_secret_value().startswith(("redis://", "rediss://", "unix://")):
            raise PydanticCustomError("bad_redis", "")
        return url


class Program(_Section):
    """The sections that are not policy."""

    server: Server = Server()
    wecom: Wecom
    storage: Storage = Storage()
    sources: Sources


@dataclass(frozen=True, slots=True)
class Settings:
    """A config file that was found good."""

    server: Server
    wecom: Wecom
    storage: Storage
    rules: Rulebook
    sources: Mapping[str, Source] = field(default_factory=dict)

    @property
    def program(self) -> Program:
        """The sections that take effect at the start only."""
        return Program(
            server=self.server,
            wecom=self.wecom,
            storage=self.storage,
            sources=dict(self.sources),
        )


@dataclass(frozen=True, slots=True)
class Reading:
    """What a config file says, as far as it can be understood, and everything wrong with it."""

    text: str
    program: Program | None
    rules: Rulebook | None
    mistakes: tuple[Mistake, ...]

    @property
    def address(self) -> str:
        """Where the record is kept, even if the rules are bad. Raises BadSettings."""
        if self.program is None:
            raise BadSettings(list(self.mistakes))
        return self.program.storage.address

    @property
    def settings(self) -> Settings:
        """The settings of a good file. Raises BadSettings."""
        if self.program is None or self.rules is None or self.mistakes:
            raise BadSettings(list(self.mistakes))
        return self.settings_with(self.rules)

    def settings_with(self, rules: Rulebook) -> Settings:
        """Return the settings with other rules than the file's. Raises BadSettings."""
        if self.program is None:
            raise BadSettings(list(self.mistakes))
        own = self.program
        return Settings(own.server, own.wecom, own.storage, rules, own.sources)


def load(path: Path) -> Settings:
    """Read a config file. Raises Unparsable, or BadSettings with every mistake in it."""
    return look(path).settings


def look(path: Path) -> Reading:
    """Read a config file, good or bad. Raises Unparsable."""
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise Unparsable(f"{path}: {error.strerror}") from None
    try:
        return _reading(raw.decode("utf-8-sig"))  # Windows writes a mark in front
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Unparsable(f"{path}:{line}: {_NOT_UTF8}") from None
    except tomllib.TOMLDecodeError as error:
        raise Unparsable(f"{path}: {error}") from None
    except RecursionError:
        raise Unparsable(f"{path}: {_TOO_DEEP}") from None


def parse(text: str) -> Settings:
    """Read the text of a config file. Raises tomllib.TOMLDecodeError or BadSettings."""
    return _reading(text).settings


def _reading(text: str) -> Reading:
    return reading_of(text, tomllib.loads(text))


def reading_of(text: str, data: Mapping[str, object]) -> Reading:
    """Return what a parsed file says; `text` is kept for showing places."""
    own = {name: data[name] for name in Program.model_fields if name in data}
    mistakes: list[Mistake] = []
    program: Program | None = None
    try:
        program = Program.model_validate(own)
    except ValidationError as error:
        mistakes += rulebook.mistakes_of(error, Program, own)
    if program is not None:
        mistakes += source_settings.mistakes(program.sources, data.get("attributes"))
    rules, wrong = rulebook.read(data)
    return Reading(text, program, rules, (*mistakes, *wrong))


def language_of(path: Path) -> str:
    """Return the language a config file asks for; Chinese when it cannot be told."""
    try:
        found = tomllib.loads(path.read_text("utf-8-sig")).get("language")
    except (OSError, ValueError, RecursionError):
        return LANGUAGES[0]
    return found if found in LANGUAGES else LANGUAGES[0]
