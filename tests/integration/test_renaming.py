"""What is on file of a member when they get another userid: all tables, and what came in before."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import Table, select

from bot import outgoing
from bot.actions import containing, taking_over
from bot.actions.people import NAMED_IN_TIMERS
from storage.database import Database
from storage.renaming import STAYS
from storage.tables import metadata
from storage.transaction import Transaction
from storage.work import Job, Queue
from tests.makers_storage import a_request
from tests.makers_waivers import a_waiver, the_same
from workflows.absences import Absence
from workflows.chats import Chat
from workflows.claims import Claim
from workflows.directory import Directory, Member
from workflows.freezing import Freeze, Scope
from workflows.grants import Grant
from workflows.leaving import Handover, Leaver, LeftBehind, Outcome
from workflows.model import (
    Answer,
    Card,
    CardState,
    Group,
    Person,
    Relation,
    RelationState,
    Remedy,
    RemedyState,
    Stage,
    Ticket,
    TicketState,
    Vote,
)
from workflows.owners import Notice, Question, QuestionState, Wish
from workflows.plans import TakeOver, Transfer
from workflows.transfers import Passage, PassageState

NOON = datetime(2026, 3, 4, 12, tzinfo=UTC)
LATER = NOON + timedelta(days=1)
LIN, WU = Member("LinMei", "林梅", (2,)), Member("wu", "吴", (2,))
MS_LIN, MR_WU = Person("LinMei", "林梅"), Person("wu", "吴")
NEW = replace(LIN, userid="Lin.Mei")


def her_requests(tx: Transaction) -> None:
    vote = Vote(0, MS_LIN, Answer.APPROVE, NOON, "card")
    hers = replace(
        a_request("B8M3", external_userid="wm-b"),
        requester=MR_WU,
        approvers=(MS_LIN,),
        chain=(Stage((Group(("user:linmei",)),)),),
        plan=Transfer("LinMei", "wu", ("wm-b",)),
    )
    voted = replace(a_request("C8M3", external_userid="wm-c"), requester=MR_WU, votes=(vote,))
    tx.requests.add(replace(a_request("A7K2"), requester=MS_LIN))
    tx.requests.add(hers)
    tx.requests.add(voted)
    tx.cards.add(Card("task", "B8M3", 0, "LinMei", CardState.OPEN))
    tx.tickets.add(Ticket("mw-1", "A7K2", "LinMei", TicketState.OPEN, LATER))
    due = RemedyState.ASKED
    tx.remedies.add(Remedy("A7K2", "LinMei", "wm-a", due, LATER))
    tx.remedies.add(Remedy("R1R1", "wu", "wm-r", due, LATER, "transfer", "linmei"))
    tx.drafts.put("LinMei", "add", "{}", LATER)


def her_customers(tx: Transaction) -> None:
    firm = "广州明达贸易有限公司"
    held = Relation("LinMei", "wm-a", RelationState.ADDED, phones=("1380000",), company=firm)
    tx.relations.put(held)
    tx.mirror.watch(["LinMei"], NOON)
    tx.reports.add("A7K2", "LinMei", ["wm-a"], NOON)
    asked = QuestionState.OPEN
    tx.owners.put(Question("B8M3", "LinMei", "wm-a", Wish.SHARE, asked, NOON))
    tx.owners.told(Notice("LinMei", "wm-a", NOON, 3))
    tx.chats.put(Chat("chat", "群", "LinMei", "1", NOON))
    going = PassageState.WAITING
    tx.transfers.put(
        [
            Passage("T1T1", "wm-1", "客户", "LinMei", "wu", going, NOON),
            Passage("T1T1", "wm-2", "客户", "wu", "LinMei", going, NOON),
        ]
    )


def what_she_takes_over(tx: Transaction) -> None:
    tx.leavers.put(Leaver(Person("gone", "旧人"), NOON, ("LinMei",), ("LinMei", "wu")))
    mine = LeftBehind("gone", "wm-l", NOON, request_id="T2T2", taker="LinMei")
    tx.leavers.put_waiting([replace(mine, outcome=Outcome.WAITING)])
    plan = TakeOver("gone", ("LinMei", "wu"), 1)
    shares = {"LinMei": 1, "wu": 0}
    tx.leavers.put_handover(
        Handover(
            "T2T2", plan, MS_LIN, Claim(), 1, shares=shares,
            tier_shares={"top|LinMei": 1}, group_shares=shares,
        )
    )  # fmt: skip


def her_rights(tx: Transaction) -> None:
    tx.grants.add(Grant("G-1", "LinMei", "friend.add", "wu", "A7K2", NOON, LATER))
    tx.absences.put(Absence(MR_WU, MS_LIN, NOON, LATER))
    tx.absences.put(Absence(MS_LIN, MR_WU, NOON, LATER))
    scope = Scope.MEMBER
    tx.freezes.add(Freeze("F-1", scope, "LinMei", "林梅", "zhao", "why", NOON, LATER))
    tx.waivers.add(a_waiver(the_same(requester=MS_LIN), requester=MS_LIN))
    tx.console_lists.put("follow_users", ["linmei", "wu"])
    tx.console_lists.put("app_scope", ["user:linmei", "department:2"])
    tx.console_lists.put("app_scope.deciders", ["linmei|林梅"])


def furnish(tx: Transaction) -> None:
    """Give LinMei one of everything that is hers, and a part in what is Wu's."""
    tx.people.replace(Directory.of([LIN, WU], [], ()))
    for part in (her_requests, her_customers, what_she_takes_over, her_rights):
        part(tx)


