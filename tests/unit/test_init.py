"""`menwei init`: what it asks, what it refuses, and that what it writes is good."""

# ruff: noqa: RUF001 - what Chinese keyboards make is meant

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from itertools import product
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, reject
from hypothesis import settings as examples
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

from bot import checking, schema, settings, texts
from bot.cli import cli
from bot.settings import Settings
from bot.starting import questions, writing
from bot.starting.questions import QUESTIONS, Answers, WrongAnswer
from workflows import lockout
from workflows.directory import Department, Directory, Member

VOICES = {language: texts.load(language) for language in texts.LANGUAGES}
BY_KEY = {question.key: question for question in QUESTIONS}
NEEDED = {"corp_id": "ww00gate00demo0001", "agent_id": "1000007", "admins": "zhaomin,chenyu"}
FULL = NEEDED | {
    "directors": "liqiang,wangfang",
    "vip_tags": "VIP,战略客户",
    "signed_tags": "已签约",
}
OPTIONS = [f"{BY_KEY[key].option}={answer}" for key, answer in NEEDED.items()]
CHINESE = re.compile("[\u4e00-\u9fff]")
TODAY = date(2026, 1, 7)


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in writing.SECRETS:
        monkeypatch.setenv(name, "A" * 43 if "AES" in name else "aSecret")
    monkeypatch.setenv(writing.STORAGE, "sqlite:///elsewhere.db")


def answers(**given: str) -> Answers:
    """Return the answers to all questions: those given, else those of `NEEDED` and the defaults."""
    voice = VOICES[given.get("language", "zh-CN")]
    wanted = NEEDED | given
    pairs = ((q.key, wanted.get(q.key, q.default_in(voice))) for q in QUESTIONS)
    return questions.answers((key, BY_KEY[key].read(text or "")) for key, text in pairs)


def written(**given: str) -> str:
    found = answers(**given)
    return writing.config_file(found, VOICES[found.language])


def data(**given: str) -> dict[str, Any]:
    return tomllib.loads(written(**given))


def run(*words: str, typed: str | None = None) -> Result:
    return CliRunner().invoke(cli, ["init", *words], input=typed)


# --- the questions


def test_every_question_has_an_option_a_field_and_a_sentence() -> None:
    assert [q.key for q in QUESTIONS] == [field.name for field in fields(Answers)]
    help_text = run("--help").output
    for question in QUESTIONS:
        assert question.option in help_text
        assert all(f"init.ask.{question.key}" in voice for voice in VOICES.values())


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("language", "EN", "en"),
        ("language", "zh", "zh-CN"),
        ("language", "中文", "zh-CN"),
        ("timezone", " Europe/Berlin ", "Europe/Berlin"),
        ("corp_id", "ｗｗ１２３４", "ww1234"),
        ("agent_id", "１０００００７", 1000007),
        ("department", ' 销售"一\\部" ', '销售"一\\部"'),
        ("admins", "zhaomin， Chen.Yu、ZHAOMIN,,a@b", ("zhaomin", "Chen.Yu", "a@b")),
        ("directors", " ", ()),
        ("vip_tags", "VIP、战略客户，VIP", ("VIP", "战略客户")),
        ("signed_tags", "", ()),
        ("daily_cap", "０", 0),
        ("hours", "9：00～18：00", ("09:00-18:00",)),
        ("hours", "9:00 至 12:00，13:30 到 18:00", ("09:00-12:00", "13:30-18:00")),
        ("hours", "22:00-06:00", ("22:00-06:00",)),
        ("storage", "postgresql://menwei@db/menwei", "postgresql://menwei@db/menwei"),
        ("storage", "sqlite:////var/lib/my menwei.db", "sqlite:////var/lib/my menwei.db"),
        ("public_url", "", ""),
        ("public_url", "https://menwei.example.com/", "https://menwei.example.com"),
        ("public_url", "https://a.example/wecom/callback", "https://a.example"),
        ("public_url", "http://10.0.0.1:8080/x", "http://10.0.0.1:8080/x"),
    ],
)
def test_an_answer_is_read_as_it_was_meant(key: str, text: str, value: object) -> None:
    assert BY_KEY[key].read(text) == value


