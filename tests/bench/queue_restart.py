"""Starts the program on a database in which much waits: how soon it is ready, and how large it is.

`menwei serve` as a process of its own, its imports included. Ready is when /readyz says so, which
needs the database, the rules and an answer from WeCom.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp

from bot import demo
from storage.database import Database
from storage.work import Job, Queue
from tests.bench import queue_company as people
from tests.bench import queue_stories
from tests.bench.places import Place
from tests.bench.queue_company import Company
from tests.bench.queue_filling import teams
from tests.bench.queue_stories import Story

_PATIENCE = 60.0  # seconds
_POLL = 0.01
_DONE = "SELECT count(*) FROM work WHERE key LIKE 'in:restart-%' AND state > 0"


async def pile_up(place: Place, allowed: Story, requests: int, events: int) -> None:
    """Put events into the inbox of which WeCom was told that we have them: sellers added people."""
    [original] = [row for row in allowed.rows["work"] if row["queue"] == Queue.INBOX]
    jobs = []
    for number in range(events):
        who = people.seller(number % teams(requests), number)
        external = people.customer(who, "plain", 1_000_000 + number)
        kind, lane, body = (
            str(original[name]).replace(allowed.external, external).replace(allowed.who, who)
            for name in ("kind", "lane", "body")
        )
        jobs.append(Job(Queue.INBOX, kind, lane, body, f"in:restart-{number}"))
    db = Database.open(place.url)
    await db.write(lambda tx: tx.work.add(jobs, datetime.now(UTC)))
    await db.aclose()


async def compiled(folder: Path) -> None:
    """Have Python write the program's byte code, as it has for an installed program."""
    process = await _started(folder, "--help")
    await process.communicate()


async def restarted(place: Place, requests: int, folder: Path, seconds: float) -> dict[str, Any]:
    """Start the program, let it work for some seconds, and stop it."""
    wecom, config, port = Company(teams(requests)), folder / "restart.toml", demo.free_port(8123)
    await wecom.start()
    queue_stories.write_config(config, place.url, wecom.url, port)
    start = time.perf_counter()
    process = await _started(folder, "serve", "--config", str(config), "--log-level", "error")
    try:
        await _ready(f"http://{demo.HOST}:{port}")
        ready, at_once = time.perf_counter() - start, _megabytes(process.pid)
        await asyncio.sleep(seconds)
        later = _megabytes(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        await process.communicate()
        wecom.stop()
    return {
        "ready_seconds": round(ready, 2),
        "megabytes": at_once,
        "megabytes_later": later,
        "events_done": place.number(_DONE),
    }


async def _started(folder: Path, *words: str) -> asyncio.subprocess.Process:
    environment = {**os.environ, "PYTHONPYCACHEPREFIX": str(folder / "pycache")}
    environment.pop("PYTHONDONTWRITEBYTECODE", None)
    silent = asyncio.subprocess.DEVNULL
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", *words, env=environment, stdout=silent, stderr=silent
    )


async def _ready(address: str) -> None:
    end = time.perf_counter() + _PATIENCE
    async with aiohttp.ClientSession() as http:
        while not await _says_so(http, address):
            if time.perf_counter() > end:
                raise TimeoutError("the program does not become ready")
            await asyncio.sleep(_POLL)


async def _says_so(http: aiohttp.ClientSession, address: str) -> bool:
    try:
        async with http.get(f"{address}/readyz") as answer:
            return answer.status == 200
    except aiohttp.ClientError:
        return False


def _megabytes(pid: int) -> int:
    """Return how much of a process is in memory."""
    pages = int(Path(f"/proc/{pid}/statm").read_text("utf-8").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") >> 20
