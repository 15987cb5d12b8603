"""What one policy's rules come to for one action, summed up in small numbers that compare fast."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from workflows.gates import CompiledRule
from workflows.model import Outcome
from workflows.policy import Policy


class Direction(StrEnum):
    """How an answer changed for some facts."""

    LOOSER = "looser"
    STRICTER = "stricter"
    OTHER_CHAIN = "other_chain"  # other approvers are asked; which are stricter is not known


# What one policy's level and rules come to: 0 nothing, DENIED, or twice the rank of the strictest
# chain asked for, plus 1 when a fact was missing.
Sum = int
DENIED: Sum = 1 << 30
Pair = tuple[int, int]  # the old policy's, the new one's
NOTHING: Pair = (0, 0)

# What a rule adds when it holds, when only its `unless` is unknown, and when its `when` is.
Payload = tuple[Pair, Pair, Pair]
SURE, UNSURE_UNLESS, UNSURE_WHEN = range(3)
_REMEMBERED = 10_000  # pure results kept: few different ones occur, each very often


def added(one: Sum, other: Sum) -> Sum:
    """Return the sum of both: the most restrictive."""
    if one >= DENIED or other >= DENIED:
        return DENIED
    return max(one >> 1, other >> 1) << 1 | (one | other) & 1


@lru_cache(maxsize=_REMEMBERED)
def both(one: Pair, other: Pair) -> Pair:
    """Return the sums of two pairs."""
    return added(one[0], other[0]), added(one[1], other[1])


@lru_cache(maxsize=_REMEMBERED)
def payloads(one: Payload, other: Payload) -> Payload:
    """Return what two rules with the same condition add together."""
    return both(one[0], other[0]), both(one[1], other[1]), both(one[2], other[2])


@lru_cache(maxsize=_REMEMBERED)
def adds_nothing(sums: Pair, payload: Payload) -> bool:
    """Whether such a rule can change nothing any more."""
    return all(both(sums, pair) == sums for pair in payload)


@lru_cache(maxsize=_REMEMBERED)
def differs(payload: Payload) -> bool:
    """Whether the policies do not have such a rule in common."""
    return any(old != new for old, new in payload)


Relation = Mapping[tuple[int, int], Direction | None]  # ranks of two chains → how they compare


@dataclass(frozen=True, slots=True)
class Scale:
    """One policy's sums."""

    ranks: Mapping[str, int]  # chain → rank from 1 on, the strictest last
    policy: Policy

    @classmethod
    def of(cls, policy: Policy) -> Scale:
        """Rank the chains as a decision does."""
        ordered = sorted(policy.rulebook.chains, key=lambda c: policy.strictness.get(c, -1))
        return cls({chain: rank for rank, chain in enumerate(ordered, 1)}, policy)

    def sum_of(self, outcome: Outcome, chain: str, *, missing: bool = False) -> Sum:
        """Return what one level or rule adds."""
        if outcome is Outcome.APPROVAL:
            return self.ranks[chain] << 1 | missing
        return DENIED if outcome is Outcome.DENY else 0

    def payload(self, rule: CompiledRule) -> tuple[Sum, Sum, Sum]:
        """Return what a rule adds when it holds, and in both cases of not being sure."""
        guessed = self.policy.on_missing if rule.outcome is Outcome.DENY else rule.outcome
        return (
            self.sum_of(rule.outcome, rule.chain),
            self.sum_of(rule.outcome, rule.chain, missing=True),
            self.sum_of(guessed, rule.chain, missing=True),
        )


def relation(scales: tuple[Scale, Scale]) -> Relation:
    """Compare every chain of the old policy with every one of the new.

    Only the old order is trusted, since the new one may be what somebody wants to slip in: a
    chain that is not in the old policy with the same stages compares with none but its equal.
    """
    old, new = scales
    return {
        (rank, other_rank): _compared(old, chain, new, other)
        for (chain, rank), (other, other_rank) in itertools.product(
            old.ranks.items(), new.ranks.items()
        )
    }


def _compared(old: Scale, chain: str, new: Scale, other: str) -> Direction | None:
    was, now = old.policy.rulebook.chains, new.policy.rulebook.chains
    stages = now[other].as_stages()
    if was[chain].as_stages() == stages:
        return None
    if other not in was or was[other].as_stages() != stages:
        return Direction.OTHER_CHAIN
    milder = old.ranks[other] < old.ranks[chain]
    return Direction.LOOSER if milder else Direction.STRICTER
