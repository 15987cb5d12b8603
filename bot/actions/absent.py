"""Approvers who are away: whom they name decides meanwhile, and gives it back when they return."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

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
    """Let somebody else decide for a member, from now on or from a day to come. Raises Refused."""
    who, delegate = scene.person(userid), scene.person(rights.member_named(scene, wish.to))
    since, until = _span(scene, wish)
    scene.tx.hold("absences")  # two who name each other at the same moment
    _expect_no_other(scene, userid, since)
    away = _others_away(scene, userid, since, until)
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
    absence = Absence(who, delegate, since, until)
    scene.tx.absences.put(absence)
    scene.remind(END, who.userid, until)
    kind = "absence.planned" if since > scene.now else "absence.begun"
    begins, ends = since.isoformat(), until.isoformat()
    scene.record(kind, who=(who.userid, ""), delegate=delegate.userid, since=begins, until=ends)
    _tell(scene, absence)
    for each in (who.userid, *former):
        sweeping.start_for(scene, each, since)


def _expect_no_other(scene: Scene, userid: str, since: datetime) -> None:
    """Refuse to plan an absence for one who is away now: it would take the place of this one."""
    known = scene.tx.absences.get(userid)
    if known is not None and since > scene.now and known.since <= scene.now < known.until:
        raise Refused("away_now", who=known.delegate.name, until=known.until)


def _tell(scene: Scene, absence: Absence) -> None:
    userid, delegate = absence.person.userid, absence.delegate
    words = {"who": absence.person.name, "delegate": delegate.name, "until": absence.until}
    if absence.since > scene.now:
        scene.tell([userid], "absence.planned", **words, since=absence.since)
        scene.tell([delegate.userid], "absence.will_stand_in", **words, since=absence.since)
        return
    count = scene.tx.requests.count_pending_for(userid)
    quiet = "" if count else "_quiet"
    scene.tell([userid], f"absence.begun{quiet}", **words, count=count)
    scene.tell([delegate.userid], f"absence.standing_in{quiet}", **words, count=count)


def _leads_nowhere(userid: str, away: dict[str, str]) -> bool:
    chain = chain_from(userid, away)
    return not chain or chain[-1].lower() in away


def _span(scene: Scene, wish: Away) -> tuple[datetime, datetime]:
    """Return when an absence begins and ends. A day begins and ends at midnight."""
    today = scene.now.astimezone(scene.zone).date()
    first = _next(scene, wish.since, today) if wish.since else today
    since = max(scene.now, datetime.combine(first, time(), scene.zone))
    if wish.duration is not None:
        until = since + wish.duration
    else:
        last = _next(scene, wish.until, first) if wish.until else first
        until = datetime.combine(last + _ONE, time(), scene.zone)
    if not since < until <= scene.now + _LONGEST:
        raise Refused("away_too_long", days=_LONGEST.days)
    return since, until


def _next(scene: Scene, day: Day, earliest: date) -> date:
    """Return the next date, `earliest` or later, that is meant by a day as people say it."""
    today = scene.now.astimezone(scene.zone).date()
    for ahead in range((earliest - today).days, _LONGEST.days + 1):
        date = today + timedelta(days=ahead)
        if day.is_on(date, today):
            return date
    raise Refused("away_too_long", days=_LONGEST.days)


def back(scene: Scene, userid: str) -> None:
    """End a member's absence early, or what was planned. Raises Refused if there is nothing."""
    scene.tx.hold("absences")
    absence = scene.tx.absences.get(userid)
    if absence is None or absence.until <= scene.now:
        raise Refused("not_away")
    _end(scene, absence)
    words = {"who": absence.person.name, "delegate": absence.delegate.name}
    planned = "_plan" if absence.since > scene.now else ""
    scene.tell([userid], f"absence.ended{planned}", **words)
    scene.tell([absence.delegate.userid], f"absence.relieved{planned}", **words)


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


def _others_away(scene: Scene, userid: str, since: datetime, until: datetime) -> dict[str, str]:
    """Return who else is away at any moment of a time, with whom they have named."""
    return {
        each.person.userid.lower(): each.delegate.userid
        for each in scene.tx.absences.in_force(scene.now)
        if each.since < until and since < each.until and not same_user(each.person.userid, userid)
    }
