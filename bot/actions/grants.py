"""Temporary permissions: what a member holds, how a grant is made, and how it ends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot.actions import changes
from bot.actions.scene import Scene
from bot.texts import Text
from bot.wording import Action
from workflows import grants
from workflows.attributes import ABOUT_RIGHTS
from workflows.grants import Ending, Grant
from workflows.model import Answer, Outcome, Person, Request, same_user
from workflows.permissions import Change
from workflows.plans import Granting
from workflows.policy import permission
from workflows.steps import Executed, ExecutionFailed, Refused

EXPIRY = "grant_expiry"
REMINDER = "grant_reminder"
OUTLIVED = "grant_outlived"  # look at what was allowed by a grant that is over


def held(scene: Scene, userid: str) -> frozenset[str]:
    """Return the actions that are lent to a member at this moment."""
    return grants.held(scene.tx.grants.of_member(userid), scene.now) - ABOUT_RIGHTS


def listed(scene: Scene, userid: str) -> list[Text]:
    """Return one line for each permission that is lent to a member, with its end."""
    mine = [each for each in scene.tx.grants.of_member(userid) if grants.is_live(each, scene.now)]
    return [
        scene.mine(
            "rights.lent",
            action=Action(each.action),
            outcome=permission(scene.book, each.action, None, frozenset({each.action})),
            until=each.until,
        )
        for each in mine
    ]


# Made


def expect_lender(scene: Scene, userid: str, request: Request) -> None:
    """Raise Refused where this approval would lend what nobody who agreed may do themselves."""
    plan = request.plan
    if not isinstance(plan, Granting) or request.stage < len(request.chain) - 1:
        return
    if not _lenders(scene, plan.action, [*_agreed(request), scene.person(userid)]):
        raise Refused("grant_beyond_you", id=request.id, action=scene.texts.action(plan.action))


def perform(scene: Scene, request: Request) -> Executed | ExecutionFailed:
    """Make the grant of an approved request, if what was approved is still possible."""
    plan = request.plan
    if not isinstance(plan, Granting):
        raise TypeError(f"{request.id} asks for no permission")
    if hindrance := _hindrance(scene, request, plan):
        return ExecutionFailed(hindrance)
    scene.tx.hold(f"grants:{plan.userid.lower()}")
    before = _may(scene, plan.userid, plan.action)
    most = scene.book.grants.most
    made = grants.grant_of(request, _new_id(scene), scene.now, most)
    grant = replace(made, name=scene.person(plan.userid).name)
    for older in scene.tx.grants.for_action(plan.userid, plan.action):
        if older.until <= grant.until:
            _close(scene, older, Ending.REPLACED)
    scene.tx.grants.add(grant)
    scene.remind(EXPIRY, grant.id, grant.until)
    scene.remind(REMINDER, grant.id, grants.remind_at(grant))
    _note_begin(scene, grant, request, before)
    return Executed()


def _hindrance(scene: Scene, request: Request, plan: Granting) -> Text | None:
    words = {"who": scene.person(plan.userid).name, "action": Action(plan.action)}
    if not scene.directory.active((plan.userid,)):
        return scene.theirs("grant.cannot.gone", **words)
    if not _lenders(scene, plan.action, _agreed(request)):
        return scene.theirs("grant.cannot.lend", **words)
    return None


def _agreed(request: Request) -> list[Person]:
    """Return who stands behind a grant: who agreed, and who asked unless it is for themselves."""
    agreed = [vote.by for vote in request.votes if vote.answer is Answer.APPROVE]
    plan = request.plan
    own = isinstance(plan, Granting) and same_user(plan.userid, request.requester.userid)
    return agreed if own else [request.requester, *agreed]


def _lenders(scene: Scene, action: str, people: Iterable[Person]) -> list[Person]:
    """Return who of these people may do the action by level, and so may lend it."""
    standing, book = scene.standing, scene.book
    return [each for each in people if grants.may_lend(book, action, standing.level(each.userid))]


def _new_id(scene: Scene) -> str:
    while True:
        name = f"G-{scene.new_id()}"
        if scene.tx.grants.get(name) is None:
            return name


def _may(scene: Scene, userid: str, action: str) -> Outcome:
    """Return what the permission table says to a member with what is lent to them now."""
    return permission(scene.book, action, scene.standing.level(userid), held(scene, userid))


def _note_begin(scene: Scene, grant: Grant, request: Request, before: Outcome) -> None:
    scene.record(
        "grant.given",
        request,
        grant=grant.id,
        member=grant.userid,
        action=grant.action,
        by=grant.given_by,
        until=grant.until.isoformat(),
        reason=grant.reason,
    )
    words = _words(scene, grant) | {"what": _changed(scene, grant, before, cause="grant.given")}
    scene.tell([grant.userid], "grant.received", **words)
    if same_user(grant.given_by, request.requester.userid):  # an approver hears it as such
        scene.tell([grant.given_by], "grant.given", **words)
    _tell_others(scene, grant, "grant.given", "grant.announced", words)


def _words(scene: Scene, grant: Grant) -> dict[str, object]:
    return {
        "member": grant.name,
        "giver": scene.person(grant.given_by).name,
        "action": Action(grant.action),
        "until": grant.until,
        "reason": grant.reason,
    }


def _changed(scene: Scene, grant: Grant, before: Outcome, *, cause: str) -> Text:
    """Record what a member may do differently now, and return it as admins are told."""
    after = _may(scene, grant.userid, grant.action)
    if before is after:
        return scene.company("grant.no_change")
    scene.record(
        "permissions.changed",
        who=(grant.userid, ""),
        cause=cause,
        actions=[f"{grant.userid} {grant.action}: {before.word} → {after.word}"],
    )
    return changes.worded(scene, (Change(grant.userid, grant.action, before, after),), ())


def _tell_others(
    scene: Scene, grant: Grant, kind: str, text: str, words: dict[str, object]
) -> None:
    """Tell whom the file names for this news, or the admins, unless they have been told."""
    told = {grant.userid.lower(), grant.given_by.lower()}
    named = scene.listeners(kind) or scene.standing.admins
    scene.tell([each for each in named if each.lower() not in told], text, **words)


# Ended


def taken_back(scene: Scene, userid: str, request: Request, plan: Granting) -> None:
    """End the grant of a request whose approval is taken back; what it replaced counts again."""
    scene.tx.hold(f"grants:{plan.userid.lower()}")
    for grant in scene.tx.grants.for_action(plan.userid, plan.action):
        if grant.request_id != request.id:
            continue
        for older in scene.tx.grants.ended_early(grant.userid, grant.action, scene.now):
            replaced = (older.ended_because, older.ended_at) == (Ending.REPLACED, grant.since)
            if replaced and scene.tx.grants.reopen(grants.resumed(older)):
                scene.record("grant.resumed", grant=older.id, until=older.until.isoformat())
        end(scene, grant.id, Ending.REVOKED, by=userid)


def end(scene: Scene, grant_id: str, why: Ending, by: str = "") -> bool:
    """End a grant, and tell everybody concerned; False if it is over already."""
    grant = scene.tx.grants.get(grant_id)
    if grant is None:
        return False
    scene.tx.hold(f"grants:{grant.userid.lower()}")
    # As it was until now, though its time may be over: that is what changes.
    before = permission(scene.book, grant.action, None, frozenset({grant.action}))
    if not _close(scene, grant, why):
        return False
    words = _words(scene, grant) | {"who": scene.person(by).name if by else ""}
    words["what"] = _changed(scene, grant, before, cause="grant.ended")
    if why is not Ending.LEFT:
        scene.tell([grant.userid], f"grant.{why}_yours", **words)
    scene.tell([grant.given_by], f"grant.{why}", **words)
    _tell_others(scene, grant, "grant.ended", f"grant.{why}", words)
    scene.remind(OUTLIVED, f"{grant.userid}|{grant.action}", scene.now)
    return True


def _close(scene: Scene, grant: Grant, why: Ending) -> bool:
    if not scene.tx.grants.change(grants.ended(grant, why, scene.now)):
        return False
    request = scene.tx.requests.get(grant.request_id)
    scene.record(
        "grant.ended",
        request,
        grant=grant.id,
        member=grant.userid,
        action=grant.action,
        because=why.value,
    )
    return True


def expire(scene: Scene, grant_id: str) -> bool:
    """End a grant whose time is over; False if it is too early."""
    grant = scene.tx.grants.get(grant_id)
    if grant is not None and scene.now < grant.until:
        return grant.ended_because is not None
    end(scene, grant_id, Ending.EXPIRED)
    return True


def remind(scene: Scene, grant_id: str) -> None:
    """Tell a member that what is lent to them will soon end, unless it is over."""
    grant = scene.tx.grants.get(grant_id)
    if grant is not None and grants.is_live(grant, scene.now):
        scene.tell([grant.userid], "grant.soon", **_words(scene, grant))


def leave(scene: Scene, userid: str) -> None:
    """End what was lent to a leaver."""
    for grant in scene.tx.grants.of_member(userid):
        end(scene, grant.id, Ending.LEFT)
