"""Recorded decisions: read in pages on both databases, and judged again beside the event loop."""

from __future__ import annotations

import asyncio
import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from bot import replays
from bot.replays import Window
from storage.candidates import Candidate
from storage.database import Database
from storage.policies import StoredPolicy
from storage.transaction import Transaction
from tests.makers_decisions import COMPANY, KNOWN, LIN
from tests.makers_policy import a_policy, a_rule
from tests.makers_storage import NOON, a_request
from workflows.differences import Direction
from workflows.model import Origin, Request
from workflows.policy import Policy, decide
from workflows.replaying import Decision
from workflows.standing import Standing

MINUTE = timedelta(minutes=1)
ONE = {"today": {"adds": {"gte": 1}}}
EVER = NOON + timedelta(days=1)
POLICY = a_policy()


def decided(request_id: str, policy: Policy = POLICY, **changes: Any) -> Request:
    at = changes.get("created_at", NOON)
    verdict = decide(policy, KNOWN, "friend.add", at)
    values = {"requester": LIN, "facts": KNOWN, "verdict": verdict, "created_at": at}
    return a_request(request_id, external_userid=f"wm-{request_id}", **{**values, **changes})


def stored(policy: Policy) -> StoredPolicy:
    text_ = policy.rulebook.model_dump_json(by_alias=True)
    return StoredPolicy(policy.hash, text_, NOON, "file")


async def add(db: Database, *requests: Request, versions: tuple[Policy, ...] = (POLICY,)) -> None:
    def step(tx: Transaction) -> None:
        for version in versions:
            tx.policies.activate(stored(version))
        for request in requests:
            tx.requests.add(request)

    await db.write(step)


async def page(db: Database, limit: int = 10, before: Decision | None = None) -> list[Decision]:
    return await db.read(lambda tx: tx.decisions.page(NOON, EVER, limit, before))


async def test_every_decision_is_read_once_the_newest_first_also_of_the_same_moment(
    db: Database,
) -> None:
    """Half of them were made within one millisecond, where only the id tells them apart."""
    microsecond = timedelta(microseconds=1)
    requests = [decided(f"A{n:02}", created_at=NOON + n * microsecond) for n in range(20)]
    requests += [decided(f"B{n:02}", created_at=NOON + n * MINUTE) for n in range(1, 21)]
    await add(db, *sorted(requests, key=lambda each: each.id[::-1]))

    found: list[Decision] = []
    while got := await page(db, 7, found[-1] if found else None):
        found += got

    assert sorted(each.id for each in found) == sorted(each.id for each in requests)
    moments = [each.created_at.replace(microsecond=0) for each in found]
    assert moments == sorted(moments, reverse=True)


async def test_a_decision_is_read_as_it_was_recorded(db: Database) -> None:
    request = decided("A7K2", created_at=NOON + timedelta(microseconds=123_456))
    await add(db, request)

    [found] = await page(db)

    assert found == Decision(
        id=request.id,
        action=request.action,
        requester=request.requester,
        subject=request.subject,
        facts=request.facts,
        verdict=request.verdict,
        created_at=request.created_at,
    )


async def test_what_no_member_asked_and_what_is_out_of_the_window_is_left_out(
    db: Database,
) -> None:
    await add(
        db,
        decided("SYST", origin=Origin.SYSTEM),
        decided("CONF", action="config.change"),
        decided("EARL", created_at=NOON - MINUTE),
        decided("LATE", created_at=EVER),
        decided("SEEN", origin=Origin.OBSERVED),
    )

    assert [each.id for each in await page(db)] == ["SEEN"]
    assert await db.read(lambda tx: tx.decisions.count(NOON, EVER)) == 1


async def test_pages_are_found_by_index(db: Database, engine: Engine) -> None:
    await add(db, *(decided(f"R{n}", created_at=NOON - n * MINUTE) for n in range(2000)))
    with engine.begin() as outside:
        outside.execute(text("ANALYZE"))
    sent: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        if statement.startswith("SELECT"):
            sent.append((statement, values))

    event.listen(db._reader, "before_cursor_execute", note)
    [last] = await page(db)
    await page(db, 10, last)
    event.remove(db._reader, "before_cursor_execute", note)

    prefix = "EXPLAIN QUERY PLAN " if engine.dialect.name == "sqlite" else "EXPLAIN "
    assert len(sent) == 2
    with db._writer.connect() as inside:
        for statement, values in sent:
            rows = inside.exec_driver_sql(prefix + statement, values)
            plan = "\n".join(str(row[-1]) for row in rows)
            assert "ix_requests_created_at" in plan, plan