@pytest.mark.parametrize(
    ("key", "text", "code"),
    [
        ("language", "fr", "mistake.not_one_of"),
        ("timezone", "Shanghai/Asia", "mistake.unknown_timezone"),
        ("timezone", "", "mistake.unknown_timezone"),
        ("corp_id", " ", "mistake.empty"),
        ("corp_id", "某某公司", "init.wrong.corp_id"),
        ("agent_id", "", "mistake.empty"),
        ("agent_id", "-1", "init.wrong.agent_id"),
        ("agent_id", "٣", "init.wrong.agent_id"),
        ("department", " ", "mistake.empty"),
        ("department", "销售\u200b部", "init.wrong.name"),
        ("department", "销售\n部", "init.wrong.name"),
        ("department", "\udcff", "init.wrong.name"),
        ("admins", "", "init.wrong.admins"),
        ("admins", " ，", "init.wrong.admins"),
        ("admins", "赵敏", "init.wrong.userid"),
        ("directors", 'a"b', "init.wrong.userid"),
        ("directors", "a" * 65, "init.wrong.userid"),
        ("vip_tags", "VIP,\x07", "init.wrong.name"),
        ("daily_cap", "-1", "init.wrong.daily_cap"),
        ("daily_cap", "10000", "init.wrong.daily_cap"),
        ("daily_cap", "", "init.wrong.daily_cap"),
        ("hours", "nine to five", "mistake.bad_hours"),
        ("hours", "09:00-09:00", "mistake.bad_hours"),
        ("hours", " ", "mistake.bad_hours"),
        ("hours", "09:00-12:00,11:00-18:00", "mistake.hours_overlap"),
        ("storage", "mysql://db", "mistake.bad_storage"),
        ("storage", "sqlite:///:memory:", "init.wrong.storage"),
        ("storage", "sqlite:///", "mistake.bad_database"),
        ("storage", "postgresql://menwei:pass@word@db/menwei", "mistake.bad_database"),
        ("public_url", "menwei.example.com", "mistake.bad_url"),
        ("public_url", "https://", "mistake.bad_url"),
        ("public_url", "https://a.example?x=1", "mistake.bad_url"),
        ("public_url", "https://a:99999", "mistake.bad_url"),
        ("public_url", "https://me:pass@a.example", "mistake.bad_url"),
    ],
)
def test_an_answer_that_will_not_do_is_told_in_both_languages(
    key: str, text: str, code: str
) -> None:
    with pytest.raises(WrongAnswer) as wrong:
        BY_KEY[key].read(text)

    assert wrong.value.key == code
    for voice in VOICES.values():
        assert voice(code, **wrong.value.values)


def test_a_time_zone_in_small_letters_is_guessed() -> None:
    with pytest.raises(WrongAnswer) as wrong:
        BY_KEY["timezone"].read("asia/shangai")

    assert wrong.value.suggestion == "Asia/Shanghai"


# --- the file


def loaded(text: str) -> Settings:
    return settings.parse(text)


COMPANIES = list(
    product(
        ["zhaomin", "zhaomin,chenyu"],
        ["", "zhaomin", "liqiang,wangfang"],
        ["", 'VIP,重点"客户\\"'],
        ["", "VIP", "已签约"],
        ["0", "1", "50"],
    )
)


@pytest.mark.parametrize(("admins", "directors", "vip", "signed", "cap"), COMPANIES)
def test_whatever_is_answered_the_file_is_good_and_lint_finds_nothing(
    admins: str, directors: str, vip: str, signed: str, cap: str
) -> None:
    rest = {"vip_tags": vip, "signed_tags": signed, "daily_cap": cap}
    language = "en" if vip == signed else "zh-CN"
    judge = checking.compiled(
        loaded(written(language=language, admins=admins, directors=directors, **rest)).rules
    )

    checked = checking.check(judge, checking.Known())
    assert checked.is_good, [(each.name, each.misses) for each in checked.failed]
    assert checking.findings(judge, checking.Known(), TODAY) == ()
    reached = checking.covered(judge, checked.tested)
    assert (reached.never, reached.leaves) == ((), ())
    assert all(rule.say for rule in judge.rulebook.rule)


