"""What `menwei doctor` finds: one finding for each check, to be put into words elsewhere."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

import aiohttp

from bot.settings import Settings
from bot.wecom import Wecom, WecomError, meaning
from storage.database import Database
from workflows.policy import Policy


class Level(StrEnum):
    """How bad it is."""

    OK = "ok"
    WARNING = "warning"  # works, but hardly as meant
    FAILURE = "failure"  # something cannot work
    SKIPPED = "skipped"  # cannot be looked at before something else is mended


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check came to. The words are the text `doctor.CHECK.CODE` with `params`."""

    check: str
    level: Level
    code: str = "ok"
    params: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Patient:
    """What is looked at. There is no database before the first start."""

    settings: Settings
    policy: Policy  # of the file
    wecom: Wecom
    http: aiohttp.ClientSession
    now: Callable[[], datetime]
    db: Database | None = None
    tls: ssl.SSLContext | None = None  # whom to trust; None as the system does
    heard: Sequence[timedelta] = ()  # by how much WeCom's clock is ahead, at each answer


def ok(check: str, code: str = "ok", **params: object) -> Finding:
    """Return a finding that is fine."""
    return Finding(check, Level.OK, code, params)


def warning(check: str, code: str, **params: object) -> Finding:
    """Return a finding to look at."""
    return Finding(check, Level.WARNING, code, params)


def failure(check: str, code: str, **params: object) -> Finding:
    """Return a finding to mend."""
    return Finding(check, Level.FAILURE, code, params)


def refused(check: str, error: WecomError) -> Finding:
    """Return what WeCom's refusal of a call says, without anything that came with the call."""
    return failure(check, "refused", number=error.code, words=meaning(error.code).words)