# --- judged again


async def test_everything_is_judged_again_by_the_version_that_decided_it(db: Database) -> None:
    old, older = a_policy(a_rule("cap", ONE)), a_policy()
    requests = [decided("OLD1", old), decided("OLD2", old), decided("OLDER", older)]
    await add(db, *requests, versions=(old, older))

    tally = await replays.over(db, a_policy(), COMPANY, NOON)

    assert (tally.total, tally.unchanged, tally.unknown_version) == (3, 1, 0)
    assert tally.counts == {Direction.LOOSER: 2}
    assert {each.because for each in tally.allowed} == {("rule.cap",)}


async def test_no_more_than_the_newest_wanted_are_judged(
    db: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(replays, "_PAGE", 4)
    requests = [decided(f"R{n}", created_at=NOON + n * MINUTE) for n in range(10)]
    await add(db, *requests)
    seen: list[int] = []

    tally = await replays.over(db, a_policy(a_rule("cap", ONE)), COMPANY, NOON, most=7)
    every = await replays.judged(db, Standing(POLICY, COMPANY), Window(NOON), seen.append)

    assert [each.decision.id for each in tally.denied] == [f"R{n}" for n in range(9, 2, -1)]
    assert (every.total, every.unchanged, seen) == (10, 10, [4, 4, 2])


async def test_nothing_is_made_up_where_version_or_facts_are_not_on_record(db: Database) -> None:
    unreadable = replace(stored(POLICY), hash="0123456789ab", text='{"timezone": "UTC"}')
    verdict = replace(decided("A").verdict, policy=unreadable.hash)
    await add(db, decided("GONE"), decided("BARE", facts={}), versions=())
    await add(db, decided("BROKEN", verdict=verdict), versions=())
    await db.write(lambda tx: tx.policies.activate(unreadable))

    tally = await replays.over(db, POLICY, COMPANY, NOON)

    assert (tally.total, tally.unchanged, tally.unknown_version) == (2, 2, 2)


def test_a_stored_version_keeps_its_name_though_today_s_program_would_give_it_another() -> None:
    old = replays.compiled("0123456789ab", stored(POLICY).text)

    assert old is not None
    assert (old.hash, old.rulebook) == ("0123456789ab", POLICY.rulebook)


async def test_judging_is_done_in_another_thread_than_that_of_the_event_loop(db: Database) -> None:
    await add(db, decided("A"))
    threads: list[int] = []

    await replays.read(db, Window(NOON), lambda *_: threads.append(threading.get_ident()))

    assert len(threads) == 1
    assert threading.get_ident() not in threads
    assert asyncio.get_running_loop().is_running()


# --- in shadow


async def test_a_version_in_shadow_is_asked_about_what_was_decided_since_it_was_put_there(
    db: Database,
) -> None:
    policy = a_policy(a_rule("quiet", ONE, then="approval", mode="shadow"))
    await add(
        db,
        decided("FIRST", policy),
        decided("THEN", policy, created_at=NOON + 2 * MINUTE),
        versions=(policy,),
    )
    strict = stored(a_policy(a_rule("cap", ONE)))
    candidate = Candidate(strict.hash, strict.text, "zhaomin", "try it", NOON + MINUTE)
    await db.write(lambda tx: tx.candidates.put_shadow(candidate))

    found = await replays.shadowed(db, Standing(policy, COMPANY), Window(NOON, EVER))

    assert found.tally is not None
    assert [each.decision.id for each in found.tally.denied] == ["THEN"]
    assert (found.trials.of["quiet"].hits, found.trials.of["quiet"].approval) == (2, 2)
    assert found.is_eventful


async def test_a_version_in_shadow_that_cannot_be_read_any_more_says_nothing(db: Database) -> None:
    await db.write(lambda tx: tx.candidates.put_shadow(Candidate("x", "{}", "file", "", NOON)))

    found = await replays.shadowed(db, Standing(POLICY, COMPANY), Window(NOON, EVER))

    assert (found.tally, found.is_eventful) == (None, False)
