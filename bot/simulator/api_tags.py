"""Customer tags of the corporation (doc 92117, 92118): an app changes only what it made."""

from __future__ import annotations

from collections.abc import Iterable

from bot.simulator.calls import Call, Endpoints
from bot.simulator.errors import ApiError
from bot.simulator.fields import BAD
from bot.simulator.records import CorpTag, Json, TagGroup

NAME_CHARS = 30
MOST_TAGS = 10_000


def get_corp_tag_list(call: Call) -> Json:
    """All tags, or those of the given groups, or the given ones; groups win."""
    tag_ids, group_ids = call.body.texts("tag_id"), call.body.texts("group_id")
    groups = list(call.world.state.tag_groups.values())
    if group_ids:
        return {"tag_group": [_look(one, one.tags) for one in groups if one.id in group_ids]}
    listed = []
    for group in groups:
        tags = [tag for tag in group.tags if not tag_ids or tag.id in tag_ids]
        if tags:
            listed.append(_look(group, tags))
    return {"tag_group": listed}


def _look(group: TagGroup, tags: Iterable[CorpTag]) -> Json:
    return {
        "group_id": group.id,
        "group_name": group.name,
        "create_time": int(group.create_time),
        "order": group.order,
        "tag": [_tag_look(tag) for tag in tags],
    }


def _tag_look(tag: CorpTag) -> Json:
    return {
        "id": tag.id,
        "name": tag.name,
        "create_time": int(tag.create_time),
        "order": tag.order,
    }


def add_corp_tag(call: Call) -> Json:
    """Add tags to a group, new or existing; there are no empty groups."""
    body, world = call.body, call.world
    wanted = [
        (one.text("name", required=True, most_chars=NAME_CHARS), one.number("order", 0))
        for one in body.things("tag", least=1)
    ]
    names = [name for name, _ in wanted]
    group = _group_for(call)
    taken = {tag.name for tag in group.tags}
    if len(set(names)) != len(names) or taken & set(names):
        raise ApiError(40071, "tag name exists")
    if sum(len(one.tags) for one in world.state.tag_groups.values()) + len(names) > MOST_TAGS:
        raise ApiError(40126, "corp tag count out of limit")
    now = world.now()
    new = [CorpTag(world.fresh("et", 28), name, now, order, by_app=True) for name, order in wanted]
    group.tags += new
    world.state.tag_groups[group.id] = group
    return {"tag_group": _look(group, new)}


def _group_for(call: Call) -> TagGroup:
    body, groups = call.body, call.world.state.tag_groups
    group_id, name = body.text("group_id"), body.text("group_name", most_chars=NAME_CHARS)
    order = body.number("order", 0)
    if group_id:
        if group_id not in groups:
            raise ApiError(40068, "invalid tag group id")
        return groups[group_id]
    if not name:
        raise ApiError(BAD, "group_id or group_name is required")
    for group in groups.values():
        if group.name == name:
            return group
    return TagGroup(call.world.fresh("et", 28), name, call.world.now(), order, by_app=True)


def edit_corp_tag(call: Call) -> Json:
    """Rename or reorder a tag or group of this app."""
    body = call.body
    target = _own(call, body.text("id", required=True, code=40068))
    name, order = body.text("name", most_chars=NAME_CHARS), body.number("order", target.order)
    if name and name != target.name and name in _sibling_names(call, target):
        raise ApiError(40071, "tag name exists")
    target.name, target.order = name or target.name, order
    return {}


def _sibling_names(call: Call, target: CorpTag | TagGroup) -> set[str]:
    groups = call.world.state.tag_groups.values()
    if isinstance(target, TagGroup):
        return {group.name for group in groups}
    return {tag.name for group in groups if target in group.tags for tag in group.tags}


def del_corp_tag(call: Call) -> Json:
    """Delete tags and groups of this app; a group without tags disappears."""
    ids = set(call.body.texts("tag_id") + call.body.texts("group_id"))
    if not ids:
        raise ApiError(BAD, "tag_id and group_id are both empty")
    for one in ids:
        _own(call, one)
    state, gone = call.world.state, set(ids)
    for group in list(state.tag_groups.values()):
        if group.id in ids:
            gone |= {tag.id for tag in group.tags}
        group.tags = [tag for tag in group.tags if tag.id not in gone]
        if not group.tags:
            del state.tag_groups[group.id]
    for relation in state.relations.values():
        relation.tags = [tag for tag in relation.tags if tag not in gone]
    return {}


def _own(call: Call, wanted: str) -> CorpTag | TagGroup:
    for group in call.world.state.tag_groups.values():
        candidates: list[CorpTag | TagGroup] = [group, *group.tags]
        for one in candidates:
            if one.id == wanted:
                if not one.by_app:
                    raise ApiError(81011, "the tag was not made by this app")
                return one
    raise ApiError(40068, "invalid tag id")


def mark_tag(call: Call) -> Json:
    """Put tags on a customer of one member and take others off."""
    relation = call.relation()
    add, remove = call.body.texts("add_tag"), call.body.texts("remove_tag")
    if not add and not remove:
        raise ApiError(BAD, "add_tag and remove_tag are both empty")
    known = {tag.id for group in call.world.state.tag_groups.values() for tag in group.tags}
    if set(add + remove) - known:
        raise ApiError(40068, "invalid tag id")
    kept = [tag for tag in relation.tags if tag not in remove and tag not in add]
    relation.tags = kept + add
    call.world.show_customer(relation.external_userid)
    return {}


CALLS: Endpoints = {
    "externalcontact/get_corp_tag_list": ("POST", get_corp_tag_list),
    "externalcontact/add_corp_tag": ("POST", add_corp_tag),
    "externalcontact/edit_corp_tag": ("POST", edit_corp_tag),
    "externalcontact/del_corp_tag": ("POST", del_corp_tag),
    "externalcontact/mark_tag": ("POST", mark_tag),
}
