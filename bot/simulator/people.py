"""Who works in the pretend corporation, where, and what changes when the directory changes."""

from __future__ import annotations

from collections.abc import Iterable

from bot.simulator.errors import ImpossibleError
from bot.simulator.events import Event
from bot.simulator.ground import Ground
from bot.simulator.records import ACTIVE, DISABLED, LEFT, Department, DirectoryTag, Member


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

    def add_member(self, member: Member) -> Event:
        """A new employee; the app hears that they can now use it."""
        if self.find_member(member.userid):
            raise ImpossibleError(f"{member.userid} exists already")
        self._check_departments(member.departments)
        self.state.members[member.key] = member
        self._tell_directory(member, "create_user")
        self.show_member(member)
        return self._tell_subscription(member)

    def move_member(self, userid: str, department_id: int) -> Event:
        """Put a member into one department only."""
        member = self.member(userid)
        self._check_departments([department_id])
        member.departments = [department_id]
        self.show_member(member)
        return self._tell_directory(member, "update_user")

    def rename_member(self, userid: str, name: str) -> None:
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

    def disable_member(self, userid: str) -> Event:
        """An admin disables a member."""
        return self._set_status(userid, DISABLED)

    def enable_member(self, userid: str) -> Event:
        """An admin enables a member again."""
        return self._set_status(userid, ACTIVE)

    def member_leaves(self, userid: str) -> Event:
        """A member leaves the corporation; their customers wait to be assigned."""
        self.member(userid).left_at = self.now()
        event = self._set_status(userid, LEFT)
        self._tell_directory(self.member(userid), "delete_user")
        return event

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
        member, tag = self.member(userid), self.state.directory_tags[tag_id]
        if member.userid not in tag.users:
            tag.users.append(member.userid)
        self.show_member(member)
        more = {"TagId": tag_id, "AddUserItems": member.userid}
        return self.tell_sys("change_contact", "update_tag", more)

    def untag_member(self, userid: str, tag_id: int) -> Event:
        """Take a directory tag from a member."""
        member, tag = self.member(userid), self.state.directory_tags[tag_id]
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
