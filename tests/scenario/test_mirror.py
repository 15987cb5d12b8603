"""Customers as WeCom shows them: what no callback has told is found by reading all of them."""

from __future__ import annotations

import asyncio
import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot import chores, demo
from bot.cli import cli
from bot.simulator.records import Customer
from bot.simulator.seed import HE_CHEN, LIN_XUE, LIU_JIANGUO, MA_CHAO, ZHANG_WEI
from storage.database import Database
from tests.makers_demo import ENGLISH, permission, rule, section
from tests.scenario.conftest import Opens, Stage
from workflows.mirror import Reading
from workflows.model import Containment, Relation, RelationState, RemedyState, State

LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)
NO_RIVALS = 'id = "no-he"\naction = ["friend.add"]\nwhen.customer.name = "何晨"\nthen = "deny"'
CROWDED = (
    'id = "crowded"\naction = ["friend.add"]\nwhen.sender.contact_count.gt = 2\n'
    'then = "approval"\nchain = "lead"'
)


async def has_read(stage: Stage, number: int = 1) -> Reading:
    """Wait until so many readings have come to an end; return the newest."""

    async def look() -> list[Reading]:
        return await stage.db.read(lambda tx: tx.readings.complete())

    found: list[Reading] = await stage.until(
        look, lambda it: it and it[0].number >= number and it, f"reading {number} has ended"
    )
    return found[0]


async def read_again(stage: Stage) -> Reading:
    """Have all customers read, later than any callback could still come."""
    (last,) = await stage.db.read(lambda tx: tx.readings.complete())
    stage.clock.move(minutes=6)
    await ask_for_a_reading(stage)
    found = await has_read_or_waits(stage, last.number + 1)
    await stage.quiet()
    return found


async def ask_for_a_reading(stage: Stage) -> None:
    job = chores.reading_now(stage.clock.now())
    await stage.db.write(lambda tx: tx.work.add([job], stage.clock.now()))


async def has_read_or_waits(stage: Stage, number: int) -> Reading:
    """Wait for a reading to end; what it doubts is looked at once a callback would have come."""

    async def through() -> list[Reading]:
        return await stage.db.read(lambda tx: tx.readings.newest(1))

    (reading,) = await stage.until(
        through,
        lambda it: it and it[0].number >= number and (it[0].is_through or it[0].ended) and it,
        "everybody has been read",
    )
    if not reading.ended:
        stage.clock.move(minutes=6)
    return await has_read(stage, number)


async def relation(stage: Stage, userid: str, external: str) -> Relation | None:
    return await stage.db.read(lambda tx: tx.relations.get(userid, external))


async def test_who_was_a_customer_before_menwei_is_known_and_not_judged(stage: Stage) -> None:
    reading = await has_read(stage)

    known = await relation(stage, "liqiang", LIU_JIANGUO)
    assert known is not None
    assert (known.state, known.remark) == (RelationState.ADDED, "恒远 刘总")
    assert known.tags == {"战略客户"}
    assert known.request_id == ""
    assert (reading.tally.new, reading.late_adds, reading.coverage) == (1, 0, None)
    assert (reading.tally.members, reading.of) == (7, 7)
    assert await stage.db.read(lambda tx: tx.requests.by_requester("liqiang", 9)) == []
    assert await stage.db.read(lambda tx: tx.relations.called("刘建国"))


async def test_an_add_without_a_callback_is_judged_and_contained_like_any_other(
    stage: Stage,
) -> None:
    await has_read(stage)
    stage.clock.move(minutes=1)
    stage.simulator.faults.drop_callbacks()
    stage.simulator.world.member_adds_customer("zhouxiaomei", LIU_JIANGUO)

    reading = await read_again(stage)

    request = await stage.newest("zhouxiaomei")
    assert request.state is State.PENDING
    known = await relation(stage, "zhouxiaomei", LIU_JIANGUO)
    assert known is not None
    assert (known.containment, known.request_id) == (Containment.PENDING, request.id)
    await stage.card("wangfang", "刘建国")
    await stage.hears("zhaomin", "漏掉的添加 1 个")
    assert "周小美：刘建国" in (await stage.hears("zhaomin", "漏掉的添加"))["text"]
    assert (reading.late_adds, reading.tally.adds, reading.coverage) == (1, 1, 0.0)
    kinds = [e.kind for e in await stage.db.read(lambda tx: tx.audit.of_customer(LIU_JIANGUO))]
    assert "add.late" in kinds


async def told_late(stage: Stage, *, drops: int = 1) -> None:
    """Let the next callbacks be lost, some time after the last reading."""
    stage.clock.move(minutes=1)
    stage.simulator.faults.drop_callbacks(drops)


RESERVED = rule(
    'id = "reserved"\naction = ["friend.add"]\nwhen.customer.is_reserved = true\nthen = "deny"'
)


