"""A sales floor full of people who add, ask, press, scan, withdraw and delete, by the dice."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random

from bot.simulator import World
from bot.simulator.errors import ImpossibleError
from bot.simulator.events import Event
from bot.simulator.records import WECHAT, WECOM, Bond, Customer, Member, Message, Relation

SALES, STRATEGIC, PROBATION = 2, "etDemoTag01", 1
REASON = "展会认识"
_ID = re.compile(r"已提交 ([0-9A-Z]+)：|需要审批（([0-9A-Z]+)）")
_TASK = re.compile(r"mw-([0-9A-Z]+)-([0-9]+)-")
_REST = 2.5  # seconds until a pair does something again: WeCom's times are whole seconds


@dataclass(frozen=True, slots=True)
class Deed:
    """What somebody did on a phone, and the callback WeCom made of it."""

    kind: str  # ask, add, scan, delete, leave, press, command, withdraw
    who: str
    event: Event
    about: str = ""  # a customer's id or name, or a request's id
    choice: str = ""
    stage: int = 0


@dataclass(slots=True)
class Crowd:
    """Everybody on the floor. `act` lets one of them do one thing; `deeds` is what was done."""

    world: World
    dice: Random
    teams: int = 20
    most_asks: int = 4  # of one member: WeCom drops what is above 30 messages a minute
    most_adds: int = 3
    deeds: list[Deed] = field(default_factory=list)
    trainees: list[str] = field(default_factory=list)
    sellers: list[str] = field(default_factory=list)
    leaders: list[str] = field(default_factory=list)
    _count: dict[tuple[str, str], int] = field(default_factory=dict)
    _numbers: itertools.count[int] = field(default_factory=lambda: itertools.count(1))
    _scanned: set[str] = field(default_factory=set)
    _withdrawn: set[str] = field(default_factory=set)
    _pressed: dict[str, int] = field(default_factory=dict)

    def move_in(self) -> None:
        """Hire everybody. To be done before the program reads the directory."""
        for team in range(self.teams):
            leader = self._hire(f"lead{team:02}", "销售主管", "liqiang")
            self.leaders.append(leader)
            self.trainees += [self._hire(f"new{team:02}{n}", "实习销售", leader) for n in "ab"]
            self.sellers += [self._hire(f"old{team:02}{n}", "销售", leader) for n in "ab"]
        for trainee in self.trainees:
            self.world.tag_member(trainee, PROBATION)

    def _hire(self, userid: str, position: str, leader: str) -> str:
        self.world.add_member(Member(userid, f"员工{userid}", [SALES], position, [leader]))
        return userid

    def act(self) -> bool:
        """Let somebody do something; False if what the dice chose is not possible now."""
        acts = self.acts()
        chosen = self.dice.choices(list(acts), list(acts.values()))[0]
        try:
            deed = chosen()
        except ImpossibleError:
            return False
        if deed is not None:
            self.deeds.append(deed)
        return deed is not None

    def acts(self) -> dict[Callable[[], Deed | None], int]:
        """Return what people do, and how often one thing happens compared with the others."""
        return {
            self._ask: 6,
            self._add: 4,
            self._add_vip: 1,
            self._add_rival: 1,
            self._press: 8,
            self._command: 2,
            self._withdraw: 1,
            self._scan: 5,
            self._delete: 1,
            self._leave: 1,
        }

    # -- what sellers do -----------------------------------------------------------------------

    def _ask(self) -> Deed | None:
        who = self.dice.choice(self.trainees + self.sellers)
        if not self._may(who, "ask", self.most_asks):
            return None
        number = next(self._numbers)
        name = f"顾客{number}"
        phone = 13_900_000_000 + number
        said = f"加 姓名：{name}，公司：远景{number}公司，电话：{phone}，理由：{REASON}"
        return Deed("ask", who, self.world.member_says(who, said), name)

    def _add(self) -> Deed | None:
        return self._meets(self._stranger())

    def _add_rival(self) -> Deed | None:
        return self._meets(self._stranger(WECOM, "竞品甲科技"), 1)

    def _add_vip(self) -> Deed | None:
        if not self._may("liqiang", "vip", 5):  # he gets a card for each
            return None
        vip = self._stranger(WECOM, "恒远集团")
        known = Relation("liqiang", vip, Bond.ADDED, self.world.now() - 86400, 3, "liqiang")
        known.tags, known.chatting = [STRATEGIC], True
        self.world.state.put_relation(known)
        return self._meets(vip)

    def _meets(self, external: str, most: int | None = None) -> Deed | None:
        who = self.dice.choice(self.trainees + self.sellers)
        if not self._may(who, "add" if most is None else "rival", most or self.most_adds):
            return None
        event = self.world.member_adds_customer(who, external)
        assert event is not None
        return Deed("add", who, event, external)

    def _scan(self) -> Deed | None:
        ways = [way for way in self.world.state.ways.values() if way.config_id not in self._scanned]
        if not ways:
            return None
        way = self.dice.choice(ways)
        self._scanned.add(way.config_id)
        external = self._stranger()
        event = self.world.customer_scans(external, way.config_id)
        assert event is not None
        return Deed("scan", way.users[0], event, external)

    def _withdraw(self) -> Deed | None:
        who = self.dice.choice(self.trainees)
        mine = [
            found[1] or found[2] for each in self._chat(who) if (found := _ID.search(each.text))
        ]
        mine = [each for each in mine if each not in self._withdrawn]
        if not mine:
            return None
        wanted = mine[-1]
        self._withdrawn.add(wanted)
        return Deed("withdraw", who, self.world.member_says(who, f"撤回 {wanted}"), wanted)

    def _delete(self) -> Deed | None:
        relation = self._old_friend()
        if relation is None:
            return None
        external = relation.external_userid
        event = self.world.member_deletes_customer(relation.userid, external)
        assert event is not None
        return Deed("delete", relation.userid, event, external)

    def _leave(self) -> Deed | None:
        relation = self._old_friend()
        if relation is None:
            return None
        external = relation.external_userid
        event = self.world.customer_deletes_member(external, relation.userid)
        assert event is not None
        return Deed("leave", relation.userid, event, external)

    # -- what leaders do -----------------------------------------------------------------------

    def _press(self) -> Deed | None:
        found = self._card()
        if found is None:
            return None
        return self._presses(*found)

    def _presses(self, who: str, card: Message, request: str, stage: int) -> Deed:
        choice = self.dice.choices(["approve", "deny"], [4, 1])[0]
        shown = card.card or {}
        key = next(b["key"] for b in shown["button_list"] if b["key"].endswith(f":{choice}"))
        selected = {}
        if choice == "deny":
            question = shown["button_selection"]
            selected = {question["question_key"]: [question["option_list"][-1]["id"]]}
        event = self.world.member_presses(who, card.task_id, key, selected)
        return Deed("press", who, event, request, choice, stage)

    def _command(self) -> Deed | None:
        found = self._card()
        if found is None:
            return None
        who, _, request, stage = found
        choice = self.dice.choice(["approve", "deny"])
        said = f"同意 {request}" if choice == "approve" else f"拒绝 {request} 资料不全"
        return Deed("command", who, self.world.member_says(who, said), request, choice, stage)

    def _card(self) -> tuple[str, Message, str, int] | None:
        """Return a card somebody may answer; most are answered once, some twice."""
        everybody = [*self.leaders, "liqiang"]
        self.dice.shuffle(everybody)
        for who in everybody:
            for each in reversed(self._chat(who)):
                answered = self._pressed.get(each.task_id, 0)
                if (
                    each.kind == "card"
                    and each.open
                    and self.dice.random() > (0.05, 0.8, 1)[answered]
                ):
                    self._pressed[each.task_id] = answered + 1
                    task = _TASK.match(each.task_id)
                    assert task is not None
                    return who, each, task[1], int(task[2])
        return None

    # -- inner steps ---------------------------------------------------------------------------

    def _may(self, who: str, what: str, most: int) -> bool:
        count = self._count.get((who, what), 0)
        self._count[who, what] = count + 1
        return count < most

    def _chat(self, who: str) -> list[Message]:
        return self.world.state.chats.get(who, [])

    def _stranger(self, kind: int = WECHAT, company: str = "") -> str:
        number = next(self._numbers)
        external = f"{'wo' if kind == WECOM else 'wm'}Crowd{number:08}"
        self.world.create_customer(Customer(external, f"生人{number}", kind, company))
        return external

    def _old_friend(self) -> Relation | None:
        """Return two who met some time ago, if there are any."""
        floor = {*self.trainees, *self.sellers}
        before = self.world.now() - _REST
        found = [
            relation
            for relation in self.world.state.relations.values()
            if relation.bond is Bond.ADDED
            and relation.userid in floor
            and relation.createtime < before
        ]
        return self.dice.choice(found) if found else None
