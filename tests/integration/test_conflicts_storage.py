"""Companies, unionids, reports and questions to owners, as both databases keep them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from storage.database import Database
from storage.transaction import Transaction
from tests.integration.test_queue_plans import Asked, plans
from tests.makers_storage import NOON, a_request
from workflows.model import Customer, Relation, RelationState
from workflows.owners import Notice, Question, QuestionState, Wish

COUNT = 1500


def a_relation(
    userid: str, external: str, company: str = "", state: RelationState = RelationState.ADDED
) -> Relation:
    return Relation(userid, external, state, added_at=NOON, company=company)


async def known(db: Database, name: str) -> list[tuple[str, str]]:
    found = await db.read(lambda tx: tx.companies.known_to(name))
    return [(each.userid, each.external_userid) for each in found]


async def test_who_knows_a_company_is_found_by_what_wecom_shows_and_by_what_members_note(
    db: Database,
) -> None:
    def fill(tx: Transaction) -> None:
        tx.relations.put_customer(Customer("wo1", "刘建国", "wecom", "恒远集团"))
        tx.relations.put_customer(Customer("wm2", "林雪"))
        tx.relations.put(a_relation("LiNa", "wo1"))
        tx.relations.put(a_relation("wang", "wm2", "恒远（上海）有限公司"))
        tx.relations.put(a_relation("sun", "wm2"))
        tx.relations.put(a_relation("ma", "wo1", "", RelationState.DELETED_BY_MEMBER))

    await db.write(fill)

    assert await known(db, "上海恒远股份有限公司") == [("wang", "wm2"), ("LiNa", "wo1")]
    assert await known(db, "恒达集团") == []
    assert await known(db, "有限公司") == []
    assert await known(db, "") == []


@pytest.mark.parametrize(
    ("noted", "asked"),
    [
        ("深圳市华星光电技术有限公司", "华星光电"),
        ("华星光电", "TCL华星光电技术有限公司"),
        ("Acme", "ACME Trading Co., Ltd."),
    ],
)
async def test_a_longer_and_a_shorter_name_find_each_other(
    db: Database, noted: str, asked: str
) -> None:
    await db.write(lambda tx: tx.relations.put(a_relation("wang", "wm1", noted)))
    await db.write(lambda tx: tx.relations.put(a_relation("sun", "wm2", asked)))

    assert {each[0] for each in await known(db, noted)} == {"wang", "sun"}
    assert {each[0] for each in await known(db, asked)} == {"wang", "sun"}


async def test_another_company_takes_the_place_of_the_former(db: Database) -> None:
    await db.write(lambda tx: tx.relations.put(a_relation("wang", "wm1", "明达贸易")))
    await db.write(lambda tx: tx.relations.put(a_relation("wang", "wm1", "朗润科技")))

    assert await known(db, "明达贸易") == []
    assert await known(db, "朗润科技") == [("wang", "wm1")]

    await db.write(lambda tx: tx.relations.put(a_relation("wang", "wm1", "")))

    assert await known(db, "朗润科技") == []


async def test_one_person_is_found_under_all_their_ids(db: Database) -> None:
    def fill(tx: Transaction) -> None:
        tx.relations.put_customer(Customer("wm1", "刘", unionid="o-liu"))
        tx.relations.put_customer(Customer("wo2", "刘", unionid="o-liu"))
        tx.relations.put_customer(Customer("wm3", "谁"))

    await db.write(fill)

    assert await db.read(lambda tx: tx.relations.ids_of("o-liu")) == ["wm1", "wo2"]
    assert await db.read(lambda tx: tx.relations.ids_of("")) == []


async def test_reports_come_back_in_the_order_they_came(db: Database) -> None:
    later = NOON + timedelta(hours=1)

    def fill(tx: Transaction) -> None:
        for userid, since in (("b", later), ("a", NOON), ("c", later)):
            tx.reports.add(f"r-{userid}", userid, ["planned:p1", "wm1"], since)

    await db.write(fill)

    found = await db.read(lambda tx: tx.reports.of_key("wm1", NOON - timedelta(days=1)))
    own = await db.read(lambda tx: tx.reports.of_request("R-C"))

    assert [each.userid for each in found] == ["a", "b", "c"]
    assert await db.read(lambda tx: tx.reports.of_key("wm1", later)) == []
    assert [each.key for each in own] == ["planned:p1", "wm1"]


async def test_of_two_nodes_that_report_at_once_exactly_one_sees_nobody_before(
    db: Database, db_url: str
) -> None:
    other = Database.open(db_url)

    def report(userid: str) -> asyncio.Future[bool]:
        def step(tx: Transaction) -> bool:
            tx.hold("report:planned:p1")
            was_first = not tx.reports.of_key("planned:p1", NOON - timedelta(days=1))
            tx.reports.add(f"r-{userid}", userid, ["planned:p1"], NOON)
            return was_first

        where = db if userid.startswith("a") else other
        return asyncio.ensure_future(where.write(step))

    try:
        first = await asyncio.gather(*(report(f"{node}{n}") for n in range(8) for node in "ab"))
    finally:
        await other.aclose()

    assert sum(first) == 1


async def test_a_question_is_answered_once(db: Database) -> None:
    asked = Question("A7K2", "LiNa", "wm1", Wish.SHARE, QuestionState.OPEN, NOON)
    yes = Question("A7K2", "LiNa", "wm1", Wish.SHARE, QuestionState.YES, NOON)
    await db.write(lambda tx: tx.owners.put(asked))

    moved = [await db.write(lambda tx: tx.owners.move(asked, yes)) for _ in range(2)]

    assert moved == [True, False]
    assert await db.read(lambda tx: tx.owners.get("a7k2", "lina")) == yes
    assert await db.read(lambda tx: tx.owners.get("A7K2", "wang")) is None


async def test_what_an_owner_was_told_is_kept(db: Database) -> None:
    await db.write(lambda tx: tx.owners.told(Notice("LiNa", "wm1", NOON, 3)))
    await db.write(lambda tx: tx.owners.told(Notice("LiNa", "wm1", NOON, 7)))

    assert await db.read(lambda tx: tx.owners.notice("lina", "wm1")) == Notice(
        "lina", "wm1", NOON, 7
    )
    assert await db.read(lambda tx: tx.owners.notice("lina", "wm2")) is None


def fill(tx: Transaction) -> None:
    for number in range(COUNT):
        company = f"{chr(0x4E00 + number)}{chr(0x5000 + number)}光电科技有限公司"
        tx.relations.put_customer(Customer(f"wm{number}", "客户", unionid=f"o{number}"))
        tx.relations.put(a_relation(f"u{number % 60}", f"wm{number}", company))
        tx.reports.add(f"R{number}", f"u{number % 60}", [f"planned:p{number}"], NOON)
        tx.owners.put(
            Question(f"R{number}", "u1", f"wm{number}", Wish.SHARE, QuestionState.OPEN, NOON)
        )
    tx.requests.add(a_request("R7"))


NAME = f"{chr(0x4E07)}{chr(0x5007)}光电有限公司"
ASKED: Mapping[str, tuple[Asked, tuple[str, ...]]] = {
    "who knows a company": (
        lambda tx: tx.companies.known_to(NAME),
        ("company_names", "ix_company_names_stem", "company_customers"),
    ),
    "the ids of a person": (lambda tx: tx.relations.ids_of("o7"), ("ix_customers_unionid",)),
    "who reported first": (
        lambda tx: tx.reports.of_key("planned:p7", NOON - timedelta(days=1)),
        ("ix_reports_key",),
    ),
    "what a request reports": (
        lambda tx: tx.reports.of_request("R7"),
        ("ix_reports_request_id",),
    ),
    "a question": (lambda tx: tx.owners.get("R7", "u1"), ("owner_questions",)),
}


async def test_what_a_decision_looks_up_follows_an_index(db: Database, engine: Engine) -> None:
    await db.write(fill)
    if engine.dialect.name == "postgresql":
        with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as outside:
            outside.execute(text("VACUUM (ANALYZE)"))

    for what, (step, indexes) in ASKED.items():
        found = await plans(db, step)

        for index in indexes:
            assert any(index in plan for plan in found), (what, index, found)
        for plan in found:
            assert "Seq Scan" not in plan, (what, plan)
            assert "SCAN company" not in plan, (what, plan)
            assert "SCAN relations" not in plan, (what, plan)
