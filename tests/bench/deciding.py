"""What one decision costs, by how many rules there are, and what it costs in other engines.

CPU time of one process, the median over many different events. Every engine must give Menwei's
answer on every event it is measured with; else the comparison would be worth nothing, and ends.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from statistics import mean, median
from typing import Any, TypeVar

from tests.bench import engines, rulesets
from tests.bench.engines import Answer, Engine, Text
from tests.bench.rulesets import RuleSet
from workflows import policy

_FEWEST = 5  # events, however slow an engine is
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Depth:
    """How much is measured; `seconds` bounds the events of each engine and rule set."""

    sizes: tuple[int, ...]
    cases: int
    seconds: float


FULL = Depth((10, 100, 1_000, 10_000), 1_000, 1.5)
QUICK = Depth((10, 100, 1_000), 200, 0.3)
_COMPARED = (rulesets.mixed, rulesets.one_attribute)
_ALONE = (rulesets.many_hold, rulesets.missing_fact)  # the others would stop at once, or fail


@dataclass(frozen=True, slots=True)
class Took:
    """What an engine took: to get ready, and for each event in turn."""

    ready: float  # seconds
    times: Sequence[float]  # seconds


def measure(depth: Depth) -> list[dict[str, Any]]:
    """Return one row for each rule set; DisagreementError if an engine answers otherwise."""
    rows: list[dict[str, Any]] = []
    for size in depth.sizes:
        for make in (*_COMPARED, *(_ALONE if size in {1_000, 10_000} else ())):
            rules = make(size, depth.cases)
            rows.append(_row(rules, make in _COMPARED, depth.seconds))
            sys.stderr.write(f"decided by {size} rules, {rules.name}\n")
    return rows


def _row(rules: RuleSet, compared: bool, seconds: float) -> dict[str, Any]:
    ready, made = _timed(lambda: engines.menwei(rules))
    answers, times = _answered(map(engines.by_menwei(made), rules.cases), seconds)
    ours = Took(ready, times)
    verdicts = [policy.decide(made, c.facts, c.action, rulesets.AT) for c in rules.cases]
    theirs = {
        engine.package: _other(engine, rules, made, answers, seconds) if compared else None
        for engine in engines.OTHERS
    }
    return {
        "rules": rules.name,
        "size": rules.size,
        "for_the_action": round(mean(_asked(made, case.action) for case in rules.cases), 1),
        "hold": round(mean(len(verdict.rules) for verdict in verdicts), 2),
        "allowed": round(mean(outcome == "allow" for outcome, _ in answers), 2),
        "events": len(times),
        "microseconds": round(median(times) * 1e6, 1),
        "p99_microseconds": round(sorted(times)[int(len(times) * 0.99)] * 1e6, 1),
        "ratios": {name: took and _ratio(took, ours) for name, took in theirs.items()},
        "ready_ms": round(ready * 1e3, 1),
        "others_ready_ms": {n: took and round(took.ready * 1e3, 1) for n, took in theirs.items()},
    }


def _asked(made: policy.Policy, action: str) -> int:
    gate = made.gates.get(action)
    return len(gate.rules) if gate else 0


def _other(
    engine: Engine,
    rules: RuleSet,
    made: policy.Policy,
    answers: Sequence[Answer],
    seconds: float,
) -> Took | None:
    """Measure another engine; None if it is not installed."""
    module = engine.imported()
    if module is None:
        return None
    texts: dict[str, list[Text]] = {action: [] for action in rulesets.ACTIONS}
    texts |= engines.texts(made, engine.spelling)
    attributes = [made.known.registry[name] for name in rules.cases[0].facts]
    ready, asked = _timed(lambda: engine.ready(module, texts, attributes))
    events = [(case.action, engines.plain(case.facts)) for case in rules.cases]
    found, times = _answered((asked(*event) for event in events), seconds)
    for case, mine, other in zip(rules.cases, answers, found, strict=False):
        if mine != other:
            raise DisagreementError(f"{engine.package}: {other}, Menwei: {mine}, of {case}")
    return Took(ready, times)


class DisagreementError(Exception):
    """Two engines answer the same question differently."""


def _timed(make: Callable[[], _T]) -> tuple[float, _T]:
    gc.collect()  # nobody pays for what an engine before left behind
    start = time.process_time()
    made = make()
    return time.process_time() - start, made


def _answered(asking: Iterable[Answer], seconds: float) -> tuple[list[Answer], list[float]]:
    """Take one answer after the other, and how long each took, until the time is up."""
    answers: list[Answer] = []
    times: list[float] = []
    end = time.process_time() + seconds
    before = time.process_time_ns()
    for answer in asking:
        now = time.process_time_ns()
        answers.append(answer)
        times.append((now - before) / 1e9)
        if len(answers) >= _FEWEST and time.process_time() > end:
            break
        before = time.process_time_ns()
    return answers, times


def _ratio(theirs: Took, ours: Took) -> float:
    """Compare over the same events: a slow engine has time for fewer of them."""
    count = min(len(theirs.times), len(ours.times))
    return float(f"{median(theirs.times[:count]) / median(ours.times[:count]):.2g}")


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Return the figures, and which engines are not there."""
    names = [engine.package for engine in engines.OTHERS]
    absent = [engine.package for engine in engines.OTHERS if engine.imported() is None]
    shown = [name for name in names if name not in absent]
    head = f"{'one decision':<32}{'hold':>8}{'CPU us':>9}{'p99 us':>9}{'ready ms':>10}"
    lines = [head + "".join(f"{name:>17}{'ready ms':>10}" for name in shown)]
    for row in rows:
        line = f"{row['size']:>6,} {row['rules']:<25}{row['hold']:>8}{row['microseconds']:>9}"
        line += f"{row['p99_microseconds']:>9}{row['ready_ms']:>10}"
        for name in shown:
            ratio, ready = row["ratios"][name], row["others_ready_ms"][name]
            line += f"{'-' if ratio is None else f'x {ratio:g}':>17}{ready or '-':>10}"
        lines.append(line)
    if absent:
        lines.append(f"not installed, so not compared with: {', '.join(absent)} (make bench does)")
    return "\n".join(lines)
