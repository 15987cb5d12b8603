"""Carries an approved takeover out: a page of customers, or of groups, and what WeCom answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot import outgoing
from bot.actions import adding, deciding, judging, knowing, leaver_news, moving, unassigned
from bot.actions.scene import Scene
from bot.outgoing import Outgoing, TakeGroups, TakeOverPart
from bot.wecom import Kind, meaning
from bot.wording import Lines, Words
from workflows import leaving, transfers
from workflows.leaving import Handover, LeftBehind, Outcome
from workflows.model import Request, State, same_user
from workflows.plans import TakeOver
from workflows.steps import Executed, ExecutionFailed, Refused
from workflows.transfers import FIRST_LOOK, LOOK_EVERY, MOST_AT_ONCE, Passage, PassageState, Shown

LOOK = "takeover_look"
LOOKED_AT, PAGE = 1_000, 50  # customers at one look, and settled in one transaction
_PACE = timedelta(seconds=2)  # between two calls, so that others get theirs through
_GROUPS_AT_ONCE = 100
_ONE_DAY = timedelta(hours=24, minutes=1)


@dataclass(frozen=True, slots=True)
class Part:
    """What one call is to hand over: customers of one taker, and those the rules now bar."""

    taker: str
    go: tuple[LeftBehind, ...] = ()
    barred: tuple[LeftBehind, ...] = ()


def next_part(scene: Scene, request: Request) -> Part:
    """Return whom the next call is about; each is judged once more, by the rules of now."""
    rows = scene.tx.leavers.next_of(request.id, MOST_AT_ONCE, Outcome.NONE)
    if not rows:
        return Part("")
    taker = rows[0].taker
    mine = [one for one in rows if same_user(one.taker, taker)]
    barred = {one.external_userid for one in mine if not _may_go(scene, request, one)}
    return Part(
        taker,
        tuple(one for one in mine if one.external_userid not in barred),
        tuple(one for one in mine if one.external_userid in barred),
    )


def _may_go(scene: Scene, request: Request, one: LeftBehind) -> bool:
    who = (one.userid, one.external_userid)
    about = unassigned.about(scene, request.requester.userid, who)
    own = {name: v for name, v in request.facts.items() if not name.startswith("customer.")}
    known = {**own, **about, "request.target": one.taker}
    return adding.covers(scene, request.verdict, judging.judge(scene, known, request.action))


def answered(scene: Scene, what: TakeOverPart, part: Part, codes: Mapping[str, int]) -> None:
    """Write down WeCom's answer to one call, and have the next one made."""
    request = scene.tx.requests.get(what.request_id)
    if request is None or not isinstance(request.plan, TakeOver):
        return
    passages = [_passage(scene, request, one, codes[one.external_userid]) for one in part.go]
    scene.tx.transfers.put(passages)
    gone = [_sent(one, codes[one.external_userid]) for one in part.go]
    barred = [replace(one, outcome=Outcome.BARRED) for one in part.barred]
    scene.tx.leavers.put_waiting([*gone, *barred])
    scene.record(
        "takeover.answered", request, part=what.part, taker=part.taker, codes=dict(codes),
        barred=[one.external_userid for one in barred],
    )  # fmt: skip
    if scene.tx.leavers.next_of(request.id, 1, Outcome.NONE):
        later(scene, TakeOverPart(request.id, what.part + 1), scene.now + _PACE)
    else:
        _all_asked(scene, request, request.plan)


def _passage(scene: Scene, request: Request, one: LeftBehind, code: int) -> Passage:
    return Passage(
        request.id,
        one.external_userid,
        one.name or knowing.name_of(scene, one.external_userid),
        one.userid,
        one.taker,
        PassageState.REJECTED if code else PassageState.WAITING,
        scene.now,
        code,
        scene.now if code else None,
        told=True,  # in totals
    )


def _sent(one: LeftBehind, code: int) -> LeftBehind:
    outcome = Outcome.WAITING
    if code:
        outcome = Outcome.FULL if code == _TAKER_FULL else Outcome.REJECTED
    return replace(one, outcome=outcome, is_open=bool(code))


_TAKER_FULL = 40099


def later(scene: Scene, what: Outgoing, due: datetime) -> None:
    """Put a call into the outbox that is made later."""
    key = f"{type(what).__name__}:{outgoing.body(what)}"
    scene.tx.work.add([replace(outgoing.job(what, key), due=due)], scene.now)


def _all_asked(scene: Scene, request: Request, plan: TakeOver) -> None:
    """WeCom has answered for everybody: say so, and follow what it has taken."""
    found = scene.tx.leavers.outcomes(request.id)
    taken = {who: n for (who, outcome), n in found.items() if outcome is Outcome.WAITING}
    for taker in taken:
        scene.remind(LOOK, f"{request.id}|{taker}|", scene.now + FIRST_LOOK)
    if taken:
        _tell_taken(scene, request, plan, taken)
    nobody = plan.count and not taken
    if request.state in {State.APPROVED, State.EXECUTION_FAILED}:
        why = scene.theirs("takeover.none_taken", count=plan.count)
        with suppress(Refused):
            deciding.advance(scene, request, ExecutionFailed(why) if nobody else Executed())
    leaver_news.tell(scene, request.id)


