"""Puts requests on file by the hundred thousand, in all tables, as if the program had run for long.

Every thousand requests are one team's: 80 wait for its lead, 20 for the director, the others are
over. What waits is at most three days old; the others are spread over the 400 days before.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import product

from bot.command_arguments import ID_ALPHABET
from storage.audit import Head
from tests.bench import queue_company as company
from tests.bench.queue_templates import BETWEEN, Template, Values, escapes

Lines = dict[str, list[str]]  # rows by table, written as `queue_templates` says

_BATCH = 2_000  # requests
_DAY = 24 * 3600 * 1000  # milliseconds
_SPAN, _WAITED, _KEPT = 400 * _DAY, 71 * 3600 * 1000, 30 * _DAY
_TEAM = 1_000  # requests of one team
_TENTH = 10  # every tenth waits
_OVER = ("allowed",) * 60 + ("approved",) * 20 + ("denied",) * 8 + ("withdrawn",) * 2
_WAITING = ("waits for the lead",) * 8 + ("waits for the director",) * 2
_PICKED = 5_000  # requests to measure with, at most
_COMMON = 20  # every twentieth customer has one of the commonest names
_NAMES, _COMMON_NAMES = 70_000, 50


def teams(requests: int) -> int:
    """Return how many teams a company has in which so much was requested."""
    return max(1, requests // _TEAM)


@dataclass(slots=True)
class _Ids:
    """Request ids as the program draws them: four characters, five once four are crowded."""

    dice: random.Random
    taken: set[str] = field(default_factory=set)
    short: list[str] = field(default_factory=lambda: list(_words(4)))

    def new(self) -> str:
        """Return a free one."""
        for _ in range(4):
            found = self.short[self.dice.randrange(len(self.short))]
            if found not in self.taken:
                break
        while found in self.taken:
            found = self.dice.choice(self.short) + self.dice.choice(ID_ALPHABET)
        self.taken.add(found)
        return found


def _words(length: int) -> Iterator[str]:
    for first in ID_ALPHABET[8:]:
        for rest in product(ID_ALPHABET, repeat=length - 1):
            if not (word := "".join(rest)).isalpha():
                yield first + word


@dataclass(frozen=True, slots=True)
class Known:
    """A request on file, by which things can be looked up."""

    story: str
    id: str
    team: int
    who: str
    customer: str


class Filling:
    """All rows of so many requests, in the order in which they would have come."""

    def __init__(
        self, templates: Mapping[str, Template], requests: int, now: int, head: Head, job: int
    ) -> None:
        self._dice = random.Random(requests)
        self._templates = templates
        self._requests = requests
        self._teams = teams(requests)
        self._now = now
        self._ids = _Ids(self._dice)
        self.head = head  # of the audit so far
        self.job = job  # number of the newest row of work
        self.known: list[Known] = []

    def batches(self) -> Iterator[Lines]:
        """Return the rows, a few thousand requests at a time."""
        lines: Lines = {}
        for number, (began, story, team) in enumerate(self._plan(), start=1):
            values = self._named(story, team)
            self._stamp(lines, self._templates[story], began, values)
            if number % max(1, self._requests // _PICKED) == 0:
                named = (str(values[name]) for name in ("who", "customer"))
                self.known.append(Known(story, str(values["id"]), team, *named))
            if number % _BATCH == 0:
                yield lines
                lines = {}
        yield lines

    def _plan(self) -> Iterator[tuple[int, str, int]]:
        """Return when each request begins, what becomes of it and in which team."""
        waiting = self._requests // _TENTH
        deck = [(_WAITING[n % 10], n // 10 % self._teams) for n in range(waiting)]
        self._dice.shuffle(deck)
        over = self._requests - waiting
        start = self._now - _SPAN
        ended = (
            (start + n * _SPAN // over, self._dice.choice(_OVER), self._dice.randrange(self._teams))
            for n in range(over)
        )
        begun = self._now - _WAITED
        left = ((begun + n * _WAITED // waiting, *each) for n, each in enumerate(deck))
        return heapq.merge(ended, left)

    def _stamp(self, lines: Lines, template: Template, began: int, names: Values) -> None:
        values = template.values(began, self.job + 1) | names
        self.job += template.jobs
        for table, rows in template.rows.items():
            lines.setdefault(table, []).extend(row % values for row in rows)
        lines.setdefault("work", []).extend(self._work(template, began, values))
        lines.setdefault("audit", []).extend(self._noted(template, began, values))

    def _named(self, story: str, team: int) -> Values:
        dice = self._dice
        asked = story not in {"waits for the director", "allowed"}
        who = (company.trainee if asked else company.seller)(team, dice.randrange(20))
        common = dice.randrange(_COMMON) == 0
        number = dice.randrange(_COMMON_NAMES if common else _NAMES)
        noise = f"{dice.getrandbits(256):064x}"
        lead = company.lead(team)
        found: Values = {"id": self._ids.new(), "who": who, "lead": lead}
        found |= {"external": f"wm_{who}_plain_{noise[:12]}", "planned": f"p{noise[:16]}"}
        found |= {"phone": f"13{int(noise[:12], 16) % 1_000_000_000:09d}", "secret": noise[:12]}
        found |= {f"event{n}": noise[n:] + noise[:n] for n in range(3)}
        found |= escapes("customer", company.name_of(number))
        found |= escapes("team", company.team_name(team))
        found |= {"who_name": company.member_name(who), "lead_name": company.member_name(lead)}
        return found

    def _work(self, template: Template, began: int, values: Values) -> Iterator[str]:
        """Return the rows of work that are open, or not old enough to have been pruned."""
        for each in template.work:
            due = began + (each.due or 0)
            if each.due is not None and due > self._now:
                yield each.row % values
            elif due > self._now - _KEPT:
                yield each.finished % values

    def _noted(self, template: Template, began: int, values: Values) -> Iterator[str]:
        seq, prev = self.head.seq, self.head.hash
        for each in template.audit:
            seq, at = seq + 1, began + each.at
            digest = sha256(f"{prev}[{seq},{at},{each.hashed % values}".encode()).hexdigest()
            yield BETWEEN.join((str(seq), str(at), each.row % values, prev, digest))
            prev = digest
        self.head = Head(seq, prev)
