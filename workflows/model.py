"""The values that every part of Menwei talks about, in the words of the glossary.

All are frozen. Times are aware and in UTC. Userids are kept as WeCom spells them and compared with
`same_user` (WeCom treats them case-insensitively).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import IntEnum, StrEnum

from workflows.claims import Claim
from workflows.plans import Plan

# A fact is a named attribute's value. A name that is absent is *unknown*, never "nothing".
# Dates are ISO 8601 text; sets are frozensets of text.
FactValue = bool | int | float | str | frozenset[str]
Facts = Mapping[str, FactValue]


class Outcome(IntEnum):
    """What the policy says; a larger one is stricter, so `max` is "most restrictive wins"."""

    ALLOW = 0
    APPROVAL = 1
    DENY = 2

    @property
    def word(self) -> str:
        """The word used in the config file, the audit and the command line."""
        return self.name.lower()


class Reason(StrEnum):
    """Why a verdict fell as it did."""

    LEVEL = "level"  # the permission table alone decided
    NO_PERMISSION = "no_permission"  # no role, an action nobody may do, or too low a level
    RULE = "rule"  # at least one rule tightened it
    MISSING = "missing"  # a fact was missing, so a rule could not be ruled out
    AUTO_REVIEW = "auto_review"  # an auto-review answered in an approver's place
    FROZEN = "frozen"  # a freeze overruled the policy


@dataclass(frozen=True, slots=True)
class TraceLine:
    """One step of a decision: a permission, rule or leaf, and what it came to."""

    place: str  # path in the file: 'rule.vip-by-junior.when.customer.tier'
    depth: int
    result: bool | None  # None is unknown
    note: str = ""  # the value seen, in plain text

    @property
    def sign(self) -> str:
        """The result as one character."""
        return "?" if self.result is None else "✓" if self.result else "✗"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The answer of the policy to one request, with everything needed to explain it."""

    outcome: Outcome
    reason: Reason
    rules: tuple[str, ...] = ()  # ids of the enforced rules that matched
    chain: str | None = None  # strictest chain, when the outcome is APPROVAL
    other_chains: tuple[str, ...] = ()
    say: tuple[str, ...] = ()  # what the deciding rules say to the person, placeholders filled
    missing: tuple[str, ...] = ()  # attributes that were unknown and mattered
    auto_review: str | None = None  # id of the auto-review that answered
    shadow: Outcome | None = None  # what it would be if shadow rules were enforced
    shadow_rules: tuple[str, ...] = ()
    policy: str = ""  # hash of the policy that decided
    trace: tuple[TraceLine, ...] = ()  # filled only when asked for
    overruled: str = ""  # what changed the policy's own verdict: 'freeze:F-A7K2', 'own', 'two_keys'


class Origin(StrEnum):
    """How a request came to be."""

    ASKED = "asked"  # a member asked first
    OBSERVED = "observed"  # it had already happened when we heard of it
    SYSTEM = "system"


class State(StrEnum):
    """States of a request; only PENDING and APPROVED can still change."""

    PENDING = "pending"
    APPROVED = "approved"  # decided, not yet carried out
    EXECUTED = "executed"
    EXECUTION_FAILED = "execution_failed"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    SUPERSEDED = "superseded"
    STALE = "stale"
    EXPIRED = "expired"
    REVOKED = "revoked"

    @property
    def is_final(self) -> bool:
        """Whether nothing can change it any more. A failed execution waits for a human."""
        return self not in _UNFINISHED

    @property
    def is_allowed(self) -> bool:
        """Whether it was decided in the requester's favour and still stands."""
        return self in _ALLOWED


_UNFINISHED = frozenset({State.PENDING, State.APPROVED, State.EXECUTION_FAILED})
_ALLOWED = frozenset({State.APPROVED, State.EXECUTED, State.EXECUTION_FAILED})


@dataclass(frozen=True, slots=True)
class Person:
    """A member as named at the time: the id counts, the name is for reading."""

    userid: str
    name: str


