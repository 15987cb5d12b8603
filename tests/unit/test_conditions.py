"""Conditions are read into typed trees, and their fast form agrees with the slow one."""

from __future__ import annotations

from typing import Any

import pytest

from workflows.attributes import Kind, registry
from workflows.conditions import All, Known, Leaf, Operator, Reading, leaves
from workflows.evaluation import Examiner, Reads, compiled, view_of
from workflows.guards import Guards
from workflows.model import Facts

KNOWN = Known(
    registry(
        {
            "customer.x.deal": (Kind.INT, ""),
            "customer.x.score": (Kind.NUMBER, ""),
            "customer.x.since": (Kind.DATE, ""),
        }
    ),
    schedules=frozenset({"work_hours"}),
    tiers=frozenset({"vip"}),
    groups=frozenset({"signed"}),
    roles=frozenset({"seller"}),
)


def read(raw: dict[str, Any]) -> tuple[All, list[tuple[str, str, str]]]:
    reading = Reading(KNOWN, "r")
    condition = reading.read(raw, ("rule", 0, "when"))
    return condition, [(m.place, m.code, m.suggestion) for m in reading.mistakes]


def holds(raw: dict[str, Any], facts: Facts) -> bool | None:
    """What a condition comes to, in both forms; it must be readable."""
    condition, wrong = read(raw)
    assert not wrong
    view = view_of(facts, Reads.of([condition]), lambda _: True)
    fast, slow = compiled(condition)(view), Examiner(view, facts, {}).examine(condition, 0).result
    assert fast is slow
    if fast is not False:
        assert Guards.of([condition]).possible(view) == [0]
    return fast


def test_nested_quoted_and_dotted_keys_mean_the_same() -> None:
    spellings: list[dict[str, Any]] = [
        {"customer": {"x": {"deal": {"gte": 5}}}},
        {"customer.x.deal": {"gte": 5}},
        {"customer": {"x.deal": {"gte": 5}}},
    ]
    for raw in spellings:
        (leaf,) = leaves(read(raw)[0])
        assert isinstance(leaf, Leaf)
        assert (leaf.attribute.name, leaf.operator) == ("customer.x.deal", Operator.GTE)
        assert leaf.values == (5,)


@pytest.mark.parametrize(
    ("raw", "value", "expected"),
    [
        ({"today": {"adds": 3}}, 3, True),
        ({"today": {"adds": {"ne": 3}}}, 3, False),
        ({"today": {"adds": {"lt": 3}}}, 3, False),
        ({"today": {"adds": {"lte": 3}}}, 3, True),
        ({"today": {"adds": {"gt": 3}}}, 3, False),
        ({"today": {"adds": {"gte": 3}}}, 3, True),
        ({"today": {"adds": {"gte": 3}}}, True, None),  # a truth value is no number
        ({"customer": {"x": {"score": {"gt": 1}}}}, 1.5, True),
        ({"customer": {"x": {"score": {"gt": 1}}}}, float("nan"), None),
        ({"customer": {"x": {"since": {"lt": "2026-01-02"}}}}, "2026-01-01T23:00:00", True),
        ({"customer": {"x": {"since": {"lt": "2026-01-02"}}}}, "soon", None),
        ({"customer": {"tags": ["a", "b"]}}, frozenset({"b"}), True),
        ({"customer": {"tags": {"all_of": ["a", "b"]}}}, frozenset({"b"}), False),
        ({"customer": {"tags": {"none_of": ["a"]}}}, frozenset({"b"}), True),
        ({"customer": {"tags": ["a"]}}, "a", None),
        ({"customer": {"corp_name": {"contains_any": ["acme"]}}}, "The ＡＣＭＥ Group", True),  # noqa: RUF001
        ({"customer": {"corp_name": {"starts_with": ["acme"]}}}, "The ACME Group", False),
        ({"customer": {"corp_name": "acme"}}, "ACME", False),
        ({"sender": {"userid": ["LinMei"]}}, "linmei", True),
        ({"sender": {"userid": {"ne": "LinMei"}}}, "linmei", False),
        ({"customer": {"owners": ["WangFang"]}}, frozenset({"wangfang"}), True),
        ({"contact": {"planned": True}}, True, True),
        ({"contact": {"planned": True}}, 1, None),
        ({"customer": {"tier": {"exists": True}}}, "vip", True),
    ],
)
def test_operators(raw: dict[str, Any], value: Any, expected: bool | None) -> None:
    (leaf,) = leaves(read(raw)[0])
    assert isinstance(leaf, Leaf)
    assert holds(raw, {leaf.attribute.name: value}) is expected
    if leaf.operator is not Operator.EXISTS:
        assert holds(raw, {}) is None


