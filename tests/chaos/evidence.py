"""What is left after a storm, as plain values: tables, people's phones, and what WeCom sent.

Read by SQL and from the simulator's own memory; nothing of the program is asked.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from bot.simulator import World
from bot.simulator.callbacks import Delivery
from bot.simulator.events import Event, to_xml
from bot.simulator.records import Message
from tests.chaos.database import Postgres
from tests.scenario.crowd import Deed

Row = Mapping[str, Any]
Pair = tuple[str, str]  # a member's userid and a customer's

_QUERIES = {
    # The row version's transaction says in which order rows were finished, whatever clocks said.
    "work": "SELECT *, xmin::text::bigint AS finished_in FROM work ORDER BY id",
    "requests": "SELECT * FROM requests",
    "votes": "SELECT * FROM votes",
    "request_approvers": "SELECT * FROM request_approvers",
    "tickets": "SELECT * FROM tickets",
    "relations": "SELECT * FROM relations",
    "audit": "SELECT * FROM audit ORDER BY seq",
    "audit_head": "SELECT * FROM audit_head",
}
_JSON = {"requests": "body", "tickets": "body", "relations": "body", "audit": "detail"}


@dataclass(frozen=True, slots=True)
class Told:
    """A callback that WeCom made of what somebody did, and whether it ever was answered 200."""

    kind: str  # ask, add, scan, delete, leave, press, command, withdraw, poison
    who: str
    about: str  # a customer's id or name, or a request's id
    key: str  # under which the program must have stored it
    sent: float = 0.0  # when it was first sent
    heard: float = math.inf  # when it was first answered 200, if ever
    choice: str = ""
    stage: int = 0

    @property
    def accepted(self) -> bool:
        """Whether the program has said that it has it."""
        return self.heard < math.inf


@dataclass(frozen=True, slots=True)
class Shown:
    """One message of the app on a member's phone. Cards have a task and may have buttons."""

    to: str
    kind: str  # text, news, card
    text: str = ""
    task: str = ""
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything a check may look at. JSON columns are read: `requests` rows hold a dict."""

    tables: Mapping[str, Sequence[Row]]
    told: Sequence[Told]
    shown: Sequence[Shown]
    bonds: Mapping[Pair, str]  # as WeCom has them
    ways: Sequence[str]  # the `state` of each contact way in WeCom
    dropped: int = 0  # messages WeCom threw away because there were too many


@dataclass(slots=True)
class Post:
    """When WeCom sent each callback and when it was taken, by the `id` of its event."""

    sent: dict[int, float] = field(default_factory=dict)
    heard: dict[int, float] = field(default_factory=dict)
    _kept: list[Event] = field(default_factory=list)  # or their `id` would be given again

    def note(self, delivery: Delivery) -> None:
        """Take down how one delivery ended; a doubled callback has two."""
        self._kept.append(delivery.event)
        name = id(delivery.event)
        began = delivery.ended - delivery.seconds
        self.sent[name] = min(began, self.sent.get(name, math.inf))
        if delivery.accepted:
            self.heard[name] = min(delivery.ended, self.heard.get(name, math.inf))


def collect(database: Postgres, world: World, deeds: Iterable[Deed], post: Post) -> Evidence:
    """Take everything down."""
    return Evidence(
        tables={name: _rows(database, name) for name in _QUERIES},
        told=[_told(deed, post) for deed in deeds],
        shown=list(_shown(world)),
        bonds={pair: each.bond.value for pair, each in world.state.relations.items()},
        ways=[way.state for way in world.state.ways.values()],
        dropped=len(world.state.dropped),
    )


def key_of(deed: Deed) -> str:
    """Return the key of a callback: by it the same message is known when it comes again."""
    return "in:" + sha256(to_xml(deed.event.fields).encode()).hexdigest()


def repeated(bodies: Iterable[Mapping[str, Any]]) -> int:
    """Return how many messages were handed to WeCom again, for its duplicate check to drop."""
    counted = Counter(json.dumps(body, sort_keys=True, ensure_ascii=False) for body in bodies)
    return sum(count - 1 for count in counted.values())


def _rows(database: Postgres, name: str) -> list[Row]:
    column = _JSON.get(name)
    rows = database.rows(_QUERIES[name])
    return [row | {column: json.loads(row[column])} if column else row for row in rows]


def _told(deed: Deed, post: Post) -> Told:
    name = id(deed.event)
    return Told(
        deed.kind,
        deed.who,
        deed.about,
        key_of(deed),
        sent=post.sent.get(name, 0.0),
        heard=post.heard.get(name, math.inf),
        choice=deed.choice,
        stage=deed.stage,
    )


def _shown(world: World) -> Iterable[Shown]:
    for who, chat in world.state.chats.items():
        for each in chat:
            if each.sender == "app":
                yield Shown(who, each.kind, _words(each), each.task_id, each.open)


def _words(message: Message) -> str:
    if message.kind == "news":
        return str(message.articles[0]["title"]) if message.articles else ""
    return message.text
