"""The same promises over longer histories: people away, hand-overs, the ladder, questions, appeals.

`MENWEI_HISTORIES` is how many histories are tried, and `MENWEI_SEED` where to begin; a failure
prints the history.
"""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.makers_approval import NOON, a_request, a_verdict, after, moved, opened
from tests.unit.test_approval_properties import FALLBACK, FINAL, PEOPLE, Histories, mostly_yes
from workflows import appeals, approval, timing, undoing
from workflows.approvers import Sources
from workflows.effects import JudgeAgain, Perform, Refuse, RemindApprovers
from workflows.model import Answer, Group, Origin, Outcome, Request, Stage, State
from workflows.steps import (
    AddApprover,
    Appeal,
    Approve,
    Deny,
    Escalate,
    Executed,
    HandOver,
    Reassign,
    Recheck,
    Refused,
    Remind,
    SendBack,
    Step,
    Supplement,
    TakeBack,
)
from workflows.timing import Timing

TRIED = int(os.environ.get("MENWEI_HISTORIES", "200"))
BEGIN = int(os.environ.get("MENWEI_SEED", "20261001"))
HOUR = timedelta(hours=1)
WINDOW = HOUR  # for second thoughts, in histories whose clock moves by hours
TIMING = Timing(
    remind_after=HOUR,
    escalate_after=2 * HOUR,
    ladder=("manager_of_approver", "role:ghost", "role:two", "role:admin"),
)
people = st.sampled_from(PEOPLE)
# Mostly somebody there is, so that histories get somewhere.
roles_ = st.fixed_dictionaries(
    {
        "one": st.sampled_from([frozenset({"bo"}), frozenset({"cy"}), frozenset({"bo", "cy"})]),
        "two": st.sampled_from([frozenset({"di"}), frozenset({"cy", "di"}), frozenset()]),
        "admin": st.sampled_from([frozenset({"di", "fay"}), frozenset({"bo"}), frozenset()]),
    }
)
groups_ = st.builds(
    Group,
    st.sampled_from([("role:one",), ("role:two",), ("manager_of_sender",), ("user:cy",)]),
    st.sampled_from([1, 1, 1, 2]),
)
stages_ = st.builds(
    Stage,
    st.lists(groups_, min_size=1, max_size=2).map(tuple),
    st.sampled_from([1, 1, 2]),
    st.booleans(),
)


