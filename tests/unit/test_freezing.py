"""Freezes: nothing they cover is let through, and nobody ends one early alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.makers_approval import ADMINS, NOON, a_company, a_stage, after, opened, some_sources
from tests.makers_exceptions import a_freeze, a_lifting, agreed_by
from tests.makers_policy import a_rule, a_rulebook
from tests.makers_waivers import a_waiver, the_same
from workflows import changing, freezing, waivers
from workflows.attributes import ACTIONS
from workflows.freezing import NEVER_FROZEN, Ending, Scope
from workflows.model import Origin, Outcome, Reason, Request, State, Verdict
from workflows.sections import Rulebook
from workflows.steps import Approve, Deny, Refused, Step

SALES = frozenset({1, 2})  # lin's department and the one above it
actions_ = st.sampled_from(sorted(ACTIONS))
verdicts_ = st.builds(
    Verdict,
    st.sampled_from(Outcome),
    st.sampled_from([r for r in Reason if r is not Reason.FROZEN]),
    chain=st.sampled_from([None, "director"]),
    say=st.sampled_from([(), ("say",)]),
    auto_review=st.sampled_from([None, "warm"]),
)
freezes_ = st.builds(
    a_freeze,
    st.sampled_from(Scope),
    st.sampled_from(["", "lin", "LIN", "li", "1", "2", "3", "friend.add", "customer.export"]),
    until=st.integers(-3, 5).map(lambda h: NOON + timedelta(hours=h)),
    ending=st.sampled_from([None, None, *Ending]),
)


# What it stops


@settings(max_examples=400, deadline=None)
@given(st.lists(freezes_, max_size=3), verdicts_, actions_, st.sampled_from(Origin))
def test_a_freeze_lets_nothing_through(
    found: list[freezing.Freeze], verdict: Verdict, action: str, origin: Origin
) -> None:
    """What is asked for is refused, what has happened goes to a person, a refusal stays one."""
    live = [f for f in found if freezing.is_live(f, NOON)]
    covering = [f for f in live if freezing.covers(f, action, "lin", SALES)]

    under = freezing.verdict_under(covering, verdict, origin, "lead")

    assert under.outcome >= verdict.outcome
    if not covering or verdict.outcome is Outcome.DENY:
        assert under == verdict
        return
    assert under.outcome is (Outcome.APPROVAL if origin is Origin.OBSERVED else Outcome.DENY)
    assert (under.reason, under.auto_review, under.say) == (Reason.FROZEN, None, ())
    assert freezing.freeze_in(under) in {f.id for f in covering}
    if origin is Origin.OBSERVED:
        assert under.chain == (verdict.chain or "lead")


@settings(max_examples=200, deadline=None)
@given(freezes_, st.integers(-4, 6).map(lambda h: NOON + timedelta(hours=h)))
def test_it_stops_nothing_before_it_began_nor_after_it_ended(
    freeze: freezing.Freeze, now: datetime
) -> None:
    counts = freeze.since <= now < freeze.until and freeze.ending is None
    assert freezing.is_live(freeze, now) is counts


@pytest.mark.parametrize(
    ("scope", "what", "covered"),
    [
        (Scope.EVERYTHING, "", True),
        (Scope.MEMBER, "LIN", True),
        (Scope.MEMBER, "li", False),
        (Scope.DEPARTMENT, "2", True),
        (Scope.DEPARTMENT, "1", True),
        (Scope.DEPARTMENT, "12", False),
        (Scope.ACTION, "friend.add", True),
        (Scope.ACTION, "customer.export", False),
    ],
)
def test_it_covers_its_scope_and_nothing_else(scope: Scope, what: str, covered: bool) -> None:
    units = a_company().units_of("Lin")
    assert units == SALES
    assert freezing.covers(a_freeze(scope, what), "friend.add", "Lin", units) is covered


@pytest.mark.parametrize("action", ["config.change", "permission.revoke", "freeze.lift"])
@pytest.mark.parametrize("scope", Scope)
def test_the_ways_out_are_never_frozen(scope: Scope, action: str) -> None:
    what = {Scope.MEMBER: "lin", Scope.DEPARTMENT: "2", Scope.ACTION: action}.get(scope, "")
    assert not freezing.covers(a_freeze(scope, what), action, "lin", SALES)


def test_what_is_only_known_afterwards_is_not_frozen_but_an_add_is() -> None:
    observed = {action.name for action in ACTIONS.values() if action.observed}
    assert observed & NEVER_FROZEN == observed - {"friend.add"}


def test_of_several_the_one_that_lasts_longest_is_named() -> None:
    short = a_freeze(id="F-A2A2")
    long = a_freeze(id="F-A3A3", until=NOON + timedelta(hours=9))
    verdict = Verdict(Outcome.ALLOW, Reason.LEVEL)
    for order in ([short, long], [long, short]):
        under = freezing.verdict_under(order, verdict, Origin.ASKED, "lead")
        assert under.overruled == "freeze:F-A3A3"


def test_the_record_names_the_freeze_as_who_decided() -> None:
    verdict = Verdict(Outcome.ALLOW, Reason.LEVEL, policy="p1")
    under = freezing.verdict_under([a_freeze()], verdict, Origin.ASKED, "lead")
    denied = opened(replace(the_same(), verdict=under))
    assert (denied.state, denied.decided_by) == (State.DENIED, "freeze:F-B3M4")


def test_no_standing_approval_answers_for_anybody_under_a_freeze() -> None:
    observed = the_same(origin=Origin.OBSERVED)
    waiver = a_waiver(observed)
    assert waivers.covers(waiver, observed, NOON)

    under = freezing.verdict_under([a_freeze()], observed.verdict, Origin.OBSERVED, "lead")
    frozen = replace(observed, verdict=under)

    assert not waivers.covers(waiver, frozen, NOON)
    assert not waivers.may_be_waived(frozen)


# Lifting takes two

LIFT_TABLES = [
    {},
    {"freeze.lift": {"allow": 1}},
    {"freeze.lift": {"approval": 1}},
    {"freeze.lift": {"allow": 5, "approval": 3}},
]


def rules_about_lifting(table: dict[str, dict[str, int]], *rules: dict[str, object]) -> Rulebook:
    permissions = {"friend.add": {"allow": 2}, "config.change": {"approval": 5}, **table}
    return a_rulebook(permissions=permissions, rule=list(rules))


@pytest.mark.parametrize("table", LIFT_TABLES)
@pytest.mark.parametrize("may_ask", [True, False])
@settings(max_examples=60, deadline=None)
@given(verdict=verdicts_)
def test_no_file_lets_anybody_lift_a_freeze_alone(
    table: dict[str, dict[str, int]], may_ask: bool, verdict: Verdict
) -> None:
    book = rules_about_lifting(table)

    found = freezing.verdict_on_lifting(verdict, may_ask=may_ask, book=book)

    assert found.outcome is not Outcome.ALLOW
    assert found.auto_review is None or found == verdict
    if verdict.outcome is Outcome.DENY:
        asked = may_ask and not table
        assert found.outcome is (Outcome.APPROVAL if asked else Outcome.DENY)
    if found.outcome is Outcome.APPROVAL:
        assert (found.chain, found.overruled) == (changing.TWO_KEYS, changing.TWO_KEYS)


def test_a_chain_that_a_rule_names_is_kept_and_a_refusing_rule_counts() -> None:
    ask = a_rule("two", action=["freeze.lift"], then="approval", chain="director")
    verdict = Verdict(Outcome.APPROVAL, Reason.RULE, rules=("two",), chain="director")
    book = rules_about_lifting({"freeze.lift": {"allow": 3}}, ask)
    assert freezing.verdict_on_lifting(verdict, may_ask=True, book=book) == verdict

    refused = Verdict(Outcome.DENY, Reason.NO_PERMISSION, rules=("never",))
    book = rules_about_lifting({}, a_rule("never", action=["freeze.lift"]))
    assert freezing.verdict_on_lifting(refused, may_ask=True, book=book) == refused


votes_ = st.lists(
    st.tuples(st.sampled_from(["zhao", "ZHAO", "chen", "wang", "lin"]), st.booleans()), max_size=5
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(["zhao", "chen", "wang"]), votes_)
def test_lifting_needs_two_people(requester: str, votes: list[tuple[str, bool]]) -> None:
    """Whoever asks and whoever answers, in any order: an admin besides the requester agrees."""
    book = a_rulebook(
        permissions={"config.change": {"approval": 5}},
        roles={"admin": {"level": 5, "members": ["user:zhao", "user:chen"]}},
    )
    chain = (changing.second_key(book, 2, author_known=True),)
    request = opened(a_lifting(requester, chain=chain))
    for userid, yes in votes:
        step: Step = Approve(userid, "card") if yes else Deny(userid, "card", "no")
        try:
            request = after(request, step)
        except Refused:
            continue
    others = {"zhao", "chen"} - {requester}
    if request.state is State.APPROVED:
        assert freezing.is_agreed_by_two(request)
        assert {vote.by.userid for vote in request.votes} <= others
    else:
        first = next((yes for userid, yes in votes if userid.lower() in others), None)
        assert first is not True


def test_a_company_with_one_admin_waits_for_the_end_of_the_freeze() -> None:
    alone = some_sources({"admin": frozenset({"zhao"})})
    request = opened(a_lifting(chain=(a_stage("role:admin"),)), alone)
    assert request.state is State.PENDING
    with pytest.raises(Refused, match="own_request"):
        after(request, Approve("zhao", "card"), sources=alone, fallback=ADMINS)


def test_a_request_without_anybody_elses_vote_is_not_agreed_by_two() -> None:
    request: Request = a_lifting("zhao")
    assert not freezing.is_agreed_by_two(request)
    assert not freezing.is_agreed_by_two(agreed_by(request, "ZHAO"))
    assert freezing.is_agreed_by_two(agreed_by(request, "chen"))
