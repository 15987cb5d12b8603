"""A change of the file is told apart: what each edit does alone, and who gains or loses by it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.makers_differences import NOW
from tests.makers_policy import a_policy, a_rule
from workflows.differences import Tendency
from workflows.directory import Directory, Member
from workflows.edits import Edit, How, edits, report
from workflows.model import Outcome
from workflows.policy import Policy
from workflows.standing import Standing

CAP = a_rule("cap", {"today": {"adds": {"gte": 50}}})
ROLES = {
    "seller": {"level": 2, "members": ["department:Sales"]},
    "admin": {"level": 5, "members": ["user:zhaomin"]},
}


def capped(number: int, **more: Any) -> dict[str, Any]:
    return {**CAP, "when": {"today": {"adds": {"gte": number}}}, **more}


def told(old: Policy, new: Policy) -> dict[str, tuple[How, Tendency | None]]:
    def tendency(edit: Edit) -> Tendency | None:
        return edit.alone.tendency if edit.alone else None

    return {edit.place: (edit.how, tendency(edit)) for edit in edits(old, new, NOW)}


def test_each_edit_is_told_by_what_it_does_alone() -> None:
    old = a_policy(CAP, a_rule("gone", {"contact": {"way": "qr"}}))
    new = a_policy(capped(60), a_rule("new", {"contact": {"way": "card"}}))
    assert told(old, new) == {
        "rule.cap": (How.CHANGED, Tendency.LOOSER),
        "rule.new": (How.ADDED, Tendency.STRICTER),
        "rule.gone": (How.REMOVED, Tendency.LOOSER),
    }


def test_an_edit_that_another_one_hides_is_still_told() -> None:
    old, new = a_policy(CAP), a_policy(capped(60), a_rule("floor", {"today": {"adds": {"gte": 9}}}))
    assert told(old, new)["rule.cap"] == (How.CHANGED, Tendency.LOOSER)


def test_a_new_title_or_text_is_wording() -> None:
    new = a_policy({**CAP, "say": "Enough.", "title": "Cap"})
    assert told(a_policy(CAP), new) == {"rule.cap": (How.WORDING, None)}


def test_rules_in_another_order_are_no_edit() -> None:
    other = a_rule("other", {"contact": {"way": "qr"}})
    assert told(a_policy(CAP, other), a_policy(other, CAP)) == {}


def test_an_edit_that_needs_another_is_taken_back_in_the_new_file_instead() -> None:
    group = [{"name": "big", "when": {"customer": {"owner_count": {"gte": 9}}}}]
    rule = a_rule("no", {"customer": {"groups": ["big"]}})
    assert told(a_policy(), a_policy(rule, group=group)) == {
        "rule.no": (How.ADDED, Tendency.STRICTER),
        "group.big": (How.ADDED, Tendency.SAME),
    }


def test_permissions_tiers_schedules_and_defaults_are_edits_too() -> None:
    old = a_policy(a_rule("night", unless={"during": "work_hours"}))
    new = a_policy(
        a_rule("night", unless={"during": "work_hours"}),
        permissions={"friend.add": {"allow": 3, "approval": 1}},
        schedules={"work_hours": {"hours": "09:00-20:00"}},
        defaults={"chain": "director"},
        tier=[{"name": "everybody"}],
    )
    assert told(old, new) == {
        "defaults": (How.CHANGED, Tendency.STRICTER),
        "permissions.friend.add": (How.CHANGED, Tendency.STRICTER),
        "schedules.work_hours": (How.CHANGED, Tendency.LOOSER),
        "tier": (How.CHANGED, Tendency.SAME),
    }


# --- the whole report


def standing(made: Policy) -> Standing:
    people = [Member("zhaomin", "赵敏"), Member("linmei", "林梅")]
    return Standing(made, Directory({m.userid: m for m in people}))


def test_a_report_joins_rules_people_and_settings() -> None:
    roles = {**ROLES, "seller": {"level": 2, "members": ["user:linmei"]}}
    new = a_policy(capped(60), roles=roles, tickets={"skip_verify": False})
    found = report(standing(a_policy(CAP)), standing(new), NOW)
    assert found.comparison.is_looser
    assert [edit.place for edit in found.edits] == ["rule.cap"]
    [shift] = found.shifts
    assert (shift.action, shift.userids) == ("friend.add", ("linmei",))
    assert (shift.before, shift.after) == (Outcome.DENY, Outcome.ALLOW)
    assert [(s.role, s.gained) for s in found.role_shifts] == [("seller", True)]
    assert found.settings == ("roles.seller", "tickets.skip_verify")
    assert found.is_widening


def test_a_tightening_or_a_new_text_widens_nothing() -> None:
    old = standing(a_policy(CAP))
    assert not report(old, standing(a_policy(capped(40))), NOW).is_widening
    reworded = report(old, standing(a_policy({**CAP, "say": "Enough."}, language="en")), NOW)
    assert (reworded.is_widening, reworded.is_empty) == (False, False)


def test_a_role_changed_for_people_who_are_still_to_come_counts_as_widening() -> None:
    roles = {**ROLES, "seller": {"level": 2, "members": ["tag:nobody-yet"]}}
    found = report(standing(a_policy()), standing(a_policy(roles=roles)), NOW)
    assert (found.shifts, found.settings) == ((), ("roles.seller",))
    assert found.is_widening


@pytest.mark.parametrize(
    ("before", "after", "widens"),
    [
        ({}, {"days": 5, "uses": 20}, False),
        ({}, {"days": 8}, True),
        ({}, {"uses": 21}, True),
        ({}, {"days": 3, "uses": 50}, True),
        ({}, {"uses": 0, "days": 6}, False),
        ({"uses": 10}, {"uses": 0}, True),
        ({}, {"enabled": False}, False),
        ({}, {"enabled": False, "days": 30}, False),
        ({"enabled": False}, {}, True),
    ],
)
def test_more_that_can_be_approved_in_advance_is_widening_and_less_is_not(
    before: dict[str, Any], after: dict[str, Any], widens: bool
) -> None:
    old, new = (standing(a_policy(standing_approvals=each)) for each in (before, after))
    found = report(old, new, NOW)
    assert {place.partition(".")[0] for place in found.settings} == {"standing_approvals"}
    assert found.is_widening is widens


def test_less_in_advance_does_not_hide_what_else_widens() -> None:
    new = a_policy(standing_approvals={"days": 1}, tickets={"skip_verify": False})
    assert report(standing(a_policy()), standing(new), NOW).is_widening


def test_a_file_compared_with_itself_gives_an_empty_report() -> None:
    assert report(standing(a_policy(CAP)), standing(a_policy(CAP)), NOW).is_empty


@pytest.mark.parametrize(
    ("before", "after", "is_widening"),
    [
        ({}, {"default": 0}, True),
        ({"default": 0}, {"default": 7}, True),
        ({"default": 0}, {}, False),
        ({"default": 0}, {"default": 0, "title": "Deals"}, False),
    ],
)
def test_a_value_for_customers_who_are_in_no_source_counts_as_widening(
    before: dict[str, Any], after: dict[str, Any], is_widening: bool
) -> None:
    """What was unknown asked a human; a default may let the same customer through."""
    rule = a_rule("big", {"customer": {"x": {"deal_amount": {"gte": 100}}}})
    declared = [{"customer.x.deal_amount": {"type": "int", **each}} for each in (before, after)]
    old, new = (a_policy(rule, attributes=each) for each in declared)

    found = report(Standing(old, Directory()), Standing(new, Directory()), NOW)

    assert found.is_widening is is_widening