class LongHistories(Histories):
    """Everything that can happen to a request, in any order."""

    log: list[tuple[Step, Sources, datetime]]

    @initialize(
        chain=st.lists(stages_, min_size=1, max_size=3).map(tuple),
        roles=roles_,
        active=st.sampled_from([frozenset(PEOPLE)] * 3 + [frozenset(PEOPLE) - {"bo"}]),
    )
    def begin(
        self, chain: tuple[Stage, ...], roles: dict[str, frozenset[str]], active: frozenset[str]
    ) -> None:
        self.log = []
        self.held_until: datetime | None = None
        self.ordered = self.undone = False
        Histories.start(self, chain, roles, active)

    def step(self, step: Step) -> Refused | None:
        before, sources, performed = self.request, self.sources, self.performed
        answer = super().step(step)
        if self.performed > performed:
            self.held_until = undoing.until(self.request, WINDOW)
            self.ordered = self.held_until is None
        if self.request is not before:
            self.log.append((step, sources, self.now))
        assert self.request.due_at == before.due_at, "nothing moves the end"
        return answer

    @rule(who=people, to=people)
    def somebody_goes_away(self, who: str, to: str) -> None:
        """Circles and long chains included: what the chat refuses, the engine must bear too."""
        self.away = {**self.away, who: to}
        self.refresh()

    @precondition(lambda self: self.request.approvers)
    @rule(pick=st.integers(0, 9), to=people, votes=st.booleans(), yes=mostly_yes)
    def an_approver_goes_away(self, pick: int, to: str, votes: bool, yes: bool) -> None:
        asked = self.request.approvers
        self.somebody_goes_away(asked[pick % len(asked)].userid, to)
        self.step(Reassign())
        if votes:
            self.press(to, yes)

    @rule(role=st.sampled_from(["one", "two", "admin"]), who=people)
    def change_role(self, role: str, who: str) -> None:
        self.roles[role] ^= {who}
        self.refresh()

    @rule(who=people)
    def come_and_go(self, who: str) -> None:
        self.active ^= {who}
        self.refresh()

    @rule(outcome=st.sampled_from([Outcome.ALLOW, Outcome.APPROVAL, Outcome.APPROVAL]))
    def recheck(self, outcome: Outcome) -> None:
        before = self.request
        self.step(Recheck(a_verdict(outcome)))
        assert self.request.state is before.state, "looser or the same changes nothing"

    @rule(who=people)
    def somebody_comes_back(self, who: str) -> None:
        self.away = {each: to for each, to in self.away.items() if each != who}
        self.refresh()

    @precondition(lambda self: self.request.approvers)
    @rule(pick=st.integers(0, 9), to=st.sampled_from([*PEOPLE, "stranger"]))
    def a_request_is_handed_over(self, pick: int, to: str) -> None:
        asked = self.request.approvers
        by = asked[pick % len(asked)].userid
        if self.step(HandOver(by, to)) is None:
            assert to in {p.userid for p in self.request.approvers}
            assert to in self.active

    @precondition(lambda self: self.request.approvers and self.request.chain)
    @rule(pick=st.integers(0, 9), who=people)
    def one_more_is_wanted(self, pick: int, who: str) -> None:
        before = self.request
        by = before.approvers[pick % len(before.approvers)].userid
        if self.step(AddApprover(by, who)) is None:
            groups = self.request.chain[self.request.stage].groups
            had = before.chain[before.stage].groups
            assert len(groups) == max(1, len(had)) + 1

    @precondition(lambda self: self.request.approvers)
    @rule(pick=st.integers(0, 9), answered=st.booleans(), hours=st.integers(0, 2))
    def something_is_asked_back(self, pick: int, answered: bool, hours: int) -> None:
        before = self.request
        self.step(SendBack(before.approvers[pick % len(before.approvers)].userid, "why?"))
        if timing.is_sent_back(self.request):
            assert timing.remind_at(self.request, TIMING) is None or (
                self.request.questions[-1].at > NOON
            )
        self.now += timedelta(hours=hours)
        if answered:
            self.step(Supplement("ann", "because"))
        assert self.request.votes == before.votes

    @rule(by=people)
    def only_the_requester_supplements(self, by: str) -> None:
        answer = self.step(Supplement(by, "more"))
        assert answer is not None or by == "ann"

    @rule()
    def a_reminder_is_due(self) -> None:
        before = self.request
        self.step(Remind(TIMING))
        self.step(Remind(TIMING))
        later = self.request
        assert replace(later, reminded_at=None, version=0) == replace(
            before, reminded_at=None, version=0
        )
        assert before.reminded_at is None or later.reminded_at == before.reminded_at

    @rule()
    def it_is_escalated(self) -> None:
        before = self.request
        asked = {p.userid for p in before.approvers}
        answer = self.step(Escalate(TIMING))
        later = self.request
        assert (later.state, later.stage, later.votes) == (before.state, before.stage, before.votes)
        if answer is None and later is not before:
            assert before.rung < later.rung <= len(TIMING.ladder)
            assert later.called_at == self.now
            assert self.now < (before.due_at or self.now)
            # Those who still may decide stay asked: others only join them.
            panel = {p.userid for p in later.approvers}
            assert asked & self.may_now(before) <= panel

    def may_now(self, request: Request) -> set[str]:
        found = set()
        for person in request.approvers:
            try:
                approval.advance(
                    request, Approve(person.userid, "card"), self.sources, FALLBACK, self.now
                )
            except Refused as refused:
                if refused.key == "comment_needed":
                    found.add(person.userid)
            else:
                found.add(person.userid)
        return found

    @precondition(lambda self: self.request.state in FINAL)
    @rule(by=people, pick=st.sampled_from(PEOPLE))
    def it_is_appealed_against(self, by: str, pick: str) -> None:
        before = self.request
        answer = self.step(Appeal(by, "B3M4"))
        if answer is not None:
            return
        assert by == "ann"
        assert before.state is State.DENIED
        assert before.decided_by.startswith("user:")
        assert self.step(Appeal("ann", "C4N5")) is not None, "once only"
        self.nobody_who_refused_decides_on(before, pick)

    def nobody_who_refused_decides_on(self, refused: Request, by: str) -> None:
        draft = appeals.drafted(refused, "B3M4", a_verdict(), self.now)
        appeal, _ = approval.open_request(draft, self.sources, FALLBACK, self.now)
        said_no = {v.by.userid for v in refused.votes if v.answer is Answer.DENY}
        assert not said_no & {p.userid for p in appeal.approvers}
        try:
            decided, _ = approval.advance(
                appeal, Approve(by, "card"), self.sources, FALLBACK, self.now
            )
        except Refused:
            return
        assert by not in said_no | {"ann", "eve"}
        assert by in self.active
        assert decided.state in {State.PENDING, State.APPROVED}

    @precondition(lambda self: self.held_until is not None)
    @rule()
    def what_was_held_back_is_due(self) -> None:
        """As the timer does: ordered once nobody can take the approval back, if it still stands."""
        if self.held_until is not None and self.now >= self.held_until:
            self.ordered = self.request.state is State.APPROVED
            self.held_until = None

    @precondition(lambda self: self.request.decided_by and not self.ordered)
    @rule(own=mostly_yes, who=people, minutes=st.sampled_from([0, 0, 59, 60, 61]))
    def an_approval_is_taken_back(self, own: bool, who: str, minutes: int) -> None:
        """What is beyond recall is not even tried: the held order is called off first."""
        before = self.request
        self.now += timedelta(minutes=minutes)
        by = before.decided_by.partition(":")[2] if own else who
        answer = self.step(TakeBack(by, WINDOW))
        if answer is not None:
            assert self.request == before
            return
        assert before.decided_by == f"user:{by}"
        assert before.votes[-1].by.userid == by
        assert before.decided_at is not None
        assert self.now <= before.decided_at + WINDOW
        self.undone, self.held_until = True, None
        assert self.step(TakeBack(by, WINDOW)) is not None, "once only"

    @invariant()
    def it_is_carried_out_or_taken_back_and_never_both(self) -> None:
        assert not (self.ordered and self.undone)
        assert not self.undone or self.request.state is State.REVOKED
        assert not self.undone or self.held_until is None

    @precondition(lambda self: self.request.state in (State.APPROVED, State.EXECUTED))
    @invariant()
    def what_is_taken_back_is_compensated_once(self) -> None:
        by = self.request.decided_by.partition(":")[2]
        try:
            _, effects = approval.advance(
                self.request, TakeBack(by, WINDOW), self.sources, FALLBACK, self.now
            )
        except Refused:
            return
        assert sum(isinstance(each, Refuse | JudgeAgain) for each in effects) == 1
        assert Perform() not in effects

    @invariant()
    def nobody_acts_for_those_it_concerns(self) -> None:
        for vote in self.request.votes:
            if vote.on_behalf is not None:
                assert vote.on_behalf.userid not in {"ann", "eve"}
                assert vote.via == "delegate"

    @invariant()
    def nobody_counts_twice_not_even_through_another(self) -> None:
        for vote in self.request.votes:
            later = self.request.chain[vote.stage + 1 :] if self.request.chain else ()
            if any(stage.repeat for stage in later):
                continue
            own = {p.userid for p in (vote.by, vote.on_behalf) if p}
            since = [v for v in self.request.votes if v.stage > vote.stage]
            assert not own & {v.by.userid for v in since}

    @invariant()
    def whoever_is_asked_is_in_service(self) -> None:
        self.step(Reassign())
        if self.request.state is State.PENDING:
            assert {p.userid for p in self.request.approvers} <= self.active

    def teardown(self) -> None:
        """Invariant 8: the accepted steps, taken again, give the very same request."""
        if not hasattr(self, "begun"):
            return  # it was not even begun
        again, performed = self.begun, 0
        for step, sources, at in self.log:
            again, effects = approval.advance(again, step, sources, FALLBACK, at)
            performed += effects.count(Perform())
            assert sum(isinstance(e, RemindApprovers) for e in effects) <= 1
        assert again == self.request
        assert performed <= 1, "carried out at most once"


