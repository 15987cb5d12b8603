"""Sending sealed callbacks with WeCom's patience, and reading the passive replies."""

from __future__ import annotations

import asyncio
import random
import secrets
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

import aiohttp
from yarl import URL

from bot.simulator.events import Event, from_xml, to_xml
from bot.simulator.faults import Faults
from bot.simulator.replies import apply_reply
from bot.simulator.seal import BadSealError, Seal, Sealed
from bot.simulator.world import World

TRIES = 3


@dataclass(slots=True)
class Door:
    """An address that callbacks go to, with its own Token and EncodingAESKey."""

    url: str
    seal: Seal
    behind: list[str] = field(default_factory=list)  # what a load balancer there sends them to

    def address(self) -> str:
        """Return where the next try goes: in turn to all that are behind it."""
        if not self.behind:
            return self.url
        self.behind.append(self.behind.pop(0))
        return self.behind[-1]


@dataclass(frozen=True, slots=True)
class Delivery:
    """How sending one callback ended. `status` is that of the last try, 0 for no answer.

    `ended` is a time that only grows, `seconds` how long the tries took together.
    """

    event: Event
    accepted: bool
    tries: int
    status: int
    seconds: float
    ended: float = 0.0


class CallbackRefusedError(Exception):
    """The callback URL does not pass the check that WeCom makes when it is saved."""


class Callbacks:
    """Sends each event on its own task: order is not guaranteed, as with WeCom."""

    timeout = 5.0  # seconds until a try counts as failed (doc 90238)
    pause = 1.0  # seconds between tries; WeCom does not document it
    scatter = 0.0  # seconds by which a callback may come late, by chance: order is mixed up

    def __init__(
        self, world: World, faults: Faults, log: Callable[[str, str, str, str], None]
    ) -> None:
        self.doors: dict[str, Door] = {}
        self.deliveries: deque[Delivery] = deque(maxlen=10_000)
        self.problems: list[str] = []  # replies that WeCom would have thrown away
        self._world, self._faults, self._log = world, faults, log
        self._session: aiohttp.ClientSession | None = None
        self._running: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        """Open the client."""
        connector = aiohttp.TCPConnector(limit=256)
        self._session = aiohttp.ClientSession(connector=connector)

    async def stop(self) -> None:
        """Drop what is not delivered yet and close the client."""
        self.drop()
        await asyncio.gather(*self._running, return_exceptions=True)
        if self._session is not None:
            await self._session.close()
            self._session = None

    def drop(self) -> None:
        """Give up what is on its way."""
        for task in self._running:
            task.cancel()

    async def idle(self) -> None:
        """Wait until every callback raised so far has been delivered or given up."""
        while self._running:
            await asyncio.wait(set(self._running))

    def send(self, event: Event) -> None:
        """Begin to deliver an event, unless nobody is to hear it or a fault drops it."""
        door = self.doors.get(event.door)
        if self._session is None or door is None or not door.url:
            return
        if not self._world.console.tells(str(event.fields.get("Event", ""))):
            return
        delays = self._faults.take_callback()
        if not delays:
            self._log("out", event.name, "dropped", "")
        for delay in delays:
            task = asyncio.get_running_loop().create_task(self._deliver(event, door, delay))
            self._running.add(task)
            task.add_done_callback(self._running.discard)

    async def verify(self, name: str = "app") -> None:
        """Make the GET check of doc 90930; raises CallbackRefusedError."""
        door, session = self.doors[name], self._open_session()
        word = secrets.token_hex(10)
        sealed = door.seal.close(word, int(self._world.now()))
        url = _with_signature(door.url, sealed, echostr=sealed.encrypt)
        try:
            limit = aiohttp.ClientTimeout(total=1)
            async with session.get(url, timeout=limit) as answer:
                body = await answer.text()
        except (aiohttp.ClientError, TimeoutError) as error:
            raise CallbackRefusedError(f"no answer within a second: {error!r}") from error
        if answer.status != 200 or body != word:
            raise CallbackRefusedError(f"HTTP {answer.status}, and the body is not the plain echo")

    async def _deliver(self, event: Event, door: Door, delay: float) -> None:
        scattered = random.uniform(0, self.scatter)  # noqa: S311 - nothing secret
        if delay + scattered:
            await asyncio.sleep(delay + scattered)
        began, status, body, tries = time.monotonic(), 0, "", 0
        while tries < TRIES and status != 200:
            if tries:
                await asyncio.sleep(self.pause)
            tries += 1
            status, body = await self._try(event, door)
        ended = time.monotonic()
        took = ended - began
        self.deliveries.append(Delivery(event, status == 200, tries, status, took, ended))
        again = f", try {tries}" if tries > 1 else ""
        result = f"{status or 'no answer'} in {took * 1000:.0f} ms{again}"
        self._log("out", event.name, result, _detail(event))
        if status == 200 and body.strip() not in ("", "success"):
            self._read_reply(event, door, body)

    async def _try(self, event: Event, door: Door) -> tuple[int, str]:
        sealed = door.seal.close(to_xml(event.fields), int(self._world.now()))
        envelope = {"ToUserName": self._world.corp_id, "Encrypt": sealed.encrypt}
        if event.door == "app":
            envelope["AgentID"] = str(self._world.agent_id)
        limit = aiohttp.ClientTimeout(total=self.timeout)
        try:
            async with self._open_session().post(
                _with_signature(door.address(), sealed),
                data=to_xml(envelope).encode(),
                headers={"Content-Type": "text/xml"},
                timeout=limit,
                allow_redirects=False,
            ) as answer:
                return answer.status, await answer.text()
        except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError):
            return 0, ""

    def _read_reply(self, event: Event, door: Door, body: str) -> None:
        try:
            if not event.member:
                raise ValueError("this event supports no passive reply")
            outer = from_xml(body)
            parts = [outer[name][0] for name in ("Encrypt", "MsgSignature", "TimeStamp", "Nonce")]
            apply_reply(self._world, event, from_xml(door.seal.open(Sealed(*parts))))
        except (ValueError, KeyError, BadSealError) as error:
            self.problems.append(f"{event.name}: {error}")
            self._log("out", event.name, "reply ignored", str(error))

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the simulator is not started")
        return self._session


def _with_signature(url: str, sealed: Sealed, **more: str) -> URL:
    return URL(url).update_query(
        msg_signature=sealed.signature, timestamp=sealed.timestamp, nonce=sealed.nonce, **more
    )


def _detail(event: Event) -> str:
    names = ("UserID", "ExternalUserID", "State", "Content", "EventKey", "TaskId", "ChatId")
    told = [str(event.fields[name]) for name in names if event.fields.get(name)]
    return " ".join([event.member, *told] if event.member else told)[:200]
