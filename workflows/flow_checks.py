"""Checks the tests over time in a config file: that every step is one, and every name is somebody.

The people of such a test are made up, so they are looked up in the test and not in the directory.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from workflows import given
from workflows.attributes import ACTIONS
from workflows.mistakes import Loc, Mistake, near
from workflows.names import Names
from workflows.sections import FlowExpect, FlowStep, FlowTest, Rulebook

KINDS = ("at", "wait", "do", "expect")
# What may stand beside which kind of step.
_BESIDE = {"clock": "wait", "by": "do", "to": "do", "comment": "do", "refused": "do"}
# What somebody is named for.
_NAMING = frozenset({"away", "hand_over", "add_approver"})


def check(book: Rulebook, names: Names) -> list[Mistake]:
    """Return every mistake in the tests over time, in the order of the file."""
    found: list[Mistake] = []
    before: set[str] = set()
    for index, test in enumerate(book.flow_test):
        checking = _Checking(test, ("flow_test", index), names)
        if test.name in before:
            checking.note(("name",), "duplicate", value=test.name)
        before.add(test.name)
        checking.people()
        checking.request()
        for number, step in enumerate(test.steps):
            checking.step(step, ("steps", number))
        found += checking.found
    return found


@dataclass(slots=True)
class _Checking:
    test: FlowTest
    above: Loc
    names: Names
    found: list[Mistake] = field(default_factory=list)

    def note(self, loc: Loc, code: str, suggestion: str = "", **params: str) -> None:
        self.found.append(Mistake((*self.above, *loc), code, params, suggestion, self.test.name))

    def _known(self, word: str, names: Iterable[str], what: str, loc: Loc) -> None:
        names = tuple(names)
        if word not in names:
            self.note(loc, f"unknown_{what}", near(word, names), value=word)

    def _person(self, userid: str, loc: Loc) -> None:
        cast = {each.lower(): each for each in self.test.people}
        if userid.lower() not in cast:
            self.note(loc, "unknown_person", near(userid, cast.values()), value=userid)

    def people(self) -> None:
        before: set[str] = set()
        for userid, member in self.test.people.items():
            loc: Loc = ("people", userid)
            if userid.lower() in before:
                self.note(loc, "duplicate", value=userid)
            before.add(userid.lower())
            for role in member.roles or ():
                self._known(role, self.names.known.roles, "role", (*loc, "roles"))
            if member.manager is not None:
                self._person(member.manager, (*loc, "manager"))

    def request(self) -> None:
        request, loc = self.test.request, ("request",)
        self._person(request.by, (*loc, "by"))
        self._known(request.action, ACTIONS, "action", (*loc, "action"))
        for owner in request.owners:
            self._person(owner, (*loc, "owners"))
        here = (*self.above, "request", "facts")
        _, wrong = given.read_facts(request.facts, here, self.names.known, self.test.name)
        self.found += wrong

    def step(self, step: FlowStep, loc: Loc) -> None:
        kinds = [kind for kind in KINDS if getattr(step, kind) is not None]
        if len(kinds) != 1:
            self.note(loc, "flow_step", expected=", ".join(KINDS))
            return
        for key, owner in _BESIDE.items():
            if getattr(step, key) and kinds != [owner]:
                self.note((*loc, key), "belongs_to", key=key, owner=owner)
        if step.clock is not None:
            self._known(step.clock, self.names.known.schedules, "schedule", (*loc, "clock"))
        if step.do is not None and step.by is None:
            self.note((*loc, "by"), "required")
        if step.do in _NAMING and step.to is None:
            self.note((*loc, "to"), "required")
        for key, named in (("by", step.by), ("to", step.to)):
            if named is not None:
                self._person(named, (*loc, key))
        if step.expect is not None:
            self._expectation(step.expect, (*loc, "expect"))

    def _expectation(self, expect: FlowExpect, loc: Loc) -> None:
        for userid in expect.asked or ():
            self._person(userid, (*loc, "asked"))
        if expect.decided_by is not None and ":" not in expect.decided_by:
            self._person(expect.decided_by, (*loc, "decided_by"))
        if expect.chain is not None:
            self._known(expect.chain, self.names.chains, "chain", (*loc, "chain"))
        for rule in expect.rules or ():
            self._known(rule, self.names.rules, "rule", (*loc, "rules"))
        for name in expect.missing or ():
            self._known(name, self.names.known.registry, "attribute", (*loc, "missing"))
        if expect.auto_review is not None:
            here = (*loc, "auto_review")
            self._known(expect.auto_review, self.names.reviews, "rule", here)
