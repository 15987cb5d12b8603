"""How an add that was not allowed is held, let go and undone."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.makers_approval import NOON, an_add
from workflows.containment import (
    TRANSFER_LOOK,
    TRANSFER_TAKES,
    AllowedAfterAll,
    AskToDelete,
    CheckAgain,
    Due,
    Gone,
    Mark,
    Marks,
    Plan,
    Seen,
    StillThere,
    TellClosed,
    TellEscalated,
    Transfer,
    TransferAccepted,
    TransferDone,
    TransferRefused,
    containment_for,
    hold,
    open_remedy,
    release,
    remedy_step,
)
from workflows.model import Containment, Relation, RelationState, Remedy, RemedyState, State

MARKS = Marks("待审批", "违规添加", "[待审批]", "[违规]")
DAY = timedelta(hours=24)
TRANSFER = Plan(DAY, "transfer", "pool")


def a_remedy(plan: Plan = TRANSFER, state: RemedyState = RemedyState.ASKED) -> Remedy:
    remedy, _ = open_remedy("A7K2", an_add(), plan, NOON)
    return replace(remedy, state=state)


def held(relation: Relation, containment: Containment = Containment.PENDING) -> Relation:
    return hold(relation, containment, MARKS)[0]


# What a request means for its relation


@pytest.mark.parametrize(
    ("state", "containment"),
    [
        (State.PENDING, Containment.PENDING),
        (State.STALE, Containment.PENDING),
        (State.SUPERSEDED, Containment.PENDING),
        (State.APPROVED, Containment.NONE),
        (State.EXECUTED, Containment.NONE),
        (State.EXECUTION_FAILED, Containment.NONE),
        (State.DENIED, Containment.DENIED),
        (State.EXPIRED, Containment.DENIED),
        (State.REVOKED, Containment.DENIED),
        (State.WITHDRAWN, Containment.DENIED),
    ],
)
def test_only_an_approval_frees_a_relation(state: State, containment: Containment) -> None:
    assert containment_for(state) is containment


# Holding


def test_a_pending_add_gets_its_tag_and_a_remark() -> None:
    relation, orders = hold(an_add(remark="张总"), Containment.PENDING, MARKS)

    assert orders == (Mark(add_tags=("待审批",), remark="[待审批]张总"),)
    assert relation.containment is Containment.PENDING
    assert relation.former_remark == "张总"


def test_a_customer_without_a_remark_is_shown_by_name() -> None:
    _, orders = hold(an_add(), Containment.PENDING, MARKS, name="张三")

    assert orders == (Mark(add_tags=("待审批",), remark="[待审批]张三"),)


def test_holding_twice_orders_nothing_the_second_time() -> None:
    relation = held(an_add(remark="张总"))

    assert hold(relation, Containment.PENDING, MARKS) == (relation, ())


def test_a_mark_the_member_removed_is_put_back() -> None:
    wiped = replace(held(an_add(remark="张总")), remark="张总", tags=frozenset())

    _, orders = hold(wiped, Containment.PENDING, MARKS)

    assert orders == (Mark(add_tags=("待审批",), remark="[待审批]张总"),)


def test_a_refusal_replaces_the_marks_of_waiting() -> None:
    relation, orders = hold(held(an_add(remark="张总")), Containment.DENIED, MARKS)

    assert orders == (Mark(("违规添加",), ("待审批",), "[违规]张总"),)
    assert relation.former_remark == "张总"


def test_without_a_prefix_the_remark_is_left_alone() -> None:
    relation, orders = hold(an_add(remark="张总"), Containment.PENDING, Marks("待审批"))

    assert orders == (Mark(add_tags=("待审批",)),)
    assert relation.remark == "张总"


def test_a_kind_without_a_prefix_takes_the_other_kinds_prefix_off() -> None:
    marks = Marks("待审批", "违规添加", pending_prefix="[待审批]")
    waiting, _ = hold(an_add(remark="张总"), Containment.PENDING, marks)

    _, orders = hold(waiting, Containment.DENIED, marks)

    assert orders == (Mark(("违规添加",), ("待审批",), "张总"),)


@pytest.mark.parametrize(
    "state", sorted(set(RelationState) - {RelationState.ADDED, RelationState.HALF})
)
def test_a_relation_already_gone_needs_no_orders(state: RelationState) -> None:
    gone = an_add(state=state)

    assert hold(gone, Containment.DENIED, MARKS) == (gone, ())
    assert open_remedy("A7K2", gone, TRANSFER, NOON)[1] == ()
    assert open_remedy("A7K2", gone, TRANSFER, NOON)[0].state is RemedyState.CLOSED


def test_a_relation_gone_while_held_is_let_go_without_orders() -> None:
    gone = replace(held(an_add(remark="张总")), state=RelationState.DELETED_BY_MEMBER)

    relation, orders = release(gone, MARKS)

    assert orders == ()
    assert relation.containment is Containment.NONE


@given(st.text(max_size=30), st.sampled_from([Containment.PENDING, Containment.DENIED]))
def test_a_remark_never_exceeds_twenty_characters(remark: str, containment: Containment) -> None:
    relation, _ = hold(an_add(remark=remark), containment, MARKS, name="张三")

    assert len(relation.remark.encode("utf-16-le")) // 2 <= 20
    assert relation.remark.startswith(MARKS.prefix(containment))


@given(st.text(min_size=1, max_size=20), st.frozensets(st.sampled_from(["重点", "老客户"])))
def test_holding_and_releasing_gives_back_what_was_there(remark: str, tags: frozenset[str]) -> None:
    before = an_add(remark=remark, tags=tags)

    waiting, _ = hold(before, Containment.PENDING, MARKS)
    denied, _ = hold(waiting, Containment.DENIED, MARKS)
    freed, _ = release(denied, MARKS)

    assert freed == before


def test_a_remark_written_while_held_is_kept() -> None:
    waiting = held(an_add(remark="张总"))

    edited, _ = release(replace(waiting, remark="[待审批]张总经理"), MARKS)
    rewritten, orders = release(replace(waiting, remark="老张"), MARKS)

    assert edited.remark == "张总经理"
    assert rewritten.remark == "老张"
    assert orders == (Mark(remove_tags=("待审批",), remark="老张"),)


def test_without_a_former_remark_the_name_is_restored() -> None:
    waiting, _ = hold(an_add(), Containment.PENDING, MARKS, name="张三")

    _, orders = release(waiting, MARKS, name="张三")

    assert orders == (Mark(remove_tags=("待审批",), remark="张三"),)


def test_holding_as_nothing_is_releasing() -> None:
    relation, _ = hold(held(an_add(remark="张总")), Containment.NONE, MARKS)

    assert relation == an_add(remark="张总")


def test_releasing_what_is_not_held_changes_nothing() -> None:
    assert release(an_add(remark="张总"), MARKS) == (an_add(remark="张总"), ())


# Undoing


def test_a_remedy_begins_by_asking_the_member() -> None:
    remedy, orders = open_remedy("A7K2", an_add(), TRANSFER, NOON)

    assert remedy.state is RemedyState.ASKED
    assert remedy.due_at == NOON + DAY
    assert orders == (AskToDelete(NOON + DAY), CheckAgain(NOON + DAY))


def test_a_deletion_that_was_seen_closes_it() -> None:
    remedy, orders = remedy_step(a_remedy(), Gone(), NOON)

    assert (remedy.state, remedy.closed_because) == (RemedyState.CLOSED, "deleted")
    assert orders == (TellClosed("deleted"),)


@pytest.mark.parametrize("seen", [StillThere(), Due()])
def test_nothing_happens_before_the_deadline(seen: Seen) -> None:
    remedy, orders = remedy_step(a_remedy(), seen, NOON)

    assert remedy == a_remedy()
    assert orders == (CheckAgain(NOON + DAY),)


@pytest.mark.parametrize("seen", [StillThere(), Due()])
def test_after_the_deadline_the_customer_is_transferred(seen: Seen) -> None:
    remedy, orders = remedy_step(a_remedy(), seen, NOON + DAY)

    assert remedy.state is RemedyState.TRANSFERRING
    assert orders == (Transfer("pool"), CheckAgain(NOON + DAY + TRANSFER_TAKES))


@pytest.mark.parametrize(
    ("plan", "why"),
    [
        (Plan(DAY), "still_there"),
        (Plan(DAY, "transfer"), "no_taker"),
        (Plan(DAY, "transfer", "LIN"), "no_taker"),
    ],
)
def test_without_somebody_to_take_over_a_human_must_act(plan: Plan, why: str) -> None:
    remedy, orders = remedy_step(a_remedy(plan), StillThere(), NOON + DAY)

    assert remedy.state is RemedyState.ESCALATED
    assert orders == (TellEscalated(why),)


def test_an_accepted_transfer_is_not_a_finished_one() -> None:
    remedy, orders = remedy_step(a_remedy(state=RemedyState.TRANSFERRING), TransferAccepted(), NOON)

    assert remedy.state is RemedyState.TRANSFERRING
    assert remedy.due_at == NOON + TRANSFER_TAKES
    assert orders == (CheckAgain(NOON + TRANSFER_LOOK),)


def test_a_transfer_under_way_is_looked_at_again_and_again_until_its_time_is_over() -> None:
    remedy = a_remedy(state=RemedyState.TRANSFERRING)

    early, orders = remedy_step(remedy, StillThere(), NOON)
    late, late_orders = remedy_step(remedy, StillThere(), remedy.due_at)

    assert (early, orders) == (remedy, (CheckAgain(NOON + TRANSFER_LOOK),))
    assert late.state is RemedyState.ESCALATED
    assert late_orders == (TellEscalated("transfer_overdue"),)


def test_a_refused_transfer_needs_a_human() -> None:
    transferring = a_remedy(state=RemedyState.TRANSFERRING)

    remedy, orders = remedy_step(transferring, TransferRefused("40128"), NOON)

    assert remedy.state is RemedyState.ESCALATED
    assert orders == (TellEscalated("transfer_refused", "40128"),)


@pytest.mark.parametrize(
    "state", [RemedyState.ASKED, RemedyState.TRANSFERRING, RemedyState.ESCALATED]
)
def test_a_transfer_that_was_seen_closes_it(state: RemedyState) -> None:
    remedy, orders = remedy_step(a_remedy(state=state), TransferDone(), NOON)

    assert (remedy.state, remedy.closed_because) == (RemedyState.CLOSED, "transferred")
    assert orders == (TellClosed("transferred"),)


def test_an_escalated_remedy_is_quiet_until_the_relation_is_seen_gone() -> None:
    remedy = a_remedy(state=RemedyState.ESCALATED)

    for seen in (StillThere(), Due(), TransferAccepted(), TransferRefused("x")):
        assert remedy_step(remedy, seen, NOON + 9 * DAY) == (remedy, ())
    assert remedy_step(remedy, Gone(), NOON)[0].state is RemedyState.CLOSED


def test_a_later_approval_closes_it() -> None:
    remedy, orders = remedy_step(a_remedy(), AllowedAfterAll(), NOON)

    assert remedy.closed_because == "approved"
    assert orders == (TellClosed("approved"),)


def test_a_later_approval_cannot_call_back_a_transfer() -> None:
    remedy, orders = remedy_step(a_remedy(state=RemedyState.TRANSFERRING), AllowedAfterAll(), NOON)

    assert remedy.state is RemedyState.ESCALATED
    assert orders == (TellEscalated("allowed_while_transferring"),)


def test_a_later_approval_closes_it_where_the_transfer_was_called_off() -> None:
    moving = a_remedy(state=RemedyState.TRANSFERRING)

    remedy, orders = remedy_step(moving, AllowedAfterAll(called_off=True), NOON)

    assert remedy.closed_because == "approved"
    assert orders == (TellClosed("approved"),)


looks = st.sampled_from(
    [StillThere(), TransferAccepted(), TransferRefused("x"), Due(), Gone(), TransferDone()]
)


@given(st.lists(st.tuples(looks, st.integers(0, 40)), max_size=12))
def test_only_what_was_seen_closes_a_remedy_and_closed_is_for_good(
    history: list[tuple[Seen, int]],
) -> None:
    remedy, now, seen_gone, transfers = a_remedy(), NOON, False, 0
    for seen, hours in history:
        now += timedelta(hours=hours)
        remedy, orders = remedy_step(remedy, seen, now)
        assert not (seen_gone and orders)
        seen_gone = seen_gone or isinstance(seen, (Gone, TransferDone))
        transfers += sum(isinstance(order, Transfer) for order in orders)

        assert (remedy.state is RemedyState.CLOSED) == seen_gone
        assert transfers <= 1
