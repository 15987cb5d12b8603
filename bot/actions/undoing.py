"""反悔: an approval is taken back for a moment, with whatever it has brought about.

What WeCom gives back is done at once and undone: a ticket, a mark. So is what is Menwei's own: a
permission, a freeze, a version of the rules. What WeCom does not give back is held for so long
(`carrying`) and then not ordered. See docs/how-it-works.md.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta

from bot.actions import (
    carrying,
    containing,
    deciding,
    freezes,
    grants,
    rulebooks,
    tickets,
    versions,
    waiving,
)
from bot.actions.performing import ONLY_TOLD
from bot.actions.scene import Scene
from bot.texts import Text
from storage.candidates import Candidate
from storage.requests import Overtaken
from workflows import undoing
from workflows.lockout import CHANGE
from workflows.model import Origin, Request, State, TicketState
from workflows.plans import (
    BulkAdd,
    Export,
    Granting,
    Joining,
    Lifting,
    Tagging,
    TakeOver,
    Transfer,
)
from workflows.schedules import parse_pause
from workflows.steps import Refused, Revoke, TakeBack

_OFFERED = frozenset({State.APPROVED, State.EXECUTED})


def take_back(scene: Scene, userid: str, request_id: str) -> None:
    """Take back the approval one has just given, unless it is beyond recall. Raises Refused."""
    request = _held(scene, deciding.find(scene, request_id))
    undoing.check(request, userid, window(scene), scene.now)
    _undo(scene, userid, request)
    done = _step(scene, userid, request)
    if done.origin is Origin.OBSERVED and not isinstance(done.plan, Joining):
        _hold_again(scene, done)
    _end_waivers(scene, userid, done)
    scene.tell([userid], "undo.taken_back", id=done.id, customer=done.subject.name)


def _held(scene: Scene, request: Request) -> Request:
    """Return a request that nobody else takes back, and no list works on, until this is over."""
    scene.tx.hold(f"undo:{request.id}")
    if isinstance(request.plan, BulkAdd):
        scene.tx.hold(f"asks:{request.requester.userid.lower()}")
        scene.tx.hold(f"list:{request.id}")
    return deciding.find(scene, request.id)


def _step(scene: Scene, userid: str, request: Request) -> Request:
    """Take the step; whoever carries it out may have moved the request until just now."""
    try:
        now = deciding.find(scene, request.id)
        return deciding.advance(scene, now, TakeBack(userid, window(scene)))
    except Refused as refused:  # what was undone must not stay undone without it: all over again
        raise RuntimeError(f"{request.id} moved while it was taken back") from refused


def _undo(scene: Scene, userid: str, request: Request) -> None:
    """Undo what it has brought about before anything is written. Raises Refused if that cannot be.

    Lists, and what has happened in WeCom, follow from the step itself.
    """
    plan = request.plan
    if isinstance(plan, Transfer | TakeOver | Tagging | Export):
        if not carrying.call_off(scene, request):
            raise Refused("undo_done", id=request.id)
    elif request.state is State.EXECUTED and request.action == CHANGE:
        _roll_back(scene, userid, request)
    elif request.state is State.EXECUTED and isinstance(plan, Granting):
        grants.taken_back(scene, userid, request, plan)
    elif request.state is State.EXECUTED and isinstance(plan, Lifting):
        if not freezes.resume(scene, plan.freeze, request):
            raise Refused("undo_done", id=request.id)
    elif plan is None and request.origin is Origin.ASKED and request.action != CHANGE:
        _void_ticket(scene, request)


def _void_ticket(scene: Scene, request: Request) -> None:
    ticket = scene.tx.tickets.of_request(request.id)
    if ticket is not None and ticket.state is TicketState.USED:
        raise Refused("undo_used", id=request.id)
    if tickets.live(scene, request) and not tickets.revoke(scene, request):
        raise Overtaken(request.id)  # it has just been made, or used


def _roll_back(scene: Scene, userid: str, request: Request) -> None:
    """Put the version in force again that the approved one has replaced, as a rollback does."""
    scene.tx.hold("policies")
    version = scene.tx.candidates.get(versions.hash_in(request))
    former = scene.tx.policies.get(version.base) if version is not None else None
    if version is None or former is None or version.hash != scene.tx.policies.active_hash():
        raise Refused("undo_rules_moved", id=request.id)
    if versions.locks_out(scene, former.text):
        raise Refused("undo_locks_out", id=request.id)
    reason = scene.company("undo.reason", id=request.id)
    again = Candidate(former.hash, former.text, userid, reason, scene.now, base=version.hash)
    rulebooks.put_in_force(scene, again, rulebooks.ROLLED_BACK)


def _hold_again(scene: Scene, request: Request) -> None:
    """Hold a relation until it is judged again; one whose refusal stands again is held as such."""
    if not request.appeal_of and request.action not in ONLY_TOLD:
        containing.hold_again(scene, request)


def _end_waivers(scene: Scene, userid: str, request: Request) -> None:
    """What was approved in advance with this approval goes with it."""
    for waiver in scene.tx.waivers.given_by(userid):
        if waiver.request_id == request.id:
            waiving.revoke(scene, userid, waiver.id)


def carry_out(scene: Scene, request_id: str) -> None:
    """Order what was held back, now that nobody can take the approval back any more.

    A freeze that has begun meanwhile stops it.
    """
    request = scene.tx.requests.get(request_id)
    if request is None or request.state is not State.APPROVED:
        return
    found = freezes.covering(scene, request.requester.userid, request.action)
    if found:
        comment = scene.company("freeze.comment", id=found[-1].id)
        with suppress(Refused):
            deciding.advance(scene, request, Revoke("system:freeze", comment))
    elif isinstance(request.plan, Transfer | TakeOver | Tagging | Export):
        carrying.order(scene, request, request.plan)


# Told


def window(scene: Scene) -> timedelta:
    """Return for how long an approval can be taken back; zero is not at all."""
    return parse_pause(scene.book.chain_defaults.undo_window)


def hint(scene: Scene, userid: str, request: Request) -> Text | None:
    """Return how somebody can take back the approval just given; None if they cannot."""
    if not _is_offered(scene, userid, request):
        return None
    return _said(scene, "undo.offer", id=request.id)


def hint_for_each(scene: Scene, userid: str, requests: Iterable[Request]) -> Text | None:
    """Return the same for several that were approved together."""
    if not any(_is_offered(scene, userid, each) for each in requests):
        return None
    return _said(scene, "undo.offer_each")


def _is_offered(scene: Scene, userid: str, request: Request) -> bool:
    can = undoing.may(request, userid, window(scene), scene.now)
    return can and request.state in _OFFERED


def _said(scene: Scene, text: str, **words: object) -> Text:
    seconds = int(window(scene).total_seconds())
    unit = "seconds" if seconds < 120 else "minutes"
    return scene.mine(f"{text}_{unit}", seconds=seconds, minutes=seconds // 60, **words)
