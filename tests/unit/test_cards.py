"""Cards: whatever is on the sheet, WeCom's limits hold, and nothing from outside acts as markup."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import texts
from bot.cards import (
    Choice,
    Press,
    Sheet,
    approval_card,
    decided_card,
    details_text,
    reason_chosen,
    shorten,
    shorten_bytes,
    task_id,
)
from bot.texts import Texts
from tests.makers_words import a_sheet, an_english_sheet
from workflows.model import Origin

SAMPLES = Path(__file__).parents[1] / "samples" / "cards"
ZH, EN = texts.load("zh-CN"), texts.load("en")
TASK = "mw-A7K2-0-1-0123456789ab"
GOLDEN: dict[str, object] = {
    "approval.zh-CN": approval_card(a_sheet(), ZH, TASK),
    "approval.en": approval_card(an_english_sheet(), EN, TASK),
    "decided.zh-CN": decided_card(
        a_sheet(), ZH, "已拒绝", who="王芳", when="今天 10:30", comment="资料不全"
    ),
    "decided.en": decided_card(
        an_english_sheet(), EN, "approved", who="Wang Fang", when="today 10:30"
    ),
    "details.zh-CN": details_text(a_sheet(), ZH).split("\n"),
    "details.en": details_text(an_english_sheet(), EN).split("\n"),
}


@pytest.mark.parametrize("name", GOLDEN)
def test_cards_look_as_agreed(name: str) -> None:
    """Run with MENWEI_REWRITE=1 to accept how cards look now."""
    file = SAMPLES / f"{name}.json"
    made = json.dumps(GOLDEN[name], ensure_ascii=False, indent=2) + "\n"
    if os.environ.get("MENWEI_REWRITE"):
        file.write_text(made, "utf-8")

    assert made == file.read_text("utf-8")


def limits_hold(card: dict[str, Any]) -> None:
    """Assert document 90236's limits of a button_interaction card."""
    assert card["card_type"] == "button_interaction"
    assert 0 < len(card["main_title"]["title"]) <= 36
    assert len(card["main_title"]["desc"]) <= 44
    assert len(card["source"]["desc"]) <= 20
    assert len(card.get("sub_title_text", "")) <= 160
    rows = card.get("horizontal_content_list", [])
    assert len(rows) <= 6
    for row in rows:
        assert 0 < len(row["keyname"]) <= 5
        assert 0 < len(row["value"]) <= 30
        assert row.get("type") != 3 or row["userid"]
    assert 1 <= len(card["button_list"]) <= 6
    assert len({button["key"] for button in card["button_list"]}) == len(card["button_list"])
    for button in card["button_list"]:
        assert 0 < len(button["text"]) <= 10
        assert len(button["key"].encode()) <= 1024
    if "button_selection" in card:
        options = card["button_selection"]["option_list"]
        ids = [option["id"] for option in options]
        assert 1 <= len(options) <= 10
        assert len(set(ids)) == len(ids)
        assert card["button_selection"]["selected_id"] in ids
        assert all(0 < len(option["text"]) <= 16 for option in options)


def everything_said(card: dict[str, Any]) -> str:
    """Return all that a card shows or sends."""
    return json.dumps(card, ensure_ascii=False)


WORD = st.one_of(
    st.text(max_size=60),
    st.sampled_from(
        ["张" * 400, "<a href='x'>y</a>", "$userName=boss$", "👨\u200d👩\u200d👧" * 40]
    ),
)
WORDS = st.lists(WORD, max_size=12).map(tuple)
SHEETS = st.builds(
    Sheet,
    request_id=st.text("23456789ABCDEFGHJKMNPQRSTUVWXYZ", min_size=4, max_size=6),
    stage=st.integers(0, 9),
    stages=st.integers(1, 10),
    action=st.sampled_from(["friend.add", "customer.transfer", "something.new"]),
    origin=st.sampled_from(Origin),
    requester=WORD,
    requester_id=st.sampled_from(["", "wang"]),
    customer=WORD,
    departments=WORDS,
    position=WORD,
    level=WORD,
    company=WORD,
    phone=st.one_of(WORD, st.just("13800001234")),
    tier=st.none() | WORD,
    tags=st.none() | WORDS,
    groups=st.none() | WORDS,
    followers=st.none() | WORDS,
    way=WORD,
    reason=WORD,
    signed=st.sampled_from([None, True, False]),
    rules=st.lists(st.tuples(WORD, WORD), max_size=12).map(tuple),
    adds_today=st.none() | st.integers(0, 10**9),
    due=WORD,
    on_behalf=WORD,
    reasons=WORDS,
)
SPOKEN = st.sampled_from([ZH, EN])


@settings(max_examples=60)
@given(SHEETS, SPOKEN)
def test_every_sheet_gives_a_card_within_the_limits(sheet: Sheet, spoken: Texts) -> None:
    card = approval_card(sheet, spoken, TASK)

    limits_hold(card)
    assert not re.search(r"[<>$\u202e]", everything_said(card))
    everything_said(card).encode()


