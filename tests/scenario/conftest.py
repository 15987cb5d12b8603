"""The built program against the simulator: signed callbacks in, messages seen out."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from bot import demo
from bot.app import App
from bot.settings import Settings
from bot.simulator import Simulator, demo_world

PATIENCE = 15.0  # seconds a person would wait at the very most


@dataclass(slots=True)
class Stage:
    """A running Menwei with its pretend WeCom, and what a player can see and do."""

    simulator: Simulator
    address: str
    settings: Settings
    http: aiohttp.ClientSession

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
        chats = (await self.state())["chats"].get(userid, [])
        return [each for each in chats if each["kind"] in {"text", "news", "card"}]

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
                    if (hit := found(seen)) is not None and hit is not False:
                        return hit
                    await asyncio.sleep(0.02)
        except TimeoutError:
            pytest.fail(f"waited in vain: {what}; last seen: {str(seen)[-3000:]}")


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    simulator = Simulator(demo.corp(), demo_world())
    base = await simulator.start()
    settings = demo.configured(base, 0, tmp_path)
    try:
        async with aiohttp.ClientSession() as http, App(settings).running() as address:
            simulator.callback_url = f"{address}/wecom/callback"
            stage = Stage(simulator, address, settings, http)
            await stage.hears("zhaomin", "门卫已启用")
            yield stage
    finally:
        await simulator.stop()
