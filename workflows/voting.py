"""Takes votes at the present stage of a request, and finds whom to ask at the next one."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from workflows import endings, waivers
from workflows.approvers import (
    Panel,
    Sources,
    can_fill,
    concerned,
    delegates_of_concerned,
    ids_of,
    on_behalf,
    people_in,
    resolve,
    stage_of,
    unreachable,
    with_stand_ins,
)
from workflows.effects import (
    AskApprovers,
    CloseCards,
    CloseCardsOf,
    Effect,
    NobodyCanDecide,
    Perform,
    TellRequester,
)
from workflows.endings import Moved
from workflows.model import Answer, Group, Person, Request, State, Vote, same_user
from workflows.steps import Approve, Deny, Refused
from workflows.waivers import Waiver


@dataclass(frozen=True, slots=True)
class Here:
    """How things stand at the moment of a step."""

    sources: Sources
    fallback: tuple[str, ...]  # sources of `on_no_approver`
    now: datetime


def take_vote(
    request: Request, step: Approve | Deny, here: Here, comment_needed: frozenset[Answer]
) -> Moved:
    """Return the request after an answer: ended, one stage further, or waiting for others.

    A refusal ends it at the deny quorum, or as soon as those who have not refused are too few.
    An approval of somebody who meanwhile lost the role no longer counts for the stage. A yes given
    in advance counts only where its waiver covers the request at this moment.
    """
    endings.expect(request, State.PENDING)
    given = step.waiver if isinstance(step, Approve) else None
    if given is not None and not _answers(given, step.by, request, here.now):
        raise Refused("waiver_void", id=given.id)
    panel = panel_of(request, here)
    answer = Answer.APPROVE if isinstance(step, Approve) else Answer.DENY
    person = voter(request, step.by, here)
    if answer in comment_needed and not step.comment.strip():
        raise Refused("comment_needed", id=request.id)
    by_waiver = given.id if given else ""
    absent = whose_place(request, person.userid, here)
    via = "delegate" if absent else step.via
    left_out = step.left_out if isinstance(step, Approve) else ()
    vote = Vote(
        request.stage, person, answer, here.now, via, step.comment, by_waiver, absent, left_out
    )
    voted = replace(request, votes=(*request.votes, vote))
    if answer is Answer.DENY and _is_refused(voted, panel, here):
        return endings.close(voted, State.DENIED, f"user:{person.userid}", here.now, step.comment)
    if answer is Answer.APPROVE and can_fill(
        groups_of(voted, here), panel, _voters(voted, Answer.APPROVE)
    ):
        return _pass(voted, vote, here)
    seated, effects = seat(voted, here)
    return seated, (CloseCardsOf((person,)), *effects)


def _answers(given: Waiver, userid: str, request: Request, now: datetime) -> bool:
    return same_user(given.approver.userid, userid) and waivers.covers(given, request, now)


def voter(request: Request, userid: str, here: Here) -> Person:
    """Return the person who may vote now, by today's roles and not by those of the card.

    Raises Refused with the reason for everybody else.
    """
    if request.due_at is not None and here.now >= request.due_at:
        raise Refused("expired", id=request.id, when=request.due_at)
    if userid.lower() in concerned(request):
        raise Refused("own_request", id=request.id)
    if userid.lower() in delegates_of_concerned(request, here.sources):
        raise Refused("acts_for_requester", id=request.id, who=request.requester.name)
    if userid.lower() in ids_of(request.barred):
        raise Refused("decided_before", id=request.id, appeal_of=request.appeal_of)
    repeat = stage_of(request).repeat
    for vote in request.votes:
        if vote.stage == request.stage and same_user(vote.by.userid, userid):
            raise Refused("voted_already", id=request.id, when=vote.at)
        if vote.stage < request.stage and not repeat and userid.lower() in _counted(vote):
            raise Refused("voted_already", id=request.id, when=vote.at)
    for person in people_in(panel_of(request, here)):
        if same_user(person.userid, userid):
            return person
    asked = tuple(person.name for person in waiting_for(request))
    if userid.lower() in here.sources.away():
        raise Refused("you_are_away", id=request.id, who=asked)
    raise Refused("not_an_approver", id=request.id, who=asked)


def whose_place(request: Request, userid: str, here: Here) -> Person | None:
    """Return the absent approver in whose place somebody may decide; None in their own right."""
    groups = (*groups_of(request, here), Group(request.called))
    if request.fallback:
        groups = (*groups, Group(here.fallback))
    return on_behalf(userid, groups, request, here.sources)


def _counted(vote: Vote) -> frozenset[str]:
    """Return, in lower case, for whom a vote stands: the voter, and in whose place it was given."""
    return ids_of((vote.by, vote.on_behalf) if vote.on_behalf else (vote.by,))


def _is_refused(request: Request, panel: Panel, here: Here) -> bool:
    """Whether refusals reached the deny quorum, or leave too few people to reach approval."""
    refusing = _voters(request, Answer.DENY)
    if len(refusing) >= max(1, stage_of(request).deny):
        return True
    return not can_fill(groups_of(request, here), panel, ids_of(people_in(panel)) - refusing)


def _pass(request: Request, vote: Vote, here: Here) -> Moved:
    following = request.stage + 1
    if following >= len(request.chain):
        by = f"waiver:{vote.waiver}" if vote.waiver else f"user:{vote.by.userid}"
        decided = endings.end(request, State.APPROVED, by, here.now, vote.comment)
        text = "request.approved_in_advance" if vote.waiver else "request.approved"
        told = TellRequester(text, endings.params(decided))
        return decided, (CloseCards(), told, Perform())
    entered, effects = enter(request, following, here)
    params = endings.params(request, endings.said_by(vote)) | {
        "stage": following + 1,
        "stages": len(request.chain),
    }
    return entered, (CloseCards(), TellRequester("request.next_stage", params), *effects)


def enter(request: Request, stage: int, here: Here) -> Moved:
    """Begin a stage and ask its approvers."""
    begun = replace(
        request,
        stage=stage,
        approvers=(),
        fallback=False,
        stage_at=here.now,
        reminded_at=None,
        rung=0,
        called=(),
        called_at=None,
    )
    return seat(begun, here)


def seat(request: Request, here: Here, why: str = "", by: str = "") -> Moved:
    """Ask those who may decide now and were not asked yet; at a dead end the fallback people too.

    Once called in, the fallback people keep their say until the stage ends. `why` and `by` say to
    those newly asked why it is them.
    """
    seated = request
    if _is_dead_end(request, panel_of(request, here), here):
        seated = replace(request, fallback=True)
    panel = panel_of(seated, here)
    seated = replace(seated, approvers=people_in(panel))
    unchanged = ids_of(seated.approvers) == ids_of(request.approvers)
    if unchanged and seated.fallback == request.fallback:
        return request, ()
    return seated, _cards(request, seated, why, by) + _alarm(seated, panel, here)


def _cards(old: Request, new: Request, why: str, by: str) -> tuple[Effect, ...]:
    voted, before, after = _voters(new), ids_of(old.approvers), ids_of(new.approvers)
    dropped = tuple(p for p in old.approvers if p.userid.lower() not in after | voted)
    added = tuple(p for p in new.approvers if p.userid.lower() not in before | voted)
    closing: tuple[Effect, ...] = (CloseCardsOf(dropped),) if dropped else ()
    return (*closing, AskApprovers(new.stage, added, why, by)) if added else closing


def _alarm(request: Request, panel: Panel, here: Here) -> tuple[Effect, ...]:
    return (NobodyCanDecide(request.stage),) if _is_dead_end(request, panel, here) else ()


def panel_of(request: Request, here: Here) -> Panel:
    """Return who may decide at this moment: the stage's own people, and who was called in."""
    groups = groups_of(request, here)
    panel = resolve(groups, request, here.sources)
    if request.fallback:
        missing = unreachable(people_in(panel), here.sources)
        panel = with_stand_ins(groups, panel, fallback_people(request, here), missing)
    if request.called:
        (called,) = resolve((Group(request.called),), request, here.sources)
        panel = tuple(people_in((people, called)) for people in panel)
    return panel


