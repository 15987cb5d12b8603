"""Rules that would shut out the admins, or leave requests to nobody, are found in time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from tests.makers_policy import a_policy, a_review, a_rule
from workflows.directory import Department, Directory, Member
from workflows.lockout import WARNINGS, dead_ends, lockout

LEFT = 5
ROLES = {
    "seller": {"level": 2, "members": ["department:Sales"]},
    "director": {"level": 4, "members": ["user:li"]},
    "admin": {"level": 5, "members": ["user:zhao", "user:chen"]},
}
ALONE = {"friend.add": {"allow": 2}, "config.change": {"allow": 5}}
TOGETHER = {"friend.add": {"allow": 2}, "config.change": {"approval": 5}}
ADMINS = {"lead": {"stages": [{"from": ["role:admin"]}]}}


def company(**status: int) -> Directory:
    """lin sells for wang, who reports to li; zhao and chen are admins without a boss."""
    people = [
        Member("lin", "林", (2,), 2, direct_leaders=("wang",)),
        Member("wang", "王", (2,), 2, leads=(2,), direct_leaders=("li",)),
        Member("li", "李", (1,), 1),
        Member("zhao", "赵", (1,), 1),
        Member("chen", "陈", (1,), 1),
    ]
    people = [
        Member(
            m.userid,
            m.name,
            m.departments,
            m.main_department,
            m.leads,
            m.direct_leaders,
            status=status.get(m.userid, 1),
        )
        for m in people
    ]
    return Directory.of(people, [Department(1, "C"), Department(2, "Sales", 1)])


def codes(
    permissions: Mapping[str, Any], *rules: Mapping[str, Any], directory: Directory, **more: Any
) -> list[str]:
    settings: dict[str, Any] = {"roles": ROLES, "chains": ADMINS, "chain_defaults": {}} | more
    made = a_policy(*rules, permissions=permissions, **settings)
    return [m.code for m in lockout(made, directory)]


def ends(*rules: Mapping[str, Any], directory: Directory, **more: Any) -> list[tuple[str, str]]:
    settings = {"roles": ROLES} | more
    found = dead_ends(a_policy(*rules, **settings), directory)
    return [(m.place, m.params["who"]) for m in found]


# --- who can still change the rules


@pytest.mark.parametrize("permissions", [ALONE, TOGETHER])
def test_two_active_admins_are_enough(permissions: Mapping[str, Any]) -> None:
    assert codes(permissions, directory=company()) == []


@pytest.mark.parametrize("permissions", [ALONE, TOGETHER])
def test_of_two_admins_who_are_named_both_must_be_there(permissions: Mapping[str, Any]) -> None:
    assert codes(permissions, directory=company(chen=LEFT)) == ["lockout"]


def test_how_many_are_left_is_told() -> None:
    made = a_policy(permissions=ALONE, roles=ROLES, chains=ADMINS, chain_defaults={})
    (found,) = lockout(made, company(chen=LEFT))
    assert found.params == {"people": "1", "needed": "2"}
    (found,) = lockout(made, company(chen=LEFT, zhao=LEFT))
    assert found.params == {"people": "0", "needed": "2"}


def test_an_admin_who_is_not_in_the_directory_was_named_all_the_same() -> None:
    roles = {**ROLES, "admin": {"level": 5, "members": ["user:zhao", "user:nobody"]}}
    assert codes(ALONE, directory=company(), roles=roles) == ["lockout"]


def test_a_company_that_names_one_admin_is_warned_and_not_refused() -> None:
    roles = {**ROLES, "admin": {"level": 5, "members": ["user:zhao"]}}
    assert codes(ALONE, directory=company(), roles=roles) == ["one_admin"]
    assert "one_admin" in WARNINGS
    assert "lockout" not in WARNINGS


def test_one_admin_who_needs_another_ones_approval_is_shut_out() -> None:
    roles = {**ROLES, "admin": {"level": 5, "members": ["user:zhao"]}}
    assert codes(TOGETHER, directory=company(), roles=roles) == ["lockout"]


def test_one_admin_whose_boss_approves_is_only_warned() -> None:
    roles = {**ROLES, "admin": {"level": 5, "members": ["user:wang"]}}
    lead = {"lead": {"stages": [{"from": ["manager_of_sender"]}]}}
    assert codes(TOGETHER, directory=company(), roles=roles, chains=lead) == ["one_admin"]


def test_without_any_line_for_it_nobody_can_change_the_rules() -> None:
    assert codes({"friend.add": {"allow": 2}}, directory=company()) == ["lockout"]


def test_two_admins_behind_a_chain_that_neither_can_pass_are_shut_out() -> None:
    lead = {"lead": {"stages": [{"from": ["manager_of_sender"]}]}}
    assert codes(TOGETHER, directory=company(), chains=lead) == ["lockout"]
    stood_in = {"chains": lead, "chain_defaults": {"on_no_approver": ["role:admin"]}}
    assert codes(TOGETHER, directory=company(), **stood_in) == []


def test_a_rule_that_sends_changes_to_a_dead_end_shuts_out_who_could_do_it_alone() -> None:
    chains = {**ADMINS, "boss": {"stages": [{"from": ["manager_of_sender"]}]}}
    rule = a_rule("ask", action="config.change", then="approval", chain="boss")
    ranked = {"chains": chains, "chain_defaults": {"strictness": ["lead", "boss"]}}
    assert codes(ALONE, rule, directory=company(), **ranked) == ["lockout"]
    fine = a_rule("ask", action="config.change", then="approval", chain="lead")
    assert codes(ALONE, fine, directory=company(), **ranked) == []


def test_no_rule_may_refuse_a_change_of_the_rules() -> None:
    rule = a_rule("no", {"during": "work_hours"}, action=["friend.add", "config.change"])
    assert codes(ALONE, rule, directory=company()) == ["rule_in_the_way"]
    assert codes(ALONE, {**rule, "mode": "shadow"}, directory=company()) == []
    assert codes(ALONE, {**rule, "mode": "off"}, directory=company()) == []
    review = a_review("no", {"during": "work_hours"}, action="config.change", decide="deny")
    assert codes(ALONE, directory=company(), auto_review=[review]) == ["rule_in_the_way"]


# --- stages that lead nowhere


def test_a_stage_of_admins_with_one_admin_is_a_dead_end_for_that_admin() -> None:
    chains = {"lead": {"stages": [{"from": ["role:admin"]}]}}
    settings: dict[str, Any] = {"chains": chains, "chain_defaults": {}}
    settings["permissions"] = {"customer.export": {"approval": 2}}
    assert ends(directory=company(), **settings) == []
    left = company(chen=LEFT)
    assert ends(directory=left, **settings) == [("chains.lead.stages[#1]", "赵 (zhao)")]


def test_who_has_no_manager_needs_somebody_to_stand_in() -> None:
    asked: dict[str, Any] = {"permissions": {"friend.add": {"approval": 4}}, "chain_defaults": {}}
    lead = {"lead": {"stages": [{"from": ["manager_of_sender"]}]}}
    assert ends(directory=company(), chains=lead, **asked) == [
        ("chains.lead.stages[#1]", "陈 (chen)")
    ]
    asked["chain_defaults"] = {"on_no_approver": ["role:admin"]}
    assert ends(directory=company(), chains=lead, **asked) == []


def test_only_members_who_may_come_to_a_stage_count() -> None:
    chains = {
        "lead": {"stages": [{"from": ["role:admin"]}]},
        "two": {"stages": [{"from": ["manager_of_sender"]}, {"from": ["role:director"]}]},
    }
    settings: dict[str, Any] = {
        "chains": chains,
        "chain_defaults": {"strictness": ["lead", "two"]},
        "permissions": {"friend.add": {"allow": 2}},
    }
    rule = a_rule("vip", {"sender": {"level": {"lt": 3}}}, then="approval", chain="two")
    # wang's manager li is the only director, and nobody counts twice.
    assert ends(rule, directory=company(), **settings) == [("chains.two.stages[#2]", "王 (wang)")]
    narrow = {**rule, "unless": {"sender": {"userid": ["WANG"]}}}
    assert ends(narrow, directory=company(), **settings) == []
    all_levels = {"id": "vip", "action": "friend.add", "then": "approval", "chain": "two"}
    found = ends(all_levels, directory=company(), **settings)
    assert found[0] == ("chains.two.stages[#1]", "陈 (chen)")


def test_who_voted_before_may_vote_again_where_the_stage_says_so() -> None:
    stages = [{"from": ["manager_of_sender"]}, {"from": ["role:director"], "repeat": True}]
    settings: dict[str, Any] = {"chains": {"lead": {"stages": stages}}, "chain_defaults": {}}
    settings["permissions"] = {"friend.add": {"allow": 3, "approval": 2}}
    assert ends(directory=company(), **settings) == []


def test_the_manager_of_the_approver_is_looked_up_through_everybody_who_may_approve() -> None:
    stages = [{"from": ["manager_of_sender"]}, {"from": ["manager_of_approver"]}]
    settings: dict[str, Any] = {"chains": {"lead": {"stages": stages}}, "chain_defaults": {}}
    settings["permissions"] = {"friend.add": {"allow": 3, "approval": 2}}
    # For lin: wang, then li. For wang: li, who has no manager.
    assert ends(directory=company(), **settings) == [("chains.lead.stages[#2]", "王 (wang)")]


def test_whoever_follows_the_customer_cannot_be_told_from_the_directory() -> None:
    stages = [{"from": ["owner_of_customer"]}]
    settings: dict[str, Any] = {"chains": {"lead": {"stages": stages}}, "chain_defaults": {}}
    settings["permissions"] = {"friend.add": {"approval": 2}}
    assert ends(directory=company(), **settings) == []


def test_a_quorum_larger_than_the_people_left_is_a_dead_end() -> None:
    stages = [{"from": ["role:admin"], "need": 2}]
    settings: dict[str, Any] = {"chains": {"lead": {"stages": stages}}, "chain_defaults": {}}
    settings["permissions"] = {"friend.add": {"approval": 2}}
    assert ends(directory=company(), **settings) == [("chains.lead.stages[#1]", "陈 (chen)")]
