"""What an operator types before rules count: replay, shadow and promote."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, TypeVar

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from bot import checking, settings
from bot.cli import cli
from bot.console import replaying
from storage.candidates import Candidate
from storage.database import Database
from storage.policies import StoredPolicy
from storage.transaction import Transaction
from tests.makers_storage import a_request
from workflows.directory import Department, Directory, Member
from workflows.model import Facts, Person
from workflows.policy import Policy, decide

RULES = (Path(__file__).parents[2] / "bot/demo/config.toml").read_text("utf-8")
CAP = "today.adds.gte = 50"
ON_TRIAL = '\n[[rule]]\nid = "few"\naction = ["friend.add"]\nwhen.today.adds.gte = 20\n'
FEW = f'{ON_TRIAL}then = "deny"\nmode = "shadow"   # for two weeks\n'
LIN, SUN = Person("linmei", "林梅"), Person("sunlei", "孙磊")
T = TypeVar("T")


def member(person: Person, **more: Any) -> Member:
    return Member(person.userid, person.name, (2,), position="销售", **more)


COMPANY = Directory.of(
    [
        member(LIN),
        member(SUN),
        Member("zhaomin", "赵敏", (1,)),
        Member("chenyu", "陈宇", (1,)),
        Member("liqiang", "李强", (2,)),
    ],
    [Department(1, "青禾科技"), Department(2, "销售部", 1)],
)


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "config.toml"
    path.write_text(RULES.replace("sqlite:///menwei-demo.db", url(path)), "utf-8")
    return path


def url(config: Path) -> str:
    return f"sqlite:///{config.parent}/menwei.db"


def changed(config: Path, *changes: tuple[str, str], more: str = "") -> Path:
    """Return a file like the config with words replaced and something at its end."""
    text = config.read_text("utf-8")
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path = config.with_name("new.toml")
    path.write_text(text + more, "utf-8")
    return path


def policy_of(path: Path) -> Policy:
    return checking.compiled(settings.load(path).rules)


def written(config: Path, step: Callable[[Transaction], T]) -> T:
    with closing(Database.open(url(config))) as db:
        db.upgrade()
        return asyncio.run(db.write(step))


def in_force(config: Path, *added_today: int) -> None:
    """Put the file in force and on record what it said of Lin Mei's adds, one each hour."""
    policy, now = policy_of(config), datetime.now(UTC)

    def step(tx: Transaction) -> None:
        text = policy.rulebook.model_dump_json(by_alias=True)
        tx.people.replace(COMPANY)
        tx.policies.activate(StoredPolicy(policy.hash, text, now - timedelta(days=40), "file"))
        for number, adds in enumerate(added_today):
            facts: Facts = {
                "sender.level": 2,
                "sender.roles": frozenset({"seller"}),
                "sender.userid": "linmei",
                "customer.tags": frozenset[str](),
                "customer.corp_name": "",
                "claim.company": "",
                "contact.way": "qr",
                "today.adds": adds,
            }
            at = now - timedelta(hours=number + 1)
            verdict = decide(policy, facts, "friend.add", at)
            tx.requests.add(
                a_request(
                    f"A{number}", requester=LIN, facts=facts, verdict=verdict, created_at=at,
                    external_userid=f"wm{number}",
                )
            )  # fmt: skip

    written(config, step)


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, [*words, "--config", str(config)])


def kinds(config: Path) -> list[tuple[str, str]]:
    return written(config, lambda tx: [(each.kind, each.actor) for each in tx.audit.tail(9)])


# --- replay


def test_a_lower_cap_refuses_what_was_allowed_and_names_it(config: Path) -> None:
    in_force(config, 45, 30, 10)

    result = run(config, "replay", str(changed(config, (CAP, "today.adds.gte = 40"))))

    assert result.exit_code == 0
    assert "共 3 项：不变 2，收紧 1，放宽 0，换人审批 0。" in result.output
    assert "林梅（收紧 1）" in result.output
    [line] = [each for each in result.output.splitlines() if each.startswith("  A0 ")]
    assert "林梅  张总：允许 → 不允许（rule.daily-cap）" in line


def test_a_higher_cap_is_looser_and_exits_with_1(config: Path) -> None:
    in_force(config, 60, 10)

    result = run(config, "replay", str(changed(config, (CAP, "today.adds.gte = 80"))))

    assert result.exit_code == 1
    assert "放宽 1" in result.output


def test_a_script_reads_sums_people_and_decisions(config: Path) -> None:
    in_force(config, 45, 10)
    new = changed(config, (CAP, "today.adds.gte = 40"))

    found = json.loads(run(config, "replay", str(new), "--json").output)

    assert found["policy"] == policy_of(new).hash
    assert [found[each] for each in ("decisions", "unchanged", "stricter")] == [2, 1, 1]
    assert found["people"][0] == {
        "userid": "linmei", "name": "林梅", "stricter": 1, "looser": 0, "other_chain": 0,
    }  # fmt: skip
    assert found["now_denied"]["count"] == 1
    assert found["now_denied"]["listed"][0]["because"] == ["rule.daily-cap"]
    assert found["now_allowed"] == {"count": 0, "listed": []}


