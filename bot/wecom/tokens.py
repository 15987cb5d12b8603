"""Obtains the app's access token once for all callers, and never hammers on a wrong secret."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeVar

import structlog
from pydantic import SecretStr

from bot.wecom import codes
from bot.wecom.codes import Kind
from bot.wecom.errors import Unreachable, WecomError
from bot.wecom.wire import Answer, Call, Wire
from storage.cache import CacheUnavailable

T = TypeVar("T")

_log = structlog.get_logger(__name__)

# Many calls with a wrong secret block the address for an hour (document 90313, help of 45009).
COOL_DOWN = 600.0
_BARRED_BY = frozenset({codes.BAD_SECRET, codes.BAD_CORP_ID, codes.TOO_OFTEN})
_MOST_A_MINUTE = 5
_MARGIN = 300.0  # seconds before its end at which a token is no longer used
_TRUST_STORED = 60.0  # seconds after which a token found in the store is looked up again
# A turn outlives a call for a token; whoever dies in it holds the others up for no longer.
_TURN = timedelta(seconds=12)
_BETWEEN_LOOKS, _MOST_LOOKS = 0.1, 150


class TokenStore(Protocol):
    """Keeps text for a while, for all processes of the app; losing it costs one call.

    It may raise `CacheUnavailable`. `storage.cache` has two that fit.
    """

    async def get(self, key: str) -> str | None:
        """Return what was kept, or None."""

    async def set(self, key: str, value: str, ttl: timedelta) -> None:
        """Keep `value` for `ttl`."""

    async def delete(self, key: str) -> None:
        """Forget it."""

    async def take(self, key: str, holder: str, ttl: timedelta) -> bool:
        """Keep the holder's name unless another's is kept."""

    async def give_back(self, key: str, holder: str) -> None:
        """Forget the name if it is still this holder's."""


@dataclass(frozen=True, slots=True)
class App:
    """Who we are to WeCom."""

    corp_id: str
    agent_id: int
    secret: SecretStr

    @property
    def token_key(self) -> str:
        """Where the token is kept. A changed secret never meets the token of the old one."""
        mark = hashlib.sha256(self.secret.get_secret_value().encode()).hexdigest()[:8]
        return f"wecom-token:{self.corp_id}:{self.agent_id}:{mark}"


class Tokens:
    """The present token of one app (document 91039)."""

    def __init__(
        self, wire: Wire, app: App, *, store: TokenStore, clock: Callable[[], float]
    ) -> None:
        self._wire = wire
        self._app = app
        self._store = store
        self._clock = clock
        self._held: SecretStr | None = None
        self._held_until = 0.0
        self._refused: SecretStr | None = None  # the last one that WeCom would not take
        self._fetching: asyncio.Task[SecretStr] | None = None
        self._fetched_at: deque[float] = deque(maxlen=_MOST_A_MINUTE)
        self._barred: WecomError | None = None
        self._barred_until = 0.0
        self._name = secrets.token_hex(8)  # under which this node takes its turn

    async def current(self) -> SecretStr:
        """Return a token, asking WeCom only if none is known."""
        if self._held is not None and self._clock() < self._held_until:
            return self._held
        if self._fetching is None:
            self._fetching = asyncio.create_task(self._obtain())
            self._fetching.add_done_callback(self._finished)
        # One caller giving up must not take the token away from the others.
        return await asyncio.shield(self._fetching)

    async def instead_of(self, refused: SecretStr) -> SecretStr:
        """Return another token after WeCom refused this one; somebody may have got it already."""
        self._forget(refused)
        return await self.current()

    async def discard(self, refused: SecretStr) -> None:
        """Forget a token for good, without asking for another."""
        self._forget(refused)
        await self._if_store_works(self._store.delete(self._app.token_key))

    def _forget(self, refused: SecretStr) -> None:
        self._refused = refused
        if self._held == refused:
            self._held = None

    def _finished(self, task: asyncio.Task[SecretStr]) -> None:
        self._fetching = None
        if not task.cancelled():
            task.exception()  # seen, even if every caller has gone

    async def _obtain(self) -> SecretStr:
        """Return what another node has got, or get it: one node at a time."""
        turn = f"{self._app.token_key}:turn"
        for _ in range(_MOST_LOOKS):
            if token := await self._stored():
                return self._hold(token, _TRUST_STORED)
            taken = await self._if_store_works(self._store.take(turn, self._name, _TURN))
            if taken is not False:  # None: there is no store, so nobody to wait for
                break
            await asyncio.sleep(_BETWEEN_LOOKS)
        try:
            # Between our look and our turn another node may have finished its own.
            if token := await self._stored():
                return self._hold(token, _TRUST_STORED)
            return await self._obtain_ourselves()
        finally:
            await self._if_store_works(self._store.give_back(turn, self._name))

    async def _obtain_ourselves(self) -> SecretStr:
        self._heed_limits()
        token, lasts = await self._fetch()
        self._hold(token, lasts)
        await self._if_store_works(
            self._store.set(self._app.token_key, token.get_secret_value(), timedelta(seconds=lasts))
        )
        return token

    async def _stored(self) -> SecretStr | None:
        stored = await self._if_store_works(self._store.get(self._app.token_key))
        token = SecretStr(stored) if stored else None
        return None if token == self._refused else token

    def _hold(self, token: SecretStr, seconds: float) -> SecretStr:
        self._held, self._held_until = token, self._clock() + seconds
        return token

    def _heed_limits(self) -> None:
        """Refuse to ask for a token where asking would do harm."""
        now = self._clock()
        if self._barred is not None and now < self._barred_until:
            raise _held_back(self._barred, self._barred_until - now)
        times = self._fetched_at
        if len(times) == _MOST_A_MINUTE and now - times[0] < 60.0:
            hint = "held back: WeCom keeps refusing fresh tokens"
            wait = timedelta(seconds=60.0 - (now - times[0]))
            raise WecomError(codes.TOO_OFTEN, Kind.WAIT, "gettoken", hint, retry_after=wait)
        times.append(now)

    async def _fetch(self) -> tuple[SecretStr, float]:
        """Return a new token and the seconds for which to use it."""
        call = Call(
            "gettoken",
            query={"corpid": self._app.corp_id},
            secrets={"corpsecret": self._app.secret},
        )
        try:
            issued = _issued(await self._wire.exchange(call))
        except WecomError as refused:
            if refused.code in _BARRED_BY:
                self._barred, self._barred_until = refused, self._clock() + COOL_DOWN
            if isinstance(refused, Unreachable):
                refused.maybe_done = False  # the call that needs the token has not been made
            raise
        if issued is None:
            hint = "no access_token or expires_in"
            raise Unreachable("gettoken", hint, code=codes.ODD_ANSWER, maybe_done=False)
        return issued

    async def _if_store_works(self, doing: Awaitable[T]) -> T | None:
        try:
            return await doing
        except CacheUnavailable:  # costs a call, not the bot; the cache says when it goes
            return None


def _issued(answer: Answer) -> tuple[SecretStr, float] | None:
    token, lasts = answer.get("access_token"), answer.get("expires_in")
    if not isinstance(token, str) or not token or not isinstance(lasts, int) or lasts <= 0:
        return None
    return SecretStr(token), max(lasts - _MARGIN, lasts / 2)


def _held_back(before: WecomError, seconds: float) -> WecomError:
    hint = (
        f"{codes.meaning(before.code).words}; not asked again for {seconds:.0f} s, "
        "because repeated tries make WeCom block this address for an hour"
    )
    wait = timedelta(seconds=seconds)
    return WecomError(before.code, before.kind, "gettoken", hint, retry_after=wait)
