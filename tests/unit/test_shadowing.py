"""Rules on trial: what each would have done alone, and which are on trial at all."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import makers_differences as makers
from tests.makers_decisions import KNOWN, a_decision
from tests.makers_policy import a_policy, a_review, a_rule, a_rulebook
from workflows.model import Facts, Outcome
from workflows.policy import Policy, decide
from workflows.replaying import Decision
from workflows.shadowing import Trial, Trials, rules_on_trial

ONE = {"today": {"adds": {"gte": 1}}}
MANY = {"today": {"adds": {"gte": 100}}}


def on_trial(name: str, when: dict[str, Any], **more: Any) -> dict[str, Any]:
    return a_rule(name, when, mode="shadow", **more)


def tried(policy: Policy, *decisions: Decision) -> dict[str, Trial]:
    trials = Trials.for_rules(rules_on_trial(policy.rulebook))
    for decision in decisions:
        trials.take(decision, policy)
    return dict(trials.of)


def test_rules_are_on_trial_by_their_own_mode_or_that_of_all() -> None:
    named = [on_trial("a", ONE), a_rule("b", ONE), a_rule("c", ONE, mode="off")]
    assert rules_on_trial(a_rulebook(rule=named)) == ("a",)

    defaults = {"chain": "lead", "mode": "shadow"}
    enforced = a_rule("d", ONE, mode="enforce")
    assert rules_on_trial(a_rulebook(rule=[*named, enforced], defaults=defaults)) == ("a", "b")


def test_a_hit_tells_what_would_have_become_of_it() -> None:
    policy = a_policy(
        on_trial("ask", ONE, then="approval"), on_trial("no", ONE), on_trial("rare", MANY)
    )

    assert tried(policy, a_decision(policy), a_decision(policy)) == {
        "ask": Trial(hits=2, approval=2),
        "no": Trial(hits=2, denied=2),
        "rare": Trial(),
    }


def test_each_rule_is_tried_alone() -> None:
    """`ask` would ask, whatever `no` beside it would refuse."""
    policy = a_policy(on_trial("ask", ONE, then="approval"), on_trial("no", ONE))

    assert tried(policy, a_decision(policy))["ask"] == Trial(hits=1, approval=1)


def test_a_hit_on_what_was_refused_anyway_changes_nothing() -> None:
    policy = a_policy(a_rule("cap", ONE), on_trial("ask", ONE, then="approval"))

    assert tried(policy, a_decision(policy)) == {"ask": Trial(hits=1)}


def test_a_stricter_chain_is_counted_apart() -> None:
    policy = a_policy(
        a_rule("ask", ONE, then="approval", chain="lead"),
        on_trial("board", ONE, then="approval", chain="director"),
    )

    assert tried(policy, a_decision(policy)) == {"board": Trial(hits=1, other_chain=1)}


def test_what_an_automatic_review_would_have_allowed_changes_nothing() -> None:
    policy = a_policy(on_trial("ask", ONE, then="approval"), auto_review=[a_review("all", ONE)])

    assert tried(policy, a_decision(policy)) == {"ask": Trial(hits=1)}


def test_a_missing_fact_would_have_asked() -> None:
    policy = a_policy(on_trial("typed", {"claim": {"company": "x"}}))

    assert tried(policy, a_decision(policy)) == {"typed": Trial(hits=1, approval=1)}


def test_a_decision_without_its_version_tells_nothing_of_rules() -> None:
    policy = a_policy(on_trial("no", ONE))
    trials = Trials.for_rules(["no"])

    trials.take(a_decision(policy), None)

    assert trials.hit == {}


def test_only_the_rules_asked_for_are_tried() -> None:
    policy = a_policy(on_trial("no", ONE), on_trial("gone", ONE))
    trials = Trials.for_rules(["no"])

    trials.take(a_decision(policy), policy)

    assert trials.hit == {"no": Trial(hits=1, denied=1)}


def test_a_rule_is_tried_by_the_version_that_decided() -> None:
    """It was another one then: with today's, nothing would have been refused."""
    then, now = a_policy(on_trial("cap", ONE)), a_policy(on_trial("cap", MANY))
    trials = Trials.for_rules(["cap"])

    trials.take(a_decision(then), then)
    trials.take(a_decision(now), now)

    assert trials.hit == {"cap": Trial(hits=1, denied=1)}


# --- against a file in which the rule is enforced


def promoted(rule: dict[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in rule.items() if k != "mode"}


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(makers.rules(), min_size=1, max_size=4),
    st.data(),
    makers.sections(),
    st.fixed_dictionaries(
        {}, optional={n: st.sampled_from(v[1:]) for n, v in makers.DOMAINS.items()}
    ),
    st.sampled_from(makers.TIMES),
)
def test_a_trial_counts_what_the_promoted_rule_would_have_done(
    rules: list[dict[str, Any]], data: st.DataObject, rest: Any, facts: Facts, at: datetime
) -> None:
    chosen = data.draw(st.integers(0, len(rules) - 1))
    shadowed = [{**r, "mode": "shadow"} if n == chosen else r for n, r in enumerate(rules)]
    enforced = [promoted(r) if n == chosen else r for n, r in enumerate(rules)]
    policy = makers.made(shadowed, rest)
    before = decide(policy, facts, "friend.add", at)
    after = decide(makers.made(enforced, rest), facts, "friend.add", at)

    trial = tried(policy, a_decision(policy, facts, at))[f"rule{chosen}"]

    assert trial.approval == (before.outcome < after.outcome is Outcome.APPROVAL)
    assert trial.denied == (before.outcome < after.outcome is Outcome.DENY)
    assert trial.other_chain == (before.outcome is after.outcome and before.chain != after.chain)
    assert replace(trial, hits=0) == Trial() or trial.hits == 1


def test_facts_of_the_decision_are_used_as_recorded() -> None:
    policy = a_policy(on_trial("no", MANY))

    assert tried(policy, a_decision(policy, {**KNOWN, "today.adds": 100})) == {
        "no": Trial(hits=1, denied=1)
    }