def naming(tx: Transaction, name: str) -> dict[str, int]:
    """Return how many rows of each table say this name."""
    tx.write()
    connection = tx.link
    return {
        table.name: count
        for table in metadata.sorted_tables
        if (count := sum(_says(row, name) for row in connection.execute(select(table)).all()))
    }


def _says(row: object, name: str) -> bool:
    return name in json.dumps([str(each) for each in row], ensure_ascii=False).lower()  # type: ignore[attr-defined]


def _follow() -> list[Table]:
    return [table for table in metadata.sorted_tables if table.name not in STAYS]


async def test_everything_of_every_table_follows_the_new_userid_unless_it_is_said_why_not(
    db: Database,
) -> None:
    await db.write(furnish)
    before = await db.read(lambda tx: naming(tx, "linmei"))
    missing = {table.name for table in _follow()} - before.keys()
    assert not missing, "give LinMei a row in the new table, or say in STAYS why it may stay"

    await db.write(lambda tx: tx.people.rename("linmei", NEW))

    left = await db.read(lambda tx: naming(tx, "linmei"))
    assert not left.keys() - STAYS.keys()
    now = await db.read(lambda tx: naming(tx, "lin.mei"))
    followed = {name: count for name, count in before.items() if name not in STAYS}
    del followed["drafts"]  # what was begun is begun anew
    assert {name: now.get(name) for name in followed} == followed


def test_each_table_that_stays_exists() -> None:
    assert STAYS.keys() <= {table.name for table in metadata.sorted_tables}


async def test_a_takeover_under_way_goes_on_under_the_new_userid(db: Database) -> None:
    await db.write(furnish)
    await db.write(lambda tx: tx.people.rename("LinMei", NEW))

    open_now = await db.read(lambda tx: tx.leavers.open_of("T2T2", "Lin.Mei", 9, ""))
    handover = await db.read(lambda tx: tx.leavers.handover("T2T2"))
    assert [(each.external_userid, each.taker) for each in open_now] == [("wm-l", "Lin.Mei")]
    assert handover is not None
    assert handover.plan.to == ("Lin.Mei", "wu")
    assert handover.shares == {"Lin.Mei": 1, "wu": 0}
    assert handover.tier_shares == {"top|Lin.Mei": 1}


async def test_whom_a_takeover_is_about_keeps_the_name_by_which_they_left(db: Database) -> None:
    def furnished(tx: Transaction) -> None:
        tx.people.replace(Directory.of([LIN, WU], [], ()))
        plan = TakeOver("linmei", ("LinMei", "wu"), 1)
        tx.requests.add(replace(a_request("T3T3", external_userid=None), plan=plan))
        tx.leavers.put(Leaver(Person("linmei", "前一位"), NOON))
        tx.leavers.put_waiting([LeftBehind("linmei", "wm-x", NOON)])

    await db.write(furnished)
    await db.write(lambda tx: tx.people.rename("LinMei", NEW))

    request = await db.read(lambda tx: tx.requests.get("T3T3"))
    assert request is not None
    assert request.plan == TakeOver("linmei", ("Lin.Mei", "wu"), 1)
    assert await db.read(lambda tx: tx.leavers.one("linmei", "wm-x")) is not None


