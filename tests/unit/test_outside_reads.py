"""Which columns of outside sources a policy needs: those that it reads, and no others."""

from __future__ import annotations

from typing import Any

from bot.actions import outside_facts
from tests.makers_policy import a_policy, a_rule
from workflows.attributes import Kind
from workflows.outside import Wanted

COLUMNS = {
    "customer.x.deal": {"type": "int", "default": 0},
    "customer.x.region": {"type": "text"},
    "customer.x.idle": {"type": "bool"},
}
DEAL = {"customer": {"x": {"deal": {"gte": 100}}}}


def wanted_by(*rules: dict[str, Any], **sections: Any) -> dict[str, Wanted]:
    policy = a_policy(*rules, attributes=COLUMNS, **sections)
    return dict(outside_facts.wanted(policy))


def test_rules_that_read_no_column_want_none() -> None:
    assert wanted_by(a_rule("cap", {"today": {"adds": {"gte": 50}}})) == {}
    assert dict(outside_facts.wanted(a_policy(attributes={}))) == {}


def test_a_column_is_wanted_by_a_condition_or_by_the_text_of_a_rule() -> None:
    rule = a_rule("big", DEAL, say="{customer.x.region}")
    assert wanted_by(rule) == {
        "customer.x.deal": Wanted(Kind.INT, 0),
        "customer.x.region": Wanted(Kind.TEXT),
    }


def test_a_column_of_a_tier_is_wanted_even_if_no_rule_reads_the_tier() -> None:
    tiers = [{"name": "vip", "when": DEAL}, {"name": "normal"}]
    assert set(wanted_by(tier=tiers)) == {"customer.x.deal"}


def test_a_rule_that_is_off_wants_nothing() -> None:
    assert wanted_by(a_rule("big", DEAL, mode="off")) == {}
    assert set(wanted_by(a_rule("big", DEAL, mode="shadow"))) == {"customer.x.deal"}
