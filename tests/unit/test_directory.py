"""Who belongs where, and who stands above whom (wecom facts: documents 90196 and 90208)."""

from __future__ import annotations

from workflows.directory import Department, Directory, Member

COMPANY = Department(1, "公司")
SALES = Department(2, "销售部", 1)
TEAM = Department(3, "一组", 2)


def test_departments_come_with_all_their_parents() -> None:
    directory = Directory.of([Member("lin", "林", (3,))], [COMPANY, SALES, TEAM])

    assert directory.departments_of("LIN") == {"一组", "销售部", "公司"}


def test_a_circular_tree_is_walked_once() -> None:
    ring = [Department(2, "甲", 3), Department(3, "乙", 2)]
    directory = Directory.of([Member("lin", "林", (2,), 2)], ring)

    assert directory.departments_of("lin") == {"甲", "乙"}
    assert directory.manager_of("lin") == ()


def test_a_department_that_is_its_own_parent_ends_the_walk() -> None:
    directory = Directory.of([Member("lin", "林", (2,), 2)], [Department(2, "甲", 2)])

    assert directory.manager_of("lin") == ()


def test_a_stranger_has_neither_departments_nor_a_manager() -> None:
    directory = Directory.of([], [COMPANY])

    assert directory.departments_of("nobody") == frozenset()
    assert directory.manager_of("nobody") == ()


def test_leaders_are_those_the_department_names_and_members_who_lead_it() -> None:
    sales = Department(2, "销售部", 1, leaders=("WANG", "gone"))
    members = [Member("li", "李", (2,), leads=(2,)), Member("wang", "王", (2,), leads=(2,))]
    directory = Directory.of(members, [COMPANY, sales])

    assert directory.leaders_of("销售部") == ("wang", "li")


def test_a_disabled_leader_is_no_leader() -> None:
    members = [Member("wang", "王", (2,), leads=(2,), status=2)]

    assert Directory.of(members, [SALES]).leaders_of("销售部") == ()


def test_an_unknown_department_has_no_leaders() -> None:
    assert Directory.of([], [SALES]).leaders_of("财务部") == ()


def test_a_name_shared_by_two_departments_means_neither() -> None:
    twin = Department(4, "销售部", 3)
    directory = Directory.of([Member("wang", "王", leads=(2, 4))], [COMPANY, SALES, TEAM, twin])

    assert directory.department_named("销售部") is None
    assert directory.leaders_of("销售部") == ()
    assert directory.department_named("一组") == TEAM


def test_the_direct_leader_is_the_manager() -> None:
    members = [
        Member("lin", "林", (2,), 2, direct_leaders=("LI",)),
        Member("li", "李"),
        Member("wang", "王", (2,), leads=(2,)),
    ]

    assert Directory.of(members, [COMPANY, SALES]).manager_of("lin") == ("li",)


def test_a_disabled_direct_leader_gives_way_to_the_leader_of_the_main_department() -> None:
    members = [
        Member("lin", "林", (1, 2), 2, direct_leaders=("li",)),
        Member("li", "李", status=2),
        Member("wang", "王", (2,), leads=(2,)),
        Member("boss", "总", (1,), leads=(1,)),
    ]

    assert Directory.of(members, [COMPANY, SALES]).manager_of("lin") == ("wang",)


def test_a_leader_answers_to_the_department_above() -> None:
    members = [Member("wang", "王", (2,), 2, leads=(2,)), Member("boss", "总", (1,), leads=(1,))]

    assert Directory.of(members, [COMPANY, SALES]).manager_of("WANG") == ("boss",)


def test_a_department_without_active_leaders_is_passed_over() -> None:
    members = [
        Member("lin", "林", (3,), 3),
        Member("old", "旧", (2,), leads=(2,), status=5),
        Member("boss", "总", (1,), leads=(1,)),
    ]

    assert Directory.of(members, [COMPANY, SALES, TEAM]).manager_of("lin") == ("boss",)


def test_nobody_is_their_own_manager() -> None:
    members = [Member("boss", "总", (1,), 1, leads=(1,), direct_leaders=("boss",))]

    assert Directory.of(members, [COMPANY]).manager_of("boss") == ()


def test_where_wecom_hides_the_main_department_the_first_one_counts() -> None:
    members = [Member("lin", "林", (2,)), Member("wang", "王", (2,), leads=(2,))]

    assert Directory.of(members, [COMPANY, SALES]).manager_of("lin") == ("wang",)


def test_only_active_members_carry_a_tag() -> None:
    law = frozenset({"法务"})
    members = [Member("qian", "钱", tags=law), Member("old", "旧", tags=law, status=4)]

    assert Directory.of(members).tagged("法务") == ("qian",)
