"""Checks what a program has made of all it accepted, from its tables and from people's phones.

Written apart from the program: plain SQL and the phones of the simulator, nothing of `storage` or
`workflows`. Every check returns what it found wrong, in words.
"""

from __future__ import annotations

import json
import re
import sqlite3
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from pathlib import Path
from typing import Any

from bot.simulator import Simulator
from bot.simulator.events import to_xml
from bot.simulator.records import WECHAT, Bond, Message
from tests.scenario.crowd import Deed

Json = dict[str, Any]

PENDING_TAG, DENIED_TAG = "待审批", "违规添加"
_TASK = re.compile(r"mw-([0-9A-Z]+)-([0-9]+)-")
_INBOX, _OUTBOX, _WELCOME = 0, 1, 3
_OPEN, _DONE, _DEAD, _IGNORED = 0, 1, 2, 3


@dataclass(frozen=True, slots=True)
class Survivor:
    """What is left: the database file, the pretend world, and what people did in it."""

    path: Path
    simulator: Simulator
    deeds: list[Deed]

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        with closing(sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)) as connection:
            connection.row_factory = sqlite3.Row
            return connection.execute(query, values).fetchall()

    def requests(self) -> dict[str, Json]:
        return {row["id"]: json.loads(row["body"]) for row in self.rows("SELECT * FROM requests")}

    def under_way(self) -> list[str]:
        """Return what can be done by now and is not."""
        found = self.rows(
            "SELECT * FROM work WHERE state = ? AND (queue IN (?, ?, ?) OR due <= ?)",
            _OPEN, _INBOX, _OUTBOX, _WELCOME, int(time.time() * 1000),
        )  # fmt: skip
        return [f"{r['kind']} in {r['lane']}, {r['tries']} tries, {r['error']}" for r in found]

    def wrongs(self) -> list[str]:
        """Return everything that is lost, doubled or out of joint."""
        checks = (
            self._work, self._asks, self._adds, self._relations, self._answers, self._record,
            self._votes, self._tickets, self._told, self._cards, self._welcomes, self._marks,
        )  # fmt: skip
        return [f"{check.__name__}: {wrong}" for check in checks for wrong in check()]

    def accepted(self, *kinds: str) -> list[Deed]:
        """Return the deeds whose callback was answered with 200."""
        heard = {id(each.event) for each in self.simulator.deliveries if each.accepted}
        return [each for each in self.deeds if each.kind in kinds and id(each.event) in heard]

    def unstored(self) -> list[Deed]:
        """Return the deeds of which the program said that it has them, and has not."""
        keys = {row["key"] for row in self.rows("SELECT key FROM work WHERE queue = ?", _INBOX)}
        return [d for d in self.accepted(*{d.kind for d in self.deeds}) if inbox_key(d) not in keys]

    # -- checks --------------------------------------------------------------------------------

    def _work(self) -> Iterator[str]:
        for row in self.rows("SELECT * FROM work WHERE state = ?", _DEAD):
            yield f"row {row['id']} ({row['kind']}) was given up: {row['error']}"
        for message in self.simulator.world.state.dropped:
            yield f"WeCom dropped a message to {message.to}: too many a minute"
        recorded = Counter(
            json.loads(row["detail"])["work"]
            for row in self.rows("SELECT detail FROM audit WHERE kind = 'message.sent'")
        )
        query = "SELECT id, kind FROM work WHERE kind IN ('SendText', 'SendNews', 'SendCard')"
        for row in self.rows(f"{query} AND state = ?", _DONE):
            if recorded[row["id"]] != 1:
                yield f"row {row['id']} ({row['kind']}) is recorded {recorded[row['id']]} times"

    def _asks(self) -> Iterator[str]:
        filed = Counter(each["claim"]["name"] for each in self.requests().values())
        wanted = {deed.about for deed in self.accepted("ask")}
        for deed in self.deeds:
            if deed.kind == "ask" and filed[deed.about] not in {1, int(deed.about in wanted)}:
                yield f"{deed.about} was asked for once and filed {filed[deed.about]} times"

    def _adds(self) -> Iterator[str]:
        """Every accepted add is governed by one request: its own, or that of its ticket."""
        requests = self.requests()
        used = Counter(
            (row["userid"], json.loads(row["body"])["used_by"])
            for row in self.rows("SELECT * FROM tickets")
        )
        observed = Counter(
            (each["requester"]["userid"], each["subject"]["external_userid"])
            for each in requests.values()
            if each["origin"] == "observed"
        )
        governed = {
            (row["userid"], row["external_userid"]): json.loads(row["body"])["request_id"]
            for row in self.rows("SELECT * FROM relations")
        }
        noted = self.rows("SELECT * FROM audit WHERE kind IN ('add.overtaken', 'add.not_shown')")
        over = {
            pair
            for row in noted
            if self._bond(pair := (row["userid"], row["external_userid"])) is not Bond.ADDED
        }  # told of after it had ended
        accepted = {(deed.who, deed.about) for deed in self.accepted("add", "scan")} - over
        for deed in self.deeds:
            if deed.kind not in {"add", "scan"}:
                continue
            pair = (deed.who, deed.about)
            count = used[pair] + observed[pair]
            if count > 1 or (pair in accepted and count != 1):
                yield f"the add of {pair} has {count} requests"
            if pair in accepted and governed.get(pair, "") not in requests:
                yield f"the add of {pair} is governed by {governed.get(pair)!r}"

    def _relations(self) -> Iterator[str]:
        kept = {
            (row["userid"], row["external_userid"]): row["state"]
            for row in self.rows("SELECT * FROM relations")
        }
        about = ("add", "scan", "delete", "leave")
        heard = {id(deed) for deed in self.accepted(*about)}
        deeds: dict[tuple[str, str], list[Deed]] = defaultdict(list)
        for deed in self.deeds:
            if deed.kind in about:
                deeds[deed.who, deed.about].append(deed)
        for pair, done in deeds.items():
            real = self._bond(pair).value
            if all(id(deed) in heard for deed in done) and kept.get(pair) != real:
                yield f"{pair} is {kept.get(pair)}, but WeCom says {real}"

    def _answers(self) -> Iterator[str]:
        """Every accepted answer of somebody who was asked counts, or came after another end."""
        requests = self.requests()
        votes = {
            (row["request_id"], row["stage"], row["userid"]): row["answer"]
            for row in self.rows("SELECT * FROM votes")
        }
        said: dict[tuple[str, int, str], set[str]] = defaultdict(set)
        for deed in self.deeds:
            if deed.kind in {"press", "command"}:
                said[deed.about, deed.stage, deed.who].add(deed.choice)
        for deed in self.accepted("press", "command"):
            vote = votes.get((deed.about, deed.stage, deed.who))
            request = requests[deed.about]
            if vote is None and request["state"] != "withdrawn":
                yield f"{deed.who} said {deed.choice} to {deed.about}; it is {request['state']}"
            if vote is not None and vote not in said[deed.about, deed.stage, deed.who]:
                yield f"{deed.who} never said {vote} to {deed.about}"
        for deed in self.accepted("withdraw"):
            if requests[deed.about]["state"] in {"pending", "approved"}:
                yield f"{deed.about} was withdrawn, and is {requests[deed.about]['state']}"

    def _record(self) -> Iterator[str]:
        """Every request was opened once, decided at most once, and the record agrees with it."""
        told: dict[str, list[Json]] = defaultdict(list)
        query = "SELECT * FROM audit WHERE kind LIKE 'request.%' ORDER BY seq"
        for row in self.rows(query):
            told[row["request_id"]].append(json.loads(row["detail"]) | {"kind": row["kind"]})
        requests = self.requests()
        for name in told.keys() | requests.keys():
            steps = [step for step in told[name] if "state" in step]
            states = [step["state"] for step in steps]
            opened = [step for step in steps if step["kind"] == "request.opened"]
            ends = sum(a == "pending" != b for a, b in pairwise(states))
            versions = [step["version"] for step in steps if "version" in step]
            if len(opened) != 1 or steps[0] is not opened[0]:
                yield f"{name} was opened {len(opened)} times"
            elif states[-1] != requests[name]["state"]:
                yield f"{name} is {requests[name]['state']}, recorded as {states}"
            elif ends != int(states[0] == "pending" != states[-1]):
                yield f"{name} was decided {ends} times: {states}"
            elif len(set(versions)) != len(versions):
                yield f"{name} has a version twice: {versions}"

    def _votes(self) -> Iterator[str]:
        rows = self.rows("SELECT request_id, stage, userid, answer FROM votes")
        kept = Counter(tuple(row) for row in rows)
        cast = Counter(
            (name, vote["stage"], vote["by"]["userid"].lower(), vote["answer"])
            for name, request in self.requests().items()
            for vote in request["votes"]
        )
        for vote in kept.keys() | cast.keys():
            if not kept[vote] == cast[vote] == 1:
                yield f"{vote} stands {kept[vote]} times in the table, {cast[vote]} in the request"

    def _tickets(self) -> Iterator[str]:
        """Each executed ask has one ticket; an open ticket one contact way, any other none."""
        tickets = [json.loads(row["body"]) for row in self.rows("SELECT * FROM tickets")]
        of_request = Counter(each["request_id"] for each in tickets)
        for name, request in self.requests().items():
            granted = request["origin"] == "asked" and request["state"] in {"approved", "executed"}
            if granted and (of_request[name] != 1 or request["state"] == "approved"):
                yield f"{name} is {request['state']} and has {of_request[name]} tickets"
        ways = Counter(way.state for way in self.simulator.world.state.ways.values())
        states = {each["state_key"]: each["state"] for each in tickets}
        for key in ways.keys() | states.keys():
            state = states.get(key, "unknown")
            if state == "issuing" or ways[key] != int(state == "open"):
                yield f"ticket {key} is {state} and has {ways[key]} contact ways"

    def _told(self) -> Iterator[str]:
        """Every requester heard how it ended; nothing with a QR code came twice."""
        tickets = {row["request_id"]: row for row in self.rows("SELECT * FROM tickets")}
        for name, request in self.requests().items():
            heard = [m for m in self._chat(request["requester"]["userid"]) if name in str(m)]
            for words in outcome_words(name, request):
                if not any(words in each.text for each in heard):
                    yield f"{request['requester']['userid']} never heard {words!r} of {name}"
            news = sum(each.kind == "news" for each in heard)
            ticket = json.loads(tickets[name]["body"]) if name in tickets else None
            handed = ticket is not None and ticket["state"] in {"open", "used"}
            if news > 1 or (handed and news != 1):
                yield f"the ticket of {name} was handed over {news} times"

    def _cards(self) -> Iterator[str]:
        """Whoever is asked has one card that can be pressed; whoever is not, has none."""
        shown: dict[tuple[str, str, int], list[Message]] = defaultdict(list)
        for who, chat in self.simulator.world.state.chats.items():
            for each in chat:
                if each.kind == "card" and (task := _TASK.match(each.task_id)):
                    shown[who, task[1], int(task[2])].append(each)
        requests = self.requests()
        asked = {
            (row["userid"], row["request_id"], requests[row["request_id"]]["stage"])
            for row in self.rows("SELECT * FROM request_approvers")
        }
        for key in asked | shown.keys():
            cards = shown[key]
            if len(cards) > 1 or (key in asked and not cards):
                yield f"{key} has {len(cards)} cards"
            elif cards[0].open != (key in asked):
                yield f"the card of {key} looks {'open' if cards[0].open else 'closed'}"

    def _welcomes(self) -> Iterator[str]:
        """Nobody is greeted twice, and everybody once unless the 20 seconds were over."""
        greeted: Counter[tuple[str, str]] = Counter()
        for external, chat in self.simulator.world.state.customer_chats.items():
            greeted.update((each.sender, external) for each in chat if each.kind == "welcome")
        for pair, times in greeted.items():
            if times > 1:
                yield f"{pair} was greeted {times} times"
        query = "SELECT body FROM work WHERE queue = ? AND state = ?"
        late = [json.loads(row["body"]) for row in self.rows(query, _WELCOME, _IGNORED)]
        excused = {(each["userid"], each["external_userid"]) for each in late}
        for deed in self.accepted("add", "scan"):
            customer = self.simulator.world.state.customers[deed.about]
            pair = (deed.who, deed.about)
            if customer.type == WECHAT and not greeted[pair] and pair not in excused:
                yield f"{(deed.who, deed.about)} was not greeted"

    def _marks(self) -> Iterator[str]:
        """A relation carries the tag that fits its request."""
        state, requests = self.simulator.world.state, self.requests()
        names = {tag.id: tag.name for group in state.tag_groups.values() for tag in group.tags}
        for deed in self.accepted("add", "scan"):
            relation = state.relations[deed.who, deed.about]
            if relation.bond is not Bond.ADDED:
                continue
            found = {names[each] for each in relation.tags} & {PENDING_TAG, DENIED_TAG}
            row = self.rows(
                "SELECT body FROM relations WHERE userid = ? AND external_userid = ?",
                deed.who, deed.about,
            )  # fmt: skip
            governing = requests.get(json.loads(row[0]["body"])["request_id"]) if row else None
            if governing is not None and found != _fitting(governing["state"]):
                yield f"{(deed.who, deed.about)} is {governing['state']} and tagged {found}"

    def _bond(self, pair: tuple[str, str]) -> Bond:
        return self.simulator.world.state.relations[pair].bond

    def _chat(self, who: str) -> list[Message]:
        return self.simulator.world.state.chats.get(who.lower(), [])


def inbox_key(deed: Deed) -> str:
    return "in:" + sha256(to_xml(deed.event.fields).encode()).hexdigest()


def _fitting(state: str) -> set[str]:
    return {"pending": {PENDING_TAG}, "executed": set()}.get(state, {DENIED_TAG})


def outcome_words(name: str, request: Json) -> Iterator[str]:
    """Yield words that the requester must have heard."""
    asked, voted = request["origin"] == "asked", bool(request["votes"])
    match request["state"]:
        case "pending":
            yield f"已提交 {name}" if asked else f"需要审批（{name}）"
        case "executed" if voted:
            yield "同意"
        case "executed" if asked:
            yield f"（{name}）。正在为您生成通行码"
        case "denied" if voted:
            yield "拒绝"
        case "denied":
            yield f"不符合规定（{name}）" if not asked else "不能添加"
        case "withdrawn":
            yield "已撤回" if asked else ""
