"""Standing approvals (免批): given with a vote, used in an approver's place, listed and ended.

The approver hears of the first uses of a day, one short line each; of later ones that day only the
count in the list tells.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from bot.actions import colleagues, freezes
from bot.actions.judging import start_of_day
from bot.actions.scene import Scene
from bot.texts import Text, joined
from bot.wecom import cut_characters
from bot.wording import Action, Actor, Words
from workflows import waivers
from workflows.approvers import ids_of
from workflows.model import Person, Request, same_user
from workflows.steps import Approve, Refused
from workflows.waivers import Case, Ending, Terms, Waiver

EXPIRY = "waiver_expiry"
VIA = "waiver"
_TOLD_A_DAY = 5
_SHOWN, _COUNTED = 6, 500  # of each part of the list: three parts fit a message
_LONGEST_NAME = 12


def offered(scene: Scene, request: Request) -> Terms | None:
    """Return the most that may be approved in advance with this request; None for not at all."""
    limits = scene.book.standing_approvals
    is_member = scene.directory.active((request.requester.userid,))
    if not (limits.enabled and is_member and waivers.may_be_waived(request)):
        return None
    return Terms(limits.most_days, limits.most_uses)


def agreed(scene: Scene, request: Request, days: int | None, uses: int | None) -> Terms:
    """Return the terms somebody wants, the most where they name none. Raises Refused."""
    if not scene.book.standing_approvals.enabled:
        raise Refused("waiver_off")
    most = offered(scene, request)
    if most is None:
        raise Refused("waiver_not_for_this", id=request.id)
    wanted = Terms(days or most.days, uses or most.uses)
    if wanted.days > most.days or wanted.uses > most.uses:
        raise Refused("waiver_too_much", days=most.days, uses=most.uses)
    return wanted


def give(scene: Scene, userid: str, request: Request, terms: Terms) -> None:
    """Let an approver's yes to a request count for the same ones to come; all concerned hear."""
    waiver = Waiver(
        id=_new_id(scene),
        requester=request.requester,
        approver=scene.person(userid),
        case=waivers.case_of(request),
        request_id=request.id,
        given_at=scene.now,
        expires_at=scene.now + timedelta(days=terms.days),
        uses=terms.uses,
    )
    scene.tx.hold(f"waivers:{userid.lower()}")
    for older in scene.tx.waivers.given_by(userid):
        if older.case == waiver.case:
            _end(scene, older.id, Ending.REPLACED)
    scene.tx.waivers.add(waiver)
    scene.remind(EXPIRY, waiver.id, waiver.expires_at)
    scene.record(
        "waiver.given",
        request,
        waiver=waiver.id,
        approver=waiver.approver.userid,
        uses=waiver.uses,
        until=waiver.expires_at.isoformat(),
        rules=sorted(waiver.case.rules),
        chain=waiver.case.chain,
    )
    words = _words(waiver) | {"uses": waiver.uses, "until": waiver.expires_at}
    scene.tell([userid], "waiver.given", **words)
    scene.tell([waiver.requester.userid], "waiver.received", **words)
    told = (userid.lower(), waiver.requester.userid.lower())
    others = [each for each in scene.listeners("waiver.given") if each.lower() not in told]
    scene.tell(others, "waiver.announced", **words)


def _new_id(scene: Scene) -> str:
    while True:
        name = f"W-{scene.new_id()}"
        if scene.tx.waivers.get(name) is None:
            return name


def _words(waiver: Waiver) -> dict[str, object]:
    return {
        "id": waiver.id,
        "request": waiver.request_id,
        "requester": waiver.requester.name,
        "approver": waiver.approver.name,
        "what": _what(waiver.case),
    }


def _what(case: Case) -> Words:
    words = {
        "action": Action(case.action),
        "origin": Words(f"origin.{case.origin.value}"),
        "rules": tuple(sorted(case.rules)),
    }
    return Words("waiver.what", words)


# Used


def fitting(scene: Scene, request: Request, people: Iterable[Person]) -> list[Waiver]:
    """Return the waivers of these people that cover a request, held until this step is over."""
    if not scene.book.standing_approvals.enabled:
        return []
    if freezes.covering(scene, request.requester.userid, request.action):
        return []  # every one is looked at by a person
    asked = ids_of(people)
    found = scene.tx.waivers.open_for(request.requester.userid, request.action)
    mine = sorted(each.id for each in found if each.approver.userid.lower() in asked)
    held = (_held(scene, waiver_id) for waiver_id in mine)
    return [each for each in held if each and waivers.covers(each, request, scene.now)]


def _held(scene: Scene, waiver_id: str) -> Waiver | None:
    """Return a waiver that nobody else can use or end until this step is over."""
    scene.tx.hold(f"waiver:{waiver_id}")
    return scene.tx.waivers.get(waiver_id)


def answer(scene: Scene, waiver: Waiver, *, with_comment: bool) -> Approve:
    """Return the approval that was given in advance; where words are needed, they name it."""
    said = str(scene.company("waiver.comment", id=waiver.id)) if with_comment else ""
    return Approve(waiver.approver.userid, VIA, said, waiver)


