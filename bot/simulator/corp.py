"""The corporation's account with WeCom: ids, secret, callback settings and access tokens."""

from __future__ import annotations

import secrets
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from bot.simulator.errors import ApiError
from bot.simulator.records import Json

TOKEN_LIFE = 7200


@dataclass(slots=True)
class Corp:
    """What an admin would copy from WeCom's console into the program's settings."""

    corp_id: str
    agent_id: int
    secret: str
    token: str
    encoding_aes_key: str
    callback_url: str = ""


@dataclass(slots=True)
class Limits:
    """How much WeCom bears before it answers 45009 or 45033 (docs 90312, 90313)."""

    per_minute: int = 10_000  # calls of one API
    per_hour: int = 150_000
    concurrent: int | None = None  # calls of one API at a time; WeCom gives no figure
    wrong_secrets: int = 20  # then the caller is blocked for an hour; WeCom gives no figure


class Tokens:
    """Hands out and checks access tokens. Every token is valid until it expires."""

    def __init__(self, corp: Corp, limits: Limits, now: Callable[[], float]) -> None:
        self._corp, self._limits, self._now = corp, limits, now
        self._until: dict[str, float] = {}
        self._wrong: deque[float] = deque()

    def issue(self, params: Mapping[str, str]) -> Json:
        """The answer of gettoken (doc 91039)."""
        corp_id, secret = params.get("corpid", ""), params.get("corpsecret", "")
        self._refuse_if_blocked()
        if not corp_id:
            raise ApiError(41002, "corpid missing")
        if not secret:
            raise ApiError(41004, "corpsecret missing")
        if corp_id != self._corp.corp_id:
            raise ApiError(40013, "invalid corpid")
        if not secrets.compare_digest(secret, self._corp.secret):
            self._wrong.append(self._now())
            raise ApiError(40001, "invalid credential")
        token = secrets.token_urlsafe(160)
        self._until[token] = self._now() + TOKEN_LIFE
        return {"access_token": token, "expires_in": TOKEN_LIFE}

    def check(self, token: str) -> None:
        """Raise 41001, 40014 or 42001 unless the token is good."""
        if not token:
            raise ApiError(41001, "access_token missing")
        if token not in self._until:
            raise ApiError(40014, "invalid access_token")
        if self._now() >= self._until[token]:
            raise ApiError(42001, "access_token expired")

    def expire(self) -> None:
        """Every token handed out so far has expired."""
        self._until = dict.fromkeys(self._until, 0.0)

    def _refuse_if_blocked(self) -> None:
        while self._wrong and self._now() - self._wrong[0] > 3600:
            self._wrong.popleft()
        if len(self._wrong) >= self._limits.wrong_secrets:
            raise ApiError(45009, "api freq out of limit")


class Traffic:
    """Counts calls of each API; who exceeds a limit is blocked for as long as it lasts."""

    def __init__(self, limits: Limits, now: Callable[[], float]) -> None:
        self._limits, self._now = limits, now
        self._counts: dict[tuple[str, int], tuple[float, int]] = {}
        self._blocked: dict[str, float] = {}
        self._open: dict[str, int] = {}
        self._calls: dict[str, int] = {}
        self._most: dict[str, int] = {}  # in one minute

    def report(self) -> Json:
        """How often each API was called, and how often in its busiest minute."""
        return {
            path: {"calls": calls, "most_in_a_minute": self._most[path]}
            for path, calls in sorted(self._calls.items())
        }

    def enter(self, path: str) -> None:
        """Count a call in that has begun; raises 45009 or 45033."""
        now = self._now()
        self._calls[path] = self._calls.get(path, 0) + 1
        if self._blocked.get(path, 0) > now:
            raise ApiError(45009, "api freq out of limit")
        for seconds, most in ((60, self._limits.per_minute), (3600, self._limits.per_hour)):
            began, count = self._counts.get((path, seconds), (now, 0))
            began, count = (now, 0) if now - began >= seconds else (began, count)
            self._counts[path, seconds] = (began, count + 1)
            if seconds == 60:
                self._most[path] = max(self._most.get(path, 0), count + 1)
            if count >= most:
                self._blocked[path] = now + seconds
                raise ApiError(45009, "api freq out of limit")
        most_open = self._limits.concurrent
        if most_open is not None and self._open.get(path, 0) > most_open:
            raise ApiError(45033, "api concurrent out of limit")

    def begin(self, path: str) -> None:
        """A call is being worked on."""
        self._open[path] = self._open.get(path, 0) + 1

    def end(self, path: str) -> None:
        """It is not any more."""
        self._open[path] -= 1
