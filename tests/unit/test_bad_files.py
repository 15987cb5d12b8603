"""Bad config files and what `menwei check` says of each, in both languages.

`MENWEI_REWRITE=1 pytest tests/unit/test_bad_files.py` writes what is said now; read the difference.
"""

from __future__ import annotations

import asyncio
import os
from contextlib import closing
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot.cli import cli
from storage.database import Database
from workflows.directory import Department, Directory, Member
from workflows.mistakes import CODES

SAMPLES = Path(__file__).parents[1] / "samples" / "config"
NAMES = sorted(path.stem for path in SAMPLES.glob("*.toml"))
COMPANY = Directory.of(
    [
        Member("linmei", "林梅", (2,), 2, direct_leaders=("wang",)),
        Member("wang", "王主管", (2,), 2),
        Member("zhaomin", "赵敏", (1,), 1),
        Member("chenyu", "陈宇", (1,), 1),
    ],
    [Department(1, "公司"), Department(2, "销售部", 1)],
)


def said_of(name: str, language: str) -> tuple[int, str]:
    """Check a sample where the present folder is empty; those called guard-… know a company."""
    text = (SAMPLES / f"{name}.toml").read_text("utf-8")
    text = text.replace('language = "zh-CN"', f'language = "{language}"')
    Path(f"{name}.toml").write_text(text, "utf-8")
    if name.startswith("guard-"):
        with closing(Database.open("sqlite:///menwei.db")) as database:
            database.upgrade()
            asyncio.run(database.write(lambda tx: tx.people.replace(COMPANY)))
    result = CliRunner().invoke(cli, ["check", "--config", f"{name}.toml"])
    return result.exit_code, result.output


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("name", NAMES)
def test_a_bad_file_is_answered_word_for_word(
    name: str, language: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    code, said = said_of(name, language)
    golden = SAMPLES / f"{name}.{language}.txt"
    if os.environ.get("MENWEI_REWRITE"):
        golden.write_text(said, "utf-8")

    assert said == golden.read_text("utf-8")
    assert code == (0 if name in ("good", "guard-one-admin") else 1)
    assert "do-not-print-me" not in said
    assert "do not print me" not in said


def test_there_is_a_sample_for_at_least_twenty_five_kinds_of_mistakes() -> None:
    said = "".join(path.read_text("utf-8") for path in SAMPLES.glob("*.en.txt"))
    assert len(NAMES) >= 40
    assert said.count("^") >= 25
    assert len(CODES) >= 25
