"""What a reading of all customers makes of what is on file: packing, comparing, coverage, pace."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.wecom.pace import RATES, Pace
from workflows import mirror
from workflows.mirror import Reading, Shown, Tally, Watched
from workflows.model import Containment, Customer, Relation, RelationState
from workflows.sections_customers import Customers

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
HOUR = timedelta(hours=1)
ADDED, HALF, NONE = RelationState.ADDED, RelationState.HALF, RelationState.NONE
BY_MEMBER, BY_CUSTOMER = RelationState.DELETED_BY_MEMBER, RelationState.DELETED_BY_CUSTOMER
WATCHED = {"sunlei": Watched(NOON, NOON)}
BEFORE = Shown("sunlei", "wm1", NOON - HOUR, add_way=3, remark="张总", tags=frozenset({"VIP"}))
LATE = replace(BEFORE, added_at=NOON + HOUR)
ASKED = NOON + 5 * HOUR


def on_file(shown: Shown = BEFORE, **more: object) -> Relation:
    known = mirror.brought_up_to_date(None, shown)
    return replace(known, **more)  # type: ignore[arg-type]


def compare(shown: Shown, relation: Relation | None) -> mirror.Difference:
    return mirror.compare([shown], {shown.pair: relation} if relation else {}, WATCHED, ASKED)


def test_what_was_there_before_the_member_was_watched_is_stored_and_not_doubted() -> None:
    assert compare(BEFORE, None) == mirror.Difference(new=(on_file(),))


def test_nothing_is_to_be_done_where_nothing_is_different() -> None:
    assert not compare(BEFORE, on_file(containment=Containment.PENDING, former_remark="张总"))


@pytest.mark.parametrize(
    "relation",
    [None, on_file(LATE, state=BY_MEMBER), on_file(LATE, state=NONE), on_file(LATE)],
    ids=["never heard of", "deleted", "none", "heard of by another's event"],
)
def test_an_add_that_nobody_has_judged_is_doubted(relation: Relation | None) -> None:
    assert compare(LATE, relation) == mirror.Difference(doubted=(LATE,))


def test_who_was_deleted_and_is_shown_again_is_doubted_however_old_the_relation_is() -> None:
    assert compare(BEFORE, on_file(state=BY_MEMBER, request_id="A17")).doubted == (BEFORE,)


def test_an_add_in_the_very_second_the_watch_began_is_doubted() -> None:
    watched = {"sunlei": Watched(NOON + timedelta(milliseconds=700))}
    shown = replace(BEFORE, added_at=NOON)

    assert mirror.compare([shown], {}, watched, ASKED).doubted == (shown,)


@pytest.mark.parametrize("state", [ADDED, HALF, BY_CUSTOMER])
def test_a_judged_add_is_only_brought_up_to_date(state: RelationState) -> None:
    old = on_file(replace(LATE, remark="旧"), request_id="A17", state=state)

    assert compare(LATE, old) == mirror.Difference(changed=(replace(old, remark="张总"),))


def test_what_an_event_has_asked_about_meanwhile_is_asked_once_more() -> None:
    for at in (ASKED - timedelta(minutes=1), ASKED + HOUR):
        old = on_file(remark="新", asked_at=at)
        assert compare(BEFORE, old) == mirror.Difference(doubted=(BEFORE,))
    old = on_file(remark="旧", asked_at=ASKED - timedelta(minutes=3))
    assert compare(BEFORE, old).changed == (replace(old, remark="张总"),)


def test_what_begins_anew_has_not_been_judged() -> None:
    old = on_file(state=BY_MEMBER, request_id="A17")

    assert mirror.brought_up_to_date(old, LATE).request_id == ""
    assert mirror.brought_up_to_date(replace(old, state=ADDED), LATE).request_id == "A17"


def test_a_customer_is_written_once_and_nothing_known_is_lost() -> None:
    old = Customer("wm1", "张伟", corp_name="恒远", unionid="o1")
    same, other = Customer("wm1", "张伟"), Customer("wm1", "张总")

    assert mirror.named_anew([same, same], {"wm1": old}) == ()
    assert mirror.named_anew([other, other], {"wm1": old}) == (replace(old, name="张总"),)
    assert mirror.named_anew([same], {}) == (same,)


def test_adds_are_counted_from_the_reading_before_and_not_at_the_first() -> None:
    assert mirror.made_since([BEFORE, LATE], WATCHED) == 1
    assert mirror.made_since([BEFORE, LATE], {"sunlei": Watched(NOON)}) == 0


@given(st.lists(st.none() | st.integers(0, 30_000), min_size=1, max_size=300))
def test_a_chunk_is_small_and_every_member_comes_in_one(sizes: list[int | None]) -> None:
    members = [f"u{number:03}" for number in range(len(sizes))]
    known = {name: size for name, size in zip(members, sizes, strict=True) if size is not None}
    ahead, read = members, []
    while ahead:
        chunk = mirror.pack(ahead, known)
        assert 1 <= len(chunk) <= 100
        assert len(chunk) == 1 or sum(known.get(each, 500) for each in chunk) <= 2_000
        read += chunk
        ahead = ahead[len(chunk) :]
    assert read == members


@given(st.lists(st.none() | st.integers(0, 3_000), min_size=1, max_size=100))
def test_groups_that_are_read_side_by_side_have_every_member_once(sizes: list[int | None]) -> None:
    members = [f"U{number:03}" for number in range(len(sizes))]
    known = {f"u{n:03}": size for n, size in enumerate(sizes) if size is not None}

    groups = mirror.abreast(members, known)

    assert sorted(each for group in groups for each in group) == members
    assert all(group == sorted(group) for group in groups)
    assert 1 <= len(groups) <= mirror.MOST_ABREAST


def test_few_customers_are_read_by_one_call_after_the_other() -> None:
    few = {f"u{number:03}": 3 for number in range(100)}

    assert mirror.abreast(list(few), few) == [list(few)]
    assert mirror.abreast(["a", "b", "c"], {"a": 900, "b": 500, "c": 400}) == [
        ["a"],
        ["b"],
        ["c"],
    ]
    assert mirror.abreast(["a", "b", "c"], {"a": 200, "b": 100, "c": 100}) == [["a"], ["b", "c"]]


def test_coverage_is_the_part_of_the_adds_that_came_by_callback() -> None:
    def coverage(adds: int, late: int) -> float | None:
        return Reading(1, NOON, NOON, tally=Tally(adds=adds), late_adds=late).coverage

    assert coverage(0, 0) is None
    assert coverage(125, 1) == pytest.approx(0.992)
    assert coverage(3, 3) == 0.0
    assert coverage(0, 2) == 0.0


def test_a_late_add_is_looked_at_when_its_callback_should_have_come() -> None:
    assert mirror.look_at(LATE, ASKED) == ASKED
    assert mirror.look_at(LATE, NOON + HOUR) == NOON + HOUR + mirror.CALLBACK_TAKES
    assert mirror.look_at(replace(LATE, added_at=None), ASKED) == ASKED
    assert mirror.look_at(LATE, NOON) == NOON + mirror.CALLBACK_TAKES  # a clock is an hour behind


@pytest.mark.parametrize(
    ("now", "latest"),
    [
        ("2026-03-02T02:59", "2026-03-01T03:00"),
        ("2026-03-02T03:00", "2026-03-02T03:00"),
        ("2026-03-02T23:59", "2026-03-02T03:00"),
    ],
)
def test_customers_are_read_every_day_at_the_hour_of_the_company(now: str, latest: str) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    at, expected = (datetime.fromisoformat(each).replace(tzinfo=zone) for each in (now, latest))

    assert Customers().latest(at.astimezone(UTC), zone) == expected


@given(st.lists(st.floats(0, 40), max_size=400), st.integers(1, 60))
def test_no_stretch_of_time_has_more_calls_than_the_pace_allows(
    idle: list[float], crowd: int
) -> None:
    """The real rates, a hundredth of the calls: 60 in a minute and 900 in an hour."""
    now = 0.0
    rates = tuple(replace(r, steady=r.steady // 100, burst=r.burst // 100) for r in RATES)
    pace = Pace(lambda: now, rates)
    calls = []
    for pause in [*idle, *[0.0] * crowd * 20]:
        now += pause
        now += pace.take()
        calls.append(now)
    for first, at in enumerate(calls):
        for most, window in ((60, 60.0), (900, 3600.0)):
            later = first + most
            assert later >= len(calls) or calls[later] - at >= window - 1e-6