@pytest.mark.parametrize(
    ("adds", "deal", "both", "either"),
    [
        (True, None, None, True),
        (False, None, False, None),
        (None, None, None, None),
        (True, False, False, True),
    ],
)
def test_and_and_or_follow_kleene(
    adds: bool | None, deal: bool | None, both: bool | None, either: bool | None
) -> None:
    left: dict[str, Any] = {"today": {"adds": 1}}
    right: dict[str, Any] = {"customer": {"x": {"deal": 1}}}
    given = {"today.adds": adds, "customer.x.deal": deal}
    facts = {name: int(value) for name, value in given.items() if value is not None}
    assert holds({**left, **right}, facts) is both
    assert holds({"any": [left, right]}, facts) is either


@pytest.mark.parametrize(
    ("raw", "place", "code", "suggestion"),
    [
        ({"customer": {"teir": "vip"}}, "customer.teir", "unknown_attribute", "customer.tier"),
        (
            {"customer": {"x": {"dael": {"gte": 1}}}},
            "customer.x.dael",
            "unknown_attribute",
            "customer.x.deal",
        ),
        ({"custmer": {"tier": "vip"}}, "custmer.tier", "unknown_attribute", "customer.tier"),
        ({"customer": "vip"}, "customer", "unknown_attribute", ""),
        ({"today": {"adds": {"gtee": 5}}}, "today.adds.gtee", "unknown_operator", "gte"),
        ({"today": {"adds": {"any_of": [5]}}}, "today.adds.any_of", "wrong_operator", ""),
        ({"customer": {"tier": {"gte": "a"}}}, "customer.tier.gte", "wrong_operator", ""),
        ({"today": {"adds": {"gte": "50"}}}, "today.adds.gte", "wrong_value", ""),
        ({"today": {"adds": {"gte": True}}}, "today.adds.gte", "wrong_value", ""),
        ({"today": {"adds": {"gte": [1, 2]}}}, "today.adds.gte", "wrong_value", ""),
        ({"customer": {"tags": [1]}}, "customer.tags", "wrong_value", ""),
        ({"customer": {"tags": {"exists": "yes"}}}, "customer.tags.exists", "wrong_value", ""),
        ({"customer": {"x": {"since": {"lt": "soon"}}}}, "customer.x.since.lt", "wrong_value", ""),
        ({"customer": {"tags": []}}, "customer.tags", "empty", ""),
        ({"customer": {"tags": {}}}, "customer.tags", "empty", ""),
        (
            {"customer": {"corp_name": {"contains_any": [""]}}},
            "customer.corp_name.contains_any",
            "empty",
            "",
        ),
        ({"customer": {"tier": ["vipp"]}}, "customer.tier", "unknown_tier", "vip"),
        ({"customer": {"groups": ["sined"]}}, "customer.groups", "unknown_group", "signed"),
        ({"sender": {"roles": ["sellr"]}}, "sender.roles", "unknown_role", "seller"),
        ({"contact": {"way": ["referal"]}}, "contact.way", "unknown_word", "referral"),
        ({"during": "work_hour"}, "during", "unknown_schedule", "work_hours"),
        ({"during": ["work_hours"]}, "during", "wrong_type", ""),
        ({"any": {"today": {"adds": 1}}}, "any", "wrong_type", ""),
        ({"any": []}, "any", "wrong_type", ""),
        ({"any": [{"today": {"ads": 1}}]}, "any[#1].today.ads", "unknown_attribute", "today.adds"),
    ],
)
def test_what_cannot_be_read_is_told_with_place_and_suggestion(
    raw: dict[str, Any], place: str, code: str, suggestion: str
) -> None:
    assert read(raw)[1] == [(f"rule[r].when.{place}", code, suggestion)]


def test_an_empty_condition_is_a_mistake() -> None:
    assert read({})[1] == [("rule[r].when", "empty", "")]


def test_any_inside_any_has_an_end() -> None:
    raw: dict[str, Any] = {"today": {"adds": 1}}
    for _ in range(12):
        raw = {"any": [raw]}
    assert [code for _, code, _ in read(raw)[1]] == ["too_deep"]


def test_guards_hand_out_every_condition_that_may_hold() -> None:
    raws: list[dict[str, Any]] = [
        {"today": {"adds": {"gte": 10}}},
        {"today": {"adds": {"gte": 3}}},
        {"today": {"adds": {"lt": 3}}},
        {"contact": {"way": ["qr", "card"]}},
        {"customer": {"tags": ["a"]}},
        {"during": "work_hours"},
    ]
    conditions = [read(raw)[0] for raw in raws]
    guards, reads = Guards.of(conditions), Reads.of(conditions)
    facts: Facts = {"today.adds": 3, "contact.way": "card", "customer.tags": frozenset({"b"})}
    assert guards.possible(view_of(facts, reads, lambda _: True)) == [1, 3, 5]
    assert guards.possible(view_of({}, reads, lambda _: True)) == [0, 1, 2, 3, 4, 5]
