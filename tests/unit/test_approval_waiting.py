"""Who is asked while others are away or do not answer, and when."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from tests.makers_approval import (
    ADMINS,
    DUE,
    NOON,
    a_request,
    a_stage,
    ids,
    kinds,
    some_sources,
)
from workflows import appeals, approval, timing
from workflows.absences import Absence, away_at, chain_from, leads_back
from workflows.approvers import Sources
from workflows.effects import AskApprovers, Effect, TellRequester
from workflows.model import Answer, Origin, Person, Request, State
from workflows.schedules import Schedule, windows_of
from workflows.steps import (
    AddApprover,
    Appeal,
    Approve,
    Deny,
    Escalate,
    Executed,
    HandOver,
    Reassign,
    Refused,
    Remind,
    SendBack,
    Step,
    Supplement,
)
from workflows.timing import Timing

HOUR = timedelta(hours=1)
TIMING = Timing(
    remind_after=HOUR / 2,
    escalate_after=2 * HOUR,
    ladder=("manager_of_approver", "role:ghost", "role:admin"),
)
DIRECTOR = a_stage("role:director")


def with_away(**away: str) -> Sources:
    return replace(some_sources(), away=lambda: away)


def opened(request: Request | None = None, sources: Sources | None = None) -> Request:
    return approval.open_request(request or a_request(), sources or some_sources(), ADMINS, NOON)[0]


def step(
    request: Request, wish: Step, sources: Sources | None = None, at: datetime = NOON
) -> tuple[Request, tuple[Effect, ...]]:
    return approval.advance(request, wish, sources or some_sources(), ADMINS, at)


def refusal(
    request: Request, wish: Step, sources: Sources | None = None, at: datetime = NOON
) -> str:
    with pytest.raises(Refused) as caught:
        step(request, wish, sources, at)
    return caught.value.key


# Absences


def test_an_absence_counts_from_its_beginning_and_not_at_its_end() -> None:
    wang, li = Person("Wang", "王"), Person("li", "李")
    absence = Absence(wang, li, NOON, NOON + HOUR)

    assert away_at([absence], NOON) == {"wang": "li"}
    assert away_at([absence], NOON - timedelta(microseconds=1)) == {}
    assert away_at([absence], NOON + HOUR) == {}


@pytest.mark.parametrize(
    ("away", "chain"),
    [
        ({}, ()),
        ({"a": "b"}, ("b",)),
        ({"a": "b", "b": "c", "c": "d", "d": "e"}, ("b", "c", "d")),
        ({"a": "b", "b": "A"}, ("b",)),
        ({"a": "a"}, ()),
    ],
)
def test_an_absence_is_followed_three_times_and_never_in_a_circle(
    away: Mapping[str, str], chain: tuple[str, ...]
) -> None:
    assert chain_from("a", away) == chain


def test_naming_somebody_who_leads_back_is_noticed() -> None:
    assert leads_back("a", "B", {"b": "c", "c": "A"})
    assert leads_back("a", "A", {})
    assert not leads_back("a", "b", {"b": "c"})


def test_the_delegate_is_asked_and_votes_in_the_absent_persons_name() -> None:
    away = with_away(wang="zhao")
    request = opened(sources=away)
    assert ids(request.approvers) == {"zhao"}

    decided, _ = step(request, Approve("zhao", "card"), away)

    [vote] = decided.votes
    assert vote.on_behalf == Person("Wang", "王")
    assert (decided.state, vote.via) == (State.APPROVED, "delegate")
    assert approval.who_decided(decided) == "delegate:王:赵"


def test_who_may_decide_anyway_decides_in_their_own_name() -> None:
    away = with_away(wang="li")
    request = opened(a_request(a_stage("manager_of_sender", "role:director")), away)

    decided, _ = step(request, Approve("li", "card"), away)

    assert decided.votes[0].on_behalf is None


@pytest.mark.parametrize(
    "away",
    [
        {"wang": "lin"},  # the requester
        {"wang": "ghost"},  # nobody
        {"wang": "li", "li": "wang"},  # a circle
        {"wang": "li", "li": "zhao", "zhao": "chen", "chen": "qian"},  # too long
    ],
)
def test_an_absence_that_leads_nowhere_leaves_the_person_asked_and_calls_the_fallback(
    away: dict[str, str],
) -> None:
    """Zoho approves by itself where the approver is inactive; here more people are asked."""
    sources = with_away(**away)

    request = opened(sources=sources)

    assert request.fallback
    assert {"wang"} < ids(request.approvers)
    assert request.state is State.PENDING


def test_nobody_who_acts_for_the_requester_decides_not_even_in_their_own_right() -> None:
    """Bytebase #19142: a requester came to decide through another role."""
    sources = with_away(lin="wang")
    request = opened(sources=sources)

    assert "wang" not in ids(request.approvers)
    assert refusal(request, Approve("wang", "card"), sources) == "acts_for_requester"


