"""The rules of a decision, one test each, and what must hold for any policy and any facts."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.makers_policy import (
    FACTS,
    MORNING,
    a_policy,
    a_review,
    a_rule,
    a_rulebook,
    judged,
    policy_data,
    without,
)
from workflows import policy, rulebook
from workflows.model import Facts, FactValue, Outcome, Reason
from workflows.schedules import Holidays
from workflows.sections import Rulebook

ALLOW, APPROVAL, DENY = Outcome
BUSY = {"today": {"adds": {"gte": 50}}}
RICH = {"customer": {"x": {"deal_amount": {"gte": 100_000}}}}
TIERS = [{"name": "vip", "when": RICH}, {"name": "normal"}]


def level(number: int) -> Facts:
    return {**FACTS, "sender.level": number}


# --- permission


@pytest.mark.parametrize(("held", "outcome"), [(0, DENY), (1, APPROVAL), (2, ALLOW), (9, ALLOW)])
def test_the_level_gives_allow_approval_or_nothing(held: int, outcome: Outcome) -> None:
    assert judged(a_policy(), level(held)).outcome is outcome


def test_an_action_without_a_line_in_permissions_is_refused() -> None:
    verdict = policy.decide(a_policy(), level(9), "customer.export", MORNING)
    assert (verdict.outcome, verdict.reason) == (DENY, Reason.NO_PERMISSION)


@pytest.mark.parametrize("value", ["5", True, 2.5])
def test_a_level_that_is_no_number_is_unknown_and_refused(value: FactValue) -> None:
    verdict = judged(a_policy(), {**FACTS, "sender.level": value})
    assert (verdict.outcome, verdict.reason) == (DENY, Reason.NO_PERMISSION)
    assert verdict.missing == ("sender.level",)


def test_a_grant_raises_one_action_to_allow() -> None:
    granted = frozenset({"friend.add"})
    assert judged(a_policy(), level(0), granted=granted).outcome is ALLOW


def test_a_grant_for_an_action_nobody_is_allowed_only_lets_one_ask() -> None:
    made = a_policy(permissions={"friend.add": {"approval": 4}})
    assert judged(made, level(1), granted=frozenset({"friend.add"})).outcome is APPROVAL


def test_a_grant_does_not_lift_a_rule() -> None:
    made = a_policy(a_rule("closed"))
    assert judged(made, level(1), granted=frozenset({"friend.add"})).outcome is DENY


def test_asking_by_level_uses_the_default_chain() -> None:
    verdict = judged(a_policy(), level(1))
    assert (verdict.chain, verdict.reason) == ("lead", Reason.LEVEL)


# --- rules


def test_the_most_restrictive_rule_wins_and_both_are_listed() -> None:
    made = a_policy(a_rule("ask", then="approval"), a_rule("no"))
    verdict = judged(made)
    assert (verdict.outcome, verdict.rules) == (DENY, ("ask", "no"))


def test_everything_in_when_must_hold() -> None:
    made = a_policy(a_rule("both", {**BUSY, **RICH}))
    assert judged(made, {**FACTS, "today.adds": 50}).outcome is ALLOW
    assert judged(made, {**FACTS, "today.adds": 50, "customer.x.deal_amount": 100_000}).rules


def test_any_is_or() -> None:
    made = a_policy(a_rule("either", {"any": [BUSY, RICH]}))
    assert judged(made, {**FACTS, "today.adds": 50}).outcome is DENY
    assert judged(made, {**FACTS, "customer.x.deal_amount": 100_000}).outcome is DENY
    assert judged(made).outcome is ALLOW


def test_a_list_means_any_of() -> None:
    made = a_policy(a_rule("ways", {"contact": {"way": ["qr", "card"]}}))
    assert judged(made).outcome is DENY
    assert judged(made, {**FACTS, "contact.way": "phone"}).outcome is ALLOW


def test_a_true_unless_cancels_a_rule() -> None:
    made = a_policy(a_rule("no", unless={"contact": {"way": "qr"}}))
    assert judged(made).outcome is ALLOW


def test_an_unknown_unless_does_not_cancel_and_is_named() -> None:
    made = a_policy(a_rule("no", unless={"contact": {"way": "qr"}}))
    verdict = judged(made, without("contact.way"))
    assert (verdict.outcome, verdict.missing) == (DENY, ("contact.way",))


def test_during_reads_the_schedule_at_the_time_of_the_event() -> None:
    made = a_policy(a_rule("night", unless={"during": "work_hours"}))
    assert judged(made).outcome is ALLOW
    assert judged(made, at=datetime(2026, 1, 7, 14, 0, tzinfo=UTC)).outcome is DENY


def test_during_knows_holidays_where_the_schedule_follows_them() -> None:
    day = Holidays(off=frozenset({date(2026, 1, 7)}), years=frozenset({2026}))
    hours = {"work_hours": {"hours": "09:00-19:00", "holidays": "CN"}}
    rule = a_rule("off", unless={"during": "work_hours"})
    assert judged(a_policy(rule, holidays=day, schedules=hours)).outcome is DENY
    assert judged(a_policy(rule, holidays=day)).outcome is ALLOW


def test_the_strictest_chain_is_used_and_the_others_are_listed() -> None:
    made = a_policy(
        a_rule("a", then="approval", chain="director"), a_rule("b", then="approval", chain="lead")
    )
    verdict = judged(made)
    assert (verdict.chain, verdict.other_chains) == ("director", ("lead",))


def test_a_milder_rule_does_not_soften_the_chain_that_the_level_asks_for() -> None:
    made = a_policy(a_rule("mild", then="approval", chain="lead"), defaults={"chain": "director"})
    assert judged(made, level(1)).chain == "director"


def test_the_denied_read_only_what_the_refusing_rules_say() -> None:
    made = a_policy(a_rule("ask", then="approval", say="ask"), a_rule("no", say="no"))
    assert judged(made).say == ("no",)


def test_placeholders_are_filled_and_a_missing_fact_reads_as_a_question_mark() -> None:
    made = a_policy(
        a_rule("no", say="{today.adds} of 50, {customer.name}, {customer.tier}"), tier=TIERS
    )
    assert judged(made).say == ("3 of 50, ?, normal",)


def test_braces_in_a_customers_name_are_not_read_again() -> None:
    made = a_policy(a_rule("no", say="{customer.name}"))
    assert judged(made, {**FACTS, "customer.name": "{sender.level}"}).say == ("{sender.level}",)


# --- what is not known


def test_a_deny_rule_that_cannot_be_ruled_out_asks_a_human() -> None:
    verdict = judged(a_policy(a_rule("cap", BUSY, say="secret")), without("today.adds"))
    assert (verdict.outcome, verdict.reason, verdict.chain) == (APPROVAL, Reason.MISSING, "lead")
    assert (verdict.missing, verdict.rules, verdict.say) == (("today.adds",), (), ())


def test_or_refuses_if_the_file_says_so() -> None:
    made = a_policy(a_rule("cap", BUSY), defaults={"chain": "lead", "on_missing": "deny"})
    verdict = judged(made, without("today.adds"))
    assert (verdict.outcome, verdict.reason) == (DENY, Reason.MISSING)


def test_an_approval_rule_that_cannot_be_ruled_out_asks_its_own_chain() -> None:
    made = a_policy(a_rule("cap", BUSY, then="approval", chain="director"))
    verdict = judged(made, without("today.adds"))
    assert (verdict.outcome, verdict.chain) == (APPROVAL, "director")


def test_a_definite_false_settles_whatever_else_is_missing() -> None:
    verdict = judged(a_policy(a_rule("both", {**RICH, **BUSY})), without("today.adds"))
    assert (verdict.outcome, verdict.missing) == (ALLOW, ())


def test_a_sure_refusal_does_not_name_what_did_not_matter() -> None:
    made = a_policy(a_rule("cap", BUSY, then="approval"), a_rule("no"))
    assert judged(made, without("today.adds")).missing == ()


def test_a_value_of_the_wrong_type_is_unknown() -> None:
    verdict = judged(a_policy(a_rule("cap", BUSY)), {**FACTS, "today.adds": "many"})
    assert verdict.missing == ("today.adds",)


def test_exists_false_is_the_only_test_that_a_missing_fact_passes() -> None:
    made = a_policy(a_rule("blank", {"customer": {"corp_name": {"exists": False}}}))
    assert judged(made, without("customer.corp_name")).outcome is DENY
    assert judged(made).outcome is ALLOW


def test_an_unknown_tier_stays_unknown_and_names_what_it_lacked() -> None:
    made = a_policy(a_rule("vip", {"customer": {"tier": "vip"}}), tier=TIERS)
    verdict = judged(made, without("customer.x.deal_amount"))
    assert (verdict.outcome, verdict.missing) == (APPROVAL, ("customer.x.deal_amount",))


def test_the_first_tier_that_holds_counts() -> None:
    tiers = [
        {"name": "top", "when": {"customer": {"x": {"deal_amount": {"gte": 500_000}}}}},
        *TIERS,
    ]
    made = a_policy(a_rule("vip", {"customer": {"tier": "vip"}}), tier=tiers)
    assert judged(made, {**FACTS, "customer.x.deal_amount": 100_000}).outcome is DENY
    assert judged(made, {**FACTS, "customer.x.deal_amount": 500_000}).outcome is ALLOW


def test_a_tier_among_the_facts_is_taken_as_it_is() -> None:
    made = a_policy(a_rule("vip", {"customer": {"tier": "vip"}}), tier=TIERS)
    assert judged(made, {**FACTS, "customer.tier": "vip"}).outcome is DENY


@pytest.mark.parametrize(
    ("condition", "outcome"),
    [
        ({"contains_any": ["IP"]}, DENY),  # case and width do not matter
        ({"contains_any": ["\uff36IP", "x"]}, DENY),
        ({"starts_with": ["v"]}, DENY),
        ({"contains_any": ["norm"]}, ALLOW),
        ({"starts_with": ["ip"]}, ALLOW),
    ],
)
def test_the_name_of_a_computed_tier_is_text_like_any_other(
    condition: dict[str, Any], outcome: Outcome
) -> None:
    made = a_policy(a_rule("vip", {"customer": {"tier": condition}}), tier=TIERS)
    assert judged(made, {**FACTS, "customer.x.deal_amount": 100_000}).outcome is outcome
    assert judged(made, without("customer.x.deal_amount")).outcome is APPROVAL


def grouped(rule_when: dict[str, Any]) -> policy.Policy:
    groups = [
        {"name": "rich", "when": RICH},
        {"name": "taken", "when": {"customer": {"owner_count": {"gte": 1}}}},
    ]
    return a_policy(a_rule("g", {"customer": {"groups": rule_when}}), group=groups)


@pytest.mark.parametrize(
    ("condition", "owners", "outcome"),
    [
        ({"any_of": ["rich", "taken"]}, 1, DENY),  # taken is sure
        ({"any_of": ["rich"]}, 1, APPROVAL),
        ({"any_of": ["taken"]}, 0, ALLOW),  # rich does not matter
        ({"all_of": ["rich", "taken"]}, 0, ALLOW),
        ({"all_of": ["rich", "taken"]}, 1, APPROVAL),
        ({"none_of": ["taken"]}, 1, ALLOW),
        ({"none_of": ["taken"]}, 0, DENY),
        ({"none_of": ["rich"]}, 0, APPROVAL),
    ],
)
def test_a_group_that_may_hold_leaves_only_itself_unknown(
    condition: dict[str, Any], owners: int, outcome: Outcome
) -> None:
    facts = {**without("customer.x.deal_amount"), "customer.owner_count": owners}
    verdict = judged(grouped(condition), facts)
    assert verdict.outcome is outcome
    assert verdict.missing == (("customer.x.deal_amount",) if outcome is APPROVAL else ())


def test_classify_tells_tier_and_groups_for_showing() -> None:
    made = a_policy(tier=TIERS, group=[{"name": "rich", "when": RICH}])
    assert policy.classify(made, FACTS, MORNING) == ("normal", frozenset())
    unknown = without("customer.x.deal_amount")
    assert policy.classify(made, unknown, MORNING) == (None, None)


# --- auto-reviews

QR = {"contact": {"way": "qr"}}
CARD = {"contact": {"way": "card"}}


def test_an_auto_review_answers_only_an_approval() -> None:
    made = a_policy(auto_review=[a_review("warm", QR)])
    verdict = judged(made, level(1))
    assert (verdict.outcome, verdict.reason) == (ALLOW, Reason.AUTO_REVIEW)
    assert (verdict.auto_review, verdict.chain) == ("warm", None)
    assert judged(made, level(0)).outcome is DENY
    assert judged(made, level(2)).auto_review is None


def test_an_auto_review_that_denies_beats_one_that_approves() -> None:
    made = a_policy(auto_review=[a_review("yes", QR), a_review("no", QR, decide="deny")])
    assert judged(made, level(1)).auto_review == "no"


def test_no_auto_review_approves_when_a_fact_was_missing() -> None:
    made = a_policy(a_rule("cap", BUSY), auto_review=[a_review("yes", QR)])
    assert judged(made, without("today.adds")).outcome is APPROVAL


def test_an_auto_review_that_surely_refuses_does_so_whatever_else_is_missing() -> None:
    reviews = [a_review("yes", QR), a_review("no", QR, decide="deny", say="no")]
    made = a_policy(a_rule("cap", BUSY), auto_review=reviews)
    verdict = judged(made, without("today.adds"))
    assert (verdict.outcome, verdict.reason) == (DENY, Reason.AUTO_REVIEW)
    assert (verdict.auto_review, verdict.chain, verdict.missing) == ("no", None, ())
    assert verdict.say == ("no",)


def test_an_auto_review_that_might_refuse_names_what_it_lacks_beside_what_the_rules_lack() -> None:
    doubt = a_review("doubt", RICH, decide="deny")
    made = a_policy(a_rule("cap", BUSY), auto_review=[doubt])
    verdict = judged(made, without("today.adds", "customer.x.deal_amount"))
    assert (verdict.outcome, verdict.auto_review) == (APPROVAL, None)
    assert verdict.missing == ("customer.x.deal_amount", "today.adds")


def test_an_unknown_refusing_review_stops_the_approving_ones() -> None:
    reviews = [a_review("yes", QR), a_review("no", BUSY, decide="deny")]
    verdict = judged(a_policy(auto_review=reviews), {**without("today.adds"), "sender.level": 1})
    assert (verdict.outcome, verdict.missing) == (APPROVAL, ("today.adds",))


def test_an_unknown_unless_keeps_an_auto_review_from_answering() -> None:
    made = a_policy(auto_review=[a_review("yes", QR, unless=BUSY)])
    assert judged(made, level(1)).outcome is ALLOW
    unknown = {**without("today.adds"), "sender.level": 1}
    assert judged(made, unknown).outcome is APPROVAL


def test_an_auto_review_counts_through_its_last_day_in_the_companys_zone() -> None:
    made = a_policy(auto_review=[a_review("yes", QR, expires=date(2026, 1, 7))])
    assert judged(made, level(1), at=datetime(2026, 1, 7, 15, 59, tzinfo=UTC)).outcome is ALLOW
    assert judged(made, level(1), at=datetime(2026, 1, 7, 16, 0, tzinfo=UTC)).outcome is APPROVAL


# --- modes, hash, trace


def test_a_shadow_rule_changes_nothing_and_is_told_apart() -> None:
    made = a_policy(a_rule("no", say="no", mode="shadow"))
    verdict = judged(made)
    assert (verdict.outcome, verdict.rules, verdict.say) == (ALLOW, (), ())
    assert (verdict.shadow, verdict.shadow_rules) == (DENY, ("no",))


def test_what_a_shadow_rule_lacks_is_not_missing_from_the_decision() -> None:
    made = a_policy(a_rule("cap", BUSY, mode="shadow"), auto_review=[a_review("yes", QR)])
    verdict = judged(made, {**without("today.adds"), "sender.level": 1})
    assert (verdict.outcome, verdict.missing, verdict.shadow) == (ALLOW, (), APPROVAL)


def test_without_a_shadow_rule_that_holds_there_is_no_shadow_outcome() -> None:
    assert judged(a_policy(a_rule("cap", BUSY, mode="shadow"))).shadow is None


def test_a_rule_that_is_off_is_ignored_and_a_rule_overrides_the_default_mode() -> None:
    off = {"chain": "lead", "mode": "off"}
    assert judged(a_policy(a_rule("no"), defaults=off)).outcome is ALLOW
    assert judged(a_policy(a_rule("no", mode="enforce"), defaults=off)).outcome is DENY


def test_the_hash_names_the_content_and_not_the_layout() -> None:
    data = policy_data(rule=[a_rule("no")])
    turned = dict(reversed(data.items()))
    one, other = rulebook.read(data)[0], rulebook.read(turned)[0]
    assert one is not None
    assert other is not None
    assert policy.hash_of(one) == policy.hash_of(other) != policy.hash_of(a_rulebook())
    assert judged(a_policy()).policy == policy.hash_of(a_rulebook(rule=[]))


def test_a_trace_tells_permission_rules_and_leaves_with_places_and_values() -> None:
    made = a_policy(a_rule("cap", {"any": [BUSY, RICH]}))
    trace = judged(made, without("customer.x.deal_amount"), traced=True).trace
    assert [(t.place, t.depth, t.result, t.note) for t in trace] == [
        ("permissions.friend.add", 0, True, "sender.level 2 → allow"),
        ("rule.cap", 0, None, "deny"),
        ("rule.cap.when.any", 1, None, ""),
        ("rule.cap.when.any.0.today.adds.gte", 2, False, "3"),
        ("rule.cap.when.any.1.customer.x.deal_amount.gte", 2, None, "?"),
    ]


def test_a_time_without_a_zone_is_a_bug_and_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        judged(a_policy(), at=datetime(2026, 1, 7))  # noqa: DTZ001


def test_a_rulebook_with_unknown_names_is_not_compiled() -> None:
    book = Rulebook.model_validate(policy_data(rule=[a_rule("no", {"customer": {"teir": "x"}})]))
    with pytest.raises(policy.BadPolicyError, match=r"rule\[no\]\.when\.customer\.teir"):
        policy.compile_policy(book)


# --- tests in the file


def test_the_example_file_loads_and_its_own_tests_pass() -> None:
    path = Path(__file__).parents[2] / "config.example.toml"
    book, wrong = rulebook.read(tomllib.loads(path.read_text("utf-8")))
    assert not wrong
    assert book is not None
    results = policy.run_tests(policy.compile_policy(book))
    assert len(results) >= len(book.test) >= 5
    assert [r.name for r in results if not r.passed] == []


def test_a_failing_test_in_the_file_says_what_it_got() -> None:
    tests = [
        {
            "name": "wrong",
            "given": {"action": "friend.add", "sender": {"level": 1}},
            "expect": {"decision": "allow", "rules": ["no"], "chain": "lead"},
        }
    ]
    (result,) = policy.run_tests(a_policy(a_rule("no", BUSY), test=tests))
    assert not result.passed
    assert [(m.what, m.expected, m.got) for m in result.misses] == [
        ("decision", "allow", "approval"),
        ("rules", "no", ""),
    ]
