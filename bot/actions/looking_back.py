"""What was decided before: for whoever decides now, and for whoever waits for them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from math import ceil
from statistics import median

from bot.actions import capacity, disputes
from bot.actions.scene import Scene
from bot.texts import Text
from bot.wecom import cut_characters
from bot.wording import Actor, Lines, Words
from storage.precedents import Precedent
from workflows import timing
from workflows.approvers import ids_of
from workflows.model import Person, Request, State

_MONTH = timedelta(days=30)
_SHOWN = 3
_ENOUGH = 3  # answers, before somebody's usual time is told
_ROUND = timedelta(minutes=5)
_LONGEST_NAME = 10
_UNDECIDED = frozenset({State.PENDING, State.WITHDRAWN, State.SUPERSEDED, State.STALE})
_BY_HAND = timedelta(seconds=1)  # what took less was approved in advance


def evidence(scene: Scene, request: Request) -> tuple[Text, ...]:
    """Return what speaks for or against: how it went before, refusals, who else is concerned."""
    before = scene.tx.precedents.of_requester(request.requester.userid, request.created_at)
    alike = [each for each in before if _is_like(each, request)][:_SHOWN]
    refused = sum(_was_refused(each, scene) for each in before)
    told = list(disputes.evidence(scene, request))
    if alike:
        told.append(scene.theirs("evidence.alike", what=Lines(tuple(map(_one, alike)), "; ")))
    if refused:
        told.append(scene.theirs("evidence.refused", count=refused))
    if room := capacity.evidence(scene, request):
        told.append(room)
    return (*told, *_said(scene, request))


def _is_like(earlier: Precedent, request: Request) -> bool:
    same_rules = frozenset(earlier.verdict.rules) == frozenset(request.verdict.rules)
    decided = earlier.state not in _UNDECIDED and earlier.decided_by.partition(":")[0] != "policy"
    return earlier.action == request.action and same_rules and decided


def _was_refused(earlier: Precedent, scene: Scene) -> bool:
    at = earlier.decided_at or earlier.created_at
    return earlier.state is State.DENIED and at >= scene.now - _MONTH


def _one(earlier: Precedent) -> Words:
    words = {
        "customer": cut_characters(earlier.subject.name, _LONGEST_NAME),
        "state": State.APPROVED if earlier.state is State.EXECUTED else earlier.state,
        "when": earlier.decided_at or earlier.created_at,
    }
    return Words("evidence.one", words)


def _said(scene: Scene, request: Request) -> Iterable[Text]:
    """Yield the refusal an appeal is about, and what was asked back and answered."""
    refused = scene.tx.requests.get(request.appeal_of) if request.appeal_of else None
    if refused is not None:
        yield scene.theirs(
            "evidence.appeal",
            id=refused.id,
            who=tuple(person.name for person in request.barred),
            when=refused.decided_at,
            comment=refused.comment,
            reason=refused.claim.reason,
        )
    for each in request.questions:
        if each.text:
            yield scene.theirs("evidence.question", who=Actor(each.by.name), what=each.text)
        if each.answer:
            yield scene.theirs("evidence.answer", who=request.requester.name, what=each.answer)


def usual_times(scene: Scene, people: Iterable[Person]) -> Mapping[str, timedelta]:
    """Return, by lower-case userid, how long approvers usually take, in the chains' hours.

    The median of the last 30 days, rounded up; who has hardly answered anything is left out.
    """
    wanted = ids_of(people)
    if not wanted:
        return {}
    clock = timing.of(scene.policy).clock
    found: dict[str, timedelta] = {}
    for userid, answers in scene.tx.precedents.answers(wanted, scene.now - _MONTH).items():
        spans = [clock.between(asked, at) for asked, at in answers if at - asked > _BY_HAND]
        if len(spans) >= _ENOUGH:
            usual = median(span / _ROUND for span in spans)
            found[userid] = _ROUND * max(1, ceil(usual))
    return found
