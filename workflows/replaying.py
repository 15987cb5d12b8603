"""Judges recorded decisions again by another version of the rules, and adds up what differs.

A decision is a pure function of policy, facts and time, and all three are on record: nothing
outside is asked. What the counters said then is taken as it was said then.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from workflows.attributes import ACTIONS, LEVEL
from workflows.differences import Direction, direction_of
from workflows.lockout import CHANGE
from workflows.model import Facts, Outcome, Person, Reason, Subject, Verdict
from workflows.policy import Policy, decide
from workflows.standing import Standing

# The verdict on a change of the rules follows from what it changes, not from its facts alone.
REPLAYED = frozenset(ACTIONS) - {CHANGE}
ROLES = "sender.roles"
LISTED = 50  # decisions named one by one
MOST_AFFECTED = 10  # people named


@dataclass(frozen=True, slots=True)
class Decision:
    """What is on record of one request's judgement. The names of its fields are those of Request,
    whose JSON it is read from.
    """

    id: str
    action: str
    requester: Person
    subject: Subject
    facts: Facts
    verdict: Verdict
    created_at: datetime


@dataclass(frozen=True, slots=True)
class Judged:
    """One decision and the other version's verdict on it; no direction: it stays as it was."""

    decision: Decision
    after: Verdict
    direction: Direction | None = None
    because: tuple[str, ...] = ()  # places in the file, or the facts that were missing
    has_left: bool = False  # whose roles could not be worked out anew

    @property
    def is_now_denied(self) -> bool:
        """Whether it was not refused then and would be now."""
        before = self.decision.verdict.outcome
        return self.after.outcome is Outcome.DENY and before is not Outcome.DENY

    @property
    def is_now_allowed(self) -> bool:
        """Whether it was not simply allowed then and would be now."""
        before = self.decision.verdict.outcome
        return self.after.outcome is Outcome.ALLOW and before is not Outcome.ALLOW


_Change = tuple[str, Outcome, str | None, Outcome, str | None]


@dataclass(frozen=True, slots=True)
class Replay:
    """Judges by one version of the rules; its directory is used where roles are given otherwise."""

    standing: Standing
    _directions: dict[_Change, Direction | None] = field(default_factory=dict)
    _same_roles: dict[str, bool] = field(default_factory=dict)

    def judge_again(self, decision: Decision, former: Policy | None) -> Judged:
        """Return what this version says of a decision that `former` made.

        Without `former`, which is then no longer on record, what cannot be compared counts as
        another chain. A sender's roles are worked out anew unless both versions give them alike;
        of somebody who has left the recorded ones are kept.
        """
        facts, has_left = self._facts(decision, former)
        policy = self.standing.policy
        after = decide(policy, facts, decision.action, decision.created_at)
        direction = self._direction(former, decision.verdict, after)
        because = self._because(decision, former, after, direction) if direction else ()
        return Judged(decision, after, direction, because, has_left)

    def _facts(self, decision: Decision, former: Policy | None) -> tuple[Facts, bool]:
        """Return the recorded facts with the sender's roles as this version gives them."""
        if former is not None and self._gives_alike(former):
            return decision.facts, False
        userid, standing = decision.requester.userid, self.standing
        if not standing.directory.active([userid]):
            return decision.facts, True
        anew: Facts = {LEVEL: standing.level(userid), ROLES: standing.roles(userid)}
        known = {name: value for name, value in anew.items() if name in decision.facts}
        return {**decision.facts, **known}, False

    def _gives_alike(self, former: Policy) -> bool:
        if former.hash not in self._same_roles:
            both = (_given(former), _given(self.standing.policy))
            self._same_roles[former.hash] = both[0] == both[1]
        return self._same_roles[former.hash]

    def _direction(
        self, former: Policy | None, before: Verdict, after: Verdict
    ) -> Direction | None:
        change = (before.policy, before.outcome, before.chain, after.outcome, after.chain)
        if change not in self._directions:
            self._directions[change] = self._compared(former, before, after)
        return self._directions[change]

    def _compared(self, former: Policy | None, before: Verdict, after: Verdict) -> Direction | None:
        policy = self.standing.policy
        if before.outcome is not after.outcome or before.chain is None:
            return direction_of(policy, before, policy, after)
        if former is None or before.chain not in former.rulebook.chains:
            return None if before.chain == after.chain else Direction.OTHER_CHAIN
        return direction_of(former, before, policy, after)

    def _because(
        self, decision: Decision, former: Policy | None, after: Verdict, direction: Direction
    ) -> tuple[str, ...]:
        """Name what is stricter now or, of what became looser, what was stricter then."""
        if direction is not Direction.LOOSER or after.reason is Reason.AUTO_REVIEW:
            return cause(self.standing.policy, decision.action, after)
        return cause(former, decision.action, decision.verdict)


