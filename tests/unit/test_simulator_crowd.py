"""The crowd of the simulator: the same for the same seed, cheap, true after every change."""

from __future__ import annotations

import tracemalloc
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.simulator.crowd import CrowdState, crowd_world
from bot.simulator.errors import ImpossibleError
from bot.simulator.events import Event
from bot.simulator.faces import Faces
from bot.simulator.joined import Joined
from bot.simulator.records import FOLLOWED, Bond, Customer, Relation
from bot.simulator.stirring import Stirrer
from bot.simulator.world import World

MEMBERS, RELATIONS = 90, 4_000


@pytest.fixture
def world() -> World:
    made = crowd_world(MEMBERS, RELATIONS, seed=7)
    made.clock = lambda: 1_800_000_000.0
    return made


def everything(world: World) -> list[Relation]:
    """Return all relations that the APIs show, member by member."""
    members = list(world.state.members.values())
    return [one for member in members for one in world.customers_of(member.userid)]


def kept(world: World) -> tuple[int, int]:
    return len(world.state.relations), len(world.state.customers)


def test_the_same_seed_gives_the_same_crowd_and_another_seed_another() -> None:
    first, again, other = (everything(crowd_world(MEMBERS, RELATIONS, n)) for n in (7, 7, 8))

    assert first == again
    assert first != other


def test_it_is_as_large_as_ordered_and_nobody_is_twice_a_members(world: World) -> None:
    found = everything(world)

    assert len(world.state.members) == MEMBERS
    assert len(found) == len({(one.userid, one.external_userid) for one in found}) == RELATIONS
    customers = {one.external_userid for one in found}
    assert len(customers) == RELATIONS * 4 // 5
    assert {len(each) for each in customers} == {32}
    assert {one.bond for one in found} == FOLLOWED


def test_both_sides_show_the_same(world: World) -> None:
    found = everything(world)

    by_customer = [
        one
        for external in dict.fromkeys(one.external_userid for one in found)
        for one in world.followers(external)
    ]

    def key(one: Relation) -> tuple[str, str]:
        return one.userid, one.external_userid

    assert sorted(by_customer, key=key) == sorted(found, key=key)
    assert all(world.relation(*key(one)) == one for one in found[::50])


def test_looking_at_everybody_keeps_nothing_in_memory(world: World) -> None:
    for one in everything(world):
        world.customer(one.external_userid)
        world.followers(one.external_userid)

    assert kept(world) == (0, 0)


def test_a_relation_costs_a_few_bytes() -> None:
    tracemalloc.start()
    faces = Faces(500, 100_000, 1)
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert faces.customers == 80_000
    assert taken / 100_000 < 20


def test_what_the_crowd_has_not_is_not_there(world: World) -> None:
    state = world.state
    owner = world.customers_of("crowd00001")[0]
    strangers = {
        "wmZhang",
        "wmCrwd0",
        owner.external_userid[:-1],
        f"wm{owner.external_userid[2:]}x",
    }

    assert not strangers & state.customers.keys()
    assert all(one not in state.customers for one in strangers)
    assert ("crowd00000", "wmZhang") not in state.relations
    assert state.relations.get(("crowd99999", owner.external_userid)) is None
    with pytest.raises(ImpossibleError):
        world.customer(f"wmCrwd{RELATIONS:026}")


def test_who_is_deleted_is_not_listed_any_more_and_the_others_keep_their_order(
    world: World,
) -> None:
    before = list(world.customers_of("crowd00001"))
    first, second, *_ = (one for one in before if one.bond is Bond.ADDED)

    world.member_deletes_customer("crowd00001", first.external_userid)
    world.customer_deletes_member(second.external_userid, "crowd00001")

    after = list(world.customers_of("crowd00001"))
    ids = [one.external_userid for one in after]
    assert ids == [one.external_userid for one in before if one != first]
    assert first.userid not in [one.userid for one in world.followers(first.external_userid)]
    shown = world.relation("crowd00001", second.external_userid)
    assert shown is not None
    assert shown.bond is Bond.DELETED_BY_CUSTOMER  # one-sided: still listed


def test_whoever_is_added_is_listed_last_and_comes_back_as_the_old_one(world: World) -> None:
    world.create_customer(Customer("wmNew", "新客户"))
    world.member_adds_customer("crowd00001", "wmNew")
    own = world.customers_of("crowd00001")
    assert own[len(own) - 1].external_userid == "wmNew"

    gone = next(one for one in own if one.bond is Bond.ADDED)
    world.member_deletes_customer("crowd00001", gone.external_userid)
    world.member_adds_customer("crowd00001", gone.external_userid)

    assert len(world.customers_of("crowd00001")) == len(own)
    assert [one.userid for one in world.followers("wmNew")] == ["crowd00001"]