@pytest.mark.parametrize("hours", ["13:00-22:00", "09:00-12:00,13:30-18:00", "00:00-24:00"])
@pytest.mark.parametrize("zone", ["Asia/Shanghai", "America/New_York", "Pacific/Kiritimati"])
def test_whatever_the_working_hours_the_tests_pass(hours: str, zone: str) -> None:
    book = loaded(written(**FULL, hours=hours, timezone=zone)).rules

    assert checking.check(checking.compiled(book), checking.Known()).is_good
    assert book.schedules["work_hours"].holidays == ("CN" if zone == "Asia/Shanghai" else None)


def a_company(boss: str, above_boss: str) -> Directory:
    """Return a company in which `boss` leads sales, with everybody the answers name."""
    people = {
        userid: Member(
            userid,
            userid,
            (3,) if userid in {"zhaomin", "chenyu"} - {boss} else (2,),
            leads=(2,) if userid == boss else (),
            direct_leaders=(above_boss,) if userid == boss and above_boss else (boss,),
        )
        for userid in ("seller", "lead", "zhaomin", "chenyu", "liqiang", "wangfang")
    }
    return Directory.of(people.values(), [Department(2, "销售部"), Department(3, "IT")])


@pytest.mark.parametrize("admins", ["zhaomin", "zhaomin,chenyu"])
@pytest.mark.parametrize("directors", ["", "zhaomin", "liqiang", "liqiang,wangfang"])
@pytest.mark.parametrize("boss", ["lead", "zhaomin", "liqiang"])
@pytest.mark.parametrize("above_boss", ["", "zhaomin"])
def test_in_no_company_is_anybody_shut_out_or_stuck(
    admins: str, directors: str, boss: str, above_boss: str
) -> None:
    text = written(**FULL | {"admins": admins, "directors": directors})
    judge = checking.compiled(loaded(text).rules)
    known = checking.Known(a_company(boss, above_boss if above_boss != boss else ""))

    checked = checking.check(judge, known)

    assert checked.mistakes == ()
    assert {each.code for each in checked.warnings} == (
        lockout.WARNINGS if admins == "zhaomin" else set()
    )
    assert checking.findings(judge, known, TODAY) == ()


@examples(deadline=None)
@given(name=st.text().filter(lambda text: text.strip()), tag=st.text())
def test_any_name_and_any_tag_stand_in_the_file_as_they_are(name: str, tag: str) -> None:
    try:
        found = data(department=name, vip_tags=tag, signed_tags=tag)
    except WrongAnswer:  # signs that cannot be seen
        reject()

    tags = list(BY_KEY["vip_tags"].read(tag))
    assert found["roles"]["seller"]["members"] == [f"department:{name.strip()}"]
    assert found["roles"]["lead"]["members"] == [f"leaders_of:{name.strip()}"]
    assert [each["when"] for each in found.get("group", [])] == (
        [{"customer": {"tags": {"any_of": tags}}}] if tags else []
    )


def test_the_file_begins_with_the_line_editors_look_for_and_fits_their_schema() -> None:
    text = written(**FULL)

    assert text.splitlines()[0] == "#:schema ./config.schema.json"
    jsonschema.validate(tomllib.loads(text), schema.generate())


def test_what_was_answered_is_in_the_file() -> None:
    found = data(
        **FULL,
        language="en",
        department="North",
        timezone="Europe/Berlin",
        hours="08:00-12:00,13:00-17:00",
        daily_cap="7",
        storage="postgresql://menwei@db/menwei",
        public_url="https://menwei.example.com",
    )

    assert (found["timezone"], found["language"]) == ("Europe/Berlin", "en")
    assert (found["wecom"]["corp_id"], found["wecom"]["agent_id"]) == (
        "ww00gate00demo0001",
        1000007,
    )
    assert found["server"]["public_url"] == "https://menwei.example.com"
    assert found["storage"]["url"] == "postgresql://menwei@db/menwei"
    assert found["roles"]["seller"]["members"] == ["department:North"]
    assert found["roles"]["director"]["members"] == ["user:liqiang", "user:wangfang"]
    assert found["roles"]["admin"]["members"] == ["user:zhaomin", "user:chenyu"]
    assert found["tier"][0]["when"]["customer"]["tags"]["any_of"] == ["VIP", "战略客户"]
    assert found["group"][0]["when"]["customer"]["tags"]["any_of"] == ["已签约"]
    assert found["rule"][0]["when"]["today"]["adds"]["gte"] == 7
    assert found["schedules"]["work_hours"]["hours"] == ["08:00-12:00", "13:00-17:00"]


