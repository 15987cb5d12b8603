"""转移 离职成员的客户: who may ask, who takes whom, and judging all of them page by page.

Twenty thousand customers are judged a hundred in a transaction, so that nobody else waits. Each is
bound to the request to come, with its taker; the strictest verdict counts for all.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from bot.actions import (
    choosing,
    colleagues,
    export_rows,
    filing,
    judging,
    leaver_news,
    leaving,
    unassigned,
)
from bot.actions.choosing import Known, Wish
from bot.actions.scene import Scene
from bot.wecom import cut_characters
from workflows import choosing as wording
from workflows import facts
from workflows import leaving as rules
from workflows.claims import Claim
from workflows.directory import ACTIVE
from workflows.leaving import MOST, Handover, Leaver, LeftBehind, Outcome
from workflows.model import (
    Customer,
    Facts,
    Origin,
    Relation,
    RelationState,
    Request,
    Subject,
    Verdict,
    same_user,
)
from workflows.model import (
    Outcome as Answer,
)
from workflows.plans import TakeOver
from workflows.steps import Refused
from workflows.strictest import strictest

PREPARE = "takeover_prepare"
_TRANSFER = "customer.transfer"
_PAGE = 50  # customers judged in one transaction: others wait meanwhile
_SEARCHED = 1_000  # among so many a customer is found by part of their name
_NAMED = 10
_LONGEST_REASON = 200
_FORMER = re.compile(r"^(?:(?:已?离职的?|前同事)\s*|(?:former|ex)[\s-]+)", re.IGNORECASE)
_AND = re.compile(r"\s*[、,，;；]\s*|\s+(?:and|和)\s+", re.IGNORECASE)
_CUSTOMERS = re.compile(r"\s*(?:的?客户|customers?)$", re.IGNORECASE)


# Asked for


def ask(scene: Scene, userid: str, wish: Wish) -> bool:
    """File what is asked about somebody who has left; False if nobody such is meant.

    Raises Refused.
    """
    for who, what in wording.owner_and_rest(wish.whom):
        leaver = _former(scene, who)
        if leaver is not None:
            if not _may(scene, userid, leaver):
                raise Refused("not_for_you")
            takers, reason = _takers(scene, wish.rest)
            _ask(scene, userid, wish, (leaver, what, takers, reason))
            return True
    return False


def _former(scene: Scene, who: str) -> Leaver | None:
    """Return whom a name or account means if they have left; somebody of now comes first."""
    name = _FORMER.sub("", who.strip())
    if name == who.strip() and _is_here(scene, name):
        return None
    by_account = scene.tx.leavers.latest(name)
    if by_account is not None:
        return by_account
    found = {each.person.userid.lower(): each for each in reversed(scene.tx.leavers.called(name))}
    if len(found) > 1:
        raise Refused("several_members", who=name)
    return next(iter(found.values()), None)


def _is_here(scene: Scene, who: str) -> bool:
    found = colleagues.found(scene, who) or colleagues.disabled(scene, who)
    members = (scene.directory.member(each) for each in found)
    return any(member and member.status != rules.LEFT for member in members)


def _may(scene: Scene, userid: str, leaver: Leaver) -> bool:
    return any(same_user(userid, each) for each in (*leaver.above, *scene.standing.admins))


def _takers(scene: Scene, text: str) -> tuple[tuple[str, ...], str]:
    """Return the members a text begins with, and what follows. Raises Refused.

    After a comma there may be a reason as well as another name; after 、 only a name.
    """
    parts = _AND.split(text.strip())
    marks = _AND.findall(text.strip())
    found: list[str] = []
    for at, part in enumerate(parts):
        try:
            taker, rest = colleagues.leading(scene, part)
        except Refused:
            if not found or "、" in marks[at - 1]:
                raise
            return tuple(found), " ".join(parts[at:])
        if not any(same_user(taker, each) for each in found):
            found.append(taker)
        if rest:
            return tuple(found), " ".join((rest, *parts[at + 1 :]))
    return tuple(found), ""


def _ask(
    scene: Scene, userid: str, wish: Wish, said: tuple[Leaver, str, tuple[str, ...], str]
) -> None:
    leaver, what, takers, reason = said
    for taker in takers:
        _check(scene, leaver, taker)
    only = "" if wording.means_all(what) else _kind(scene, what)
    names: tuple[str, ...] = ()
    if not only and not wording.means_all(what):
        chosen = _chosen(scene, userid, wish, leaver, what)
        if chosen is None:
            return  # asked back
        names = chosen
    _begin(scene, userid, (leaver, takers, only, reason), names)


def _check(scene: Scene, leaver: Leaver, taker: str) -> None:
    member = scene.directory.member(taker)
    name = scene.person(taker).name
    if same_user(leaver.person.userid, taker):
        raise Refused("transfer_to_same", who=name)
    if member is None or member.status != ACTIVE:
        raise Refused("transfer_to_inactive", who=name)


def _kind(scene: Scene, what: str) -> str:
    """Return the tier or group that words mean, by its name or title; '' for none."""
    wanted = _CUSTOMERS.sub("", what.strip()).casefold()
    for name, title in export_rows.titles(scene).items():
        if wanted in {name.casefold(), title.casefold(), _CUSTOMERS.sub("", title).casefold()}:
            return name
    return ""


def _chosen(
    scene: Scene, userid: str, wish: Wish, leaver: Leaver, what: str
) -> tuple[str, ...] | None:
    """Return the single customers that are meant; None if that was asked back. Raises Refused."""
    mine = {}
    for each in _candidates(scene, leaver, what):
        external = each.external_userid
        gone = Relation(leaver.person.userid, external, RelationState.NONE)
        relation = scene.tx.relations.get(leaver.person.userid, external) or gone
        customer = scene.tx.relations.customer(external) or Customer(external, each.name)
        mine[external] = Known(relation, customer)
    found = choosing.meant_of(scene, userid, wish, mine, (leaver.person.name, what))
    return None if found is None else tuple(each.customer.external_userid for each in found)


def _candidates(scene: Scene, leaver: Leaver, what: str) -> list[LeftBehind]:
    """Return who may be meant; of very many only those who are called exactly so."""
    userid = leaver.person.userid
    waiting = scene.tx.leavers.waiting(userid, _SEARCHED + 1)
    if len(waiting) <= _SEARCHED:
        return waiting
    called = [one for name in _AND.split(what) for one in scene.tx.relations.called(name)]
    found = (scene.tx.leavers.one(userid, each.external_userid) for each in called)
    return [one for one in found if one is not None and one.is_open]


def again(scene: Scene, userid: str, request: Request, plan: TakeOver) -> None:
    """Ask once more for those who wait still, by the rules of now. Raises Refused."""
    leaver = scene.tx.leavers.latest(plan.of)
    if leaver is None or not _may(scene, userid, leaver):
        raise Refused("not_for_you")
    for taker in plan.to:
        _check(scene, leaver, taker)
    earlier = scene.tx.leavers.handover(request.id)
    names = earlier.names if earlier else ()
    _begin(scene, userid, (leaver, plan.to, plan.only, request.claim.reason), names)


# Prepared


def _begin(
    scene: Scene,
    userid: str,
    said: tuple[Leaver, tuple[str, ...], str, str],
    names: tuple[str, ...],
) -> None:
    """Count who is meant, and judge them: at once if they are few."""
    leaver, takers, only, reason = said
    owner = leaver.person
    counts = _counts(scene, leaver, only, names)
    taken = [bound for bound in counts if not unassigned.is_free(scene, bound)]
    count = sum(n for bound, n in counts.items() if bound not in taken)
    chats = leaver.chats if not only and not names else 0
    if taken and not count:
        raise Refused("leaver_under_way", who=owner.name, id=taken[0])
    if not count and not chats:
        raise Refused("leaver_has_nobody", who=owner.name)
    if count > MOST:
        raise Refused("transfer_too_many", count=count, most=MOST)
    loads = {each: scene.tx.relations.count_of_member(each) for each in takers}
    handover = Handover(
        scene.new_id(),
        TakeOver(owner.userid, rules.in_turn(takers, loads), chats=chats, only=only),
        scene.person(userid),
        Claim(reason=cut_characters(reason, _LONGEST_REASON)),
        count,
        names,
    )
    scene.tx.leavers.put_handover(handover)
    if count > _PAGE:
        scene.tell([userid], "takeover.preparing", who=owner.name, count=count)
        scene.remind(PREPARE, f"{handover.id}|", scene.now)
    else:
        prepare(scene, f"{handover.id}|")


def _counts(scene: Scene, leaver: Leaver, only: str, names: tuple[str, ...]) -> Mapping[str, int]:
    """Return how many are meant, by the request by which they are to go already."""
    if not names:
        return unassigned.count_of(scene, leaver, only)
    found = (scene.tx.leavers.one(leaver.person.userid, each) for each in names)
    return Counter(one.request_id for one in found if one is not None and one.is_open)


def _fits(one: LeftBehind, only: str, names: tuple[str, ...]) -> bool:
    if names:
        return one.external_userid in names
    return not only or only == one.tier or only in one.groups


def prepare(scene: Scene, name: str) -> None:
    """Judge a page of those who are meant and bind them; file the request after the last."""
    request_id, _, last = name.partition("|")
    handover = scene.tx.leavers.handover(request_id)
    if handover is None or handover.is_filed or handover.last != last:
        return  # done before
    if not scene.directory.active([handover.requester.userid]):
        scene.tx.leavers.put_handover(replace(handover, is_filed=True))  # nobody asks any more
        return
    scene = scene.by(handover.requester.userid)
    plan = handover.plan
    base = _base(scene, handover)
    free = cache(lambda bound: unassigned.is_free(scene, bound))
    page = scene.tx.leavers.waiting(plan.of, _PAGE, handover.last)
    bound = []
    for one in page:
        if _fits(one, plan.only, handover.names) and free(one.request_id):
            taker = rules.whose_turn(handover, one.tier)
            mine = replace(one, request_id=request_id, taker=taker, outcome=Outcome.NONE)
            handover = _judged(scene, handover, mine, base)
            bound.append(mine)
    scene.tx.leavers.put_waiting(bound)
    handover = replace(handover, last=page[-1].external_userid if page else handover.last)
    if len(page) == _PAGE:
        scene.tx.leavers.put_handover(handover)
        scene.remind(PREPARE, f"{request_id}|{handover.last}", scene.now)
    else:
        _file(scene, handover, base)


def _base(scene: Scene, handover: Handover) -> Facts:
    wish = facts.of_wish(handover.claim.reason, count=handover.count, target=handover.plan.to[0])
    return {**judging.acting(scene, handover.requester.userid), **wish}


def _judged(scene: Scene, handover: Handover, one: LeftBehind, base: Facts) -> Handover:
    """Return the handover once it has counted one more customer and what the rules say of them."""
    userid = handover.requester.userid
    about = unassigned.about(scene, userid, (one.userid, one.external_userid))
    known = {**base, **about, "request.target": one.taker}
    verdict = judging.judge(scene, known, _TRANSFER)
    held = leaving.was_held(scene, one.userid, one.external_userid)
    handover = rules.counted(handover, one, held=held)
    word = verdict.outcome.word
    outcomes = {**handover.outcomes, word: handover.outcomes.get(word, 0) + 1}
    say = dict(handover.say)
    if verdict.outcome is not Answer.ALLOW:
        said = " ".join(verdict.say) or str(scene.company("reason.rule"))
        key = f"{word}|{said}"
        say[key] = (*say.get(key, ()), one.name or scene.company("customer.unnamed"))[:_NAMED]
    handover = replace(handover, outcomes=outcomes, say=say)
    first = handover.verdict
    if first is None or strictest(scene.policy, [first, verdict]) == 1:
        return replace(handover, verdict=verdict, facts=known)
    return handover


def _file(scene: Scene, handover: Handover, base: Facts) -> None:
    """Put the request on file; what it says of single customers names them."""
    handover = _with_names(scene, handover)
    plan = replace(handover.plan, count=handover.judged)
    handover = replace(handover, plan=plan, is_filed=True)
    scene.tx.leavers.put_handover(handover)
    known = {**(handover.facts or base), "request.count": handover.judged}
    verdict = _named_verdict(scene, handover) or judging.judge(scene, known, _TRANSFER)
    request = Request(
        id=handover.id,
        action=_TRANSFER,
        origin=Origin.ASKED,
        requester=handover.requester,
        subject=_subject(scene, handover),
        claim=handover.claim,
        facts=known,
        verdict=verdict,
        created_at=scene.now,
        plan=plan,
    )
    filing.file(scene, request)


def _with_names(scene: Scene, handover: Handover) -> Handover:
    return replace(handover, first=handover.first or scene.company("customer.unnamed"))


def _named_verdict(scene: Scene, handover: Handover) -> Verdict | None:
    """Return the strictest verdict; where only some are in the way, it names them."""
    verdict = handover.verdict
    if verdict is None:
        return None
    word = verdict.outcome.word
    if verdict.outcome is Answer.ALLOW or handover.outcomes.get(word) == handover.judged:
        return verdict
    said = tuple(
        str(scene.theirs("ask.about", customers=names, say=key.partition("|")[2]))
        for key, names in handover.say.items()
        if key.startswith(f"{word}|")
    )
    return replace(verdict, say=said)


def _subject(scene: Scene, handover: Handover) -> Subject:
    plan = handover.plan
    key = "|".join([plan.of.lower(), *plan.to, plan.only, *sorted(handover.names), handover.id])
    short = hashlib.sha256(key.encode()).hexdigest()[:16]
    who = leaver_news.former_name(scene, plan.of)
    name = scene.company("takeover.subject", who=who, count=plan.count)
    return Subject(f"takeover:{short}", name)


TIMERS = {PREPARE: prepare}
