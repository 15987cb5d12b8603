"""Many press at once; timers, absences and what was decided before, in real databases."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import Any

from sqlalchemy import Engine, event, text

from bot import texts
from bot.actions import deciding, looking_back, voting
from bot.actions.scene import Scene
from storage.database import Database
from storage.transaction import Transaction
from tests.makers_approval import NOON, a_company, a_request, a_stage
from tests.makers_policy import a_policy
from workflows.absences import Absence
from workflows.model import Answer, Person, Request, State, Subject, Vote
from workflows.standing import Standing
from workflows.steps import Refused

REQUESTS, PRESSES = 300, 1000
ZH = texts.load("zh-CN")
WANG, LI, ZHAO = Person("Wang", "王"), Person("li", "李"), Person("zhao", "赵")
EITHER = a_stage("user:wang", "user:li", "user:zhao")
DAY = timedelta(days=1)


def scene_of(tx: Transaction, **changes: Any) -> Scene:
    scene = Scene(tx, Standing(a_policy(), a_company()), ZH, ZH, NOON)
    return replace(scene, **changes)


def numbered(number: int, **changes: Any) -> Request:
    subject = Subject(f"planned:{number}", f"客户{number}")
    return replace(a_request(EITHER), id=f"A{number + 100}", subject=subject, **changes)


async def test_a_thousand_presses_at_once_decide_three_hundred_requests_once_each(
    db: Database,
) -> None:
    for number in range(REQUESTS):
        request = numbered(number)
        await db.write(lambda tx, r=request: deciding.open_request(scene_of(tx), r))  # type: ignore[misc]
    dice = random.Random(2026)
    presses = [(n % REQUESTS, dice.choice((WANG, LI, ZHAO)), dice.random()) for n in range(PRESSES)]
    dice.shuffle(presses)

    async def press(number: int, who: Person, chance: float) -> str:
        def step(tx: Transaction) -> str:
            scene = scene_of(tx).by(who.userid)
            request_id = f"A{number + 100}"
            try:
                if chance < 0.7:
                    voting.approve(scene, who.userid, request_id, via="card")
                else:
                    voting.deny(scene, who.userid, request_id, comment="不合适", via="card")
            except Refused as refused:
                return refused.key
            return "decided"

        return await db.write(step)

    heard = Counter(await asyncio.gather(*(press(*each) for each in presses)))

    assert heard["decided"] == REQUESTS
    assert heard.total() == PRESSES
    assert set(heard) == {"decided", "already_decided"}
    found = await db.read(
        lambda tx: [tx.requests.get(f"A{number + 100}") for number in range(REQUESTS)]
    )
    decided = [each for each in found if each is not None]
    assert {each.state for each in decided} == {State.APPROVED, State.DENIED}
    assert all(len(each.votes) == 1 and each.decided_by for each in decided)
    records = await db.read(lambda tx: tx.audit.after(0, 10_000))
    kinds = Counter(each.request_id for each in records if each.kind.startswith("request.vote_"))
    assert set(kinds.values()) == {1}
    assert len(kinds) == REQUESTS
    orders = [each for each in records if each.kind == "ticket.ordered"]
    assert len(orders) == sum(each.state is State.APPROVED for each in decided)
    assert await db.read(lambda tx: tx.audit.verify()) is None


# Who is away


async def test_an_absence_is_kept_one_for_each_person(db: Database) -> None:
    first = Absence(WANG, LI, NOON, NOON + DAY)
    later = Absence(WANG, ZHAO, NOON, NOON + 2 * DAY)
    for each in (first, later, Absence(LI, ZHAO, NOON - DAY, NOON)):
        await db.write(lambda tx, a=each: tx.absences.put(a))  # type: ignore[misc]

    assert await db.read(lambda tx: tx.absences.get("WANG")) == later
    assert await db.read(lambda tx: tx.absences.in_force(NOON)) == [later]
    assert await db.write(lambda tx: tx.absences.drop("wang"))
    assert not await db.write(lambda tx: tx.absences.drop("wang"))


async def test_what_waits_for_somebody_is_read_in_pages(db: Database) -> None:
    for number in range(7):
        made = NOON + timedelta(minutes=number // 2)  # some in the same moment
        request = replace(numbered(number), approvers=(WANG,), created_at=made)
        await db.write(lambda tx, r=request: tx.requests.add(r))  # type: ignore[misc]

    found: list[Request] = []
    while True:
        last = found[-1] if found else None
        page = await db.read(lambda tx, a=last: tx.requests.pending_for("wang", 3, a))  # type: ignore[misc]
        found += page
        if len(page) < 3:
            break

    assert [each.id for each in found] == [f"A{number + 100}" for number in range(7)]


# What was decided before


def voted(number: int, by: Person, minutes: int, stage: int = 0) -> Request:
    """A request on which somebody answered so many minutes after they were asked."""
    request = numbered(number)
    cast: list[Vote] = []
    if stage:
        at = NOON + timedelta(minutes=5)
        cast.append(Vote(0, ZHAO, Answer.APPROVE, at, "card"))
    asked = cast[-1].at if cast else NOON
    cast.append(Vote(stage, by, Answer.APPROVE, asked + timedelta(minutes=minutes), "card"))
    return replace(request, state=State.EXECUTED, votes=tuple(cast), decided_at=cast[-1].at)


async def test_the_usual_time_is_the_median_and_counts_from_the_own_stage(db: Database) -> None:
    made = [
        *(voted(n, WANG, minutes) for n, minutes in enumerate((4, 12, 200))),
        *(voted(n + 10, LI, minutes, stage=1) for n, minutes in enumerate((21, 23, 24))),
        *(voted(n + 20, ZHAO, 0) for n in range(4)),  # approved in advance: says nothing
    ]
    for each in made:
        await db.write(lambda tx, r=each: tx.requests.add(r))  # type: ignore[misc]

    def usual(tx: Transaction) -> dict[str, timedelta]:
        scene = scene_of(tx, now=NOON + DAY)
        return dict(looking_back.usual_times(scene, (WANG, LI)))

    assert await db.read(usual) == {"wang": timedelta(minutes=15), "li": timedelta(minutes=25)}


async def test_looking_back_uses_an_index(db: Database, engine: Engine) -> None:
    for number in range(2000):
        request = voted(number, Person(f"user{number % 50}", "某"), 3)
        asker, made = Person(f"asker{number % 100}", "某"), NOON + timedelta(minutes=number)
        request = replace(request, requester=asker, created_at=made)
        await db.write(lambda tx, r=request: tx.requests.add(r))  # type: ignore[misc]
    with engine.begin() as outside:
        outside.execute(text("ANALYZE"))
    sent: list[tuple[str, Any]] = []

    def note(_c: object, _cursor: object, statement: str, values: Any, *_: object) -> None:
        if statement.startswith("SELECT"):
            sent.append((statement, values))

    event.listen(db._reader, "before_cursor_execute", note)
    await db.read(lambda tx: tx.precedents.answers(["user7"], NOON))
    await db.read(lambda tx: tx.precedents.of_requester("asker7", NOON + 9 * DAY))
    event.remove(db._reader, "before_cursor_execute", note)

    assert len(sent) == 2
    explain = "EXPLAIN QUERY PLAN " if db._reader.dialect.name == "sqlite" else "EXPLAIN "
    with db._reader.connect() as connection:
        for (statement, values), index in zip(
            sent, ("ix_votes_userid", "ix_requests_requester"), strict=True
        ):
            rows = connection.exec_driver_sql(explain + statement, values).all()
            assert index in str(rows)
