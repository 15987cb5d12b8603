"""Two policies are compared exactly: every widening is found and shown with facts that prove it."""

from __future__ import annotations

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from tests import makers_differences as makers
from tests.makers_differences import NOW
from tests.makers_policy import a_policy, a_review, a_rule, a_rulebook
from workflows import policy, rulebook
from workflows.differences import Comparison, Difference, Direction, Tendency, compare, direction_of
from workflows.model import Outcome
from workflows.policy import Policy, decide
from workflows.schedules import Holidays

LOOSER, STRICTER, OTHER_CHAIN = Direction
EXAMPLE = (Path(__file__).parents[2] / "config.example.toml").read_text(encoding="utf-8")

slow = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
some_rules = st.lists(makers.rules(), max_size=3)


def adds(number: int, operator: str = "gte") -> dict[str, Any]:
    return {"today": {"adds": {operator: number}}}


def the_only(comparison: Comparison) -> Difference:
    [difference] = comparison.differences
    return difference


def directions(comparison: Comparison) -> set[Direction]:
    return {difference.direction for difference in comparison.differences}


def confirm(old: Policy, new: Policy, comparison: Comparison) -> None:
    """Decide again for every witness: it must give what the comparison claims."""
    for shown in comparison.differences:
        before = decide(old, shown.witness, shown.action, shown.at)
        after = decide(new, shown.witness, shown.action, shown.at)
        assert (before.outcome, before.chain) == (shown.before.outcome, shown.before.chain)
        assert (after.outcome, after.chain) == (shown.after.outcome, shown.after.chain)
        assert direction_of(old, before, new, after) is shown.direction


# --- against trying everything


@slow
@given(some_rules, some_rules, makers.sections(), makers.sections(), st.integers(0, 3))
def test_two_policies_differ_exactly_as_trying_everything_finds(
    rules: list[Any], more: list[Any], rest: Any, other: Any, kept: int
) -> None:
    old, new = makers.made(rules, rest), makers.made([*rules[:kept], *more], other)
    assume(makers.how_many(old, new) <= 1600)
    found = compare(old, new, NOW)
    assert not found.exhausted
    assert directions(found) == makers.tried(old, new)
    confirm(old, new, found)


@slow
@given(some_rules, st.lists(makers.rules(), max_size=1), makers.sections(), st.integers(0, 3))
def test_an_edit_of_some_rules_differs_exactly_as_trying_everything_finds(
    rules: list[Any], more: list[Any], rest: Any, dropped: int
) -> None:
    old, new = makers.made(rules, rest), makers.made([*rules[dropped:], *more], rest)
    assume(makers.how_many(old, new) <= 1600)
    found = compare(old, new, NOW)
    assert not found.exhausted
    assert directions(found) == makers.tried(old, new)
    confirm(old, new, found)


@slow
@given(some_rules, makers.sections())
def test_a_policy_is_the_same_as_itself_and_as_its_rules_in_another_order(
    rules: list[Any], rest: Any
) -> None:
    made = makers.made(rules, rest)
    assert compare(made, made, NOW).is_same
    assert compare(made, makers.made(rules[::-1], rest), NOW).is_same


@slow
@given(some_rules, makers.rules(), makers.sections())
def test_one_more_rule_is_never_looser(rules: list[Any], one: Any, rest: Any) -> None:
    found = compare(makers.made(rules, rest), makers.made([*rules, one], rest), NOW)
    assert not found.is_looser


# --- edits as people make them


def test_a_raised_limit_is_looser_between_the_old_and_the_new_one() -> None:
    shown = the_only(
        compare(a_policy(a_rule("cap", adds(50))), a_policy(a_rule("cap", adds(60))), NOW)
    )
    assert shown.direction is LOOSER
    assert (shown.before.outcome, shown.after.outcome) == (Outcome.DENY, Outcome.ALLOW)
    assert shown.witness == {"sender.level": 2, "today.adds": 50}
    assert shown.because == ("rule.cap",)
    assert shown.at == NOW


def test_a_limit_hidden_by_a_stricter_one_may_be_raised() -> None:
    strict = a_rule("strict", adds(10))
    old, new = a_policy(strict, a_rule("cap", adds(50))), a_policy(strict, a_rule("cap", adds(60)))
    assert compare(old, new, NOW).is_same


def test_conditions_that_mean_the_same_are_the_same() -> None:
    old, new = a_policy(a_rule("cap", adds(50))), a_policy(a_rule("cap", adds(49, "gt")))
    assert compare(old, new, NOW).is_same


