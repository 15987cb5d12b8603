"""What is delivered for deploying does what it says: proxy, unit, alerts, and the image's recipe.

Each test needs a program of its own (caddy, systemd-analyze, promtool) and is skipped without it,
except where `CI` is set.
"""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import aiohttp
import pytest

from bot import demo
from bot.simulator import Simulator, demo_world
from tests.bench import places
from tests.chaos.nodes import Nodes, Shared, node
from tests.services import RedisServer, a_port, give_up

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
SECRETS = {
    "MENWEI_WECOM_SECRET": "secret",
    "MENWEI_WECOM_TOKEN": "token",
    "MENWEI_WECOM_AES_KEY": "A" * 43,
    "MENWEI_REDIS_URL": "redis://127.0.0.1:1/0",
}


def needs(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        give_up(name, "it is not installed")
    return found


def run(*words: str | Path, **more: str) -> str:
    """Run a command and return what it says; fail if it fails."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("MENWEI_")}
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, check=False,
        env=env | more, timeout=600,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_the_alerts_are_well_formed_and_fire_when_they_should() -> None:
    promtool = needs("promtool")
    run(promtool, "check", "rules", DEPLOY / "alerts.yml")
    run(promtool, "test", "rules", DEPLOY / "alerts_test.yml")


def test_systemd_takes_the_unit_and_finds_little_exposed(tmp_path: Path) -> None:
    analyze = needs("systemd-analyze")
    unit = tmp_path / "menwei.service"
    text = (DEPLOY / "menwei.service").read_text("utf-8")
    unit.write_text(text.replace("/opt/menwei/.venv/bin/menwei", "/bin/true"), "utf-8")

    assert run(analyze, "verify", unit) == ""
    said = run(analyze, "security", "--offline=true", unit)
    exposure = re.search(r"Overall exposure level for menwei.service: ([\d.]+)", said)
    assert exposure
    assert float(exposure[1]) < 2


def test_the_proxys_config_is_valid() -> None:
    caddy = needs("caddy")
    said = run(
        caddy, "validate", "--config", DEPLOY / "Caddyfile", "--adapter", "caddyfile",
        MENWEI_SITE="menwei.example.com", MENWEI_NODES="127.0.0.1:1 127.0.0.1:2",
    )  # fmt: skip
    assert "Valid configuration" in said


async def test_behind_the_real_proxy_a_killed_node_costs_no_callback(tmp_path: Path) -> None:
    caddy = needs("caddy")
    if not (RedisServer.is_installed() and places.has_postgresql()):
        give_up("redis-server and PostgreSQL", "they are not there")
    simulator = Simulator(demo.corp(), demo_world())
    await simulator.start()
    ports = [a_port() for _ in range(4)]
    redis = RedisServer(ports[0], tmp_path)
    redis.start()
    site = f"http://127.0.0.1:{ports[1]}"
    with places.postgresql(tmp_path) as place:
        shared = Shared(simulator.base_url, place.url, redis.url)
        programs = [node(0, tmp_path, ports[2], shared), node(3, tmp_path, ports[3], shared)]
        nodes = Nodes(programs, [])
        proxy = await asyncio.create_subprocess_exec(
            caddy, "run", "--config", str(DEPLOY / "Caddyfile"), "--adapter", "caddyfile",
            stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
            env={
                **os.environ, "HOME": str(tmp_path), "XDG_DATA_HOME": str(tmp_path),
                "XDG_CONFIG_HOME": str(tmp_path), "MENWEI_SITE": site,
                "MENWEI_NODES": " ".join(f"127.0.0.1:{port}" for port in ports[2:]),
            },
        )  # fmt: skip
        try:
            await nodes.start()
            simulator.callback_url = f"{site}/wecom/callback"
            await until_open(simulator)

            for number in range(40):
                if number == 10:
                    programs[0].strike()
                simulator.world.member_says("sunlei", f"帮助 {number}")
                await asyncio.sleep(0.1)
            await simulator.idle()

            answered = [each for each in simulator.deliveries if each.event.name == "text"]
            assert len(answered) >= 40
            assert all(each.accepted for each in answered)
            assert await status(f"{site}/metrics") == 404
        finally:
            proxy.terminate()
            await asyncio.wait_for(proxy.wait(), 30)
            await nodes.close()
            redis.kill()
            await simulator.stop()


async def until_open(simulator: Simulator) -> None:
    """Wait until WeCom's own check of the callback address passes through the proxy."""
    async with asyncio.timeout(30):
        while True:
            try:
                await simulator.verify_callback()
            except Exception:
                await asyncio.sleep(0.5)
            else:
                return


async def status(url: str) -> int:
    async with aiohttp.ClientSession() as http, http.get(url) as answer:
        return answer.status


async def test_the_steps_of_the_image_give_a_program_that_serves(tmp_path: Path) -> None:
    """As the Containerfile does it: copy, a fresh environment, install without anything for tests.

    The database is an SQLite file here: what differs in a container is only its address.
    """
    recipe = (ROOT / "Containerfile").read_text("utf-8")
    source, home = tmp_path / "src", tmp_path / "menwei"
    for names in re.findall(r"^COPY (?!--from)(.+) \S+$", recipe, re.MULTILINE):
        for name in names.split():
            copied(ROOT / name, source / name)
    for step in re.findall(r"^RUN (.+)$", recipe, re.MULTILINE):
        words = step.replace("/opt/menwei", str(home)).split()
        words[0] = sys.executable if words[0] == "python" else words[0]
        words = [str(source) if word == "." else word for word in words]
        try:
            await asyncio.to_thread(run, *words)
        except AssertionError as failed:
            if "No matching distribution" in str(failed) and not os.environ.get("CI"):
                pytest.skip("no package index can be reached")
            raise
    config, port = tmp_path / "config.toml", a_port()
    text = (DEPLOY / "config.toml").read_text("utf-8")
    config.write_text(text.replace("port = 8080", f"port = {port}"), "utf-8")
    environment = {
        **SECRETS,
        "PATH": "/usr/bin:/bin",
        "MENWEI_CONFIG": str(config),
        "MENWEI_DATABASE_URL": f"sqlite:///{tmp_path / 'menwei.db'}",
    }

    installed = await asyncio.to_thread(run, home / "bin/python", "-m", "pip", "list")
    assert not re.search(r"^(pytest|hypothesis|mypy|ruff) ", installed, re.MULTILINE)
    await asyncio.to_thread(lambda: run(home / "bin/menwei", "check", **environment))

    served = await asyncio.create_subprocess_exec(
        str(home / "bin/menwei"), "serve", env=environment, cwd=tmp_path,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        assert await alive(f"http://127.0.0.1:{port}/healthz")
    finally:
        served.terminate()
        assert await asyncio.wait_for(served.wait(), 60) == 0


async def alive(url: str) -> bool:
    for _ in range(300):
        try:
            return await status(url) == 200
        except aiohttp.ClientError:
            await asyncio.sleep(0.2)
    return False


def copied(old: Path, new: Path) -> None:
    new.parent.mkdir(parents=True, exist_ok=True)
    if old.is_dir():
        shutil.copytree(old, new, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(old, new)