@pytest.mark.parametrize("who_was_first", ["who added", "who reported"])
async def test_a_late_add_of_a_reported_customer_is_refused_only_if_the_report_was_there_before(
    opens: Opens, who_was_first: str
) -> None:
    stage = await opens(RESERVED)
    await has_read(stage)
    world = stage.simulator.world
    world.member_adds_customer("wangfang", MA_CHAO)
    await stage.quiet()
    world.member_edits("wangfang", MA_CHAO, mobiles=["13700001111"])
    await stage.quiet()

    async def reports() -> None:
        await stage.say("sunlei", "加 马超 飞驰物流 13700001111 老客户介绍")
        await stage.card("sunlei", "撞单提醒")
        await stage.quiet()
        stage.clock.move(minutes=1)

    if who_was_first == "who reported":
        await reports()
    await told_late(stage)
    world.member_adds_customer("zhouxiaomei", MA_CHAO)
    stage.clock.move(minutes=1)
    if who_was_first == "who added":
        await reports()
    await read_again(stage)

    request = await stage.newest("zhouxiaomei")
    expected = State.DENIED if who_was_first == "who reported" else State.PENDING
    assert request.state is expected


async def test_a_deletion_without_a_callback_settles_the_remedy_and_counts(opens: Opens) -> None:
    stage = await opens(rule(NO_RIVALS))
    await stage.knows_the_customers()
    stage.simulator.world.member_adds_customer("zhouxiaomei", HE_CHEN)
    await stage.hears("zhouxiaomei", "删除")
    await stage.quiet()
    request = await stage.newest("zhouxiaomei")
    assert request.state is State.DENIED
    await told_late(stage)
    stage.simulator.world.member_deletes_customer("zhouxiaomei", HE_CHEN)

    reading = await read_again(stage)

    remedy = await stage.db.read(lambda tx: tx.remedies.of_request(request.id))
    assert remedy is not None
    assert (remedy.state, remedy.closed_because) == (RemedyState.CLOSED, "deleted")
    known = await relation(stage, "zhouxiaomei", HE_CHEN)
    assert known is not None
    assert (known.state, known.ended_by) == (RelationState.DELETED_BY_MEMBER, "remedy")
    assert (reading.late_deletions, reading.late_adds) == (1, 0)
    assert "周小美：何晨" in (await stage.hears("zhaomin", "漏掉的删除 1 个"))["text"]


async def test_deletions_without_a_callback_set_off_the_alarm(opens: Opens) -> None:
    stage = await opens(section("[alerts]\ndeletions_per_hour = 1\ndeletions_per_day = 2"))
    await stage.knows_the_customers()
    for external in (ZHANG_WEI, LIN_XUE, MA_CHAO):
        stage.simulator.world.member_adds_customer("sunlei", external)
    await stage.quiet()
    await told_late(stage, drops=3)
    for external in (ZHANG_WEI, LIN_XUE, MA_CHAO):
        stage.simulator.world.member_deletes_customer("sunlei", external)

    reading = await read_again(stage)

    assert reading.late_deletions == 3
    await stage.hears("wangfang", "孙磊")
    ended = await stage.db.read(lambda tx: tx.relations.deleted_by("sunlei", LONG_AGO))
    assert len(ended) == 3


async def test_a_second_reading_of_an_unchanged_company_writes_nothing(stage: Stage) -> None:
    await stage.knows_the_customers()
    stage.simulator.world.member_adds_customer("sunlei", ZHANG_WEI)
    await stage.quiet()
    await read_again(stage)
    records = await stage.db.read(lambda tx: tx.audit.of_customer(ZHANG_WEI))

    reading = await read_again(stage)

    assert (reading.tally.relations, reading.tally.members) == (2, 7)
    assert (reading.tally.new, reading.tally.changed, reading.late_adds) == (0, 0, 0)
    assert await stage.db.read(lambda tx: tx.audit.of_customer(ZHANG_WEI)) == records
    assert stage.times_told("zhaomin", "核对全部客户") == 0


async def test_tags_remarks_and_phones_are_brought_up_to_date(stage: Stage) -> None:
    await stage.knows_the_customers()
    stage.simulator.world.member_adds_customer("sunlei", ZHANG_WEI)
    await stage.quiet()
    await told_late(stage)
    stage.simulator.world.member_edits(
        "sunlei", ZHANG_WEI, remark="明达 张总", tags=["etDemoTag02"], mobiles=["138 0000 1234"]
    )
    stage.simulator.world.state.customers[ZHANG_WEI].name = "张伟（明达）"

    reading = await read_again(stage)

    known = await relation(stage, "sunlei", ZHANG_WEI)
    assert known is not None
    assert (known.remark, set(known.tags)) == ("明达 张总", {"VIP"})
    found = await stage.db.read(lambda tx: tx.relations.find_by_phone("13800001234"))
    assert [each.external_userid for each in found] == [ZHANG_WEI]
    assert await stage.db.read(lambda tx: tx.relations.called("张伟（明达）"))
    assert reading.tally.changed == 1


