"""Customers whose member has left: taken over from WeCom's list, told of, and reminded of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from bot.actions import export_rows, judging
from bot.actions.scene import Scene
from bot.pages import paged
from bot.texts import Text
from bot.wecom import Unassigned
from bot.wording import Lines, Words
from workflows import policy
from workflows.leaving import IDLE_FOR, WITHIN, Leaver, LeftBehind, Outcome
from workflows.model import Facts, Person, State

READ = "unassigned_read"
RELATIONS = "leaver_relations"
PAGE = 50  # customers read and judged in one transaction: others wait meanwhile
_NONE_YET = (
    timedelta(seconds=5),
    timedelta(minutes=1),
    timedelta(minutes=10),
    timedelta(hours=1),
)
_GIVE_UP_AFTER = timedelta(days=1)  # WeCom has shown nobody by then: there is nobody
_LISTED = 20
_OF_RELATION = frozenset({"customer.tags", "customer.known_days", "customer.corp_name"})


@dataclass(frozen=True, slots=True)
class Reading:
    """One reading of WeCom's list, page by page: `look` counts how often it was read in vain."""

    began: datetime
    look: int = 0
    cursor: str = ""
    daily: bool = False  # whether people are reminded at its end

    @classmethod
    def of(cls, name: str) -> Reading:
        """Return what a timer's name says."""
        began, look, daily, cursor = name.split("|", 3)
        return cls(datetime.fromisoformat(began), int(look), cursor, bool(int(daily)))

    @property
    def name(self) -> str:
        """Return the name of its timer."""
        return f"{self.began.isoformat()}|{self.look}|{int(self.daily)}|{self.cursor}"


# Read


