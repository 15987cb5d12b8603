"""Somebody has left, or was disabled: who hears of it, what else ends, and what is kept of them.

The directory forgets a leaver, so who stood above them is written down; those people and the admins
may hand their customers over. Once WeCom shows these as without a member, what is on file between
them is ended, page by page: somebody who gets the same userid later inherits nothing, and somebody
who was only out of the app's sight loses no customer.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.actions import containing, unassigned
from bot.actions.scene import Scene
from bot.wording import Lines, Words
from workflows import leaving
from workflows.directory import ACTIVE, Directory
from workflows.leaving import LEFT, Leaver
from workflows.model import Containment, Person, State, same_user

_PAGE = 200  # relations in one transaction
_COUNTED = 500  # requests looked through
_STANDING = frozenset({State.APPROVED, State.EXECUTION_FAILED})

Ends = Mapping[str, int]  # what ends, by the name of its line in the message


def what_ends(scene: Scene, userid: str) -> Ends:
    """Return what a leaver still has: called before it is taken from them."""
    tx = scene.tx
    mine = [each.state for each in tx.requests.by_requester(userid, _COUNTED)]
    return {
        "withdrawn": mine.count(State.PENDING),
        "revoked": sum(state in _STANDING for state in mine),
        "tickets": len(tx.tickets.open_of(userid)),
        "grants": len(tx.grants.of_member(userid)),
        "waivers": len(tx.waivers.given_by(userid)) + len(tx.waivers.enjoyed_by(userid)),
        "handed_on": tx.requests.count_pending_for(userid),
        "away": int(tx.absences.get(userid) is not None),
    }


def begin(scene: Scene, userid: str, before: Directory, ends: Ends) -> None:
    """Keep what is needed of a leaver, end what names them, and tell who stood above them."""
    old = before.member(userid)
    person = Person(old.userid, old.name) if old else Person(userid, userid)
    deputies = _end_deputies(scene, person)
    scene.tx.drafts.drop(userid)
    managers = before.manager_of(userid)
    counts: dict[str, Any] = {
        **ends,
        "deputies": deputies,
        "customers": scene.tx.relations.count_of_member(userid),
    }
    scene.record("member.ended", who=(userid, ""), left=_has_left(scene, userid), **counts)
    lines = [Words(f"leaving.ended.{what}", {"count": n}) for what, n in counts.items() if n]
    what = Lines(tuple(lines or [Words("leaving.ended.nothing")]))
    key = "leaving.left" if _has_left(scene, userid) else "leaving.disabled"
    scene.tell(_told(scene, managers), key, who=person.name, what=what)
    if _has_left(scene, userid):
        _keep(scene, person, managers, leaving.above(before, userid))


def compare(scene: Scene, before: Directory) -> None:
    """Take note of those who leave after their account was disabled for a while, and of those who
    have got the userid of somebody else.
    """
    for userid, member in scene.directory.members.items():
        left = scene.tx.leavers.latest(userid) if userid not in before.members else None
        if left is not None and left.person.name != member.name:
            unassigned.end_relations_of(scene, left)
    for old in before.members.values():
        if old.status not in {ACTIVE, LEFT} and _has_left(scene, old.userid):
            scene.record("member.left", who=(old.userid, ""))
            person, managers = Person(old.userid, old.name), before.manager_of(old.userid)
            scene.tell(_told(scene, managers), "leaving.left_at_last", who=person.name)
            _keep(scene, person, managers, leaving.above(before, old.userid))


def _has_left(scene: Scene, userid: str) -> bool:
    """Whether somebody is gone for good; a disabled account keeps its customers."""
    member = scene.directory.member(userid)
    return member is None or member.status == LEFT


def _told(scene: Scene, managers: tuple[str, ...]) -> tuple[str, ...]:
    return scene.directory.active((*managers, *scene.standing.admins))


def _keep(scene: Scene, person: Person, managers: tuple[str, ...], above: tuple[str, ...]) -> None:
    scene.tx.leavers.put(Leaver(person, scene.now, managers, above))
    unassigned.read_soon(scene)


def _end_deputies(scene: Scene, gone: Person) -> int:
    """End the absences that name a leaver as deputy; who is away hears that nobody stands in."""
    named = [
        each
        for each in scene.tx.absences.in_force(scene.now)
        if same_user(each.delegate.userid, gone.userid)
    ]
    for each in named:
        scene.tx.absences.drop(each.person.userid)
        scene.record("absence.ended", who=(each.person.userid, ""), because="deputy_left")
        to = scene.directory.active([each.person.userid])
        scene.tell(to, "leaving.deputy", who=gone.name, until=each.until)
    return len(named)


def end_relations(scene: Scene, body: str) -> None:
    """End a page of a leaver's relations as they stood when they left."""
    userid, at, after = body.split("|")
    left_at = datetime.fromisoformat(at)
    page = scene.tx.relations.page_of_member(userid, _PAGE, after)
    scene.tx.hold(*(f"customer:{each.external_userid}" for each in page))
    for each in page:
        old = scene.tx.relations.get(userid, each.external_userid) or each  # as it is by now
        ended = leaving.ended(old, left_at)
        if ended is not old:
            scene.tx.relations.put(ended)
            containing.gone(scene, ended, transferred=False)
    if len(page) == _PAGE:
        name = f"{userid}|{at}|{page[-1].external_userid}"
        scene.remind(unassigned.RELATIONS, name, scene.now)


def was_held(scene: Scene, userid: str, external_userid: str) -> bool:
    """Whether a leaver had a customer without being allowed to."""
    old = scene.tx.relations.get(userid, external_userid)
    return old is not None and old.containment is not Containment.NONE


TIMERS = {unassigned.RELATIONS: end_relations}
