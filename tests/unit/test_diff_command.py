"""`menwei diff` on real files: what an admin reads before a change takes effect."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import cli

RULES = (Path(__file__).parents[2] / "bot/demo/config.toml").read_text("utf-8")


def compared(folder: Path, *changes: tuple[str, str], as_json: bool = False) -> Result:
    text = RULES.replace("sqlite:///menwei-demo.db", f"sqlite:///{folder}/none.db")
    old, new = folder / "old.toml", folder / "new.toml"
    old.write_text(text, "utf-8")
    for before, after in changes:
        assert before in text
        text = text.replace(before, after)
    new.write_text(text, "utf-8")
    return CliRunner().invoke(cli, ["diff", str(old), str(new), *(["--json"] if as_json else [])])


def test_the_same_file_differs_in_nothing(tmp_path: Path) -> None:
    result = compared(tmp_path)

    assert (result.exit_code, "完全一样" in result.output) == (0, True)


def test_a_higher_cap_is_looser_with_an_example(tmp_path: Path) -> None:
    result = compared(tmp_path, ("today.adds.gte = 50", "today.adds.gte = 80"))

    assert result.exit_code == 1
    assert "总体：放宽" in result.output
    assert "不允许 → 允许（rule.daily-cap）" in result.output
    assert "today.adds = 50" in result.output


def test_a_tighter_file_exits_with_0(tmp_path: Path) -> None:
    result = compared(tmp_path, ("today.adds.gte = 50", "today.adds.gte = 20"))

    assert (result.exit_code, "总体：收紧" in result.output) == (0, True)


def test_another_wording_changes_no_answer(tmp_path: Path) -> None:
    result = compared(tmp_path, ("对方是竞品公司，不能添加。", "这是竞品。"))

    assert (result.exit_code, "只改文字" in result.output) == (0, True)


def test_a_script_reads_the_witness(tmp_path: Path) -> None:
    result = compared(
        tmp_path, ('id = "daily-cap"', 'id = "daily-cap"\nmode = "off"'), as_json=True
    )
    (found,) = json.loads(result.output)["differences"]

    assert found["direction"] == "looser"
    assert found["witness"]["today.adds"] >= 50


@pytest.mark.parametrize("missing", ["old.toml", "new.toml"])
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, missing: str) -> None:
    compared(tmp_path)
    (tmp_path / missing).unlink()

    paths = [str(tmp_path / "old.toml"), str(tmp_path / "new.toml")]
    result = CliRunner().invoke(cli, ["diff", *paths])

    assert result.exit_code == 1
    assert missing in result.output