@dataclass(frozen=True, slots=True)
class Subject:
    """Whom a request is about."""

    key: str  # external_userid, or 'planned:<fingerprint of what the member typed>'
    name: str
    external_userid: str | None = None  # known once WeCom has told us


@dataclass(frozen=True, slots=True)
class Group:
    """Approvers asked side by side within a stage: `need` of those whom `sources` name."""

    sources: tuple[str, ...]  # 'manager_of_sender', 'role:director', … (see `approval.resolve`)
    need: int = 1


@dataclass(frozen=True, slots=True)
class Stage:
    """One node of an approval chain. It passes when every group has its quorum."""

    groups: tuple[Group, ...]
    deny: int = 1  # refusals that end the request; 1 is a veto
    repeat: bool = False  # may somebody who voted in an earlier stage vote again
    comment_needed: frozenset[Answer] | None = None  # None: as for all chains


class Answer(StrEnum):
    """What one approver said."""

    APPROVE = "approve"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Vote:
    """One person's answer at one stage."""

    stage: int
    by: Person
    answer: Answer
    at: datetime
    via: str  # 'card', 'command', 'console', 'delegate', 'waiver'
    comment: str = ""
    waiver: str = ""  # id of the waiver by which it was given in advance
    on_behalf: Person | None = None  # who was asked but is away, and had named the voter
    left_out: tuple[int, ...] = ()  # lines of a list to which a yes does not extend


@dataclass(frozen=True, slots=True)
class Handed:
    """One approver's place at a stage, given to somebody else."""

    stage: int
    by: Person
    to: Person


@dataclass(frozen=True, slots=True)
class Question:
    """What an approver wants to know before deciding, and what the requester said to it.

    `text` is empty where the requester added something unasked.
    """

    stage: int
    by: Person
    text: str
    at: datetime
    answer: str = ""
    answered_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Request:
    """Something a member wants to do, or did, judged by the policy and perhaps by people.

    The chain is copied in when the request is made: a later change of rules does not rewrite it.
    `version` grows with every change; storage accepts a change only from the version it read.
    """

    id: str  # short and speakable, e.g. 'A7K2'
    action: str  # e.g. 'friend.add'
    origin: Origin
    requester: Person
    subject: Subject
    claim: Claim
    facts: Facts
    verdict: Verdict
    created_at: datetime
    due_at: datetime | None = None  # when a pending request expires
    chain: tuple[Stage, ...] = ()
    stage: int = 0
    approvers: tuple[Person, ...] = ()  # who was asked at the present stage
    fallback: bool = False  # the stage named nobody, so `approvers` are those of `on_no_approver`
    votes: tuple[Vote, ...] = ()
    state: State = State.PENDING
    version: int = 0
    decided_at: datetime | None = None
    decided_by: str = ""  # an actor: 'user:wangfang', 'breakglass:zhaomin', 'system:timer', …
    comment: str = ""  # the decider's words
    plan: Plan | None = None  # what is carried out, where it is not one add
    part_of: str = ""  # id of the list that this add was a line of
    stage_at: datetime | None = None  # when the present stage began
    reminded_at: datetime | None = None  # when the people of this stage were reminded
    rung: int = 0  # how many rungs of the ladder were called in at this stage
    called: tuple[str, ...] = ()  # the sources of these rungs, as for a group
    called_at: datetime | None = None  # when the last of them was called in
    handed: tuple[Handed, ...] = ()
    questions: tuple[Question, ...] = ()
    barred: tuple[Person, ...] = ()  # who may not decide, besides those whom it concerns
    appeal_of: str = ""  # id of the refused request that this one appeals against
    appealed_as: str = ""  # id of the appeal against this one

    @property
    def key(self) -> str:
        """Same requester, action and subject: a second such request joins the first.

        What was asked and what was observed stay apart: a ticket that is being made must not
        cover an add that came without it.
        """
        who, origin = self.requester.userid.lower(), self.origin.value
        return f"{who}|{self.action}|{self.subject.key}|{origin}"


