"""What operators see: `/healthz`, `/readyz`, `/metrics` and the log, without personal data."""

from __future__ import annotations

import logging
import math
import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TextIO, cast

import structlog
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from bot import chores
from workflows.mirror import Reading
from workflows.outside import SourceState

_CUSTOMERS = {
    "coverage": "Part of the adds that came by callback; NaN if there were none.",
    "late_adds": "Adds that the last reading of all customers found and no callback had told.",
    "late_deletions": "Deletions that it found and no callback had told.",
    "unread_members": "Members whose customers could not be read.",
    "relations": "Relations that WeCom showed.",
    "read_age_seconds": "How long ago the last complete reading began.",
}
_READY = 200
_BROKEN = 500
_NOT_READY = 503
_EFFECT_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, math.inf)

DEGRADED = "degraded: "  # how trouble begins that does not stop the node

Check = Callable[[], Awaitable[str]]  # '' when fine, else what is wrong in a few words


class Metrics:
    """The figures of one running program; names start with `menwei_`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self.accepted = Counter(
            "menwei_events_accepted", "Callbacks made durable.", ["kind"], registry=self.registry
        )
        self.refused = Counter(
            "menwei_callbacks_refused", "Callbacks refused.", ["reason"], registry=self.registry
        )
        self.handled = Counter(
            "menwei_work_handled", "Work done.", ["queue", "kind", "result"], registry=self.registry
        )
        self.calls = Histogram(
            "menwei_wecom_seconds",
            "Calls to WeCom by path and error code.",
            ["path", "code"],
            registry=self.registry,
        )
        self.waiting = Gauge(
            "menwei_work_rows", "Rows of work by queue and state.", ["queue", "state"],
            registry=self.registry,
        )  # fmt: skip
        self.oldest = Gauge(
            "menwei_work_oldest_seconds",
            "For how long the row has waited that waits longest of those that are due.",
            ["queue"],
            registry=self.registry,
        )
        self.effect = Histogram(
            "menwei_effect_seconds",
            "From a callback being stored to its effect being committed.",
            buckets=_EFFECT_BUCKETS,
            registry=self.registry,
        )
        self.directory_read = Gauge(
            "menwei_directory_read_timestamp_seconds",
            "When this node last read the whole directory, in unix seconds; 0 if it did not yet.",
            registry=self.registry,
        )
        self.records = Gauge(
            "menwei_audit_records", "Entries of the record; it only grows.", registry=self.registry
        )
        self.source_age = Gauge(
            "menwei_source_age_seconds",
            "How old the facts of a source are.",
            ["source"],
            registry=self.registry,
        )
        self.source_rows = Gauge(
            "menwei_source_rows", "Rows of a source.", ["source"], registry=self.registry
        )
        self.source_doubts = Gauge(
            "menwei_source_doubts",
            "Cells and keys of a source that cannot be used.",
            ["source"],
            registry=self.registry,
        )
        self.source_failed = Gauge(
            "menwei_source_failed",
            "Whether a source could not be read when it was last tried, or is too old.",
            ["source"],
            registry=self.registry,
        )

        self.customers = {
            name: Gauge(f"menwei_customers_{name}", words, registry=self.registry)
            for name, words in _CUSTOMERS.items()
        }
        self.customers["coverage"].set(math.nan)
        self.customers["read_age_seconds"].set(math.inf)
        self.nodes = Gauge("menwei_nodes", "Nodes that live.", registry=self.registry)
        self.clock = Gauge(
            "menwei_clock_behind_seconds",
            "By how much this machine's clock is behind the database's.",
            registry=self.registry,
        )
        self.cache_up = Gauge(
            "menwei_cache_up",
            "Whether Redis answers; 1 also where none is configured.",
            registry=self.registry,
        )
        self.cache_up.set(1)

    def called(self, path: str, code: int, seconds: float) -> None:
        """Note one call to WeCom."""
        self.calls.labels(path, str(code)).observe(seconds)

    def counting(self, queue: str) -> Callable[[str, str], None]:
        """Return what counts the rows of one queue."""

        def count(kind: str, result: str) -> None:
            self.handled.labels(queue, kind, result).inc()
            if (kind, result) == (chores.DIRECTORY, "done"):
                self.directory_read.set_to_current_time()

        return count

    def took(self, span: timedelta) -> None:
        """Note how long after it was stored an event has had its effect."""
        self.effect.observe(max(0.0, span.total_seconds()))

    def show_oldest(self, since: Mapping[str, datetime | None], now: datetime) -> None:
        """Show since when the oldest due row of each queue waits; None is nothing due."""
        for queue, due in since.items():
            self.oldest.labels(queue).set((now - due).total_seconds() if due else 0)

    def show_sources(self, states: Iterable[SourceState], now: datetime) -> None:
        """Bring the figures of the outside sources up to date."""
        for each in states:
            doubts = each.doubled + sum(doubt.count for doubt in each.doubts)
            age = (now - each.made_at).total_seconds() if each.made_at else math.inf
            self.source_age.labels(each.name).set(age)
            self.source_rows.labels(each.name).set(each.rows)
            self.source_doubts.labels(each.name).set(doubts)
            self.source_failed.labels(each.name).set(bool(each.trouble) or not each.is_fresh(now))

    def show_customers(self, reading: Reading, now: datetime) -> None:
        """Bring the figures of the last complete reading of all customers up to date."""
        coverage = reading.coverage
        shown = {
            "coverage": math.nan if coverage is None else coverage,
            "late_adds": reading.late_adds,
            "late_deletions": reading.late_deletions,
            "unread_members": len(reading.unread),
            "relations": reading.tally.relations,
            "read_age_seconds": (now - reading.began).total_seconds(),
        }
        for name, value in shown.items():
            self.customers[name].set(value)

    def render(self) -> bytes:
        """Return the figures in Prometheus' text format."""
        return generate_latest(self.registry)


