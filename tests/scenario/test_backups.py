"""A backup taken from a running program, restored into an empty place, starts and verifies."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from bot import demo
from bot.simulator import Simulator, demo_world
from tests.bench import places
from tests.scenario.crowd import Crowd
from tests.scenario.program import Program
from tests.services import a_port, give_up

_URL = re.compile(r'^url = ".*"$', re.MULTILINE)


class Floor:
    """People at work, and a program on a database of either kind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.simulator = Simulator(demo.corp(), demo_world())
        self.crowd = Crowd(self.simulator.world, Random(7))
        self.programs: list[Program] = []

    async def opens(self, name: str, url: str) -> Program:
        """Start a program on a database, with a config file of its own."""
        home = self.folder / name
        home.mkdir()
        port = a_port()
        demo.configured(self.simulator.base_url, port, home)
        config = home / "config.toml"
        config.write_text(_URL.sub(f'url = "{url}"', config.read_text("utf-8")), "utf-8")
        program = Program(config, f"http://127.0.0.1:{port}", home / "log")
        self.programs.append(program)
        await program.start()
        await program.ready()
        self.simulator.callback_url = f"{program.address}/wecom/callback"
        return program

    async def bustle(self, deeds: int) -> None:
        for _ in range(deeds):
            self.crowd.act()
            await asyncio.sleep(0.01)


@pytest.fixture
async def floor(tmp_path: Path) -> AsyncIterator[Floor]:
    made = Floor(tmp_path)
    made.crowd.move_in()
    await made.simulator.start()
    try:
        yield made
    finally:
        for program in made.programs:
            await program.close()
        await made.simulator.stop()


async def verified(program: Program) -> str:
    code, said = await program.run("audit", "verify")
    assert code == 0, said
    return said


async def asks(floor: Floor, program: Program) -> None:
    """See that the program works: somebody asks, and is answered."""
    before = len(floor.simulator.world.state.chats.get("sunlei", []))
    floor.simulator.world.member_says("sunlei", "帮助")
    async with asyncio.timeout(20):
        while len(floor.simulator.world.state.chats["sunlei"]) < before + 2:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def test_an_sqlite_file_copied_while_people_work_starts_elsewhere_and_verifies(
    floor: Floor, tmp_path: Path
) -> None:
    program = await floor.opens("old", f"sqlite:///{tmp_path / 'old.db'}")
    copy = tmp_path / "copy.db"

    (code, said), _ = await asyncio.gather(
        program.run("db", "backup", str(copy)), floor.bustle(100)
    )

    assert code == 0, said
    assert copy.stat().st_mode & 0o077 == 0
    await program.stop()
    restored = await floor.opens("new", f"sqlite:///{copy}")
    await asks(floor, restored)
    await verified(restored)


async def test_a_backup_is_never_written_over_another(floor: Floor, tmp_path: Path) -> None:
    program = await floor.opens("old", f"sqlite:///{tmp_path / 'old.db'}")
    there = tmp_path / "copy.db"
    there.write_text("an older backup")

    code, said = await program.run("db", "backup", str(there))

    assert (code, there.read_text()) == (1, "an older backup")
    assert "没有覆盖" in said


async def test_a_postgresql_database_dumped_while_people_work_starts_elsewhere_and_verifies(
    floor: Floor, tmp_path: Path
) -> None:
    if not (shutil.which("pg_dump") and places.has_postgresql()):
        give_up("pg_dump and PostgreSQL", "they are not there")
    dump = tmp_path / "menwei.dump"
    with places.postgresql(tmp_path) as old, places.postgresql(tmp_path) as new:
        program = await floor.opens("old", old.url)
        await floor.bustle(50)
        await asyncio.gather(
            run("pg_dump", "--format=custom", f"--file={dump}", old.url), floor.bustle(100)
        )
        assert (await program.run("db", "backup", str(tmp_path / "no.db")))[0] == 1
        await program.stop()

        await run("pg_restore", "--exit-on-error", "--no-owner", f"--dbname={new.url}", str(dump))

        restored = await floor.opens("new", new.url)
        await asks(floor, restored)
        await verified(restored)
        with pytest.raises(Exception, match="append-only"):
            new.ask("DELETE FROM audit RETURNING seq")
        await restored.stop()


async def run(*words: str) -> None:
    done = await asyncio.to_thread(subprocess.run, words, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