def test_nobody_who_acts_for_whom_a_request_is_for_decides() -> None:
    sources = with_away(qian="li", li="zhao")
    draft = a_request(a_stage("role:director", "role:admin"), facts={"request.target": "qian"})

    assert ids(opened(draft, sources).approvers) == {"chen"}


def test_the_vote_of_a_delegate_stands_when_the_absent_one_returns() -> None:
    away = with_away(wang="zhao")
    two = a_stage("manager_of_sender", "role:director", need=2)
    request, _ = step(opened(a_request(two), away), Approve("zhao", "card"), away)

    back, _ = step(request, Reassign())

    assert ids(approval.waiting_for(back)) == {"li"}
    assert refusal(back, Approve("wang", "card")) == "not_an_approver"
    decided, _ = step(back, Approve("li", "card"))
    assert decided.state is State.APPROVED


def test_who_was_stood_in_for_does_not_count_again_at_a_later_stage() -> None:
    away = with_away(wang="zhao")
    chain = (a_stage("manager_of_sender"), a_stage("user:wang", "role:director"))
    request, _ = step(opened(a_request(*chain), away), Approve("zhao", "card"), away)

    assert ids(request.approvers) == {"li"}
    assert refusal(request, Approve("wang", "card")) == "voted_already"


def test_who_is_away_is_told_so_at_the_click() -> None:
    request = opened(sources=with_away(wang="zhao"))

    assert refusal(request, Approve("wang", "card"), with_away(wang="zhao")) == "you_are_away"


def test_a_lost_delegate_gives_the_place_back() -> None:
    request = opened(sources=with_away(wang="zhao"))

    again, effects = step(request, Reassign())

    assert ids(again.approvers) == {"wang"}
    assert kinds(effects) == ["CloseCardsOf", "AskApprovers"]


# Handed over, added, asked back


def test_a_place_is_handed_over_and_given_back() -> None:
    request, effects = step(opened(), HandOver("wang", "zhao"))
    assert ids(request.approvers) == {"zhao"}
    [asked] = [each for each in effects if isinstance(each, AskApprovers)]
    assert (asked.why, asked.by) == ("handed_over", "王")
    assert refusal(request, Approve("wang", "card")) == "not_an_approver"

    again, _ = step(request, HandOver("zhao", "wang"))

    assert ids(again.approvers) == {"wang"}


@pytest.mark.parametrize(
    ("wish", "key"),
    [
        (HandOver("wang", "lin"), "cannot_decide"),
        (HandOver("wang", "ghost"), "cannot_decide"),
        (HandOver("wang", "wang"), "asked_already"),
        (HandOver("li", "zhao"), "not_an_approver"),
        (HandOver("lin", "zhao"), "own_request"),
        (AddApprover("wang", "lin"), "cannot_decide"),
        (AddApprover("qian", "li"), "not_an_approver"),
        (SendBack("li", "?"), "not_an_approver"),
        (Supplement("wang", "!"), "not_yours"),
    ],
)
def test_what_may_not_be_is_refused(wish: Step, key: str) -> None:
    assert refusal(opened(), wish) == key


def test_a_place_does_not_go_to_somebody_who_is_away() -> None:
    assert refusal(opened(), HandOver("wang", "zhao"), with_away(zhao="chen")) == "is_away"


def test_who_may_do_what_is_only_handed_to_those_who_stand_in_anyway() -> None:
    request = opened(replace(a_request(DIRECTOR), action="permission.grant"))

    assert refusal(request, HandOver("li", "qian")) == "not_for_this"
    assert ids(step(request, HandOver("li", "zhao"))[0].approvers) == {"zhao"}


def test_handing_over_ends_with_the_right_of_who_did_it() -> None:
    request, _ = step(opened(), HandOver("wang", "zhao"))
    nobody = replace(some_sources(), directory=some_sources().directory.of([]))

    assert refusal(request, Approve("zhao", "card"), nobody) == "not_an_approver"


