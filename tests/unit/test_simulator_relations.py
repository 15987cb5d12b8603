"""Members and customers: which steps raise which callbacks, and what the APIs then return."""

from __future__ import annotations

import pytest

from bot.simulator.errors import ImpossibleError
from bot.simulator.records import ContactWay
from bot.simulator.seed import LIU_JIANGUO, ZHANG_WEI
from bot.simulator.world import World
from tests.makers_simulator import NOON, a_world, names

ADD = "change_external_contact/add_external_contact"
HALF = "change_external_contact/add_half_external_contact"
DEL = "change_external_contact/del_external_contact"
DEL_BY_CUSTOMER = "change_external_contact/del_follow_user"


def a_way_of(world: World, *users: str, skip_verify: bool = True) -> str:
    way = ContactWay("cfg1", 2, 2, list(users), [], NOON, "http://box/sim/qr/cfg1.svg")
    way.state, way.skip_verify = "mw-A17", skip_verify
    world.state.ways["cfg1"] = way
    return way.qr_code


def test_an_add_by_a_member_carries_a_welcome_code_and_no_state() -> None:
    world, _, events = a_world()
    world.member_adds_customer("sunlei", ZHANG_WEI)
    assert names(events) == [ADD]
    assert events[0].fields["FromUserName"] == "sys"
    assert events[0].fields["UserID"] == "sunlei"
    assert events[0].fields["WelcomeCode"]
    assert "State" not in events[0].fields
    assert "MsgId" not in events[0].fields


def test_a_wecom_user_comes_without_a_welcome_code() -> None:
    world, _, events = a_world()
    world.member_adds_customer("sunlei", LIU_JIANGUO)
    assert "WelcomeCode" not in events[0].fields


def test_a_scan_carries_the_state_of_the_contact_way() -> None:
    world, _, events = a_world()
    world.customer_scans(ZHANG_WEI, a_way_of(world, "zhouxiaomei"))
    assert names(events) == [ADD]
    assert events[0].fields["State"] == "mw-A17"
    relation = world.followers(ZHANG_WEI)[0]
    assert (relation.add_way, relation.oper_userid) == (1, ZHANG_WEI)


def test_scanning_somebody_already_added_raises_nothing() -> None:
    world, _, events = a_world()
    code = a_way_of(world, "zhouxiaomei")
    world.customer_scans(ZHANG_WEI, code)
    world.customer_scans(ZHANG_WEI, code)
    assert names(events) == [ADD]


def test_a_scan_after_the_customer_had_deleted_the_member_comes_back_without_state() -> None:
    world, _, events = a_world()
    code = a_way_of(world, "zhouxiaomei")
    world.customer_scans(ZHANG_WEI, code)
    world.customer_deletes_member(ZHANG_WEI, "zhouxiaomei")
    world.customer_scans(ZHANG_WEI, code)
    assert names(events) == [ADD, DEL_BY_CUSTOMER, ADD]
    assert "State" not in events[2].fields


def test_a_deleted_contact_way_adds_nobody() -> None:
    world, _, events = a_world()
    code = a_way_of(world, "zhouxiaomei")
    del world.state.ways["cfg1"]
    with pytest.raises(ImpossibleError):
        world.customer_scans(ZHANG_WEI, code)
    assert events == []


def test_a_scan_with_verification_raises_nothing_until_the_member_accepts() -> None:
    world, _, events = a_world()
    world.customer_scans(ZHANG_WEI, a_way_of(world, "zhouxiaomei", skip_verify=False))
    assert events == []
    world.member_confirms("zhouxiaomei", ZHANG_WEI)
    assert names(events) == [ADD]
    assert events[0].fields["State"] == "mw-A17"


def test_a_half_added_customer_is_not_returned_until_the_member_confirms() -> None:
    world, _, events = a_world()
    world.customer_adds_member(ZHANG_WEI, "sunlei", 2)
    assert names(events) == [HALF]
    assert world.followers(ZHANG_WEI) == []
    world.member_confirms("sunlei", ZHANG_WEI)
    assert names(events) == [HALF, ADD]
    assert [one.userid for one in world.followers(ZHANG_WEI)] == ["sunlei"]


def test_no_welcome_code_comes_once_the_customer_has_spoken() -> None:
    world, _, events = a_world()
    world.customer_adds_member(ZHANG_WEI, "sunlei")
    world.customer_says(ZHANG_WEI, "sunlei", "你好")
    world.member_confirms("sunlei", ZHANG_WEI)
    assert "WelcomeCode" in events[0].fields
    assert "WelcomeCode" not in events[1].fields


def test_a_deletion_by_the_member_hides_the_relation() -> None:
    world, _, events = a_world()
    world.member_adds_customer("sunlei", ZHANG_WEI)
    world.member_deletes_customer("sunlei", ZHANG_WEI)
    assert names(events) == [ADD, DEL]
    assert world.followers(ZHANG_WEI) == []


def test_a_deletion_by_the_customer_leaves_a_one_way_relation() -> None:
    world, _, events = a_world()
    world.member_adds_customer("sunlei", ZHANG_WEI)
    world.customer_deletes_member(ZHANG_WEI, "sunlei")
    assert names(events) == [ADD, DEL_BY_CUSTOMER]
    assert len(world.followers(ZHANG_WEI)) == 1


def test_members_without_customer_contact_raise_nothing_and_are_not_returned() -> None:
    world, _, events = a_world()
    world.set_customer_contact("sunlei", allowed=False)
    world.member_adds_customer("sunlei", ZHANG_WEI)
    assert events == []
    assert world.followers(ZHANG_WEI) == []


def test_directory_changes_go_to_the_directory_door_and_only_subscriptions_to_the_app() -> None:
    world, _, events = a_world()
    world.move_member("sunlei", 3)
    world.disable_member("sunlei")
    assert [(one.door, one.name) for one in events] == [
        ("directory", "change_contact/update_user"),
        ("app", "unsubscribe"),
    ]
    assert "Name" not in events[0].fields  # reduced data since August 2022


def test_a_disabled_member_can_do_nothing() -> None:
    world, _, _ = a_world()
    world.disable_member("sunlei")
    with pytest.raises(ImpossibleError):
        world.member_adds_customer("sunlei", ZHANG_WEI)


def test_a_change_of_a_group_carries_both_versions_and_who_came() -> None:
    world, _, events = a_world()
    group, _ = world.create_group("wangfang", "老客户群")
    before = group.member_version
    world.join_group(group.chat_id, ZHANG_WEI, by_code=True)
    fields = events[-1].fields
    assert names(events) == ["change_external_chat/create", "change_external_chat/update"]
    assert (fields["UpdateDetail"], fields["JoinScene"]) == ("add_member", 3)
    assert fields["MemChangeList"] == {"Item": [ZHANG_WEI]}
    assert (fields["LastMemVer"], fields["CurMemVer"]) == (before, group.member_version)


def test_message_ids_are_unique_within_one_second() -> None:
    world, _, events = a_world()
    for _ in range(50):
        world.member_says("sunlei", "帮助")
    assert len({event.fields["MsgId"] for event in events}) == 50


def test_a_reset_brings_back_the_beginning_but_no_message_id() -> None:
    world, _, events = a_world()
    beginning = world.snapshot()
    world.member_says("sunlei", "帮助")
    world.member_adds_customer("sunlei", ZHANG_WEI)
    world.restore(beginning)
    assert world.state.chats == {}
    assert world.followers(ZHANG_WEI) == []
    world.member_says("sunlei", "帮助")
    assert events[0].fields["MsgId"] != events[-1].fields["MsgId"]
