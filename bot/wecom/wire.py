"""One exchange with WeCom over HTTP: bounded in time and size, counted, and silent about secrets.

The access token travels in the query, so no exception of aiohttp leaves this module: their texts
and attributes may hold the URL. Our own are raised outside any `except`, hence without context.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, quote_plus

import aiohttp
from pydantic import SecretStr

from bot.wecom import errors
from bot.wecom.errors import Unreachable, WecomError
from bot.wecom.traffic import Traffic

Answer = dict[str, Any]
OnCall = Callable[[str, int, float], None]  # path, errcode, seconds
Sent = bytes | aiohttp.FormData | None

MOST_SENT = 1 << 20
MOST_READ = 16 << 20
TIMEOUT = aiohttp.ClientTimeout(total=10, connect=3)

_NEVER_LEFT = (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL)
_BROKEN_ESCAPES = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")


@dataclass(frozen=True, slots=True)
class Upload:
    """A file to send along, under the name that people will see (document 90253)."""

    name: str
    content: bytes = field(repr=False)
    kind: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Call:
    """What to ask: a GET, or a POST if there is a body or a file.

    Secrets join the query when it is sent.
    """

    path: str
    body: Mapping[str, object] | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, SecretStr] = field(default_factory=dict)
    upload: Upload | None = None


class Wire:
    """Carries calls to one WeCom. Safe for any number of callers at once."""

    def __init__(
        self,
        http: aiohttp.ClientSession,
        api_base: str,
        *,
        clock: Callable[[], float],
        on_call: OnCall,
        timeout: aiohttp.ClientTimeout = TIMEOUT,
        traffic: Traffic | None = None,
    ) -> None:
        self._http = http
        self._root = f"{api_base.rstrip('/')}/cgi-bin/"
        self._clock = clock
        self._on_call = on_call
        self._timeout = timeout
        self._traffic = traffic or Traffic(clock)

    async def exchange(self, call: Call) -> Answer:
        """Return WeCom's answer to `call`; raise `WecomError` for anything but errcode 0."""
        body = _form(call.upload) if call.upload else _written(call)
        async with self._traffic.passage(call.path):
            started = self._clock()
            answer = await self._asked(call, body)
            refused = answer if isinstance(answer, WecomError) else None
            self._on_call(call.path, refused.code if refused else 0, self._clock() - started)
            await self._traffic.heard(call.path, refused)
        if isinstance(answer, WecomError):
            raise answer
        return answer

    async def _asked(self, call: Call, body: Sent) -> Answer | WecomError:
        # Apart from `exchange`, so that no raw answer is in a frame that raises.
        got = await self._fetch(call, body)
        return got if isinstance(got, WecomError) else _judged(call, got)

    async def _fetch(self, call: Call, body: Sent) -> bytes | WecomError:
        try:
            async with self._http.request(
                "GET" if body is None else "POST",
                self._root + call.path,
                params={**call.query, **{k: s.get_secret_value() for k, s in call.secrets.items()}},
                data=body,
                headers={"Content-Type": "application/json"} if isinstance(body, bytes) else {},
                timeout=self._timeout,
                allow_redirects=False,  # a redirect would hand the token to another host
            ) as response:
                if response.status != 200:
                    return Unreachable(call.path, f"HTTP {response.status}")
                return await _bounded(call.path, response.content)
        except (aiohttp.ClientError, TimeoutError) as broken:
            # The class says enough; the text may hold the URL.
            silent = isinstance(broken, TimeoutError)
            why = "timeout" if silent else type(broken).__name__
            left = not isinstance(broken, _NEVER_LEFT)
            return Unreachable(call.path, why, maybe_done=left, is_silence=silent)


def _written(call: Call) -> bytes | None:
    if call.body is None:
        return None
    # Half an emoji in our own text must not stop a message: it becomes '?'.
    body = json.dumps(call.body, ensure_ascii=False).encode("utf-8", "replace")
    if len(body) > MOST_SENT:
        raise errors.too_large(call.path, f"request of {len(body)} bytes, at most {MOST_SENT}")
    return body


def _form(upload: Upload) -> aiohttp.FormData:
    """Return the file as a form; as a stream, since aiohttp would quote bytes in an error."""
    form = aiohttp.FormData()
    stream = io.BytesIO(upload.content)
    form.add_field("media", stream, filename=upload.name, content_type=upload.kind)
    return form


async def _bounded(path: str, content: aiohttp.StreamReader) -> bytes | WecomError:
    raw = bytearray()
    async for chunk in content.iter_chunked(1 << 16):
        raw += chunk
        if len(raw) > MOST_READ:
            return errors.too_large(path, f"answer above {MOST_READ} bytes")
    return bytes(raw)


def _judged(call: Call, raw: bytes) -> Answer | WecomError:
    answer = _parsed(raw)
    if not isinstance(answer, dict):
        return errors.odd(call.path, "not a JSON object")
    code = answer.get("errcode")
    if not isinstance(code, int) or isinstance(code, bool):
        return errors.odd(call.path, "no errcode")
    if code:
        return errors.refusal(code, call.path, _said(call, answer))
    return answer


def _parsed(raw: bytes) -> object:
    """Return the JSON value, or None. Names cut mid-character, as WeCom sends, are mended."""
    text = raw.decode("utf-8", "replace")
    try:
        value: object = json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
    return _mended(value) if _BROKEN_ESCAPES.search(text) or "\0" in text else value


def _mended(value: object) -> object:
    """Replace halves of surrogate pairs and drop NULs, which no database takes as text."""
    match value:
        case str():
            whole = value.replace("\0", "").encode("utf-16", "surrogatepass")
            return whole.decode("utf-16", "replace")
        case list():
            return [_mended(item) for item in value]
        case dict():
            return {key: _mended(item) for key, item in value.items()}
        case _:
            return value


def _said(call: Call, answer: Answer) -> str:
    """Return WeCom's errmsg for the log, without any secret of this call."""
    said = str(answer.get("errmsg") or "")
    for secret in call.secrets.values():
        plain = secret.get_secret_value()
        for form in {plain, quote(plain), quote(plain, safe=""), quote_plus(plain)}:
            said = said.replace(form, "***")
    return " ".join(said.split())[:200]
