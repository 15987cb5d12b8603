"""What comes of taking a leaver's customers over: counted, and told in totals, not one by one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.actions.scene import Scene
from bot.wording import Lines, Words
from workflows.leaving import ENDED, STAYS, Handover, LeftBehind, Outcome
from workflows.model import Request, same_user
from workflows.plans import TakeOver
from workflows.transfers import Passage

TELL = "takeover_tell"
_GATHERED_FOR = timedelta(minutes=10)
_MANY, _GATHERED_LONGER = 500, timedelta(hours=1)
_NAMED = 10
_ORDER = (
    Outcome.DONE,
    Outcome.REFUSED,
    Outcome.FULL,
    Outcome.REJECTED,
    Outcome.BARRED,
    Outcome.UNSEEN,
)

Counts = Mapping[Outcome, int]


def settled(scene: Scene, request: Request, passage: Passage) -> None:
    """Write down how one customer's way has ended, and have it told with others."""
    outcome = Outcome(passage.state.value)
    one = scene.tx.leavers.one(passage.userid, passage.external_userid)
    if one is not None and one.request_id == request.id:
        stays = outcome in STAYS
        scene.tx.leavers.put_waiting([replace(one, outcome=outcome, is_open=stays)])
    old = scene.tx.relations.get(passage.userid, passage.external_userid)
    if outcome is Outcome.DONE and old is not None and old.ended_by == ENDED:
        scene.tx.relations.put(replace(old, ended_by="transfer"))
    if _is_over(scene, request):
        tell(scene, request.id)
    else:
        soon(scene, request)


def _is_over(scene: Scene, request: Request) -> bool:
    ahead = (Outcome.NONE, Outcome.WAITING)
    return not any(scene.tx.leavers.next_of(request.id, 1, each) for each in ahead)


def soon(scene: Scene, request: Request) -> None:
    """Have those concerned told what has gathered, at the end of this stretch of time."""
    plan = request.plan
    is_many = isinstance(plan, TakeOver) and plan.count > _MANY
    step = (_GATHERED_LONGER if is_many else _GATHERED_FOR).total_seconds()
    slot = (int(scene.now.timestamp() // step) + 1) * step
    scene.remind(TELL, request.id, datetime.fromtimestamp(slot, UTC))


def tell(scene: Scene, request_id: str) -> None:
    """Tell the requester all, and every taker their own part, if anything is new."""
    request = scene.tx.requests.get(request_id)
    handover = scene.tx.leavers.handover(request_id)
    if request is None or handover is None:
        return
    found = scene.tx.leavers.outcomes(request_id)
    total: Counter[Outcome] = Counter()
    for (_, outcome), count in found.items():
        total[outcome] += count
    news = tuple(sorted((each.value, count) for each, count in total.items()))
    if news == handover.told or not any(total[each] for each in _ORDER):
        return
    scene.tx.leavers.put_handover(replace(handover, told=news))
    counts: dict[str, Any] = {each.value: n for each, n in total.items() if each and n}
    scene.record("takeover.progress", request, actor="system:menwei", **counts)
    _tell_requester(scene, request, handover, total)
    for taker in handover.plan.to:
        own = {outcome: n for (who, outcome), n in found.items() if same_user(who, taker)}
        if not same_user(taker, request.requester.userid) and own:
            _tell(scene, taker, "takeover.news_yours", request, handover, own)


def _tell_requester(scene: Scene, request: Request, handover: Handover, total: Counts) -> None:
    who = request.requester.userid
    _tell(scene, who, "takeover.news", request, handover, total)
    stay = sum(total.get(each, 0) for each in STAYS)
    if stay and _is_over(scene, request):
        names = _staying(scene, request)
        scene.tell(
            scene.directory.active([who]), "takeover.stay",
            id=request.id, count=stay, names=tuple(each.name for each in names),
            who=former_name(scene, handover.plan.of),
        )  # fmt: skip


def _staying(scene: Scene, request: Request) -> list[LeftBehind]:
    found = [one for each in STAYS for one in scene.tx.leavers.next_of(request.id, _NAMED, each)]
    return found[:_NAMED]


def _tell(
    scene: Scene, to: str, key: str, request: Request, handover: Handover, counts: Counts
) -> None:
    waiting = counts.get(Outcome.WAITING, 0) + counts.get(Outcome.NONE, 0)
    lines = [
        Words(f"takeover.{each.value}", {"count": counts[each]})
        for each in _ORDER
        if counts.get(each)
    ]
    if waiting:
        lines.append(Words("takeover.waiting", {"count": waiting}))
    words = {"id": request.id, "who": former_name(scene, handover.plan.of)}
    scene.tell(scene.directory.active([to]), key, what=Lines(tuple(lines)), **words)


def former_name(scene: Scene, userid: str) -> str:
    """Return how somebody who has left was called."""
    leaver = scene.tx.leavers.latest(userid)
    return leaver.person.name if leaver else scene.person(userid).name
