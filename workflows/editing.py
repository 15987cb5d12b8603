"""What a member has changed of a customer: told apart from what Menwei itself has ordered.

WeCom only says that remark, phones or tags were edited. What is stored of a relation is how it
will be once all our own orders are carried out; so whatever WeCom shows differently, and no order
that is still on its way touches, is the member's doing.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from workflows.model import Relation


@dataclass(frozen=True, slots=True)
class Order:
    """What we have ordered for a relation and WeCom may not show yet."""

    tags: frozenset[str] = frozenset()  # names of those put on or taken off
    remark: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    """What somebody changed by hand; tags by name."""

    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    remark: bool = False
    phones: bool = False

    @property
    def tags(self) -> tuple[str, ...]:
        """Every tag put on or taken off."""
        return tuple(sorted(self.added | self.removed))

    @property
    def words(self) -> tuple[str, ...]:
        """The change as the record has it: '+VIP', '-潜在', 'remark', 'phones'."""
        tags = (
            *(f"+{tag}" for tag in sorted(self.added)),
            *(f"-{tag}" for tag in sorted(self.removed)),
        )
        flags = {"remark": self.remark, "phones": self.phones}
        return (*tags, *(name for name, changed in flags.items() if changed))


def change(before: Relation, now: Relation, ordered: Iterable[Order]) -> Change | None:
    """Return what a member changed between the two; None if everything is our own doing."""
    orders = tuple(ordered)
    ours = frozenset[str]().union(*(order.tags for order in orders))
    found = Change(
        added=now.tags - before.tags - ours,
        removed=before.tags - now.tags - ours,
        remark=now.remark != before.remark and not any(order.remark for order in orders),
        phones=set(now.phones) != set(before.phones),
    )
    return None if found == Change() else found
