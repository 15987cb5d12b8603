"""Takeovers: 24 hours by the clock, refusals, limits and the callbacks they raise."""

from __future__ import annotations

from bot.simulator.seed import LIU_JIANGUO
from bot.simulator.world import World
from tests.makers_simulator import Clock, a_world, names


def transfer(world: World, giver: str, taker: str) -> int:
    handover, takeover = world.member(giver), world.member(taker)
    code = world.transfer_code(handover, takeover, LIU_JIANGUO)
    if not code:
        world.begin_transfer(handover, takeover, LIU_JIANGUO)
    return code


def after_a_day(world: World, clock: Clock) -> None:
    clock.move(hours=24)
    world.settle_transfers()


def test_a_takeover_happens_after_24_hours_and_tells_both_members() -> None:
    world, clock, events = a_world()
    assert transfer(world, "liqiang", "pool") == 0
    clock.move(hours=23.9)
    world.settle_transfers()
    assert events == []
    after_a_day(world, clock)
    assert names(events) == [
        "change_external_contact/del_external_contact",
        "change_external_contact/add_external_contact",
    ]
    assert events[0].fields["Source"] == "DELETE_BY_TRANSFER"
    assert [one.userid for one in world.followers(LIU_JIANGUO)] == ["pool"]


def test_a_customer_who_refuses_stays_and_the_taker_is_told() -> None:
    world, clock, events = a_world()
    world.state.refuses_transfer.add(LIU_JIANGUO)
    transfer(world, "liqiang", "pool")
    after_a_day(world, clock)
    assert names(events) == ["change_external_contact/transfer_fail"]
    assert events[0].fields["FailReason"] == "customer_refused"
    assert events[0].fields["UserID"] == "pool"
    assert [one.userid for one in world.followers(LIU_JIANGUO)] == ["liqiang"]


def test_a_taker_who_is_full_by_then_gets_nobody() -> None:
    world, clock, events = a_world()
    transfer(world, "liqiang", "pool")
    world.member("pool").contact_limit = 0
    after_a_day(world, clock)
    assert events[0].fields["FailReason"] == "customer_limit_exceed"


def test_a_second_request_for_the_same_customer_is_refused_while_one_waits() -> None:
    world, _, _ = a_world()
    transfer(world, "liqiang", "pool")
    assert transfer(world, "liqiang", "sunlei") == 40129


def test_a_customer_moves_at_most_twice_in_90_days() -> None:
    world, clock, _ = a_world()
    for giver, taker in (("liqiang", "pool"), ("pool", "sunlei")):
        assert transfer(world, giver, taker) == 0
        after_a_day(world, clock)
    assert transfer(world, "sunlei", "wangfang") == 40128
    clock.move(days=90)
    assert transfer(world, "sunlei", "wangfang") == 0


def test_nobody_is_told_of_a_customer_coming_back_to_who_handed_them_on() -> None:
    world, clock, events = a_world()
    for giver, taker in (("liqiang", "pool"), ("pool", "liqiang")):
        transfer(world, giver, taker)
        after_a_day(world, clock)
    assert names(events)[2:] == ["change_external_contact/del_external_contact"]
    assert [one.userid for one in world.followers(LIU_JIANGUO)] == ["liqiang"]


def test_only_a_follower_can_hand_over() -> None:
    world, _, _ = a_world()
    assert transfer(world, "sunlei", "pool") == 40131
    assert transfer(world, "liqiang", "LiQiang") == 40130