async def test_a_renamed_tag_is_soon_known_by_its_new_name(stage: Stage) -> None:
    await stage.knows_the_customers()
    world = stage.simulator.world
    world.state.tag_groups["etDemoGroup01"].tags[0].name = "重点客户"
    world.tell_sys("change_external_tag", "update", {"Id": "etDemoTag01", "TagType": "tag"})
    await stage.quiet()
    stage.clock.move(minutes=11)

    await has_read(stage, 2)

    known = await relation(stage, "liqiang", LIU_JIANGUO)
    assert known is not None
    assert known.tags == {"重点客户"}


async def test_a_member_without_the_function_stops_nobody_and_loses_nothing(stage: Stage) -> None:
    await stage.knows_the_customers()
    stage.simulator.world.member_adds_customer("sunlei", ZHANG_WEI)
    await stage.quiet()
    stage.simulator.world.set_customer_contact("sunlei", allowed=False)
    await told_late(stage)
    stage.simulator.world.member_adds_customer("zhouxiaomei", LIN_XUE)

    reading = await read_again(stage)

    known = await relation(stage, "sunlei", ZHANG_WEI)
    assert known is not None
    assert known.state is RelationState.ADDED
    assert (reading.late_adds, reading.late_deletions, reading.tally.members) == (1, 0, 6)


async def test_a_member_whom_wecom_refuses_is_named_and_the_others_are_read(stage: Stage) -> None:
    await stage.knows_the_customers()
    await told_late(stage)
    stage.simulator.world.member_adds_customer("zhouxiaomei", LIN_XUE)
    # once for all of them together, and once for the first who is read alone
    stage.simulator.faults.fail("externalcontact/batch/get_by_user", 84074, 2)

    reading = await read_again(stage)

    assert [(each.userid, each.code) for each in reading.unread] == [("chenyu", 84074)]
    assert (reading.tally.members, reading.late_adds) == (6, 1)


async def test_the_customers_of_somebody_who_has_left_stay_as_they_are(stage: Stage) -> None:
    await stage.knows_the_customers()
    stage.simulator.world.member_leaves("liqiang")

    reading = await read_again(stage)

    known = await relation(stage, "liqiang", LIU_JIANGUO)
    assert known is not None
    assert known.state is RelationState.ADDED
    assert reading.late_deletions == 0


async def waits(stage: Stage) -> bool:
    return len(stage.simulator.called("/cgi-bin/externalcontact/batch/get_by_user")) > 0


@pytest.mark.parametrize("code", [45009, 45033, 50100, -1])
async def test_a_reading_waits_where_wecom_asks_it_to(stage: Stage, code: int) -> None:
    await stage.knows_the_customers()
    stage.simulator.faults.fail("externalcontact/batch/get_by_user", code)
    stage.simulator.forget_calls()
    await told_late(stage)
    stage.simulator.world.member_adds_customer("zhouxiaomei", LIN_XUE)
    await ask_for_a_reading(stage)
    await stage.until(lambda: waits(stage), bool, "the reading waits")
    await asyncio.sleep(0.3)  # until it is written down when to ask again
    stage.clock.move(hours=2)

    reading = await has_read(stage, 2)

    assert (reading.late_adds, reading.unread) == (1, ())


async def test_no_customers_at_all_is_no_error(stage: Stage) -> None:
    await stage.knows_the_customers()
    stage.simulator.world.set_customer_contact("liqiang", allowed=False)
    stage.simulator.faults.fail("externalcontact/batch/get_by_user", 84061, 7)

    reading = await read_again(stage)

    assert (reading.unread, reading.tally.members, reading.late_deletions) == ((), 6, 0)


async def test_a_customer_from_before_who_is_added_by_a_colleague_counts_as_theirs(
    stage: Stage,
) -> None:
    await stage.knows_the_customers()

    stage.simulator.world.member_adds_customer("sunlei", LIU_JIANGUO)
    await stage.quiet()

    request = await stage.newest("sunlei")
    assert request.facts["customer.owners"] == frozenset({"liqiang"})


async def test_the_card_says_how_much_room_the_member_has_left(opens: Opens) -> None:
    stage = await opens(
        section("[customers]\ncapacity = 2"), permission("friend.add", "approval = 1")
    )
    await stage.knows_the_customers()
    await stage.say("zhouxiaomei", "加 张伟 明达贸易 13800001234 展会认识")
    card = await stage.card("wangfang", "张伟")
    assert "客户 0 / 2，余 2" in str(card)
    for external in (LIN_XUE, MA_CHAO):
        stage.simulator.world.member_adds_customer("sunlei", external)
    await stage.quiet()

    await stage.say("sunlei", "加 张伟 明达贸易 13800001234 展会认识")

    await stage.hears("wangfang", "客户已满：2 / 2，余 0，这次还要加 1 位", "card")


