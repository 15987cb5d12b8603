"""What `menwei serve` does not start with."""

from __future__ import annotations

from pathlib import Path

from typer.testing import CliRunner

from bot.cli import cli

ROOT = Path(__file__).parents[2]

FAILING = """
[[test]]
name = "a competitor is welcome"
given = { action = "friend.add", sender.level = 2, customer.corp_name = "竞品甲" }
expect = { decision = "allow" }
"""


def test_a_file_whose_own_tests_fail_does_not_take_effect(tmp_path: Path) -> None:
    rules = (ROOT / "bot/demo/config.toml").read_text("utf-8")
    config = tmp_path / "config.toml"
    config.write_text(rules + FAILING, "utf-8")

    result = CliRunner().invoke(cli, ["serve", "--config", str(config)])

    assert result.exit_code == 1
    assert "a competitor is welcome" in result.output


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    result = CliRunner().invoke(cli, ["serve", "--config", str(tmp_path / "none.toml")])

    assert result.exit_code == 1
    assert "none.toml" in result.output
