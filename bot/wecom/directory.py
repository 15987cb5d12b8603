"""Calls about the company: members, departments and directory tags."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable
from typing import Any, TypeVar

from bot.wecom.answers import (
    DepartmentReply,
    DirectoryTag,
    Lists,
    Reply,
    TagMembers,
    UserReply,
    read,
)
from bot.wecom.caller import Caller
from workflows.directory import Department, Member

T = TypeVar("T")


class _User(Reply):
    userid: str


class _TagReply(Reply):
    tagname: str = ""
    userlist: tuple[_User, ...] = ()
    partylist: tuple[int, ...] = ()


class DirectoryCalls(Caller):
    """The company as far as the app sees it: all "not found" may mean "not visible"."""

    async def user(self, userid: str) -> Member:
        """Return a member, without directory tags; 60111 if gone or invisible (document 90196)."""
        path = "user/get"
        return read(UserReply, path, await self._get(path, userid=userid)).member()

    async def users_of_department(self, department: int) -> tuple[Member, ...]:
        """Return the direct members of a department, without directory tags."""
        path = "user/list"
        answer = await self._get(path, department_id=department)
        return tuple(user.member() for user in read(Lists, path, answer).userlist)

    async def departments(self) -> tuple[Department, ...]:
        """Return every visible department with name and visible leaders: one call for each."""
        path = "department/simplelist"
        listed = read(Lists, path, await self._get(path)).department_id
        return tuple(await _all(self.department(each.id) for each in listed))

    async def department(self, department: int) -> Department:
        """Return one department."""
        path = "department/get"
        answer = await self._get(path, id=department)
        return read(DepartmentReply, path, answer.get("department")).department()

    async def tag_list(self) -> tuple[DirectoryTag, ...]:
        """Return the directory tags."""
        path = "tag/list"
        return read(Lists, path, await self._get(path)).taglist

    async def tag_members(self, tag: int) -> TagMembers:
        """Return who carries a directory tag (document 90213)."""
        path = "tag/get"
        reply = read(_TagReply, path, await self._get(path, tagid=tag))
        userids = tuple(user.userid for user in reply.userlist)
        return TagMembers(tagname=reply.tagname, userids=userids, departments=reply.partylist)

    async def callback_ips(self) -> tuple[str, ...]:
        """Return the addresses callbacks come from; an entry may end in '*' (document 92521)."""
        path = "getcallbackip"
        return read(Lists, path, await self._get(path)).ip_list


async def _all(calls: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    """Return all results in order; the first failure ends the others."""
    tasks = [asyncio.create_task(call) for call in calls]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
