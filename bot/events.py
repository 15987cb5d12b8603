"""Makes an event of a decrypted callback; says its name and which others it must not overtake."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import TypeVar, assert_never

from bot.event_types import (
    AgentEntered,
    CardMenuPressed,
    CardPressed,
    ChatChange,
    ChatChanged,
    ContactAdded,
    ContactDeleted,
    ContactEdited,
    DirectoryChange,
    DirectoryChanged,
    Event,
    MenuClicked,
    OtherSaid,
    Subscribed,
    TagChange,
    TagChanged,
    TextSaid,
    TransferFailed,
    Unknown,
    Unsubscribed,
)
from bot.xml_reader import Element, Malformed, NotXml, read

__all__ = [
    "AgentEntered",
    "CardMenuPressed",
    "CardPressed",
    "ChatChange",
    "ChatChanged",
    "ContactAdded",
    "ContactDeleted",
    "ContactEdited",
    "DirectoryChange",
    "DirectoryChanged",
    "Event",
    "Malformed",
    "MenuClicked",
    "NotXml",
    "OtherSaid",
    "Subscribed",
    "TagChange",
    "TagChanged",
    "TextSaid",
    "TransferFailed",
    "Unknown",
    "Unsubscribed",
    "kind",
    "lane",
    "parse",
]

_LONGEST_ID = 256  # characters. WeCom's own are at most 64; ours end in indexed columns
_LONGEST_FIELD = 2_048
_LATEST = 4_102_444_800  # the year 2100, in unix seconds
_NUMBER = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_TASK = re.compile(r"mw-([0-9A-Za-z]+)-", re.ASCII)

_Change = TypeVar("_Change", bound=StrEnum)

_KINDS: Mapping[type, str] = {
    ContactAdded: "contact.added",
    ContactEdited: "contact.edited",
    ContactDeleted: "contact.deleted",
    TransferFailed: "contact.transfer_failed",
    ChatChanged: "chat.changed",
    TagChanged: "tag.changed",
    TextSaid: "message.text",
    OtherSaid: "message.other",
    CardPressed: "card.pressed",
    CardMenuPressed: "card.menu",
    MenuClicked: "menu.clicked",
    AgentEntered: "app.entered",
    Subscribed: "app.subscribed",
    Unsubscribed: "app.unsubscribed",
    DirectoryChanged: "directory.changed",
    Unknown: "unknown",
}


def kind(event: Event) -> str:
    """Return the event's name in the work table, logs and metrics. These names never change."""
    return _KINDS[type(event)]


def lane(event: Event) -> str:
    """Return what the event is about: events of one lane are handled in the order they came."""
    match event:
        case ContactAdded() | ContactEdited() | ContactDeleted() | TransferFailed():
            name = f"rel:{event.userid.lower()}:{event.external_userid}"
        case CardPressed() | CardMenuPressed():
            task = _TASK.match(event.task_id)
            name = f"request:{task[1]}" if task else _member_lane(event.userid)
        case ChatChanged():
            name = f"chat:{event.chat_id}"
        case TextSaid() | OtherSaid() | MenuClicked() | AgentEntered():
            name = _member_lane(event.userid)
        case Subscribed() | Unsubscribed():
            name = _member_lane(event.userid)
        case TagChanged():
            name = "tags"
        case DirectoryChanged():
            name = "directory"
        case Unknown():
            name = "other"
        case _:
            assert_never(event)
    return name


def parse(xml: bytes) -> Event:
    """Return the event in a decrypted message.

    Raises NotXml when it cannot be read at all, else Malformed when a known event lacks a field.
    """
    root = read(xml)
    at = _time(root)
    message_type = _need(root, "MsgType")
    if message_type == "text":
        text = root.only("Content")
        said = text.text if text else ""
        return TextSaid(_need(root, "FromUserName"), said, _need(root, "MsgId"), at)
    if message_type != "event":
        return OtherSaid(_need(root, "FromUserName"), message_type, at)
    name = _need(root, "Event")
    reader = _READERS.get(name)
    event = reader(root, at) if reader else None
    return event or Unknown(name, _field(root, "ChangeType"), at)


def _member_lane(userid: str) -> str:
    return f"member:{userid.lower()}"


def _field(root: Element, name: str, longest: int = _LONGEST_FIELD) -> str:
    found = root.only(name)
    text = found.text.strip() if found else ""
    if len(text) > longest:
        raise Malformed(f"{name} too long")
    return text


def _need(root: Element, name: str, longest: int = _LONGEST_ID) -> str:
    text = _field(root, name, longest)
    if not text:
        raise Malformed(f"{name} missing")
    return text


def _number(root: Element, name: str) -> int | None:
    text = _field(root, name)
    if not text:
        return None
    if not _NUMBER.fullmatch(text):
        raise Malformed(f"{name} is no number")
    return int(text)


def _need_number(root: Element, name: str) -> int:
    number = _number(root, name)
    if number is None:
        raise Malformed(f"{name} missing")
    return number


def _time(root: Element) -> datetime:
    seconds = _need_number(root, "CreateTime")
    if not 0 < seconds < _LATEST:
        raise Malformed("CreateTime is no time")
    return datetime.fromtimestamp(seconds, UTC)


