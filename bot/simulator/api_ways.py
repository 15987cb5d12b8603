"""Contact ways (doc 92228) and welcome messages (doc 92137)."""

from __future__ import annotations

from typing import Any

from bot.simulator.calls import Call, Endpoints, paged
from bot.simulator.errors import ApiError
from bot.simulator.fields import BAD, Body, byte_length
from bot.simulator.records import ContactWay, Json, Message
from bot.simulator.relations import WELCOME_LIFE

MOST_WAYS, MOST_USERS = 500_000, 100
STATE_CHARS = REMARK_CHARS = 30
NINETY_DAYS = 90 * 86400
WELCOME_BYTES, MOST_ATTACHMENTS = 4000, 9


def add_contact_way(call: Call) -> Json:
    """Make a QR code that adds one of the given members."""
    body, world = call.body, call.world
    if body.flag("is_temp"):
        raise ApiError(48002, "temporary sessions are for medical corporations only")
    kind = _choice(body, "type", {1, 2}, 41037, 41039)
    scene = _choice(body, "scene", {1, 2}, 41038, 41040)
    style = body.number("style", 0, high=3, code=41042)
    remark, state = _words(body)
    users, parties = _people(call, kind)
    if len(world.state.ways) >= MOST_WAYS:
        raise ApiError(41045, "contact way count out of limit")
    config_id = world.fresh("", 32)
    qr_code = f"{call.base_url}/sim/qr/{config_id}.svg" if scene == 2 else ""
    way = ContactWay(config_id, kind, scene, users, parties, world.now(), qr_code, style)
    way.remark, way.state = remark, state
    way.skip_verify = body.flag("skip_verify", default=True)
    way.is_exclusive = body.flag("is_exclusive")
    world.state.ways[config_id] = way
    world.show_way(config_id)
    return {"config_id": config_id, **({"qr_code": qr_code} if qr_code else {})}


def _choice(body: Body, name: str, allowed: set[int], missing: int, wrong: int) -> int:
    if name not in body:
        raise ApiError(missing, f"{name} missing")
    value = body.number(name, code=wrong)
    if value not in allowed:
        raise ApiError(wrong, f"invalid {name}")
    return value


def _words(body: Body) -> tuple[str, str]:
    remark = body.text("remark", most_chars=REMARK_CHARS)
    return remark, body.text("state", most_chars=STATE_CHARS)


def _people(call: Call, kind: int) -> tuple[list[str], list[int]]:
    users, parties = call.body.texts("user"), call.body.numbers("party")
    if kind == 1 and parties:
        raise ApiError(BAD, "party is for type 2 only")
    if kind == 1 and len(users) > 1:
        raise ApiError(41041, "a single contact way has exactly one user")
    if not users and not parties:
        raise ApiError(BAD, "user is required")
    named = [call.receiver(one).userid for one in users]
    below = {one.id for party in parties for one in call.world.departments_under(party)}
    everybody = call.world.state.members.values()
    expanded = {one.userid for one in everybody if below & set(one.departments)} | set(named)
    if len(expanded) > MOST_USERS:
        raise ApiError(41041, "contact way user count out of limit")
    return named, parties


def _way(call: Call) -> ContactWay:
    config_id = call.body.text("config_id", required=True, code=41043)
    if config_id not in call.world.state.ways:
        raise ApiError(41044, "invalid config_id")
    return call.world.state.ways[config_id]


def get_contact_way(call: Call) -> Json:
    """All settings of one contact way."""
    way = _way(call)
    look: Json = {
        "config_id": way.config_id,
        "type": way.type,
        "scene": way.scene,
        "style": way.style,
        "remark": way.remark,
        "skip_verify": way.skip_verify,
        "state": way.state,
        "user": list(way.users),
        "party": list(way.parties),
        "is_temp": False,
        "is_exclusive": way.is_exclusive,
    }
    return {"contact_way": {**look, "qr_code": way.qr_code} if way.qr_code else look}


