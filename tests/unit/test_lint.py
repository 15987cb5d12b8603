"""What lint says of a file is true, and the usual slips are found."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.makers_policy import MORNING, a_policy, a_review, a_rule, a_rulebook
from workflows import policy
from workflows.attributes import GRANTS
from workflows.directory import Department, Directory, Member
from workflows.lint import lint
from workflows.mistakes import Mistake
from workflows.model import Facts, FactValue, Outcome
from workflows.policy import Policy, compile_policy, decide
from workflows.sections import Rulebook

TODAY = date(2026, 6, 1)
NIGHT = datetime(2026, 1, 7, 15, 0, tzinfo=UTC)
SAID = {"say": "no", "then": "deny"}


def found_in(made: Policy, **more: Any) -> list[tuple[str, str, Mapping[str, str]]]:
    """Return code, place and parameters; that no test reaches a rule is left out."""
    found = lint(made, TODAY, **more)
    return [(m.code, m.place, m.params) for m in found if m.code != "rule_untested"]


def codes(*rules: Mapping[str, Any], **more: Any) -> list[tuple[str, str]]:
    """Return code and item of everything found about rules that all have a `say`."""
    spoken = [{"say": "no", **rule} for rule in rules]
    found = lint(a_policy(*spoken, **more), TODAY)
    ours = ("rule", "tier", "group", "auto_review")
    about = [m for m in found if m.loc[0] in ours and m.code != "rule_untested"]
    return [(m.code, m.item) for m in about]


LEVEL_LOW = {"sender": {"level": {"lt": 2}}}
BUSY = {"today": {"adds": {"gte": 50}}}


# --- rules that never hold


@pytest.mark.parametrize(
    "when",
    [
        {"today": {"adds": {"gte": 50, "lt": 50}}},
        {"today": {"adds": {"gt": 5, "lt": 6}}},
        {"customer": {"x": {"deal_amount": {"eq": 3, "ne": 3}}}},
        {"customer": {"tags": {"all_of": ["a", "b"], "none_of": ["b", "c"]}}},
        {"customer": {"corp_name": {"eq": ["甲"], "contains_any": ["乙"]}}},
        {"customer": {"corp_name": {"starts_with": ["甲"], "ne": ["甲"], "eq": ["甲"]}}},
        {"contact": {"planned": {"exists": False}}, "any": [{"contact": {"planned": True}}]},
        {"any": [{"today": {"adds": {"lt": 1, "gt": 2}}}]},
    ],
)
def test_conditions_that_contradict_each_other_are_found(when: dict[str, Any]) -> None:
    assert codes(a_rule("no", when)) == [("never_holds", "no")]


@pytest.mark.parametrize(
    "when",
    [
        {"customer": {"x": {"deal_amount": {"gt": 5, "lt": 6}}}},
        {"customer": {"corp_name": {"starts_with": ["甲"], "contains_any": ["乙"]}}},
        {"customer": {"tags": {"any_of": ["a", "b"], "none_of": ["b"]}}},
        {"sender": {"userid": {"eq": ["LinMei"], "starts_with": ["lin"]}}},
        {"today": {"adds": {"exists": False}}},
    ],
)
def test_conditions_that_can_hold_are_left_alone(when: dict[str, Any]) -> None:
    columns = {"customer.x.deal_amount": {"type": "number"}}
    assert codes(a_rule("no", when), attributes=columns) == []


def test_a_rule_whose_unless_follows_from_its_when_never_applies() -> None:
    always = a_rule("no", {"today": {"adds": {"gte": 50}}}, unless={"today": {"adds": {"gt": 9}}})
    hours = a_rule("shut", {"during": "work_hours"}, unless={"during": "work_hours"})
    assert codes(always, hours) == [("always_cancelled", "no"), ("always_cancelled", "shut")]


# --- rules that change nothing


def test_a_stricter_rule_that_holds_wherever_another_does_is_named() -> None:
    wide = a_rule("wide", {"today": {"adds": {"gte": 40}}})
    narrow = a_rule("narrow", {"today": {"adds": {"gte": 50}}}, then="approval")
    found = found_in(a_policy({"say": "x", **wide}, {"say": "x", **narrow}))
    assert ("no_effect", "rule[narrow]", {"by": "wide"}) in found


def test_of_two_rules_that_say_the_same_the_later_one_is_told_of() -> None:
    assert codes(a_rule("a", BUSY), a_rule("b", BUSY)) == [("no_effect", "b")]


def test_a_rule_with_a_stricter_chain_is_no_stand_in_for_a_refusal_and_a_milder_not_for_it() -> (
    None
):
    mild = a_rule("mild", BUSY, then="approval", chain="lead")
    strict = a_rule("strict", {"today": {"adds": {"gte": 60}}}, then="approval", chain="director")
    assert codes(mild, strict) == []
    strict["when"] = {"today": {"adds": {"gte": 40}}}
    assert codes(mild, strict) == [("no_effect", "mild")]


def test_a_rule_is_not_needless_if_the_other_may_be_cancelled_where_it_holds() -> None:
    other = a_rule("other", BUSY, unless={"contact": {"way": ["referral"]}})
    rule = a_rule("rule", {"today": {"adds": {"gte": 60}}})
    assert codes(other, rule) == []
    rule["unless"] = {"contact": {"way": ["referral", "card"]}}
    assert codes(other, rule) == [("no_effect", "rule")]


def test_a_rule_that_needs_a_fact_which_may_be_missing_can_keep_an_auto_review_away() -> None:
    wide = a_rule("wide", BUSY, then="approval")
    narrow = a_rule("narrow", {**BUSY, "contact": {"half": True}}, then="approval")
    assert codes(wide, narrow) == [("no_effect", "narrow")]
    review = a_review("quick", BUSY)
    assert codes(wide, narrow, auto_review=[review]) == []


def test_a_refusal_on_missing_facts_is_compared_as_what_it_comes_to() -> None:
    ask = a_rule("ask", BUSY, then="approval", chain="director")
    refuse = a_rule("refuse", {"today": {"adds": {"gte": 40}}})
    # With today.adds unknown `refuse` comes to approval by the mild chain, `ask` to the strict one.
    assert codes(refuse, ask) == []
    strict = {"chain": "lead", "on_missing": "deny"}
    assert codes(refuse, ask, defaults=strict) == [("no_effect", "ask")]


def test_rules_that_read_different_hours_are_compared_too() -> None:
    hours = {"work_hours": {"hours": "09:00-19:00"}, "lunch": {"hours": "12:00-13:00"}}
    wide = a_rule("wide", {"any": [{"during": "lunch"}, BUSY]})
    late = a_rule("late", BUSY, unless={"during": "work_hours"})
    assert codes(wide, late, schedules=hours) == [("no_effect", "late")]
    but = {**wide, "unless": {"during": "lunch"}}
    assert codes(but, late, schedules=hours) == []


def test_every_action_of_a_rule_needs_a_stand_in() -> None:
    both = {"friend.add": {"allow": 2}, "customer.tag": {"allow": 2}}
    wide = a_rule("wide", BUSY)
    rule = a_rule("rule", BUSY, action=["friend.add", "customer.tag"], then="approval")
    assert codes(wide, rule, permissions=both) == []
    tag = a_rule("tag", BUSY, action="customer.tag")
    found = lint(a_policy(wide, rule, tag, permissions=both), TODAY)
    assert [m.params["by"] for m in found if m.code == "no_effect"] == ["tag, wide"]


def test_a_rule_on_what_nobody_may_do_changes_nothing() -> None:
    export = a_rule("export", BUSY, action="customer.export")
    assert codes(export) == [("no_effect_by_level", "export")]
    asked = {"customer.export": {"approval": 4}}
    same = a_rule("same", action="customer.export", then="approval")
    assert codes(same, permissions=asked) == [("no_effect_by_level", "same")]
    stricter = a_rule("same", action="customer.export", then="approval", chain="director")
    assert codes(stricter, permissions=asked) == []


def test_a_rule_for_low_levels_is_needed_because_of_grants() -> None:
    """A temporary grant lets a low level through the table, so the rule does matter."""
    assert codes(a_rule("low", {"sender": {"level": {"lt": 1}}})) == []


def test_shadow_rules_stand_in_for_nobody_and_need_no_words() -> None:
    shadow = {"id": "s", "action": ["friend.add"], "then": "deny", "mode": "shadow", "when": BUSY}
    enforced = {"id": "e", "action": ["friend.add"], "then": "deny", "when": BUSY}
    found = [(m.code, m.item) for m in lint(a_policy(shadow, enforced), TODAY)]
    assert ("no_effect", "s") in found
    assert ("rule_without_say", "e") in found
    assert not {("no_effect", "e"), ("rule_without_say", "s")} & set(found)


def test_more_worlds_than_can_be_looked_at_are_not_judged() -> None:
    tags = [{"customer": {"tags": {"any_of": [f"t{n}", f"u{n}"]}}} for n in range(20)]
    assert codes(a_rule("many", {"any": tags}), a_rule("more", {"any": tags})) == []


# --- tiers and groups

CATCH_ALL = {"name": "rest"}


def tiers(*whens: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [*({"name": f"t{n}", "when": dict(w)} for n, w in enumerate(whens)), CATCH_ALL]


def deal(**limits: int) -> dict[str, Any]:
    return {"customer": {"x": {"deal_amount": limits}}}


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (tiers(deal(gte=100), deal(gte=1000)), [("tier_hidden", "t1")]),
        (tiers(deal(gte=1000), deal(gte=100)), []),
        (tiers(deal(gte=100, lt=500), deal(gte=400, lt=900)), [("tiers_overlap", "t1")]),
        (tiers(deal(gte=100, lt=500), deal(gte=500, lt=900)), []),
        (tiers(deal(gte=100), {"customer": {"tags": ["a"]}}), []),
        (tiers(deal(gte=5, lt=5)), [("never_holds", "t0")]),
    ],
)
def test_tiers_that_hide_each_other_or_overlap_are_found(
    listed: list[dict[str, Any]], expected: list[tuple[str, str]]
) -> None:
    assert codes(tier=listed) == expected


def test_an_overlap_comes_with_an_example() -> None:
    made = a_policy(tier=tiers(deal(gte=100, lt=500), deal(gte=400, lt=900)))
    (overlap,) = (m for m in lint(made, TODAY) if m.code == "tiers_overlap")
    assert overlap.params["other"] == "t0"
    name, _, value = overlap.params["example"].partition(" = ")
    assert name == "customer.x.deal_amount"
    assert 400 <= int(value) < 500


def test_a_group_nobody_can_be_in_and_one_that_nothing_reads_are_found() -> None:
    groups = [
        {"name": "empty", "when": deal(gte=5, lt=5), "title": "x"},
        {"name": "lost", "when": deal(gte=5)},
        {"name": "shown", "when": deal(gte=6), "title": "shown on cards"},
        {"name": "read", "when": deal(gte=7)},
    ]
    rule = a_rule("no", {"customer": {"groups": ["read"]}})
    assert codes(rule, group=groups) == [("never_holds", "empty"), ("unused", "lost")]


# --- names, auto-reviews, tests


def test_what_nothing_uses_is_found() -> None:
    found = [(c, place) for c, place, _ in found_in(a_policy())]
    assert found == [
        ("unused", 'attributes."customer.x.deal_amount"'),
        ("unused", "chains.director"),
        ("unused", "schedules.work_hours"),
    ]


def test_what_only_a_text_a_clock_or_a_rule_that_is_off_uses_is_used() -> None:
    say = a_rule("say", BUSY, say="{customer.x.deal_amount}")
    off = a_rule("off", BUSY, then="approval", chain="director", mode="off")
    made = a_policy(
        say, off, chain_defaults={"strictness": ["lead", "director"], "clock": "work_hours"}
    )
    assert found_in(made) == []


def test_auto_reviews_that_expired_or_never_answered_are_found() -> None:
    old = a_review("old", BUSY, expires=date(2026, 5, 31))
    last_day = a_review("last", BUSY, expires=TODAY)
    never = a_review("never", {"today": {"adds": {"lt": 1, "gt": 1}}})
    made = a_policy(auto_review=[old, last_day, never])
    reviews = [(c, p) for c, p, _ in found_in(made) if p.startswith("auto_review")]
    assert reviews == [
        ("review_expired", "auto_review[old].expires"),
        ("never_holds", "auto_review[never].when"),
    ]
    hit = [(c, p) for c, p, _ in found_in(made, hits={"old": 3}) if p.startswith("auto_review")]
    assert ("review_never_hit", "auto_review[last]") in hit
    assert not any(c == "review_never_hit" for c, _, _ in found_in(made, hits={"last": 1}))


def test_a_rule_that_no_test_makes_hold_is_found() -> None:
    rules = [a_rule("tested", BUSY), a_rule("untested", BUSY), a_rule("off", BUSY, mode="off")]
    given_ = {"action": "friend.add", "sender": {"level": 2}, "today": {"adds": 50}}
    test = {"name": "busy", "given": given_, "expect": {"decision": "deny"}}
    other = a_rule("export", BUSY, action="customer.export")
    found = lint(a_policy(rules[0], other, rules[2], test=[test]), TODAY)
    assert [m.item for m in found if m.code == "rule_untested"] == ["export"]


def test_with_the_directory_selectors_that_mean_nobody_and_dead_ends_are_found() -> None:
    company = Directory.of(
        [Member("zhaomin", "赵敏", (1,), 1), Member("lin", "林", (2,), 2)],
        [Department(1, "C"), Department(2, "Shop", 1)],
    )
    permissions = {"friend.add": {"approval": 5}}
    found = found_in(a_policy(permissions=permissions), directory=company)
    assert ("names_nobody", "roles.seller.members[#1]", {"value": "department:Sales"}) in found
    dead = {"stage": "1", "who": "赵敏 (zhaomin)"}
    assert ("dead_end", "chains.lead.stages[#1]", dead) in found


# --- whatever it says is true

VALUES: dict[str, list[FactValue | None]] = {
    "sender.level": [None, 0, 2],
    "customer.tags": [None, frozenset(), frozenset({"a"}), frozenset({"b"}), frozenset({"a", "b"})],
    "customer.corp_name": [None, "甲公司", "甲", "乙甲"],
    "customer.x.deal_amount": [None, 0, 5, 9],
    "today.adds": [None, 49, 50, 51],
}
LEAVES: list[dict[str, Any]] = [
    {"sender": {"level": {"lt": 2}}},
    {"sender": {"level": {"lt": 3}}},
    {"customer": {"tags": ["a"]}},
    {"customer": {"tags": ["a", "b"]}},
    {"customer": {"tags": {"all_of": ["a", "b"]}}},
    {"customer": {"tags": {"none_of": ["a"]}}},
    {"customer": {"corp_name": {"contains_any": ["甲"]}}},
    {"customer": {"corp_name": {"starts_with": ["甲公"]}}},
    {"customer": {"corp_name": ["甲公司", "甲"]}},
    {"customer": {"corp_name": {"ne": ["甲"]}}},
    {"customer": {"x": {"deal_amount": {"gte": 5}}}},
    {"customer": {"x": {"deal_amount": {"exists": False}}}},
    {"customer": {"tier": "vip"}},
    {"customer": {"tier": ["vip", "rest"]}},
    {"customer": {"tier": {"contains_any": ["IP", "mid"]}}},
    {"customer": {"groups": ["rich"]}},
    {"customer": {"groups": ["rich", "tagged"]}},
    {"customer": {"groups": {"none_of": ["tagged"]}}},
    {"customer": {"groups": {"all_of": ["rich", "tagged"]}}},
    {"today": {"adds": {"gte": 50}}},
    {"today": {"adds": {"gt": 50}}},
    {"today": {"adds": {"lte": 50}}},
    {"today": {"adds": 51}},
    {"during": "work_hours"},
]
_table = st.lists(st.sampled_from(LEAVES), min_size=1, max_size=2).map(
    lambda chosen: {k: v for leaf in chosen for k, v in leaf.items()}
)
_when = st.one_of(
    _table, _table, st.lists(_table, min_size=1, max_size=2).map(lambda t: {"any": t})
)
_optional = st.one_of(st.none(), st.none(), _when)
_RULE = st.fixed_dictionaries(
    {"when": _optional, "unless": _optional},
    optional={"mode": st.sampled_from(["enforce", "shadow"])},
)
_SAYS = st.sampled_from([("deny", None), ("approval", None), ("approval", "director")])


@st.composite
def books(draw: st.DrawFn) -> dict[str, Any]:
    """Return the sections of a small file whose rules are likely to stand in each other's way."""
    rules = []
    for number, (then, chain) in enumerate(draw(st.lists(_SAYS, min_size=1, max_size=3))):
        parts: dict[str, Any] = {k: v for k, v in draw(_RULE).items() if v is not None}
        rules.append(a_rule(f"r{number}", **parts, then=then, chain=chain))
    reviews = [
        a_review(f"quick-{decide}", draw(_when), decide=decide)
        for decide in ("approve", "deny")
        if draw(st.booleans())
    ]
    lists = draw(st.lists(_pure, max_size=2))
    return {
        "rule": rules,
        "auto_review": reviews,
        "tier": [{"name": n, "when": w} for n, w in zip(("vip", "mid"), lists, strict=False)]
        + [{"name": "rest"}]
        if len(lists)
        else [{"name": "vip", "when": deal(gte=5)}, CATCH_ALL],
        "group": [
            {"name": "rich", "when": deal(gte=9)},
            {"name": "tagged", "when": {"customer": {"tags": ["a"]}}},
        ],
        "permissions": {"friend.add": draw(st.sampled_from(PERMISSIONS))},
        "defaults": {"chain": "lead", "on_missing": draw(st.sampled_from(["approval", "deny"]))},
    }


