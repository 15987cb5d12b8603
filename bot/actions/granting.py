"""Temporary permissions in chat (临时授权): asked for, given, taken back; what follows the end."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from bot.actions import deciding, grants, judging, queries, reasons, tickets
from bot.actions.scene import Scene
from workflows import approval
from workflows import grants as lending
from workflows.approvers import people_in, resolve
from workflows.attributes import ACTIONS
from workflows.claims import Claim
from workflows.grants import Ending
from workflows.model import Origin, Outcome, Person, Request, Stage, State, Subject, same_user
from workflows.plans import Granting
from workflows.policy import decide, permission
from workflows.steps import Refused, Revoke, Supersede, Withdraw

_PAGE = 500


def action_named(scene: Scene, word: str) -> str:
    """Return the action of a name in either language, or of its key. Raises Refused."""
    wanted = _folded(word)
    for key, action in ACTIONS.items():
        shown = (scene.texts.action(key), scene.company.action(key))
        if wanted in {_folded(name) for name in (key, action.zh, action.en, *shown)}:
            return key
    names = tuple(scene.texts.action(each) for each in _lent(scene))
    raise Refused("unknown_action", what=word, names=names)


def _folded(word: str) -> str:
    return "".join(word.split()).casefold()


def _lent(scene: Scene) -> list[str]:
    return [each for each in scene.book.permissions if lending.can_be_lent(scene.book, each)]


# Asked for and given


def ask(scene: Scene, userid: str, action: str, lasts: timedelta, reason: str) -> None:
    """A member asks for a permission for themselves. Raises Refused."""
    submit(scene, userid, Granting(userid, action_named(scene, action), lasts), reason)


def give(scene: Scene, userid: str, wish: Granting, reason: str) -> None:
    """Somebody gives a member below them a permission they have themselves. Raises Refused."""
    plan = replace(wish, action=action_named(scene, wish.action))
    if same_user(plan.userid, userid):
        submit(scene, userid, plan, reason)  # to oneself is asking
        return
    if not queries.may_see(scene, userid, plan.userid):
        raise Refused("grant_not_yours", who=scene.person(plan.userid).name)
    _expect_possible(scene, plan)
    if not lending.may_lend(scene.book, plan.action, scene.standing.level(userid)):
        raise Refused("grant_not_held", action=scene.texts.action(plan.action))
    submit(scene, userid, plan, reason)


def submit(scene: Scene, userid: str, plan: Granting, reason: str) -> None:
    """Judge a grant by the rules and put it on file. Raises Refused where it makes no sense."""
    _expect_possible(scene, plan)
    _expect_gain(scene, plan)
    scene.tx.hold(f"rights:{userid.lower()}")
    draft = _draft(scene, userid, plan, reason)
    if _joins(scene, draft):
        return
    request = deciding.open_request(scene, draft)
    words = {"id": request.id, "subject": request.subject.name}
    if request.state is State.PENDING:
        who = tuple(person.name for person in request.approvers)
        scene.tell([userid], "grant.pending", who=who, due=request.due_at, **words)
    elif request.state is State.DENIED:
        scene.tell([userid], "grant.denied", why=reasons.why(scene, request), **words)


def _expect_possible(scene: Scene, plan: Granting) -> None:
    """Raise Refused for what nobody can lend, or not for so long, or not to this member."""
    book = scene.book
    if not lending.can_be_lent(book, plan.action):
        raise Refused("grant_never", action=scene.texts.action(plan.action))
    if plan.lasts > book.grants.most:
        raise Refused("grant_too_long", most=scene.texts.span(book.grants.most))
    if not scene.directory.active((plan.userid,)):
        raise Refused("grant_to_nobody", who=scene.person(plan.userid).name)


def _expect_gain(scene: Scene, plan: Granting) -> None:
    """Raise Refused where the member may do it anyway, or has it for as long already."""
    who, action = scene.person(plan.userid).name, scene.texts.action(plan.action)
    lent = permission(scene.book, plan.action, None, frozenset({plan.action}))
    if scene.standing.may(plan.userid, plan.action) <= lent:
        raise Refused("grant_needless", who=who, action=action)
    held = scene.tx.grants.for_action(plan.userid, plan.action)
    longest = max((each.until for each in held), default=scene.now)
    if longest >= scene.now + plan.lasts:
        raise Refused("grant_held_longer", who=who, action=action, until=longest)


def _draft(scene: Scene, userid: str, plan: Granting, reason: str) -> Request:
    own = same_user(plan.userid, userid)
    known = {**judging.acting(scene, userid), **lending.facts_of(plan, reason)}
    judged = judging.judge(scene, known, lending.ACTION)
    draft = Request(
        id=scene.new_id(),
        action=lending.ACTION,
        origin=Origin.ASKED,
        requester=scene.person(userid),
        subject=_subject(scene, plan),
        claim=Claim(reason=reason),
        facts=known,
        verdict=lending.verdict_on(judged, own=own, book=scene.book),
        created_at=scene.now,
        plan=plan,
    )
    return replace(draft, chain=_chain(scene, draft)) if own else draft


def _subject(scene: Scene, plan: Granting) -> Subject:
    name = scene.company(
        "grant.subject",
        who=scene.person(plan.userid).name,
        action=scene.company.action(plan.action),
        span=scene.company.span(plan.lasts),
    )
    return Subject(f"grant:{plan.userid.lower()}:{plan.action}", name)


def _chain(scene: Scene, draft: Request) -> tuple[Stage, ...]:
    """Return the chain of the verdict, completed where none of its people could lend the action:
    then somebody is asked as well who can.
    """
    if draft.verdict.outcome is not Outcome.APPROVAL or not isinstance(draft.plan, Granting):
        return ()
    named = deciding.chain(scene, draft.verdict)
    asked = (
        person for number in range(len(named)) for person in _asked(scene, draft, named, number)
    )
    if any(_may_lend(scene, person, draft.plan.action) for person in asked):
        return named
    return (*named, lending.lenders(scene.book, draft.plan.action))


def _asked(
    scene: Scene, draft: Request, chain: tuple[Stage, ...], number: int
) -> tuple[Person, ...]:
    there = replace(draft, chain=chain, stage=number)
    return people_in(resolve(chain[number].groups, there, scene.sources(draft)))


def _may_lend(scene: Scene, person: Person, action: str) -> bool:
    return lending.may_lend(scene.book, action, scene.standing.level(person.userid))


def _joins(scene: Scene, draft: Request) -> bool:
    """Whether the very same is asked for already; with other words it takes the old one's place."""
    earlier = scene.tx.requests.open_by_key(draft.key)
    if earlier is None:
        return False
    same = (earlier.plan, earlier.claim) == (draft.plan, draft.claim)
    if earlier.state is State.PENDING and same:
        who = tuple(person.name for person in approval.waiting_for(earlier))
        words = {"id": earlier.id, "subject": earlier.subject.name, "who": who}
        scene.tell([draft.requester.userid], "grant.joined", **words)
        return True
    over = Supersede() if earlier.state is State.PENDING else Revoke("system:supersede")
    deciding.advance(scene, earlier, over)
    return False


