"""Sending, updating and recalling messages of the app (docs 90236, 94888, 94867)."""

from __future__ import annotations

import json
from typing import Any

from bot.simulator import api_media
from bot.simulator.calls import Call, Endpoints
from bot.simulator.cards_check import INTERACTIVE, URL, can_call_back, check_card
from bot.simulator.errors import ApiError
from bot.simulator.fields import Body, byte_length
from bot.simulator.records import ACTIVE, Json, Repeat, Sent

TEXT_BYTES = 2048
MOST_USERS, MOST_PARTIES = 1000, 100
LONGEST_INTERVAL = 4 * 3600


def send(call: Call) -> Json:
    """message/send: check, find the recipients, show it on their phones."""
    call.agentid()
    body, world, now = call.body, call.world, call.world.now()
    looks, answer = _content(call), _recipients(call)
    users = answer.pop("users")
    repeat_key, interval = _repeat(body)
    known = world.state.repeats.get(repeat_key)
    if interval and known and known.until > now:
        return known.answer
    task_id = looks.get("task_id", "")
    if task_id in world.task_ids:
        raise ApiError(42014, "task_id has been used before")
    sent = Sent(world.fresh("msg_", 40), now, body.text("msgtype"), users, task_id)
    world.deliver(sent, looks)
    answer["msgid"] = sent.msgid
    if task_id and can_call_back(looks["card"]):
        answer["response_code"] = world.new_response_code(sent)
    if interval:
        world.state.repeats[repeat_key] = Repeat(now + interval, answer)
    return answer


def _repeat(body: Body) -> tuple[str, int]:
    wanted = body.number("enable_duplicate_check", 0, high=1)
    interval = body.number("duplicate_check_interval", 1800, high=LONGEST_INTERVAL)
    if not wanted:
        return "", 0
    return json.dumps(body.values, sort_keys=True, ensure_ascii=False), interval


def _content(call: Call) -> dict[str, Any]:
    """How the message looks on a phone."""
    body = call.body
    for name, high in (("safe", 2), ("enable_id_trans", 1)):
        body.number(name, 0, high=high)
    kind = body.text("msgtype")
    readers = {
        "text": _text,
        "markdown": _markdown,
        "textcard": _textcard,
        "news": _news,
        "template_card": _template_card,
        "file": _file,
    }
    if kind not in readers:
        raise ApiError(40008, "invalid message type")
    part = body.thing(kind)
    if part is None:
        raise ApiError(40063, f"{kind} is empty")
    return readers[kind](call, part)


def _text(_: Call, part: Body) -> dict[str, Any]:
    content = part.text("content", required=True, code=44004)
    return {"kind": "text", "text": content.encode()[:TEXT_BYTES].decode(errors="ignore")}


def _markdown(_: Call, part: Body) -> dict[str, Any]:
    content = part.text("content", required=True, code=44004)
    if byte_length(content) > TEXT_BYTES:
        raise ApiError(45002, "content size out of limit")
    return {"kind": "text", "text": content}


def _textcard(_: Call, part: Body) -> dict[str, Any]:
    article = {
        "title": part.text("title", required=True, most_chars=128, code=41016),
        "description": part.text("description", required=True, most_chars=512, code=41033),
        "url": _url(part, required=True),
        "btntxt": part.text("btntxt", most_chars=4) or "详情",
    }
    return {"kind": "news", "articles": [article]}


def _news(_: Call, part: Body) -> dict[str, Any]:
    articles = []
    for one in part.things("articles", least=1, most=8, code=45008):
        article = {
            "title": one.text("title", required=True, most_bytes=128, code=41016),
            "description": one.text("description", most_bytes=512),
            "url": _url(one, required="appid" not in one),
            "picurl": one.text("picurl", most_bytes=2048),
        }
        articles.append(article)
    return {"kind": "news", "articles": articles}


def _file(call: Call, part: Body) -> dict[str, Any]:
    media_id = part.text("media_id", required=True, code=41006)
    return {"kind": "file", "media": api_media.named(call, media_id, "file")}


def _url(part: Body, *, required: bool) -> str:
    url = part.text("url", required=required, most_bytes=2048, code=41010)
    if url and not URL.fullmatch(url):
        raise ApiError(45034, "url must start with a scheme")
    return url


def _template_card(call: Call, part: Body) -> dict[str, Any]:
    check_card(part)
    call_back = can_call_back(part.values)
    if call_back and not call.has_callback:
        raise ApiError(43012, "the app needs a callback url")
    return {
        "kind": "card",
        "card": part.values,
        "task_id": part.text("task_id"),
        "open": call_back,
    }


