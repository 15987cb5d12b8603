"""After a reading, what is on file is what WeCom shows: whatever was lost, late, double or killed.

What WeCom itself does not show, a deletion by the customer, cannot be found and is not asked for.
"""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest

from bot.simulator.errors import ImpossibleError
from bot.simulator.events import Event
from bot.simulator.records import FOLLOWED, Bond, Customer
from storage.database import Database
from tests.makers_mirror import Killed, Office, an_office, restarted
from workflows import mirror
from workflows.model import Origin, RelationState

MEMBERS = ("zhouxiaomei", "sunlei", "wangfang", "liqiang", "chenyu")
CUSTOMERS = tuple(f"wmHistory{number}" for number in range(8))
TAGS = tuple(f"etDemoTag0{number}" for number in range(1, 6))
STEPS = 60
LOST, DOUBLED = 0.3, 0.2
ON_FILE_ADDED = {RelationState.ADDED, RelationState.DELETED_BY_CUSTOMER}

Pair = tuple[str, str]


class History:
    """What members and customers do, and what of it Menwei is told, by dice."""

    def __init__(self, office: Office, dice: Random) -> None:
        self.office, self.dice, self.world = office, dice, office.world
        self.pending: list[Event] = []
        self.adds: Counter[Pair] = Counter()
        self.deleted_by_customer: set[Pair] = set()
        self.world.on_event(self.raised)

    def raised(self, event: Event) -> None:
        """WeCom raises a callback; some of them never come, others come twice."""
        if self.dice.random() >= LOST:
            self.pending += [event] * (2 if self.dice.random() < DOUBLED else 1)

    async def deliver(self, share: float) -> None:
        """Have some of the callbacks on their way come, in any order."""
        self.dice.shuffle(self.pending)
        count = int(len(self.pending) * share)
        here, self.pending = self.pending[:count], self.pending[count:]
        for event in here:
            await self.office.hear(event)

    def step(self) -> None:
        userid, external = self.dice.choice(MEMBERS), self.dice.choice(CUSTOMERS)
        happens = self.dice.choices(
            (self.add, self.delete, self.is_deleted, self.edit, self.rename, self.rename_tag),
            weights=(8, 3, 1, 5, 1, 0.3),
        )[0]
        try:
            happens(userid, external)
        except ImpossibleError:
            return

    def add(self, userid: str, external: str) -> None:
        pair = userid, external
        if pair in self.deleted_by_customer:
            return  # WeCom shows the two as before and after
        self.world.member_adds_customer(userid, external)
        self.adds[pair] += 1

    def delete(self, userid: str, external: str) -> None:
        self.world.member_deletes_customer(userid, external)

    def is_deleted(self, userid: str, external: str) -> None:
        self.world.customer_deletes_member(external, userid)
        self.deleted_by_customer.add((userid, external))

    def edit(self, userid: str, external: str) -> None:
        tags = self.dice.sample(TAGS, self.dice.randrange(4))
        remark, mobile = f"备注{self.dice.randrange(9)}", f"1380000000{self.dice.randrange(9)}"
        self.world.member_edits(userid, external, remark=remark, tags=tags, mobiles=[mobile])

    def rename(self, _: str, external: str) -> None:
        self.world.state.customers[external].name = f"改名{self.dice.randrange(99)}"

    def rename_tag(self, _: str, __: str) -> None:
        tag = self.dice.choice(
            [tag for group in self.world.state.tag_groups.values() for tag in group.tags]
        )
        tag.name = f"标签{self.dice.randrange(999)}"
        self.world.tell_sys("change_external_tag", "update", {"Id": tag.id, "TagType": "tag"})