def test_the_promises_hold_with_everything_that_can_happen() -> None:
    machine = seed(BEGIN)(LongHistories)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=TRIED,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
        ),
    )


def test_an_approval_is_taken_back_only_in_time_and_by_whoever_decided() -> None:
    approved = after(opened(a_request()), Approve("wang", "card"))
    minute = timedelta(minutes=1)

    undoing.check(approved, "WANG", minute, NOON + minute)

    with pytest.raises(Refused, match="not_your_decision"):
        undoing.check(approved, "li", minute, NOON)
    with pytest.raises(Refused, match="undo_over"):
        undoing.check(approved, "wang", minute, NOON + minute + timedelta(seconds=1))


def test_a_refusal_is_not_undone() -> None:
    denied = after(opened(a_request()), Deny("wang", "card", "no"))

    with pytest.raises(Refused, match="already_decided"):
        undoing.check(denied, "wang", timedelta(minutes=1), NOON)


def test_what_has_happened_is_decided_anew_and_an_appealed_refusal_stands_again() -> None:
    minute = timedelta(minutes=1)
    for appeal_of, wanted in (("", JudgeAgain), ("B3M4", Refuse)):
        draft = replace(a_request(origin=Origin.OBSERVED), appeal_of=appeal_of)
        approved = after(opened(draft), Approve("wang", "card"), Executed())

        undone, effects = moved(approved, TakeBack("wang", minute))

        assert undone.state is State.REVOKED
        assert wanted() in effects


@pytest.mark.parametrize("actor", ["auto_review:x", "policy:p", "waiver:W-1", "breakglass:wang"])
def test_what_no_vote_decided_is_neither_held_nor_taken_back(actor: str) -> None:
    approved = replace(after(opened(a_request()), Approve("wang", "card")), decided_by=actor)

    assert undoing.until(approved, timedelta(minutes=1)) is None
    with pytest.raises(Refused, match="not_your_decision"):
        undoing.check(approved, "wang", timedelta(minutes=1), NOON)


def test_without_a_window_nothing_is_held_or_taken_back() -> None:
    approved = after(opened(a_request()), Approve("wang", "card"))

    assert undoing.until(approved, timedelta()) is None
    with pytest.raises(Refused, match="undo_over"):
        undoing.check(approved, "wang", timedelta(), NOON)
