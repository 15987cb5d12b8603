"""`menwei explain` and `menwei can`: decisions with their steps, and what would have done."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot import settings, texts
from bot.actions import rights
from bot.actions.scene import Scene
from bot.cli import cli
from storage.database import Database
from storage.transaction import Transaction
from tests.makers_storage import a_request
from workflows.claims import Claim
from workflows.directory import Directory, Member
from workflows.freezing import Freeze, Scope
from workflows.grants import Grant
from workflows.model import (
    Customer,
    Facts,
    Outcome,
    Person,
    Relation,
    RelationState,
    State,
    Subject,
)
from workflows.policy import compile_policy, decide
from workflows.standing import Standing

ROOT = Path(__file__).parents[2]
RULES = (ROOT / "bot/demo/config.toml").read_text("utf-8")
ORDINARY = (
    'action = "friend.add", sender.level = 2, customer.tags = [], today.adds = 3, '
    'customer.corp_name = "甲", claim.company = "", contact.way = "qr"'
)
MATRIX = """
[[test]]
name = "Fifty a day"
given = { action = "friend.add", customer.tags = [], customer.corp_name = "", claim.company = "" }
matrix = { sender.level = [2, 4], today.adds = [50, 200] }
expect = { decision = "deny" }
[[test]]
name = "A VIP needs two"
expect = { decision = "approval", chain = "lead_then_director" }
[test.given]
action = "friend.add"
sender.level = 2
customer = { tags = ["VIP"], corp_name = "" }
claim.company = ""
today.adds = 3
contact.way = "qr"
"""
PEOPLE = Directory.of(
    [
        Member("sunlei", "孙磊", position="销售"),
        Member("linmei", "林梅", position="销售"),
        Member("lin2", "林梅"),
        Member("guest", "访客"),
    ]
)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    url = f"sqlite:///{tmp_path}/menwei.db"
    path.write_text(RULES.replace("sqlite:///menwei-demo.db", url) + MATRIX, "utf-8")
    return path


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, [*words, "--config", str(config)])


def read(config: Path, *words: str) -> Any:
    return json.loads(run(config, *words, "--json").output)


def written(config: Path, step: Callable[[Transaction], object]) -> None:
    with closing(Database.open(f"sqlite:///{config.parent}/menwei.db")) as db:
        db.upgrade()
        asyncio.run(db.write(step))


def in_english(config: Path) -> Path:
    text = config.read_text("utf-8")
    config.write_text(text.replace('language = "zh-CN"', 'language = "en"'), "utf-8")
    return config


# --- explain


def test_typed_facts_are_decided_with_every_step_and_the_nearest_change(config: Path) -> None:
    result = run(config, "explain", "--given", ORDINARY.replace("adds = 3", "adds = 57"))

    lines = result.output.splitlines()
    assert result.exit_code == 0
    assert lines[0].startswith("添加客户（")
    assert lines[0].endswith("：不允许。")
    assert "符合的规则：daily-cap" in lines
    assert "告诉本人：今天已添加 57 人，达到上限 50。" in lines
    assert lines[-1] == "最近的可行办法：今日添加数少于 50（现为 57，明天重新计数）。"
    (step,) = [line for line in lines if "rule.daily-cap.when.today.adds.gte" in line]
    number = int(step.split()[0])
    assert "when.today.adds.gte = 50" in config.read_text("utf-8").splitlines()[number - 1]


def test_typed_facts_name_the_chain_with_its_stages_and_who_is_asked(config: Path) -> None:
    result = run(config, "explain", "--given", ORDINARY.replace("tags = []", 'tags = ["VIP"]'))

    assert "审批链 lead_then_director：" in result.output
    assert "  第 1 步：manager_of_sender，1 人同意" in result.output
    assert "  第 2 步：role:director，1 人同意" in result.output


def test_what_is_missing_is_named(config: Path) -> None:
    known = ORDINARY.replace("today.adds = 3, ", "")

    assert "缺少的信息：today.adds" in run(config, "explain", "--given", known).output
    assert read(config, "explain", "--given", known)["missing"] == ["today.adds"]


def test_a_time_among_the_facts_is_when_it_is_decided(config: Path) -> None:
    for at in ("at = 2026-01-07T22:00:00", 'at = "2026-01-07 22:00"'):
        result = run(config, "explain", "--given", f"{{ {ORDINARY}, {at} }}")
        assert result.output.startswith("添加客户（2026-01-07 22:00）：允许。")


def test_mistakes_in_typed_facts_are_told_at_once_with_what_was_meant(config: Path) -> None:
    typed = 'action = "friend.ad", sender.levl = 2, customer.tags = "VIP"'

    result = run(config, "explain", "--given", typed)

    assert result.exit_code == 1
    assert "没有属性“sender.levl”——您是不是想写 sender.level" in result.output
    assert "friend.add" in result.output
    assert "customer.tags 的值应为 set" in result.output
    assert "^" in result.output
    assert (
        "did you mean sender.level" in run(in_english(config), "explain", "--given", typed).output
    )


def test_mistakes_in_typed_facts_have_stable_codes_for_scripts(config: Path) -> None:
    found = read(config, "explain", "--given", 'action = "friend.add", sender.levl = 2')

    assert found["ok"] is False
    (mistake,) = found["mistakes"]
    assert (mistake["code"], mistake["guess"]) == ("unknown_attribute", "sender.level")


@pytest.mark.parametrize(
    "typed", ["sender.level = ", "=", "a = 1 }\n[server]\nport = { b = 1", "{", "sender.level = 2"]
)
def test_what_is_no_list_of_facts_is_said_kindly(config: Path, typed: str) -> None:
    result = run(config, "explain", "--given", typed)

    assert result.exit_code == 1
    assert result.exception is None or isinstance(result.exception, SystemExit)
    assert result.output.strip()


def test_a_test_of_the_file_is_explained_by_its_name(config: Path) -> None:
    result = run(config, "explain", "--test", "A VIP needs two")

    assert result.exit_code == 0
    assert result.output.startswith(
        "这个测试通过：A VIP needs two\n添加客户（2026-01-07 10:00）：需审批。"
    )
    assert read(config, "explain", "--test", "A VIP needs two")["test"]["passed"] is True


def test_a_test_that_fails_says_so(config: Path) -> None:
    text = config.read_text("utf-8")
    config.write_text(text.replace('chain = "lead_then_director" }', 'chain = "lead" }'), "utf-8")

    result = run(config, "explain", "--test", "A VIP needs two")

    assert "测试失败：A VIP needs two：chain 应为 lead" in result.output
    assert read(config, "explain", "--test", "A VIP needs two")["test"]["passed"] is False


def test_one_case_of_a_matrix_is_named_as_failing_tests_are(config: Path) -> None:
    whole = run(config, "explain", "--test", "Fifty a day")
    one = run(config, "explain", "--test", "Fifty a day (sender.level = 4, today.adds = 200)")

    assert whole.exit_code == 1
    assert "有 4 个组合" in whole.output
    assert "Fifty a day (sender.level = 2, today.adds = 50)" in whole.output
    assert one.exit_code == 0
    assert "今天已添加 200 人" in one.output


def test_a_test_that_is_not_there_is_told_with_the_nearest_name(config: Path) -> None:
    result = run(config, "explain", "--test", "A VIP need two")

    assert result.exit_code == 1
    assert "没有名为“A VIP need two”的测试——您是不是想写 A VIP needs two" in result.output


@pytest.mark.parametrize(
    "words", [(), ("A7K2", "--test", "x"), ("--given", "a = 1", "--test", "x")]
)
def test_exactly_one_thing_is_explained(config: Path, words: tuple[str, ...]) -> None:
    assert run(config, "explain", *words).exit_code == 2


def test_a_request_is_explained_for_scripts_with_lines_and_the_nearest_change(config: Path) -> None:
    now = datetime(2026, 1, 7, 2, 0, tzinfo=UTC)
    judge = compile_policy(settings.parse(RULES).rules)
    facts: Facts = {
        "sender.level": 2,
        "customer.tags": frozenset[str](),
        "customer.corp_name": "",
        "claim.company": "",
        "contact.way": "qr",
        "today.adds": 50,
    }
    request = a_request(
        facts=facts,
        verdict=decide(judge, facts, "friend.add", now),
        created_at=now,
        state=State.DENIED,
        chain=(),
        approvers=(),
    )
    written(config, lambda tx: tx.requests.add(request))

    found = read(config, "explain", "a7k2")

    assert found["request"]["id"] == "A7K2"
    assert (found["outcome"], found["reason"], found["rules"]) == ("deny", "rule", ["daily-cap"])
    assert found["chain"] is None
    (step,) = [s for s in found["trace"] if s["place"] == "rule.daily-cap.when.today.adds.gte"]
    assert (step["result"], step["value"]) == (True, "50")
    assert "50" in config.read_text("utf-8").splitlines()[step["line"] - 1]
    (change,) = found["nearest"]["changes"]
    assert (change["attribute"], change["before"], change["value"]) == ("today.adds", 50, 49)
    assert change["needs"] == [{"how": "below", "values": [50]}]
    assert (found["nearest"]["outcome"], found["nearest"]["complete"]) == ("allow", True)
    assert "今日添加数少于 50" in change["text"]


# --- can


def known(tx: Transaction) -> None:
    """孙磊 follows 王总; 张总 is on file twice; 林梅 has asked for 赵总, who is not on file."""
    tx.people.replace(PEOPLE)
    for external, name, corp in (
        ("wm-wang", "王总", "竞品甲"),
        ("wm-z1", "张总", ""),
        ("wm-z2", "张总", ""),
        ("wm-vip", "陈总", ""),
    ):
        tx.relations.put_customer(Customer(external, name, "wechat", corp))
    tags = frozenset({"VIP"})
    tx.relations.put(Relation("lin2", "wm-vip", RelationState.ADDED, tags=tags))
    added = datetime.now(UTC) - timedelta(days=3)
    tx.relations.put(Relation("sunlei", "wm-wang", RelationState.ADDED, added, add_way=1))
    claim = Claim(name="赵总", company="竞品乙", phone="", reason="展会")
    tx.requests.add(
        a_request(
            "B7K2",
            requester=Person("linmei", "林梅"),
            subject=Subject("planned:1", "赵总"),
            claim=claim,
            state=State.DENIED,
            chain=(),
            approvers=(),
        )
    )


def test_what_somebody_may_do_with_one_customer_is_decided_by_the_facts_of_now(
    config: Path,
) -> None:
    written(config, known)

    result = run(config, "can", "孙磊", "friend.add", "陈总")

    assert result.exit_code == 0, "approval is not a refusal"
    assert "孙磊：2 级，seller；添加客户：允许" in result.output
    assert "客户 陈总" in result.output
    assert "：需审批。" in result.output
    assert "rule.vip-by-junior" in result.output
    found = read(config, "can", "SunLei", "friend.add", "wm-vip")
    assert (found["by_level"], found["outcome"], found["customer"]) == (
        "allow",
        "approval",
        "wm-vip",
    )
    assert found["decision"]["rules"] == ["vip-by-junior"]
    assert found["decision"]["nearest"]["changes"]


def test_a_refusal_is_the_exit_code(config: Path) -> None:
    written(config, known)

    assert run(config, "can", "sunlei", "friend.add", "王总").exit_code == 1
    assert run(config, "can", "guest", "friend.add", "陈总").exit_code == 1


def test_a_friend_is_judged_as_the_add_that_happened(config: Path) -> None:
    written(config, known)

    steps = read(config, "can", "sunlei", "friend.add", "王总")["decision"]["trace"]

    (way,) = [s["value"] for s in steps if s["place"].endswith("unless.contact.way")]
    assert way == "qr"
    (corp,) = [s["value"] for s in steps if s["place"].endswith("corp_name.contains_any")]
    assert corp == "竞品甲"


def test_somebody_only_asked_for_is_judged_by_what_was_typed(config: Path) -> None:
    written(config, known)

    result = run(config, "can", "linmei", "friend.add", "赵总")

    assert result.exit_code == 1
    assert "no-competitor" in result.output


def test_of_other_actions_nothing_is_made_up(config: Path) -> None:
    text = config.read_text("utf-8")
    rule = """
