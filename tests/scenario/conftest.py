"""The built program against the simulator: signed callbacks in, messages seen out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
import pytest

from bot import demo, settings
from bot.app import App
from bot.console import serving
from bot.settings import Settings
from bot.simulator import Simulator, demo_world
from bot.simulator.records import Message
from bot.simulator.views import message_view
from storage.database import Database
from storage.work import Job, Queue, WorkState
from workflows.model import AuditRecord, Origin, Request

PATIENCE = 15.0  # seconds a person would wait at the very most

Change = tuple[str, str]  # words of the demo's config file, and what stands there instead
# The demo's visitors shall not wait; a test on a busy machine shall not come too late.
NO_HURRY: Change = ('undo_window    = "10s"', 'undo_window    = "60s"')
Opens = Callable[..., Awaitable["Stage"]]


@dataclass(slots=True)
class Clock:
    """The time of both programs, which a test moves on."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def unix(self) -> float:
        return self.now().timestamp()

    def move(self, **by: float) -> None:
        """Move on by `hours=8` and the like."""
        self.ahead += timedelta(**by)


@dataclass(slots=True)
class Stage:
    """A running Menwei with its pretend WeCom, and what a player can see and do."""

    simulator: Simulator
    address: str
    settings: Settings
    http: aiohttp.ClientSession
    folder: Path
    clock: Clock
    db: Database
    _running: AsyncExitStack = field(default_factory=AsyncExitStack)

    # Menwei itself

    async def start(self, *changes: Change) -> None:
        """Start Menwei on its database, with changes of the config file as it is by now."""
        file = self.folder / "config.toml"
        text = changed(file.read_text("utf-8"), changes)
        file.write_text(text, "utf-8")
        self.settings = settings.parse(text)
        await self._run(file)

    async def start_as_it_is(self) -> None:
        """Start Menwei as `menwei serve` does, however bad the config file is by now."""
        file = self.folder / "config.toml"
        self.settings = await asyncio.to_thread(serving.settings_to_start, file)
        await self._run(file)

    async def _run(self, file: Path) -> None:
        app = App(self.settings, self.clock.now, file)
        self.address = await self._running.enter_async_context(app.running())
        self.simulator.callback_url = f"{self.address}/wecom/callback"
        demo.listen_directory(self.simulator, self.settings, self.address)

    async def knows_the_company(self) -> None:
        """Wait until Menwei has read the directory."""
        read = self.db.read
        await self.until(
            lambda: read(lambda tx: tx.people.directory()), lambda it: it.members, "the directory"
        )

    async def knows_the_customers(self) -> None:
        """Wait until Menwei has read all customers."""
        read = self.db.read
        await self.until(
            lambda: read(lambda tx: tx.readings.complete()), bool, "all customers are read"
        )

    async def does(self, chore: str) -> None:
        """Have Menwei do a chore now, and wait until it is done."""
        key = f"{chore}:{self.clock.now().isoformat()}"
        job = Job(Queue.TIMERS, chore, key, key, key, self.clock.now())
        await self.db.write(lambda tx: tx.work.add([job], self.clock.now()))

        async def left() -> object:
            return await self.db.read(lambda tx: tx.work.open_in(Queue.TIMERS, key))

        await self.until(left, lambda rows: not rows, f"{chore} is done")

    async def stop(self) -> None:
        """Stop Menwei. WeCom goes on calling where it was."""
        await self._running.aclose()

    async def quiet(self) -> None:
        """Wait until every callback is handled and every call to WeCom is made."""
        await self.simulator.idle()

        async def waiting() -> int:
            counts = await self.db.read(lambda tx: tx.work.counts())
            return sum(counts.get((q, WorkState.OPEN), 0) for q in (Queue.INBOX, Queue.OUTBOX))

        await self.until(waiting, lambda count: count == 0, "all work is done")

    async def by_day(self) -> None:
        """Go on at ten in the morning: what is held back at night waits for it."""
        await self.quiet()
        await self.stop()
        local = self.clock.now().astimezone(ZoneInfo("Asia/Shanghai"))
        ten = local.replace(hour=10, minute=0)
        self.clock.ahead += (ten if ten > local else ten + timedelta(days=1)) - local
        await self.start()

    async def request(self, request_id: str) -> Request:
        found = await self.db.read(lambda tx: tx.requests.get(request_id))
        assert found is not None
        return found

    async def newest(self, userid: str) -> Request:
        """Return a member's newest request."""
        found = await self.db.read(lambda tx: tx.requests.by_requester(userid, 1))
        assert found, f"{userid} has no request"
        return found[0]

    async def newest_of(self, userid: str) -> Request:
        """Wait for a member's first request."""

        async def look() -> list[Request]:
            return await self.db.read(lambda tx: tx.requests.by_requester(userid, 1))

        found: list[Request] = await self.until(look, lambda it: it, f"{userid} has a request")
        return found[0]

    async def records(self, request_id: str, kind: str = "") -> list[AuditRecord]:
        """Return what the audit says of a request."""
        found = await self.db.read(lambda tx: tx.audit.of_request(request_id))
        return [each for each in found if kind in ("", each.kind)]

    # What people see and do

    async def state(self) -> dict[str, Any]:
        async with self.http.get(f"{self.simulator.base_url}/sim/state") as answer:
            found: dict[str, Any] = await answer.json()
            return found

    async def post(self, path: str, **body: object) -> dict[str, Any]:
        async with self.http.post(f"{self.simulator.base_url}/sim/{path}", json=body) as answer:
            found: dict[str, Any] = await answer.json()
            assert answer.status < 400, found
            return found

    async def say(self, userid: str, text: str) -> None:
        await self.post(f"members/{userid}/say", text=text)

    async def heard(self, userid: str) -> list[dict[str, Any]]:
        """Return what the app has sent to a member."""
        return [message_view(each) for each in self.chat(userid)]

    def chat(self, userid: str) -> list[Message]:
        chats = self.simulator.world.state.chats.get(userid.lower(), [])
        return [each for each in chats if each.kind in {"text", "news", "card"}]

    def times_told(self, userid: str, words: str) -> int:
        """Return how many texts with these words a member has got."""
        return sum(words in each.text for each in self.chat(userid) if each.kind == "text")

    async def hears(self, userid: str, words: str, kind: str = "text") -> dict[str, Any]:
        """Wait until a member has got a message with these words; return the newest such."""

        def found(messages: list[dict[str, Any]]) -> dict[str, Any] | None:
            hits = [each for each in messages if each["kind"] == kind and words in str(each)]
            return hits[-1] if hits else None

        hit: dict[str, Any] = await self.until(
            lambda: self.heard(userid), found, f"{userid} hears {words!r}"
        )
        return hit

    async def card(self, userid: str, words: str = "") -> dict[str, Any]:
        """Wait for an open approval card of a member."""

        def found(messages: list[dict[str, Any]]) -> dict[str, Any] | None:
            cards = [
                each
                for each in messages
                if each["kind"] == "card"
                and words in str(each)
                and "replace_text" not in each["card"]
            ]
            return cards[-1] if cards else None

        hit: dict[str, Any] = await self.until(
            lambda: self.heard(userid), found, f"{userid} gets a card"
        )
        return hit

    async def press(
        self, userid: str, card: dict[str, Any], choice: str, reason: str | None = None
    ) -> None:
        keys = [b["key"] for b in card["card"]["button_list"] if b["key"].endswith(f":{choice}")]
        question = card["card"].get("button_selection", {}).get("question_key", "")
        selected = {question: [reason]} if reason else {}
        await self.post(
            f"members/{userid}/press", task_id=card["task_id"], key=keys[0], selected=selected
        )

    async def held(self, userid: str) -> Request:
        """Wait until what a member asked for last is approved and held back; return it."""
        requests = await self.db.read(lambda tx: tx.requests.by_requester(userid, 9))
        request = next(each for each in requests if each.origin is Origin.ASKED)
        lane = f"held:{request.id}"
        await self.until(
            lambda: self.db.read(lambda tx: tx.work.open_in(Queue.TIMERS, lane)),
            lambda rows: rows,
            f"{request.id} is held back",
        )
        return request

    async def nobody_regrets(self, userid: str) -> None:
        """Let the time pass in which the approval of a member's newest request can be undone."""
        await self.held(userid)
        self.clock.move(seconds=61)

    async def relation(self, userid: str, external_userid: str) -> dict[str, Any] | None:
        customers = (await self.state())["customers"]
        added = next(c["added"] for c in customers if c["external_userid"] == external_userid)
        return next((each for each in added if each["userid"] == userid), None)

    async def customer(self, name: str) -> str:
        customers = (await self.state())["customers"]
        return str(next(c["external_userid"] for c in customers if c["name"] == name))

    async def until(
        self,
        look: Callable[[], Any],
        found: Callable[[Any], Any],
        what: str,
        patience: float = PATIENCE,
    ) -> Any:
        """Look again and again until something is found."""
        seen: Any = None
        try:
            async with asyncio.timeout(patience):
                while True:
                    seen = await look()
                    if hit := found(seen):
                        return hit
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pytest.fail(f"waited in vain: {what}; last seen: {str(seen)[-3000:]}")


