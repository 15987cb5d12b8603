"""Emergency allow (紧急放行): an admin lets one request through alone; told, and reviewed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.actions import deciding, judging, knowing, reviewing, voting
from bot.actions.scene import Scene
from workflows.approvers import concerned
from workflows.attributes import ABOUT_RIGHTS, ONLY_OBSERVED
from workflows.containment import is_gone
from workflows.model import Facts, Origin, Person, Relation, Request, State
from workflows.steps import Override, Refused

DRAFT = "breakglass"
_CONFIRMED_WITHIN = timedelta(minutes=5)
_REFUSED = frozenset({State.DENIED, State.EXPIRED, State.STALE, State.REVOKED})
_NEVER = ABOUT_RIGHTS | ONLY_OBSERVED
_POSSIBLE = _REFUSED | {State.PENDING}


def begin(scene: Scene, userid: str, request_id: str, reason: str) -> None:
    """Ask an admin whether they mean it. Raises Refused."""
    request = _allowable(scene, userid, request_id)
    due = scene.now + _CONFIRMED_WITHIN
    scene.tx.drafts.put(userid, DRAFT, f"{request.id}|{reason}", due)
    words = {"id": request.id, "subject": request.subject.name}
    requester, action = request.requester.name, scene.texts.action(request.action)
    scene.tell([userid], "breakglass.confirm", requester=requester, action=action, **words)


def confirm(scene: Scene, userid: str, request_id: str) -> None:
    """Let the request through that was named a moment ago. Raises Refused."""
    draft = scene.tx.drafts.get(userid, scene.now)
    named, _, reason = draft.body.partition("|") if draft and draft.kind == DRAFT else ("", "", "")
    if named != request_id.upper():
        raise Refused("breakglass_nothing", id=request_id)
    scene.tx.drafts.drop(userid)
    request = _allowable(scene, userid, request_id)
    step = Override(scene.person(userid).userid, reason)
    if request.state is State.PENDING:
        deciding.advance(scene, request, step)
        allowed = request.id
    else:
        allowed = _anew(scene, request, step).id
    _announce(scene, scene.person(userid), request, allowed, reason)


def _allowable(scene: Scene, userid: str, request_id: str) -> Request:
    """Return the request, or raise Refused if this person cannot let it through."""
    if not reviewing.is_admin(scene, userid):
        raise Refused("admins_only")
    request = voting.find(scene, request_id)
    if request.action in _NEVER or request.origin is Origin.SYSTEM:
        raise Refused("breakglass_never", id=request.id, action=scene.texts.action(request.action))
    if userid.lower() in concerned(request):
        raise Refused("breakglass_own", id=request.id)
    if request.state not in _POSSIBLE:
        raise Refused("breakglass_not_now", id=request.id, state=request.state.value)
    if not scene.directory.active((request.requester.userid,)):
        raise Refused("breakglass_left", id=request.id, who=request.requester.name)
    if request.state is not State.PENDING:
        _expect_undone(scene, request)
    return request


def _expect_undone(scene: Scene, request: Request) -> None:
    """Raise Refused where a refused request is no longer what it is about."""
    newer = scene.tx.requests.open_by_key(request.key)
    if newer is not None:
        raise Refused("breakglass_newer", id=request.id, newer=newer.id)
    if request.origin is Origin.OBSERVED and _relation(scene, request) is None:
        raise Refused("breakglass_gone", id=request.id, customer=request.subject.name)


def _relation(scene: Scene, request: Request) -> Relation | None:
    """Return the relation that a request about an add governs, if it still exists."""
    external = request.subject.external_userid
    found = knowing.relation(scene, request.requester.userid, external) if external else None
    governed = found is not None and found.request_id == request.id and not is_gone(found)
    return found if governed else None


def _anew(scene: Scene, former: Request, step: Override) -> Request:
    """Open the refused request once more, allowed. What is final stays final.

    It keeps the verdict of the rules of now: that somebody allowed it is in who decided.
    """
    known = _facts(scene, former)
    request = Request(
        id=scene.new_id(),
        action=former.action,
        origin=former.origin,
        requester=former.requester,
        subject=former.subject,
        claim=former.claim,
        facts=known,
        verdict=judging.judge(scene, known, former.action),
        created_at=scene.now,
        plan=former.plan,
    )
    relation = _relation(scene, former)
    if relation is not None:
        scene.tx.relations.put(replace(relation, request_id=request.id))
    return deciding.open_request(scene, request, step)


def _facts(scene: Scene, former: Request) -> Facts:
    """Return what is known now; of other actions than adds, what was known of their subject."""
    userid, external = former.requester.userid, former.subject.external_userid
    if former.action != judging.ADD:
        return {**former.facts, **judging.acting(scene, userid)}
    relation = _relation(scene, former)
    if relation is not None:
        return judging.happened(scene, relation, former)
    customer = scene.tx.relations.customer(external) if external else None
    return judging.planned(scene, userid, former.claim, customer)


def _announce(scene: Scene, by: Person, request: Request, allowed: str, reason: str) -> None:
    """Record it, tell all admins at once, and open the review."""
    new = voting.find(scene, allowed)
    scene.record("breakglass.used", new, former=request.id, reason=reason)
    words = {
        "id": new.id,
        "who": by.name,
        "requester": request.requester.name,
        "subject": request.subject.name,
        "reason": reason,
    }
    scene.tell([by.userid], "breakglass.done", **words)
    named = [*scene.standing.admins, *scene.listeners("breakglass.used")]
    others = [each for each in named if each.lower() != by.userid.lower()]
    scene.tell(others, "breakglass.announced", **words)
    reviewing.open_for(scene, new.id)
