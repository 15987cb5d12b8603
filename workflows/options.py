"""Everything about one decision that could be different, and what makes it as it is.

Never who somebody is (`sender.userid`, names), and no fact that becomes unknown. A level is one
that some role gives; a permission can be lent for a time instead. Tier and groups are what the
rules name, so they are options as such where they are known; they are not changed together with
what they are computed from. Of the time, only what is still to come.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cached_property

from workflows.alternatives import MOST, Aspect, How, Need, aspect_of
from workflows.attributes import COMPUTED, GRANTS, GROUPS, LEVEL, TIER, Attribute, Kind
from workflows.axes import Probe
from workflows.conditions import All, During, Leaf, leaves, plain
from workflows.evaluation import UNSURE_GROUPS
from workflows.gates import Gate, Ruling
from workflows.grants import can_be_lent
from workflows.model import Facts, FactValue, Outcome
from workflows.moments import Deadline, Question, moments
from workflows.policy import Policy, granted_in, judging_of, permission
from workflows.spaces import gate_of

TIME = "time"
NEVER = frozenset({"sender.userid", "sender.name", "customer.external_userid", "customer.name"})

Part = Leaf | During


@dataclass(frozen=True, slots=True)
class World:
    """Facts and a time."""

    facts: Facts
    at: datetime

    def having(self, name: str, value: FactValue | datetime) -> World:
        """Return the world in which one fact, or the time, is another."""
        if isinstance(value, datetime):
            return replace(self, at=value)
        return replace(self, facts={**self.facts, name: value})


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that could be different. A smaller rank is easier for a person."""

    rank: tuple[int, float, str]
    name: str
    value: FactValue | datetime


@dataclass(frozen=True, slots=True)
class Cause:
    """Something that makes a decision as strict as this, as long as none of its parts turns."""

    outcome: Outcome
    parts: frozenset[Part]
    names: frozenset[str]  # the options that could turn it


@dataclass(frozen=True, slots=True)
class Sight:
    """What would be decided in some world, and everything that could make it milder."""

    outcome: Outcome
    standing: tuple[Cause, ...]  # the level, and the rules that hold or may hold
    reviews: Cause | None  # all auto-reviews; they can only answer an approval

    @property
    def parts(self) -> frozenset[Part]:
        """Return every part that must turn, one at least, before the outcome can be milder."""
        return frozenset[Part]().union(*(cause.parts for cause in self._causes))

    @property
    def _causes(self) -> tuple[Cause, ...]:
        return (*self.standing, self.reviews) if self.reviews else self.standing

    def blocks(self, wanted: Outcome) -> list[frozenset[str]]:
        """Return the names of which, for every thing in the way, one must change.

        Where an auto-review may approve, what asks for approval need not go away.
        """
        milder = self.reviews is not None and self.reviews.outcome is Outcome.ALLOW
        limit = Outcome.APPROVAL if milder else wanted
        return [cause.names for cause in self.standing if cause.outcome > limit]

    def names(self, blocks: Sequence[frozenset[str]]) -> frozenset[str]:
        """Return the options that touch all these; without any, all that could matter."""
        if blocks:
            return frozenset.intersection(*blocks)
        return frozenset[str]().union(*(cause.names for cause in self._causes))


