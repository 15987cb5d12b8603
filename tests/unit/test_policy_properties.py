"""What must hold for any policy and any facts: rules only tighten, and ignorance never allows."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.makers_policy import a_policy, a_review, a_rule, judged
from workflows import policy
from workflows.model import Facts, Outcome, Verdict

ALLOW = Outcome.ALLOW
RICH = {"customer": {"x": {"deal_amount": {"gte": 100_000}}}}
TIERS = [{"name": "vip", "when": RICH}, {"name": "normal"}]

_VALUES: dict[str, list[Any]] = {
    "sender.level": [0, 1, 2, 3],
    "sender.userid": ["linmei", "LinMei", "other"],
    "customer.corp_name": ["甲公司", "竞品甲", ""],
    "customer.tags": [frozenset(), frozenset({"a"}), frozenset({"a", "b"})],
    "customer.owner_count": [0, 1],
    "customer.x.deal_amount": [0, 100_000],
    "contact.way": ["qr", "card"],
    "today.adds": [3, 50],
}
_LEAVES: list[dict[str, Any]] = [
    {"sender": {"level": {"lt": 3}}},
    {"sender": {"userid": {"ne": ["LINMEI"]}}},
    {"customer": {"corp_name": {"contains_any": ["竞品"]}}},
    {"customer": {"corp_name": {"starts_with": ["甲"]}}},
    {"customer": {"tags": ["a", "z"]}},
    {"customer": {"tags": {"all_of": ["a", "b"]}}},
    {"customer": {"tags": {"none_of": ["b"]}}},
    {"customer": {"owner_count": {"lte": 0}}},
    {"customer": {"x": {"deal_amount": {"gt": 5}}}},
    {"customer": {"tier": "vip"}},
    {"customer": {"tier": {"starts_with": ["N"]}}},
    {"customer": {"groups": ["rich", "taken"]}},
    {"customer": {"groups": {"none_of": ["rich"]}}},
    {"contact": {"way": ["qr"]}},
    {"today": {"adds": {"gte": 50}}},
    {"today": {"adds": {"eq": [3, 4]}}},
    {"during": "work_hours"},
]
# The only operator that tells a missing fact from a known one.
_EXISTS: list[dict[str, Any]] = [
    {"customer": {"owner_count": {"exists": False}}},
    {"today": {"adds": {"exists": True}}},
    {"customer": {"tier": {"exists": False}}},
    {"customer": {"groups": {"exists": True}}},
]


def _conditions(leaves: list[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    table = st.lists(st.sampled_from(leaves), min_size=1, max_size=3).map(
        lambda found: {k: v for leaf in found for k, v in leaf.items()}
    )
    either = st.lists(table, min_size=1, max_size=3).map(lambda tables: {"any": tables})
    return st.one_of(table, either)


_when, _any_when = _conditions(_LEAVES), _conditions(_LEAVES + _EXISTS)


def _clauses(when: st.SearchStrategy[dict[str, Any]], **more: Any) -> Any:
    return st.fixed_dictionaries(more, optional={"when": when, "unless": when})


def _rules(when: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    chain = st.sampled_from(["lead", "director"])
    mode = st.sampled_from(["enforce", "enforce", "shadow"])
    refuses = _clauses(when, then=st.just("deny"), mode=mode)
    asks = _clauses(when, then=st.just("approval"), chain=chain, mode=mode)
    return st.one_of(refuses, asks)


def reviewed(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [a_review(f"a{i}", **body) for i, body in enumerate(bodies)]


def _files(when: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """Sections of a file besides the rules, with auto-reviews of both kinds."""
    review = st.fixed_dictionaries(
        {
            "when": when,
            "decide": st.sampled_from(["approve", "deny"]),
            "expires": st.sampled_from([date(2025, 12, 31), date.max, date.max]),
        },
        optional={"unless": when},
    )
    return st.fixed_dictionaries(
        {
            "auto_review": st.lists(review, max_size=3).map(reviewed),
            "defaults": st.fixed_dictionaries(
                {
                    "chain": st.sampled_from(["lead", "director"]),
                    "on_missing": st.sampled_from(["approval", "deny"]),
                }
            ),
            "permissions": st.sampled_from(
                [{"friend.add": {"allow": 2, "approval": 1}}, {"friend.add": {"approval": 1}}]
            ),
        }
    )


_bodies, _any_bodies = (st.lists(_rules(each), max_size=5) for each in (_when, _any_when))
_any_fact = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(), st.frozensets(st.text())
)
_fewer = st.fixed_dictionaries({}, optional={n: st.sampled_from(v) for n, v in _VALUES.items()})
_odd = st.dictionaries(st.sampled_from(sorted(_VALUES)), _any_fact, max_size=2)
_any_facts = st.tuples(_fewer, _odd).map(lambda found: {**found[0], **found[1]})
_full = st.fixed_dictionaries({n: st.sampled_from(v) for n, v in _VALUES.items()})
_cases = st.lists(st.one_of(_full, _fewer), min_size=5, max_size=10)
_grants = st.sampled_from([frozenset[str](), frozenset({"friend.add"})])
_GROUPS = [
    {"name": "rich", "when": RICH},
    {"name": "taken", "when": {"customer": {"owner_count": {"gte": 1}}}},
]


def numbered(bodies: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"say": f"say {i}", **a_rule(f"r{i}"), **body} for i, body in enumerate(bodies)]


def made_of(rules: list[dict[str, Any]], **sections: Any) -> policy.Policy:
    return a_policy(*rules, tier=TIERS, group=_GROUPS, **sections)


def one_less(facts: Facts) -> list[Facts]:
    return [{k: v for k, v in facts.items() if k != gone} for gone in facts]


def strictness(made: policy.Policy, facts: Facts, granted: frozenset[str]) -> tuple[int, int]:
    verdict = judged(made, facts, granted=granted)
    return int(verdict.outcome), made.strictness[verdict.chain] if verdict.chain else -1


@settings(max_examples=400, deadline=None)
@given(_any_bodies, _rules(_any_when), _files(_any_when), st.lists(_any_facts, max_size=5), _grants)
def test_adding_a_rule_never_loosens(
    bodies: list[dict[str, Any]],
    extra: dict[str, Any],
    rest: dict[str, Any],
    cases: list[Facts],
    granted: frozenset[str],
) -> None:
    """Whatever is known, missing or mistyped, whatever auto-reviews there are: no exception."""
    rules = numbered([*bodies, extra])
    fewer, more = made_of(rules[:-1], **rest), made_of(rules, **rest)
    for facts in cases:
        assert strictness(more, facts, granted) >= strictness(fewer, facts, granted)


@settings(max_examples=300, deadline=None)
@given(
    _any_bodies, st.randoms(use_true_random=False), _files(_any_when), st.lists(_any_facts), _grants
)
def test_the_order_of_rules_means_nothing(
    bodies: list[dict[str, Any]],
    dice: Any,
    rest: dict[str, Any],
    cases: list[Facts],
    granted: frozenset[str],
) -> None:
    rules = numbered(bodies)
    mixed = made_of(dice.sample(rules, len(rules)), **rest)
    made = made_of(rules, **rest)
    for facts in cases:
        one, other = (unordered(judged(each, facts, granted=granted)) for each in (made, mixed))
        assert one == other


def unordered(verdict: Verdict) -> Verdict:
    """Return a verdict without the order in which it lists rules, and without the file's hash."""
    return replace(
        verdict,
        rules=tuple(sorted(verdict.rules)),
        shadow_rules=tuple(sorted(verdict.shadow_rules)),
        say=tuple(sorted(verdict.say)),
        policy="",
    )


