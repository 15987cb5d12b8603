"""Who holds which role."""

from __future__ import annotations

import pytest

from workflows import roles
from workflows.directory import Department, Directory, Member
from workflows.sections import Role

DEPARTMENTS = [
    Department(1, "Firm"),
    Department(2, "Sales", 1, leaders=("WangFang",)),
    Department(3, "North", 2),
    Department(4, "Support", 1),
    Department(5, "Desk", 3),
    Department(6, "Desk", 4),
]
MEMBERS = [
    Member("WangFang", "王芳", (2,)),
    Member("liqiang", "李强", (4,), leads=(4,)),
    Member("linmei", "林梅", (3,), tags=frozenset({"trial"}), position="Closer"),
    Member("gone", "离职", (3,), status=5),
    Member("deep", "深", (5,)),
]
COMPANY = Directory.of(MEMBERS, DEPARTMENTS)


def role(level: int, *members: str) -> Role:
    return Role(level=level, members=members)


@pytest.mark.parametrize(
    ("selector", "held_by"),
    [
        ("department:Sales", {"WangFang", "linmei", "deep"}),  # sub-departments too
        ("department:North", {"linmei", "deep"}),
        ("department:Desk", set()),  # two departments share the name
        ("department:Nowhere", set()),
        ("leaders_of:Sales", {"WangFang"}),  # named by the department
        ("leaders_of:Support", {"liqiang"}),  # named by the member
        ("leaders_of:North", set()),
        ("tag:trial", {"linmei"}),
        ("user:wangfang", {"WangFang"}),  # whatever the spelling
        ("user:gone", set()),  # not active
        ("position:Closer", {"linmei"}),
        ("position:Close", set()),
    ],
)
def test_selectors_mean_these_people(selector: str, held_by: set[str]) -> None:
    named = {"r": role(1, selector)}
    assert roles.holders(named, "r", COMPANY) == held_by
    for member in MEMBERS:
        assert ("r" in roles.roles_of(named, member, COMPANY)) is (member.userid in held_by)


ROLES = {
    "seller": role(2, "department:Sales"),
    "lead": role(3, "leaders_of:Sales", "user:liqiang"),
}


def test_the_highest_level_counts_and_nobody_has_level_zero() -> None:
    levels = {m.userid: roles.level_of(ROLES, m, COMPANY) for m in MEMBERS}
    assert levels == {"WangFang": 3, "liqiang": 3, "linmei": 2, "gone": 0, "deep": 2}
    assert roles.level_of(ROLES, Member("new", "新"), COMPANY) == 0


def test_the_table_has_every_active_member_and_agrees_with_asking_one_by_one() -> None:
    found = roles.table(ROLES, COMPANY)
    assert found == {
        m.userid: roles.roles_of(ROLES, m, COMPANY) for m in MEMBERS if m.userid != "gone"
    }
    assert found["WangFang"] == {"seller", "lead"}


def test_a_role_that_does_not_exist_has_no_holders() -> None:
    assert roles.holders(ROLES, "boss", COMPANY) == frozenset()


def test_a_circle_of_departments_ends() -> None:
    circle = Directory.of(
        [Member("a", "a", (8,))], [Department(7, "Top", 8), Department(8, "Low", 7)]
    )
    assert roles.holders({"r": role(1, "department:Top")}, "r", circle) == {"a"}


def test_names_that_the_directory_lacks_are_told() -> None:
    named = {
        "a": role(1, "department:Nowhere", "department:Sales", "department:Desk"),
        "b": role(1, "user:nobody", "tag:none", "position:None", "user:LINMEI"),
    }
    assert [(u.role, u.selector) for u in roles.unknown_names(named, COMPANY)] == [
        ("a", "department:Nowhere"),
        ("a", "department:Desk"),
        ("b", "user:nobody"),
        ("b", "tag:none"),
        ("b", "position:None"),
    ]


def test_a_tag_that_exists_is_known_even_if_nobody_carries_it() -> None:
    named = {"r": role(1, "tag:trainee", "tag:trainees")}
    company = Directory.of(COMPANY.members.values(), COMPANY.departments.values(), ["trainee"])
    assert [u.selector for u in roles.unknown_names(named, company)] == ["tag:trainees"]


def test_what_was_meant_is_guessed_among_names_of_the_same_kind() -> None:
    assert roles.alternative("department:Sale", COMPANY) == "department:Sales"
    assert roles.alternative("user:linmai", COMPANY) == "user:linmei"
    assert roles.alternative("user:nobody at all", COMPANY) == ""
    tagged = Directory.of(COMPANY.members.values(), (), ["trainee"])
    assert roles.alternative("tag:trainees", tagged) == "tag:trainee"


def test_a_member_named_by_their_name_is_guessed_by_userid() -> None:
    lin = next(iter(COMPANY.members.values()))
    assert roles.alternative(f"user:{lin.name}", COMPANY) == f"user:{lin.userid}"


def test_only_names_that_were_known_before_are_newly_unknown() -> None:
    named = {"r": role(1, "department:Sales", "user:nobody")}
    gone = Directory.of(COMPANY.members.values())
    assert [u.selector for u in roles.newly_unknown(named, COMPANY, gone)] == ["department:Sales"]