async def lived(office: Office, dice: Random) -> History:
    """Let a history happen, after a first reading of who was there before."""
    for external in CUSTOMERS:
        office.world.create_customer(Customer(external, f"客户{external[-1]}"))
    for _ in range(6):
        userid, external = dice.choice(MEMBERS), dice.choice(CUSTOMERS)
        if office.world.relation(userid, external) is None:
            office.world.member_adds_customer(userid, external)
    office.clock.move(hours=1)
    await office.read_all()
    history = History(office, dice)
    for _ in range(STEPS):
        office.clock.move(seconds=dice.randrange(1, 900))
        history.step()
        if dice.random() < 0.3:
            await history.deliver(dice.random())
            await office.deliver()
    await history.deliver(1.0)
    await office.deliver()
    office.clock.move(seconds=600)
    return history


async def differences(office: Office, history: History) -> list[str]:
    """Return where what is on file is not what WeCom shows."""
    found = []
    tags = {
        tag.id: tag.name for group in office.world.state.tag_groups.values() for tag in group.tags
    }
    for userid in MEMBERS:
        for external in CUSTOMERS:
            known, true = (
                await office.relation(userid, external),
                office.world.relation(userid, external),
            )
            where = f"{userid} {external}"
            if true is None or true.bond not in FOLLOWED:
                if known is not None and mirror.is_followed(known):
                    found.append(f"{where}: on file, and gone")
                continue
            told = (userid, external) in history.deleted_by_customer
            expected = ON_FILE_ADDED if told else {RelationState.ADDED}
            if known is None or known.state not in expected:
                found.append(f"{where}: there, and not on file")
                continue
            shown = (true.remark, {tags[each] for each in true.tags}, tuple(true.remark_mobiles))
            if (known.remark, set(known.tags), known.phones) != shown:
                found.append(f"{where}: {known.remark} {known.tags} is {shown}")
            customer = (await office.customers([external])).get(external)
            if customer is None or customer.name != office.world.customer(external).name:
                found.append(f"{where}: called otherwise")
    return found


async def misjudged(office: Office, history: History) -> list[str]:
    """Return the adds that stand and were not judged exactly once."""
    found = []
    for (userid, external), adds in history.adds.items():
        relation = office.world.relation(userid, external)
        judged = [
            each
            for each in await office.requests(external)
            if each.requester.userid == userid
            and (each.action, each.origin) == ("friend.add", Origin.OBSERVED)
        ]
        if len(judged) > adds:
            found.append(f"{userid} {external}: {adds} adds judged {len(judged)} times")
        if relation is None or relation.bond is not Bond.ADDED:
            continue
        known = await office.relation(userid, external)
        if not judged or known is None or not known.request_id:
            found.append(f"{userid} {external}: not judged")
    return found


async def read_with_kills(office: Office, dice: Random) -> Office:
    """Read all customers; the process is killed again and again and starts anew."""
    await office.begin()
    for _ in range(200):
        if await office.db.read(lambda tx: tx.readings.open()) is None:
            office.fate.calls_left = None
            return office
        office.fate.calls_left = dice.randrange(4)
        try:
            if not await office.tick():
                office.clock.move(seconds=60)
        except Killed:
            office = restarted(
                office.db, office.sim, office.clock, office.http, office.sim.base_url
            )
            await office.handlers.company.refresh(office.db)
            office.clock.move(seconds=16 * 60)  # until its lease has run out
    raise AssertionError("the reading does not end")


@pytest.mark.parametrize("seed", range(6))
async def test_a_reading_makes_up_for_whatever_was_lost(
    db: Database, seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mirror, "_MOST_RELATIONS", 12)  # so that there are several chunks
    dice = Random(seed)
    async with an_office(db) as office:
        history = await lived(office, dice)
        assert await differences(office, history)  # or nothing is shown by this seed

        left = await read_with_kills(office, dice)
        await left.deliver()

        assert await differences(left, history) == []
        assert await misjudged(left, history) == []
        requests = {each: await left.requests(each) for each in CUSTOMERS}

        left.clock.move(hours=1)
        again = await left.read_all()

        assert (again.late_adds, again.late_deletions, again.unsettled) == (0, 0, 0)
        assert (again.tally.new, again.tally.changed) == (0, 0)
        assert {each: await left.requests(each) for each in CUSTOMERS} == requests
