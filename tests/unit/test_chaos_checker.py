"""The checker of `make chaos` finds what it is there for: each kind of harm, in doctored data."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import replace
from hashlib import sha256
from typing import Any

import pytest

from tests.chaos.checker import examine
from tests.chaos.evidence import Evidence, Shown, Told

Tables = dict[str, list[dict[str, Any]]]
Harm = Callable[[Tables], None]

SELLER, LEAD, OTHER = "old01a", "lead01x", "lead01y"
CUSTOMER, GUEST = "wmOne", "wmTwo"
ASKED, OBSERVED = "A7K2", "B3M4"


def test_a_run_without_harm_is_found_good() -> None:
    assert examine(a_run()) == []


def change(table: str, number: int, **values: object) -> Harm:
    return lambda tables: tables[table][number].update(values)


def in_body(table: str, number: int, **values: object) -> Harm:
    return lambda tables: tables[table][number]["body"].update(values)


def remove(table: str, number: int) -> Harm:
    def harm(tables: Tables) -> None:
        del tables[table][number]

    return harm


def repeat(table: str, number: int) -> Harm:
    return lambda tables: tables[table].append(deepcopy(tables[table][number]))


@pytest.mark.parametrize(
    ("harm", "kind", "said"),
    [
        (remove("work", 0), "lost", "was answered 200 and is not on file"),
        (repeat("work", 0), "doubled", "is on file 2 times"),
        (change("work", 0, state=0), "lost", "was never done"),
        (change("work", 0, state=2), "lost", "was given up"),
        (change("work", 3, state=1), "lost", "is not on the dead desk"),
        (change("work", 4, state=0), "lost", "(SendText) was never done"),
        (change("work", 1, finished_in=7), "order", "was done before"),
        (in_body("requests", 0, claim={"name": "somebody"}), "lost", "no request is there"),
        (repeat("requests", 0), "doubled", "filed 2 times"),
        (repeat("requests", 1), "doubled", "have 2 requests"),
        (in_body("relations", 0, request_id=""), "lost", "is governed by nothing"),
        (change("relations", 0, state="none"), "lost", "and in WeCom added"),
        (change("votes", 0, answer="deny"), "decision", "never said deny"),
        (change("votes", 0, userid="zhaomin"), "decision", "zhaomin never said"),
        (remove("votes", 0), "decision", "is executed, yes at []"),
        (repeat("votes", 0), "doubled", "was decided by"),
        (in_body("requests", 0, verdict={"outcome": 2}), "decision", "(2) is executed"),
        (in_body("requests", 0, state="denied"), "record", "recorded as"),
        (remove("tickets", 0), "doubled", "is unknown and has 1 contact ways"),
        (in_body("tickets", 0, state="used"), "doubled", "is used and has 1 contact ways"),
        (repeat("tickets", 0), "doubled", "with 2 tickets"),
        (change("work", 4, body='{"userid": "old01a", "content": "more"}'), "lost", "'more'"),
        (remove("work", 4), "doubled", "owed 0"),
        (repeat("work", 5), "lost", "got 1 of 2"),
        (change("request_approvers", 0, userid="lead09x"), "lost", "has 0 cards"),
        (remove("request_approvers", 0), "lost", "looks open"),
        (change("audit", 1, actor="nobody"), "record", "is not what was written"),
        (remove("audit", 1), "record", "does not follow"),
        (remove("audit", 2), "record", "the head names record 3"),
    ],
)  # fmt: skip
def test_each_harm_is_found(harm: Harm, kind: str, said: str) -> None:
    run = a_run()
    tables: Tables = {name: [dict(row) for row in rows] for name, rows in run.tables.items()}
    tables = deepcopy(tables)
    harm(tables)

    found = examine(replace(run, tables=tables))

    assert any(wrong.kind == kind and said in wrong.words for wrong in found), found


def test_a_request_decided_twice_is_found() -> None:
    states = ("pending", "denied", "pending", "executed")
    steps = [{"state": state, "version": n} for n, state in enumerate(states)]
    run = with_audit(
        a_run(), [("request.opened", steps[0]), *(("request.x", s) for s in steps[1:])]
    )

    assert any("was decided 2 times" in each.words for each in examine(run))


def test_a_version_that_two_nodes_have_written_is_found() -> None:
    step = {"state": "executed", "version": 1}
    opened = {"state": "pending", "version": 0}
    run = with_audit(
        a_run(), [("request.opened", opened), ("request.x", step), ("request.y", step)]
    )

    assert any("has a version twice" in each.words for each in examine(run))


def test_messages_that_wecom_dropped_are_found() -> None:
    assert any("dropped 3" in each.words for each in examine(replace(a_run(), dropped=3)))


def test_a_press_without_any_effect_is_found() -> None:
    run = a_run()
    press = Told("press", LEAD, OBSERVED, "in:6", 30.0, 31.0, "approve", 0)
    row = dict(run.tables["work"][1]) | {"id": 9, "key": "in:6", "lane": "request:B3M4"}
    work = [*run.tables["work"], row]
    lost = replace(run, told=[*run.told, press], tables={**run.tables, "work": work})

    assert any(f"said approve to {OBSERVED}" in each.words for each in examine(lost))


def test_who_asked_and_never_heard_is_found() -> None:
    run = a_run()
    silent = replace(run, shown=[each for each in run.shown if ASKED not in each.text])

    assert any(f"never heard of {ASKED}" in each.words for each in examine(silent))


def test_a_message_that_came_twice_is_found() -> None:
    run = a_run()
    twice = replace(run, shown=[*run.shown, run.shown[0]])

    assert [each.kind for each in examine(twice)] == ["doubled"]


def test_two_that_were_on_their_way_together_have_no_order() -> None:
    run = a_run()
    told = [replace(each, sent=10.0, heard=20.0) for each in run.told]
    work = [dict(row) for row in run.tables["work"]]
    work[1]["finished_in"] = 1

    assert examine(replace(run, told=told, tables={**run.tables, "work": work})) == []


# -- a small run in which all is well --------------------------------------------------------------


def a_run() -> Evidence:
    """One asked and approved, with an open ticket; one added and waiting; one poisoned event."""
    told = [
        Told("ask", SELLER, "顾客1", "in:1", 1.0, 2.0),
        Told("press", LEAD, ASKED, "in:2", 5.0, 6.0, "approve", 0),
        Told("add", SELLER, CUSTOMER, "in:3", 7.0, 8.0),
        Told("poison", SELLER, "", "in:4", 9.0, 9.5),
    ]
    shown = [
        Shown(SELLER, "text", f"已提交 {ASKED}"),
        Shown(SELLER, "text", f"需要审批（{OBSERVED}）"),
        Shown(LEAD, "card", task=f"mw-{ASKED}-0-1"),
        Shown(OTHER, "card", task=f"mw-{OBSERVED}-0-1", is_open=True),
    ]
    tables: dict[str, list[dict[str, Any]]] = {
        "work": [
            work(1, "in:1", "request:A7K2", 11),
            work(2, "in:2", "request:A7K2", 12),
            work(3, "in:3", "relation", 13),
            work(4, "in:4", "other", 14, state=2),
            say(5, "SendText", userid=SELLER, content=shown[0].text),
            say(6, "SendText", userid=SELLER, content=shown[1].text),
            say(7, "SendCard", userid=LEAD, task_id=shown[2].task),
            say(8, "SendCard", userid=OTHER, task_id=shown[3].task),
        ],
        "requests": [
            request(ASKED, "asked", "executed", claim={"name": "顾客1"}),
            request(OBSERVED, "observed", "pending", external_userid=CUSTOMER),
        ],
        "votes": [{"request_id": ASKED, "stage": 0, "userid": LEAD, "answer": "approve"}],
        "request_approvers": [{"request_id": OBSERVED, "userid": OTHER}],
        "tickets": [
            {
                "userid": SELLER,
                "body": {"state_key": "mw-A7K2-x", "state": "open", "request_id": ASKED},
            }
        ],
        "relations": [
            {
                "userid": SELLER,
                "external_userid": CUSTOMER,
                "state": "added",
                "body": {"request_id": OBSERVED},
            }
        ],
    }
    run = Evidence(tables, told, shown, {(SELLER, CUSTOMER): "added"}, ["mw-A7K2-x"])
    opened, done = {"state": "pending", "version": 0}, {"state": "executed", "version": 1}
    return with_audit(run, [("request.opened", opened), ("request.vote_approve", done)])


def with_audit(run: Evidence, steps: list[tuple[str, Mapping[str, object]]]) -> Evidence:
    """Return the run with a record of these steps of the one that was asked for."""
    rows: list[dict[str, Any]] = []
    opened = {"state": "pending", "version": 0}
    told = [
        *((kind, ASKED, detail) for kind, detail in steps),
        ("request.opened", OBSERVED, opened),
    ]
    for seq, (kind, name, detail) in enumerate(told, 1):
        prev = rows[-1]["hash"] if rows else "0" * 64
        row = {
            "seq": seq, "at": 1000 + seq, "actor": "user:x", "kind": kind, "request_id": name,
            "userid": "", "external_userid": "", "detail": dict(detail), "prev": prev,
        }  # fmt: skip
        rows.append(row | {"hash": digest(row)})
    head = [{"id": 1, "seq": len(rows), "hash": rows[-1]["hash"]}]
    return replace(run, tables={**run.tables, "audit": rows, "audit_head": head})


def digest(row: Mapping[str, Any]) -> str:
    detail = json.dumps(row["detail"], sort_keys=True, separators=(",", ":"))
    names = ("seq", "at", "actor", "kind", "request_id", "userid", "external_userid")
    fields = [*(row[name] for name in names), detail]
    return sha256((row["prev"] + json.dumps(fields, separators=(",", ":"))).encode()).hexdigest()


def work(number: int, key: str, lane: str, finished_in: int, *, state: int = 1) -> dict[str, Any]:
    return {
        "id": number, "key": key, "queue": 0, "lane": lane, "kind": "event", "body": "",
        "state": state, "error": "", "finished_in": finished_in,
    }  # fmt: skip


def say(number: int, kind: str, **body: str) -> dict[str, Any]:
    row = work(number, "", f"chat:{number}", 20 + number)
    return row | {"queue": 1, "kind": kind, "key": None, "body": json.dumps(body)}


def request(
    name: str, origin: str, state: str, *, claim: object = None, external_userid: str = ""
) -> dict[str, Any]:
    body = {
        "id": name,
        "origin": origin,
        "state": state,
        "stage": 0,
        "requester": {"userid": SELLER},
        "subject": {"external_userid": external_userid},
        "claim": claim or {"name": ""},
        "verdict": {"outcome": 1},
        "chain": [{}],
    }
    return {"id": name, "body": body}