def again(scene: Scene, userid: str, request: Request) -> None:
    """Ask or give once more, by the rules of now. Raises Refused."""
    plan = request.plan
    if not isinstance(plan, Granting):
        raise TypeError(f"{request.id} asks for no permission")
    if same_user(plan.userid, userid):
        submit(scene, userid, plan, request.claim.reason)
    else:
        give(scene, userid, plan, request.claim.reason)


# Taken back, and over


def take_back(scene: Scene, userid: str, member: str, word: str) -> None:
    """End a grant early: its giver may, whoever stands above the member, and admins."""
    action = action_named(scene, word)
    found = scene.tx.grants.for_action(member, action)
    who = scene.person(member).name
    above = queries.may_see(scene, userid, member)
    if not above and not any(same_user(each.given_by, userid) for each in found):
        raise Refused("grant_not_yours", who=who)
    ended = [grants.end(scene, each.id, Ending.REVOKED, userid) for each in found]
    if not any(ended):
        raise Refused("no_grant", who=who, action=scene.texts.action(action))


def outlived(scene: Scene, userid: str, action: str) -> None:
    """After a grant has ended: what was asked for by it needs somebody who still may.

    What has happened meanwhile stays judged as it was.
    """
    for request in scene.tx.requests.by_requester(userid, _PAGE):
        live = tickets.live(scene, request) is not None
        if request.action != action or request.origin is not Origin.ASKED:
            continue
        if request.state is State.PENDING or live:
            _judge_without(scene, request)


def _judge_without(scene: Scene, request: Request) -> None:
    userid, over = request.requester.userid, scene.company("grant.over")
    known = {**request.facts, "sender.grants": grants.held(scene, userid)}
    verdict = decide(scene.policy, known, request.action, request.created_at)
    if not approval.is_stricter(verdict, request.verdict, scene.book.chain_defaults.strictness):
        return
    words = {"id": request.id, "subject": request.subject.name}
    with suppress(Refused):  # decided or carried out this very moment
        if request.state is State.PENDING:
            deciding.advance(scene, request, Withdraw("system:grant", over))
            scene.tell([userid], "grant.request_over", **words)
        elif request.state is State.EXECUTED:
            tickets.revoke(scene, request)
            scene.tell([userid], "grant.ticket_over", **words)
        else:
            deciding.advance(scene, request, Revoke("system:grant", over))
