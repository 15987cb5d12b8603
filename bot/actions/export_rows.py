"""The customers that an export is about, with everything its file says of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.actions import judging
from bot.actions.scene import Scene
from workflows import exports, policy
from workflows.model import Customer, Facts, Relation, RelationState, Request, same_user
from workflows.plans import Export

EXPORT = "customer.export"


@dataclass(frozen=True, slots=True)
class Row:
    """One customer of one member. `tier` and `groups` are names in the file, None if unknown."""

    relation: Relation
    customer: Customer
    facts: Facts
    tier: str | None
    groups: frozenset[str] | None
    is_own: bool  # whether whoever asks has this customer too


def chosen(scene: Scene, userid: str, plan: Export, until: datetime) -> list[Row]:
    """Return the customers that a plan names, as `userid` meets them.

    Who came later than `until` is not among them: nobody has approved those. A tier or group that
    is unknown is not the one that is wanted.
    """
    return [row for row in _rows(scene, userid, plan, until) if _fits(plan, row)]


def _rows(scene: Scene, userid: str, plan: Export, until: datetime) -> Iterator[Row]:
    for member in plan.members:
        for relation, customer in scene.tx.relations.customers_of(member):
            if relation.added_at is None or relation.added_at <= until:
                yield _row(scene, userid, relation, customer)


def _row(scene: Scene, userid: str, relation: Relation, customer: Customer) -> Row:
    known = judging.about(scene, userid, customer.external_userid)
    tier, groups = policy.classify(scene.policy, known, scene.now)
    own = same_user(relation.userid, userid) or _has(scene, userid, customer.external_userid)
    return Row(relation, customer, known, tier, groups, own)


def _has(scene: Scene, userid: str, external_userid: str) -> bool:
    mine = scene.tx.relations.get(userid, external_userid)
    return mine is not None and mine.state is RelationState.ADDED


def _fits(plan: Export, row: Row) -> bool:
    if plan.tier and row.tier != plan.tier:
        return False
    return not plan.group or plan.group in (row.groups or ())


def sees_all(scene: Scene, request: Request) -> bool:
    """Whether a requester sees colleagues' customers in full, by the lower of the level of now and
    the one that was judged.
    """
    judged = request.facts.get("sender.level", 0)
    level = min(
        scene.standing.level(request.requester.userid), judged if isinstance(judged, int) else 0
    )
    line = scene.book.permissions.get(EXPORT)
    return exports.sees_all(level, line.allow if line else None)


def titles(scene: Scene) -> dict[str, str]:
    """Return how tiers and groups are called, by their names in the file."""
    tiers = {each.name: each.title or each.name for each in scene.book.tier}
    return tiers | {each.name: each.title or each.name for each in scene.book.group}
