"""The sales floor of the scenario tests, grown and made livelier: two leaders, second meetings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from bot.simulator.records import Bond, Member, Relation
from tests.scenario.crowd import PROBATION, SALES, Crowd, Deed

_REST = 3.0  # seconds until a pair does something again: WeCom's times are whole seconds
_MOST_OF_TEAM = 4  # deeds in a minute, so that nobody gets more than WeCom's 30 messages
_FIRST_TEAM = 500  # number of its department


@dataclass(slots=True)
class People(Crowd):
    """Teams of two leaders and four members. Whom one leader is asked, so is the other."""

    _team: dict[str, int] = field(default_factory=dict)
    _busy: Counter[tuple[object, int]] = field(default_factory=Counter)
    _met: dict[tuple[str, str], float] = field(default_factory=dict)

    def move_in(self) -> None:
        """Hire everybody. To be done before the program reads the directory."""
        for team in range(self.teams):
            leaders = [f"lead{team:02}{each}" for each in "xy"]
            room = _FIRST_TEAM + team
            self.world.add_department(room, f"销售{team:02}队", SALES, leaders)
            for leader in leaders:
                self._join(leader, "销售主管", SALES, team)
            self.leaders += leaders
            self.trainees += [self._join(f"new{team:02}{n}", "实习销售", room, team) for n in "ab"]
            self.sellers += [self._join(f"old{team:02}{n}", "销售", room, team) for n in "ab"]
        for trainee in self.trainees:
            self.world.tag_member(trainee, PROBATION)

    def _join(self, userid: str, position: str, department: int, team: int) -> str:
        self.world.add_member(Member(userid, f"员工{userid}", [department], position))
        self._team[userid] = team
        return userid

    def acts(self) -> dict[Callable[[], Deed | None], int]:
        """Return what people do, and how often one thing happens compared with the others."""
        usual = {act: 6 * weight for act, weight in Crowd.acts(self).items()}
        return {**usual, self._both_press: 24, self._meet_again: 18, self._poison: 1}

    def _both_press(self) -> Deed | None:
        """Two who were asked the same press in the same moment, each as they like."""
        found = self._card()
        if found is None:
            return None
        who, _, request, stage = found
        for other in self.leaders:
            if other == who:
                continue
            for each in self._chat(other):
                if each.open and each.task_id.startswith(f"mw-{request}-{stage}-"):
                    self.deeds.append(self._presses(other, each, request, stage))
                    return self._presses(*found)
        return self._presses(*found)

    def _meet_again(self) -> Deed | None:
        """Somebody adds a customer again who was deleted, or who had deleted them."""
        floor, before = {*self.trainees, *self.sellers}, self.world.now() - _REST
        over = (Bond.DELETED_BY_MEMBER, Bond.DELETED_BY_CUSTOMER)
        parted = [
            (each.userid, each.external_userid)
            for each in self.world.state.relations.values()
            if each.bond in over
            and each.userid in floor
            and self._met.get((each.userid, each.external_userid), 0) < before
        ]
        if not parted:
            return None
        who, external = self.dice.choice(parted)
        if not self._may(who, "again", 1):
            return None
        event = self.world.member_adds_customer(who, external)
        assert event is not None
        self._met[who, external] = self.world.now()
        return Deed("add", who, event, external)

    def _poison(self) -> Deed:
        """WeCom sends something that is not as documented: an add without its customer."""
        who = self.dice.choice(self.sellers)
        more = {"UserID": who, "Serial": str(next(self._numbers))}
        return Deed(
            "poison",
            who,
            self.world.tell_sys("change_external_contact", "add_external_contact", more),
        )

    def _old_friend(self) -> Relation | None:
        """Return two between whom nothing has happened for a moment."""
        relation = Crowd._old_friend(self)
        if relation is None:
            return None
        pair, now = (relation.userid, relation.external_userid), self.world.now()
        if self._met.get(pair, 0) > now - _REST:
            return None
        self._met[pair] = now
        return relation

    def _may(self, who: str, what: str, most: int) -> bool:  # noqa: ARG002 - the team's counts
        """Say whether it fits into this minute, whatever it is, for the whole team."""
        key: tuple[object, int] = (self._team.get(who, who), int(self.world.now() // 60))
        self._busy[key] += 1
        rare = what in {"rival", "vip"} and self.dice.random() > 0.3
        return not rare and self._busy[key] <= _MOST_OF_TEAM
