"""A log that cannot be written stops nobody."""

from __future__ import annotations

import io

import pytest
import structlog

from bot import monitoring
from bot.monitoring import Unbreakable


class Full(io.StringIO):
    """A file on a full disk."""

    def write(self, _: str) -> int:
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


def test_logging_to_a_full_disk_does_not_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stderr", Full())
    monitoring.set_up_logging("info", as_json=True)
    try:
        structlog.get_logger().error("inbox_commit_failed", events=3)
    finally:
        structlog.reset_defaults()


def test_what_can_be_written_is_written() -> None:
    file = io.StringIO()

    print("said", file=Unbreakable(file), flush=True)

    assert file.getvalue() == "said\n"
