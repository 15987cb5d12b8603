"""Approvers who are away: whom they name decides meanwhile, and gives it back when they return."""

from __future__ import annotations

from datetime import datetime, time, timedelta

from bot.actions import rights, sweeping
from bot.actions.scene import Scene
from bot.command_types import Away, Day
from workflows import timing
from workflows.absences import Absence, away_at, chain_from, leads_back
from workflows.model import same_user
from workflows.steps import Refused

END = "absence_end"
_LONGEST = timedelta(days=92)
_ONE = timedelta(days=1)


def leave(scene: Scene, userid: str, wish: Away) -> None:
    """Let somebody else decide for a member from now on, for a time. Raises Refused."""
    who, delegate = scene.person(userid), scene.person(rights.member_named(scene, wish.to))
    until = _until(scene, wish)
    scene.tx.hold("absences")  # two who name each other at the same moment
    away = {k: v for k, v in _away(scene).items() if k != userid.lower()}
    if same_user(userid, delegate.userid):
        raise Refused("away_to_self")
    if not scene.directory.active((delegate.userid,)):
        raise Refused("unknown_member", who=wish.to)
    if leads_back(userid, delegate.userid, away):
        raise Refused("away_in_a_circle", who=delegate.name)
    if delegate.userid.lower() in {each.lower() for each in away} and _leads_nowhere(
        delegate.userid, away
    ):
        raise Refused("away_delegate_away", who=delegate.name)
    former = chain_from(userid, _away(scene))
    scene.tx.absences.put(Absence(who, delegate, scene.now, until))
    scene.remind(END, who.userid, until)
    scene.record(
        "absence.begun", who=(who.userid, ""), delegate=delegate.userid, until=until.isoformat()
    )
    count = scene.tx.requests.count_pending_for(userid)
    words = {"who": who.name, "delegate": delegate.name, "until": until, "count": count}
    quiet = "" if count else "_quiet"
    scene.tell([userid], f"absence.begun{quiet}", **words)
    scene.tell([delegate.userid], f"absence.standing_in{quiet}", **words)
    for each in (who.userid, *former):
        sweeping.start_for(scene, each)


def _leads_nowhere(userid: str, away: dict[str, str]) -> bool:
    chain = chain_from(userid, away)
    return not chain or chain[-1].lower() in away


def _until(scene: Scene, wish: Away) -> datetime:
    """Return when an absence ends: after a length of time, or with the end of a day."""
    if wish.until is None:
        until = scene.now + (wish.duration or _ONE)
    else:
        until = _end_of(scene, wish.until)
    if not scene.now < until <= scene.now + _LONGEST:
        raise Refused("away_too_long", days=_LONGEST.days)
    return until


def _end_of(scene: Scene, day: Day) -> datetime:
    today = scene.now.astimezone(scene.zone).date()
    for ahead in range(_LONGEST.days + 1):
        date = today + timedelta(days=ahead)
        if day.is_on(date, today):
            return datetime.combine(date + _ONE, time(), scene.zone)
    raise Refused("away_too_long", days=_LONGEST.days)


def back(scene: Scene, userid: str) -> None:
    """End a member's absence early. Raises Refused for who is not away."""
    scene.tx.hold("absences")
    absence = scene.tx.absences.get(userid)
    if absence is None or absence.until <= scene.now:
        raise Refused("not_away")
    _end(scene, absence)
    words = {"who": absence.person.name, "delegate": absence.delegate.name}
    scene.tell([userid], "absence.ended", **words)
    scene.tell([absence.delegate.userid], "absence.relieved", **words)


def end(scene: Scene, userid: str) -> timedelta | None:
    """End an absence whose time is over; return how long to wait if it is too early to say so."""
    absence = scene.tx.absences.get(userid)
    if absence is None or absence.until > scene.now:
        return None  # ended before, or prolonged: that has a timer of its own
    if until := timing.held_until(scene.policy, "reminder", scene.now):
        return until - scene.now  # who may decide has changed already; the cards can wait
    _end(scene, absence)
    return None


def _end(scene: Scene, absence: Absence) -> None:
    """Forget an absence, and give what waits back to whom it was asked of."""
    userid = absence.person.userid
    acting = chain_from(userid, {**_away(scene), userid.lower(): absence.delegate.userid})
    scene.tx.absences.drop(userid)
    scene.record("absence.ended", who=(userid, ""), delegate=absence.delegate.userid)
    for each in (userid, *acting):
        sweeping.start_for(scene, each)


def _away(scene: Scene) -> dict[str, str]:
    return dict(away_at(scene.tx.absences.in_force(scene.now), scene.now))
