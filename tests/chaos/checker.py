"""Says what a storm has lost, doubled or mixed up, from the evidence alone.

Imports nothing of the program, so that a misunderstanding cannot hide in both. Every check yields
what it found wrong; `examine` runs them all.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise, permutations
from typing import Any

from tests.chaos.evidence import Evidence, Pair, Row, Shown

_INBOX, _TIMERS = 0, 2
_OPEN, _DONE, _DEAD = 0, 1, 2
_TOGETHER = "added"
_CARRIED_OUT = frozenset({"approved", "executed", "execution_failed"})
_START = "0" * 64
_SAYS = frozenset({"SendText", "SendNews", "SendCard"})


@dataclass(frozen=True, slots=True)
class Wrong:
    """One thing that should not be. `kind` is lost, doubled, order, record or decision."""

    kind: str
    words: str


Check = Callable[[Evidence], Iterator[Wrong]]


def examine(evidence: Evidence) -> list[Wrong]:
    """Return everything that is wrong."""
    return [wrong for check in CHECKS for wrong in check(evidence)]


def callbacks(seen: Evidence) -> Iterator[Wrong]:
    """What was answered 200 is on file once and done; only the poisoned lies on the dead desk."""
    stored: dict[str, list[Row]] = defaultdict(list)
    for row in seen.tables["work"]:
        if row["queue"] == _INBOX:
            stored[row["key"]].append(row)
    poisoned = {each.key for each in seen.told if each.kind == "poison"}
    for each in seen.told:
        rows = stored[each.key]
        if each.accepted and not rows:
            yield Wrong("lost", f"{each.kind} of {each.who} was answered 200 and is not on file")
        if len(rows) > 1:
            yield Wrong("doubled", f"{each.kind} of {each.who} is on file {len(rows)} times")
        for row in rows:
            if row["state"] == _OPEN:
                yield Wrong("lost", f"{each.kind} of {each.who} was never done: {row['error']}")
            if each.kind == "poison" and row["state"] != _DEAD:
                yield Wrong("lost", f"poisoned row {row['id']} is not on the dead desk")
    for row in seen.tables["work"]:
        if row["state"] == _DEAD and row["key"] not in poisoned:
            yield Wrong("lost", f"row {row['id']} ({row['kind']}) was given up: {row['error']}")
        if row["state"] == _OPEN and row["queue"] not in {_INBOX, _TIMERS}:
            yield Wrong("lost", f"row {row['id']} ({row['kind']}) was never done: {row['error']}")


def lanes(seen: Evidence) -> Iterator[Wrong]:
    """In one lane, what was answered before the next was sent was also finished before it.

    Two that were on their way at the same time have no order: WeCom promises none.
    """
    told = {each.key: each for each in seen.told}
    by_lane: dict[str, list[Row]] = defaultdict(list)
    for row in seen.tables["work"]:
        if row["queue"] == _INBOX and row["state"] != _OPEN and row["key"] in told:
            by_lane[row["lane"]].append(row)
    for lane, rows in by_lane.items():
        for one, other in permutations(rows, 2):
            in_turn = told[one["key"]].heard < told[other["key"]].sent
            if in_turn and one["finished_in"] >= other["finished_in"]:
                yield Wrong("order", f"{lane}: row {other['id']} was done before {one['id']}")


def asks(seen: Evidence) -> Iterator[Wrong]:
    """Who asked to add somebody has one request for it."""
    filed = Counter(row["body"]["claim"]["name"] for row in seen.tables["requests"])
    for each in seen.told:
        if each.kind != "ask":
            continue
        if each.accepted and not filed[each.about]:
            yield Wrong("lost", f"{each.who} asked for {each.about}, and no request is there")
        if filed[each.about] > 1:
            yield Wrong(
                "doubled", f"{each.about} was asked for once, filed {filed[each.about]} times"
            )


def adds(seen: Evidence) -> Iterator[Wrong]:
    """Every add is governed by one request, its own or its ticket's; never more than adds."""
    requests = _by_id(seen)
    own: Counter[Pair] = Counter()
    for row in seen.tables["requests"]:
        if row["body"]["origin"] == "observed":
            own[row["body"]["requester"]["userid"], row["body"]["subject"]["external_userid"]] += 1
    used = Counter((row["userid"], row["body"].get("used_by")) for row in seen.tables["tickets"])
    kept = {(r["userid"], r["external_userid"]): r["body"] for r in seen.tables["relations"]}
    came: dict[Pair, list[bool]] = defaultdict(list)
    for each in seen.told:
        if each.kind in {"add", "scan"}:
            came[each.who, each.about].append(each.accepted)
    for pair, accepted in came.items():
        count = own[pair] + used[pair]
        if count > len(accepted):
            yield Wrong("doubled", f"{len(accepted)} adds of {pair} have {count} requests")
        if seen.bonds[pair] != _TOGETHER or not accepted[-1]:
            continue  # over before anybody looked, or never told
        if kept.get(pair, {}).get("request_id", "") not in requests:
            yield Wrong("lost", f"the add of {pair} is governed by nothing")


