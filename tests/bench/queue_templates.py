"""Turns a story's rows into templates, from which any number of like requests are stamped.

A row is one text: its columns are apart by `BETWEEN`, and NULL is `NULL`. PostgreSQL's COPY reads
it so, and SQLite gets it split. Names, ids and times in it are placeholders, `%(name)s`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

from storage.moments import Moment
from storage.tables import metadata
from tests.bench import queue_company as company
from tests.bench import queue_stories as stories
from tests.bench.queue_stories import Row, Story

BETWEEN, NULL = "\x1f", "\x1e"
Values = dict[str, str | int]
_T = TypeVar("_T")

_HASHED = ("actor", "kind", "request_id", "userid", "external_userid", "detail")  # see the audit
_ISO = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?"
_UNIX = r"(?<=@)\d{10}\b"
_WORK = r'(?:(?<="work":)|(?<=\\"work\\":))\d+'


@dataclass(frozen=True, slots=True)
class Work:
    """A row of work as it was left, and as it will be when its time has come."""

    row: str
    finished: str
    due: int | None  # milliseconds after the request began; None: done at once


@dataclass(frozen=True, slots=True)
class Noted:
    """A row of the audit without its place in the chain, and the part of it that is hashed."""

    at: int  # milliseconds after the request began
    hashed: str
    row: str


@dataclass(slots=True)
class _Times:
    """The times found in a story, by placeholder."""

    began: int
    columns: dict[str, int] = field(default_factory=dict)  # milliseconds after the beginning
    seconds: dict[str, int] = field(default_factory=dict)  # the same in seconds
    written: dict[str, datetime] = field(default_factory=dict)  # as text, in whatever zone

    def column(self, at: int) -> str:
        return _named("m", self.columns, at - self.began)

    def second(self, at: int) -> str:
        return _named("u", self.seconds, at - self.began // 1000)

    def text(self, at: str) -> str:
        return _named("t", self.written, datetime.fromisoformat(at))

    def values(self, began: int) -> Values:
        later = timedelta(milliseconds=began - self.began)
        found: Values = {name: began + after for name, after in self.columns.items()}
        found |= {name: began // 1000 + after for name, after in self.seconds.items()}
        found |= {name: (at + later).isoformat() for name, at in self.written.items()}
        return found


class Template:
    """One story, to be stamped with other names, ids and times."""

    def __init__(self, story: Story) -> None:
        self._times = _Times(story.request["created_at"])
        self._work_ids = {row["id"]: f"w{n}" for n, row in enumerate(story.rows["work"])}
        self._tokens = _tokens(story)
        self._searched = _searching(self._tokens)
        self.jobs = len(self._work_ids)
        self.rows = {
            table: [self._row(table, row) for row in story.rows[table]]
            for table in stories.TABLES
            if table not in {"work", "audit"}
        }
        self.work = [self._work(row) for row in story.rows["work"]]
        self.audit = [self._noted(row) for row in story.rows["audit"]]

    def values(self, began: int, first_job: int) -> Values:
        """Return the times of a request that begins then (milliseconds), and its jobs' numbers."""
        jobs: Values = {f"w{n}": first_job + n for n in range(self.jobs)}
        return jobs | self._times.values(began)

    def _row(self, table: str, row: Row) -> str:
        columns = metadata.tables[table].columns
        return BETWEEN.join(
            self._times.column(row[column.name])
            if isinstance(column.type, Moment) and row[column.name] is not None
            else self._value(row[column.name])
            for column in columns
        )

    def _work(self, row: Row) -> Work:
        numbered = row | {"id": f"\x1d{row['id']}"}
        finished = numbered | {"state": 1, "done_at": row["done_at"] or row["due"]}
        due = None if row["state"] else row["due"] - self._times.began
        return Work(self._row("work", numbered), self._row("work", finished), due)

    def _noted(self, row: Row) -> Noted:
        kept = [row[name] for name in _HASHED]
        hashed = json.dumps(kept, separators=(",", ":"))[1:]
        line = BETWEEN.join(map(self._value, kept))
        return Noted(row["at"] - self._times.began, self._value(hashed), line)

    def _value(self, value: str | int | None) -> str:
        if value is None:
            return NULL
        return self._searched.sub(self._placeholder, str(value).replace("%", "%%"))

    def _placeholder(self, found: re.Match[str]) -> str:
        word = found[0]
        match found.lastgroup:
            case "iso":
                return self._times.text(word)
            case "unix":
                return self._times.second(int(word))
            case "work":
                return f"%({self._work_ids[int(word.lstrip(chr(29)))]})s"
            case _:
                return f"%({self._tokens[word]})s"


def escapes(name: str, value: str) -> Values:
    """Return a name's value as it is, as JSON in ASCII, and as JSON within JSON."""
    once = json.dumps(value)[1:-1]
    return {name: value, f"{name}_json": once, f"{name}_in_json": json.dumps(once)[1:-1]}


def _tokens(story: Story) -> dict[str, str]:
    """Return which words of a story are to be replaced, and by which placeholder."""
    request = story.request
    lead = company.lead(stories.TEAM)
    named = {
        "who_name": company.member_name(story.who),
        "lead_name": company.member_name(lead),
        "team": company.team_name(stories.TEAM),
        "customer": company.name_of(stories.NUMBER),
    }
    words = {"id": request["id"], "who": story.who, "lead": lead, "external": story.external}
    words |= {"phone": stories.PHONE, "planned": request["subject_key"].partition(":")[2]}
    for name, value in named.items():
        words |= {key: str(each) for key, each in escapes(name, value).items()}
    for ticket in story.rows["tickets"]:
        words["secret"] = ticket["state_key"].removeprefix(f"mw-{request['id']}-")
    events = (row["key"] for row in story.rows["work"] if str(row["key"]).startswith("in:"))
    words |= {f"event{n}": key.removeprefix("in:") for n, key in enumerate(events)}
    return {word: name for name, word in words.items() if word}


def _searching(words: Iterable[str]) -> re.Pattern[str]:
    known = "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))
    work = rf"{_WORK}|\x1d\d+"
    return re.compile(f"(?P<word>{known})|(?P<iso>{_ISO})|(?P<unix>{_UNIX})|(?P<work>{work})")


def _named(letter: str, known: dict[str, _T], value: _T) -> str:
    """Return the placeholder of a value, the same for the same one."""
    for name, each in known.items():
        if each == value:
            return f"%({name})s"
    name = f"{letter}{len(known)}"
    known[name] = value
    return f"%({name})s"
