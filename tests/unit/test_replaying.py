"""Decisions judged again by other rules: what changes, for whom, and what must never change."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import makers_differences as makers
from tests.makers_decisions import COMPANY, KNOWN, a_decision, judged_again
from tests.makers_policy import a_policy, a_review, a_rule
from workflows.differences import Direction, direction_of
from workflows.directory import Directory, Member
from workflows.model import Facts, Outcome, Person
from workflows.policy import Policy, decide
from workflows.replaying import LISTED, Replay, Tally
from workflows.standing import Standing

LOOSER, STRICTER, OTHER_CHAIN = Direction
TEN = {"today": {"adds": {"gte": 10}}}
ONE = {"today": {"adds": {"gte": 1}}}
DIRECTOR = {"stages": [{"from": ["role:admin"]}]}

careful = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
policies = st.builds(makers.made, st.lists(makers.rules(), max_size=4), makers.sections())
some_facts = st.fixed_dictionaries(
    {}, optional={n: st.sampled_from(v[1:]) for n, v in makers.DOMAINS.items()}
)
times = st.sampled_from(makers.TIMES)


# --- what must hold always


@careful
@given(policies, some_facts, times)
def test_the_rules_that_decided_decide_the_same_again(
    policy: Policy, facts: Facts, at: datetime
) -> None:
    decision = a_decision(policy, facts, at)

    judged = judged_again(policy, policy, decision)

    assert (judged.direction, judged.after) == (None, decision.verdict)


@careful
@given(policies, policies, some_facts, times)
def test_another_policy_says_what_it_would_have_said_then(
    old: Policy, new: Policy, facts: Facts, at: datetime
) -> None:
    decision = a_decision(old, facts, at)

    judged = judged_again(old, new, decision)

    after = decide(new, facts, "friend.add", at)
    assert judged.after == after
    assert judged.direction is direction_of(old, decision.verdict, new, after)
    assert bool(judged.because) == (judged.direction is not None)


# --- which way, and because of what


@pytest.mark.parametrize(
    ("before", "after", "direction", "because"),
    [
        ([], [a_rule("cap", ONE)], STRICTER, ("rule.cap",)),
        ([a_rule("cap", ONE)], [], LOOSER, ("rule.cap",)),
        ([a_rule("cap", ONE)], [a_rule("cap", TEN)], LOOSER, ("rule.cap",)),
        ([], [a_rule("cap", TEN)], None, ()),
        ([], [a_rule("cap", ONE, mode="shadow")], None, ()),
        (
            [a_rule("ask", ONE, then="approval", chain="lead")],
            [a_rule("ask", ONE, then="approval", chain="director")],
            STRICTER,
            ("rule.ask",),
        ),
        (
            [a_rule("ask", ONE, then="approval", chain="director")],
            [a_rule("ask", ONE, then="approval", chain="lead")],
            LOOSER,
            ("rule.ask",),
        ),
        ([], [a_rule("ask", ONE, then="approval"), a_rule("no", ONE)], STRICTER, ("rule.no",)),
        (
            [],
            [a_rule("unknown", {"claim": {"company": "x"}})],
            STRICTER,
            ("claim.company",),
        ),
    ],
)
def test_a_change_has_a_direction_and_a_cause(
    before: list[Any], after: list[Any], direction: Direction | None, because: tuple[str, ...]
) -> None:
    judged = judged_again(a_policy(*before), a_policy(*after))

    assert (judged.direction, judged.because) == (direction, because)


def test_a_table_that_asks_for_more_is_named() -> None:
    new = a_policy(permissions={"friend.add": {"allow": 3, "approval": 1}})

    assert judged_again(a_policy(), new).because == ("permissions.friend.add",)


def test_an_automatic_review_that_allows_is_named() -> None:
    ask = a_rule("ask", ONE, then="approval")
    new = a_policy(ask, auto_review=[a_review("few", {"today": {"adds": {"lt": 9}}})])

    judged = judged_again(a_policy(ask), new)

    assert (judged.direction, judged.because) == (LOOSER, ("auto_review.few",))
    assert judged.is_now_allowed


def test_a_chain_with_other_stages_under_the_same_name_is_another_chain() -> None:
    ask = a_rule("ask", ONE, then="approval", chain="lead")
    chains = {"lead": {"stages": [{"from": ["owner_of_customer"]}]}, "director": DIRECTOR}

    assert judged_again(a_policy(ask), a_policy(ask, chains=chains)).direction is OTHER_CHAIN


def test_the_same_chain_of_two_versions_is_compared_with_each() -> None:
    ask = a_rule("ask", ONE, then="approval", chain="lead")
    other = {"stages": [{"from": ["owner_of_customer"]}]}
    old = a_policy(ask)
    older = a_policy(ask, chains={"lead": other, "director": DIRECTOR})
    replay = Replay(Standing(old, COMPANY))

    found = [replay.judge_again(a_decision(each), each).direction for each in (old, older)]

    assert found == [None, OTHER_CHAIN]


# --- versions that are not on record


def test_without_the_version_that_decided_outcomes_are_compared() -> None:
    old, new = a_policy(), a_policy(a_rule("cap", ONE))
    replay = Replay(Standing(new, COMPANY))

    assert replay.judge_again(a_decision(old), None).direction is STRICTER
    assert replay.judge_again(a_decision(new), None).direction is None


@pytest.mark.parametrize(("chain", "direction"), [("lead", None), ("director", OTHER_CHAIN)])
def test_without_the_version_that_decided_another_chain_compares_with_none(
    chain: str, direction: Direction | None
) -> None:
    old = a_policy(a_rule("ask", ONE, then="approval", chain="lead"))
    new = a_policy(a_rule("ask", ONE, then="approval", chain=chain))

    judged = Replay(Standing(new, COMPANY)).judge_again(a_decision(old), None)

    assert judged.direction is direction


# --- roles


def with_roles(**roles: Any) -> Policy:
    return a_policy(roles={"admin": {"level": 5, "members": ["user:zhaomin"]}, **roles})


def test_where_roles_are_given_alike_the_recorded_ones_are_kept() -> None:
    """Lin Mei was level 2 then; that she has left the department since plays no part."""
    new = with_roles(seller={"level": 2, "members": ["department:Sales"], "title": "销售"})
    moved = Directory.of([Member("linmei", "林梅", ())])

    judged = judged_again(a_policy(), new, company=moved)

    assert (judged.direction, judged.has_left) == (None, False)


def test_where_roles_are_given_otherwise_they_are_worked_out_by_today_s_directory() -> None:
    new = with_roles(seller={"level": 1, "members": ["department:Sales"]})

    judged = judged_again(a_policy(), new)

    assert judged.after.outcome is Outcome.APPROVAL
    assert judged.because == ("permissions.friend.add",)


def test_a_role_that_was_renamed_is_the_one_rules_see() -> None:
    new = a_policy(
        a_rule("sellers", {"sender": {"roles": {"any_of": ["salesperson"]}}}),
        roles={
            "salesperson": {"level": 2, "members": ["department:Sales"]},
            "admin": {"level": 5, "members": ["user:zhaomin"]},
        },
    )

    assert judged_again(a_policy(), new).because == ("rule.sellers",)


@pytest.mark.parametrize(
    "company", [Directory(), Directory.of([Member("linmei", "林梅", status=5)])]
)
def test_of_somebody_who_has_left_the_recorded_level_is_kept_and_it_is_told(
    company: Directory,
) -> None:
    new = with_roles(seller={"level": 1, "members": ["department:Sales"]})

    judged = judged_again(a_policy(), new, company=company)

    assert (judged.direction, judged.has_left) == (None, True)


def test_a_level_that_was_not_known_then_is_not_invented() -> None:
    old, new = a_policy(), with_roles(seller={"level": 3, "members": ["department:Sales"]})
    decision = a_decision(old, {n: v for n, v in KNOWN.items() if n != "sender.level"})

    judged = judged_again(old, new, decision)

    assert judged.after.missing == ("sender.level",)
    assert judged.direction is None


# --- the sums


def tallied(old: Policy, new: Policy, *people: str) -> Tally:
    replay, tally = Replay(Standing(new, COMPANY)), Tally()
    for number, userid in enumerate(people):
        decision = a_decision(old, id=f"R{number}", requester=Person(userid, userid.upper()))
        tally.take(replay.judge_again(decision, old))
    return tally


def test_every_decision_is_counted_once_and_by_person() -> None:
    tally = tallied(a_policy(), a_policy(a_rule("cap", ONE)), "wu", "Lin", "lin", "lin")

    assert (tally.total, tally.unchanged, tally.changed) == (4, 0, 4)
    assert tally.counts == {STRICTER: 4}
    assert [(e.person.name, e.counts[STRICTER]) for e in tally.most_affected()] == [
        ("LIN", 3),
        ("WU", 1),
    ]
    assert [e.person.name for e in tally.most_affected(1)] == ["LIN"]


def test_only_the_first_are_listed_but_all_are_counted() -> None:
    tally = tallied(a_policy(), a_policy(a_rule("cap", ONE)), *["lin"] * (LISTED + 3))

    assert (tally.now_denied, len(tally.denied), tally.now_allowed) == (LISTED + 3, LISTED, 0)
    assert tally.denied[0].decision.id == "R0"


def test_what_would_be_allowed_is_listed_apart() -> None:
    tally = tallied(a_policy(a_rule("cap", ONE)), a_policy(), "lin")

    assert (tally.now_allowed, len(tally.allowed), tally.now_denied) == (1, 1, 0)


@pytest.mark.parametrize(
    ("before", "after", "loosens"),
    [
        (a_policy(), a_policy(a_rule("cap", ONE)), False),
        (a_policy(a_rule("cap", ONE)), a_policy(), True),
        (a_policy(), a_policy(), False),
    ],
)
def test_a_replay_says_whether_anything_was_loosened(
    before: Policy, after: Policy, loosens: bool
) -> None:
    assert tallied(before, after, "lin").may_loosen is loosens


def test_other_approvers_may_be_looser() -> None:
    ask = a_rule("ask", ONE, then="approval", chain="lead")
    other = {"lead": {"stages": [{"from": ["owner_of_customer"]}]}, "director": DIRECTOR}

    assert tallied(a_policy(ask), a_policy(ask, chains=other), "lin").may_loosen


def test_unread_versions_and_people_who_left_are_counted() -> None:
    old, new = a_policy(), with_roles(seller={"level": 1, "members": ["department:Sales"]})
    replay, tally = Replay(Standing(new, Directory())), Tally()

    tally.take(replay.judge_again(a_decision(old), old))
    tally.take(replay.judge_again(a_decision(old), None), is_known=False)

    assert (tally.have_left, tally.unknown_version, tally.total) == (2, 1, 2)
