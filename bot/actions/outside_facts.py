"""What outside sources know of a customer, as far as the rules in force read it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.actions.scene import Scene
from workflows import outside
from workflows.attributes import Source
from workflows.claims import Claim
from workflows.model import Customer, FactValue, Relation
from workflows.outside import Claimed, Wanted
from workflows.policy import Policy


def known(
    scene: Scene,
    customer: Customer | None,
    relations: Iterable[Relation],
    claim: Claim | None = None,
) -> dict[str, FactValue]:
    """Return the `customer.x.*` facts, with one query, and none where no rule reads any.

    `claim` is what was typed by somebody who asks before adding; nothing else is looked up by it.
    """
    columns = wanted(scene.policy)
    if not columns:
        return {}
    claimed = Claimed(claim.phone, claim.company) if claim else None
    keys = outside.keys_of(customer, relations, claimed)
    found = scene.tx.sources.look_up(key for each in keys.values() if each for key in each)
    return outside.facts_of(columns, found, keys, scene.now)


def wanted(policy: Policy) -> Mapping[str, Wanted]:
    """Return the declared columns that a condition, or the text of a rule, reads."""
    declared = policy.rulebook.attributes
    if not declared:
        return {}
    gates = (policy.classing, *policy.gates.values())
    read = {a.name for gate in gates for a in gate.reads.attributes if a.source is Source.OUTSIDE}
    return {
        name: Wanted(column.kind, column.default_fact)
        for name, column in declared.items()
        if name in read
    }