def test_only_what_was_decided_since_then_is_judged_again(config: Path) -> None:
    in_force(config, 45, 45, 45, 45)

    found = json.loads(run(config, "replay", str(config), "--since", "150m", "--json").output)

    assert found["decisions"] == 2


def test_without_any_decision_nothing_is_claimed(config: Path) -> None:
    in_force(config)

    result = run(config, "replay", str(config))

    assert (result.exit_code, "没有可以重新判断的结论" in result.output) == (0, True)


def test_a_length_of_time_that_is_none_is_refused(config: Path) -> None:
    result = run(config, "replay", str(config), "--since", "last week")

    assert (result.exit_code, "30d" in result.output) == (2, True)


def test_of_who_has_left_it_is_told_that_the_recorded_level_was_used(config: Path) -> None:
    in_force(config, 10)
    written(config, lambda tx: tx.people.replace(Directory.of([member(SUN)])))
    new = changed(config, ("level = 2, members", "level = 1, members"))

    result = run(config, "replay", str(new))

    assert (result.exit_code, "其中 1 项的成员已不在通讯录里" in result.output) == (0, True)


def test_a_bar_is_shown_to_people_and_to_no_file(
    config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_force(config, 10)
    assert "━" not in run(config, "replay", str(config)).output

    monkeypatch.setattr(
        replaying, "Console", lambda **given: Console(**given, force_terminal=True, width=100)
    )
    result = run(config, "replay", str(config))

    assert "━" in result.stderr
    assert "1/1" in result.stderr
    assert "━" not in result.stdout


# --- shadow


def test_a_file_runs_in_shadow_and_shows_what_it_would_have_done(config: Path) -> None:
    in_force(config, 10)
    new = changed(config, (CAP, "today.adds.gte = 5"))

    begun = run(config, "shadow", str(new), "--by", "zhaomin", "--reason", "年底收紧")
    assert (begun.exit_code, "总体：收紧" in begun.output) == (0, True)
    assert f"{policy_of(new).hash} 已开始试运行" in begun.output
    in_shadow = written(config, lambda tx: tx.candidates.shadow())
    assert in_shadow is not None
    assert written(config, lambda tx: tx.policies.active_hash()) == policy_of(config).hash
    later = replace(in_shadow, proposed_at=datetime.now(UTC) - timedelta(hours=2))
    written(config, lambda tx: tx.candidates.put_shadow(later))

    shown = run(config, "shadow")

    assert shown.exit_code == 0
    assert f"试运行中的版本 {policy_of(new).hash}" in shown.output
    assert "赵敏" in shown.output
    assert "年底收紧" in shown.output
    assert "共 1 项：不变 0，收紧 1" in shown.output
    assert kinds(config) == [("shadow.started", "user:zhaomin")]


def test_what_runs_in_shadow_is_told_to_scripts(config: Path) -> None:
    config.write_text(config.read_text("utf-8") + FEW, "utf-8")
    in_force(config, 30, 10)
    run(config, "shadow", str(changed(config, (CAP, "today.adds.gte = 5"))))

    found = json.loads(run(config, "shadow", "--json").output)

    assert found["rules"]["hits"] == [
        {"rule": "few", "hits": 1, "approval": 0, "denied": 1, "other_chain": 0}
    ]
    assert found["version"]["by"] == "file"
    assert found["version"]["replay"]["decisions"] == 0


def test_rules_on_trial_are_shown_with_their_hits(config: Path) -> None:
    config.write_text(config.read_text("utf-8") + FEW, "utf-8")
    in_force(config, 30, 25, 10)

    result = run(config, "shadow")

    assert "few：命中 2 次（2 次会不允许）" in result.output
    assert "没有试运行中的版本" in result.output


def test_a_file_with_a_failing_test_does_not_run_in_shadow(config: Path) -> None:
    in_force(config)
    failing = (
        '\n[[test]]\nname = "wrong"\ngiven = { action = "friend.add", sender.level = 0 }\n'
        'expect = { decision = "allow" }\n'
    )

    result = run(config, "shadow", str(changed(config, more=failing)))

    assert (result.exit_code, "没有开始试运行" in result.output) == (1, True)
    assert written(config, lambda tx: tx.candidates.shadow()) is None


def test_what_is_in_force_need_not_run_in_shadow(config: Path) -> None:
    in_force(config)

    result = run(config, "shadow", str(config))

    assert (result.exit_code, "正在生效" in result.output) == (1, True)


def test_what_approvers_were_shown_of_a_version_stays_when_it_runs_in_shadow(
    config: Path,
) -> None:
    in_force(config)
    new = changed(config, (CAP, "today.adds.gte = 5"))
    asked = Candidate(
        policy_of(new).hash, "{}", "chenyu", "fair", datetime.now(UTC), "a-base", "{}", "C7K2"
    )
    written(config, lambda tx: tx.candidates.put(asked))

    assert run(config, "shadow", str(new), "--by", "zhaomin").exit_code == 0

    found = written(config, lambda tx: tx.candidates.shadow())
    assert found is not None
    assert replace(found, proposed_at=asked.proposed_at) == asked
    assert found.proposed_at > asked.proposed_at


def test_nobody_unknown_puts_a_file_in_shadow(config: Path) -> None:
    in_force(config)
    new = changed(config, (CAP, "today.adds.gte = 5"))

    result = run(config, "shadow", str(new), "--by", "nobody")

    assert (result.exit_code, "nobody" in result.output) == (1, True)
    assert written(config, lambda tx: tx.candidates.shadow()) is None


def test_a_version_is_taken_out_of_shadow_once(config: Path) -> None:
    in_force(config)
    run(config, "shadow", str(changed(config, (CAP, "today.adds.gte = 5"))))

    assert run(config, "shadow", "--end").exit_code == 0
    assert run(config, "shadow", "--end").exit_code == 1

    assert kinds(config) == [
        ("shadow.started", "system:console"),
        ("shadow.ended", "system:console"),
    ]


@pytest.mark.parametrize(("cap", "code"), [("today.adds.gte = 5", 0), ("today.adds.gte = 80", 1)])
def test_a_version_in_shadow_is_compared_with_the_one_in_force(
    config: Path, cap: str, code: int
) -> None:
    in_force(config)
    run(config, "shadow", str(changed(config, (CAP, cap))))

    shown, scripted = run(config, "shadow", "--diff"), run(config, "shadow", "--diff", "--json")

    assert (shown.exit_code, scripted.exit_code) == (code, code)
    assert "rule.daily-cap" in shown.output
    assert json.loads(scripted.output)["widening"] is bool(code)


def test_only_one_thing_is_asked_of_shadow_at_a_time(config: Path) -> None:
    assert run(config, "shadow", str(config), "--end").exit_code == 2
    assert run(config, "shadow", "--diff", "--end").exit_code == 2


# --- promote


def test_a_rule_on_trial_is_enforced_by_one_word_of_the_file(config: Path) -> None:
    config.write_text(config.read_text("utf-8") + FEW, "utf-8")
    in_force(config)
    before = config.read_text("utf-8")

    result = run(config, "promote", "few")

    assert result.exit_code == 0
    assert "收紧 添加客户：允许 → 不允许（rule.few）" in result.output
    assert config.read_text("utf-8") == before.replace('mode = "shadow"', 'mode = "enforce"')
    assert run(config, "promote", "few").exit_code == 1


@pytest.mark.parametrize(
    ("rule", "said"), [("daily-cap", "没有在试运行"), ("no-such", "没有规则 no-such")]
)
def test_a_rule_that_is_not_on_trial_is_not_promoted(config: Path, rule: str, said: str) -> None:
    before = config.read_bytes()

    result = run(config, "promote", rule)

    assert (result.exit_code, said in result.output) == (1, True)
    assert config.read_bytes() == before


def test_a_rule_whose_tests_would_fail_is_not_promoted(config: Path) -> None:
    """Enforced it refuses what the test in the file still expects to be allowed."""
    test = (
        '\n[[test]]\nname = "thirty a day"\nexpect = { decision = "allow", shadow = "deny" }\n'
        'given = { action = "friend.add", sender.level = 2, today.adds = 30, '
        'customer.corp_name = "", claim.company = "", customer.tags = [] }\n'
    )
    config.write_text(config.read_text("utf-8") + FEW + test, "utf-8")
    before = config.read_bytes()

    result = run(config, "promote", "few")

    assert (result.exit_code, "thirty a day" in result.output) == (1, True)
    assert config.read_bytes() == before


def test_a_mode_that_a_person_must_change_is_left_alone(config: Path) -> None:
    text = config.read_text("utf-8") + FEW.replace('"shadow"', '"""shadow"""')
    config.write_text(text, "utf-8")

    result = run(config, "promote", "few")

    assert (result.exit_code, "手工" in result.output) == (1, True)
    assert config.read_text("utf-8") == text


def test_promoting_the_version_in_shadow_shows_what_it_changes_and_puts_it_in_force(
    config: Path,
) -> None:
    in_force(config)
    assert run(config, "promote").exit_code == 1
    run(config, "shadow", str(changed(config, (CAP, "today.adds.gte = 5"))))

    assert "--yes" in run(config, "promote").output

    result = run(config, "promote", "--yes")

    assert result.exit_code == 0
    assert "总体：收紧" in result.output
    assert "已生效" in result.output
    assert "没有版本" not in run(config, "history").output
    assert run(config, "shadow").output.count("在试运行") == 0
