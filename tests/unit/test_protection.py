"""For how long a report keeps a customer for whoever made it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.makers_storage import NOON, a_request
from workflows.model import Origin, State, Ticket, TicketState
from workflows.plans import BulkAdd
from workflows.protection import Report, Standing, standing
from workflows.sections_protection import Protection

DAY = timedelta(days=1)
MONTH = 30 * DAY
REPORT = Report(1, "planned:p1", "A7K2", "lina", NOON)


def a_standing(
    state: State,
    ticket: TicketState | None = None,
    *,
    period: timedelta | None = MONTH,
    later: timedelta = DAY,
    **changes: Any,
) -> Standing | None:
    request = a_request(origin=Origin.ASKED, state=state, **changes)
    issued = Ticket("mw-1", "A7K2", "lina", ticket, NOON + 3 * DAY) if ticket else None
    return standing(REPORT, request, issued, period, NOON + later)


@pytest.mark.parametrize(
    ("state", "ticket"),
    [
        (State.PENDING, None),
        (State.APPROVED, None),
        (State.APPROVED, TicketState.ISSUING),
        (State.EXECUTION_FAILED, TicketState.ISSUING),
        (State.EXECUTED, TicketState.OPEN),
        (State.EXECUTED, TicketState.EXPIRED),
    ],
)
def test_a_report_protects_from_the_moment_it_is_made(
    state: State, ticket: TicketState | None
) -> None:
    found = a_standing(state, ticket)

    assert found
    assert found.until == NOON + MONTH
    assert found.is_protected


@pytest.mark.parametrize(
    ("state", "ticket"),
    [
        (State.DENIED, None),
        (State.WITHDRAWN, None),
        (State.SUPERSEDED, None),
        (State.STALE, None),
        (State.EXPIRED, None),
        (State.REVOKED, TicketState.REVOKED),
        (State.EXECUTED, TicketState.REVOKED),
        (State.EXECUTED, TicketState.USED),
    ],
)
def test_what_was_refused_taken_back_or_used_protects_nothing(
    state: State, ticket: TicketState | None
) -> None:
    assert a_standing(state, ticket) is None


def test_protection_ends_to_the_moment() -> None:
    executed = (State.EXECUTED, TicketState.EXPIRED)

    assert a_standing(*executed, later=MONTH - timedelta(milliseconds=1))
    assert a_standing(*executed, later=MONTH) is None


def test_without_a_period_a_report_counts_while_its_ticket_can_be_used_and_protects_nothing() -> (
    None
):
    found = a_standing(State.EXECUTED, TicketState.OPEN, period=None)

    assert found
    assert not found.is_protected
    assert a_standing(State.EXECUTED, TicketState.EXPIRED, period=None) is None


def test_what_has_happened_already_is_no_report() -> None:
    request = a_request(origin=Origin.OBSERVED, state=State.PENDING)

    assert standing(REPORT, request, None, MONTH, NOON) is None


def test_a_list_keeps_places_only_until_it_is_decided() -> None:
    assert a_standing(State.PENDING, plan=BulkAdd(()))
    assert a_standing(State.EXECUTED, plan=BulkAdd(())) is None


@given(
    st.sampled_from(State),
    st.none() | st.sampled_from(TicketState),
    st.none() | st.timedeltas(timedelta(), 400 * DAY),
    st.timedeltas(timedelta(), 400 * DAY),
)
def test_nothing_but_a_pending_request_outlasts_its_period(
    state: State, ticket: TicketState | None, period: timedelta | None, later: timedelta
) -> None:
    found = a_standing(state, ticket, period=period, later=later)

    if found and period is not None and later >= period:
        assert state is State.PENDING


def test_the_section_is_off_unless_it_names_a_period() -> None:
    assert Protection().lasts is None
    assert Protection(period="30d").lasts == MONTH
