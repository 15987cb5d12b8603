"""Parts of the company that were looked at, put into what is known of the whole."""

from __future__ import annotations

from dataclasses import replace

from workflows.directory import Department, Directory, Member
from workflows.glimpses import Carriers, Glimpse, covered, put_in

SALES, DESK = Department(2, "Sales", 1), Department(3, "Desk", 2)
LIN = Member("LinMei", "林梅", (3,), tags=frozenset({"old"}))
WU = Member("wu", "吴", (1,))
KNOWN = Directory.of([LIN, WU], [SALES, DESK], ["old", "new"])


def test_who_was_looked_at_is_replaced_and_who_is_gone_is_gone() -> None:
    seen = Glimpse(members={"linmei": replace(LIN, position="Head"), "wu": None})
    now = put_in(seen, KNOWN)
    assert now.members == {"linmei": replace(LIN, position="Head")}
    assert now.departments == KNOWN.departments


def test_a_tag_goes_to_its_carriers_and_to_everybody_below_its_departments() -> None:
    seen = Glimpse(tags={"new": Carriers(frozenset({"wu"}), frozenset({2}))})
    now = put_in(seen, KNOWN)
    assert {key: m.tags for key, m in now.members.items()} == {
        "linmei": {"old", "new"},
        "wu": {"new"},
    }


def test_who_does_not_carry_a_tag_any_more_loses_it_and_keeps_the_others() -> None:
    now = put_in(Glimpse(tags={"old": Carriers(frozenset(), frozenset())}), KNOWN)
    assert now.members["linmei"].tags == frozenset()


def test_an_empty_glimpse_changes_nothing() -> None:
    assert put_in(Glimpse(), KNOWN) == KNOWN


def test_a_circle_of_departments_is_walked_once() -> None:
    circle = [Department(7, "a", 8), Department(8, "b", 7)]
    assert covered([7], circle) == {7, 8}
