"""Commands that look into the database of a config file."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest
from typer.testing import CliRunner, Result

from bot import settings
from bot.cli import cli
from storage.database import Database
from storage.transaction import Transaction
from storage.work import Job, Queue
from workflows.claims import Claim
from workflows.directory import Directory, Member
from workflows.model import AuditRecord, Facts, Origin, Person, Request, State, Subject
from workflows.policy import compile_policy, decide

RULES = (Path(__file__).parents[2] / "bot/demo/config.toml").read_text("utf-8")
NOW = datetime(2026, 1, 7, 2, 0, tzinfo=UTC)
T = TypeVar("T")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    url = f"sqlite:///{tmp_path}/menwei.db"
    path.write_text(RULES.replace("sqlite:///menwei-demo.db", url), "utf-8")
    return path


def written(config: Path, step: Callable[[Transaction], T]) -> T:
    with closing(Database.open(f"sqlite:///{config.parent}/menwei.db")) as db:
        db.upgrade()
        return asyncio.run(db.write(step))


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, [*words, "--config", str(config)])


def give_up(tx: Transaction) -> None:
    tx.work.add([Job(Queue.OUTBOX, "SendText", "chat:x", '{"content": "138 0000 1234"}')], NOW)
    (claimed,) = tx.work.claim(Queue.OUTBOX, NOW, 1, timedelta(minutes=1))
    tx.work.dead(claimed, "message/send: 81013", NOW)


@pytest.mark.parametrize("words", [("dead", "list"), ("audit", "verify"), ("trace", "A7K2")])
def test_no_command_makes_a_database_that_is_not_there(
    config: Path, words: tuple[str, ...]
) -> None:
    result = run(config, *words)

    assert result.exit_code == 1
    assert "数据库文件不存在" in result.output
    assert not (config.parent / "menwei.db").exists()


def test_what_was_given_up_is_listed_without_its_content_and_replayed(config: Path) -> None:
    written(config, give_up)

    listed = run(config, "dead", "list", "--json")
    (row,) = json.loads(listed.output)
    again = run(config, "dead", "replay", str(row["number"]))

    assert (listed.exit_code, again.exit_code) == (1, 0)
    assert row["error"] == "message/send: 81013"
    assert "138" not in listed.output
    assert run(config, "dead", "list").exit_code == 0
    assert run(config, "dead", "replay", str(row["number"])).exit_code == 1
    kinds = written(config, lambda tx: [each.kind for each in tx.audit.tail(9)])
    assert kinds == ["work.replayed"]


def a_denied_request() -> Request:
    facts: Facts = {
        "sender.level": 2,
        "sender.roles": frozenset({"seller"}),
        "customer.corp_name": "竞品甲科技",
        "customer.tags": frozenset[str](),
        "claim.company": "",
        "contact.way": "phone",
        "today.adds": 3,
    }
    judge = compile_policy(settings.parse(RULES).rules)
    return Request(
        id="A7K2",
        action="friend.add",
        origin=Origin.OBSERVED,
        requester=Person("sunlei", "孙磊"),
        subject=Subject("wo1", "何晨", "wo1"),
        claim=Claim(),
        facts=facts,
        verdict=decide(judge, facts, "friend.add", NOW),
        created_at=NOW,
        state=State.DENIED,
    )


def test_a_decision_is_explained_with_values_and_lines_of_the_file(config: Path) -> None:
    written(config, lambda tx: tx.requests.add(a_denied_request()))
    text = config.read_text("utf-8").splitlines()
    rule = 1 + text.index('id = "no-competitor"')

    result = run(config, "explain", "a7k2")

    assert result.exit_code == 0
    assert "孙磊 添加客户 何晨：当时的结论是不允许" in result.output
    (line,) = [each for each in result.output.splitlines() if "✓ rule.no-competitor " in each + " "]
    assert abs(int(line.split()[0]) - rule) <= 1
    assert "竞品甲科技" in result.output
    assert run(config, "explain", "B7K2").exit_code == 1


def test_what_a_member_can_do_is_told_by_level_with_the_rules_that_may_tighten_it(
    config: Path,
) -> None:
    people = Directory.of([Member("sunlei", "孙磊", position="销售"), Member("guest", "访客")])
    written(config, lambda tx: tx.people.replace(people))

    seller = run(config, "can", "SunLei", "friend.add")
    guest = run(config, "can", "guest", "friend.add")

    assert (seller.exit_code, guest.exit_code) == (0, 1)
    assert "孙磊：2 级，seller；添加客户：允许" in seller.output
    assert "daily-cap" in seller.output
    assert run(config, "can", "sunlei", "friend.ad").exit_code == 2


def test_a_record_that_was_rewritten_as_a_whole_is_found_by_a_noted_head(config: Path) -> None:
    written(config, lambda tx: tx.audit.add(AuditRecord(NOW, "system:test", "first")))
    head = json.loads(run(config, "audit", "verify", "--json").output)

    good = run(config, "audit", "verify", "--noted", f"{head['records']}:{head['head']}")
    bad = run(config, "audit", "verify", "--noted", f"{head['records']}:{'0' * 64}")
    odd = run(config, "audit", "verify", "--noted", "yesterday")

    assert (good.exit_code, bad.exit_code, odd.exit_code) == (0, 1, 2)
