"""Two real nodes on one PostgreSQL and one Redis, each callback to another one."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.simulator.seed import HE_CHEN, ZHANG_WEI
from tests.scenario.cluster import Cluster, a_cluster, stopped_by

ASK = "加 张伟 明达贸易 13800001234 展会认识"
MINE = "您还没有申请"
# Seconds. New nodes count a message for each of them until they are sure of the ledger, so whoever
# asks a dozen times may wait for the next minute's.
THE_NEXT_MINUTE = 75


@pytest.fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    async with a_cluster(tmp_path) as made:
        yield made


async def test_an_approval_goes_its_way_over_both_nodes_and_nothing_is_doubled(
    cluster: Cluster,
) -> None:
    world = cluster.simulator.world
    world.member_says("zhouxiaomei", ASK)
    await cluster.until(lambda: cluster.heard("wangfang", "张伟") == 1, "a card")
    card = next(m for m in world.state.chats["wangfang"] if m.kind == "card")
    assert card.card is not None
    key = next(b["key"] for b in card.card["button_list"] if b["key"].endswith(":approve"))

    cluster.simulator.faults.duplicate_callbacks(2)
    world.member_presses("wangfang", card.task_id, key, {})
    world.member_adds_customer("sunlei", HE_CHEN)
    await cluster.until(lambda: cluster.heard("zhouxiaomei", "通行码") > 0, "a ticket")
    world.customer_scans(ZHANG_WEI, next(iter(world.state.ways)))

    await cluster.settled()
    assert cluster.heard("zhouxiaomei", "已由 王芳 同意") == 1
    assert cluster.heard("sunlei", "不符合规定") == 1
    assert not world.state.ways
    assert cluster.dead() == []
    assert set(cluster.balancer.given) == {node.address for node in cluster.nodes}
    assert (await cluster.nodes[0].run("audit", "verify"))[0] == 0


async def test_nodes_that_need_a_token_at_once_ask_for_one(cluster: Cluster) -> None:
    assert len(cluster.simulator.called("gettoken")) == 1

    cluster.simulator.expire_tokens()
    for member in ("sunlei", "zhouxiaomei", "wangfang", "zhaomin"):
        cluster.simulator.world.member_says(member, "我的")

    await cluster.until(lambda: cluster.heard("zhouxiaomei", MINE) == 1, "an answer")
    await cluster.settled()
    assert len(cluster.simulator.called("gettoken")) == 2


async def test_a_member_gets_no_more_from_both_nodes_than_wecom_delivers(cluster: Cluster) -> None:
    for _ in range(40):
        cluster.simulator.world.member_says("sunlei", "我的")

    await cluster.until(lambda: cluster.heard("sunlei", MINE) >= 14, "most answers")
    await asyncio.sleep(3)
    assert cluster.heard("sunlei", MINE) <= 30
    assert cluster.simulator.world.state.dropped == []


async def test_without_redis_all_goes_on_within_the_shares_and_it_is_said(
    cluster: Cluster,
) -> None:
    said = cluster.simulator.world.member_says
    for _ in range(4):
        said("sunlei", "我的")
    await cluster.until(lambda: cluster.heard("sunlei", MINE) == 4, "answers")

    cluster.redis.kill()
    for _ in range(30):
        said("sunlei", "我的")
    said("zhouxiaomei", ASK)

    await cluster.until(lambda: cluster.heard("wangfang", "张伟") == 1, "a card")
    await cluster.until(lambda: cluster.heard("sunlei", MINE) > 4, "further answers")
    for node in cluster.nodes:
        status, body = await cluster.balancer.asked(node, "/readyz")
        assert status == 200
        assert body["cache"].startswith("degraded")
        _, figures = await cluster.balancer.asked(node, "/metrics")
        assert "menwei_cache_up 0.0" in figures
        assert node.said().count("cache_is_away") == 1

    cluster.redis.start()
    for _ in range(10):
        said("sunlei", "我的")
    await _says(cluster, "cache", "ok")
    await asyncio.sleep(2)
    assert cluster.heard("sunlei", MINE) <= 30
    assert cluster.simulator.world.state.dropped == []


async def _says(cluster: Cluster, what: str, words: str) -> None:
    """Wait until every node says something of itself."""
    async with asyncio.timeout(20):
        for node in cluster.nodes:
            while True:
                _, body = await cluster.balancer.asked(node, "/readyz")
                if body and body.get(what) == words:
                    break
                await asyncio.sleep(0.2)


async def test_nodes_know_how_many_they_are_and_which_rules_each_runs(cluster: Cluster) -> None:
    await _says(cluster, "nodes", "2 live")
    rules = cluster.nodes[0].config
    text = rules.read_text("utf-8")
    other = rules.with_name("other.toml")
    other.write_text(text.replace('language = "zh-CN"', 'language = "en"', 1), "utf-8")
    assert other.read_text("utf-8") != text

    words = ("apply", str(other), "--emergency", "--reason", "test", "--yes")
    code, told = await cluster.nodes[0].run(*words)

    assert code == 0, told
    await _says(cluster, "policy", "ok")
    cluster.simulator.world.member_says("sunlei", "我的")
    cluster.simulator.world.member_says("wangfang", "我的")
    await cluster.settled()
    query = "SELECT count(DISTINCT body::json->>'policy') FROM nodes"
    await cluster.until(lambda: cluster.postgres.rows(query)[0][0] == 1, "one policy")

    await cluster.nodes[1].stop()
    assert len(cluster.postgres.rows("SELECT name FROM nodes")) == 1


async def test_a_node_told_to_stop_hands_over_without_losing_a_callback(cluster: Cluster) -> None:
    leaving, staying = cluster.nodes
    bustling = asyncio.create_task(_bustle(cluster, seconds=9))
    await asyncio.sleep(1)

    os.kill(leaving.pid, signal.SIGTERM)
    await asyncio.sleep(0.3)
    status, body = await cluster.balancer.asked(leaving, "/readyz")
    assert (status, body) == (503, {"node": "draining"})
    assert await leaving.gone() == 0

    await bustling
    await cluster.settled(patience=THE_NEXT_MINUTE)
    assert [d for d in cluster.simulator.deliveries if not d.accepted or d.tries > 1] == []
    assert cluster.dead() == []
    assert cluster.balancer.given[staying.address] > cluster.balancer.given[leaving.address]


async def test_a_second_signal_ends_a_node_at_once(cluster: Cluster) -> None:
    node = cluster.nodes[0]
    os.kill(node.pid, signal.SIGTERM)
    await asyncio.sleep(0.5)

    os.kill(node.pid, signal.SIGTERM)

    assert stopped_by(await node.gone()) == "SIGTERM"


async def _bustle(cluster: Cluster, seconds: float) -> None:
    """Let everybody ask for something now and then."""
    members = [m.userid for m in cluster.simulator.world.state.members.values() if m.visible]
    for number in range(int(seconds * 10)):
        cluster.simulator.world.member_says(members[number % len(members)], "我的")
        await asyncio.sleep(0.1)


async def test_what_a_killed_node_had_in_hand_is_done_by_the_other_within_the_lease(
    cluster: Cluster,
) -> None:
    cluster.simulator.faults.delay("message/send", 3.0, times=4)
    for member in ("sunlei", "zhouxiaomei", "wangfang", "zhaomin"):
        cluster.simulator.world.member_says(member, "我的")
    await cluster.until(lambda: len(cluster.simulator.called("message/send")) > 0, "a call")

    cluster.nodes[0].strike()
    await cluster.nodes[0].gone()

    await cluster.settled(patience=75)
    for member in ("sunlei", "zhouxiaomei", "wangfang"):
        assert cluster.heard(member, MINE) == 1
    assert cluster.dead() == []


async def test_a_database_that_drops_everybody_and_then_refuses_them_costs_nothing_accepted(
    cluster: Cluster,
) -> None:
    bustling = asyncio.create_task(_bustle(cluster, seconds=8))
    await asyncio.sleep(1)
    assert cluster.postgres.cut() > 0
    await asyncio.sleep(2)
    with cluster.postgres.refusing():
        await asyncio.sleep(2)
        status, body = await cluster.balancer.asked(cluster.nodes[0], "/readyz")
        assert status == 503
        assert body["database"] == "does not answer"
    await bustling

    await cluster.settled(patience=THE_NEXT_MINUTE)
    statuses = {d.status for d in cluster.simulator.deliveries if not d.accepted}
    assert statuses <= {503}
    taken = sum(d.accepted for d in cluster.simulator.deliveries)
    stored = "SELECT count(*) FROM work WHERE queue = 0 AND kind = 'message.text'"
    assert cluster.postgres.rows(stored)[0][0] >= taken > 40
    assert cluster.dead() == []
