"""Freezes in chat (冻结, 解冻): begun, told to everybody in their scope, and asked to be lifted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from bot.actions import deciding, freezes, granting, judging, reasons, tickets
from bot.actions.reviewing import is_admin
from bot.actions.scene import Scene
from bot.command_types import Freeze as Wish
from bot.texts import Text, joined
from workflows import approval, changing, freezing
from workflows.changing import TWO_KEYS
from workflows.claims import Claim
from workflows.directory import ACTIVE, Member
from workflows.freezing import LIFT, NEVER_FROZEN, Freeze, Scope
from workflows.model import (
    Facts,
    Origin,
    Outcome,
    Request,
    Stage,
    State,
    Subject,
    Ticket,
    Verdict,
    same_user,
)
from workflows.plans import Lifting
from workflows.steps import Refused, Revoke, Withdraw

_PAGE = 100  # callbacks wait while a page is written
_CONTROLLED = "breakglass:"  # decided by somebody who knew of the freeze


# Begun


def freeze(scene: Scene, userid: str, scope: Scope, name: str, wish: Wish) -> None:
    """Stop a scope at once, for a while: admins anything, supervisors a member of theirs.

    `name` is a member's userid, a department's name, or what an action is called. Raises Refused.
    """
    what, called = _named(scene, scope, name)
    below = scope is Scope.MEMBER and _is_below(scene, what, userid)
    if not below and not is_admin(scene, userid):
        raise Refused("freeze_not_yours")
    made = Freeze(
        id=_new_id(scene),
        scope=scope,
        what=what,
        name=called,
        by=userid,
        reason=wish.reason,
        since=scene.now,
        until=scene.now + wish.duration,
    )
    _expect_new(scene, made)
    scene.tx.freezes.add(made)
    scene.remind(freezes.END, made.id, made.until)
    member = what if scope is Scope.MEMBER else ""
    scene.record(
        "freeze.begun",
        who=(member, ""),
        freeze=made.id,
        scope=scope.value,
        what=what,
        until=made.until.isoformat(),
        reason=made.reason,
    )
    words = freezes.words(scene, made)
    scene.tell([userid], "freeze.begun", **words)
    others = [each for each in scene.standing.admins if not same_user(each, userid)]
    scene.tell(others, "freeze.announced", **words)
    freezes.tell_on(scene, made.id, freezes.BEGUN)
    revoke_tickets(scene, made.id)


def _named(scene: Scene, scope: Scope, name: str) -> tuple[str, str]:
    """Return what is meant, as a freeze keeps it, and what it is called. Raises Refused."""
    match scope:
        case Scope.EVERYTHING:
            return "", ""
        case Scope.MEMBER:
            return name, scene.person(name).name
        case Scope.DEPARTMENT:
            department = scene.directory.department_named(name)
            if department is None:
                raise Refused("unknown_department", what=name)
            return str(department.id), department.name
        case Scope.ACTION:
            action = granting.action_named(scene, name)
            if action in NEVER_FROZEN:
                raise Refused("freeze_never", action=scene.texts.action(action))
            return action, scene.company.action(action)


def _is_below(scene: Scene, member: str, userid: str) -> bool:
    return any(same_user(each, userid) for each in scene.directory.manager_of(member))


def _expect_new(scene: Scene, made: Freeze) -> None:
    """Raise Refused where the very same is frozen for as long already."""
    scene.tx.hold("freezes")
    for each in freezes.live(scene):
        same = (each.scope, each.what.lower()) == (made.scope, made.what.lower())
        if same and each.until >= made.until:
            raise Refused("frozen_already", freeze=each.id, until=each.until)


def _new_id(scene: Scene) -> str:
    while True:
        name = f"F-{scene.new_id()}"
        if scene.tx.freezes.get(name) is None:
            return name


def revoke_tickets(scene: Scene, freeze_id: str, after: str = "") -> None:
    """Take back a page of the open tickets that a freeze covers; the clock does the next."""
    found = scene.tx.freezes.get(freeze_id)
    if found is None or not freezing.is_live(found, scene.now):
        return
    page = scene.tx.tickets.all_open(_PAGE, after)
    for ticket in page:
        request = scene.tx.requests.get(ticket.request_id)
        if request is not None and _is_stopped(scene, found, request):
            _revoke(scene, found, ticket, request)
    if len(page) == _PAGE:
        scene.remind(freezes.TICKETS, f"{freeze_id}|{page[-1].state_key}", scene.now)


def _is_stopped(scene: Scene, found: Freeze, request: Request) -> bool:
    userid = request.requester.userid
    units = scene.directory.units_of(userid)
    covered = freezing.covers(found, request.action, userid, units)
    return covered and not request.decided_by.startswith(_CONTROLLED)


def _revoke(scene: Scene, found: Freeze, ticket: Ticket, request: Request) -> None:
    if request.state is State.EXECUTED:
        if not tickets.revoke(scene, request):
            return  # used this very moment: the add will be judged again
        words = {"id": request.id, "customer": request.subject.name}
        scene.tell([ticket.userid], "freeze.ticket_over", **(freezes.words(scene, found) | words))
        return
    comment = scene.company("freeze.comment", id=found.id)
    with suppress(Refused):  # carried out this very moment: the add will be judged again
        deciding.advance(scene, request, Revoke("system:freeze", comment))


# Told


def tell_scope(scene: Scene, freeze_id: str, what: str, last: str) -> None:
    """Tell a page of those in a freeze's scope that it has begun or ended; the clock goes on.

    The admins, and whoever froze, have been told by then.
    """
    found = scene.tx.freezes.get(freeze_id)
    if found is None or (what == freezes.BEGUN and not freezing.is_live(found, scene.now)):
        return
    if what == freezes.OVER and not last:
        for request in _waiting(scene, found):
            deciding.advance(scene, request, Withdraw("system:freeze"))
    told = {found.by.lower(), *(each.lower() for each in scene.standing.admins)}
    waiting = [m.userid for m in _in_scope(scene, found) if m.userid.lower() > last]
    page = waiting[:_PAGE]
    to = [userid for userid in page if userid.lower() not in told]
    scene.tell(to, f"freeze.{what}_for_you", **freezes.words(scene, found))
    if len(waiting) > _PAGE:
        freezes.tell_on(scene, freeze_id, what, page[-1].lower())


def _in_scope(scene: Scene, found: Freeze) -> Iterator[Member]:
    """Return the members whom a freeze stops, by userid; of an action, who might do it."""
    standing = scene.standing
    for key, member in sorted(scene.directory.members.items()):
        units = scene.directory.units_of(key)
        action = found.what if found.scope is Scope.ACTION else judging.ADD
        concerned = freezing.covers(found, action, key, units) and member.status == ACTIVE
        if concerned and found.scope is Scope.ACTION:
            concerned = standing.may(key, action) is not Outcome.DENY
        if concerned and found.scope is Scope.EVERYTHING:
            concerned = bool(standing.roles(key))
        if concerned:
            yield member


# Lifted


def lift(scene: Scene, userid: str, freeze_id: str | None) -> None:
    """Ask for a freeze to be ended before its time: somebody else has to agree. Raises Refused."""
    found = _meant(scene, userid, freeze_id)
    if found is None:
        return
    scene.tx.hold(f"freeze:{found.id}")
    draft = _draft(scene, userid, found)
    waiting = _waiting(scene, found)
    if waiting:
        who = tuple(person.name for person in approval.waiting_for(waiting[0]))
        words = {"id": waiting[0].id, "freeze": found.id, "who": who}
        scene.tell([userid], "freeze.lift_joined", **words)
        return
    request = deciding.open_request(scene, draft)
    words = {"id": request.id, "freeze": found.id}
    if request.state is State.PENDING:
        who = tuple(person.name for person in request.approvers)
        scene.tell([userid], "freeze.lift_pending", who=who, until=found.until, **words)
    else:
        why = reasons.why(scene, request)
        scene.tell([userid], "freeze.lift_denied", why=why, until=found.until, **words)


def _waiting(scene: Scene, found: Freeze) -> list[Request]:
    """Return the requests to end this freeze that nobody has decided, whoever made them."""
    pending = scene.tx.requests.pending_of(LIFT)
    return [each for each in pending if each.plan == Lifting(found.id)]


def _meant(scene: Scene, userid: str, freeze_id: str | None) -> Freeze | None:
    """Return the freeze that is named, or the only one there is; else list them."""
    live = freezes.live(scene)
    if freeze_id is not None:
        named = scene.tx.freezes.get(freeze_id)
        if named is None:
            raise Refused("unknown_freeze", id=freeze_id)
        if not freezing.is_live(named, scene.now):
            raise Refused("freeze_over", id=named.id)
        return named
    if len(live) == 1:
        return live[0]
    if not live:
        scene.tell([userid], "freeze.none")
        return None
    head = scene.mine("freeze.which", count=len(live))
    scene.answer(userid, joined([head, *_listed(scene, live)]))
    return None


def _listed(scene: Scene, live: list[Freeze]) -> Iterator[Text]:
    return (scene.mine("freeze.line", **freezes.words(scene, each)) for each in live)


def _draft(scene: Scene, userid: str, found: Freeze) -> Request:
    known: Facts = {**judging.acting(scene, userid), "request.reason": found.reason}
    if found.scope is Scope.MEMBER:
        known = {**known, "request.target": found.what}  # who is frozen has no say in it
    judged = judging.judge(scene, known, LIFT)
    may_ask = is_admin(scene, userid) or same_user(found.by, userid)
    verdict = freezing.verdict_on_lifting(judged, may_ask=may_ask, book=scene.book)
    name = scene.theirs("freeze.subject", **freezes.words(scene, found))
    return Request(
        id=scene.new_id(),
        action=LIFT,
        origin=Origin.ASKED,
        requester=scene.person(userid),
        subject=Subject(f"freeze:{found.id}", name),
        claim=Claim(reason=found.reason),
        facts=known,
        verdict=verdict,
        created_at=scene.now,
        chain=_chain(scene, verdict),
        plan=Lifting(found.id),
    )


def _chain(scene: Scene, verdict: Verdict) -> tuple[Stage, ...]:
    if verdict.chain != TWO_KEYS:
        return ()  # the chain that the verdict names
    able = len(scene.standing.admins)
    return (changing.second_key(scene.book, able, author_known=True),)