@pytest.mark.parametrize(
    ("given_", "rules"),
    [
        ({"daily_cap": "0"}, ["two-keys"]),
        ({"daily_cap": "0", "admins": "zhaomin"}, []),
        ({}, ["daily-cap", "two-keys"]),
        ({"vip_tags": "VIP"}, ["daily-cap", "vip", "two-keys"]),
        ({"signed_tags": "已签约"}, ["daily-cap", "signed", "two-keys"]),
    ],
)
def test_there_are_rules_only_for_what_was_answered(
    given_: Mapping[str, str], rules: list[str]
) -> None:
    found = data(**given_)

    assert [rule["id"] for rule in found.get("rule", [])] == rules
    assert ("tier" in found, "group" in found) == ("vip_tags" in given_, "signed_tags" in given_)
    assert "director" not in found["roles"]


def test_two_admins_change_the_rules_together_and_a_single_one_alone() -> None:
    two, one = data(), data(admins="zhaomin")

    assert two["permissions"]["config.change"] == {"approval": 5}
    assert two["rule"][-1]["chain"] == "two_admins"
    assert one["permissions"]["config.change"] == {"allow": 5}
    assert "two_admins" not in one["chains"]


def test_an_english_file_has_no_chinese_comment_and_a_chinese_one_no_english() -> None:
    english = written(language="en", vip_tags="VIP", signed_tags="signed", directors="li")
    comments = [line for line in written(**FULL).splitlines() if re.match("# ", line)]

    assert not CHINESE.search(english)
    assert all(CHINESE.search(comment) for comment in comments)
    assert len(comments) > 15


def test_the_trainee_line_may_be_taken_into_use() -> None:
    text = written(**FULL).replace("# trainee = ", "trainee = ")

    judge = checking.compiled(loaded(text).rules)

    assert judge.rulebook.roles["trainee"].level == 1
    assert checking.check(judge, checking.Known()).is_good


# --- secrets


def test_no_secret_is_in_the_file_and_every_one_it_needs_is_named() -> None:
    result = run("--yes", *OPTIONS)
    text = Path("config.toml").read_text("utf-8")

    assert result.exit_code == 0
    assert set(re.findall(r'env = "(\w+)"', text)) == set(writing.SECRETS)
    assert all(f"  {name} " in result.output for name in writing.SECRETS)
    assert writing.STORAGE not in result.output


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://menwei:hunter2@db/menwei",
        "postgresql://menwei:hun/ter2@db/menwei",
        "postgresql://db/menwei?user=menwei&password=hunter2",
        "postgresql://db/menwei?sslpassword=hunter2",
    ],
)
def test_a_database_password_is_neither_written_nor_shown(url: str) -> None:
    result = run("--yes", *OPTIONS, f"--storage={url}")
    text = Path("config.toml").read_text("utf-8")

    assert result.exit_code == 0
    assert not any(word in text + result.output for word in ("hunter", "ter2"))
    assert tomllib.loads(text)["storage"]["url"] == {"env": writing.STORAGE}
    assert writing.STORAGE in result.output


@pytest.mark.parametrize("url", ["sqlite:///a:b@c.db", "postgresql://menwei@db:5432/menwei"])
def test_an_address_without_a_password_stands_in_the_file(url: str) -> None:
    assert data(storage=url)["storage"]["url"] == url


def test_an_address_that_will_not_do_is_not_repeated() -> None:
    result = run("--yes", *OPTIONS, "--storage=mysql://me:hunter2@db")

    assert (result.exit_code, "hunter2" in result.output) == (2, False)


# --- the command


def test_with_options_nothing_is_asked_and_the_file_passes_check_and_lint() -> None:
    result = run("--defaults", *OPTIONS, "--vip-tags=VIP", "--public-url=https://m.example")

    assert result.exit_code == 0, result.output
    assert "https://m.example/wecom/callback" in result.output
    assert "menwei serve\n" in result.output
    for command in ("check", "lint", "test"):
        assert CliRunner().invoke(cli, [command]).exit_code == 0


