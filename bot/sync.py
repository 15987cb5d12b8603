"""Reads the company from WeCom: departments with their leaders, members, and directory tags."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import replace

from bot.wecom import TagMembers, Wecom, WecomError, codes
from workflows import glimpses
from workflows.directory import Department, Directory, Member
from workflows.glimpses import Carriers, Glimpse


async def read_directory(wecom: Wecom) -> Directory:
    """Return everybody the app can see. Raises WecomError; nothing is returned by half."""
    departments = await wecom.departments()
    lists = await asyncio.gather(*(wecom.users_of_department(each.id) for each in departments))
    everybody = {member.userid.lower(): member for members in lists for member in members}
    everybody |= await _named_one_by_one(wecom, everybody)
    carriers = await _carriers(wecom)
    tagged = _tagged(everybody, carriers, departments)
    return Directory.of((tagged[key] for key in sorted(tagged)), departments, carriers)


async def read_members(
    wecom: Wecom, userids: Iterable[str], known: Directory
) -> Mapping[str, Member | None]:
    """Return these members by lower-case userid, with their directory tags; None for who is gone.

    `known` says which departments lie below which: a tag on a department covers all of them.
    """
    asked = sorted({userid.lower() for userid in userids})
    answers = await asyncio.gather(*(_member(wecom, userid) for userid in asked))
    seen = dict(zip(asked, answers, strict=True))
    there = {key: member for key, member in seen.items() if member is not None}
    carriers = await _carriers(wecom) if there else {}
    return seen | _tagged(there, carriers, known.departments.values())


async def read_departments(wecom: Wecom, numbers: Iterable[int]) -> Mapping[int, Department | None]:
    """Return these departments by number; None for what is gone or out of sight."""
    asked = sorted(set(numbers))
    answers = await asyncio.gather(*(_department(wecom, number) for number in asked))
    return dict(zip(asked, answers, strict=True))


async def read_tag(wecom: Wecom, number: int) -> tuple[str, Carriers] | None:
    """Return a directory tag's name and who carries it; None if there is no such tag."""
    try:
        found = await wecom.tag_members(number)
    except WecomError as error:
        if error.code in codes.NO_TAG:
            return None
        raise
    return found.tagname, _carriers_of(found)


async def _member(wecom: Wecom, userid: str) -> Member | None:
    try:
        return await wecom.user(userid)
    except WecomError as error:
        if error.code in codes.NO_MEMBER:
            return None
        raise


async def _department(wecom: Wecom, number: int) -> Department | None:
    try:
        return await wecom.department(number)
    except WecomError as error:
        if error.code in codes.NO_DEPARTMENT:
            return None
        raise


async def _named_one_by_one(wecom: Wecom, known: dict[str, Member]) -> dict[str, Member]:
    """Return members who are visible by name and not through a department."""
    scope = await wecom.agent()
    missing = [userid for userid in scope.userids if userid.lower() not in known]
    members = await asyncio.gather(*(wecom.user(userid) for userid in missing))
    return {member.userid.lower(): member for member in members}


async def _carriers(wecom: Wecom) -> Mapping[str, Carriers]:
    """Return who carries which directory tag, by its name."""
    listed = await wecom.tag_list()
    found = await asyncio.gather(*(wecom.tag_members(tag.tagid) for tag in listed))
    pairs = zip(listed, found, strict=True)
    return {each.tagname or tag.tagname: _carriers_of(each) for tag, each in pairs}


def _carriers_of(found: TagMembers) -> Carriers:
    userids = frozenset(userid.lower() for userid in found.userids)
    return Carriers(userids, frozenset(found.departments))


def _tagged(
    members: Mapping[str, Member],
    carriers: Mapping[str, Carriers],
    departments: Iterable[Department],
) -> dict[str, Member]:
    """Return the members with the tags they carry; a tag on a department covers all below it."""
    untagged = {key: replace(each, tags=frozenset()) for key, each in members.items()}
    seen = Glimpse(tags=carriers)
    return dict(glimpses.put_in(seen, Directory.of(untagged.values(), departments)).members)
