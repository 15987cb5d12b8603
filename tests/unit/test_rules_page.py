"""docs/rules.md shows what the program prints: every command on it is run on the example above it.

Commands read the TOML blocks of their own section, each put below the page's first one without its
tests. A block that begins with `# NAME.toml` is that file, others are config.toml. `…` is anything.
"""

from __future__ import annotations

import asyncio
import re
import shlex
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from bot import checking, settings
from bot.cli import cli
from storage.database import Database
from workflows import given, policy
from workflows.claims import Claim
from workflows.model import Origin, Person, Request, Subject

PAGE = (Path(__file__).parents[2] / "docs/rules.md").read_text("utf-8")
WECOM = """
[wecom]
corp_id = "ww00gate00demo0001"
agent_id = 1000007
secret = "aPretendSecret"
token = "aPretendToken"
encoding_aes_key = "AQIDBAUGBwgJCgsMDQ4PEBESExQVFhcYGRobHB0eHyA"
"""
NOW = datetime(2026, 1, 7, 2, 0, tzinfo=UTC)
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NAMED = re.compile(r"# (\w+\.toml)\n")

START = next(body for kind, body in _BLOCK.findall(PAGE) if kind == "toml").partition("[[test]]")[0]
SECTIONS = {
    section.partition("\n")[0]: _BLOCK.findall(section)
    for section in re.split(r"^## ", PAGE, flags=re.MULTILINE)
    if "```console\n" in section
}


def write_files(section: str) -> None:
    for kind, body in SECTIONS[section]:
        if kind == "toml":
            named = _NAMED.match(body)
            path = Path(named[1] if named else "config.toml")
            path.write_text(f"{START}{body}{WECOM}", "utf-8")


def put_on_record() -> None:
    """Keep a request A7K2 that has the facts of the section's first test."""
    judge = checking.compiled(settings.load(Path("config.toml")).rules)
    test = next(each for each in judge.rulebook.test if "customer" in each.given)
    stated = {name: value for name, value in test.given.items() if name != "action"}
    facts, wrong = given.read_facts(stated, (), judge.known)
    assert wrong == []
    verdict = policy.decide(judge, facts, "friend.add", NOW)
    asked = Request(
        "A7K2",
        "friend.add",
        Origin.ASKED,
        Person("linmei", "Lin Mei"),
        Subject("wm1", "Mr Zhang"),
        Claim(),
        facts,
        verdict,
        NOW,
    )
    with closing(Database.open("sqlite:///menwei.db")) as database:
        database.upgrade()
        asyncio.run(database.write(lambda tx: tx.requests.add(asked)))


def commands(section: str) -> list[tuple[list[str], str]]:
    """Return each command of a section with what the page says it prints."""
    told = "".join(body for kind, body in SECTIONS[section] if kind == "console")
    parts = (
        part.partition("\n") for part in re.split(r"^\$ menwei ", told, flags=re.MULTILINE)[1:]
    )
    return [(shlex.split(line), output) for line, _, output in parts]


@pytest.mark.parametrize("section", SECTIONS)
def test_what_the_rules_page_shows_of_a_command_is_what_it_prints(
    section: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write_files(section)
    if "A7K2" in str(SECTIONS[section]):
        put_on_record()

    for words, told in commands(section):
        printed = CliRunner().invoke(cli, words).output
        wanted = ".*".join(map(re.escape, told.split("…")))
        assert re.fullmatch(wanted, printed), f"menwei {shlex.join(words)} prints:\n{printed}"


def test_the_rules_page_shows_these_commands() -> None:
    shown = {words[0] for section in SECTIONS for words, _ in commands(section)}

    assert {"test", "lint", "diff", "explain"} <= shown
