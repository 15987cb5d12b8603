"""Members, departments, directory tags and addresses (docs 90196 to 90213, 92521)."""

from __future__ import annotations

from collections.abc import Iterable

from bot.simulator.calls import Call, Endpoints
from bot.simulator.errors import ApiError
from bot.simulator.records import LEFT, Department, Json, Member


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
    "getcallbackip": ("GET", getcallbackip),
    "get_api_domain_ip": ("GET", get_api_domain_ip),
}