def _recipients(call: Call) -> dict[str, Any]:
    """Who gets it, and the ids that are refused as WeCom spells them."""
    body, world = call.body, call.world
    names = _ids(body, "touser", MOST_USERS, 40032)
    parties = _ids(body, "toparty", MOST_PARTIES, 82002)
    tags = _ids(body, "totag", MOST_PARTIES, 82003)
    if not (names or parties or tags):
        raise ApiError(82001, "touser, toparty and totag are all empty")
    if names == ["@all"]:
        names, parties, tags = [one.userid for one in world.state.members.values()], [], []
        names = [name for name in names if world.reachable(name)]
    users = {one.key: one.userid for name in names if (one := world.reachable(name))}
    bad_users = [name.lower() for name in names if not world.reachable(name)]
    bad_parties = [one for one in parties if not _add_party(call, one, users)]
    bad_tags = [one for one in tags if not _add_tag(call, one, users)]
    if not users:
        raise ApiError(81013, "user & party & tag all invalid")
    return {
        "users": list(users.values()),
        "invaliduser": "|".join(bad_users),
        "invalidparty": "|".join(bad_parties),
        "invalidtag": "|".join(bad_tags),
        "unlicenseduser": "",
    }


def _ids(body: Body, name: str, most: int, code: int) -> list[str]:
    found = [one for one in body.text(name).split("|") if one]
    if len(found) > most:
        raise ApiError(code, f"{name} has more than {most} ids")
    return found


def _number(text: str) -> int:
    """An id in a list of ids; 0, which nothing has, for what is no number."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else 0


def _add_party(call: Call, party: str, users: dict[str, str]) -> bool:
    below = call.world.departments_under(_number(party))
    numbers = {one.id for one in below}
    for member in call.world.state.members.values():
        if numbers & set(member.departments) and member.visible and member.status == ACTIVE:
            users[member.key] = member.userid
    return bool(below)


def _add_tag(call: Call, tag: str, users: dict[str, str]) -> bool:
    known = call.world.state.directory_tags.get(_number(tag))
    if known is None:
        return False
    for userid in known.users:
        if member := call.world.reachable(userid):
            users[member.key] = member.userid
    for party in known.parties:
        _add_party(call, str(party), users)
    return True


def update(call: Call) -> Json:
    """message/update_template_card: one response_code, one update."""
    call.agentid()
    body, world = call.body, call.world
    everybody = body.number("atall", 0, high=1)
    names = body.texts("userids", most=MOST_USERS, code=40032)
    parties = body.numbers("partyids", most=MOST_PARTIES)
    tags = body.numbers("tagids", most=MOST_PARTIES)
    code = body.text("response_code", required=True, code=60140)
    button, card = body.thing("button"), body.thing("template_card")
    name = _check_update(button, card)
    if not (everybody or names or parties or tags):
        raise ApiError(82101, "nobody to update")
    named = {one.lower(): one for one in names}
    for party in parties:
        _add_party(call, str(party), named)
    for tag in tags:
        _add_tag(call, str(tag), named)
    sent = world.peek(code)
    _check_fits(call, sent, button, card)
    world.redeem(code)
    had = {one.lower(): one for one in sent.recipients}
    for key in had if everybody else named.keys() & had.keys():
        if card is None:
            world.replace_button(sent, key, name)
        else:
            world.replace_card(sent, key, card.values)
    return {"invaliduser": [] if everybody else sorted(named.keys() - had.keys())}


def _check_update(button: Body | None, card: Body | None) -> str:
    if button is not None:
        return button.text("replace_name", required=True)
    if card is None:
        raise ApiError(40063, "one of button and template_card is required")
    card.text("replace_text")
    check_card(card, update=True)
    return ""


def _check_fits(call: Call, sent: Sent, button: Body | None, card: Body | None) -> None:
    shown = [
        message.card
        for one in sent.recipients
        if (message := call.world.state.cards.get((one.lower(), sent.task_id))) and message.card
    ]
    if button is not None and any(one["card_type"] not in INTERACTIVE for one in shown):
        raise ApiError(42031, "only cards with buttons have a button to replace")
    if card is not None and card.text("task_id") not in ("", sent.task_id):
        raise ApiError(42016, "task_id is not that of the card")


def recall(call: Call) -> Json:
    """message/recall within 24 hours."""
    call.world.recall(call.body.text("msgid", required=True))
    return {}


CALLS: Endpoints = {
    "message/send": ("POST", send),
    "message/update_template_card": ("POST", update),
    "message/recall": ("POST", recall),
}