def changed(text: str, changes: tuple[Change, ...]) -> str:
    """Return a config with words replaced; all of them must be there."""
    for old, new in changes:
        assert old in text, f"the demo's config has no {old!r}"
        text = text.replace(old, new, 1)
    return text


@asynccontextmanager
async def opened(folder: Path, *changes: Change) -> AsyncIterator[Stage]:
    """Run a Menwei with the demo's rules, changed, and its pretend WeCom."""
    clock = Clock()
    simulator = Simulator(demo.corp(), demo_world(), clock.unix)
    found = demo.configured(await simulator.start(), 0, folder)
    db = Database.open(found.storage.address)
    try:
        async with aiohttp.ClientSession() as http:
            stage = Stage(simulator, "", found, http, folder, clock, db)
            await stage.start(NO_HURRY, *changes)
            try:
                await stage.knows_the_company()
                yield stage
            finally:
                await stage.stop()
    finally:
        await db.aclose()
        await simulator.stop()


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    """The demo's company under the demo's rules."""
    async with opened(tmp_path) as stage:
        yield stage


@pytest.fixture
async def opens(tmp_path: Path) -> AsyncIterator[Opens]:
    """Opens a stage under changed rules: `stage = await opens(("allow = 2", "allow = 4"))`."""
    async with AsyncExitStack() as stack:

        async def open_(*changes: Change) -> Stage:
            return await stack.enter_async_context(opened(tmp_path, *changes))

        yield open_
