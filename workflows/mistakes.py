"""One thing wrong in a config file: where, a stable code, and what its sentence needs."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

Loc = tuple[str | int, ...]

# Every code with the placeholders its sentence may use. The sentences are in bot/texts.
CODES: Mapping[str, frozenset[str]] = {
    code: frozenset(names.split())
    for code, names in {
        # shape
        "required": "",
        "unknown_key": "key",
        "wrong_type": "expected",
        "not_one_of": "expected",
        "too_small": "least",
        "too_large": "most",
        "empty": "",
        "not_valid": "",
        "bad_name": "",
        "unknown_timezone": "value",
        "bad_duration": "value",
        "duration_too_long": "value most",
        "bad_hours": "value",
        "hours_overlap": "value",
        "bad_selector": "value",
        "bad_source": "value",
        "bad_attribute_name": "value",
        # secrets and addresses
        "secret_env": "name",
        "secret_file": "name",
        "secret_shape": "",
        "secret_empty": "",
        "bad_database": "",
        "bad_redis": "",
        "bad_token": "",
        "bad_aes_key": "",
        "bad_url": "",
        "bad_storage": "",
        # outside sources
        "bad_source_url": "",
        "bad_query": "",
        "undeclared_attribute": "value",
        # references
        "unknown_attribute": "value",
        "unknown_action": "value",
        "unknown_chain": "value",
        "unknown_role": "value",
        "unknown_schedule": "value",
        "unknown_tier": "value",
        "unknown_group": "value",
        "unknown_event": "value",
        "unknown_rule": "value",
        "unknown_word": "value expected",
        "unknown_placeholder": "value",
        "unknown_operator": "value expected",
        "wrong_operator": "operator attribute kind expected",
        "wrong_value": "attribute expected",
        "duplicate": "value",
        # meaning
        "too_deep": "most",
        "permission_empty": "",
        "permission_order": "allow approval",
        "rule_allows": "",
        "chain_without_approval": "",
        "tier_without_catch_all": "",
        "tier_unreachable": "value",
        "reads_computed": "attribute",
        "chain_not_ranked": "value",
        "need_too_many": "need people",
        "stage_sources": "",
        "timers_out_of_order": "earlier later",
        "escalate_to_nobody": "",
        "transfer_to_nobody": "",
        "not_observed": "value",
        "only_told": "key value",
        "test_without_action": "",
        "matrix_too_large": "most",
        "unknown_person": "value",
        "flow_step": "expected",
        "belongs_to": "key owner",
        # who can still decide
        "lockout": "people needed",
        "one_admin": "who",
        "rule_in_the_way": "",
        "dead_end": "stage who",
        # lint: the file works, but not as its author may think
        "never_holds": "",
        "always_cancelled": "",
        "no_effect": "by",
        "no_effect_by_level": "",
        "tier_hidden": "by",
        "tiers_overlap": "other example",
        "unused": "value",
        "review_expired": "date",
        "review_never_hit": "",
        "rule_without_say": "",
        "rule_untested": "",
        "names_nobody": "value",
    }.items()
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake. `loc` is the path of keys and list indices as parsed from the file.

    `item` is the id or name of the array table that `loc` points into, when it has one.
    Parameters hold names and policy values, never anything from a secret's section.
    """

    loc: Loc
    code: str
    params: Mapping[str, str] = field(default_factory=dict)
    suggestion: str = ""  # what was probably meant
    item: str = ""

    def __post_init__(self) -> None:
        """Refuse a code without a sentence: that is a bug here, not in the file."""
        if CODES.get(self.code) != frozenset(self.params):
            raise ValueError(f"mistake {self.code!r} with parameters {sorted(self.params)}")

    @property
    def place(self) -> str:
        """The path as a person reads it: `rule[vip-by-junior].when.customer.teir`."""
        text = ""
        for depth, part in enumerate(self.loc):
            if isinstance(part, int):
                named = self.item if depth == 1 and self.item else f"#{part + 1}"
                text += f"[{named}]"
            else:
                text += ("." if text else "") + (f'"{part}"' if "." in part else part)
        return text


def near(word: str, known: Iterable[str]) -> str:
    """Return the known word that was probably meant, or an empty text."""
    found = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return found[0] if found else ""