def test_an_added_approver_must_agree_besides_the_others() -> None:
    request, _ = step(opened(), AddApprover("wang", "qian"))
    first, _ = step(request, Approve("wang", "card"))
    assert first.state is State.PENDING

    decided, _ = step(first, Approve("qian", "card"))

    assert decided.state is State.APPROVED


def test_added_approvers_are_no_endless_chain() -> None:
    request = opened()
    for who in ("qian", "li", "zhao", "chen"):
        request, _ = step(request, AddApprover("wang", who))

    assert refusal(request, AddApprover("wang", "fay")) in {"cannot_decide", "added_enough"}
    assert len(request.chain[0].groups) == 5


def test_a_question_keeps_votes_and_end_and_stops_reminders() -> None:
    two = a_stage("manager_of_sender", "role:director", need=2)
    request, _ = step(opened(a_request(two)), Approve("wang", "card"))

    asked, effects = step(request, SendBack("li", "where?"), at=NOON + HOUR / 4)

    assert (asked.votes, asked.due_at, asked.state) == (request.votes, DUE, State.PENDING)
    assert kinds(effects) == ["TellRequester"]
    assert timing.remind_at(asked, TIMING) is None
    assert timing.escalate_at(asked, TIMING) is None
    said, effects = step(asked, Supplement("lin", "there"), at=NOON + HOUR)
    assert kinds(effects) == ["Tell"]
    assert said.questions[0].answer == "there"
    assert timing.remind_at(said, TIMING) == NOON + HOUR + HOUR / 4
    assert timing.escalate_at(said, TIMING) == NOON + HOUR + 2 * HOUR - HOUR / 4


def test_who_asks_may_also_decide_without_an_answer() -> None:
    asked, _ = step(opened(), SendBack("wang", "where?"))

    assert step(asked, Approve("wang", "card"))[0].state is State.APPROVED


# Timers


def test_a_reminder_reaches_who_has_not_answered_and_only_once() -> None:
    request = opened()
    assert refusal(request, Remind(TIMING)) == "not_due"

    reminded, effects = step(request, Remind(TIMING), at=NOON + HOUR / 2)

    assert kinds(effects) == ["RemindApprovers"]
    assert step(reminded, Remind(TIMING), at=NOON + HOUR) == (reminded, ())


def test_each_stage_has_its_own_timers() -> None:
    request = opened(a_request(a_stage("manager_of_sender"), DIRECTOR))
    request, _ = step(request, Remind(TIMING), at=NOON + HOUR / 2)
    request, _ = step(request, Escalate(TIMING), at=NOON + 2 * HOUR)

    second, _ = step(request, Approve("wang", "card"), at=NOON + 3 * HOUR)

    assert (second.stage_at, second.reminded_at, second.rung) == (NOON + 3 * HOUR, None, 0)
    assert timing.remind_at(second, TIMING) == NOON + 3.5 * HOUR


def test_the_ladder_is_climbed_rung_by_rung_passing_over_what_names_nobody() -> None:
    first, effects = step(opened(), Escalate(TIMING), at=NOON + 2 * HOUR)
    assert ids(first.approvers) == {"wang", "li"}
    [asked] = [each for each in effects if isinstance(each, AskApprovers)]
    assert asked.why == "escalated"
    assert [e.text for e in effects if isinstance(e, TellRequester)] == ["request.escalated"]
    assert refusal(first, Escalate(TIMING), at=NOON + 3 * HOUR) == "not_due"

    second, _ = step(first, Escalate(TIMING), at=NOON + 4 * HOUR)

    assert ids(second.approvers) == {"wang", "li", "zhao", "chen"}
    assert second.rung == 3
    assert step(second, Escalate(TIMING), at=NOON + 6 * HOUR) == (second, ())
    assert second.due_at == DUE


def test_the_requester_is_passed_over_on_the_ladder() -> None:
    ladder = replace(TIMING, ladder=("user:lin", "user:qian"))

    climbed, _ = step(opened(), Escalate(ladder), at=NOON + 2 * HOUR)

    assert ids(climbed.approvers) == {"wang", "qian"}


