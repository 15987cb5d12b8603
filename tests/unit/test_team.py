"""How a team's requests become one line for each person."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.actions.team import Standing, standings
from storage.precedents import Tally
from workflows.model import State

NOON = datetime(2026, 11, 30, 4, tzinfo=UTC)


def a_tally(userid: str, state: State, **numbers: int) -> Tally:
    counts = {"today": 0, "week": 0, "week_all": 0, "count": 1} | numbers
    return Tally(userid, state, **counts, oldest=NOON)


def test_what_is_refused_or_withdrawn_counts_as_no_add() -> None:
    tallies = [
        a_tally("lin", State.EXECUTED, today=2, week=5),
        a_tally("lin", State.PENDING, today=1, week=1),
        a_tally("lin", State.DENIED, today=4, week=4, week_all=6),
        a_tally("lin", State.WITHDRAWN, today=8, week=8),
    ]

    found = standings(["Lin"], tallies)

    assert found == [Standing("Lin", today=3, week=6, refused=6, waiting=1, oldest=NOON)]


def test_somebody_who_asked_for_nothing_is_there_with_nothing() -> None:
    assert standings(["mei"], []) == [Standing("mei")]


def test_who_waits_longest_comes_first_then_who_added_most() -> None:
    late = Tally("b", State.PENDING, 0, 0, 0, 1, NOON - timedelta(days=1))
    tallies = [
        a_tally("a", State.PENDING),
        late,
        a_tally("c", State.EXECUTED, today=1),
        a_tally("d", State.EXECUTED, today=3),
    ]

    found = standings(["a", "b", "c", "d", "e"], tallies)

    assert [each.userid for each in found] == ["b", "a", "d", "c", "e"]
