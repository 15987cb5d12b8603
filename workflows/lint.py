"""Finds what works but not as its author may think: rules without effect, names nothing uses.

Everything is proved before it is said. Where there is too much to look at, nothing is said.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from workflows import coverage, dominance, lockout
from workflows.conditions import All, During, Leaf, leaves
from workflows.directory import Directory
from workflows.dominance import Suspect
from workflows.evaluation import View, shown
from workflows.gates import Class, Clause, CompiledRule, classes_of
from workflows.mistakes import Loc, Mistake
from workflows.policy import Policy
from workflows.references import PLACEHOLDER, read_condition
from workflows.roles import UnknownName, alternative, unknown_names
from workflows.sections import Rulebook
from workflows.worlds import TooMany, worlds

Findings = Iterator[Mistake]
NAMES_NOBODY = "names_nobody"


def lint(
    policy: Policy,
    today: date,
    directory: Directory | None = None,
    hits: Mapping[str, int] | None = None,
) -> tuple[Mistake, ...]:
    """Return everything found, in no settled order.

    `directory` is the company as known, if it is; `hits` are the answers of auto-reviews on record,
    by id, if there is a record worth counting.
    """
    found = [
        *_rules(policy),
        *_tiers(policy),
        *_groups(policy),
        *_reviews(policy, today, hits),
        *_unused(policy.rulebook, policy),
        *_untested(policy),
    ]
    if directory is not None:
        found += lockout.dead_ends(policy, directory)
        found += [each for each, _ in names_nobody(policy.rulebook, directory)]
    return tuple(found)


# --- rules


def _rules(policy: Policy) -> Findings:
    every = _by_index(policy)
    for index, rule in every.items():
        loc: Loc = ("rule", index)
        if not rule.shadow and not rule.rule.say:
            yield Mistake(loc, "rule_without_say", item=rule.rule.id)
        if never := _never(rule.clause, policy):
            yield Mistake((*loc, never[0]), never[1], item=rule.rule.id)
    yield from _needless(every, policy)


def _by_index(policy: Policy) -> Mapping[int, CompiledRule]:
    """Return the rules that are not off, as compiled, by their place in the file."""
    compiled = {r.rule.id: r for gate in policy.gates.values() for r in gate.rules}
    rules = enumerate(policy.rulebook.rule)
    return {index: compiled[rule.id] for index, rule in rules if rule.id in compiled}


def _never(clause: Clause, policy: Policy) -> tuple[str, str] | None:
    """Return the key to blame and the code, if the clause can never apply."""
    tiers = policy.known.tiers
    if dominance.applies(clause, tiers) is not False:
        return None
    alone = dominance.holds(clause.when, clause, tiers)
    return ("unless", "always_cancelled") if alone else ("when", "never_holds")


def _needless(every: Mapping[int, CompiledRule], policy: Policy) -> Findings:
    """A rule is needless if for each of its actions another rule, or the levels, suffice."""
    suspects = [
        (index, Suspect.of(rule, policy, action))
        for index, rule in every.items()
        for action in rule.rule.action
    ]
    by_action: dict[str, list[tuple[int, Suspect]]] = {}
    reasons: dict[int, list[str | None]] = {}
    for index, suspect in suspects:
        by_action.setdefault(suspect.action, []).append((index, suspect))
    for index, suspect in suspects:
        reason = _instead(index, suspect, by_action[suspect.action])
        reasons.setdefault(index, []).append(reason)
    for index, found in reasons.items():
        loc, item = ("rule", index), every[index].rule.id
        if _never(every[index].clause, policy) or None in found:
            continue
        names = sorted({name for name in found if name})
        if names:
            yield Mistake(loc, "no_effect", {"by": ", ".join(names)}, item=item)
        else:
            yield Mistake(loc, "no_effect_by_level", item=item)


def _instead(index: int, suspect: Suspect, others: Iterable[tuple[int, Suspect]]) -> str | None:
    """Return a rule that suffices, '' if the levels do, None if nothing does.

    Of two rules that are alike the first is kept.
    """
    if suspect.is_needless(None):
        return ""
    for place, other in others:
        if place == index or other.rule.shadow or not suspect.is_needless(other):
            continue
        alike = not suspect.rule.shadow and place > index
        if not (alike and other.is_needless(suspect)):
            return other.rule.rule.id
    return None


# --- tiers


def _tiers(policy: Policy) -> Findings:
    tiers = classes_of(policy.rulebook, policy.known)["tier"][:-1]
    for index, tier in enumerate(tiers):
        loc = ("tier", index)
        if _some(policy, tier) is None:
            yield Mistake((*loc, "when"), "never_holds", item=tier.name)
            continue
        for before in tiers[:index]:
            if finding := _overlap(policy, before, tier, loc):
                yield finding
                break


def _groups(policy: Policy) -> Findings:
    for index, group in enumerate(classes_of(policy.rulebook, policy.known)["group"]):
        if _some(policy, group) is None:
            yield Mistake(("group", index, "when"), "never_holds", item=group.name)


def _overlap(policy: Policy, before: Class, tier: Class, loc: Loc) -> Mistake | None:
    """Return what two tiers have in common, if it looks unmeant.

    A tier that takes what is left of an earlier one is meant; so are tiers about different things.
    """
    if _some(policy, tier, but=before) is None:
        return Mistake(loc, "tier_hidden", {"by": before.name}, item=tier.name)
    both = _some(policy, tier, before)
    same = _about(before.condition) == _about(tier.condition)
    if both is None or not same or _some(policy, before, but=tier) is None:
        return None
    params = {"other": before.name, "example": _example(both)}
    return Mistake(loc, "tiers_overlap", params, item=tier.name)


def _about(condition: All) -> set[str]:
    return {leaf.attribute.name for leaf in leaves(condition) if isinstance(leaf, Leaf)}


_UNKNOWN: View = {"?": None}


def _some(policy: Policy, *classes: Class, but: Class | None = None) -> View | None:
    """Return a world in which all classes hold and `but` does not; `_UNKNOWN` if it is too much."""
    every = [*classes, *([but] if but else [])]
    try:
        for view in worlds([c.condition for c in every], policy.known.tiers):
            if all(c.holds(view) for c in classes) and (but is None or but.holds(view) is False):
                return view
    except TooMany:
        return _UNKNOWN
    return None


def _example(view: View) -> str:
    known = {name: value for name, value in view.items() if not name.endswith(("~", "?"))}
    return ", ".join(f"{name} = {shown(value)}" for name, value in sorted(known.items()))


# --- auto-reviews


def _reviews(policy: Policy, today: date, hits: Mapping[str, int] | None) -> Findings:
    compiled = {r.review.id: r for gate in policy.gates.values() for r in gate.reviews}
    for index, review in enumerate(policy.rulebook.auto_review):
        loc: Loc = ("auto_review", index)
        if review.expires < today:
            params = {"date": review.expires.isoformat()}
            yield Mistake((*loc, "expires"), "review_expired", params, item=review.id)
        elif never := _never(compiled[review.id].clause, policy):
            yield Mistake((*loc, never[0]), never[1], item=review.id)
        elif hits is not None and not hits.get(review.id):
            yield Mistake(loc, "review_never_hit", item=review.id)


# --- names


def _unused(book: Rulebook, policy: Policy) -> Findings:
    read = list(_leaves(policy))
    said = [*(r.say for r in book.rule), *(r.say for r in book.auto_review)]
    attributes = {leaf.attribute.name for leaf in read if isinstance(leaf, Leaf)}
    attributes |= {name for text in said for name in PLACEHOLDER.findall(text)}
    chains = {book.defaults.chain, *(r.chain for r in book.rule if r.chain)}
    schedules = {leaf.schedule for leaf in read if isinstance(leaf, During)}
    schedules |= {book.chain_defaults.clock or ""}
    schedules |= {s.clock for test in book.flow_test for s in test.steps if s.clock}
    for section, names, used in (
        ("attributes", book.attributes, attributes),
        ("chains", book.chains, chains),
        ("schedules", book.schedules, schedules),
    ):
        for name in names:
            if name not in used:
                yield Mistake((section, name), "unused", {"value": name})
    yield from _unused_groups(book, read)


def _unused_groups(book: Rulebook, read: Iterable[Leaf | During]) -> Findings:
    """A group with a title has a use of its own: approvers see it."""
    named = {str(value) for leaf in read if isinstance(leaf, Leaf) for value in leaf.values}
    for index, group in enumerate(book.group):
        if not group.title and group.name not in named:
            params = {"value": group.name}
            yield Mistake(("group", index), "unused", params, item=group.name)


def _leaves(policy: Policy) -> Iterator[Leaf | During]:
    """Return every leaf of the file, those of rules that are off included."""
    book, known = policy.rulebook, policy.known
    raw = [when for rule in book.rule for when in (rule.when, rule.unless)]
    raw += [when for review in book.auto_review for when in (review.when, review.unless)]
    raw += [*(tier.when for tier in book.tier), *(group.when for group in book.group)]
    for each in raw:
        yield from leaves(read_condition(each, ("rule",), known)[0])


def names_nobody(book: Rulebook, directory: Directory) -> tuple[tuple[Mistake, UnknownName], ...]:
    """Return the names in roles that the directory does not have, each as a mistake."""
    found: list[tuple[Mistake, UnknownName]] = []
    for name in unknown_names(book.roles, directory):
        place = book.roles[name.role].members.index(name.selector)
        loc = ("roles", name.role, "members", place)
        meant = alternative(name.selector, directory)
        found.append((Mistake(loc, NAMES_NOBODY, {"value": name.selector}, meant), name))
    return tuple(found)


# --- tests


def _untested(policy: Policy) -> Findings:
    never = coverage.of(policy).never
    for index, rule in enumerate(policy.rulebook.rule):
        if f"rule.{rule.id}" in never:
            yield Mistake(("rule", index), "rule_untested", item=rule.id)
