"""为什么: how a decision came about, short for the member, line by line for admins."""

from __future__ import annotations

from bot.actions import queries, reasons
from bot.actions.scene import Scene
from bot.actions.voting import find
from bot.advice import Adviser
from bot.texts import Text, joined
from workflows import nearest, policy
from workflows.model import Origin, Outcome, Request, State, TraceLine, same_user
from workflows.steps import Refused

_LONGEST = 40  # lines: a chat message holds 2048 bytes
_EFFORT = 1_000  # decisions: somebody waits for the answer, and others for the database


def why(scene: Scene, userid: str, request_id: str) -> None:
    """Explain a request's verdict to somebody who has a part in it. Raises Refused."""
    request = find(scene, request_id)
    if not queries.concerns(scene, userid, request):
        raise Refused("not_for_you")
    is_admin = scene.standing.may(userid, "config.change") is not Outcome.DENY
    is_own = same_user(request.requester.userid, userid)
    said = [short(scene, request)]
    if (is_admin or is_own) and not request.state.is_allowed:
        said += nearest_line(scene, request, guarded=not is_admin)
    if is_admin:
        said += trace(scene, request)
    elif is_own and (what := _what_next(request)):
        said.append(scene.mine(scene.variant(f"why.next.{what}", request), id=request.id))
    scene.answer(userid, joined(said))


def _what_next(request: Request) -> str:
    """Return the name of what the requester can do now; empty if there is nothing."""
    outcome = request.verdict.outcome
    if outcome is not Outcome.APPROVAL or request.state is State.PENDING:
        return outcome.word
    if request.origin is not Origin.ASKED:
        return ""
    match request.state:
        case State.DENIED:
            return "refused"
        case State.EXPIRED | State.WITHDRAWN | State.REVOKED | State.STALE:
            return "again"
        case _:
            return ""


def short(scene: Scene, request: Request) -> Text:
    """Return the verdict and what the deciding rules say."""
    return scene.mine(
        "why.short",
        id=request.id,
        customer=request.subject.name,
        outcome=request.verdict.outcome,
        why=reasons.why(scene, request),
        state=request.state,
    )


def nearest_line(scene: Scene, request: Request, *, guarded: bool) -> list[Text]:
    """Return what would have been enough by the present rules, in one line; none where the rules
    are not what is in the way.

    A `guarded` line is for the requester: it tells nothing that colleagues know of the customer.
    """
    if request.verdict.outcome is Outcome.ALLOW or request.verdict.overruled:
        return []
    found = nearest.nearest(
        scene.policy, request.facts, request.action, request.created_at, effort=_EFFORT
    )
    adviser = Adviser(scene.texts, scene.book, request.created_at, scene.now, guarded)
    return [adviser.line(found)]


def trace(scene: Scene, request: Request) -> list[Text]:
    """Return every permission, rule and leaf with the value it saw, judged by the present rules."""
    if request.verdict.policy != scene.policy.hash:
        note = scene.mine("why.other_rules", then=request.verdict.policy, now=scene.policy.hash)
    else:
        note = scene.mine("why.same_rules", now=scene.policy.hash)
    again = policy.decide(
        scene.policy, request.facts, request.action, request.created_at, traced=True
    )
    lines = [_line(scene, each) for each in again.trace[:_LONGEST]]
    return [note, *lines]


def _line(scene: Scene, line: TraceLine) -> Text:
    words = {"sign": line.sign, "place": line.place, "note": line.note}
    # Put together by the catalogue itself: in a worded text, what is empty reads "none".
    said = scene.texts("why.line", indent=Text("　" * line.depth), **words)
    return Text(said.rstrip(" "))