@settings(max_examples=300, deadline=None)
@given(_bodies, _cases)
def test_removing_facts_never_loosens_where_a_missing_fact_is_refused(
    bodies: list[dict[str, Any]], cases: list[Facts]
) -> None:
    made = made_of(numbered(bodies), defaults={"chain": "lead", "on_missing": "deny"})
    for facts in cases:
        outcome = judged(made, facts).outcome
        assert all(judged(made, fewer).outcome >= outcome for fewer in one_less(facts))


@settings(max_examples=300, deadline=None)
@given(_bodies, _files(_when), _cases, _grants)
def test_removing_facts_never_turns_anything_into_allow(
    bodies: list[dict[str, Any]],
    rest: dict[str, Any],
    cases: list[Facts],
    granted: frozenset[str],
) -> None:
    """But for `exists`, which is there to ask whether a fact is missing."""
    made = made_of(numbered(bodies), **rest)
    for facts in cases:
        if judged(made, facts, granted=granted).outcome is not ALLOW:
            less = (judged(made, fewer, granted=granted) for fewer in one_less(facts))
            assert all(verdict.outcome is not ALLOW for verdict in less)


@settings(max_examples=200, deadline=None)
@given(_any_bodies, _files(_any_when), _any_facts, st.datetimes())
def test_nothing_raises_and_the_trace_agrees_for_any_facts(
    bodies: list[dict[str, Any]], rest: dict[str, Any], facts: Facts, at: datetime
) -> None:
    moment = at.replace(year=max(2, min(at.year, 9998)), tzinfo=UTC)
    made = made_of(numbered(bodies), **rest)
    quick = judged(made, facts, at=moment)
    traced = judged(made, facts, at=moment, traced=True)
    assert replace(traced, trace=()) == quick
    told = {t.place: t.result for t in traced.trace if t.depth == 0}
    for rule in made.gates["friend.add"].rules if bodies else ():
        matched = rule.rule.id in (*quick.rules, *quick.shadow_rules)
        assert (told[f"rule.{rule.rule.id}"] is True) is matched
