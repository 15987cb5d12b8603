"""An approver asks the requester something before deciding, and the requester says more.

Votes stay, and so does the end of the time to decide; who asked may also decide without an answer.
"""

from __future__ import annotations

from dataclasses import replace

from workflows import endings, timing, voting
from workflows.effects import Tell, TellRequester
from workflows.endings import Moved
from workflows.model import Person, Question, Request, State, same_user
from workflows.steps import Refused, SendBack, Supplement
from workflows.voting import Here

MOST = 10  # questions and additions of one request: each is told to all who are asked


def ask(request: Request, step: SendBack | Supplement, here: Here) -> Moved:
    """Return the request with a question, or with what the requester says.

    Raises Refused as for a vote, and `not_yours`, `said_enough`.
    """
    endings.expect(request, State.PENDING)
    return (
        _question(request, step, here) if isinstance(step, SendBack) else _say(request, step, here)
    )


def _question(request: Request, step: SendBack, here: Here) -> Moved:
    by = voting.voter(request, step.by, here)
    _expect_room(request)
    asked = Question(request.stage, by, step.question, here.now)
    sent = replace(request, questions=(*request.questions, asked))
    params = endings.params(sent, by.name) | {"question": step.question}
    others = _others(request, by)
    told = (Tell(others, "request.sent_back_by", params),) if others else ()
    return sent, (TellRequester("request.sent_back", params), *told)


def _say(request: Request, step: Supplement, here: Here) -> Moved:
    if not same_user(step.by, request.requester.userid):
        raise Refused("not_yours", id=request.id)
    if request.due_at is not None and here.now >= request.due_at:
        raise Refused("expired", id=request.id, when=request.due_at)
    answered = tuple(
        replace(q, answer=step.text, answered_at=here.now) if q.answered_at is None else q
        for q in request.questions
    )
    if not timing.is_sent_back(request):
        _expect_room(request)
        more = Question(request.stage, request.requester, "", here.now, step.text, here.now)
        answered = (*answered, more)
    said = replace(request, questions=answered)
    params = endings.params(said, request.requester.name) | {"text": step.text}
    waiting = voting.waiting_for(said)
    return said, ((Tell(waiting, "request.supplemented", params),) if waiting else ())


def _expect_room(request: Request) -> None:
    if len(request.questions) >= MOST:
        raise Refused("said_enough", id=request.id)


def _others(request: Request, by: Person) -> tuple[Person, ...]:
    return tuple(p for p in voting.waiting_for(request) if not same_user(p.userid, by.userid))
