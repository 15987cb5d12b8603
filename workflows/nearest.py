"""The nearest change that would have allowed something: which facts, or what time, were enough.

One change is looked for, then two together. Of each fact, one value is tried for each kind that the
rules standing in the way can tell apart; when a value awakens other rules, the kinds are cut finer
by what these read. So nothing is left out, and what is found is decided anew before it is said.

Whether a change is in anybody's power is not known here: of equally many, those come first that a
person can make or wait for (another time, a count that begins anew, a fact that becomes known, what
is typed), then level and temporary permission, then the customer.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from workflows.alternatives import Need
from workflows.attributes import Attribute
from workflows.model import Facts, FactValue, Outcome
from workflows.options import Options, Part, Sight, Step, World, name_of
from workflows.policy import Policy, decide

__all__ = ["EFFORT", "Change", "Nearest", "nearest"]

EFFORT = 5_000  # decisions made in search of one outcome; beyond, nothing more is looked for
_SAYING = 500  # decisions made to find how far a change may go

_Values = Sequence[FactValue | datetime]


@dataclass(frozen=True, slots=True)
class Change:
    """One fact, or the time if there is no attribute, that would have to be another."""

    attribute: Attribute | None
    before: FactValue | None  # None if it was not known
    value: FactValue | datetime  # one that is enough
    needs: tuple[Need, ...] = ()  # what must be so of it; other such values are enough as well


@dataclass(frozen=True, slots=True)
class Nearest:
    """What would be said if the changes were made; without any it is what is said now.

    `complete` is False if there was more to look at than the effort allowed, so that something
    milder may have been missed.
    """

    outcome: Outcome
    changes: tuple[Change, ...] = ()
    complete: bool = True


def nearest(
    policy: Policy,
    facts: Facts,
    action: str,
    at: datetime,
    *,
    effort: int = EFFORT,
) -> Nearest:
    """Return the fewest changes, at most two, that lead to allow; else, from a deny, to approval.

    Only times from `at` (aware) on are proposed.
    """
    now = decide(policy, facts, action, at).outcome
    options = Options(policy, action, World(facts, at))
    complete = True
    for wanted in (Outcome.ALLOW, Outcome.APPROVAL):
        if wanted < now:
            search = _Search(options, wanted, effort)
            found = search.best()
            complete = complete and search.complete
            if found:
                return Nearest(wanted, tuple(search.described(found)), complete)
    return Nearest(now, complete=complete)


@dataclass(slots=True)
class _Trials:
    """Everything that could be tried, the easiest first; more once more is told apart."""

    options: Options
    told: bool = True  # whether nothing was left out
    _waiting: list[tuple[tuple[int, float, str], int, Step]] = field(default_factory=list)
    _parts: dict[str, set[Part]] = field(default_factory=dict)
    _known: set[tuple[str, object]] = field(default_factory=set)

    def start(self, names: Iterable[str], parts: Iterable[Part]) -> None:
        """Begin with these options, as far as the parts tell them apart."""
        for name in names:
            self._parts[name] = set()
            self.learn(name, parts, fresh=True)

    def learn(self, name: str, parts: Iterable[Part], *, fresh: bool = False) -> None:
        """Add what further parts tell apart of an option."""
        new = {part for part in parts if name_of(part) == name} - self._parts[name]
        if not new and not fresh:
            return
        self._parts[name] |= new
        steps, told = self.options.steps(name, self._parts[name])
        self.told = self.told and told
        for step in steps:
            if (step.name, step.value) not in self._known:
                self._known.add((step.name, step.value))
                heapq.heappush(self._waiting, (step.rank, len(self._known), step))

    def __iter__(self) -> Iterator[Step]:
        while self._waiting:
            yield heapq.heappop(self._waiting)[2]


@dataclass(slots=True)
class _Search:
    """The search for one outcome, or a milder one."""

    options: Options
    wanted: Outcome
    effort: int
    complete: bool = True

    def best(self) -> tuple[Step, ...]:
        """Return the easiest of the fewest steps that suffice; none if none was found."""
        try:
            sight = self._look(self.options.start)
            one = self._through(self.options.start, sight, set())
            found = (one,) if one else self._two(sight)
        except _ExhaustedError:
            self.complete = False
            return ()
        return found if self._is_true(found) else ()

    def _two(self, sight: Sight) -> tuple[Step, ...]:
        """One of the two must do away with the first thing that is in the way: begin with it."""
        found: tuple[Step, ...] = ()
        trials = _Trials(self.options)
        trials.start(sight.names(sight.blocks(self.wanted)[:1]), sight.parts)
        try:
            for first in trials:
                if found and first.rank > _ranks(found)[0]:
                    break
                world = self.options.start.having(first.name, first.value)
                there = self._look(world)
                seen = set(there.parts)
                second = self._through(world, there, seen, (first, found))
                found = (first, second) if second else found
                trials.learn(first.name, seen)
        except _ExhaustedError:
            self.complete = False
        self.complete = self.complete and trials.told
        return found

    def _through(
        self,
        world: World,
        sight: Sight,
        seen: set[Part],
        after: tuple[Step, tuple[Step, ...]] | None = None,
    ) -> Step | None:
        """Return the easiest step from a world to what is wanted; None if there is none.

        It comes `after` a first step, and has to better a pair that was found. What makes the
        others fail is added to `seen`.
        """
        names = sight.names(sight.blocks(self.wanted))
        if after is not None:
            names -= self.options.apart(after[0].name)
        trials = _Trials(self.options)
        trials.start(names, sight.parts)
        for step in trials:
            if after and after[1] and _ranks((after[0], step)) >= _ranks(after[1]):
                return None
            there = self._look(world.having(step.name, step.value))
            if there.outcome <= self.wanted:
                return step
            seen |= there.parts
            trials.learn(step.name, there.parts)
        self.complete = self.complete and trials.told
        return None

    def _look(self, world: World) -> Sight:
        if self.effort <= 0:
            raise _ExhaustedError
        self.effort -= 1
        return self.options.look(world)

    def _is_true(self, steps: tuple[Step, ...]) -> bool:
        """Whether decisions confirm it; if not, the mistake is ours, and nothing is promised."""
        world = self.options.start
        for step in steps:
            world = world.having(step.name, step.value)
        options = self.options
        said = decide(options.policy, world.facts, options.action, world.at)
        confirmed = not steps or said.outcome <= self.wanted
        self.complete = self.complete and confirmed
        return confirmed

    # --- what is said of it

    def described(self, steps: Sequence[Step]) -> Iterator[Change]:
        """Say what must be so of each change, so that any such values together suffice."""
        self.effort = _SAYING
        values: dict[str, _Values] = {step.name: (step.value,) for step in steps}
        for step in steps:
            if isinstance(step.value, datetime):
                yield Change(None, None, step.value, self.options.schedules(step.value))
                continue
            aspect = self.options.aspect(step.name)
            others = {name: each for name, each in values.items() if name != step.name}
            around = aspect.suitable(step.value, partial(self._keeps, step.name, others))
            values[step.name] = around or (step.value,)
            before = self.options.before(aspect)
            needs = aspect.needs(before, step.value, around)
            yield Change(aspect.attribute, before, step.value, needs)

    def _keeps(self, name: str, others: Mapping[str, _Values], value: FactValue) -> bool:
        """Whether the promise holds with another value, whichever the others take."""
        worlds = [self.options.start.having(name, value)]
        for other, each in others.items():
            worlds = [world.having(other, v) for world in worlds for v in each]
        try:
            return all(self._look(world).outcome <= self.wanted for world in worlds)
        except _ExhaustedError:
            return False


class _ExhaustedError(Exception):
    """The effort is spent."""


def _ranks(steps: Sequence[Step]) -> tuple[tuple[int, float, str], ...]:
    """Return how good steps are together: the harder one counts first."""
    return tuple(sorted((step.rank for step in steps), reverse=True))
