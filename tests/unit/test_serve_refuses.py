"""What `menwei serve` does not start with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

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


WORKS = (ROOT / "bot/demo/config.toml").read_text("utf-8")


def told(tmp_path: Path, content: str | bytes, *words: str) -> Result:
    """Say it of a file with this content; nothing but an exit may come out of it."""
    config = tmp_path / "config.toml"
    config.write_bytes(content if isinstance(content, bytes) else content.encode())
    result = CliRunner().invoke(cli, [*words, "--config", str(config)])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def with_storage(setting: str) -> str:
    return WORKS.replace('url = "sqlite:///menwei-demo.db"', setting)


@pytest.mark.parametrize(
    "setting",
    [
        'url = "sqlite:///"',
        'url = "sqlite:////"',
        'url = "postgresql://u:s3cr3t@pw@127.0.0.1:1/d"',
        'url = "postgresql://u:s3cr3t pw 127.0.0.1:1/d"',
        'url = "postgresql://u:s3cr3t@host:notaport/d"',
        'url = "postgresql://u:s3cr3t@127.0.0.1/d?sslmod=foo"',
        'url = ""',
        'url = "$DATABASE_URL"',
        'redis_url = "http://u:s3cr3t@127.0.0.1:1"',
    ],
)
def test_an_address_that_cannot_be_is_a_mistake_and_its_password_is_not_shown(
    tmp_path: Path, setting: str
) -> None:
    for command in ("check", "serve"):
        result = told(tmp_path, with_storage(setting), command)

        assert result.exit_code == 1
        assert "storage." in result.output
        assert "s3cr3t" not in result.output


def test_bad_rules_and_a_database_that_is_away_are_said_in_a_line_each(tmp_path: Path) -> None:
    wrong = with_storage('url = "postgresql://u@127.0.0.1:1/d"').replace(
        "[permissions]", "[permission]", 1
    )

    result = told(tmp_path, wrong, "serve")

    assert result.exit_code == 1
    assert "The database cannot be used" in result.output


def test_a_check_says_that_the_database_could_not_be_asked(tmp_path: Path) -> None:
    text = with_storage('url = "postgresql://u@127.0.0.1:1/d"')

    result = told(tmp_path, text, "check")
    scripts = told(tmp_path, text, "check", "--json")

    assert result.exit_code == 0
    assert "数据库问不到（connection" in result.output
    assert "connection" in json.loads(scripts.output)["unasked"]


def test_a_file_that_is_no_database_is_not_used(tmp_path: Path) -> None:
    other = tmp_path / "letter.txt"
    other.write_text("Dear all, this is no database. " * 99, "utf-8")

    result = told(tmp_path, with_storage(f'url = "sqlite:///{other}"'), "serve")

    assert result.exit_code == 1
    assert "The database cannot be used" in result.output


@pytest.mark.parametrize("where", ["[server]\n", "[roles]\n", ""])
def test_a_secret_in_the_wrong_place_is_not_shown(tmp_path: Path, where: str) -> None:
    text = WORKS.replace("[roles]\n", f'{where}secret = "T0PS3CR3T"\n', 1)
    text = text if where else 'wecom_secret = "T0PS3CR3T"\n' + WORKS

    result = told(tmp_path, text, "check")

    assert result.exit_code == 1
    assert "secret" in result.output
    assert "T0PS3CR3T" not in result.output


def test_a_mark_in_front_of_the_file_is_no_mistake(tmp_path: Path) -> None:
    result = told(tmp_path, b"\xef\xbb\xbf" + WORKS.encode(), "check")

    assert result.exit_code == 0, result.output


def test_another_encoding_is_said_with_its_line_and_what_to_do(tmp_path: Path) -> None:
    result = told(tmp_path, "# one\n# 规则\n".encode("gbk") + WORKS.encode(), "check")

    assert result.exit_code == 1
    assert "config.toml:2: 不是 UTF-8，请另存为 UTF-8 编码" in result.output


def test_a_file_nested_beyond_reason_is_a_mistake(tmp_path: Path) -> None:
    result = told(tmp_path, WORKS + "\nx = " + "[" * 3000 + "]" * 3000, "check")

    assert result.exit_code == 1
    assert "嵌套太深" in result.output


def test_an_unknown_level_of_the_log_is_refused_with_those_there_are(tmp_path: Path) -> None:
    result = told(tmp_path, WORKS, "serve", "--log-level", "loud")

    assert result.exit_code == 2
    assert "warning" in result.output
