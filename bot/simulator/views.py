"""How the things of the pretend corporation look in the page's JSON."""

from __future__ import annotations

from bot.simulator.records import (
    ACTIVE,
    DISABLED,
    LEFT,
    NOT_ACTIVATED,
    WECOM,
    ContactWay,
    Customer,
    Json,
    Member,
    Message,
    State,
)

STATUS = {ACTIVE: "active", DISABLED: "disabled", NOT_ACTIVATED: "not_activated", LEFT: "left"}


def member_view(state: State, member: Member) -> Json:
    """One member with department and tag names."""
    return {
        "userid": member.userid,
        "name": member.name,
        "position": member.position,
        "department": [state.departments[one].name for one in member.departments],
        "department_ids": list(member.departments),
        "tags": [tag.name for tag in state.directory_tags.values() if member.userid in tag.users],
        "leads": [
            department.name
            for department in state.departments.values()
            if member.userid in department.leaders
        ],
        "direct_leader": list(member.direct_leader),
        "status": STATUS[member.status],
        "customer_contact": member.customer_contact,
    }


def customer_view(state: State, customer: Customer) -> Json:
    """One customer and what is between them and each member."""
    names = {tag.id: tag.name for group in state.tag_groups.values() for tag in group.tags}
    return {
        "external_userid": customer.external_userid,
        "name": customer.name,
        "type": "wecom" if customer.type == WECOM else "wechat",
        "corp_name": customer.corp_name,
        "phone": customer.phone,
        "added": [
            {
                "userid": relation.userid,
                "state": str(relation.bond),
                "remark": relation.remark,
                "tags": [names[one] for one in relation.tags if one in names],
                "add_way": relation.add_way,
            }
            for relation in state.relations_of_customer(customer.external_userid)
        ],
    }


def way_view(way: ContactWay) -> Json:
    """One QR code; `userid` is its first member."""
    return {
        "config_id": way.config_id,
        "userid": way.users[0] if way.users else "",
        "userids": list(way.users),
        "state": way.state,
        "qr_code": way.qr_code,
        "remark": way.remark,
        "skip_verify": way.skip_verify,
    }


def message_view(message: Message) -> Json:
    """One message; `at` is in milliseconds."""
    look: Json = {
        "id": message.id,
        "from": message.sender,
        "to": message.to,
        "kind": message.kind,
        "at": int(message.at * 1000),
        "text": message.text,
    }
    if message.articles:
        look["articles"] = message.articles
    if message.card is not None:
        replaced = {"replaced": message.replaced} if message.replaced else {}
        look["card"] = {**message.card, **replaced}
        look["open"] = message.open
    if message.task_id:
        look["task_id"] = message.task_id
    if message.key:
        look["key"] = message.key
    if message.media is not None:
        media = message.media
        address = f"/sim/media/{media.media_id}"
        look["file"] = {"name": media.name, "size": len(media.content), "url": address}
    if message.picurl:
        look["picurl"] = message.picurl
    return look
