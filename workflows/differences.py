"""Tells exactly whether one policy is looser or stricter than another, with facts that show it.

Nothing is sampled: what facts and time can be is cut into the finitely many kinds that the two
policies can tell apart, and all of them are considered: first for who holds no temporary permission
for the action, then for who does. Tier and groups are computed by each policy for itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from workflows.attributes import ABOUT_RIGHTS, ACTIONS, GRANTS
from workflows.axes import Chosen
from workflows.contests import Contest, start_of
from workflows.model import Facts, FactValue, Outcome, TraceLine, Verdict
from workflows.policy import Policy, decide, permission
from workflows.spaces import Space
from workflows.sums import Direction, Scale, relation

__all__ = ["Comparison", "Difference", "Direction", "Tendency", "compare"]

EFFORT = 1_000_000  # open rules looked at for one action; beyond it the answer is "cannot tell"


class Tendency(StrEnum):
    """Which way a whole change goes."""

    SAME = "same"
    LOOSER = "looser"
    STRICTER = "stricter"
    MIXED = "mixed"


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which an action is judged differently, and facts and a time that show it.

    Facts that the witness does not name do not matter for it: they may even be unknown.
    """

    action: str
    direction: Direction
    before: Verdict
    after: Verdict
    witness: Facts
    at: datetime
    because: tuple[str, ...]  # places in the file: 'rule.daily-cap', 'permissions.friend.add'


@dataclass(frozen=True, slots=True)
class Comparison:
    """All ways in which two policies differ: at most one of each direction for an action.

    `unfinished` are actions that took too much work; they count as looser and as stricter.
    """

    differences: tuple[Difference, ...] = ()
    unfinished: tuple[str, ...] = ()

    @property
    def exhausted(self) -> bool:
        """Whether anything was left unfinished."""
        return bool(self.unfinished)

    @property
    def is_looser(self) -> bool:
        """Whether anything was widened, or might have been: other approvers count as well."""
        widening = (Direction.LOOSER, Direction.OTHER_CHAIN)
        return self.exhausted or any(d.direction in widening for d in self.differences)

    @property
    def is_stricter(self) -> bool:
        """Whether anything was tightened, or might have been."""
        tightening = (Direction.STRICTER, Direction.OTHER_CHAIN)
        return self.exhausted or any(d.direction in tightening for d in self.differences)

    @property
    def is_same(self) -> bool:
        """Whether no facts and no time from now on give another answer."""
        return not self.differences and not self.exhausted

    @property
    def tendency(self) -> Tendency:
        """Looser, stricter, both or neither."""
        if self.is_looser:
            return Tendency.MIXED if self.is_stricter else Tendency.LOOSER
        return Tendency.STRICTER if self.is_stricter else Tendency.SAME

    def on(self, action: str) -> Comparison:
        """Return what concerns one action."""
        return Comparison(
            tuple(d for d in self.differences if d.action == action),
            tuple(a for a in self.unfinished if a == action),
        )


def compare(
    old: Policy,
    new: Policy,
    now: datetime,
    *,
    actions: Iterable[str] = tuple(ACTIONS),
    effort: int = EFFORT,
) -> Comparison:
    """Return every difference from `now` (aware) on. `effort` bounds the work for each action."""
    if now.tzinfo is None:
        raise ValueError("a comparison needs an aware time")
    differences: list[Difference] = []
    unfinished: list[str] = []
    for action in actions:
        by_direction: dict[Direction, Difference] = {}
        pairing = _Pairing(old, new, action, now)
        finished = pairing.look(effort, by_direction)
        if finished and action not in ABOUT_RIGHTS:
            lent = replace(pairing, lent=frozenset({action}))
            finished = lent.look(effort, by_direction)
        differences += by_direction.values()
        if not finished:
            unfinished.append(action)
    return Comparison(tuple(differences), tuple(unfinished))


