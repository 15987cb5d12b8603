"""Passive replies: what the app may answer to a callback and what they do (doc 90241)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from bot.simulator.cards_check import INTERACTIVE, check_card
from bot.simulator.errors import ApiError
from bot.simulator.events import Event
from bot.simulator.fields import Body
from bot.simulator.records import Json
from bot.simulator.world import World

Reply = Mapping[str, list[Any]]

# lists in a card: repeated siblings without a wrapper, so one occurrence is still a list
_LISTS = {
    "HorizontalContentList",
    "VerticalContentList",
    "JumpList",
    "ActionList",
    "ButtonList",
    "SelectList",
    "OptionList",
}
_NUMBERS = {"Type", "Style", "DescColor", "Mode"}
_FLAGS = {"Disable", "IsChecked"}
_NAMES = {
    "KeyName": "keyname",
    "UserId": "userid",
    "AppId": "appid",
    "Appid": "appid",
    "PagePath": "pagepath",
    "CheckBox": "checkbox",
}


def apply_reply(world: World, event: Event, reply: Reply) -> None:
    """Do what the reply says. Raises ValueError or KeyError for what WeCom would throw away."""
    if _one(reply, "ToUserName").lower() != event.member.lower():
        raise ValueError("ToUserName is not the member who caused the event")
    if _one(reply, "FromUserName") != world.corp_id:
        raise ValueError("FromUserName is not the corpid")
    int(_one(reply, "CreateTime"))
    match _one(reply, "MsgType"):
        case "text":
            world.reply_text(event.member, _one(reply, "Content"))
        case "news":
            world.reply_articles(event.member, _articles(reply))
        case "update_button":
            name = reply["Button"][0]["ReplaceName"][0]
            _update_button(world, event, name)
        case "update_template_card":
            _update_card(world, event, card_from_xml(reply["TemplateCard"][0]))
        case other:
            raise ValueError(f"MsgType {other} is no passive reply")


def card_from_xml(elements: Mapping[str, list[Any]]) -> Json:
    """A card of a passive reply in the JSON names of message/send."""
    card: Json = {}
    for name, values in elements.items():
        read = [_value(name, value) for value in values]
        if name not in _LISTS and len(read) > 1:
            raise ValueError(f"{name} occurs more than once")
        key = _NAMES.get(name) or re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
        card[key] = read if name in _LISTS else read[0]
    return card


def _value(name: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return card_from_xml(value)
    if name in _NUMBERS:
        return int(value)
    if name in _FLAGS:
        return {"true": True, "false": False}[value]
    return value


def _update_button(world: World, event: Event, name: str) -> None:
    message = world.state.cards[event.member.lower(), event.task_id]
    if not name or (message.card or {}).get("card_type") not in INTERACTIVE:
        raise ValueError("update_button needs a text and a card with buttons")
    sent = world.redeem_passively(event.response_code)
    world.replace_button(sent, event.member, name)


def _update_card(world: World, event: Event, card: Json) -> None:
    if not event.response_code:
        raise ValueError("update_template_card answers card events only")
    try:
        check_card(Body(card, "TemplateCard"), update=True)
    except ApiError as error:
        raise ValueError(str(error)) from error
    sent = world.redeem_passively(event.response_code)
    world.replace_card(sent, event.member, card)


def _articles(reply: Reply) -> list[Json]:
    items = reply["Articles"][0]["item"]
    if int(_one(reply, "ArticleCount")) != len(items) or len(items) > 8:
        raise ValueError("ArticleCount is wrong")
    names = {"Title": "title", "Description": "description", "Url": "url", "PicUrl": "picurl"}
    return [{key: item[name][0] for name, key in names.items() if name in item} for item in items]


def _one(reply: Reply, name: str) -> str:
    value = reply[name][0]
    if not isinstance(value, str):
        raise ValueError(f"{name} is not a text")
    return value
