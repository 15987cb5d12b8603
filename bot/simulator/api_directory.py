"""Members, departments, directory tags, the app itself and its menu (wecom.md §7)."""

from __future__ import annotations

from collections.abc import Iterable

from bot.simulator.calls import Call, Endpoints
from bot.simulator.cards_check import URL
from bot.simulator.errors import ApiError
from bot.simulator.fields import Body
from bot.simulator.records import LEFT, Department, Json, Member

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


def user_get(call: Call) -> Json:
    """One member, as far as apps made after June 2022 see them (doc 90196)."""
    return _member_look(call, call.member(call.param("userid", 41009)))


def user_list(call: Call) -> Json:
    """The members directly in a department, with details."""
    return {"userlist": [_member_look(call, one) for one in _members_in(call)]}


def user_simplelist(call: Call) -> Json:
    """The same, names only."""
    listed = [
        {"userid": one.userid, "name": one.name, "department": list(one.departments)}
        for one in _members_in(call)
    ]
    return {"userlist": listed}


def _members_in(call: Call) -> list[Member]:
    number = call.param_number("department_id", 41019)
    if number not in call.world.state.departments:
        raise ApiError(60003, "department not found")
    everybody = call.world.state.members.values()
    return [
        one for one in everybody if number in one.departments and one.visible and one.status != LEFT
    ]


def _member_look(call: Call, member: Member) -> Json:
    departments = call.world.state.departments
    return {
        "userid": member.userid,
        "name": member.name,
        "department": list(member.departments),
        "order": [0] * len(member.departments),
        "position": member.position,
        "is_leader_in_dept": [
            int(member.userid in departments[one].leaders) for one in member.departments
        ],
        "direct_leader": _visible(call, member.direct_leader[:1]),
        "main_department": member.departments[0],
        "alias": "",
        "telephone": "",
        "extattr": {"attrs": []},
        "status": member.status,
        "external_position": "",
        "external_profile": {},
    }


def _visible(call: Call, userids: Iterable[str]) -> list[str]:
    found = (call.world.find_member(one) for one in userids)
    return [one.userid for one in found if one and one.visible and one.status != LEFT]


def department_simplelist(call: Call) -> Json:
    """Ids of a department and all below it."""
    listed = [{"id": one.id, "parentid": one.parentid, "order": one.order} for one in _below(call)]
    return {"department_id": listed}


def department_list(call: Call) -> Json:
    """The same with names and leaders."""
    return {"department": [_department_look(call, one) for one in _below(call)]}


def department_get(call: Call) -> Json:
    """One department."""
    number = call.param_number("id", 40058)
    if number not in call.world.state.departments:
        raise ApiError(60003, "department not found")
    return {"department": _department_look(call, call.world.state.departments[number])}


def _below(call: Call) -> list[Department]:
    found = call.world.departments_under(call.param_number("id", 40058, default=1))
    if not found:
        raise ApiError(60003, "department not found")
    return found


def _department_look(call: Call, one: Department) -> Json:
    return {
        "id": one.id,
        "name": one.name,
        "name_en": "",
        "department_leader": _visible(call, one.leaders),
        "parentid": one.parentid,
        "order": one.order,
    }


def tag_list(call: Call) -> Json:
    """All directory tags."""
    tags = call.world.state.directory_tags.values()
    return {"taglist": [{"tagid": one.id, "tagname": one.name} for one in tags]}


def tag_get(call: Call) -> Json:
    """Who has a directory tag; visible members only (doc 90213)."""
    tag = call.world.state.directory_tags.get(call.param_number("tagid", 41017))
    if tag is None:
        raise ApiError(40068, "invalid tagid")
    users = [
        {"userid": one, "name": call.world.member(one).name} for one in _visible(call, tag.users)
    ]
    return {"tagname": tag.name, "userlist": users, "partylist": list(tag.parties)}


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
        "close": 0,
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


def getcallbackip(_: Call) -> Json:
    """Where callbacks come from (doc 92521)."""
    return {"ip_list": ["127.0.0.1"]}


def get_api_domain_ip(_: Call) -> Json:
    """Where this API is reached (doc 92520)."""
    return {"ip_list": ["127.0.0.1"]}


CALLS: Endpoints = {
    "user/get": ("GET", user_get),
    "user/list": ("GET", user_list),
    "user/simplelist": ("GET", user_simplelist),
    "department/simplelist": ("GET", department_simplelist),
    "department/list": ("GET", department_list),
    "department/get": ("GET", department_get),
    "tag/list": ("GET", tag_list),
    "tag/get": ("GET", tag_get),
    "agent/get": ("GET", agent_get),
    "menu/create": ("POST", menu_create),
    "menu/get": ("GET", menu_get),
    "menu/delete": ("GET", menu_delete),
    "getcallbackip": ("GET", getcallbackip),
    "get_api_domain_ip": ("GET", get_api_domain_ip),
}
