"""The nearest change that would have allowed something, checked by trying everything."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests import makers_differences as random_policies
from tests.makers_policy import FACTS, MORNING, a_policy, a_review, a_rule, without
from workflows.alternatives import How, Need
from workflows.conditions import Leaf, fold, leaves
from workflows.gates import Class
from workflows.model import Facts, FactValue, Outcome
from workflows.nearest import Change, Nearest, nearest
from workflows.policy import Policy, decide

ADD = "friend.add"
NIGHT = datetime(2026, 1, 7, 14, 0, tzinfo=UTC)  # 22:00 in Shanghai
NEXT_MORNING = datetime(2026, 1, 8, 1, 0, tzinfo=UTC)
TIERS = ("one", "two", "rest")
GROUPS = tuple(frozenset(g) for g in ((), ("left",), ("right",), ("left", "right")))
ROLE_LEVELS = (2, 5)  # those of the roles of the policies made here

One = tuple[str, FactValue | datetime]


def found(policy: Policy, facts: Facts, at: datetime = MORNING, **more: int) -> Nearest:
    return nearest(policy, facts, ADD, at, **more)


def told(said: Nearest) -> list[tuple[str, tuple[Need, ...]]]:
    """Return the names of what would be different, and how."""
    names = [change.attribute.name if change.attribute else "time" for change in said.changes]
    return list(zip(names, (change.needs for change in said.changes), strict=True))


def outcome(policy: Policy, facts: Facts, at: datetime, changes: tuple[One, ...]) -> Outcome:
    for name, value in changes:
        if isinstance(value, datetime):
            at = value
        else:
            facts = {**facts, name: value}
    return decide(policy, facts, ADD, at).outcome


def applied(change: Change) -> One:
    return (change.attribute.name if change.attribute else "time"), change.value


# --- what is found, and how it is said


def test_what_is_allowed_needs_no_change() -> None:
    assert found(a_policy(), FACTS) == Nearest(Outcome.ALLOW)


def test_a_count_names_the_limit_it_must_stay_below() -> None:
    policy = a_policy(a_rule("cap", {"today": {"adds": {"gte": 50}}}))

    said = found(policy, {**FACTS, "today.adds": 57})

    assert said.outcome is Outcome.ALLOW
    assert told(said) == [("today.adds", (Need(How.BELOW, (50,)),))]
    assert said.changes[0].before == 57
    assert said.changes[0].value == 49


def test_a_permission_that_the_level_does_not_give_could_be_lent() -> None:
    policy = a_policy(permissions={ADD: {"allow": 3, "approval": 1}})

    assert told(found(policy, FACTS)) == [("sender.grants", (Need(How.HAS, (ADD,)),))]


def test_a_level_is_one_that_a_role_gives() -> None:
    policy = a_policy(a_rule("juniors", {"sender": {"level": {"lt": 3}}}))

    said = found(policy, FACTS)

    assert told(said) == [("sender.level", (Need(How.AT_LEAST, (5,)),))]


def test_a_schedule_is_named_with_the_next_moment_it_is_open() -> None:
    policy = a_policy(a_rule("night", unless={"during": "work_hours"}))

    said = found(policy, FACTS, NIGHT)

    assert told(said) == [("time", (Need(How.OPEN, ("work_hours",)),))]
    assert said.changes[0].value == NEXT_MORNING


def test_a_tier_is_named_as_the_rule_names_it() -> None:
    tiers = [
        {"name": "vip", "when": {"customer": {"tags": {"any_of": ["VIP"]}}}},
        {"name": "normal"},
    ]
    policy = a_policy(a_rule("vips", {"customer": {"tier": "vip"}}), tier=tiers)

    said = found(policy, {**FACTS, "customer.tags": frozenset({"VIP"})})

    assert told(said) == [("customer.tier", (Need(How.IS, ("normal",)),))]
    assert said.changes[0].before == "vip"


def test_a_tier_is_not_changed_together_with_what_makes_it() -> None:
    deal = {f"{n}": {"customer": {"x": {"deal_amount": {"gte": n}}}} for n in (100, 1000)}
    tiers = [
        {"name": "svip", "when": deal["1000"]},
        {"name": "vip", "when": deal["100"]},
        {"name": "normal"},
    ]
    policy = a_policy(
        a_rule("rich", deal["100"]),
        a_rule("only-vips", unless={"customer": {"tier": "vip"}}),
        tier=tiers,
    )

    assert found(policy, {**FACTS, "customer.x.deal_amount": 2000}) == Nearest(Outcome.DENY)


def test_a_set_keeps_what_is_not_in_the_way() -> None:
    policy = a_policy(a_rule("vips", {"customer": {"tags": {"any_of": ["VIP", "SVIP", "旧"]}}}))

    said = found(policy, {**FACTS, "customer.tags": frozenset({"VIP", "旧", "北京"})})

    assert told(said) == [("customer.tags", (Need(How.LACKS, ("VIP", "旧")),))]
    assert said.changes[0].value == frozenset({"北京"})


def test_a_text_says_the_word_that_is_in_the_way() -> None:
    when = {"customer": {"corp_name": {"contains_any": ["竞品甲", "竞品乙"]}}}
    policy = a_policy(a_rule("competitor", when))

    said = found(policy, {**FACTS, "customer.corp_name": "竞品甲（上海）"})

    assert told(said) == [("customer.corp_name", (Need(How.CONTAINS_NOT, ("竞品甲",)),))]


def test_of_closed_words_the_fewer_are_named() -> None:
    only = a_policy(a_rule("no-strangers", unless={"contact": {"way": ["card", "phone"]}}))
    never = a_policy(a_rule("no-codes", {"contact": {"way": ["qr"]}}))

    assert told(found(only, FACTS)) == [("contact.way", (Need(How.IS, ("phone", "card")),))]
    assert told(found(never, FACTS)) == [("contact.way", (Need(How.IS_NOT, ("qr",)),))]


def test_a_missing_fact_would_have_to_be_known() -> None:
    policy = a_policy(a_rule("rich", {"customer": {"x": {"deal_amount": {"gte": 100}}}}))

    said = found(policy, without("customer.x.deal_amount"))

    assert told(said) == [("customer.x.deal_amount", (Need(How.BELOW, (100,)),))]
    assert said.changes[0].before is None


def test_numbers_with_fractions_end_at_the_mark_itself() -> None:
    columns: dict[str, Any] = {"attributes": {"customer.x.deal_amount": {"type": "number"}}}
    below, above = ({"customer": {"x": {"deal_amount": {op: 0.5}}}} for op in ("lt", "gt"))
    facts = {**FACTS, "customer.x.deal_amount": 0.25}

    said = found(a_policy(a_rule("small", below), **columns), facts)
    assert told(said) == [("customer.x.deal_amount", (Need(How.AT_LEAST, (0.5,)),))]
    said = found(
        a_policy(a_rule("large", above), **columns), {**facts, "customer.x.deal_amount": 7}
    )
    assert told(said) == [("customer.x.deal_amount", (Need(How.AT_MOST, (0.5,)),))]


def test_two_changes_are_named_where_one_is_not_enough() -> None:
    policy = a_policy(
        a_rule("cap", {"today": {"adds": {"gte": 50}}}),
        a_rule("night", unless={"during": "work_hours"}),
    )

    said = found(policy, {**FACTS, "today.adds": 50}, NIGHT)

    assert sorted(name for name, _ in told(said)) == ["time", "today.adds"]


def test_where_nothing_allows_a_denied_person_hears_what_could_be_approved() -> None:
    policy = a_policy(
        a_rule("always", then="approval"), a_rule("cap", {"today": {"adds": {"gte": 50}}})
    )

    said = found(policy, {**FACTS, "today.adds": 50})

    assert said.outcome is Outcome.APPROVAL
    assert [name for name, _ in told(said)] == ["today.adds"]


def test_where_nothing_helps_that_is_said() -> None:
    assert found(a_policy(a_rule("never")), FACTS) == Nearest(Outcome.DENY)


def test_an_auto_review_that_would_answer_is_found() -> None:
    policy = a_policy(
        a_rule("always", then="approval"),
        auto_review=[a_review("warm", {"contact": {"way": ["referral"]}})],
    )

    assert told(found(policy, FACTS)) == [("contact.way", (Need(How.IS, ("referral",)),))]


def test_what_a_person_can_wait_for_comes_before_the_level_and_the_customer() -> None:
    anyone = [
        {"today": {"adds": {"gte": 3}}, "sender": {"level": {"lt": 5}}, "customer": {"tags": ["a"]}}
    ]
    policy = a_policy(a_rule("three-ways", {"any": anyone}))
    facts = {**FACTS, "customer.tags": frozenset({"a"})}

    assert [name for name, _ in told(found(policy, facts))] == ["today.adds"]


def test_a_value_that_awakens_another_rule_is_not_near_enough() -> None:
    busy = [{"eq": n} for n in range(45, 50)]
    policy = a_policy(
        a_rule("cap", {"today": {"adds": {"gte": 50}}}),
        a_rule("busy", {"any": [{"today": {"adds": each}} for each in busy]}),
    )

    said = found(policy, {**FACTS, "today.adds": 57})

    assert told(said) == [("today.adds", (Need(How.BELOW, (45,)),))]


def test_the_first_of_two_changes_goes_as_far_as_the_second_needs_it() -> None:
    policy = a_policy(
        a_rule("cap", {"today": {"adds": {"gte": 50}}}),
        a_rule(
            "busy-week", {"today": {"adds": {"gte": 30, "lt": 50}}, "week": {"adds": {"gte": 5}}}
        ),
        a_rule("night", unless={"during": "work_hours"}),
    )

    said = found(policy, {**FACTS, "today.adds": 57, "week.adds": 90}, NIGHT)

    assert sorted(told(said)) == [
        ("time", (Need(How.OPEN, ("work_hours",)),)),
        ("today.adds", (Need(How.BELOW, (30,)),)),
    ]


def test_a_refusing_review_ends_with_its_last_day() -> None:
    review = a_review("no-codes", {"contact": {"way": ["qr", "card"]}}, decide="deny")
    policy = a_policy(
        a_rule("always", then="approval"),
        a_rule("cap", {"today": {"adds": {"gte": 50}}}),
        auto_review=[{**review, "expires": date(2026, 1, 9)}],
    )

    said = found(policy, FACTS)

    assert said.outcome is Outcome.APPROVAL
    assert said.changes == (Change(None, None, datetime(2026, 1, 9, 16, 0, tzinfo=UTC)),)


def test_of_two_pairs_the_one_whose_harder_part_is_easier_is_named() -> None:
    unsigned = {"claim": {"signed": False}}
    scanned = {"any": [unsigned, {"contact": {"way": "qr"}}]}
    policy = a_policy(
        a_rule("busy-or-unsigned", {**unsigned, "today": {"adds": {"gte": 3}}}),
        a_rule("tagged", {**scanned, "customer": {"tags": ["a"]}}),
    )
    facts = {**FACTS, "claim.signed": False, "customer.tags": frozenset({"a"})}

    names = sorted(name for name, _ in told(found(policy, facts)))
    assert names == ["claim.signed", "contact.way"], "not today.adds with customer.tags"


def test_what_is_said_of_two_changes_holds_for_every_pair_of_values() -> None:
    both = {"today": {"adds": {"gte": 30}}, "week": {"adds": {"gte": 60}}}
    policy = a_policy(
        a_rule("day", {"today": {"adds": {"gte": 50}}}),
        a_rule("week", {"week": {"adds": {"gte": 100}}}),
        a_rule("both", both),
    )

    said = found(policy, {**FACTS, "today.adds": 80, "week.adds": 101})

    assert told(said) == [
        ("today.adds", (Need(How.BELOW, (50,)),)),
        ("week.adds", (Need(How.BELOW, (60,)),)),
    ]


def test_nobody_is_told_to_be_somebody_else() -> None:
    policy = a_policy(
        a_rule("not-linmei", {"sender": {"userid": "linmei"}}),
        a_rule("not-nobody", {"customer": {"name": {"starts_with": ["甲"]}}}),
    )
    facts = {**FACTS, "customer.name": "甲"}

    assert found(policy, facts) == Nearest(Outcome.DENY)


def test_a_permission_that_is_lent_already_is_not_asked_for_again() -> None:
    policy = a_policy(
        a_rule("cap", {"today": {"adds": {"gte": 50}}}), permissions={ADD: {"allow": 5}}
    )
    facts = {**FACTS, "today.adds": 57}

    lent = found(policy, {**facts, "sender.grants": frozenset({ADD})})

    assert [name for name, _ in told(lent)] == ["today.adds"]
    both = [name for name, _ in told(found(policy, facts))]
    assert both == ["sender.grants", "today.adds"]


def test_a_permission_can_be_lent_only_if_the_table_has_it_and_it_is_not_about_rights() -> None:
    policy = a_policy(permissions={"config.change": {"allow": 9}})

    for action in ("config.change", "friend.delete"):
        said = nearest(policy, FACTS, action, MORNING)
        assert said == Nearest(Outcome.DENY), action


def test_an_effort_that_is_spent_is_admitted() -> None:
    rules = [a_rule(f"r{n}", {"today": {"adds": {"gte": n}}}) for n in range(1, 40)]
    policy = a_policy(*rules, a_rule("night", unless={"during": "work_hours"}), a_rule("never"))

    assert found(policy, {**FACTS, "today.adds": 50}, NIGHT, effort=5) == Nearest(
        Outcome.DENY, complete=False
    )


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware"):
        found(a_policy(), FACTS, datetime(2026, 1, 7, 10, 0))  # noqa: DTZ001


# --- random policies, against trying everything


def domain(policy: Policy, facts: Facts) -> dict[str, list[FactValue | datetime]]:
    """Return all that could be different about a decision, by the promise of the module."""
    every: dict[str, list[FactValue | datetime]] = {
        name: [value for value in values if value is not None]
        for name, values in random_policies.DOMAINS.items()
    }
    every["sender.level"] = list(ROLE_LEVELS)
    every["contact.way"] = list(policy.known.registry["contact.way"].words)
    every["sender.grants"] = [frozenset({ADD})]
    every["time"] = list(random_policies.TIMES)
    gate = policy.gates.get(ADD)
    if gate and gate.tiers and knows(policy, facts, "tier"):
        every["customer.tier"] = list(TIERS)
    if gate and gate.groups and knows(policy, facts, "group"):
        every["customer.groups"] = list(GROUPS)
    return every


def knows(policy: Policy, facts: Facts, section: str) -> bool:
    """Whether it is known which tier, or which groups, a customer is in."""
    trace = decide(policy, facts, ADD, MORNING, traced=True).trace
    results = [
        line.result for line in trace if line.place.startswith(f"{section}.") and not line.depth
    ]
    firsts = itertools.takewhile(lambda result: result is not True, results)
    return None not in (firsts if section == "tier" else results)


def changes(every: dict[str, list[FactValue | datetime]], size: int) -> Iterator[tuple[One, ...]]:
    """Yield every way to change so many things."""
    for names in itertools.combinations(every, size):
        for values in itertools.product(*(every[name] for name in names)):
            yield tuple(zip(names, values, strict=True))


def meets(change: Change, value: Any) -> bool:
    """Whether a value is as the change says it must be."""
    if isinstance(value, datetime | frozenset):
        return value == change.value
    return all(is_met(need, value) for need in change.needs)


def is_met(need: Need, value: Any) -> bool:
    first = need.values[0]
    match need.how:
        case How.AT_LEAST:
            return bool(value >= first)
        case How.MORE_THAN:
            return bool(value > first)
        case How.AT_MOST:
            return bool(value <= first)
        case How.BELOW:
            return bool(value < first)
        case How.IS:
            return value in need.values
        case How.IS_NOT:
            return value not in need.values
        case _:
            raise AssertionError(need)


policies = st.builds(
    random_policies.made,
    st.lists(random_policies.rules(), min_size=1, max_size=4),
    random_policies.sections(),
)
situations = st.fixed_dictionaries(
    {name: st.sampled_from(list(values)) for name, values in random_policies.DOMAINS.items()}
).map(lambda facts: {name: value for name, value in facts.items() if value is not None})


@given(policies, situations)
@settings(max_examples=300, deadline=None)
def test_a_promise_comes_true_and_fewer_changes_never_suffice(policy: Policy, facts: Facts) -> None:
    now, said = decide(policy, facts, ADD, MORNING).outcome, found(policy, facts)

    assert said.complete
    made = tuple(applied(change) for change in said.changes)
    assert outcome(policy, facts, MORNING, made) is said.outcome
    assert len({name for name, _ in made}) == len(made) <= 2
    assert bool(made) is (said.outcome < now)
    every = domain(policy, facts)
    for size in range(1, len(made) if made else 2):
        for fewer in changes(every, size):
            assert outcome(policy, facts, MORNING, fewer) >= min(now, said.outcome + 1), fewer


@given(policies, situations)
@settings(max_examples=40, deadline=None)
def test_where_nothing_is_found_no_two_changes_help(policy: Policy, facts: Facts) -> None:
    now, said = decide(policy, facts, ADD, MORNING).outcome, found(policy, facts)

    milder = said.outcome  # nothing below this was found
    every = domain(policy, facts)
    for one in itertools.chain(changes(every, 1), sampled(every)):
        if not contradicts(policy, {name for name, _ in one}):
            assert outcome(policy, facts, MORNING, one) >= milder, one
    assert said.outcome <= now


def contradicts(policy: Policy, names: set[str]) -> bool:
    """Whether a tier or group is to be another together with what it is computed from."""
    gate = policy.gates.get(ADD)
    classes = {"customer.tier": gate.tiers, "customer.groups": gate.groups} if gate else {}
    return any(names & made_of(found) for name, found in classes.items() if name in names)


def made_of(classes: tuple[Class, ...]) -> set[str]:
    found = {leaf for each in classes for leaf in leaves(each.condition)}
    return {leaf.attribute.name if isinstance(leaf, Leaf) else "time" for leaf in found}


def sampled(every: dict[str, list[FactValue | datetime]]) -> Iterator[tuple[One, ...]]:
    """Yield pairs of changes, of many values only every third."""
    fewer = {n: v if len(v) < 10 else v[::3] for n, v in every.items()}
    return changes(fewer, 2)


@given(policies, situations, st.data())
@settings(max_examples=200, deadline=None)
def test_every_value_within_what_is_said_is_enough(policy: Policy, facts: Facts, data: Any) -> None:
    said = found(policy, facts)
    every = domain(policy, facts)

    made: list[One] = []
    for change in said.changes:
        name, value = applied(change)
        others = (
            [value] if name == "claim.company" else [v for v in every[name] if meets(change, v)]
        )
        made.append((name, data.draw(st.sampled_from(others or [value]))))
    assert outcome(policy, facts, MORNING, tuple(made)) <= said.outcome


@given(policies, situations)
@settings(max_examples=200, deadline=None)
def test_a_text_that_is_as_said_is_enough(policy: Policy, facts: Facts) -> None:
    said = found(policy, facts)
    if [change.attribute and change.attribute.name for change in said.changes] != ["claim.company"]:
        return
    (change,) = said.changes
    words = {"a", "b", "ab", "ba"}
    before = str(facts.get("claim.company", ""))
    for text in map(str, random_policies.DOMAINS["claim.company"]):
        if reads(text, change, before, words):
            assert outcome(policy, facts, MORNING, (("claim.company", text),)) <= said.outcome


def reads(text: str, change: Change, before: str, words: set[str]) -> bool:
    """Whether a text is as said, and otherwise as before."""
    named = {word for need in change.needs for word in map(str, need.values)}
    if any(need.how is How.IS for need in change.needs):
        return text in named
    marks = [(How.CONTAINS, str.__contains__, True), (How.CONTAINS_NOT, str.__contains__, False)]
    marks += [(How.STARTS, str.startswith, True), (How.STARTS_NOT, str.startswith, False)]
    for need in change.needs:
        for how, test, wanted in marks:
            if need.how is how and any(test(fold(text), str(w)) for w in need.values) is not wanted:
                return False
    rest = words - named
    same = all((word in text) is (word in before) for word in rest)
    starts = all(text.startswith(word) is before.startswith(word) for word in rest)
    return same and starts and text not in words
