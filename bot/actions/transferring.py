"""转移: handing one's customers, or those of the people one leads, over to a colleague."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime

from bot.actions import (
    choosing,
    colleagues,
    deciding,
    filing,
    judging,
    moving,
    rejudging,
    takeovers,
)
from bot.actions.choosing import Known, Wish
from bot.actions.scene import Scene
from bot.wecom import cut_characters
from bot.wording import Lines, Words
from workflows import facts, transfers
from workflows.claims import Claim
from workflows.directory import ACTIVE
from workflows.model import (
    Answer,
    Containment,
    Origin,
    Relation,
    Request,
    State,
    Subject,
    same_user,
)
from workflows.plans import Transfer
from workflows.steps import Executed, ExecutionFailed, Refused
from workflows.transfers import MOST_AT_ONCE, Passage

TRANSFER = "customer.transfer"
VERB = "transfer"
_LONGEST_REASON = 200
_NAMED = 10  # customers in one line


# Asked for


def ask(scene: Scene, userid: str, wish: Wish) -> None:
    """Find out who is meant, check what can be known, and file the request. Raises Refused."""
    if takeovers.ask(scene, userid, wish):
        return  # somebody who has left is meant
    owner, words = choosing.whose(scene, userid, wish.whom)
    taker, reason = colleagues.leading(scene, wish.rest)
    _check_taker(scene, owner, taker)
    found = choosing.meant(scene, userid, wish, owner, words)
    if found is None:
        return  # asked back
    if not found:
        raise Refused("no_customers", owner=scene.person(owner).name)
    if len(found) > MOST_AT_ONCE:
        raise Refused("transfer_too_many", count=len(found), most=MOST_AT_ONCE)
    _file(scene, userid, (owner, taker), _possible(scene, userid, found), reason)


def _check_taker(scene: Scene, owner: str, taker: str) -> None:
    member = scene.directory.member(taker)
    name = scene.person(taker).name
    if same_user(owner, taker):
        raise Refused("transfer_to_same", who=name)
    if member is None or member.status != ACTIVE:
        raise Refused("transfer_to_inactive", who=name)


def _possible(scene: Scene, userid: str, found: Sequence[Known]) -> list[Known]:
    """Return who can be transferred as far as we know; tell who is left out and why."""
    looked = [(known, _hindrance(scene, known)) for known in found]
    lines = [
        Words("transfer.left_out", {"customer": known.called, "why": why})
        for known, why in looked
        if why is not None
    ]
    if lines:
        what = Lines(tuple(lines[:_NAMED]))
        scene.tell([userid], "transfer.hindered", what=what, count=len(lines))
    return [known for known, why in looked if why is None]


def _hindrance(scene: Scene, known: Known) -> Words | None:
    """Return why WeCom or the rules would not let this customer go now."""
    relation = known.relation
    if relation.containment is not Containment.NONE:
        return Words("transfer.why.held", {"id": relation.request_id})
    earlier = moving.of_late(scene, relation.external_userid)
    under_way = next((each for each in earlier if each.is_open), None)
    if under_way is not None:
        taker = scene.person(under_way.taker).name
        return Words("transfer.why.under_way", {"taker": taker, "id": under_way.request_id})
    free = transfers.free_from(earlier, scene.now)
    return Words("transfer.why.too_often", {"when": free}) if free else None


def _file(
    scene: Scene, userid: str, both: tuple[str, str], found: Sequence[Known], said: str
) -> None:
    if not found:
        return  # why was told
    owner, taker = both
    reason = cut_characters(said, _LONGEST_REASON)
    plan = Transfer(owner, taker, tuple(each.customer.external_userid for each in found))
    base = {
        **judging.acting(scene, userid),
        **facts.of_wish(reason, count=len(found), target=taker),
    }
    sets = [{**base, **judging.about(scene, userid, each)} for each in plan.customers]
    names = [each.called for each in found]
    chosen, verdict = rejudging.judge(scene, TRANSFER, sets, names)
    request = Request(
        id=scene.new_id(),
        action=TRANSFER,
        origin=Origin.ASKED,
        requester=scene.person(userid),
        subject=_subject(scene, plan, names),
        claim=Claim(reason=reason),
        facts=chosen,
        verdict=verdict,
        created_at=scene.now,
        plan=plan,
    )
    filing.file(scene, request)


def _subject(scene: Scene, plan: Transfer, names: Sequence[str]) -> Subject:
    key = "|".join([plan.of.lower(), plan.to.lower(), *sorted(plan.customers)])
    short = hashlib.sha256(key.encode()).hexdigest()[:16]
    if len(names) == 1:
        return Subject(f"transfer:{short}", names[0], plan.customers[0])
    name = scene.company("transfer.several", first=names[0], count=len(names))
    return Subject(f"transfer:{short}", name)


def hand_over(scene: Scene, relation: Relation, taker: str, reason: str) -> Request | None:
    """Ask in an owner's name to hand one of their customers over; None if that cannot be now,
    which was told. Raises Refused.
    """
    owner = scene.person(relation.userid)
    customer = scene.tx.relations.customer(relation.external_userid)
    if customer is None:
        raise Refused("no_customers", owner=owner.name)
    _check_taker(scene, owner.userid, taker)
    found = _possible(scene, owner.userid, [Known(relation, customer)])
    _file(scene, owner.userid, (owner.userid, taker), found, reason)
    filed = scene.tx.requests.by_requester(owner.userid, 1) if found else []
    return filed[0] if filed else None


def again(scene: Scene, userid: str, request: Request, plan: Transfer) -> None:
    """Ask once more for those who have not gone, by the rules of now. Raises Refused."""
    _check_taker(scene, plan.of, plan.to)
    if not same_user(plan.of, userid) and not colleagues.is_above(scene, userid, plan.of):
        raise Refused("not_for_you")
    wanted = set(plan.customers)
    left = [
        Known(relation, customer)
        for relation, customer in scene.tx.relations.customers_of(plan.of)
        if customer.external_userid in wanted
    ]
    if not left:
        raise Refused("no_customers", owner=scene.person(plan.of).name)
    both = (plan.of, plan.to)
    _file(scene, userid, both, _possible(scene, userid, left), request.claim.reason)


# What WeCom answered


def answered(scene: Scene, request_id: str, codes: Mapping[str, int]) -> None:
    """Take WeCom's answer for each customer: follow what it has taken, say what it has not."""
    request = scene.tx.requests.get(request_id)
    if request is None or not isinstance(request.plan, Transfer):
        return
    plan = request.plan
    passages = moving.answered(scene, request, (plan.of, plan.to), codes)
    taken = [each for each in passages if each.is_open]
    rejected = [each for each in passages if not each.is_open]
    if taken:
        _tell_taken(scene, request, plan, taken)
    reasons = Lines(tuple(_reason(scene, each) for each in rejected[:_NAMED]))
    why = scene.theirs("transfer.rejected_why", what=reasons, count=len(rejected))
    if rejected:
        _tell_approvers(scene, request, why)
    if request.state in {State.APPROVED, State.EXECUTION_FAILED}:
        with suppress(Refused):
            step = ExecutionFailed(why) if rejected else Executed()
            deciding.advance(scene, request, step)