def test_another_path_is_in_the_commands_to_type(tmp_path: Path) -> None:
    result = run("my config.toml", "--yes", *OPTIONS)

    assert "menwei check --config 'my config.toml'" in result.output
    assert Path("my config.toml").exists()
    assert not Path("config.toml").exists()


def test_signs_in_a_name_are_shown_as_they_are() -> None:
    result = run("[b]:key:.toml", "--yes", *OPTIONS)

    assert "menwei serve --config '[b]:key:.toml'" in result.output


def test_a_person_is_asked_again_until_the_answer_will_do_in_the_language_chosen() -> None:
    typed = ["fr", "en", "Mars", "", "ww1234", "x", "1000007", "", "赵敏", "zhaomin", "", "VIP", ""]
    typed += ["many", "20", "", "", "m.example", "https://m.example"]

    result = run(typed="\n".join(typed) + "\n")

    assert result.exit_code == 0, result.output
    assert "语言，zh-CN 或 en / Language, zh-CN or en [zh-CN]" in result.output
    assert "只能是以下之一：zh-CN, en" in result.output
    for told in ('no time zone "Mars"', '"x" is not an AgentId', '"赵敏" is not a userid',
                 '"many" will not do', "not an address", "Note: with a single admin"):  # fmt: skip
        assert told in result.output
    found = settings.load(Path("config.toml"))
    assert found.rules.roles["seller"].members == ("department:Sales",)
    assert found.rules.rule[0].when == {"today": {"adds": {"gte": 20}}}


def test_what_an_option_answers_is_not_asked() -> None:
    result = run(*OPTIONS, "--language=en", typed="\n" * 9)

    assert result.exit_code == 0, result.output
    assert "Corp ID" not in result.output
    assert "Department" in result.output


def test_when_the_answers_run_out_nothing_is_written() -> None:
    result = run(typed="zh-CN\n\n")

    assert result.exit_code == 2
    assert "什么都没有写" in result.output
    assert list(Path().iterdir()) == []


def test_all_wrong_and_missing_options_are_told_at_once_and_nothing_is_written() -> None:
    result = run("--yes", "--language=en", "--hours=9-5", "--admins=赵敏", "--agent-id=1")

    assert result.exit_code == 2
    told = result.output.splitlines()
    assert [line.partition(": ")[0] for line in told] == ["--corp-id", "--admins", "--hours"]
    assert list(Path().iterdir()) == []


def test_a_wrong_option_is_refused_before_anything_is_asked() -> None:
    result = run("--timezone=Asia/Shangai", typed="\n")

    assert result.exit_code == 2
    assert result.output.count("\n") == 1
    assert result.output.startswith("--timezone：没有“Asia/Shangai”这个时区")
    assert "您是不是想写 Asia/Shanghai？" in result.output


def test_an_existing_file_is_left_alone_in_its_own_language() -> None:
    Path("config.toml").write_text('language = "en"\n', "utf-8")

    result = run("--yes", *OPTIONS)

    assert result.exit_code == 2
    assert "config.toml is there already" in result.output
    assert Path("config.toml").read_text("utf-8") == 'language = "en"\n'


def test_nor_is_anything_written_through_a_dangling_link() -> None:
    Path("config.toml").symlink_to("elsewhere.toml")

    assert run("--yes", *OPTIONS).exit_code == 2
    assert not Path("elsewhere.toml").exists()


def test_a_file_that_appears_while_questions_are_asked_is_left_alone() -> None:
    words = [sys.executable, "-m", "bot", "init", *OPTIONS]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        assert program.stdout.read(1) == "语".encode()[:1]  # it asks for the language
        Path("config.toml").write_text("theirs", "utf-8")
        program.stdin.write(b"\n" * 20)
        program.stdin.close()
        program.stdout.read()

    assert program.returncode == 1
    assert Path("config.toml").read_text("utf-8") == "theirs"


def test_force_overwrites() -> None:
    Path("config.toml").write_text("old" * 9999, "utf-8")

    assert run("--yes", "--force", *OPTIONS).exit_code == 0
    assert settings.load(Path("config.toml")).wecom.agent_id == 1000007


def test_a_place_that_cannot_be_written_is_told_in_one_line() -> None:
    result = run("nowhere/config.toml", "--yes", *OPTIONS)

    assert (result.exit_code, result.output.count("\n")) == (1, 1)
    assert "nowhere/config.toml" in result.output
