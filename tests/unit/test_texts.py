"""Texts: both languages say the same things, and values from outside stay text."""

import re
import tomllib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

import bot.texts
from bot import texts
from bot.texts import PLACEHOLDER, Text, Texts, joined, merged
from workflows.attributes import ACTIONS
from workflows.facts import WAYS
from workflows.model import Origin, Outcome, RelationState, State

FOLDER = Path(bot.texts.__file__).parent
ZH, EN = (texts.load(language) for language in texts.LANGUAGES)
BOTH = pytest.mark.parametrize("spoken", [ZH, EN], ids=["zh-CN", "en"])
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)  # 12:00 in Shanghai, a Friday


def test_both_languages_have_the_same_files() -> None:
    names = [{file.name for file in (FOLDER / lang).glob("*.toml")} for lang in texts.LANGUAGES]

    assert names[0] == names[1]


def test_both_languages_have_the_same_keys() -> None:
    assert ZH.by_key.keys() == EN.by_key.keys()


def test_both_languages_have_the_same_placeholders() -> None:
    different = [
        key
        for key in ZH.by_key.keys() & EN.by_key.keys()
        if set(PLACEHOLDER.findall(ZH.by_key[key])) != set(PLACEHOLDER.findall(EN.by_key[key]))
    ]

    assert different == []


@BOTH
def test_no_brace_is_left_that_is_not_a_placeholder(spoken: Texts) -> None:
    odd = [
        key for key, text in spoken.by_key.items() if re.search("[{}]", PLACEHOLDER.sub("", text))
    ]

    assert odd == []


def test_the_english_texts_hold_no_chinese() -> None:
    odd = [key for key, text in EN.by_key.items() if re.search("[\u4e00-\u9fff]", text)]

    assert odd == []


def test_every_file_is_one_language_of_toml() -> None:
    for file in FOLDER.glob("*/*.toml"):
        assert tomllib.loads(file.read_text("utf-8")), file


@BOTH
def test_every_word_of_the_model_has_a_name(spoken: Texts) -> None:
    named = [
        *(spoken.state(state) for state in State),
        *(spoken.outcome(outcome) for outcome in Outcome),
        *(spoken.relation(state) for state in RelationState),
        *(spoken.origin(origin) for origin in Origin),
    ]

    assert all(named)


@BOTH
def test_every_action_and_every_way_of_adding_has_a_name_of_its_own(spoken: Texts) -> None:
    assert [action for action in ACTIONS if f"action.{action}" not in spoken] == []
    assert [number for number in WAYS if f"add_way.{number}" not in spoken] == []


def test_what_has_no_name_is_shown_as_it_is() -> None:
    assert ZH.action("chat.leave") == "chat.leave"
    assert ZH.add_way(999) == "其他来源（999）"
    assert EN.add_way(2) == "phone search"


def test_levels_are_shown_with_the_title_of_their_role() -> None:
    assert ZH.level(2, "销售") == "销售（2 级）"
    assert EN.level(2) == "level 2"
    assert ZH.level(0, "销售") == "无角色"


def test_a_key_that_is_not_there_is_an_error() -> None:
    with pytest.raises(KeyError, match=r"no\.such"):
        ZH("no.such")


def test_a_value_that_is_not_given_is_an_error() -> None:
    with pytest.raises(KeyError, match="clock"):
        ZH("time.today")


def test_braces_and_formats_in_a_value_are_only_text() -> None:
    assert ZH("time.today", clock="{clock!r:99} {0} %s") == "今天 {clock!r:99} {0} %s"


def test_markup_in_a_value_is_only_text() -> None:
    shown = ZH("time.today", clock='<a href="http://x">同意</a>\n$userName=boss$')

    wide = str.maketrans("<>$", "\uff1c\uff1e\uff04")
    assert shown == '今天 <a href="http://x">同意</a> $userName=boss$'.translate(wide)


def test_words_of_ours_go_into_texts_as_they_are() -> None:
    inner = Text('<a href="https://menwei.example">看</a>\n再看')

    assert ZH("time.today", clock=inner) == f"今天 {inner}"
    assert joined([inner, "<b>"]) == f"{inner}\n\uff1cb\uff1e"


def test_a_language_nobody_wrote_is_refused() -> None:
    with pytest.raises(ValueError, match="zh-CN, en"):
        texts.load("fr")


def test_two_files_may_not_hold_the_same_key() -> None:
    with pytest.raises(ValueError, match=r"b\.toml: text 'deny\.late' is in a\.toml already"):
        merged([("a.toml", {"deny": {"late": "x"}}), ("b.toml", {"deny.late": "y"})])


def test_a_text_must_be_text() -> None:
    with pytest.raises(ValueError, match="neither a text nor a table"):
        merged([("a.toml", {"deny": {"late": 3}})])


@pytest.mark.parametrize(
    ("away", "zh", "en"),
    [
        (timedelta(hours=6), "今天 18:00", "today 18:00"),
        (timedelta(hours=-13), "昨天 23:00", "yesterday 23:00"),
        (timedelta(hours=12), "明天 00:00", "tomorrow 00:00"),
        (timedelta(days=3, minutes=-150), "11月23日 09:30", "23 Nov 09:30"),
        (timedelta(days=60), "2027年1月19日 12:00", "19 Jan 2027 12:00"),
    ],
)
def test_moments_are_told_as_people_do(away: timedelta, zh: str, en: str) -> None:
    assert ZH.when(NOON + away, SHANGHAI, NOON) == zh
    assert EN.when(NOON + away, SHANGHAI, NOON) == en


@pytest.mark.parametrize(
    ("length", "zh", "en"),
    [
        (timedelta(hours=2), "2 小时", "2 hours"),
        (timedelta(days=3), "3 天", "3 days"),
        (timedelta(minutes=90), "1 小时 30 分钟", "1 hour 30 minutes"),
        (timedelta(days=1, hours=1, minutes=1), "1 天 1 小时", "1 day 1 hour"),
        (timedelta(seconds=5), "0 分钟", "0 minutes"),
        (timedelta(hours=-1), "0 分钟", "0 minutes"),
        (timedelta(minutes=59, seconds=50), "1 小时", "1 hour"),
    ],
)
def test_lengths_are_told_in_two_units(length: timedelta, zh: str, en: str) -> None:
    assert ZH.span(length) == zh
    assert EN.span(length) == en


@given(st.text())
def test_no_value_can_bring_in_markup_or_a_new_line(value: str) -> None:
    shown = ZH("time.today", clock=value)

    assert not re.search(r"[<>$\n\r\u2028\u202e\x00]", shown)
    shown.encode()