def relations(seen: Evidence) -> Iterator[Wrong]:
    """What is on file of two people is what WeCom has, if its last news of them was taken."""
    last: dict[Pair, bool] = {}
    for each in seen.told:
        if each.kind in {"add", "scan", "delete", "leave"}:
            last[each.who, each.about] = each.accepted
    kept = {(r["userid"], r["external_userid"]): r["state"] for r in seen.tables["relations"]}
    for pair, accepted in last.items():
        if accepted and kept.get(pair) != seen.bonds[pair]:
            yield Wrong("lost", f"{pair} is {kept.get(pair)}, and in WeCom {seen.bonds[pair]}")


def answers(seen: Evidence) -> Iterator[Wrong]:
    """Every press and every word of an approver is a vote, or came after the stage had ended."""
    requests = _by_id(seen)
    votes = {(r["request_id"], r["stage"], r["userid"]): r["answer"] for r in seen.tables["votes"]}
    said: dict[tuple[str, int, str], set[str]] = defaultdict(set)
    decided = {(request, stage) for request, stage, _ in votes}
    for each in seen.told:
        if each.kind in {"press", "command"}:
            said[each.about, each.stage, each.who].add(each.choice)
    for each in seen.told:
        if each.kind not in {"press", "command"} or not each.accepted:
            continue
        state = requests[each.about]["state"] if each.about in requests else "not there"
        mine = votes.get((each.about, each.stage, each.who))
        if mine is None and (each.about, each.stage) not in decided and state == "pending":
            yield Wrong("lost", f"{each.who} said {each.choice} to {each.about}; it is {state}")
    for (request, stage, who), answer in votes.items():
        if answer not in said[request, stage, who]:
            yield Wrong("decision", f"{who} never said {answer} to {request}")


def decisions(seen: Evidence) -> Iterator[Wrong]:
    """A request has one winner at each stage, one end, and no version twice."""
    told: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in seen.tables["audit"]:
        if row["kind"].startswith("request.") and "state" in row["detail"]:
            told[row["request_id"]].append(row["detail"] | {"kind": row["kind"]})
    for name, request in _by_id(seen).items():
        states = [step["state"] for step in told[name]]
        versions = [step["version"] for step in told[name] if "version" in step]
        ends = sum(a == "pending" != b for a, b in pairwise(states))
        opened = sum(step["kind"] == "request.opened" for step in told[name])
        if opened != 1:
            yield Wrong("doubled", f"{name} was opened {opened} times")
        elif states[-1] != request["state"]:
            yield Wrong("record", f"{name} is {request['state']}, recorded as {states}")
        elif ends > 1:
            yield Wrong("doubled", f"{name} was decided {ends} times: {states}")
        if len(set(versions)) != len(versions):
            yield Wrong("doubled", f"{name} has a version twice: {versions}")
    for (name, stage), winners in _winners(seen).items():
        if len(winners) > 1:
            yield Wrong("doubled", f"stage {stage} of {name} was decided by {sorted(winners)}")


def _winners(seen: Evidence) -> dict[tuple[str, int], list[str]]:
    """Return who voted at each stage: one answer is enough in the rules of this company."""
    found: dict[tuple[str, int], list[str]] = defaultdict(list)
    for row in seen.tables["votes"]:
        found[row["request_id"], row["stage"]].append(row["userid"])
    return found


def unvoted(seen: Evidence) -> Iterator[Wrong]:
    """Nothing that needs approval was carried out without a yes at each of its stages."""
    yes = {(r["request_id"], r["stage"]) for r in seen.tables["votes"] if r["answer"] == "approve"}
    for name, request in _by_id(seen).items():
        if request["state"] not in _CARRIED_OUT:
            continue
        match request["verdict"]["outcome"]:
            case 0:  # allowed
                continue
            case 1 if all((name, stage) in yes for stage in range(len(request["chain"]))):
                continue
            case outcome:
                votes = sorted(stage for each, stage in yes if each == name)
                yield Wrong("decision", f"{name} ({outcome}) is {request['state']}, yes at {votes}")


