"""Leavers and what waits of theirs in real databases."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from storage.database import Database
from workflows.claims import Claim
from workflows.leaving import Handover, Leaver, LeftBehind, Outcome
from workflows.model import Person, Relation, RelationState
from workflows.plans import TakeOver

NOON = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)
LILEI = Leaver(Person("LiLei", "李雷"), NOON, ("boss",), ("boss", "chief"))


def one(number: int, **changes: Any) -> LeftBehind:
    values: dict[str, Any] = {"name": f"客户{number}", "tier": "normal"} | changes
    return LeftBehind("LiLei", f"wm{number:04}", NOON, **values)


async def put(db: Database, *ones: LeftBehind) -> None:
    await db.write(lambda tx: tx.leavers.put_waiting(ones))


async def test_a_leaver_is_found_by_account_and_name_the_latest_time_first(db: Database) -> None:
    again = replace(LILEI, left_at=NOON + DAY, person=Person("lilei", "李雷"))
    other = Leaver(Person("lilei2", "李雷"), NOON - DAY, is_open=False)
    for each in (LILEI, again, other):
        await db.write(lambda tx, e=each: tx.leavers.put(e))  # type: ignore[misc]

    assert await db.read(lambda tx: tx.leavers.latest("LILEI")) == again
    assert await db.read(lambda tx: tx.leavers.latest("hanmei")) is None
    assert await db.read(lambda tx: tx.leavers.called(" 李雷 ")) == [again, LILEI, other]
    assert await db.read(lambda tx: tx.leavers.called("")) == []
    assert await db.read(lambda tx: tx.leavers.open()) == [again, LILEI]


async def test_who_waits_is_listed_in_pages_and_counted_by_request_and_tier(db: Database) -> None:
    bound = one(3, request_id="A7K2", taker="hanmei")
    await put(db, one(1), one(2, tier="vip"), bound, one(4, is_open=False))

    assert await db.read(lambda tx: tx.leavers.waiting("lilei", 2)) == [one(1), one(2, tier="vip")]
    assert await db.read(lambda tx: tx.leavers.waiting("lilei", 9, "wm0002")) == [bound]
    counts = await db.read(lambda tx: tx.leavers.count_waiting("lilei"))
    assert counts == {("", "normal"): 1, ("", "vip"): 1, ("A7K2", "normal"): 1}


async def test_a_group_is_counted_by_its_whole_name(db: Database) -> None:
    await put(db, one(1, groups=("key_account", "new")), one(2, groups=("key-account",)), one(3))

    assert await db.read(lambda tx: tx.leavers.count_in_group("lilei", "key_account")) == {"": 1}
    assert await db.read(lambda tx: tx.leavers.count_in_group("lilei", "account")) == {}


async def test_whom_wecom_shows_no_longer_waits_no_longer(db: Database) -> None:
    late = replace(one(2), read_at=NOON + DAY)
    await put(db, one(1), late)

    assert await db.write(lambda tx: tx.leavers.not_shown_since("lilei", NOON + DAY)) == 1

    assert await db.read(lambda tx: tx.leavers.waiting("lilei", 9)) == [late]
    found = await db.read(lambda tx: tx.leavers.one("lilei", "wm0001"))
    assert found is not None
    assert not found.is_open


async def test_what_a_request_is_to_hand_over_comes_taker_by_taker(db: Database) -> None:
    bound = {"request_id": "A7K2"}
    mine = [
        one(1, taker="wangqiang", **bound),
        one(2, taker="hanmei", **bound),
        one(3, taker="hanmei", outcome=Outcome.WAITING, **bound),
        one(4, taker="hanmei", outcome=Outcome.WAITING, **bound),
    ]
    await put(db, *mine, one(5))

    assert await db.read(lambda tx: tx.leavers.next_of("a7k2", 9, Outcome.NONE)) == [
        mine[1],
        mine[0],
    ]
    assert await db.read(lambda tx: tx.leavers.open_of("A7K2", "HanMei", 9, "wm0003")) == [mine[3]]
    assert await db.read(lambda tx: tx.leavers.outcomes("A7K2")) == {
        ("wangqiang", Outcome.NONE): 1,
        ("hanmei", Outcome.NONE): 1,
        ("hanmei", Outcome.WAITING): 2,
    }


async def test_a_handover_is_kept_as_it_goes(db: Database) -> None:
    plan = TakeOver("lilei", ("hanmei",), 3)
    made = Handover("A7K2", plan, Person("boss", "老板"), Claim(reason="离职"), 3)
    more = replace(made, judged=2, shares={"hanmei": 2}, asked_groups=((NOON, 3),))
    for each in (made, more):
        await db.write(lambda tx, e=each: tx.leavers.put_handover(e))  # type: ignore[misc]

    assert await db.read(lambda tx: tx.leavers.handover("a7k2")) == more
    assert await db.read(lambda tx: tx.leavers.handover("B3M4")) is None


async def test_relations_of_a_member_come_in_pages_and_are_counted(db: Database) -> None:
    for number in range(3):
        state = RelationState.ADDED if number else RelationState.HALF
        relation = Relation("LiLei", f"wm{number}", state)
        await db.write(lambda tx, r=relation: tx.relations.put(r))  # type: ignore[misc]

    page = await db.read(lambda tx: tx.relations.page_of_member("lilei", 2, "wm0"))

    assert [each.external_userid for each in page] == ["wm1", "wm2"]
    assert await db.read(lambda tx: tx.relations.count_of_member("LILEI")) == 2
