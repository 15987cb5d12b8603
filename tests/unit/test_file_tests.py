"""Tests that live in the config file: matrices, tests over time, and what they reach."""

# ruff: noqa: E501 - a table of bad tests reads best with one a line

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import pytest

from tests.makers_policy import a_policy, a_review, a_rule, a_rulebook, mistakes_in, policy_data
from workflows import coverage, flow_tests, policy, rulebook
from workflows.policy import Policy
from workflows.sections import Rulebook

BUSY = {"today": {"adds": {"gte": 50}}}
ALLOWED = {"decision": "allow"}


def a_test(matrix: Mapping[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    given = {"action": "friend.add", "sender": {"level": 2}}
    return {"name": "t", "given": given, "expect": ALLOWED, "matrix": dict(matrix or {}), **more}


def outcome_of(*rules: Mapping[str, Any], **test: Any) -> tuple[policy.Tested, ...]:
    return policy.run_tests(a_policy(*rules, test=[a_test(**test)]))


# --- matrices


def test_a_test_without_a_matrix_is_one_case_under_its_own_name() -> None:
    assert [each.name for each in outcome_of()] == ["t"]


def test_every_combination_is_a_case_that_is_named_by_its_values() -> None:
    rule = a_rule("cap", BUSY)
    matrix = {"today": {"adds": [3, 50]}, "customer.tags": [[], ["b", "a"]]}
    found = outcome_of(rule, matrix=matrix)
    assert [(each.name, each.passed) for each in found] == [
        ("t (today.adds = 3, customer.tags = -)", True),
        ("t (today.adds = 3, customer.tags = a、b)", True),
        ("t (today.adds = 50, customer.tags = -)", False),
        ("t (today.adds = 50, customer.tags = a、b)", False),
    ]
    assert [m.got for m in found[3].misses] == ["deny"]


def test_the_action_and_the_time_may_vary_too() -> None:
    rule = a_rule("night", unless={"during": "work_hours"}, action=["friend.add", "customer.tag"])
    given = {"sender": {"level": 2}}
    matrix = {
        "action": ["friend.add", "customer.tag"],
        "at": ["2026-01-07 10:00", "2026-01-07 23:00"],
    }
    permissions = {"friend.add": {"allow": 2}, "customer.tag": {"allow": 2}}
    test = a_test(matrix, given=given)
    found = policy.run_tests(a_policy(rule, test=[test], permissions=permissions))
    assert [(each.name, each.passed) for each in found] == [
        ("t (action = friend.add, at = 2026-01-07 10:00)", True),
        ("t (action = friend.add, at = 2026-01-07 23:00)", False),
        ("t (action = customer.tag, at = 2026-01-07 10:00)", True),
        ("t (action = customer.tag, at = 2026-01-07 23:00)", False),
    ]


@pytest.mark.parametrize(
    ("matrix", "place", "code"),
    [
        ({"today": {"ads": [1]}}, "test[t].matrix.today.ads[#1]", "unknown_attribute"),
        ({"today.adds": [1, "2"]}, 'test[t].matrix."today.adds"[#2]', "wrong_value"),
        ({"today": {"adds": 3}}, "test[t].matrix.today.adds", "wrong_type"),
        ({"today": {"adds": []}}, "test[t].matrix.today.adds", "empty"),
        ({"action": ["friend.ad"]}, "test[t].matrix.action[#1]", "unknown_action"),
        ({"at": ["noon"]}, "test[t].matrix.at[#1]", "wrong_type"),
        ({"sender": {"level": [1]}}, "test[t].matrix", "duplicate"),
        ({"today": {"adds": [*range(40)], "requests": [*range(40)]}}, "test[t].matrix", "matrix_too_large"),
    ],
)  # fmt: skip
def test_a_bad_matrix_is_told_with_its_place(
    matrix: Mapping[str, Any], place: str, code: str
) -> None:
    assert [(m.place, m.code) for m in mistakes_in(test=[a_test(matrix)])] == [(place, code)]


def test_a_rulebook_that_was_stored_as_json_has_the_same_tests() -> None:
    """TOML times become text there."""
    data = policy_data(test=[a_test(matrix={"at": ["2026-01-07T10:00:00"]})])
    data["test"][0]["given"]["at"] = "2026-01-07T10:00:00"
    del data["test"][0]["matrix"]
    book, wrong = rulebook.read(data)
    assert book is not None, wrong
    again = Rulebook.model_validate_json(book.model_dump_json(by_alias=True))
    assert policy.hash_of(again) == policy.hash_of(book)
    assert policy.run_tests(policy.compile_policy(again)) == policy.run_tests(
        policy.compile_policy(book)
    )


# --- tests over time

PEOPLE: dict[str, dict[str, Any]] = {
    "zhou": {"roles": [], "tags": ["trial"], "manager": "Wang"},
    "Wang": {"name": "王", "departments": ["Sales"], "leads": ["Sales"]},
    "li": {"roles": ["director"]},
    "zhao": {"roles": ["admin"]},
}
SECTIONS: Mapping[str, Any] = {
    "roles": {
        "trainee": {"level": 1, "members": ["tag:trial"]},
        "seller": {"level": 2, "members": ["department:Sales"]},
        "director": {"level": 4, "members": ["user:someone"]},
        "admin": {"level": 5, "members": ["user:else"]},
    },
    "chains": {
        "lead": {"stages": [{"from": ["manager_of_sender"]}]},
        "two": {"stages": [{"from": ["manager_of_sender"]}, {"from": ["role:director"]}]},
        "owner": {"stages": [{"from": ["owner_of_customer"]}]},
    },
    "chain_defaults": {
        "strictness": ["lead", "two", "owner"],
        "clock": "work_hours",
        "expires_after": "8h",
        "on_no_approver": ["role:admin"],
    },
}
START = {"at": "2026-01-07 10:00"}


def a_flow(*steps: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    people = copy.deepcopy(PEOPLE)
    del people["zhou"]["roles"]
    request = {"by": "zhou", "action": "friend.add"} | more.pop("request", {})
    return {"name": "f", "people": people, "request": request, "steps": list(steps), **more}


def judge(*rules: Mapping[str, Any], **more: Any) -> Policy:
    return a_policy(*rules, **{**SECTIONS, **more})


def missed(flow: Mapping[str, Any], *rules: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return what did not come true of one test over time."""
    (found,) = flow_tests.run_all(judge(*rules, flow_test=[flow]))
    return [(m.what, m.expected, m.got) for m in found.misses]


def expect(**wanted: Any) -> dict[str, Any]:
    return {"expect": wanted}


TWO = a_rule("two", then="approval", chain="two")


def test_a_request_is_followed_from_stage_to_stage() -> None:
    steps = [
        START,
        expect(state="pending", stage=1, asked=["wang"], decision="approval", chain="two"),
        {"do": "approve", "by": "WANG"},
        expect(state="pending", stage=2, asked=["LI"], rules=["two"]),
        {"do": "approve", "by": "zhou", "refused": "own_request"},
        {"do": "approve", "by": "zhao", "refused": "not_an_approver"},
        {"do": "deny", "by": "li", "refused": "comment_needed"},
        {"do": "deny", "by": "li", "comment": "no"},
        expect(state="denied", decided_by="li"),
        {"do": "approve", "by": "li", "refused": "already_decided"},
    ]
    assert missed(a_flow(*steps), TWO) == []


def test_what_does_not_come_true_is_told_with_the_number_of_the_step() -> None:
    steps = [
        expect(state="approved", stage=2, asked=["li"], decided_by="li", decision="allow"),
        {"do": "approve", "by": "zhou"},
        {"do": "approve", "by": "wang", "refused": "own_request"},
    ]
    assert missed(a_flow(*steps), TWO) == [
        ("steps[#1].expect.asked", "li", "wang"),
        ("steps[#1].expect.state", "approved", "pending"),
        ("steps[#1].expect.stage", "2", "1"),
        ("steps[#1].expect.decided_by", "li", "-"),
        ("steps[#1].expect.decision", "allow", "approval"),
        ("steps[#2].refused", "-", "own_request"),
        ("steps[#3].refused", "own_request", "-"),
    ]


def test_time_runs_in_the_schedule_that_is_named_and_expiry_comes_by_itself() -> None:
    steps = [
        {"at": "2026-01-07 15:00"},
        {"wait": "3h", "clock": "work_hours"},
        expect(state="pending"),
        {"wait": "10h"},  # the night does not count
        expect(state="pending"),
        {"wait": "4h", "clock": "work_hours"},
        expect(state="expired", decided_by="system:timer"),
        {"do": "approve", "by": "wang", "refused": "already_decided"},
    ]
    assert missed(a_flow(*steps)) == []


def test_a_minute_before_the_time_is_over_an_answer_still_counts() -> None:
    steps = [START, {"at": "2026-01-07 17:59"}, {"do": "approve", "by": "wang"}]
    assert missed(a_flow(*steps, expect(state="approved"))) == []


def test_time_does_not_go_back() -> None:
    steps = [START, {"at": "2026-01-07 09:59"}]
    assert missed(a_flow(*steps)) == [("steps[#2].at", ">= 2026-01-07 10:00", "2026-01-07 09:59")]


def test_without_a_time_it_begins_on_a_wednesday_at_ten() -> None:
    rule = a_rule("shut", {"during": "work_hours"})
    assert missed(a_flow(expect(state="denied", decision="deny")), rule) == []


def test_roles_follow_from_what_is_written_unless_they_are_named() -> None:
    trainee = a_rule("t", {"sender": {"roles": ["trainee"], "level": 1}})
    assert missed(a_flow(expect(rules=["t"])), trainee) == []
    named = a_flow(expect(rules=[], decision="allow"))
    named["people"]["zhou"]["roles"] = ["director"]
    assert missed(named, trainee) == []


def test_facts_of_the_cast_are_known_and_others_only_if_given() -> None:
    unknown = a_rule("cap", BUSY)
    assert missed(a_flow(expect(missing=["today.adds"])), unknown) == []
    request = {"facts": {"today": {"adds": 50}}, "owners": ["li"]}
    owned = a_rule("owned", {"customer": {"owner_count": 1, "owners": ["LI"]}})
    flow = a_flow(expect(rules=["cap", "owned"], missing=[]), request=request)
    assert missed(flow, unknown, owned) == []


def test_whoever_follows_the_customer_may_be_asked() -> None:
    ask = a_rule("ask", then="approval", chain="owner")
    steps = [expect(asked=["li"]), {"do": "leave", "by": "li"}, expect(asked=["zhao"])]
    assert missed(a_flow(*steps, request={"owners": ["li"]}), ask) == []


def test_who_leaves_is_asked_no_longer_and_their_own_request_is_withdrawn() -> None:
    left = a_flow(
        {"do": "leave", "by": "wang"},
        expect(state="pending", asked=["zhao"]),
        {"do": "approve", "by": "wang", "refused": "not_an_approver"},
        {"do": "leave", "by": "zhou"},
        expect(state="withdrawn", decided_by="system:leaver"),
        {"do": "leave", "by": "zhao"},
    )
    assert missed(left) == []


def test_a_request_is_withdrawn_and_an_approval_taken_back() -> None:
    withdrawn = a_flow(
        {"do": "withdraw", "by": "wang", "refused": "not_yours"},
        {"do": "withdraw", "by": "zhou"},
        expect(state="withdrawn", decided_by="zhou"),
    )
    revoked = a_flow(
        {"do": "revoke", "by": "wang", "refused": "not_decided"},
        {"do": "approve", "by": "wang"},
        {"do": "revoke", "by": "li", "refused": "not_an_approver"},
        {"do": "revoke", "by": "wang"},
        expect(state="revoked"),
    )
    assert missed(withdrawn) == []
    assert missed(revoked) == []


def test_a_stage_may_ask_for_words_of_its_own() -> None:
    stage = {"from": ["manager_of_sender"], "comment": {"approve": "required"}}
    flow = a_flow(
        {"do": "approve", "by": "wang", "refused": "comment_needed"},
        {"do": "approve", "by": "wang", "comment": "ok"},
        expect(state="approved"),
    )
    sections = {"chains": {"lead": {"stages": [stage]}}, "chain_defaults": {}}
    (found,) = flow_tests.run_all(judge(flow_test=[flow], **sections))
    assert found.passed


@pytest.mark.parametrize(
    ("change", "place", "code"),
    [
        ({"steps": []}, "flow_test[f].steps", "empty"),
        ({"steps": [{}]}, "flow_test[f].steps[#1]", "flow_step"),
        ({"steps": [{"at": "2026-01-07 10:00", "wait": "2h"}]}, "flow_test[f].steps[#1]", "flow_step"),
        ({"steps": [{"at": "noon"}]}, "flow_test[f].steps[#1].at", "wrong_type"),
        ({"steps": [{"at": 3}]}, "flow_test[f].steps[#1].at", "wrong_type"),
        ({"steps": [{"wait": "2 hours"}]}, "flow_test[f].steps[#1].wait", "bad_duration"),
        ({"steps": [{"wait": "2h", "clock": "work"}]}, "flow_test[f].steps[#1].clock", "unknown_schedule"),
        ({"steps": [{"do": "aprove", "by": "wang"}]}, "flow_test[f].steps[#1].do", "not_one_of"),
        ({"steps": [{"do": "approve"}]}, "flow_test[f].steps[#1].by", "required"),
        ({"steps": [{"do": "approve", "by": "wong"}]}, "flow_test[f].steps[#1].by", "unknown_person"),
        ({"steps": [{"do": "approve", "by": "wang", "refused": "no"}]}, "flow_test[f].steps[#1].refused", "not_one_of"),
        ({"steps": [{"wait": "2h", "by": "wang"}]}, "flow_test[f].steps[#1].by", "belongs_to"),
        ({"steps": [expect(state="done")]}, "flow_test[f].steps[#1].expect.state", "not_one_of"),
        ({"steps": [expect(stage=0)]}, "flow_test[f].steps[#1].expect.stage", "too_small"),
        ({"steps": [expect(asked=["wong"])]}, "flow_test[f].steps[#1].expect.asked", "unknown_person"),
        ({"steps": [expect(decided_by="wong")]}, "flow_test[f].steps[#1].expect.decided_by", "unknown_person"),
        ({"steps": [expect(chain="tow")]}, "flow_test[f].steps[#1].expect.chain", "unknown_chain"),
        ({"steps": [expect(rules=["x"])]}, "flow_test[f].steps[#1].expect.rules", "unknown_rule"),
        ({"steps": [expect(missing=["x"])]}, "flow_test[f].steps[#1].expect.missing", "unknown_attribute"),
        ({"steps": [expect(auto_review="x")]}, "flow_test[f].steps[#1].expect.auto_review", "unknown_rule"),
        ({"request": {"by": "zoe", "action": "friend.add"}}, "flow_test[f].request.by", "unknown_person"),
        ({"request": {"by": "zhou", "action": "friend.ad"}}, "flow_test[f].request.action", "unknown_action"),
        ({"request": {"by": "zhou", "action": "friend.add", "owners": ["zoe"]}}, "flow_test[f].request.owners", "unknown_person"),
        ({"request": {"by": "zhou", "action": "friend.add", "facts": {"today": {"ads": 1}}}}, "flow_test[f].request.facts.today.ads", "unknown_attribute"),
        ({"people": {**PEOPLE, "zhou": {"roles": ["trainy"]}}}, "flow_test[f].people.zhou.roles", "unknown_role"),
        ({"people": {**PEOPLE, "zhou": {"manager": "wong"}}}, "flow_test[f].people.zhou.manager", "unknown_person"),
        ({"people": {**PEOPLE, "WANG": {}}}, "flow_test[f].people.WANG", "duplicate"),
    ],
)  # fmt: skip
def test_a_bad_test_over_time_is_told_with_its_place(
    change: dict[str, Any], place: str, code: str
) -> None:
    flow = {**a_flow(START), **change}
    found = mistakes_in(**{**SECTIONS, "flow_test": [flow]})
    assert [(m.place, m.code) for m in found] == [(place, code)]


def test_two_tests_over_time_may_not_share_a_name() -> None:
    found = mistakes_in(**{**SECTIONS, "flow_test": [a_flow(START), a_flow(START)]})
    assert [(m.place, m.code) for m in found] == [("flow_test[f].name", "duplicate")]


def test_a_test_over_time_that_was_stored_as_json_is_the_same() -> None:
    book = a_rulebook(**{**SECTIONS, "flow_test": [a_flow(START, expect(state="pending"))]})
    again = Rulebook.model_validate_json(book.model_dump_json(by_alias=True))
    assert again == book


# --- what the tests reach


def test_coverage_names_what_held_what_never_did_and_which_conditions_never_did() -> None:
    made = judge(
        a_rule("hit", {"any": [{"today": {"adds": {"gte": 50}}}, {"today": {"denials": 9}}]}),
        a_rule("missed", {"today": {"adds": {"gte": 90}}}),
        a_rule("unknown", {"claim": {"signed": True}}),
        a_rule("cancelled", BUSY, unless={"sender": {"level": 2}}),
        a_rule("off", BUSY, mode="off"),
        a_rule("flow", {"sender": {"roles": ["trainee"]}}, then="approval", mode="shadow"),
        auto_review=[a_review("quick", BUSY), a_review("slow", {"today": {"adds": 9}})],
        test=[a_test({"today": {"adds": [3, 50]}}, expect={"decision": "allow"})],
        flow_test=[a_flow(START)],
    )
    found = coverage.of(made)
    assert found.reached == ("rule.hit", "rule.flow", "auto_review.quick")
    assert found.never == (
        "rule.missed",
        "rule.unknown",
        "rule.cancelled",
        "auto_review.slow",
    )
    assert found.leaves == ("rule.hit.when.any.1.today.denials",)
