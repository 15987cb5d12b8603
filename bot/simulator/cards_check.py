"""Template cards: what WeCom refuses (doc 90236, codes of doc 90313) and what can be pressed."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.simulator.errors import ApiError
from bot.simulator.fields import BAD, Body
from bot.simulator.records import Json

TASK_ID = re.compile(r"[0-9A-Za-z_@-]+")
URL = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)
NOTICES = {"text_notice", "news_notice"}
INTERACTIVE = {"button_interaction", "vote_interaction", "multiple_interaction"}
MENU_ALLOWED = NOTICES | {"button_interaction"}


def check_card(card: Body, *, update: bool = False) -> None:
    """Raise ApiError for the first thing WeCom would refuse. An update needs no task_id."""
    kind = card.text("card_type")
    if kind not in NOTICES | INTERACTIVE:
        raise ApiError(42031, "Template_Card.CardType invalid")
    _check_task_id(card, required=not update and can_call_back(card.values))
    _check_head(card, kind)
    _check_rows(card)
    _check_card_action(card, required=kind in NOTICES)
    match kind:
        case "text_notice":
            _check_text_notice(card)
        case "news_notice":
            _check_news_notice(card)
        case "button_interaction":
            _check_button_interaction(card)
        case "vote_interaction":
            _check_vote(card)
        case _:
            _check_multiple(card)


def can_call_back(card: Json) -> bool:
    """Whether a press can come back, so that task_id and a callback URL are needed."""
    return card.get("card_type") in INTERACTIVE or bool(card.get("action_menu"))


def _check_task_id(card: Body, *, required: bool) -> None:
    task_id = card.text("task_id", most_bytes=128, code=42014)
    if (required and not task_id) or (task_id and not TASK_ID.fullmatch(task_id)):
        raise ApiError(42014, "invalid task_id of the card")


def _check_head(card: Body, kind: str) -> None:
    if source := card.thing("source"):
        source.text("desc")
        source.number("desc_color", 0, high=3)
        _check_url(source, "icon_url", BAD)
    title = card.thing("main_title") or Body({}, card.path("main_title"))
    title.text("desc")
    card.text("sub_title_text")
    if not title.text("title") and not (kind == "text_notice" and card.text("sub_title_text")):
        raise ApiError(42033, "Template_Card main_title.title is missing")
    _check_action_menu(card, kind)
    if quote := card.thing("quote_area"):
        _check_link(quote)
        quote.text("title")
        quote.text("quote_text")


def _check_action_menu(card: Body, kind: str) -> None:
    menu = card.thing("action_menu")
    if menu is None:
        return
    if kind not in MENU_ALLOWED:
        raise ApiError(BAD, f"action_menu is not for {kind}")
    keys = []
    for action in menu.things("action_list", least=1, most=3):
        action.text("text", required=True, code=42038)
        keys.append(action.text("key", required=True, most_bytes=1024, code=42039))
    if len(set(keys)) != len(keys):
        raise ApiError(42051, "action_menu.action_list.key conflict")


def _check_rows(card: Body) -> None:
    for row in card.things("horizontal_content_list", most=6, code=42035):
        row.text("keyname", required=True, code=42027)
        row.text("value")
        match row.number("type", 0, high=3):
            case 1:
                _check_url(row, "url", 42028, required=True)
            case 2:
                row.text("media_id", required=True, code=42029)
                row.text("value", required=True)
            case 3:
                row.text("userid", required=True, code=42050)
    if card.text("card_type") in NOTICES:
        for jump in card.things("jump_list", most=3, code=42042):
            jump.text("title", required=True, code=42033)
            _check_link(jump)


def _check_card_action(card: Body, *, required: bool) -> None:
    action = card.thing("card_action")
    if action is None:
        if required:
            raise ApiError(42045, "card_action is missing")
        return
    kind = _check_link(action)
    if required and kind == 0:
        raise ApiError(42045, "card_action.type must be 1 or 2")


def _check_link(place: Body) -> int:
    kind = place.number("type", 0, high=2)
    if kind == 1:
        _check_url(place, "url", 42028, required=True)
    if kind == 2:
        place.text("appid", required=True, code=42030)
    return kind


def _check_url(place: Body, name: str, code: int, *, required: bool = False) -> None:
    url = place.text(name, required=required, most_bytes=2048, code=code)
    if url and not URL.fullmatch(url):
        raise ApiError(code, f"{place.path(name)} needs a scheme")


def _check_text_notice(card: Body) -> None:
    if emphasis := card.thing("emphasis_content"):
        emphasis.text("title")
        emphasis.text("desc")


def _check_news_notice(card: Body) -> None:
    image, area = card.thing("card_image"), card.thing("image_text_area")
    if image is None and area is None:
        raise ApiError(42044, "one of card_image and image_text_area is required")
    if image is not None:
        _check_url(image, "url", 42044, required=True)
        ratio = image.values.get("aspect_ratio", 1.3)
        if not isinstance(ratio, int | float) or not 1.3 <= ratio <= 2.25:
            raise ApiError(BAD, "card_image.aspect_ratio must be between 1.3 and 2.25")
    if area is not None:
        _check_link(area)
        _check_url(area, "image_url", BAD, required=True)
    for row in card.things("vertical_content_list", most=4, code=42036):
        row.text("title", required=True, code=42033)
        row.text("desc")


def _check_button_interaction(card: Body) -> None:
    if selection := card.thing("button_selection"):
        _check_question(selection, most=10)
    keys = []
    for button in card.things("button_list", least=1, most=6, code=42038):
        button.text("text", required=True, code=42038)
        button.number("style", 1, low=1, high=4)
        if button.number("type", 0, high=1) == 1:
            _check_url(button, "url", 42028, required=True)
        else:
            keys.append(button.text("key", required=True, most_bytes=1024, code=42039))
    if len(set(keys)) != len(keys):
        raise ApiError(42039, "button_list.key must be unique")


def _check_vote(card: Body) -> None:
    box = card.thing("checkbox")
    if box is None:
        raise ApiError(42043, "checkbox is missing")
    box.number("mode", 0, high=1)
    _check_question(box, most=20)
    _check_submit(card)


def _check_multiple(card: Body) -> None:
    keys = []
    for question in card.things("select_list", least=1, most=3, code=42047):
        _check_question(question, most=10)
        keys.append(question.text("question_key"))
    if len(set(keys)) != len(keys):
        raise ApiError(42043, "question_key must be unique")
    _check_submit(card)


def _check_submit(card: Body) -> None:
    submit = card.thing("submit_button")
    if submit is None:
        raise ApiError(42046, "submit_button is missing")
    submit.text("text", code=42049)
    submit.text("key", required=True, most_bytes=1024, code=42046)


def _check_question(place: Body, *, most: int) -> None:
    place.text("question_key", required=True, most_bytes=1024, code=42043)
    place.text("title")
    place.flag("disable")
    ids = []
    for option in place.things("option_list", least=1, most=most, code=42037):
        ids.append(option.text("id", required=True, most_bytes=128, code=42040))
        option.text("text", required=True, code=42041)
        option.flag("is_checked")
    if len(set(ids)) != len(ids):
        raise ApiError(42040, "option_list.id must be unique")
    chosen = place.text("selected_id")
    if chosen and chosen not in ids:
        raise ApiError(42040, "selected_id is not among the options")


# -- what a phone can do with a card ---------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Question:
    """A selector or check box on a card."""

    options: tuple[str, ...]
    preset: tuple[str, ...]
    several: bool


def buttons_of(card: Json) -> dict[str, str]:
    """Keys of the buttons that call back, with their labels. URL buttons raise no event."""
    if "submit_button" in card:
        submit = card["submit_button"]
        return {submit["key"]: submit.get("text", "提交")}
    buttons = card.get("button_list", [])
    return {one["key"]: one["text"] for one in buttons if one.get("type", 0) == 0}


def menu_of(card: Json) -> dict[str, str]:
    """Keys and labels of the menu in the card's corner."""
    actions = card.get("action_menu", {}).get("action_list", [])
    return {action["key"]: action["text"] for action in actions}


def questions_of(card: Json) -> dict[str, Question]:
    """The questions by key; the first option is preselected unless the card says otherwise."""
    found = {}
    selectors = list(card.get("select_list", []))
    if "button_selection" in card:
        selectors.append(card["button_selection"])
    for one in selectors:
        ids = tuple(option["id"] for option in one["option_list"])
        found[one["question_key"]] = Question(ids, (one.get("selected_id") or ids[0],), False)
    if "checkbox" in card:
        box = card["checkbox"]
        ids = tuple(option["id"] for option in box["option_list"])
        checked = tuple(one["id"] for one in box["option_list"] if one.get("is_checked"))
        found[box["question_key"]] = Question(ids, checked, box.get("mode", 0) == 1)
    return found
