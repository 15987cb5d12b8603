"""Starts the server in a process of its own and asks it what it has used."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Used:
    """What a process has used since its start."""

    cpu: float  # seconds
    megabytes: float  # at its largest


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    address: str
    process: Process

    async def used(self) -> Used:
        """Return what it has used so far."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"?\n")
        found = await _line(self.process)
        return Used(float(found["cpu"]), float(found["megabytes"]))


@asynccontextmanager
async def server(kind: str, database: str = "-", api: str = "-") -> AsyncIterator[Server]:
    """Run a server of `tests.bench.serving` until the block ends."""
    command = [sys.executable, "-m", "tests.bench.serving", kind, database, api]
    process = await asyncio.create_subprocess_exec(*command, stdin=PIPE, stdout=PIPE)
    try:
        found = await _line(process)
        yield Server(str(found["address"]), process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


async def _line(process: Process) -> dict[str, str]:
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError("the server ended; see above")
    found: dict[str, str] = json.loads(line)
    return found
