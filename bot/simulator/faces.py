"""The faces in a crowd: members, customers and relations worked out from their numbers and a seed.

Nothing of them is kept but who knows whom, in flat arrays: four bytes for a relation each way.
"""

from __future__ import annotations

import random
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import accumulate, pairwise
from typing import Any, Self

from bot.simulator.records import (
    WECHAT,
    WECOM,
    Bond,
    CorpTag,
    Customer,
    Member,
    Relation,
    TagGroup,
)

SALES = 2
TEAM = 40  # members of one department
_MOST_MEMBERS = 100_000  # their userids have five digits
BEGAN = 1_700_000_000  # unix seconds of the oldest relation
_YEARS = 60_000_000  # seconds over which they came to be
_FAMILY = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢"
    "宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚"
)
_GIVEN = "伟芳娜敏静丽强磊军洋勇艳杰娟涛明超霞平刚桂英华建文辉玲红梅鑫波宁倩雪晨宇浩然子涵思远"
_FIRMS = ("恒远", "明达", "启航", "蓝天", "中汇", "金桥", "华信", "同创", "瑞丰", "天成")
_ADD_WAYS = (1, 1, 2, 2, 2, 3, 4, 6, 16, 201)  # document 92114
_DIGITS = 26  # in an external_userid; with what is before them 32 characters as WeCom's have
_WECOM_EVERY = 10  # one customer in so many uses WeCom
_GROUPS = {"客户等级": ("战略客户", "VIP", "普通"), "客户状态": ("已签约", "潜在", "流失")}


def tag_groups() -> dict[str, TagGroup]:
    """The tags that people of the crowd put on customers; no app may change them."""
    groups, made = {}, 0
    for order, (name, tags) in enumerate(_GROUPS.items()):
        group = TagGroup(f"etCrowdGroup{order + 1:02}", name, BEGAN, order)
        for place, tag in enumerate(tags):
            made += 1
            group.tags.append(CorpTag(f"etCrowdTag{made:02}", tag, BEGAN, place))
        groups[group.id] = group
    return groups


TAGS = tuple(tag.id for group in tag_groups().values() for tag in group.tags)