def list_contact_way(call: Call) -> Json:
    """Ids of the contact ways made in a span, by default the last 90 days."""
    now = int(call.world.now())
    start = call.body.number("start_time", now - NINETY_DAYS)
    end = call.body.number("end_time", now + 1)
    ways = [one for one in call.world.state.ways.values() if start <= one.created_at <= end]
    shown, cursor = paged(call, ways, most=1000, default=100)
    return {"contact_way": [{"config_id": one.config_id} for one in shown], "next_cursor": cursor}


def update_contact_way(call: Call) -> Json:
    """Change a contact way; user and party replace the old lists."""
    way, body = _way(call), call.body
    remark, state = _words(body)
    people: Any = None
    if "user" in body or "party" in body:
        people = _people(call, way.type)
    if "remark" in body:
        way.remark = remark
    if "state" in body:
        way.state = state
    way.style = body.number("style", way.style, high=3, code=41042)
    way.skip_verify = body.flag("skip_verify", default=way.skip_verify)
    if people is not None:
        way.users, way.parties = people
    call.world.show_way(way.config_id)
    return {}


def del_contact_way(call: Call) -> Json:
    """Make a QR code worthless."""
    way = _way(call)
    del call.world.state.ways[way.config_id]
    call.world.show_way(way.config_id)
    return {}


def send_welcome_msg(call: Call) -> Json:
    """Greet a new customer: within 20 seconds, once, and not after the chat has begun."""
    body, world = call.body, call.world
    code = body.text("welcome_code", required=True, code=41049)
    text, attachments = _welcome_content(body)
    known = world.state.welcome_codes.get(code)
    if known is None or known.used or world.now() - known.at > WELCOME_LIFE:
        raise ApiError(41050, "invalid welcome code")
    relation = world.state.relations[known.relation]
    if relation.chatting or relation.welcomed:
        raise ApiError(41051, "chat has begun or a welcome was delivered")
    known.used = relation.welcomed = True
    external = relation.external_userid
    message = Message(world.next_id(), relation.userid, external, "welcome", world.now(), text)
    message.articles = attachments
    world.put_to_customer(external, message)
    return {}


def _welcome_content(body: Body) -> tuple[str, list[Json]]:
    part = body.thing("text")
    text = part.text("content") if part else ""
    if byte_length(text) > WELCOME_BYTES:
        raise ApiError(45002, "text.content exceeds 4000 bytes")
    attachments = body.things("attachments", most=MOST_ATTACHMENTS, code=41064)
    if not text and not attachments:
        raise ApiError(BAD, "text and attachments are both empty")
    return text, [_attachment(one) for one in attachments]


def _attachment(body: Body) -> Json:
    kind = body.text("msgtype")
    part = body.thing(kind)
    if kind not in {"image", "link", "miniprogram", "video", "file"} or part is None:
        raise ApiError(41065, "invalid attachment type")
    match kind:
        case "link":
            return {
                "title": part.text("title", required=True, most_bytes=128),
                "description": part.text("desc", most_bytes=512),
                "url": part.text("url", required=True, most_bytes=2048),
                "picurl": part.text("picurl", most_bytes=2048),
            }
        case "image":
            if "media_id" not in part and "pic_url" not in part:
                raise ApiError(41006, "media_id missing")
            return {"title": "", "picurl": part.text("pic_url")}
        case "miniprogram":
            for name in ("pic_media_id", "appid", "page"):
                part.text(name, required=True)
            return {"title": part.text("title", required=True, most_bytes=64)}
        case _:
            return {"title": kind, "description": part.text("media_id", required=True, code=41006)}


CALLS: Endpoints = {
    "externalcontact/add_contact_way": ("POST", add_contact_way),
    "externalcontact/get_contact_way": ("POST", get_contact_way),
    "externalcontact/list_contact_way": ("POST", list_contact_way),
    "externalcontact/update_contact_way": ("POST", update_contact_way),
    "externalcontact/del_contact_way": ("POST", del_contact_way),
    "externalcontact/send_welcome_msg": ("POST", send_welcome_msg),
}