_pure = _table.filter(
    lambda t: not {"tier", "groups"} & set(t.get("customer", {})) and "during" not in t
)
PERMISSIONS = [{"allow": 2, "approval": 1}, {"allow": 1}, {"approval": 2}]


def everything() -> Iterator[tuple[Facts, datetime, frozenset[str]]]:
    """Every combination of facts, hours and grants."""
    for values in itertools.product(*VALUES.values()):
        facts = {n: v for n, v in zip(VALUES, values, strict=True) if v is not None}
        yield facts, MORNING, frozenset()
        yield facts, NIGHT, frozenset({"friend.add"})


EVERYTHING = list(everything())


def without_rule(book: Rulebook, rule_id: str) -> Policy:
    kept = tuple(rule for rule in book.rule if rule.id != rule_id)
    return compile_policy(book.model_copy(update={"rule": kept}))


def outcomes(made: Policy) -> Iterator[tuple[Outcome, str | None, str | None, Outcome | None]]:
    for facts, at, granted in EVERYTHING:
        verdict = decide(made, {**facts, GRANTS: granted}, "friend.add", at)
        shadow = verdict.outcome if verdict.shadow is None else verdict.shadow
        yield verdict.outcome, verdict.chain, verdict.auto_review, shadow


def rules_that_held(made: Policy) -> set[str]:
    verdicts = (decide(made, {**f, GRANTS: g}, "friend.add", at) for f, at, g in EVERYTHING)
    return {rule for v in verdicts for rule in (*v.rules, *v.shadow_rules)}


