"""An approver gives a request to somebody else, or wants one more person to agree."""

from __future__ import annotations

from dataclasses import replace

from workflows import endings, voting
from workflows.approvers import ids_of, may_take_over, people_in, stage_of
from workflows.effects import TellRequester
from workflows.endings import Moved
from workflows.model import Group, Handed, Person, Request, State
from workflows.steps import AddApprover, HandOver, Refused
from workflows.voting import Here
from workflows.waivers import NEVER_WAIVED

MOST_ADDED = 5  # groups at one stage, those of the chain included where there are fewer


def give(request: Request, step: HandOver | AddApprover, here: Here) -> Moved:
    """Return the request with another approver at its present stage.

    Whoever may vote at this moment may do it. Raises Refused as for a vote, and `not_for_this`
    (only those of `on_no_approver` may be named, where who may do what is decided),
    `asked_already`, `cannot_decide` (not active, concerned, or has voted before), `is_away`,
    `added_enough`.
    """
    endings.expect(request, State.PENDING)
    by = voting.voter(request, step.by, here)
    to = _taker(request, step.to if isinstance(step, HandOver) else step.who, here)
    if isinstance(step, AddApprover):
        return _add(request, by, to, here)
    absent = voting.whose_place(request, by.userid, here)
    handed = Handed(request.stage, absent or by, to)
    moved = replace(request, handed=(*request.handed, handed))
    seated, effects = voting.seat(moved, here, "handed_over", by.name)
    if to.userid.lower() not in ids_of(seated.approvers) or seated is moved:
        raise Refused("cannot_decide", id=request.id, who=to.name)
    params = endings.params(seated, by.name) | {"taker": to.name}
    return seated, (*effects, TellRequester("request.handed_over", params))


def _add(request: Request, by: Person, to: Person, here: Here) -> Moved:
    stage, groups = stage_of(request), voting.groups_of(request, here)
    if len(groups) >= max(MOST_ADDED, len(stage.groups)):
        raise Refused("added_enough", id=request.id)
    wider = replace(stage, groups=(*groups, Group((f"user:{to.userid}",), 1)))
    chain = (*request.chain[: request.stage], wider, *request.chain[request.stage + 1 :])
    seated, effects = voting.seat(replace(request, chain=chain), here, "added", by.name)
    params = endings.params(seated, by.name) | {"taker": to.name}
    return seated, (*effects, TellRequester("request.approver_added", params))


def _taker(request: Request, userid: str, here: Here) -> Person:
    """Return who is to decide besides, or instead. Raises Refused for who cannot."""
    member = here.sources.directory.member(userid)
    name = member.name if member else userid
    if userid.lower() in ids_of(people_in(voting.panel_of(request, here))):
        raise Refused("asked_already", id=request.id, who=name)
    to = may_take_over(userid, request, here.sources)
    if to is None:
        raise Refused("cannot_decide", id=request.id, who=name)
    if to.userid.lower() in here.sources.away():
        raise Refused("is_away", id=request.id, who=to.name)
    standing_in = ids_of(voting.fallback_people(request, here))
    if request.action in NEVER_WAIVED and to.userid.lower() not in standing_in:
        raise Refused("not_for_this", id=request.id, who=to.name)
    return to
