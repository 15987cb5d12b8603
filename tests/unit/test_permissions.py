"""What a change of rules or people gives to whom or takes away."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tests.makers_policy import a_policy
from workflows import permissions, roles
from workflows.attributes import ACTIONS
from workflows.directory import Department, Directory, Member
from workflows.model import Outcome
from workflows.permissions import Change, RoleChange, RoleShift, Shift

ALLOW, APPROVAL, DENY = Outcome
SALES = [Department(1, "Firm"), Department(2, "Sales", 1)]
LIN, ZHAO = Member("linmei", "林梅", (2,)), Member("zhaomin", "赵敏", (1,))
COMPANY = Directory.of([LIN, ZHAO], SALES)
SELLERS = {"level": 2, "members": ["department:Sales"]}
ADMINS = {"level": 5, "members": ["user:zhaomin"]}


def table(directory: Directory = COMPANY, **sections: Any) -> permissions.Table:
    return permissions.table(a_policy(**sections), directory)


def test_the_table_says_what_levels_allow_for_every_action() -> None:
    found = table(permissions={"friend.add": {"allow": 3, "approval": 2}})
    assert found["linmei"]["friend.add"] is APPROVAL
    assert found["zhaomin"]["friend.add"] is ALLOW
    assert found["zhaomin"]["customer.export"] is DENY
    assert set(found["linmei"]) == set(ACTIONS)


def test_nothing_changes_between_equal_tables() -> None:
    assert permissions.changes(table(), table()) == ()


def test_a_lowered_level_is_a_gain_for_those_who_reach_it() -> None:
    before = table(permissions={"friend.add": {"allow": 3, "approval": 2}})
    after = table(permissions={"friend.add": {"allow": 2}})
    (change,) = permissions.changes(before, after)
    assert change == Change("linmei", "friend.add", APPROVAL, ALLOW)
    assert change.gained
    assert not permissions.changes(after, before)[0].gained


def test_a_leaver_loses_everything_and_a_newcomer_gains() -> None:
    left = Directory.of([replace(LIN, status=5), ZHAO], SALES)
    assert permissions.changes(table(), table(left)) == (
        Change("linmei", "friend.add", ALLOW, DENY),
    )
    assert permissions.changes(table(left), table()) == (
        Change("linmei", "friend.add", DENY, ALLOW),
    )


def test_another_spelling_of_a_userid_is_the_same_person() -> None:
    respelled = Directory.of([replace(LIN, userid="LinMei"), ZHAO], SALES)
    assert permissions.changes(table(), table(respelled)) == ()


def test_changes_are_grouped_by_what_happened_with_gains_first() -> None:
    found = (
        Change("b", "friend.add", DENY, ALLOW),
        Change("c", "customer.tag", ALLOW, DENY),
        Change("a", "friend.add", DENY, ALLOW),
    )
    assert permissions.shifts(found) == (
        Shift("friend.add", DENY, ALLOW, ("a", "b")),
        Shift("customer.tag", ALLOW, DENY, ("c",)),
    )


def test_roles_given_and_lost_are_told_by_person_and_by_role() -> None:
    before = a_policy(roles={"seller": SELLERS, "admin": ADMINS})
    after = a_policy(roles={"admin": {"level": 5, "members": ["user:linmei"]}})
    found = permissions.role_changes(
        roles.table(before.rulebook.roles, COMPANY), roles.table(after.rulebook.roles, COMPANY)
    )
    assert found == (
        RoleChange("linmei", "admin", gained=True),
        RoleChange("linmei", "seller", gained=False),
        RoleChange("zhaomin", "admin", gained=False),
    )
    assert permissions.role_shifts(found) == (
        RoleShift("admin", True, ("linmei",)),
        RoleShift("admin", False, ("zhaomin",)),
        RoleShift("seller", False, ("linmei",)),
    )