@dataclass(frozen=True, slots=True)
class _Pairing:
    old: Policy
    new: Policy
    action: str
    now: datetime
    lent: frozenset[str] = frozenset()  # what the senders looked at hold a grant for

    def look(self, effort: int, found: dict[Direction, Difference]) -> bool:
        """Add the differences of directions not found yet; False if that may not be all of them."""
        if not self._is_judged():
            return True
        contest = self._contest(effort)
        finished = contest.space.is_exact
        for direction in Direction:
            chosen = None if direction in found else contest.find(direction)
            if chosen is not None:
                difference = self._shown(contest.space, chosen)
                # A witness that decisions do not confirm would be our own mistake: fail closed.
                if difference is None or difference.direction is not direction:
                    finished = False
                else:
                    found[direction] = difference
        return finished and not contest.exhausted

    def _is_judged(self) -> bool:
        """Whether anybody may do it at all: rules only tighten what the table gives."""
        return any(self.action in p.rulebook.permissions for p in (self.old, self.new))

    def _contest(self, effort: int) -> Contest:
        scales = (Scale.of(self.old), Scale.of(self.new))
        space = Space.of((self.old, self.new), self.action, self.now, self._weight)
        levels = space.levels
        bases = tuple((self._base(scales[0], v), self._base(scales[1], v)) for v in levels)
        start = start_of(space, scales, self.action)
        return Contest(space, bases, relation(scales), start, effort)

    def _weight(self, level: FactValue | None) -> tuple[int, ...]:
        """What a level gives; a level that may do more is the more telling example."""
        both = (self.old, self.new)
        given = [permission(p.rulebook, self.action, level, self.lent) for p in both]
        return (max(given), *given)

    def _base(self, scale: Scale, level: FactValue | None) -> int:
        book = scale.policy.rulebook
        permitted = permission(book, self.action, level, self.lent)
        return scale.sum_of(permitted, book.defaults.chain)

    def _shown(self, space: Space, chosen: Chosen) -> Difference | None:
        facts, at = self._held(space.facts(chosen)), space.at(chosen)
        before = decide(self.old, facts, self.action, at, traced=True)
        after = decide(self.new, facts, self.action, at, traced=True)
        direction = direction_of(self.old, before, self.new, after)
        if direction is None:
            return None
        because = tuple(self._because(before, after))
        return Difference(self.action, direction, before, after, facts, at, because)

    def _held(self, facts: Facts) -> Facts:
        """Return the facts of a choice with the grant that was looked at, or surely without."""
        found = facts.get(GRANTS)
        others = found - {self.action} if isinstance(found, frozenset) else None
        if self.lent:
            return {**facts, GRANTS: (others or frozenset()) | self.lent}
        return facts if others is None else {**facts, GRANTS: others}

    def _because(self, before: Verdict, after: Verdict) -> Iterator[str]:
        """Name what came out differently; a setting that all share only when nothing else did."""
        was, now = _results(before), _results(after)
        found = [place for place in {**was, **now} if was.get(place) != now.get(place)]
        yield from found
        if found:
            return
        if self.old.on_missing is not self.new.on_missing and before.missing + after.missing:
            yield "defaults.on_missing"
        for rule in {*before.rules, *after.rules} if before.chain != after.chain else ():
            yield f"rule.{rule}"
        if before.chain is not None and before.chain == after.chain:
            yield f"chains.{before.chain}"


def _results(verdict: Verdict) -> dict[str, tuple[bool | None, str]]:
    return {line.place: _told(line) for line in verdict.trace if line.depth == 0}


def _told(line: TraceLine) -> tuple[bool | None, str]:
    return line.result, line.note


def direction_of(old: Policy, before: Verdict, new: Policy, after: Verdict) -> Direction | None:
    """Return how one verdict differs from another; None when they ask for the same."""
    if before.outcome is not after.outcome:
        looser = after.outcome < before.outcome
        return Direction.LOOSER if looser else Direction.STRICTER
    if before.outcome is not Outcome.APPROVAL or before.chain is None or after.chain is None:
        return None
    scales = (Scale.of(old), Scale.of(new))
    ranks = scales[0].ranks[before.chain], scales[1].ranks[after.chain]
    return relation(scales)[ranks]
