"""The door: HTTP handlers that check a WeCom callback, have it stored, and only then say 200."""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from aiohttp import web

from bot import events, xml_reader
from bot.envelope import Envelope, Unreadable
from bot.inbox import Arrival, Overloaded, Welcome

_log = structlog.get_logger()

_ECHO = re.compile(rb"[!-;=-~]{1,128}")  # visible ASCII without '<'; WeCom sends 19 or so digits
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)  # unix seconds
_ENVELOPE_ELEMENTS = 16  # WeCom's has four; before the signature is checked nobody gets more


@dataclass(frozen=True, slots=True)
class Limits:
    """What the door puts up with.

    `skew`: WeCom names no limit for the timestamp, but repeats a callback within seconds. Keys of
    handled events are forgotten some day; a recorded callback must not count as new after that.
    An hour forgives a wrong clock on our side. What exceeds `at_once` or `unread` gets 503 before
    its body is read; who cannot be told within `storing` that it is safe hears 503, though it may
    become so, and its repetition will then be the same row.
    """

    body: int = 1024 * 1024  # bytes
    skew: timedelta = timedelta(hours=1)
    reading: float = 5.0  # seconds; WeCom itself hangs up after five
    storing: float = 4.5  # seconds
    at_once: int = 5_000  # requests under way
    unread: int = 64 << 20  # bytes of bodies that are being read


@dataclass(frozen=True, slots=True)
class _Params:
    """What signs a callback, from its query."""

    signature: str
    timestamp: str
    nonce: str


class _Refused(Exception):
    """This request gets no further; `reason` is one word and safe to log and count."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


def routes(door: Door, path: str = "/wecom/callback") -> list[web.RouteDef]:
    """Return the routes of one callback URL; each has its own Token and key, so its own door."""
    return [web.get(path, door.check, allow_head=False), web.post(path, door.receive)]


@dataclass(slots=True)
class Door:
    """Serves one callback URL.

    `put` returns when the arrival is safe and raises when it is not. `on_refused` hears one word
    for everything turned away: encoded, too_large, slow, broken, query, envelope, signature,
    timestamp, base64, size, padding, length, receive_id, echo, malformed, overloaded, not_stored.
    """

    envelope: Envelope
    put: Callable[[Arrival], Awaitable[None]]
    now: Callable[[], datetime]
    on_refused: Callable[[str], None]
    limits: Limits = field(default_factory=Limits)
    _under_way: int = 0
    _unread: int = 0

    async def check(self, request: web.Request) -> web.Response:
        """Answer WeCom's URL check with what it encrypted, and nothing else (document 90930)."""
        try:
            # Base64 has no blank: it was a '+' that somebody on the way forgot to escape.
            echo = _one(request, "echostr").replace(" ", "+")
            message = self._opened(_params(request), echo)
            # The signature of an event fits this check too. Nobody shall have a recorded event
            # decrypted by us: only what looks like an echo goes back.
            if not _ECHO.fullmatch(message):
                raise _Refused(400, "echo")
        except _Refused as refused:
            return self._refusal(refused)
        return web.Response(body=message, content_type="text/plain")

    async def receive(self, request: web.Request) -> web.Response:
        """Take a callback: 200 and nothing else once it is stored, 503 when it could not be."""
        self._under_way += 1
        try:
            if self._under_way > self.limits.at_once:
                raise _Refused(503, "overloaded")
            params = _params(request)
            body = await self._body(request)
            message = self._opened(params, _encrypted(body))
            await self._store(_arrival(message, self.now()))
        except _Refused as refused:
            return self._refusal(refused)
        finally:
            self._under_way -= 1
        return web.Response()

    async def _body(self, request: web.Request) -> bytes:
        if request.headers.get("Content-Encoding", "identity") != "identity":
            raise _Refused(415, "encoded")  # WeCom compresses nothing; others may send bombs
        if (request.content_length or 0) > self.limits.body:
            raise _Refused(413, "too_large")
        body = bytearray()
        try:
            async with asyncio.timeout(self.limits.reading):
                async for chunk in request.content.iter_any():
                    body += chunk
                    self._unread += len(chunk)
                    if len(body) > self.limits.body:
                        raise _Refused(413, "too_large")
                    if self._unread > self.limits.unread:
                        raise _Refused(503, "overloaded")
        except TimeoutError:
            raise _Refused(408, "slow") from None
        except (web.RequestPayloadError, ConnectionError):
            raise _Refused(400, "broken") from None
        finally:
            self._unread -= len(body)
        return bytes(body)

    def _opened(self, params: _Params, encrypt: str) -> bytes:
        signed = self.envelope.check_signature(
            params.signature, params.timestamp, params.nonce, encrypt
        )
        if not signed:
            raise _Refused(403, "signature")
        if not self._is_recent(params.timestamp):
            raise _Refused(400, "timestamp")
        try:
            return self.envelope.open(encrypt)
        except Unreadable as unreadable:
            raise _Refused(400, unreadable.reason) from None

    def _is_recent(self, timestamp: str) -> bool:
        if not _TIMESTAMP.fullmatch(timestamp):
            return False
        return abs(self.now().timestamp() - int(timestamp)) <= self.limits.skew.total_seconds()

    async def _store(self, arrival: Arrival) -> None:
        try:
            async with asyncio.timeout(self.limits.storing):
                await self.put(arrival)
        except Overloaded:
            raise _Refused(503, "overloaded") from None
        except Exception as error:  # whatever it was: it is not stored, and WeCom may send it again
            _log.error("callback_not_stored", error=type(error).__name__)
            raise _Refused(503, "not_stored") from None

    def _refusal(self, refused: _Refused) -> web.Response:
        self.on_refused(refused.reason)
        return web.Response(status=refused.status)


def _params(request: web.Request) -> _Params:
    return _Params(
        signature=_one(request, "msg_signature"),
        timestamp=_one(request, "timestamp"),
        nonce=_one(request, "nonce"),
    )


def _one(request: web.Request, name: str) -> str:
    values = request.query.getall(name, [])
    if len(values) != 1 or not values[0]:
        raise _Refused(400, "query")
    return values[0]


def _encrypted(body: bytes) -> str:
    try:
        found = xml_reader.read(body, _ENVELOPE_ELEMENTS).only("Encrypt")
    except xml_reader.Malformed:
        raise _Refused(400, "envelope") from None
    encrypt = found.text.strip() if found else ""
    if not encrypt:
        raise _Refused(400, "envelope")
    return encrypt


def _arrival(message: bytes, at: datetime) -> Arrival:
    """Return what to store. An event that is WeCom's but not as documented is stored too: whoever
    handles it fails, and it ends at the dead-letter desk instead of nowhere."""
    key = f"in:{hashlib.sha256(message).hexdigest()}"
    try:
        event = events.parse(message)
    except events.NotXml:
        raise _Refused(400, "malformed") from None
    except events.Malformed as malformed:
        _log.warning("callback_malformed", reason=malformed.reason)
        return Arrival(key, "malformed", "other", message, at)
    return Arrival(key, events.kind(event), events.lane(event), message, at, _welcome(event))


def _welcome(event: events.Event) -> Welcome | None:
    if isinstance(event, events.ContactAdded) and event.welcome_code:
        return Welcome(event.welcome_code, event.userid, event.external_userid)
    return None
