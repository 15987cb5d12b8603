"""The shape of the policy sections of the config file, as pydantic models.

Shape only: whether the names in them exist is the business of `references`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal, cast
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from workflows import model
from workflows.attributes import Kind
from workflows.conditions import plain
from workflows.notations import (
    AffectedPeople,
    Count,
    DefaultValue,
    Duration,
    Expiry,
    Hours,
    Ladder,
    Level,
    Listing,
    Moment,
    Name,
    Names,
    Recipients,
    Selector,
    Sources,
    Timezone,
    Title,
    User,
    columns_of,
)
from workflows.section import Section
from workflows.sections_alerts import Alerts
from workflows.sections_digest import Digest
from workflows.sections_grants import Grants
from workflows.sections_retention import Retention
from workflows.sections_waivers import StandingApprovals

Mode = Literal["enforce", "shadow", "off"]
# Conditions stay as written here; `conditions` reads them.
When = dict[str, Any]


class Column(Section):
    """A column of an outside source, declared with its type."""

    type: Literal["text", "int", "number", "bool", "set", "date"]
    title: str = ""
    default: DefaultValue = None  # of a customer who is not in the source

    @field_validator("default")
    @classmethod
    def _is_of_the_type(cls, value: object, info: ValidationInfo) -> object:
        kind = info.data.get("type")  # absent if it is wrong itself
        if kind is not None and value is not None and _fact(Kind(kind), value) is None:
            raise PydanticCustomError("wrong_type", "", {"expected": kind})
        return value

    @property
    def kind(self) -> Kind:
        """The type as attributes have it."""
        return Kind(self.type)

    @property
    def default_fact(self) -> model.FactValue | None:
        """The default as a fact; None where the file names none."""
        return None if self.default is None else _fact(self.kind, self.default)


def _fact(kind: Kind, value: object) -> model.FactValue | None:
    """Return a value of the file as a fact of this type, None if it is not of the type."""
    if kind is not Kind.SET:
        return plain(kind, value)
    is_set = isinstance(value, tuple) and all(isinstance(word, str) for word in value)
    return frozenset(cast(tuple[str, ...], value)) if is_set else None


class Defaults(Section):
    """What holds where a rule does not say."""

    chain: str
    mode: Mode = "enforce"
    on_missing: Literal["approval", "deny"] = "approval"


class Role(Section):
    """A role gives its members a level and nothing else."""

    level: Level
    members: tuple[Selector, ...]
    title: str = ""


class Permission(Section):
    """The levels from which an action is allowed, or may be asked for."""

    allow: Level | None = None
    approval: Level | None = None


class Tier(Section):
    """One part of a partition of customers; the first that holds counts."""

    name: Name
    title: str = ""
    when: When | None = None


class CustomerGroup(Section):
    """A set of customers; a customer may be in many."""

    name: Name
    when: When
    title: str = ""


class Rule(Section):
    """Tightens an action while its condition holds."""

    id: Name
    action: Names
    then: Literal["deny", "approval"]
    title: str = ""
    when: When | None = None
    unless: When | None = None
    chain: str | None = None
    say: str = ""
    mode: Mode | None = None


class AutoReview(Section):
    """Answers in an approver's place, until it expires (the last day counts)."""

    id: Name
    action: Names
    when: When
    decide: Literal["approve", "deny"]
    expires: date
    unless: When | None = None
    title: str = ""
    say: str = ""


class CommentRules(Section):
    """Whether an answer needs words."""

    deny: Literal["required", "optional"] = "required"
    approve: Literal["required", "optional"] = "optional"

    @property
    def needed(self) -> frozenset[model.Answer]:
        """The answers that need a reason."""
        wishes = ((model.Answer.APPROVE, self.approve), (model.Answer.DENY, self.deny))
        return frozenset(answer for answer, wish in wishes if wish == "required")


class ApproverGroup(Section):
    """Approvers asked side by side within a stage."""

    sources: Sources = Field(alias="from")
    need: Count = 1


class ChainStage(Section):
    """One node of a chain: either `from` and `need`, or parallel groups in `all_of`."""

    sources: Sources | None = Field(default=None, alias="from")
    need: Count = 1
    all_of: Annotated[tuple[ApproverGroup, ...], Field(min_length=1)] | None = None
    deny: Count = 1
    repeat: bool = False
    comment: CommentRules | None = None

    @property
    def groups(self) -> tuple[model.Group, ...]:
        """The groups whose quorums the stage needs."""
        if self.all_of is not None:
            return tuple(model.Group(g.sources, g.need) for g in self.all_of)
        return (model.Group(self.sources or (), self.need),)


class Chain(Section):
    """Who must agree, in which order."""

    stages: Annotated[tuple[ChainStage, ...], Field(min_length=1)]
    title: str = ""

    def as_stages(self) -> tuple[model.Stage, ...]:
        """Return the stages as a request copies them in."""
        return tuple(
            model.Stage(s.groups, s.deny, s.repeat, s.comment.needed if s.comment else None)
            for s in self.stages
        )


class ChainDefaults(Section):
    """How every chain is timed and what happens when it finds nobody."""

    strictness: tuple[str, ...] = ()
    clock: str | None = None
    remind_after: Duration | None = None
    escalate_after: Duration | None = None
    escalate_to: Ladder = ()
    expires_after: Expiry = "72h"
    on_no_approver: Ladder = ()
    comment: CommentRules = CommentRules()
    reasons: tuple[str, ...] = ()
    undo_window: Duration = "60s"


class Mark(Section):
    """How a relation that waits for a decision is marked, and who hears of it."""

    tag: str = ""
    notify: AffectedPeople = ()


