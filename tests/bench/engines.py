"""The same rules in Menwei and in other engines, each used as its own pages advise.

The others are programs that are compiled once and filed by action, the strictest rule first, so
that they may stop at the first one that holds. Menwei finds every rule that holds, to name it.
"""

from __future__ import annotations

import importlib
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from tests.bench.rulesets import AT, Case, RuleSet
from workflows import policy, rulebook
from workflows.attributes import Attribute, Kind
from workflows.conditions import All, During, Either, Leaf, Operator, Part
from workflows.gates import CompiledRule
from workflows.model import Facts

Answer = tuple[str, str | None]  # outcome, chain
Decider = Callable[[Case], Answer]
ALLOWED: Answer = ("allow", None)


def menwei(rules: RuleSet) -> policy.Policy:
    """Read and compile the rules as the program does."""
    book, wrong = rulebook.read(dict(rules.sections))
    if book is None:
        raise ValueError([(m.place, m.code) for m in wrong])
    return policy.compile_policy(book)


def by_menwei(made: policy.Policy) -> Decider:
    """Decide with Menwei."""

    def decide(case: Case) -> Answer:
        verdict = policy.decide(made, case.facts, case.action, AT)
        return verdict.outcome.word, verdict.chain

    return decide


# --- the rules as texts that the others read


@dataclass(frozen=True, slots=True)
class Spelling:
    """How an engine writes a variable, and that one text contains another."""

    variable: Callable[[str], str]
    contains: Callable[[str, str], str]

    def rule(self, rule: CompiledRule) -> str:
        """Return one rule as an expression that is true where it holds."""
        when = self._all(rule.clause.when)
        unless = rule.clause.unless
        return when if unless is None else f"{when} && !({self._all(unless)})"

    def _all(self, condition: All) -> str:
        return " && ".join(map(self._part, condition.parts)) or "true"

    def _part(self, part: Part) -> str:
        match part:
            case Leaf():
                return self._leaf(part)
            case Either(branches):
                return f"({' || '.join(f'({self._all(branch)})' for branch in branches)})"
            case During():
                raise ValueError("the others know no working hours")
            case _:
                assert_never(part)

    def _leaf(self, leaf: Leaf) -> str:
        name, values = self.variable(leaf.attribute.name), [*map(repr, leaf.values)]
        match leaf.operator:
            case Operator.EQ if len(values) == 1:
                return f"{name} == {values[0]}"
            case Operator.EQ:
                return f"{name} in [{', '.join(values)}]"
            case Operator.ANY_OF:
                return f"({' || '.join(f'{value} in {name}' for value in values)})"
            case Operator.ALL_OF:
                return " && ".join(f"{value} in {name}" for value in values)
            case Operator.CONTAINS_ANY:
                return f"({' || '.join(self.contains(name, value) for value in values)})"
            case _:
                return f"{name} {_SIGNS[leaf.operator]} {values[0]}"


_SIGNS = {Operator.GTE: ">=", Operator.GT: ">", Operator.LTE: "<=", Operator.LT: "<"}


@dataclass(frozen=True, slots=True)
class Text:
    """One rule as a text, and what it means if it holds."""

    id: str
    expression: str
    answer: Answer


def texts(made: policy.Policy, spelling: Spelling) -> dict[str, list[Text]]:
    """Return the rules of each action, the strictest first."""
    rank = made.strictness
    found: dict[str, list[Text]] = {}
    for action, gate in made.gates.items():
        ordered = sorted(gate.rules, key=lambda r: (r.outcome, rank[r.chain]), reverse=True)
        found[action] = [_text(rule, spelling) for rule in ordered]
    return found


def _text(rule: CompiledRule, spelling: Spelling) -> Text:
    asks = rule.rule.then == "approval"
    return Text(rule.rule.id, spelling.rule(rule), (rule.rule.then, rule.chain if asks else None))


