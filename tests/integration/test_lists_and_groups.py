"""Lists under way and customer groups, as both databases keep them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from storage.database import Database
from tests.makers_storage import NOON, a_request
from workflows.bulk import BULK
from workflows.chats import Chat, Outsider
from workflows.claims import Claim
from workflows.model import Request, State
from workflows.plans import BulkAdd, Joining, Line

HOUR = timedelta(hours=1)
CHAT = Chat("wr1", "新品交流群", "WangFang", "v1", NOON)
ZHANG = Outsider("wm1", "张伟", NOON, "LiNa", False, "A7K2", NOON + HOUR)
LIN = Outsider("wm2", "林雪")


def a_list(request_id: str = "A7K2", **changes: object) -> Request:
    lines = (Line(1, Claim("张总"), "wm1", "vip", ("signed",), ("wang",), ("x",)), Line(3, Claim()))
    return a_request(request_id, action=BULK, plan=BulkAdd(lines, 1), **changes)


async def test_a_list_and_a_join_are_read_as_they_were_written(db: Database) -> None:
    whole = a_list()
    join = a_request("B2B2", action="chat.join", plan=Joining("wr1", "wm1", by_code=True))
    for request in (whole, join):
        await db.write(lambda tx, r=request: tx.requests.add(r))  # type: ignore[misc]

    assert await db.read(lambda tx: tx.requests.get("a7k2")) == whole
    assert await db.read(lambda tx: tx.requests.get("B2B2")) == join


async def test_what_lines_became_is_found_by_their_list(db: Database) -> None:
    parts = [
        a_request(f"B{n}B2", part_of="A7K2", external_userid=f"wm{n}", created_at=NOON + n * HOUR)
        for n in (2, 3)
    ]

    for part in parts:
        await db.write(lambda tx, p=part: tx.requests.add(p))  # type: ignore[misc]
        for _ in range(2):
            await db.write(lambda tx, p=part: tx.lists.add_part(p))  # type: ignore[misc]

    assert await db.read(lambda tx: tx.lists.parts("a7k2")) == parts
    assert await db.read(lambda tx: tx.lists.count_parts("A7K2")) == 2
    assert await db.read(lambda tx: tx.lists.parts("B2B2")) == []
    assert await db.read(lambda tx: tx.lists.count_parts("B2B2")) == 0


async def test_a_members_unfinished_lists_are_found_from_a_time_on(db: Database) -> None:
    pending = a_list("A2A2")
    approved = a_list("A3A3", state=State.APPROVED, created_at=NOON + HOUR, external_userid="wm3")
    over = a_list("A4A4", state=State.DENIED, external_userid="wm4")
    single = a_request("A5A5", external_userid="wm5")
    others = a_list("A6A6", requester=replace(pending.requester, userid="qian"))
    for request in (pending, approved, over, single, others):
        await db.write(lambda tx, r=request: tx.requests.add(r))  # type: ignore[misc]

    assert await db.read(lambda tx: tx.lists.open_of("LINA", NOON)) == [pending, approved]
    assert await db.read(lambda tx: tx.lists.open_of("LiNa", NOON + HOUR)) == [approved]


async def test_a_group_is_kept_as_it_was_read_last(db: Database) -> None:
    assert await db.read(lambda tx: tx.chats.get("wr1")) is None

    await db.write(lambda tx: tx.chats.put(CHAT))
    newer = replace(CHAT, name="老客户\x00群", version="v2", seen_at=NOON + HOUR)
    await db.write(lambda tx: tx.chats.put(newer))

    assert await db.read(lambda tx: tx.chats.get("wr1")) == newer
    assert await db.read(lambda tx: tx.chats.unseen_since(NOON + HOUR)) == []
    assert await db.read(lambda tx: tx.chats.unseen_since(NOON + 2 * HOUR)) == [newer]


async def test_who_is_in_a_group_and_in_which_groups_somebody_is(db: Database) -> None:
    other = replace(CHAT, chat_id="wr2", name="内部群")
    for chat in (CHAT, other):
        await db.write(lambda tx, c=chat: tx.chats.put(c))  # type: ignore[misc]
    for chat_id, outsider in (("wr1", ZHANG), ("wr1", LIN), ("wr2", ZHANG)):
        await db.write(lambda tx, c=chat_id, o=outsider: tx.chats.put_outsider(c, o))  # type: ignore[misc]

    assert await db.read(lambda tx: tx.chats.outsiders("wr1")) == [ZHANG, LIN]
    assert await db.read(lambda tx: tx.chats.outsider("wr2", "wm1")) == ZHANG
    assert await db.read(lambda tx: tx.chats.outsider("wr2", "wm2")) is None
    both = frozenset({"新品交流群", "内部群"})
    assert await db.read(lambda tx: tx.chats.names_with("wm1")) == both
    assert await db.read(lambda tx: tx.chats.names_with("wm9")) == frozenset()

    await db.write(lambda tx: tx.chats.drop_outsider("wr1", "wm1"))
    assert await db.read(lambda tx: tx.chats.outsiders("wr1")) == [LIN]
    await db.write(lambda tx: tx.chats.drop("wr2"))
    assert await db.read(lambda tx: tx.chats.names_with("wm1")) == frozenset()
    assert await db.read(lambda tx: tx.chats.get("wr2")) is None


async def test_when_all_groups_were_read_is_remembered(db: Database) -> None:
    assert await db.read(lambda tx: tx.chats.whole_since()) is None
    directory = await db.read(lambda tx: tx.people.version())

    for at in (NOON, NOON + HOUR):
        await db.write(lambda tx, when=at: tx.chats.note_whole(when))  # type: ignore[misc]

    assert await db.read(lambda tx: tx.chats.whole_since()) == NOON + HOUR
    assert await db.read(lambda tx: tx.people.version()) == directory
