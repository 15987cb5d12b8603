"""What a member may do: by role and level, and with one customer by the rules and facts of now.

A customer can be asked about by who follows them or has a request about them, by those above such a
member, and by admins. For everybody else there is no such customer, so that nobody can find out by
asking whom colleagues know.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.actions import explaining, grants, judging, queries, reasons
from bot.actions.scene import Scene
from bot.texts import joined
from bot.wecom import cut_characters
from workflows.claims import Claim
from workflows.model import (
    Customer,
    Facts,
    Origin,
    Outcome,
    RelationState,
    Request,
    Subject,
    same_user,
)
from workflows.steps import Refused

_LONGEST_NAME = 60  # characters
_LOOKED_THROUGH = 200  # of a member's newest requests
_FRIENDS = frozenset({RelationState.ADDED, RelationState.HALF})
_FOLLOWING = _FRIENDS | {RelationState.DELETED_BY_CUSTOMER}
_TYPED = ("contact.", "claim.", "request.")  # known only of an add, or of what is asked for


@dataclass(frozen=True, slots=True)
class About:
    """A customer somebody asks about: on file, or so far only asked for."""

    subject: Subject
    customer: Customer | None
    claim: Claim  # as it was typed, if it was


# --- in chat


def show(scene: Scene, userid: str, who: str | None, customer: str | None = None) -> None:
    """Answer what somebody may do: `who` is a member, or a customer if nobody else is named.

    Raises Refused for whom there is not, and for whom one may not ask about.
    """
    named = cut_characters(who, _LONGEST_NAME) if who else ""
    other = cut_characters(customer, _LONGEST_NAME) if customer else ""
    target, about = _meant(scene, userid, named, other) if named else (userid, None)
    if about is None:
        _show_levels(scene, userid, target)
    else:
        _show_customer(scene, userid, target, about)


def _show_levels(scene: Scene, userid: str, target: str) -> None:
    held = scene.standing.roles(target)
    titles = tuple(scene.book.roles[name].title or name for name in sorted(held))
    head = scene.mine(
        "rights.head",
        name=scene.person(target).name,
        roles=titles,
        level=scene.standing.level(target),
    )
    lines = [
        scene.mine(
            f"rights.{scene.standing.may(target, action).word}", action=scene.texts.action(action)
        )
        for action in scene.book.permissions
    ]
    lent = grants.listed(scene, target)
    scene.answer(userid, joined([head, *lines, *lent, scene.mine("rights.foot")]))


def _show_customer(scene: Scene, userid: str, target: str, about: About) -> None:
    request = imagined(scene, target, about)
    said = [
        scene.mine(
            "rights.about",
            name=request.requester.name,
            customer=about.subject.name,
            outcome=request.verdict.outcome,
            why=reasons.why(scene, request),
        )
    ]
    is_admin = _is_admin(scene, userid)
    said += explaining.nearest_line(scene, request, guarded=not is_admin)
    if is_admin:
        said += explaining.trace(scene, request)
    scene.answer(userid, joined(said))


# --- who and what is meant


def _meant(scene: Scene, userid: str, who: str, customer: str) -> tuple[str, About | None]:
    """Return the member, and the customer if one is meant. A whole name may have spaces in it."""
    whole = f"{who} {customer}".strip()
    members = _members(scene, whole)
    if len(members) == 1 and _may_see(scene, userid, members[0]):
        return members[0], None
    found = _visible(scene, (userid,), whole, every=_is_admin(scene, userid))
    if found:
        return userid, _only(found, whole)
    if members or not customer:
        if len(members) > 1:
            raise Refused("several_members", who=whole)
        raise Refused("not_for_you") if members else Refused("nobody_such", who=whole)
    target = member_named(scene, who)
    if not _may_see(scene, userid, target):
        raise Refused("not_for_you")
    found = _visible(scene, (target, userid), customer, every=_is_admin(scene, userid))
    return target, _only(found, customer)


def member_named(scene: Scene, who: str) -> str:
    """Return the userid of a member named by userid or by their only name. Raises Refused."""
    found = _members(scene, who)
    if len(found) != 1:
        raise Refused("several_members" if found else "unknown_member", who=who)
    return found[0]


def _members(scene: Scene, who: str) -> list[str]:
    member = scene.directory.member(who)
    if member is not None:
        return [member.userid]
    return [each.userid for each in scene.directory.members.values() if each.name == who]


def _may_see(scene: Scene, userid: str, target: str) -> bool:
    return same_user(target, userid) or queries.may_see(scene, userid, target)


def _is_admin(scene: Scene, userid: str) -> bool:
    return scene.standing.may(userid, "config.change") is not Outcome.DENY


def customer_named(scene: Scene, userid: str, what: str) -> About:
    """Return any customer, by external_userid or their only name, as `userid` would ask about
    them. Raises Refused. For those who may see everything.
    """
    return _only(_visible(scene, (userid,), what, every=True), what)


def _only(found: list[About], what: str) -> About:
    different = list({about.subject.key: about for about in reversed(found)}.values())
    if len(different) != 1:
        key = "several_customers" if different else "unknown_customer"
        raise Refused(key, what=what)
    return different[0]


def _visible(scene: Scene, people: Iterable[str], what: str, *, every: bool) -> list[About]:
    """Return the customers of that name or id whom these people follow or asked about.

    What was typed in a request comes before what is on file.
    """
    people = tuple(people)
    found = [about for person in people for about in _asked(scene, person, what)]
    for customer in scene.tx.relations.called(what):
        if every or any(_follows(scene, person, customer) for person in people):
            external = customer.external_userid
            found.append(About(Subject(external, customer.name, external), customer, Claim()))
    return found


def _asked(scene: Scene, userid: str, what: str) -> Iterator[About]:
    name = what.strip().casefold()
    for request in scene.tx.requests.by_requester(userid, _LOOKED_THROUGH):
        subject = request.subject
        customer = None
        if subject.external_userid:
            customer = scene.tx.relations.customer(subject.external_userid)
        names = {subject.name.casefold(), subject.external_userid}
        if customer is not None:
            names.add(customer.name.casefold())
        if name in names or what.strip() in names:
            yield About(subject, customer, request.claim)


def _follows(scene: Scene, userid: str, customer: Customer) -> bool:
    relation = scene.tx.relations.get(userid, customer.external_userid)
    return relation is not None and relation.state in _FOLLOWING


# --- what would be decided


def imagined(scene: Scene, userid: str, about: About, action: str = judging.ADD) -> Request:
    """Return the request that a member would make now, judged; it is not put on file."""
    known = facts_about(scene, userid, about, action)
    return Request(
        id="",
        action=action,
        origin=Origin.ASKED,
        requester=scene.person(userid),
        subject=about.subject,
        claim=about.claim,
        facts=known,
        verdict=judging.judge(scene, known, action),
        created_at=scene.now,
    )


def facts_about(scene: Scene, userid: str, about: About, action: str) -> Facts:
    """Return the facts of now: of an add that has happened if the two are friends, else of one
    that is asked for. Of other actions it is not known what would be asked.
    """
    external = about.customer.external_userid if about.customer else ""
    relation = scene.tx.relations.get(userid, external) if external else None
    if relation is not None and relation.state in _FRIENDS:
        governing = scene.tx.requests.get(relation.request_id) if relation.request_id else None
        known = judging.happened(scene, relation, governing)
    else:
        known = judging.planned(scene, userid, about.claim, about.customer)
    if action == judging.ADD:
        return known
    return {name: value for name, value in known.items() if not name.startswith(_TYPED)}
