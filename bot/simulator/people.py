"""Who works in the pretend corporation, where, and what changes when the directory changes."""

from __future__ import annotations

from collections.abc import Iterable

from bot.simulator.errors import ImpossibleError
from bot.simulator.events import Event
from bot.simulator.ground import Ground
from bot.simulator.records import (
    ACTIVE,
    DISABLED,
    LEFT,
    Bond,
    Department,
    DirectoryTag,
    Member,
)

OWNER_LEFT = 1  # status of a customer group, doc 92120


class People(Ground):
    """The directory. Changes go to the directory-sync door; the app hears (un)subscribe only."""

    def add_department(
        self, number: int, name: str, parentid: int = 1, leaders: Iterable[str] = ()
    ) -> Department:
        """Add a department; the root has id 1 and parent 0."""
        department = Department(number, name, parentid, number, list(leaders))
        self.state.departments[number] = department
        more = {"Id": number, "Name": name, "ParentId": parentid, "Order": number}
        self.tell_sys("change_contact", "create_party", more)
        return department

    def rename_department(self, number: int, name: str) -> Event:
        """Give a department another name; its members hear nothing of it."""
        self.state.departments[number].name = name
        for member in self.state.members.values():
            if number in member.departments:
                self.show_member(member)
        return self.tell_sys("change_contact", "update_party", {"Id": number, "Name": name})

    def add_member(self, member: Member) -> Event:
        """A new employee; the app hears that they can now use it.

        They may get the userid of somebody who has left, and get nothing else of theirs.
        """
        former = self.find_member(member.userid)
        if former is not None and former.status != LEFT:
            raise ImpossibleError(f"{member.userid} exists already")
        if former is not None:
            self._forget_former(former)
        self._check_departments(member.departments)
        self.state.members[member.key] = member
        self._tell_directory(member, "create_user")
        self.show_member(member)
        return self._tell_subscription(member)

    def move_member(self, userid: str, department_id: int) -> Event:
        """Put a member into one department only."""
        member = self.member(userid)
        self._check_departments([department_id])
        for number in set(member.departments) - {department_id}:  # who goes leads nothing there
            left = self.state.departments[number]
            left.leaders = [one for one in left.leaders if one != member.userid]
        member.departments = [department_id]
        self.show_member(member)
        return self._tell_directory(member, "update_user")

    def call_member(self, userid: str, name: str) -> None:
        """Somebody gets another name, of which WeCom tells nobody (document 90970)."""
        member = self.member(userid)
        member.name = name
        self.show_member(member)

    def promote(self, userid: str, position: str, leads: int | None = None) -> Event | None:
        """Change a position and perhaps make them leader of a department.

        A position alone raises no event with an address configured after August 2022 (doc 90970).
        """
        member = self.member(userid)
        member.position = position
        if leads is not None:
            self.state.departments[leads].leaders.append(member.userid)
        self.show_member(member)
        return None if leads is None else self._tell_directory(member, "update_user")

    def demote(self, userid: str, leads: int) -> Event:
        """Somebody is no longer leader of a department."""
        member, department = self.member(userid), self.state.departments[leads]
        department.leaders = [one for one in department.leaders if one != member.userid]
        self.show_member(member)
        return self._tell_directory(member, "update_user")

    def rename_member(self, userid: str, new: str) -> Event:
        """Give a member another userid; everything that is theirs goes with them."""
        member = self.member(userid)
        if self.find_member(new):
            raise ImpossibleError(f"{new} exists already")
        old, old_key = member.userid, member.key
        del self.state.members[old_key]
        member.userid = new
        self.state.members[member.key] = member
        for department in self.state.departments.values():
            department.leaders = [new if one == old else one for one in department.leaders]
        for tag in self.state.directory_tags.values():
            tag.users = [new if one == old else one for one in tag.users]
        for other in self.state.members.values():
            other.direct_leader = [new if one == old else one for one in other.direct_leader]
        for relation in self.state.relations_of_member(old_key):
            del self.state.relations[old_key, relation.external_userid]
            followers = self.state.members_by_customer[relation.external_userid]
            followers.remove(old_key)
            relation.userid = new
            self.state.put_relation(relation)
        self.state.customers_by_member.pop(old_key, None)
        if old_key in self.state.chats:
            self.state.chats[member.key] = self.state.chats.pop(old_key)
        self.show_member(member)
        departments = ",".join(str(number) for number in member.departments)
        more = {"UserID": old, "NewUserID": new, "Department": departments}
        return self.tell_sys("change_contact", "update_user", more)

    def disable_member(self, userid: str) -> Event:
        """An admin disables a member."""
        return self._set_status(userid, DISABLED)

    def enable_member(self, userid: str) -> Event:
        """An admin enables a member again."""
        return self._set_status(userid, ACTIVE)

    def member_leaves(self, userid: str) -> Event:
        """A member leaves the corporation; their customers and groups wait to be assigned."""
        member = self.member(userid)
        if member.status == LEFT:
            raise ImpossibleError(f"{userid} has left already")
        member.left_at = self.now()
        event = self._set_status(userid, LEFT)
        for group in self.state.groups.values():
            if group.owner.lower() == member.key:
                group.status = OWNER_LEFT
        self._tell_directory(member, "delete_user")
        return event

    def member_returns(self, userid: str) -> Event:
        """Somebody who left is hired anew, under the userid they had."""
        old = self.member(userid)
        if old.status != LEFT:
            raise ImpossibleError(f"{userid} has not left")
        places = (list(old.departments), old.position, list(old.direct_leader))
        return self.add_member(Member(old.userid, old.name, *places))

    def set_customer_contact(self, userid: str, allowed: bool) -> None:
        """Change who may use customer contact. WeCom tells nobody (wecom.md §4)."""
        self.member(userid).customer_contact = allowed
        self.show_member(self.member(userid))

    def set_visible(self, userid: str, visible: bool) -> Event:
        """Change whether the app sees a member."""
        member = self.member(userid)
        member.visible = visible
        self.show_member(member)
        return self._tell_subscription(member)

    def add_directory_tag(self, number: int, name: str, users: Iterable[str] = ()) -> DirectoryTag:
        """Add a tag on members."""
        tag = self.state.directory_tags[number] = DirectoryTag(number, name)
        for userid in users:
            self.tag_member(userid, number)
        return tag

    def tag_member(self, userid: str, tag_id: int) -> Event:
        """Put a directory tag on a member."""
        member, tag = self.member(userid), self._tag(tag_id)
        if member.userid not in tag.users:
            tag.users.append(member.userid)
        self.show_member(member)
        more = {"TagId": tag_id, "AddUserItems": member.userid}
        return self.tell_sys("change_contact", "update_tag", more)

    def untag_member(self, userid: str, tag_id: int) -> Event:
        """Take a directory tag from a member."""
        member, tag = self.member(userid), self._tag(tag_id)
        tag.users = [one for one in tag.users if one != member.userid]
        self.show_member(member)
        more = {"TagId": tag_id, "DelUserItems": member.userid}
        return self.tell_sys("change_contact", "update_tag", more)

    def departments_under(self, number: int) -> list[Department]:
        """A department and all below it."""
        if number not in self.state.departments:
            return []
        children: dict[int, list[Department]] = {}
        for one in self.state.departments.values():
            children.setdefault(one.parentid, []).append(one)
        found = [self.state.departments[number]]
        for department in found:  # grows while it is read
            found += children.get(department.id, [])
        return found

    def reachable(self, userid: str) -> Member | None:
        """The member if the app can send to them."""
        member = self.find_member(userid)
        return member if member and member.visible and member.status == ACTIVE else None

    def _tag(self, number: int) -> DirectoryTag:
        if number not in self.state.directory_tags:
            raise ImpossibleError(f"no tag {number}")
        return self.state.directory_tags[number]

    def _forget_former(self, former: Member) -> None:
        """What a former member has not handed over by now is nobody's; not documented."""
        for relation in self.state.relations_of_member(former.userid):
            relation.bond = Bond.DELETED_BY_MEMBER
        self.state.chats.pop(former.key, None)
        for department in self.state.departments.values():
            department.leaders = [one for one in department.leaders if one != former.userid]
        for tag in self.state.directory_tags.values():
            tag.users = [one for one in tag.users if one != former.userid]

    def _set_status(self, userid: str, status: int) -> Event:
        member = self.member(userid)
        member.status = status
        self.show_member(member)
        return self._tell_subscription(member)

    def _check_departments(self, numbers: list[int]) -> None:
        unknown = [number for number in numbers if number not in self.state.departments]
        if unknown:
            raise ImpossibleError(f"no department {unknown[0]}")

    def _tell_subscription(self, member: Member) -> Event:
        inside = member.visible and member.status == ACTIVE
        name = "subscribe" if inside else "unsubscribe"
        return self.tell_app(member, "event", {"Event": name, "EventKey": ""})

    def _tell_directory(self, member: Member, change: str) -> Event:
        departments = ",".join(str(number) for number in member.departments)
        more = {"UserID": member.userid}
        if change != "delete_user":  # all that addresses configured after August 2022 are told
            more["Department"] = departments
        return self.tell_sys("change_contact", change, more)