def tickets(seen: Evidence) -> Iterator[Wrong]:
    """An open ticket has one contact way in WeCom, any other none; an executed ask one ticket."""
    bodies = [row["body"] for row in seen.tables["tickets"]]
    states = {each["state_key"]: each["state"] for each in bodies}
    ways = Counter(seen.ways)
    for key in ways.keys() | states.keys():
        state = states.get(key, "unknown")
        if ways[key] != int(state == "open"):
            kind = "doubled" if ways[key] else "lost"
            yield Wrong(kind, f"ticket {key} is {state} and has {ways[key]} contact ways")
    of_request = Counter(each["request_id"] for each in bodies)
    for name, request in _by_id(seen).items():
        granted = request["origin"] == "asked" and request["state"] in {"approved", "executed"}
        if granted and (of_request[name] != 1 or request["state"] == "approved"):
            kind = "doubled" if of_request[name] > 1 else "lost"
            yield Wrong(kind, f"{name} is {request['state']} with {of_request[name]} tickets")


def messages(seen: Evidence) -> Iterator[Wrong]:
    """What the program owed is on the phones, as often as it was owed and not more."""
    if seen.dropped:
        yield Wrong("lost", f"WeCom dropped {seen.dropped} messages: too many a minute")
    owed = Counter(
        _owed(row) for row in seen.tables["work"] if row["kind"] in _SAYS and row["state"] == _DONE
    )
    there = Counter(_there(each) for each in seen.shown)
    for (who, what), count in owed.items():
        if there[who, what] < count:
            yield Wrong("lost", f"{who} got {there[who, what]} of {count}: {what!r}")
    for (who, what), count in there.items():
        if count > owed[who, what]:
            yield Wrong("doubled", f"{who} got {count}, owed {owed[who, what]}: {what!r}")


def _owed(row: Row) -> tuple[str, str]:
    body = json.loads(row["body"])
    match row["kind"]:
        case "SendCard":
            words = f"card {body['task_id']}"
        case "SendNews":
            words = body["title"]
        case _:
            words = body["content"]
    return body["userid"].lower(), words


def _there(shown: Shown) -> tuple[str, str]:
    words = f"card {shown.task}" if shown.kind == "card" else shown.text
    return shown.to.lower(), words


def heard(seen: Evidence) -> Iterator[Wrong]:
    """Whoever asked for something, or did it, was told of it by its number."""
    to: dict[str, list[str]] = defaultdict(list)
    for each in seen.shown:
        to[each.to.lower()].append(each.text)
    for name, request in _by_id(seen).items():
        quiet = request["origin"] == "observed" and request["verdict"]["outcome"] == 0
        who = request["requester"]["userid"].lower()
        if not quiet and not any(name in text for text in to[who]):
            yield Wrong("lost", f"{who} never heard of {name}, which is {request['state']}")


def cards(seen: Evidence) -> Iterator[Wrong]:
    """Whoever is asked has one card with buttons; whoever is not asked any more has none."""
    requests = _by_id(seen)
    shown: dict[tuple[str, str], list[bool]] = defaultdict(list)
    for each in seen.shown:
        parts = each.task.split("-")
        if each.kind == "card" and len(parts) > 2 and parts[1] in requests:
            shown[each.to.lower(), f"{parts[1]}-{parts[2]}"].append(each.is_open)
    asked = {
        (row["userid"], f"{row['request_id']}-{requests[row['request_id']]['stage']}")
        for row in seen.tables["request_approvers"]
    }
    for key in asked | shown.keys():
        if len(shown[key]) != 1:
            kind = "doubled" if shown[key] else "lost"
            yield Wrong(kind, f"{key} has {len(shown[key])} cards")
        elif shown[key][0] != (key in asked):
            looks = "open" if shown[key][0] else "closed"
            yield Wrong("lost", f"the card of {key} looks {looks}")


def chain(seen: Evidence) -> Iterator[Wrong]:
    """The record is whole: each entry carries the hash of the one before, to the noted head."""
    before, number = _START, 0
    for row in seen.tables["audit"]:
        number += 1
        detail = json.dumps(row["detail"], ensure_ascii=True, sort_keys=True, separators=(",", ":"))
        fields = [
            row["seq"], row["at"], row["actor"], row["kind"], row["request_id"], row["userid"],
            row["external_userid"], detail,
        ]  # fmt: skip
        text = row["prev"] + json.dumps(fields, separators=(",", ":"))
        if row["seq"] != number or row["prev"] != before:
            yield Wrong("record", f"record {row['seq']} does not follow {number - 1}")
            return
        before = sha256(text.encode()).hexdigest()
        if row["hash"] != before:
            yield Wrong("record", f"record {number} is not what was written")
            return
    head = seen.tables["audit_head"][0]
    if (head["seq"], head["hash"]) != (number, before):
        yield Wrong("record", f"the head names record {head['seq']}, the last is {number}")


def _by_id(seen: Evidence) -> dict[str, dict[str, Any]]:
    return {row["id"]: row["body"] for row in seen.tables["requests"]}


CHECKS: tuple[Check, ...] = (
    callbacks, lanes, asks, adds, relations, answers, decisions, unvoted, tickets, messages, heard,
    cards, chain,
)  # fmt: skip