@dataclass(frozen=True, slots=True)
class Health:
    """What is asked when somebody wants to know how the program does.

    `checks` stop the node from being ready, unless what they say begins with DEGRADED; `notes` are
    only told, and '' is not. `refresh` brings the gauges up to date. A process of which a part has
    died is not `is_whole` any more and should be restarted; one that `is_draining` gets no more
    callbacks.
    """

    checks: Mapping[str, Check]
    notes: Mapping[str, Check]
    refresh: Callable[[], Awaitable[None]]
    is_whole: Callable[[], bool]
    is_draining: Callable[[], bool]


def routes(metrics: Metrics, health: Health) -> list[web.RouteDef]:
    """Return the routes operators use."""

    async def healthz(_: web.Request) -> web.Response:
        if health.is_whole():
            return web.json_response({"status": "alive"})
        return web.json_response({"status": "broken"}, status=_BROKEN)

    async def readyz(_: web.Request) -> web.Response:
        if health.is_draining():
            return web.json_response({"node": "draining"}, status=_NOT_READY)
        found = {name: await check() for name, check in health.checks.items()}
        told = {name: await note() for name, note in health.notes.items()}
        ready = all(not said or said.startswith(DEGRADED) for said in found.values())
        body = {name: trouble or "ok" for name, trouble in found.items()}
        body |= {name: said for name, said in told.items() if said}
        return web.json_response(body, status=_READY if ready else _NOT_READY)

    async def figures(_: web.Request) -> web.Response:
        await health.refresh()
        return web.Response(body=metrics.render(), content_type="text/plain", charset="utf-8")

    return [
        web.get("/healthz", healthz),
        web.get("/readyz", readyz),
        web.get("/metrics", figures),
    ]


def remembered(check: Check, seconds: float) -> Check:
    """Return the check with its answer kept for a while."""
    answer, until = "", -math.inf

    async def asked() -> str:
        nonlocal answer, until
        if time.monotonic() >= until:
            answer = await check()
            until = time.monotonic() + seconds
        return answer

    return asked


def set_up_logging(level: str, *, as_json: bool) -> None:
    """Write one line an event to standard error: JSON for machines, colours for a terminal."""
    renderer = (
        structlog.processors.JSONRenderer(ensure_ascii=False)
        if as_json
        else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, Unbreakable(sys.stderr))),
        cache_logger_on_first_use=False,
    )


class Unbreakable:
    """A stream that loses what cannot be written: the disk behind the log may be the full one.

    Whoever logs has something more important to do, such as telling WeCom that nothing was stored.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write what can be written."""
        with suppress(OSError, ValueError):
            self._stream.write(text)
        return len(text)

    def flush(self) -> None:
        """Hand on what can be handed on."""
        with suppress(OSError, ValueError):
            self._stream.flush()
