"""`menwei check`, `lint` and `test`: what they print, for people and for scripts."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from bot import checking, settings
from bot.cli import cli
from storage.database import Database
from storage.transaction import Transaction
from tests.makers_storage import a_request
from workflows.directory import Department, Directory, Member
from workflows.mistakes import Mistake

SAMPLES = Path(__file__).parents[1] / "samples" / "config"
HEAD = (SAMPLES / "good.toml").read_text("utf-8").replace("zh-CN", "en")
URL = "sqlite:///menwei.db"
RULES = """
[[rule]]
id = "cap"
action = ["friend.add"]
when.today.adds.gte = 50
then = "deny"
say = "too many"

[[rule]]
id = "more"
action = ["friend.add"]
when.any = [{ today.adds.gte = 60 }, { today.denials.gte = 60 }]
when.today.adds.gt = 55
then = "deny"
"""
TESTS = """
[[test]]
name = "cap"
given = { action = "friend.add", sender.level = 2 }
matrix = { today.adds = [49, 60] }
expect = { decision = "deny" }

[[flow_test]]
name = "asked"
people = { lin = { manager = "wang" }, wang = {} }
request = { by = "lin", action = "friend.add", facts = { sender.level = 1, today.adds = 0 } }
steps = [{ expect = { asked = ["wang"] } }]
"""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def run(*arguments: str, text: str = HEAD + RULES + TESTS) -> tuple[int, str]:
    Path("config.toml").write_text(text, "utf-8")
    result = CliRunner().invoke(cli, list(arguments))
    return result.exit_code, result.output


def run_json(*arguments: str, text: str = HEAD + RULES + TESTS) -> tuple[int, Any]:
    code, output = run(*arguments, "--json", text=text)
    return code, json.loads(output)


def write(*steps: Callable[[Transaction], None]) -> None:
    with closing(Database.open(URL)) as database:
        database.upgrade()
        for step in steps:
            asyncio.run(database.write(step))


# --- test


def test_the_tests_of_a_file_are_run_and_failures_named() -> None:
    code, said = run("test")
    assert code == 1
    assert said == (
        "Test failed: cap (today.adds = 49): decision should be deny but is allow\n"
        "Tests in the file: 3, failed: 1.\n"
    )


def test_coverage_names_the_rules_and_conditions_that_never_held() -> None:
    _, said = run("test", "--coverage", text=HEAD + RULES + TESTS.replace("60", "50"))
    assert said.splitlines()[-2:] == [
        "The tests made 1/2 rules hold.",
        "Rule that never held: rule.more",
    ]
    _, said = run("test", "--coverage")
    assert said.splitlines()[-2:] == [
        "The tests made 2/2 rules hold.",
        "Condition that never held: rule.more.when.any.1.today.denials.gte",
    ]


def test_scripts_get_every_test_and_the_coverage() -> None:
    code, told = run_json("test", "--coverage")
    assert code == 1
    assert told["ok"] is False
    assert [(t["name"], t["passed"]) for t in told["tests"]] == [
        ("cap (today.adds = 49)", False),
        ("cap (today.adds = 60)", True),
        ("asked", True),
    ]
    assert told["tests"][0]["misses"] == [{"what": "decision", "expected": "deny", "got": "allow"}]
    assert told["coverage"]["reached"] == ["rule.cap", "rule.more"]
    assert "coverage" not in run_json("test")[1]


def test_tests_that_all_pass_are_no_findings() -> None:
    assert run("test", text=HEAD)[0] == 0


# --- lint


def test_lint_shows_findings_with_their_places() -> None:
    code, said = run("lint")
    assert code == 1
    assert "config.toml:36:3: rule[more]: it has no `say`" in said
    assert (
        "rule[more]: it never changes an outcome: wherever it applies, cap is at least as" in said
    )
    assert said.splitlines()[-1] == "Found 2 things worth changing."


def test_lint_has_nothing_to_say_of_a_file_in_which_all_is_used() -> None:
    assert run("lint", text=HEAD) == (0, "Nothing found.\n")
    assert run_json("lint", text=HEAD) == (0, [])


def test_lint_for_scripts_has_codes_and_lines() -> None:
    code, told = run_json("lint")
    assert code == 1
    assert {(each["code"], each["line"]) for each in told} == {
        ("rule_without_say", 36),
        ("no_effect", 36),
    }


def test_lint_knows_the_company_and_the_record_where_there_is_a_database() -> None:
    review = """