def _contact(root: Element, at: datetime) -> Event | None:
    change = _field(root, "ChangeType")
    read_one = _CONTACT_READERS.get(change)
    if read_one is None:
        return None
    return read_one(root, _need(root, "UserID"), _need(root, "ExternalUserID"), at)


def _added(root: Element, userid: str, external_userid: str, at: datetime) -> Event:
    half = _field(root, "ChangeType") == "add_half_external_contact"
    code = _field(root, "WelcomeCode", longest=512)  # becomes the key of a row
    return ContactAdded(userid, external_userid, at, half, _field(root, "State"), code)


def _edited(_root: Element, userid: str, external_userid: str, at: datetime) -> Event:
    return ContactEdited(userid, external_userid, at)


def _deleted(root: Element, userid: str, external_userid: str, at: datetime) -> Event:
    by_member = _field(root, "ChangeType") == "del_external_contact"
    return ContactDeleted(userid, external_userid, at, by_member, _field(root, "Source"))


def _not_taken_over(root: Element, userid: str, external_userid: str, at: datetime) -> Event:
    return TransferFailed(userid, external_userid, at, _need(root, "FailReason"))


_CONTACT_READERS: Mapping[str, Callable[[Element, str, str, datetime], Event]] = {
    "add_external_contact": _added,
    "add_half_external_contact": _added,
    "edit_external_contact": _edited,
    "del_external_contact": _deleted,
    "del_follow_user": _deleted,
    "transfer_fail": _not_taken_over,
}


def _chat(root: Element, at: datetime) -> Event | None:
    change = _one_of(ChatChange, root)
    if change is None:
        return None
    items = root.only("MemChangeList")
    return ChatChanged(
        chat_id=_need(root, "ChatId"),
        created_at=at,
        change=change,
        update_detail=_field(root, "UpdateDetail"),
        join_scene=_number(root, "JoinScene"),
        quit_scene=_number(root, "QuitScene"),
        members=_texts(items, "Item"),
        last_version=_field(root, "LastMemVer"),
        current_version=_field(root, "CurMemVer"),
    )


def _tag(root: Element, at: datetime) -> Event | None:
    change = _one_of(TagChange, root)
    if change is None:
        return None
    everything = change is TagChange.SHUFFLE  # names a group, or none when all were reordered
    id_ = _field(root, "Id") if everything else _need(root, "Id")
    return TagChanged(at, change, id_, _field(root, "TagType"))


def _directory(root: Element, at: datetime) -> Event | None:
    change = _one_of(DirectoryChange, root)
    match change:
        case DirectoryChange.CREATE_USER | DirectoryChange.DELETE_USER:
            return DirectoryChanged(at, change, userid=_need(root, "UserID"))
        case DirectoryChange.UPDATE_USER:
            renamed = _field(root, "NewUserID", _LONGEST_ID)
            return DirectoryChanged(at, change, _need(root, "UserID"), renamed)
        case (
            DirectoryChange.CREATE_PARTY
            | DirectoryChange.UPDATE_PARTY
            | DirectoryChange.DELETE_PARTY
        ):
            return DirectoryChanged(at, change, department=_need_number(root, "Id"))
        case DirectoryChange.UPDATE_TAG:
            return DirectoryChanged(at, change, tag_id=_need_number(root, "TagId"))
        case None:
            return None
        case _:
            assert_never(change)


def _card(root: Element, at: datetime) -> Event:
    return CardPressed(
        userid=_need(root, "FromUserName"),
        key=_need(root, "EventKey", _LONGEST_FIELD),
        task_id=_need(root, "TaskId"),
        created_at=at,
        card_type=_field(root, "CardType"),
        response_code=_field(root, "ResponseCode"),
        selected=_selected(root.only("SelectedItems")),
    )


def _card_menu(root: Element, at: datetime) -> Event:
    return CardMenuPressed(
        userid=_need(root, "FromUserName"),
        key=_need(root, "EventKey", _LONGEST_FIELD),
        task_id=_need(root, "TaskId"),
        created_at=at,
        card_type=_field(root, "CardType"),
        response_code=_field(root, "ResponseCode"),
    )


def _selected(items: Element | None) -> dict[str, tuple[str, ...]]:
    found = items.all("SelectedItem") if items else []
    return {
        _need(item, "QuestionKey", _LONGEST_FIELD): _texts(item.only("OptionIds"), "OptionId")
        for item in found
    }


def _texts(parent: Element | None, name: str) -> tuple[str, ...]:
    return tuple(child.text.strip() for child in parent.all(name)) if parent else ()


def _one_of(changes: type[_Change], root: Element) -> _Change | None:
    try:
        return changes(_need(root, "ChangeType"))
    except ValueError:
        return None


def _click(root: Element, at: datetime) -> Event:
    return MenuClicked(_need(root, "FromUserName"), _need(root, "EventKey", _LONGEST_FIELD), at)


_READERS: Mapping[str, Callable[[Element, datetime], Event | None]] = {
    "change_external_contact": _contact,
    "change_external_chat": _chat,
    "change_external_tag": _tag,
    "change_contact": _directory,
    "template_card_event": _card,
    "template_card_menu_event": _card_menu,
    "click": _click,
    "enter_agent": lambda root, at: AgentEntered(_need(root, "FromUserName"), at),
    "subscribe": lambda root, at: Subscribed(_need(root, "FromUserName"), at),
    "unsubscribe": lambda root, at: Unsubscribed(_need(root, "FromUserName"), at),
}