def _tell_taken(scene: Scene, request: Request, plan: TakeOver, taken: Mapping[str, int]) -> None:
    shares = [
        Words("takeover.share", {"who": scene.person(who).name, "count": n})
        for who, n in taken.items()
    ]
    words = {
        "id": request.id,
        "who": leaver_news.former_name(scene, plan.of),
        "when": scene.now + transfers.TAKES,
    }
    total = sum(taken.values())
    to = scene.directory.active([request.requester.userid])
    what = Lines(tuple(shares), scene.company("word.separator"))
    scene.tell(to, "takeover.taken", count=total, what=what, **words)
    for who, count in taken.items():
        if not same_user(who, request.requester.userid):
            to = scene.directory.active([who])
            scene.tell(to, "takeover.taken_yours", count=count, **words)


# What is seen


def looked(
    scene: Scene, request_id: str, rows: Sequence[LeftBehind], shown: Sequence[Shown]
) -> None:
    """Settle a page of those whom WeCom has taken."""
    by_customer: dict[str, list[Shown]] = {}
    for each in shown:
        by_customer.setdefault(each.external_userid, []).append(each)
    for one in rows:
        passage = scene.tx.transfers.get(request_id, one.external_userid)
        if passage is None:
            continue
        new = transfers.looked(passage, by_customer.get(one.external_userid, ()), scene.now)
        if new is not passage:
            moving.settle(scene, new)


def look_on(scene: Scene, name: str, last: str) -> None:
    """Look at those behind `last`; with '' at all who are open still, another day."""
    request_id, taker, _ = name.split("|", 2)
    if last:
        scene.remind(LOOK, f"{request_id}|{taker}|{last}", scene.now)
    elif scene.tx.leavers.open_of(request_id, taker, 1, ""):
        scene.remind(LOOK, f"{request_id}|{taker}|", scene.now + LOOK_EVERY)


def look_later(scene: Scene, name: str) -> None:
    """Look again another day, since this look came to nothing."""
    request_id, taker, _ = name.split("|", 2)
    scene.remind(LOOK, f"{request_id}|{taker}|", scene.now + LOOK_EVERY)


# Groups


@dataclass(frozen=True, slots=True)
class Groups:
    """Groups that one call is to give to one new owner."""

    owner: str = ""
    chats: tuple[str, ...] = ()


def next_groups(handover: Handover, waiting: Sequence[str], now: datetime) -> Groups:
    """Return which groups go to whom next: the one with the fewest so far, an even share."""
    open_ = [each for each in sorted(waiting) if each not in handover.refused_groups]
    most = min(_GROUPS_AT_ONCE, leaving.groups_left_today(handover, now))
    if not open_ or most <= 0:
        return Groups()
    takers = handover.plan.to
    owner = min(takers, key=lambda each: handover.group_shares.get(each, 0))
    total = len(open_) + sum(handover.group_shares.values())
    share = total // len(takers) - handover.group_shares.get(owner, 0)  # then the odd ones singly
    return Groups(owner, tuple(open_[: max(1, min(most, share))]))


def groups_answered(
    scene: Scene, what: TakeGroups, groups: Groups, failed: Mapping[str, int], left: int
) -> None:
    """Write down what became of some groups; go on, tomorrow if today's are used up."""
    request = scene.tx.requests.get(what.request_id)
    handover = scene.tx.leavers.handover(what.request_id)
    if request is None or handover is None:
        return
    kinds = {chat: meaning(code).kind for chat, code in failed.items()}
    refused = [c for c, kind in kinds.items() if kind not in {Kind.DONE, Kind.WAIT}]
    put_off = [c for c, kind in kinds.items() if kind is Kind.WAIT]
    went = len(groups.chats) - len(refused) - len(put_off)
    if groups.chats:
        shares = handover.group_shares
        handover = replace(
            handover,
            group_shares={**shares, groups.owner: shares.get(groups.owner, 0) + went},
            refused_groups=(*handover.refused_groups, *refused),
            asked_groups=(*handover.asked_groups, (scene.now, went)),
        )
        scene.tx.leavers.put_handover(handover)
        scene.record(
            "takeover.groups", request, turn=what.turn, taker=groups.owner,
            groups=list(groups.chats), codes=dict(failed),
        )  # fmt: skip
    if left - went - len(refused) > 0:
        used_up = put_off or leaving.groups_left_today(handover, scene.now) <= 0
        due = scene.now + (_ONE_DAY if used_up else _PACE)
        later(scene, TakeGroups(request.id, what.turn + 1), due)
        if not used_up:
            return
    _tell_groups(scene, request, handover, left - went - len(refused))


def _tell_groups(scene: Scene, request: Request, handover: Handover, left: int) -> None:
    shares = handover.group_shares
    lines = [
        Words("takeover.group_share", {"who": scene.person(who).name, "count": n})
        for who, n in shares.items()
        if n
    ]
    if handover.refused_groups:
        lines.append(Words("takeover.groups_refused", {"count": len(handover.refused_groups)}))
    if left > 0:
        lines.append(Words("takeover.groups_tomorrow", {"count": left}))
    to = scene.directory.active([request.requester.userid, *shares])
    who = leaver_news.former_name(scene, handover.plan.of)
    if lines:
        scene.tell(to, "takeover.groups", id=request.id, who=who, what=Lines(tuple(lines)))