[[auto_review]]
id = "warm"
action = ["friend.add"]
when.contact.way = ["referral"]
decide = "approve"
expires = 2999-12-31
"""
    asked = HEAD.replace(
        'friend.add" = { allow = 2, approval = 1 }', 'friend.add" = { approval = 1 }'
    )
    assert run("lint", text=asked + review)[0] == 0
    alone = Member("zhaomin", "赵敏", (2,), 2)
    company = Directory.of([alone], [Department(2, "销售部")])
    write(lambda tx: tx.people.replace(company), lambda tx: tx.requests.add(a_request()))

    codes = [each["code"] for each in run_json("lint", text=asked + review)[1]]
    assert sorted(codes) == ["dead_end", "names_nobody", "review_never_hit"]

    request = a_request("B8M3", external_userid="wm-li")
    hit = replace(request, verdict=replace(request.verdict, auto_review="warm"))
    write(lambda tx: tx.requests.add(hit))
    codes = [each["code"] for each in run_json("lint", text=asked + review)[1]]
    assert sorted(codes) == ["dead_end", "names_nobody"]


# --- check


def test_check_for_scripts_has_tests_mistakes_and_warnings() -> None:
    company = Directory.of([Member("zhaomin", "赵敏", (2,), 2)], [Department(2, "销售部")])
    write(lambda tx: tx.people.replace(company))
    code, told = run_json("check")
    assert code == 1
    assert told["ok"] is False
    assert (told["tests"], told["failed"]) == (3, ["cap (today.adds = 49)"])
    assert [(m["code"], m["place"]) for m in told["mistakes"]] == [
        ("lockout", 'permissions."config.change"'),
        ("names_nobody", "roles.admin.members[#2]"),
    ]
    assert told["warnings"] == []


def test_a_name_that_the_directory_does_not_have_is_a_mistake_with_what_was_meant() -> None:
    members = [Member("zhaomin", "赵敏", (2,), 2), Member("chen", "陈宇", (2,), 2)]
    write(lambda tx: tx.people.replace(Directory.of(members, [Department(2, "销售二部")])))
    code, told = run_json("check", text=HEAD)
    assert code == 1
    found = next(each for each in told["mistakes"] if each["code"] == "names_nobody")
    assert found["params"] == {"value": "department:销售部"}
    assert found["guess"] == "department:销售二部"
    assert found["line"]


def test_what_the_version_in_force_names_already_is_a_warning_and_hinders_no_other_change() -> None:
    company = Directory.of([Member("zhaomin", "赵敏", (2,), 2)], [Department(2, "销售二部")])
    book = settings.parse(HEAD).rules
    judge = checking.compiled(book)
    known = checking.Known(company)

    fresh, running = checking.check(judge, known), checking.check(judge, known, judge)

    assert "names_nobody" in {each.code for each in fresh.mistakes}
    assert "names_nobody" not in {each.code for each in running.mistakes}
    assert "names_nobody" in {each.code for each in running.warnings}


def test_going_back_is_not_hindered_by_names_but_by_a_lockout() -> None:
    nobody = Mistake(("roles", "r", "members", 0), "names_nobody", {"value": "tag:x"})
    alone = Mistake(("permissions",), "lockout", {"people": "0", "needed": "1"})
    assert not checking.Checked((), (nobody,), ()).locks_out
    assert checking.Checked((), (nobody, alone), ()).locks_out


def test_check_writes_nothing_where_there_is_no_database() -> None:
    code, told = run_json("check", text=HEAD)
    assert (code, told["ok"]) == (0, True)
    assert [path.name for path in Path.cwd().iterdir()] == ["config.toml"]


def test_a_database_that_is_empty_not_set_up_or_unreachable_is_as_none() -> None:
    nothing = checking.Known()
    assert checking.known(URL) == nothing
    Path("menwei.db").touch()
    assert checking.known(URL) == nothing
    away = checking.known("postgresql://nobody@127.0.0.1:1/none")
    assert (away.directory, away.hits) == (None, None)
    assert "refused" in away.unasked
    write()
    assert checking.known(URL) == nothing
