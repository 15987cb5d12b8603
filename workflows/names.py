"""Every name that a config file declares, for references to be checked against."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from workflows.attributes import registry
from workflows.conditions import Known
from workflows.sections import Rulebook


@dataclass(frozen=True, slots=True)
class Names:
    """Every name the file declares, those of broken entries included."""

    known: Known
    chains: frozenset[str]
    rules: frozenset[str]
    reviews: frozenset[str]

    @classmethod
    def of(cls, book: Rulebook) -> Names:
        """Return the names declared in a rulebook."""
        columns = {name: (c.kind, c.title) for name, c in book.attributes.items()}
        known = Known(
            registry(columns),
            frozenset(book.schedules),
            frozenset(t.name for t in book.tier),
            frozenset(g.name for g in book.group),
            frozenset(book.roles),
        )
        rules, reviews = (r.id for r in book.rule), (r.id for r in book.auto_review)
        return cls(known, frozenset(book.chains), frozenset(rules), frozenset(reviews))

    def with_broken(self, data: Mapping[str, object]) -> Names:
        """Add the names of entries in `data` that have the wrong shape, to be told of once."""
        known = replace(
            self.known,
            schedules=self.known.schedules | keys_of(data, "schedules"),
            tiers=self.known.tiers | _ids(data, "tier", "name"),
            groups=self.known.groups | _ids(data, "group", "name"),
            roles=self.known.roles | keys_of(data, "roles"),
        )
        return Names(
            known,
            self.chains | keys_of(data, "chains"),
            self.rules | _ids(data, "rule", "id"),
            self.reviews | _ids(data, "auto_review", "id"),
        )


def keys_of(data: Mapping[str, object], section: str) -> frozenset[str]:
    """Return the names in a section that is a table of tables."""
    table = data.get(section)
    return frozenset(table) if isinstance(table, Mapping) else frozenset()


def _ids(data: Mapping[str, object], section: str, key: str) -> frozenset[str]:
    items = data.get(section)
    found = (
        i.get(key)
        for i in (items if isinstance(items, list | tuple) else ())
        if isinstance(i, Mapping)
    )
    return frozenset(name for name in found if isinstance(name, str))