@dataclass(frozen=True)
class Options:
    """What could be different about one decision."""

    policy: Policy
    action: str
    start: World

    @cached_property
    def gate(self) -> Gate:
        """What judges the action besides the permission table."""
        return gate_of(self.policy, self.action)

    @cached_property
    def known(self) -> Facts:
        """The facts of the start, and tier and groups as far as they are sure.

        Grants that nobody told of and no rule reads are none, as for decisions.
        """
        view = judging_of(self.policy, self.gate, self.start.facts, self.start.at).view
        found = {TIER: view[TIER]} if TIER in view else {}
        if GROUPS in view and not view.get(UNSURE_GROUPS):
            found[GROUPS] = view[GROUPS]
        if all(attribute.name != GRANTS for attribute in self.gate.reads.attributes):
            found[GRANTS] = granted_in(self.start.facts)
        return {**self.start.facts, **found}

    # --- what would be decided

    def look(self, world: World) -> Sight:
        """Decide as it would be decided in a world, and see why."""
        judging = judging_of(self.policy, self.gate, world.facts, world.at)
        book = self.policy.rulebook
        level, granted = world.facts.get(LEVEL), granted_in(world.facts)
        permitted = permission(book, self.action, level, granted)
        rulings, _ = judging.rulings()
        verdict = judging.combined(Ruling(permitted, book.defaults.chain), rulings)
        by_level = Cause(permitted, frozenset(), frozenset({LEVEL, GRANTS}))
        standing = (by_level, *(self._cause(ruling) for ruling in rulings))
        return Sight(verdict.outcome, standing, self._reviews)

    def _cause(self, ruling: Ruling) -> Cause:
        clause = self._rules[ruling.rule]
        parts = self._parts(clause)
        return Cause(ruling.outcome, parts, frozenset(map(name_of, parts)))

    @cached_property
    def _rules(self) -> Mapping[str, tuple[All, ...]]:
        return {each.rule.id: each.clause.conditions for each in self.gate.rules}

    @cached_property
    def _reviews(self) -> Cause | None:
        reviews = self.gate.reviews
        if not reviews:
            return None
        parts = self._parts(c for each in reviews for c in each.clause.conditions)
        milder = any(each.review.decide == "approve" for each in reviews)
        names = frozenset(map(name_of, parts)) | {TIME}  # each has a last day
        return Cause(Outcome.ALLOW if milder else Outcome.DENY, parts, names)

    def _parts(self, conditions: Iterable[All]) -> frozenset[Part]:
        """Return every leaf of some conditions, and of the tiers and groups that they read."""
        own = frozenset(leaf for condition in conditions for leaf in leaves(condition))
        computed = frozenset(map(name_of, own)) & COMPUTED
        return own.union(*(self._classes[each] for each in computed))

    @cached_property
    def _classes(self) -> Mapping[str, frozenset[Part]]:
        classes = {TIER: self.gate.tiers, GROUPS: self.gate.groups}
        return {
            name: frozenset(leaf for each in found for leaf in leaves(each.condition))
            for name, found in classes.items()
        }

    # --- what could be different

    def apart(self, name: str) -> frozenset[str]:
        """Return what is not changed together with an option: itself, and what it is made of."""
        sources = {each: frozenset(map(name_of, parts)) for each, parts in self._classes.items()}
        made = frozenset(each for each, found in sources.items() if name in found)
        return made | sources.get(name, frozenset()) | {name}

    def aspect(self, name: str, parts: Iterable[Part] | None = None) -> Aspect:
        """Return an attribute as these parts, or all that read it, tell its values apart."""
        every = self._every if parts is None else parts
        found = {p for p in every if isinstance(p, Leaf) and p.attribute.name == name}
        own = sorted(found, key=lambda leaf: (leaf.operator, str(leaf.values)))
        attribute = self.policy.known.registry[name]
        match name:
            case "sender.level":
                given = {role.level for role in self.policy.rulebook.roles.values()}
                now = plain(Kind.INT, self.start.facts.get(LEVEL))
                levels = given if now is None else {*given, int(now)}
                return Aspect(attribute, tuple(map(Probe.of, own)), tuple(sorted(levels)))
            case "customer.tier":
                tiers = tuple(tier.name for tier in self.gate.tiers)
                return aspect_of(replace(attribute, words=tiers), own)
            case "sender.grants":
                return self._grants(attribute, own)
            case "customer.groups":
                values = {str(value) for leaf in own for value in leaf.values}
                single = tuple(frozenset({g.name}) for g in self.gate.groups if g.name in values)
                return Aspect(attribute, tuple(map(Probe.of, own)), classes=single)
            case _:
                return aspect_of(attribute, own)

    def _grants(self, attribute: Attribute, own: Sequence[Leaf]) -> Aspect:
        """The permission that is asked about could be lent, and others that rules read."""
        book = self.policy.rulebook
        asked = frozenset({self.action})
        read = aspect_of(attribute, own).classes if own else ()
        lent = {a for a in book.permissions if can_be_lent(book, a)}
        classes = [found & lent - asked for found in read] + [asked & lent]
        probes = tuple(map(Probe.of, own))
        told = 2 ** len(classes) <= MOST
        return Aspect(attribute, probes, classes=tuple(filter(None, classes)), all_told=told)

    def _is_option(self, name: str) -> bool:
        return name not in NEVER and (name not in COMPUTED or name in self.known)

    @cached_property
    def _every(self) -> frozenset[Part]:
        rules = (c for conditions in self._rules.values() for c in conditions)
        return self._parts(rules) | (self._reviews.parts if self._reviews else frozenset())

    def before(self, aspect: Aspect) -> FactValue | None:
        """Return a fact as it is; None if it is not known."""
        return aspect.seen(self.known.get(aspect.attribute.name))

    def steps(self, name: str, parts: Iterable[Part]) -> tuple[list[Step], bool]:
        """Return what could be different of one name, one value of each kind that the parts tell
        apart, the easiest first; and whether that is all.
        """
        if name == TIME:
            return list(self._times(parts)), True
        if not self._is_option(name):
            return [], True
        aspect = self.aspect(name, parts)
        before = self.before(aspect)
        found = aspect.alternatives(before)
        steps = [Step((_ease(name, before, value), far, name), name, value) for far, value in found]
        return sorted(steps, key=lambda step: step.rank), aspect.all_told

    def _times(self, parts: Iterable[Part]) -> Iterator[Step]:
        now, *later = moments([*dict.fromkeys(self._questions(parts))], self.start.at)
        for moment in later:
            if moment.answers != now.answers:
                ahead = (moment.at - self.start.at).total_seconds()
                yield Step((0, ahead, TIME), TIME, moment.at)

    def _questions(self, parts: Iterable[Part]) -> Iterator[Question]:
        for name in sorted({part.schedule for part in parts if isinstance(part, During)}):
            yield self.policy.schedules[name]
        for each in self.gate.reviews:
            yield Deadline(each.review.expires, self.policy.zone)

    def schedules(self, at: datetime) -> tuple[Need, ...]:
        """Say which schedules in the way at the start are open then, or closed; else which are."""
        return self._turned(at, self.look(self.start).parts) or self._turned(at, self._every)

    def _turned(self, at: datetime, parts: Iterable[Part]) -> tuple[Need, ...]:
        names = sorted({part.schedule for part in parts if isinstance(part, During)})
        read = {name: self.policy.schedules[name] for name in names}
        turned = [n for n, s in read.items() if s.is_open(at) is not s.is_open(self.start.at)]
        opened = tuple(name for name in turned if read[name].is_open(at))
        closed = tuple(name for name in turned if name not in opened)
        needs = ((How.OPEN, opened), (How.CLOSED, closed))
        return tuple(Need(how, names) for how, names in needs if names)


def name_of(part: Part) -> str:
    """Return the option that a leaf reads."""
    return part.attribute.name if isinstance(part, Leaf) else TIME


def _ease(name: str, before: FactValue | None, value: FactValue) -> int:
    """Return how hard a change is for a person; 0 is to wait for another time."""
    match name.partition(".")[0]:
        case _ if name in COMPUTED:
            return 6
        case _ if before is None:
            return 2  # a fact that becomes known
        case "today" | "week":
            falls = isinstance(before, int) and isinstance(value, int) and value < before
            return 1 if falls else 5  # the count begins anew by itself
        case "claim" | "request" | "contact":
            return 3
        case "sender":
            return 4 if name in (LEVEL, GRANTS) else 5
        case _:
            return 7
