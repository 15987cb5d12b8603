"""`menwei demo` as a person starts and stops it."""

from __future__ import annotations

import asyncio
import re
import signal
import socket
import sys
from pathlib import Path

from bot import demo, settings

STARTS_WITHIN = 60.0
STOPS_WITHIN = 10.0
MENWEI = (sys.executable, "-c", "from bot.cli import main; main()")


async def test_a_taken_port_is_passed_over_and_an_interrupt_ends_it_without_a_fuss(
    tmp_path: Path,
) -> None:
    with socket.create_server((demo.HOST, 0)) as taken:
        port = str(taken.getsockname()[1])
        said = asyncio.subprocess.PIPE
        words = (*MENWEI, "demo", "--port", port, "--folder", str(tmp_path))
        running = await asyncio.create_subprocess_exec(*words, stdout=said, stderr=said)
        assert running.stdout is not None
        assert running.stderr is not None
        heard = ""
        async with asyncio.timeout(STARTS_WITHIN):
            while "in a browser" not in heard:
                line = await running.stdout.readline()
                assert line, await running.stderr.read()
                heard += line.decode()
    running.send_signal(signal.SIGINT)
    async with asyncio.timeout(STOPS_WITHIN):
        _, complaints = await running.communicate()

    assert f"Port {port} is taken" in heard
    assert f"端口 {port} 已被占用" in heard
    assert re.search(r"http://127\.0\.0\.1:\d+", heard)
    assert (running.returncode, complaints) == (0, b"")
    assert settings.load(tmp_path / "config.toml").storage.address.endswith("menwei-1.db")


async def test_every_beginning_has_a_database_of_its_own(tmp_path: Path) -> None:
    async with demo.Demo(tmp_path).running():
        first = settings.load(tmp_path / "config.toml").storage.address

    async with demo.Demo(tmp_path).running():
        second = settings.load(tmp_path / "config.toml").storage.address

    assert first != second


async def test_starting_over_keeps_the_ports_and_waits_until_menwei_is_ready(
    tmp_path: Path,
) -> None:
    play = demo.Demo(tmp_path)
    async with play.running():
        before = play.simulator.callback_url
        play.simulator.world.member_says("zhouxiaomei", "我的")

        await play.start_over()

        chats = play.simulator.world.state.chats
        assert play.simulator.callback_url == before
        assert all(chats[admin] for admin in demo.ADMINS)
        assert "zhouxiaomei" not in chats
