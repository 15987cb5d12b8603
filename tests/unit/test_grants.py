"""Temporary permissions: they count for one action until their end, and tighten nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.makers_approval import NOON
from tests.makers_exceptions import DAY, a_grant, a_wish, agreed_by
from tests.makers_policy import (
    FACTS,
    MORNING,
    a_policy,
    a_rule,
    a_rulebook,
    mistakes_in,
    policy_data,
    wrong_in,
)
from workflows import edits, grants, policy
from workflows.attributes import ABOUT_RIGHTS, ACTIONS
from workflows.directory import Directory
from workflows.grants import Ending
from workflows.model import FactValue, Outcome, Reason
from workflows.plans import Granting
from workflows.standing import Standing

BULK = "friend.add_bulk"
LEVELS = {"friend.add": {"allow": 2, "approval": 1}, BULK: {"approval": 3}}
moments = st.integers(-4 * 24 * 60, 8 * 24 * 60).map(lambda m: NOON + timedelta(minutes=m))
endings = st.sampled_from([None, None, *Ending])


# How long it counts


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(moments, moments, endings), max_size=4), moments)
def test_a_grant_never_outlives_its_end(
    lent: list[tuple[datetime, datetime, Ending | None]], now: datetime
) -> None:
    """Whatever is on file, at whatever time it is looked at."""
    found = [a_grant(since=s, until=u, ended_because=e) for s, u, e in lent]

    held = grants.held(found, now)

    counts = any(s <= now < u and e is None for s, u, e in lent)
    assert held == (frozenset({BULK}) if counts else frozenset())
    made = a_policy(permissions=LEVELS)
    with_it = policy.decide(made, {**FACTS, "sender.grants": held}, BULK, MORNING)
    without = policy.decide(made, FACTS, BULK, MORNING)
    assert with_it.outcome is (Outcome.APPROVAL if counts else Outcome.DENY)
    assert counts or with_it == without


def test_one_that_has_ended_early_counts_no_more() -> None:
    grant = a_grant()
    over = grants.ended(grant, Ending.REVOKED, NOON + DAY)

    assert grants.is_live(grant, NOON + DAY)
    assert not grants.is_live(over, NOON + DAY)
    assert (over.ended_because, over.ended_at) == (Ending.REVOKED, NOON + DAY)


@pytest.mark.parametrize(
    ("lasts", "before"),
    [
        (timedelta(days=30), timedelta(days=1)),
        (timedelta(days=4), timedelta(days=1)),
        (timedelta(hours=4), timedelta(hours=1)),
        (timedelta(minutes=8), timedelta(minutes=2)),
    ],
)
def test_the_end_is_announced_a_day_before_or_a_quarter_of_a_short_one(
    lasts: timedelta, before: timedelta
) -> None:
    grant = a_grant(until=NOON + lasts)
    assert grant.until - grants.remind_at(grant) == before


@settings(max_examples=100, deadline=None)
@given(
    st.timedeltas(timedelta(minutes=1), timedelta(days=366)),
    st.timedeltas(timedelta(minutes=1), timedelta(days=366)),
)
def test_it_lasts_as_long_as_asked_and_never_longer_than_the_file_allows(
    lasts: timedelta, most: timedelta
) -> None:
    request = agreed_by(a_wish(plan=Granting("lin", BULK, lasts)), "Wang")

    grant = grants.grant_of(request, "G-B3M4", NOON, most)

    assert grant.until - grant.since == min(lasts, most)
    assert (grant.userid, grant.action, grant.given_by) == ("lin", BULK, "Wang")
    assert (grant.request_id, grant.reason) == (request.id, "展会")


# What decisions make of it


def test_it_is_a_fact_and_only_for_its_own_action() -> None:
    made = a_policy(permissions=LEVELS)
    facts = {**FACTS, "sender.level": 0, "sender.grants": frozenset({"friend.add"})}

    assert policy.decide(made, facts, "friend.add", MORNING).outcome is Outcome.ALLOW
    assert policy.decide(made, facts, BULK, MORNING).outcome is Outcome.DENY


@pytest.mark.parametrize("value", ["friend.add", 1, True])
def test_what_is_no_set_of_actions_grants_nothing(value: FactValue) -> None:
    facts = {**FACTS, "sender.level": 0, "sender.grants": value}
    assert policy.decide(a_policy(), facts, "friend.add", MORNING).outcome is Outcome.DENY


def test_a_rule_may_read_who_holds_one() -> None:
    rule = a_rule("no-trial", {"sender": {"grants": {"any_of": ["friend.add"]}}}, then="approval")
    facts = {**FACTS, "sender.grants": frozenset({"friend.add"})}

    verdict = policy.decide(a_policy(rule), facts, "friend.add", MORNING)

    assert (verdict.outcome, verdict.rules) == (Outcome.APPROVAL, ("no-trial",))


def test_the_trace_says_that_it_was_a_grant() -> None:
    facts = {**FACTS, "sender.level": 0, "sender.grants": frozenset({"friend.add"})}
    verdict = policy.decide(a_policy(), facts, "friend.add", MORNING, traced=True)
    assert verdict.trace[0].note == "sender.level 0 (grant) → allow"


def test_a_test_in_the_file_can_lend_a_permission_and_a_wrong_name_is_found() -> None:
    case = {
        "name": "lent",
        "given": {"action": "friend.add", "sender.level": 0, "sender.grants": ["friend.add"]},
        "expect": {"decision": "allow"},
    }
    (tested,) = policy.run_tests(a_policy(test=[case]))
    assert tested.passed

    wrong = {**case, "given": {**case["given"], "sender.grants": ["friend.ad"]}}  # type: ignore[dict-item]
    (mistake,) = mistakes_in(test=[wrong])
    assert (mistake.code, mistake.suggestion) == ("unknown_word", "friend.add")
    when = {"sender": {"grants": {"any_of": ["friend.ad"]}}}
    assert [code for _, code in wrong_in(rule=[a_rule("r", when)])] == ["unknown_word"]


# Who may lend what


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(sorted(ACTIONS)), st.integers(0, 9))
def test_nobody_lends_what_they_may_not_do_themselves(action: str, level: int) -> None:
    table = {name: {"allow": 5, "approval": 3} for name in ACTIONS if name != "customer.tag"}
    book = a_rulebook(permissions=table)

    may = grants.may_lend(book, action, level)

    able = policy.permission(book, action, level) is not Outcome.DENY
    assert may == (able and action not in ABOUT_RIGHTS)


def test_those_who_could_lend_an_action_are_asked_by_role() -> None:
    roles = {
        "seller": {"level": 2, "members": ["user:a"]},
        "boss": {"level": 3, "members": ["user:b"]},
        "admin": {"level": 5, "members": ["user:c"]},
    }
    book = a_rulebook(permissions=LEVELS, roles=roles)
    (group,) = grants.lenders(book, BULK).groups
    assert (set(group.sources), group.need) == ({"role:boss", "role:admin"}, 1)


def test_whoever_asked_for_another_gives_it_and_for_oneself_who_agreed_last() -> None:
    assert grants.giver(a_wish("Wang", "lin")) == "Wang"
    assert grants.giver(agreed_by(a_wish(), "Wang", "li")) == "li"
    assert grants.giver(a_wish()) == ""


@pytest.mark.parametrize("outcome", Outcome)
def test_nobody_gives_themselves_a_permission(outcome: Outcome) -> None:
    book = a_rulebook()
    verdict = replace(a_wish().verdict, outcome=outcome, chain=None, auto_review="warm")

    own = grants.verdict_on(verdict, own=True, book=book)

    assert grants.verdict_on(verdict, own=False, book=book) == verdict
    if outcome is not Outcome.ALLOW:
        assert own == verdict
        return
    assert (own.outcome, own.chain, own.auto_review) == (Outcome.APPROVAL, "lead", None)
    assert own.overruled == "own"


# The facts of a wish, and the setting


def test_rules_can_read_what_is_asked_for() -> None:
    asked = grants.facts_of(Granting("lin", BULK, timedelta(hours=30)), "展会")
    assert asked == {
        "request.target": "lin",
        "request.right": BULK,
        "request.days": 2,
        "request.reason": "展会",
    }
    when = {"request": {"right": BULK, "days": {"gt": 1}}}
    rule = a_rule("long-ones", when, action=["permission.grant"], chain="director", then="approval")
    made = a_policy(rule, permissions={"permission.grant": {"allow": 3}})
    facts = {**FACTS, **asked, "sender.level": 3}
    verdict = policy.decide(made, facts, "permission.grant", MORNING)
    assert (verdict.outcome, verdict.chain) == (Outcome.APPROVAL, "director")
    assert verdict.reason is Reason.RULE


@pytest.mark.parametrize(("longest", "widens"), [("31d", True), ("30d", False), ("12h", False)])
def test_lending_for_longer_widens_and_for_shorter_does_not(longest: str, widens: bool) -> None:
    old, new = a_policy(), a_policy(grants={"longest": longest})
    before, after = (Standing(each, Directory()) for each in (old, new))
    assert edits.report(before, after, MORNING).is_widening is widens


@pytest.mark.parametrize("longest", ["forever", "0d", 30])
def test_a_longest_time_that_is_none_is_a_mistake(longest: Any) -> None:
    assert [place for place, _ in wrong_in(grants={"longest": longest})] == ["grants.longest"]


def test_the_version_of_a_file_without_the_section_keeps_its_name() -> None:
    assert a_policy().hash == a_policy(grants={"longest": "30d"}).hash
    assert "grants" not in policy_data()