def test_what_was_changed_stays_so_until_it_is_reset(world: World) -> None:
    beginning = world.snapshot()
    before = everything(world)
    one = next(each for each in before if each.bond is Bond.ADDED)

    world.member_edits(one.userid, one.external_userid, remark="换了", tags=["etCrowdTag01"])
    world.rename_customer(one.external_userid, "改名")
    world.call_member(one.userid, "同事")

    [changed] = [each for each in everything(world) if each.remark == "换了"]
    assert (changed.userid, changed.tags) == (one.userid, ["etCrowdTag01"])
    assert world.customer(one.external_userid).name == "改名"
    world.restore(beginning)
    assert everything(world) == before
    assert world.customer(one.external_userid).name != "改名"
    assert world.member(one.userid).name != "同事"


def test_the_beginning_is_not_changed_by_what_happens_later(world: World) -> None:
    one = next(each for each in everything(world) if each.bond is Bond.ADDED)
    world.member_edits(one.userid, one.external_userid, remark="从前")
    beginning = world.snapshot()

    world.member_edits(one.userid, one.external_userid, remark="后来")
    world.restore(beginning)

    found = world.relation(one.userid, one.external_userid)
    assert found is not None
    assert found.remark == "从前"


def test_the_directory_has_teams_with_leaders_and_groups_with_guests(world: World) -> None:
    teams = world.departments_under(2)
    assert len(teams) == 1 + -(-MEMBERS // 40)
    leader = world.member(teams[1].leaders[0])
    assert world.member("crowd00001").direct_leader == [leader.userid]
    group = next(iter(world.state.groups.values()))
    assert group.owner == "crowd00000"
    guests = [one.userid for one in group.members if one.type == 2]
    assert guests
    assert set(guests) <= {one.external_userid for one in world.customers_of("crowd00000")}


# Stirred


def stirred(seed: int, steps: int = 400) -> tuple[World, list[Event], Stirrer]:
    world = crowd_world(MEMBERS, RELATIONS, seed=7)
    moment = [1_800_000_000.0]
    world.clock = lambda: moment[0]
    heard: list[Event] = []
    world.on_event(heard.append)
    stirrer = Stirrer(world, seed)
    for _ in range(steps):
        moment[0] += 600.0
        stirrer.step()
        world.settle_transfers()
    return world, heard, stirrer


def told(events: Sequence[Event]) -> list[dict[str, object]]:
    return [{k: v for k, v in e.fields.items() if k != "WelcomeCode"} for e in events]


def test_the_same_seed_stirs_the_same_things_in_the_same_order() -> None:
    (first, events, one), (again, same, two) = stirred(3), stirred(3)

    assert one.done == two.done
    assert set(one.done) == {
        "member_adds", "customer_adds", "member_deletes", "customer_deletes", "edit", "transfer",
        "move", "rename",
    }  # fmt: skip
    assert told(events) == told(same)
    assert everything(first) == everything(again)
    assert told(stirred(4)[1]) != told(events)


def test_after_any_stirring_both_sides_still_show_the_same() -> None:
    world, events, _ = stirred(5)
    found = {(one.userid, one.external_userid): one for one in everything(world)}

    for external in {external for _, external in found}:
        followers = {one.userid: one for one in world.followers(external)}
        assert followers == {who: one for (who, ext), one in found.items() if ext == external}
    told_of = {event.fields["ChangeType"] for event in events}
    assert {"add_external_contact", "del_external_contact", "del_follow_user"} <= told_of
    assert any(event.fields.get("Source") == "DELETE_BY_TRANSFER" for event in events)


def test_only_a_crowd_is_stirred() -> None:
    with pytest.raises(TypeError):
        Stirrer(World())


def test_the_smallest_crowd_is_one_member_with_some_customers() -> None:
    world = crowd_world(1, 9)

    assert len({one.external_userid for one in world.customers_of("crowd00000")}) == 9


def test_a_crowd_needs_members_and_a_relation_for_each() -> None:
    for members, relations in ((0, 10), (10, 9), (100_001, 200_000)):
        with pytest.raises(ValueError, match="a crowd needs"):
            CrowdState(Faces(members, relations, 1))


# Several sequences as one


@given(
    st.lists(st.lists(st.integers(), max_size=5), max_size=6),
    st.integers(-35, 35),
    st.integers(-35, 35),
)
def test_joined_parts_are_cut_as_if_they_were_one(
    parts: list[list[int]], start: int, stop: int
) -> None:
    whole = [each for part in parts for each in part]
    joined = Joined(parts)

    assert len(joined) == len(whole)
    assert list(joined) == whole
    assert list(joined[start:stop]) == whole[start:stop]
    assert [joined[n] for n in range(-len(whole), len(whole))] == whole + whole
