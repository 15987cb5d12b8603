"""Customer groups: who came, who left, and until when somebody has to be taken out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from workflows import chats
from workflows.chats import News, Outsider

NOON = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
ZHANG, LIN = Outsider("wm1", "张伟", NOON - HOUR), Outsider("wm2", "林雪", NOON + HOUR)


def test_two_readings_show_who_came_and_who_left() -> None:
    assert chats.compare([], [ZHANG]) == chats.Change(came=(ZHANG,))
    assert chats.compare([ZHANG, LIN], [LIN]) == chats.Change(left=(ZHANG,))
    assert chats.compare([ZHANG], [ZHANG]) == chats.Change()


def test_a_name_that_changed_is_nobody_new() -> None:
    assert chats.compare([ZHANG], [Outsider("wm1", "张大伟")]) == chats.Change()


def test_in_a_group_not_read_before_only_those_surely_new_are_newcomers() -> None:
    everybody = (ZHANG, LIN, Outsider("wm3"))

    assert chats.newcomers(everybody, (), None) == ()
    assert chats.newcomers(everybody, ("wm1",), None) == (ZHANG,)
    assert chats.newcomers(everybody, (), NOON) == (LIN,)
    assert chats.newcomers(everybody, ("wm3",), NOON) == (LIN, everybody[2])


def test_somebody_is_overdue_once_and_not_before_the_time() -> None:
    asked = chats.must_leave(ZHANG, "A7K2", NOON)

    assert asked.request_id == "A7K2"
    assert not chats.is_overdue(ZHANG, NOON)
    assert not chats.is_overdue(asked, NOON - HOUR)
    assert chats.is_overdue(asked, NOON)
    assert not chats.is_overdue(chats.escalated(asked), NOON)


def test_who_may_stay_is_asked_no_more() -> None:
    asked = chats.escalated(chats.must_leave(ZHANG, "A7K2", NOON))

    assert not chats.is_overdue(chats.may_stay(asked), NOON + HOUR)
    assert chats.is_overdue(chats.must_leave(asked, "B2B2", NOON), NOON)  # a new refusal


def test_what_is_untold_is_told_together() -> None:
    waiting = [replace(each, news=News.PENDING) for each in (ZHANG, LIN)]
    denied = replace(Outsider("wm3"), news=News.REMOVE)

    assert chats.untold([*waiting, denied, Outsider("wm4")]) == {
        News.PENDING: tuple(waiting),
        News.REMOVE: (denied,),
    }