def plain(facts: Facts) -> dict[str, Any]:
    """Return the facts as the others take them: lists, and names without dots."""
    return {
        _flat(name): sorted(value) if isinstance(value, frozenset) else value
        for name, value in facts.items()
    }


def _flat(name: str) -> str:
    return name.replace(".", "_")


_CEL = Spelling(_flat, lambda name, word: f"{name}.contains({word})")
_CASBIN = Spelling(lambda name: f"r.{_flat(name)}", lambda name, word: f"{word} in {name}")
_Texts = Mapping[str, Sequence[Text]]
_Facts = Mapping[str, Any]
_Asked = Callable[[str, _Facts], Answer]


@dataclass(frozen=True, slots=True)
class Engine:
    """Another engine: the package it comes in, how it spells, and how it gets ready."""

    package: str
    module: str
    spelling: Spelling
    ready: Callable[[Any, _Texts, Sequence[Attribute]], _Asked]

    def imported(self) -> Any | None:
        """Return its module, or None if it is not installed."""
        try:
            return importlib.import_module(self.module)
        except ImportError:
            return None


def _by_cel_python(celpy: Any, rules: _Texts, _attributes: Sequence[Attribute]) -> _Asked:
    """Programs of the compiling runner: it is the faster one of the two."""
    environment = celpy.Environment(runner_class=celpy.CompiledRunner)
    programs = {
        action: [(environment.program(environment.compile(t.expression)), t.answer) for t in found]
        for action, found in rules.items()
    }

    def asked(action: str, facts: _Facts) -> Answer:
        context = {name: celpy.json_to_cel(value) for name, value in facts.items()}
        holding = (answer for program, answer in programs[action] if program.evaluate(context))
        return next(holding, ALLOWED)

    return asked


def _by_cel_expr_python(cel: Any, rules: _Texts, attributes: Sequence[Attribute]) -> _Asked:
    """Typed variables, and one activation for all expressions."""
    kinds = {
        Kind.INT: cel.Type.INT,
        Kind.TEXT: cel.Type.STRING,
        Kind.SET: cel.Type.List(cel.Type.STRING),
    }
    environment = cel.NewEnv(variables={_flat(a.name): kinds[a.kind] for a in attributes})
    programs = {
        action: [(environment.compile(text.expression), text.answer) for text in found]
        for action, found in rules.items()
    }

    def asked(action: str, facts: _Facts) -> Answer:
        activation = environment.Activation(facts)
        holding = (a for program, a in programs[action] if program.eval(activation).value())
        return next(holding, ALLOWED)

    return asked


_MODEL = """
[request_definition]
r = {names}
[policy_definition]
p = id, when, then, chain, eft
[policy_effect]
e = priority(p.eft) || deny
[matchers]
m = eval(p.when)
"""


def _by_pycasbin(casbin: Any, rules: _Texts, attributes: Sequence[Attribute]) -> _Asked:
    """Attributes by `eval()` of a rule in the policy, one enforcer for each action."""
    logging.getLogger("casbin").setLevel(logging.ERROR)
    names = [_flat(a.name) for a in attributes]
    enforcers: dict[str, Any] = {}
    for action, found in rules.items():
        model = casbin.Model()
        model.load_model_from_text(_MODEL.format(names=", ".join(names)))
        enforcers[action] = casbin.Enforcer(model, enable_log=False)
        enforcers[action].add_policies(
            [[t.id, t.expression, t.answer[0], t.answer[1] or "", "deny"] for t in found]
        )

    def asked(action: str, facts: _Facts) -> Answer:
        _, rule = enforcers[action].enforce_ex(*(facts[name] for name in names))
        return (rule[2], rule[3] or None) if rule else ALLOWED

    return asked


OTHERS = (
    Engine("cel-expr-python", "cel_expr_python.cel", _CEL, _by_cel_expr_python),
    Engine("cel-python", "celpy", _CEL, _by_cel_python),
    Engine("pycasbin", "casbin", _CASBIN, _by_pycasbin),
)
