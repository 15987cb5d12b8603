"""Freezes on real databases: felt at once on every node, ended and reviewed exactly once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from bot import texts
from bot.actions import deciding, freezes, freezing, judging, reviewing, tickets
from bot.actions.scene import Scene
from bot.command_types import Freeze as Wish
from storage.database import Database
from storage.transaction import Transaction
from storage.work import Claimed, Queue
from tests.makers_approval import NOON, a_company, a_request, a_stage, a_verdict
from tests.makers_exceptions import DAY, a_freeze, a_lifting, agreed_by
from tests.makers_policy import a_policy
from tests.makers_waivers import a_waiver, the_same
from workflows.directory import Department, Directory, Member
from workflows.freezing import Ending, Freeze, Scope
from workflows.model import (
    AuditRecord,
    Origin,
    Outcome,
    Person,
    Reason,
    State,
    Subject,
    TicketState,
)
from workflows.standing import Standing
from workflows.steps import Approve, Refused

ZH = texts.load("zh-CN")
HOUR = timedelta(hours=1)
SECTIONS: dict[str, Any] = {
    "roles": {
        "seller": {"level": 2, "members": ["department:销售部"]},
        "admin": {"level": 5, "members": ["user:zhao", "user:chen"]},
    },
    "permissions": {"friend.add": {"allow": 2}, "config.change": {"approval": 5}},
}


def scene_of(tx: Transaction, at: datetime = NOON, directory: Directory | None = None) -> Scene:
    standing = Standing(a_policy(**SECTIONS), directory or a_company())
    return Scene(tx, standing, ZH, ZH, at)


async def add(db: Database, *made: Freeze) -> None:
    for freeze in made:
        await db.write(lambda tx, f=freeze: tx.freezes.add(f))  # type: ignore[misc]


async def stored(db: Database, freeze_id: str = "F-B3M4") -> Freeze:
    found = await db.read(lambda tx: tx.freezes.get(freeze_id))
    assert found is not None
    return found


async def records(db: Database, kind: str) -> list[AuditRecord]:
    every = await db.read(lambda tx: tx.audit.after(0, 10_000))
    return [each for each in every if each.kind == kind]


async def due(db: Database, queue: Queue) -> list[Claimed]:
    late = NOON + 99 * DAY
    return await db.write(lambda tx: tx.work.claim(queue, late, 999, timedelta(minutes=1)))


@pytest.fixture
async def other(db: Database) -> AsyncIterator[Database]:
    """A second node on the same database."""
    node = Database.open(db._writer.url.render_as_string(hide_password=False))
    yield node
    await node.aclose()


# The repository


async def test_what_is_put_in_comes_out_and_is_open_until_it_is_reviewed(db: Database) -> None:
    later = a_freeze(id="F-C4N5", until=NOON + 9 * HOUR)
    await add(db, later, a_freeze())

    assert await stored(db, " f-b3m4 ") == a_freeze()
    assert await db.read(lambda tx: tx.freezes.open()) == [a_freeze(), later]
    over = replace(a_freeze(), ending=Ending.EXPIRED, ended_at=NOON + 2 * HOUR)
    assert await db.write(lambda tx: tx.freezes.change(over))
    assert await db.read(lambda tx: tx.freezes.open()) == [over, later]
    reviewed = replace(over, reviewed_by="zhao", conclusion="误报")
    assert await db.write(lambda tx: tx.freezes.change(reviewed))
    assert await db.read(lambda tx: tx.freezes.open()) == [later]
    assert not await db.write(lambda tx: tx.freezes.change(over))
    assert await stored(db) == reviewed


# What it stops


async def test_every_node_feels_it_with_the_next_decision(db: Database, other: Database) -> None:
    def judged(tx: Transaction, at: datetime) -> tuple[Outcome, Reason]:
        scene = scene_of(tx, at)
        known = {**judging.sender(scene, "lin"), "contact.planned": True}
        verdict = judging.judge(scene, known)
        return verdict.outcome, verdict.reason

    assert await other.read(lambda tx: judged(tx, NOON)) == (Outcome.ALLOW, Reason.LEVEL)
    wish = Wish("全部", 2 * HOUR, "账号异常")
    await db.write(lambda tx: freezing.freeze(scene_of(tx), "zhao", Scope.EVERYTHING, "", wish))

    assert await other.read(lambda tx: judged(tx, NOON)) == (Outcome.DENY, Reason.FROZEN)
    end = NOON + 2 * HOUR  # though no timer has come
    last = end - timedelta(milliseconds=1)
    assert await other.read(lambda tx: judged(tx, last)) == (Outcome.DENY, Reason.FROZEN)
    assert await other.read(lambda tx: judged(tx, end)) == (Outcome.ALLOW, Reason.LEVEL)


async def test_nobody_approves_what_was_asked_for_while_it_is_frozen(db: Database) -> None:
    request = await db.write(
        lambda tx: deciding.open_request(scene_of(tx), a_request(verdict=a_verdict()))
    )
    await add(db, a_freeze(Scope.MEMBER, "LIN"))

    with pytest.raises(Refused, match="frozen"):
        await db.write(lambda tx: deciding.advance(scene_of(tx), request, Approve("Wang", "card")))

    late = NOON + 2 * HOUR
    done = await db.write(
        lambda tx: deciding.advance(scene_of(tx, late), request, Approve("Wang", "card"))
    )
    assert done.state is State.APPROVED


@pytest.mark.parametrize("is_frozen", [False, True])
async def test_a_standing_approval_at_a_later_stage_waits_for_its_giver(
    db: Database, is_frozen: bool
) -> None:
    """Of an add that was held before the freeze, and is approved by a person during it."""
    chain = (a_stage("manager_of_sender"), a_stage("user:li"))
    draft = the_same(origin=Origin.OBSERVED, chain=chain)
    waiver = a_waiver(draft, approver=Person("li", "李"))
    await db.write(lambda tx: tx.waivers.add(waiver))
    request = await db.write(lambda tx: deciding.open_request(scene_of(tx), draft))
    if is_frozen:
        await add(db, a_freeze())

    after = await db.write(
        lambda tx: deciding.advance(scene_of(tx), request, Approve("Wang", "card"))
    )

    voters = [vote.by.userid for vote in after.votes]
    assert voters == (["Wang"] if is_frozen else ["Wang", "li"])
    assert after.state is (State.PENDING if is_frozen else State.EXECUTED)


async def with_ticket(db: Database, number: int, userid: str) -> None:
    """Put an allowed request with an open ticket on file."""
    draft = replace(
        a_request(verdict=a_verdict(Outcome.ALLOW, chain=None)),
        id=f"A{number + 1000}",
        requester=Person(userid, userid),
        subject=Subject(f"planned:{number}", f"客户{number}"),
    )

    def step(tx: Transaction) -> None:
        request = deciding.open_request(scene_of(tx), draft)
        ticket = tickets.live(scene_of(tx), request)
        assert ticket is not None
        tickets.issued(scene_of(tx), ticket.state_key, "config", "https://qr")

    await db.write(step)


async def test_open_tickets_are_taken_back_page_by_page_within_its_scope(db: Database) -> None:
    for number in range(130):
        await with_ticket(db, number, "lin" if number % 2 else "li")

    def keys(tx: Transaction) -> Counter[tuple[str, TicketState]]:
        found = (tx.requests.get(f"A{n + 1000}") for n in range(130))
        of = [(r, tx.tickets.of_request(r.id)) for r in found if r]
        return Counter((r.requester.userid, t.state) for r, t in of if t)

    wish = Wish("部门", 2 * HOUR, "账号异常")
    await db.write(
        lambda tx: freezing.freeze(scene_of(tx), "zhao", Scope.DEPARTMENT, "销售部", wish)
    )
    pages = 0
    while left := [each for each in await due(db, Queue.TIMERS) if each.kind == freezes.TICKETS]:
        for each in left:
            pages += 1
            freeze_id, _, after = each.body.partition("|")
            await db.write(
                lambda tx, f=freeze_id, a=after: freezing.revoke_tickets(scene_of(tx), f, a)  # type: ignore[misc]
            )

    assert pages == 1
    assert await db.read(keys) == {
        ("lin", TicketState.REVOKED): 65,
        ("li", TicketState.OPEN): 65,
    }
    revoked = await records(db, "request.revoked")
    assert {each.detail["comment"] for each in revoked} == {f"因冻结 {freeze_id}"}
    assert len(revoked) == 65


def a_crowd() -> Directory:
    """Two hundred and fifty sellers, and the admins among them."""
    people = [Member(f"s{n:03}", f"销售{n}", (2,), 2) for n in range(250)]
    return Directory.of(
        [*people, Member("zhao", "赵", (2,), 2), Member("chen", "陈", (1,), 1)],
        [Department(1, "公司", 0), Department(2, "销售部", 1)],
    )


async def test_everybody_it_stops_is_told_once_and_the_admins_only_as_admins(db: Database) -> None:
    crowd = a_crowd()
    wish = Wish("全部", 2 * HOUR, "账号异常")
    await db.write(
        lambda tx: freezing.freeze(
            scene_of(tx, directory=crowd), "zhao", Scope.EVERYTHING, "", wish
        )
    )
    pages = 0
    while left := [each for each in await due(db, Queue.TIMERS) if each.kind == freezes.TELL]:
        for each in left:
            pages += 1
            freeze_id, what, last = each.body.split("|")
            await db.write(
                lambda tx, f=freeze_id, w=what, a=last: freezing.tell_scope(  # type: ignore[misc]
                    scene_of(tx, directory=crowd), f, w, a
                )
            )

    assert pages == 3
    lanes = Counter(each.lane for each in await due(db, Queue.OUTBOX))
    everybody = {f"chat:s{n:03}" for n in range(250)} | {"chat:zhao", "chat:chen"}
    assert lanes == dict.fromkeys(everybody, 1)


# The end, and the review


async def test_on_two_nodes_it_ends_once_and_one_review_closes_it(
    db: Database, other: Database
) -> None:
    await add(db, a_freeze())
    late = NOON + 2 * HOUR
    early = late - timedelta(seconds=1)
    assert not await db.write(lambda tx: freezes.expire(scene_of(tx, early), "F-B3M4"))

    await asyncio.gather(
        *(
            node.write(lambda tx: freezes.expire(scene_of(tx, late), "F-B3M4"))
            for node in [db, other] * 4
        )
    )

    assert (await stored(db)).ending is Ending.EXPIRED
    assert len(await records(db, "freeze.ended")) == 1

    async def review(node: Database, userid: str) -> str:
        try:
            await node.write(
                lambda tx: reviewing.close(scene_of(tx, late), userid, "F-B3M4", "误报")
            )
        except Refused as refused:
            return refused.key
        return ""

    done = await asyncio.gather(review(db, "zhao"), review(other, "chen"), review(db, "chen"))
    assert sorted(done) == ["", "reviewed_already", "reviewed_already"]
    assert len(await records(db, "freeze.reviewed")) == 1


async def test_the_review_is_asked_for_again_every_morning_until_it_is_written(
    db: Database,
) -> None:
    await add(db, replace(a_freeze(), ending=Ending.EXPIRED, ended_at=NOON))

    await db.write(lambda tx: reviewing.remind(scene_of(tx), "F-B3M4"))

    [timer] = [each for each in await due(db, Queue.TIMERS) if each.kind == reviewing.REMINDER]
    tomorrow = datetime(2026, 3, 5, 1, 0, tzinfo=NOON.tzinfo)  # nine in Shanghai
    assert timer.key == f"review_reminder:F-B3M4@{int(tomorrow.timestamp())}"
    await db.write(lambda tx: reviewing.close(scene_of(tx), "chen", "F-B3M4", "误报"))
    await db.write(lambda tx: reviewing.remind(scene_of(tx, tomorrow), "F-B3M4"))
    told = [each for each in await due(db, Queue.OUTBOX) if "还没有复盘" in each.body]
    assert len(told) == 2  # both admins, the first time only


@pytest.mark.parametrize(("agreed", "ends"), [((), False), (("ZHAO",), False), (("chen",), True)])
async def test_even_an_approved_request_lifts_nothing_without_a_second_person(
    db: Database, agreed: tuple[str, ...], ends: bool
) -> None:
    """The last look, should anything before have failed."""
    await add(db, a_freeze())
    request = replace(agreed_by(a_lifting("zhao"), *agreed), state=State.APPROVED)

    await db.write(lambda tx: freezes.perform(scene_of(tx), request))

    assert (await stored(db)).ending is (Ending.LIFTED if ends else None)


async def test_a_freeze_that_is_over_needs_no_lifting(db: Database) -> None:
    await add(db, replace(a_freeze(), ending=Ending.EXPIRED, ended_at=NOON))
    with pytest.raises(Refused, match="freeze_over"):
        await db.write(lambda tx: freezing.lift(scene_of(tx), "zhao", "F-B3M4"))
