"""Freezes: what one stops at this moment, how that is said, and how it ends."""

from __future__ import annotations

from dataclasses import replace

from bot.actions import reviewing
from bot.actions.scene import Scene
from bot.wording import Words
from workflows import freezing
from workflows.freezing import Ending, Freeze
from workflows.model import Facts, Origin, Request, Verdict
from workflows.plans import Lifting
from workflows.steps import Executed, ExecutionFailed, Refused

END = "freeze_end"
TELL = "freeze_tell"  # go through everybody in its scope
TICKETS = "freeze_tickets"  # go through all open tickets
BEGUN, OVER = "begun", "over"


def live(scene: Scene) -> list[Freeze]:
    """Return the freezes in force, the soonest to end first."""
    return [each for each in scene.tx.freezes.open() if freezing.is_live(each, scene.now)]


def covering(scene: Scene, userid: str, action: str) -> list[Freeze]:
    """Return the freezes in force that stop this action of this member."""
    found = live(scene)
    units = scene.directory.units_of(userid) if found else frozenset[int]()
    return [each for each in found if freezing.covers(each, action, userid, units)]


def verdict_under(scene: Scene, verdict: Verdict, known: Facts, action: str) -> Verdict:
    """Return the policy's verdict as the freezes in force leave it.

    What is not known to have happened counts as asked for.
    """
    found = covering(scene, str(known.get("sender.userid", "")), action)
    happened = known.get("contact.planned") is False
    origin = Origin.OBSERVED if happened else Origin.ASKED
    return freezing.verdict_under(found, verdict, origin, scene.book.defaults.chain)


def expect_thawed(scene: Scene, request: Request) -> None:
    """Raise Refused where an approval would let through what is frozen.

    What has happened already may be approved by a person.
    """
    if request.origin is Origin.OBSERVED:
        return
    found = covering(scene, request.requester.userid, request.action)
    if found:
        raise Refused("frozen", id=request.id, until=found[-1].until, freeze=found[-1].id)


def why(scene: Scene, verdict: Verdict) -> Words:
    """Return until when something is frozen, and whom to ask."""
    freeze = scene.tx.freezes.get(freezing.freeze_in(verdict))
    if freeze is None:
        return Words("reason.frozen_once")
    return Words("reason.frozen", words(scene, freeze))


def words(scene: Scene, freeze: Freeze) -> dict[str, object]:
    """Return what texts about a freeze may mention."""
    return {
        "freeze": freeze.id,
        "scope": Words(f"freeze.scope.{freeze.scope}", {"name": freeze.name}),
        "by": scene.person(freeze.by).name,
        "reason": freeze.reason,
        "until": freeze.until,
    }


# The end


def perform(scene: Scene, request: Request) -> Executed | ExecutionFailed:
    """End the freeze that an approved request names. One that is over needs nothing more."""
    plan = request.plan
    if not isinstance(plan, Lifting):
        raise TypeError(f"{request.id} lifts no freeze")
    if not freezing.is_agreed_by_two(request):
        return ExecutionFailed(scene.theirs("freeze.alone"))
    end(scene, plan.freeze, Ending.LIFTED, request)
    return Executed()


def expire(scene: Scene, freeze_id: str) -> bool:
    """End a freeze whose time is over; False if it is too early."""
    freeze = scene.tx.freezes.get(freeze_id)
    if freeze is not None and scene.now < freeze.until:
        return freeze.ending is not None
    end(scene, freeze_id, Ending.EXPIRED)
    return True


def end(scene: Scene, freeze_id: str, how: Ending, request: Request | None = None) -> bool:
    """End a freeze, tell everybody, and open its review; False if it is over already."""
    scene.tx.hold(f"freeze:{freeze_id}")
    freeze = scene.tx.freezes.get(freeze_id)
    if freeze is None or freeze.ending is not None:
        return False
    over = replace(freeze, ending=how, ended_at=scene.now)
    scene.tx.freezes.change(over)
    scene.record("freeze.ended", request, freeze=freeze.id, because=how.value)
    scene.tell(_interested(scene, freeze), f"freeze.{how}", **words(scene, over))
    tell_on(scene, freeze.id, OVER)
    reviewing.open_for(scene, freeze.id)
    return True


def resume(scene: Scene, freeze_id: str, request: Request) -> bool:
    """Freeze again, until its old end, what was lifted; False if its review is written already."""
    scene.tx.hold(f"freeze:{freeze_id}")
    freeze = scene.tx.freezes.get(freeze_id)
    if freeze is None or freeze.ending is not Ending.LIFTED or scene.now >= freeze.until:
        return True  # it would be over by now
    again = replace(freeze, ending=None, ended_at=None)
    if freeze.reviewed_by or not scene.tx.freezes.change(again):
        return False
    scene.record("freeze.resumed", request, freeze=freeze.id, until=freeze.until.isoformat())
    scene.tell(_interested(scene, freeze), "freeze.resumed", **words(scene, again))
    tell_on(scene, freeze.id, BEGUN)
    scene.remind(TICKETS, f"{freeze.id}|", scene.now)  # what was issued in between
    return True


def _interested(scene: Scene, freeze: Freeze) -> tuple[str, ...]:
    return (freeze.by, *scene.standing.admins)


def tell_on(scene: Scene, freeze_id: str, what: str, last: str = "") -> None:
    """Have the clock tell the next page of those in a freeze's scope that it has begun or ended."""
    scene.remind(TELL, f"{freeze_id}|{what}|{last}", scene.now)
