"""The promises of the approval engine, held against random companies, chains and histories."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.makers_approval import DUE, NOON, a_request, a_verdict
from tests.makers_waivers import a_waiver
from workflows import approval, waivers
from workflows.approvers import Sources
from workflows.directory import Directory, Member
from workflows.effects import NobodyCanDecide, Perform
from workflows.model import Answer, Group, Origin, Outcome, Reason, Request, Stage, State
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
    TakeBack,
    Withdraw,
)

PEOPLE = ("ann", "bo", "cy", "di", "eve", "fay")  # ann asks; eve is whom it may be for
ROLE_NAMES = ("one", "two", "admin")
FALLBACK = ("role:admin",)

spellings = st.sampled_from([*PEOPLE, *(p.upper() for p in PEOPLE), "stranger"])
mostly_yes = st.sampled_from([True, True, True, False])
sources_ = st.sampled_from(
    ["role:one", "role:two", "role:ghost", "user:ann", "user:bo", "manager_of_sender",
     "manager_of_approver", "tag:t", "owner_of_customer", "nonsense"]
)  # fmt: skip
# Mostly stages that can be passed, or no history would get far.
few_or_many = st.one_of(st.just(("tag:t",)), st.lists(sources_, max_size=3).map(tuple))
groups_ = st.builds(Group, few_or_many, st.sampled_from([1, 1, 2, 2, 0, 3]))
stages_ = st.builds(
    Stage, st.lists(groups_, max_size=2).map(tuple), st.sampled_from([1, 2, 2, 0]), st.booleans()
)
chains_ = st.lists(stages_, max_size=3).map(tuple)
roles_ = st.fixed_dictionaries({r: st.frozensets(st.sampled_from(PEOPLE)) for r in ROLE_NAMES})


# In what the waiver of a history differs from its request: mostly in nothing.
others_ = st.sampled_from(
    [{}, {}, {}, {"requester": "bo"}, {"action": "customer.tag"}, {"origin": Origin.OBSERVED},
     {"rules": frozenset({"vip"})}, {"reason": Reason.LEVEL}, {"chain": "board"}, {"stages": ()}]
)  # fmt: skip


def a_directory(active: frozenset[str]) -> Directory:
    return Directory.of(
        Member(p, p, status=1 if p in active else 5, direct_leaders=("bo",), tags=frozenset({"t"}))
        for p in PEOPLE
    )


def company(
    roles: dict[str, frozenset[str]],
    active: frozenset[str],
    away: dict[str, str] | None = None,
) -> Sources:
    return Sources(
        a_directory(active),
        lambda role: roles.get(role, frozenset()),
        owners=("cy", "ann"),
        away=lambda: away or {},
    )


def who_may(request: Request, sources: Sources) -> frozenset[str]:
    """Say, independently of the engine, who is named by a stage (or may stand in) right now."""
    active = {m.userid for m in sources.directory.members.values() if m.status == 1}
    named: set[str] = set()
    stage = request.chain[request.stage] if request.chain else Stage(())
    wanted = [*(s for group in stage.groups for s in group.sources), *request.called]
    if request.fallback or not stage.groups:
        wanted += FALLBACK
    for source in wanted:
        kind, _, name = source.partition(":")
        named |= {
            "role": sources.holders(name),
            "user": {name},
            "manager_of_sender": {"bo"},
            "manager_of_approver": {"bo"},
            "tag": set(PEOPLE),
            "owner_of_customer": set(sources.owners),
        }.get(kind, set())
        if kind == "manager_of":
            named.add("bo")
    return frozenset(closed(named & active, request, sources)) - {"ann", "eve"}


def closed(named: set[str], request: Request, sources: Sources) -> set[str]:
    """Add whom these people may have given their place to: handed over, or while they are away."""
    found, away = set(named), sources.away()
    for _ in PEOPLE:
        given = {h.to.userid for h in request.handed if h.by.userid in found}
        found |= given | {away[each] for each in found if each in away}
    return found


class Histories(RuleBasedStateMachine):
    """Votes, timers, leavers and changes of roles in any order, on one request."""

    request: Request

    @initialize(
        chain=chains_, roles=roles_, active=st.frozensets(st.sampled_from(PEOPLE), min_size=3)
    )
    def begin(
        self,
        chain: tuple[Stage, ...],
        roles: dict[str, frozenset[str]],
        active: frozenset[str],
    ) -> None:
        self.start(chain, roles, active)

    def start(
        self, chain: tuple[Stage, ...], roles: dict[str, frozenset[str]], active: frozenset[str]
    ) -> None:
        self.now: datetime = NOON
        self.roles, self.active = dict(roles), active
        self.away: dict[str, str] = {}
        self.refresh()
        draft = a_request(requester="ann", facts={"request.target": "eve"})
        draft = replace(draft, chain=chain)
        self.request, effects = approval.open_request(draft, self.sources, FALLBACK, self.now)
        self.begun = self.request
        self.performed = effects.count(Perform())
        self.left_pending = 0
        self.approved_by_a_vote = False
        if not self.request.approvers:
            assert NobodyCanDecide(0) in effects

    def refresh(self) -> None:
        self.sources = company(dict(self.roles), self.active, dict(self.away))

    def step(self, step: Step) -> Refused | None:
        before = self.request
        try:
            after, effects = approval.advance(before, step, self.sources, FALLBACK, self.now)
        except Refused as answer:
            assert self.request == before
            return answer
        assert after.version == before.version + (after is not before)
        if before.state is State.PENDING and after.state is not State.PENDING:
            self.left_pending += 1
            self.approved_by_a_vote = isinstance(step, Approve)
            assert (after.decided_at, bool(after.decided_by)) == (self.now, True)
        is_final = before.state in FINAL and not isinstance(step, TakeBack)
        assert not is_final or undecided(after) == undecided(before)
        self.performed += effects.count(Perform())
        self.request = after
        return None

    @rule(answers=st.lists(st.tuples(spellings, mostly_yes), min_size=1, max_size=4))
    def people_press(self, answers: list[tuple[str, bool]]) -> None:
        for by, yes in answers:
            self.press(by, yes)

    @precondition(lambda self: self.request.approvers)
    @rule(pick=st.integers(0, 9), yes=mostly_yes)
    def somebody_who_was_asked_presses(self, pick: int, yes: bool) -> None:
        asked = self.request.approvers
        self.press(asked[pick % len(asked)].userid, yes)

    @precondition(lambda self: self.request.approvers)
    @rule(pick=st.integers(0, 9), hours=st.integers(0, 1))
    def somebody_presses_when_time_is_up(self, pick: int, hours: int) -> None:
        self.now = max(self.now, DUE + timedelta(hours=hours))
        self.somebody_who_was_asked_presses(pick, yes=True)

    def press(self, by: str, yes: bool) -> None:
        before = self.request
        may = who_may(before, self.sources)
        answer = self.step(Approve(by, "card") if yes else Deny(by, "card", "no"))
        if answer is None:
            assert by.lower() in may, "voted without being an approver at that moment"
            assert before.due_at is not None
            assert self.now < before.due_at
            repeat = bool(before.chain) and before.chain[before.stage].repeat
            assert repeat or by.lower() not in {v.by.userid for v in before.votes}
        elif before.state is not State.PENDING:
            assert answer.key == "already_decided"
            assert answer.params["who"]
            assert answer.params["when"] == before.decided_at

    @precondition(lambda self: self.request.approvers)
    @rule(pick=st.integers(0, 9), days=st.integers(0, 8), other=others_)
    def somebody_had_said_yes_in_advance(
        self, pick: int, days: int, other: dict[str, object]
    ) -> None:
        before = self.request
        giver = before.approvers[pick % len(before.approvers)]
        case = replace(waivers.case_of(before), **other)  # type: ignore[arg-type]
        since = self.now - timedelta(days=days)
        waiver = a_waiver(
            approver=giver, case=case, given_at=since, expires_at=since + timedelta(days=7)
        )
        by_hand = self.may_approve(giver.userid)
        answer = self.step(Approve(giver.userid, "waiver", waiver=waiver))
        if answer is None:
            assert by_hand, "a yes in advance did what its giver could not do now"
            assert days < 7
            assert case == waivers.case_of(before)
            assert self.request.decided_by in ("", "waiver:W-B3M4")

    def may_approve(self, userid: str) -> bool:
        """Whether this person could press the button at this moment."""
        step = Approve(userid, "card")
        try:
            approval.advance(self.request, step, self.sources, FALLBACK, self.now)
        except Refused:
            return False
        return True

    @rule(role=st.sampled_from(ROLE_NAMES), who=st.frozensets(st.sampled_from(PEOPLE)))
    def change_role(self, role: str, who: frozenset[str]) -> None:
        self.roles[role] = who
        self.refresh()

    @rule(active=st.frozensets(st.sampled_from(PEOPLE)))
    def come_and_go(self, active: frozenset[str]) -> None:
        self.active = active
        self.refresh()

    @rule(hours=st.integers(0, 2))
    def wait(self, hours: int) -> None:
        self.now += timedelta(hours=hours)

    @rule()
    def reassign(self) -> None:
        self.step(Reassign())
        assert self.request.state is not State.APPROVED or self.approved_by_a_vote

    @rule()
    def timer(self) -> None:
        before = self.request
        self.step(Expire())
        assert self.request.state in (before.state, State.EXPIRED)
        if before.state is State.PENDING and self.now >= DUE:
            assert self.request.state is State.EXPIRED

    @rule(outcome=st.sampled_from(Outcome))
    def recheck(self, outcome: Outcome) -> None:
        before = self.request
        self.step(Recheck(a_verdict(outcome)))
        assert self.request.state in (before.state, State.STALE)

    @precondition(lambda self: self.request.state in (State.APPROVED, State.EXECUTION_FAILED))
    @rule(
        step=st.sampled_from(
            [Executed(), ExecutionFailed("x"), Revoke("bo"), Revoke("system:freeze")]
        )
    )
    def finish(self, step: Step) -> None:
        self.step(step)

    @precondition(lambda self: len(self.request.votes) > 1)
    @rule(step=st.sampled_from([Withdraw("ann"), Withdraw("bo"), Supersede()]))
    def give_up(self, step: Step) -> None:
        self.step(step)

    @invariant()
    def the_requester_and_the_person_it_is_for_never_count(self) -> None:
        assert not {"ann", "eve"} & {v.by.userid for v in self.request.votes}
        assert not {"ann", "eve"} & {p.userid for p in self.request.approvers}

    @invariant()
    def one_person_votes_once(self) -> None:
        seen: set[str] = set()
        for vote in self.request.votes:
            repeat = bool(self.request.chain) and self.request.chain[vote.stage].repeat
            assert repeat or vote.by.userid not in seen
            seen.add(vote.by.userid)
        pairs = [(v.stage, v.by.userid) for v in self.request.votes]
        assert len(pairs) == len(set(pairs))

    @invariant()
    def pending_is_left_at_most_once_and_approval_comes_only_by_a_vote(self) -> None:
        assert self.left_pending == (self.request.state is not State.PENDING)
        assert self.performed == (self.left_pending and self.approved_by_a_vote)

    @invariant()
    def every_quorum_was_reached_by_as_many_people(self) -> None:
        if self.request.state not in APPROVED and not self.performed:
            return
        for index, stage in enumerate(self.request.chain or (Stage(()),)):
            yes = [v for v in self.request.votes if (v.stage, v.answer) == (index, Answer.APPROVE)]
            assert len(yes) >= max(1, sum(max(1, group.need) for group in stage.groups))


def undecided(request: Request) -> Request:
    """A final request without what may still be noted of it: that it was appealed against."""
    return replace(request, appealed_as="", version=0)


FINAL = frozenset(state for state in State if state.is_final)
APPROVED = frozenset({State.APPROVED, State.EXECUTED, State.EXECUTION_FAILED})


def test_the_promises_hold_in_every_history() -> None:
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=150,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )


answers_ = st.lists(st.tuples(st.sampled_from(PEOPLE), st.booleans()), max_size=8)


@settings(max_examples=150, deadline=None)
@given(chains_, roles_, answers_)
def test_replaying_the_votes_gives_the_same_request(
    chain: tuple[Stage, ...],
    roles: dict[str, frozenset[str]],
    answers: list[tuple[str, bool]],
) -> None:
    sources = company(roles, frozenset(PEOPLE))
    draft = a_request(*chain, requester="ann")
    request, _ = approval.open_request(draft, sources, FALLBACK, NOON)
    now = NOON
    for by, yes in answers:
        now += timedelta(minutes=1)
        step = Approve(by, "card") if yes else Deny(by, "card", "no")
        try:
            request, _ = approval.advance(request, step, sources, FALLBACK, now)
        except Refused:
            continue
    assume(request.votes)

    again, _ = approval.open_request(draft, sources, FALLBACK, NOON)
    for vote in request.votes:
        kind = Approve if vote.answer is Answer.APPROVE else Deny
        step = kind(vote.by.userid, vote.via, vote.comment)
        again, _ = approval.advance(again, step, sources, FALLBACK, vote.at)

    assert again == request


@settings(max_examples=150, deadline=None)
@given(chains_, roles_, answers_)
def test_without_anybody_who_may_decide_nothing_is_ever_approved(
    chain: tuple[Stage, ...],
    roles: dict[str, frozenset[str]],
    answers: list[tuple[str, bool]],
) -> None:
    nobody = company(roles, frozenset())
    request, effects = approval.open_request(
        a_request(*chain, requester="ann"), nobody, FALLBACK, NOON
    )

    assert NobodyCanDecide(0) in effects
    for by, yes in answers:
        step = Approve(by, "card") if yes else Deny(by, "card", "no")
        try:
            request, effects = approval.advance(request, step, nobody, FALLBACK, NOON)
        except Refused:
            continue
    assert (request.state, request.votes) == (State.PENDING, ())
