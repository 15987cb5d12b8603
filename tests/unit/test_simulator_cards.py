"""Template cards: each field that WeCom refuses, with its code."""

from __future__ import annotations

from typing import Any

import pytest

from bot.simulator.cards_check import check_card
from bot.simulator.errors import ApiError
from bot.simulator.fields import Body
from tests.makers_simulator import Json, a_card, a_selection

BUTTON = {"text": "好", "key": "k"}
URL = "https://menwei.example/"
TITLE = {"title": "标题"}
NOTICE: Json = {
    "card_type": "text_notice",
    "main_title": TITLE,
    "card_action": {"type": 1, "url": URL},
}
NEWS = {**NOTICE, "card_type": "news_notice", "card_image": {"url": URL, "aspect_ratio": 2.0}}
OPTIONS = [{"id": str(number), "text": "x"} for number in range(30)]
VOTE: Json = {
    "card_type": "vote_interaction",
    "main_title": TITLE,
    "task_id": "v-1",
    "checkbox": {"question_key": "role", "mode": 0, "option_list": OPTIONS[:20]},
    "submit_button": {"text": "保存", "key": "vote"},
}
MULTIPLE: Json = {
    "card_type": "multiple_interaction",
    "main_title": TITLE,
    "task_id": "m-1",
    "select_list": [a_selection(question_key=str(number)) for number in range(3)],
    "submit_button": {"key": "multi"},
}


def refusal(card: Json, *, update: bool = False) -> int:
    try:
        check_card(Body(card, "template_card"), update=update)
    except ApiError as error:
        return error.errcode
    return 0


def rows(count: int, **more: Any) -> list[Json]:
    return [{"keyname": "键", "value": "值", **more} for _ in range(count)]


def buttons(count: int) -> list[Json]:
    return [{"text": "好", "key": str(number)} for number in range(count)]


@pytest.mark.parametrize(
    "card",
    [
        a_card(),
        a_card(button_list=buttons(6), button_selection=a_selection(selected_id="rival")),
        a_card(horizontal_content_list=rows(6)),
        a_card(task_id="a" * 128),
        a_card(action_menu={"desc": "更多", "action_list": [{"text": "转交", "key": "fwd"}]}),
        NOTICE,
        {**NOTICE, "main_title": None, "sub_title_text": "只有正文"},
        NEWS,
        VOTE,
        MULTIPLE,
    ],
)
def test_a_card_within_all_limits_is_accepted(card: Json) -> None:
    assert refusal(card) == 0


@pytest.mark.parametrize(
    ("card", "code"),
    [
        (a_card(card_type="poll"), 42031),
        (a_card(task_id=None), 42014),
        (a_card(task_id="申请-1"), 42014),
        (a_card(task_id="has space"), 42014),
        (a_card(task_id="a" * 129), 42014),
        (a_card(main_title=None), 42033),
        (a_card(main_title={"desc": "no title"}), 42033),
        (a_card(main_title="a title"), 40058),
        (a_card(button_list=None), 42038),
        (a_card(button_list=buttons(7)), 42038),
        (a_card(button_list=[{"key": "k"}]), 42038),
        (a_card(button_list=[{"text": "好"}]), 42039),
        (a_card(button_list=[{"text": "好", "key": "键" * 342}]), 42039),
        (a_card(button_list=[BUTTON, BUTTON]), 42039),
        (a_card(button_list=[{**BUTTON, "style": 5}]), 40058),
        (a_card(button_list=[{"text": "打开", "type": 1}]), 42028),
        (a_card(button_list=[{"text": "打开", "type": 1, "url": "menwei.example"}]), 42028),
        (a_card(horizontal_content_list=rows(7)), 42035),
        (a_card(horizontal_content_list=[{"value": "v"}]), 42027),
        (a_card(horizontal_content_list=rows(1, type=1)), 42028),
        (a_card(horizontal_content_list=rows(1, type=2)), 42029),
        (a_card(horizontal_content_list=rows(1, type=3)), 42050),
        (a_card(button_selection=a_selection(question_key="")), 42043),
        (a_card(button_selection=a_selection(option_list=[])), 42037),
        (a_card(button_selection=a_selection(option_list=OPTIONS[:11])), 42037),
        (a_card(button_selection=a_selection(option_list=[{"text": "x"}])), 42040),
        (a_card(button_selection=a_selection(option_list=[{"id": "x"}])), 42041),
        (a_card(button_selection=a_selection(option_list=OPTIONS[:1] * 2)), 42040),
        (a_card(button_selection=a_selection(option_list=[{"id": "i" * 129, "text": "x"}])), 42040),
        (a_card(button_selection=a_selection(selected_id="none")), 42040),
        (a_card(card_action={"type": 1}), 42028),
        (a_card(card_action={"type": 2}), 42030),
        (a_card(action_menu={"action_list": [BUTTON] * 4}), 40058),
        (a_card(action_menu={"action_list": [BUTTON] * 2}), 42051),
        ({**NOTICE, "card_action": None}, 42045),
        ({**NOTICE, "card_action": {"type": 0}}, 42045),
        ({**NOTICE, "jump_list": [{"title": "去"}] * 4}, 42042),
        ({**NOTICE, "jump_list": [{"type": 0}]}, 42033),
        ({**NOTICE, "action_menu": {"action_list": [BUTTON]}}, 42014),
        ({**NEWS, "card_image": None}, 42044),
        ({**NEWS, "card_image": {"url": URL, "aspect_ratio": 1.2}}, 40058),
        ({**NEWS, "vertical_content_list": [TITLE] * 5}, 42036),
        ({**VOTE, "checkbox": None}, 42043),
        ({**VOTE, "checkbox": {"question_key": "q", "option_list": OPTIONS[:21]}}, 42037),
        ({**VOTE, "submit_button": {"text": "保存"}}, 42046),
        ({**VOTE, "action_menu": {"action_list": [BUTTON]}}, 40058),
        ({**MULTIPLE, "select_list": [a_selection()] * 2}, 42043),
        ({**MULTIPLE, "select_list": MULTIPLE["select_list"] * 2}, 42047),
        ({**MULTIPLE, "submit_button": None}, 42046),
    ],
)
def test_a_card_beyond_a_limit_is_refused_with_the_code_of_that_field(
    card: Json, code: int
) -> None:
    assert refusal(card) == code


def test_a_card_that_replaces_another_needs_no_task_id() -> None:
    assert refusal(a_card(task_id=None), update=True) == 0
