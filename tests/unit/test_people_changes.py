"""What happened to whom between two directories, and what it gave or took."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.makers_policy import a_policy
from workflows import people_changes
from workflows.directory import Department, Directory, Member
from workflows.people_changes import Fact, PersonChange, What
from workflows.standing import Standing

FIRM, SALES, DESK = Department(1, "Firm"), Department(2, "Sales", 1), Department(3, "Desk", 2)
UNITS = [FIRM, SALES, DESK]
LIN = Member("linmei", "林梅", (1,))
ZHAO = Member("zhaomin", "赵敏", (1,))
PERMISSIONS = {"friend.add": {"allow": 2}, "config.change": {"approval": 5}}
ROLES = {
    "seller": {"level": 2, "members": ["department:Sales", "tag:Old hand"]},
    "lead": {"level": 3, "members": ["leaders_of:Sales"]},
    "admin": {"level": 5, "members": ["user:zhaomin"]},
}


def standing(*members: Member, units: list[Department] | None = None) -> Standing:
    policy = a_policy(roles=ROLES, permissions=PERMISSIONS)
    return Standing(policy, Directory.of([*members, ZHAO], units or UNITS))


def between(before: Standing, after: Standing, **more: Any) -> tuple[PersonChange, ...]:
    return people_changes.between(before, after, **more)


def test_a_move_names_the_departments_and_what_it_gives() -> None:
    [change] = between(standing(LIN), standing(replace(LIN, departments=(3,))))
    assert change.facts == (Fact(What.ENTERED, "Desk"), Fact(What.WITHDREW, "Firm"))
    assert [(r.role, r.gained) for r in change.roles] == [("seller", True)]
    assert [c.action for c in change.actions] == ["friend.add"]
    assert change.counts
    assert change.gained


def test_what_changes_nothing_is_a_fact_that_does_not_count() -> None:
    [change] = between(standing(LIN), standing(replace(LIN, position="Clerk")))
    assert change.facts == (Fact(What.POSITION, "Clerk", ""),)
    assert not change.counts


def test_tags_positions_and_leaders_are_told_apart() -> None:
    now = replace(LIN, tags=frozenset({"Old hand"}), position="Head", departments=(2,), leads=(2,))
    was = replace(LIN, tags=frozenset({"New"}), departments=(2,))
    [change] = between(standing(was), standing(now))
    assert change.facts == (
        Fact(What.TAGGED, "Old hand"),
        Fact(What.UNTAGGED, "New"),
        Fact(What.POSITION, "Head", ""),
        Fact(What.LEADS, "Sales"),
    )


def test_coming_leaving_and_coming_back_are_told_by_status() -> None:
    seller = replace(LIN, departments=(2,))
    for was, now, what in (
        (None, seller, What.JOINED),
        (seller, None, What.GONE),
        (seller, replace(seller, status=5), What.LEFT),
        (seller, replace(seller, status=2), What.DISABLED),
        (replace(seller, status=2), seller, What.BACK),
        (replace(seller, status=4), seller, What.JOINED),
    ):
        before, after = (standing(*([m] if m else [])) for m in (was, now))
        [change] = between(before, after)
        assert change.facts[0].what is what
        assert change.name == "林梅"
        assert change.counts


def test_who_is_touched_only_by_a_renamed_department_is_told_with_it() -> None:
    inside = replace(LIN, departments=(3,))
    renamed = [FIRM, replace(SALES, name="Trade"), DESK]
    [change] = between(standing(inside), standing(inside, units=renamed))
    assert change.facts == (Fact(What.DEPARTMENT_RENAMED, "Trade", "Sales"),)
    assert [(r.role, r.gained) for r in change.roles] == [("seller", False)]


def test_a_second_department_of_the_name_empties_the_role_and_is_told() -> None:
    inside = replace(LIN, departments=(2,))
    twice = [*UNITS, Department(9, "Sales", 1)]
    [change] = between(standing(inside), standing(inside, units=twice))
    assert change.facts == (Fact(What.DIRECTORY),)
    assert change.counts


def test_another_userid_is_the_same_person_with_the_same_permissions() -> None:
    inside = replace(LIN, departments=(2,))
    named = {"linmei": "lin.mei"}
    [change] = between(standing(inside), standing(replace(inside, userid="lin.mei")), renamed=named)
    assert change.facts == (Fact(What.RENAMED, "lin.mei", "linmei"),)
    assert not change.counts


def test_another_userid_loses_what_the_rules_give_to_the_old_one() -> None:
    before = standing()
    renamed = replace(ZHAO, userid="zhao.min")
    after = Standing(before.policy, Directory.of([renamed], UNITS))
    [change] = between(before, after, renamed={"zhaomin": "zhao.min"})
    assert change.facts == (Fact(What.RENAMED, "zhao.min", "zhaomin"),)
    assert [(r.userid, r.role, r.gained) for r in change.roles] == [("zhao.min", "admin", False)]


def test_people_to_whom_the_same_happened_are_put_together() -> None:
    many = [Member(f"m{n}", f"M{n}", (1,)) for n in range(30)]
    gone = Member("old", "Old", (2,))
    moved = [replace(m, departments=(2,)) for m in many]
    groups = people_changes.alike(between(standing(*many, gone), standing(*moved)))
    assert [len(each.names) for each in groups] == [30, 1]
    assert groups[0].one.gained


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_looking_only_at_those_who_differ_finds_the_same(data: st.DataObject) -> None:
    def somebody(userid: str) -> Member:
        return Member(
            userid,
            userid.upper(),
            tuple(data.draw(st.lists(st.sampled_from((1, 2, 3)), unique=True))),
            leads=tuple(data.draw(st.lists(st.sampled_from((2, 3)), max_size=1))),
            tags=data.draw(st.frozensets(st.sampled_from(("Old hand",)))),
            status=data.draw(st.sampled_from((1, 1, 2, 5))),
        )

    was = [somebody(each) for each in "abc"]
    now = [data.draw(st.sampled_from((m, somebody(m.userid)))) for m in was]
    units = [replace(SALES, leaders=("a",)) if each is SALES else each for each in UNITS]
    before, after = standing(*was, units=units), standing(*now, units=units)
    other = Standing(a_policy(roles=ROLES, permissions=PERMISSIONS), after.directory)
    assert other.policy is not after.policy  # so that everybody is looked at

    same = Standing(before.policy, after.directory)
    assert between(before, same) == between(before, other)
