"""Requests: stored whole, changed by one at a time, and found quickly."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine, event, text

from storage.database import Database
from storage.requests import Duplicate, Overtaken
from storage.transaction import Step, Transaction
from tests.makers_storage import NOON, a_person, a_request
from workflows.model import Answer, Person, Request, State, Subject, Vote

HOUR = timedelta(hours=1)
FANG = a_person("WangFang", "王芳")


def a_vote(by: Person = FANG, stage: int = 0) -> Vote:
    return Vote(stage, by, Answer.APPROVE, NOON, "card")


async def add(db: Database, *requests: Request) -> None:
    def step(tx: Transaction) -> None:
        for request in requests:
            tx.requests.add(request)

    await db.write(step)


async def move(db: Database, old: Request, **changes: object) -> Request | None:
    new: Request = replace(old, version=old.version + 1, **changes)  # type: ignore[arg-type]
    try:
        await db.write(lambda tx: tx.requests.move(old, new))
    except Overtaken:
        return None
    return new


async def ids(db: Database, step: Step[list[Request]]) -> list[str]:
    return [request.id for request in await db.read(step)]


async def test_a_request_comes_back_as_it_was_stored_whatever_the_case_of_its_id(
    db: Database,
) -> None:
    facts = {"a": True, "b": 1, "c": 1.0, "d": "x", "e": frozenset({"y", "z"}), "f": "2026-01-01"}
    request = a_request("A7K2", facts=facts, votes=(a_vote(),), due_at=NOON + HOUR)
    await add(db, request)

    found = await db.read(lambda tx: tx.requests.get(" a7k2 "))

    assert found == request
    assert [type(value) for value in found.facts.values()] == [
        type(value) for value in facts.values()
    ]
    assert await db.read(lambda tx: tx.requests.exists("a7K2"))
    assert not await db.read(lambda tx: tx.requests.exists("B7K2"))
    assert await db.read(lambda tx: tx.requests.get("B7K2")) is None


async def test_of_two_open_requests_with_the_same_key_the_second_is_refused(db: Database) -> None:
    first = a_request("A")

    def add_and_look(tx: Transaction) -> str:
        """The step may go on after the refusal."""
        try:
            tx.requests.add(a_request("B"))
        except Duplicate as refusal:
            found = tx.requests.open_by_key(str(refusal))
            assert found is not None
            return found.id
        return "added"

    await add(db, first)
    assert await db.write(add_and_look) == "A"

    failed = await move(db, first, state=State.EXECUTION_FAILED)
    assert failed is not None
    assert await db.write(add_and_look) == "A"

    assert await move(db, failed, state=State.EXECUTED)
    assert await db.write(add_and_look) == "added"


async def test_many_at_once_with_the_same_key_leave_one(db: Database) -> None:
    other = Database.open(db._writer.url.render_as_string(hide_password=False))

    answers = await asyncio.gather(
        *(add(d, a_request(f"{n}{d is db}")) for n in range(10) for d in (db, other)),
        return_exceptions=True,
    )
    await other.aclose()

    assert [answer for answer in answers if not isinstance(answer, Duplicate)] == [None]


async def test_an_id_that_is_taken_is_refused(db: Database) -> None:
    await add(db, a_request("A"))

    with pytest.raises(Duplicate):
        await add(db, a_request("a", requester=a_person("other")))


async def test_exactly_one_of_many_deciders_wins(db: Database) -> None:
    """From two nodes at once, each from what it had read."""
    request = a_request()
    await add(db, request)
    other = Database.open(db._writer.url.render_as_string(hide_password=False))

    moved = await asyncio.gather(
        *(
            move(d, request, state=state, votes=(a_vote(a_person(f"u{n}")),))
            for n in range(20)
            for d in (db, other)
            for state in (State.APPROVED, State.DENIED)
        )
    )
    await other.aclose()

    [winner] = [found for found in moved if found is not None]
    assert await db.read(lambda tx: tx.requests.get(request.id)) == winner


async def test_a_move_from_an_old_version_or_state_is_refused(db: Database) -> None:
    request = a_request()
    await add(db, request)
    newer = await move(db, request, comment="x")
    assert newer is not None

    assert await move(db, request, comment="y") is None
    assert await move(db, replace(newer, state=State.APPROVED), comment="y") is None
    assert await move(db, newer, comment="y") is not None


async def test_a_move_onto_the_key_of_another_open_request_is_refused(db: Database) -> None:
    planned = a_request("B", external_userid=None, subject=Subject("planned:1", "张总"))
    await add(db, a_request("A"), planned)

    with pytest.raises(Duplicate):
        await move(db, planned, subject=Subject("wm-zhang", "张总", "wm-zhang"))

    assert await db.read(lambda tx: tx.requests.get("B")) == planned


async def test_a_person_votes_once_per_stage_whatever_the_spelling(db: Database) -> None:
    request = a_request(votes=(a_vote(),))
    await add(db, request)

    with pytest.raises(Duplicate):
        await move(db, request, votes=(a_vote(), a_vote(a_person("wangfang"))))
    assert await move(db, request, votes=(a_vote(), a_vote(stage=1)))


async def test_votes_may_start_over(db: Database) -> None:
    request = a_request(votes=(a_vote(),))
    await add(db, request)
    emptied = await move(db, request, votes=())
    assert emptied is not None

    assert await move(db, emptied, votes=(a_vote(),))


async def test_a_request_waits_for_those_who_have_not_answered_until_it_is_decided(
    db: Database,
) -> None:
    async def counts() -> list[int]:
        return [
            await db.read(lambda tx, u=userid: tx.requests.count_pending_for(u))  # type: ignore[misc]
            for userid in ("wangfang", "LIQIANG", "zhaomin")
        ]

    request = a_request()
    await add(db, request)
    assert await counts() == [1, 1, 0]
    assert await ids(db, lambda tx: tx.requests.pending_for("WANGFANG", 9)) == ["A7K2"]

    voted = await move(db, request, votes=(a_vote(),))
    assert await counts() == [0, 1, 0]
    assert voted is not None

    staged = await move(db, voted, stage=1, approvers=(FANG, a_person("zhaomin")))
    assert await counts() == [1, 0, 1]
    assert staged is not None

    assert await move(db, staged, state=State.APPROVED)
    assert await counts() == [0, 0, 0]


async def test_lists_are_in_the_order_people_expect(db: Database) -> None:
    await add(
        db,
        *(
            a_request(
                f"R{n}",
                created_at=NOON + n * HOUR,
                external_userid=f"wm{n % 2}",
                requester=a_person(f"U{n}"),
            )
            for n in range(4)
        ),
        a_request("MINE", created_at=NOON + 9 * HOUR, external_userid="wm1"),
    )

    assert await ids(db, lambda tx: tx.requests.pending_for("liqiang", 3)) == ["R0", "R1", "R2"]
    assert await ids(db, lambda tx: tx.requests.of_customer("wm1", 9)) == ["MINE", "R3", "R1"]
    assert await ids(db, lambda tx: tx.requests.by_requester("u3", 9)) == ["R3"]
    first = await db.read(lambda tx: tx.requests.pending(2))
    rest = await ids(db, lambda tx: tx.requests.pending(9, first[-1]))
    assert [request.id for request in first] + rest == ["R0", "R1", "R2", "R3", "MINE"]
    assert await db.read(lambda tx: tx.requests.count_pending()) == 5
    latest = await db.read(lambda tx: tx.requests.latest_for("U3", "wm1"))
    assert latest is not None
    assert latest.id == "R3"
    assert await db.read(lambda tx: tx.requests.latest_for("U3", "wm0")) is None


async def test_pages_go_on_within_one_moment(db: Database) -> None:
    await add(db, *(a_request(f"R{n}", requester=a_person(f"u{n}")) for n in range(5)))

    first = await db.read(lambda tx: tx.requests.pending(2))
    second = await db.read(lambda tx: tx.requests.pending(2, first[-1]))

    assert [request.id for request in first + second] == ["R0", "R1", "R2", "R3"]


async def test_requests_are_counted_by_person_action_time_and_state(db: Database) -> None:
    def named(request_id: str, **changes: object) -> Request:
        return a_request(request_id, external_userid=request_id, **changes)

    await add(
        db,
        named("NOW"),
        named("OLD", created_at=NOON - HOUR),
        named("DENIED", state=State.DENIED),
        named("OTHER", requester=a_person("other")),
        named("TAG", action="customer.tag"),
    )

    found = await db.read(lambda tx: tx.requests.counts("lina", "friend.add", NOON))

    assert found == {State.PENDING: 1, State.DENIED: 1}


async def test_a_teams_requests_are_told_apart_by_day_week_action_and_state(db: Database) -> None:
    def at(hours: int, id_: str, **of: object) -> Request:
        made = NOON - hours * HOUR
        return replace(a_request(id_, subject=Subject(f"s{id_}", "甲")), created_at=made, **of)  # type: ignore[arg-type]

    await add(
        db,
        at(1, "A7K2", requester=FANG),
        at(30, "A7K3", requester=FANG),
        at(2, "A7K4", requester=FANG, action="customer.transfer"),
        at(3, "A7K5", requester=FANG, state=State.DENIED),
        at(200, "A7K6", requester=FANG, state=State.DENIED),
        at(2000, "A7K7", requester=FANG),
        at(1, "A7K8", requester=Person("other", "别人")),
    )

    found = await db.read(
        lambda tx: tx.precedents.tallies(
            ["WANGFANG"],
            "friend.add",
            today=NOON - 12 * HOUR,
            week=NOON - 48 * HOUR,
            since=NOON - 720 * HOUR,
        )
    )

    by_state = {each.state: each for each in found}
    pending, denied = by_state[State.PENDING], by_state[State.DENIED]
    assert {each.userid for each in found} == {"wangfang"}
    assert (pending.today, pending.week, pending.week_all, pending.count) == (1, 2, 3, 3)
    assert pending.oldest == NOON - 30 * HOUR
    assert (denied.today, denied.week, denied.week_all, denied.count) == (1, 1, 1, 2)


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("a7k2", ["A7K2"]),
        ("张", ["A7K2", "ABC"]),
        ("总", ["A7K2"]),
        ("李娜", ["A7K2", "ABC"]),
        ("acme", ["ABC"]),
        ("50%", []),
        ("  ", []),
        ("\x00", []),
    ],
)
async def test_a_search_finds_ids_and_names(db: Database, words: str, expected: list[str]) -> None:
    await add(
        db,
        a_request("A7K2", created_at=NOON + HOUR),
        a_request("ABC", subject=Subject("wm2", "张三 ACME", "wm2")),
        a_request("XYZ", subject=Subject("wm3", "Bob", "wm3"), requester=a_person("x", "王")),
    )

    assert await ids(db, lambda tx: list(tx.requests.search(words, 9))) == expected


async def test_hot_queries_use_their_index(db: Database, engine: Engine) -> None:
    await add(
        db,
        *(
            a_request(f"R{n}", external_userid=f"wm{n}", requester=a_person(f"u{n % 50}"))
            for n in range(500)
        ),
    )
    with engine.begin() as outside:
        outside.execute(text("ANALYZE"))
    sent: list[tuple[str, object]] = []

    def note(_c: object, _cur: object, statement: str, values: object, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            sent.append((statement, values))

    def everything_hot(tx: Transaction) -> None:
        tx.requests.get("R7")
        tx.requests.open_by_key("u7|friend.add|wm7")
        tx.requests.by_requester("u7", 5)
        tx.requests.of_customer("wm7", 5)
        tx.requests.latest_for("u7", "wm7")
        tx.requests.pending(5)
        tx.requests.counts("u7", "friend.add", NOON)

    event.listen(db._reader, "before_cursor_execute", note)
    await db.read(everything_hot)
    event.remove(db._reader, "before_cursor_execute", note)

    prefix = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
    assert len(sent) == 7
    with db._writer.connect() as inside:
        for statement, values in sent:
            rows = inside.exec_driver_sql(prefix + statement, values)  # type: ignore[arg-type]
            plan = "\n".join(str(row[-1]) for row in rows) + "\n"
            assert "ndex" in plan or "INDEX" in plan, (statement, plan)
            assert "Seq Scan" not in plan, (statement, plan)
