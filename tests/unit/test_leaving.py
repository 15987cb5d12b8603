"""Sharing out what somebody has left, and what is theirs no longer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bot.actions import taking_over
from tests.makers_approval import a_request
from workflows import facts, leaving
from workflows.approvers import concerned
from workflows.claims import Claim
from workflows.directory import Department, Directory, Member
from workflows.leaving import Handover, LeftBehind
from workflows.model import Customer, Person, Relation, RelationState
from workflows.plans import TakeOver

NOON = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)


def a_handover(*takers: str, **changes: object) -> Handover:
    plan = TakeOver("lilei", takers or ("hanmei", "wangqiang"))
    made = Handover("A7K2", plan, Person("boss", "老板"), Claim(), 10)
    return replace(made, **changes)  # type: ignore[arg-type]


def shared(handover: Handover, tiers: list[str]) -> Handover:
    for number, tier in enumerate(tiers):
        taker = leaving.whose_turn(handover, tier)
        one = LeftBehind("lilei", f"wm{number:05}", NOON, tier=tier, taker=taker)
        handover = leaving.counted(handover, one, held=False)
    return handover


def spread(counts: list[int]) -> int:
    return max(counts) - min(counts)


@given(st.lists(st.sampled_from(["vip", "normal", ""]), max_size=80), st.integers(1, 5))
def test_every_tier_is_shared_out_evenly(tiers: list[str], people: int) -> None:
    takers = tuple(f"taker{n}" for n in range(people))
    done = shared(a_handover(*takers), tiers)
    assert sum(done.shares.values()) == done.judged == len(tiers)
    for tier in set(tiers):
        assert spread([done.tier_shares.get(f"{tier}|{who}", 0) for who in takers]) <= 1
    assert spread([done.shares.get(who, 0) for who in takers]) <= len(set(tiers))


def test_who_has_the_fewest_customers_comes_first() -> None:
    loads = {"hanmei": 50, "wangqiang": 3}
    assert leaving.in_turn(("hanmei", "wangqiang", "new"), loads) == ("new", "wangqiang", "hanmei")
    done = shared(a_handover("wangqiang", "hanmei"), ["vip", "vip", "vip"])
    assert done.shares == {"wangqiang": 2, "hanmei": 1}


def test_all_who_stood_above_are_kept_the_nearest_first() -> None:
    people = [
        Member("lilei", "李雷", (2,), 2, direct_leaders=("lead",)),
        Member("lead", "主管", (2,), 2, direct_leaders=("boss",)),
        Member("boss", "老板", (1,), 1, direct_leaders=("lead",)),  # a circle
    ]
    company = Directory.of(people, [Department(1, "公司"), Department(2, "销售部", 1)])
    assert leaving.above(company, "LiLei") == ("lead", "boss")
    assert leaving.above(company, "nobody") == ()


def test_a_relation_ends_with_its_member_and_a_later_one_does_not() -> None:
    old = Relation("lilei", "wm1", RelationState.ADDED, added_at=NOON - DAY)
    gone = leaving.ended(old, NOON)
    assert (gone.state, gone.ended_by) == (RelationState.DELETED_BY_MEMBER, "left")
    later = replace(old, added_at=NOON + DAY)
    assert leaving.ended(later, NOON) is later
    assert leaving.ended(gone, NOON + DAY) is gone


def test_a_leaver_is_no_owner_and_what_they_tagged_still_counts() -> None:
    old = Relation("lilei", "wm1", RelationState.ADDED, tags=frozenset({"VIP"}))
    known = facts.of_customer(
        Customer("wm1", "张伟"), [leaving.ended(old, NOON)], sender="hanmei", now=NOON
    )
    assert known["customer.owners"] == frozenset()
    assert known["customer.owner_count"] == 0
    assert known["customer.tags"] == frozenset({"VIP"})
    taken = replace(leaving.ended(old, NOON), ended_by="transfer")
    known = facts.of_customer(Customer("wm1", "张伟"), [taken], sender="hanmei", now=NOON)
    assert known["customer.tags"] == frozenset()


def test_no_taker_may_decide_on_it() -> None:
    request = replace(a_request(), plan=TakeOver("lilei", ("HanMei", "wangqiang")))
    assert {"hanmei", "wangqiang"} <= concerned(request)


def all_groups(handover: Handover, chats: list[str], now: datetime) -> Handover:
    """Give groups until no more can go now, as WeCom does when it takes all of them."""
    left = list(chats)
    while (groups := taking_over.next_groups(handover, left, now)).chats:
        assert len(groups.chats) <= 100
        left = [each for each in left if each not in groups.chats]
        count = handover.group_shares.get(groups.owner, 0) + len(groups.chats)
        handover = replace(
            handover,
            group_shares={**handover.group_shares, groups.owner: count},
            asked_groups=(*handover.asked_groups, (now, len(groups.chats))),
        )
    return handover


def test_groups_are_shared_out_evenly_300_a_day() -> None:
    chats = [f"wr{n:04}" for n in range(500)]
    today = all_groups(a_handover(), chats, NOON)
    assert sum(today.group_shares.values()) == 300
    left = chats[300:]
    assert taking_over.next_groups(today, left, NOON + timedelta(hours=23)).chats == ()
    tomorrow = all_groups(today, left, NOON + DAY + timedelta(minutes=1))
    assert tomorrow.group_shares == {"hanmei": 250, "wangqiang": 250}


def test_a_group_that_wecom_refused_is_not_tried_again() -> None:
    handover = a_handover(refused_groups=("wr1",))
    assert taking_over.next_groups(handover, ["wr1"], NOON).chats == ()
    assert taking_over.next_groups(handover, ["wr1", "wr2"], NOON).chats == ("wr2",)


@given(st.integers(0, 260), st.integers(1, 6))
def test_however_many_groups_everybody_gets_their_share(count: int, people: int) -> None:
    takers = tuple(f"taker{n}" for n in range(people))
    done = all_groups(a_handover(*takers), [f"wr{n:04}" for n in range(count)], NOON)
    assert sum(done.group_shares.values()) == count
    counts = sorted(done.group_shares.get(who, 0) for who in takers)
    assert all(b - a <= 1 for a, b in pairwise(counts))
