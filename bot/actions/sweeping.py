"""Goes through everything that is pending, a page a transaction, when people or rules changed."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

from bot.actions import bulk_adding, deciding, rejudging, timers
from bot.actions.scene import Scene
from storage.work import Job, Queue
from workflows.freezing import LIFT, verdict_on_lifting
from workflows.lockout import CHANGE
from workflows.model import Outcome, Request
from workflows.plans import BulkAdd
from workflows.steps import Reassign, Recheck, Refused

REASSIGN = "sweep_reassign"  # find anew who decides: people left, moved, or lost a role
RECHECK = "sweep_recheck"  # judge by the new rules: stricter ends it, looser changes nothing
REASSIGN_FOR = "sweep_reassign_for"  # the same, for what waits for one person
KINDS = frozenset({REASSIGN, RECHECK, REASSIGN_FOR})
_ALL_NODES_KNOW = timedelta(seconds=5)
_PAGE = 100  # callbacks wait while a page is written


def start(scene: Scene, kind: str) -> None:
    """Have the clock go through what is pending.

    Other nodes follow a change within a second; what they still did by the old rules is found by
    going through it once more.
    """
    _next(scene, kind, "")
    if kind == RECHECK and len(scene.tx.nodes.living(scene.now)) > 1:
        _next(scene, kind, "", scene.now + _ALL_NODES_KNOW)


def start_for(scene: Scene, userid: str, at: datetime | None = None) -> None:
    """Have the clock find anew who decides what waits for one person, now or later."""
    _next(scene, REASSIGN_FOR, f"{userid.lower()}|", at)


def go_on(scene: Scene, kind: str, last: str) -> None:
    """Do one page, after the request `last`, and have the clock do the next."""
    userid, _, last = last.rpartition("|")
    after = scene.tx.requests.get(last) if last else None
    if kind == REASSIGN_FOR:
        page = scene.tx.requests.pending_for(userid, _PAGE, after)
    else:
        page = scene.tx.requests.pending(_PAGE, after)
    for request in page:
        with suppress(Refused):  # decided in the meantime
            new = deciding.advance(scene, request, _step(scene, kind, request))
            if kind == RECHECK:
                timers.arm(scene, new)  # other rules may call people sooner
    if len(page) == _PAGE:
        _next(scene, kind, f"{userid}|{page[-1].id}" if userid else page[-1].id)


def _next(scene: Scene, kind: str, last: str, due: datetime | None = None) -> None:
    at = due or scene.now
    key = f"{kind}:{last}@{at.isoformat()}"  # every change of people asks for its own sweep
    scene.tx.work.add([Job(Queue.TIMERS, kind, key, last, key, at)], scene.now)


def _step(scene: Scene, kind: str, request: Request) -> Reassign | Recheck:
    if kind != RECHECK:
        return Reassign()
    if request.action == CHANGE:  # it was compared with rules that are not in force any more
        return Recheck(replace(request.verdict, outcome=Outcome.DENY, policy=scene.policy.hash))
    verdict = rejudging.verdict_now(scene, request)
    if isinstance(request.plan, BulkAdd):
        verdict = bulk_adding.judged_again(scene, request)
    if request.action == LIFT:  # two people, whatever the rules say
        verdict = verdict_on_lifting(verdict, may_ask=True, book=scene.book)
    return Recheck(verdict, scene.book.chain_defaults.strictness)