def test_moved_limits_can_be_looser_here_and_stricter_there() -> None:
    ways = a_rule("ways", {"contact": {"way": ["qr", "card"]}})
    other = a_rule("ways", {"contact": {"way": ["qr", "phone"]}})
    found = compare(a_policy(ways), a_policy(other), NOW)
    assert found.tendency is Tendency.MIXED
    shown = {d.direction: d.witness["contact.way"] for d in found.differences}
    assert shown == {LOOSER: "card", STRICTER: "phone"}


def example(**replaced: str) -> Policy:
    """Return the example file with one passage replaced."""
    text = EXAMPLE
    if replaced:
        assert text.count(replaced["old"]) >= 1
        text = text.replace(replaced["old"], replaced["new"], 1)
    book, wrong = rulebook.read(tomllib.loads(text))
    assert book is not None, wrong
    return policy.compile_policy(book)


@pytest.mark.parametrize(
    ("old", "new", "direction", "because", "fact"),
    [
        ("adds.gte = 50", "adds.gte = 60", LOOSER, "rule.daily-cap", ("today.adds", 50)),
        (
            '["竞品甲", "竞品乙"]',
            '["竞品甲"]',
            LOOSER,
            "rule.no-competitor",
            ("customer.corp_name", "竞品乙"),
        ),
        (
            'then = "deny" ',
            'then = "approval" ',
            LOOSER,
            "rule.no-competitor",
            ("customer.corp_name", "竞品乙"),
        ),
        (
            "allow = 2, approval = 1",
            "allow = 3, approval = 1",
            STRICTER,
            "permissions.friend.add",
            ("sender.level", 2),
        ),
        (
            '["战略客户", "SVIP"]',
            '["SVIP"]',
            LOOSER,
            "tier.svip",
            ("customer.tags", frozenset({"战略客户"})),
        ),
        (
            'chain = "lead_then_director"',
            'chain = "lead"',
            LOOSER,
            "rule.vip-by-junior",
            ("customer.x.deal_amount", 100_000),
        ),
    ],
)
def test_an_edit_of_the_example_file_is_shown_with_a_readable_case(
    old: str, new: str, direction: Direction, because: str, fact: tuple[str, object]
) -> None:
    found = compare(example(), example(old=old, new=new), NOW)
    shown = found.on("friend.add").differences[0]
    assert directions(found) == {direction}
    assert because in shown.because
    assert shown.witness[fact[0]] == fact[1]


def test_a_rule_put_into_shadow_is_looser_when_it_would_have_held() -> None:
    night = a_rule("night", unless={"during": "work_hours"}, then="approval")
    found = compare(a_policy(night), a_policy({**night, "mode": "shadow"}), NOW)
    shown = the_only(found)
    assert (shown.direction, shown.because) == (LOOSER, ("rule.night",))
    assert shown.at == datetime(2026, 1, 7, 11, 0, tzinfo=UTC)  # 19:00 in Shanghai


def test_a_quarter_of_an_hour_less_is_found_in_a_schedule() -> None:
    rule = a_rule("night", unless={"during": "work_hours"})
    later = {"work_hours": {"hours": "09:15-19:00"}}
    shown = the_only(compare(a_policy(rule), a_policy(rule, schedules=later), NOW))
    assert shown.direction is STRICTER
    assert shown.at == datetime(2026, 1, 8, 1, 0, tzinfo=UTC)


def test_a_schedule_that_now_follows_the_holidays_differs_on_one() -> None:
    day = Holidays(off=frozenset({datetime(2026, 10, 1, tzinfo=UTC).date()}))
    rule = a_rule("night", unless={"during": "work_hours"})
    follows = {"work_hours": {"hours": "09:00-19:00", "holidays": "CN"}}
    new = a_policy(rule, schedules=follows, holidays=day)
    shown = the_only(compare(a_policy(rule), new, NOW))
    assert shown.at == datetime(2026, 10, 1, 1, 0, tzinfo=UTC)


def test_an_auto_review_that_lasts_longer_is_looser_after_the_old_end() -> None:
    asks = a_rule("ask", then="approval")
    warm = a_review("warm", {"contact": {"way": "referral"}})
    longer = {**warm, "expires": datetime(2027, 6, 30, tzinfo=UTC).date()}
    old, new = a_policy(asks, auto_review=[warm]), a_policy(asks, auto_review=[longer])
    shown = the_only(compare(old, new, NOW))
    assert (shown.direction, shown.because) == (LOOSER, ("auto_review.warm",))
    assert shown.at == datetime(2027, 3, 31, 16, 0, tzinfo=UTC)  # 1 April in Shanghai
    assert compare(old, a_policy(asks), datetime(2027, 5, 1, tzinfo=UTC)).is_same


