"""Reading and marking customers, their tags, and customer groups (wecom.md §6.1-6.6, 6.12)."""

from __future__ import annotations

from collections.abc import Iterable

from bot.simulator.calls import Call, Endpoints, page, paged
from bot.simulator.errors import ApiError
from bot.simulator.fields import BAD
from bot.simulator.joined import Joined
from bot.simulator.people import OWNER_LEFT
from bot.simulator.records import ACTIVE, WECOM, Customer, GroupChat, GroupMember, Json, Relation

FOLLOWERS_A_PAGE = 500


def get_follow_user_list(call: Call) -> Json:
    """Who may use customer contact (doc 92571)."""
    everybody = call.world.state.members.values()
    able = [one.userid for one in everybody if call.world.reports(one) and one.status == ACTIVE]
    return {"follow_user": able}


def list_customers(call: Call) -> Json:
    """The customers of one member (doc 92113)."""
    member = call.seller(call.param("userid", 41009))
    relations = call.world.customers_of(member.userid)
    if not relations:
        raise ApiError(84061, "not external contact")
    return {"external_userid": [one.external_userid for one in relations]}


def get(call: Call) -> Json:
    """One customer and everybody who follows them (doc 92114)."""
    external = call.param("external_userid", 41035)
    customer = call.world.state.customers.get(external)
    if customer is None:
        raise ApiError(40096, "invalid external userid")
    followers = call.world.followers(external)
    if not followers:
        raise ApiError(84061, "not external contact")
    shown, cursor = page(followers, call.params.get("cursor", ""), FOLLOWERS_A_PAGE)
    answer: Json = {
        "external_contact": _contact(customer),
        "follow_user": [_follow_user(call, one) for one in shown],
    }
    return {**answer, "next_cursor": cursor} if cursor else answer


def get_by_user(call: Call) -> Json:
    """All customers of up to 100 members, for reconciling (doc 92994)."""
    names = call.body.texts("userid_list", least=1, most=100)
    relations = Joined([call.world.customers_of(call.seller(name).userid) for name in names])
    shown, cursor = paged(call, relations, most=100, default=50)
    customers = call.world.state.customers
    listed = [
        {
            "external_contact": _contact(customers[one.external_userid]),
            "follow_info": {**_follow_info(one), "tag_id": list(one.tags)},
        }
        for one in shown
    ]
    return {"external_contact_list": listed, "next_cursor": cursor}


def _contact(customer: Customer) -> Json:
    answer: Json = {
        "external_userid": customer.external_userid,
        "name": customer.name,
        "avatar": "",
        "type": customer.type,
        "gender": customer.gender,
    }
    if customer.type == WECOM:
        answer["corp_name"] = answer["corp_full_name"] = customer.corp_name
        if customer.position:
            answer["position"] = customer.position
    return answer


def _follow_info(relation: Relation) -> Json:
    return {
        "userid": relation.userid,
        "remark": relation.remark,
        "description": relation.description,
        "createtime": int(relation.createtime),
        "remark_corp_name": relation.remark_company,
        "remark_mobiles": list(relation.remark_mobiles),
        "add_way": relation.add_way,
        "oper_userid": relation.oper_userid,
        "state": relation.state,
    }


def _follow_user(call: Call, relation: Relation) -> Json:
    tags = [
        {"group_name": group.name, "tag_name": tag.name, "tag_id": tag.id, "type": 1}
        for group in call.world.state.tag_groups.values()
        for tag in group.tags
        if tag.id in relation.tags
    ]
    personal = [{"group_name": "", "tag_name": name, "type": 2} for name in relation.personal_tags]
    return {**_follow_info(relation), "tags": tags + personal}


def remark(call: Call) -> Json:
    """Write remark, description, company or phone numbers (doc 92115)."""
    body, relation = call.body, call.relation()
    names = ("remark", "description", "remark_company", "remark_mobiles", "remark_pic_mediaid")
    if not any(name in body for name in names):
        raise ApiError(BAD, "nothing to write")
    text = body.text("remark", most_chars=20)
    description = body.text("description", most_chars=150)
    company = body.text("remark_company", most_chars=20)
    mobiles = _mobiles(call)
    if "remark" in body:
        relation.remark = text
    if "description" in body:
        relation.description = description
    customer = call.world.state.customers[relation.external_userid]
    if "remark_company" in body and customer.type != WECOM:
        relation.remark_company = company
    if mobiles is not None:
        relation.remark_mobiles = mobiles
    call.world.show_customer(relation.external_userid)
    return {}


def _mobiles(call: Call) -> list[str] | None:
    if "remark_mobiles" not in call.body:
        return None
    if call.body.values["remark_mobiles"] == [""]:
        return []
    return call.body.texts("remark_mobiles")


def group_list(call: Call) -> Json:
    """Customer groups by owner and status (doc 92120)."""
    body = call.body
    status = body.number("status_filter", 0, high=3)
    body.number("limit", low=1, high=1000)
    wanted = _owner_filter(call)
    call.world.settle_groups()
    groups = [
        group
        for group in call.world.state.groups.values()
        if status in (0, group.status)  # 0 is any
        and (wanted or group.status != OWNER_LEFT)  # those must be named
        and _sees_owner(call, group)
        and (not wanted or group.owner.lower() in wanted)
    ]
    shown, cursor = paged(call, groups, most=1000, default=1000)
    listed = [{"chat_id": one.chat_id, "status": one.status} for one in shown]
    return {"group_chat_list": listed, "next_cursor": cursor}


def _owner_filter(call: Call) -> set[str]:
    owners = call.body.thing("owner_filter")
    if owners is None:
        return set()
    return {name.lower() for name in owners.texts("userid_list", most=100)}


def group_get(call: Call) -> Json:
    """One customer group with its members (doc 92122)."""
    chat_id = call.body.text("chat_id", required=True)
    named = call.body.number("need_name", 0, high=1)
    call.world.settle_groups()
    group = call.world.state.groups.get(chat_id)
    if group is None or not _sees_owner(call, group):
        raise ApiError(40050, "chatid not exist")
    members, version = call.world.shown_in_group(group)
    return {
        "group_chat": {
            "chat_id": group.chat_id,
            "name": group.name,
            "owner": group.owner,
            "create_time": int(group.create_time),
            "notice": "",
            "member_list": _members(call, members, named=bool(named)),
            "admin_list": [],
            "member_version": version,
        }
    }


def _members(call: Call, members: Iterable[GroupMember], *, named: bool) -> list[Json]:
    listed = []
    for one in members:
        look: Json = {
            "userid": one.userid,
            "type": one.type,
            "join_time": int(one.join_time),
            "join_scene": one.join_scene,
            "group_nickname": "",
        }
        if one.invitor:
            look["invitor"] = {"userid": one.invitor}
        if named:
            customer = call.world.state.customers.get(one.userid)
            look["name"] = customer.name if customer else call.world.member(one.userid).name
        listed.append(look)
    return listed


def _sees_owner(call: Call, group: GroupChat) -> bool:
    return call.world.member(group.owner).visible


CALLS: Endpoints = {
    "externalcontact/get_follow_user_list": ("GET", get_follow_user_list),
    "externalcontact/list": ("GET", list_customers),
    "externalcontact/get": ("GET", get),
    "externalcontact/batch/get_by_user": ("POST", get_by_user),
    "externalcontact/remark": ("POST", remark),
    "externalcontact/groupchat/list": ("POST", group_list),
    "externalcontact/groupchat/get": ("POST", group_get),
}
