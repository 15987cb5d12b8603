"""The real program as a process of its own, which a test can kill and start again."""

from __future__ import annotations

import asyncio
import json
import os
import resource
import signal
import sys
import time
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import aiohttp

ROOT = Path(__file__).parents[2]
STARTS_WITHIN = 60.0  # seconds, on a machine that is busy with other things


@dataclass(slots=True)
class Program:
    """`menwei serve` with one config file. What it says goes to `log`."""

    config: Path
    address: str
    log: Path
    launched_by: tuple[str, ...] = ("tests.scenario.launcher",)  # a module and its words
    pid: int = 0
    _launcher: Process | None = None

    async def start(self) -> None:
        """Start it; it is not ready yet."""
        if self._launcher is None:
            self._launcher = await asyncio.create_subprocess_exec(
                sys.executable, "-m", *self.launched_by, cwd=ROOT, stdin=PIPE, stdout=PIPE
            )
        self.pid = await self._ask([["serve", "--config", str(self.config)], str(self.log)])

    async def ready(self) -> None:
        """Wait until its door is open."""
        async with asyncio.timeout(STARTS_WITHIN), aiohttp.ClientSession() as http:
            while True:
                if await self._answers(http):
                    return
                await asyncio.sleep(0.02)

    def strike(self) -> None:
        """kill -9, at this very moment."""
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)

    async def gone(self) -> int:
        """Wait until the process has ended; return its exit code."""
        code = await self._ask("gone")
        self.pid = 0
        return code

    async def stop(self) -> tuple[int, float]:
        """Ask it to end; return its exit code and the seconds it took."""
        began = time.monotonic()
        os.kill(self.pid, signal.SIGTERM)
        async with asyncio.timeout(STARTS_WITHIN):
            code = await self.gone()
        return code, time.monotonic() - began

    def said(self) -> str:
        """Return the end of its log."""
        return self.log.read_text("utf-8")[-3000:]

    @contextmanager
    def without_room(self) -> Iterator[None]:
        """Let it write no byte to any file, its log included, as if the disk were full."""
        _, most = before = resource.prlimit(self.pid, resource.RLIMIT_FSIZE)
        resource.prlimit(self.pid, resource.RLIMIT_FSIZE, (0, most))
        try:
            yield
        finally:
            resource.prlimit(self.pid, resource.RLIMIT_FSIZE, before)

    async def run(self, *words: str) -> tuple[int, str]:
        """Run another command of the program on the same config file, as a shell would."""
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot", *words, "--config", str(self.config),
            cwd=ROOT, stdout=PIPE, stderr=STDOUT,
        )  # fmt: skip
        said, _ = await process.communicate()
        return process.returncode or 0, said.decode()

    async def close(self) -> None:
        """Kill it if it still runs, and send the launcher home."""
        if self.pid:
            self.strike()
            await self.gone()
        if self._launcher is not None:
            assert self._launcher.stdin is not None
            self._launcher.stdin.close()
            await self._launcher.wait()

    async def _answers(self, http: aiohttp.ClientSession) -> bool:
        try:
            async with http.get(f"{self.address}/healthz") as answer:
                return answer.status == 200
        except aiohttp.ClientError:
            return False

    async def _ask(self, words: object) -> int:
        assert self._launcher is not None
        assert self._launcher.stdin is not None
        assert self._launcher.stdout is not None
        self._launcher.stdin.write(json.dumps(words).encode() + b"\n")
        line = await self._launcher.stdout.readline()
        assert line, self.said()
        return int(line)