class RelationState(StrEnum):
    """What one member and one customer are to each other."""

    NONE = "none"
    HALF = "half"  # the customer added the member, who has not confirmed
    ADDED = "added"
    DELETED_BY_MEMBER = "deleted_by_member"
    DELETED_BY_CUSTOMER = "deleted_by_customer"


class Containment(StrEnum):
    """How a relation is held while it is not allowed."""

    NONE = "none"
    PENDING = "pending"  # waiting for a decision
    DENIED = "denied"  # to be undone


@dataclass(frozen=True, slots=True)
class Customer:
    """An external contact as WeCom last described it."""

    external_userid: str
    name: str
    type: str = "wechat"  # 'wechat' or 'wecom'
    corp_name: str = ""
    unionid: str = ""


@dataclass(frozen=True, slots=True)
class Relation:
    """One member and one customer. `seen_at` is the newest CreateTime that was applied."""

    userid: str
    external_userid: str
    state: RelationState
    added_at: datetime | None = None
    add_way: int = 0  # WeCom's number, document 92114
    oper_userid: str = ""  # who started it
    channel: str = ""  # the `state` of the contact way
    remark: str = ""
    phones: tuple[str, ...] = ()
    tags: frozenset[str] = frozenset()  # names of corp tags
    seen_at: datetime | None = None
    containment: Containment = Containment.NONE
    former_remark: str = ""  # what the remark was before containment changed it
    request_id: str = ""  # the request that governs it
    ended_by: str = ""  # how it ended last: 'member', 'customer', 'transfer' or 'remedy'
    asked_at: datetime | None = None  # when WeCom was last asked about it because of an event
    marked_at: datetime | None = None  # when our own tag or remark was last put on or taken off
    company: str = ""  # as the member has noted it


class TicketState(StrEnum):
    """Life of a ticket: the contact way exists while it is OPEN."""

    ISSUING = "issuing"
    OPEN = "open"
    USED = "used"
    EXPIRED = "expired"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A contact way (联系我) for one member, bound to one approved request."""

    state_key: str  # WeCom's `state`, at most 30 characters; comes back with the add event
    request_id: str
    userid: str
    state: TicketState
    expires_at: datetime
    config_id: str = ""
    qr_code: str = ""
    used_by: str = ""  # external_userid
    sent: bool = False  # together with others of its list


class RemedyState(StrEnum):
    """A remedy closes only when the deletion or transfer was seen."""

    ASKED = "asked"  # the member was asked to delete
    TRANSFERRING = "transferring"
    ESCALATED = "escalated"  # machines are at their end: a human must act
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Remedy:
    """What undoes a relation that was denied."""

    request_id: str
    userid: str
    external_userid: str
    state: RemedyState
    due_at: datetime
    then: str = ""  # '' or 'transfer'
    transfer_to: str = ""
    closed_because: str = ""  # 'deleted', 'transferred', 'approved'


class CardState(StrEnum):
    """A sent approval card; OPEN ones still have buttons."""

    OPEN = "open"
    CLOSED = "closed"


@dataclass(frozen=True, slots=True)
class Card:
    """An approval card sent to one person. Its code updates it once, within 72 h (doc 94888)."""

    task_id: str
    request_id: str
    stage: int
    userid: str
    state: CardState
    response_code: str = ""
    sent_at: datetime | None = None
    again: bool = False  # its one button submits a request again; it asks for no vote


@dataclass(frozen=True, slots=True)
class AuditRecord:
    """One line of the record: what happened, to what, by whom. Storage sets `seq` and `hash`."""

    at: datetime
    actor: str
    kind: str  # e.g. 'request.created', 'vote', 'ticket.issued', 'message.sent'
    request_id: str = ""
    userid: str = ""
    external_userid: str = ""
    detail: Mapping[str, object] = field(default_factory=dict)
    seq: int = 0
    hash: str = ""


def same_user(one: str, other: str) -> bool:
    """Whether two userids name the same member."""
    return one.lower() == other.lower()