def test_a_widening_that_shows_only_while_a_fact_is_missing_is_found() -> None:
    rule = a_rule("cap", adds(50))
    old = a_policy(rule, defaults={"chain": "lead", "on_missing": "deny"})
    shown = the_only(compare(old, a_policy(rule), NOW))
    assert (shown.direction, shown.because) == (LOOSER, ("defaults.on_missing",))
    assert "today.adds" not in shown.witness


# Never true, but unknown while the fact is missing.
SIGNED_AND_NOT = {"claim": {"signed": True}, "any": [{"claim": {"signed": False}}]}


def test_a_refusing_review_that_can_only_be_unknown_still_stops_the_approving_ones() -> None:
    asks = a_rule("ask", then="approval")
    warm = a_review("warm", {"contact": {"way": "referral"}})
    doubt = a_review("doubt", SIGNED_AND_NOT, decide="deny")
    old, new = a_policy(asks, auto_review=[warm]), a_policy(asks, auto_review=[warm, doubt])
    shown = the_only(compare(old, new, NOW))
    assert shown.direction is STRICTER
    assert (shown.before.outcome, shown.after.outcome) == (Outcome.ALLOW, Outcome.APPROVAL)
    assert "claim.signed" not in shown.witness


def test_a_rule_that_can_only_be_unknown_still_keeps_an_auto_review_from_answering() -> None:
    warm = a_review("warm", {"contact": {"way": "referral"}})
    doubt = a_rule("doubt", SIGNED_AND_NOT, then="approval")
    old, new = a_policy(auto_review=[warm]), a_policy(doubt, auto_review=[warm])
    shown = the_only(compare(old, new, NOW))
    assert (shown.direction, shown.after.missing) == (STRICTER, ("claim.signed",))
    asked = a_policy(a_rule("ask", then="approval"), auto_review=[warm])
    shown = the_only(compare(a_policy(auto_review=[warm]), asked, NOW))
    assert shown.witness["contact.way"] != "referral"
    always = a_review(
        "always", {"any": [{"claim": {"signed": {"exists": e}}} for e in (True, False)]}
    )
    shown = the_only(
        compare(a_policy(auto_review=[always]), a_policy(doubt, auto_review=[always]), NOW)
    )
    assert (shown.direction, shown.after.auto_review) == (STRICTER, None)


def test_one_more_rule_that_lacks_a_fact_does_not_silence_a_review_that_refuses() -> None:
    warm = a_review("warm", {"contact": {"way": "referral"}}, decide="deny")
    asks, doubt = a_rule("ask", then="approval"), a_rule("doubt", SIGNED_AND_NOT, then="approval")
    found = compare(
        a_policy(asks, auto_review=[warm]), a_policy(asks, doubt, auto_review=[warm]), NOW
    )
    assert found.is_same


def test_a_rule_may_read_letters_of_a_computed_tier() -> None:
    rich = {"customer": {"x": {"deal_amount": {"gte": 100_000}}}}
    tiers = [{"name": "VIP", "when": rich}, {"name": "normal"}]
    old, new = (
        a_policy(a_rule("no", {"customer": {"tier": {"contains_any": [word]}}}), tier=tiers)
        for word in ("vip", "gold")
    )
    shown = the_only(compare(old, new, NOW))
    assert (shown.direction, shown.because) == (LOOSER, ("rule.no",))
    assert shown.witness == {"sender.level": 2, "customer.x.deal_amount": 100_000}


def test_an_action_that_was_nobodys_and_is_now_somebodys_is_looser() -> None:
    permissions = {"friend.add": {"allow": 2, "approval": 1}, "customer.export": {"allow": 5}}
    shown = the_only(compare(a_policy(), a_policy(permissions=permissions), NOW))
    assert (shown.action, shown.direction) == ("customer.export", LOOSER)
    assert shown.witness == {"sender.level": 5}


# --- chains

CHAINS = {
    "lead": {"stages": [{"from": ["manager_of_sender"]}]},
    "director": {"stages": [{"from": ["role:admin"]}]},
}


def asking(chain: str, **more: Any) -> Policy:
    return a_policy(a_rule("ask", then="approval", chain=chain), **more)


def test_a_milder_chain_is_looser_and_a_stricter_one_stricter() -> None:
    assert the_only(compare(asking("director"), asking("lead"), NOW)).direction is LOOSER
    found = compare(asking("lead"), asking("director"), NOW)
    assert directions(found) == {STRICTER}


