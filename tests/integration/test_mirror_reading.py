"""A reading beside events, kills and other nodes, step by step."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

import pytest
from sqlalchemy.event import listen, remove

from bot.actions import mirroring
from bot.simulator.events import Event
from bot.simulator.records import Customer
from bot.simulator.seed import LIN_XUE, LIU_JIANGUO, MA_CHAO, ZHANG_WEI
from bot.wecom import FollowedPage
from bot.worker import Postpone
from storage.database import Database
from tests.makers_mirror import Killed, Office, an_office, restarted
from workflows import mirror
from workflows.mirror import Tally
from workflows.model import Relation, RelationState
from workflows.transfers import Passage, PassageState


@pytest.fixture
async def office(db: Database) -> AsyncIterator[Office]:
    """An office whose customers have been read once."""
    async with an_office(db) as office:
        await office.read_all()
        office.clock.move(hours=1)
        office.sim.forget_calls()
        yield office


async def known(office: Office, userid: str, external: str) -> Relation:
    found = await office.relation(userid, external)
    assert found is not None
    return found


def told(event: Event | None) -> Event:
    assert event is not None
    return event


class Beside:
    """Has an event handled between the moment a page is asked for and that it is written."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, office: Office) -> None:
        self.happens: Callable[[], Event | None] | None = None
        real = office.handlers.wecom.batch_by_user

        async def batch_by_user(members: Sequence[str], cursor: str = "") -> FollowedPage:
            page = await real(members, cursor)
            happens, self.happens = self.happens, None
            if happens is not None:
                office.clock.move(seconds=1)
                await office.hear(told(happens()))
            return page

        monkeypatch.setattr(office.handlers.wecom, "batch_by_user", batch_by_user)