def count(scene: Scene, waiver: Waiver, request: Request) -> None:
    """Write down that a waiver has answered; whoever gave it hears of it, and of its end."""
    used = waivers.used(waiver, scene.now)
    if not scene.tx.waivers.change(used):
        raise RuntimeError(f"{waiver.id} was not held when it was used")
    actor = f"waiver:{waiver.id}"
    scene.record("waiver.used", request, actor=actor, waiver=waiver.id, left=used.left)
    today = [each for each in used.used_at if each >= start_of_day(scene)]
    if len(today) <= _TOLD_A_DAY:
        about = {"request": request.id, "customer": request.subject.name, "left": used.left}
        scene.tell([used.approver.userid], "waiver.used", **(_words(used) | about))
    if used.ending is not None:
        _note_end(scene, used)


# Ended


def revoke(scene: Scene, userid: str, waiver_id: str) -> None:
    """End a waiver early: whoever gave it may, and every admin. Raises Refused."""
    waiver = scene.tx.waivers.get(waiver_id)
    if waiver is None:
        raise Refused("unknown_waiver", id=waiver_id)
    may = (waiver.approver.userid, *scene.standing.admins)
    if not any(same_user(each, userid) for each in may):
        raise Refused("waiver_not_yours", id=waiver.id, who=waiver.approver.name)
    if not waivers.is_live(waiver, scene.now) or not _end(scene, waiver.id, Ending.REVOKED, userid):
        raise Refused("waiver_over", id=waiver.id)


def expire(scene: Scene, waiver_id: str) -> bool:
    """End a waiver whose time is over; False if it is too early."""
    waiver = scene.tx.waivers.get(waiver_id)
    if waiver is not None and scene.now < waiver.expires_at:
        return waiver.ending is not None
    _end(scene, waiver_id, Ending.EXPIRED)
    return True


def leave(scene: Scene, userid: str) -> None:
    """End what a leaver has given and what was given to them."""
    repository = scene.tx.waivers
    for waiver in (*repository.given_by(userid), *repository.enjoyed_by(userid)):
        _end(scene, waiver.id, Ending.LEFT, userid)


def _end(scene: Scene, waiver_id: str, why: Ending, by: str = "") -> bool:
    """End a waiver that has not ended; False if it has."""
    waiver = _held(scene, waiver_id)
    if waiver is None or waiver.ending is not None:
        return False
    over = waivers.ended(waiver, why, scene.now)
    if not scene.tx.waivers.change(over):
        return False
    _note_end(scene, over, by)
    return True


def _note_end(scene: Scene, waiver: Waiver, by: str = "") -> None:
    """Record the end and tell both sides, but not somebody who has left."""
    why, used = waiver.ending or "", len(waiver.used_at)
    request = scene.tx.requests.get(waiver.request_id)
    scene.record("waiver.ended", request, waiver=waiver.id, because=str(why), used=used)
    if why is Ending.REPLACED:
        return  # the newer one is told
    sides = (waiver.approver, waiver.requester)
    who = next((p.name for p in sides if same_user(p.userid, by)), scene.person(by).name)
    gone = {by.lower()} if why is Ending.LEFT else set()
    to = [each.userid for each in sides if each.userid.lower() not in gone]
    scene.tell(to, f"waiver.{why}", **(_words(waiver) | {"who": who, "used": used}))


# Shown


def show(scene: Scene, userid: str) -> None:
    """List what a member has given and enjoys; an admin sees everybody's."""
    repository = scene.tx.waivers
    given, enjoyed = repository.given_by(userid), repository.enjoyed_by(userid)
    parts = {"given": given, "enjoyed": enjoyed}
    if colleagues.is_admin(scene, userid):
        own = {each.id for each in (*given, *enjoyed)}
        everybody = repository.in_force(_COUNTED)
        parts["others"] = [each for each in everybody if each.id not in own]
    lines = [line for part, found in parts.items() for line in _listed(scene, part, found)]
    if not lines:
        scene.tell([userid], "waiver.none")
        return
    scene.answer(userid, joined([*lines, scene.mine("waiver.foot")]))


def _listed(scene: Scene, part: str, found: Iterable[Waiver]) -> list[Text]:
    live = [each for each in found if waivers.is_live(each, scene.now)]
    lines = [
        scene.mine(
            "waiver.line",
            left=each.left,
            uses=each.uses,
            until=each.expires_at,
            **(_words(each) | _short_names(each)),
        )
        for each in live[:_SHOWN]
    ]
    return [scene.mine(f"waiver.head_{part}", count=len(live)), *lines] if lines else []


def _short_names(waiver: Waiver) -> dict[str, object]:
    sides = {"requester": waiver.requester, "approver": waiver.approver}
    return {side: cut_characters(who.name, _LONGEST_NAME) for side, who in sides.items()}


def named(scene: Scene, actor: str) -> Actor:
    """Return an actor of the record; a waiver with the name of whoever gave it."""
    kind, _, waiver_id = actor.partition(":")
    found = scene.tx.waivers.get(waiver_id) if kind == "waiver" else None
    return Actor(f"{actor}:{found.approver.name}" if found else actor)
