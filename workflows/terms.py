"""Conditions over finitely many choices, in a form that shrinks as the choices are made.

A term is a number. Equal terms have equal numbers, so two conditions that read differently in two
files but mean the same become one. Variables are numbers too; each has finitely many values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import Enum

Term = int
FALSE, UNKNOWN, TRUE = 0, 1, 2
# What a term may still come to, as bits.
MAY_FAIL, MAY_BE_UNKNOWN, MAY_HOLD = 1, 2, 4
_MASKS = (MAY_FAIL, MAY_BE_UNKNOWN, MAY_HOLD)


def constant(result: bool | None) -> Term:
    """Return the term that always comes to this."""
    return UNKNOWN if result is None else (TRUE if result else FALSE)


class _How(Enum):
    CHOOSE = 1  # by the value of a variable
    ALL = 2
    ANY = 3
    NOT = 4
    BRANCH = 5  # by another term: yes, no, unknown


_Node = tuple[_How, int, tuple[Term, ...]]  # the number is a variable or, of a branch, a term


@dataclass(slots=True)
class Terms:
    """The terms of one comparison, made bottom up and shared."""

    sizes: list[int] = field(default_factory=list)  # of each variable: how many values
    _nodes: list[_Node | None] = field(default_factory=lambda: [None, None, None])
    _masks: list[int] = field(default_factory=lambda: list(_MASKS))
    _reads: list[int] = field(default_factory=lambda: [0, 0, 0])  # variables, as bits
    _first: list[int] = field(default_factory=lambda: [-1, -1, -1])
    _known: dict[_Node, Term] = field(default_factory=dict)
    _decided: dict[tuple[Term, int, int], Term] = field(default_factory=dict)

    def variable(self, size: int) -> int:
        """Return a new variable with values 0 … size - 1."""
        self.sizes.append(size)
        return len(self.sizes) - 1

    def mask(self, term: Term) -> int:
        """Return what the term may come to; too much is possible, too little is not."""
        return self._masks[term]

    def first(self, term: Term) -> int:
        """Return a variable to decide next, or -1 for a constant."""
        return self._first[term]

    def reads(self, term: Term) -> int:
        """Return the variables that are still open in it, as bits."""
        return self._reads[term]

    # --- making terms

    def choose(self, variable: int, branches: Sequence[Term]) -> Term:
        """Return the term that equals one branch for each value of the variable."""
        if len(set(branches)) == 1:
            return branches[0]
        return self._made((_How.CHOOSE, variable, tuple(branches)))

    def all_of(self, terms: Iterable[Term]) -> Term:
        """Kleene "and"."""
        return self._joined(_How.ALL, terms, FALSE, TRUE)

    def any_of(self, terms: Iterable[Term]) -> Term:
        """Kleene "or"."""
        return self._joined(_How.ANY, terms, TRUE, FALSE)

    def negated(self, term: Term) -> Term:
        """Kleene "not"."""
        node = self._nodes[term]
        if node is None:
            return TRUE - term
        how, variable, parts = node
        if how is _How.NOT:
            return parts[0]
        if how is _How.CHOOSE:
            return self.choose(variable, [self.negated(part) for part in parts])
        return self._made((_How.NOT, -1, (term,)))

    def branch(self, on: Term, yes: Term, no: Term, unknown: Term) -> Term:
        """Return the term that equals one of three, by what `on` comes to."""
        if on in _CONSTANTS:
            return (no, unknown, yes)[on]
        if yes == no == unknown:
            return yes
        if (yes, no, unknown) == (TRUE, FALSE, UNKNOWN):
            return on
        return self._made((_How.BRANCH, on, (yes, no, unknown)))

    def _joined(self, how: _How, terms: Iterable[Term], settles: Term, neutral: Term) -> Term:
        parts = {t for term in terms for t in self._flat(how, term) if t != neutral}
        parts = self._fused(how, parts)
        parts.discard(neutral)
        if settles in parts:
            return settles
        match sorted(parts):
            case []:
                return neutral
            case [only]:
                return only
            case several:
                return self._made((how, -1, tuple(several)))

    def _flat(self, how: _How, term: Term) -> tuple[Term, ...]:
        node = self._nodes[term]
        return node[2] if node is not None and node[0] is how else (term,)

    def _fused(self, how: _How, parts: set[Term]) -> set[Term]:
        """Merge choices by the same variable, so that contradictions show at once."""
        by_variable: dict[int, list[tuple[Term, ...]]] = {}
        rest: set[Term] = set()
        for part in parts:
            node = self._nodes[part]
            if node is not None and node[0] is _How.CHOOSE:
                by_variable.setdefault(node[1], []).append(node[2])
            else:
                rest.add(part)
        join = self.all_of if how is _How.ALL else self.any_of
        for variable, tables in by_variable.items():
            rest.add(self.choose(variable, [join(column) for column in zip(*tables, strict=True)]))
        return rest

    def _made(self, node: _Node) -> Term:
        known = self._known.get(node)
        if known is not None:
            return known
        how, number, parts = node
        own = 1 << number if how is _How.CHOOSE else 0
        inner = (*parts, number) if how is _How.BRANCH else parts
        for part in inner:
            own |= self._reads[part]
        self._nodes.append(node)
        self._masks.append(self._mask(node))
        self._reads.append(own)
        self._first.append(self._first_of(node))
        self._known[node] = len(self._nodes) - 1
        return len(self._nodes) - 1

    def _mask(self, node: _Node) -> int:
        how, on, parts = node
        masks = [self._masks[part] for part in parts]
        either = 0
        for mask in masks:
            either |= mask
        match how:
            case _How.CHOOSE:
                return either
            case _How.NOT:
                return _turned(masks[0])
            case _How.ALL:
                return _all_mask(masks)
            case _How.ANY:
                return _turned(_all_mask([_turned(mask) for mask in masks]))
            case _How.BRANCH:
                bits = zip((MAY_HOLD, MAY_FAIL, MAY_BE_UNKNOWN), masks, strict=True)
                found = 0
                for bit, mask in bits:
                    found |= mask if self._masks[on] & bit else 0
                return found

    def _first_of(self, node: _Node) -> int:
        how, number, parts = node
        if how is _How.CHOOSE:
            return number
        if how is _How.BRANCH:
            return self._first[number]
        return next(first for part in parts if (first := self._first[part]) >= 0)

    # --- deciding

    def decided(self, term: Term, variable: int, value: int) -> Term:
        """Return what is left of the term when the variable has this value."""
        if not self._reads[term] >> variable & 1:
            return term
        key = (term, variable, value)
        if key not in self._decided:
            self._decided[key] = self._decide(term, variable, value)
        return self._decided[key]

    def _decide(self, term: Term, variable: int, value: int) -> Term:
        node = self._nodes[term]
        if node is None:
            return term
        how, number, parts = node
        if how is _How.CHOOSE and number == variable:
            return self.decided(parts[value], variable, value)
        left = [self.decided(part, variable, value) for part in parts]
        match how:
            case _How.CHOOSE:
                return self.choose(number, left)
            case _How.NOT:
                return self.negated(left[0])
            case _How.ALL:
                return self.all_of(left)
            case _How.ANY:
                return self.any_of(left)
            case _How.BRANCH:
                return self.branch(self.decided(number, variable, value), *left)


_CONSTANTS = (FALSE, UNKNOWN, TRUE)


def _turned(mask: int) -> int:
    """Return the mask of the negation."""
    swapped = (MAY_HOLD if mask & MAY_FAIL else 0) | (MAY_FAIL if mask & MAY_HOLD else 0)
    return swapped | mask & MAY_BE_UNKNOWN


def _all_mask(masks: Sequence[int]) -> int:
    found = MAY_HOLD if all(mask & MAY_HOLD for mask in masks) else 0
    if any(mask & MAY_FAIL for mask in masks):
        found |= MAY_FAIL
    unsettled = all(mask & (MAY_HOLD | MAY_BE_UNKNOWN) for mask in masks)
    if unsettled and any(mask & MAY_BE_UNKNOWN for mask in masks):
        found |= MAY_BE_UNKNOWN
    return found
