"""Cuts the values of one attribute into the few kinds that a set of leaves can tell apart."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from workflows.attributes import Kind
from workflows.conditions import SUBSTRING, All, Leaf, Operator, fold
from workflows.evaluation import Reads, Test, compiled, values_of, view_of
from workflows.model import Facts, FactValue
from workflows.terms import FALSE, TRUE, Term, Terms, constant

Chosen = Mapping[int, int]  # variable → the number of its value
_DAY = timedelta(days=1)
_HUGE = 1e300  # beyond, integers alone lie in the gaps
_NEUTRAL = ("其他", "other", "0")
_GLUE = ("·", "-", "|", "/", "_", "#", "~")
_IDEOGRAPHS = range(0x4E00, 0x9FA5)


@dataclass(frozen=True, slots=True)
class Probe:
    """A leaf that can be asked about single values."""

    leaf: Leaf
    reads: Reads
    test: Test

    @classmethod
    def of(cls, leaf: Leaf) -> Probe:
        """Prepare a leaf."""
        condition = All((leaf,))
        return cls(leaf, Reads.of([condition]), compiled(condition))

    def result(self, value: FactValue | None) -> Term:
        """Return what the leaf comes to for one value (None: missing), as decisions find it."""
        facts: Facts = {} if value is None else {self.leaf.attribute.name: value}
        return constant(self.test(view_of(facts, self.reads, lambda _: False)))


Probes = Sequence[Probe]


def _vector(probes: Probes, value: FactValue | None) -> tuple[Term, ...]:
    return tuple(probe.result(value) for probe in probes)


@dataclass(frozen=True, slots=True)
class Members:
    """Any set: whether it holds each of some elements is decided one by one."""

    atoms: Mapping[str, Term]  # element → whether it is inside; alike ones share a term
    elements: tuple[tuple[int, str], ...]  # variable → the element to show for it

    def value(self, chosen: Chosen) -> FactValue:
        """Return the set with the elements that were decided to be inside."""
        return frozenset(element for variable, element in self.elements if chosen.get(variable))

    def term(self, terms: Terms, probe: Probe) -> Term:
        """Return what the leaf comes to for such a set."""
        leaf = probe.leaf
        atoms = [self.atoms[v] for v in values_of(leaf) if v in self.atoms]
        match leaf.operator:
            case Operator.ANY_OF:
                return terms.any_of(atoms)
            case Operator.ALL_OF:
                return terms.all_of(atoms)
            case Operator.NONE_OF:
                return terms.negated(terms.any_of(atoms))
            case _:
                return probe.result(frozenset())


@dataclass(frozen=True, slots=True)
class Composition:
    """Any text that equals no constant: a beginning, then pieces, held apart by `glue`."""

    probes: tuple[Probe, ...]
    glue: str
    beginning: int  # variable
    beginnings: tuple[str, ...]
    pieces: tuple[tuple[int, str], ...]  # variable → piece

    def value(self, chosen: Chosen) -> FactValue:
        """Return a text of that composition, without glue where that tells the same."""
        start = self.beginnings[chosen.get(self.beginning, 0)]
        pieces = [piece for variable, piece in self.pieces if chosen.get(variable)]
        glued = self.glue.join([start, *pieces, ""])
        wanted = _vector(self.probes, glued)
        plain = ("".join([start, *pieces]), *(start + word for word in _NEUTRAL))
        return next(
            (text for text in plain if text and _vector(self.probes, text) == wanted), glued
        )

    def term(self, terms: Terms, probe: Probe) -> Term:
        """Return what the leaf comes to for such a text."""
        if probe.leaf.operator not in SUBSTRING:
            return probe.result(self.glue)
        starts = [probe.result(start + self.glue) for start in self.beginnings]
        found = [terms.choose(self.beginning, starts)]
        if probe.leaf.operator is Operator.CONTAINS_ANY:
            for variable, piece in self.pieces:
                inside = probe.result(self.glue + piece + self.glue)
                found.append(terms.choose(variable, (FALSE, inside)))
        return terms.any_of(found)


Weight = Callable[[FactValue | None], tuple[int, ...]]
Sample = FactValue | Members | Composition | None  # None: the attribute is missing


@dataclass(frozen=True, slots=True)
class Axis:
    """One attribute as a variable whose values are samples, ordinary ones first."""

    name: str
    variable: int
    samples: tuple[Sample, ...]
    exact: bool  # whether the samples certainly tell everything apart

    def term(self, terms: Terms, probe: Probe) -> Term:
        """Return the leaf as a term."""
        return terms.choose(
            self.variable, [_sample_term(terms, probe, sample) for sample in self.samples]
        )

    def value(self, chosen: Chosen) -> FactValue | None:
        """Return the value that was chosen; None when it is missing or does not matter."""
        number = chosen.get(self.variable)
        sample = None if number is None else self.samples[number]
        return sample.value(chosen) if isinstance(sample, Members | Composition) else sample


def _sample_term(terms: Terms, probe: Probe, sample: Sample) -> Term:
    if isinstance(sample, Members | Composition):
        return sample.term(terms, probe)
    return probe.result(sample)


def axis_of(
    terms: Terms,
    name: str,
    probes: Probes,
    marks: Iterable[int] = (),
    weight: Weight = lambda _: (),
) -> Axis:
    """Return the axis of one attribute, which the leaves of all `probes` read.

    `marks` are further numbers at which something changes, `weight` what changes there; smaller
    ones come first.
    """
    by_kind: dict[Kind, list[Leaf]] = {} if probes else {Kind.INT: []}
    for probe in probes:
        by_kind.setdefault(probe.leaf.attribute.kind, []).append(probe.leaf)
    told_apart: dict[object, Sample] = {}
    for sample in (s for k, f in by_kind.items() for s in _samples(terms, k, f, marks, probes)):
        if isinstance(sample, Members | Composition):
            told_apart[id(sample)] = sample
        else:
            told_apart.setdefault((weight(sample), _vector(probes, sample)), sample)
    ordered = sorted(told_apart.values(), key=lambda s: _oddness(s, probes, weight))
    exact = len(by_kind) < 2 and all(_is_sound(sample, probes) for sample in ordered)
    return Axis(name, terms.variable(len(ordered) + 1), (*ordered, None), exact)


def _oddness(sample: Sample, probes: Probes, weight: Weight) -> tuple[object, ...]:
    """Sort key: what sets off few conditions is ordinary, and so is a count that is not below 0."""
    if isinstance(sample, Members | Composition):
        return ((), False, 0)
    below = isinstance(sample, int | float) and sample < 0
    return (weight(sample), below, _vector(probes, sample).count(TRUE))


def _is_sound(sample: Sample, probes: Probes) -> bool:
    """Whether every word that is put into a text is found in it, however it is folded."""
    if not isinstance(sample, Composition):
        return True
    folded, glue = probes[0].leaf.attribute.folded, sample.glue
    texts = {word: glue + word + glue for _, word in sample.pieces}
    texts |= {word: word + glue for word in sample.beginnings}
    return all(word in fold(t.casefold() if folded else t) for word, t in texts.items())


# --- samples by kind


def _samples(
    terms: Terms, kind: Kind, leaves: Sequence[Leaf], marks: Iterable[int], probes: Probes
) -> list[Sample]:
    values = [v for f in leaves if f.operator is not Operator.EXISTS for v in f.values]
    match kind:
        case Kind.BOOL:
            return [False, True]
        case Kind.INT:
            return [0, *_integers([*(int(v) for v in values), *marks])]
        case Kind.NUMBER:
            return [0, *_numbers(sorted({v for v in values if not isinstance(v, str)}))]
        case Kind.DATE:
            return [*_dates(sorted({date.fromisoformat(str(v)) for v in values}))]
        case Kind.SET:
            return [_members(terms, leaves)]
        case Kind.TEXT if leaves[0].attribute.words:
            return [*leaves[0].attribute.words]
        case Kind.TEXT:
            return _texts(terms, leaves, probes)


def _integers(marks: Iterable[int]) -> list[int]:
    return sorted({mark + step for mark in marks for step in (-1, 0, 1)})


def _numbers(marks: Sequence[float]) -> Iterator[float]:
    """Every mark, and something in every gap: a round number where one lies there."""
    yield from marks
    for mark in marks:
        yield from (math.floor(mark) + 1, math.ceil(mark) - 1)
    near = [mark for mark in marks if abs(mark) < _HUGE]
    yield from (low / 2 + high / 2 for low, high in itertools.pairwise(near))
    for mark in near:
        yield from (math.nextafter(mark, -math.inf), math.nextafter(mark, math.inf))


def _dates(marks: Sequence[date]) -> Iterator[str]:
    yield from (mark.isoformat() for mark in marks or [date(2026, 1, 1)])
    yield from ((m - _DAY).isoformat() for m in marks if m > date.min)
    yield from ((m + _DAY).isoformat() for m in marks if m < date.max)


def _members(terms: Terms, leaves: Sequence[Leaf]) -> Members:
    """Elements that no leaf tells apart share a variable."""
    readers: dict[str, list[int]] = {}
    for number, leaf in enumerate(leaves):
        for value in values_of(leaf) if leaf.operator is not Operator.EXISTS else ():
            readers.setdefault(value, []).append(number)
    alone = frozenset(
        value for f in leaves if f.operator is Operator.ALL_OF for value in values_of(f)
    )
    alike: dict[object, list[str]] = {}
    for value, numbers in sorted(readers.items()):
        alike.setdefault((value if value in alone else "", *numbers), []).append(value)
    atoms: dict[str, Term] = {}
    elements: list[tuple[int, str]] = []
    for values in alike.values():
        variable = terms.variable(2)
        elements.append((variable, values[0]))
        atoms |= dict.fromkeys(values, terms.choose(variable, (FALSE, TRUE)))
    return Members(atoms, tuple(elements))


def _texts(terms: Terms, leaves: Sequence[Leaf], probes: Probes) -> list[Sample]:
    equal = [v for f in leaves if f.operator in _EQUALITY for v in values_of(f)]
    inside = [str(v) for f in leaves if f.operator is Operator.CONTAINS_ANY for v in f.values]
    starts = [str(v) for f in leaves if f.operator is Operator.STARTS_WITH for v in f.values]
    glue = _glue([*map(fold, equal), *inside, *starts])
    beginnings = _told_apart(probes, {word: word + glue for word in ["", *sorted(starts)]})
    # Between glue a piece begins nothing; one that sets nothing off is not needed.
    pieces = _told_apart(probes, {word: glue + word + glue for word in ["", *sorted(inside)]})
    composed = Composition(
        tuple(probes),
        glue,
        terms.variable(len(beginnings)),
        beginnings,
        tuple((terms.variable(2), piece) for piece in pieces[1:]),
    )
    return [composed, *sorted(set(equal))]


_EQUALITY = frozenset({Operator.EQ, Operator.NE})


def _told_apart(probes: Probes, spelled: Mapping[str, str]) -> tuple[str, ...]:
    """Return the first word of each kind that the leaves tell apart as it is spelled."""
    found: dict[tuple[Term, ...], str] = {}
    for word, text in spelled.items():
        found.setdefault(_vector(probes, text), word)
    return tuple(found.values())


def _glue(words: Iterable[str]) -> str:
    """Return a character that occurs in no word, so that nothing is found across it."""
    used = frozenset("".join(words))
    candidates = itertools.chain(_GLUE, map(chr, _IDEOGRAPHS))
    return next(character for character in candidates if character not in used)
