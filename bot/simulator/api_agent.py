"""The app itself as its own API shows it, and the menu under its chat (docs 90227, 90231-90233)."""

from __future__ import annotations

from bot.simulator.calls import Call, Endpoints
from bot.simulator.cards_check import URL
from bot.simulator.errors import ApiError
from bot.simulator.fields import Body
from bot.simulator.records import Json

MENU_TYPES = {
    "click",
    "view",
    "scancode_push",
    "scancode_waitmsg",
    "pic_sysphoto",
    "pic_photo_or_album",
    "pic_weixin",
    "location_select",
    "view_miniprogram",
}


def agent_get(call: Call) -> Json:
    """The app and its visible range (doc 90227)."""
    _check_agent(call)
    everybody = call.world.state.members.values()
    hidden = [one for one in everybody if not one.visible]
    users = [{"userid": one.userid} for one in everybody if one.visible] if hidden else []
    return {
        "agentid": call.world.agent_id,
        "name": "门卫",
        "square_logo_url": "",
        "description": "",
        "allow_userinfos": {"user": users},
        "allow_partys": {"partyid": [] if hidden else [1]},
        "allow_tags": {"tagid": []},
        "close": 0 if call.world.console.enabled else 1,
    }


def _check_agent(call: Call) -> None:
    if call.param_number("agentid", 41011) != call.world.agent_id:
        raise ApiError(301002, "access_token does not belong to this agentid")


def menu_create(call: Call) -> Json:
    """Put a menu under the chat with the app: 1-3 buttons with up to 5 below each."""
    _check_agent(call)
    buttons = call.body.things("button", least=1, most=3, code=40016)
    for button in buttons:
        button.text("name", required=True, most_bytes=16, code=40018)
        if "sub_button" not in button:
            _check_leaf(button, 40017)
            continue
        for leaf in button.things("sub_button", least=1, most=5, code=40023):
            if "sub_button" in leaf:
                raise ApiError(40022, "menus have two levels")
            leaf.text("name", required=True, most_bytes=40, code=40025)
            _check_leaf(leaf, 40024)
    call.world.menu = [button.values for button in buttons]
    call.world.show("menu", lambda: {"menu": call.world.menu})
    return {}


def _check_leaf(button: Body, code: int) -> None:
    kind = button.text("type", required=True, code=code)
    if kind not in MENU_TYPES:
        raise ApiError(code, f"invalid type {kind}")
    if kind == "view":
        url = button.text("url", required=True, most_bytes=1024, code=40020)
        if not URL.fullmatch(url):
            raise ApiError(45034, "url must start with a scheme")
    elif kind != "view_miniprogram":
        button.text("key", required=True, most_bytes=128, code=40019)


def menu_get(call: Call) -> Json:
    """The present menu."""
    _check_agent(call)
    if not call.world.menu:
        raise ApiError(46003, "no menu")
    return {"button": call.world.menu}


def menu_delete(call: Call) -> Json:
    """Take the menu away."""
    _check_agent(call)
    call.world.menu = []
    call.world.show("menu", lambda: {"menu": []})
    return {}


CALLS: Endpoints = {
    "agent/get": ("GET", agent_get),
    "menu/create": ("POST", menu_create),
    "menu/get": ("GET", menu_get),
    "menu/delete": ("GET", menu_delete),
}
