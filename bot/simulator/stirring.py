"""People of a crowd do things at random: the same ones in the same order for the same seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Mapping

from bot.simulator.crowd import CrowdState
from bot.simulator.errors import ImpossibleError
from bot.simulator.faces import TAGS
from bot.simulator.records import ACTIVE, Bond, Customer, Member, Relation
from bot.simulator.world import World

_TRIES = 100


class Stirrer:
    """Changes a crowd step by step. `done` counts what was done, by name."""

    def __init__(self, world: World, seed: int = 1) -> None:
        if not isinstance(world.state, CrowdState):
            raise TypeError("only a crowd can be stirred")
        self._world, self._faces = world, world.state.faces
        self._dice = random.Random(seed)  # noqa: S311
        self._strangers = 0
        self.done: Counter[str] = Counter()
        self._deeds: Mapping[str, tuple[Callable[[], object], int]] = {
            "member_adds": (self._member_adds, 30),
            "customer_adds": (self._customer_adds, 15),
            "member_deletes": (self._member_deletes, 8),
            "customer_deletes": (self._customer_deletes, 12),
            "edit": (self._edit, 25),
            "transfer": (self._transfer, 4),
            "move": (self._move, 2),
            "rename": (self._rename, 4),
        }

    def step(self) -> str:
        """Have somebody do something; return what it was."""
        weights = [weight for _, weight in self._deeds.values()]
        for _ in range(_TRIES):
            (name,) = self._dice.choices(list(self._deeds), weights)
            try:
                self._deeds[name][0]()
            except ImpossibleError:
                continue  # they cannot, so somebody does something else
            self.done[name] += 1
            return name
        raise RuntimeError("nobody in this crowd can do anything")

    def _member(self) -> Member:
        member = self._world.member(self._faces.userid(self._dice.randrange(self._faces.members)))
        if member.status != ACTIVE:
            raise ImpossibleError(f"{member.userid} is not active")
        return member

    def _relation(self) -> Relation:
        """A relation that stands on both sides."""
        member = self._member()
        known = self._world.customers_of(member.userid)
        if not known:
            raise ImpossibleError(f"{member.userid} has no customers")
        found = known[self._dice.randrange(len(known))]
        if found.bond is not Bond.ADDED:
            raise ImpossibleError("it stands on one side only")
        return found

    def _somebody(self) -> str:
        """A customer of a colleague, or somebody who is new."""
        if self._dice.random() < 0.3:
            return self._faces.external(self._dice.randrange(self._faces.customers))
        self._strangers += 1
        name = f"新客户{self._strangers}"
        stranger = Customer(f"wmStranger{self._strangers:022}", name)
        return self._world.create_customer(stranger).external_userid

    def _member_adds(self) -> object:
        return self._world.member_adds_customer(self._member().userid, self._somebody())

    def _customer_adds(self) -> object:
        return self._world.customer_adds_member(self._somebody(), self._member().userid)

    def _member_deletes(self) -> object:
        found = self._relation()
        return self._world.member_deletes_customer(found.userid, found.external_userid)

    def _customer_deletes(self) -> object:
        found = self._relation()
        return self._world.customer_deletes_member(found.external_userid, found.userid)

    def _edit(self) -> object:
        found, tags = self._relation(), self._dice.sample(TAGS, self._dice.randrange(3))
        remark = f"备注{self._dice.randrange(1000)}" if self._dice.random() < 0.5 else None
        return self._world.member_edits(
            found.userid, found.external_userid, remark=remark, tags=tags
        )

    def _transfer(self) -> object:
        found, taker = self._relation(), self._member()
        giver = self._world.member(found.userid)
        if self._world.transfer_code(giver, taker, found.external_userid):
            raise ImpossibleError("WeCom would not take it")
        return self._world.begin_transfer(giver, taker, found.external_userid)

    def _move(self) -> object:
        team = self._faces.team(self._dice.randrange(self._faces.members))
        return self._world.move_member(self._member().userid, team)

    def _rename(self) -> None:
        number = self._dice.randrange(10_000)
        if self._dice.random() < 0.2:
            self._world.call_member(self._member().userid, f"同事{number}")
        else:
            self._world.rename_customer(self._relation().external_userid, f"改名{number}")