def test_other_approvers_under_an_old_name_count_as_looser() -> None:
    chains = {**CHAINS, "lead": {"stages": [{"from": ["user:zhaomin"]}]}}
    found = compare(asking("lead"), asking("lead", chains=chains), NOW)
    assert directions(found) == {OTHER_CHAIN}
    assert found.is_looser
    assert the_only(found).because == ("chains.lead",)


def test_a_new_chain_is_not_stricter_because_the_new_file_says_so() -> None:
    chains = {**CHAINS, "easy": {"stages": [{"from": ["user:zhaomin"]}]}}
    ranked = {"strictness": ["lead", "director", "easy"]}
    new = asking("easy", chains=chains, chain_defaults=ranked)
    assert directions(compare(asking("lead"), new, NOW)) == {OTHER_CHAIN}


def test_a_chain_may_get_another_name_and_title() -> None:
    chains = {"boss": {**CHAINS["lead"], "title": "Boss"}, "director": CHAINS["director"]}
    more: dict[str, Any] = {"defaults": {"chain": "boss"}, "chains": chains}
    new = asking("boss", chain_defaults={"strictness": ["boss", "director"]}, **more)
    assert compare(asking("lead"), new, NOW).is_same


# --- honesty


def test_too_much_work_is_admitted_and_counts_as_looser() -> None:
    found = compare(
        a_policy(a_rule("cap", adds(50))), a_policy(a_rule("cap", adds(60))), NOW, effort=0
    )
    assert (found.exhausted, found.unfinished) == (True, ("friend.add",))
    assert found.is_looser
    assert not found.is_same


def test_a_column_that_changed_its_type_cannot_be_told_exactly() -> None:
    rule = a_rule("big", {"customer": {"x": {"deal_amount": {"eq": 5}}}})
    texts = {"customer.x.deal_amount": {"type": "text"}}
    other = a_rule("big", {"customer": {"x": {"deal_amount": {"eq": "5"}}}})
    assert compare(a_policy(rule), a_policy(other, attributes=texts), NOW).exhausted


def test_a_time_without_a_zone_is_a_bug_and_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        compare(a_policy(), a_policy(), datetime(2026, 1, 7, 10, 0))  # noqa: DTZ001


def test_many_rules_that_stay_hide_no_change_and_cost_no_search() -> None:
    words = [f"公司{n}号" for n in range(40)]
    rules = [
        a_rule(f"name{n}", {"customer": {"corp_name": {"contains_any": [w]}}, **adds(n + 1)})
        for n, w in enumerate(words)
    ]
    rules += [
        a_rule(f"tag{n}", {"customer": {"tags": {"any_of": [w]}}}) for n, w in enumerate(words)
    ]
    old, new = a_policy(*rules), a_policy(*rules[1:])
    found = compare(old, new, NOW)
    assert not found.exhausted
    shown = the_only(found)
    assert (shown.direction, shown.witness["customer.corp_name"]) == (LOOSER, words[0])


def test_the_rulebook_of_the_makers_is_the_one_compared() -> None:
    made = policy.compile_policy(a_rulebook())
    assert compare(made, a_policy(), NOW).is_same


# --- temporary permissions


def test_what_only_those_gain_who_hold_a_grant_is_looser_all_the_same() -> None:
    """By level nobody below 2 adds anybody, so the rule bites only where a level was lent."""
    rule = a_rule("no-juniors", {"sender": {"level": {"lt": 2}}})
    table = {"friend.add": {"allow": 2}}
    shown = the_only(compare(a_policy(rule, permissions=table), a_policy(permissions=table), NOW))
    assert (shown.direction, shown.because) == (LOOSER, ("rule.no-juniors",))
    assert shown.witness["sender.grants"] == frozenset({"friend.add"})


def test_a_rule_about_the_grant_itself_counts_for_those_who_hold_it() -> None:
    rule = a_rule("lent", {"sender": {"grants": {"any_of": ["friend.add"]}}}, then="approval")
    found = compare(a_policy(rule), a_policy(), NOW)
    assert found.is_looser


def test_what_is_never_lent_is_not_compared_as_if_it_were() -> None:
    table = {"friend.add": {"allow": 2}, "config.change": {"approval": 5}}
    rule = a_rule("no-juniors", {"sender": {"level": {"lt": 5}}}, action=["config.change"])
    assert compare(a_policy(rule, permissions=table), a_policy(permissions=table), NOW).is_same