[[rule]]
id = "large"
action = ["customer.export"]
when.request.count.gte = 100
then = "deny"
"""
    text = text.replace("[permissions]", '[permissions]\n"customer.export" = { allow = 2 }')
    config.write_text(text + rule, "utf-8")
    written(config, known)

    found = read(config, "can", "sunlei", "customer.export", "wm-vip")

    assert (found["outcome"], found["decision"]["missing"]) == ("approval", ["request.count"])


def test_what_a_freeze_makes_of_it_is_said_after_the_rules(config: Path) -> None:
    written(config, known)
    now = datetime.now(UTC)
    span = (now - timedelta(hours=1), now + timedelta(hours=1))
    freeze = Freeze("F-A7K2", Scope.MEMBER, "sunlei", "孙磊", "zhaomin", "投诉", *span)
    written(config, lambda tx: tx.freezes.add(freeze))

    result = run(config, "can", "sunlei", "friend.add", "陈总")

    assert result.exit_code == 1
    assert "：需审批。" in result.output, "by the rules"
    assert result.output.splitlines()[-1] == (
        "这个结论已被另外的规定改变（freeze:F-A7K2），实际结论是不允许"
    )
    found = read(config, "can", "sunlei", "friend.add", "陈总")
    assert (found["outcome"], found["overruled"]) == ("deny", "freeze:F-A7K2")
    assert found["decision"]["outcome"] == "approval"


def test_a_permission_that_is_lent_counts(config: Path) -> None:
    written(config, known)
    now = datetime.now(UTC)
    span = (now - timedelta(hours=1), now + timedelta(hours=1))
    grant = Grant("G-A7K2", "guest", "friend.add", "wangfang", "A7K2", *span)
    assert run(config, "can", "guest", "friend.add").exit_code == 1

    written(config, lambda tx: tx.grants.add(grant))

    result = run(config, "can", "guest", "friend.add")
    assert result.exit_code == 0
    assert "有这项动作的临时授权：允许" in result.output
    found = read(config, "can", "guest", "friend.add", "陈总")
    assert (found["by_level"], found["lent"], found["outcome"]) == ("deny", True, "approval")


@pytest.mark.parametrize(
    ("who", "customer", "said"),
    [
        ("nobody", "陈总", "没有找到“nobody”这位同事"),
        ("林梅", "陈总", "有多位同事叫“林梅”"),
        ("sunlei", "没有人", "没有找到“没有人”这位您可以查看的客户"),
        ("sunlei", "张总", "有多位客户叫“张总”"),
    ],
)
def test_who_is_not_clear_is_asked_for_again(
    config: Path, who: str, customer: str, said: str
) -> None:
    written(config, known)

    result = run(config, "can", who, "friend.add", customer)

    assert result.exit_code == 1
    assert said in result.output


def test_looking_writes_nothing(config: Path) -> None:
    written(config, known)
    before = dumped(config)

    run(config, "can", "sunlei", "friend.add", "王总")
    run(config, "explain", "B7K2")

    assert dumped(config) == before


def dumped(config: Path) -> list[str]:
    with closing(sqlite3.connect(config.parent / "menwei.db")) as file:
        return list(file.iterdump())


async def test_facts_of_now_are_gathered_in_a_read_on_both_databases(db: Database) -> None:
    judge = compile_policy(settings.parse(RULES).rules)
    voice = texts.load("zh-CN")
    await db.write(known)

    def look(tx: Transaction) -> Outcome:
        standing = Standing(judge, tx.people.directory())
        scene = Scene(tx, standing, voice, voice, datetime.now(UTC))
        about = rights.customer_named(scene, "sunlei", "wm-vip")
        return rights.imagined(scene, "sunlei", about).verdict.outcome

    assert await db.read(look) is Outcome.APPROVAL
