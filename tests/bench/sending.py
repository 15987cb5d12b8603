"""Sends callbacks over many connections, flat out or at a pace, and times every answer."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass

_END = b"\r\n\r\n"
_LENGTH = b"\r\ncontent-length: "
_OK = 200


@dataclass(slots=True)
class Sent:
    """When each letter was due, and when and how it was answered."""

    due: list[float]
    answered: list[float]
    status: list[int]

    @property
    def seconds(self) -> float:
        """From the first letter to the last answer."""
        return max(self.answered) - min(self.due)

    @property
    def accepted(self) -> int:
        """How many were answered with 200."""
        return self.statuses[_OK]

    @property
    def statuses(self) -> Counter[int]:
        """How many answers had which status."""
        return Counter(self.status)

    @property
    def waits(self) -> list[float]:
        """Seconds from due to answered."""
        return [end - start for start, end in zip(self.due, self.answered, strict=True)]


async def send(
    address: str,
    letters: Sequence[bytes],
    rate: float | None = None,
    connections: int = 64,
    *,
    anew: bool = False,
) -> Sent:
    """Send every letter once: as fast as the connections allow, or `rate` of them a second.

    With `anew` every letter gets a new connection, for servers that keep none.

    At a pace, a letter's wait counts from when it was due, so that a server which stalls cannot
    make the sender look away meanwhile.
    """
    host, port = address.removeprefix("http://").rsplit(":", 1)
    run = _Run(letters, host, int(port), paced=rate is not None, anew=anew)
    lines = [_Line(run) for _ in range(connections)]
    for line in lines:
        await run.connect(line)
    try:
        if rate is None:
            run.offer(range(len(letters)), lines)
        else:
            await run.pace(rate, lines)
        await run.finished
    finally:
        for line in lines:
            line.close()
    return run.sent


class _Run:
    """The letters of one run and what has become of them."""

    def __init__(
        self, letters: Sequence[bytes], host: str, port: int, *, paced: bool, anew: bool
    ) -> None:
        count = len(letters)
        self.anew = anew
        self._host, self._port = host, port
        self._connecting: set[asyncio.Task[None]] = set()
        self.sent = Sent([0.0] * count, [0.0] * count, [0] * count)
        self.finished: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._letters = letters
        self._paced = paced
        self._left = count
        self._ready: deque[int] = deque()

    async def connect(self, line: _Line) -> None:
        """Give a line a connection."""
        loop = asyncio.get_running_loop()
        await loop.create_connection(lambda: line, self._host, self._port)

    def renew(self, line: _Line) -> None:
        """Give a line another connection; then it goes on."""
        task = asyncio.create_task(self._renewed(line))
        self._connecting.add(task)
        task.add_done_callback(self._connecting.discard)

    async def _renewed(self, line: _Line) -> None:
        try:
            await self.connect(line)
        except OSError as error:
            self.broke(f"no new connection: {error}")
        else:
            line.go_on()

    def offer(self, numbers: Sequence[int], lines: Sequence[_Line]) -> None:
        """Let these letters go out on whatever line is free."""
        self._ready.extend(numbers)
        for line in lines:
            line.go_on()

    async def pace(self, rate: float, lines: Sequence[_Line]) -> None:
        """Offer the letters one by one, each when it is due."""
        start = time.perf_counter()
        for number in range(len(self._letters)):
            due = start + number / rate
            self.sent.due[number] = due
            if (early := due - time.perf_counter()) > 0:
                await asyncio.sleep(early)
            self.offer([number], lines)

    def next_letter(self) -> tuple[int, bytes] | None:
        """Return what to send now."""
        if not self._ready:
            return None
        number = self._ready.popleft()
        if not self._paced:
            self.sent.due[number] = time.perf_counter()
        return number, self._letters[number]

    def answered(self, number: int, status: int) -> None:
        """Take note of an answer."""
        self.sent.answered[number] = time.perf_counter()
        self.sent.status[number] = status
        self._left -= 1
        if not self._left:
            self.finished.set_result(None)

    def broke(self, why: str) -> None:
        """End the run: the server did what it must not."""
        if not self.finished.done():
            self.finished.set_exception(ConnectionError(why))


class _Line(asyncio.Protocol):
    """One connection, kept alive: a letter, its answer, the next letter."""

    def __init__(self, run: _Run) -> None:
        self._run = run
        self._number: int | None = None
        self._got = b""
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport

    def connection_lost(self, _error: Exception | None) -> None:
        if self._number is not None or not self._run.anew:
            self._run.broke("the server hung up")

    def close(self) -> None:
        if self._transport is not None:
            self._transport.close()
            self._transport = None

    def go_on(self) -> None:
        """Send the next letter if this line is free and there is one."""
        if self._number is not None or self._transport is None:
            return
        found = self._run.next_letter()
        if found is None:
            return
        self._number, letter = found
        self._transport.write(letter)

    def data_received(self, data: bytes) -> None:
        self._got += data
        head, end, body = self._got.partition(_END)
        if not end:
            return
        _, _, length = head.lower().partition(_LENGTH)
        if not length:
            self._run.broke("an answer of no known length")
            return
        if len(body) < int(length.partition(b"\r\n")[0]):
            return
        number, status = self._number, int(self._got[9:12])
        self._got, self._number = b"", None
        assert number is not None
        self._run.answered(number, status)
        if self._run.anew:
            self.close()
            self._run.renew(self)
        else:
            self.go_on()
