"""The services that tests need, and what a test does where one is missing."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

import pytest

from bot import demo

POSTGRES = os.environ.get("MENWEI_TEST_POSTGRES", "postgresql://postgres@127.0.0.1/test")
_given: list[int] = []


def give_up(what: str, why: object) -> NoReturn:
    """Skip the test for want of something, or fail it in CI, where it is promised."""
    if os.environ.get("CI", "").lower() in {"1", "true"}:
        pytest.fail(f"{what}: {why}")
    pytest.skip(f"{what}: {why}")


def a_port() -> int:
    """Return a port for a server that is started soon, and started again on the same one.

    Each of several test processes has a thousand of its own; the system gives none of them to
    somebody who only calls out (Linux takes those from 32768 on).
    """
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % 20
    first = 12_000 + 1_000 * number
    after = _given[-1] + 1 if _given else first
    _given.append(demo.free_port(after if after < first + 900 else first))
    return _given[-1]


@dataclass(slots=True)
class RedisServer:
    """A redis-server of the test's own: all it held is gone when it is killed."""

    port: int
    folder: Path
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    @staticmethod
    def is_installed() -> bool:
        return shutil.which("redis-server") is not None

    def start(self) -> None:
        """Start it. It answers a moment later."""
        program = shutil.which("redis-server")
        if program is None:
            give_up("redis-server", "it is not installed")
        said = {"port": self.port, "bind": "127.0.0.1", "save": "", "dir": self.folder}
        words = [word for name, value in said.items() for word in (f"--{name}", str(value))]
        self._process = subprocess.Popen([program, *words], stdout=subprocess.DEVNULL)

    def kill(self) -> None:
        """kill -9, if it runs."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
