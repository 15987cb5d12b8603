"""What a step does to a request, and what must follow from it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from tests.makers_approval import (
    ADMINS,
    DUE,
    NOON,
    ROLES,
    a_company,
    a_group,
    a_request,
    a_stage,
    a_verdict,
    after,
    ids,
    kinds,
    moved,
    opened,
    some_sources,
)
from workflows import approval
from workflows.approvers import Sources
from workflows.directory import Directory
from workflows.effects import (
    AskApprovers,
    CloseCards,
    CloseCardsOf,
    Effect,
    JudgeAgain,
    NobodyCanDecide,
    Perform,
    Refuse,
    Tell,
    TellRequester,
)
from workflows.model import Answer, Facts, Origin, Outcome, Person, Request, Stage, State
from workflows.plans import Export
from workflows.steps import (
    Approve,
    Deny,
    Executed,
    ExecutionFailed,
    Expire,
    Reassign,
    Recheck,
    Refused,
    Revoke,
    Step,
    Supersede,
    Withdraw,
)

WANG, LI, ZHAO, CHEN = (
    Person("Wang", "王"), Person("li", "李"), Person("zhao", "赵"), Person("chen", "陈"),
)  # fmt: skip
LATER = NOON + timedelta(minutes=20)


def yes(by: str, comment: str = "") -> Approve:
    return Approve(by, "card", comment)


def no(by: str, comment: str = "资料不全") -> Deny:
    return Deny(by, "card", comment)


def opening(
    request: Request, *, sources: Sources | None = None, fallback: tuple[str, ...] = ADMINS
) -> tuple[Request, tuple[Effect, ...]]:
    return approval.open_request(request, sources or some_sources(), fallback, NOON)


def refused(
    request: Request, step: Step, *, sources: Sources | None = None, at: datetime = LATER
) -> Refused:
    with pytest.raises(Refused) as caught:
        moved(request, step, sources=sources, at=at)
    return caught.value


def roles_without(role: str) -> Sources:
    return some_sources({name: who for name, who in ROLES.items() if name != role})


def company_without(userid: str) -> Directory:
    company = a_company()
    return Directory.of(
        [
            replace(m, status=5) if m.userid.lower() == userid else m
            for m in company.members.values()
        ],
        company.departments.values(),
    )


# Opening


def test_what_the_policy_allows_is_approved_by_the_policy() -> None:
    request, effects = opening(a_request(verdict=a_verdict(Outcome.ALLOW)))

    assert (request.state, request.decided_by) == (State.APPROVED, "policy:p1")
    assert request.decided_at == NOON
    assert effects == (Perform(),)


def test_what_the_policy_denies_is_denied_by_the_policy() -> None:
    request, effects = opening(a_request(verdict=a_verdict(Outcome.DENY)))

    assert (request.state, request.decided_by) == (State.DENIED, "policy:p1")
    assert effects == (Refuse(),)


def test_an_auto_review_signs_with_its_own_name() -> None:
    verdict = a_verdict(Outcome.ALLOW, auto_review="warm-referral")

    assert opened(a_request(verdict=verdict)).decided_by == "auto_review:warm-referral"


def test_what_needs_approval_asks_the_first_stage() -> None:
    request, effects = opening(a_request())

    assert (request.state, request.stage, request.fallback) == (State.PENDING, 0, False)
    assert request.approvers == (WANG,)
    assert effects == (AskApprovers(0, (WANG,)),)


def test_a_stage_that_names_nobody_is_put_to_the_fallback_people() -> None:
    request, effects = opening(a_request(a_stage("role:ghost")))

    assert request.fallback
    assert effects == (AskApprovers(0, (CHEN, ZHAO)),)
    assert after(request, yes("zhao")).state is State.APPROVED


def test_the_requester_is_not_their_own_fallback() -> None:
    request = opened(a_request(a_stage("role:ghost"), requester="zhao"))

    assert request.approvers == (CHEN,)


def test_if_nobody_can_decide_the_admins_are_alarmed_and_nothing_is_approved() -> None:
    request, effects = opening(a_request(a_stage("role:ghost")), fallback=("role:ghost",))

    assert (request.state, request.approvers) == (State.PENDING, ())
    assert effects == (NobodyCanDecide(0),)


@pytest.mark.parametrize("stage", [Stage(()), Stage((a_group(),)), Stage((a_group(need=0),))])
def test_a_stage_without_groups_or_sources_is_not_passed_by_itself(stage: Stage) -> None:
    request = opened(a_request(stage))

    assert (request.state, request.approvers) == (State.PENDING, (CHEN, ZHAO))


def test_an_approval_without_a_chain_is_decided_by_the_fallback_people() -> None:
    request = opened(replace(a_request(), chain=()))

    assert (request.state, request.approvers) == (State.PENDING, (CHEN, ZHAO))
    assert after(request, yes("chen")).state is State.APPROVED


def test_a_quorum_beyond_its_people_calls_in_the_fallback_and_is_not_lowered() -> None:
    request, effects = opening(a_request(a_stage("role:lead", need=2)))

    assert effects == (AskApprovers(0, (WANG, CHEN, ZHAO)),)
    assert after(request, yes("wang")).state is State.PENDING
    assert after(request, yes("wang"), yes("zhao")).state is State.APPROVED


def test_a_quorum_beyond_everybody_asks_all_and_alarms() -> None:
    request, effects = opening(a_request(a_stage("role:lead", need=4)))

    assert effects == (AskApprovers(0, (WANG, CHEN, ZHAO)), NobodyCanDecide(0))
    assert after(request, yes("wang"), yes("zhao"), yes("chen")).state is State.PENDING


# Voting


def test_the_last_stage_approves_and_performs() -> None:
    request, effects = moved(opened(a_request()), yes("WANG", "熟客"), at=LATER)

    assert (request.state, request.decided_by) == (State.APPROVED, "user:Wang")
    assert (request.decided_at, request.comment) == (LATER, "熟客")
    assert kinds(effects) == ["CloseCards", "TellRequester", "Perform"]
    assert effects[1] == TellRequester(
        "request.approved", {"id": "A7K2", "subject": "张总", "who": "王", "comment": "熟客"}
    )


def test_an_earlier_stage_leads_to_the_next_one() -> None:
    chain = (a_stage("manager_of_sender"), a_stage("role:director"))

    request, effects = moved(opened(a_request(*chain)), yes("wang"))

    assert (request.state, request.stage, request.approvers) == (State.PENDING, 1, (LI,))
    assert kinds(effects) == ["CloseCards", "TellRequester", "AskApprovers"]
    assert effects[2] == AskApprovers(1, (LI,))
    assert after(request, yes("li")).state is State.APPROVED


def test_the_fallback_of_one_stage_does_not_reach_the_next() -> None:
    request = opened(a_request(a_stage("role:ghost"), a_stage("role:director")))

    request = after(request, yes("zhao"))

    assert (request.stage, request.fallback, request.approvers) == (1, False, (LI,))


def test_one_refusal_is_a_veto() -> None:
    request, effects = moved(opened(a_request(a_stage("role:admin", need=2))), no("zhao"), at=LATER)

    assert (request.state, request.decided_by) == (State.DENIED, "user:zhao")
    assert (request.decided_at, request.comment) == (LATER, "资料不全")
    assert kinds(effects) == ["CloseCards", "TellRequester", "Refuse"]


def test_a_deny_quorum_waits_for_more_refusals() -> None:
    stage = Stage((a_group("role:admin", "role:director"),), deny=2)

    request = after(opened(a_request(stage)), no("zhao"))

    assert request.state is State.PENDING
    assert after(request, no("chen")).state is State.DENIED
    assert after(request, yes("chen")).state is State.APPROVED


def test_a_refusal_that_leaves_too_few_people_ends_it_below_the_deny_quorum() -> None:
    stage = Stage((a_group("role:admin", need=2),), deny=2)

    assert after(opened(a_request(stage)), no("zhao")).state is State.DENIED


def test_a_refusal_below_the_quorum_does_not_count_as_an_approval() -> None:
    stage = Stage((a_group("role:admin", "role:director", need=2),), deny=2)

    request = after(opened(a_request(stage)), no("zhao"), yes("chen"))

    assert request.state is State.PENDING
    assert after(request, yes("li")).state is State.APPROVED


def test_two_people_make_a_quorum_of_two() -> None:
    request, effects = moved(opened(a_request(a_stage("role:admin", need=2))), yes("zhao"))

    assert request.state is State.PENDING
    assert effects == (CloseCardsOf((ZHAO,)),)
    assert approval.waiting_for(request) == (CHEN,)
    assert after(request, yes("chen")).state is State.APPROVED


def test_one_person_does_not_make_a_quorum_of_two() -> None:
    request = after(opened(a_request(a_stage("role:admin", need=2))), yes("zhao"))

    assert refused(request, yes("ZHAO")).key == "voted_already"


def test_one_person_in_two_groups_counts_for_one() -> None:
    stage = Stage((a_group("role:admin"), a_group("user:zhao", "role:director")))

    request = after(opened(a_request(stage)), yes("zhao"))

    assert request.state is State.PENDING
    assert after(request, yes("chen")).state is State.APPROVED
    assert after(request, yes("li")).state is State.APPROVED


def test_an_absent_group_is_stood_in_for_but_the_other_is_not() -> None:
    stage = Stage((a_group("role:lead"), a_group("role:ghost")))

    request = after(opened(a_request(stage)), yes("zhao"), yes("chen"))

    assert request.state is State.PENDING
    assert after(request, yes("wang")).state is State.APPROVED


def test_one_person_counts_once_across_stages() -> None:
    chain = (a_stage("role:admin"), a_stage("role:admin"))
    request = after(opened(a_request(*chain)), yes("zhao"))

    assert request.approvers == (CHEN,)
    assert refused(request, yes("zhao")).key == "voted_already"
    assert after(request, yes("chen")).state is State.APPROVED


def test_unless_the_stage_says_repeat() -> None:
    chain = (a_stage("role:admin"), a_stage("role:admin", repeat=True))

    assert after(opened(a_request(*chain)), yes("zhao"), yes("zhao")).state is State.APPROVED


def test_nobody_decides_their_own_request() -> None:
    request = opened(a_request(a_stage("role:admin"), requester="zhao"))

    for step in (yes("zhao"), no("ZHAO")):
        assert refused(request, step).key == "own_request"


def test_nobody_decides_what_is_for_themselves() -> None:
    facts: Facts = {"request.target": "zhao"}

    assert refused(opened(a_request(a_stage("role:admin"), facts=facts)), yes("zhao")).key == (
        "own_request"
    )


def test_somebody_else_is_told_who_was_asked() -> None:
    answer = refused(opened(a_request(a_stage("role:admin"))), yes("qian"))

    assert (answer.key, answer.params["who"]) == ("not_an_approver", ("陈", "赵"))


def test_who_lost_the_role_after_the_card_cannot_decide() -> None:
    request = opened(a_request(a_stage("role:lead")))

    assert refused(request, yes("wang"), sources=roles_without("lead")).key == "not_an_approver"


def test_who_got_the_role_after_the_card_can() -> None:
    roles = {**ROLES, "lead": frozenset({"wang", "qian"})}

    request = after(
        opened(a_request(a_stage("role:lead"))), yes("qian"), sources=some_sources(roles)
    )

    assert request.decided_by == "user:qian"


def test_the_vote_of_somebody_who_lost_the_role_no_longer_counts() -> None:
    request = after(opened(a_request(a_stage("role:lead", "role:director", need=2))), yes("wang"))

    request, effects = moved(request, yes("li"), sources=roles_without("lead"))

    assert (request.state, request.fallback) == (State.PENDING, True)
    assert AskApprovers(0, (CHEN, ZHAO)) in effects


def test_the_fallback_people_keep_their_say_when_the_stage_finds_its_own() -> None:
    request = opened(a_request(a_stage("role:lead")), roles_without("lead"))

    assert after(request, yes("zhao")).state is State.APPROVED
    assert after(request, yes("wang")).state is State.APPROVED


def test_a_refusal_needs_a_comment_and_an_approval_does_not() -> None:
    request = opened(a_request())

    assert refused(request, no("wang", "  ")).key == "comment_needed"
    assert after(request, yes("wang")).state is State.APPROVED


def test_the_company_may_ask_for_a_comment_on_approvals_too() -> None:
    with pytest.raises(Refused, match="comment_needed"):
        approval.advance(
            opened(a_request()),
            yes("wang"),
            some_sources(),
            ADMINS,
            NOON,
            comment_needed=frozenset({Answer.APPROVE}),
        )


def test_a_vote_after_the_due_time_counts_for_nothing_even_before_the_timer_fired() -> None:
    answer = refused(opened(a_request()), yes("wang"), at=DUE)

    assert (answer.key, answer.params["when"]) == ("expired", DUE)


def test_a_vote_after_the_end_is_told_who_decided_and_when() -> None:
    request = after(opened(a_request(a_stage("role:admin"))), yes("zhao"), at=LATER)

    answer = refused(request, no("chen"))

    assert answer.key == "already_decided"
    assert answer.params == {"id": "A7K2", "who": "赵", "when": LATER, "state": "approved"}


# Other ends


def test_only_the_requester_withdraws() -> None:
    request, effects = moved(opened(a_request()), Withdraw("LIN", "不加了"))

    assert (request.state, request.decided_by) == (State.WITHDRAWN, "user:lin")
    assert effects == (CloseCards(),)
    assert refused(opened(a_request()), Withdraw("wang")).key == "not_yours"


def test_a_machine_withdraws_for_a_leaver() -> None:
    assert after(opened(a_request()), Withdraw("system:leaver")).decided_by == "system:leaver"


def test_withdrawing_does_not_make_an_add_that_has_happened_allowed() -> None:
    _, effects = moved(opened(a_request(origin=Origin.OBSERVED)), Withdraw("lin"))

    assert effects == (CloseCards(), Refuse())


def test_expiry_is_a_refusal_by_the_timer() -> None:
    request, effects = moved(opened(a_request()), Expire(), at=DUE)

    assert (request.state, request.decided_by) == (State.EXPIRED, "system:timer")
    assert kinds(effects) == ["CloseCards", "TellRequester", "Refuse"]


def test_a_timer_that_fires_early_expires_nothing() -> None:
    assert refused(opened(a_request()), Expire()).key == "not_due"
    assert refused(opened(a_request(due_at=None)), Expire()).key == "not_due"


def test_a_stricter_verdict_makes_it_stale() -> None:
    verdict = a_verdict(Outcome.DENY, chain=None, policy="p2")

    request, effects = moved(opened(a_request()), Recheck(verdict))

    assert (request.state, request.decided_by) == (State.STALE, "policy:p2")
    assert kinds(effects) == ["CloseCards", "TellRequester"]


def test_a_stale_add_that_has_happened_is_judged_again() -> None:
    verdict = a_verdict(Outcome.DENY, chain=None)

    _, effects = moved(opened(a_request(origin=Origin.OBSERVED)), Recheck(verdict))

    assert effects[-1] == JudgeAgain()


def test_the_same_or_a_looser_verdict_changes_nothing() -> None:
    request = opened(a_request())

    for verdict in (a_verdict(policy="p2"), a_verdict(Outcome.ALLOW, chain=None)):
        assert moved(request, Recheck(verdict)) == (request, ())


@pytest.mark.parametrize(
    ("old", "new", "state"),
    [
        ("lead", "director", State.STALE),
        ("director", "lead", State.PENDING),
        ("lead", "unheard_of", State.STALE),
    ],
)
def test_a_stricter_chain_makes_it_stale_and_a_looser_one_does_not(
    old: str, new: str, state: State
) -> None:
    request = opened(a_request(verdict=a_verdict(chain=old)))

    step = Recheck(a_verdict(chain=new), strictness=("lead", "director"))

    assert after(request, step).state is state


def test_other_facts_supersede_it() -> None:
    request, effects = moved(opened(a_request()), Supersede())

    assert (request.state, request.decided_by) == (State.SUPERSEDED, "system:supersede")
    assert effects == (CloseCards(),)


@pytest.mark.parametrize("step", [Withdraw("lin"), Expire(), Supersede(), Reassign()])
def test_what_is_decided_cannot_end_otherwise(step: Step) -> None:
    denied = after(opened(a_request()), no("wang"))

    assert refused(denied, step, at=DUE).key == "already_decided"


# People who come and go


def test_the_stage_of_a_leaver_is_reassigned() -> None:
    request = opened(a_request(a_stage("role:admin")))

    request, effects = moved(
        request, Reassign(), sources=some_sources(directory=company_without("zhao"))
    )

    assert request.approvers == (CHEN,)
    assert effects == (CloseCardsOf((ZHAO,)),)


def test_the_last_approver_leaving_calls_in_the_fallback() -> None:
    request = opened(a_request(a_stage("user:wang")))

    request, effects = moved(
        request, Reassign(), sources=some_sources(directory=company_without("wang"))
    )

    assert (request.state, request.fallback) == (State.PENDING, True)
    assert effects == (CloseCardsOf((WANG,)), AskApprovers(0, (CHEN, ZHAO)))


def test_a_new_approver_is_asked_and_the_others_are_not_asked_twice() -> None:
    roles = {**ROLES, "admin": frozenset({"zhao", "chen", "li"})}
    request = opened(a_request(a_stage("role:admin")))

    _, effects = moved(request, Reassign(), sources=some_sources(roles))

    assert effects == (AskApprovers(0, (LI,)),)


def test_reassigning_the_same_people_changes_nothing() -> None:
    request = opened(a_request(a_stage("role:admin")))

    assert moved(request, Reassign()) == (request, ())


def test_reassigning_never_approves() -> None:
    both = a_request(a_stage("role:lead", "role:director", need=2))
    request = after(opened(both), yes("wang"))
    request = after(request, yes("li"), sources=roles_without("lead"))

    assert after(request, Reassign()).state is State.PENDING
    assert after(request, yes("zhao")).state is State.APPROVED


def test_who_has_refused_is_no_hope_for_the_quorum() -> None:
    stage = Stage((a_group("role:lead", "role:director", "tag:法务", need=2),), deny=2)
    request = after(opened(a_request(stage)), no("wang"))
    assert not request.fallback

    request, effects = moved(request, Reassign(), sources=roles_without("director"))

    assert (request.state, request.fallback) == (State.PENDING, True)
    assert effects == (CloseCardsOf((LI,)), AskApprovers(0, (CHEN, ZHAO)))


def test_a_stage_in_which_everybody_has_answered_goes_to_the_fallback_not_through() -> None:
    three = some_sources({**ROLES, "lead": frozenset({"wang", "li", "qian"})})
    request = opened(a_request(a_stage("role:lead", need=2)), three)
    request = after(request, yes("wang"), sources=three)
    without_wang = some_sources({**ROLES, "lead": frozenset({"li", "qian"})})
    request = after(request, yes("li"), sources=without_wang)
    assert not request.fallback

    back = some_sources({**ROLES, "lead": frozenset({"wang", "li"})})
    request, effects = moved(request, Reassign(), sources=back)

    assert request.state is State.PENDING
    assert AskApprovers(0, (CHEN, ZHAO)) in effects


# After the decision


def test_what_was_carried_out_is_final() -> None:
    request = after(opened(a_request()), yes("wang"), Executed())

    assert request.state is State.EXECUTED
    assert request.decided_by == "user:Wang"
    for step in (Executed(), ExecutionFailed("x"), Revoke("wang"), yes("wang")):
        assert refused(request, step).key == "already_decided"


def test_a_failure_is_told_and_may_still_be_mended() -> None:
    request, effects = moved(after(opened(a_request()), yes("wang")), ExecutionFailed("45035"))

    assert request.state is State.EXECUTION_FAILED
    assert kinds(effects) == ["TellRequester", "Tell"]
    assert isinstance(effects[1], Tell)
    assert effects[1].to == (CHEN, ZHAO)
    assert effects[1].params["why"] == "45035"
    assert after(request, Executed()).state is State.EXECUTED


def test_every_failure_to_make_a_ticket_is_told_to_whoever_waits_for_it() -> None:
    failed = after(opened(a_request()), yes("wang"), ExecutionFailed("45035"))

    again, effects = moved(failed, ExecutionFailed("60111"))

    assert again.state is State.EXECUTION_FAILED
    assert again.version == failed.version + 1
    [told] = effects
    assert isinstance(told, TellRequester)
    assert (told.text, told.params["why"]) == ("request.failed_again", "60111")


def test_what_takes_many_calls_is_told_to_have_failed_once() -> None:
    plan = Export(("lin",))
    failed = after(opened(replace(a_request(), plan=plan)), yes("wang"), ExecutionFailed("x"))

    assert moved(failed, ExecutionFailed("y")) == (failed, ())


def test_nothing_is_carried_out_before_it_is_decided() -> None:
    for step in (Executed(), ExecutionFailed("x"), Revoke("wang")):
        assert refused(opened(a_request()), step).key == "not_decided"


def test_whoever_approved_may_take_it_back_until_it_is_carried_out() -> None:
    chain = (a_stage("role:lead"), a_stage("role:director"))
    approved = after(opened(a_request(*chain)), yes("wang"), yes("li"))

    request, effects = moved(approved, Revoke("WANG", "弄错了"), at=LATER)

    assert (request.state, request.decided_by) == (State.REVOKED, "user:Wang")
    assert (request.decided_at, request.comment) == (LATER, "弄错了")
    assert kinds(effects) == ["CloseCards", "TellRequester", "Refuse", "Tell"]
    assert isinstance(effects[3], Tell)
    assert ids(effects[3].to) == {"li"}


def test_an_admin_may_take_back_what_the_policy_allowed() -> None:
    allowed = opened(a_request(verdict=a_verdict(Outcome.ALLOW)))

    assert after(allowed, Revoke("zhao")).state is State.REVOKED
    assert after(allowed, Revoke("system:freeze")).decided_by == "system:freeze"


@pytest.mark.parametrize("by", ["lin", "qian", "ghost"])
def test_nobody_else_takes_an_approval_back(by: str) -> None:
    approved = after(opened(a_request()), yes("wang"))

    assert refused(approved, Revoke(by)).key == "not_an_approver"


def test_each_change_is_a_version_and_no_change_is_none() -> None:
    request = a_request(a_stage("role:admin", need=2))
    first = opened(request)
    second = after(first, yes("zhao"))

    assert [r.version for r in (request, first, second)] == [0, 1, 2]
    assert after(second, Reassign()).version == 2
    assert after(second, yes("chen"), Executed()).version == 4