# What came in under the new userid before the event that tells of it


async def test_what_a_reading_has_stored_under_the_new_userid_does_not_stop_the_renaming(
    db: Database,
) -> None:
    judged = Relation("LinMei", "wm-a", RelationState.ADDED, request_id="A7K2", phones=("1",))
    over = Relation("LinMei", "wm-o", RelationState.DELETED_BY_MEMBER, request_id="A7K2")
    read = [
        Relation("Lin.Mei", each, RelationState.ADDED, phones=("2",), company="明达贸易有限公司")
        for each in ("wm-a", "wm-o", "wm-n")
    ]

    def furnished(tx: Transaction) -> None:
        tx.people.replace(Directory.of([LIN, WU], [], ()))
        tx.relations.put(judged)
        tx.relations.put(over)
        tx.mirror.watch(["LinMei"], NOON)
        tx.mirror.note_read(["LinMei"], NOON)
        tx.mirror.watch(["Lin.Mei"], LATER)
        tx.mirror.store(read)

    await db.write(furnished)
    await db.write(lambda tx: tx.people.rename("LinMei", NEW))

    found = await db.read(lambda tx: tx.relations.of_member("Lin.Mei"))
    assert {each.external_userid: (each.state, each.request_id) for each in found} == {
        "wm-a": (RelationState.ADDED, "A7K2"),
        "wm-n": (RelationState.ADDED, ""),
        "wm-o": (RelationState.ADDED, ""),
    }
    assert await db.read(lambda tx: tx.relations.of_member("LinMei")) == []
    by_phone = await db.read(lambda tx: tx.relations.find_by_phone("2"))
    assert [each.external_userid for each in by_phone] == ["wm-n", "wm-o"]
    watched = await db.read(lambda tx: tx.mirror.watched(["Lin.Mei", "LinMei"]))
    assert {name: each.since for name, each in watched.items()} == {"lin.mei": NOON}


async def test_what_an_event_has_had_judged_under_the_new_userid_stands(db: Database) -> None:
    def furnished(tx: Transaction) -> None:
        tx.people.replace(Directory.of([LIN, WU], [], ()))
        tx.relations.put(Relation("LinMei", "wm-a", RelationState.ADDED))
        tx.relations.put(Relation("Lin.Mei", "wm-a", RelationState.ADDED, request_id="C1C1"))

    await db.write(furnished)
    await db.write(lambda tx: tx.people.rename("LinMei", NEW))

    found = await db.read(lambda tx: tx.relations.of_customer("wm-a"))
    assert [(each.userid, each.request_id) for each in found] == [("Lin.Mei", "C1C1")]


# What has still to be done


def _bodies(tx: Transaction, timers: Mapping[str, int]) -> list[str]:
    tx.work.rename("LinMei", "Lin.Mei", timers)
    kinds = ("a", "b", "c", "d")
    lanes = [*((Queue.TIMERS, kind) for kind in kinds), (Queue.OUTBOX, "chat")]
    return [row.body for lane in lanes for row in tx.work.open_in(*lane)]


async def test_what_is_still_to_be_done_for_somebody_is_done_under_the_new_userid(
    db: Database,
) -> None:
    def furnished(tx: Transaction) -> None:
        timers = [
            Job(Queue.TIMERS, containing.CHECK, "a", "LinMei|wm-a", "1"),
            Job(Queue.TIMERS, taking_over.LOOK, "b", "T2T2|linmei|", "2"),
            Job(Queue.TIMERS, "look_at_customer", "c", "1|linmei|wm-a", "3"),
            Job(Queue.TIMERS, containing.CHECK, "d", "linmei2|wm-a", "4"),
        ]
        letter = outgoing.body(outgoing.SendText("LinMei", "问 LinMei"))
        tx.work.add([*timers, Job(Queue.OUTBOX, "SendText", "chat", letter, "5")], NOON)

    await db.write(furnished)
    *timers, letter = await db.write(lambda tx: _bodies(tx, NAMED_IN_TIMERS))

    assert timers == ["Lin.Mei|wm-a", "T2T2|lin.mei|", "1|linmei|wm-a", "linmei2|wm-a"]
    assert json.loads(letter) == {"userid": "Lin.Mei", "content": "问 LinMei"}
