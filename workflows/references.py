"""Checks what the shape of a config file cannot show: that names exist and settings make sense."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from workflows import flow_checks, given
from workflows.attributes import (
    ACTIONS,
    BUILT_IN,
    COMPUTED,
    OUTSIDE_PREFIX,
)
from workflows.chats import JOIN
from workflows.conditions import All, Known, Leaf, Reading, leaves
from workflows.mistakes import Loc, Mistake, near
from workflows.names import Names
from workflows.schedules import parse_duration
from workflows.sections import (
    AutoReview,
    ChainStage,
    CustomerGroup,
    Enforcement,
    Rule,
    Rulebook,
    Tier,
)

# What [[notify]] can subscribe to.
EVENTS = (
    "role.changed",
    "config.activated",
    "config.rejected",
    "shadow.report",
    "grant.given",
    "grant.ended",
    "waiver.given",
    "follow_user.changed",
    "app_scope.changed",
    "breakglass.used",
)

PLACEHOLDER = re.compile(r"\{([^{}]*)\}")
# Observed actions of which nothing is left to mark or undo: people are told, that is all.
_ONLY_TOLD = frozenset({"friend.delete", "customer.edit", JOIN})
_TIMED = (JOIN, "denied", "within")  # how long the group's owner has to remove somebody


def check(book: Rulebook, names: Names | None = None) -> list[Mistake]:
    """Return every mistake in a rulebook of the right shape, in the order of its sections."""
    checking = _Checking(book, names or Names.of(book))
    checking.declarations()
    checking.customers()
    checking.rules()
    checking.chains()
    checking.afterwards()
    checking.tests()
    return checking.found + flow_checks.check(book, checking.names)


def read_condition(
    raw: Mapping[str, object] | None, loc: Loc, known: Known, item: str = ""
) -> tuple[All, list[Mistake]]:
    """Return a `when` or `unless`; one that is absent holds always."""
    if raw is None:
        return All(), []
    reading = Reading(known, item)
    return reading.read(raw, loc), reading.mistakes


@dataclass(slots=True)
class _Checking:
    book: Rulebook
    names: Names
    found: list[Mistake] = field(default_factory=list)

    def _note(self, loc: Loc, code: str, suggestion: str = "", item: str = "", **p: str) -> None:
        self.found.append(Mistake(loc, code, p, suggestion, item))

    def _known(self, word: str, names: Iterable[str], what: str, loc: Loc, item: str = "") -> None:
        names = tuple(names)
        if word not in names:
            self._note(loc, f"unknown_{what}", near(word, names), item, value=word)

    def _unique(self, words: Iterable[str], section: str, key: str) -> None:
        before: set[str] = set()
        for index, word in enumerate(words):
            if word in before:
                self._note((section, index, key), "duplicate", item=word, value=word)
            before.add(word)

    def _roles(self, sources: Iterable[str], loc: Loc) -> None:
        for source in sources:
            kind, _, name = source.partition(":")
            if kind == "role":
                self._known(name, self.names.known.roles, "role", loc)

    # --- attributes, defaults, permissions

    def declarations(self) -> None:
        for name in self.book.attributes:
            column = name.removeprefix(OUTSIDE_PREFIX)
            if column == name or not column.isidentifier() or name in BUILT_IN:
                self._note(("attributes", name), "bad_attribute_name", value=name)
        self._known(self.book.defaults.chain, self.names.chains, "chain", ("defaults", "chain"))
        for action, permission in self.book.permissions.items():
            loc = ("permissions", action)
            self._known(action, ACTIONS, "action", loc)
            allow, approval = permission.allow, permission.approval
            if allow is None and approval is None:
                self._note(loc, "permission_empty")
            elif allow is not None and approval is not None and approval > allow:
                self._note(loc, "permission_order", allow=str(allow), approval=str(approval))

    # --- tiers and groups

    def customers(self) -> None:
        tiers = self.book.tier
        self._unique((t.name for t in tiers), "tier", "name")
        self._unique((g.name for g in self.book.group), "group", "name")
        for index, tier in enumerate(tiers):
            last = index == len(tiers) - 1
            if last and tier.when is not None:
                self._note(("tier", index), "tier_without_catch_all", item=tier.name)
            if not last and tier.when is None:
                self._note(("tier", index), "tier_unreachable", item=tier.name, value=tier.name)
            self._computed("tier", index, tier)
        for index, group in enumerate(self.book.group):
            self._computed("group", index, group)

    def _computed(self, section: str, index: int, table: Tier | CustomerGroup) -> None:
        condition = self._condition(table.when, (section, index, "when"), table.name)
        for leaf in leaves(condition):
            if isinstance(leaf, Leaf) and leaf.attribute.name in COMPUTED:
                name = leaf.attribute.name
                self._note(leaf.loc, "reads_computed", item=table.name, attribute=name)

    def _condition(self, raw: Mapping[str, object] | None, loc: Loc, item: str) -> All:
        condition, mistakes = read_condition(raw, loc, self.names.known, item)
        self.found += mistakes
        return condition

    # --- rules and auto-reviews

    def rules(self) -> None:
        self._unique((r.id for r in self.book.rule), "rule", "id")
        self._unique((r.id for r in self.book.auto_review), "auto_review", "id")
        for index, rule in enumerate(self.book.rule):
            self._judging("rule", index, rule)
            if rule.chain is not None:
                loc = ("rule", index, "chain")
                if rule.then != "approval":
                    self._note(loc, "chain_without_approval", item=rule.id)
                self._known(rule.chain, self.names.chains, "chain", loc, rule.id)
        for index, review in enumerate(self.book.auto_review):
            self._judging("auto_review", index, review)

    def _judging(self, section: str, index: int, table: Rule | AutoReview) -> None:
        loc = (section, index)
        for action in table.action:
            self._known(action, ACTIONS, "action", (*loc, "action"), table.id)
        self._condition(table.when, (*loc, "when"), table.id)
        self._condition(table.unless, (*loc, "unless"), table.id)
        for name in PLACEHOLDER.findall(table.say):
            known = self.names.known.registry
            self._known(name, known, "placeholder", (*loc, "say"), table.id)

    # --- chains

    def chains(self) -> None:
        for name, chain in self.book.chains.items():
            for index, stage in enumerate(chain.stages):
                self._stage(stage, ("chains", name, "stages", index))
        self._strictness()
        self._timers()

    def _stage(self, stage: ChainStage, loc: Loc) -> None:
        if (stage.sources is None) == (stage.all_of is None):
            self._note(loc, "stage_sources")
            return
        for group in stage.groups:
            self._roles(group.sources, loc)
            named = [source.lower() for source in group.sources]
            people = len(set(named))
            if all(n.startswith("user:") for n in named) and group.need > people:
                self._note(loc, "need_too_many", need=str(group.need), people=str(people))

    def _strictness(self) -> None:
        ranked, loc = self.book.chain_defaults.strictness, ("chain_defaults", "strictness")
        for name in ranked:
            self._known(name, self.names.chains, "chain", loc)
        for name in sorted({n for n in ranked if ranked.count(n) > 1}):
            self._note(loc, "duplicate", value=name)
        for name in sorted(self.names.chains - set(ranked)):
            if len(self.names.chains) > 1:
                self._note(loc, "chain_not_ranked", value=name)

    def _timers(self) -> None:
        chosen = self.book.chain_defaults
        if chosen.clock is not None:
            loc = ("chain_defaults", "clock")
            self._known(chosen.clock, self.names.known.schedules, "schedule", loc)
        timers = {
            name: parse_duration(text)
            for name in ("remind_after", "escalate_after", "expires_after")
            if (text := getattr(chosen, name)) is not None
        }
        for earlier, later in itertools.pairwise(timers):
            if timers[earlier] >= timers[later]:
                loc = ("chain_defaults", earlier)
                self._note(loc, "timers_out_of_order", earlier=earlier, later=later)
        if chosen.escalate_after and not chosen.escalate_to:
            self._note(("chain_defaults", "escalate_after"), "escalate_to_nobody")
        self._roles(chosen.escalate_to, ("chain_defaults", "escalate_to"))
        self._roles(chosen.on_no_approver, ("chain_defaults", "on_no_approver"))

    # --- enforcement and notices

    def afterwards(self) -> None:
        for action, enforcement in self.book.enforcement.items():
            loc = ("enforcement", action)
            self._known(action, ACTIONS, "action", loc)
            if action in ACTIONS and not ACTIONS[action].observed:
                self._note(loc, "not_observed", value=action)
            denied = enforcement.denied
            for part, key in _beyond_telling(enforcement) if action in _ONLY_TOLD else ():
                if (action, part, key) != _TIMED:
                    self._note((*loc, part, key), "only_told", key=key, value=action)
            if denied.then == "transfer" and denied.transfer_to is None:
                self._note((*loc, "denied"), "transfer_to_nobody")
            self._roles(enforcement.pending.notify, (*loc, "pending", "notify"))
            self._roles(denied.notify, (*loc, "denied", "notify"))
        for index, notify in enumerate(self.book.notify):
            for event in notify.on:
                self._known(event, EVENTS, "event", ("notify", index, "on"))
            self._roles(notify.to, ("notify", index, "to"))

    # --- tests in the file

    def tests(self) -> None:
        self._unique((t.name for t in self.book.test), "test", "name")
        for index, test in enumerate(self.book.test):
            loc: Loc = ("test", index)
            known, zone = self.names.known, self.book.zone
            _, mistakes = given.read_cases(test.given, test.matrix, loc, known, zone, test.name)
            self.found += mistakes
            expect, here = test.expect, (*loc, "expect")
            for chain in [expect.chain] if expect.chain is not None else []:
                self._known(chain, self.names.chains, "chain", (*here, "chain"), test.name)
            for rule in expect.rules or ():
                self._known(rule, self.names.rules, "rule", (*here, "rules"), test.name)
            for name in expect.missing or ():
                self._known(name, known.registry, "attribute", (*here, "missing"), test.name)
            for review in [expect.auto_review] if expect.auto_review else []:
                loc_of = (*here, "auto_review")
                self._known(review, self.names.reviews, "rule", loc_of, test.name)


def _beyond_telling(enforcement: Enforcement) -> list[tuple[str, str]]:
    """Return what is set in each part besides whom to tell."""
    parts = {name: getattr(enforcement, name) for name in ("pending", "denied", "welcome")}
    return [
        (part, key)
        for part, section in parts.items()
        for key, field in type(section).model_fields.items()
        if key != "notify" and getattr(section, key) != field.default
    ]
