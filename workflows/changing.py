"""Who must agree before the rules themselves are changed: the permission table, with two keys.

A change that widens needs a second admin where `config.change` needs approval. Whoever edited the
file is often unknown; then two admins must agree, since one of them may have been the editor.
"""

from __future__ import annotations

from dataclasses import replace

from workflows.lockout import CHANGE
from workflows.model import Facts, Group, Outcome, Stage, Verdict
from workflows.policy import permission
from workflows.sections import Rulebook

TWO_KEYS = "two_keys"  # the chain's name where no rule names one


def facts_of_file(book: Rulebook) -> Facts:
    """Return what is known of whoever edited the file: they reach it, so they have some say.

    The lowest level with any say is assumed, which is the one that asks for the most approval.
    """
    levels = [level for level in _levels(book) if _may(book, level)]
    return {"sender.level": min(levels)} if levels else {}


def verdict_on(verdict: Verdict, *, is_widening: bool, book: Rulebook) -> Verdict:
    """Return the policy's verdict on a change, once it is known whether anybody gains from it.

    Tightening needs nobody's approval, but a refusal stays one. Where no rule names a chain the
    second key takes the place of the usual chain, whose approvers are supervisors and no admins.
    """
    if verdict.outcome is not Outcome.APPROVAL:
        return verdict
    if not is_widening:
        return replace(verdict, outcome=Outcome.ALLOW, chain=None, other_chains=())
    named = any(rule.chain for rule in book.rule if rule.id in verdict.rules)
    return verdict if named else replace(verdict, chain=TWO_KEYS)


def second_key(book: Rulebook, able: int, *, author_known: bool) -> Stage:
    """Return the stage that decides on a widening change.

    `able` is how many people may change the rules: a company with one admin cannot ask two.
    """
    holders = tuple(f"role:{name}" for name, role in book.roles.items() if _may(book, role.level))
    return Stage((Group(holders, 1 if author_known else max(1, min(2, able))),))


def asked_at_least(chain: tuple[Stage, ...]) -> int:
    """Return how many different people a chain needs; whoever may vote twice counts once."""
    needs = [(stage.repeat, sum(group.need for group in stage.groups)) for stage in chain]
    apart = sum(need for repeat, need in needs if not repeat)
    return max([apart, *(need for repeat, need in needs if repeat)])


def _may(book: Rulebook, level: int) -> bool:
    return permission(book, CHANGE, level) is not Outcome.DENY


def _levels(book: Rulebook) -> list[int]:
    table = book.permissions.get(CHANGE)
    named = (table.allow, table.approval) if table else ()
    return [level for level in named if level is not None]
