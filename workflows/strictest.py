"""Of several verdicts on one wish, the one that counts for the whole of it."""

from __future__ import annotations

from collections.abc import Sequence

from workflows.model import Verdict
from workflows.policy import Policy


def strictest(policy: Policy, verdicts: Sequence[Verdict]) -> int:
    """Return which of the verdicts is the most restrictive: the first of those that are.

    A refusal before an approval before an allow; of two approvals, that of the stricter chain, a
    chain that nobody ranked being stricter than all.
    """
    return max(range(len(verdicts)), key=lambda at: (*_rank(policy, verdicts[at]), -at))


def _rank(policy: Policy, verdict: Verdict) -> tuple[int, int]:
    unranked = len(policy.strictness)
    chain = policy.strictness.get(verdict.chain, unranked) if verdict.chain else -1
    return verdict.outcome, chain