async def test_a_rule_may_ask_how_many_customers_a_member_has(opens: Opens) -> None:
    stage = await opens(rule(CROWDED))
    await stage.knows_the_customers()
    for external in (ZHANG_WEI, LIN_XUE, MA_CHAO):
        stage.simulator.world.member_adds_customer("sunlei", external)
        await stage.quiet()

    found = await stage.db.read(lambda tx: tx.requests.by_requester("sunlei", 9))

    by_count = {each.facts["sender.contact_count"]: each.verdict.rules for each in found}
    assert by_count == {1: (), 2: (), 3: ("crowded",)}


def menwei(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(cli, ["customers", *words, "--config", str(folder / "config.toml")])


async def test_the_command_shows_the_coverage_and_begins_a_reading(stage: Stage) -> None:
    await stage.knows_the_customers()
    first = await asyncio.to_thread(menwei, stage.folder)
    assert first.exit_code == 0, first.output
    assert "读了 7 位成员的 1 个客户关系" in first.output
    assert "没有新的添加" in first.output
    stage.simulator.world.member_adds_customer("sunlei", ZHANG_WEI)
    await stage.quiet()
    await told_late(stage)
    stage.simulator.world.member_adds_customer("sunlei", LIN_XUE)
    stage.clock.move(minutes=6)

    begun = await asyncio.to_thread(menwei, stage.folder, "--read")
    assert begun.exit_code == 0
    assert "马上读取全部客户" in begun.output
    await has_read(stage, 2)

    shown = await asyncio.to_thread(menwei, stage.folder)
    assert shown.exit_code == 1  # half of the adds is too few
    assert "上次以来的添加 2 个，50.0% 收到了回调" in shown.output
    assert "漏掉的添加 1" in shown.output
    as_json = await asyncio.to_thread(menwei, stage.folder, "--json")
    newest, oldest = json.loads(as_json.output)
    assert (newest["coverage"], newest["late_adds"], newest["adds"]) == (0.5, 1, 2)
    assert (oldest["coverage"], oldest["new"]) == (None, 1)
    async with stage.http.get(f"{stage.address}/metrics") as answer:
        figures = await answer.text()
    assert "menwei_customers_coverage 0.5" in figures
    assert "menwei_customers_late_adds 1.0" in figures


async def test_the_command_says_so_when_nothing_was_read_yet(tmp_path: Path) -> None:
    found = demo.configured("http://127.0.0.1:9", 0, tmp_path)
    db = Database.open(found.storage.address)
    await asyncio.to_thread(db.upgrade)
    await db.aclose()

    shown = await asyncio.to_thread(menwei, tmp_path)

    assert (shown.exit_code, shown.output) == (1, "还没有读取过全部客户。\n")


async def test_too_few_callbacks_are_told_to_the_admins_in_english_too(opens: Opens) -> None:
    stage = await opens(ENGLISH)
    await stage.knows_the_customers()
    await told_late(stage, drops=20)
    for number in range(20):
        stage.simulator.world.create_customer(Customer(f"wmMany{number}", f"Bob {number}"))
        stage.simulator.world.member_adds_customer("wangfang", f"wmMany{number}")

    reading = await read_again(stage)

    assert reading.late_adds == 20
    told = await stage.hears("zhaomin", "Adds without a callback: 20")
    assert "王芳: Bob 0, Bob 1, Bob 10 and others" in told["text"]
    await stage.hears("zhaomin", "of the 20 adds since the reading before, only 0.0% came")
    assert stage.times_told("wangfang", "Adds without a callback") == 0


async def test_customers_are_read_every_night_and_after_a_missed_one(stage: Stage) -> None:
    await stage.knows_the_customers()

    stage.clock.move(hours=24)
    await has_read(stage, 2)
    await stage.stop()
    stage.clock.move(hours=40)
    await stage.start()

    await has_read(stage, 3)


async def test_somebody_who_adds_while_menwei_is_down_is_judged_after_the_start(
    stage: Stage,
) -> None:
    await stage.knows_the_customers()
    await stage.stop()
    stage.simulator.faults.drop_callbacks()
    stage.clock.move(hours=20)
    stage.simulator.world.member_adds_customer("zhouxiaomei", LIU_JIANGUO)
    stage.clock.move(hours=10)

    await stage.start()

    request = await stage.newest_of("zhouxiaomei")
    assert request.state is State.PENDING
    assert (await has_read(stage, 2)).late_adds == 1
