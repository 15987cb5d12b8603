"""A member's edits are told apart from what Menwei has ordered."""

from __future__ import annotations

from dataclasses import replace

from workflows.editing import Change, Order, change
from workflows.model import Relation, RelationState

BEFORE = Relation(
    "lin",
    "wm1",
    RelationState.ADDED,
    remark="张总",
    phones=("13800001234", "13900001234"),
    tags=frozenset({"潜在"}),
)


def test_what_is_the_same_was_not_edited() -> None:
    assert change(BEFORE, BEFORE, []) is None
    turned = replace(BEFORE, phones=BEFORE.phones[::-1])
    assert change(BEFORE, turned, []) is None


def test_every_edit_is_named() -> None:
    now = replace(BEFORE, tags=frozenset({"VIP"}), remark="张总 明达", phones=())

    found = change(BEFORE, now, [])

    assert found == Change(frozenset({"VIP"}), frozenset({"潜在"}), remark=True, phones=True)
    assert found.words == ("+VIP", "-潜在", "remark", "phones")
    assert found.tags == ("VIP", "潜在")


def test_what_we_have_ordered_is_not_the_members_doing() -> None:
    """Whether WeCom shows it already or not yet."""
    ordered = [Order(frozenset({"待审批"}), remark=True), Order(frozenset({"潜在"}))]
    marked = replace(BEFORE, tags=frozenset({"待审批"}), remark="[待审批]张总")

    assert change(BEFORE, marked, ordered) is None
    assert change(marked, BEFORE, ordered) is None


def test_beside_an_order_of_ours_the_member_may_edit_something_else() -> None:
    ordered = [Order(frozenset({"待审批"}))]
    now = replace(BEFORE, tags=frozenset({"潜在", "待审批", "VIP"}), remark="李总")

    assert change(BEFORE, now, ordered) == Change(frozenset({"VIP"}), remark=True)
