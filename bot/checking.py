"""What `menwei check`, `lint` and `test` find in a config file, with the database's help if it can.

Nothing is written: a file may be checked on a machine that has no database, or beside a running
Menwei.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bot import holidays
from storage.database import Database, Unavailable
from storage.transaction import Transaction
from workflows import coverage, flow_tests, lint, lockout, policy
from workflows.coverage import Coverage
from workflows.directory import Directory
from workflows.mistakes import Mistake
from workflows.policy import Policy, Tested
from workflows.roles import UnknownName
from workflows.sections import Rulebook

_SQLITE = "sqlite:///"


@dataclass(frozen=True, slots=True)
class Known:
    """What the database knows: the company, and how often which auto-review answered.

    `unasked` says why it could not be asked, though it should be there.
    """

    directory: Directory | None = None
    hits: Mapping[str, int] | None = None
    unasked: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """How a well-formed file fared. Warnings are told and refuse nothing."""

    tested: tuple[Tested, ...]
    mistakes: tuple[Mistake, ...]
    warnings: tuple[Mistake, ...]

    @property
    def failed(self) -> tuple[Tested, ...]:
        """The tests in the file that did not come out as written."""
        return tuple(each for each in self.tested if not each.passed)

    @property
    def is_good(self) -> bool:
        """Whether the file may take effect."""
        return not self.failed and not self.mistakes

    @property
    def locks_out(self) -> bool:
        """Whether it may not even take effect unasked: to go back, or in an emergency.

        Names that mean nobody any more hinder nobody then: an earlier version may have them.
        """
        return any(each.code != lint.NAMES_NOBODY for each in self.mistakes)


def known(url: str) -> Known:
    """Return what the database knows; nothing, and why, if it cannot be asked."""
    if url.startswith(_SQLITE) and not Path(url.removeprefix(_SQLITE).split("?")[0]).exists():
        return Known()
    try:
        with contextlib.closing(Database.open(url)) as database:
            return asyncio.run(database.read(_read))
    except (Unavailable, ValueError) as error:
        is_new = "no such table" in str(error)  # nobody has served on it yet
        return Known(unasked="" if is_new else str(error))


def _read(tx: Transaction) -> Known:
    directory = tx.people.directory()
    # An empty record says nothing about what is never used.
    hits = tx.requests.auto_reviewed() if tx.requests.count_all() else None
    return Known(directory if directory.members else None, hits)


def compiled(rules: Rulebook) -> Policy:
    """Return the policy with the holidays Menwei runs by."""
    return policy.compile_policy(rules, holidays.CHINA)


def tests(judge: Policy) -> tuple[Tested, ...]:
    """Run every test in the file."""
    return (*policy.run_tests(judge), *flow_tests.run_all(judge))


def check(judge: Policy, found: Known, in_force: Policy | None = None) -> Checked:
    """Return whether the tests pass and somebody could still decide, the company known.

    A role that names what the directory does not have is a mistake. Where the version in force
    says the same it is a warning: that runs already, and no other change may hang on it.
    """
    guarded: list[Mistake] = []
    tolerated: list[Mistake] = []
    if found.directory is not None:
        guarded += lockout.lockout(judge, found.directory)
        guarded += lockout.dead_ends(judge, found.directory)
        names = lint.names_nobody(judge.rulebook, found.directory)
        for each, name in names:
            says_so = in_force is not None and _says(in_force.rulebook, name)
            (tolerated if says_so else guarded).append(each)
    return Checked(
        tests(judge),
        tuple(each for each in guarded if each.code not in lockout.WARNINGS),
        (*(each for each in guarded if each.code in lockout.WARNINGS), *tolerated),
    )


def _says(book: Rulebook, name: UnknownName) -> bool:
    role = book.roles.get(name.role)
    return role is not None and name.selector in role.members


def findings(judge: Policy, found: Known, today: date) -> tuple[Mistake, ...]:
    """Return what lint finds."""
    return lint.lint(judge, today, found.directory, found.hits)


def covered(judge: Policy, tested: tuple[Tested, ...]) -> Coverage:
    """Return which rules these tests reach."""
    return coverage.coverage(judge, tested)
