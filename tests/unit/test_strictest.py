"""Of several verdicts the most restrictive counts."""

from __future__ import annotations

from itertools import permutations

import pytest

from tests.makers_policy import a_policy
from workflows.model import Outcome, Reason, Verdict
from workflows.strictest import strictest

POLICY = a_policy()  # its chains: lead, then director
ALLOW = Verdict(Outcome.ALLOW, Reason.LEVEL)
LEAD = Verdict(Outcome.APPROVAL, Reason.LEVEL, chain="lead")
DIRECTOR = Verdict(Outcome.APPROVAL, Reason.RULE, chain="director")
ODD = Verdict(Outcome.APPROVAL, Reason.RULE, chain="unranked")
DENY = Verdict(Outcome.DENY, Reason.RULE)


@pytest.mark.parametrize(
    ("among", "wanted"),
    [
        ((ALLOW,), ALLOW),
        ((ALLOW, LEAD), LEAD),
        ((ALLOW, LEAD, DIRECTOR), DIRECTOR),
        ((LEAD, DIRECTOR, ODD), ODD),
        ((ALLOW, LEAD, DIRECTOR, DENY), DENY),
    ],
)
def test_the_strictest_counts_in_whatever_order(
    among: tuple[Verdict, ...], wanted: Verdict
) -> None:
    for order in permutations(among):
        assert order[strictest(POLICY, order)] is wanted


def test_of_equals_the_first_is_taken() -> None:
    assert strictest(POLICY, [ALLOW, LEAD, LEAD]) == 1
