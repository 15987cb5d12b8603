"""Reads the company from WeCom: departments with their leaders, members, and directory tags."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from bot.wecom import Wecom
from workflows.directory import Department, Directory, Member


async def read_directory(wecom: Wecom) -> Directory:
    """Return everybody the app can see. Raises WecomError; nothing is returned by half."""
    departments = await wecom.departments()
    lists = await asyncio.gather(*(wecom.users_of_department(each.id) for each in departments))
    everybody = {member.userid.lower(): member for members in lists for member in members}
    everybody |= await _named_one_by_one(wecom, everybody)
    tags = await _tags(wecom, departments, everybody.values())
    return Directory.of(
        (
            replace(member, tags=frozenset(tags.get(key, ())))
            for key, member in sorted(everybody.items())
        ),
        departments,
    )


async def read_member(wecom: Wecom, userid: str) -> Member:
    """Return one member with their directory tags."""
    member = await wecom.user(userid)
    tags = await _tags(wecom, (), [member])
    return replace(member, tags=frozenset(tags.get(userid.lower(), ())))


async def _named_one_by_one(wecom: Wecom, known: dict[str, Member]) -> dict[str, Member]:
    """Return members who are visible by name and not through a department."""
    scope = await wecom.agent()
    missing = [userid for userid in scope.userids if userid.lower() not in known]
    members = await asyncio.gather(*(wecom.user(userid) for userid in missing))
    return {member.userid.lower(): member for member in members}


async def _tags(
    wecom: Wecom, departments: Iterable[Department], members: Iterable[Member]
) -> dict[str, set[str]]:
    """Return the tag names of each member; a tag on a department covers all below it."""
    listed = await wecom.tag_list()
    carriers = await asyncio.gather(*(wecom.tag_members(tag.tagid) for tag in listed))
    below = _below(departments)
    found: dict[str, set[str]] = {}
    people = list(members)
    for tag, carrier in zip(listed, carriers, strict=True):
        name = carrier.tagname or tag.tagname
        inside = {each for top in carrier.departments for each in below.get(top, {top})}
        userids = {userid.lower() for userid in carrier.userids}
        for member in people:
            if member.userid.lower() in userids or not inside.isdisjoint(member.departments):
                found.setdefault(member.userid.lower(), set()).add(name)
    return found


def _below(departments: Iterable[Department]) -> dict[int, set[int]]:
    parents = {each.id: each.parent for each in departments}
    below: dict[int, set[int]] = {each: {each} for each in parents}
    for each, parent in parents.items():
        above, seen = parent, {each}
        while above in below and above not in seen:
            below[above].add(each)
            seen.add(above)
            above = parents[above]
    return below
