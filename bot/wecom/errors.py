"""What goes wrong with a call to WeCom, in a form that never holds a token, secret or URL."""

from __future__ import annotations

from datetime import timedelta

from bot.wecom import codes
from bot.wecom.codes import Kind


class WecomError(Exception):
    """WeCom refused a call, or could not be asked. `kind` says what to do about it.

    `code` is WeCom's errcode, or one of our own negative ones; `path` is the API without address
    and query; `hint` is for an admin's log, never for branching.
    """

    def __init__(
        self,
        code: int,
        kind: Kind,
        path: str,
        hint: str = "",
        *,
        retry_after: timedelta | None = None,
    ) -> None:
        super().__init__(code, kind, path, hint)
        self.code = code
        self.kind = kind
        self.path = path
        self.hint = hint
        self.retry_after = retry_after or codes.pause(code)

    def __str__(self) -> str:
        return f"{self.path}: {self.code}, {self.kind.value}: {self.hint}"


class Unreachable(WecomError):
    """No usable answer: refused connection, timeout, HTTP error, or not WeCom's JSON.

    `maybe_done` says whether WeCom may have carried the call out all the same; before repeating
    one that is not idempotent, look what became of it. `is_silence`: we waited in vain.
    """

    def __init__(
        self,
        path: str,
        hint: str,
        *,
        code: int = codes.NO_ANSWER,
        maybe_done: bool = True,
        is_silence: bool = False,
    ) -> None:
        super().__init__(code, Kind.RETRY, path, hint)
        self.maybe_done = maybe_done
        self.is_silence = is_silence


class HeldBack(WecomError):
    """The call was not made, to stay below WeCom's limits; nothing is wrong with it."""

    def __init__(self, path: str, hint: str, seconds: float) -> None:
        wait = timedelta(seconds=seconds)
        super().__init__(codes.TOO_OFTEN, Kind.WAIT, path, f"held back: {hint}", retry_after=wait)
        self.retry_after: timedelta = wait


def refusal(code: int, path: str, said: str = "") -> WecomError:
    """Return the error for an errcode; `said` is WeCom's errmsg, already free of secrets."""
    found = codes.meaning(code)
    hint = f"{found.words} (WeCom: {said})" if said else found.words
    return WecomError(code, found.kind, path, hint)


def odd(path: str, hint: str) -> Unreachable:
    """Return the error for an answer that is not what WeCom documents."""
    return Unreachable(path, hint, code=codes.ODD_ANSWER)


def too_large(path: str, hint: str) -> WecomError:
    """Return the error for a request or an answer above our bounds."""
    return WecomError(codes.TOO_LARGE, Kind.PERMANENT, path, hint)