async def test_an_edit_told_while_a_page_is_on_its_way_wins(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = Beside(monkeypatch, office)
    beside.happens = lambda: office.world.member_edits("liqiang", LIU_JIANGUO, remark="新备注")
    monkeypatch.setattr(mirror, "pack", lambda members, _: list(members))

    reading = await office.read_all()

    assert (await known(office, "liqiang", LIU_JIANGUO)).remark == "新备注"
    assert (reading.tally.changed, reading.unsettled) == (0, 0)


async def test_an_add_told_while_a_page_is_on_its_way_is_judged_once(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    beside = Beside(monkeypatch, office)
    beside.happens = lambda: office.world.member_adds_customer("sunlei", ZHANG_WEI)

    await office.read_all()

    assert len(await office.requests(ZHANG_WEI)) == 1
    office.clock.move(hours=1)
    assert (await office.read_all()).late_adds == 0
    assert len(await office.requests(ZHANG_WEI)) == 1


async def test_a_deletion_told_while_a_page_is_on_its_way_stays_a_deletion(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    await office.hear(told(office.world.member_adds_customer("sunlei", ZHANG_WEI)))
    office.clock.move(hours=1)
    monkeypatch.setattr(mirror, "pack", lambda members, _: list(members))
    beside = Beside(monkeypatch, office)
    beside.happens = lambda: office.world.member_deletes_customer("sunlei", ZHANG_WEI)

    reading = await office.read_all()

    assert (await known(office, "sunlei", ZHANG_WEI)).state is RelationState.DELETED_BY_MEMBER
    assert len(await office.requests(ZHANG_WEI)) == 1
    assert (reading.late_adds, reading.late_deletions) == (0, 0)


async def test_a_callback_that_is_only_some_minutes_late_is_no_late_find(office: Office) -> None:
    event = told(office.world.member_adds_customer("sunlei", ZHANG_WEI))
    office.clock.move(seconds=30)
    await office.begin()
    await office.tick()
    await office.tick()

    office.clock.move(seconds=30)
    await office.hear(event)
    reading = await office.to_the_end()

    assert (reading.late_adds, reading.tally.adds, reading.coverage) == (0, 1, 1.0)
    assert len(await office.requests(ZHANG_WEI)) == 1


async def test_an_add_known_only_by_a_colleagues_event_is_judged_all_the_same(
    office: Office,
) -> None:
    office.world.member_adds_customer("sunlei", LIU_JIANGUO)  # told to nobody
    await office.hear(told(office.world.member_edits("liqiang", LIU_JIANGUO, remark="刘总")))
    assert (await known(office, "sunlei", LIU_JIANGUO)).request_id == ""

    reading = await office.read_all()

    assert (await known(office, "sunlei", LIU_JIANGUO)).request_id
    assert reading.late_adds == 1


async def test_coverage_is_counted_from_reading_to_reading(office: Office) -> None:
    for external in (ZHANG_WEI, LIN_XUE, MA_CHAO):
        event = told(office.world.member_adds_customer("sunlei", external))
        if external != MA_CHAO:
            await office.hear(event)
    office.clock.move(hours=1)

    first = await office.read_all()
    office.clock.move(hours=1)
    second = await office.read_all()

    assert (first.tally.adds, first.late_adds) == (3, 1)
    assert first.coverage == pytest.approx(2 / 3)
    assert (second.tally.adds, second.coverage) == (0, None)


async def test_a_kill_in_a_chunk_costs_no_more_than_the_chunk(office: Office) -> None:
    for number in range(250):
        external = f"wmMany{number}"
        office.world.create_customer(Customer(external, f"客户{number}"))
        office.world.member_adds_customer(("chenyu", "sunlei")[number % 2], external)
    office.clock.move(hours=1)
    await office.begin()
    office.fate.calls_left = 1  # the second page of the first chunk
    with pytest.raises(Killed):
        await office.tick()
    before = await office.db.read(lambda tx: tx.readings.open())
    assert before is not None
    assert (before.step, before.after) == (0, "")

    office = restarted(office.db, office.sim, office.clock, office.http, office.sim.base_url)
    await office.handlers.company.refresh(office.db)
    office.clock.move(seconds=16 * 60)
    reading = await office.to_the_end()

    assert (reading.tally.relations, reading.tally.members) == (251, 7)
    assert (reading.tally.adds, reading.late_adds) == (250, 250)
    for number in range(250):
        assert len(await office.requests(f"wmMany{number}")) == 1


async def test_an_unchanged_page_takes_one_query_for_each_table_and_no_write(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_: object) -> Tally:
        raise AssertionError("there is nothing to write")

    monkeypatch.setattr(mirroring, "take_over", never)
    asked: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_: object) -> None:
        asked.append(" ".join(statement.split()))

    monkeypatch.setattr(mirror, "pack", lambda members, _: list(members))
    listen(office.db._reader, "before_cursor_execute", note)

    reading = await office.read_all()

    remove(office.db._reader, "before_cursor_execute", note)
    assert (reading.tally.relations, reading.tally.new, reading.tally.changed) == (1, 0, 0)
    bodies = [each for each in asked if "relations.body FROM relations" in each]
    customers = [each for each in asked if "customers.body FROM customers" in each]
    assert (len(bodies), len(customers)) == (1, 1)


async def test_a_reading_that_got_stuck_is_taken_up_and_the_late_comer_changes_nothing(
    office: Office,
) -> None:
    await office.begin()
    stuck = await office.db.read(lambda tx: tx.readings.open())
    assert stuck is not None
    late = await office.clockwork.customers.read_on(f"{stuck.number}|{stuck.step}")
    office.clock.move(hours=2)

    await office.db.write(await office.clockwork.customers.begin())
    again = await office.db.read(lambda tx: tx.readings.open())
    await office.db.write(late)

    assert await office.db.read(lambda tx: tx.readings.open()) == again
    reading = await office.to_the_end()
    assert (reading.number, reading.tally.members) == (stuck.number, 7)


async def test_what_a_transfer_took_is_no_deletion_by_the_member(office: Office) -> None:
    world = office.world
    await office.hear(told(world.member_adds_customer("sunlei", ZHANG_WEI)))
    passage = Passage(
        "T17", ZHANG_WEI, "张伟", "sunlei", "wangfang", PassageState.WAITING, office.now()
    )
    await office.db.write(lambda tx: tx.transfers.put([passage]))
    world.begin_transfer(world.member("sunlei"), world.member("wangfang"), ZHANG_WEI)
    office.clock.move(hours=25)
    world.settle_transfers()  # and none of its events is told
    office.clock.move(hours=1)

    await office.read_all()

    giver = await known(office, "sunlei", ZHANG_WEI)
    assert (giver.state, giver.ended_by) == (RelationState.DELETED_BY_MEMBER, "transfer")
    taker = await known(office, "wangfang", ZHANG_WEI)
    assert (taker.state, taker.request_id) == (RelationState.ADDED, "T17")
    assert len(await office.requests(ZHANG_WEI)) == 1


async def test_who_was_deleted_and_added_again_is_judged_again(office: Office) -> None:
    """The second add is told to nobody; an edit has put it on file before the reading comes."""
    world = office.world
    await office.hear(told(world.member_adds_customer("sunlei", ZHANG_WEI)))
    office.clock.move(seconds=60)
    await office.hear(told(world.member_deletes_customer("sunlei", ZHANG_WEI)))
    office.clock.move(seconds=60)
    world.member_adds_customer("sunlei", ZHANG_WEI)
    await office.hear(told(world.member_edits("sunlei", ZHANG_WEI, remark="张总")))
    office.clock.move(hours=1)

    reading = await office.read_all()

    assert reading.late_adds == 1
    assert len(await office.requests(ZHANG_WEI)) == 2


async def test_an_event_told_while_a_doubt_is_asked_about_wins(office: Office) -> None:
    """WeCom still showed the two; the deletion was handled before that could be written."""
    office.world.member_adds_customer("sunlei", ZHANG_WEI)
    office.clock.move(hours=1)
    await office.begin()
    while not (number := await office.doubts()):
        await office.tick()
        office.clock.move(seconds=1)
    step = await office.clockwork.customers.look(f"{number}|sunlei|{ZHANG_WEI}", office.now())
    office.clock.move(seconds=1)
    await office.hear(told(office.world.member_deletes_customer("sunlei", ZHANG_WEI)))

    with pytest.raises(Postpone):
        await office.db.write(step)

    assert (await known(office, "sunlei", ZHANG_WEI)).state is RelationState.DELETED_BY_MEMBER
    assert (await office.to_the_end()).late_adds == 0
    assert await office.requests(ZHANG_WEI) == []


async def test_a_member_renamed_while_a_page_is_on_its_way_leaves_nothing_under_the_old_userid(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = await office.db.read(lambda tx: tx.relations.of_member("liqiang"))
    office.world.member_edits("liqiang", LIU_JIANGUO, remark="新备注")  # so that pages are written
    beside = Beside(monkeypatch, office)
    beside.happens = lambda: office.world.rename_member("liqiang", "li.qiang")
    monkeypatch.setattr(mirror, "pack", lambda members, _: list(members))

    reading = await office.read_all()

    assert await office.db.read(lambda tx: tx.relations.of_member("liqiang")) == []
    found = await office.db.read(lambda tx: tx.relations.of_member("li.qiang"))
    assert [each.external_userid for each in found] == [each.external_userid for each in before]
    assert (reading.late_adds, reading.late_deletions, reading.unsettled) == (0, 0, 0)


async def test_a_member_read_by_a_new_userid_before_wecom_tells_of_it_is_put_together(
    office: Office,
) -> None:
    before = await office.db.read(lambda tx: tx.relations.of_member("liqiang"))
    assert before
    event = office.world.rename_member("liqiang", "li.qiang")
    reading = await office.read_all()
    assert (reading.late_adds, reading.late_deletions) == (0, 0)

    await office.hear(told(event))

    found = await office.db.read(lambda tx: tx.relations.of_member("li.qiang"))
    assert [(each.external_userid, each.request_id) for each in found] == [
        (each.external_userid, each.request_id) for each in before
    ]
    assert await office.db.read(lambda tx: tx.relations.of_member("liqiang")) == []