def read_soon(scene: Scene, look: int = 0) -> None:
    """Have WeCom's list read in a moment or later; many leavers at once are one reading."""
    pause = _NONE_YET[look]
    step = pause.total_seconds()
    due = datetime.fromtimestamp((int(scene.now.timestamp() // step) + 1) * step, UTC)
    scene.remind(READ, Reading(due, look).name, due)


def begin_daily(scene: Scene) -> None:
    """Have it read now, and those reminded who let customers lie idle."""
    scene.remind(READ, Reading(scene.now, daily=True).name, scene.now)


def page_read(scene: Scene, reading: Reading, shown: Sequence[Unassigned], cursor: str) -> None:
    """Write down a page of WeCom's list, and have the next one read."""
    known: dict[str, Leaver] = {}
    for each in shown:
        key = each.handover_userid.lower()
        if key not in known:
            known[key] = _leaver(scene, each)
    rows = (_row(scene, known[each.handover_userid.lower()], each) for each in shown)
    scene.tx.leavers.put_waiting(row for row in rows if row is not None)
    if cursor:
        scene.remind(READ, replace(reading, cursor=cursor).name, scene.now)


def _leaver(scene: Scene, shown: Unassigned) -> Leaver:
    """Return who has left; somebody who did before Menwei came is written down now."""
    found = scene.tx.leavers.latest(shown.handover_userid)
    if found is None:
        userid, at = shown.handover_userid, shown.dimission_time
        left_at = datetime.fromtimestamp(at, UTC) if at else scene.now
        found = Leaver(Person(userid, userid), left_at)
    seen = replace(found, is_open=True, shown=True)
    if not found.shown:
        end_relations_of(scene, seen)
    if seen != found:
        scene.tx.leavers.put(seen)
    return seen


def end_relations_of(scene: Scene, leaver: Leaver) -> None:
    """Have the clock end what is on file between a leaver and their customers."""
    name = f"{leaver.person.userid}|{leaver.left_at.isoformat()}|"
    scene.remind(RELATIONS, name, scene.now)


def _row(scene: Scene, leaver: Leaver, shown: Unassigned) -> LeftBehind | None:
    """Return a customer as they wait now; None if WeCom has taken them and its list is late."""
    userid, external = leaver.person.userid, shown.external_userid
    old = scene.tx.leavers.one(userid, external)
    if old is not None and old.outcome is Outcome.WAITING:
        return None
    known = about(scene, userid, (userid, external))
    tier, groups = policy.classify(scene.policy, known, scene.now)
    customer = scene.tx.relations.customer(external)
    fresh = old or LeftBehind(userid, external, scene.now)
    if fresh.outcome is Outcome.DONE:  # they came back, and were left again
        fresh = LeftBehind(userid, external, scene.now)
    return replace(
        fresh,
        read_at=scene.now,
        name=customer.name if customer else "",
        tier=tier or "",
        groups=tuple(sorted(groups or ())),
        is_open=True,
    )


def about(scene: Scene, userid: str, who: tuple[str, str]) -> Facts:
    """Return what is known of a customer whom a leaver had, as a member meets them.

    `who` is leaver and customer. WeCom shows nothing any more of somebody without a member, so that
    what we have not on file is unknown, not nothing.
    """
    known = judging.about(scene, userid, who[1])
    if scene.tx.relations.get(*who) is not None:
        return known
    return {name: value for name, value in known.items() if name not in _OF_RELATION}


# Told


def all_read(scene: Scene, reading: Reading, groups: Mapping[str, int]) -> None:
    """Tell of what waits; `groups` is how many customer groups wait, by lower-case userid."""
    again = False
    idle: list[tuple[Leaver, int]] = []
    for leaver in scene.tx.leavers.open():
        scene.tx.leavers.not_shown_since(leaver.person.userid, reading.began)
        waiting = free(scene, leaver)
        chats = groups.get(leaver.person.userid.lower(), 0)
        if chats != leaver.chats:
            leaver = replace(leaver, chats=chats)  # noqa: PLW2901 - what is known of them now
            scene.tx.leavers.put(leaver)
        is_news = leaver.told < 0 or (reading.daily and waiting > leaver.told)
        if is_news and (waiting or chats):
            _tell(scene, leaver, waiting, chats)
        elif leaver.told < 0 and scene.now < leaver.left_at + _GIVE_UP_AFTER:
            again = True
        elif not waiting and not chats and not _is_under_way(scene, leaver):
            _close(scene, leaver)
        elif waiting and scene.now >= leaver.left_at + IDLE_FOR and reading.daily:
            idle.append((leaver, waiting))
    if again and reading.look + 1 < len(_NONE_YET):
        read_soon(scene, reading.look + 1)
    _remind(scene, idle)


def free(scene: Scene, leaver: Leaver) -> int:
    """Return how many customers wait for whom nobody has asked, or whom the asking has lost."""
    return sum(n for bound, n in count_of(scene, leaver).items() if is_free(scene, bound))


def count_of(scene: Scene, leaver: Leaver, only: str = "") -> Mapping[str, int]:
    """Return how many wait of a tier or group, by the request by which they are to go."""
    userid = leaver.person.userid
    if any(each.name == only for each in scene.book.group):
        return scene.tx.leavers.count_in_group(userid, only)
    found: Counter[str] = Counter()
    for (request_id, tier), count in scene.tx.leavers.count_waiting(userid).items():
        if only in ("", tier):
            found[request_id] += count
    return found


def is_free(scene: Scene, request_id: str) -> bool:
    """Whether customers bound to a request may be asked for by another one."""
    if not request_id:
        return True
    request = scene.tx.requests.get(request_id)
    handover = scene.tx.leavers.handover(request_id)
    if request is None:
        return handover is None or handover.is_filed  # else it is just being prepared
    return request.state not in {State.PENDING, State.APPROVED}


def _is_under_way(scene: Scene, leaver: Leaver) -> bool:
    return bool(scene.tx.leavers.count_waiting(leaver.person.userid))


def _close(scene: Scene, leaver: Leaver) -> None:
    scene.tx.leavers.put(replace(leaver, is_open=False, told=max(leaver.told, 0)))
    if leaver.told < 0:
        to = seniors(scene, leaver)
        scene.tell(to, "leaving.nobody_waits", who=leaver.person.name)


def _tell(scene: Scene, leaver: Leaver, waiting: int, chats: int) -> None:
    """Tell who may hand them over how many wait, the most important first, and the command."""
    scene.tx.leavers.put(replace(leaver, told=waiting))
    scene.record(
        "leaver.customers_wait", who=(leaver.person.userid, ""), count=waiting, groups=chats
    )
    scene.tell(
        seniors(scene, leaver),
        "leaving.waiting" if chats else "leaving.waiting_customers",
        who=leaver.person.name,
        count=waiting,
        chats=chats,
        what=kinds(scene, leaver),
        named=leaver.person.name,
    )


def kinds(scene: Scene, leaver: Leaver) -> Lines:
    """Return how many of each tier and group wait, as the file orders them."""
    userid = leaver.person.userid
    tiers: Counter[str] = Counter()
    for (_, tier), count in scene.tx.leavers.count_waiting(userid).items():
        tiers[tier] += count
    names = [each.name for each in scene.book.group]
    groups = {name: sum(scene.tx.leavers.count_in_group(userid, name).values()) for name in names}
    return kinds_of(scene, tiers, groups)


def kinds_of(scene: Scene, tiers: Mapping[str, int], groups: Mapping[str, int]) -> Lines:
    """Return counts of tiers and groups in the file's words and order, one a line."""
    titles = export_rows.titles(scene)
    ordered = [(each.name, tiers.get(each.name, 0)) for each in scene.book.tier]
    ordered += [(each.name, groups.get(each.name, 0)) for each in scene.book.group]
    lines: list[object] = [
        Words("leaving.kind", {"kind": titles[name], "count": count})
        for name, count in ordered
        if count
    ]
    if unknown := tiers.get("", 0):
        kind = Words("word.unknown")
        lines.append(Words("leaving.kind", {"kind": kind, "count": unknown}))
    return Lines(tuple(lines))


def seniors(scene: Scene, leaver: Leaver) -> tuple[str, ...]:
    """Return who stood directly above a leaver and is here still, and the admins."""
    return scene.directory.active((*leaver.managers, *scene.standing.admins))


def _remind(scene: Scene, idle: Sequence[tuple[Leaver, int]]) -> None:
    """Tell everybody in as few messages as hold it whose customers lie idle."""
    by_person: dict[str, list[tuple[Leaver, int]]] = {}
    for leaver, waiting in idle:
        for userid in seniors(scene, leaver):
            by_person.setdefault(userid, []).append((leaver, waiting))
    for userid, found in by_person.items():
        lines = [_idle_line(scene, leaver, waiting) for leaver, waiting in found[:_LISTED]]
        first = found[0][0].person.name
        head = scene.theirs("leaving.idle", count=len(found), days=IDLE_FOR.days)
        foot = scene.theirs("leaving.idle_foot", who=first)
        for page in paged([head, *lines, foot]):
            scene.answer(userid, page)
    for leaver, waiting in idle:
        scene.record("leaver.reminded", who=(leaver.person.userid, ""), count=waiting)


def _idle_line(scene: Scene, leaver: Leaver, waiting: int) -> Text:
    last = leaver.left_at + WITHIN
    return scene.theirs(
        "leaving.idle_line",
        who=leaver.person.name,
        count=waiting,
        since=leaver.left_at,
        until=last,
    )
