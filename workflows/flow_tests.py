"""Plays the tests over time of a config file: a made-up company, one request, step by step.

The engine is the real one, so a test shows what will happen: who is asked, whose answer is refused,
when the time is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from workflows import approval, facts, given, policy, roles, timing
from workflows.approvers import Sources, stage_of
from workflows.claims import Claim
from workflows.directory import ACTIVE, Department, Directory, Member
from workflows.model import (
    Facts,
    Origin,
    Outcome,
    Person,
    Request,
    State,
    Subject,
    same_user,
)
from workflows.notations import moment
from workflows.policy import TEST_TIME, BadPolicyError, Miss, Policy, Tested
from workflows.schedules import parse_duration
from workflows.sections import CastMember, FlowExpect, FlowStep, FlowTest
from workflows.steps import (
    AddApprover,
    Approve,
    Deny,
    Escalate,
    Expire,
    HandOver,
    Reassign,
    Refused,
    Remind,
    Revoke,
    SendBack,
    Step,
    Supplement,
    Withdraw,
)

_LEFT = 5  # WeCom's member status (document 90970)
_NOTHING = "-"


def run_all(judge: Policy) -> tuple[Tested, ...]:
    """Play every test over time in the file."""
    return tuple(run(judge, test) for test in judge.rulebook.flow_test)


def run(judge: Policy, test: FlowTest) -> Tested:
    """Play one test; the misses name its steps as the file counts them: `steps[#3].expect.state`.

    The request is made at the time the first step gives, else on a fixed Wednesday at 10:00. Facts
    of the sender and of the customer's owners come from the cast, all others from the test.
    """
    play = _Play.begin(judge, test)
    for number, step in enumerate(test.steps):
        play.take(step, f"steps[#{number + 1}]")
    return Tested(test.name, play.request.verdict, tuple(play.misses))


@dataclass(slots=True)
class _Play:
    judge: Policy
    cast: _Cast
    now: datetime
    request: Request
    misses: list[Miss] = field(default_factory=list)

    @classmethod
    def begin(cls, judge: Policy, test: FlowTest) -> _Play:
        cast = _Cast.of(judge, test)
        start = moment(test.steps[0].at) or TEST_TIME
        now = start if start.tzinfo else start.replace(tzinfo=judge.zone)
        draft = _draft(judge, test, cast, now)
        return cls(judge, cast, now, approval.open_request(draft, *cast.asked(judge), now)[0])

    def take(self, step: FlowStep, place: str) -> None:
        """Take one step of the test and note what did not come true."""
        if step.at is not None:
            self._move_to(moment(step.at), place)
        elif step.wait is not None:
            self._wait(parse_duration(step.wait), step.clock)
        elif step.do is not None:
            self._do(step, place)
        elif step.expect is not None:
            self.misses += _unmet(step.expect, self.request, f"{place}.expect")

    def _move_to(self, at: datetime | None, place: str) -> None:
        if at is None:
            return
        at = at if at.tzinfo else at.replace(tzinfo=self.judge.zone)
        if at < self.now:
            zone = self.judge.zone
            earliest, told = (f"{t.astimezone(zone):%Y-%m-%d %H:%M}" for t in (self.now, at))
            self.misses.append(Miss(f"{place}.at", f">= {earliest}", told))
            return
        self._pass(at)

    def _wait(self, length: timedelta, clock: str | None) -> None:
        schedule = self.judge.schedules.get(clock) if clock else None
        self._pass(schedule.add(self.now, length) if schedule else self.now + length)

    def _pass(self, now: datetime) -> None:
        """Let time pass; timers that fall due on the way go off, each at its moment."""
        while (next_one := self._next_timer()) is not None and next_one[0] <= now:
            self.now, step = next_one
            self._advance(step)
        self.now = now

    def _next_timer(self) -> tuple[datetime, Step] | None:
        request, how = self.request, timing.of(self.judge)
        if request.state is not State.PENDING:
            return None
        timers: list[tuple[datetime | None, Step]] = [
            (timing.remind_at(request, how), Remind(how)),
            (timing.escalate_at(request, how), Escalate(how)),
            (request.due_at, Expire()),
        ]
        due = [(max(at, self.now), step) for at, step in timers if at is not None]
        return min(due, key=lambda timer: timer[0], default=None)

    def _do(self, step: FlowStep, place: str) -> None:
        wanted, got = step.refused or _NOTHING, _NOTHING
        try:
            self._act(step, step.by or "")
        except Refused as refused:
            got = refused.key
        if got != wanted:
            self.misses.append(Miss(f"{place}.refused", wanted, got))

    def _act(self, step: FlowStep, by: str) -> None:
        match step.do:
            case "approve":
                self._advance(Approve(by, "card", step.comment))
            case "deny":
                self._advance(Deny(by, "card", step.comment))
            case "withdraw":
                self._advance(Withdraw(by, step.comment))
            case "revoke":
                self._advance(Revoke(by, step.comment))
            case "hand_over":
                self._advance(HandOver(by, step.to or ""))
            case "add_approver":
                self._advance(AddApprover(by, step.to or ""))
            case "send_back":
                self._advance(SendBack(by, step.comment))
            case "supplement":
                self._advance(Supplement(by, step.comment))
            case "away" | "back":
                self._change_absence(by, step.to if step.do == "away" else None)
            case _:
                self._leave(by)

    def _change_absence(self, userid: str, delegate: str | None) -> None:
        """Somebody goes or comes back: who decides in their place is found anew."""
        self.cast = self.cast.absent(userid, delegate)
        if self.request.state is State.PENDING:
            self._advance(Reassign())

    def _leave(self, userid: str) -> None:
        """Somebody leaves: their requests are withdrawn, others are reassigned."""
        self.cast = self.cast.without(userid)
        if self.request.state is not State.PENDING:
            return
        own = same_user(userid, self.request.requester.userid)
        self._advance(Withdraw("system:leaver") if own else Reassign())

    def _advance(self, step: Step) -> None:
        own = stage_of(self.request).comment_needed
        needed = self.judge.rulebook.chain_defaults.comment.needed if own is None else own
        sources, fallback = self.cast.asked(self.judge)
        self.request, _ = approval.advance(
            self.request, step, sources, fallback, self.now, comment_needed=needed
        )


@dataclass(frozen=True, slots=True)
class _Cast:
    """The made-up company: its directory, who holds which role, who follows the customer."""

    directory: Directory
    roles: Mapping[str, frozenset[str]]  # by lower-case userid
    owners: tuple[str, ...]
    away: Mapping[str, str] = field(default_factory=dict)  # lower case, to whom they named

    @classmethod
    def of(cls, judge: Policy, test: FlowTest) -> _Cast:
        people = test.people
        named = [*(d for m in people.values() for d in (*m.departments, *m.leads))]
        units = {name: number for number, name in enumerate(dict.fromkeys(named), start=2)}
        directory = Directory.of(
            (_member(userid, person, units) for userid, person in people.items()),
            (Department(number, name) for name, number in units.items()),
        )
        held = {
            userid.lower(): _roles(judge, person, directory.members[userid.lower()], directory)
            for userid, person in people.items()
        }
        return cls(directory, held, test.request.owners)

    def holders(self, role: str) -> frozenset[str]:
        """Return the active people who hold a role."""
        return frozenset(self.directory.active(u for u, held in self.roles.items() if role in held))

    def asked(self, judge: Policy) -> tuple[Sources, tuple[str, ...]]:
        """Return where approvers come from, and who stands in for them."""
        sources = Sources(self.directory, self.holders, self.owners, lambda: self.away)
        return sources, judge.rulebook.chain_defaults.on_no_approver

    def person(self, userid: str) -> Person:
        member = self.directory.members[userid.lower()]
        return Person(member.userid, member.name)

    def absent(self, userid: str, delegate: str | None) -> _Cast:
        """Return the cast with somebody away, or back for None."""
        others = {each: to for each, to in self.away.items() if each != userid.lower()}
        return replace(self, away=others | ({userid.lower(): delegate} if delegate else {}))

    def without(self, userid: str) -> _Cast:
        """Return the cast after somebody has left."""
        members = self.directory.members.values()
        left = (replace(m, status=_LEFT) if same_user(m.userid, userid) else m for m in members)
        return replace(self, directory=Directory.of(left, self.directory.departments.values()))


def _member(userid: str, person: CastMember, units: Mapping[str, int]) -> Member:
    return Member(
        userid,
        person.name or userid,
        tuple(units[name] for name in person.departments),
        leads=tuple(units[name] for name in person.leads),
        direct_leaders=(person.manager,) if person.manager else (),
        position=person.position,
        tags=frozenset(person.tags),
        status=ACTIVE if person.active else _LEFT,
    )


def _roles(
    judge: Policy, person: CastMember, member: Member, directory: Directory
) -> frozenset[str]:
    if person.roles is None:
        return roles.roles_of(judge.rulebook.roles, member, directory)
    return frozenset(person.roles) if person.active else frozenset()


def _draft(judge: Policy, test: FlowTest, cast: _Cast, now: datetime) -> Request:
    asked = test.request
    known = _facts(judge, test, cast)
    verdict = policy.decide(judge, known, asked.action, now, traced=True)
    chain = judge.rulebook.chains[verdict.chain].as_stages() if verdict.chain else ()
    due = policy.due_at(judge, now) if verdict.outcome is Outcome.APPROVAL else None
    return Request(
        id="TEST",
        action=asked.action,
        origin=Origin(asked.origin),
        requester=cast.person(asked.by),
        subject=Subject("test", test.name),
        claim=Claim(),
        facts=known,
        verdict=verdict,
        created_at=now,
        due_at=due,
        chain=chain,
    )


def _facts(judge: Policy, test: FlowTest, cast: _Cast) -> Facts:
    asked, directory = test.request, cast.directory
    stated, wrong = given.read_facts(asked.facts, ("flow_test",), judge.known, test.name)
    if wrong:
        raise BadPolicyError(wrong)
    held = cast.roles[asked.by.lower()]
    level = roles.highest(judge.rulebook.roles, held)
    sender = facts.of_sender(directory.member(asked.by), directory, held, level)
    others = frozenset(u for u in asked.owners if not same_user(u, asked.by))
    owned: Facts = {"customer.owners": others, "customer.owner_count": len(others)}
    return {**sender, **(owned if asked.owners else {}), **stated}


def _unmet(expect: FlowExpect, request: Request, place: str) -> Iterable[Miss]:
    """Return what is not as expected. Userids are compared as WeCom does, in any case."""
    wanted = expect.model_dump()
    waiting = tuple(sorted(p.userid.lower() for p in approval.waiting_for(request)))
    if expect.asked is not None and tuple(sorted(u.lower() for u in expect.asked)) != waiting:
        yield Miss(f"{place}.asked", ", ".join(sorted(expect.asked)), ", ".join(waiting))
    got = {
        "state": request.state.value,
        "stage": request.stage + 1,
        "decided_by": _decider(request),
    }
    for what, value in got.items():
        if wanted[what] is not None and str(wanted[what]).lower() != str(value).lower():
            yield Miss(f"{place}.{what}", str(wanted[what]), str(value or _NOTHING))
    for miss in policy.misses(wanted, request.verdict):
        yield replace(miss, what=f"{place}.{miss.what}")


def _decider(request: Request) -> str:
    return request.decided_by.removeprefix("user:")