def tiers_that_were_given(made: Policy) -> set[str | None]:
    return {policy.classify(made, facts, at)[0] for facts, at, _ in EVERYTHING}


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(books())
def test_whatever_is_said_to_change_nothing_changes_nothing(sections: dict[str, Any]) -> None:
    """Every fact known and unknown, every hour, with and without grants, by brute force."""
    book = a_rulebook(**sections)
    made = compile_policy(book)
    found = lint(made, TODAY)
    for each in needless(found):
        fewer = without_rule(book, each.item)
        assert list(outcomes(made)) == list(outcomes(fewer)), each
    never = {m.item for m in found if m.code in ("never_holds", "always_cancelled")}
    if never:
        assert not never & rules_that_held(made)
        assert not never & tiers_that_were_given(made)
    hidden = {m.item for m in found if m.code == "tier_hidden"}
    assert not hidden & (tiers_that_were_given(made) if hidden else set())


def needless(found: Iterable[Mistake]) -> list[Mistake]:
    return [m for m in found if m.code in ("no_effect", "no_effect_by_level")]


def test_the_brute_force_sees_a_rule_that_matters() -> None:
    book = a_rulebook(rule=[a_rule("a", BUSY), a_rule("b", LEVEL_LOW, then="approval")])
    made = compile_policy(book)
    for rule in ("a", "b"):
        assert list(outcomes(made)) != list(outcomes(without_rule(book, rule)))
    assert Counter(rules_that_held(made)) == Counter({"a", "b"})
