"""How many customers a member has, as the mirror knows them, and how much room that leaves."""

from __future__ import annotations

from bot.actions.scene import Scene
from bot.texts import Text
from workflows import facts
from workflows.model import Facts, Origin, Request
from workflows.policy import Policy

_COUNT = "sender.contact_count"
_ADDS = frozenset({"friend.add", "friend.add_bulk"})


def facts_of(scene: Scene, userid: str) -> Facts:
    """Return the fact of how many customers a member has; nothing before they were all read.

    It is not counted where no rule, tier or group wants to know.
    """
    if not _is_wanted(scene.policy):
        return {}
    count = scene.tx.mirror.contact_count(userid)
    return {} if count is None else facts.of_contact_count(count)


def _is_wanted(policy: Policy) -> bool:
    reads = (*(gate.reads for gate in policy.gates.values()), policy.classing.reads)
    return any(each.name == _COUNT for read in reads for each in read.attributes)


def evidence(scene: Scene, request: Request) -> Text | None:
    """Return how many customers the requester has, with the room left where the file says so."""
    count = scene.tx.mirror.contact_count(request.requester.userid)
    if count is None or request.action not in _ADDS:
        return None
    most = scene.book.customers.capacity
    if most is None:
        return scene.theirs("evidence.contacts", count=f"{count:,}")
    left, wanted = max(0, most - count), _wanted(request)
    words = {"count": f"{count:,}", "most": f"{most:,}", "left": f"{left:,}", "wanted": wanted}
    return scene.theirs("evidence.no_room" if left < wanted else "evidence.room", **words)


def _wanted(request: Request) -> int:
    """Return how many customers are still to come; what has happened is counted already."""
    if request.origin is Origin.OBSERVED:
        return 0
    count = request.facts.get("request.count", 1)
    return count if isinstance(count, int) else 1
