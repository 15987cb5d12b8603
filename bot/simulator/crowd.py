"""A large corporation, made from a seed: thousands of members, a million relations, cheap to keep.

What nobody has touched is no record but worked out each time it is looked at (`faces`). A relation
that somebody asked for by name may be changed by whoever asked, and is kept from then on.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, overload

from bot.simulator.faces import BEGAN, SALES, TEAM, Faces, tag_groups
from bot.simulator.joined import Joined
from bot.simulator.records import (
    FOLLOWED,
    Customer,
    Department,
    DirectoryTag,
    GroupChat,
    GroupMember,
    Relation,
    State,
)
from bot.simulator.seed import AGENT_ID, CORP_ID
from bot.simulator.world import World

_NEW_EVERY = 50  # one member in so many is on trial
_GROUP_EVERY = 20  # one member in so many owns a customer group
_GUESTS = 20


def crowd_world(members: int = 5_000, relations: int = 1_000_000, seed: int = 1) -> World:
    """Return a corporation of that size; the same numbers give the same one."""
    world = World(CrowdState(Faces(members, relations, seed)))
    world.corp_id, world.agent_id = CORP_ID, AGENT_ID
    return world


class _Customers(dict[str, Customer]):
    """All customers by id; holds only those that were put there since."""

    def __init__(self, faces: Faces) -> None:
        super().__init__()
        self._faces = faces

    def __missing__(self, external: str) -> Customer:
        number = self._faces.customer_number(external)
        if number is None:
            raise KeyError(external)
        return self._faces.customer(number)

    def __contains__(self, external: object) -> bool:
        if super().__contains__(external):
            return True
        return isinstance(external, str) and self._faces.customer_number(external) is not None

    def get(self, external: str, default: Any = None) -> Any:
        try:
            return self[external]
        except KeyError:
            return default


class _Relations(dict[tuple[str, str], Relation]):
    """All relations by member and customer; holds those that were asked for, or put there since."""

    def __init__(self, faces: Faces) -> None:
        super().__init__()
        self._faces = faces
        self.touched: dict[int, dict[int, Relation]] = {}  # of the crowd's own, by number

    def numbers(self, key: tuple[str, str]) -> tuple[int, int] | None:
        """The numbers of a relation and its member, if it is one of the crowd's own."""
        member = self._faces.member_number(key[0])
        customer = self._faces.customer_number(key[1])
        if member is None or customer is None:
            return None
        relation = self._faces.between(member, customer)
        return None if relation is None else (relation, member)

    def peek(self, relation: int, member: int) -> Relation:
        """The relation as it is now, for somebody who only looks."""
        known = self.touched.get(member, {}).get(relation)
        return self._faces.relation(relation, member) if known is None else known

    def __missing__(self, key: tuple[str, str]) -> Relation:
        found = self.numbers(key)
        if found is None:
            raise KeyError(key)
        made = self._faces.relation(*found)
        self[key] = made
        return made

    def __setitem__(self, key: tuple[str, str], relation: Relation) -> None:
        super().__setitem__(key, relation)
        found = self.numbers(key)
        if found is not None:
            self.touched.setdefault(found[1], {})[found[0]] = relation

    def __contains__(self, key: object) -> bool:
        if super().__contains__(key):
            return True
        return isinstance(key, tuple) and self.numbers(key) is not None

    def get(self, key: tuple[str, str], default: Any = None) -> Any:
        try:
            return self[key]
        except KeyError:
            return default


class CrowdState(State):
    """A state most of whose customers and relations are worked out when they are looked at.

    Its `customers` and `relations` answer for everybody, but list only whom somebody touched.
    """

    def __init__(self, faces: Faces) -> None:
        super().__init__(corp_name="万人集团")
        self.faces = faces
        self.customers = _Customers(faces)
        self.relations = self._relations = _Relations(faces)
        self.tag_groups = tag_groups()
        self._fill_directory()
        for number in range(0, faces.members, _GROUP_EVERY):
            self._found_group(number)

    def _fill_directory(self) -> None:
        faces = self.faces
        self.departments = {
            1: Department(1, self.corp_name, 0, 1),
            SALES: Department(SALES, "销售部", 1, SALES),
        }
        for number in range(faces.members):
            member = faces.member(number)
            self.members[member.key] = member
        for leader in range(0, faces.members, TEAM):
            number = faces.team(leader)
            name = f"销售{number - SALES}组"
            leads = [faces.userid(leader)]
            self.departments[number] = Department(number, name, SALES, number, leads)
        new = [faces.userid(each) for each in range(0, faces.members, _NEW_EVERY)]
        self.directory_tags = {1: DirectoryTag(1, "试用期", new)}

    def _found_group(self, number: int) -> None:
        """Make a customer group of a member with some of their customers in it."""
        faces, owner = self.faces, self.faces.userid(number)
        first, last = faces.starts[number], faces.starts[number + 1]
        guests = [faces.external(each) for each in faces.whom[first : min(first + _GUESTS, last)]]
        people = [GroupMember(owner, 1, BEGAN)]
        people += [GroupMember(each, 2, BEGAN, 1, owner) for each in guests]
        chat_id, version = f"wrCrowd{number:025}", f"{number:032x}"
        group = GroupChat(chat_id, f"客户群{number}", owner, BEGAN, people, version)
        self.groups[chat_id] = group

    def put_relation(self, relation: Relation) -> None:
        """Keep a relation, in place of an older one of the same two."""
        key = (relation.userid.lower(), relation.external_userid)
        if self._relations.numbers(key) is None:
            super().put_relation(relation)
        else:
            self.relations[key] = relation

    def relations_of_customer(self, external_userid: str) -> list[Relation]:
        """Everything that ever was between this customer and members."""
        number = self.faces.customer_number(external_userid)
        own = () if number is None else self.faces.of_customer(number)
        found = [self._relations.peek(each, self.faces.owner(each)) for each in own]
        return found + super().relations_of_customer(external_userid)

    def relations_of_member(self, userid: str) -> list[Relation]:
        """Everything that ever was between this member and customers."""
        return [*self._rows(userid, gone=True), *super().relations_of_member(userid)]

    def followed_by(self, userid: str) -> Sequence[Relation]:
        """The relations of a member that the APIs show; each is made when it is looked at."""
        added = [one for one in super().relations_of_member(userid) if one.bond in FOLLOWED]
        return Joined([self._rows(userid), added])

    def _rows(self, userid: str, *, gone: bool = False) -> _Rows:
        member = self.faces.member_number(userid.lower())
        if member is None:
            return _Rows(self._relations, 0, ())
        numbers: Sequence[int] = range(self.faces.starts[member], self.faces.starts[member + 1])
        touched = self._relations.touched.get(member, {})
        over = {number for number, one in touched.items() if one.bond not in FOLLOWED}
        if over and not gone:
            numbers = [number for number in numbers if number not in over]
        return _Rows(self._relations, member, numbers)


class _Rows(Sequence[Relation]):
    """Relations of one member by their numbers, each made when it is looked at."""

    def __init__(self, relations: _Relations, member: int, numbers: Sequence[int]) -> None:
        self._relations, self._member, self._numbers = relations, member, numbers

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> Relation: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Relation]: ...
    def __getitem__(self, index: int | slice) -> Relation | Sequence[Relation]:
        if isinstance(index, int):
            return self._relations.peek(self._numbers[index], self._member)
        return [self._relations.peek(each, self._member) for each in self._numbers[index]]