def groups_of(request: Request, here: Here) -> tuple[Group, ...]:
    """Return the stage's groups; one that names none is decided by the fallback people."""
    return stage_of(request).groups or (Group(here.fallback),)


def fallback_people(request: Request, here: Here) -> tuple[Person, ...]:
    """Return whom `on_no_approver` names for this request."""
    return people_in(resolve((Group(here.fallback),), request, here.sources))


def _is_dead_end(request: Request, panel: Panel, here: Here) -> bool:
    """Whether these people cannot pass the stage, however they vote from now on.

    Who is away without anybody to act for them is not counted on.
    """
    away = unreachable(people_in(panel), here.sources) - _voters(request)
    willing = ids_of(people_in(panel)) - _voters(request, Answer.DENY) - away
    nobody_left = not willing - _voters(request)
    return nobody_left or not can_fill(groups_of(request, here), panel, willing)


def waiting_for(request: Request) -> tuple[Person, ...]:
    """Return who was asked at the present stage and has not answered; () once it is decided."""
    if request.state is not State.PENDING:
        return ()
    voted = _voters(request)
    return tuple(p for p in request.approvers if p.userid.lower() not in voted)


def _voters(request: Request, answer: Answer | None = None) -> frozenset[str]:
    """Return, in lower case, who voted at the present stage, or who gave this answer."""
    votes = (v for v in request.votes if v.stage == request.stage)
    return frozenset(v.by.userid.lower() for v in votes if answer in (None, v.answer))