class Undoing(Mark):
    """How a refused relation is marked and undone."""

    remedy: Literal["ask_to_delete"] | None = None
    within: Duration = "24h"
    then: Literal["transfer"] | None = None
    transfer_to: User | None = None


class Welcome(Section):
    """What the customer is greeted with, by outcome; empty sends nothing."""

    allowed: str = ""
    pending: str = ""
    denied: str = ""


class Enforcement(Section):
    """What follows when an action that has already happened is not allowed."""

    pending: Mark = Mark()
    denied: Undoing = Undoing()
    welcome: Welcome = Welcome()


class Tickets(Section):
    """Contact ways issued for approved requests."""

    expires_after: Duration = "72h"
    skip_verify: bool = True


class WorkSchedule(Section):
    """Open hours of a week."""

    hours: Hours
    days: Annotated[
        tuple[Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"], ...], Field(min_length=1)
    ] = ("mon", "tue", "wed", "thu", "fri")
    holidays: Literal["CN"] | None = None


class QuietHours(Section):
    """Hours in which some messages wait."""

    hours: Hours
    hold: tuple[Literal["reminder", "digest"], ...] = ("reminder", "digest")


class Notify(Section):
    """Who is told of which events."""

    on: Names
    to: Recipients


class Expect(Section):
    """What a test expects of the decision; what is not named is not compared."""

    decision: Literal["allow", "approval", "deny"]
    chain: str | None = None
    rules: tuple[str, ...] | None = None
    missing: tuple[str, ...] | None = None
    auto_review: str | None = None
    shadow: Literal["allow", "approval", "deny"] | None = None


class PolicyTest(Section):
    """A test that lives in the file beside the rules."""

    name: Title
    given: dict[str, Any]
    expect: Expect
    matrix: dict[str, Any] = Field(default_factory=dict)  # every combination is tested


class CastMember(Section):
    """Somebody in a test over time; without `roles` these follow from [roles] and the rest here."""

    name: str = ""
    roles: tuple[str, ...] | None = None
    manager: str | None = None
    departments: Listing = ()
    leads: Listing = ()  # departments
    tags: Listing = ()
    position: str = ""
    active: bool = True


class FlowRequest(Section):
    """The request that a test over time follows. `owners` already follow the customer."""

    by: str
    action: str
    facts: dict[str, Any] = Field(default_factory=dict)
    origin: Literal["asked", "observed"] = "asked"
    owners: Listing = ()


class FlowExpect(Expect):
    """How the request must stand; what is not named is not compared."""

    decision: Literal["allow", "approval", "deny"] | None = None  # type: ignore[assignment]
    state: (
        Literal[
            "pending",
            "approved",
            "executed",
            "execution_failed",
            "denied",
            "withdrawn",
            "superseded",
            "stale",
            "expired",
            "revoked",
        ]
        | None
    ) = None
    stage: Count | None = None  # from 1
    asked: tuple[str, ...] | None = None  # who was asked and has not answered
    decided_by: str | None = None  # a person, or an actor such as 'system:timer'


class FlowStep(Section):
    """One of: a time, a wait, something that somebody does, or an expectation."""

    at: Moment | None = None
    wait: Duration | None = None
    clock: str | None = None
    do: (
        Literal[
            "approve",
            "deny",
            "withdraw",
            "revoke",
            "leave",
            "away",
            "back",
            "hand_over",
            "add_approver",
            "send_back",
            "supplement",
        ]
        | None
    ) = None
    by: str | None = None
    to: str | None = None  # who is named by `away`, `hand_over` and `add_approver`
    comment: str = ""
    refused: (
        Literal[
            "already_decided",
            "not_decided",
            "expired",
            "own_request",
            "voted_already",
            "not_an_approver",
            "not_yours",
            "comment_needed",
            "acts_for_requester",
            "you_are_away",
            "asked_already",
            "cannot_decide",
            "is_away",
        ]
        | None
    ) = None
    expect: FlowExpect | None = None


class FlowTest(Section):
    """A test over time, with a made-up company of its own: who answers what, and what follows."""

    name: Title
    people: dict[str, CastMember]
    request: FlowRequest
    steps: Annotated[tuple[FlowStep, ...], Field(min_length=1)]


class Rulebook(Section):
    """Every policy section of the config file."""

    timezone: Timezone
    defaults: Defaults
    language: Literal["zh-CN", "en"] = "zh-CN"
    attributes: Annotated[dict[str, Column], BeforeValidator(columns_of)] = Field(
        default_factory=dict
    )
    roles: dict[str, Role] = Field(default_factory=dict)
    permissions: dict[str, Permission] = Field(default_factory=dict)
    tier: tuple[Tier, ...] = ()
    group: tuple[CustomerGroup, ...] = ()
    rule: tuple[Rule, ...] = ()
    auto_review: tuple[AutoReview, ...] = ()
    chains: dict[str, Chain] = Field(default_factory=dict)
    chain_defaults: ChainDefaults = ChainDefaults()
    standing_approvals: StandingApprovals = StandingApprovals()
    grants: Grants = Grants()
    enforcement: dict[str, Enforcement] = Field(default_factory=dict)
    tickets: Tickets = Tickets()
    schedules: dict[str, WorkSchedule] = Field(default_factory=dict)
    quiet_hours: QuietHours | None = None
    digest: Digest = Digest()
    alerts: Alerts = Alerts()
    retention: Retention = Retention()
    notify: tuple[Notify, ...] = ()
    test: tuple[PolicyTest, ...] = ()
    flow_test: tuple[FlowTest, ...] = ()

    @property
    def zone(self) -> ZoneInfo:
        """The company's time zone."""
        return ZoneInfo(self.timezone)
