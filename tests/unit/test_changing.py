"""Who must agree to a change of the rules."""

from __future__ import annotations

import pytest

from tests.makers_policy import a_rulebook
from workflows import changing
from workflows.model import Group, Outcome, Reason, Stage, Verdict

APPROVAL = Verdict(Outcome.APPROVAL, Reason.LEVEL, chain="lead")
RULES = {
    "roles": {
        "seller": {"level": 2, "members": ["tag:a"]},
        "admin": {"level": 5, "members": ["tag:b"]},
        "owner": {"level": 6, "members": ["tag:c"]},
    },
    "permissions": {"config.change": {"allow": 6, "approval": 5}},
}


def test_tightening_needs_nobody_and_widening_the_second_key() -> None:
    book = a_rulebook(**RULES)

    tightening = changing.verdict_on(APPROVAL, is_widening=False, book=book)
    widening = changing.verdict_on(APPROVAL, is_widening=True, book=book)

    assert (tightening.outcome, tightening.chain) == (Outcome.ALLOW, None)
    assert (widening.outcome, widening.chain) == (Outcome.APPROVAL, changing.TWO_KEYS)


@pytest.mark.parametrize("is_widening", [True, False])
def test_a_refusal_stays_one(is_widening: bool) -> None:
    refused = Verdict(Outcome.DENY, Reason.NO_PERMISSION)

    assert changing.verdict_on(refused, is_widening=is_widening, book=a_rulebook()) is refused


def test_the_second_key_is_held_by_everybody_who_may_change_the_rules() -> None:
    stage = changing.second_key(a_rulebook(**RULES), able=3, author_known=True)

    assert stage == Stage((Group(("role:admin", "role:owner"), 1),))


@pytest.mark.parametrize(("able", "need"), [(0, 1), (1, 1), (2, 2), (9, 2)])
def test_an_unknown_editor_may_be_one_of_those_who_agree_so_two_must(able: int, need: int) -> None:
    [group] = changing.second_key(a_rulebook(**RULES), able, author_known=False).groups

    assert group.need == need


def test_whoever_edits_the_file_is_taken_for_the_least_of_those_who_may() -> None:
    assert changing.facts_of_file(a_rulebook(**RULES)) == {"sender.level": 5}
    assert changing.facts_of_file(a_rulebook(permissions={})) == {}


def test_people_are_counted_once_where_a_stage_repeats() -> None:
    one, two = Stage((Group(("role:a",), 1),)), Stage((Group(("role:a",), 2),), repeat=True)

    assert changing.asked_at_least((one, one)) == 2
    assert changing.asked_at_least((one, two)) == 2
    assert changing.asked_at_least(()) == 0