def _tell_taken(scene: Scene, request: Request, plan: Transfer, taken: Sequence[Passage]) -> None:
    """Tell the requester and both members that customers are on their way."""
    people = {each.lower(): each for each in (request.requester.userid, plan.of, plan.to)}
    scene.tell(
        scene.directory.active(people.values()),
        "transfer.taken",
        id=request.id,
        giver=scene.person(plan.of).name,
        taker=scene.person(plan.to).name,
        names=tuple(each.name for each in taken[:_NAMED]),
        count=len(taken),
        when=_takes_effect(taken),
    )


def _takes_effect(taken: Sequence[Passage]) -> datetime:
    return max(each.asked_at for each in taken) + transfers.TAKES


def _tell_approvers(scene: Scene, request: Request, why: str) -> None:
    """Tell who approved what came of it; requester and admins hear it as a failed execution."""
    yes = (vote.by.userid for vote in request.votes if vote.answer is Answer.APPROVE)
    told = {each.lower() for each in scene.standing.admins} | {request.requester.userid.lower()}
    to = [each for each in scene.directory.active(yes) if each.lower() not in told]
    words = {"id": request.id, "customer": request.subject.name, "why": why}
    scene.tell(to, "transfer.not_taken", **words)


def _reason(scene: Scene, passage: Passage) -> Words:
    """Return one customer whom WeCom did not take, with its reason in plain words."""
    key = f"transfer.code.{passage.code}"
    known = key if key in scene.company else "transfer.code.other"
    why = Words(known, {"code": passage.code})
    return Words("transfer.left_out", {"customer": passage.name, "why": why})
