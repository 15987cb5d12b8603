"""WeCom takes calls and answers none: the door stays open, and who needs no such call goes on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot import app
from bot.simulator.api import ENDPOINTS
from bot.simulator.seed import ZHANG_WEI
from storage.work import Queue
from tests.scenario.conftest import Opens, Stage

HANGS = 30.0
MANY = 1_000_000
SEEN = "externalcontact/get"
ASK = "加 张伟 明达贸易 13800001234 展会认识"


def crowd_of_customers(stage: Stage, count: int) -> list[str]:
    """Make strangers who can be added."""
    state = stage.simulator.world.state
    for number in range(count):
        external = f"wmSTRANGER{number:04}"
        state.customers[external] = replace(
            state.customers[ZHANG_WEI], external_userid=external, name=f"路人{number}"
        )
    return [each for each in state.customers if each.startswith("wmSTRANGER")]


async def test_adds_that_hang_hold_up_no_chat(
    opens: Opens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(app._WIDTHS, Queue.INBOX, 8)
    stage = await opens()
    stage.simulator.faults.delay(SEEN, HANGS, MANY)
    for external in crowd_of_customers(stage, 40):
        stage.simulator.world.member_adds_customer("zhouxiaomei", external)
    await stage.simulator.idle()

    await stage.say("sunlei", "我的")

    await stage.hears("sunlei", "您还没有申请")
    assert len(stage.simulator.called(SEEN)) <= 10
    assert all(each.accepted and each.tries == 1 for each in stage.simulator.deliveries)
    stage.simulator.faults.clear()


async def test_while_every_call_hangs_all_is_taken_and_decided_and_later_told(
    stage: Stage,
) -> None:
    for path in ENDPOINTS:
        stage.simulator.faults.delay(path, HANGS, MANY)
    for member in ("sunlei", "zhouxiaomei", "wangfang"):
        for _ in range(10):
            await stage.say(member, "我的")
    await stage.say("zhouxiaomei", ASK)

    await stage.simulator.idle()
    await stage.newest_of("zhouxiaomei")
    assert all(each.accepted and each.tries == 1 for each in stage.simulator.deliveries)

    stage.simulator.faults.clear()
    stage.clock.move(minutes=2)
    await stage.card("wangfang", "张伟")