@dataclass(slots=True)
class Faces:
    """Works out everything about the crowd from numbers: of a member, a customer, a relation.

    Four of five relations are with a customer of their own; the others are with one whom a
    colleague follows as well. It never changes, so a copy of it is itself.
    """

    members: int
    relations: int
    seed: int
    customers: int = field(init=False)
    starts: array[int] = field(init=False)  # of each member's relations, and the end of the last
    whom: array[int] = field(init=False)  # the customer of each relation
    follow_starts: array[int] = field(init=False)  # the same two the other way round
    follow: array[int] = field(init=False)  # relations, by customer

    def __deepcopy__(self, memo: dict[int, Any]) -> Self:
        return self

    def __post_init__(self) -> None:
        if not 1 <= self.members <= _MOST_MEMBERS or self.relations < self.members:
            raise ValueError("a crowd needs members, and at least one relation for each")
        dice = random.Random(self.seed)  # noqa: S311
        self.starts = _shares(dice, self.members, self.relations)
        most = max(end - start for start, end in pairwise(self.starts))
        self.customers = max(self.relations * 4 // 5, most)
        self.whom = self._pairs(dice)
        self.follow_starts, self.follow = self._turned()

    def _pairs(self, dice: random.Random) -> array[int]:
        """Return a customer for each relation: everybody is somebody's, nobody twice a member's."""
        everybody = range(self.customers)
        shuffled = [*everybody, *dice.choices(everybody, k=self.relations - self.customers)]
        dice.shuffle(shuffled)
        whom = array("I", shuffled)
        for start, end in pairwise(self.starts):
            if len(set(whom[start:end])) < end - start:
                self._part(dice, whom, start, end)
        return whom

    def _part(self, dice: random.Random, whom: array[int], start: int, end: int) -> None:
        """Give a member other customers in the place of those that are theirs already."""
        own: set[int] = set()
        for place in range(start, end):
            while whom[place] in own:
                whom[place] = dice.randrange(self.customers)
            own.add(whom[place])

    def _turned(self) -> tuple[array[int], array[int]]:
        """Return the relations of each customer, and where they begin."""
        counts = [0] * (self.customers + 1)
        for customer in self.whom:
            counts[customer + 1] += 1
        order = sorted(range(self.relations), key=self.whom.__getitem__)
        return array("I", accumulate(counts)), array("I", order)

    # -- members

    def userid(self, number: int) -> str:
        """The userid of a member."""
        return f"crowd{number:05}"

    def member_number(self, key: str) -> int | None:
        """Which member a userid in lower case means."""
        return _number(key, "crowd", 5, self.members)

    def member(self, number: int) -> Member:
        """A member; the first of each team leads it."""
        leader = number - number % TEAM
        boss = [self.userid(leader)] if number != leader else []
        position = "销售主管" if number == leader else "销售"
        return Member(
            self.userid(number), _name(self._mix(1, number)), [self.team(number)], position, boss
        )

    def team(self, number: int) -> int:
        """The department of a member."""
        return SALES + 1 + number // TEAM

    # -- customers

    def external(self, number: int) -> str:
        """The external_userid of a customer."""
        prefix = "wo" if number % _WECOM_EVERY == 0 else "wm"
        return f"{prefix}Crwd{number:0{_DIGITS}}"

    def customer_number(self, external: str) -> int | None:
        """Which customer an external_userid means."""
        found = _number(external[2:], "Crwd", _DIGITS, self.customers)
        return found if found is not None and self.external(found) == external else None

    def customer(self, number: int) -> Customer:
        """A customer."""
        mixed = self._mix(2, number)
        kind = WECOM if number % _WECOM_EVERY == 0 else WECHAT
        firm = f"{_FIRMS[mixed % len(_FIRMS)]}{mixed % 997}公司" if kind == WECOM else ""
        external, phone = self.external(number), self._phone(number)
        return Customer(external, _name(mixed), kind, firm, phone, gender=mixed % 3)

    def _phone(self, number: int) -> str:
        return f"13{number:09}"

    # -- relations

    def owner(self, relation: int) -> int:
        """The member of a relation."""
        return bisect_right(self.starts, relation) - 1

    def between(self, member: int, customer: int) -> int | None:
        """The relation of these two."""
        for relation in self.of_customer(customer):
            if self.starts[member] <= relation < self.starts[member + 1]:
                return relation
        return None

    def of_customer(self, customer: int) -> Sequence[int]:
        """The relations of a customer."""
        return self.follow[self.follow_starts[customer] : self.follow_starts[customer + 1]]

    def relation(self, relation: int, member: int) -> Relation:
        """A relation as it was in the beginning, of its member."""
        number = self.whom[relation]
        external, mixed = self.external(number), self._mix(3, relation)
        userid = self.userid(member)
        return Relation(
            userid,
            external,
            Bond.DELETED_BY_CUSTOMER if mixed % 25 == 0 else Bond.ADDED,
            float(BEGAN + mixed % _YEARS),
            _ADD_WAYS[mixed % len(_ADD_WAYS)],
            external if mixed % 2 else userid,
            remark=f"{_FAMILY[mixed % len(_FAMILY)]}总" if mixed % 3 == 0 else "",
            remark_mobiles=[self._phone(number)] if mixed % 4 == 0 else [],
            tags=_tags(mixed),
        )

    def _mix(self, kind: int, number: int) -> int:
        """Return a number that looks random and is always the same."""
        mixed = (number * 4 + kind) * 0x9E3779B97F4A7C15 + self.seed * 0xBF58476D1CE4E5B9
        mixed = (mixed ^ mixed >> 29) * 0x94D049BB133111EB & 0xFFFFFFFFFFFFFFFF
        return mixed >> 20


def _shares(dice: random.Random, members: int, relations: int) -> array[int]:
    """Return where each member's relations begin: some have few, some have many."""
    weights = [0.1 + min(dice.expovariate(1.0), 4.0) for _ in range(members)]
    whole, got = sum(weights), 0.0
    starts = array("I", [0])
    for number, weight in enumerate(weights, 1):
        got += weight
        starts.append(relations if number == members else int(relations * got / whole))
    return starts


def _number(text: str, prefix: str, digits: int, below: int) -> int | None:
    figures = text.removeprefix(prefix)
    if len(figures) != digits or figures == text or not (figures.isascii() and figures.isdigit()):
        return None
    number = int(figures)
    return number if number < below else None


def _name(mixed: int) -> str:
    given = mixed // len(_FAMILY)
    second = _GIVEN[given // len(_GIVEN) % len(_GIVEN)] if mixed % 3 else ""
    return _FAMILY[mixed % len(_FAMILY)] + _GIVEN[given % len(_GIVEN)] + second


def _tags(mixed: int) -> list[str]:
    """At most one tag of each of the two groups."""
    first, second = mixed % 7, mixed // 7 % 9
    return [TAGS[place] for place, there in ((first, first < 3), (3 + second, second < 3)) if there]
