"""Owners hear that colleagues want their customers, once a day for each customer at most."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.actions import conflicts, disputes, judging, knowing
from bot.actions.scene import Scene
from bot.wording import Lines, Words
from workflows.facts import FOLLOWING
from workflows.model import Outcome, Relation, Request, same_user
from workflows.owners import TELL_EVERY, Notice
from workflows.protection import Report

TELL = "owner_tell"
_MORNING = timedelta(days=1, hours=9)  # what the rules refused at once can wait until then
_LOOKED_BACK = timedelta(days=7)
_NAMED = 10


def soon(scene: Scene, request: Request, owners: Iterable[Relation]) -> None:
    """Have owners told of a request, together with what else there is to tell by then."""
    refused = request.verdict.outcome is Outcome.DENY
    for owner in owners:
        notice = scene.tx.owners.notice(owner.userid, owner.external_userid)
        free = notice.told_at + TELL_EVERY if notice else scene.now
        due = judging.start_of_day(scene) + _MORNING if refused else scene.now
        scene.remind(TELL, f"{owner.userid}|{owner.external_userid}", max(due, free))


def tell(scene: Scene, name: str) -> None:
    """Tell an owner of all whom they have not heard of, unless they were told today already."""
    userid, _, external = name.partition("|")
    scene.tx.hold(f"owner:{userid.lower()}|{external}")
    relation = scene.tx.relations.get(userid, external)
    told = scene.tx.owners.notice(userid, external)
    if relation is None or relation.state not in FOLLOWING:
        return
    if told and scene.now < told.told_at + TELL_EVERY:
        scene.remind(TELL, name, told.told_at + TELL_EVERY)
        return
    news = _untold(scene, relation, told.last_report if told else 0)
    if not news or not scene.directory.active([userid]):
        return
    lines = [_line(scene, request) for _, request in news[:_NAMED]]
    customer = knowing.name_of(scene, external)
    scene.tell([userid], "owner.told", customer=customer, what=Lines(tuple(lines)))
    scene.tx.owners.told(Notice(userid, external, scene.now, max(each.seq for each, _ in news)))
    for _, request in news:
        scene.record("owner.told", request, owner=userid)


def _untold(scene: Scene, relation: Relation, last: int) -> list[tuple[Report, Request]]:
    """Return who has wanted a customer since the owner heard of it last, each request once."""
    customer = scene.tx.relations.customer(relation.external_userid)
    relations = conflicts.relations_of(scene, customer)
    since = _since(scene, relation)
    found: dict[str, tuple[Report, Request]] = {}
    for key in conflicts.keys_of(customer, None, relations):
        for report in scene.tx.reports.of_key(key, since):
            request = scene.tx.requests.get(report.request_id)
            own = same_user(report.userid, relation.userid)
            if request is not None and request.plan is None and not own and report.seq > last:
                found[request.id] = (report, request)
    return sorted(found.values(), key=lambda each: each[0].seq)


def _since(scene: Scene, relation: Relation) -> datetime:
    long_ago = scene.now - _LOOKED_BACK
    return max(long_ago, relation.added_at) if relation.added_at else long_ago


def _line(scene: Scene, request: Request) -> Words:
    words = {
        "who": disputes.full(scene, request.requester.userid),
        "id": request.id,
        "state": request.state,
        "when": request.created_at,
    }
    return Words(f"owner.told_line_{request.origin.value}", words)
