"""Makes small random policies to compare, and compares them by trying everything."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from typing import Any

from hypothesis import strategies as st

from tests.makers_policy import a_policy
from workflows.attributes import GRANTS
from workflows.differences import direction_of
from workflows.evaluation import Reads
from workflows.model import Facts
from workflows.policy import Policy, decide
from workflows.sums import Direction

NOW = datetime(2026, 1, 7, 2, 0, tzinfo=UTC)  # Wednesday 10:00 in Shanghai
NIGHT = datetime(2026, 1, 7, 14, 0, tzinfo=UTC)
LATER = datetime(2027, 1, 6, 2, 0, tzinfo=UTC)  # a Wednesday morning after the reviews expire
LATER_NIGHT = datetime(2027, 1, 6, 14, 0, tzinfo=UTC)
TIMES = (NOW, NIGHT, LATER, LATER_NIGHT)

# Every kind of value that the conditions below can tell apart, and some more.
DOMAINS: Mapping[str, Sequence[Any]] = {
    "sender.level": [None, 0, 1, 2, 3, 4],
    "today.adds": [None, 0, 1, 2, 3, 4],
    "claim.signed": [None, True, False],
    "contact.way": [None, "qr", "card", "phone"],
    "customer.tags": [
        None,
        *(frozenset(t) for n in range(4) for t in itertools.combinations("abc", n)),
    ],
    "claim.company": [
        None,
        *("".join(t) for n in range(4) for t in itertools.product("abz", repeat=n)),
    ],
}

_words = st.sampled_from(["a", "b", "ab", "ba"])
_leaf: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(
        lambda op, n: {"today": {"adds": {op: n}}},
        st.sampled_from(["eq", "ne", "lt", "lte", "gt", "gte"]),
        st.integers(1, 3),
    ),
    st.builds(lambda n: {"sender": {"level": {"gte": n}}}, st.integers(1, 3)),
    st.builds(lambda b: {"claim": {"signed": b}}, st.booleans()),
    st.builds(lambda b: {"claim": {"signed": {"exists": b}}}, st.booleans()),
    st.builds(
        lambda op, v: {"contact": {"way": {op: v}}},
        st.sampled_from(["eq", "ne"]),
        st.lists(st.sampled_from(["qr", "card"]), min_size=1, max_size=2),
    ),
    st.builds(
        lambda op, v: {"customer": {"tags": {op: v}}},
        st.sampled_from(["any_of", "all_of", "none_of"]),
        st.lists(st.sampled_from(["a", "b"]), min_size=1, max_size=2),
    ),
    st.builds(
        lambda op, v: {"claim": {"company": {op: v}}},
        st.sampled_from(["eq", "ne", "contains_any", "starts_with"]),
        st.lists(_words, min_size=1, max_size=2),
    ),
    st.just({"during": "work_hours"}),
)
_computed: st.SearchStrategy[dict[str, Any]] = st.one_of(
    st.builds(
        lambda op, v: {"customer": {"tier": {op: v}}},
        st.sampled_from(["eq", "ne"]),
        st.lists(st.sampled_from(["one", "two", "rest"]), min_size=1, max_size=2),
    ),
    st.builds(
        lambda op, v: {"customer": {"tier": {op: v}}},
        st.sampled_from(["contains_any", "starts_with"]),
        st.lists(st.sampled_from(["o", "E", "tw", "st"]), min_size=1, max_size=2),
    ),
    st.builds(lambda b: {"customer": {"tier": {"exists": b}}}, st.booleans()),
    st.builds(lambda b: {"customer": {"groups": {"exists": b}}}, st.booleans()),
    st.builds(
        lambda op, v: {"customer": {"groups": {op: v}}},
        st.sampled_from(["any_of", "all_of", "none_of"]),
        st.lists(st.sampled_from(["left", "right"]), min_size=1, max_size=2),
    ),
)
_any: st.SearchStrategy[dict[str, Any]] = st.builds(
    lambda branches: {"any": branches}, st.lists(_leaf, min_size=1, max_size=2)
)
conditions = st.one_of(_leaf, _leaf, _computed, _any)


def _merged(first: dict[str, Any], second: dict[str, Any]) -> dict[str, Any]:
    """Return both conditions in one table, or the first where they would collide."""
    return {**first, **second} if not first.keys() & second.keys() else first


_when = st.one_of(st.none(), conditions, st.builds(_merged, conditions, conditions))


@st.composite
def rules(draw: st.DrawFn) -> dict[str, Any]:
    then = draw(st.sampled_from(["deny", "approval"]))
    made: dict[str, Any] = {"action": ["friend.add"], "then": then}
    if then == "approval":
        made["chain"] = draw(st.sampled_from(["lead", "director"]))
    clause = {"when": draw(_when), "unless": draw(st.none() | conditions)}
    made |= {name: value for name, value in clause.items() if value is not None}
    mode = draw(st.sampled_from(["", "", "", "shadow", "off"]))
    return {**made, "mode": mode} if mode else made


def reviews() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "action": st.just(["friend.add"]),
            "when": conditions,
            "decide": st.sampled_from(["approve", "deny"]),
            "expires": st.sampled_from([date(2025, 12, 31), date(2026, 6, 30), date.max]),
        },
        optional={"unless": conditions},
    )


def sections() -> st.SearchStrategy[dict[str, Any]]:
    """Sections of a file besides the rules."""
    return st.fixed_dictionaries(
        {
            "auto_review": st.lists(reviews(), max_size=2),
            "defaults": st.fixed_dictionaries(
                {
                    "chain": st.sampled_from(["lead", "director"]),
                    "on_missing": st.sampled_from(["approval", "deny"]),
                }
            ),
            "chain_defaults": st.sampled_from(
                [{"strictness": ["lead", "director"]}, {"strictness": ["director", "lead"]}]
            ),
            "permissions": st.sampled_from(
                [
                    {"friend.add": {"allow": 2, "approval": 1}},
                    {"friend.add": {"allow": 1}},
                    {"friend.add": {"approval": 1}},
                ]
            ),
            "tier": st.tuples(_leaf, _leaf).map(
                lambda w: [
                    {"name": "one", "when": w[0]},
                    {"name": "two", "when": w[1]},
                    {"name": "rest"},
                ]
            ),
            "group": st.tuples(_leaf, _leaf).map(
                lambda w: [{"name": "left", "when": w[0]}, {"name": "right", "when": w[1]}]
            ),
        }
    )


def made(rule: Iterable[Mapping[str, Any]], rest: Mapping[str, Any]) -> Policy:
    """Compile random rules and sections; ids are given by position."""
    numbered = [{**r, "id": f"rule{n}"} for n, r in enumerate(rule)]
    reviewed = [{**r, "id": f"review{n}"} for n, r in enumerate(rest["auto_review"])]
    return a_policy(*numbered, **{**rest, "auto_review": reviewed})


def attributes_of(*policies: Policy) -> set[str]:
    """Return what the policies read for `friend.add`, but not what is computed."""
    found = {"sender.level"}
    for policy in policies:
        gate = policy.gates.get("friend.add")
        if gate is not None:
            judges = [*(r.clause for r in gate.rules), *(r.clause for r in gate.reviews)]
            conditions_ = [c for clause in judges for c in clause.conditions]
            conditions_ += [part.condition for part in (*gate.tiers, *gate.groups)]
            found |= {a.name for a in Reads.of(conditions_).attributes}
    return found & DOMAINS.keys()


def everything(*policies: Policy) -> Iterator[tuple[Facts, datetime]]:
    """Every combination of values that matters to the policies, with and without a grant."""
    names = sorted(attributes_of(*policies))
    for values in itertools.product(*(DOMAINS[name] for name in names)):
        facts = {n: v for n, v in zip(names, values, strict=True) if v is not None}
        for at in TIMES:
            yield facts, at
            yield {**facts, GRANTS: frozenset({"friend.add"})}, at


def how_many(*policies: Policy) -> int:
    """How many combinations `everything` has."""
    total = 2 * len(TIMES)
    for name in attributes_of(*policies):
        total *= len(DOMAINS[name])
    return total


def tried(old: Policy, new: Policy) -> set[Direction]:
    """Return every direction in which they differ, found by trying everything."""
    found: set[Direction] = set()
    for facts, at in everything(old, new):
        before = decide(old, facts, "friend.add", at)
        after = decide(new, facts, "friend.add", at)
        direction = direction_of(old, before, new, after)
        if direction is not None:
            found.add(direction)
    return found
