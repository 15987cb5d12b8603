"""What facts and time can be is cut into kinds: none is missed, and each has an example."""

from __future__ import annotations

import itertools
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.attributes import Kind, registry
from workflows.axes import Axis, Probe, axis_of
from workflows.conditions import Known, Leaf, Reading, leaves
from workflows.model import FactValue
from workflows.moments import Deadline, Question, moments
from workflows.schedules import Holidays, Schedule, windows_of
from workflows.terms import FALSE, TRUE, UNKNOWN, Term, Terms, constant

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 1, 7, 2, 0, tzinfo=UTC)
COLUMNS = {f"customer.x.{kind}": (kind, "") for kind in Kind}
KNOWN = Known(registry(COLUMNS))
WIDE = "\uff21"  # a full-width A: folded, it reads "a"


def probes(name: str, *operators: dict[str, Any]) -> list[Probe]:
    """Return probes of `{operator: value}` leaves over one attribute."""
    found: list[Leaf] = []
    for operator in operators:
        reading = Reading(KNOWN)
        condition = reading.read({name: operator}, ("when",))
        assert not reading.mistakes
        found += [leaf for leaf in leaves(condition) if isinstance(leaf, Leaf)]
    return [Probe.of(leaf) for leaf in found]


def samples(terms: Terms, axis: Axis) -> list[tuple[dict[int, int], FactValue | None]]:
    """Return every choice of an axis and the value it stands for."""
    sizes = [range(size) for size in terms.sizes]
    return [
        (chosen, axis.value(chosen))
        for values in itertools.product(*sizes)
        for chosen in [dict(enumerate(values))]
    ]


def decided(terms: Terms, term: Term, chosen: dict[int, int]) -> Term:
    for variable, value in chosen.items():
        term = terms.decided(term, variable, value)
    return term


def kinds_of(name: str, asked: list[Probe]) -> set[tuple[Term, ...]]:
    """Return what the leaves together can come to, after checking each example against it."""
    terms = Terms()
    axis = axis_of(terms, name, asked)
    assert axis.exact
    made = [axis.term(terms, probe) for probe in asked]
    found: set[tuple[Term, ...]] = set()
    for chosen, value in samples(terms, axis):
        results = tuple(decided(terms, term, chosen) for term in made)
        assert results == tuple(probe.result(value) for probe in asked), value
        found.add(results)
    return found


def tried(asked: list[Probe], values: list[Any]) -> set[tuple[Term, ...]]:
    return {tuple(probe.result(value) for probe in asked) for value in [None, *values]}


# --- attributes

_words = st.lists(st.sampled_from(["a", "b", "ab", "ba", WIDE]), min_size=1, max_size=2)
_text_leaves = st.lists(
    st.tuples(st.sampled_from(["eq", "ne", "contains_any", "starts_with"]), _words).map(
        lambda made: {made[0]: made[1]}
    ),
    min_size=1,
    max_size=3,
)
_set_leaves = st.lists(
    st.tuples(st.sampled_from(["any_of", "all_of", "none_of"]), _words).map(
        lambda made: {made[0]: made[1]}
    ),
    min_size=1,
    max_size=3,
)
_number_leaves = st.lists(
    st.tuples(
        st.sampled_from(["eq", "ne", "lt", "lte", "gt", "gte"]), st.sampled_from([1, 2, 2.5, 4])
    ).map(lambda made: {made[0]: made[1]}),
    min_size=1,
    max_size=4,
)


@settings(deadline=None)
@given(_text_leaves)
def test_no_kind_of_text_is_missed(operators: list[Any]) -> None:
    texts = [
        "".join(t) for n in range(6) for t in itertools.product(["a", "b", "z", WIDE], repeat=n)
    ]
    asked = probes("claim.company", *operators)
    assert kinds_of("claim.company", asked) == tried(asked, texts)


@settings(deadline=None)
@given(_set_leaves)
def test_no_kind_of_set_is_missed(operators: list[Any]) -> None:
    words = ["a", "b", "ab", "ba", WIDE, "other"]
    sets = [frozenset(t) for n in range(7) for t in itertools.combinations(words, n)]
    asked = probes("customer.tags", *operators)
    assert kinds_of("customer.tags", asked) == tried(asked, sets)


@settings(deadline=None)
@given(_number_leaves)
def test_no_kind_of_number_is_missed(operators: list[Any]) -> None:
    asked = probes("customer.x.number", *operators)
    numbers = [n / 4 for n in range(-4, 24)]
    assert kinds_of("customer.x.number", asked) == tried(asked, numbers)


def test_a_gap_between_two_neighbouring_numbers_is_not_made_up() -> None:
    asked = probes("customer.x.int", {"gt": 2}, {"lt": 3})
    assert (TRUE, TRUE) not in kinds_of("customer.x.int", asked)
    asked = probes("customer.x.number", {"gt": 2}, {"lt": 3})
    assert (TRUE, TRUE) in kinds_of("customer.x.number", asked)