def test_nobody_is_called_when_time_is_up_or_all_is_decided() -> None:
    request = opened()
    assert step(request, Remind(TIMING), at=DUE) == (request, ())
    assert step(request, Escalate(TIMING), at=DUE) == (request, ())
    decided, _ = step(request, Approve("wang", "card"))
    assert refusal(decided, Remind(TIMING), at=NOON + HOUR) == "already_decided"


def test_a_stage_that_begins_late_is_reminded_half_way_to_the_end() -> None:
    request = opened(a_request(a_stage("manager_of_sender"), DIRECTOR))
    late = DUE - HOUR / 4

    second, _ = step(request, Approve("wang", "card"), at=late)

    assert timing.remind_at(second, TIMING) == late + HOUR / 8


def test_timers_run_in_working_hours_and_never_at_the_closing_bell() -> None:
    zone = ZoneInfo("Asia/Shanghai")
    clock = Schedule(windows_of(("09:00-18:00",)), zone)
    wednesday = datetime(2026, 3, 4, 17, 30, tzinfo=zone)
    request = replace(a_request(), due_at=clock.add(wednesday, 8 * HOUR))
    request, _ = approval.open_request(request, some_sources(), ADMINS, wednesday)

    due = timing.remind_at(request, replace(TIMING, clock=clock))

    assert due == datetime(2026, 3, 5, 9, 0, tzinfo=zone)


# Appeals


def refused_request(**changes: object) -> Request:
    return replace(step(opened(), Deny("wang", "card", "no"))[0], **changes)  # type: ignore[arg-type]


def test_an_appeal_goes_above_who_refused_and_never_to_them() -> None:
    noted, _ = step(refused_request(), Appeal("lin", "B3M4"))

    draft = appeals.drafted(noted, "B3M4", noted.verdict, NOON)
    appeal, _ = approval.open_request(draft, some_sources(), ADMINS, NOON)

    assert (noted.state, noted.appealed_as) == (State.DENIED, "B3M4")
    assert ids(appeal.approvers) == {"li"}
    assert refusal(appeal, Approve("wang", "card")) == "decided_before"
    assert refusal(appeal, HandOver("li", "wang")) == "cannot_decide"


def test_who_refused_in_somebody_elses_name_bars_both_from_the_appeal() -> None:
    away = with_away(wang="zhao")
    denied, _ = step(opened(sources=away), Deny("zhao", "card", "no"), away)

    assert {p.userid for p in appeals.refusers(denied)} == {"zhao", "Wang"}


def test_without_anybody_above_an_appeal_goes_to_the_fallback() -> None:
    denied, _ = step(opened(a_request(DIRECTOR)), Deny("li", "card", "no"))
    draft = appeals.drafted(denied, "B3M4", denied.verdict, NOON)

    appeal, _ = approval.open_request(draft, some_sources(), ADMINS, NOON)

    assert ids(appeal.approvers) == {"zhao", "chen"}


@pytest.mark.parametrize(
    ("changes", "by", "key"),
    [
        ({}, "wang", "not_yours"),
        ({"appeal_of": "X2X2"}, "lin", "appeal_of_appeal"),
        ({"appealed_as": "B3M4"}, "lin", "appealed_already"),
        ({"decided_by": "policy:p1"}, "lin", "appeal_not_refused"),
        ({"state": State.EXPIRED, "decided_by": "system:timer"}, "lin", "appeal_not_refused"),
        ({"action": "config.change"}, "lin", "appeal_not_for_this"),
    ],
)
def test_an_appeal_that_cannot_be_is_refused(changes: dict[str, object], by: str, key: str) -> None:
    assert refusal(refused_request(**changes), Appeal(by, "C4N5")) == key


def test_what_the_rules_would_allow_by_now_is_still_decided_by_a_person() -> None:
    refused = refused_request()
    allowed = replace(refused.verdict, outcome=type(refused.verdict.outcome).ALLOW)

    appeal, _ = approval.open_request(
        appeals.drafted(refused, "B3M4", allowed, NOON), some_sources(), ADMINS, NOON
    )

    assert appeal.state is State.PENDING


def test_an_executed_request_is_not_changed_by_any_of_this() -> None:
    decided, _ = step(opened(), Approve("wang", "card"))
    done, _ = step(decided, Executed())

    for wish in (HandOver("wang", "li"), AddApprover("wang", "li"), SendBack("wang", "?")):
        assert refusal(done, wish) == "already_decided"
    assert done.votes[0].answer is Answer.APPROVE
    assert done.origin is Origin.ASKED
