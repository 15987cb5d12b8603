"""Two policies asked about the same action: which facts and times make their answers differ?

What they say is summed up in small numbers, so that all that can still happen is a small set. A
choice is made only where it matters, and what was refuted once is not tried again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from workflows.axes import Chosen
from workflows.model import Outcome
from workflows.spaces import Reader, Space, gate_of
from workflows.sums import (
    DENIED,
    NOTHING,
    SURE,
    UNSURE_UNLESS,
    UNSURE_WHEN,
    Direction,
    Pair,
    Payload,
    Relation,
    Scale,
    Sum,
    adds_nothing,
    both,
    differs,
    payloads,
)
from workflows.terms import FALSE, MAY_BE_UNKNOWN, MAY_FAIL, MAY_HOLD, TRUE, UNKNOWN, Term

# What auto-reviews come to; the larger counts.
_SILENT, _APPROVES, _UNSURE, _DENIES = range(4)


OpenRule = tuple[Term, Term, Payload]  # when, unless, what it adds


class State(NamedTuple):
    """What is settled, and what is still open, after some choices. Equal ones end equally."""

    sums: Pair
    level_is_open: bool
    rules: tuple[OpenRule, ...]
    reviewed: Pair
    reviews: tuple[tuple[Term, Pair, Pair], ...]  # applies, what it says if so, if unknown


@dataclass(slots=True)
class Contest:
    """The search for one action. `left` is how many more open rules may be looked at."""

    space: Space
    bases: tuple[Pair, ...]  # what each sampled level gives by itself
    chains: Relation
    start: State
    left: int
    exhausted: bool = False
    _ahead: dict[State, frozenset[Direction | None]] = field(default_factory=dict)
    _refuted: set[tuple[State, Direction]] = field(default_factory=set)

    def find(self, goal: Direction) -> Chosen | None:
        """Return choices that give such a difference, or None: there are none, or it was given up
        (`exhausted`).
        """
        return self._find(self.start, goal, {})

    def _find(self, state: State, goal: Direction, chosen: Chosen) -> Chosen | None:
        ahead = self._directions(state)
        if goal not in ahead or (state, goal) in self._refuted:
            return None
        if len(ahead) == 1:
            return chosen
        self.left -= 1 + len(state.rules)
        if self.left < 0:
            self.exhausted = True
            return None
        variable = self._next(state)
        for value in range(self.space.terms.sizes[variable]):
            after = self._decided(state, variable, value)
            found = self._find(after, goal, {**chosen, variable: value})
            if found is not None:
                return found
        self._refuted.add((state, goal))
        return None

    def _next(self, state: State) -> int:
        """Return the variable to decide: first what the policies differ in, then what hides it."""
        differing = [rule for rule in state.rules if differs(rule[2])]
        if differing:
            return self._of_simplest(differing)
        if state.level_is_open:
            return self.space.level
        if state.reviews:
            return self.space.terms.first(min(state.reviews, key=_agrees)[0])
        return self._of_simplest(state.rules)

    def _of_simplest(self, rules: Iterable[OpenRule]) -> int:
        """What reads least fails soonest, and so saves most."""
        reads, first = self.space.terms.reads, self.space.terms.first
        when, unless, _ = min(rules, key=lambda r: (reads(r[0]) | reads(r[1])).bit_count())
        return first(when if first(when) >= 0 else unless)

    # --- deciding

    def _decided(self, state: State, variable: int, value: int) -> State:
        terms = self.space.terms
        sums, is_open = state.sums, state.level_is_open
        if is_open and variable == self.space.level:
            sums, is_open = both(sums, self.bases[value]), False
        rules = [
            (terms.decided(when, variable, value), terms.decided(unless, variable, value), payload)
            for when, unless, payload in state.rules
        ]
        reviews = [
            (terms.decided(applies, variable, value), holds, unknown)
            for applies, holds, unknown in state.reviews
        ]
        return settled(State(sums, is_open, tuple(rules), state.reviewed, tuple(reviews)))

    # --- what may still happen

    def _directions(self, state: State) -> frozenset[Direction | None]:
        if state not in self._ahead:
            pairs = set(self._sums_ahead(state))
            reviewed = set(self._reviews_ahead(state))
            self._ahead[state] = frozenset(
                self._direction(pair, answer) for pair in pairs for answer in reviewed
            )
        return self._ahead[state]

    def _direction(self, sums: Pair, reviewed: Pair) -> Direction | None:
        before, after = _answer(sums[0], reviewed[0]), _answer(sums[1], reviewed[1])
        was, now = _outcome(before), _outcome(after)
        if was is not now:
            return Direction.LOOSER if now < was else Direction.STRICTER
        return self.chains[before, after] if was is Outcome.APPROVAL else None

    def _sums_ahead(self, state: State) -> Iterable[Pair]:
        found = {state.sums}
        if state.level_is_open:
            found = {both(state.sums, base) for base in self.bases}
        masks = self.space.terms.mask
        adding = (_added_by(masks(when), masks(unless), p) for when, unless, p in state.rules)
        return _folded(found, adding, both)

    def _reviews_ahead(self, state: State) -> Iterable[Pair]:
        mask = self.space.terms.mask
        saying = (_said(mask(applies), holds, unknown) for applies, holds, unknown in state.reviews)
        return _folded({state.reviewed}, saying, _larger)


def _agrees(review: tuple[Term, Pair, Pair]) -> bool:
    return all(old == new for old, new in review[1:])


def _added_by(when: int, unless: int, payload: Payload) -> frozenset[Pair]:
    found: set[Pair] = set()
    if when & MAY_FAIL or unless & MAY_HOLD:
        found.add(NOTHING)
    if when & MAY_HOLD and unless & MAY_FAIL:
        found.add(payload[SURE])
    if when & MAY_HOLD and unless & MAY_BE_UNKNOWN:
        found.add(payload[UNSURE_UNLESS])
    if when & MAY_BE_UNKNOWN and unless & (MAY_FAIL | MAY_BE_UNKNOWN):
        found.add(payload[UNSURE_WHEN])
    return frozenset(found)


def _said(mask: int, holds: Pair, unknown: Pair) -> frozenset[Pair]:
    cases = ((MAY_FAIL, NOTHING), (MAY_HOLD, holds), (MAY_BE_UNKNOWN, unknown))
    return frozenset(pair for bit, pair in cases if mask & bit)


def _larger(one: Pair, other: Pair) -> Pair:
    return max(one[0], other[0]), max(one[1], other[1])


def _folded(
    start: set[Pair],
    sets: Iterable[frozenset[Pair]],
    join: Callable[[Pair, Pair], Pair],
) -> set[Pair]:
    """Return what the start and one of each set may come to. Many sets are alike: joining one
    of them again changes nothing once it has changed nothing.
    """
    found = start
    idle: set[frozenset[Pair]] = set()
    for pairs in sets:
        if pairs in idle:
            continue
        joined = {join(one, other) for one in found for other in pairs}
        if joined == found:
            idle.add(pairs)
        else:
            idle.clear()
            found = joined
    return found


def _answer(sum_: Sum, reviewed: int) -> int:
    """Return 0 for allow, DENIED, or the rank of the chain.

    A missing fact keeps only the approving auto-reviews from answering.
    """
    if sum_ in (0, DENIED):
        return sum_
    if reviewed == _DENIES:
        return DENIED
    return 0 if reviewed == _APPROVES and not sum_ & 1 else sum_ >> 1


def _outcome(answer: int) -> Outcome:
    if answer == DENIED:
        return Outcome.DENY
    return Outcome.APPROVAL if answer else Outcome.ALLOW


def settled(state: State) -> State:
    """Return the state with equal conditions merged and what is decided added up."""
    sums, reviewed = state.sums, state.reviewed
    rules: dict[tuple[Term, Term], Payload] = {}
    for when, unless, payload in state.rules:
        if when == FALSE or unless == TRUE:
            continue
        if when in _DECIDED and unless in _DECIDED:
            unsure = SURE if unless == FALSE else UNSURE_UNLESS
            sums = both(sums, payload[UNSURE_WHEN if when == UNKNOWN else unsure])
        else:
            known = rules.get((when, unless))
            rules[when, unless] = payload if known is None else payloads(known, payload)
    reviews: dict[Term, tuple[Pair, Pair]] = {}
    for applies, holds, unknown in state.reviews:
        if applies in _DECIDED:
            reviewed = _larger(reviewed, (NOTHING, unknown, holds)[applies])
        else:
            before = reviews.get(applies, (NOTHING, NOTHING))
            reviews[applies] = _larger(before[0], holds), _larger(before[1], unknown)
    # A rule that can add nothing any more is dropped, so that more states are equal.
    return State(
        sums,
        state.level_is_open,
        tuple(
            (*terms, payload)
            for terms, payload in sorted(rules.items())
            if not adds_nothing(sums, payload)
        ),
        reviewed,
        tuple((term, *says) for term, says in sorted(reviews.items())),
    )


_DECIDED = (FALSE, UNKNOWN, TRUE)


# --- setting it up


def start_of(space: Space, scales: tuple[Scale, Scale], action: str) -> State:
    """Return the state in which nothing is chosen."""
    rules: list[OpenRule] = []
    reviews: list[tuple[Term, Pair, Pair]] = []
    for side, scale in enumerate(scales):
        gate = gate_of(scale.policy, action)
        reader = Reader(space, scale.policy, gate)
        for rule in gate.rules:
            if not rule.shadow:
                clause, sums = rule.clause, scale.payload(rule)
                unless = FALSE if clause.unless is None else reader.condition(clause.unless)
                first, second, third = (_on(side, s) for s in sums)
                rules.append((reader.condition(clause.when), unless, (first, second, third)))
        for review in gate.reviews:
            denies = review.review.decide == "deny"
            holds, unknown = (_DENIES, _UNSURE) if denies else (_APPROVES, _SILENT)
            reviews.append((reader.applies(review), _on(side, holds), _on(side, unknown)))
    return settled(State(NOTHING, True, tuple(rules), NOTHING, tuple(reviews)))


def _on(side: int, number: int) -> Pair:
    return (number, 0) if side == 0 else (0, number)