@settings(max_examples=40)
@given(SHEETS, SPOKEN, WORD, WORD)
def test_every_decided_card_is_within_the_limits(
    sheet: Sheet, spoken: Texts, who: str, comment: str
) -> None:
    card = decided_card(sheet, spoken, "已同意", who=who, when="今天 10:30", comment=comment)

    limits_hold(card)
    assert card["replace_text"] == "已同意"
    assert "task_id" not in card
    assert "button_selection" not in card


@settings(max_examples=60)
@given(SHEETS, SPOKEN)
def test_details_fit_into_one_message_and_say_how_to_answer(sheet: Sheet, spoken: Texts) -> None:
    text = details_text(sheet, spoken)
    last = text.splitlines()[-1]

    assert len(text.encode()) <= 2048
    assert last.count(sheet.request_id) == 2
    assert not re.search(r"[<>$]", text)


def test_a_decided_card_cannot_decide() -> None:
    card = decided_card(a_sheet(), ZH, "已同意", who="王芳", when="今天 10:30")

    pressed = [Press.unpack(button["key"]) for button in card["button_list"]]
    assert [press and press.choice for press in pressed] == [Choice.MORE]


def test_reasons_follow_the_option_of_none() -> None:
    options = approval_card(a_sheet(), ZH, TASK)["button_selection"]["option_list"]

    assert [option["id"] for option in options] == ["r0", "r1", "r2", "r3"]
    assert options[0]["text"] == "（无）"
    assert reason_chosen("r2", a_sheet().reasons) == "非目标客户"


@pytest.mark.parametrize("option", ["r0", "r4", "r99", "", "x"])
def test_an_option_without_a_reason_means_none(option: str) -> None:
    assert reason_chosen(option, a_sheet().reasons) == ""


def test_without_configured_reasons_there_is_no_selector() -> None:
    assert "button_selection" not in approval_card(a_sheet(reasons=()), ZH, TASK)


def test_unknown_is_not_shown_as_none() -> None:
    unknown = details_text(a_sheet(followers=None, tags=None), ZH)
    none = details_text(a_sheet(followers=(), tags=()), ZH)

    assert "其他跟进人：未知" in unknown
    assert "标签：未知" in unknown
    assert "其他跟进人：无" in none


def test_telephone_numbers_in_a_reason_are_masked() -> None:
    card = everything_said(approval_card(a_sheet(), ZH, TASK))

    assert "13911112222" not in card + details_text(a_sheet(), ZH)
    assert "139****2222" in card


def test_a_name_cannot_add_lines_to_the_details() -> None:
    forged = a_sheet(customer="张总\n回复：同意 B3M4")

    assert len(details_text(forged, ZH).splitlines()) == len(
        details_text(a_sheet(), ZH).splitlines()
    )


@pytest.mark.parametrize("choice", Choice)
def test_a_press_comes_back_as_it_went(choice: Choice) -> None:
    press = Press("A7K2", 1, choice)

    assert press.pack() == f"ap:A7K2:1:{choice}"
    assert Press.unpack(press.pack()) == press


@pytest.mark.parametrize("request_id", ["A7:K2", "", "A 7", "A" * 1100, "中" * 400])
def test_an_id_that_would_break_a_key_is_refused(request_id: str) -> None:
    with pytest.raises(ValueError, match=r"cannot be part of a key|more than 1024 bytes"):
        Press(request_id, 0, Choice.DENY).pack()


@pytest.mark.parametrize(
    "key",
    [
        "",
        "noop",
        "ap:A7K2:0",
        "ap:A7K2:x:approve",
        "ap:A7K2:0:drop",
        "ap:A7K2:0:deny:x",
        "AP:A7K2:0:deny",
    ],
)
def test_foreign_keys_are_no_presses(key: str) -> None:
    assert Press.unpack(key) is None


def test_task_ids_differ_by_person_stage_and_round() -> None:
    made = {
        task_id(request, stage, userid, round_)
        for request in ("A7K2", "B3M4")
        for stage in (0, 1)
        for userid in ("wang", "li")
        for round_ in (1, 2)
    }

    assert len(made) == 16
    assert all(re.fullmatch(r"mw-[0-9A-Za-z_@-]{1,125}", each) for each in made)
    assert task_id("A7K2", 0, "Wang", 1) == task_id("A7K2", 0, "wang", 1)


def test_a_task_id_takes_any_userid_but_only_plain_request_ids() -> None:
    assert re.fullmatch(r"mw-A7K2-0-1-[0-9a-f]{12}", task_id("A7K2", 0, "王芳.a@b" * 20, 1))
    with pytest.raises(ValueError, match="cannot be part of a task id"):
        task_id("中", 0, "wang", 1)


@given(st.text(), st.integers(4, 60))
def test_cutting_keeps_within_characters_and_bytes(text: str, most: int) -> None:
    safe = text.encode("utf-8", "ignore").decode()

    assert len(shorten(safe, most)) <= most
    assert len(shorten_bytes(safe, most).encode()) <= most


def test_cutting_tears_no_character_apart() -> None:
    family = "👨\u200d👩\u200d👧"

    assert shorten(f"ab{family}cd", 6) == "ab…"
    assert shorten_bytes("张总某某", 10) == "张总…"
    assert shorten("e\u0301e\u0301e\u0301", 4) == "e\u0301…"
    assert shorten("张总", 2) == "张总"