def test_dates_have_a_day_before_between_and_after() -> None:
    first, last = "2026-03-01", "2026-03-03"
    asked = probes("customer.x.date", {"gte": first}, {"gt": last}, {"exists": True})
    expected = {(FALSE, FALSE), (TRUE, FALSE), (TRUE, TRUE)}
    assert kinds_of("customer.x.date", asked) == {
        *((*pair, TRUE) for pair in expected),
        (UNKNOWN, UNKNOWN, FALSE),
    }


def test_a_closed_list_of_words_has_no_other_value() -> None:
    asked = probes("customer.type", {"eq": "wechat"}, {"eq": "wecom"})
    assert (FALSE, FALSE) not in kinds_of("customer.type", asked)


def test_userids_are_compared_without_case() -> None:
    asked = probes("sender.userid", {"eq": "LinMei"}, {"eq": "linmei"})
    assert kinds_of("sender.userid", asked) == {(TRUE, TRUE), (FALSE, FALSE), (UNKNOWN, UNKNOWN)}


def test_a_long_list_of_names_is_one_kind() -> None:
    names = [f"公司{n}" for n in range(200)]
    terms = Terms()
    axis_of(terms, "customer.corp_name", probes("customer.corp_name", {"contains_any": names}))
    axis_of(terms, "customer.tags", probes("customer.tags", {"any_of": names}))
    assert max(terms.sizes) <= 3
    assert len(terms.sizes) <= 6


def test_an_example_reads_like_a_real_value() -> None:
    terms = Terms()
    asked = probes("customer.corp_name", {"contains_any": ["竞品"]}, {"starts_with": ["青禾"]})
    axis = axis_of(terms, "customer.corp_name", asked)
    shown = {value for _, value in samples(terms, axis)}
    assert shown == {"其他", "竞品", "青禾", "青禾竞品", None}


# --- terms

_results = st.sampled_from([True, False, None])


@given(st.lists(_results, max_size=4))
def test_terms_of_constants_follow_kleene(results: list[bool | None]) -> None:
    terms = Terms()
    parts = [constant(r) for r in results]
    assert terms.all_of(parts) == min(parts, default=TRUE)
    assert terms.any_of(parts) == max(parts, default=FALSE)
    assert terms.negated(terms.all_of(parts)) == terms.any_of([terms.negated(p) for p in parts])


def test_a_contradiction_shows_before_anything_is_decided() -> None:
    terms = Terms()
    variable = terms.variable(3)
    low, high = (
        terms.choose(variable, (TRUE, FALSE, FALSE)),
        terms.choose(variable, (FALSE, FALSE, TRUE)),
    )
    assert terms.all_of([low, high]) == FALSE
    assert terms.any_of([low, terms.negated(low)]) == TRUE


# --- time


def answers(questions: list[Question], at: datetime) -> tuple[bool, ...]:
    return tuple(q.is_open(at) if isinstance(q, Schedule) else q.holds(at) for q in questions)


def schedule(*hours: str, days: set[int] | None = None, **more: Any) -> Schedule:
    zone = more.pop("zone", SHANGHAI)
    return Schedule(windows_of(hours), zone, frozenset(days or range(5)), **more)


def minutes(days: int) -> list[datetime]:
    return [NOW + timedelta(minutes=5 * n) for n in range(days * 24 * 12)]


def test_every_combination_of_schedules_and_deadlines_has_its_first_time() -> None:
    off = Holidays(off=frozenset({date(2026, 1, 16)}), work=frozenset({date(2026, 1, 18)}))
    questions: list[Question] = [
        schedule("09:00-12:00", "13:30-18:00"),
        schedule("22:00-06:15", days={4, 5}),
        schedule("09:00-19:00", holidays=off),
        Deadline(date(2026, 1, 20), SHANGHAI),
        Deadline(date(2025, 1, 1), SHANGHAI),
    ]
    expected: dict[tuple[bool, ...], datetime] = {}
    for at in minutes(30):
        expected.setdefault(answers(questions, at), at)
    found = {m.answers: m.at for m in moments(questions, NOW)}
    assert found == expected


def test_schedules_of_two_zones_meet_in_every_way() -> None:
    questions: list[Question] = [
        schedule("09:00-19:00"),
        schedule("09:00-19:00", zone=ZoneInfo("Europe/Berlin")),
    ]
    expected = {answers(questions, at) for at in minutes(10)}
    assert {m.answers for m in moments(questions, NOW)} == expected


def test_without_a_question_there_is_only_now() -> None:
    assert [m.at for m in moments([], NOW)] == [NOW]


def test_a_deadline_at_the_end_of_the_calendar_never_passes() -> None:
    assert [m.at for m in moments([Deadline(date.max, SHANGHAI)], NOW)] == [NOW]
