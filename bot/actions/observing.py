"""What members did to their customers and WeCom tells of afterwards, judged like what is asked for.

Nothing of it can be undone by us: a refusal, or an approval that is wanted, is told to people.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from bot.actions import containing, deciding, judging, knowing
from bot.actions.performing import EDIT
from bot.actions.scene import Scene
from workflows.claims import Claim
from workflows.model import Facts, Origin, Outcome, Request, State, Subject
from workflows.strictest import strictest

_TOLD_AGAIN_AFTER = timedelta(hours=1)


def is_judged(scene: Scene, action: str) -> bool:
    """Whether the file has something to say of an action: a line of permissions or a rule."""
    usual = scene.book.defaults.mode
    ruled = (r for r in scene.book.rule if (r.mode or usual) == "enforce" and action in r.action)
    return action in scene.book.permissions or any(ruled)


def judge(
    scene: Scene,
    action: str,
    who: tuple[str, str],
    known: Iterable[Facts],
    instead_of: str = "",
) -> Request | None:
    """Judge what a member (`who`: userid, external_userid) did, and tell those concerned.

    Of several sets of facts the strictest verdict counts. What is allowed leaves no request.
    `instead_of` is the id of an earlier request about the very same.
    """
    sets = tuple(known)
    verdicts = [judging.judge(scene, each, action) for each in sets]
    at = strictest(scene.policy, verdicts)
    if verdicts[at].outcome is Outcome.ALLOW:
        return None
    userid, external = who
    request = Request(
        id=scene.new_id(),
        action=action,
        origin=Origin.OBSERVED,
        requester=scene.person(userid),
        subject=Subject(external, knowing.name_of(scene, external), external),
        claim=Claim(),
        facts=sets[at],
        verdict=verdicts[at],
        created_at=scene.now,
    )
    if _told_already(scene, request, instead_of):
        return None
    request = deciding.open_request(scene, request)
    if request.state is State.PENDING:
        containing.tell_of(scene, request)
    return request


def _told_already(scene: Scene, request: Request, instead_of: str) -> bool:
    """Whether the same waits for an answer, or an edit of the same was refused a moment ago."""
    if scene.tx.requests.open_by_key(request.key) is not None:
        return True
    if request.action != EDIT:
        return False
    who, external = request.requester.userid, request.subject.external_userid or ""
    last = scene.tx.requests.latest_for(who, external)
    if last is not None and last.id == instead_of:
        return False
    recent = last is not None and scene.now - last.created_at < _TOLD_AGAIN_AFTER
    return recent and last is not None and last.key == request.key


def judge_again(scene: Scene, request_id: str) -> None:
    """Judge by the rules of now what is not decided any more: stale, or its approval taken back."""
    stale = scene.tx.requests.get(request_id)
    external = stale.subject.external_userid if stale else None
    if stale is not None and external is not None:
        judge(scene, stale.action, (stale.requester.userid, external), [stale.facts], stale.id)
