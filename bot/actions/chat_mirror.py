"""What is known of customer groups: whether anybody wants to know, and who is in which."""

from __future__ import annotations

from datetime import timedelta

from bot.actions.scene import Scene
from workflows import facts
from workflows.chats import JOIN
from workflows.model import Customer, Facts
from workflows.policy import Policy

_CHATS = "customer.chats"
_TRUSTED = timedelta(days=2)  # after the last reading of all groups; events may have been lost


def judges_joins(policy: Policy) -> bool:
    """Whether the file judges outsiders who come into a group: a permission or an enforced rule."""
    gate = policy.gates.get(JOIN)
    ruled = gate is not None and any(not rule.shadow for rule in gate.rules)
    return JOIN in policy.rulebook.permissions or ruled


def is_wanted(policy: Policy) -> bool:
    """Whether groups have to be read at all: for joins, or since a rule reads who is in them."""
    reads = (*(gate.reads for gate in policy.gates.values()), policy.classing.reads)
    return judges_joins(policy) or any(
        each.name == _CHATS for read in reads for each in read.attributes
    )


def is_whole(scene: Scene) -> bool:
    """Whether all groups were read lately. Until then nobody's groups are known for certain."""
    since = scene.tx.chats.whole_since()
    return since is not None and scene.now - since < _TRUSTED


def facts_of(scene: Scene, customer: Customer | None) -> Facts:
    """Return the groups a customer is in; nothing as long as that is not known.

    Somebody who is not on file is known to be in none.
    """
    return facts_of_outsider(scene, customer.external_userid if customer else "")


def facts_of_outsider(scene: Scene, external_userid: str) -> Facts:
    """Return the same of anybody from outside by their id, which a customer on file need not be."""
    if not is_wanted(scene.policy) or not is_whole(scene):
        return {}
    names = scene.tx.chats.names_with(external_userid) if external_userid else frozenset[str]()
    return facts.of_chats(names)
