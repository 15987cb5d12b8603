"""Cases to be explained that nobody asked for: typed on the command line, or a test of the file."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.texts import Text, Texts
from workflows import given, policy
from workflows.given import Case, Given
from workflows.mistakes import Mistake, near
from workflows.model import Verdict
from workflows.policy import Policy, Tested
from workflows.sections import PolicyTest

_PLACE = re.compile(r" \(at (line \d+, column \d+|end of document)\)$")


class Unreadable(Exception):
    """What was typed is not TOML; `str` of it says why."""


class NotOneCase(Exception):
    """A name that fits no test in the file, or a test with several cases."""

    def __init__(self, name: str, count: int, near: str) -> None:
        super().__init__(name, count)
        self.name = name
        self.count = count  # of its cases; 0 for no such test
        self.near = near  # a case, or a test that was probably meant; empty if there is none


@dataclass(frozen=True, slots=True)
class NamedCase:
    """One case of a test in the file. Without a time it is decided when tests are."""

    name: str
    given: Given
    expected: Mapping[str, object]

    def result(self, verdict: Verdict) -> Tested:
        """Return how the test fares with a verdict."""
        return Tested(self.name, verdict, policy.misses(self.expected, verdict))

    def at(self, judge: Policy) -> datetime:
        """Return the time it is decided at."""
        return self.given.at or policy.TEST_TIME.replace(tzinfo=judge.zone)


def table(typed: str) -> str:
    """Return what was typed, with or without its braces, as one line of TOML named `given`."""
    body = " ".join(typed.split("\n")).strip()
    braced = body.startswith("{") and body.endswith("}")
    return f"given = {body}" if braced else f"given = {{ {body} }}"


def typed(line: str, judge: Policy) -> tuple[Given | None, list[Mistake]]:
    """Return what a line of `table` gives, or every mistake in it. Raises Unreadable."""
    try:
        data = tomllib.loads(line)
    except tomllib.TOMLDecodeError as wrong:
        raise Unreadable(_PLACE.sub("", str(wrong))) from None
    return given.read(data["given"], ("given",), judge.known, judge.zone)


def tested(judge: Policy, name: str) -> NamedCase:
    """Return the case that is named: a test, or one combination of its matrix. NotOneCase."""
    every = {test.name: (test, _cases(judge, test)) for test in judge.rulebook.test}
    for test, cases in every.values():
        found = [case for case in cases if name in (case.name, test.name)]
        if len(found) == 1:
            return NamedCase(found[0].name, found[0].given, test.expect.model_dump())
        if found:
            raise NotOneCase(name, len(found), found[0].name)
    raise NotOneCase(name, 0, near(name, every))


def _cases(judge: Policy, test: PolicyTest) -> tuple[Case, ...]:
    cases, _ = given.read_cases(
        test.given, test.matrix, ("test",), judge.known, judge.zone, test.name
    )
    return cases


def told(wrong: NotOneCase, voice: Texts) -> Text:
    """Return what is wrong with the name of a case, and what to write instead."""
    if wrong.count:
        words = {"count": wrong.count, "example": wrong.near}
        return voice("explain.which_case", name=wrong.name, **words)
    guess = voice("mistake.did_you_mean", suggestion=wrong.near) if wrong.near else ""
    return voice("explain.no_test", name=wrong.name, guess=guess)
