"""Who may decide at a stage, and whether they are enough."""

from __future__ import annotations

import itertools
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from tests.makers_approval import (
    NOON,
    a_company,
    a_group,
    a_request,
    a_stage,
    ids,
    some_sources,
)
from workflows.approvers import Panel, can_fill, resolve, with_stand_ins
from workflows.directory import Directory, Member
from workflows.model import Answer, Facts, Group, Person, Request, Vote


def who(
    source: str, request: Request | None = None, *, owners: tuple[str, ...] = ()
) -> tuple[str, ...]:
    sources = some_sources(owners=owners)
    (people,) = resolve((a_group(source),), request or a_request(), sources)
    return tuple(person.userid for person in people)


def voted(by: str, answer: Answer = Answer.APPROVE, stage: int = 0) -> Vote:
    return Vote(stage, Person(by, by), answer, NOON, "card")


def at_second_stage(*votes: Vote, repeat: bool = False) -> Request:
    request = a_request(a_stage("role:lead"), a_stage("role:director", repeat=repeat))
    return replace(request, stage=1, votes=votes)


def panel(*groups: str) -> Panel:
    return tuple(tuple(Person(c, c) for c in group) for group in groups)


def test_every_source_finds_its_people_as_wecom_spells_them() -> None:
    assert who("manager_of_sender") == ("Wang",)
    assert who("leaders_of:销售部") == ("Wang",)
    assert who("role:admin") == ("chen", "zhao")
    assert who("tag:法务") == ("qian",)
    assert who("user:WANG") == ("Wang",)
    assert who("owner_of_customer", owners=("qian", "lin")) == ("qian",)


def test_a_person_is_called_by_the_name_in_the_directory() -> None:
    (people,) = resolve((a_group("user:wang"),), a_request(), some_sources())

    assert people == (Person("Wang", "王"),)


def test_unknown_sources_and_people_name_nobody() -> None:
    for source in ("", "role:ghost", "user:ghost", "tag:ghost", "leaders_of:财务部", "everyone"):
        assert who(source) == (), source


def test_the_requester_is_never_among_them() -> None:
    request = a_request(requester="CHEN")

    assert who("role:admin", request) == ("zhao",)
    assert who("user:chen", request) == ()


def test_neither_is_the_person_a_request_is_for() -> None:
    one: Facts = {"request.target": "ZHAO"}
    several: Facts = {"request.target": frozenset({"zhao", "chen"})}

    assert who("role:admin", a_request(facts=one)) == ("chen",)
    assert who("role:admin", a_request(facts=several)) == ()


def test_only_active_members_decide() -> None:
    directory = Directory.of([Member("lin", "林"), Member("zhao", "赵", status=2)])
    sources = some_sources(directory=directory)

    assert resolve((a_group("role:admin"),), a_request(), sources) == ((),)


def test_who_voted_at_an_earlier_stage_is_left_out() -> None:
    assert who("role:director", at_second_stage(voted("LI"))) == ()
    assert who("role:director", at_second_stage(voted("li", Answer.DENY))) == ()


def test_unless_the_stage_lets_them_repeat() -> None:
    assert who("role:director", at_second_stage(voted("li"), repeat=True)) == ("li",)


def test_the_manager_of_the_approver_is_that_of_whoever_approved_before() -> None:
    assert who("manager_of_approver", at_second_stage(voted("wang"))) == ("li",)
    assert who("manager_of_approver", at_second_stage(voted("wang", Answer.DENY))) == ()
    assert who("manager_of_approver") == ()


def test_several_groups_are_kept_apart() -> None:
    groups = (a_group("role:lead"), a_group("tag:法务", "role:lead"))

    first, second = resolve(groups, a_request(), some_sources())

    assert ids(first) == {"wang"}
    assert ids(second) == {"qian", "wang"}


def test_one_person_fills_one_group_only() -> None:
    groups = (a_group("x"), a_group("y"))

    assert not can_fill(groups, panel("a", "a"), {"a"})
    assert can_fill(groups, panel("a", "ab"), {"a", "b"})


def test_a_person_in_both_groups_is_given_to_the_one_that_needs_them() -> None:
    groups = (a_group("x"), a_group("y"))

    assert can_fill(groups, panel("ab", "a"), {"a", "b"})
    assert can_fill(groups, panel("a", "ab"), {"a", "b"})


def test_a_stage_without_groups_cannot_be_filled() -> None:
    assert not can_fill((), (), {"a"})


def test_a_quorum_of_nothing_is_a_quorum_of_one() -> None:
    assert not can_fill((a_group("x", need=0),), panel("a"), set())
    assert can_fill((a_group("x", need=0),), panel("a"), {"a"})


def test_an_absurd_quorum_is_answered_at_once() -> None:
    assert not can_fill((a_group("x", need=10**12),), panel("ab"), {"a", "b"})


def test_stand_ins_join_only_the_groups_that_are_short() -> None:
    groups = (a_group("x"), a_group("y"))

    law, directors = with_stand_ins(groups, panel("a", ""), panel("z")[0])

    assert ids(law) == {"a"}
    assert ids(directors) == {"z"}


def test_stand_ins_join_all_groups_when_these_share_their_only_person() -> None:
    groups = (a_group("x"), a_group("y"))

    joined = with_stand_ins(groups, panel("a", "a"), panel("z")[0])

    assert [ids(people) for people in joined] == [{"a", "z"}, {"a", "z"}]
    assert can_fill(groups, joined, {"a", "z"})


people = st.frozensets(st.sampled_from("abcd"))


@given(st.lists(st.tuples(people, st.integers(1, 2)), min_size=1, max_size=3), people)
def test_matching_agrees_with_trying_every_assignment(
    wanted: list[tuple[frozenset[str], int]], willing: frozenset[str]
) -> None:
    groups = tuple(Group(("x",), need) for _, need in wanted)
    seats = [pool for pool, need in wanted for _ in range(need)]
    possible = any(
        all(who in seat for who, seat in zip(order, seats, strict=True))
        for order in itertools.permutations(sorted(willing), len(seats))
    )

    assert can_fill(groups, panel(*("".join(p) for p, _ in wanted)), willing) == possible


def test_the_company_of_these_tests_is_what_it_says() -> None:
    assert a_company().manager_of("lin") == ("Wang",)
    assert a_company().manager_of("wang") == ("li",)
