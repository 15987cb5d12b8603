"""The engine's emergency allow: by an admin, with a reason, and never past what is final."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.makers_approval import NOON, a_request, after, kinds, moved, opened
from workflows import endings
from workflows.effects import TellRequester
from workflows.model import Origin, Request, State
from workflows.steps import Approve, Executed, Override, Refused, Revoke

ALLOWED = Override("zhao", "客户在现场")


def test_it_allows_what_waits_and_says_who_did_it_and_why() -> None:
    request = opened(a_request())

    allowed, effects = moved(request, ALLOWED)

    assert (allowed.state, allowed.decided_by) == (State.APPROVED, "breakglass:zhao")
    assert (allowed.comment, allowed.decided_at) == ("客户在现场", NOON)
    assert allowed.votes == ()
    assert kinds(effects) == ["CloseCards", "TellRequester", "Perform"]
    assert effects[1] == TellRequester("request.approved_in_emergency", endings.params(allowed))
    assert endings.who_decided(allowed) == "breakglass:zhao"


@pytest.mark.parametrize("userid", ["lin", "LIN"])
def test_the_requester_never_lets_it_through(userid: str) -> None:
    with pytest.raises(Refused, match="own_request"):
        moved(opened(a_request()), Override(userid, "x"))


def test_nor_does_the_person_it_is_for() -> None:
    request = opened(a_request(facts={"request.target": "zhao"}))
    with pytest.raises(Refused, match="own_request"):
        moved(request, ALLOWED)


def test_it_needs_a_reason() -> None:
    with pytest.raises(Refused, match="comment_needed"):
        moved(opened(a_request()), Override("zhao", "  "))


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([s for s in State if s is not State.PENDING]), st.sampled_from(Origin))
def test_what_is_decided_stays_so(state: State, origin: Origin) -> None:
    decided: Request = replace(opened(a_request(origin=origin)), state=state, decided_at=NOON)
    with pytest.raises(Refused, match="already_decided"):
        moved(decided, ALLOWED)


def test_afterwards_it_is_carried_out_or_taken_back_like_any_other() -> None:
    request = after(opened(a_request()), ALLOWED)
    assert after(request, Executed()).state is State.EXECUTED
    assert after(request, Revoke("system:leaver")).state is State.REVOKED
    with pytest.raises(Refused, match="already_decided"):
        after(request, Approve("Wang", "card"))
