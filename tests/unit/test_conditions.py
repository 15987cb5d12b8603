"""Conditions are read into typed trees, and their fast form agrees with the slow one."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.attributes import Kind, registry
from workflows.conditions import All, Known, Leaf, Operator, Reading, leaves
from workflows.evaluation import UNSURE_GROUPS, Reads, View, compiled, view_of
from workflows.examining import Examiner, lacking
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
    fast, slow = compiled(condition)(view), Examiner(view, facts).examine(condition, 0).result
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


@pytest.mark.parametrize(
    "condition",
    [
        lambda n: {"customer": {"tags": {"any_of": [f"tag{n}"]}}},
        lambda n: {"customer": {"tags": {"all_of": ["common", f"tag{n}"]}}},
        lambda n: {"customer": {"corp_name": {"contains_any": [f"No {n} Co", f"<{n}>"]}}},
        lambda n: {"customer": {"corp_name": {"starts_with": [f"The No {n} Co"]}}},
        lambda n: {"customer": {"x": {"deal": {"gte": n, "lt": n + 1}}}},
        lambda n: {"customer": {"x": {"deal": {"gte": n}}}, "sender": {"userid": f"u{n}"}},
        lambda n: {"any": [{"sender": {"userid": f"u{n}"}}, {"customer": {"tags": [f"t{n}"]}}]},
        lambda n: {"any": [{"customer": {"x": {"deal": n}}}], "customer": {"tags": ["common"]}},
        lambda n: {"sender": {"level": {"lt": 9}, "userid": [f"u{n}", f"v{n}"]}},
    ],
)
def test_of_a_thousand_conditions_on_the_same_attributes_only_a_few_are_handed_out(
    condition: Callable[[int], dict[str, Any]],
) -> None:
    conditions = [read(condition(n))[0] for n in range(1000)]
    facts: Facts = {
        "customer.tags": frozenset({"common", "tag7"}),
        "customer.corp_name": "The No 7 Company",
        "customer.x.deal": 7,
        "sender.userid": "u7",
        "sender.level": 2,
    }
    found = Guards.of(conditions).possible(view_of(facts, Reads.of(conditions), lambda _: True))
    assert 7 in found
    assert len(found) <= 3


@pytest.mark.parametrize("text", ["ab", "abzz", "zzab", "zabz", "abcab", "b", "zz", ""])
@pytest.mark.parametrize("length", [1, 2, 3])
def test_of_many_words_those_in_a_text_are_found_wherever_they_stand(
    text: str, length: int
) -> None:
    words = ["".join(letters) for letters in itertools.product("abcdefghij", repeat=length)]
    raws: list[Any] = [{"customer.corp_name": {"contains_any": [word]}} for word in words]
    conditions = [read(raw)[0] for raw in raws]
    view = view_of({"customer.corp_name": text}, Reads.of(conditions), lambda _: True)
    expected = [number for number, word in enumerate(words) if word in text]
    assert Guards.of(conditions).possible(view) == expected


# --- for any conditions and any facts

_words = st.lists(st.text("abc\uff42", min_size=1, max_size=3), min_size=1, max_size=3)
_numbers = st.integers(0, 9)
_leaf: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(
        lambda op, n: {"customer.x.deal": {op: n}},
        st.sampled_from(["eq", "ne", "lt", "lte", "gt", "gte"]),
        _numbers,
    ),
    st.builds(lambda a, b: {"today.adds": {"gte": a, "lt": b}}, _numbers, _numbers),
    st.builds(lambda a, b: {"today.adds": {"gt": a, "lte": b}}, _numbers, _numbers),
    st.builds(
        lambda op, v: {"customer.tags": {op: v}},
        st.sampled_from(["any_of", "all_of", "none_of"]),
        _words,
    ),
    st.builds(
        lambda op, v: {"customer.corp_name": {op: v}},
        st.sampled_from(["eq", "ne", "contains_any", "starts_with"]),
        _words,
    ),
    st.builds(
        lambda op: {"customer.groups": {op: ["signed"]}},
        st.sampled_from(["any_of", "all_of", "none_of"]),
    ),
    st.just({"during": "work_hours"}),
)
_table = st.lists(_leaf, min_size=1, max_size=3).map(
    lambda found: {k: v for leaf in found for k, v in leaf.items()}
)
_nested: st.SearchStrategy[dict[str, Any]] = st.recursive(
    _table,
    lambda inner: st.builds(
        lambda table, branches: {**table, "any": branches},
        st.just({}) | _table,
        st.lists(inner, min_size=1, max_size=3),
    ),
    max_leaves=4,
)
_VALUES: dict[str, st.SearchStrategy[Any]] = {
    "customer.x.deal": st.integers(-1, 10),
    "today.adds": st.integers(-1, 10),
    "customer.tags": st.frozensets(st.text("abc", min_size=1, max_size=2), max_size=4),
    "customer.corp_name": st.text("abcz", max_size=6),
}
_some_facts = st.fixed_dictionaries({}, optional=_VALUES)
_groups = st.sampled_from([(), ("sure",), ("unsure",), ("sure", "unsure"), None])


def a_view(facts: Facts, conditions: list[All], signed: tuple[str, ...] | None) -> View:
    """Return a view in which the group "signed" holds, may hold, does not, or is not known."""
    view = view_of(facts, Reads.of(conditions), lambda _: True)
    if signed is not None:
        view["customer.groups"] = frozenset({"signed"} if "sure" in signed else ())
        view[UNSURE_GROUPS] = frozenset({"signed"} if signed == ("unsure",) else ())
    return view


@settings(max_examples=300, deadline=None)
@given(st.lists(_nested, min_size=1, max_size=30), st.lists(_some_facts, max_size=5), _groups)
def test_guards_never_keep_back_a_condition_that_may_hold(
    raws: list[dict[str, Any]], cases: list[Facts], signed: tuple[str, ...] | None
) -> None:
    conditions = [read(raw)[0] for raw in raws]
    guards, tests = Guards.of(conditions), [compiled(each) for each in conditions]
    for facts in cases:
        view = a_view(facts, conditions, signed)
        may_hold = {number for number, test in enumerate(tests) if test(view) is not False}
        assert may_hold <= set(guards.possible(view))


@settings(max_examples=300, deadline=None)
@given(_nested, _some_facts, st.fixed_dictionaries(_VALUES))
def test_the_facts_that_a_condition_lacks_are_those_that_decide_it(
    raw: dict[str, Any], facts: dict[str, Any], known: dict[str, Any]
) -> None:
    condition, test = read(raw)[0], compiled(read(raw)[0])
    view = a_view(facts, [condition], ())
    if test(view) is None:
        lacked = lacking(condition, view, {})
        assert lacked
        assert not lacked & facts.keys()
        more = {name: known[name] for name in lacked}
        assert test(a_view({**facts, **more}, [condition], ())) is not None
