"""The simulator's customer groups: what WeCom tells of them, and what it lets people do."""

from __future__ import annotations

import pytest

from bot.simulator.errors import ImpossibleError
from bot.simulator.groups import MOST
from bot.simulator.records import Customer
from bot.simulator.seed import HE_CHEN, LIN_XUE, ZHANG_WEI
from tests.makers_simulator import a_world, names


def test_a_group_may_begin_with_people_in_it() -> None:
    world, _, events = a_world()
    group, _ = world.create_group("wangfang", "新品交流群", ["sunlei", ZHANG_WEI])

    assert [(m.userid, m.type, m.invitor) for m in group.members] == [
        ("wangfang", 1, ""), ("sunlei", 1, "wangfang"), (ZHANG_WEI, 2, "wangfang"),
    ]  # fmt: skip
    assert names(events) == ["change_external_chat/create"]
    assert set(events[0].fields) >= {"ChatId", "ChangeType", "FromUserName"}
    assert "MemChangeList" not in events[0].fields  # who is in it has to be asked for


def test_several_who_come_at_once_are_one_change() -> None:
    world, _, events = a_world()
    group, _ = world.create_group("wangfang", "群", ["sunlei"])

    world.join_group(group.chat_id, [ZHANG_WEI, LIN_XUE], by="sunlei")

    fields = events[-1].fields
    assert (fields["MemChangeCnt"], fields["JoinScene"]) == (2, 0)
    assert fields["MemChangeList"] == {"Item": [ZHANG_WEI, LIN_XUE]}
    assert {m.invitor for m in group.members[2:]} == {"sunlei"}


def test_who_came_by_the_code_was_invited_by_nobody() -> None:
    world, _, _ = a_world()
    group, _ = world.create_group("wangfang", "群")
    world.join_group(group.chat_id, ZHANG_WEI, by_code=True)

    assert [(m.join_scene, m.invitor) for m in group.members[1:]] == [(3, "")]


def test_who_is_not_in_a_group_can_neither_invite_nor_take_it_over() -> None:
    world, _, _ = a_world()
    group, _ = world.create_group("wangfang", "群", [ZHANG_WEI])

    with pytest.raises(ImpossibleError):
        world.join_group(group.chat_id, HE_CHEN, by="sunlei")
    with pytest.raises(ImpossibleError):
        world.join_group(group.chat_id, ZHANG_WEI)
    for owner in ("sunlei", ZHANG_WEI):
        with pytest.raises(ImpossibleError):
            world.hand_group_over(group.chat_id, owner)


def test_a_full_group_takes_nobody() -> None:
    world, _, _ = a_world()
    for number in range(MOST):
        world.state.customers[f"wm{number}"] = Customer(f"wm{number}", "客")
    everybody = [f"wm{number}" for number in range(MOST - 1)]
    group, _ = world.create_group("wangfang", "群", everybody)

    with pytest.raises(ImpossibleError, match="full"):
        world.join_group(group.chat_id, f"wm{MOST - 1}")


def test_names_and_owners_change_without_a_new_version() -> None:
    world, _, events = a_world()
    group, _ = world.create_group("wangfang", "群", ["sunlei"])
    version = group.member_version

    world.rename_group(group.chat_id, "老客户群")
    world.hand_group_over(group.chat_id, "sunlei")

    assert [event.fields["UpdateDetail"] for event in events[1:]] == ["change_name", "change_owner"]
    assert (group.name, group.owner, group.member_version) == ("老客户群", "sunlei", version)


def test_for_a_moment_a_group_is_shown_as_it_was() -> None:
    world, clock, _ = a_world()
    world.group_lag = 2.0
    group, _ = world.create_group("wangfang", "群")
    before = group.member_version
    world.join_group(group.chat_id, ZHANG_WEI)

    members, version = world.shown_in_group(group)
    assert ([m.userid for m in members], version) == (["wangfang"], before)
    clock.move(seconds=2)
    members, version = world.shown_in_group(group)
    assert ([m.userid for m in members], version) == (["wangfang", ZHANG_WEI], group.member_version)