def _given(policy: Policy) -> Mapping[str, tuple[int, frozenset[str]]]:
    """Return what decides who holds which role, without titles."""
    roles = policy.rulebook.roles
    return {name: (role.level, frozenset(role.members)) for name, role in roles.items()}


def cause(policy: Policy | None, action: str, verdict: Verdict) -> tuple[str, ...]:
    """Return what made a verdict: places in the file, or the attributes that were missing."""
    match verdict.reason:
        case Reason.AUTO_REVIEW:
            return (f"auto_review.{verdict.auto_review}",)
        case Reason.MISSING:
            return verdict.missing
        case Reason.RULE:
            gate = policy.gates.get(action) if policy else None
            milder = {r.rule.id for r in gate.rules if r.outcome < verdict.outcome} if gate else ()
            return tuple(f"rule.{rule}" for rule in verdict.rules if rule not in milder)
        case Reason.LEVEL | Reason.NO_PERMISSION:
            return (f"permissions.{action}",)
        case Reason.FROZEN:
            return ()  # nothing in the file


@dataclass(frozen=True, slots=True)
class Affected:
    """A person for whom something would have come out differently, and how often which way."""

    person: Person
    counts: Counter[Direction] = field(default_factory=Counter)


@dataclass(slots=True)
class Tally:
    """What judging again has come to so far. Feed it the newest decisions first."""

    total: int = 0
    unchanged: int = 0
    counts: Counter[Direction] = field(default_factory=Counter)
    have_left: int = 0  # decisions judged with the roles recorded, since the sender has left
    unknown_version: int = 0  # decisions of versions that are not on record
    people: dict[str, Affected] = field(default_factory=dict)
    now_denied: int = 0
    denied: list[Judged] = field(default_factory=list)  # the first `LISTED` of them
    now_allowed: int = 0
    allowed: list[Judged] = field(default_factory=list)

    @property
    def may_loosen(self) -> bool:
        """Whether anything became looser, or went to others of whom that cannot be said."""
        return bool(self.counts[Direction.LOOSER] or self.counts[Direction.OTHER_CHAIN])

    @property
    def changed(self) -> int:
        """How many decisions would come out differently."""
        return self.total - self.unchanged

    def take(self, judged: Judged, *, is_known: bool = True) -> None:
        """Add a decision; `is_known` says whether the version that made it is on record."""
        self.total += 1
        self.have_left += judged.has_left
        self.unknown_version += not is_known
        if judged.direction is None:
            self.unchanged += 1
            return
        self.counts[judged.direction] += 1
        person = judged.decision.requester
        affected = self.people.setdefault(person.userid.lower(), Affected(person))
        affected.counts[judged.direction] += 1
        self._list(judged)

    def _list(self, judged: Judged) -> None:
        if judged.is_now_denied:
            self.now_denied += 1
            if len(self.denied) < LISTED:
                self.denied.append(judged)
        elif judged.is_now_allowed:
            self.now_allowed += 1
            if len(self.allowed) < LISTED:
                self.allowed.append(judged)

    def most_affected(self, most: int = MOST_AFFECTED) -> Iterator[Affected]:
        """Return the people with the most changes, the most first."""
        ranked = sorted(self.people.items(), key=lambda each: (-each[1].counts.total(), each[0]))
        return (affected for _, affected in ranked[:most])
