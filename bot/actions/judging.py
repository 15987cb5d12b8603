"""Gathers what is known about an add and asks the policy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, time, timedelta

from bot.actions import capacity, chat_mirror, conflicts, freezes, grants, outside_facts
from bot.actions.scene import Scene
from workflows import bulk, facts, policy
from workflows.claims import Claim
from workflows.model import Customer, Facts, Relation, Request, State, Verdict

ADD = "friend.add"

# Requests that use up an allowance: what was granted, or may still be.
COUNTED = (State.PENDING, State.APPROVED, State.EXECUTED, State.EXECUTION_FAILED)
DENIALS = (State.DENIED, State.EXPIRED)
_DAY = timedelta(days=1)


def planned(
    scene: Scene,
    userid: str,
    claim: Claim,
    found: Customer | None,
    place: datetime | None = None,
) -> Facts:
    """Return the facts of an add somebody asks for; `found` is whom the phone number names, and
    `place` since when the member has wanted it.
    """
    conflict = conflicts.known(scene, userid, found, claim, place=place)
    return {
        **sender(scene, userid),
        **_customer(scene, userid, found, claim),
        **conflicts.facts_of(scene, userid, conflict),
        **facts.of_plan(),
        **facts.of_claim(claim),
        **_counters(scene, userid, None),
    }


def happened(scene: Scene, relation: Relation, ticketed: Request | None) -> Facts:
    """Return the facts of an add that took place; the request of its own ticket is not counted."""
    customer = scene.tx.relations.customer(relation.external_userid)
    claim = ticketed.claim if ticketed else Claim()
    place = conflicts.place_of(scene, ticketed) or _met_at(relation)
    conflict = conflicts.met(scene, relation.userid, customer, claim, place)
    return {
        **sender(scene, relation.userid),
        **_customer(scene, relation.userid, customer),
        **conflicts.facts_of(scene, relation.userid, conflict),
        **facts.of_contact(relation, scene.directory),
        **facts.of_claim(claim),
        **_counters(scene, relation.userid, ticketed),
    }


def _met_at(relation: Relation) -> datetime | None:
    """Return by when two had met: who reports the customer later comes behind that, though we
    may hear of it later still. WeCom tells whole seconds.
    """
    return relation.added_at + timedelta(seconds=1) if relation.added_at else None


def of_line(
    scene: Scene, userid: str, claim: Claim, found: Customer | None, request: Request | None
) -> Facts:
    """Return the facts of one line of a list, which itself is not counted if it is on file."""
    known = planned(scene, userid, claim, found, request.created_at if request else None)
    if request is None:
        return known
    own = bulk.waiting(request, scene.tx.lists.count_parts(request.id))
    spans = (start_of_day(scene), start_of_week(scene))
    return bulk.unreserved(known, *(own if request.created_at >= at else 0 for at in spans))


def acting(scene: Scene, userid: str) -> Facts:
    """Return what is known of a member who wants to do something, and of their day and week."""
    return {**sender(scene, userid), **_counters(scene, userid, None)}


def about(scene: Scene, userid: str, external_userid: str) -> Facts:
    """Return what is known of a customer, as a member meets them."""
    customer = scene.tx.relations.customer(external_userid)
    known = _customer(scene, userid, customer)
    return {**known, **conflicts.read_facts(scene, userid, customer)}


def judge(scene: Scene, known: Facts, action: str = ADD) -> Verdict:
    """Ask the policy; a freeze has the last word."""
    verdict = policy.decide(scene.policy, known, action, scene.now)
    return freezes.verdict_under(scene, verdict, known, action)


def sender(scene: Scene, userid: str) -> Facts:
    """Return what is known of a member who acts; a stranger has no role and no level."""
    member = scene.directory.member(userid)
    if member is None:
        return facts.of_sender(None, scene.directory, frozenset(), 0)
    known = facts.of_sender(
        member,
        scene.directory,
        scene.standing.roles(userid),
        scene.standing.level(userid),
        grants.held(scene, userid),
    )
    return {**known, **capacity.facts_of(scene, userid)}


def _customer(
    scene: Scene, userid: str, customer: Customer | None, claim: Claim | None = None
) -> Facts:
    """Return the `customer.*` facts; `claim` is what somebody typed who has not added them yet."""
    relations = conflicts.relations_of(scene, customer, claim)
    known = facts.of_customer(customer, relations, sender=userid, now=scene.now)
    columns = outside_facts.known(scene, customer, relations, claim)
    return {**known, **chat_mirror.facts_of(scene, customer), **columns}


def _counters(scene: Scene, userid: str, own: Request | None) -> Facts:
    scene.tx.hold(counting(userid))  # two at once must not both be the last one allowed
    today, monday = start_of_day(scene), start_of_week(scene)
    lists = scene.tx.lists.open_of(userid, monday)
    week, day = scene.tx.requests.counts_of_two(userid, ADD, monday, today)
    return facts.of_counters(
        _count(scene, day, today, own, lists), _count(scene, week, monday, own, lists)
    )


def counting(userid: str) -> str:
    """Return what to hold while a member's adds are counted; early, if it is known to be needed."""
    return f"adds:{userid.lower()}"


def _count(
    scene: Scene,
    made: Mapping[State, int],
    since: datetime,
    own: Request | None,
    lists: Iterable[Request],
) -> facts.Counters:
    itself = 1 if own is not None and own.created_at >= since else 0
    listed = sum(
        bulk.waiting(each, scene.tx.lists.count_parts(each.id))
        for each in lists
        if each.created_at >= since
    )
    return facts.Counters(
        adds=sum(made.get(state, 0) for state in COUNTED) - itself + listed,
        requests=sum(made.values()) - itself,
        denials=sum(made.get(state, 0) for state in DENIALS),
    )


def start_of_day(scene: Scene) -> datetime:
    """Return the last midnight in the company's time zone."""
    return datetime.combine(scene.now.astimezone(scene.zone), time(), scene.zone)


def start_of_week(scene: Scene) -> datetime:
    """Return the last midnight between Sunday and Monday there."""
    today = start_of_day(scene)
    return today - _DAY * today.weekday()
